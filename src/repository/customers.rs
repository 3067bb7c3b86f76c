//! Accounts in use by what a dealer may know of them. Which lines name whom is the workflow's.

use diesel::prelude::*;

use super::schema::{accounts, member_numbers, users};
use super::{DbConn, MOST_ROWS};
use crate::domain::account::{AccountId, AccountStatus};
use crate::domain::values::Country;
use crate::error::Result;

/// The accounts that these member numbers lead to, each with the number as it is compared.
pub fn of_member_numbers(conn: &mut DbConn, keys: &[&str]) -> Result<Vec<(String, AccountId)>> {
    let mut found = Vec::new();
    for some in keys.chunks(MOST_ROWS) {
        let rows: Vec<(String, AccountId)> = member_numbers::table
            .inner_join(accounts::table.on(member_numbers::account_id.eq(accounts::id.nullable())))
            .filter(member_numbers::number_key.eq_any(some))
            .filter(accounts::status.eq(AccountStatus::Active))
            .select((member_numbers::number_key, accounts::id))
            .load(conn)?;
        found.extend(rows);
    }
    Ok(found)
}

/// The accounts with these numbers.
pub fn of_account_numbers(conn: &mut DbConn, numbers: &[&str]) -> Result<Vec<(String, AccountId)>> {
    let mut found = Vec::new();
    for some in numbers.chunks(MOST_ROWS) {
        let rows: Vec<(String, AccountId)> = accounts::table
            .filter(accounts::account_number.eq_any(some))
            .filter(accounts::status.eq(AccountStatus::Active))
            .select((accounts::account_number, accounts::id))
            .load(conn)?;
        found.extend(rows);
    }
    Ok(found)
}

/// An account with a VAT number, and one of its addresses, as they are compared.
#[derive(Debug, Clone, Queryable)]
pub struct Addressed {
    pub account_id: AccountId,
    pub country: Country,
    pub vat_number: Option<String>,
    pub contact_email_key: String,
    /// That of a user.
    pub email_key: Option<String>,
}

/// The accounts of these countries with these VAT numbers, a row for each of their users.
pub fn of_vat_numbers(
    conn: &mut DbConn,
    countries: &[Country],
    numbers: &[&str],
) -> Result<Vec<Addressed>> {
    let mut found = Vec::new();
    for some in numbers.chunks(MOST_ROWS) {
        let is_user = users::account_id
            .eq(accounts::id.nullable())
            .and(users::removed_at.is_null());
        let rows: Vec<Addressed> = accounts::table
            .left_join(users::table.on(is_user))
            .filter(accounts::country.eq_any(countries))
            .filter(accounts::vat_number.eq_any(some).assume_not_null())
            .filter(accounts::status.eq(AccountStatus::Active))
            .select((
                accounts::id,
                accounts::country,
                accounts::vat_number,
                accounts::contact_email_key,
                users::email_key.nullable(),
            ))
            .load(conn)?;
        found.extend(rows);
    }
    Ok(found)
}
