//! What support changes of an active account's company: with a reason, and a document that proves it.

use serde_json::json;

use super::super::Context;
use super::super::documents::is_of_change;
use super::super::mail::{Recipient, send};
use crate::domain::access::AccountAccess;
use crate::domain::account_change::{Grounds, Touched, check_proof};
use crate::domain::document::DocumentId;
use crate::domain::event::Event;
use crate::domain::mail::Template;
use crate::error::{Code, Fault, FaultCode, Result};
use crate::repository::accounts::{self, Account};
use crate::repository::{DbConn, Held, documents, events, users};

/// What somebody gives for a change.
#[derive(Debug, Clone, Default)]
pub struct Given {
    /// For the record that staff keep.
    pub reason: Option<String>,
    pub document_id: Option<DocumentId>,
}

/// Why a change is made, and what proves it.
pub struct Proof {
    reason: String,
    document_id: DocumentId,
}

/// The proof of a change, where these grounds ask for one, or what is wrong with what was given.
pub fn of(
    conn: &mut DbConn,
    account: &Account,
    grounds: Grounds,
    given: Given,
) -> Result<Result<Option<Proof>, Vec<Fault>>> {
    if grounds == Grounds::Word {
        return Ok(Ok(None));
    }
    let missing = |pointer| Fault::new(pointer, FaultCode::Required);
    let wrong = match given.document_id {
        None => Some(missing("#/document_id")),
        Some(id) => check_document(conn, account, id)?
            .map_err(|code| Fault::new("#/document_id", code))
            .err(),
    };
    Ok(match (given.reason, given.document_id, wrong) {
        (Some(reason), Some(document_id), None) => Ok(Some(Proof {
            reason,
            document_id,
        })),
        (reason, _, wrong) => {
            let reason = reason.is_none().then(|| missing("#/reason"));
            Err(reason.into_iter().chain(wrong).collect())
        }
    })
}

fn check_document(
    conn: &mut DbConn,
    account: &Account,
    id: DocumentId,
) -> Result<Result<(), FaultCode>> {
    Ok(match documents::find_of(conn, account.id, id)? {
        Some(document) => check_proof(is_of_change(account, &document), document.status),
        None => Err(FaultCode::DocumentUnknown),
    })
}

/// Records a change that was proven, and tells the superusers. 409 `vat_number_in_use` where another account in use has the VAT number.
pub fn settle(
    conn: &mut DbConn,
    context: &Context,
    access: &AccountAccess,
    account: &Held<Account>,
    (touched, proof): (Touched, Proof),
) -> Result<()> {
    if touched.vat_number {
        check_vat_number(conn, account)?;
    }
    let changed = Event::AccountCompanyChanged {
        account_id: account.id,
        document_id: proof.document_id,
        company_name: touched.name,
        vat_number: touched.vat_number,
    };
    let stamp = access.stamp(context.now).because(proof.reason);
    events::record(conn, &stamp, &[changed])?;
    let values = json!({ "vat_number": account.vat_number });
    for user in users::superusers_of(conn, account)? {
        let to = Recipient::user(&user, &account.company_name);
        send(conn, context, &to, Template::CompanyChanged, values.clone())?;
    }
    Ok(())
}

/// One account in use has a VAT number.
fn check_vat_number(conn: &mut DbConn, account: &Account) -> Result<()> {
    let Some(number) = &account.vat_number else {
        return Ok(());
    };
    accounts::lock_vat_number(conn, account.country, number)?;
    let living = accounts::living_of_vat_number(conn, account.country, number, 2)?;
    match living.iter().all(|other| other.id == account.id) {
        true => Ok(()),
        false => Err(Code::VatNumberInUse.into()),
    }
}
