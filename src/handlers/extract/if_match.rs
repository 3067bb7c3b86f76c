//! `If-Match`: nobody overwrites what they have not seen.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header::{self, EntityTag, Header, IF_MATCH};
use actix_web::{FromRequest, HttpRequest};

use crate::error::{Code, Error, Result};

/// The versions that the caller has seen; a request without one is answered 428.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IfMatch(header::IfMatch);

impl FromRequest for IfMatch {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(match header::IfMatch::parse(request) {
            Ok(_) if !request.headers().contains_key(IF_MATCH) => {
                Err(Code::PreconditionRequired.into())
            }
            seen => Ok(Self(seen.unwrap_or(header::IfMatch::Items(Vec::new())))),
        })
    }
}

impl IfMatch {
    /// Refuses unless the row still has a version that the caller has seen.
    pub fn check(&self, version: i64) -> Result<()> {
        let current = EntityTag::new_strong(version.to_string());
        let is_seen = match &self.0 {
            header::IfMatch::Any => true,
            header::IfMatch::Items(tags) => tags.iter().any(|tag| tag.strong_eq(&current)),
        };
        if is_seen {
            Ok(())
        } else {
            Err(Code::PreconditionFailed.into())
        }
    }
}

/// The header, as the contract names it.
#[derive(serde::Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Header)]
#[allow(dead_code)]
pub struct IfMatchHeader {
    /// The `ETag` of the version that the change is based on.
    #[serde(rename = "If-Match")]
    #[param(pattern = r#"^("[!#-~]+"|\*)$"#, example = "\"1\"")]
    if_match: String,
}
