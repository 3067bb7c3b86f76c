//! The rows of a CSV file as statements: every fault of them at once, by its line.

use super::reading::NotAccepted;
use crate::domain::bank::camt::{Header, Refused, Why};
use crate::domain::bank::csv::Row;
use crate::domain::bank::{Entry, csv};
use crate::domain::money::Amount;
use crate::error::{Code, Error, Fault, FaultCode, Refusal, Result};
use crate::workflows::csv_file::{Column, Row as Record, decode, optional, required, rows};

/// The most rows of a file.
const MOST_ROWS: usize = 50_000;

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
    let day = |column, faults: &mut Vec<Fault>| {
        record.parsed(column, (FaultCode::Format, "yyyy-mm-dd"), faults)
    };
    let (booking_date, value_date) = (day("booking_date", faults), day("value_date", faults));
    let currency = record.parsed("currency", (FaultCode::Format, "EUR"), faults);
    let text = |column| record.get(column).map(str::to_owned);
    let account = record.get("account")?;
    Some(Row {
        account: account.split_whitespace().collect(),
        booking_date: booking_date?,
        value_date,
        amount: sum?,
        currency: currency?,
        balance: balance?,
        reference: text("reference"),
        text: text("text"),
        payer_name: text("payer_name"),
        payer_account: text("payer_account").map(|account| account.replace(' ', "")),
        bank_reference: text("bank_reference"),
    })
}
