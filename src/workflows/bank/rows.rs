//! Between what a bank said and how it is stored: a statement's page and its header, a line and its row.

use rust_decimal::Decimal;

use super::importing::{NewLine, Plan};
use super::reading::Surveyed;
use crate::domain::bank::camt::Header;
use crate::domain::bank::{
    BankStatementId, BankTransactionId, Line, Party, StatementFormat, StatementState, Sums,
    TransactionState,
};
use crate::error::{Error, Result};
use crate::repository::bank_statements::BankStatement;
use crate::repository::bank_transactions::BankTransaction;
use crate::types::{Instant, Json};

fn decimal(text: &str) -> Option<Decimal> {
    Some(text).filter(|text| !text.is_empty())?.parse().ok()
}

/// What a stored page says of itself.
pub fn header(statement: &BankStatement) -> Header {
    Header {
        message_id: statement.message_id.clone(),
        statement_ref: statement.statement_ref.clone(),
        sequence: statement.sequence.clone(),
        page: u32::try_from(statement.page).unwrap_or(1),
        is_last_page: statement.last_page,
        account: statement.account.clone(),
        currency: statement.currency.parse().ok(),
        from: statement.from_date.parse().ok(),
        to: statement.to_date.parse().ok(),
        opening: decimal(&statement.opening),
        closing: decimal(&statement.closing),
    }
}

/// What the booked entries of a stored page come to.
pub fn sums(statement: &BankStatement) -> Result<Sums> {
    let read = |text: &str| {
        let unreadable = Error::internal("reading the sums of a statement");
        text.parse::<Decimal>().map_err(unreadable)
    };
    Ok(Sums {
        all: read(&statement.booked_sum)?,
        reversals: read(&statement.reversed_sum)?,
    })
}

/// A stored line as the rules take it.
pub fn line(row: &BankTransaction) -> Result<Line> {
    let amount = row.amount_text.parse();
    Ok(Line {
        amount: amount.map_err(Error::internal("reading the amount of a line"))?,
        cents: row.amount_cents,
        currency: row.currency,
        is_booked: row.state != TransactionState::Pending,
        is_reversal: row.is_reversal,
        booking_date: row.booking_date,
        value_date: row.value_date,
        bank_reference: row.bank_reference.clone(),
        end_to_end_id: row.end_to_end_id.clone(),
        reference: row.reference.clone(),
        texts: row.texts.decode()?,
        payer: Party {
            name: row.payer_name.clone(),
            account: row.payer_account.clone(),
        },
        place: 0,
        balance: None,
        has_charges: row.has_charges,
        is_batch: row.is_batch,
    })
}

fn text(value: Option<impl ToString>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

fn exact(amount: Option<Decimal>) -> String {
    text(amount.map(|amount| amount.normalize()))
}

/// The row of a page whose lines may come.
pub fn receiving(
    read: &Surveyed,
    (file_sha256, format): (&str, StatementFormat),
    (actor, now): (String, Instant),
) -> BankStatement {
    let header = &read.header;
    BankStatement {
        id: BankStatementId::new(now),
        version: 1,
        file_sha256: file_sha256.to_owned(),
        format,
        message_id: header.message_id.clone(),
        statement_ref: header.statement_ref.clone(),
        sequence: header.sequence.clone(),
        page: i64::from(header.page.max(1)),
        last_page: header.is_last_page,
        account: header.account.clone(),
        currency: text(header.currency),
        from_date: text(header.from),
        to_date: text(header.to),
        opening: exact(header.opening),
        closing: exact(header.closing),
        state: StatementState::Receiving,
        why: None,
        reversals_inverted: false,
        booked_sum: read.sums.all.to_string(),
        reversed_sum: read.sums.reversals.to_string(),
        lines_new: 0,
        lines_seen: 0,
        lines_pending: 0,
        imported_by: actor,
        created_at: now,
    }
}

/// The row of a line that was read: which one of its like it is, when it came and what is known of it.
pub fn new_line(
    plan: &Plan,
    new: &NewLine,
    (ordinal, now, known): (i64, Instant, Json),
) -> Result<BankTransaction> {
    let line = new.line.clone();
    Ok(BankTransaction {
        id: BankTransactionId::new(now),
        statement_id: plan.id,
        version: 1,
        position: plan.behind + new.position,
        account: plan.account.clone(),
        state: match line.is_booked {
            true => TransactionState::Open,
            false => TransactionState::Pending,
        },
        amount_cents: line.cents,
        amount_text: line.amount.normalize().to_string(),
        currency: line.currency,
        booking_date: line.booking_date,
        value_date: line.value_date,
        bank_reference: line.bank_reference,
        end_to_end_id: line.end_to_end_id,
        reference: line.reference,
        texts: Json::of(&line.texts)?,
        payer_name: line.payer.name,
        payer_account: line.payer.account,
        is_reversal: line.is_reversal,
        has_charges: line.has_charges,
        is_batch: line.is_batch,
        fingerprint: new.fingerprint.clone(),
        ordinal,
        evidence: known,
        reason: None,
        created_at: now,
    })
}
