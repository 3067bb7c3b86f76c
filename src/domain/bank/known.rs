//! What is known of a line that waits, as it is kept with it. What it comes out of is in `matching`.

use serde::{Deserialize, Serialize};

use super::BankEvidence;
use crate::domain::invoice::InvoiceId;

/// One thing that is known of a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clue {
    pub code: BankEvidence,
    /// What it is about: a reference, a number, by how many cents an amount differs as an amount.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}

/// All that is known of a line.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Known {
    pub clues: Vec<Clue>,
    /// Invoices that it may be for, the likeliest first.
    pub candidates: Vec<InvoiceId>,
}

impl Known {
    /// The most invoices that are named.
    pub const MOST_CANDIDATES: usize = 5;

    /// These, each once and no more than are named.
    pub fn new(clues: Vec<Clue>, invoices: impl IntoIterator<Item = InvoiceId>) -> Self {
        let mut candidates: Vec<InvoiceId> = Vec::new();
        for invoice in invoices {
            if candidates.len() < Self::MOST_CANDIDATES && !candidates.contains(&invoice) {
                candidates.push(invoice);
            }
        }
        Self { clues, candidates }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invoice_is_named_once_and_no_more_than_five() {
        let invoice = |n: u128| InvoiceId::from(uuid::Uuid::from_u128(n));
        let known = Known::new(Vec::new(), [1, 1, 2, 3, 4, 5, 6].map(invoice));
        assert_eq!(known.candidates, [1, 2, 3, 4, 5].map(invoice));
        let stored = serde_json::to_value(&known).unwrap();
        assert_eq!(serde_json::from_value::<Known>(stored).unwrap(), known);
    }
}
