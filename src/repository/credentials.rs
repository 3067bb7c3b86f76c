//! What the systems of partners sign in with, at rest. Secrets are kept as their SHA-256.

use diesel::prelude::*;

use super::schema::{credentials, partners};
use super::{DbConn, MultiBackend};
use crate::domain::partner::{CredentialId, PartnerId, PartnerStatus, Scope};
use crate::error::Result;
use crate::types::{Instant, Json, Network};

/// One system of a partner.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = credentials, check_for_backend(MultiBackend), treat_none_as_null = true)]
pub struct Credential {
    pub id: CredentialId,
    pub partner_id: PartnerId,
    pub version: i64,
    /// What the partner calls the system.
    pub name: String,
    pub secret_hash: String,
    /// The secret before it, while that still opens.
    pub previous_hash: Option<String>,
    pub previous_until: Option<Instant>,
    pub scopes: Json,
    pub networks: Json,
    pub created_at: Instant,
    pub last_used_at: Option<Instant>,
    pub revoked_at: Option<Instant>,
    /// Tokens of another version have ended.
    pub token_version: i64,
}

impl Credential {
    /// What it may do.
    pub fn scopes(&self) -> Result<Vec<Scope>> {
        Ok(self.scopes.decode()?)
    }

    /// Where it may be used from; from everywhere where there are none.
    pub fn networks(&self) -> Result<Vec<Network>> {
        Ok(self.networks.decode()?)
    }
}

/// Where a credential stands whose tokens may hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    pub token_version: i64,
    pub networks: Vec<Network>,
}

/// Where a credential stands; none when it was revoked or its partner is suspended.
pub fn standing(conn: &mut DbConn, id: CredentialId) -> Result<Option<Standing>> {
    let live = credentials::table
        .inner_join(partners::table)
        .filter(credentials::id.eq(id))
        .filter(credentials::revoked_at.is_null())
        .filter(partners::status.eq(PartnerStatus::Active));
    let found: Option<(i64, Json)> = live
        .select((credentials::token_version, credentials::networks))
        .first(conn)
        .optional()?;
    let Some((token_version, networks)) = found else {
        return Ok(None);
    };
    Ok(Some(Standing {
        token_version,
        networks: networks.decode()?,
    }))
}

/// A credential, revoked or not, with the status of its partner.
pub fn find(conn: &mut DbConn, id: CredentialId) -> Result<Option<(Credential, PartnerStatus)>> {
    let found = credentials::table
        .inner_join(partners::table)
        .filter(credentials::id.eq(id))
        .select((Credential::as_select(), partners::status));
    Ok(found.first(conn).optional()?)
}

/// Stores a new credential.
pub fn insert(conn: &mut DbConn, credential: &Credential) -> Result<()> {
    diesel::insert_into(credentials::table)
        .values(credential)
        .execute(conn)?;
    Ok(())
}

/// Notes that a credential was used.
pub fn use_at(conn: &mut DbConn, id: CredentialId, now: Instant) -> Result<()> {
    diesel::update(credentials::table.find(id))
        .set(credentials::last_used_at.eq(now))
        .execute(conn)?;
    Ok(())
}
