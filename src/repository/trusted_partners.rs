//! Whom customers trust, at rest: what such a partner reports is theirs at once.

use std::collections::HashSet;

use diesel::prelude::*;

use super::schema::{partners, trusted_partners};
use super::{DbConn, Held, MOST_ROWS, MultiBackend, Stored};
use crate::domain::access::AccountAccess;
use crate::domain::account::AccountId;
use crate::domain::partner::{PartnerId, PartnerStatus};
use crate::domain::values::Country;
use crate::each;
use crate::error::Result;
use crate::repository::accounts::Account;
use crate::types::Instant;

/// What customers learn of a partner.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = partners, check_for_backend(MultiBackend))]
pub struct NamedPartner {
    pub id: PartnerId,
    pub name: String,
    pub country: Country,
}

/// A partner that an account trusts, and since when.
pub type Trusted = (NamedPartner, Instant);

/// The partners that an account trusts behind `after`, in the order of their ids.
pub fn list(
    conn: &mut DbConn,
    access: &AccountAccess,
    after: Option<PartnerId>,
    limit: i64,
) -> Result<Vec<Trusted>> {
    let mut query = trusted_partners::table
        .inner_join(partners::table)
        .filter(trusted_partners::account_id.eq(access.account_id()))
        .select((NamedPartner::as_select(), trusted_partners::since))
        .into_boxed();
    if let Some(after) = after {
        query = query.filter(trusted_partners::partner_id.gt(after));
    }
    let ordered = query.order(trusted_partners::partner_id);
    Ok(ordered.limit(limit).load(conn)?)
}

/// Since when an account trusts a partner.
pub fn since(
    conn: &mut DbConn,
    account: &Held<Account>,
    partner: PartnerId,
) -> Result<Option<Instant>> {
    Ok(trusted_partners::table
        .find((account.id, partner))
        .select(trusted_partners::since)
        .first(conn)
        .optional()?)
}

/// A partner whose systems may report.
pub fn find_active(conn: &mut DbConn, id: PartnerId) -> Result<Option<NamedPartner>> {
    Ok(partners::table
        .find(id)
        .filter(partners::status.eq(PartnerStatus::Active))
        .select(NamedPartner::as_select())
        .first(conn)
        .optional()?)
}

/// Has a held account trust a partner; taken where it does already.
pub fn insert(
    conn: &mut DbConn,
    account: &Held<Account>,
    partner: PartnerId,
    now: Instant,
) -> Result<Stored> {
    let row = (
        trusted_partners::account_id.eq(account.id),
        trusted_partners::partner_id.eq(partner),
        trusted_partners::since.eq(now),
    );
    let stored = each!(conn, c => diesel::insert_into(trusted_partners::table).values(row).on_conflict_do_nothing().execute(c))?;
    Ok(Stored::one_of(stored))
}

/// Ends the trust of a held account in a partner; whether there was any.
pub fn delete(conn: &mut DbConn, account: &Held<Account>, partner: PartnerId) -> Result<bool> {
    let row = trusted_partners::table.find((account.id, partner));
    Ok(diesel::delete(row).execute(conn)? > 0)
}

/// Which of these accounts trust a partner.
pub fn of_accounts(
    conn: &mut DbConn,
    partner: PartnerId,
    accounts: &[AccountId],
) -> Result<HashSet<AccountId>> {
    let mut found = HashSet::new();
    for some in accounts.chunks(MOST_ROWS) {
        let rows: Vec<AccountId> = trusted_partners::table
            .filter(trusted_partners::account_id.eq_any(some))
            .filter(trusted_partners::partner_id.eq(partner))
            .select(trusted_partners::account_id)
            .load(conn)?;
        found.extend(rows);
    }
    Ok(found)
}
