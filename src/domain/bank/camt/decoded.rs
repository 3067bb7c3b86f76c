//! The characters of a file, whatever it is encoded in: what does not fit its encoding, and what no XML may hold, is a fault and never half read.

use std::io::{self, BufRead, Cursor, Read};

use super::Why;
use crate::domain::text::is_xml;

/// How far into a file its encoding is looked for.
const HEAD: u64 = 512;

/// The encodings that banks use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Utf8,
    Utf16Le,
    Utf16Be,
    Latin1,
    Windows1252,
}

/// The characters of 0x80 to 0x9F in windows-1252; none where it has none.
const WINDOWS: [char; 32] = [
    '€', '\0', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\0', 'Ž', '\0', '\0', '‘',
    '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\0', 'ž', 'Ÿ',
];

/// A file as UTF-8, read as it is asked for.
pub struct Decoded<R> {
    inner: io::Chain<Cursor<Vec<u8>>, R>,
    encoding: Encoding,
    /// Bytes whose character is not whole yet.
    begun: Vec<u8>,
    /// What is decoded and not read yet begins at `at`.
    text: String,
    at: usize,
    line: usize,
    is_over: bool,
}

impl<R: BufRead> Decoded<R> {
    /// The characters of `file`; an empty file, an archive and an encoding that is not known are told at once.
    pub fn new(mut file: R) -> io::Result<Self> {
        let mut head = Vec::new();
        file.by_ref().take(HEAD).read_to_end(&mut head)?;
        let (encoding, mark) = encoding_of(&head).map_err(told)?;
        let mut inner = Cursor::new(head).chain(file);
        inner.consume(mark);
        Ok(Self {
            inner,
            encoding,
            begun: Vec::new(),
            text: String::new(),
            at: 0,
            line: 1,
            is_over: false,
        })
    }

    /// The line, from 1 on, up to which it was read.
    pub fn line(&self) -> usize {
        self.line
    }

    fn unread(&self) -> &[u8] {
        self.text.as_bytes().get(self.at..).unwrap_or_default()
    }

    /// Decodes what comes next, until there is something or nothing is left.
    fn refill(&mut self) -> io::Result<()> {
        self.text.clear();
        self.at = 0;
        while self.text.is_empty() && !self.is_over {
            let chunk = self.inner.fill_buf()?;
            let length = chunk.len();
            self.begun.extend_from_slice(chunk);
            self.inner.consume(length);
            self.is_over = length == 0;
            decode(self.encoding, &mut self.begun, &mut self.text).map_err(told)?;
            if self.is_over && !self.begun.is_empty() {
                return Err(told(Why::Encoding));
            }
            if !self.text.chars().all(is_xml) {
                return Err(told(Why::Character));
            }
        }
        Ok(())
    }
}

impl<R: BufRead> BufRead for Decoded<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.unread().is_empty() {
            self.refill()?;
        }
        Ok(self.unread())
    }

    fn consume(&mut self, amount: usize) {
        let read = self.unread().iter().take(amount);
        let lines = read.filter(|byte| **byte == b'\n').count();
        self.line += lines;
        self.at = self.at.saturating_add(amount).min(self.text.len());
    }
}

impl<R: BufRead> Read for Decoded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut unread = self.fill_buf()?;
        let count = unread.read(buffer)?;
        self.consume(count);
        Ok(count)
    }
}

/// A reason as the error of a reader; [`why`] finds it again.
fn told(why: Why) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, Told(why))
}

#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Told(Why);

/// The reason that is behind the error of a reader; nothing where the file itself could not be read.
pub fn why(error: &io::Error) -> Option<Why> {
    let told = error.get_ref()?.downcast_ref::<Told>()?;
    Some(told.0)
}

/// The encoding of a file that begins with `head`, and how many bytes say nothing else.
fn encoding_of(head: &[u8]) -> Result<(Encoding, usize), Why> {
    match head {
        [] => Err(Why::Empty),
        [b'P', b'K', 3 | 5 | 7, ..] | [0x1f, 0x8b, ..] => Err(Why::Archive),
        [0xef, 0xbb, 0xbf, ..] => Ok((Encoding::Utf8, 3)),
        [0xff, 0xfe, ..] => Ok((Encoding::Utf16Le, 2)),
        [0xfe, 0xff, ..] => Ok((Encoding::Utf16Be, 2)),
        [b'<', 0, ..] => Ok((Encoding::Utf16Le, 0)),
        [0, b'<', ..] => Ok((Encoding::Utf16Be, 0)),
        _ => Ok((declared(head)?, 0)),
    }
}

/// The encoding that the declaration of a file names; UTF-8 where it names none.
fn declared(head: &[u8]) -> Result<Encoding, Why> {
    let head: String = head.iter().copied().map(char::from).collect();
    let declaration = head
        .strip_prefix("<?xml")
        .and_then(|rest| rest.split_once("?>"));
    let named = declaration
        .and_then(|(inside, _)| inside.split_once("encoding"))
        .map(|(_, rest)| rest.trim_start_matches(|c: char| c == '=' || c.is_whitespace()));
    let quoted = named.and_then(|rest| {
        let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        rest.strip_prefix(quote)?.split(quote).next()
    });
    match quoted.map(str::to_ascii_lowercase).as_deref() {
        None if named.is_none() => Ok(Encoding::Utf8),
        Some("utf-8" | "utf8" | "us-ascii") => Ok(Encoding::Utf8),
        Some("iso-8859-1" | "latin1") => Ok(Encoding::Latin1),
        Some("windows-1252" | "cp1252") => Ok(Encoding::Windows1252),
        _ => Err(Why::Encoding),
    }
}

/// Takes what is whole from the bytes that were begun, and writes it as text.
fn decode(encoding: Encoding, begun: &mut Vec<u8>, text: &mut String) -> Result<(), Why> {
    match encoding {
        Encoding::Utf8 => return decode_utf8(begun, text),
        Encoding::Utf16Le => return decode_utf16(begun, text, u16::from_le_bytes),
        Encoding::Utf16Be => return decode_utf16(begun, text, u16::from_be_bytes),
        Encoding::Latin1 => text.extend(begun.iter().copied().map(char::from)),
        Encoding::Windows1252 => {
            for byte in begun.iter().copied() {
                text.push(windows(byte).ok_or(Why::Encoding)?);
            }
        }
    }
    begun.clear();
    Ok(())
}

fn windows(byte: u8) -> Option<char> {
    match byte.checked_sub(0x80).map(usize::from) {
        Some(high @ 0..32) => WINDOWS.get(high).copied().filter(|c| *c != '\0'),
        _ => Some(char::from(byte)),
    }
}

fn decode_utf8(begun: &mut Vec<u8>, text: &mut String) -> Result<(), Why> {
    let whole = match std::str::from_utf8(begun) {
        Ok(all) => all.len(),
        Err(error) if error.error_len().is_none() => error.valid_up_to(),
        Err(_) => return Err(Why::Encoding),
    };
    let rest = begun.split_off(whole);
    let whole = std::mem::replace(begun, rest);
    text.push_str(&String::from_utf8(whole).map_err(|_| Why::Encoding)?);
    Ok(())
}

fn decode_utf16(
    begun: &mut Vec<u8>,
    text: &mut String,
    unit: fn([u8; 2]) -> u16,
) -> Result<(), Why> {
    let (pairs, _) = begun.as_chunks::<2>();
    let mut units: Vec<u16> = pairs.iter().copied().map(unit).collect();
    // The first half of a character waits for its second.
    let is_half = |last: &u16| (0xd800..0xdc00).contains(last);
    let halves = usize::from(units.last().is_some_and(is_half));
    units.truncate(units.len() - halves);
    let rest = begun.split_off(units.len() * 2);
    *begun = rest;
    for c in char::decode_utf16(units) {
        text.push(c.map_err(|_| Why::Encoding)?);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8], at_once: usize) -> Result<String, Why> {
        let file = io::BufReader::with_capacity(at_once, bytes);
        let mut text = String::new();
        let read = Decoded::new(file).and_then(|mut file| file.read_to_string(&mut text));
        read.map(|_| text).map_err(|error| why(&error).unwrap())
    }

    fn utf16(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(bytes).collect()
    }

    #[test]
    fn every_encoding_gives_the_same_characters() {
        let text = |name: &str| format!("<?xml version='1.0' encoding='{name}'?><a>Ærø ß</a>");
        let single = |text: &str| -> Vec<u8> { text.chars().map(|c| c as u8).collect() };
        let marked = |mark: &[u8], text: Vec<u8>| [mark, &text].concat();
        for (name, bytes) in [
            ("utf-8", text("utf-8").into_bytes()),
            (
                "utf-8",
                marked(&[0xef, 0xbb, 0xbf], text("utf-8").into_bytes()),
            ),
            ("ISO-8859-1", single(&text("ISO-8859-1"))),
            ("Windows-1252", single(&text("Windows-1252"))),
            (
                "UTF-16",
                marked(&[0xff, 0xfe], utf16(&text("UTF-16"), u16::to_le_bytes)),
            ),
            (
                "UTF-16",
                marked(&[0xfe, 0xff], utf16(&text("UTF-16"), u16::to_be_bytes)),
            ),
            ("UTF-16", utf16(&text("UTF-16"), u16::to_be_bytes)),
        ] {
            for at_once in [1, 2, 3, 4096] {
                assert_eq!(read(&bytes, at_once), Ok(text(name)), "{name} {at_once}");
            }
        }
        assert_eq!(read("<a>👻</a>".as_bytes(), 1).unwrap(), "<a>👻</a>");
        assert_eq!(
            read(&utf16("<a>👻</a>", u16::to_le_bytes), 1).unwrap(),
            "<a>👻</a>"
        );
        let euro = [
            &b"<?xml version='1.0' encoding='windows-1252'?>"[..],
            &[0x80],
        ]
        .concat();
        assert!(read(&euro, 9).unwrap().ends_with('€'));
    }

    #[test]
    fn what_does_not_fit_is_a_fault_and_never_half_read() {
        let windows = [&b"<?xml version='1.0' encoding='cp1252'?>"[..], &[0x81]].concat();
        for (bytes, expected) in [
            (&b""[..], Why::Empty),
            (b"PK\x03\x04....", Why::Archive),
            (
                b"<?xml version='1.0' encoding='EBCDIC'?><a/>",
                Why::Encoding,
            ),
            (b"<?xml version='1.0' encoding=?><a/>", Why::Encoding),
            (b"<a>\xc3\x28</a>", Why::Encoding),
            (b"<a>\xc3", Why::Encoding),
            (b"\xff\xfe<", Why::Encoding),
            (b"\xff\xfe<\0\0\xd8<\0", Why::Encoding),
            (&windows, Why::Encoding),
            (b"<a>\0</a>", Why::Character),
            (b"<a>\x1b</a>", Why::Character),
        ] {
            for at_once in [1, 4096] {
                assert_eq!(read(bytes, at_once), Err(expected), "{bytes:?}");
            }
        }
    }

    #[test]
    fn lines_are_counted_as_they_are_read() {
        let mut file = Decoded::new(&b"one\ntwo\nthree"[..]).unwrap();
        let mut line = String::new();
        file.read_line(&mut line).unwrap();
        assert_eq!(file.line(), 2);
        file.read_to_string(&mut line).unwrap();
        assert_eq!(file.line(), 3);
    }
}
