//! Invoices across accounts, as staff look for them. Those of one account are in `invoices`.

use chrono::NaiveDate;
use diesel::prelude::*;

use super::like::containing;
use super::schema::{accounts, invoices};
use super::{DbConn, MultiBackend};
use crate::domain::account::AccountId;
use crate::domain::invoice::{InvoiceId, InvoiceKind, InvoiceStatus};
use crate::domain::money::Currency;
use crate::domain::values::tidied_line;
use crate::error::Result;

/// What a list says of an invoice or credit note.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = invoices, check_for_backend(MultiBackend))]
pub struct FoundInvoice {
    pub id: InvoiceId,
    pub account_id: AccountId,
    pub kind: InvoiceKind,
    pub number: String,
    pub status: InvoiceStatus,
    pub issued_date: NaiveDate,
    pub due_date: Option<NaiveDate>,
    pub collect_from: Option<NaiveDate>,
    pub currency: Currency,
    pub gross_cents: i64,
    pub open_cents: i64,
    pub payment_reference: Option<String>,
}

/// Whose it is, by its number and its name.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = accounts, check_for_backend(MultiBackend))]
pub struct Owner {
    pub account_number: String,
    pub company_name: String,
}

/// What staff look for among the invoices.
#[derive(Debug, Clone, Default)]
pub struct InvoiceSearch {
    /// A whole number or payment reference, or a part of the company's name.
    pub text: Option<String>,
    pub status: Option<InvoiceStatus>,
    /// Only what should have been paid before this day.
    pub overdue_on: Option<NaiveDate>,
    pub before: Option<InvoiceId>,
    pub limit: i64,
}

/// How a number may be kept that is typed so: with its blanks or without, in capitals, in small letters or as typed.
fn numbers(typed: &str) -> [String; 6] {
    let whole = tidied_line(typed);
    let bare: String = whole.split_whitespace().collect();
    let (upper, lower) = (whole.to_uppercase(), whole.to_lowercase());
    let (bare_upper, bare_lower) = (bare.to_uppercase(), bare.to_lowercase());
    [whole, upper, lower, bare, bare_upper, bare_lower]
}

/// The invoices and credit notes that match, newest first.
pub fn search(conn: &mut DbConn, search: &InvoiceSearch) -> Result<Vec<(FoundInvoice, Owner)>> {
    let mut query = invoices::table
        .inner_join(accounts::table)
        .select((FoundInvoice::as_select(), Owner::as_select()))
        .into_boxed();
    if let Some(text) = &search.text {
        let reference: String = text.split_whitespace().collect();
        let reference = reference.to_uppercase();
        query = query.filter(
            accounts::company_key
                .like(containing(text))
                .escape('\\')
                .or(invoices::number.eq_any(numbers(text)))
                .or(invoices::payment_reference.eq(reference).assume_not_null()),
        );
    }
    if let Some(status) = search.status {
        query = query.filter(invoices::status.eq(status));
    }
    if let Some(today) = search.overdue_on {
        query = query
            .filter(invoices::status.eq(InvoiceStatus::Open))
            .filter(invoices::collect_from.lt(today));
    }
    if let Some(before) = search.before {
        query = query.filter(invoices::id.lt(before));
    }
    Ok(query
        .order(invoices::id.desc())
        .limit(search.limit)
        .load(conn)?)
}
