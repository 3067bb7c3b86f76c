//! Every member number that was ever given out, those of the old programme included, and whose it is.

use diesel::prelude::*;

use super::DbConn;
use super::schema::{legacy_takeovers, member_numbers};
use crate::domain::account::AccountId;
use crate::domain::legacy_migration::LegacyAccountId;
use crate::domain::member_number::MemberNumber;
use crate::domain::membership::MembershipId;
use crate::each;
use crate::error::Result;
use crate::types::Instant;

/// More earlier numbers than this no account has.
const MOST: i64 = 100;

/// Gives a number to an account; false where somebody had it before, which a second draw mends.
pub fn claim(
    conn: &mut DbConn,
    number: &MemberNumber,
    account_id: AccountId,
    now: Instant,
) -> Result<bool> {
    let claimed = each!(conn, c => diesel::insert_into(member_numbers::table)
        .values((
            member_numbers::number.eq(number.as_str()),
            member_numbers::account_id.eq(account_id),
            member_numbers::created_at.eq(now),
        ))
        .on_conflict_do_nothing()
        .execute(c))?;
    Ok(claimed == 1)
}

/// Names the membership that a number came with.
pub fn assign(conn: &mut DbConn, number: &str, membership: MembershipId) -> Result<()> {
    diesel::update(member_numbers::table.find(number))
        .set(member_numbers::membership_id.eq(membership))
        .execute(conn)?;
    Ok(())
}

/// The legacy accounts whose products an account has taken over.
fn taken_over(conn: &mut DbConn, account_id: AccountId) -> Result<Vec<LegacyAccountId>> {
    Ok(legacy_takeovers::table
        .filter(legacy_takeovers::account_id.eq(account_id))
        .filter(legacy_takeovers::migrated_at.is_not_null())
        .select(legacy_takeovers::legacy_account_id)
        .limit(MOST)
        .load(conn)?)
}

/// The numbers of an account, of legacy accounts that it took over too; oldest first.
pub fn of_account(conn: &mut DbConn, account_id: AccountId) -> Result<Vec<String>> {
    let legacy = taken_over(conn, account_id)?.into_iter().map(Some);
    let own = member_numbers::account_id.eq(account_id);
    let inherited = member_numbers::legacy_account_id.eq_any(legacy);
    Ok(member_numbers::table
        .filter(own.or(inherited).assume_not_null())
        .order((member_numbers::created_at, member_numbers::number))
        .select(member_numbers::number)
        .limit(MOST)
        .load(conn)?)
}

/// The first of `spellings` that was ever given out, and the account that it leads to: none while nobody took its legacy
/// account over.
pub fn resolve(
    conn: &mut DbConn,
    spellings: &[String],
) -> Result<Option<(String, Option<AccountId>)>> {
    type Found = (String, Option<AccountId>, Option<LegacyAccountId>);
    let mut found: Vec<Found> = member_numbers::table
        .filter(member_numbers::number.eq_any(spellings))
        .select((
            member_numbers::number,
            member_numbers::account_id,
            member_numbers::legacy_account_id,
        ))
        .limit(MOST)
        .load(conn)?;
    found.sort_by_key(|(number, ..)| spellings.iter().position(|one| one == number));
    let Some((number, account_id, legacy)) = found.into_iter().next() else {
        return Ok(None);
    };
    let account_id = match (account_id, legacy) {
        (Some(account_id), _) => Some(account_id),
        (None, Some(legacy)) => legacy_takeovers::table
            .find(legacy)
            .filter(legacy_takeovers::migrated_at.is_not_null())
            .select(legacy_takeovers::account_id)
            .first(conn)
            .optional()?,
        (None, None) => None,
    };
    Ok(Some((number, account_id)))
}
