//! A cursor is one that this list gave, or it is refused: whatever it holds, and on both databases alike.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::Method;
use serde_json::json;

use crate::openapi::document;
use crate::partners::FOTO_NORD;
use crate::permissions::{Objects, Operation};
use crate::support::{Answer, Sending, TestApp, Token};

const METTE: &str = "mette@fjordfoto.example";
const ACCOUNT: &str = "/v1/accounts/acc_00000000000070008000000000000001";

async fn with_cursor(app: &TestApp, path: &str, token: &Token, cursor: &str) -> Answer {
    let request = app.request(Method::GET, path).sent_by(token);
    request.query(&[("cursor", cursor)]).answer().await
}

#[track_caller]
fn refused(what: &str, answer: Answer) {
    let faults = answer.problem(422, "invalid_request").faults();
    let expected = ("#/query/cursor".to_owned(), "cursor_invalid".to_owned());
    assert_eq!(faults, [expected], "{what}");
}

/// What strangers may try: nothing, noise, and what cursors without a mark looked like.
fn made_up() -> Vec<String> {
    let id = "00000000000070008000000000000001";
    let mut tried: Vec<String> = [
        "", "a", "AAAA", "\0", "a\0b", "null", "..", "%", "æ", "=", "AAAA==",
    ]
    .map(str::to_owned)
    .into();
    tried.push("A".repeat(2000));
    for key in [
        "",
        "\0",
        "eos\0",
        "99999999999999999999",
        "-1",
        "2026-13-01T00:00:00Z",
        "9999-12-31T23:59:60Z",
        "'; DROP TABLE models",
    ] {
        tried.push(URL_SAFE_NO_PAD.encode(format!("{id}|{key}")));
        tried.push(URL_SAFE_NO_PAD.encode([&[0; 32][..], key.as_bytes()].concat()));
    }
    tried
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_list_takes_a_made_up_cursor() {
    let app = TestApp::start().await;
    let tokens = [
        app.sign_in(METTE).await,
        app.sign_in("support@cps.example").await,
        app.sign_in("reviewer@cps.example").await,
        app.sign_in("admin@cps.example").await,
    ];
    let contract = document(true);
    let dealer = app.dealer(FOTO_NORD, "").await;
    let lines = json!({ "lines": [{}] });
    let batch = app.post_once("/v1/registration-batches", &dealer, lines);
    let objects = Objects::from([("batch_id", batch.await.expect(202).str("/id"))]);
    let mut lists = 0;
    for operation in Operation::all(&contract) {
        if !operation.parameters().any(|one| one["name"] == "cursor") {
            continue;
        }
        lists += 1;
        let path = operation.path_to(&objects);
        let path = path.replace("/v1/accounts/acc_00000000000070008000000000000000", ACCOUNT);
        let mut may = None;
        for token in &tokens {
            let answer = app.get(&path, token).await;
            if answer.status == 200 {
                may = Some(token);
            }
        }
        let token = may.unwrap_or_else(|| panic!("nobody may {} at {path}", operation.id));
        for cursor in made_up() {
            refused(
                &format!("{}: {cursor:?}", operation.id),
                with_cursor(&app, &path, token, &cursor).await,
            );
        }
    }
    assert!(lists >= 10, "only {lists} lists are tried");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cursor_leads_on_in_its_list_and_in_no_other_and_not_when_touched() {
    let app = TestApp::start().await;
    let anybody = Token::default();
    let first = app.get("/v1/models?limit=2", &anybody).await.expect(200);
    let cursor = first.str("/next_cursor");
    let next = with_cursor(&app, "/v1/models?limit=2", &anybody, &cursor)
        .await
        .expect(200);
    assert_ne!(next.body["items"][0]["id"], first.body["items"][0]["id"]);
    assert_eq!(
        cursor
            .bytes()
            .filter(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(byte))
            .count(),
        cursor.len()
    );
    let mette = app.sign_in(METTE).await;
    refused(
        "a list of others",
        with_cursor(&app, "/v1/sandbox/mailbox", &anybody, &cursor).await,
    );
    let bytes = URL_SAFE_NO_PAD.decode(&cursor).unwrap();
    for at in 0..bytes.len() {
        let mut touched = bytes.clone();
        touched[at] ^= 1;
        let touched = URL_SAFE_NO_PAD.encode(touched);
        refused(
            &format!("byte {at}"),
            with_cursor(&app, "/v1/models", &anybody, &touched).await,
        );
    }
    for other in [
        format!("{cursor}A"),
        format!("{cursor}="),
        format!(" {cursor}"),
        cursor[1..].to_owned(),
        cursor.to_uppercase(),
    ] {
        refused(
            &other,
            with_cursor(&app, "/v1/models", &anybody, &other).await,
        );
    }
    // The same operation, but another account's list.
    for n in 0..2 {
        let registered = json!({ "contact": { "email": format!("a{n}@nordlys-test.example") } });
        app.applicant(registered).await;
    }
    let support = app.sign_in("support@cps.example").await;
    let accounts = app.get("/v1/accounts?limit=1", &support).await.expect(200);
    let of_accounts = accounts.str("/next_cursor");
    refused(
        "of accounts",
        with_cursor(&app, &format!("{ACCOUNT}/products"), &mette, &of_accounts).await,
    );
    with_cursor(&app, "/v1/accounts", &support, &of_accounts)
        .await
        .expect(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cursor_outlives_a_restart() {
    let app = TestApp::start().await;
    let first = app
        .get("/v1/models?limit=2", &Token::default())
        .await
        .expect(200);
    let database = app.stop().await;
    let again = TestApp::on(database, &[]).await;
    let cursor = first.str("/next_cursor");
    with_cursor(&again, "/v1/models", &Token::default(), &cursor)
        .await
        .expect(200);
}
