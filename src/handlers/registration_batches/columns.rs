//! The columns of a batch as a CSV file: its header, and a record as the JSON of one line. What a line may say is in its schema.

use serde_json::{Map, Value};

use crate::domain::json::pointer_of;
use crate::error::{Fault, FaultCode};
use crate::workflows::csv_file::{cells, separator, unguarded};

/// What a line may have, in the order in which we write it.
pub const FIELDS: [&str; 16] = [
    "verb",
    "external_id",
    "of",
    "member_number",
    "account_number",
    "vat_number",
    "vat_country",
    "email",
    "model_id",
    "gtin",
    "manufacturer_code",
    "model",
    "serial_number",
    "purchase_date",
    "purchase_country",
    "returned_date",
];
/// What we write beside it, so that a file of results can be mended and sent again.
pub const RESULTS: [&str; 5] = ["line", "status", "code", "error", "registration_id"];
/// What tells a spreadsheet the separator, in a line before the header.
const SEPARATOR_LINE: &str = "sep=";

/// The columns that a file has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Columns {
    separator: char,
    /// Nothing for those of results, and for those without a name.
    names: Vec<Option<&'static str>>,
}

impl Columns {
    /// The columns of a header; none where the line only tells a spreadsheet the separator. Every fault of it otherwise.
    pub fn of_header(number: i64, text: &str) -> Result<Option<Self>, Vec<Fault>> {
        if number == 1 && text.trim_end().starts_with(SEPARATOR_LINE) {
            return Ok(None);
        }
        let separator = separator(text);
        let cells = cells(text, separator).ok_or_else(|| line_break(number))?;
        let sent: Vec<String> = cells.iter().map(|it| it.trim().to_lowercase()).collect();
        let (mut names, mut faults) = (Vec::new(), Vec::new());
        for name in &sent {
            let fault = |code| Fault::new(format!("#/header/{}", pointer_of(name)), code);
            match FIELDS.iter().find(|field| **field == name.as_str()) {
                Some(field) if names.contains(&Some(*field)) => {
                    faults.push(fault(FaultCode::NotUnique));
                }
                Some(field) => names.push(Some(*field)),
                None if name.is_empty() || RESULTS.contains(&name.as_str()) => names.push(None),
                None => faults.push(fault(FaultCode::Unknown)),
            }
        }
        let missing = missing(&names).into_iter();
        faults.extend(missing.map(|it| Fault::new(format!("#/header/{it}"), FaultCode::Required)));
        match faults.is_empty() {
            true => Ok(Some(Self { separator, names })),
            false => Err(faults),
        }
    }

    /// What a record says, a text a field; a cell that is blank says nothing.
    pub fn read(&self, number: i64, text: &str) -> Result<Value, Vec<Fault>> {
        let cells = cells(text, self.separator).ok_or_else(|| line_break(number))?;
        let mut fields = Map::new();
        for (at, cell) in cells.iter().enumerate() {
            let is_blank = cell.trim().is_empty();
            match self.names.get(at) {
                Some(Some(name)) if !is_blank => {
                    fields.insert((*name).to_owned(), unguarded(cell).trim().into());
                }
                None if !is_blank => {
                    let fault = Fault::new(format!("#/lines/{number}"), FaultCode::TooMany);
                    return Err(vec![fault.with("max", self.names.len())]);
                }
                _ => {}
            }
        }
        Ok(Value::Object(fields))
    }

    /// The names of what lines may have, in the order of the file.
    pub fn into_names(self) -> Vec<String> {
        let names = self.names.into_iter().flatten();
        names.map(str::to_owned).collect()
    }
}

fn line_break(number: i64) -> Vec<Fault> {
    let fault = Fault::new(format!("#/lines/{number}"), FaultCode::LineBreak);
    vec![fault]
}

/// What no line can do without: where no column names a verb, all of them register.
fn missing(names: &[Option<&'static str>]) -> Vec<&'static str> {
    let has = |name: &&str| names.contains(&Some(*name));
    let wanted: &[&str] = match has(&"verb") {
        true => &["external_id"],
        false => &["external_id", "serial_number", "purchase_date"],
    };
    let missing = wanted.iter().filter(|name| !has(name));
    missing.copied().collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::registration::SentLine;

    fn columns(header: &str) -> Columns {
        Columns::of_header(1, header).unwrap().unwrap()
    }

    fn faults(header: &str) -> Vec<(String, FaultCode)> {
        let faults = Columns::of_header(1, header).unwrap_err().into_iter();
        faults.map(|fault| (fault.pointer, fault.code)).collect()
    }

    #[test]
    fn a_file_of_a_danish_excel_is_read() {
        let columns = columns("External_ID;Model;Serial_Number;Purchase_Date;;");
        let read = columns.read(2, "F-1;\"EOS R6; \"\"kit\"\"\";'-12; ;;");
        let wanted =
            json!({ "external_id": "F-1", "model": "EOS R6; \"kit\"", "serial_number": "-12" });
        assert_eq!(read, Ok(wanted));
    }

    #[test]
    fn a_file_has_a_column_for_each_field_of_a_line() {
        let schema = json!(<SentLine as utoipa::PartialSchema>::schema());
        let fields = schema["properties"].as_object().unwrap().keys();
        let fields: std::collections::BTreeSet<&str> = fields.map(String::as_str).collect();
        assert_eq!(fields, FIELDS.into());
    }

    #[test]
    fn what_is_wrong_with_a_header_comes_at_once() {
        let wanted = [
            ("#/header/serial", FaultCode::Unknown),
            ("#/header/model", FaultCode::NotUnique),
            ("#/header/serial_number", FaultCode::Required),
        ];
        assert_eq!(
            faults("external_id,model,serial,purchase_date,model"),
            wanted.map(|(at, code)| (at.to_owned(), code))
        );
        let returns = columns("external_id,verb,of,status,code,error");
        assert_eq!(returns.into_names(), ["external_id", "verb", "of"]);
        assert_eq!(Columns::of_header(1, "sep=;"), Ok(None));
    }

    #[test]
    fn a_record_that_cannot_be_told_apart_names_its_line() {
        let columns = columns("external_id,serial_number,purchase_date");
        let code = |text| columns.read(7, text).unwrap_err().remove(0);
        let open = code("F-1,\"130210041177,2026-11-20");
        assert_eq!(
            (open.pointer.as_str(), open.code),
            ("#/lines/7", FaultCode::LineBreak)
        );
        assert_eq!(code("F-1,1,2026-11-20,x").code, FaultCode::TooMany);
        assert!(columns.read(7, "F-1,1,2026-11-20,,").is_ok());
    }
}
