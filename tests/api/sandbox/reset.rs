//! The way back to the seed, while the sandbox is used.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use chrono::TimeDelta;
use reqwest::Method;
use serde_json::{Value, json};

use super::card;
use crate::raw::Raw;
use crate::support::{Answer, Sending, TestApp, Token, registration_by};

const FIRST: &str = "/v1/accounts/acc_00000000000070008000000000000001";

async fn reset(app: &TestApp) -> Answer {
    app.act("/v1/sandbox/reset", &Token::default()).await
}

/// What a reader finds in the sandbox, without what each beginning makes by itself.
async fn seen(app: &TestApp) -> Vec<Value> {
    let admin = app.sign_in("admin@cps.example").await;
    let mut seen = vec![card(app).await];
    for path in ["/v1/accounts?limit=100", "/v1/models?limit=100"] {
        seen.push(app.get(path, &admin).await.expect(200).body["items"].clone());
    }
    for list in ["products", "points/entries", "users"] {
        let listed = app.get(&format!("{FIRST}/{list}"), &admin).await;
        let items = listed.expect(200).body["items"].clone();
        let count = items.as_array().unwrap().len();
        seen.push(json!(count));
    }
    strip(json!(seen)).as_array().unwrap().clone()
}

/// Without moments, and without ids of the moment.
fn strip(value: Value) -> Value {
    match value {
        Value::Object(fields) => fields
            .into_iter()
            .filter(|(name, _)| !name.ends_with("_at"))
            .map(|(name, value)| (name, strip(value)))
            .collect(),
        Value::Array(items) => items.into_iter().map(strip).collect(),
        other => other,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_sandbox_begins_again_as_it_was_seeded() {
    let app = TestApp::start().await;
    let before = seen(&app).await;
    let mette = app.sign_in("mette@fjordfoto.example").await;
    let admin = app.sign_in("admin@cps.example").await;
    let (account, applicant) = app.applicant(json!({})).await;
    let kind = "vat_registration_certificate";
    let pdf = b"%PDF-1.4 a certificate";
    app.upload(&account, &applicant, kind, pdf)
        .await
        .expect(201);
    let points = json!({ "amount": 100, "reason": "to be forgotten" });
    let adjust = app.request(Method::POST, &format!("{FIRST}/points/adjustments"));
    let adjust = adjust.sent_by(&admin).header("idempotency-key", "once");
    adjust.json(&points).answer().await.expect(201);
    app.advance(TimeDelta::days(200)).await;

    let begun = reset(&app).await.expect(200);
    let now = chrono::Utc::now();
    let shown: chrono::DateTime<chrono::Utc> = begun.str("/now").parse().unwrap();
    assert!((now - shown).abs() < TimeDelta::minutes(1), "{shown}");
    for token in [&mette, &admin, &applicant] {
        app.get("/v1/me", token)
            .await
            .problem(401, "unauthenticated");
    }
    assert_eq!(seen(&app).await, before);
    let mut raw = Raw::open(&app.database);
    let forgotten = "SELECT actor AS line FROM points_entries WHERE kind = 'adjustment'";
    assert_eq!(raw.lines(forgotten), Vec::<String>::new());
    let store = app.database.folder().join("documents/documents");
    let left = std::fs::read_dir(store).map_or(0, Iterator::count);
    assert_eq!(left, 0, "files that nobody knows of");
    // The ledger and the events refuse as before, and a second beginning is like the first.
    assert!(raw.run("DELETE FROM points_entries").is_err());
    assert!(raw.run("DELETE FROM events").is_err());
    reset(&app).await.expect(200);
    assert_eq!(seen(&app).await, before);
    let told = app.database.clone();
    app.stop().await;
    for command in ["verify-ledger", "verify-events"] {
        told.command(&[command]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_goes_on_meanwhile_survives_it() {
    let app = Arc::new(TestApp::start().await);
    let goes_on = Arc::new(AtomicBool::new(true));
    let mut others = Vec::new();
    for worker in 0..4 {
        let (app, goes_on) = (app.clone(), goes_on.clone());
        others.push(tokio::spawn(async move {
            let mut statuses = Vec::new();
            for n in 0.. {
                if !goes_on.load(Ordering::Acquire) {
                    break;
                }
                let body = registration_by(&format!("w{worker}.{n}@nordlys-test.example"));
                let made = app.post("/v1/accounts", &Token::default(), body).await;
                let token = Token(made.body["applicant_token"].as_str().map(str::to_owned));
                statuses.push(made.status);
                if let Some(id) = made.body.pointer("/account/id").and_then(Value::as_str) {
                    let account = format!("/v1/accounts/{id}");
                    statuses.push(app.get(&account, &token).await.status);
                    let withdraw = format!("{account}/withdrawal");
                    statuses.push(app.act(&withdraw, &token).await.status);
                }
                let models = app.get("/v1/models", &Token::default()).await;
                statuses.push(models.status);
            }
            statuses
        }));
    }
    for _ in 0..4 {
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        reset(&app).await.expect(200);
    }
    goes_on.store(false, Ordering::Release);
    for other in others {
        let statuses = other.await.unwrap();
        assert!(statuses.len() > 10, "{statuses:?}");
        // An application that ended with the sandbox it was in is nobody's; 503 asks to come again.
        let odd = statuses
            .iter()
            .find(|status| !matches!(status, 200 | 201 | 401 | 404 | 409 | 503));
        assert_eq!(odd, None);
    }
    // Jobs go on: a mail that is asked for arrives.
    reset(&app).await.expect(200);
    let ask = json!({ "email": "mette@fjordfoto.example" });
    let asked = app
        .post("/v1/password-resets", &Token::default(), ask)
        .await;
    asked.expect(202);
    app.mail("mette@fjordfoto.example", "password_reset").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_instance_begins_again_too() {
    let app = TestApp::start().await;
    if !app.database.is_shared() {
        return;
    }
    let other = TestApp::on(app.database.clone(), &[]).await;
    app.advance(TimeDelta::days(30)).await;
    let mette = other.sign_in("mette@fjordfoto.example").await;
    reset(&app).await.expect(200);
    let begun = std::time::Instant::now();
    loop {
        let is_right = (other.now().await - chrono::Utc::now()).abs() < TimeDelta::minutes(1);
        let refused = other.get("/v1/me", &mette).await.status == 401;
        if is_right && refused {
            break;
        }
        assert!(begun.elapsed().as_secs() < 20, "it goes by the old clock");
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    other.sign_in("mette@fjordfoto.example").await;
    other.get("/v1/models", &Token::default()).await.expect(200);
}
