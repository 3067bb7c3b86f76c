//! The contract as it is served: written when it is first asked for, sent to whoever asks.

use std::sync::{Arc, OnceLock};

use actix_web::HttpResponse;
use actix_web::web::{Bytes, Data, block};

use super::MiddlewareState;
use crate::config::Mode;
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
    public_url: Arc<str>,
    text: OnceLock<Text>,
}

impl Contract {
    /// The contract, not written yet.
    pub fn new(state: &MiddlewareState) -> Self {
        Self {
            is_sandbox: state.config.mode == Mode::Sandbox,
            public_url: state.public_url.clone(),
            text: OnceLock::new(),
        }
    }

    fn text(&self) -> Result<&Text> {
        if let Some(text) = self.text.get() {
            return Ok(text);
        }
        let mut document = handlers::document(self.is_sandbox);
        for (place, path) in [("/servers/0/url", ""), ("/externalDocs/url", "/docs/")] {
            if let Some(url) = document.pointer_mut(place) {
                *url = format!("{}{path}", self.public_url).into();
            }
        }
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
