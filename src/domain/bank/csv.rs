//! Statements of banks that write no camt: rows with a balance each, which proves them one by one. Reading the file is not here.

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::camt::Header;
use super::{BankAmount, Detail, Entry, Party};
use crate::domain::money::{Amount, Currency};

/// One row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    pub account: String,
    pub booking_date: NaiveDate,
    pub value_date: Option<NaiveDate>,
    /// Negative where it goes out.
    pub amount: Amount,
    pub currency: Currency,
    /// What the account holds behind it.
    pub balance: Amount,
    pub reference: Option<String>,
    pub text: Option<String>,
    pub payer_name: Option<String>,
    pub payer_account: Option<String>,
    pub bank_reference: Option<String>,
}

/// The statements that rows make: one for each account, wherever its rows stand. Where a balance is not the one before it with the amount, there is no
/// closing balance, so that nothing proves the statement.
pub fn statements(rows: Vec<Row>) -> Vec<(Header, Vec<Entry>)> {
    let mut statements: Vec<(Header, Vec<Entry>)> = Vec::new();
    for row in rows {
        let before = row.balance.0.checked_sub(row.amount.0).map(decimal);
        let is_same = |(header, _): &&mut (Header, Vec<Entry>)| {
            header.account == row.account && header.currency == Some(row.currency)
        };
        match statements.iter_mut().find(is_same) {
            Some((header, entries)) => {
                let goes_on = header.closing.is_some() && header.closing == before;
                header.closing = goes_on.then(|| decimal(row.balance.0));
                header.to = header.to.max(Some(row.booking_date));
                entries.push(entry(row));
            }
            None => statements.push((begun(&row, before), vec![entry(row)])),
        }
    }
    statements
}

fn decimal(cents: i64) -> Decimal {
    Decimal::new(cents, 2)
}

fn begun(row: &Row, opening: Option<Decimal>) -> Header {
    Header {
        account: row.account.clone(),
        currency: Some(row.currency),
        page: 1,
        is_last_page: true,
        from: Some(row.booking_date),
        to: Some(row.booking_date),
        opening,
        closing: opening.map(|_| decimal(row.balance.0)),
        ..Header::default()
    }
}

fn entry(row: Row) -> Entry {
    let other = Party {
        name: row.payer_name,
        account: row.payer_account,
    };
    let is_credit = row.amount.0 >= 0;
    let (debtor, creditor) = match is_credit {
        true => (other, Party::default()),
        false => (Party::default(), other),
    };
    let amount = BankAmount::of_cents(row.amount.0);
    Entry {
        amount,
        currency: row.currency,
        is_credit,
        is_reversal: false,
        is_booked: true,
        booking_date: Some(row.booking_date),
        value_date: row.value_date,
        bank_reference: row.bank_reference,
        text: None,
        payments: None,
        balance: Some(decimal(row.balance.0)),
        details: vec![Detail {
            amount: Some((amount, row.currency)),
            reference: row.reference,
            texts: row.text.into_iter().collect(),
            debtor,
            creditor,
            ..Detail::default()
        }],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::bank::{Balance, Sums, balance, entry_lines, fingerprint};

    fn row(account: &str, amount: &str, balance: &str) -> Row {
        Row {
            account: account.to_owned(),
            booking_date: "2026-12-22".parse().unwrap(),
            value_date: None,
            amount: amount.parse().unwrap(),
            currency: Currency::DKK,
            balance: balance.parse().unwrap(),
            reference: None,
            text: Some("RF55CPS2026000001".to_owned()),
            payer_name: Some("Foto Ærø ApS".to_owned()),
            payer_account: None,
            bank_reference: None,
        }
    }

    #[test]
    fn each_balance_proves_its_row() {
        let rows = vec![
            row("A", "350.00", "1350.00"),
            row("A", "-50.00", "1300.00"),
            row("B", "1.00", "1.00"),
        ];
        let made = statements(rows);
        assert_eq!(made.len(), 2);
        let (header, entries) = &made[0];
        assert_eq!(header.opening, Some(Decimal::new(1000, 0)));
        assert_eq!(header.closing, Some(Decimal::new(1300, 0)));
        let sums = entries.iter().fold(Sums::default(), |sums, entry| {
            sums.plus(entry.signed(), false).unwrap()
        });
        let proven = balance(header.opening.unwrap(), sums, header.closing.unwrap());
        assert_eq!(proven, Balance::Booked);
        let cents: Vec<_> = entries
            .iter()
            .flat_map(entry_lines)
            .map(|line| line.cents)
            .collect();
        assert_eq!(cents, [Some(35000), Some(-5000)]);
        let line = &entry_lines(&entries[1])[0];
        assert_eq!(line.payer.name.as_deref(), Some("Foto Ærø ApS"));
    }

    #[test]
    fn the_rows_of_an_account_are_one_statement_wherever_they_stand() {
        let rows = vec![
            row("A", "350.00", "350.00"),
            row("B", "1.00", "1.00"),
            row("A", "350.00", "700.00"),
        ];
        let made = statements(rows);
        let ends: Vec<_> = made.iter().map(|(header, _)| header.closing).collect();
        assert_eq!(ends, [Some(Decimal::new(700, 0)), Some(Decimal::new(1, 0))]);
        let told: Vec<String> = made[0]
            .1
            .iter()
            .flat_map(entry_lines)
            .map(|line| fingerprint("A", &line))
            .collect();
        assert_ne!(told[0], told[1], "their balances tell them apart");
    }

    #[test]
    fn a_row_that_is_missing_leaves_nothing_proven() {
        let rows = vec![
            row("A", "350.00", "1350.00"),
            row("A", "1.00", "1352.00"),
            row("A", "-1.00", "1351.00"),
        ];
        let made = statements(rows);
        assert_eq!((made.len(), made[0].0.closing), (1, None));
        assert_eq!(made[0].1.len(), 3);
    }
}
