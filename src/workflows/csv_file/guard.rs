//! Cells that a spreadsheet would take for formulas: written so that it does not, and read again as they were.

use super::Spreadsheet;
use crate::domain::money::Amount;

const FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];
/// A spreadsheet of another country splits cells where ours do not end.
const SEPARATORS: [char; 2] = [',', ';'];

/// A cell of a file that we write: no spreadsheet takes it, or what stands behind a separator in it, for a formula.
pub fn guarded(text: &str) -> String {
    let parts = parts(text).map(|part| match is_formula(part) {
        true => format!("'{part}"),
        false => part.to_owned(),
    });
    parts.collect()
}

/// A cell of a file for the program that reads it. Excel would take what looks like a number or a date for one: drop the zeros before it, round it, and write
/// it another way when the file is saved. So it gets a formula that is the text.
pub fn cell(text: &str, reader: Option<Spreadsheet>) -> String {
    match reader {
        Some(Spreadsheet::Excel) if looks_like_a_number(text) => format!("=\"{text}\""),
        _ => guarded(text),
    }
}

/// Cents as a number that the program adds up: it is ours, so it needs no guard.
pub fn amount(cents: i64, reader: Option<Spreadsheet>) -> String {
    let text = Amount(cents).to_string();
    match reader {
        Some(Spreadsheet::Excel) => text.replace('.', ","),
        None => text,
    }
}

/// Numbers, dates, times and what is written with an exponent.
fn looks_like_a_number(text: &str) -> bool {
    let is_part = |c: char| c.is_ascii_digit() || " .:/-+eE".contains(c);
    text.starts_with(|c: char| c.is_ascii_digit()) && text.chars().all(is_part)
}

/// A cell of a file that we wrote, without its guards.
pub fn unguarded(cell: &str) -> String {
    let formula = cell
        .strip_prefix("=\"")
        .and_then(|rest| rest.strip_suffix('"'));
    if let Some(text) = formula.filter(|text| looks_like_a_number(text)) {
        return text.to_owned();
    }
    let parts = parts(cell).map(|part| match part.strip_prefix('\'') {
        Some(bare) if is_formula(bare) => bare,
        _ => part,
    });
    parts.collect()
}

/// The pieces that a spreadsheet may make of a cell, each with the separator that ends it.
fn parts(text: &str) -> impl Iterator<Item = &str> {
    text.split_inclusive(SEPARATORS)
}

/// Whether it begins like a formula, also behind what a reader of CSV or our guard puts there.
fn is_formula(part: &str) -> bool {
    let between = |c| matches!(c, ' ' | '"' | '\'');
    part.trim_start_matches(between).starts_with(FORMULA)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_formula_is_guarded_for_both_separators() {
        for (text, written) in [
            ("=1+1", "'=1+1"),
            ("Foto;=1+1", "Foto;'=1+1"),
            ("Foto,=1+1", "Foto,'=1+1"),
            ("Foto; \"=1+1", "Foto;' \"=1+1"),
            ("'=1+1", "''=1+1"),
            ("@a;-b;+c", "'@a;'-b;'+c"),
            ("Foto Nord", "Foto Nord"),
            ("'s Foto; Nord", "'s Foto; Nord"),
        ] {
            assert_eq!(guarded(text), written);
            assert_eq!(unguarded(written), text);
        }
    }

    #[test]
    fn what_excel_would_take_for_a_number_is_a_text() {
        let excel = Some(Spreadsheet::Excel);
        for text in ["013021004711", "2026-11-20", "1E5", "4549292160123", "7"] {
            let written = cell(text, excel);
            assert_eq!(written, format!("=\"{text}\""));
            assert_eq!(unguarded(&written), text);
            assert_eq!(cell(text, None), text);
        }
        for text in ["F-1001", "EOS R6", "", "-12", "=1+1", "1;=1+1"] {
            assert_eq!(cell(text, excel), guarded(text));
        }
        assert_eq!(unguarded("=\"1\"&A1"), "=\"1\"&A1");
    }

    #[test]
    fn an_amount_is_a_number_for_whoever_reads_it() {
        assert_eq!(amount(-123_450, None), "-1234.50");
        assert_eq!(amount(-123_450, Some(Spreadsheet::Excel)), "-1234,50");
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(text in "[a=+@;,'\" -]{0,12}|\\PC{0,12}") {
            let written = guarded(&text);
            for piece in written.split(SEPARATORS) {
                prop_assert!(!piece.trim_start_matches([' ', '"']).starts_with(FORMULA), "{}", written);
            }
            prop_assert_eq!(unguarded(&written), text);
        }
    }
}
