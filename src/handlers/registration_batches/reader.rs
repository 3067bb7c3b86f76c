//! From the bytes of a batch to its lines, each as the JSON of one line, as they come: CSV and NDJSON. A whole JSON body is in `whole`.

use serde_json::Value;

use super::columns::{Columns, RESULTS};
use super::lines::{Cutter, MOST_BYTES, PhysicalLine};
use crate::domain::json;
use crate::domain::partner::DealerRules;
use crate::error::{Code, Error, Fault, FaultCode};
use crate::workflows::csv_file::{Encoding, decode};

/// One line as it was sent.
#[derive(Debug, Clone, PartialEq)]
pub struct NumberedLine {
    /// Which line of the file it is, from 1; of a JSON body its place.
    pub number: i64,
    /// What it says; the code of why nobody can tell.
    pub json: Result<Value, Code>,
}

/// How lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A header, then a record a line; in the encoding that was announced.
    Csv(Option<Encoding>),
    /// A JSON object a line.
    Ndjson,
}

/// What is known of the header of a CSV file.
enum Header {
    Awaited,
    /// By what is wrong with it no line can be read.
    Faulty,
    Read(Columns),
}

/// Reads a batch piece by piece, and holds one line at most.
pub struct Reader {
    format: Format,
    cutter: Cutter,
    header: Header,
    lines: usize,
    most: usize,
    faults: Vec<Fault>,
}

/// What is known of a batch at its end.
#[derive(Debug, Clone, PartialEq)]
pub struct Whole {
    /// The names of its columns, in their order; none of a batch that is no CSV file.
    pub columns: Option<Vec<String>>,
    pub lines: usize,
}

impl Reader {
    /// A reader of a format, of at most as many lines as the programme allows.
    pub fn new(format: Format, rules: &DealerRules) -> Self {
        Self {
            format,
            cutter: Cutter::default(),
            header: Header::Awaited,
            lines: 0,
            most: usize::try_from(rules.lines_per_batch).unwrap_or(usize::MAX),
            faults: Vec::new(),
        }
    }

    /// The lines that end in `piece`; none any more once a fault was found.
    pub fn take(&mut self, piece: &[u8]) -> Vec<NumberedLine> {
        let lines = self.cutter.take(piece);
        self.read_all(lines)
    }

    /// The last line, and what the whole is; every fault of the file where it has one.
    pub fn finish(mut self) -> Result<(Vec<NumberedLine>, Whole), Error> {
        let rest = self.cutter.rest();
        let last = self.read_all(rest);
        if self.lines == 0 && self.faults.is_empty() {
            self.refuse("#/lines".to_owned(), FaultCode::TooFew, 1);
        }
        if !self.faults.is_empty() {
            return Err(Error::invalid(self.faults));
        }
        let whole = Whole {
            columns: match self.header {
                Header::Read(columns) => Some(columns.into_names()),
                Header::Awaited | Header::Faulty => None,
            },
            lines: self.lines,
        };
        Ok((last, whole))
    }

    fn refuse(&mut self, pointer: String, code: FaultCode, bound: usize) {
        let name = match code {
            FaultCode::TooFew => "min",
            _ => "max",
        };
        self.faults
            .push(Fault::new(pointer, code).with(name, bound));
    }

    fn read_all(&mut self, lines: impl IntoIterator<Item = PhysicalLine>) -> Vec<NumberedLine> {
        let filled = lines.into_iter().filter(|line| !line.is_blank());
        let mut sent = Vec::new();
        for line in filled {
            sent.extend(self.read(line));
        }
        match self.faults.is_empty() {
            true => sent,
            false => Vec::new(),
        }
    }

    fn read(&mut self, line: PhysicalLine) -> Option<NumberedLine> {
        let at = || format!("#/lines/{}", line.number);
        let Some(bytes) = &line.bytes else {
            self.refuse(at(), FaultCode::TooLong, MOST_BYTES);
            return None;
        };
        let encoding = match self.format {
            Format::Csv(Some(announced)) => announced,
            Format::Csv(None) | Format::Ndjson => Encoding::Utf8,
        };
        let Some(text) = decode(bytes, Some(encoding)).map(|decoded| decoded.text) else {
            self.faults.push(Fault::new(at(), FaultCode::NotUtf8));
            return None;
        };
        let text = text.trim_start_matches('\u{feff}');
        let json = match self.format {
            Format::Ndjson => of_json(text),
            Format::Csv(_) => self.of_record(line.number, text)?,
        };
        self.lines += 1;
        if self.lines == self.most.saturating_add(1) {
            self.refuse("#/lines".to_owned(), FaultCode::TooMany, self.most);
        }
        let number = line.number;
        Some(NumberedLine { number, json })
    }

    /// What a record of a CSV file says; nothing of its header, and of one that cannot be told apart.
    fn of_record(&mut self, number: i64, text: &str) -> Option<Result<Value, Code>> {
        let read = match &self.header {
            Header::Faulty => return None,
            Header::Read(columns) => columns.read(number, text),
            Header::Awaited => {
                self.read_header(number, text);
                return None;
            }
        };
        match read {
            Ok(json) => Some(Ok(json)),
            Err(faults) => {
                self.faults.extend(faults);
                None
            }
        }
    }

    fn read_header(&mut self, number: i64, text: &str) {
        match Columns::of_header(number, text) {
            Ok(None) => {}
            Ok(Some(columns)) => self.header = Header::Read(columns),
            Err(faults) => {
                self.faults.extend(faults);
                self.header = Header::Faulty;
            }
        }
    }
}

fn of_json(text: &str) -> Result<Value, Code> {
    match json::of_bytes(text.as_bytes()) {
        Ok(line) => Ok(without_results(line)),
        Err(Error::Refused(refusal)) => Err(refusal.code),
        Err(_) => Err(Code::MalformedRequest),
    }
}

/// What a line says, without the results that we write beside it.
pub fn without_results(mut line: Value) -> Value {
    if let Value::Object(fields) = &mut line {
        fields.retain(|name, _| !RESULTS.contains(&name.as_str()));
    }
    line
}
