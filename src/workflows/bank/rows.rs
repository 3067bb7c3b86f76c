//! Between what a bank said and how it is stored: a statement's page and its header, a line and its row.

use rust_decimal::Decimal;

use crate::domain::bank::camt::Header;
use crate::domain::bank::{Line, Party, Sums, TransactionState};
use crate::error::{Error, Result};
use crate::repository::bank_statements::BankStatement;
use crate::repository::bank_transactions::BankTransaction;

fn exact(text: &str) -> Option<Decimal> {
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
        opening: exact(&statement.opening),
        closing: exact(&statement.closing),
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
        has_charges: row.has_charges,
        is_batch: row.is_batch,
    })
}
