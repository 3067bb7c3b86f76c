//! A reviewer decides documents: those of a case that is held, and those that prove a change of an account in use.

use super::super::Context;
use super::super::documents::{delete_file, is_open};
use super::{held, not_own};
use crate::domain::access::{AccountAccess, UserId};
use crate::domain::account::AccountStatus;
use crate::domain::document::DocumentId;
use crate::domain::event::Event;
use crate::domain::review::DocumentDecision;
use crate::error::{Code, Result};
use crate::repository::accounts::{self, Account};
use crate::repository::documents::{self, Document};
use crate::repository::{DbConn, Held, events, sessions};
use crate::types::Json;

/// The account whose documents a reviewer decides, locked: while the reviewer holds its case, or once it is active, without a case.
fn for_document(
    conn: &mut DbConn,
    context: &Context,
    access: &AccountAccess,
) -> Result<(Held<Account>, UserId)> {
    let reviewer = access.staff().ok_or(Code::Forbidden)?;
    let account = accounts::lock(conn, access)?;
    if account.status == AccountStatus::Active {
        sessions::confirm(conn, access.actor())?;
        not_own(conn, &account, reviewer)?;
        return Ok((account, reviewer));
    }
    let (account, _, reviewer) = held(conn, context, access)?;
    Ok((account, reviewer))
}

/// Decides one document; of an active account one that was added for a change and that nobody has decided.
pub fn decide_document(
    conn: &mut DbConn,
    context: &Context,
    access: &AccountAccess,
    id: DocumentId,
    decision: &DocumentDecision,
) -> Result<Document> {
    let (mut account, reviewer) = for_document(conn, context, access)?;
    let mut document = documents::lock(conn, &account, id)?;
    if account.status == AccountStatus::Active && !is_open(&account, &document) {
        return Err(Code::ReviewNotOpen.into());
    }
    document.status = decision.status();
    document.codes = Json::of(&decision.codes())?;
    document.decided_by = Some(reviewer);
    document.decided_at = Some(context.now);
    documents::store(conn, &mut document)?;
    accounts::store(conn, &mut account, context.now)?;
    if decision.deletes_file() {
        delete_file(conn, context, &document)?;
    }
    let decided = Event::DocumentDecided {
        account_id: account.id,
        document_id: id,
        status: document.status,
        codes: decision.codes(),
    };
    events::record(conn, &access.stamp(context.now), &[decided])?;
    Ok(document.into_row())
}
