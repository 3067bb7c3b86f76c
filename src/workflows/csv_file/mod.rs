//! CSV files that people send: a header row, comma or semicolon; every fault with the number of its row.

mod encoding;
mod guard;
mod records;
mod writer;

use records::{Record, records};

pub use encoding::{Decoded, Encoding, decode, of_charset};
pub use guard::{amount, cell, unguarded};
pub use writer::{ListFormat, Spreadsheet, writer};

use crate::domain::values::{Line, Value};
use crate::error::{Fault, FaultCode};

/// One column of a file.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    /// Its name in the header row.
    pub name: &'static str,
    /// Whether the header row must have it and no cell of it may be empty.
    pub required: bool,
}

/// A column that a file may leave out.
pub const fn optional(name: &'static str) -> Column {
    Column {
        name,
        required: false,
    }
}

/// A column that a file must have, filled.
pub const fn required(name: &'static str) -> Column {
    Column {
        name,
        required: true,
    }
}

/// One row behind the header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Its line in the file; the header is line 1.
    pub number: u64,
    cells: Vec<(&'static str, String)>,
}

impl Row {
    /// What stands in a column; nothing where it is blank or left out.
    pub fn get(&self, column: &str) -> Option<&str> {
        let cell = self.cells.iter().find(|(name, _)| *name == column);
        cell.map(|(_, text)| text.trim())
            .filter(|text| !text.is_empty())
    }

    /// A fault in a column of this row: `#/rows/7/serial_number`.
    pub fn fault(&self, column: &str, code: FaultCode) -> Fault {
        Fault::new(format!("#/rows/{}/{column}", self.number), code)
    }

    /// A fault that was found in what this row says.
    pub fn place(&self, fault: Fault) -> Fault {
        let field = fault.pointer.trim_start_matches("#/");
        let column = field.split('/').next().unwrap_or_default();
        Fault {
            pointer: format!("#/rows/{}/{column}", self.number),
            ..fault
        }
    }

    /// The value in a column; a fault where something else stands there.
    pub fn value<T: Value>(&self, column: &str, faults: &mut Vec<Fault>) -> Option<T> {
        let typed = self.get(column)?;
        let read = typed.parse().ok();
        if read.is_none() {
            faults.push(self.place(T::fault(column, typed)));
        }
        read
    }

    /// The line of text in a column, tidied; a fault where it is none of at most `MOST` characters.
    pub fn line<const MOST: usize>(&self, column: &str, faults: &mut Vec<Fault>) -> Option<String> {
        self.value::<Line<MOST>>(column, faults).map(String::from)
    }

    /// What stands in a column, read; where it cannot be, a fault with `code` that tells what is `expected`.
    pub fn parsed<T: std::str::FromStr>(
        &self,
        column: &str,
        (code, expected): (FaultCode, &str),
        faults: &mut Vec<Fault>,
    ) -> Option<T> {
        let read = self.get(column).map(str::parse::<T>);
        match read {
            Some(Err(_)) => {
                let fault = self.fault(column, code);
                faults.push(fault.with("format", expected).with("allowed", expected));
                None
            }
            Some(Ok(value)) => Some(value),
            None => None,
        }
    }
}

/// The rows of a file with these columns, at most `most` of them, or every fault of its form. Rows and columns in which nothing stands, as
/// spreadsheets leave them, are none.
pub fn rows(text: &str, columns: &[Column], most: usize) -> Result<Vec<Row>, Vec<Fault>> {
    let text = text.trim_start_matches('\u{feff}');
    let mut records = records(text, separator(text))
        .filter(|record| !record.as_ref().is_ok_and(is_no_row))
        .peekable();
    let header = records.next().transpose();
    let header = header.map_err(|_| vec![unquoted("#/header".to_owned())])?;
    let header = header.map(|record| record.cells).unwrap_or_default();
    let names = header_names(&header, columns)?;
    let (mut rows, mut faults) = (Vec::new(), Vec::new());
    for record in records {
        if rows.len() == most {
            faults.push(Fault::new("#/rows", FaultCode::TooMany).with("max", most));
            break;
        }
        match record {
            Ok(record) => rows.push(row_of(record, &names, columns, &mut faults)),
            Err(open) => {
                let column = names.get(open.cell).copied().flatten().unwrap_or_default();
                faults.push(unquoted(format!("#/rows/{}/{column}", open.line)));
            }
        }
    }
    if rows.is_empty() && faults.is_empty() {
        faults.push(Fault::new("#/rows", FaultCode::TooFew).with("min", 1));
    }
    match faults.is_empty() {
        true => Ok(rows),
        false => Err(faults),
    }
}

/// What tells a spreadsheet the separator, in a line before the header.
const SEPARATOR_LINE: &str = "sep=";

fn is_no_row(record: &Record) -> bool {
    let first = record.cells.first().map(String::as_str);
    record.is_blank() || (record.line == 1 && first == Some(SEPARATOR_LINE))
}

fn unquoted(pointer: String) -> Fault {
    Fault::new(pointer, FaultCode::Format).with("format", "\"...\"")
}

/// The cells of one line; nothing where a quotation mark in it is not closed.
pub fn cells(line: &str, separator: char) -> Option<Vec<String>> {
    let record = records(line, separator).next();
    record.map_or(Some(Vec::new()), |record| {
        record.ok().map(|record| record.cells)
    })
}

/// What stands between the cells of a file, by its first line in which something stands.
pub fn separator(text: &str) -> char {
    let mut lines = text.split(['\r', '\n']);
    let is_filled = |line: &&str| !line.trim_matches([' ', ',', ';']).is_empty();
    let head = lines.find(is_filled).unwrap_or_default();
    match head.matches(';').count() > head.matches(',').count() {
        true => ';',
        false => ',',
    }
}

/// Which column each cell belongs to; nothing for those without a name.
fn header_names(
    header: &[String],
    columns: &[Column],
) -> Result<Vec<Option<&'static str>>, Vec<Fault>> {
    let sent: Vec<String> = header
        .iter()
        .map(|name| name.trim().to_lowercase())
        .collect();
    let (mut names, mut faults) = (Vec::new(), Vec::new());
    for name in &sent {
        let fault = |code| Fault::new(format!("#/header/{name}"), code);
        match columns.iter().find(|column| column.name == name) {
            Some(column) if names.contains(&Some(column.name)) => {
                faults.push(fault(FaultCode::NotUnique));
            }
            Some(column) => names.push(Some(column.name)),
            None if name.is_empty() => names.push(None),
            None => faults.push(fault(FaultCode::Unknown)),
        }
    }
    let absent = columns
        .iter()
        .filter(|column| column.required && !sent.iter().any(|name| name == column.name));
    faults.extend(
        absent.map(|column| Fault::new(format!("#/header/{}", column.name), FaultCode::Required)),
    );
    match faults.is_empty() {
        true => Ok(names),
        false => Err(faults),
    }
}

fn row_of(
    record: Record,
    names: &[Option<&'static str>],
    columns: &[Column],
    faults: &mut Vec<Fault>,
) -> Row {
    let mut row = Row {
        number: record.line,
        cells: Vec::new(),
    };
    let named = names.iter().flatten().count();
    for (at, cell) in record.cells.iter().enumerate() {
        match names.get(at).copied().flatten() {
            Some(name) => row.cells.push((name, unguarded(cell))),
            None if cell.trim().is_empty() => {}
            None => faults.push(row.fault("", FaultCode::TooMany).with("max", named)),
        }
    }
    let blank = |column: &&Column| column.required && row.get(column.name).is_none();
    let empty = columns.iter().filter(blank);
    faults.extend(empty.map(|column| row.fault(column.name, FaultCode::Required)));
    row
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: [Column; 3] = [required("model"), required("points"), optional("note")];

    fn faults(text: &str) -> Vec<(String, &'static str)> {
        let faults = rows(text, &COLUMNS, 3).unwrap_err();
        faults
            .into_iter()
            .map(|fault| (fault.pointer, fault.code.as_str()))
            .collect()
    }

    #[test]
    fn both_separators_quotes_and_a_byte_order_mark_are_read() {
        for text in [
            "\u{feff}Model,points\n\"EOS, R5\",320\n",
            "points;model\r\n320;EOS, R5\r\n",
        ] {
            let rows = rows(text, &COLUMNS, 3).unwrap();
            let found = (rows[0].number, rows[0].get("model"), rows[0].get("note"));
            assert_eq!(found, (2, Some("EOS, R5"), None));
        }
    }

    #[test]
    fn every_fault_names_its_row() {
        let text = "model,points\n,320\nEOS R5,\nEOS R6,1,2\n";
        let wanted = [
            ("#/rows/2/model", "required"),
            ("#/rows/3/points", "required"),
            ("#/rows/4/", "too_many"),
        ];
        assert_eq!(faults(text), wanted.map(|(at, code)| (at.to_owned(), code)));
        let wanted = [
            ("#/header/colour", "unknown"),
            ("#/header/points", "required"),
        ];
        assert_eq!(
            faults("model,colour\nEOS R5,red\n"),
            wanted.map(|(at, code)| (at.to_owned(), code))
        );
        assert_eq!(faults("model,points\n")[0].1, "too_few");
        assert_eq!(
            faults("model,points\na,1\nb,1\nc,1\nd,1\n")[0].1,
            "too_many"
        );
    }

    #[test]
    fn what_a_spreadsheet_leaves_behind_is_no_row() {
        let text = "sep=;\r\nmodel;points;;\r\n;;;\r\n\r\nEOS R5;320;;\r\n;;;;;\r\n";
        let found = rows(text, &COLUMNS, 3).unwrap();
        assert_eq!((found.len(), found[0].number), (1, 5));
        assert_eq!(found[0].get("points"), Some("320"));
        let wanted = [("#/rows/2/".to_owned(), "too_many")];
        assert_eq!(faults("model;points;\nEOS R5;320;x\n"), wanted);
    }

    #[test]
    fn an_open_quote_is_told_where_it_stands() {
        for tail in ["\nEOS R6,1\n", "\nEOS R6,\"1\"\n"] {
            let text = format!("model,points\r\n\r\nEOS R5,\"320{tail}");
            let wanted = [("#/rows/3/points".to_owned(), "format")];
            assert_eq!(faults(&text), wanted);
        }
        assert_eq!(faults("model,\"points\nEOS R5,320\n")[0].0, "#/header");
    }

    #[test]
    fn a_line_of_text_is_a_line_in_a_file_too() {
        let long = format!("model,points,note\nEOS R5,320,{}\n", "x".repeat(9));
        let cell = |text: &str| {
            let (rows, mut faults) = (rows(text, &COLUMNS, 3).unwrap(), Vec::new());
            let line = rows[0].line::<8>("note", &mut faults);
            (
                line,
                faults
                    .first()
                    .map(|fault| (fault.pointer.clone(), fault.code)),
            )
        };
        let refused = |code| (None, Some(("#/rows/2/note".to_owned(), code)));
        assert_eq!(cell(&long), refused(FaultCode::TooLong));
        let broken = "model,points,note\nEOS R5,320,\"a\nb\"\n";
        assert_eq!(cell(broken), refused(FaultCode::Pattern));
        let folded = "model,points,note\nEOS R5,320, a  b \n";
        assert_eq!(cell(folded), (Some("a b".to_owned()), None));
    }
}
