//! Importing old accounts from a file, one row a product: all of it or nothing, every fault with its row.

use std::collections::BTreeMap;

use crate::domain::access::ServiceAccess;
use crate::domain::event::Event;
use crate::domain::legacy_migration::{LegacyAccountId, LegacyProductId};
use crate::domain::member_number::number_key;
use crate::domain::values::{Date, Email, tidied_line};
use crate::error::{Error, Fault, FaultCode, Result};
use crate::repository::legacy_migration::{self as legacy, LegacyAccount, LegacyProduct};
use crate::repository::{DbConn, events};
use crate::workflows::Context;
use crate::workflows::csv_file::{Column, Row, optional, required, rows};

const COLUMNS: [Column; 8] = [
    required("email"),
    required("member_number"),
    required("legacy_reference"),
    required("model"),
    optional("serial_number"),
    optional("purchase_date"),
    optional("purchase_country"),
    optional("dealer"),
];
/// More rows than this no file has.
const MOST_ROWS: usize = 200_000;

/// An old account as its rows describe it; the first of them is where its faults stand.
struct Described {
    account: LegacyAccount,
    /// Its member number, as it is compared; none where it could not be read, which is a fault then.
    number_key: Option<String>,
    products: Vec<LegacyProduct>,
    first: Row,
}

/// Stores the old accounts of a file. How many accounts and products.
pub fn import(
    conn: &mut DbConn,
    context: &Context,
    service: ServiceAccess,
    text: &str,
) -> Result<(usize, usize)> {
    let rows = rows(text, &COLUMNS, MOST_ROWS).map_err(Error::invalid)?;
    let mut faults = Vec::new();
    let mut described: BTreeMap<String, Described> = BTreeMap::new();
    for row in rows {
        let Some(email) = row.value::<Email>("email", &mut faults) else {
            // It belongs to no account; what else is wrong with it is told all the same.
            let nobody = LegacyAccountId::new(context.now);
            read_product(context, &row, nobody, &mut faults);
            continue;
        };
        let key = read_number(&row, &mut faults);
        let entry = described
            .entry(email.key())
            .or_insert_with(|| describe(context, &email, &key, &row));
        if key.is_some() && key != entry.number_key {
            faults.push(row.fault("member_number", FaultCode::NotUnique));
        }
        let product = read_product(context, &row, entry.account.id, &mut faults);
        let is_same = |one: &LegacyProduct| one.legacy_reference == product.legacy_reference;
        if entry.products.iter().any(is_same) {
            faults.push(row.fault("legacy_reference", FaultCode::Duplicate));
        } else {
            entry.products.push(product);
        }
    }
    let stored = store(conn, described, &mut faults)?;
    if !faults.is_empty() {
        return Err(Error::invalid(faults));
    }
    events::record(conn, &service.stamp(context.now), &[imported(stored)])?;
    Ok(stored)
}

/// The member number of a row, as it is compared.
fn read_number(row: &Row, faults: &mut Vec<Fault>) -> Option<String> {
    let typed = row.line::<40>("member_number", faults)?;
    let key = number_key(&typed);
    if key.is_none() {
        faults.push(row.fault("member_number", FaultCode::Pattern));
    }
    key
}

/// Stores old accounts and their products, and says how many of each; one whose address is taken is a fault.
fn store(
    conn: &mut DbConn,
    described: BTreeMap<String, Described>,
    faults: &mut Vec<Fault>,
) -> Result<(usize, usize)> {
    let mut stored = (0, 0);
    for one in described.into_values() {
        let number_key = one.number_key.unwrap_or_default();
        if legacy::insert(conn, &one.account, &number_key)?.is_stored() {
            legacy::insert_products(conn, &one.products)?;
            stored = (stored.0 + 1, stored.1 + one.products.len());
        } else {
            faults.push(one.first.fault("email", FaultCode::Duplicate));
        }
    }
    Ok(stored)
}

fn imported((accounts, products): (usize, usize)) -> Event {
    let count = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
    Event::LegacyAccountsImported {
        accounts: count(accounts),
        products: count(products),
    }
}

fn describe(context: &Context, email: &Email, key: &Option<String>, row: &Row) -> Described {
    let account = LegacyAccount {
        id: LegacyAccountId::new(context.now),
        email: email.to_string(),
        email_key: email.key(),
        member_number: tidied_line(row.get("member_number").unwrap_or_default()),
        created_at: context.now,
    };
    Described {
        account,
        number_key: key.clone(),
        products: Vec::new(),
        first: row.clone(),
    }
}

fn read_product(
    context: &Context,
    row: &Row,
    account: LegacyAccountId,
    faults: &mut Vec<Fault>,
) -> LegacyProduct {
    LegacyProduct {
        id: LegacyProductId::new(context.now),
        legacy_account_id: account,
        legacy_reference: row
            .line::<100>("legacy_reference", faults)
            .unwrap_or_default(),
        model: row.line::<100>("model", faults).unwrap_or_default(),
        serial_number: row.line::<64>("serial_number", faults),
        purchase_date: row.value("purchase_date", faults).map(Date::day),
        purchase_country: row.value("purchase_country", faults),
        dealer: row.line::<200>("dealer", faults),
        result: None,
        product_id: None,
    }
}
