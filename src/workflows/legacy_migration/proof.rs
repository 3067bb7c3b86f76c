//! The proof of an old address: a code that is mailed to it, and the tries to enter it.

use chrono::TimeDelta;
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use subtle::ConstantTimeEq;

use super::is_proven;
use crate::domain::access::AccountAccess;
use crate::domain::event::Event;
use crate::domain::legacy_migration::{CodeMails, SentCode, check_try, next_mail};
use crate::domain::mail::Template;
use crate::domain::values::email_key;
use crate::error::{Code, Fault, FaultCode, Refusal, Result};
use crate::repository::accounts::{self, Account};
use crate::repository::legacy_migration::{self as legacy, Proof};
use crate::repository::{DbConn, events};
use crate::secrets::random;
use crate::types::Instant;
use crate::workflows::Context;
use crate::workflows::mail::{self, Recipient, Terms};

/// Mails a code to the old address, whoever was a member there; at most so many a day.
pub fn send_code(conn: &mut DbConn, context: &Context, access: &AccountAccess) -> Result<()> {
    let account = accounts::lock_active(conn, access)?;
    let Some(address) = account.legacy_cps_email.clone() else {
        return Err(Code::NoLegacyEmail.into());
    };
    if is_proven(conn, &account)? {
        return Ok(());
    }
    let rules = &context.programme.legacy_migration;
    let before = legacy::lock_proof(conn, &account)?;
    let sent = before.as_ref().map(|proof| CodeMails {
        mails: u32::try_from(proof.mails).unwrap_or(u32::MAX),
        since: proof.mails_since,
    });
    let mails = next_mail(sent, context.now, rules).map_err(|code| {
        let since = sent.map_or(context.now, |sent| sent.since);
        until(code, since.plus(TimeDelta::days(1)), context.now)
    })?;
    let code = rules.code(random()?);
    let proof = Proof {
        account_id: account.id,
        email_key: email_key(&address),
        sealed_code: Some(context.sealer.seal(code.as_bytes())?),
        expires_at: rules.expires(context.now),
        tries: 0,
        mails: mails.mails.into(),
        mails_since: mails.since,
        proven_at: None,
    };
    legacy::put_proof(conn, &account, &proof)?;
    let code = (code.as_str(), proof.expires_at);
    mail_code(conn, context, &account, address, code)
}

/// Mails a code to the address that it is to prove, while it is good.
fn mail_code(
    conn: &mut DbConn,
    context: &Context,
    account: &Account,
    address: String,
    (code, until): (&str, Instant),
) -> Result<()> {
    let to = Recipient {
        address,
        ..Recipient::contact(account)
    };
    let minutes = context.programme.legacy_migration.code_minutes;
    let values = json!({ "code": code, "valid_minutes": minutes });
    let terms = Terms {
        until: Some(until),
        for_stranger: false,
    };
    mail::send_on(conn, context, &to, Template::MigrationProof, values, terms)
}

/// Compares a code. A refusal is returned, not raised, since the try that it counted has to be committed.
pub fn prove(
    conn: &mut DbConn,
    context: &Context,
    access: &AccountAccess,
    code: &SecretString,
) -> Result<Result<(), Refusal>> {
    let account = accounts::lock_active(conn, access)?;
    let Some(mut proof) = legacy::lock_proof(conn, &account)? else {
        return Ok(Err(wrong_code()));
    };
    let sent = proof.sealed_code.as_ref().map(|_| SentCode {
        expires_at: proof.expires_at,
        tries: u32::try_from(proof.tries).unwrap_or(u32::MAX),
    });
    match check_try(sent, context.now, &context.programme.legacy_migration) {
        Ok(()) => {}
        Err(Code::CodeInvalid) => return Ok(Err(wrong_code())),
        Err(code) => return Ok(Err(until(code, proof.expires_at, context.now))),
    }
    let sealed = proof.sealed_code.as_deref().unwrap_or_default();
    let Some(right) = context.sealer.open(sealed)? else {
        // Its key is gone: the next code is sealed with one that is there.
        return Ok(Err(wrong_code()));
    };
    let matches: bool = right.ct_eq(code.expose_secret().trim().as_bytes()).into();
    if !matches {
        proof.tries += 1;
        legacy::put_proof(conn, &account, &proof)?;
        return Ok(Err(wrong_code()));
    }
    proof.sealed_code = None;
    proof.proven_at = Some(context.now);
    legacy::put_proof(conn, &account, &proof)?;
    let proven = Event::AccountLegacyProven {
        account_id: account.id,
    };
    events::record(conn, &access.stamp(context.now), &[proven])?;
    Ok(Ok(()))
}

/// A refusal that holds until `moment`.
fn until(code: Code, moment: Instant, now: Instant) -> Refusal {
    let seconds = moment.since(now).num_seconds() + 1;
    Refusal::from(code).retry_after(u64::try_from(seconds).unwrap_or(1))
}

fn wrong_code() -> Refusal {
    let fault = Fault::new("#/code", FaultCode::CodeInvalid);
    Refusal::from(Code::CodeInvalid).faults(vec![fault])
}
