//! What staff see of money that goes back.

use chrono::NaiveDate;
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::account::AccountId;
use crate::domain::bank::BankTransactionId;
use crate::domain::invoice::PaymentId;
use crate::domain::language::Language;
use crate::domain::money::Money;
use crate::domain::payment::{RefundId, RefundKind, RefundState, refund_reference};
use crate::repository::refunds::Owned;
use crate::texts::{Subject, Value, say};
use crate::types::Instant;

/// Money that goes back.
#[derive(Serialize, ToSchema)]
#[schema(as = Refund)]
pub struct RefundView {
    id: RefundId,
    account_id: AccountId,
    payment_id: PaymentId,
    kind: RefundKind,
    state: RefundState,
    /// In the caller's language.
    label: String,
    amount: Money,
    reason: String,
    /// What the transfer is to be told by.
    #[schema(example = "RFN00000000000070008000000000000001")]
    reference: String,
    /// Who paid, and is paid.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    payee_name: Option<String>,
    /// The account that the money came from; it goes to no other.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    payee_account: Option<String>,
    /// When somebody paid it at the bank.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    paid_date: Option<NaiveDate>,
    /// The line of money out that paid it, once a bank statement shows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    bank_transaction_id: Option<BankTransactionId>,
    created_at: Instant,
    /// Counts the changes of its state.
    #[schema(minimum = 1)]
    version: i64,
}

impl RefundView {
    pub fn of((refund, account_id): Owned, language: Language) -> Self {
        let key = format!("refund_states.{}", refund.state);
        Self {
            id: refund.id,
            account_id,
            payment_id: refund.payment_id,
            kind: refund.kind,
            state: refund.state,
            label: say(Subject::Labels, &key, language, Value::UNDEFINED),
            amount: Money::new(refund.amount_cents, refund.currency),
            reason: refund.reason,
            reference: refund_reference(refund.id),
            payee_name: refund.payee_name,
            payee_account: refund.payee_account,
            paid_date: refund.paid_date,
            bank_transaction_id: refund.bank_transaction_id,
            created_at: refund.created_at,
            version: refund.version,
        }
    }
}

/// A page of refunds.
#[derive(Serialize, ToSchema)]
pub struct RefundPage {
    pub items: Vec<RefundView>,
    #[schema(required = true)]
    pub next_cursor: Option<String>,
}
