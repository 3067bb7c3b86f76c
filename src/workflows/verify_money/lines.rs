//! Whether the cents of every line of a bank statement are the amount that the bank wrote.

use rust_decimal::Decimal;

use crate::domain::bank::cents;
use crate::error::Result;
use crate::repository::bank_transactions as lines;
use crate::repository::{DbConn, money_checks::Broken};

/// How many lines are read at once.
const PAGE: i64 = 5000;

const AMOUNT: &str = "M9: a line counts what the bank wrote";

/// The first line that counts another amount.
pub(super) fn first_broken(conn: &mut DbConn) -> Result<Option<(&'static str, Broken)>> {
    let mut after = None;
    loop {
        let page = lines::amounts_after(conn, after, PAGE)?;
        for (id, counted, written) in &page {
            let amount = Decimal::from_str_exact(written).ok();
            if amount.map(cents) != Some(*counted) {
                let counted = counted.map(|cents| cents.to_string());
                let row = Broken {
                    id: id.to_string(),
                    says: counted.unwrap_or_else(|| "a fraction of a cent".to_owned()),
                    comes_to: written.clone(),
                };
                return Ok(Some((AMOUNT, row)));
            }
        }
        after = page.last().map(|(id, _, _)| *id);
        if after.is_none() {
            return Ok(None);
        }
    }
}
