//! What the bookkeeper and the bank take as files: payments with where each cent of them went, and refunds that are to be paid.

use chrono_tz::Tz;

use super::csv_file::{Spreadsheet, amount, cell, writer};
use super::payments::{Traced, trace};
use crate::domain::calendar::local_date;
use crate::domain::payment::{RefundState, refund_reference};
use crate::error::{Error, Result};
use crate::repository::invoice_search::Owner;
use crate::repository::payments::{self, Days};
use crate::repository::{DbConn, refunds};
use crate::types::Instant;

/// How many rows are read at once.
const PAGE: i64 = 500;

/// A file that is being written.
struct Sheet {
    writer: csv::Writer<Vec<u8>>,
    reader: Option<Spreadsheet>,
}

/// What stands in a cell.
enum Cell<'a> {
    Text(&'a str),
    Cents(i64),
}

impl Sheet {
    fn new(reader: Option<Spreadsheet>, columns: &[&str]) -> Result<Self> {
        let mut writer = writer(reader);
        writer.write_record(columns).map_err(failed())?;
        Ok(Self { writer, reader })
    }

    fn row<const N: usize>(&mut self, cells: [Cell<'_>; N]) -> Result<()> {
        let written = cells.map(|one| match one {
            Cell::Text(text) => cell(text, self.reader),
            Cell::Cents(cents) => amount(cents, self.reader),
        });
        self.writer.write_record(written).map_err(failed())
    }

    fn text(self) -> Result<String> {
        let bytes = self.writer.into_inner();
        let bytes = bytes.map_err(|e| Error::internal("writing a file")(e.to_string()))?;
        String::from_utf8(bytes).map_err(Error::internal("writing a file"))
    }
}

fn failed() -> impl Fn(csv::Error) -> Error {
    Error::internal("writing a file")
}

const PAYMENT_COLUMNS: [&str; 10] = [
    "payment_id",
    "received_date",
    "account_number",
    "company_name",
    "payment_method",
    "booked_as",
    "invoice_number",
    "amount",
    "currency",
    "booked_on",
];

/// The payments of these days: a row for each cent's way, an allocation, a refund or what is open. The rows of a payment add up to it. One that was taken back
/// from its account is left out: its line stands there with whose it is.
pub fn payments(
    conn: &mut DbConn,
    days: Days,
    (reader, zone): (Option<Spreadsheet>, Tz),
) -> Result<String> {
    let mut sheet = Sheet::new(reader, &PAYMENT_COLUMNS)?;
    let mut days = Days {
        limit: PAGE,
        ..days
    };
    loop {
        let page = payments::of_days(conn, days)?;
        let Some((last, _)) = page.last() else {
            return sheet.text();
        };
        days.after = Some((last.received_date, last.id));
        let (payments, owners): (Vec<_>, Vec<_>) = page.into_iter().unzip();
        for (traced, owner) in trace(conn, payments)?.iter().zip(&owners) {
            if traced.payment.taken_back_at.is_none() {
                payment_rows(&mut sheet, traced, (owner, zone))?;
            }
        }
    }
}

fn payment_rows(sheet: &mut Sheet, traced: &Traced, (owner, zone): (&Owner, Tz)) -> Result<()> {
    let payment = &traced.payment;
    let received = payment.received_date.to_string();
    let mut row = |what: &str, invoice: &str, cents: i64, day: &str| {
        sheet.row([
            Cell::Text(&payment.id.to_string()),
            Cell::Text(&received),
            Cell::Text(&owner.account_number),
            Cell::Text(&owner.company_name),
            Cell::Text(payment.method().as_str()),
            Cell::Text(what),
            Cell::Text(invoice),
            Cell::Cents(cents),
            Cell::Text(payment.currency.as_str()),
            Cell::Text(day),
        ])
    };
    let day = |at: Instant| local_date(at, zone).to_string();
    for (placed, number) in &traced.allocations {
        let what = match placed.reverses_id {
            None => "allocation",
            Some(_) => "reversal",
        };
        row(what, number, placed.amount_cents, &day(placed.created_at))?;
    }
    let stands = |state: RefundState| state != RefundState::Failed;
    for refund in traced.refunds.iter().filter(|one| stands(one.state)) {
        row("refund", "", refund.amount_cents, &day(refund.created_at))?;
    }
    match payment.open_cents {
        0 => Ok(()),
        open => row("open", "", open, &received),
    }
}

const REFUND_COLUMNS: [&str; 7] = [
    "payee",
    "iban",
    "amount",
    "currency",
    "reference",
    "state",
    "paid_date",
];

/// The refunds in a state, or all, newest first.
pub fn refunds(
    conn: &mut DbConn,
    state: Option<RefundState>,
    reader: Option<Spreadsheet>,
) -> Result<String> {
    let mut sheet = Sheet::new(reader, &REFUND_COLUMNS)?;
    let mut before = None;
    loop {
        let page = refunds::list(conn, state, before, PAGE)?;
        let Some((last, _)) = page.last() else {
            return sheet.text();
        };
        before = Some(last.id);
        for (refund, _) in &page {
            let paid_date = refund.paid_date.map(|day| day.to_string());
            sheet.row([
                Cell::Text(refund.payee_name.as_deref().unwrap_or_default()),
                Cell::Text(refund.payee_account.as_deref().unwrap_or_default()),
                Cell::Cents(refund.amount_cents),
                Cell::Text(refund.currency.as_str()),
                Cell::Text(&refund_reference(refund.id)),
                Cell::Text(refund.state.as_str()),
                Cell::Text(paid_date.as_deref().unwrap_or_default()),
            ])?;
        }
    }
}
