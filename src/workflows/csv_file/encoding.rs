//! Which characters the bytes of a CSV file are: UTF-8, or Windows-1252 as spreadsheets in Western Europe write it.

use crate::types::text_enum;

text_enum! {
    /// How a file was read.
    pub enum Encoding {
        /// UTF-8.
        Utf8 = "utf-8",
        /// Windows-1252.
        Windows1252 = "windows-1252",
    }
}

/// A file as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decoded {
    pub text: String,
    pub encoding: Encoding,
}

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
/// What Windows-1252 has for the bytes 80 to 9F; a blank for those that stand for nothing.
const HIGH: &str = "€ ‚ƒ„…†‡ˆ‰Š‹Œ Ž  ‘’“”•–—˜™š›œ žŸ";

/// The encoding of a `charset`, by the names that the WHATWG's standard gives it; nothing for any other.
pub fn of_charset(charset: &str) -> Option<Encoding> {
    match charset.to_ascii_lowercase().as_str() {
        "utf-8" | "utf8" => Some(Encoding::Utf8),
        "windows-1252" | "cp1252" | "x-cp1252" | "iso-8859-1" | "latin1" | "us-ascii" => {
            Some(Encoding::Windows1252)
        }
        _ => None,
    }
}

/// The text of a file: as `announced`, else UTF-8 where it is, else Windows-1252. Nothing where that leaves a doubt, or a NUL.
pub fn decode(bytes: &[u8], announced: Option<Encoding>) -> Option<Decoded> {
    let utf8 = || String::from_utf8(bytes.to_vec()).ok();
    let announced = match bytes.starts_with(BYTE_ORDER_MARK) {
        true => Some(Encoding::Utf8),
        false => announced,
    };
    let (text, encoding) = match announced {
        Some(Encoding::Utf8) => (utf8()?, Encoding::Utf8),
        Some(Encoding::Windows1252) => (windows_1252(bytes)?, Encoding::Windows1252),
        None => match utf8() {
            Some(text) => (text, Encoding::Utf8),
            None => (windows_1252(bytes)?, Encoding::Windows1252),
        },
    };
    (!text.contains('\0')).then_some(Decoded { text, encoding })
}

fn windows_1252(bytes: &[u8]) -> Option<String> {
    let high = |byte: u8| {
        let c = HIGH.chars().nth(usize::from(byte - 0x80))?;
        (c != ' ').then_some(c)
    };
    let mut text = String::with_capacity(bytes.len());
    for byte in bytes {
        text.push(match byte {
            0x80..=0x9f => high(*byte)?,
            _ => char::from(*byte),
        });
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(bytes: &[u8], charset: Option<&str>) -> Option<(String, Encoding)> {
        let announced = charset.map(|charset| of_charset(charset).unwrap());
        decode(bytes, announced).map(|file| (file.text, file.encoding))
    }

    #[test]
    fn a_file_is_read_as_it_was_written() {
        let (utf8, old) = ("Købmand €", b"K\xf8bmand \x80".as_slice());
        let read = Some((utf8.to_owned(), Encoding::Utf8));
        assert_eq!(decoded(utf8.as_bytes(), None), read);
        assert_eq!(decoded(utf8.as_bytes(), Some("UTF-8")), read);
        let read = Some((utf8.to_owned(), Encoding::Windows1252));
        assert_eq!(decoded(old, None), read);
        assert_eq!(decoded(old, Some("windows-1252")), read);
        assert_eq!(decoded(old, Some("ISO-8859-1")), read);
    }

    #[test]
    fn what_is_in_doubt_is_not_read() {
        assert_eq!(decoded(b"K\xf8b", Some("utf-8")), None);
        assert_eq!(decoded(b"K\xf8b \x81", None), None);
        assert_eq!(decoded(b"\xff\xfea\0b\0", None), None);
        assert_eq!(decoded(b"a\0b", None), None);
        assert_eq!(of_charset("utf-16"), None);
        let marked = decoded(b"\xef\xbb\xbfa", Some("windows-1252")).unwrap();
        assert_eq!(marked, ("\u{feff}a".to_owned(), Encoding::Utf8));
    }

    #[test]
    fn the_table_has_a_place_for_each_byte() {
        assert_eq!(HIGH.chars().count(), 32);
        let nothing = HIGH.chars().enumerate().filter(|(_, c)| *c == ' ');
        let nothing: Vec<usize> = nothing.map(|(at, _)| at + 0x80).collect();
        assert_eq!(nothing, [0x81, 0x8d, 0x8f, 0x90, 0x9d]);
    }
}
