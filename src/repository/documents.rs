//! Verification documents at rest; their bytes are in the document store.

use chrono::NaiveDate;
use diesel::prelude::*;
use serde_json::Value;

use super::accounts::Account;
use super::held::{Held, store, stored};
use super::schema::{accounts, documents};
use super::{DbConn, MultiBackend};
use crate::domain::access::{AccountAccess, UserId};
use crate::domain::account::AccountId;
use crate::domain::document::{
    DocumentFacts, DocumentId, DocumentKind, DocumentStatus, RevisionCode,
};
use crate::domain::media_type::MediaType;
use crate::error::{Code, Result};
use crate::types::{Instant, Json};
use crate::{each, locked};

/// More documents than this no application has, with those that were taken back.
const MOST: i64 = 200;

/// One document.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = documents, check_for_backend(MultiBackend), treat_none_as_null = true)]
pub struct Document {
    pub id: DocumentId,
    pub account_id: AccountId,
    pub version: i64,
    pub kind: DocumentKind,
    pub status: DocumentStatus,
    pub codes: Json,
    pub media_type: MediaType,
    pub size: i64,
    pub sha256: String,
    pub file_name: String,
    pub issued_date: Option<NaiveDate>,
    /// Where the bytes are; none once they are deleted.
    pub file_key: Option<String>,
    pub decided_by: Option<UserId>,
    pub decided_at: Option<Instant>,
    pub created_at: Instant,
    /// When the applicant took it back.
    pub removed_at: Option<Instant>,
}

impl Document {
    /// Where its bytes are, for whoever may read them: with the decision that has them deleted at once they are gone, whenever that is done.
    pub fn readable_key(&self) -> Option<&str> {
        let is_going = |code: &Value| code == RevisionCode::ContainsCpr.as_str();
        let codes = self.codes.0.as_array();
        let is_kept = !codes.is_some_and(|codes| codes.iter().any(is_going));
        self.file_key.as_deref().filter(|_| is_kept)
    }
}

/// Stores a document.
pub fn insert(conn: &mut DbConn, document: &Document) -> Result<()> {
    diesel::insert_into(documents::table)
        .values(document)
        .execute(conn)?;
    Ok(())
}

/// A document of an account.
pub fn find(conn: &mut DbConn, access: &AccountAccess, id: DocumentId) -> Result<Document> {
    find_of(conn, access.account_id(), id)?.ok_or_else(|| Code::NotFound.into())
}

/// A document of an account, if it is there.
pub fn find_of(conn: &mut DbConn, account: AccountId, id: DocumentId) -> Result<Option<Document>> {
    let found = documents::table
        .find(id)
        .filter(documents::account_id.eq(account))
        .filter(documents::removed_at.is_null());
    Ok(found.select(Document::as_select()).first(conn).optional()?)
}

/// The documents of an account, newest first, from before `before`.
pub fn list(
    conn: &mut DbConn,
    account: AccountId,
    before: Option<DocumentId>,
    limit: i64,
) -> Result<Vec<Document>> {
    let mut query = documents::table
        .filter(documents::account_id.eq(account))
        .filter(documents::removed_at.is_null())
        .select(Document::as_select())
        .into_boxed();
    if let Some(before) = before {
        query = query.filter(documents::id.lt(before));
    }
    Ok(query.order(documents::id.desc()).limit(limit).load(conn)?)
}

/// Every document of an account, in the order of upload.
pub fn all(conn: &mut DbConn, account: AccountId) -> Result<Vec<Document>> {
    let mut found = list(conn, account, None, MOST)?;
    found.reverse();
    Ok(found)
}

/// What the rules look at, in the order of upload.
pub fn facts(conn: &mut DbConn, account: AccountId) -> Result<Vec<DocumentFacts>> {
    let documents = all(conn, account)?.into_iter().map(|document| {
        Ok(DocumentFacts {
            id: document.id,
            kind: document.kind,
            status: document.status,
            codes: document.codes.decode()?,
        })
    });
    documents.collect()
}

/// A document of a held account, held too.
pub fn lock(conn: &mut DbConn, account: &Held<Account>, id: DocumentId) -> Result<Held<Document>> {
    let found: Option<Document> = locked!(
        conn,
        documents::table
            .find(id)
            .filter(documents::account_id.eq(account.id))
            .filter(documents::removed_at.is_null())
            .select(Document::as_select())
    )
    .optional()?;
    found.map(Held::new).ok_or_else(|| Code::NotFound.into())
}

/// Stores the document as its next version.
pub fn store(conn: &mut DbConn, document: &mut Held<Document>) -> Result<()> {
    stored(store!(conn, documents, document))
}

/// Has the documents of a held account that were accepted looked at again; which they were.
pub fn reopen_accepted(conn: &mut DbConn, account: &Held<Account>) -> Result<Vec<DocumentId>> {
    let accepted = documents::table
        .filter(documents::account_id.eq(account.id))
        .filter(documents::removed_at.is_null())
        .filter(documents::status.eq(DocumentStatus::Accepted));
    let pending = (
        documents::status.eq(DocumentStatus::Pending),
        documents::decided_by.eq(None::<UserId>),
        documents::decided_at.eq(None::<Instant>),
        documents::version.eq(documents::version + 1),
    );
    Ok(each!(conn, c => diesel::update(accepted)
        .set(pending)
        .returning(documents::id)
        .get_results(c))?)
}

/// The documents of an application whose bytes are still kept, taken back or not; without those that came after its approval.
pub fn with_files(conn: &mut DbConn, account: AccountId) -> Result<Vec<Document>> {
    let kept = documents::table
        .inner_join(accounts::table)
        .filter(documents::account_id.eq(account))
        .filter(documents::file_key.is_not_null())
        .filter(
            accounts::approved_at.is_null().or(documents::created_at
                .nullable()
                .le(accounts::approved_at)
                .assume_not_null()),
        );
    Ok(kept.select(Document::as_select()).limit(MOST).load(conn)?)
}

/// Forgets where a document's bytes were: they are deleted. The document's account, unless that was known before.
pub fn forget_file(conn: &mut DbConn, id: DocumentId) -> Result<Option<AccountId>> {
    let forgotten = (
        documents::file_key.eq(None::<String>),
        documents::version.eq(documents::version + 1),
    );
    let kept = documents::table
        .find(id)
        .filter(documents::file_key.is_not_null());
    let account = each!(conn, c => diesel::update(kept)
        .set(forgotten)
        .returning(documents::account_id)
        .get_result(c)
        .optional())?;
    Ok(account)
}
