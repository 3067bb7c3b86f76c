//! Whether each invoice and credit note says what it adds up to, under the number that its seller gave it, and asks for what its purchase costs.

use std::collections::HashMap;

use super::terms::kept;
use crate::domain::invoice::v2::{self, Content, LineKind};
use crate::domain::invoice::{InvoiceId, InvoiceKind, invoice_number};
use crate::domain::purchase::{PurchaseId, SellerTermsId};
use crate::error::Result;
use crate::programme::SellerTerms;
use crate::repository::invoices::{self, Invoice};
use crate::repository::money_checks::{self, Broken};
use crate::repository::{DbConn, purchases};

/// How many invoices are read at once.
const PAGE: i64 = 500;

const READ: &str = "M4: what an invoice says can be read";
const SUMS: &str = "M4: an invoice says what it adds up to";
const PRICE: &str = "M4: an invoice asks for what its purchase costs";
const NUMBER: &str = "M7: a number is made of its seller's prefix, its year and its place in it";

/// A row and what it breaks.
type Fault = (&'static str, Broken);

/// How many there are, or the first that is wrong.
pub(super) fn count(conn: &mut DbConn) -> Result<std::result::Result<u64, Fault>> {
    let terms = match kept(conn)? {
        Ok(terms) => terms,
        Err(fault) => return Ok(Err(fault)),
    };
    let (mut count, mut after) = (0, None);
    loop {
        let page = match page(conn, after)? {
            Ok(page) => page,
            Err(row) => return Ok(Err((READ, row))),
        };
        let bought: Vec<PurchaseId> = page.iter().filter_map(|one| one.purchase_id).collect();
        let prices = purchases::prices(conn, &bought)?;
        for invoice in &page {
            if let Some(fault) = fault(invoice, &terms, &prices) {
                return Ok(Err(fault));
            }
            count += 1;
        }
        after = page.last().map(|last| last.id);
        if after.is_none() {
            return Ok(Ok(count));
        }
    }
}

/// The invoices behind `after`, or the first that cannot be read.
fn page(
    conn: &mut DbConn,
    after: Option<InvoiceId>,
) -> Result<std::result::Result<Vec<Invoice>, Broken>> {
    let page = invoices::after(conn, after, PAGE);
    if !page.as_ref().is_err_and(|cause| cause.is_unreadable()) {
        return page.map(Ok);
    }
    let mut before = after;
    for id in money_checks::invoice_ids(conn, after, PAGE)? {
        if let Err(cause) = invoices::after(conn, before, 1) {
            return match cause.is_unreadable() {
                true => Ok(Err(Broken::unreadable(id))),
                false => Err(cause),
            };
        }
        before = Some(id);
    }
    page.map(Ok)
}

fn fault(
    invoice: &Invoice,
    terms: &HashMap<SellerTermsId, SellerTerms>,
    prices: &HashMap<PurchaseId, i64>,
) -> Option<Fault> {
    let Ok(said) = invoice.said() else {
        return Some((READ, Broken::unreadable(invoice.id)));
    };
    let broken = |name: &'static str, says: &dyn ToString, comes_to: &dyn ToString| {
        let row = Broken {
            id: invoice.id.to_string(),
            says: says.to_string(),
            comes_to: comes_to.to_string(),
        };
        Some((name, row))
    };
    if !said.adds_up(invoice.kind, invoice.totals()) {
        return broken(SUMS, &invoice.gross_cents, &"other lines or VAT");
    }
    let terms = invoice.seller_terms_id.and_then(|id| terms.get(&id));
    if let Some(number) = terms.and_then(|terms| other_number(invoice, terms)) {
        return broken(NUMBER, &invoice.number, &number);
    }
    let price = invoice.purchase_id.and_then(|id| prices.get(&id));
    let asked = bought(&said);
    match price.filter(|price| invoice.kind == InvoiceKind::Invoice && asked != Some(**price)) {
        Some(price) => broken(PRICE, &invoice.net_cents, price),
        None => None,
    }
}

/// The number that an invoice must have, where it has another. One of before purchases were recorded may have been given out under an earlier prefix; where the
/// seller is not that of the terms, the gap in its numbers tells.
fn other_number(invoice: &Invoice, terms: &SellerTerms) -> Option<String> {
    let prefix = terms.invoice.prefix.as_str();
    let year = i32::try_from(invoice.year).unwrap_or_default();
    let own = invoice_number(prefix, year, invoice.seq);
    let bare = invoice_number("", year, invoice.seq);
    let is_right = match invoice.content_version {
        v2::VERSION => invoice.number == own,
        _ => invoice.number.ends_with(&bare),
    };
    (terms.seller.key() == invoice.seller_key && !is_right).then_some(own)
}

/// What the lines come to that are about what was bought.
fn bought(said: &Content) -> Option<i64> {
    let is_bought = |kind| matches!(kind, LineKind::Membership | LineKind::Upgrade);
    let lines = said.lines.iter().filter(|line| is_bought(line.kind));
    let mut cents = lines.map(|line| line.net_cents);
    cents.try_fold(0i64, |sum, cents| sum.checked_add(cents))
}
