//! Whether the books of money are right: every equation of `repository/money_checks`, and that each invoice says what it adds up to. Nothing is repaired.

mod gaps;
mod statements;

use crate::domain::invoice::{InvoiceId, Totals};
use crate::error::Result;
use crate::repository::DbConn;
use crate::repository::invoices::{self, Invoice};
use crate::repository::money_checks::{Broken, CHECKS, first_broken};

/// How many invoices are read at once.
const PAGE: i64 = 500;

/// How a check of the books ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing is wrong in so many invoices and credit notes; what somebody may look at all the same, in words.
    Right { invoices: u64, notes: Vec<String> },
    /// The first wrong row of the first check that fails, in words.
    Wrong(String),
}

/// Recomputes every sum and stops at the first row that is wrong.
pub fn verify(conn: &mut DbConn) -> Result<Verdict> {
    for check in CHECKS {
        if let Some(row) = first_broken(conn, check)? {
            return Ok(Verdict::Wrong(told(check.name, &row)));
        }
    }
    if let Some((name, row)) = statements::first_broken(conn)? {
        return Ok(Verdict::Wrong(told(name, &row)));
    }
    let (mut count, mut after) = (0, None);
    loop {
        let page = invoices::after(conn, after, PAGE)?;
        for invoice in &page {
            if !adds_up(invoice)? {
                let row = Broken {
                    id: invoice.id.to_string(),
                    says: invoice.gross_cents.to_string(),
                    comes_to: "other lines or VAT".to_owned(),
                };
                let name = "M4: an invoice says what it adds up to";
                return Ok(Verdict::Wrong(told(name, &row)));
            }
            count += 1;
        }
        after = page.last().map(|last: &Invoice| -> InvoiceId { last.id });
        if after.is_none() {
            let notes = gaps::find(conn)?;
            return Ok(Verdict::Right {
                invoices: count,
                notes,
            });
        }
    }
}

fn told(name: &str, row: &Broken) -> String {
    let Broken { id, says, comes_to } = row;
    format!("{name}: {id} says {says}, and it comes to {comes_to}")
}

fn adds_up(invoice: &Invoice) -> Result<bool> {
    let totals = Totals {
        net: invoice.net_cents,
        vat: invoice.vat_cents,
        gross: invoice.gross_cents,
    };
    Ok(invoice.said()?.adds_up(invoice.kind, totals))
}
