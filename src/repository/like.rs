//! Patterns of SQL's LIKE.

use crate::domain::values::tidied_line;

/// What a text matches that contains this one, tidied as lines are that are kept, in lower case; a backslash escapes what would stand for anything.
pub fn containing(text: &str) -> String {
    let escaped = tidied_line(text)
        .replace('\\', "\\\\")
        .replace('%', "\\%")
        .replace('_', "\\_");
    format!("%{}%", escaped.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sought_has_the_form_of_what_is_kept() {
        for typed in [" Bla\u{30a}b\u{e6}r  Foto", "BL\u{c5}B\u{c6}R Foto "] {
            assert_eq!(containing(typed), "%bl\u{e5}b\u{e6}r foto%");
        }
        assert_eq!(containing("50 %_"), "%50 \\%\\_%");
    }
}
