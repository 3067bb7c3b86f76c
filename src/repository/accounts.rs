//! Accounts at rest: from a draft application to a member's account.

use diesel::prelude::*;

use super::backend::{advisory_lock, is_duplicate};
use super::held::{Held, store, stored};
use super::like::containing;
use super::schema::accounts;
use super::{DbConn, MultiBackend};
use crate::domain::access::{AccountAccess, UserId};
use crate::domain::account::{AccountId, AccountStatus};
use crate::domain::language::Language;
use crate::domain::values::{Country, email_key};
use crate::error::{Code, Error, Result};
use crate::types::Instant;

/// One account, with the application that it came from.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = accounts, check_for_backend(MultiBackend), treat_none_as_null = true)]
pub struct Account {
    pub id: AccountId,
    pub account_number: String,
    pub status: AccountStatus,
    pub version: i64,
    pub company_name: String,
    /// The name in lower case, to search by.
    pub company_key: String,
    pub country: Country,
    pub vat_registered: bool,
    pub vat_number: Option<String>,
    pub street: String,
    pub postal_code: String,
    pub city: String,
    pub contact_name: String,
    pub contact_email: String,
    pub contact_email_key: String,
    pub contact_phone: Option<String>,
    pub legacy_cps_email: Option<String>,
    pub language: Language,
    pub source: Option<String>,
    pub authority_declared_at: Instant,
    pub authority_declared_from: String,
    pub terms_version: String,
    pub terms_accepted_at: Instant,
    pub applicant_token_hash: Option<String>,
    pub created_at: Instant,
    pub updated_at: Instant,
    pub approved_at: Option<Instant>,
    pub ended_at: Option<Instant>,
    /// What a suspended account was, and will be again.
    pub suspended_from: Option<AccountStatus>,
    /// When the contact's mailbox was first used: a token that was mailed to it wrote, or set the password.
    pub mailbox_used_at: Option<Instant>,
    /// Another address of the contact that staff ask for, and that a second member of staff has to accept.
    pub contact_email_proposed: Option<String>,
    pub contact_email_proposed_by: Option<UserId>,
}

impl Account {
    /// Whether mails to the contact may say what the form said: whoever typed the address need not own it, until the mailbox was used
    /// or the account is in use.
    pub fn may_be_named(&self) -> bool {
        self.mailbox_used_at.is_some() || self.is_in_use()
    }

    /// Whether its first password was set, suspended or not.
    pub fn is_in_use(&self) -> bool {
        [Some(self.status), self.suspended_from].contains(&Some(AccountStatus::Active))
    }

    /// The address that staff ask for and who asked, which is forgotten.
    pub fn take_proposed_email(&mut self) -> Option<(String, UserId)> {
        let by = self.contact_email_proposed_by.take();
        self.contact_email_proposed.take().zip(by)
    }

    /// Refuses an account that is not in use as `account_not_active`.
    pub fn check_active(&self) -> Result<()> {
        match self.status {
            AccountStatus::Active => Ok(()),
            status => Err(Code::AccountNotActive.with("status", status).into()),
        }
    }
}

/// Stores a new account; `Contended` where its number is taken: what is repeated draws another.
pub fn insert(conn: &mut DbConn, account: &Account) -> Result<()> {
    let inserted = diesel::insert_into(accounts::table)
        .values(account)
        .execute(conn);
    match inserted {
        Ok(_) => Ok(()),
        Err(error) if is_duplicate(&error, "accounts", "account_number") => Err(Error::Contended),
        Err(error) => Err(error.into()),
    }
}

/// Whether an account number is in use.
pub fn is_number_taken(conn: &mut DbConn, number: &str) -> Result<bool> {
    let taken = accounts::table.filter(accounts::account_number.eq(number));
    Ok(diesel::select(diesel::dsl::exists(taken)).get_result(conn)?)
}

/// The account.
pub fn find(conn: &mut DbConn, access: &AccountAccess) -> Result<Account> {
    find_by_id(conn, access.account_id())?.ok_or_else(|| Code::NotFound.into())
}

/// Refuses an account that is not there as `not_found`; without a statement where something of it `was_seen`.
pub fn exists_unless(conn: &mut DbConn, access: &AccountAccess, was_seen: bool) -> Result<()> {
    match was_seen {
        true => Ok(()),
        false => find(conn, access).map(drop),
    }
}

/// The account of an id that the service itself holds.
pub fn find_by_id(conn: &mut DbConn, id: AccountId) -> Result<Option<Account>> {
    Ok(accounts::table
        .find(id)
        .select(Account::as_select())
        .first(conn)
        .optional()?)
}

/// The account, held against other writers until the transaction ends.
pub fn lock(conn: &mut DbConn, access: &AccountAccess) -> Result<Held<Account>> {
    let mut held = lock_many(conn, &[access.account_id()])?;
    held.pop().ok_or_else(|| Code::NotFound.into())
}

/// The account, held like [`lock`], while it is in use; elsewhere `account_not_active`.
pub fn lock_active(conn: &mut DbConn, access: &AccountAccess) -> Result<Held<Account>> {
    let account = lock(conn, access)?;
    account.check_active()?;
    Ok(account)
}

/// These accounts, each held against other writers, in the order of their ids: the only way to hold one, so that nobody waits in
/// a circle. What belongs to an account is held after it.
pub fn lock_many(conn: &mut DbConn, ids: &[AccountId]) -> Result<Vec<Held<Account>>> {
    macro_rules! rows {
        () => {
            accounts::table
                .filter(accounts::id.eq_any(ids))
                .order(accounts::id)
                .select(Account::as_select())
        };
    }
    let rows: Vec<Account> = match conn {
        DbConn::Postgres(conn) => rows!().for_update().load(conn)?,
        DbConn::Sqlite(conn) => rows!().load(conn)?,
    };
    Ok(rows.into_iter().map(Held::new).collect())
}

/// Stores the account as its next version.
pub fn store(conn: &mut DbConn, account: &mut Held<Account>, now: Instant) -> Result<()> {
    account.updated_at = now;
    stored(store!(conn, accounts, account))
}

const OPEN: [AccountStatus; 4] = [
    AccountStatus::Draft,
    AccountStatus::Submitted,
    AccountStatus::InReview,
    AccountStatus::InformationRequested,
];

const LIVING: [AccountStatus; 3] = [
    AccountStatus::Approved,
    AccountStatus::Active,
    AccountStatus::Suspended,
];

/// How many applications of an e-mail address are open whose mailbox was used.
pub fn count_used_of_email(conn: &mut DbConn, email_key: &str) -> Result<i64> {
    let used = accounts::table
        .filter(accounts::contact_email_key.eq(email_key))
        .filter(accounts::status.eq_any(OPEN))
        .filter(accounts::mailbox_used_at.is_not_null());
    Ok(used.count().get_result(conn)?)
}

/// Keeps others from using the mailbox of an e-mail address for a further application until the transaction ends, so that counting holds.
pub fn lock_email(conn: &mut DbConn, email_key: &str) -> Result<()> {
    Ok(advisory_lock(conn, email_key)?)
}

/// Keeps others from giving an account this VAT number until the transaction ends, so that looking for it holds.
pub fn lock_vat_number(conn: &mut DbConn, country: Country, number: &str) -> Result<()> {
    Ok(advisory_lock(conn, &format!("{country} {number}"))?)
}

/// The open applications of an e-mail address, those whose mailbox was used first, then the oldest; at most `limit`.
pub fn open_of_email(conn: &mut DbConn, email_key: &str, limit: i64) -> Result<Vec<Account>> {
    let open = accounts::table
        .filter(accounts::contact_email_key.eq(email_key))
        .filter(accounts::status.eq_any(OPEN));
    Ok(open
        .select(Account::as_select())
        .order((
            accounts::mailbox_used_at.is_null().asc(),
            accounts::mailbox_used_at.asc(),
            accounts::id.asc(),
        ))
        .limit(limit)
        .load(conn)?)
}

/// The accounts in use that have a VAT number, newest first; at most `limit`.
pub fn living_of_vat_number(
    conn: &mut DbConn,
    country: Country,
    number: &str,
    limit: i64,
) -> Result<Vec<Account>> {
    let living = accounts::table
        .filter(accounts::country.eq(country))
        .filter(accounts::vat_number.eq(number))
        .filter(accounts::status.eq_any(LIVING));
    Ok(living
        .select(Account::as_select())
        .order(accounts::id.desc())
        .limit(limit)
        .load(conn)?)
}

/// Other accounts with the same VAT number, e-mail or address, for the reviewer; at most 20, newest first.
pub fn similar(conn: &mut DbConn, account: &Account) -> Result<Vec<Account>> {
    let same_address = accounts::postal_code
        .eq(&account.postal_code)
        .and(accounts::street.eq(&account.street))
        .and(accounts::country.eq(account.country));
    let same_email = accounts::contact_email_key.eq(&account.contact_email_key);
    let mut query = accounts::table.select(Account::as_select()).into_boxed();
    query = match &account.vat_number {
        Some(number) => {
            let same_vat = accounts::vat_number
                .eq(number)
                .and(accounts::country.eq(account.country));
            query.filter(same_email.or(same_address).or(same_vat.assume_not_null()))
        }
        None => query.filter(same_email.or(same_address)),
    };
    Ok(query
        .filter(accounts::id.ne(account.id))
        .order(accounts::id.desc())
        .limit(20)
        .load(conn)?)
}

/// What staff look for among the accounts.
#[derive(Debug, Clone, Default)]
pub struct Search {
    pub status: Option<AccountStatus>,
    /// Part of the company's name, or the whole e-mail, account number or VAT number.
    pub text: Option<String>,
    pub before: Option<AccountId>,
    pub limit: i64,
}

/// The accounts that match, newest first.
pub fn search(conn: &mut DbConn, search: &Search) -> Result<Vec<Account>> {
    let mut query = accounts::table.select(Account::as_select()).into_boxed();
    if let Some(status) = search.status {
        query = query.filter(accounts::status.eq(status));
    }
    if let Some(text) = &search.text {
        query = query.filter(
            accounts::company_key
                .like(containing(text))
                .escape('\\')
                .or(accounts::contact_email_key.eq(email_key(text)))
                .or(accounts::account_number.eq(text.clone()))
                .or(accounts::vat_number.eq(text.clone()).assume_not_null()),
        );
    }
    if let Some(before) = search.before {
        query = query.filter(accounts::id.lt(before));
    }
    Ok(query
        .order(accounts::id.desc())
        .limit(search.limit)
        .load(conn)?)
}

/// The drafts that nobody touched since `before`; at most `limit`.
pub fn stale_drafts(conn: &mut DbConn, before: Instant, limit: i64) -> Result<Vec<AccountId>> {
    let stale = accounts::table
        .filter(accounts::status.eq(AccountStatus::Draft))
        .filter(accounts::updated_at.lt(before));
    Ok(stale.select(accounts::id).limit(limit).load(conn)?)
}
