//! Staff decide an application: claiming it, and the case. Deciding its documents is in `decisions`.

mod decisions;

use serde_json::{Value, json};

use super::mail::{Recipient, Terms, send, send_on};
use super::users::end_invitations;
use super::{Context, passwords};
use crate::domain::access::{AccountAccess, UserId};
use crate::domain::account::AccountStatus;
use crate::domain::document::{DocumentStatus, RejectionCode};
use crate::domain::event::Event;
use crate::domain::mail::Template;
use crate::domain::permissions::Role;
use crate::domain::review::{
    CaseDecision, Lease, ReviewDecision, check_approval, check_lease, check_not_own,
    claim as claim_until,
};
use crate::error::{Code, Error, Result};
use crate::repository::accounts::{self, Account};
use crate::repository::documents::{self, Document};
use crate::repository::reviews::{self, Review};
use crate::repository::users::{self, User};
use crate::repository::{DbConn, Held, events, sessions};
use crate::types::Json;

pub use decisions::decide_document;

/// A case: the account, its review, its documents.
pub struct Case {
    pub account: Account,
    pub review: Review,
    pub documents: Vec<Document>,
}

/// The case of an account that was submitted.
pub fn load(conn: &mut DbConn, access: &AccountAccess) -> Result<Case> {
    let account = accounts::find(conn, access)?;
    let review = reviews::find(conn, account.id)?.ok_or(Code::NotFound)?;
    let documents = documents::all(conn, account.id)?;
    Ok(Case {
        account,
        review,
        documents,
    })
}

/// The case, locked, while it can be decided.
fn open(
    conn: &mut DbConn,
    access: &AccountAccess,
    reviewer: UserId,
) -> Result<(Held<Account>, Held<Review>)> {
    let account = accounts::lock(conn, access)?;
    sessions::confirm(conn, access.actor())?;
    let review = reviews::lock(conn, &account)?.ok_or(Code::NotFound)?;
    if !account.status.is_reviewable() {
        return Err(Code::ReviewNotOpen.into());
    }
    not_own(conn, &account, reviewer)?;
    Ok((account, review))
}

fn not_own(conn: &mut DbConn, account: &Account, reviewer: UserId) -> Result<()> {
    let user = users::find_by_id(conn, reviewer)?.ok_or(Code::Unauthenticated)?;
    Ok(check_not_own(&user.email, &account.contact_email)?)
}

fn lease(review: &Review, reviewer: UserId) -> Option<Lease> {
    let until = review.claimed_until?;
    Some(Lease {
        mine: review.claimed_by == Some(reviewer),
        until,
    })
}

/// Takes the case for a while, or for longer.
pub fn claim(conn: &mut DbConn, context: &Context, access: &AccountAccess) -> Result<Case> {
    let reviewer = access.staff().ok_or(Code::Forbidden)?;
    let (mut account, mut review) = open(conn, access, reviewer)?;
    let minutes = context.programme.review.lease_minutes;
    let until = claim_until(lease(&review, reviewer), context.now, minutes).map_err(|code| {
        let until = review
            .claimed_until
            .map(|until| until.to_string())
            .unwrap_or_default();
        Error::from(code.with("until", until))
    })?;
    review.claimed_by = Some(reviewer);
    review.claimed_until = Some(until);
    reviews::store(conn, &mut review)?;
    let mut happened = vec![Event::ReviewClaimed {
        account_id: account.id,
        claimed_until: until,
    }];
    if account.status == AccountStatus::Submitted {
        account.status = AccountStatus::InReview;
        accounts::store(conn, &mut account, context.now)?;
        happened.push(Event::AccountInReview {
            account_id: account.id,
            status: account.status,
        });
    }
    events::record(conn, &access.stamp(context.now), &happened)?;
    load(conn, access)
}

/// The case, locked, while the reviewer holds it.
fn held(
    conn: &mut DbConn,
    context: &Context,
    access: &AccountAccess,
) -> Result<(Held<Account>, Held<Review>, UserId)> {
    let reviewer = access.staff().ok_or(Code::Forbidden)?;
    let (account, review) = open(conn, access, reviewer)?;
    check_lease(lease(&review, reviewer), context.now)?;
    Ok((account, review, reviewer))
}

/// Decides the case.
pub fn decide(
    conn: &mut DbConn,
    context: &Context,
    access: &AccountAccess,
    decision: ReviewDecision,
) -> Result<Account> {
    let (mut account, mut review, reviewer) = held(conn, context, access)?;
    review.claimed_by = None;
    review.claimed_until = None;
    let (decision, codes, note) = match decision {
        ReviewDecision::Approve => {
            approve(conn, context, access, &mut account)?;
            (CaseDecision::Approve, Vec::new(), None)
        }
        ReviewDecision::Reject { codes, note } => {
            reject(conn, context, &mut account, (&codes, note.as_deref()))?;
            review.decision_codes = Json::of(&codes)?;
            (CaseDecision::Reject, codes, note)
        }
        ReviewDecision::RequestInformation { note } => {
            ask(conn, context, &mut account, &note)?;
            review.asked_at = Some(context.now);
            review.asked_note = Some(note.clone());
            (CaseDecision::RequestInformation, Vec::new(), Some(note))
        }
    };
    review.decision = Some(decision);
    review.decision_note = note.clone();
    review.decided_by = Some(reviewer);
    review.decided_at = Some(context.now);
    reviews::store(conn, &mut review)?;
    let mut stamp = access.stamp(context.now);
    stamp.reason = note;
    events::record(conn, &stamp, &decided(&account, decision, codes))?;
    Ok(account.into_row())
}

/// What both sides learn of a decision.
fn decided(account: &Account, decision: CaseDecision, codes: Vec<RejectionCode>) -> [Event; 2] {
    let (account_id, status) = (account.id, account.status);
    let own = match decision {
        CaseDecision::Approve => Event::AccountApproved { account_id, status },
        CaseDecision::Reject => Event::AccountRejected { account_id, status },
        CaseDecision::RequestInformation => {
            Event::AccountInformationRequested { account_id, status }
        }
    };
    let operators = Event::ReviewDecided {
        account_id,
        decision,
        codes,
    };
    [own, operators]
}

fn reject(
    conn: &mut DbConn,
    context: &Context,
    account: &mut Held<Account>,
    (codes, note): (&[RejectionCode], Option<&str>),
) -> Result<()> {
    account.status = AccountStatus::Rejected;
    super::accounts::end(conn, context, account)?;
    let values = json!({ "reason_codes": codes, "note": note });
    let values = super::mail::application(context, account, values);
    let (contact, mail) = (Recipient::contact(account), Template::ApplicationRejected);
    send(conn, context, &contact, mail, values)
}

/// The account exists from now on, and its first user gets a link to set a password.
fn approve(
    conn: &mut DbConn,
    context: &Context,
    access: &AccountAccess,
    account: &mut Held<Account>,
) -> Result<()> {
    check_approval(account.vat_registered, &documents::facts(conn, account.id)?)?;
    let user = User {
        id: UserId::new(context.now),
        version: 1,
        account_id: Some(account.id),
        email: account.contact_email.clone(),
        email_key: account.contact_email_key.clone(),
        name: account.contact_name.clone(),
        roles: Json::of(&[Role::Superuser])?,
        language: account.language,
        password_hash: None,
        session_version: 1,
        created_at: context.now,
        removed_at: None,
        invited_until: None,
    };
    users::insert(conn, &user)?;
    end_invitations(conn, &access.stamp(context.now), &user.email_key, None)?;
    account.status = AccountStatus::Approved;
    account.approved_at = Some(context.now);
    accounts::store(conn, account, context.now)?;
    super::documents::schedule_deletion(conn, context, account)?;
    passwords::send_link(conn, context, &user, Template::FirstPassword).map(drop)
}

/// One mail with every point in it, and a fresh link.
fn ask(
    conn: &mut DbConn,
    context: &Context,
    account: &mut Held<Account>,
    note: &str,
) -> Result<()> {
    account.status = AccountStatus::InformationRequested;
    accounts::store(conn, account, context.now)?;
    let action_url = super::accounts::fresh_link(conn, context, account.id)?;
    let sent_back = documents::all(conn, account.id)?
        .into_iter()
        .filter(|one| one.status == DocumentStatus::RevisionRequested);
    let mut revisions = Vec::new();
    for document in sent_back {
        let codes: Vec<String> = document.codes.decode()?;
        revisions.extend(
            codes
                .into_iter()
                .map(|code| json!({ "kind": document.kind, "code": code })),
        );
    }
    let values =
        json!({ "action_url": action_url, "note": note, "revisions": Value::Array(revisions) });
    let values = super::mail::application(context, account, values);
    let terms = Terms {
        until: Some(super::accounts::link_ends(context)),
        ..Terms::default()
    };
    send_on(
        conn,
        context,
        &Recipient::contact(account),
        Template::InformationRequested,
        values,
        terms,
    )
}
