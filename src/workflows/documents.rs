//! Handing in and taking back verification documents, submitting and withdrawing the application.

use chrono::NaiveDate;
use serde_json::json;

use super::tasks::{Task, enqueue};
use super::{Context, accounts as applications};
use crate::domain::access::{AccountAccess, ServiceAccess};
use crate::domain::account::{AccountStatus, files_deleted};
use crate::domain::account_change::{self, admit_documents};
use crate::domain::document::{
    DocumentId, DocumentKind, DocumentStatus, accepted_kinds, requirements,
};
use crate::domain::event::Event;
use crate::domain::file::FileState;
use crate::domain::media_type::MediaType;
use crate::error::{Code, Fault, FaultCode, Refusal, Result};
use crate::repository::accounts::{self, Account};
use crate::repository::documents::{self, Document};
use crate::repository::files::{self, StoredFile};
use crate::repository::reviews::{self, Review};
use crate::repository::{DbConn, Held, events};
use crate::types::{Instant, Json};

/// What somebody hands in: a file, and what it is said to be.
#[derive(Debug, Clone)]
pub struct Upload {
    pub kind: DocumentKind,
    pub media_type: MediaType,
    pub size: i64,
    pub sha256: String,
    pub file_name: String,
    pub issued_date: Option<NaiveDate>,
}

/// The account, locked, while documents of it may come and go.
fn taking(conn: &mut DbConn, context: &Context, access: &AccountAccess) -> Result<Held<Account>> {
    let mut account = accounts::lock(conn, access)?;
    applications::confirm(conn, access, &account)?;
    admit_documents(account.status)?;
    applications::use_mailbox(conn, context, access, &mut account)?;
    Ok(account)
}

/// The account, locked, while its application may be edited.
fn editable(conn: &mut DbConn, context: &Context, access: &AccountAccess) -> Result<Held<Account>> {
    let account = taking(conn, context, access)?;
    match account.status.is_editable() {
        true => Ok(account),
        false => Err(Code::ApplicationNotEditable.into()),
    }
}

/// Whether a document of an active account may still be taken back or decided.
pub fn is_open(account: &Account, document: &Document) -> bool {
    account_change::is_open(is_of_change(account, document), document.status)
}

/// Whether a document is of a change of the account, and not of its application.
pub fn is_of_change(account: &Account, document: &Document) -> bool {
    account_change::is_of_change(document.created_at, account.approved_at)
}

/// Expects the bytes of one more document: the row of its file, unless the account could not take any.
pub fn expect_file(
    conn: &mut DbConn,
    context: &Context,
    access: &AccountAccess,
    file_key: String,
) -> Result<()> {
    let account = taking(conn, context, access)?;
    check_room(conn, context, &account, 1)?;
    let expected = StoredFile {
        key: file_key,
        account_id: account.id,
        state: FileState::Receiving,
        created_at: context.now,
        changed_at: context.now,
    };
    files::insert(conn, &expected)
}

/// Adds a document to the application, or to an active account for a change of it, with a file that was expected and is there; its account
/// is the next version then. 503 `overloaded` where the file was given up in between.
pub fn add(
    conn: &mut DbConn,
    context: &Context,
    access: &AccountAccess,
    upload: Upload,
    file_key: &str,
) -> Result<Document> {
    let mut account = taking(conn, context, access)?;
    if !accepted_kinds(account.vat_registered).contains(&upload.kind) {
        let fault = Fault::new("#/kind", FaultCode::DocumentKindNotAccepted);
        return Err(Refusal::from(Code::DocumentKindNotAccepted)
            .faults(vec![fault])
            .into());
    }
    check_room(conn, context, &account, upload.size)?;
    let kept = [FileState::Receiving, FileState::Stored];
    if !files::change(conn, file_key, kept, context.now)? {
        return Err(Refusal::from(Code::Overloaded).retry_after(1).into());
    }
    let document = pending(context, &account, upload, file_key);
    documents::insert(conn, &document)?;
    accounts::store(conn, &mut account, context.now)?;
    if is_of_change(&account, &document) {
        let due = files_deleted(context.now, true, &context.programme.application);
        delete_file_at(conn, context, &document, due)?;
    }
    let added = Event::DocumentAdded {
        account_id: account.id,
        document_id: document.id,
        kind: document.kind,
    };
    events::record(conn, &access.stamp(context.now), &[added])?;
    Ok(document)
}

fn pending(context: &Context, account: &Account, upload: Upload, file_key: &str) -> Document {
    Document {
        id: DocumentId::new(context.now),
        account_id: account.id,
        version: 1,
        kind: upload.kind,
        status: DocumentStatus::Pending,
        codes: Json(json!([])),
        media_type: upload.media_type,
        size: upload.size,
        sha256: upload.sha256,
        file_name: upload.file_name,
        issued_date: upload.issued_date,
        file_key: Some(file_key.to_owned()),
        decided_by: None,
        decided_at: None,
        created_at: context.now,
        removed_at: None,
    }
}

fn check_room(conn: &mut DbConn, context: &Context, account: &Account, size: i64) -> Result<()> {
    let rules = &context.programme.application;
    let mut existing = documents::all(conn, account.id)?;
    if !account.status.is_open_application() {
        existing.retain(|one| is_of_change(account, one) && one.file_key.is_some());
    }
    let bytes: i64 = existing.iter().map(|document| document.size).sum();
    let most = usize::try_from(rules.documents).unwrap_or(usize::MAX);
    let most_bytes = i64::try_from(rules.bytes).unwrap_or(i64::MAX);
    if existing.len() >= most || bytes.saturating_add(size) > most_bytes {
        return Err(Code::DocumentLimitReached.with("limit", most).into());
    }
    Ok(())
}

/// Takes a document back, of an active account one that nobody has decided; its file is deleted by a task.
pub fn remove(
    conn: &mut DbConn,
    context: &Context,
    access: &AccountAccess,
    id: DocumentId,
    check: impl FnOnce(i64) -> Result<()>,
) -> Result<()> {
    let mut account = taking(conn, context, access)?;
    let mut document = documents::lock(conn, &account, id)?;
    check(document.version)?;
    if !account.status.is_editable() && !is_open(&account, &document) {
        return Err(Code::ApplicationNotEditable.into());
    }
    document.removed_at = Some(context.now);
    documents::store(conn, &mut document)?;
    accounts::store(conn, &mut account, context.now)?;
    let removed = Event::DocumentRemoved {
        account_id: account.id,
        document_id: id,
    };
    events::record(conn, &access.stamp(context.now), &[removed])?;
    delete_file(conn, context, &document)
}

/// Has a document's file deleted.
pub fn delete_file(conn: &mut DbConn, context: &Context, document: &Document) -> Result<()> {
    delete_file_at(conn, context, document, context.now)
}

fn delete_file_at(
    conn: &mut DbConn,
    context: &Context,
    document: &Document,
    due: Instant,
) -> Result<()> {
    let Some(key) = &document.file_key else {
        return Ok(());
    };
    let task = Task::DeleteFile {
        document_id: document.id,
        file_key: key.clone(),
        due: (due > context.now).then_some(due),
    };
    enqueue(conn, &task, due, context.now)
}

/// Forgets where the files of documents were: they are deleted.
pub fn forget_files(
    conn: &mut DbConn,
    context: &Context,
    service: ServiceAccess,
    gone: &[(DocumentId, String)],
) -> Result<()> {
    let mut happened = Vec::new();
    for (id, file_key) in gone {
        let account = documents::forget_file(conn, *id)?;
        let let_go = [FileState::Stored, FileState::Gone];
        files::change(conn, file_key, let_go, context.now)?;
        happened.extend(account.map(|account_id| Event::DocumentFileDeleted {
            account_id,
            document_id: *id,
        }));
    }
    events::record(conn, &service.stamp(context.now), &happened)
}

/// Hands the application to the reviewers: the promise begins, or goes on after a request for information.
pub fn submit(conn: &mut DbConn, context: &Context, access: &AccountAccess) -> Result<Account> {
    let mut account = editable(conn, context, access)?;
    let facts = documents::facts(conn, account.id)?;
    if !requirements(account.vat_registered, &facts).are_met() {
        return Err(Code::RequirementsDue.into());
    }
    let calendar = &context.programme.review;
    let (now, first_due) = (context.now, calendar.review_due(context.now));
    let due_at = match reviews::lock(conn, &account)? {
        None => {
            reviews::insert(conn, &Review::opened(account.id, now, first_due))?;
            first_due
        }
        Some(mut review) => {
            let resumed = |asked| calendar.resumed_due(review.due_at, asked, now);
            review.due_at = review.asked_at.map_or(first_due, resumed);
            review.submitted_at = now;
            review.asked_at = None;
            review.claimed_by = None;
            review.claimed_until = None;
            review.decision = None;
            reviews::store(conn, &mut review)?;
            review.due_at
        }
    };
    account.status = AccountStatus::Submitted;
    accounts::store(conn, &mut account, context.now)?;
    super::review_deadlines::watch(conn, context, account.id, due_at)?;
    let submitted = Event::AccountSubmitted {
        account_id: account.id,
        status: account.status,
    };
    events::record(conn, &access.stamp(context.now), &[submitted])?;
    applications::send_submitted(conn, context, &account, due_at)?;
    Ok(account.into_row())
}

/// Takes the application back; its token ends, its files die later.
pub fn withdraw(conn: &mut DbConn, context: &Context, access: &AccountAccess) -> Result<Account> {
    let mut account = accounts::lock(conn, access)?;
    applications::confirm(conn, access, &account)?;
    if !account.status.is_withdrawable() {
        return Err(Code::AccountStateConflict.into());
    }
    account.status = AccountStatus::Withdrawn;
    applications::end(conn, context, &mut account)?;
    let withdrawn = Event::AccountWithdrawn {
        account_id: account.id,
        status: account.status,
    };
    events::record(conn, &access.stamp(context.now), &[withdrawn])?;
    Ok(account.into_row())
}

/// Has the files of an approved application deleted when their time is over.
pub fn schedule_deletion(conn: &mut DbConn, context: &Context, account: &Account) -> Result<()> {
    let due = files_deleted(context.now, true, &context.programme.application);
    enqueue(
        conn,
        &Task::DeleteApplicationFiles {
            account_id: account.id,
        },
        due,
        context.now,
    )
}
