//! What a handler answers with: a status, a JSON body, and the headers that the contract names.

use actix_web::body::BoxBody;
use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, Responder};
use serde::{Deserialize, Serialize};

use crate::error::Result;

/// Marks an answer that is given again.
const REPLAYED: &str = "Idempotency-Replayed";

/// A successful answer. It can be stored under an idempotency key and given again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: Option<String>,
}

impl Answer {
    fn with_body<T: Serialize>(status: StatusCode, body: &T) -> Result<Self> {
        Ok(Self {
            status: status.as_u16(),
            headers: Vec::new(),
            body: Some(serde_json::to_string(body)?),
        })
    }

    fn empty(status: StatusCode) -> Self {
        Self {
            status: status.as_u16(),
            headers: Vec::new(),
            body: None,
        }
    }

    /// 200 with `body`.
    pub fn ok<T: Serialize>(body: &T) -> Result<Self> {
        Self::with_body(StatusCode::OK, body)
    }

    /// 200 with a body that is JSON already.
    pub fn ok_text(body: String) -> Self {
        Self {
            status: StatusCode::OK.as_u16(),
            headers: Vec::new(),
            body: Some(body),
        }
    }

    /// 201 with `body`.
    pub fn created<T: Serialize>(body: &T) -> Result<Self> {
        Self::with_body(StatusCode::CREATED, body)
    }

    /// 202 without a body.
    pub fn accepted() -> Self {
        Self::empty(StatusCode::ACCEPTED)
    }

    /// 202 with `body`.
    pub fn accepted_with<T: Serialize>(body: &T) -> Result<Self> {
        Self::with_body(StatusCode::ACCEPTED, body)
    }

    /// 204.
    pub fn no_content() -> Self {
        Self::empty(StatusCode::NO_CONTENT)
    }

    /// Names the version of the resource, strongly.
    #[must_use]
    pub fn etag(self, version: i64) -> Self {
        self.header("ETag", format!("\"{version}\""))
    }

    /// Names the version of the resource and what else is in the answer: words in a language, values of a model.
    #[must_use]
    pub fn etag_with_digest(self, version: i64) -> Self {
        let digest = self.digest();
        self.header("ETag", format!("\"{version}-{digest}\""))
    }

    /// Names a version by the hash of the body, where no row has one.
    #[must_use]
    pub fn etag_of_body(self) -> Self {
        let tag = format!("\"{}\"", self.digest());
        self.header("ETag", tag)
    }

    fn digest(&self) -> String {
        let mut hash =
            crate::secrets::sha256_hex(self.body.as_deref().unwrap_or_default().as_bytes());
        hash.truncate(32);
        hash
    }

    /// Names where the new resource is.
    #[must_use]
    pub fn location(self, path: impl Into<String>) -> Self {
        self.header("Location", path.into())
    }

    /// Says that it was given before.
    #[must_use]
    pub fn replayed(self) -> Self {
        self.header(REPLAYED, "true")
    }

    /// Whether it was given before.
    pub fn is_replayed(&self) -> bool {
        self.headers.iter().any(|(name, _)| name == REPLAYED)
    }

    /// Sets one more header.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// Sets a header where there is a value for it.
    #[must_use]
    pub fn header_if(self, name: &str, value: Option<String>) -> Self {
        match value {
            Some(value) => self.header(name, value),
            None => self,
        }
    }
}

impl Responder for Answer {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse<BoxBody> {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::OK);
        let mut response = HttpResponse::build(status);
        for header in &self.headers {
            response.append_header((header.0.as_str(), header.1.as_str()));
        }
        match self.body {
            Some(body) => response
                .insert_header((header::CONTENT_TYPE, "application/json"))
                .body(body),
            None => response.finish(),
        }
    }
}
