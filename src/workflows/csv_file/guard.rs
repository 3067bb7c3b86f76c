//! Cells that a spreadsheet would take for formulas: written so that it does not, and read again as they were.

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

/// A cell of a file that we wrote, without its guards.
pub fn unguarded(cell: &str) -> String {
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
