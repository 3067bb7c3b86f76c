//! Looking up whose a line of a bank statement may be: by reference, amount, number and payer. The lines themselves are in `bank_transactions`.

use diesel::prelude::*;

use super::bank_transactions::BankTransaction;
use super::schema::{accounts, bank_transactions as lines, invoices, member_numbers, payments};
use super::{DbConn, MultiBackend};
use crate::domain::account::AccountId;
use crate::domain::bank::{InvoiceFacts, TransactionState};
use crate::domain::invoice::{InvoiceId, InvoiceKind, InvoiceStatus};
use crate::domain::money::Currency;
use crate::domain::values::tidied_line;
use crate::error::Result;

/// The most that one look-up yields.
const MOST: i64 = 20;
/// The most lines of one amount among which a reversal finds its own: a bank takes back what is weeks old, not years.
const MOST_STANDING: i64 = 5000;

/// An invoice that money may be for.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = invoices, check_for_backend(MultiBackend))]
pub struct Payable {
    pub id: InvoiceId,
    pub account_id: AccountId,
    pub number: String,
    pub payment_reference: Option<String>,
    pub year: i64,
    pub seq: i64,
    pub status: InvoiceStatus,
    pub open_cents: i64,
    pub currency: Currency,
}

impl Payable {
    /// What a decision needs of it.
    pub fn facts(&self) -> InvoiceFacts {
        InvoiceFacts {
            status: self.status,
            open_cents: self.open_cents,
            currency: self.currency,
        }
    }
}

/// The invoices that bear these references.
pub fn bearing(conn: &mut DbConn, references: &[String]) -> Result<Vec<Payable>> {
    let bearing = invoices::table
        .filter(invoices::payment_reference.eq_any(references))
        .filter(invoices::kind.eq(InvoiceKind::Invoice));
    Ok(bearing.select(Payable::as_select()).load(conn)?)
}

/// The invoice of a seller with this place in a year; only such a one in kroner has a Danish payment line.
pub fn numbered(
    conn: &mut DbConn,
    seller_key: &str,
    (year, seq): (i32, i64),
) -> Result<Option<Payable>> {
    let numbered = invoices::table
        .filter(invoices::seller_key.eq(seller_key))
        .filter(invoices::year.eq(i64::from(year)))
        .filter(invoices::seq.eq(seq))
        .filter(invoices::kind.eq(InvoiceKind::Invoice))
        .filter(invoices::currency.eq(Currency::DKK));
    Ok(numbered
        .select(Payable::as_select())
        .first(conn)
        .optional()?)
}

/// These invoices, by their ids.
pub fn payable(conn: &mut DbConn, ids: &[InvoiceId]) -> Result<Vec<Payable>> {
    let of_ids = invoices::table
        .filter(invoices::id.eq_any(ids))
        .filter(invoices::kind.eq(InvoiceKind::Invoice));
    Ok(of_ids
        .order(invoices::id)
        .select(Payable::as_select())
        .load(conn)?)
}

/// Open invoices with exactly so much open, oldest first.
pub fn with_open(conn: &mut DbConn, cents: i64, currency: Currency) -> Result<Vec<Payable>> {
    let open = invoices::table
        .filter(invoices::status.eq(InvoiceStatus::Open))
        .filter(invoices::kind.eq(InvoiceKind::Invoice))
        .filter(invoices::open_cents.eq(cents))
        .filter(invoices::currency.eq(currency));
    Ok(open
        .order(invoices::id)
        .limit(MOST)
        .select(Payable::as_select())
        .load(conn)?)
}

/// The invoices with these numbers.
pub fn with_numbers(conn: &mut DbConn, numbers: &[String]) -> Result<Vec<Payable>> {
    let with = invoices::table
        .filter(invoices::number.eq_any(numbers))
        .filter(invoices::kind.eq(InvoiceKind::Invoice));
    Ok(with.limit(MOST).select(Payable::as_select()).load(conn)?)
}

/// The open invoices of these accounts, oldest first.
pub fn open_of(conn: &mut DbConn, accounts: &[AccountId]) -> Result<Vec<Payable>> {
    let open = invoices::table
        .filter(invoices::account_id.eq_any(accounts))
        .filter(invoices::status.eq(InvoiceStatus::Open))
        .filter(invoices::kind.eq(InvoiceKind::Invoice));
    Ok(open
        .order(invoices::id)
        .limit(MOST)
        .select(Payable::as_select())
        .load(conn)?)
}

/// The accounts that these member numbers lead to, each behind its number.
pub fn members(conn: &mut DbConn, numbers: &[String]) -> Result<Vec<(String, AccountId)>> {
    let of_numbers = member_numbers::table
        .filter(member_numbers::number_key.eq_any(numbers))
        .select((member_numbers::number, member_numbers::account_id))
        .limit(MOST);
    let found: Vec<(String, Option<AccountId>)> = of_numbers.load(conn)?;
    let taken = found.into_iter();
    Ok(taken
        .filter_map(|(number, account)| Some((number, account?)))
        .collect())
}

/// The accounts that money from a bank account was for before.
pub fn paid_from(conn: &mut DbConn, payer_account: &str) -> Result<Vec<AccountId>> {
    Ok(payments::table
        .inner_join(lines::table)
        .filter(lines::payer_account.eq(payer_account))
        .filter(payments::taken_back_at.is_null())
        .select(payments::account_id)
        .distinct()
        .limit(MOST)
        .load(conn)?)
}

/// The accounts of companies with this name, whatever its case.
pub fn named(conn: &mut DbConn, name: &str) -> Result<Vec<AccountId>> {
    Ok(accounts::table
        .filter(accounts::company_key.eq(tidied_line(name).to_lowercase()))
        .order(accounts::id)
        .limit(MOST)
        .select(accounts::id)
        .load(conn)?)
}

/// The lines of an account of so much money that stand, the youngest first: a reversal takes one of them back.
pub fn standing(conn: &mut DbConn, account: &str, cents: i64) -> Result<Vec<BankTransaction>> {
    let standing = lines::table
        .filter(lines::account.eq(account))
        .filter(lines::amount_cents.eq(cents))
        .filter(lines::is_reversal.eq(false))
        .filter(lines::state.eq_any([TransactionState::Open, TransactionState::Matched]));
    Ok(standing
        .order(lines::id.desc())
        .limit(MOST_STANDING)
        .select(BankTransaction::as_select())
        .load(conn)?)
}
