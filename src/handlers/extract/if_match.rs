//! `If-Match`: nobody overwrites what they have not seen.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header::IF_MATCH;
use actix_web::{FromRequest, HttpRequest};

use crate::error::{Code, Error, Result};

/// The versions that the caller has seen; a request without one is answered 428.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IfMatch(Vec<String>);

impl FromRequest for IfMatch {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let header = request
            .headers()
            .get(IF_MATCH)
            .and_then(|value| value.to_str().ok());
        let tags = header.map(|value| value.split(',').map(|tag| tag.trim().to_owned()).collect());
        ready(
            tags.map(Self)
                .ok_or_else(|| Code::PreconditionRequired.into()),
        )
    }
}

impl IfMatch {
    /// Refuses unless the row still has a version that the caller has seen.
    pub fn check(&self, version: i64) -> Result<()> {
        let current = format!("\"{version}\"");
        if self.0.iter().any(|tag| *tag == current || tag == "*") {
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
