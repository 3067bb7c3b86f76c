//! What is seen of a line: what its bank says, what is known of it, and what became of it.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::account::AccountId;
use crate::domain::bank::{
    BankEvidence, BankStatementId, BankTransactionId, Clue, Known, TransactionState,
};
use crate::domain::invoice::{InvoiceId, InvoiceStatus, PaymentId};
use crate::domain::language::Language;
use crate::domain::money::{Currency, Money};
use crate::error::Result;
use crate::handlers::labels::label;
use crate::repository::DbConn;
use crate::repository::allocations::{self, Allocation};
use crate::repository::bank_lookups::{self as lookups, Payable};
use crate::repository::bank_transactions::BankTransaction;
use crate::repository::payments::{self, Payment};
use crate::types::Instant;

/// The most payments of a line, and the most that was ever placed of one, that are shown.
const MOST: i64 = 200;

/// A line with what belongs to it.
#[derive(Clone)]
pub struct Shown {
    pub row: BankTransaction,
    known: Known,
    candidates: Vec<Payable>,
    payments: Vec<(Payment, Vec<Allocation>)>,
}

/// Loads what belongs to lines.
pub fn load(conn: &mut DbConn, rows: Vec<BankTransaction>) -> Result<Vec<Shown>> {
    let known = rows.iter().map(|row| Ok(row.evidence.decode()?));
    let known = known.collect::<Result<Vec<Known>>>()?;
    let asked = known.iter().flat_map(|known| known.candidates.clone());
    let asked = InvoiceId::asked(asked.collect());
    let invoices = lookups::payable(conn, &asked)?;
    let invoices: BTreeMap<InvoiceId, Payable> =
        invoices.into_iter().map(|one| (one.id, one)).collect();
    let mut shown = Vec::new();
    for (row, known) in rows.into_iter().zip(known) {
        let candidates = known.candidates.iter();
        let candidates = candidates.filter_map(|id| invoices.get(id).cloned());
        let candidates = match row.state {
            TransactionState::Open => candidates.collect(),
            _ => Vec::new(),
        };
        let payments = match row.state {
            TransactionState::Matched => made_of(conn, row.id)?,
            _ => Vec::new(),
        };
        shown.push(Shown {
            row,
            known,
            candidates,
            payments,
        });
    }
    Ok(shown)
}

fn made_of(conn: &mut DbConn, line: BankTransactionId) -> Result<Vec<(Payment, Vec<Allocation>)>> {
    let mut made = Vec::new();
    for payment in payments::of_line(conn, line, MOST)? {
        let placed = allocations::of_payment(conn, payment.id, MOST)?;
        made.push((payment, allocations::standing(placed)));
    }
    Ok(made)
}

impl Shown {
    /// A line with what belongs to it.
    pub fn of(conn: &mut DbConn, row: BankTransaction) -> Result<Self> {
        let mut shown = load(conn, vec![row])?;
        let nothing = crate::error::Error::internal("reading a line");
        shown.pop().ok_or_else(|| nothing("there is none"))
    }

    /// In the words of a language.
    pub fn view(self, language: Language) -> Result<BankTransactionView> {
        let row = self.row;
        let amount = row
            .amount_cents
            .map(|cents| Money::new(cents, row.currency));
        let clues = self.known.clues.into_iter();
        let candidates = self.candidates.iter();
        Ok(BankTransactionView {
            id: row.id,
            statement_id: row.statement_id,
            account: row.account,
            state: row.state,
            label: label("bank_transaction_states", row.state, language),
            amount,
            exact_amount: row.amount_text,
            currency: row.currency,
            booking_date: row.booking_date,
            value_date: row.value_date,
            bank_reference: row.bank_reference,
            end_to_end_id: row.end_to_end_id,
            reference: row.reference,
            texts: row.texts.decode()?,
            payer_name: row.payer_name,
            payer_account: row.payer_account,
            is_reversal: row.is_reversal,
            evidence: clues.map(|clue| EvidenceView::of(clue, language)).collect(),
            candidates: candidates.map(|one| Candidate::of(one, language)).collect(),
            payments: self.payments.into_iter().map(LinePayment::of).collect(),
            reason: row.reason,
            created_at: row.created_at,
            version: row.version,
        })
    }
}

/// Something that is known of a line.
#[derive(Serialize, ToSchema)]
#[schema(as = BankClue)]
struct EvidenceView {
    code: BankEvidence,
    label: String,
    /// What it is about: a reference, a number, how much is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    value: Option<String>,
}

impl EvidenceView {
    fn of(clue: Clue, language: Language) -> Self {
        Self {
            code: clue.code,
            label: label("bank_evidence", clue.code, language),
            value: clue.value,
        }
    }
}

/// An invoice that a line may be for, as it stands now.
#[derive(Serialize, ToSchema)]
#[schema(as = CandidateInvoice)]
struct Candidate {
    invoice_id: InvoiceId,
    account_id: AccountId,
    number: String,
    status: InvoiceStatus,
    /// In the caller's language.
    label: String,
    open: Money,
}

impl Candidate {
    fn of(invoice: &Payable, language: Language) -> Self {
        Self {
            invoice_id: invoice.id,
            account_id: invoice.account_id,
            number: invoice.number.clone(),
            status: invoice.status,
            label: label("invoice_statuses", invoice.status, language),
            open: Money::new(invoice.open_cents, invoice.currency),
        }
    }
}

/// So much was placed on an invoice.
#[derive(Serialize, ToSchema)]
struct PlacedOnInvoice {
    invoice_id: InvoiceId,
    amount: Money,
}

/// A payment that was made of a line.
#[derive(Serialize, ToSchema)]
struct LinePayment {
    id: PaymentId,
    account_id: AccountId,
    amount: Money,
    /// Neither on an invoice nor given back.
    open: Money,
    allocations: Vec<PlacedOnInvoice>,
}

impl LinePayment {
    fn of((payment, placed): (Payment, Vec<Allocation>)) -> Self {
        let money = |cents| Money::new(cents, payment.currency);
        let placed = placed.iter().map(|one| PlacedOnInvoice {
            invoice_id: one.invoice_id,
            amount: money(one.amount_cents),
        });
        Self {
            id: payment.id,
            account_id: payment.account_id,
            amount: money(payment.amount_cents),
            open: money(payment.open_cents),
            allocations: placed.collect(),
        }
    }
}

/// A line of a bank statement.
#[derive(Serialize, ToSchema)]
#[schema(as = BankTransaction)]
pub struct BankTransactionView {
    id: BankTransactionId,
    statement_id: BankStatementId,
    /// The account that it changed.
    account: String,
    state: TransactionState,
    label: String,
    /// Negative where it went out; none where it has a fraction of a cent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    amount: Option<Money>,
    /// As exact as the bank writes it.
    #[schema(example = "351")]
    exact_amount: String,
    currency: Currency,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    booking_date: Option<NaiveDate>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    value_date: Option<NaiveDate>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    bank_reference: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    end_to_end_id: Option<String>,
    /// What stands in the field for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    reference: Option<String>,
    /// What the payer wrote.
    texts: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    payer_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    payer_account: Option<String>,
    is_reversal: bool,
    evidence: Vec<EvidenceView>,
    /// Of a line that waits, the likeliest first.
    #[schema(max_items = 5)]
    candidates: Vec<Candidate>,
    payments: Vec<LinePayment>,
    /// Why somebody matched it, took that back or put it aside.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    reason: Option<String>,
    created_at: Instant,
    #[schema(minimum = 1)]
    version: i64,
}

/// A page of lines.
#[derive(Serialize, ToSchema)]
pub struct BankTransactionPage {
    pub items: Vec<BankTransactionView>,
    #[schema(required = true)]
    pub next_cursor: Option<String>,
}
