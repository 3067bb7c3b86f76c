//! A dealer's system: its token, its batches, what became of their lines, and its feed.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::journey::{STAFF_PASSWORD as PASSWORD, id_of};
use crate::lines::{Came, HELD};
use crate::load::Callers;

const PARTNER: &str = "ptn_0000000000007000800000000000012c";
const CLIENT: (&str, &str) = (
    "crd_0000000000007000800000000000012d",
    "cps_test_FotoNord-FotoNord-FotoNord-FotoNord-0000001",
);
/// The account that trusts the dealer when a day begins, beside the one that always does.
const ACCOUNT: &str = "/v1/accounts/acc_00000000000070008000000000000002";
const CONTACT: &str = "jonas@lysogskygge.example";
const BATCHES: &str = "/v1/registration-batches";
/// How long what is asked for may take to come.
const PATIENCE: Duration = Duration::from_secs(180);

/// The result of one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineResult {
    pub line: i64,
    pub came: Came,
    pub registration: Option<String>,
}

/// A second customer trusts the dealer, and has a product from elsewhere.
pub async fn prepare(callers: &Callers) {
    let token = callers.sign_in(CONTACT, PASSWORD).await;
    let trust = format!("{ACCOUNT}/trusted-partners/{PARTNER}");
    let trusted = callers.insist(Method::PUT, &trust, |request| request.bearer_auth(&token));
    trusted.await.expect(&[200]);
    register(callers, &token, HELD.1, "held").await;
}

/// Who registers products for the second customer.
pub async fn customer(callers: &Callers) -> String {
    callers.sign_in(CONTACT, PASSWORD).await
}

/// The customer's own registration of a number.
pub fn own(model: &Value, serial: &str) -> (String, Value) {
    let body = json!({
        "model_id": model, "serial_number": serial, "purchase_date": "2024-05-17", "purchase_country": "DK", "dealer": "Kamerahuset"
    });
    (format!("{ACCOUNT}/products"), body)
}

/// The id of the model of what the customer has.
pub async fn model(callers: &Callers, token: &str) -> Value {
    let path = format!("/v1/models?query={}", HELD.0.replace(' ', "%20"));
    let models = callers.get(&path, Some(token)).await.expect(&[200]);
    let items = models.body["items"].as_array().unwrap();
    items.iter().find(|model| model["name"] == HELD.0).unwrap()["id"].clone()
}

async fn register(callers: &Callers, token: &str, serial: &str, key: &str) {
    let model = model(callers, token).await;
    let (path, body) = own(&model, serial);
    let made = callers.post(&path, Some(token), Some(key), &body).await;
    made.expect(&[201]);
}

/// A token of the dealer's system.
pub async fn token(callers: &Callers) -> String {
    let answer = callers.insist(Method::POST, "/v1/oauth/token", |request| {
        let request = request.basic_auth(CLIENT.0, Some(CLIENT.1));
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        request.body("grant_type=client_credentials")
    });
    answer.await.expect(&[200]).str("/access_token")
}

/// Sends a batch; its id.
pub async fn send(callers: &Callers, file: &str, key: &str) -> String {
    let token = token(callers).await;
    let sent = callers.insist(Method::POST, BATCHES, |request| {
        request
            .bearer_auth(&token)
            .header("idempotency-key", key)
            .header("content-type", "application/x-ndjson")
            .body(file.to_owned())
    });
    id_of(&sent.await.expect(&[202]).location).to_owned()
}

/// A batch, as it stands.
pub async fn batch(callers: &Callers, id: &str) -> Value {
    let token = token(callers).await;
    let path = format!("{BATCHES}/{id}");
    callers.get(&path, Some(&token)).await.expect(&[200]).body
}

/// Waits until a batch is over.
pub async fn completed(callers: &Callers, id: &str) -> Value {
    let begun = std::time::Instant::now();
    loop {
        let batch = batch(callers, id).await;
        if batch["status"] == "completed" {
            return batch;
        }
        assert!(begun.elapsed() < 5 * PATIENCE, "{batch}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// The result of every line of a batch.
pub async fn results(callers: &Callers, id: &str) -> Vec<LineResult> {
    let items = pages(callers, &format!("{BATCHES}/{id}/lines?limit=100")).await;
    items.iter().map(result).collect()
}

fn result(item: &Value) -> LineResult {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let errors = item["errors"].as_array().unwrap().iter().map(|fault| {
        let text = |name: &str| fault[name].as_str().unwrap().to_owned();
        (text("pointer"), text("code"))
    });
    LineResult {
        line: item["line"].as_i64().unwrap(),
        came: Came {
            status: text(&item["status"]).unwrap(),
            code: text(&item["code"]),
            errors: errors.collect(),
        },
        registration: text(&item["registration_id"]),
    }
}

async fn pages(callers: &Callers, path: &str) -> Vec<Value> {
    let token = token(callers).await;
    let (mut items, mut cursor) = (Vec::new(), String::new());
    loop {
        let path = format!("{path}{cursor}");
        let page = callers.get(&path, Some(&token)).await.expect(&[200]).body;
        items.extend(page["items"].as_array().unwrap().iter().cloned());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return items,
        }
    }
}

/// Everything that the dealer's feed tells, the oldest first.
pub async fn feed(callers: &Callers) -> Vec<Value> {
    let token = token(callers).await;
    let (mut events, mut after) = (Vec::new(), "0".to_owned());
    loop {
        let path = format!("/v1/events?limit=500&after={after}");
        let page = callers.get(&path, Some(&token)).await.expect(&[200]).body;
        let items = page["items"].as_array().unwrap();
        if items.is_empty() {
            return events;
        }
        events.extend(items.iter().cloned());
        after = page["next_cursor"].as_str().unwrap().to_owned();
    }
}
