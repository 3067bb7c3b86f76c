//! The contract as it is served: written once, sent to whoever asks.

use actix_web::HttpResponse;
use actix_web::web::{Bytes, Data};
use utoipa::openapi::OpenApi;

use crate::secrets::sha256_hex;

/// The text of the contract, and what tells it from another one.
pub struct Contract {
    text: Bytes,
    tag: String,
}

impl Contract {
    /// The text of `document`.
    pub fn of(document: &OpenApi) -> serde_json::Result<Self> {
        let text = serde_json::to_vec(document)?;
        let tag = format!("\"{}\"", sha256_hex(&text));
        Ok(Self {
            text: text.into(),
            tag,
        })
    }
}

/// Sends the contract.
pub async fn read(contract: Data<Contract>) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header(("ETag", contract.tag.as_str()))
        .content_type("application/json")
        .body(contract.text.clone())
}
