//! CSV files that people send: UTF-8, a header row, comma or semicolon; every fault with the number of its row.

use csv::{ReaderBuilder, StringRecord};

use crate::domain::values::Value;
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
        let read = self.get(column)?.parse().ok();
        if read.is_none() {
            faults.push(self.place(T::fault(column)));
        }
        read
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

/// The rows of a file with these columns, at most `most` of them, or every fault of its form.
pub fn rows(text: &str, columns: &[Column], most: usize) -> Result<Vec<Row>, Vec<Fault>> {
    // The reader would count the first half of a line's end to the line before it.
    let text = text.trim_start_matches('\u{feff}').replace("\r\n", "\n");
    let mut reader = ReaderBuilder::new()
        .delimiter(delimiter(&text))
        .flexible(true)
        .from_reader(text.as_bytes());
    let header = reader.headers().cloned().unwrap_or_default();
    let names = header_names(&header, columns)?;
    let (mut rows, mut faults) = (Vec::new(), Vec::new());
    for record in reader.records() {
        let Ok(record) = record else {
            faults.push(Fault::new("#/rows", FaultCode::Format).with("format", "CSV"));
            break;
        };
        let row = row_of(&record, &names);
        if rows.len() == most {
            faults.push(Fault::new("#/rows", FaultCode::TooMany).with("max", most));
            break;
        }
        if record.len() > names.len() {
            faults.push(row.fault("", FaultCode::TooMany).with("max", names.len()));
        }
        let blank = |column: &&Column| column.required && row.get(column.name).is_none();
        let empty = columns.iter().filter(blank);
        faults.extend(empty.map(|column| row.fault(column.name, FaultCode::Required)));
        rows.push(row);
    }
    if rows.is_empty() && faults.is_empty() {
        faults.push(Fault::new("#/rows", FaultCode::TooFew).with("min", 1));
    }
    if faults.is_empty() {
        Ok(rows)
    } else {
        Err(faults)
    }
}

fn delimiter(text: &str) -> u8 {
    let head = text.lines().next().unwrap_or_default();
    if head.matches(';').count() > head.matches(',').count() {
        b';'
    } else {
        b','
    }
}

fn header_names(
    header: &StringRecord,
    columns: &[Column],
) -> Result<Vec<&'static str>, Vec<Fault>> {
    let sent: Vec<String> = header
        .iter()
        .map(|name| name.trim().to_lowercase())
        .collect();
    let (mut names, mut faults) = (Vec::new(), Vec::new());
    for name in &sent {
        match columns.iter().find(|column| column.name == name) {
            Some(column) if names.contains(&column.name) => {
                faults.push(Fault::new(format!("#/header/{name}"), FaultCode::NotUnique));
            }
            Some(column) => names.push(column.name),
            None => faults.push(Fault::new(format!("#/header/{name}"), FaultCode::Unknown)),
        }
    }
    let absent = columns
        .iter()
        .filter(|column| column.required && !sent.iter().any(|name| name == column.name));
    faults.extend(
        absent.map(|column| Fault::new(format!("#/header/{}", column.name), FaultCode::Required)),
    );
    if faults.is_empty() {
        Ok(names)
    } else {
        Err(faults)
    }
}

fn row_of(record: &StringRecord, names: &[&'static str]) -> Row {
    Row {
        number: record.position().map_or(0, csv::Position::line),
        cells: names
            .iter()
            .copied()
            .zip(record.iter().map(|cell| unguarded(cell).to_owned()))
            .collect(),
    }
}

const FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// A cell of a file that we write: a spreadsheet does not take it for a formula.
pub fn guarded(text: &str) -> String {
    match text.starts_with(FORMULA) {
        true => format!("'{text}"),
        false => text.to_owned(),
    }
}

/// A cell of a file that we wrote, without its guard.
fn unguarded(cell: &str) -> &str {
    let bare = cell.strip_prefix('\'');
    bare.filter(|bare| bare.starts_with(FORMULA))
        .unwrap_or(cell)
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
    fn cells_that_begin_like_formulas_are_guarded_and_read_again() {
        assert_eq!(guarded("=1+1"), "'=1+1");
        assert_eq!(unguarded("'=1+1"), "=1+1");
        assert_eq!(unguarded("'s Foto"), "'s Foto");
        assert_eq!(guarded("Foto Nord"), "Foto Nord");
    }
}
