//! How a system of a partner signs in. Making its token is the handler's matter.

use std::net::IpAddr;

use chrono::TimeDelta;
use secrecy::{ExposeSecret, SecretString};
use uuid::Uuid;

use super::Context;
use crate::domain::partner::{CredentialId, PartnerStatus, Scope};
use crate::error::{Code, Refusal, Result};
use crate::repository::DbConn;
use crate::repository::credentials::{self, Credential};
use crate::repository::sessions::{self, SignInFailures};
use crate::secrets::{is_same, sha256_hex};
use crate::types::{Instant, household, is_within};

/// How often the use of a credential is noted at most.
const NOTED: TimeDelta = TimeDelta::minutes(1);

/// Somebody who says to be a system of a partner.
#[derive(Debug, Clone)]
pub struct Attempt {
    /// As it was sent: perhaps nobody's.
    pub client_id: String,
    pub secret: SecretString,
    /// The scopes that are asked for, with blanks between; none for all that the credential has.
    pub scope: Option<String>,
    /// Where it comes from, as far as trusted proxies tell.
    pub address: Option<IpAddr>,
}

/// A system that signed in, with what it asked for.
#[derive(Debug, Clone)]
pub struct SignedIn {
    pub credential: Credential,
    pub scopes: Vec<Scope>,
}

/// Signs a system in; none where it may not, whatever the reason, which has to be committed all the same. What is asked of the database is the
/// same for all of them.
pub fn sign_in(
    conn: &mut DbConn,
    context: &Context,
    attempt: &Attempt,
) -> Result<Option<SignedIn>> {
    let address = attempt.address.map(household);
    let counted = format!("client {} {address:?}", attempt.client_id);
    let counted = context.sealer.fingerprint(&counted);
    let failed = sessions::failures(conn, &counted)?;
    refuse_blocked(failed.as_ref(), context.now)?;
    let id = attempt.client_id.parse();
    let id = id.unwrap_or_else(|_| CredentialId::from(Uuid::nil()));
    let found = credentials::find(conn, id)?;
    if !is_genuine(found.as_ref(), attempt, context.now)? {
        count_failure(conn, context, counted, failed)?;
        return Ok(None);
    }
    let (credential, _) = found.ok_or(Code::InvalidClient)?;
    if failed.is_some() {
        sessions::clear_failures(conn, &counted)?;
    }
    let used = credential.last_used_at;
    if used.is_none_or(|used| context.now.since(used) >= NOTED) {
        credentials::use_at(conn, credential.id, context.now)?;
    }
    let scopes = granted(&credential.scopes()?, attempt.scope.as_deref())?;
    Ok(Some(SignedIn { credential, scopes }))
}

/// Whether it is who it says, and may sign in from where it is. A secret is compared in any case.
fn is_genuine(
    found: Option<&(Credential, PartnerStatus)>,
    attempt: &Attempt,
    now: Instant,
) -> Result<bool> {
    let hash = sha256_hex(attempt.secret.expose_secret().as_bytes());
    let credential = found.map(|(credential, _)| credential);
    // Of an unknown one neither is the hash of anything.
    let current = credential.map_or("unknown", |one| one.secret_hash.as_str());
    let previous = credential.and_then(|one| one.previous_hash.as_deref());
    let is_current = is_same(&hash, current);
    let is_previous = is_same(&hash, previous.unwrap_or("unknown"));
    let Some((credential, status)) = found else {
        return Ok(false);
    };
    let is_open = credential.previous_until.is_some_and(|until| until > now);
    let is_live = credential.revoked_at.is_none() && *status == PartnerStatus::Active;
    let is_inside = is_within(&credential.networks()?, attempt.address);
    Ok((is_current || is_previous && is_open) && is_live && is_inside)
}

fn refuse_blocked(failed: Option<&SignInFailures>, now: Instant) -> Result<()> {
    let blocked = failed.and_then(|failed| failed.blocked_until);
    match blocked.filter(|until| *until > now) {
        Some(until) => {
            let seconds = until.since(now).num_seconds() + 1;
            let refusal = Refusal::from(Code::TooManyAttempts);
            Err(refusal
                .retry_after(u64::try_from(seconds).unwrap_or(1))
                .into())
        }
        None => Ok(()),
    }
}

/// Counts one more failure of a client from one address, known or not; after the last that is let pass it waits.
fn count_failure(
    conn: &mut DbConn,
    context: &Context,
    counted_hash: String,
    before: Option<SignInFailures>,
) -> Result<()> {
    let rules = &context.programme.dealers;
    let wait = TimeDelta::minutes(rules.sign_in_wait_minutes.into());
    let recent = before.filter(|failed| context.now.since(failed.last_at) < wait);
    let failures = recent.map_or(0, |failed| failed.failures) + 1;
    let is_last = failures >= rules.sign_in_failures;
    let row = SignInFailures {
        counted_hash,
        failures,
        last_at: context.now,
        blocked_until: is_last.then(|| context.now.plus(wait)),
    };
    sessions::put_failures(conn, &row)
}

/// The scopes of a token: those that are asked for, each of which the credential must have, or all.
fn granted(own: &[Scope], asked: Option<&str>) -> Result<Vec<Scope>, Code> {
    let Some(asked) = asked else {
        return Ok(own.to_vec());
    };
    let words = asked.split(' ').filter(|word| !word.is_empty());
    let scopes: Result<Vec<Scope>, _> = words.map(str::parse).collect();
    let mut scopes = scopes.map_err(|_| Code::InvalidScope)?;
    scopes.sort_unstable();
    scopes.dedup();
    match scopes.iter().all(|scope| own.contains(scope)) && !scopes.is_empty() {
        true => Ok(scopes),
        false => Err(Code::InvalidScope),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_has_what_was_asked_for_or_all_and_never_more() {
        use Scope::{RegistrationsRead, RegistrationsWrite, Webhooks};
        let own = [RegistrationsWrite, RegistrationsRead];
        assert_eq!(granted(&own, None), Ok(own.to_vec()));
        let one = Some("registrations:read");
        assert_eq!(granted(&own, one), Ok(vec![RegistrationsRead]));
        let twice = Some("registrations:read  registrations:write registrations:read");
        assert_eq!(granted(&own, twice), Ok(own.to_vec()));
        for asked in [
            "webhooks",
            "registrations:read webhooks",
            "all",
            " ",
            "Registrations:read",
        ] {
            assert_eq!(
                granted(&own, Some(asked)),
                Err(Code::InvalidScope),
                "{asked}"
            );
        }
        assert_eq!(granted(&[Webhooks], Some("webhooks")), Ok(vec![Webhooks]));
    }
}
