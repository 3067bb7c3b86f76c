//! The records of a CSV file (RFC 4180) with the lines that an editor counts. Which columns they have is in the module above.

use std::iter::Peekable;
use std::str::Chars;

/// One record as it stands in the file.
#[derive(Debug, PartialEq, Eq)]
pub struct Record {
    /// The line that it begins on; the first is 1.
    pub line: u64,
    pub cells: Vec<String>,
}

impl Record {
    /// Whether nothing stands in it, as spreadsheets leave rows behind.
    pub fn is_blank(&self) -> bool {
        self.cells.iter().all(|cell| cell.trim().is_empty())
    }
}

/// A quotation mark opens a cell, and none closes it where the cell ends: what follows cannot be told apart.
#[derive(Debug, PartialEq, Eq)]
pub struct OpenQuote {
    /// The line that the record begins on.
    pub line: u64,
    /// Which of its cells.
    pub cell: usize,
}

/// The records of `text`, whose lines end in LF, CRLF or CR. Nothing is read behind an open quote.
pub fn records(text: &str, separator: char) -> Records<'_> {
    Records {
        rest: text.chars().peekable(),
        separator,
        line: 1,
    }
}

/// Reads record by record.
pub struct Records<'a> {
    rest: Peekable<Chars<'a>>,
    separator: char,
    line: u64,
}

impl Iterator for Records<'_> {
    type Item = Result<Record, OpenQuote>;

    fn next(&mut self) -> Option<Self::Item> {
        self.rest.peek()?;
        let (line, mut cells) = (self.line, Vec::new());
        loop {
            let Some(cell) = self.cell() else {
                self.rest = "".chars().peekable();
                let cell = cells.len();
                return Some(Err(OpenQuote { line, cell }));
            };
            cells.push(cell);
            if self.take() != Some(self.separator) {
                return Some(Ok(Record { line, cells }));
            }
        }
    }
}

impl Records<'_> {
    /// The next character; every end of a line as LF.
    fn take(&mut self) -> Option<char> {
        let c = self.rest.next()?;
        if c == '\r' {
            self.rest.next_if_eq(&'\n');
        }
        if matches!(c, '\r' | '\n') {
            self.line += 1;
            return Some('\n');
        }
        Some(c)
    }

    fn is_at_end_of_cell(&mut self) -> bool {
        let next = self.rest.peek();
        next.is_none_or(|c| *c == self.separator || matches!(c, '\r' | '\n'))
    }

    /// What stands before the next separator or end of a line; nothing where its quotes are not closed.
    fn cell(&mut self) -> Option<String> {
        if self.rest.next_if_eq(&'"').is_some() {
            return self.quoted();
        }
        let mut cell = String::new();
        while !self.is_at_end_of_cell() {
            cell.extend(self.take());
        }
        Some(cell)
    }

    fn quoted(&mut self) -> Option<String> {
        let mut cell = String::new();
        loop {
            match self.take()? {
                '"' if self.rest.next_if_eq(&'"').is_some() => cell.push('"'),
                '"' => break,
                c => cell.push(c),
            }
        }
        while !self.is_at_end_of_cell() && self.rest.next_if_eq(&' ').is_some() {}
        self.is_at_end_of_cell().then_some(cell)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Vec<(u64, Vec<String>)> {
        let read = records(text, ';').map(|record| record.unwrap());
        read.map(|record| (record.line, record.cells)).collect()
    }

    fn row(line: u64, cells: &[&str]) -> (u64, Vec<String>) {
        (line, cells.iter().map(|cell| (*cell).to_owned()).collect())
    }

    #[test]
    fn lines_are_counted_as_an_editor_counts_them() {
        for end in ["\n", "\r\n", "\r"] {
            let text = ["a;b", "", "1;\"two", "lines\"", "3;4"].join(end);
            let wanted = [
                row(1, &["a", "b"]),
                row(2, &[""]),
                row(3, &["1", "two\nlines"]),
                row(5, &["3", "4"]),
            ];
            assert_eq!(read(&text), wanted, "{end:?}");
            assert_eq!(read(&(text + end)).len(), 4);
        }
    }

    #[test]
    fn quotes_are_read_as_they_are_written() {
        assert_eq!(
            read("\"a\"\"b\" ;5\" lens;"),
            [row(1, &["a\"b", "5\" lens", ""])]
        );
        assert_eq!(read("\"\";\"x;y\""), [row(1, &["", "x;y"])]);
    }

    #[test]
    fn a_quote_that_nothing_closes_ends_the_file_where_it_stands() {
        for tail in ["c;\"d\ne;f\n", "c;\"d\ne;\"f\"\n", "c;\"d\"e\n"] {
            let text = format!("a;b\n{tail}");
            let read: Vec<_> = records(&text, ';').collect();
            assert_eq!(read[1..], [Err(OpenQuote { line: 2, cell: 1 })], "{tail}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(cells in proptest::collection::vec("[a;,\" \n\r\u{e6}]{0,6}", 1..5)) {
            let mut writer = csv::WriterBuilder::new().delimiter(b';').from_writer(Vec::new());
            writer.write_record(&cells).unwrap();
            let text = String::from_utf8(writer.into_inner().unwrap()).unwrap();
            let read = records(&text, ';').next().unwrap().unwrap();
            let wanted = cells.iter().map(|cell| cell.replace("\r\n", "\n").replace('\r', "\n"));
            prop_assert_eq!(read.cells, wanted.collect::<Vec<_>>());
        }

        #[test]
        fn every_file_comes_to_an_end(text in "[a;\"\n\r]{0,24}") {
            prop_assert!(records(&text, ';').count() <= text.len() + 1);
        }
    }
}
