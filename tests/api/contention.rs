//! Writes that meet each other on PostgreSQL: they are repeated, and who gives up is told the right reason.

use std::time::{Duration, Instant};

use reqwest::{Method, RequestBuilder};
use serde_json::json;

use crate::holder::Holder;
use crate::membership::{ACCOUNT, EMAIL};
use crate::support::{Answer, Sending, TestApp, Token, registration_by};

const HOLD_ACCOUNTS: &str = "LOCK TABLE accounts IN EXCLUSIVE MODE";

fn register(app: &TestApp, key: &str) -> RequestBuilder {
    app.request(Method::POST, "/v1/accounts")
        .header("idempotency-key", key)
        .json(&registration_by(&format!("{key}@busy.example")))
}

fn sent(request: RequestBuilder) -> tokio::task::JoinHandle<Answer> {
    tokio::spawn(async move { request.answer().await })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_whose_lock_does_not_come_free_is_repeated() {
    let app = TestApp::start().await;
    if !app.database.is_shared() {
        return;
    }
    let mut holder = Holder::of(&app.database, HOLD_ACCOUNTS);
    let write = sent(register(&app, "once-more"));
    holder.until_waiting(1).await;
    // Longer than one attempt waits for a lock, shorter than all of them.
    tokio::time::sleep(Duration::from_millis(4300)).await;
    drop(holder);
    write.await.unwrap().expect(201);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_waited_for_another_row_than_the_key_is_not_told_of_the_key() {
    let app = TestApp::start().await;
    if !app.database.is_shared() {
        return;
    }
    let mut holder = Holder::of(&app.database, HOLD_ACCOUNTS);
    let begun = Instant::now();
    let write = sent(register(&app, "held-up"));
    holder.until_waiting(1).await;
    let refused = write.await.unwrap().problem(503, "overloaded");
    assert!(!refused.header("retry-after").is_empty());
    assert!(begun.elapsed() < Duration::from_secs(15));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_waited_for_the_key_is_told_so() {
    let app = TestApp::start().await;
    if !app.database.is_shared() {
        return;
    }
    let _holder = Holder::of(
        &app.database,
        "LOCK TABLE idempotency_keys IN EXCLUSIVE MODE",
    );
    let refused = register(&app, "twice").answer().await;
    refused.problem(409, "idempotency_in_progress");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deadlock_is_nobodys_answer() {
    let app = TestApp::start().await;
    if !app.database.is_shared() {
        return;
    }
    let mette = app.sign_in(EMAIL).await;
    let body =
        json!({ "model_id": app.model("EOS R6 Mark II").await, "serial_number": "55500001" });
    let register = app
        .request(Method::POST, &format!("{ACCOUNT}/products"))
        .sent_by(&mette)
        .header("idempotency-key", "knot")
        .json(&body);
    // The registration holds the account and then wants its points; this holds the points and then wants the account.
    let mut other = Holder::of(
        &app.database,
        "LOCK TABLE points_accounts IN EXCLUSIVE MODE",
    );
    let write = sent(register);
    other.until_waiting(1).await;
    other.execute("SET LOCAL deadlock_timeout = '60s'; LOCK TABLE accounts IN EXCLUSIVE MODE");
    other.execute("COMMIT");
    write.await.unwrap().expect(201);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_that_finds_every_connection_busy_is_told_so() {
    let app = TestApp::start().await;
    if !app.database.is_shared() {
        return;
    }
    let (account, token) = app.applicant(json!({})).await;
    let mut holder = Holder::of(&app.database, HOLD_ACCOUNTS);
    let writes: Vec<_> = (0..8)
        .map(|n| sent(register(&app, &format!("busy-{n}"))))
        .collect();
    holder.until_waiting(4).await;
    let refused = app.get(&account, &token).await.problem(503, "overloaded");
    assert!(!refused.header("retry-after").is_empty());
    drop(holder);
    for write in writes {
        let status = write.await.unwrap().status;
        assert!(matches!(status, 201 | 503), "{status}");
    }
    app.get(&account, &token).await.expect(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_instance_whose_every_connection_waits_for_a_lock_is_ready() {
    let app = TestApp::start().await;
    if !app.database.is_shared() {
        return;
    }
    let mut holder = Holder::of(&app.database, HOLD_ACCOUNTS);
    let writes = (0..16).map(|nth| sent(register(&app, &format!("waits-{nth}"))));
    let writes: Vec<_> = writes.collect();
    // As many as there are connections.
    holder.until_waiting(4).await;
    for _ in 0..5 {
        app.get("/readyz", &Token::default()).await.expect(200);
    }
    assert!(holder.waiting() >= 4, "they wait all the while");
    drop(holder);
    for write in writes {
        write.await.unwrap();
    }
}
