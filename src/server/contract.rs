//! The contract as it is served: written when it is first asked for, sent to whoever asks.

use std::sync::{Arc, OnceLock};

use actix_web::HttpResponse;
use actix_web::web::{Bytes, Data, block};
use chrono::TimeDelta;

use super::MiddlewareState;
use crate::clock::Clock;
use crate::config::Mode;
use crate::error::{Error, Result};
use crate::handlers::{self, prefilled};
use crate::secrets::sha256_hex;
use crate::types::Instant;

/// The contract; most instances are never asked for it, and do not hold it.
pub struct Contract {
    /// The sandbox's own clock, where this is a sandbox: its examples are moments that it knows.
    clock: Option<Clock>,
    public_url: Arc<str>,
    text: OnceLock<String>,
}

impl Contract {
    /// The contract, not written yet.
    pub fn new(state: &MiddlewareState, clock: &Clock) -> Self {
        let is_sandbox = state.config.mode == Mode::Sandbox;
        Self {
            clock: is_sandbox.then(|| clock.clone()),
            public_url: state.public_url.clone(),
            text: OnceLock::new(),
        }
    }

    fn text(&self) -> Result<&str> {
        if let Some(text) = self.text.get() {
            return Ok(text);
        }
        let mut document = handlers::document(self.clock.is_some());
        for (place, path) in [
            ("/servers/0/url", ""),
            ("/externalDocs/url", "/docs/"),
            (handlers::TOKEN_URL, handlers::oauth::PATH),
        ] {
            if let Some(url) = document.pointer_mut(place) {
                *url = format!("{}{path}", self.public_url).into();
            }
        }
        let text = serde_json::to_string(&document).map_err(Error::internal("the contract"))?;
        Ok(self.text.get_or_init(|| text))
    }

    /// The contract as it is sent now, and what tells it from another one.
    fn bytes(&self) -> Result<(Bytes, String)> {
        let mut text = self.text()?.to_owned();
        if let Some(clock) = &self.clock {
            let [soon, tomorrow] = moments(clock.now());
            text = text
                .replace(prefilled::TOMORROW, &tomorrow.to_string())
                .replace(prefilled::NOW, &soon.to_string());
        }
        let tag = format!("\"{}\"", sha256_hex(text.as_bytes()));
        Ok((text.into(), tag))
    }
}

/// The end of this hour, and the same a day later: whoever asks again within the hour has the same contract.
fn moments(now: Instant) -> [Instant; 2] {
    let seconds = i64::try_from(now.unix_seconds() % 3600).unwrap_or(0);
    let nanoseconds = now.subsecond_nanos().into();
    let into_the_hour = TimeDelta::seconds(seconds) + TimeDelta::nanoseconds(nanoseconds);
    let soon = now.plus(TimeDelta::hours(1) - into_the_hour);
    [soon, soon.plus(TimeDelta::days(1))]
}

/// Sends the contract.
pub async fn read(contract: Data<Contract>) -> Result<HttpResponse> {
    let (bytes, tag) = block(move || contract.bytes())
        .await
        .map_err(Error::internal("the contract"))??;
    Ok(HttpResponse::Ok()
        .insert_header(("ETag", tag))
        .content_type("application/json")
        .body(bytes))
}
