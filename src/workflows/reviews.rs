//! Staff decide an application: claiming it, its documents, the case.

use serde_json::{Value, json};

use super::mail::{Recipient, send};
use super::{Context, accounts as applications, documents as evidence, passwords};
use crate::domain::access::{AccountAccess, UserId};
use crate::domain::account::AccountStatus;
use crate::domain::document::{DocumentId, DocumentStatus};
use crate::domain::mail::Template;
use crate::domain::permissions::Role;
use crate::domain::review::{
    CaseDecision, DocumentDecision, Lease, ReviewDecision, check_approval, check_lease,
    check_not_own, claim as claim_until,
};
use crate::error::{Code, Error, Result};
use crate::repository::accounts::{self, Account};
use crate::repository::documents::{self, Document};
use crate::repository::reviews::{self, Review};
use crate::repository::users::{self, User};
use crate::repository::{DbConn, events};
use crate::types::Json;

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
fn open(conn: &mut DbConn, access: &AccountAccess, reviewer: UserId) -> Result<(Account, Review)> {
    let account = accounts::lock(conn, access)?;
    let review = reviews::find(conn, account.id)?.ok_or(Code::NotFound)?;
    if !account.status.is_reviewable() {
        return Err(Code::ReviewNotOpen.into());
    }
    let user = users::find_by_id(conn, reviewer)?.ok_or(Code::Unauthenticated)?;
    check_not_own(&user.email, &account.contact_email)?;
    Ok((account, review))
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
    reviews::put(conn, &review)?;
    if account.status == AccountStatus::Submitted {
        account.status = AccountStatus::InReview;
        accounts::update(conn, &mut account, context.now)?;
        events::record(
            conn,
            account.id,
            "account.in_review",
            json!({ "status": account.status }),
            context.now,
        )?;
    }
    events::record_staff(
        conn,
        reviewer,
        "review.claim",
        Some(account.id),
        None,
        context.now,
    )?;
    load(conn, access)
}

/// The case, locked, while the reviewer holds it.
fn held(
    conn: &mut DbConn,
    context: &Context,
    access: &AccountAccess,
) -> Result<(Account, Review, UserId)> {
    let reviewer = access.staff().ok_or(Code::Forbidden)?;
    let (account, review) = open(conn, access, reviewer)?;
    check_lease(lease(&review, reviewer), context.now)?;
    Ok((account, review, reviewer))
}

/// Decides one document.
pub fn decide_document(
    conn: &mut DbConn,
    context: &Context,
    access: &AccountAccess,
    id: DocumentId,
    decision: &DocumentDecision,
) -> Result<Document> {
    let (mut account, _, reviewer) = held(conn, context, access)?;
    let mut document = documents::find(conn, access, id)?;
    document.status = decision.status();
    document.codes = Json::of(&decision.codes())?;
    document.decided_by = Some(reviewer);
    document.decided_at = Some(context.now);
    documents::update(conn, &mut document)?;
    accounts::update(conn, &mut account, context.now)?;
    if decision.deletes_file() {
        evidence::delete_file(conn, context, &document)?;
    }
    let payload = json!({ "document_id": id, "status": document.status });
    events::record(conn, account.id, "document.decided", payload, context.now)?;
    events::record_staff(
        conn,
        reviewer,
        "document.decide",
        Some(account.id),
        None,
        context.now,
    )?;
    Ok(document)
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
    let (word, note) = match decision {
        ReviewDecision::Approve => {
            approve(conn, context, &mut account)?;
            (CaseDecision::Approve, None)
        }
        ReviewDecision::Reject { codes, note } => {
            review.decision_codes = Json::of(&codes)?;
            applications::end(conn, context, &mut account, AccountStatus::Rejected)?;
            let values = json!({ "reason_codes": codes, "note": note });
            let (contact, mail) = (Recipient::contact(&account), Template::ApplicationRejected);
            send(conn, context, &contact, mail, values)?;
            (CaseDecision::Reject, note)
        }
        ReviewDecision::RequestInformation { note } => {
            ask(conn, context, &mut account, &note)?;
            review.asked_at = Some(context.now);
            review.asked_note = Some(note.clone());
            (CaseDecision::RequestInformation, Some(note))
        }
    };
    review.decision = Some(word);
    review.decision_note = note;
    review.decided_by = Some(reviewer);
    review.decided_at = Some(context.now);
    reviews::put(conn, &review)?;
    let (action, reason) = (format!("review.{word}"), review.decision_note.as_deref());
    let (about, now) = (Some(account.id), context.now);
    events::record_staff(conn, reviewer, &action, about, reason, now)?;
    Ok(account)
}

/// The account exists from now on, and its first user gets a link to set a password.
fn approve(conn: &mut DbConn, context: &Context, account: &mut Account) -> Result<()> {
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
    };
    users::insert(conn, &user)?;
    account.status = AccountStatus::Approved;
    account.applicant_token_hash = None;
    account.approved_at = Some(context.now);
    accounts::update(conn, account, context.now)?;
    events::record(
        conn,
        account.id,
        "account.approved",
        json!({ "status": account.status }),
        context.now,
    )?;
    evidence::schedule_deletion(conn, context, account)?;
    passwords::send_link(conn, context, &user, Template::FirstPassword).map(drop)
}

/// One mail with every point in it, and a fresh link.
fn ask(conn: &mut DbConn, context: &Context, account: &mut Account, note: &str) -> Result<()> {
    account.status = AccountStatus::InformationRequested;
    let action_url = applications::fresh_link(conn, context, account)?;
    events::record(
        conn,
        account.id,
        "account.information_requested",
        json!({ "status": account.status }),
        context.now,
    )?;
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
    send(
        conn,
        context,
        &Recipient::contact(account),
        Template::InformationRequested,
        values,
    )
}
