//! A match as finance asks for it, judged with what the database knows: which invoices and accounts there are, and what is open. Making it is in `by_hand`.

use std::collections::BTreeMap;

use super::placed::Accounts;
use crate::domain::account::AccountId;
use crate::domain::bank::{StatementState, TransactionState};
use crate::domain::invoice::InvoiceId;
use crate::domain::money::{Amount, Money};
use crate::error::{Code, Error, Fault, FaultCode, Partial, Result};
use crate::repository::DbConn;
use crate::repository::bank_lookups::Payable;
use crate::repository::bank_statements as statements;
use crate::repository::bank_transactions::BankTransaction;

/// So much of a line is for this invoice; each is nothing where it could not be read.
#[derive(Debug, Clone, Copy, Default)]
pub struct WantedPlacing {
    pub invoice: Option<InvoiceId>,
    pub amount: Option<Money>,
}

/// Whose a line is, as far as that could be read.
#[derive(Debug, Clone, Default)]
pub struct WantedMatch {
    pub placings: Vec<WantedPlacing>,
    /// Whose the rest is; that of nobody where there is none.
    pub account: Option<AccountId>,
    pub reason: Option<String>,
}

impl WantedMatch {
    /// The invoices that are named.
    pub fn invoices(&self) -> Vec<InvoiceId> {
        self.placings.iter().filter_map(|one| one.invoice).collect()
    }
}

/// So much of a line is for this invoice.
#[derive(Debug, Clone, Copy)]
pub struct Placing {
    pub invoice: InvoiceId,
    pub amount: Money,
}

/// Whose a line is.
#[derive(Debug, Clone)]
pub struct Match {
    pub placings: Vec<Placing>,
    pub account: Option<AccountId>,
    pub reason: Option<String>,
}

/// The match that is wanted; else all that is wrong with it, what is named and not there included.
pub fn judged(
    wanted: Partial<WantedMatch>,
    accounts: &Accounts,
    invoices: &BTreeMap<InvoiceId, Payable>,
) -> Result<Match> {
    let Partial { read, mut faults } = wanted;
    for (at, one) in read.placings.iter().enumerate() {
        if one.invoice.is_some_and(|id| !invoices.contains_key(&id)) {
            let pointer = format!("#/allocations/{at}/invoice_id");
            faults.push(Fault::new(pointer, FaultCode::ReferenceUnknown));
        }
    }
    if read.account.is_some_and(|account| !accounts.has(account)) {
        faults.push(Fault::new("#/account_id", FaultCode::ReferenceUnknown));
    }
    let whole = |one: &WantedPlacing| {
        Some(Placing {
            invoice: one.invoice?,
            amount: one.amount?,
        })
    };
    let placings: Option<Vec<Placing>> = read.placings.iter().map(whole).collect();
    faults.judge(placings.map(|placings| Match {
        placings,
        account: read.account,
        reason: read.reason,
    }))
}

fn exceeded(invoice: &Payable) -> Error {
    let currency = invoice.currency.as_str();
    let open = format!("{} {currency}", Amount(invoice.open_cents));
    let refusal = Code::AmountExceedsInvoice.with("invoice_id", invoice.id);
    let refusal = refusal.with("number", &invoice.number);
    refusal.with("open", open).into()
}

/// The cents of a line that waits, where a match fits it and what its invoices have open.
pub fn check_amounts(
    conn: &mut DbConn,
    (line, wanted): (&BankTransaction, &Match),
    invoices: &BTreeMap<InvoiceId, Payable>,
) -> Result<i64> {
    let statement = statements::find(conn, line.statement_id)?;
    let is_ours = !matches!(
        statement.state,
        StatementState::Foreign | StatementState::Receiving
    );
    let cents = line.amount_cents.filter(|cents| *cents > 0);
    let waits = line.state == TransactionState::Open && is_ours;
    let cents = cents.filter(|_| waits).ok_or(Code::TransactionNotOpen)?;
    let mut left = i128::from(cents);
    for one in &wanted.placings {
        left -= i128::from(one.amount.cents);
        let Some(invoice) = invoices.get(&one.invoice) else {
            continue;
        };
        if one.amount.currency != line.currency || invoice.currency != line.currency {
            return Err(Code::CurrencyMismatch.into());
        }
        if one.amount.cents > invoice.open_cents {
            return Err(exceeded(invoice));
        }
    }
    match left < 0 {
        true => Err(Code::AmountExceedsTransaction.into()),
        false => Ok(cents),
    }
}
