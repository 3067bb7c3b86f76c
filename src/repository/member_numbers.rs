//! Every member number that was ever given out, those of the old programme included, and whose it is.

use diesel::prelude::*;

use super::schema::member_numbers;
use super::{DbConn, Stored};
use crate::domain::account::AccountId;
use crate::domain::member_number::MemberNumber;
use crate::domain::membership::MembershipId;
use crate::each;
use crate::error::Result;
use crate::types::Instant;

/// More earlier numbers than this no account has.
const MOST: i64 = 100;

/// Gives a number to an account; taken where somebody had it before, which a second draw mends.
pub fn claim(
    conn: &mut DbConn,
    number: &MemberNumber,
    account_id: AccountId,
    now: Instant,
) -> Result<Stored> {
    let claimed = each!(conn, c => diesel::insert_into(member_numbers::table)
        .values((
            member_numbers::number.eq(number.as_str()),
            member_numbers::number_key.eq(number.as_str()),
            member_numbers::account_id.eq(account_id),
            member_numbers::created_at.eq(now),
        ))
        .on_conflict_do_nothing()
        .execute(c))?;
    Ok(Stored::one_of(claimed))
}

/// Names the membership that a number came with.
pub fn assign(conn: &mut DbConn, number: &str, membership: MembershipId) -> Result<()> {
    diesel::update(member_numbers::table.find(number))
        .set(member_numbers::membership_id.eq(membership))
        .execute(conn)?;
    Ok(())
}

/// The numbers of an account, oldest first; that of a legacy account is among them once its products were taken over.
pub fn of_account(conn: &mut DbConn, account_id: AccountId) -> Result<Vec<String>> {
    Ok(member_numbers::table
        .filter(member_numbers::account_id.eq(account_id))
        .order((member_numbers::created_at, member_numbers::number))
        .select(member_numbers::number)
        .limit(MOST)
        .load(conn)?)
}

/// The number that was given out with this key, and the account that it leads to: none while nobody took its legacy account over.
pub fn resolve(conn: &mut DbConn, key: &str) -> Result<Option<(String, Option<AccountId>)>> {
    Ok(member_numbers::table
        .filter(member_numbers::number_key.eq(key))
        .select((member_numbers::number, member_numbers::account_id))
        .first(conn)
        .optional()?)
}
