//! What a line bears that may name an invoice or a refund. Whether there is such a one is looked up elsewhere.

use super::Line;
use crate::domain::invoice::{fi71_candidates, rf_candidates};
use crate::domain::payment::{RefundId, refunds_in};

/// What a line bears that may be a reference; it counts only where an invoice has it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct References {
    /// RF creditor references with right check digits.
    pub rf: Vec<String>,
    /// Identifications of Danish payment lines.
    pub fi71: Vec<String>,
    /// RF creditor references where the payer's bank keeps its own.
    pub end_to_end: Vec<String>,
    /// Refunds whose references stand anywhere in it.
    pub refunds: Vec<RefundId>,
    /// Something that was meant as a reference, right or wrong.
    pub is_meant: bool,
}

/// The references of a line: those of its own field, and where there is none those in its texts. Danish ones only for a seller with a creditor number.
pub fn references_in(line: &Line, creditor: Option<&str>) -> References {
    let texts = match &line.reference {
        Some(reference) => std::slice::from_ref(reference),
        None => line.texts.as_slice(),
    };
    let end_to_end = line.end_to_end_id.as_slice();
    References {
        rf: rf_candidates(texts),
        fi71: creditor.map_or_else(Vec::new, |creditor| fi71_candidates(texts, creditor)),
        end_to_end: rf_candidates(end_to_end),
        refunds: refunds_of(line),
        is_meant: line.reference.is_some() || looks_like_rf(texts),
    }
}

/// The refunds that a line names: whoever orders a transfer writes its reference where the bank has a place for it.
fn refunds_of(line: &Line) -> Vec<RefundId> {
    let mut found = refunds_in(line.reference.as_slice());
    found.extend(refunds_in(&line.texts));
    found.extend(refunds_in(line.end_to_end_id.as_slice()));
    found.sort();
    found.dedup();
    found
}

/// Whether a text has the beginning of an RF creditor reference and enough behind it, whatever its check digits.
fn looks_like_rf(texts: &[String]) -> bool {
    let written: String = texts.concat().to_uppercase();
    let written: Vec<char> = written.chars().filter(|c| c.is_alphanumeric()).collect();
    written.windows(9).any(|nine| match nine {
        ['R', 'F', first, second, ..] => first.is_ascii_digit() && second.is_ascii_digit(),
        _ => false,
    })
}

/// Words that may be the number of an invoice or of a member: looked up as a whole, never as a part of another.
pub fn numbers_in(texts: &[String]) -> Vec<String> {
    const MOST: usize = 20;
    let words = texts
        .iter()
        .flat_map(|text| text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-'));
    let digits = |word: &str| word.bytes().filter(u8::is_ascii_digit).count();
    let mut numbers: Vec<String> = words
        .map(|word| word.trim_matches('-').to_ascii_uppercase())
        .filter(|word| word.len() <= 40 && digits(word) >= 6)
        .collect();
    numbers.sort();
    numbers.dedup();
    numbers.truncate(MOST);
    numbers
}
