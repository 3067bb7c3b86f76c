//! What a caller may not take too much of: time, bytes, places, requests.

mod bodies;
mod rates;
mod series;

use std::time::{Duration, Instant};

use cps_api::handlers::extract::{Limits, Unanswered};
use futures_util::future::join_all;
use serde_json::json;

use crate::support::{Answer, TestApp, Token};
use crate::wire::Wire;

const IMPATIENT: Duration = Duration::from_millis(300);

fn head(method: &str, path: &str, more: &str) -> String {
    format!("{method} {path} HTTP/1.1\r\nHost: here\r\n{more}\r\n")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_comes_too_slowly_is_not_waited_for() {
    let limits = Limits {
        body_time: IMPATIENT,
        upload_time: IMPATIENT,
        ..Limits::default()
    };
    let app = TestApp::start_within(limits).await;
    let (account, token) = app.applicant(json!({})).await;
    let bearer = format!("Authorization: Bearer {}\r\n", token.0.unwrap());
    let documents = format!("{account}/documents");
    let json = "Content-Type: application/json\r\nContent-Length: 100\r\n";
    let form = format!(
        "{bearer}Content-Type: multipart/form-data; boundary=cut\r\nContent-Length: 1000\r\n"
    );
    let part = "--cut\r\nContent-Disposition: form-data; name=\"kind\"\r\n\r\nvat_inv";
    for (path, more, begun) in [
        ("/v1/sessions", json, "{\"email\":"),
        (&documents, &form, part),
    ] {
        let mut wire = Wire::open(&app.address);
        wire.send(head("POST", path, more));
        wire.send(begun);
        let asked = Instant::now();
        let answer = wire.answer().unwrap();
        assert_eq!(
            (answer.status, answer.problem().as_str()),
            (408, "body_too_slow"),
            "{path}"
        );
        assert!(asked.elapsed() < Duration::from_secs(5));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_head_that_comes_too_slowly_is_cut_off() {
    let limits = Limits {
        head_time: IMPATIENT,
        ..Limits::default()
    };
    let app = TestApp::start_within(limits).await;
    let mut wire = Wire::open(&app.address);
    wire.send("GET /healthz HTTP/1.1\r\nHost: he");
    let asked = Instant::now();
    let answer = wire.answer();
    assert!(answer.is_none_or(|answer| answer.status == 408));
    assert!(asked.elapsed() < Duration::from_secs(5));
}

/// What ends a connection that sends `more` every while, again and again, behind an answer.
async fn ends_behind(app: &TestApp, first: String, more: &'static str) {
    let mut wire = Wire::open(&app.address);
    let ended = tokio::task::spawn_blocking(move || {
        wire.send(first);
        wire.answer().unwrap();
        for _ in 0..20 {
            wire.send(more);
            std::thread::sleep(Duration::from_millis(100));
        }
        wire.answer()
    });
    assert!(ended.await.unwrap().is_none(), "{more}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_no_request_reads_is_not_waited_for() {
    let limits = Limits {
        unanswered: Unanswered {
            bytes: 200_000,
            within: IMPATIENT,
        },
        ..Limits::default()
    };
    let app = TestApp::start_within(limits).await;
    let chunked = head("POST", "/v1/nowhere", "Transfer-Encoding: chunked\r\n");
    let first = head("GET", "/healthz", "");
    ends_behind(&app, first + "GET /", "x").await;
    ends_behind(&app, chunked.clone(), "1\r\nx\r\n").await;
    let mut wire = Wire::open(&app.address);
    wire.send(chunked);
    assert_eq!(wire.answer().unwrap().status, 404);
    let chunk = format!("{:x}\r\n{}\r\n", 50_000, "x".repeat(50_000));
    wire.send(chunk.repeat(100));
    wire.send("0\r\n\r\n".to_owned() + &head("GET", "/healthz", ""));
    assert!(wire.answer().is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_is_too_large_is_not_read_to_its_end() {
    let app = TestApp::start().await;
    let (account, token) = app.applicant(json!({})).await;
    // Said beforehand or not.
    let spaces = " ".repeat(70_000);
    let chunked = format!("{:x}\r\n{spaces}\r\n0\r\n\r\n", spaces.len());
    for (more, body) in [
        (
            format!("Content-Length: {}\r\n", spaces.len()),
            spaces.clone(),
        ),
        ("Transfer-Encoding: chunked\r\n".to_owned(), chunked),
    ] {
        let mut wire = Wire::open(&app.address);
        let more = format!("Content-Type: application/json\r\n{more}");
        wire.send(head("POST", "/v1/sessions", &more));
        wire.send(body);
        let answer = wire.answer().unwrap();
        assert_eq!(
            (answer.status, answer.problem().as_str()),
            (413, "body_too_large")
        );
    }
    static LARGE: [u8; 4 * 1024 * 1024 + 1] = [b' '; 4 * 1024 * 1024 + 1];
    let kind = "vat_invoice";
    let refused = app.upload(&account, &token, kind, &LARGE).await;
    refused.problem(413, "document_too_large");
    let none = app.upload(&account, &token, kind, b"").await;
    none.problem(422, "invalid_request");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_busy_service_says_so_at_once_and_still_tells_its_health() {
    let app = TestApp::start_with(&[("CPS_MAX_IN_FLIGHT", "2")]).await;
    let wrong = json!({ "email": "nobody@nordlys-test.example", "password": "x" });
    let nobody = Token::default();
    let tries = (0..40).map(|_| app.post("/v1/sessions", &nobody, wrong.clone()));
    let probes = async {
        for path in ["/healthz", "/readyz", "/healthz", "/readyz"] {
            app.get(path, &Token::default()).await.expect(200);
        }
    };
    let (answers, ()) = tokio::join!(join_all(tries), probes);
    let busy = answers.into_iter().find(|answer| answer.status == 503);
    let busy = busy.unwrap().problem(503, "overloaded");
    assert_eq!(busy.header("retry-after"), "1");
    assert!(!busy.header("x-request-id").is_empty());
    let ask = async || app.get("/.well-known/jwks.json", &Token::default()).await;
    until(ask, 200).await;
}

async fn until(ask: impl AsyncFn() -> Answer, status: u16) -> Answer {
    for _ in 0..200 {
        let answer = ask().await;
        if answer.status == status {
            return answer;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("never {status}");
}

/// A sandbox whose limits are `rules`; behind a proxy on this machine.
pub async fn limited(rules: &[(&str, u32)]) -> (TestApp, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let shipped = cps_api::programme::SHIPPED;
    let (before, mut sandbox) = shipped
        .split_once("[rate_limits.sandbox]")
        .map(|(before, sandbox)| (before, sandbox.to_owned()))
        .unwrap();
    for (name, per_minute) in rules {
        let line = sandbox
            .lines()
            .find(|line| line.starts_with(name))
            .unwrap()
            .to_owned();
        sandbox = sandbox.replace(&line, &format!("{name} = {per_minute}"));
    }
    let path = folder.path().join("programme.toml");
    std::fs::write(&path, format!("{before}[rate_limits.sandbox]{sandbox}")).unwrap();
    let variables = [
        ("CPS_PROGRAMME", path.to_str().unwrap()),
        ("CPS_TRUSTED_PROXIES", "127.0.0.0/8, 10.0.0.0/8"),
    ];
    (TestApp::start_with(&variables).await, folder)
}
