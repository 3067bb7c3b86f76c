//! Cutting what comes in into physical lines, as an editor counts them. What a line says is read elsewhere.

/// More bytes than this no line has.
pub const MOST_BYTES: usize = 4096;

/// One line without its end.
#[derive(Debug, PartialEq, Eq)]
pub struct PhysicalLine {
    /// The first is 1.
    pub number: i64,
    /// None where there are more bytes than a line may have.
    pub bytes: Option<Vec<u8>>,
}

impl PhysicalLine {
    /// Whether nothing but blanks stands in it.
    pub fn is_blank(&self) -> bool {
        let bytes = self.bytes.as_deref();
        bytes.is_some_and(|bytes| bytes.trim_ascii().is_empty())
    }
}

/// Cuts at CR, LF and CRLF, wherever the pieces that come are cut themselves; holds one line at most.
#[derive(Debug, Default)]
pub struct Cutter {
    number: i64,
    held: Vec<u8>,
    is_too_long: bool,
    /// The last byte was a CR: an LF behind it ends no other line.
    after_cr: bool,
}

impl Cutter {
    /// The lines that `piece` ends, in order.
    pub fn take(&mut self, piece: &[u8]) -> Vec<PhysicalLine> {
        let mut lines = Vec::new();
        for part in piece.split_inclusive(|byte| matches!(byte, b'\r' | b'\n')) {
            let (held, end) = match part.split_last() {
                Some((end @ (b'\r' | b'\n'), held)) => (held, Some(*end)),
                _ => (part, None),
            };
            let is_second_half = std::mem::take(&mut self.after_cr) && part == b"\n";
            if is_second_half {
                continue;
            }
            self.hold(held);
            self.after_cr = end == Some(b'\r');
            if end.is_some() {
                lines.push(self.cut());
            }
        }
        lines
    }

    /// What stands behind the last end of a line.
    pub fn rest(&mut self) -> Option<PhysicalLine> {
        (self.is_too_long || !self.held.is_empty()).then(|| self.cut())
    }

    fn hold(&mut self, bytes: &[u8]) {
        self.is_too_long |= self.held.len() + bytes.len() > MOST_BYTES;
        if !self.is_too_long {
            self.held.extend_from_slice(bytes);
        }
    }

    fn cut(&mut self) -> PhysicalLine {
        self.number += 1;
        let held = std::mem::take(&mut self.held);
        let bytes = (!std::mem::take(&mut self.is_too_long)).then_some(held);
        PhysicalLine {
            number: self.number,
            bytes,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cut(pieces: &[&[u8]]) -> Vec<(i64, Option<String>)> {
        let mut cutter = Cutter::default();
        let mut lines: Vec<PhysicalLine> =
            pieces.iter().flat_map(|piece| cutter.take(piece)).collect();
        lines.extend(cutter.rest());
        let text = |line: PhysicalLine| {
            let bytes = line.bytes.map(|bytes| String::from_utf8(bytes).unwrap());
            (line.number, bytes)
        };
        lines.into_iter().map(text).collect()
    }

    fn line(number: i64, text: &str) -> (i64, Option<String>) {
        (number, Some(text.to_owned()))
    }

    #[test]
    fn every_end_of_a_line_is_one() {
        let wanted = [line(1, "a"), line(2, ""), line(3, "b"), line(4, "c")];
        assert_eq!(cut(&[b"a\r\n\nb\rc"]), wanted);
        assert_eq!(cut(&[b"a\r", b"\n\n", b"b", b"\rc\n"]), wanted);
        assert_eq!(cut(&[]), []);
    }

    #[test]
    fn a_line_that_is_too_long_is_not_held_and_still_counted() {
        let long = "x".repeat(MOST_BYTES + 1);
        let text = format!("{long}\nb\n{}", &long[1..]);
        let wanted = [(1, None), line(2, "b"), line(3, &long[1..])];
        assert_eq!(cut(&[text.as_bytes()]), wanted);
        assert_eq!(cut(&[b"a", long.as_bytes(), long.as_bytes()]), [(1, None)]);
    }

    proptest! {
        #[test]
        fn it_does_not_matter_how_the_pieces_are_cut(text in "[ab\r\n]{0,20}", at in 0usize..20, then in 0usize..20) {
            let bytes = text.as_bytes();
            let (first, rest) = bytes.split_at(at.min(bytes.len()));
            let (second, third) = rest.split_at(then.min(rest.len()));
            prop_assert_eq!(cut(&[first, second, third]), cut(&[bytes]));
        }
    }
}
