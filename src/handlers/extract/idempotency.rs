//! Writing twice: the answer to a key is stored with the effect, in the same transaction.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header::HeaderValue;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use percent_encoding::percent_decode_str;

use crate::auth::Identity;
use crate::domain::personal_data::IDEMPOTENCY_KEYS_KEPT;
use crate::error::{Code, Error, Fault, FaultCode, Refusal, Result};
use crate::handlers::answer::Answer;
use crate::handlers::service::Service;
use crate::repository::DbConn;
use crate::repository::idempotency_keys::{self as stored, StoredAnswer};
use crate::secrets::{Sealer, sha256_hex};
use crate::types::Instant;

/// The header that carries a key.
pub const HEADER: &str = "Idempotency-Key";

/// The caller's key for this operation, if one came.
#[derive(Debug, Clone)]
pub struct Idempotency {
    key: Option<String>,
    /// Caller, route and the values in it; nobody meets another's key.
    owner: String,
    is_anonymous: bool,
}

impl FromRequest for Idempotency {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(read(request))
    }
}

/// A key that the operation cannot do without: 400 `idempotency_key_required`.
#[derive(Debug, Clone)]
pub struct RequiredKey(pub Idempotency);

impl FromRequest for RequiredKey {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let read = read(request).and_then(|idempotency| match idempotency.key {
            Some(_) => Ok(Self(idempotency)),
            None => Err(Code::IdempotencyKeyRequired.into()),
        });
        ready(read)
    }
}

fn read(request: &HttpRequest) -> Result<Idempotency> {
    let key = request.headers().get(HEADER).map(key_of).transpose()?;
    let identity = request.extensions().get::<Identity>().cloned();
    let caller = identity
        .and_then(|identity| identity.caller.ok())
        .unwrap_or_default();
    let user = caller.user_id().map(|user| user.to_string());
    // A partner's, whichever of its credentials: a change of them between two tries does not double.
    let partner = || caller.partner_id().map(|partner| partner.to_string());
    let account = || caller.account_id().map(|account| account.to_string());
    let who = user.or_else(partner).or_else(account);
    let who = who.unwrap_or_else(|| "anyone".to_owned());
    let owner = format!("{who} {} {}", request.method(), path_of(request));
    Ok(Idempotency {
        key,
        owner,
        is_anonymous: caller.is_anyone(),
    })
}

/// The route with its decoded values: however a path is escaped, it is the same one.
fn path_of(request: &HttpRequest) -> String {
    let route = request.match_pattern().unwrap_or_default();
    let values = request.match_info().iter();
    values.fold(route, |path, (name, value)| {
        let decoded = percent_decode_str(value).decode_utf8_lossy();
        path.replace(&format!("{{{name}}}"), &decoded)
    })
}

/// The key, quoted or bare: 1 to 255 printable characters.
fn key_of(value: &HeaderValue) -> Result<String> {
    let fault = |code| Fault::new(format!("#/header/{HEADER}"), code);
    let text = value.to_str().map_err(|_| fault(FaultCode::Pattern))?;
    let bare = text
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
        .unwrap_or(text);
    match bare.len() {
        0 => Err(fault(FaultCode::TooShort).with("min", 1).into()),
        1..=255 if bare.bytes().all(|b| matches!(b, b' '..=b'~')) => Ok(bare.to_owned()),
        1..=255 => Err(fault(FaultCode::Pattern).into()),
        _ => Err(fault(FaultCode::TooLong).with("max", 255).into()),
    }
}

impl Idempotency {
    /// What the answer is stored under.
    fn scope(&self, body_hash: &str) -> Option<String> {
        let key = self.key.as_deref()?;
        let body = if self.is_anonymous { body_hash } else { "" };
        let scope = format!("{}\n{body}\n{key}", self.owner);
        Some(sha256_hex(scope.as_bytes()))
    }

    /// Whether somebody who is known has used the key before: then `write` does nothing more, whatever the body.
    pub async fn is_answered(&self, service: &Service) -> Result<bool> {
        let Some(scope) = self.scope("").filter(|_| !self.is_anonymous) else {
            return Ok(false);
        };
        let since = service.now().plus(-IDEMPOTENCY_KEYS_KEPT);
        let known = move |conn: &mut DbConn| stored::is_known(conn, &scope, since);
        service.db.fetch(known).await
    }

    /// Runs `work` once for the key: the same key and body get the stored answer, another body is refused. Refusals and
    /// failures leave nothing behind, so that the caller can mend and repeat.
    pub async fn write<F>(&self, service: &Service, body_hash: &str, work: F) -> Result<Answer>
    where
        F: FnOnce(&mut DbConn) -> Result<Answer> + Clone + Send + 'static,
    {
        let Some(scope) = self.scope(body_hash) else {
            return service.db.write(work).await;
        };
        let (sealer, now, request_hash) =
            (service.sealer.clone(), service.now(), body_hash.to_owned());
        service
            .db
            .write(move |conn| {
                if let Some(found) = claim(conn, &scope, &request_hash, now)? {
                    return replay(found, &request_hash, &sealer);
                }
                let answer = work(conn)?;
                let sealed = sealer.seal(&serde_json::to_vec(&answer)?)?;
                stored::keep(conn, &scope, &sealed)?;
                Ok(answer)
            })
            .await
    }
}

/// Takes the key, or finds its answer; 409 `idempotency_in_progress` where another request with it is still running.
fn claim(
    conn: &mut DbConn,
    scope: &str,
    request_hash: &str,
    now: Instant,
) -> Result<Option<StoredAnswer>> {
    let before = now.plus(-IDEMPOTENCY_KEYS_KEPT);
    match stored::claim(conn, scope, request_hash, now, before) {
        Err(Error::Contended) => Err(Refusal::from(Code::IdempotencyInProgress)
            .retry_after(1)
            .into()),
        claimed => claimed,
    }
}

/// The answer again. A key whose answer was sealed by a key of ours that is gone is used up: what it was for happened, and is not done twice.
fn replay(found: StoredAnswer, request_hash: &str, sealer: &Sealer) -> Result<Answer> {
    if found.request_hash != request_hash {
        return Err(Code::IdempotencyKeyReused.into());
    }
    let answer: Answer = match &found.sealed {
        Some(sealed) => {
            let opened = sealer.open(sealed)?.ok_or(Code::IdempotencyKeyReused)?;
            serde_json::from_slice(&opened)?
        }
        // Stored before every answer was sealed.
        None => found.answer.decode()?,
    };
    Ok(answer.replayed())
}

/// The header, as the contract names it.
#[derive(serde::Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Header)]
#[allow(dead_code)]
pub struct IdempotencyHeader {
    /// Makes repeating safe: the same key and body get the first answer again for 24 hours.
    #[serde(rename = "Idempotency-Key")]
    #[param(
        min_length = 1,
        max_length = 255,
        pattern = r"^[!-~]([ -~]*[!-~])?$",
        nullable = false
    )]
    idempotency_key: Option<String>,
}

/// The header where the operation cannot do without it.
#[derive(serde::Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Header)]
#[allow(dead_code)]
pub struct RequiredIdempotencyHeader {
    /// Required, a fresh one for each effect: the same key and body get the first answer again for 24 hours. Swagger UI makes one for each Execute where none is entered.
    #[serde(rename = "Idempotency-Key")]
    #[param(min_length = 1, max_length = 255, pattern = r"^[!-~]([ -~]*[!-~])?$")]
    idempotency_key: String,
}
