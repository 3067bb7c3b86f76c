//! The tokens that open an application: the one that registering returned, kept with its account, and those that were mailed.

use diesel::prelude::*;

use super::DbConn;
use super::accounts::Account;
use super::held::Held;
use super::schema::{accounts, applicant_tokens};
use super::sweeping::{self, SweepText, sweep_text};
use crate::domain::account::{AccountId, AccountStatus};
use crate::domain::applicant_token::TokenFacts;
use crate::error::Result;
use crate::types::Instant;

/// A token, found by its hash.
#[derive(Debug, Clone, Copy)]
pub struct FoundToken {
    pub account_id: AccountId,
    /// Whether it came by mail, so that its bearer has the mailbox.
    pub is_mailed: bool,
    pub facts: TokenFacts,
}

/// Of the account: id, status, when the token was made, when the application was decided.
type Row = (
    AccountId,
    AccountStatus,
    Instant,
    Option<Instant>,
    Option<Instant>,
);

fn found(is_mailed: bool) -> impl Fn(Row) -> FoundToken {
    move |(account_id, status, created_at, approved_at, ended_at)| FoundToken {
        account_id,
        is_mailed,
        facts: TokenFacts {
            created_at,
            status,
            decided_at: approved_at.or(ended_at),
        },
    }
}

/// The token of a hash, with what decides whether it still does something.
pub fn find(conn: &mut DbConn, token_hash: &str) -> Result<Option<FoundToken>> {
    let registered: Option<Row> = accounts::table
        .filter(accounts::applicant_token_hash.eq(token_hash))
        .select((
            accounts::id,
            accounts::status,
            accounts::created_at,
            accounts::approved_at,
            accounts::ended_at,
        ))
        .first(conn)
        .optional()?;
    if let Some(row) = registered {
        return Ok(Some(found(false)(row)));
    }
    let mailed: Option<Row> = applicant_tokens::table
        .find(token_hash)
        .inner_join(accounts::table)
        .select((
            accounts::id,
            accounts::status,
            applicant_tokens::created_at,
            accounts::approved_at,
            accounts::ended_at,
        ))
        .first(conn)
        .optional()?;
    Ok(mailed.map(found(true)))
}

/// Whether a token was mailed for a held account and still stands.
pub fn is_mailed(conn: &mut DbConn, account: &Held<Account>, token_hash: &str) -> Result<bool> {
    let mailed = applicant_tokens::table
        .find(token_hash)
        .filter(applicant_tokens::account_id.eq(account.id));
    Ok(diesel::select(diesel::dsl::exists(mailed)).get_result(conn)?)
}

/// Stores a token that is mailed to the contact of an account; those before it stay good.
pub fn insert(
    conn: &mut DbConn,
    account_id: AccountId,
    token_hash: &str,
    now: Instant,
) -> Result<()> {
    diesel::insert_into(applicant_tokens::table)
        .values((
            applicant_tokens::token_hash.eq(token_hash),
            applicant_tokens::account_id.eq(account_id),
            applicant_tokens::created_at.eq(now),
        ))
        .execute(conn)?;
    Ok(())
}

/// Ends the tokens that were mailed for a held account: they went to another address.
pub fn end_mailed(conn: &mut DbConn, account: &Held<Account>) -> Result<()> {
    let mailed = applicant_tokens::table.filter(applicant_tokens::account_id.eq(account.id));
    diesel::delete(mailed).execute(conn)?;
    Ok(())
}

const SWEEP: SweepText = sweep_text!("applicant_tokens", "token_hash", "created_at < $1");

/// Forgets at most `limit` tokens that were mailed before `before`; how many there were.
pub fn sweep(conn: &mut DbConn, before: Instant, limit: i64) -> Result<usize> {
    sweeping::sweep(conn, &SWEEP, before, limit)
}
