//! Taking over an old CPS account: what can be taken over, and attaching it. The proof, what waits, the takeover and the import have their own files.

mod import;
mod proof;
mod takeover;
mod waiting;

use super::Context;
use crate::domain::access::AccountAccess;
use crate::domain::event::Event;
use crate::domain::legacy_migration::{
    Availability, LegacyFacts, MigrationFacts, availability as available,
};
use crate::domain::member_number::number_key;
use crate::domain::values::email_key;
use crate::error::{Code, Fault, FaultCode, Partial, Result};
use crate::repository::accounts::{self, Account};
use crate::repository::legacy_migration::{self as legacy, LegacyAccount, LegacyProduct, Takeover};
use crate::repository::{DbConn, events, sessions, users};

pub use import::import;
pub use proof::{prove, send_code};
pub use takeover::{Migrated, MigratedItem, migrate};
pub use waiting::{WaitingProduct, waiting};

/// What is known of an account's old ones.
struct LegacyState {
    facts: MigrationFacts,
    /// Those that this account has, and that of its address once that is proven and nobody else has it.
    own: Vec<OldAccount>,
}

/// An old account that an account may take over, or has.
struct OldAccount {
    legacy: LegacyAccount,
    takeover: Option<Takeover>,
    products: Vec<LegacyProduct>,
}

impl OldAccount {
    fn load(conn: &mut DbConn, legacy: LegacyAccount, takeover: Option<Takeover>) -> Result<Self> {
        Ok(Self {
            products: legacy::products(conn, legacy.id)?,
            legacy,
            takeover,
        })
    }

    /// The products that were not taken over yet.
    fn waiting(&self) -> impl Iterator<Item = &LegacyProduct> {
        self.products.iter().filter(|one| one.result.is_none())
    }
}

/// Whether products of old accounts can be taken over, and why not.
pub fn availability(conn: &mut DbConn, access: &AccountAccess) -> Result<Availability> {
    let account = accounts::find(conn, access)?;
    Ok(available(legacy_state(conn, &account)?.facts))
}

fn legacy_state(conn: &mut DbConn, account: &Account) -> Result<LegacyState> {
    let mut own = Vec::new();
    for (takeover, legacy) in legacy::takeovers_of(conn, account.id)? {
        own.push(OldAccount::load(conn, legacy, Some(takeover))?);
    }
    let key = account.legacy_cps_email.as_deref().map(email_key);
    let has_its_account = own
        .iter()
        .any(|one| Some(&one.legacy.email_key) == key.as_ref());
    let proven = has_its_account || is_proven(conn, account)?;
    let mut is_anothers = false;
    if let Some(key) = key.filter(|_| proven && !has_its_account)
        && let Some(legacy) = legacy::find_by_email(conn, &key)?
    {
        match legacy::taken_by(conn, legacy.id)? {
            Some(_) => is_anothers = true,
            None => own.push(OldAccount::load(conn, legacy, None)?),
        }
    }
    let waiting = own.iter().flat_map(OldAccount::waiting).count();
    let facts = LegacyFacts {
        migrated: is_anothers || own.iter().any(|one| one.takeover.is_some()),
        products: u64::try_from(waiting).unwrap_or(u64::MAX),
    };
    Ok(LegacyState {
        facts: MigrationFacts {
            has_legacy_email: account.legacy_cps_email.is_some(),
            proven,
            legacy: (is_anothers || !own.is_empty()).then_some(facts),
        },
        own,
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

/// Attaches the old account of a member number beside those that the account has, for who could not prove its address; staff say why.
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
    let has_it = legacy::taken_by(conn, legacy.id)?;
    if has_it.is_some_and(|takeover| takeover.account_id == account.id) {
        return Ok(legacy);
    }
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
    let legacy = match read.member_number.as_deref().and_then(number_key) {
        Some(key) => legacy::find_by_number(conn, &key)?,
        None => None,
    };
    if read.member_number.is_some() && legacy.is_none() {
        faults.push(Fault::new("#/member_number", FaultCode::NumberUnknown));
    }
    faults.judge(legacy.zip(read.reason))
}
