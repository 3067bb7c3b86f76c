//! The rows of a CSV file as statements: every fault of them at once, by its line.

use super::reading::NotAccepted;
use crate::domain::bank::camt::{Header, Refused, Why};
use crate::domain::bank::csv::Row;
use crate::domain::bank::{Entry, csv};
use crate::domain::money::Amount;
use crate::domain::values::{Date, Line, Value};
use crate::error::{Code, Error, Fault, FaultCode, Refusal, Result};
use crate::workflows::csv_file::{Column, Row as Record, decode, optional, required, rows};

/// The most rows of a file.
const MOST_ROWS: usize = 50_000;
/// The most characters of what a line or an account is called by, and of any other text.
const LONGEST_KEY: usize = 140;
const LONGEST_TEXT: usize = 500;

const COLUMNS: [Column; 11] = [
    required("account"),
    required("booking_date"),
    optional("value_date"),
    required("amount"),
    required("currency"),
    required("balance"),
    optional("reference"),
    optional("text"),
    optional("payer_name"),
    optional("payer_account"),
    optional("bank_reference"),
];

/// The statements that the bytes of a CSV file make.
pub fn statements(bytes: &[u8]) -> Result<Vec<(Header, Vec<Entry>)>> {
    let refused = |why| Error::from(NotAccepted(Refused { line: 1, why }));
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(refused(Why::Empty));
    }
    let file = decode(bytes, None).ok_or_else(|| refused(Why::Encoding))?;
    let records = rows(&file.text, &COLUMNS, MOST_ROWS).map_err(not_accepted)?;
    let mut faults = Vec::new();
    let read: Vec<Option<Row>> = records
        .iter()
        .map(|record| csv_row(record, &mut faults))
        .collect();
    match read.into_iter().collect::<Option<Vec<Row>>>() {
        Some(rows) if faults.is_empty() => Ok(csv::statements(rows)),
        _ => Err(not_accepted(faults)),
    }
}

fn not_accepted(faults: Vec<Fault>) -> Error {
    let line = |fault: &Fault| {
        let number = fault.pointer.strip_prefix("#/rows/")?.split('/').next()?;
        number.parse::<usize>().ok()
    };
    let first = faults.first().and_then(line).unwrap_or(1);
    let placed = faults.into_iter().map(|fault| Fault {
        pointer: fault.pointer.replacen("#/rows/", "#/line/", 1),
        ..fault
    });
    Refusal::from(Code::StatementNotAccepted)
        .with("why", Why::Value)
        .with("line", first)
        .faults(placed.collect())
        .into()
}

fn csv_row(record: &Record, faults: &mut Vec<Fault>) -> Option<Row> {
    let amount = |column, faults: &mut Vec<Fault>| {
        record.parsed::<Amount>(column, (FaultCode::Format, "-350.00"), faults)
    };
    let (sum, balance) = (amount("amount", faults), amount("balance", faults));
    let day = |column, faults: &mut Vec<Fault>| record.value::<Date>(column, faults);
    let (booking_date, value_date) = (day("booking_date", faults), day("value_date", faults));
    let currency = record.parsed("currency", (FaultCode::Format, "EUR"), faults);
    let account = line::<LONGEST_KEY>(record, "account", faults);
    let reference = line::<LONGEST_KEY>(record, "reference", faults);
    let payer_account = line::<LONGEST_KEY>(record, "payer_account", faults);
    let bank_reference = line::<LONGEST_KEY>(record, "bank_reference", faults);
    let text = line::<LONGEST_TEXT>(record, "text", faults);
    let payer_name = line::<LONGEST_TEXT>(record, "payer_name", faults);
    Some(Row {
        account: without_blanks(&account?).to_uppercase(),
        booking_date: booking_date?.day(),
        value_date: value_date.map(Date::day),
        amount: sum?,
        currency: currency?,
        balance: balance?,
        reference,
        text,
        payer_name,
        payer_account: payer_account.as_deref().map(without_blanks),
        bank_reference,
    })
}

/// The text in a column; what breaks its lines counts as a blank.
fn line<const MOST: usize>(
    record: &Record,
    column: &str,
    faults: &mut Vec<Fault>,
) -> Option<String> {
    let words: Vec<&str> = record.get(column)?.split(['\r', '\n', '\t']).collect();
    let typed = words.join(" ");
    let read = typed.parse::<Line<MOST>>();
    if read.is_err() {
        faults.push(record.place(Line::<MOST>::fault(column, &typed)));
    }
    read.ok().map(String::from)
}

fn without_blanks(account: &str) -> String {
    account.split_whitespace().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str =
        "account,booking_date,value_date,amount,currency,balance,reference,text,payer_name\n";

    /// The fields that a file of one row is refused for, each with its code.
    fn faults(row: &str) -> Vec<(String, FaultCode)> {
        let file = format!("{HEADER}{row}");
        let Err(Error::Refused(refusal)) = statements(file.as_bytes()) else {
            panic!("{row} is taken");
        };
        let told = refusal.faults.into_iter();
        told.map(|fault| (fault.pointer.replace("#/line/2/", ""), fault.code))
            .collect()
    }

    #[test]
    fn a_day_is_written_in_one_way() {
        for day in ["22-12-26", "2026-1-2", "-5000-01-01", "0017-05-24"] {
            let row = format!("NL13TEST0123456789,{day},{day},1.00,EUR,1.00,,,");
            let expected = ["booking_date", "value_date"];
            let expected = expected.map(|field| (field.to_owned(), FaultCode::Format));
            assert_eq!(faults(&row), expected, "{day}");
        }
    }

    #[test]
    fn a_cell_is_a_line_of_text_with_an_end() {
        let (long, longer) = ("x".repeat(141), "y".repeat(501));
        let row = format!(
            "NL13TEST0123456789,2026-12-22,,1.00,EUR,1.00,{long},{longer},Foto\u{202e} ApS"
        );
        let expected = [
            ("reference".to_owned(), FaultCode::TooLong),
            ("text".to_owned(), FaultCode::TooLong),
            ("payer_name".to_owned(), FaultCode::Pattern),
        ];
        assert_eq!(faults(&row), expected);
        let row = "nl13 TEST 0123456789,2026-12-22,,1.00,EUR,1.00,,\"RF55\nCPS\",";
        let made = statements(format!("{HEADER}{row}").as_bytes()).unwrap();
        assert_eq!(made[0].0.account, "NL13TEST0123456789");
        assert_eq!(made[0].1[0].details[0].texts, ["RF55 CPS"]);
    }
}
