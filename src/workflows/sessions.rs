//! Signing in, staying signed in, signing out.

use chrono::TimeDelta;
use secrecy::{ExposeSecret, SecretString};

use super::Context;
use crate::domain::access::SessionId;
use crate::domain::password::throttle;
use crate::domain::personal_data::SIGN_IN_FAILURES_KEPT;
use crate::domain::session::{device_known_until, refresh_ends};
use crate::domain::values::Email;
use crate::error::{Code, Refusal, Result};
use crate::repository::DbConn;
use crate::repository::devices::{self, Device};
use crate::repository::sessions::{self, RefreshToken, Session, SignInFailures};
use crate::repository::users::{self, User};
use crate::secrets::{random_token, sha256_hex};
use crate::types::Instant;

/// What the text of a refresh token begins with.
const PREFIX: &str = "cpr_";
/// What the text of a device's token begins with.
const DEVICE_PREFIX: &str = "cpd_";
/// A repeat within this time of its use gets a sibling: two tabs may refresh at once.
const GRACE: TimeDelta = TimeDelta::seconds(30);

/// What a signed-in user holds.
pub struct SignedIn {
    pub user: User,
    pub session: SessionId,
    pub refresh_token: SecretString,
}

/// A sign-in that was counted, before its password is compared.
#[derive(Debug, Clone)]
pub struct Try {
    /// None where nobody has the address.
    pub user: Option<User>,
    /// The hash of what it is counted by: the device where it is one of the user's, else the address.
    pub counted: String,
    pub at: Instant,
    /// The device's token where it is known.
    device_token: Option<SecretString>,
}

/// Counts a try before the password is looked at, so that many at once are not free; the address may be known or not. A device that the
/// user signed in with before is counted by itself: whoever tries from elsewhere does not make it wait.
/// The caller has a place at the hasher already: what is counted is compared.
pub fn begin(
    conn: &mut DbConn,
    context: &Context,
    email: &Email,
    device_token: Option<SecretString>,
) -> Result<Try> {
    let key = email.key();
    let user = users::find_by_email(conn, &key)?;
    let device_token = match device_token {
        Some(token) => known_device(conn, context, user.as_ref(), token)?,
        None => None,
    };
    let counted = device_token.as_ref().map(hash_of);
    let counted = counted.unwrap_or_else(|| sha256_hex(key.as_bytes()));
    count_try(conn, context, counted.clone())?;
    Ok(Try {
        user,
        counted,
        at: context.now,
        device_token,
    })
}

fn hash_of(token: &SecretString) -> String {
    sha256_hex(token.expose_secret().as_bytes())
}

/// The token where it is of a device of this user.
fn known_device(
    conn: &mut DbConn,
    context: &Context,
    user: Option<&User>,
    token: SecretString,
) -> Result<Option<SecretString>> {
    let device = devices::find(conn, &hash_of(&token), context.now)?;
    let owner = device.map(|device| device.user_id);
    let is_own = owner.is_some() && owner == user.map(|user| user.id);
    Ok(is_own.then_some(token))
}

/// Knows the device from now on; the token that it keeps.
fn keep_device(
    conn: &mut DbConn,
    context: &Context,
    user: &User,
    known: Option<SecretString>,
) -> Result<SecretString> {
    let token = match known {
        Some(token) => token,
        None => random_token(DEVICE_PREFIX)?,
    };
    let device = Device {
        token_hash: hash_of(&token),
        user_id: user.id,
        created_at: context.now,
        expires_at: device_known_until(context.now, &context.programme.sessions),
    };
    devices::put(conn, &device)?;
    Ok(token)
}

/// Counts a try by `counted`, or refuses it where that has to wait.
pub fn count_try(conn: &mut DbConn, context: &Context, counted: String) -> Result<()> {
    let before = sessions::failures(conn, &counted)?
        .filter(|failed| context.now.since(failed.last_at) < SIGN_IN_FAILURES_KEPT);
    let blocked = before
        .as_ref()
        .and_then(|failed| failed.blocked_until)
        .filter(|until| *until > context.now);
    if let Some(until) = blocked {
        return Err(too_many(until, context.now).into());
    }
    let failures = before.map_or(0, |failed| failed.failures) + 1;
    let delay = throttle(
        u32::try_from(failures).unwrap_or(u32::MAX),
        &context.programme.passwords,
    );
    let row = SignInFailures {
        counted_hash: counted,
        failures,
        last_at: context.now,
        blocked_until: delay.map(|delay| context.now.plus(delay)),
    };
    sessions::put_failures(conn, &row)
}

/// Takes back one try of `at` that was counted by `counted`: the password matched, and still nothing came of it.
pub fn take_back(conn: &mut DbConn, counted: &str, at: Instant) -> Result<()> {
    let Some(mut row) = sessions::failures(conn, counted)? else {
        return Ok(());
    };
    if row.failures <= 1 {
        return sessions::clear_failures(conn, counted);
    }
    row.failures -= 1;
    // Where somebody else has tried since, the wait is theirs.
    row.blocked_until = row.blocked_until.filter(|_| row.last_at > at);
    sessions::put_failures(conn, &row)
}

fn too_many(until: Instant, now: Instant) -> Refusal {
    let seconds = until.since(now).num_seconds() + 1;
    Refusal::from(Code::TooManyAttempts).retry_after(u64::try_from(seconds).unwrap_or(1))
}

/// Opens a session after a try whose password matched, and tells the token of its device; refused where the password was changed or the
/// user removed in the meantime.
pub fn open(
    conn: &mut DbConn,
    context: &Context,
    matched: Try,
) -> Result<(SignedIn, SecretString)> {
    let user = matched.user.ok_or(Code::InvalidCredentials)?;
    // Held: a password that changes right now ends this session too, or refuses it.
    let user = users::lock(conn, user.id)?.filter(|now| now.password_hash == user.password_hash);
    let user = user.ok_or(Code::InvalidCredentials)?;
    sessions::clear_failures(conn, &matched.counted)?;
    let device_token = keep_device(conn, context, &user, matched.device_token)?;
    let session = Session {
        id: SessionId::new(context.now),
        user_id: user.id,
        created_at: context.now,
        ended_at: None,
    };
    sessions::insert(conn, &session)?;
    let refresh_token = add_refresh_token(conn, context, &session, &user)?;
    let signed_in = SignedIn {
        user: user.into_row(),
        session: session.id,
        refresh_token,
    };
    Ok((signed_in, device_token))
}

fn add_refresh_token(
    conn: &mut DbConn,
    context: &Context,
    session: &Session,
    user: &User,
) -> Result<SecretString> {
    let token = random_token(PREFIX)?;
    let (is_staff, rules) = (user.account_id.is_none(), &context.programme.sessions);
    let row = RefreshToken {
        token_hash: sha256_hex(token.expose_secret().as_bytes()),
        session_id: session.id,
        created_at: context.now,
        expires_at: refresh_ends(session.created_at, context.now, is_staff, rules),
        used_at: None,
    };
    sessions::insert_refresh_token(conn, &row)?;
    Ok(token)
}

/// Exchanges a refresh token for the next one. One that was used before ends its whole family: `None`, which has to be
/// committed all the same.
pub fn refresh(conn: &mut DbConn, context: &Context, token: &str) -> Result<Option<SignedIn>> {
    let found = sessions::lock_refresh_token(conn, &sha256_hex(token.as_bytes()))?;
    let (token, session) = found.ok_or(Code::SessionEnded)?;
    if session.ended_at.is_some() || token.expires_at <= context.now {
        return Err(Code::SessionEnded.into());
    }
    match token.used_at {
        Some(used) if context.now.since(used) > GRACE => {
            sessions::end(conn, session.id, context.now)?;
            return Ok(None);
        }
        Some(_) => {}
        None => sessions::use_refresh_token(conn, &token.token_hash, context.now)?,
    }
    let user = users::find_by_id(conn, session.user_id)?.ok_or(Code::SessionEnded)?;
    let refresh_token = add_refresh_token(conn, context, &session, &user)?;
    Ok(Some(SignedIn {
        user,
        session: session.id,
        refresh_token,
    }))
}
