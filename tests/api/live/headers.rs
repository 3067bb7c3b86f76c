//! What every answer carries, whatever it says.

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::json;

use crate::openapi::document;
use crate::permissions::Operation;
use crate::process::Setup;
use crate::support::{Answer, Database, Sending, TestApp, Token};

#[track_caller]
fn guarded(what: &str, answer: &Answer) {
    for (name, expected) in [
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-resource-policy", "same-origin"),
        ("x-frame-options", "DENY"),
    ] {
        assert_eq!(answer.header(name), expected, "{what}: {name}");
        assert_eq!(
            answer.headers.get_all(name).iter().count(),
            1,
            "{what}: {name}"
        );
    }
    let policy = answer.header("content-security-policy");
    for part in ["default-src 'none'", "frame-ancestors 'none'"] {
        assert!(policy.contains(part), "{what}: {policy}");
    }
    let scripts = policy
        .split(';')
        .find(|part| part.trim().starts_with("script-src"));
    let is_loose = scripts.is_some_and(|scripts| scripts.contains("unsafe"));
    assert!(!is_loose, "{what}: {policy}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_route_of_the_contract_carries_the_headers() {
    let app = TestApp::start().await;
    let contract = document(true);
    let admin = app.sign_in("admin@cps.example").await;
    let mut statuses = BTreeMap::new();
    for operation in Operation::all(&contract) {
        if ["setClock", "endSession"].contains(&operation.id.as_str()) {
            continue;
        }
        let path = operation.path_to(&Default::default());
        for token in [Token::default(), admin.clone()] {
            for method in [operation.method.clone(), Method::HEAD, Method::OPTIONS] {
                let answer = app.request(method, &path).sent_by(&token).answer().await;
                *statuses.entry(answer.status).or_insert(0) += 1;
                guarded(&operation.id, &answer);
                let policy = answer.header("content-security-policy");
                assert!(!policy.contains("script-src"), "{}", operation.id);
            }
        }
    }
    for status in [200, 401, 403, 404, 405, 422] {
        assert!(statuses.contains_key(&status), "{statuses:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn so_does_what_is_no_route_what_is_refused_and_what_has_no_body() {
    let app = TestApp::start().await;
    for path in [
        "/",
        "/v1",
        "/v1/nowhere",
        "/v1/%00",
        "/nowhere",
        "/docs",
        "/docs/",
        "/docs/nothing.js",
        "/docs/swagger-ui.css",
        "/openapi.json",
        "/problems/not_found",
        "/problems/nothing",
    ] {
        guarded(path, &app.get(path, &Token::default()).await);
    }
    let contract = app.get("/openapi.json", &Token::default()).await;
    let same = app
        .request(Method::GET, "/openapi.json")
        .header("if-none-match", contract.header("etag"));
    guarded("304", &same.answer().await.expect(304));
    let stranger = Token(Some("made up".to_owned()));
    guarded("401", &app.get("/v1/me", &stranger).await.expect(401));
    let broken = app
        .request(Method::POST, "/v1/sessions")
        .header("content-type", "application/json")
        .body("{");
    guarded("400", &broken.answer().await.expect(400));
    let preflight = |origin: &'static str, method: &'static str| {
        app.request(Method::OPTIONS, "/v1/sessions")
            .header("origin", origin)
            .header("access-control-request-method", method)
    };
    for (origin, method) in [
        ("http://localhost:5173", "POST"),
        ("https://evil.example", "POST"),
        ("http://localhost:5173", "B@D"),
    ] {
        let answer = preflight(origin, method).answer().await;
        guarded("a preflight", &answer);
        if answer.status >= 400 {
            assert_eq!(
                answer.header("content-type"),
                "application/problem+json",
                "{answer:?}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_somebody_uploaded_is_in_a_sandbox_besides() {
    let app = TestApp::start().await;
    let (account, token) = app.applicant(json!({})).await;
    let kind = "vat_registration_certificate";
    let uploaded = app.upload(&account, &token, kind, b"%PDF-1.4 a document");
    let id = uploaded.await.expect(201).str("/id");
    let path = format!("{account}/documents/{id}/content");
    let content = app.get(&path, &token).await.expect(200);
    guarded("a document", &content);
    let policy = content.header("content-security-policy");
    assert!(policy.starts_with("sandbox; "), "{policy}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_may_do_what_they_need_and_no_more() {
    let app = TestApp::start().await;
    let page = app.get("/docs/", &Token::default()).await.expect(200);
    let policy = page.header("content-security-policy");
    assert!(
        policy.contains("script-src 'self';") && policy.contains("connect-src 'self'"),
        "{policy}"
    );
    let scripts = page.text.matches("<script").count();
    assert_eq!(
        scripts,
        page.text.matches("<script src=\"./").count(),
        "no script stands in the page"
    );
    let page = app
        .get("/problems/not_found", &Token::default())
        .await
        .expect(200);
    for loaded in ["<script", "<style", "style=", "src=", "<link"] {
        assert!(!page.text.contains(loaded), "{loaded}");
    }
    assert_eq!(
        page.header("strict-transport-security"),
        "",
        "a sandbox has no TLS"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn live_mode_has_browsers_come_back_by_https() {
    let database = Database::create();
    let served = Setup::live(&database, "smtp://127.0.0.1:25").serve();
    for path in [
        "/healthz",
        "/readyz",
        "/v1/nowhere",
        "/docs/",
        "/problems/not_found",
    ] {
        let answer = served.get(path).await;
        guarded(path, &answer);
        assert_eq!(
            answer.header("strict-transport-security"),
            "max-age=31536000",
            "{path}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sandbox_is_open_to_pages_of_its_own_machine_and_live_mode_to_none() {
    let app = TestApp::start().await;
    let allowed = async |origin: &str| {
        let request = app
            .request(Method::GET, "/healthz")
            .header("origin", origin);
        let answer = request.answer().await.expect(200);
        answer.header("access-control-allow-origin").to_owned()
    };
    for origin in [
        "http://localhost:5173",
        "https://localhost",
        "http://127.0.0.1:3000",
    ] {
        assert_eq!(allowed(origin).await, origin);
    }
    for origin in [
        "https://cps.example",
        "http://localhost.evil.example",
        "null",
    ] {
        assert_eq!(allowed(origin).await, "");
    }
    let database = Database::create();
    let served = Setup::live(&database, "smtp://127.0.0.1:25").serve();
    let request = served
        .request(Method::GET, "/healthz")
        .header("origin", "http://localhost:5173");
    assert_eq!(
        request.answer().await.header("access-control-allow-origin"),
        ""
    );
}
