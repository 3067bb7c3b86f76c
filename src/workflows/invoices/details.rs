//! Invoices with what settles and corrects them, as people read them. Nothing is changed here.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use crate::domain::calendar::local_date;
use crate::domain::invoice::v2::Content;
use crate::domain::invoice::{InvoiceId, issued};
use crate::domain::purchase::SellerTermsId;
use crate::error::Result;
use crate::programme::SellerTerms;
use crate::repository::allocations::{self, Allocation, standing};
use crate::repository::invoices::{self, Invoice};
use crate::repository::{DbConn, seller_terms};
use crate::workflows::Context;

/// An invoice or credit note with what belongs to it.
#[derive(Debug, Clone)]
pub struct Details {
    pub invoice: Invoice,
    pub content: Content,
    pub is_overdue: bool,
    /// What still stands of what was placed on it, oldest first.
    pub allocations: Vec<Allocation>,
    /// Those that correct it, oldest first.
    pub credit_notes: Vec<Invoice>,
}

/// These invoices with what belongs to them, in their order: three statements more, however many they are.
pub fn details(conn: &mut DbConn, context: &Context, rows: Vec<Invoice>) -> Result<Vec<Details>> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<InvoiceId> = rows.iter().map(|invoice| invoice.id).collect();
    let mut allocations = standing(allocations::of_invoices(conn, &ids)?);
    let mut credit_notes = invoices::credit_notes(conn, &ids)?;
    let todays = todays(conn, context, &rows)?;
    let (here, _) = issued(context.now, context.programme.seller.zone);
    let with = |invoice: Invoice| {
        let terms = invoice.seller_terms_id;
        let today = terms.and_then(|terms| todays.get(&terms)).unwrap_or(&here);
        let placed = allocations.extract_if(.., |one| one.invoice_id == invoice.id);
        let placed = placed.collect();
        let corrects = |note: &mut Invoice| note.corrects_id == Some(invoice.id);
        Ok(Details {
            content: invoice.said()?,
            is_overdue: invoice.is_overdue(*today),
            allocations: placed,
            credit_notes: credit_notes.extract_if(.., corrects).collect(),
            invoice,
        })
    };
    rows.into_iter().map(with).collect()
}

/// One invoice with what belongs to it.
pub fn details_of(conn: &mut DbConn, context: &Context, invoice: Invoice) -> Result<Details> {
    let mut all = details(conn, context, vec![invoice])?;
    all.pop().ok_or_else(|| crate::error::Code::NotFound.into())
}

/// Which day it is where each seller is.
fn todays(
    conn: &mut DbConn,
    context: &Context,
    rows: &[Invoice],
) -> Result<BTreeMap<SellerTermsId, NaiveDate>> {
    let mut ids: Vec<SellerTermsId> = rows.iter().filter_map(|one| one.seller_terms_id).collect();
    ids.sort_unstable();
    ids.dedup();
    let all = seller_terms::all(conn, &ids)?;
    let today = |terms: seller_terms::SellerTerms| {
        let read: SellerTerms = terms.content.decode()?;
        Ok((terms.id, local_date(context.now, read.seller.zone)))
    };
    all.into_iter().map(today).collect()
}
