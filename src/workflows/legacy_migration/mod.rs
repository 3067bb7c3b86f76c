//! Taking over an old CPS account: what can be taken over, and attaching it. The proof, the takeover and the import have their own files.

mod import;
mod proof;
mod takeover;

use super::Context;
use crate::domain::access::AccountAccess;
use crate::domain::event::Event;
use crate::domain::legacy_migration::{
    Availability, LegacyFacts, MigrationFacts, availability as available,
};
use crate::domain::values::email_key;
use crate::error::{Code, Fault, FaultCode, Partial, Result};
use crate::repository::accounts::{self, Account};
use crate::repository::legacy_migration::{self as legacy, LegacyAccount, Takeover};
use crate::repository::{DbConn, events, sessions, users};

pub use import::import;
pub use proof::{prove, send_code};
pub use takeover::{Migrated, MigratedItem, migrate};

/// What is known of an account's old one.
struct LegacyState {
    facts: MigrationFacts,
    /// The old account, where this one may see it.
    legacy: Option<(LegacyAccount, Option<Takeover>)>,
}

/// Whether products of an old account can be taken over, and why not.
pub fn availability(conn: &mut DbConn, access: &AccountAccess) -> Result<Availability> {
    let account = accounts::find(conn, access)?;
    Ok(available(legacy_state(conn, &account)?.facts))
}

fn legacy_state(conn: &mut DbConn, account: &Account) -> Result<LegacyState> {
    let attached = legacy::takeover_of(conn, account.id)?;
    let proven = attached.is_some() || is_proven(conn, account)?;
    let found = match (attached, &account.legacy_cps_email) {
        (Some((takeover, legacy)), _) => Some((legacy, Some(takeover))),
        (None, Some(email)) if proven => match legacy::find_by_email(conn, &email_key(email))? {
            Some(legacy) => {
                let takeover = legacy::taken_by(conn, legacy.id)?;
                Some((legacy, takeover))
            }
            None => None,
        },
        (None, _) => None,
    };
    let facts = match &found {
        None => None,
        Some((legacy, takeover)) => {
            let products = legacy::products(conn, legacy.id)?;
            let waiting = products.iter().filter(|one| one.result.is_none()).count();
            let others = takeover.as_ref().map(|one| one.account_id) != Some(account.id);
            Some(LegacyFacts {
                migrated: takeover.is_some() && (others || waiting == 0),
                products: u64::try_from(waiting).unwrap_or(u64::MAX),
            })
        }
    };
    Ok(LegacyState {
        facts: MigrationFacts {
            has_legacy_email: account.legacy_cps_email.is_some(),
            proven,
            legacy: facts,
        },
        legacy: found,
    })
}

/// The old address is proven by its code, or because it is the very address that the account's first password was set through. Whoever is
/// invited later proves nothing.
fn is_proven(conn: &mut DbConn, account: &Account) -> Result<bool> {
    let Some(email) = &account.legacy_cps_email else {
        return Ok(false);
    };
    let key = email_key(email);
    let by_code = legacy::proof(conn, account.id)?
        .is_some_and(|proof| proof.email_key == key && proof.proven_at.is_some());
    let first = users::first_of(conn, account.id)?;
    let by_password =
        first.is_some_and(|user| user.email_key == key && user.password_hash.is_some());
    Ok(by_code || by_password)
}

/// Which old account staff attach, and why; each is nothing where it could not be read.
#[derive(Debug, Clone)]
pub struct Attachment {
    pub member_number: Option<String>,
    pub reason: Option<String>,
}

/// Attaches the old account of a member number, for who could not prove its address; staff say why.
pub fn attach(
    conn: &mut DbConn,
    context: &Context,
    access: &AccountAccess,
    attachment: Partial<Attachment>,
) -> Result<LegacyAccount> {
    let staff = access.staff().ok_or(Code::Forbidden)?;
    let account = accounts::lock(conn, access)?;
    sessions::confirm(conn, access.actor())?;
    if account.approved_at.is_none() {
        return Err(Code::AccountNotActive.with("status", account.status).into());
    }
    let (legacy, reason) = judge_attachment(conn, attachment)?;
    let current = legacy::takeover_of(conn, account.id)?;
    if current.as_ref().is_some_and(|(_, own)| own.id == legacy.id) {
        return Ok(legacy);
    }
    make_room(conn, current)?;
    let takeover = Takeover {
        attached_by: Some(staff),
        reason: Some(reason.clone()),
        ..Takeover::of(account.id, legacy.id, context.now)
    };
    if !legacy::take(conn, &takeover)?.is_stored() {
        return Err(Code::LegacyAccountTaken.into());
    }
    let attached = Event::AccountLegacyAttached {
        account_id: account.id,
        legacy_account_id: legacy.id,
    };
    let stamp = access.stamp(context.now).because(reason);
    events::record(conn, &stamp, &[attached])?;
    Ok(legacy)
}

fn judge_attachment(
    conn: &mut DbConn,
    attachment: Partial<Attachment>,
) -> Result<(LegacyAccount, String)> {
    let Partial { read, mut faults } = attachment;
    let legacy = match &read.member_number {
        Some(number) => legacy::find_by_number(conn, number)?,
        None => None,
    };
    if read.member_number.is_some() && legacy.is_none() {
        faults.push(Fault::new("#/member_number", FaultCode::NumberUnknown));
    }
    faults.judge(legacy.zip(read.reason))
}

/// An old account that was attached and not used makes room for another.
fn make_room(conn: &mut DbConn, current: Option<(Takeover, LegacyAccount)>) -> Result<()> {
    match current {
        Some((takeover, _)) if takeover.migrated_at.is_some() => Err(Code::AlreadyMigrated.into()),
        Some((_, other)) => legacy::give_back(conn, other.id),
        None => Ok(()),
    }
}
