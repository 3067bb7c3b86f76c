//! Access tokens: `at+jwt` (RFC 9068), signed with Ed25519, checked against the service's own clock.

use std::sync::Arc;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, decode_header, encode,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::key_file;
use crate::domain::access::{SessionId, UserId};
use crate::domain::account::AccountId;
use crate::domain::partner::{CredentialId, PartnerId, Scope, scope_text};
use crate::domain::permissions::Role;
use crate::error::{Code, Error, Result};
use crate::secrets::{EarlierKeys, Marker, sha256_hex};
use crate::types::Instant;

/// How long an access token lives, in seconds.
pub const ACCESS_SECONDS: i64 = 600;
/// By how much clocks may differ, in seconds.
const LEEWAY: i64 = 30;
const AUDIENCE: &str = "cps-api";
const TYPE: &str = "at+jwt";

/// What an access token says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    pub iss: String,
    pub aud: String,
    pub exp: i64,
    pub nbf: i64,
    pub iat: i64,
    pub jti: String,
    /// The version that it was made under, of the user's sessions or of the credential: its bearer's tokens end when that is another one.
    pub ver: i64,
    #[serde(flatten)]
    pub bearer: Bearer,
}

/// Whose token it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Bearer {
    /// A user, in a session.
    User {
        sub: UserId,
        sid: SessionId,
        roles: Vec<Role>,
        /// The account of a member user; staff have none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        account_id: Option<AccountId>,
    },
    /// A system of a partner.
    Partner {
        sub: CredentialId,
        /// The same as `sub`, as RFC 9068 asks for.
        client_id: CredentialId,
        partner_id: PartnerId,
        /// Its scopes, with blanks between.
        scope: String,
    },
}

impl Bearer {
    /// A system of a partner that may do this.
    pub fn partner(credential: CredentialId, partner_id: PartnerId, scopes: &[Scope]) -> Self {
        Self::Partner {
            sub: credential,
            client_id: credential,
            partner_id,
            scope: scope_text(scopes),
        }
    }
}

impl Claims {
    /// Whether a token with these claims is valid at `now`.
    pub fn hold_at(&self, now: Instant) -> bool {
        let at = now.utc().timestamp();
        self.exp + LEEWAY > at && self.nbf - LEEWAY <= at && self.iat - LEEWAY <= at
    }
}

struct Key {
    id: String,
    public: String,
    encoding: EncodingKey,
    decoding: DecodingKey,
}

/// One or two keys: the first signs, both verify, so that keys rotate without a gap.
#[derive(Clone)]
pub struct SigningKeys {
    keys: Arc<Vec<Key>>,
    issuer: Arc<str>,
    earlier: EarlierKeys,
    marker: Marker,
}

impl SigningKeys {
    /// The keys of a PEM text with one or two Ed25519 private keys (PKCS #8).
    pub fn read(pem: &str, issuer: &str) -> Result<Self> {
        let private = key_file::read(pem).map_err(Error::internal("reading the signing keys"))?;
        let keys = private
            .iter()
            .map(|der| key(der))
            .collect::<Result<Vec<_>>>()?;
        let parts: Vec<&[u8]> = private.iter().map(Vec::as_slice).collect();
        Ok(Self {
            keys: Arc::new(keys),
            issuer: issuer.into(),
            earlier: EarlierKeys::derive(&parts)?,
            marker: Marker::derive(&parts)?,
        })
    }

    /// A new key as PEM text.
    pub fn generate() -> Result<String> {
        let made = Ed25519KeyPair::generate().and_then(|pair| pair.to_pkcs8v1());
        let der = made.map_err(|_| {
            Error::internal("making a signing key")("the system's generator failed")
        })?;
        Ok(::pem::encode(&::pem::Pem::new("PRIVATE KEY", der.as_ref())))
    }

    /// What opens texts that were sealed with keys derived from these.
    pub fn earlier_sealing_keys(&self) -> EarlierKeys {
        self.earlier.clone()
    }

    /// Marks with keys derived from these.
    pub fn marker(&self) -> Marker {
        self.marker.clone()
    }

    /// The public keys, as a JWK set (RFC 7517).
    pub fn jwks(&self) -> Value {
        let keys = self.keys.iter().map(|key| {
            json!({ "kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": key.id, "x": key.public })
        });
        json!({ "keys": keys.collect::<Vec<_>>() })
    }

    /// A token for its bearer as of `version`, from `now` on.
    pub fn issue(&self, bearer: Bearer, version: i64, now: Instant) -> Result<String> {
        let key = self
            .keys
            .first()
            .ok_or_else(|| Error::internal("signing")("there is no key"))?;
        let at = now.utc().timestamp();
        let claims = Claims {
            iss: self.issuer.to_string(),
            aud: AUDIENCE.to_owned(),
            exp: at + ACCESS_SECONDS,
            nbf: at,
            iat: at,
            jti: crate::types::uuid_at(now).simple().to_string(),
            ver: version,
            bearer,
        };
        let mut header = Header::new(Algorithm::EdDSA);
        header.typ = Some(TYPE.to_owned());
        header.kid = Some(key.id.clone());
        encode(&header, &claims, &key.encoding).map_err(Error::internal("signing a token"))
    }

    /// What a token says, if one of our keys signed it for us and it is valid at `now`.
    pub fn verify(&self, token: &str, now: Instant) -> Result<Claims, Code> {
        let claims = self.claims_of(token)?;
        if claims.hold_at(now) {
            Ok(claims)
        } else {
            Err(Code::Unauthenticated)
        }
    }

    /// What a token says, if one of our keys signed it for us; whether it is valid now is for its claims to say.
    pub fn claims_of(&self, token: &str) -> Result<Claims, Code> {
        let header = decode_header(token).map_err(|_| Code::Unauthenticated)?;
        let key = self
            .keys
            .iter()
            .find(|key| header.kid.as_deref() == Some(&key.id))
            .ok_or(Code::Unauthenticated)?;
        if header.typ.as_deref() != Some(TYPE) {
            return Err(Code::Unauthenticated);
        }
        let mut rules = Validation::new(Algorithm::EdDSA);
        rules.set_required_spec_claims(&["iss", "aud", "sub", "exp", "nbf"]);
        rules.set_issuer(&[&*self.issuer]);
        rules.set_audience(&[AUDIENCE]);
        // The library takes its time from the machine; ours comes from the clock.
        rules.validate_exp = false;
        rules.validate_nbf = false;
        decode::<Claims>(token, &key.decoding, &rules)
            .map(|decoded| decoded.claims)
            .map_err(|_| Code::Unauthenticated)
    }
}

fn key(der: &[u8]) -> Result<Key> {
    let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(der)
        .map_err(|e| Error::internal("reading a signing key")(e.to_string()))?;
    let public = URL_SAFE_NO_PAD.encode(pair.public_key().as_ref());
    let decoding = DecodingKey::from_ed_components(&public)
        .map_err(Error::internal("reading a signing key"))?;
    let id = sha256_hex(public.as_bytes())
        .get(..16)
        .unwrap_or_default()
        .to_owned();
    Ok(Key {
        id,
        public,
        encoding: EncodingKey::from_ed_der(der),
        decoding,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Instant {
        text.parse().unwrap()
    }

    fn token(keys: &SigningKeys, now: Instant) -> String {
        let bearer = Bearer::User {
            sub: UserId::new(now),
            sid: SessionId::new(now),
            roles: vec![Role::Member],
            account_id: None,
        };
        keys.issue(bearer, 1, now).unwrap()
    }

    #[test]
    fn a_token_holds_for_ten_minutes_of_the_clock_and_not_before() {
        let keys = SigningKeys::read(&SigningKeys::generate().unwrap(), "http://here").unwrap();
        let token = token(&keys, at("2030-01-01T12:00:00Z"));
        assert!(keys.verify(&token, at("2030-01-01T12:09:59Z")).is_ok());
        assert!(keys.verify(&token, at("2030-01-01T12:11:00Z")).is_err());
        assert!(keys.verify(&token, at("2030-01-01T11:59:00Z")).is_err());
    }

    #[test]
    fn a_token_says_whose_it_is() {
        let keys = SigningKeys::read(&SigningKeys::generate().unwrap(), "http://here").unwrap();
        let now = at("2030-01-01T12:00:00Z");
        let bearer = Bearer::partner(CredentialId::new(now), PartnerId::new(now), Scope::ALL);
        let token = keys.issue(bearer.clone(), 7, now).unwrap();
        let claims = keys.verify(&token, now).unwrap();
        assert_eq!((claims.ver, claims.bearer), (7, bearer));
        let user = keys.verify(&self::token(&keys, now), now).unwrap();
        assert!(matches!(user.bearer, Bearer::User { .. }));
    }

    #[test]
    fn a_token_of_the_key_before_holds_and_a_strangers_does_not() {
        let now = at("2030-01-01T12:00:00Z");
        let (old, new) = (
            SigningKeys::generate().unwrap(),
            SigningKeys::generate().unwrap(),
        );
        let token = token(&SigningKeys::read(&old, "http://here").unwrap(), now);
        let rotated = SigningKeys::read(&format!("{new}\n{old}"), "http://here").unwrap();
        assert!(rotated.verify(&token, now).is_ok());
        assert!(
            SigningKeys::read(&new, "http://here")
                .unwrap()
                .verify(&token, now)
                .is_err()
        );
        assert!(
            SigningKeys::read(&old, "http://there")
                .unwrap()
                .verify(&token, now)
                .is_err()
        );
        assert_eq!(rotated.jwks()["keys"].as_array().unwrap().len(), 2);
    }
}
