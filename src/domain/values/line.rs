//! Text as people type it, in one line or in several: a name, a street, a reason.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde_with::DeserializeFromStr;
use unicode_general_category::{GeneralCategory, get_general_category};
use unicode_normalization::UnicodeNormalization;
use utoipa::openapi::schema::Type;
use utoipa::openapi::{ObjectBuilder, RefOr, Schema, SchemaFormat};
use utoipa::{PartialSchema, ToSchema};

use super::{BadValue, Value};
use crate::error::{Fault, FaultCode};

/// The `format` of a line's schema.
pub const LINE: &str = "line";
/// The `format` of the schema of several lines.
pub const TEXT: &str = "text";

const LINE_PATTERN: &str = r"^[^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f][^\x00-\x1f\x7f]*$";
const TEXT_PATTERN: &str = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*[^\s\x00-\x08\x0b\x0c\x0e-\x1f\x7f][^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$";

/// What is in a text and is not seen, or turns what is: control, format, line- and paragraph-separating characters (the general categories
/// Cc, Cf, Zl and Zp of Unicode), and noncharacters.
pub fn is_hidden(c: char) -> bool {
    let is_of_no_text = matches!(
        get_general_category(c),
        GeneralCategory::Control
            | GeneralCategory::Format
            | GeneralCategory::LineSeparator
            | GeneralCategory::ParagraphSeparator
    );
    is_of_no_text || is_noncharacter(c)
}

/// The 66 code points that never are a character (Unicode, section 23.7), of which XML forbids two.
fn is_noncharacter(c: char) -> bool {
    matches!(c, '\u{fdd0}'..='\u{fdef}') || u32::from(c) & 0xfffe == 0xfffe
}

/// Whether nothing in `text` is hidden.
pub fn is_line(text: &str) -> bool {
    !text.chars().any(is_hidden)
}

/// Whether nothing in `text` is hidden but tabs and the ends of its lines.
pub fn is_text(text: &str) -> bool {
    let is_layout = |c| matches!(c, '\t' | '\n' | '\r');
    !text.chars().any(|c| is_hidden(c) && !is_layout(c))
}

/// A line in its one form: NFC, single blanks, none around.
pub fn tidied_line(typed: &str) -> String {
    let normal: String = typed.nfc().collect();
    let words: Vec<&str> = normal.split_whitespace().collect();
    words.join(" ")
}

/// Several lines in their one form: each tidied, none empty before or behind the others.
pub fn tidied_text(typed: &str) -> String {
    let lines: Vec<String> = typed.lines().map(tidied_line).collect();
    lines.join("\n").trim().to_owned()
}

/// At most `MOST` characters, not only blanks and nothing hidden among them. It is kept in NFC, its blanks folded.
#[derive(Debug, Clone, PartialEq, Eq, DeserializeFromStr)]
pub struct Line<const MOST: usize>(String);

/// As a [`Line`], but several.
#[derive(Debug, Clone, PartialEq, Eq, DeserializeFromStr)]
pub struct Text<const MOST: usize>(String);

/// The codes are those of the schemas.
fn fault(pointer: String, typed: &str, most: usize) -> Fault {
    if typed.chars().count() > most {
        return Fault::new(pointer, FaultCode::TooLong).with("max", most);
    }
    Fault::new(pointer, FaultCode::Pattern)
}

/// Both are read, shown and described in the same way.
macro_rules! text_value {
    ($name:ident: $written:literal, $is_such:ident, $tidied:ident, $format:ident, $pattern:ident, $description:literal) => {
        impl<const MOST: usize> Value for $name<MOST> {
            const WRITTEN: &'static str = $written;

            fn fault(pointer: impl Into<String>, typed: &str) -> Fault {
                fault(pointer.into(), typed, MOST)
            }
        }

        impl<const MOST: usize> FromStr for $name<MOST> {
            type Err = BadValue;

            fn from_str(typed: &str) -> Result<Self, BadValue> {
                let fits = typed.chars().count() <= MOST && $is_such(typed);
                let tidied = $tidied(typed);
                (fits && !tidied.is_empty())
                    .then_some(Self(tidied))
                    .ok_or(BadValue(Self::WRITTEN))
            }
        }

        impl<const MOST: usize> From<$name<MOST>> for String {
            fn from(value: $name<MOST>) -> Self {
                value.0
            }
        }

        impl<const MOST: usize> fmt::Display for $name<MOST> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl<const MOST: usize> PartialSchema for $name<MOST> {
            fn schema() -> RefOr<Schema> {
                ObjectBuilder::new()
                    .schema_type(Type::String)
                    .format(Some(SchemaFormat::Custom($format.to_owned())))
                    .min_length(Some(1))
                    .max_length(Some(MOST))
                    .pattern(Some($pattern))
                    .description(Some($description))
                    .into()
            }
        }

        /// Another length is another type of the contract.
        impl<const MOST: usize> ToSchema for $name<MOST> {
            fn name() -> Cow<'static, str> {
                format!("{}{MOST}", stringify!($name)).into()
            }
        }
    };
}

text_value!(Line: "one line of text", is_line, tidied_line, LINE, LINE_PATTERN,
    "One line of text, not blank, without control, format and noncharacters. Blanks are folded.");
text_value!(Text: "text", is_text, tidied_text, TEXT, TEXT_PATTERN,
    "Text, not blank, without control, format and noncharacters but the ends of its lines. Blanks are folded.");

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Turned, joined, unseen: none of them shows.
    const HIDDEN: [char; 20] = [
        '\u{0}',
        '\t',
        '\u{7f}',
        '\u{85}',
        '\u{ad}',
        '\u{61c}',
        '\u{200b}',
        '\u{200d}',
        '\u{202e}',
        '\u{2028}',
        '\u{2029}',
        '\u{2066}',
        '\u{feff}',
        '\u{e0041}',
        '\u{fdd0}',
        '\u{fdef}',
        '\u{fffe}',
        '\u{ffff}',
        '\u{1fffe}',
        '\u{10ffff}',
    ];

    #[test]
    fn nothing_hidden_stands_in_a_line() {
        for c in HIDDEN {
            let typed = format!("Nordlys{c} Foto");
            assert!(typed.parse::<Line<40>>().is_err(), "{c:?}");
            let in_text = c == '\t';
            assert_eq!(typed.parse::<Text<40>>().is_ok(), in_text, "{c:?}");
        }
        let two = "first  line\r\n second\tline \n\n".parse::<Text<40>>();
        assert_eq!(two.unwrap().to_string(), "first line\nsecond line");
        assert!("one\ntwo".parse::<Line<40>>().is_err());
    }

    #[test]
    fn what_stands_beside_a_noncharacter_is_seen() {
        let typed = "\u{fdcf}\u{fdf0}\u{fffd}\u{10000}";
        assert!(is_line(typed) && is_text(typed));
    }

    #[test]
    fn a_line_has_one_form() {
        for typed in [
            "Bla\u{30a}b\u{e6}r  Foto\u{a0}ApS",
            " Bl\u{e5}b\u{e6}r Foto\u{3000} ApS ",
        ] {
            let line: Line<40> = typed.parse().unwrap();
            assert_eq!(line.to_string(), "Bl\u{e5}b\u{e6}r Foto ApS");
        }
    }

    #[test]
    fn a_fault_says_what_is_wrong() {
        let code = |typed: &str| Line::<5>::fault("#/dealer", typed).code;
        assert_eq!(code("Foto Nord"), FaultCode::TooLong);
        assert_eq!(code("a\nb"), FaultCode::Pattern);
    }

    proptest! {
        #[test]
        fn what_the_schema_accepts_is_what_is_read(typed in "[ a\u{e6}\u{85}\u{a0}\u{200b}\t\n\u{7f}\u{fffe}\u{fffd}]{0,12}|\\PC{0,12}") {
            let accepts = |pattern: &str, format: fn(&str) -> bool| {
                let matches = regex::Regex::new(pattern).unwrap().is_match(&typed);
                matches && format(&typed) && (1..=8).contains(&typed.chars().count())
            };
            let line = typed.parse::<Line<8>>();
            prop_assert_eq!(line.is_ok(), accepts(LINE_PATTERN, is_line), "{:?}", typed);
            let text = typed.parse::<Text<8>>();
            prop_assert_eq!(text.is_ok(), accepts(TEXT_PATTERN, is_text), "{:?}", typed);
            if let Ok(line) = line {
                prop_assert_eq!(tidied_line(&line.to_string()), line.to_string());
            }
            if let Ok(text) = text {
                prop_assert_eq!(tidied_text(&text.to_string()), text.to_string());
            }
        }
    }
}
