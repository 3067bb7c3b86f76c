//! The contract as it is served: written when it is first asked for, sent to whoever asks.

use std::sync::OnceLock;

use actix_web::HttpResponse;
use actix_web::web::{Bytes, Data, block};

use crate::error::{Error, Result};
use crate::handlers;
use crate::secrets::sha256_hex;

/// The text of the contract, and what tells it from another one.
struct Text {
    bytes: Bytes,
    tag: String,
}

/// The contract; most instances are never asked for it, and do not hold it.
pub struct Contract {
    is_sandbox: bool,
    text: OnceLock<Text>,
}

impl Contract {
    /// The contract, not written yet.
    pub fn new(is_sandbox: bool) -> Self {
        Self {
            is_sandbox,
            text: OnceLock::new(),
        }
    }

    fn text(&self) -> Result<&Text> {
        if let Some(text) = self.text.get() {
            return Ok(text);
        }
        let document = handlers::document(self.is_sandbox);
        let bytes = serde_json::to_vec(&document).map_err(Error::internal("the contract"))?;
        let tag = format!("\"{}\"", sha256_hex(&bytes));
        Ok(self.text.get_or_init(|| Text {
            bytes: bytes.into(),
            tag,
        }))
    }
}

/// Sends the contract.
pub async fn read(contract: Data<Contract>) -> Result<HttpResponse> {
    let text = move || {
        contract
            .text()
            .map(|text| (text.bytes.clone(), text.tag.clone()))
    };
    let (bytes, tag) = block(text)
        .await
        .map_err(Error::internal("the contract"))??;
    Ok(HttpResponse::Ok()
        .insert_header(("ETag", tag))
        .content_type("application/json")
        .body(bytes))
}
