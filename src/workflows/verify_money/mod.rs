//! Whether the books of money are right: every equation of `repository/money_checks`, and what has to be read to be told. Nothing is repaired.

mod gaps;
mod lines;
mod papers;
mod statements;
mod terms;

use crate::error::Result;
use crate::repository::DbConn;
use crate::repository::money_checks::{Broken, CHECKS, first_broken};

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
    for found in [statements::first_broken, lines::first_broken] {
        if let Some((name, row)) = found(conn)? {
            return Ok(Verdict::Wrong(told(name, &row)));
        }
    }
    Ok(match papers::count(conn)? {
        Ok(invoices) => Verdict::Right {
            invoices,
            notes: gaps::find(conn)?,
        },
        Err((name, row)) => Verdict::Wrong(told(name, &row)),
    })
}

fn told(name: &str, row: &Broken) -> String {
    let Broken { id, says, comes_to } = row;
    format!("{name}: {id} says {says}, and it comes to {comes_to}")
}
