//! What callers see of money that came.

use chrono::NaiveDate;
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::account::AccountId;
use crate::domain::bank::BankTransactionId;
use crate::domain::charge::ChargeId;
use crate::domain::invoice::{InvoiceId, PaymentId, PaymentMethod};
use crate::domain::language::Language;
use crate::domain::money::{Currency, Money};
use crate::domain::payment::{AllocationId, RefundId, RefundKind, RefundState};
use crate::handlers::labels::label;
use crate::repository::allocations::Allocation;
use crate::repository::invoice_search::Owner;
use crate::repository::refunds::Refund;
use crate::types::Instant;
use crate::workflows::payments::Traced;

/// Cents of a payment on an invoice.
#[derive(Serialize, ToSchema)]
pub struct PaymentAllocation {
    id: AllocationId,
    invoice_id: InvoiceId,
    #[schema(example = "CPS-2026-000001")]
    invoice_number: String,
    /// Negative where it takes an earlier one back.
    amount: Money,
    /// The one that it takes back, whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    reverses: Option<AllocationId>,
    created_at: Instant,
}

impl PaymentAllocation {
    fn of((placed, invoice_number): (Allocation, String), currency: Currency) -> Self {
        Self {
            id: placed.id,
            invoice_id: placed.invoice_id,
            invoice_number,
            amount: Money::new(placed.amount_cents, currency),
            reverses: placed.reverses_id,
            created_at: placed.created_at,
        }
    }
}

/// Money of a payment that goes back, or went.
#[derive(Serialize, ToSchema)]
pub struct PaymentRefund {
    id: RefundId,
    kind: RefundKind,
    state: RefundState,
    /// In the caller's language.
    label: String,
    amount: Money,
    /// When somebody paid it at the bank.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    paid_date: Option<NaiveDate>,
}

impl PaymentRefund {
    fn of(refund: Refund, language: Language) -> Self {
        Self {
            id: refund.id,
            kind: refund.kind,
            state: refund.state,
            label: label("refund_states", refund.state, language),
            amount: Money::new(refund.amount_cents, refund.currency),
            paid_date: refund.paid_date,
        }
    }
}

/// Money that came.
#[derive(Serialize, ToSchema)]
#[schema(as = Payment)]
pub struct PaymentView {
    id: PaymentId,
    account_id: AccountId,
    payment_method: PaymentMethod,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    charge_id: Option<ChargeId>,
    /// The line of the bank that it came with.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    bank_transaction_id: Option<BankTransactionId>,
    amount: Money,
    /// Neither on an invoice nor on its way back.
    open: Money,
    received_date: NaiveDate,
    /// Since when the holder of the card disputes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    disputed_at: Option<Instant>,
    /// Since when it is not this account's after all.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    taken_back_at: Option<Instant>,
    allocations: Vec<PaymentAllocation>,
    refunds: Vec<PaymentRefund>,
    created_at: Instant,
}

impl PaymentView {
    pub fn of(traced: Traced, language: Language) -> Self {
        let payment = traced.payment;
        let money = |cents| Money::new(cents, payment.currency);
        let allocations = traced.allocations.into_iter();
        let refunds = traced.refunds.into_iter();
        Self {
            id: payment.id,
            account_id: payment.account_id,
            payment_method: payment.method(),
            charge_id: payment.charge_id,
            bank_transaction_id: payment.bank_transaction_id,
            amount: money(payment.amount_cents),
            open: money(payment.free_cents()),
            received_date: payment.received_date,
            disputed_at: payment.disputed_at,
            taken_back_at: payment.taken_back_at,
            allocations: allocations
                .map(|one| PaymentAllocation::of(one, payment.currency))
                .collect(),
            refunds: refunds
                .map(|one| PaymentRefund::of(one, language))
                .collect(),
            created_at: payment.created_at,
        }
    }
}

/// A page of payments.
#[derive(Serialize, ToSchema)]
pub struct PaymentPage {
    pub items: Vec<PaymentView>,
    #[schema(required = true)]
    pub next_cursor: Option<String>,
}

/// Money that came, with whose it is.
#[derive(Serialize, ToSchema)]
#[schema(as = OwnedPayment)]
pub struct OwnedPaymentView {
    #[schema(example = "2000000127")]
    account_number: String,
    #[schema(example = "Fjord Foto ApS")]
    company_name: String,
    #[serde(flatten)]
    payment: PaymentView,
}

impl OwnedPaymentView {
    pub fn of((traced, owner): (Traced, Owner), language: Language) -> Self {
        Self {
            account_number: owner.account_number,
            company_name: owner.company_name,
            payment: PaymentView::of(traced, language),
        }
    }
}

/// A page of payments of all accounts.
#[derive(Serialize, ToSchema)]
pub struct OwnedPaymentPage {
    pub items: Vec<OwnedPaymentView>,
    #[schema(required = true)]
    pub next_cursor: Option<String>,
}
