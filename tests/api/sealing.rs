//! What is sealed opens while its key is there, whatever becomes of the others.

use cps_api::secrets::Sealer;
use reqwest::Method;
use serde_json::json;

use crate::raw::Raw;
use crate::support::{Answer, Database, Sending, TestApp, Token, registration};

const KEY: &str = "register-once";

async fn register(app: &TestApp) -> Answer {
    let request = app.request(Method::POST, "/v1/accounts");
    let request = request.header("idempotency-key", KEY);
    let request = request.json(&registration(json!({})));
    request.sent_by(&Token::default()).answer().await
}

/// A sandbox that seals with these keys, the newest first.
async fn sealing_with(database: Database, keys: &[&str]) -> TestApp {
    let file = database.file("sealing.keys", &keys.join("\n"));
    TestApp::on(database, &[("CPS_SEALING_KEYS", &file)]).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_opens_with_the_key_before_and_is_never_given_twice_without_it() {
    let [first, second, third] = [(); 3].map(|()| Sealer::generate().unwrap());
    let app = sealing_with(Database::create(), &[&first]).await;
    let registered = register(&app).await.expect(201);
    let rotated = sealing_with(app.stop().await, &[&second, &first]).await;
    let again = register(&rotated).await.expect(201);
    assert_eq!(again.text, registered.text);
    assert_eq!(again.header("idempotency-replayed"), "true");
    // The key that sealed it is gone: what was asked for happened, and does not happen twice.
    let gone = sealing_with(rotated.stop().await, &[&third, &second]).await;
    register(&gone).await.problem(422, "idempotency_key_reused");
    let accounts = "SELECT count(*) AS n FROM accounts WHERE contact_email LIKE 'asta%'";
    assert_eq!(gone.database.numbers(accounts), [1]);
    let back = sealing_with(gone.stop().await, &[&second, &first]).await;
    assert_eq!(register(&back).await.expect(201).text, registered.text);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_answer_is_stored_in_plain_text() {
    let app = TestApp::start().await;
    register(&app).await.expect(201);
    let mette = app.sign_in("mette@fjordfoto.example").await;
    let me = app.get("/v1/me", &mette).await.expect(200);
    let users = format!("/v1/accounts/{}/users", me.str("/account_id"));
    let invited = json!({ "email": "bo@fjordfoto.example", "name": "Bo Bolt", "role": "member" });
    app.post_once(&users, &mette, invited).await.expect(201);
    let stored =
        "SELECT CAST(answer AS TEXT) || ' ' || COALESCE(sealed, '') AS line FROM idempotency_keys";
    let stored = Raw::open(&app.database).lines(stored);
    assert_eq!(stored.len(), 2);
    for answer in stored {
        assert!(
            answer.starts_with("null ") && answer.len() > 200,
            "{answer}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_sandbox_makes_its_key_once() {
    let app = TestApp::start().await;
    let registered = register(&app).await.expect(201);
    let database = app.stop().await;
    let kept = "SELECT value AS line FROM settings WHERE name = 'sandbox_sealing_key'";
    let kept = Raw::open(&database).lines(kept);
    assert_eq!(Sealer::check(&kept[0]), Ok(()));
    let again = TestApp::on(database, &[]).await;
    assert_eq!(register(&again).await.expect(201).text, registered.text);
}
