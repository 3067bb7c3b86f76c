//! What the systems of dealers sign in with: made, changed, given another secret, revoked. Signing in is in `oauth`.

use chrono::TimeDelta;
use secrecy::{ExposeSecret, SecretString};

use super::{Context, partners};
use crate::domain::actor::Stamp;
use crate::domain::event::Event;
use crate::domain::partner::{CredentialId, PartnerId, Scope};
use crate::error::{Code, Result};
use crate::repository::credentials::{self, Credential};
use crate::repository::{DbConn, events};
use crate::secrets::{random_token, sha256_hex};
use crate::types::{Json, Network};

/// What a credential is to be like.
#[derive(Debug, Clone)]
pub struct New {
    pub name: String,
    pub scopes: Vec<Scope>,
    pub networks: Vec<Network>,
}

/// What of a credential is to change; what is left out stays.
#[derive(Debug, Clone)]
pub struct Change {
    pub name: Option<String>,
    pub scopes: Option<Vec<Scope>>,
    pub networks: Option<Vec<Network>>,
}

fn hash_of(secret: &SecretString) -> String {
    sha256_hex(secret.expose_secret().as_bytes())
}

/// Gives a system of a partner a credential; its secret, which is shown this once.
pub fn create(
    conn: &mut DbConn,
    context: &Context,
    stamp: &Stamp,
    (partner_id, new): (PartnerId, New),
    prefix: &str,
) -> Result<(Credential, SecretString)> {
    let partner = partners::lock(conn, stamp, partner_id)?;
    if credentials::count_live(conn, &partner)? >= context.programme.dealers.credentials {
        return Err(Code::CredentialLimitReached.into());
    }
    let secret = random_token(prefix)?;
    let credential = Credential {
        id: CredentialId::new(stamp.now),
        partner_id,
        version: 1,
        name: new.name,
        secret_hash: hash_of(&secret),
        previous_hash: None,
        previous_until: None,
        scopes: Json::of(&new.scopes)?,
        networks: Json::of(&new.networks)?,
        created_at: stamp.now,
        last_used_at: None,
        revoked_at: None,
        token_version: 1,
    };
    credentials::insert(conn, &credential)?;
    let created = Event::CredentialCreated {
        partner_id,
        credential_id: credential.id,
        scopes: new.scopes,
    };
    events::record(conn, stamp, &[created])?;
    Ok((credential, secret))
}

/// Names the partner and one of its credentials.
pub type Of = (PartnerId, CredentialId);

/// Changes what a system is called, what it may do and from where. What it may do no more ends its tokens.
pub fn change(
    conn: &mut DbConn,
    stamp: &Stamp,
    (partner_id, credential_id): Of,
    change: Change,
    check: impl FnOnce(i64) -> Result<()>,
) -> Result<Credential> {
    let partner = partners::lock(conn, stamp, partner_id)?;
    let mut credential = credentials::lock(conn, &partner, credential_id)?;
    check(credential.version)?;
    let before = credential.scopes()?;
    let scopes = change.scopes.unwrap_or_else(|| before.clone());
    credential.name = change.name.unwrap_or(credential.name.clone());
    if before.iter().any(|scope| !scopes.contains(scope)) {
        credential.token_version += 1;
    }
    credential.scopes = Json::of(&scopes)?;
    if let Some(networks) = change.networks {
        credential.networks = Json::of(&networks)?;
    }
    credentials::store(conn, &mut credential)?;
    let changed = Event::CredentialChanged {
        partner_id,
        credential_id,
        scopes,
    };
    events::record(conn, stamp, &[changed])?;
    Ok(credential.into_row())
}

/// Revokes a credential: its tokens end, and it signs in no more.
pub fn revoke(
    conn: &mut DbConn,
    stamp: &Stamp,
    (partner_id, credential_id): Of,
    check: impl FnOnce(i64) -> Result<()>,
) -> Result<()> {
    let partner = partners::lock(conn, stamp, partner_id)?;
    let mut credential = credentials::lock(conn, &partner, credential_id)?;
    check(credential.version)?;
    credential.revoked_at = Some(stamp.now);
    credential.token_version += 1;
    credentials::store(conn, &mut credential)?;
    let revoked = Event::CredentialRevoked {
        partner_id,
        credential_id,
    };
    events::record(conn, stamp, &[revoked])
}

/// Gives a system another secret, which is shown this once; the one before opens for `overlap` more.
pub fn rotate_secret(
    conn: &mut DbConn,
    stamp: &Stamp,
    (partner_id, credential_id): Of,
    overlap: TimeDelta,
    prefix: &str,
) -> Result<(Credential, SecretString)> {
    let partner = partners::lock(conn, stamp, partner_id)?;
    let mut credential = credentials::lock(conn, &partner, credential_id)?;
    let open = credential.previous_until;
    if open.is_some_and(|until| until > stamp.now) {
        return Err(Code::SecretRotationOpen.into());
    }
    let (secret, until) = (random_token(prefix)?, stamp.now.plus(overlap));
    let previous = std::mem::replace(&mut credential.secret_hash, hash_of(&secret));
    credential.previous_hash = Some(previous);
    credential.previous_until = Some(until);
    credentials::store(conn, &mut credential)?;
    let rotated = Event::CredentialSecretRotated {
        partner_id,
        credential_id,
        previous_until: until,
    };
    events::record(conn, stamp, &[rotated])?;
    Ok((credential.into_row(), secret))
}

/// Ends the secret before the newest one at once, and every token, since nobody knows with which secret one was got. Nothing where there is none.
pub fn end_previous(
    conn: &mut DbConn,
    stamp: &Stamp,
    (partner_id, credential_id): Of,
) -> Result<()> {
    let partner = partners::lock(conn, stamp, partner_id)?;
    let mut credential = credentials::lock(conn, &partner, credential_id)?;
    if credential.previous_hash.take().is_none() {
        return Ok(());
    }
    credential.previous_until = None;
    credential.token_version += 1;
    credentials::store(conn, &mut credential)?;
    let ended = Event::CredentialPreviousSecretEnded {
        partner_id,
        credential_id,
    };
    events::record(conn, stamp, &[ended])
}
