//! Which invoices a line names by a reference, and which of them there are.

use std::collections::HashMap;

use super::rows;
use crate::domain::bank::{BankTransactionId, References, references_in};
use crate::domain::invoice::{InvoiceId, fi71_number};
use crate::error::Result;
use crate::repository::DbConn;
use crate::repository::bank_lookups::{self as lookups, Payable};
use crate::repository::bank_transactions::BankTransaction;
use crate::workflows::Context;

/// The invoices that a line names.
#[derive(Debug, Clone, Default)]
pub struct Named {
    pub references: References,
    /// Each of them once.
    pub invoices: Vec<InvoiceId>,
    /// By what stands where the payer's bank keeps its own.
    pub in_end_to_end: Vec<InvoiceId>,
}

/// What each line names, and the invoices that are named by any of them.
pub fn name_all(
    conn: &mut DbConn,
    context: &Context,
    waiting: &[BankTransaction],
) -> Result<(HashMap<BankTransactionId, Named>, Vec<Payable>)> {
    let creditor = context.programme.seller.fi_creditor.as_deref();
    let mut read = Vec::new();
    for row in waiting {
        read.push((row.id, references_in(&rows::line(row)?, creditor)));
    }
    let bears = |(_, one): &(_, References)| [one.rf.clone(), one.end_to_end.clone()].concat();
    let asked: Vec<String> = read.iter().flat_map(bears).collect();
    let mut found = lookups::bearing(conn, &asked)?;
    let by_reference: Ids = found
        .iter()
        .filter_map(|invoice| Some((invoice.payment_reference.clone()?, invoice.id)))
        .collect();
    let danish = read.iter().flat_map(|(_, one)| &one.fi71);
    let danish = on_danish_lines(conn, context, danish)?;
    let by_line: Ids = danish
        .iter()
        .map(|(line, one)| (line.clone(), one.id))
        .collect();
    found.extend(danish.into_iter().map(|(_, invoice)| invoice));
    let named = read
        .into_iter()
        .map(|(id, references)| (id, named(references, &by_reference, &by_line)));
    Ok((named.collect(), found))
}

/// Invoices, each behind what names it.
type Ids = HashMap<String, InvoiceId>;

fn named(references: References, by_reference: &Ids, by_line: &Ids) -> Named {
    let of = |asked: &[String], by: &Ids| -> Vec<InvoiceId> {
        asked
            .iter()
            .filter_map(|one| by.get(one).copied())
            .collect()
    };
    let mut invoices = of(&references.rf, by_reference);
    invoices.extend(of(&references.fi71, by_line));
    invoices.sort();
    invoices.dedup();
    let in_end_to_end = of(&references.end_to_end, by_reference);
    Named {
        references,
        invoices,
        in_end_to_end,
    }
}

/// The invoices with these Danish payment lines, each behind its own.
fn on_danish_lines<'a>(
    conn: &mut DbConn,
    context: &Context,
    lines: impl Iterator<Item = &'a String>,
) -> Result<Vec<(String, Payable)>> {
    let (key, mut found) = (context.programme.seller.key(), Vec::new());
    for line in lines {
        let invoice = fi71_number(line).map(|number| lookups::numbered(conn, &key, number));
        if let Some(invoice) = invoice.transpose()?.flatten() {
            found.push((line.clone(), invoice));
        }
    }
    Ok(found)
}
