//! The review of an application: when it is due, who has claimed it, how it was decided.

use diesel::prelude::*;
use serde_json::json;

use super::accounts::Account;
use super::held::{Held, stored};
use super::schema::{accounts, reviews};
use super::{DbConn, MultiBackend};
use crate::domain::access::UserId;
use crate::domain::account::{AccountId, AccountStatus};
use crate::domain::review::{CaseDecision, due_at};
use crate::error::Result;
use crate::locked;
use crate::types::{Instant, Json};

/// The review of one application.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = reviews, primary_key(account_id), check_for_backend(MultiBackend), treat_none_as_null = true)]
pub struct Review {
    pub account_id: AccountId,
    pub version: i64,
    pub submitted_at: Instant,
    /// By when the answer was promised; [`Review::due`] says whether that holds.
    pub due_at: Instant,
    /// When the applicant was asked for something; the clock stands still since then.
    pub asked_at: Option<Instant>,
    pub asked_note: Option<String>,
    pub claimed_by: Option<UserId>,
    pub claimed_until: Option<Instant>,
    pub decision: Option<CaseDecision>,
    pub decision_codes: Json,
    pub decision_note: Option<String>,
    pub decided_by: Option<UserId>,
    pub decided_at: Option<Instant>,
}

impl Review {
    /// The review of an application that was submitted for the first time.
    pub fn opened(account_id: AccountId, submitted_at: Instant, due_at: Instant) -> Self {
        Self {
            account_id,
            version: 1,
            submitted_at,
            due_at,
            asked_at: None,
            asked_note: None,
            claimed_by: None,
            claimed_until: None,
            decision: None,
            decision_codes: Json(json!([])),
            decision_note: None,
            decided_by: None,
            decided_at: None,
        }
    }

    /// When the answer is due for an account of this status; none while the clock stands.
    pub fn due(&self, status: AccountStatus) -> Option<Instant> {
        due_at(status, self.due_at)
    }
}

/// The review of an account, if it was ever submitted.
pub fn find(conn: &mut DbConn, account: AccountId) -> Result<Option<Review>> {
    Ok(reviews::table
        .find(account)
        .select(Review::as_select())
        .first(conn)
        .optional()?)
}

/// The review of a held account, held too, if the account was ever submitted.
pub fn lock(conn: &mut DbConn, account: &Held<Account>) -> Result<Option<Held<Review>>> {
    let found: Option<Review> = locked!(
        conn,
        reviews::table.find(account.id).select(Review::as_select())
    )
    .optional()?;
    Ok(found.map(Held::new))
}

/// Stores the review of an account that is submitted for the first time.
pub fn insert(conn: &mut DbConn, review: &Review) -> Result<()> {
    diesel::insert_into(reviews::table)
        .values(review)
        .execute(conn)?;
    Ok(())
}

/// Stores the review as its next version.
pub fn store(conn: &mut DbConn, review: &mut Held<Review>) -> Result<()> {
    let seen = review.version;
    review.version += 1;
    let row = reviews::table
        .find(review.account_id)
        .filter(reviews::version.eq(seen));
    stored(diesel::update(row).set(&**review).execute(conn))
}

/// What the queue of reviews is asked for.
#[derive(Debug, Clone, Default)]
pub struct Queue {
    /// None: all that wait for a reviewer or for the applicant.
    pub status: Option<AccountStatus>,
    /// Only those due before this moment.
    pub due_before: Option<Instant>,
    /// Behind this one.
    pub after: Option<Place>,
    pub limit: i64,
}

/// The place of a case in the queue: those that wait for their applicants come last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    pub waits_for_applicant: bool,
    /// By when the answer was promised.
    pub promised: Instant,
    pub account_id: AccountId,
}

impl Place {
    pub fn of(review: &Review, account: &Account) -> Self {
        Self {
            waits_for_applicant: account.status == AccountStatus::InformationRequested,
            promised: review.due_at,
            account_id: account.id,
        }
    }
}

const WAITING: [AccountStatus; 3] = [
    AccountStatus::Submitted,
    AccountStatus::InReview,
    AccountStatus::InformationRequested,
];

const WAITING_FOR_REVIEWER: [AccountStatus; 2] =
    [AccountStatus::Submitted, AccountStatus::InReview];

/// The cases that match, soonest due first, then those that wait for their applicants.
pub fn queue(conn: &mut DbConn, queue: &Queue) -> Result<Vec<(Review, Account)>> {
    let waits_for_applicant = accounts::status.eq(AccountStatus::InformationRequested);
    let mut query = reviews::table
        .inner_join(accounts::table)
        .select((Review::as_select(), Account::as_select()))
        .into_boxed();
    query = match queue.status {
        Some(status) => query.filter(accounts::status.eq(status)),
        None => query.filter(accounts::status.eq_any(WAITING)),
    };
    if let Some(before) = queue.due_before {
        query = query
            .filter(accounts::status.eq_any(WAITING_FOR_REVIEWER))
            .filter(reviews::due_at.lt(before));
    }
    if let Some(after) = queue.after {
        let later = reviews::due_at.gt(after.promised).or(reviews::due_at
            .eq(after.promised)
            .and(reviews::account_id.gt(after.account_id)));
        query = match after.waits_for_applicant {
            true => query.filter(waits_for_applicant.and(later)),
            false => query.filter(waits_for_applicant.or(later)),
        };
    }
    Ok(query
        .order((waits_for_applicant, reviews::due_at, reviews::account_id))
        .limit(queue.limit)
        .load(conn)?)
}
