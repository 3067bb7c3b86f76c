//! HTTP as browsers, proxies and odd clients speak it: origins, names of requests, methods, and what nobody should send.

use reqwest::Method;
use serde_json::{Value, json};

use crate::openapi::document;
use crate::permissions::Operation;
use crate::process::{Setup, free_port};
use crate::support::{Database, Sending, TestApp, Token};
use crate::wire::exchange;

const FRONTEND: &str = "https://cps.example";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_of_a_configured_origin_may_call_and_read_and_others_may_not() {
    let origins = format!("{FRONTEND}, http://localhost:5173");
    let app = TestApp::start_with(&[("CPS_CORS_ORIGINS", &origins)]).await;
    let preflight = async |origin: &str| {
        app.request(
            Method::OPTIONS,
            "/v1/accounts/acc_00000000000070008000000000000001",
        )
        .header("origin", origin)
        .header("access-control-request-method", "PATCH")
        .header(
            "access-control-request-headers",
            "authorization,content-type,if-match,idempotency-key",
        )
        .answer()
        .await
    };
    for origin in [FRONTEND, "http://localhost:5173"] {
        let allowed = preflight(origin).await;
        assert!(allowed.status < 300, "{allowed:?}");
        assert_eq!(allowed.header("access-control-allow-origin"), origin);
        assert!(
            allowed
                .header("access-control-allow-methods")
                .contains("PATCH")
        );
        let headers = allowed
            .header("access-control-allow-headers")
            .to_lowercase();
        for name in ["authorization", "if-match", "idempotency-key"] {
            assert!(headers.contains(name), "{headers}");
        }
    }
    let read = async |origin: &str| {
        let request = app.request(Method::GET, "/v1/nowhere");
        request.header("origin", origin).answer().await
    };
    let told = read(FRONTEND).await.problem(404, "not_found");
    assert_eq!(told.header("access-control-allow-origin"), FRONTEND);
    let exposed = told.header("access-control-expose-headers").to_lowercase();
    for name in [
        "etag",
        "link",
        "location",
        "retry-after",
        "x-request-id",
        "ratelimit",
        "ratelimit-policy",
        "idempotency-replayed",
        "content-language",
    ] {
        assert!(
            exposed.split(',').any(|one| one.trim() == name),
            "{name}: {exposed}"
        );
    }
    for origin in [
        "https://evil.example",
        "null",
        "https://cps.example.evil.example",
    ] {
        let refused = preflight(origin).await;
        assert_eq!(refused.header("access-control-allow-origin"), "");
        let other = read(origin).await;
        assert_eq!(other.header("access-control-allow-origin"), "");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_keeps_its_good_name_and_gets_one_for_a_bad_one() {
    let app = TestApp::start().await;
    let named = async |name: &str| {
        let request = app.request(Method::GET, "/v1/nowhere");
        let answer = request.header("x-request-id", name).answer().await;
        assert_eq!(answer.str("/request_id"), answer.header("x-request-id"));
        answer.header("x-request-id").to_owned()
    };
    for good in ["12345678", "web_2026-03-01_A", &"z".repeat(64)] {
        assert_eq!(named(good).await, good);
    }
    for bad in [
        "1234567",
        "with space",
        "quo\"te-quote",
        &"z".repeat(65),
        "",
    ] {
        let made = named(bad).await;
        assert!(made != bad && made.len() >= 8, "{bad}: {made}");
    }
    assert_ne!(named("short").await, named("short").await);
    for path in ["/healthz", "/docs/", "/openapi.json", "/problems/not_found"] {
        let answer = app.get(path, &Token::default()).await.expect(200);
        assert!(!answer.header("x-request-id").is_empty(), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn head_answers_as_get_without_the_body_and_other_methods_are_told_what_is_allowed() {
    let app = TestApp::start().await;
    let mette = app.sign_in("mette@fjordfoto.example").await;
    let account = "/v1/accounts/acc_00000000000070008000000000000001";
    for path in [account, "/healthz", "/openapi.json", "/docs/"] {
        let get = app.get(path, &mette).await.expect(200);
        let head = app.request(Method::HEAD, path).sent_by(&mette);
        let head = head.answer().await.expect(200);
        assert_eq!(head.text, "", "{path}");
        for name in ["content-type", "content-length", "etag"] {
            assert_eq!(head.header(name), get.header(name), "{path}: {name}");
        }
    }
    let closed = app
        .request(Method::HEAD, account)
        .answer()
        .await
        .expect(401);
    assert_eq!(closed.text, "");
    app.request(Method::HEAD, "/v1/nowhere")
        .answer()
        .await
        .expect(404);
    for method in [Method::PUT, Method::TRACE] {
        let refused = app.request(method, "/healthz").answer().await;
        let refused = refused.problem(405, "method_not_allowed");
        assert_eq!(refused.header("allow"), "GET, HEAD");
    }
    let asked = async |path: &str| app.request(Method::OPTIONS, path).answer().await;
    let told = asked("/healthz").await.expect(204);
    assert_eq!(
        (told.header("allow"), told.header("accept-patch")),
        ("GET, HEAD", "")
    );
    let told = asked(account).await.expect(204);
    assert_eq!(told.header("allow"), "GET, HEAD, PATCH");
    let formats = "application/merge-patch+json, application/json";
    assert_eq!(told.header("accept-patch"), formats);
    asked("/v1/nowhere").await.problem(404, "not_found");
    let brew = Method::from_bytes(b"BREW").unwrap();
    let refused = app.request(brew, "/v1/sessions").answer().await;
    assert_eq!(
        refused.problem(405, "method_not_allowed").header("allow"),
        "POST"
    );
}

fn post(path: &str, head: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("POST {path} HTTP/1.1\r\nHost: here\r\nConnection: close\r\nContent-Length: {length}\r\n{head}\r\n{body}").into_bytes()
}

fn get(target: &str, head: &str) -> Vec<u8> {
    format!("GET {target} HTTP/1.1\r\nHost: here\r\nConnection: close\r\n{head}\r\n").into_bytes()
}

fn part(disposition: &str, content: &str) -> String {
    format!(
        "--cut\r\nContent-Disposition: form-data; {disposition}\r\n\r\n{content}\r\n--cut--\r\n"
    )
}

/// What odd clients send, with the statuses that may answer it.
fn oddities(account: &str, bearer: &str) -> Vec<(&'static str, Vec<u8>, &'static [u16])> {
    let json = "Content-Type: application/json\r\n";
    let documents = format!("{account}/documents");
    let form = format!("{bearer}Content-Type: multipart/form-data; boundary=cut\r\n");
    let upload = |body: &str| post(&documents, &form, body);
    let kinded = |media_type: &str| {
        let head = format!("{bearer}Content-Type: {media_type}\r\n");
        post(&documents, &head, &part("name=\"kind\"", "vat_invoice"))
    };
    let chunked = |body: &str| {
        format!("POST /v1/sessions HTTP/1.1\r\nHost: here\r\nConnection: close\r\n{json}Transfer-Encoding: chunked\r\n\r\n{body}").into_bytes()
    };
    let mut invalid_utf8 = post("/v1/sessions", json, "{\"email\":\"?\"}");
    let at = invalid_utf8.len() - 3;
    invalid_utf8[at] = 0xff;
    let deep = "[".repeat(20_000);
    vec![
        (
            "a chunk without a size",
            chunked("ZZ\r\n{}\r\n0\r\n\r\n"),
            &[400],
        ),
        (
            "a chunk that ends early",
            chunked("5\r\n{}\r\n0\r\n\r\n"),
            &[400],
        ),
        ("bytes that are no UTF-8", invalid_utf8, &[400]),
        ("nothing at all", post("/v1/sessions", json, ""), &[400]),
        (
            "no end of brackets",
            post("/v1/sessions", json, &deep),
            &[400],
        ),
        ("an array", post("/v1/sessions", json, "[]"), &[422]),
        ("a number", post("/v1/sessions", json, "1e999"), &[400, 422]),
        (
            "the same field twice",
            post("/v1/sessions", json, "{\"email\":1,\"email\":2}"),
            &[400],
        ),
        ("no media type", post("/v1/sessions", "", "{}"), &[415]),
        (
            "a media type that is none",
            post("/v1/sessions", "Content-Type: json\r\n", "{}"),
            &[415],
        ),
        (
            "an encoding",
            post(
                "/v1/sessions",
                "Content-Type: application/json\r\nContent-Encoding: gzip\r\n",
                "{}",
            ),
            &[400, 415, 422],
        ),
        (
            "a form instead",
            post(
                "/v1/sessions",
                "Content-Type: application/x-www-form-urlencoded\r\n",
                "a=b",
            ),
            &[415],
        ),
        (
            "a path of other bytes",
            get("/v1/accounts/%FF%FE", bearer),
            &[404],
        ),
        ("a path with NUL", get("/v1/accounts/%00", bearer), &[404]),
        (
            "a path with a line's end",
            get("/v1/accounts/%0d%0aset-cookie:a", bearer),
            &[404],
        ),
        ("a path of broken escapes", get("/v1/%zz/%", bearer), &[404]),
        ("a path going up", get("/v1/../../etc/passwd", ""), &[404]),
        (
            "pages going up",
            get("/docs/..%2f..%2fCargo.toml", ""),
            &[404],
        ),
        (
            "a page that is not there",
            get("/docs/nothing.js", ""),
            &[404],
        ),
        (
            "a problem that is not there",
            get("/problems/%F0%9F%98%80", ""),
            &[404],
        ),
        ("two slashes", get("//v1//accounts", ""), &[404]),
        (
            "another host's address",
            get("http://evil.example/v1/nowhere", ""),
            &[404],
        ),
        (
            "a star",
            b"OPTIONS * HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n".to_vec(),
            &[400, 404, 405],
        ),
        (
            "a query with NUL",
            get("/v1/sandbox/mailbox?to=%00", ""),
            &[200, 422],
        ),
        (
            "a query of other bytes",
            get("/v1/sandbox/mailbox?to=%FF", ""),
            &[200, 400, 422],
        ),
        (
            "a query of broken escapes",
            get("/v1/sandbox/mailbox?to=%zz&=&&limit", ""),
            &[400, 422],
        ),
        (
            "a cursor with NUL",
            get("/v1/sandbox/mailbox?cursor=%00", ""),
            &[422],
        ),
        (
            "a parameter twice",
            get("/v1/sandbox/mailbox?limit=1&limit=2", ""),
            &[400, 422],
        ),
        (
            "a limit beyond all numbers",
            get("/v1/sandbox/mailbox?limit=99999999999999999999", ""),
            &[422],
        ),
        (
            "a very long path",
            get(&format!("/v1/{}", "a".repeat(30_000)), ""),
            &[404, 414],
        ),
        (
            "a very long query",
            get(
                &format!("/v1/sandbox/mailbox?to={}", "a".repeat(30_000)),
                "",
            ),
            &[422, 414],
        ),
        (
            "a very long header",
            get(
                "/v1/nowhere",
                &format!("X-Long: {}\r\n", "a".repeat(30_000)),
            ),
            &[404, 431],
        ),
        (
            "credentials of no scheme",
            get("/v1/me", "Authorization: \u{e6}\u{f8}\u{e5}\r\n"),
            &[401],
        ),
        (
            "empty credentials",
            get("/v1/me", "Authorization: Bearer \r\n"),
            &[401],
        ),
        (
            "languages of no kind",
            get("/v1/nowhere", "Accept-Language: \u{e6};q=x, *;q=-1\r\n"),
            &[404],
        ),
        (
            "a name with other bytes",
            get(
                "/v1/nowhere",
                "X-Request-Id: \u{e6}\u{f8}\u{e5}\u{e6}\u{f8}\u{e5}\r\n",
            ),
            &[404],
        ),
        ("no boundary", kinded("multipart/form-data"), &[400, 415]),
        (
            "an empty boundary",
            kinded("multipart/form-data; boundary="),
            &[400, 415],
        ),
        (
            "another kind of parts",
            kinded("multipart/mixed; boundary=cut"),
            &[400, 415, 422],
        ),
        ("JSON instead of parts", kinded("application/json"), &[415]),
        (
            "a part without a name",
            upload(&part("name=\"\"", "x")),
            &[400, 422],
        ),
        (
            "a part that names nothing",
            upload(&part("filename=\"a\"", "x")),
            &[400, 422],
        ),
        (
            "a part without disposition",
            upload("--cut\r\n\r\nx\r\n--cut--\r\n"),
            &[400, 422],
        ),
        (
            "another boundary than announced",
            upload("--other\r\n\r\n\r\n--other--\r\n"),
            &[400, 422],
        ),
        (
            "parts that never end",
            upload("--cut\r\nContent-Disposition: form-data; name=\"kind\"\r\n\r\nvat"),
            &[400],
        ),
        ("no parts", upload("--cut--\r\n"), &[400, 422]),
        ("nothing in place of parts", upload(""), &[400, 422]),
        (
            "a file name with NUL",
            upload(
                &(part("name=\"kind\"", "vat_invoice").replace("--cut--\r\n", "")
                    + &part("name=\"file\"; filename*=UTF-8''a%00b.pdf", "%PDF-1.4 a")),
            ),
            &[201, 400, 422],
        ),
        (
            "a kind with NUL",
            upload(&part("name=\"kind\"", "\0")),
            &[422],
        ),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_nobody_should_send_is_answered_as_a_problem() {
    let app = TestApp::start().await;
    let (account, token) = app.applicant(json!({})).await;
    let bearer = format!("Authorization: Bearer {}\r\n", token.0.unwrap());
    let mut wrong = Vec::new();
    for (what, bytes, statuses) in oddities(&account, &bearer) {
        match exchange(&app.address, bytes) {
            Some(answer) if statuses.contains(&answer.status) => {
                if answer.status >= 400 {
                    answer.problem();
                }
            }
            other => wrong.push(format!("{what}: {other:?}")),
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    app.get("/readyz", &Token::default()).await.expect(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_http_is_answered_without_a_body_as_the_contract_says() {
    let app = TestApp::start().await;
    let contract = document(false);
    let told = contract["info"]["description"].as_str().unwrap();
    let headers: String = (0..97).map(|n| format!("X-{n}: a\r\n")).collect();
    let long = format!("X-Long: {}\r\n", "a".repeat(128 * 1024));
    let mut raw = get("/v1/models?query=K", "");
    let at = raw.iter().position(|byte| *byte == b'K').unwrap();
    raw.splice(at..=at, "København".bytes());
    for (bytes, status) in [
        (raw, 400),
        (get("/v1/models?query=\"a\"", ""), 400),
        (get("/v1/models", "a header without its colon\r\n"), 400),
        (get("/v1/models", &headers), 431),
        (get("/v1/models", &long), 431),
    ] {
        let answer = exchange(&app.address, bytes).unwrap();
        assert_eq!(
            (answer.status, answer.body.as_str()),
            (status, ""),
            "{answer:?}"
        );
        assert!(told.contains(&format!("{status} for ")), "{told}");
    }
    let encoded = get("/v1/models?query=K%C3%B8benhavn", "");
    assert_eq!(exchange(&app.address, encoded).unwrap().status, 200);
}

/// `value` once for each text in it, with that text replaced.
fn spoilt(value: &Value, text: &str) -> Vec<Value> {
    let parts: Vec<(String, &Value)> = match value {
        Value::String(_) => return vec![json!(text)],
        Value::Object(fields) => fields.iter().map(|(n, v)| (n.clone(), v)).collect(),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .map(|(n, v)| (n.to_string(), v))
            .collect(),
        _ => return Vec::new(),
    };
    let each = parts.into_iter().flat_map(|(name, part)| {
        let mut made = Vec::new();
        for other in spoilt(part, text) {
            let mut whole = value.clone();
            *whole.pointer_mut(&format!("/{name}")).unwrap() = other;
            made.push(whole);
        }
        made
    });
    each.collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_text_whatever_stands_in_it_makes_the_service_fail() {
    let app = TestApp::start().await;
    let contract = document(true);
    let mut tokens = vec![Token::default()];
    for email in [
        "mette@fjordfoto.example",
        "reviewer@cps.example",
        "support@cps.example",
        "admin@cps.example",
    ] {
        tokens.push(app.sign_in(email).await);
    }
    for operation in Operation::all(&contract) {
        if ["setClock", "endSession"].contains(&operation.id.as_str()) {
            continue;
        }
        for text in [
            "\0",
            "a\0b",
            "\u{feff}\u{202e}\u{10ffff}",
            "'; DROP TABLE accounts; --",
        ] {
            for token in &tokens {
                for request in operation.spoilt(&app, &contract, text) {
                    let request = request.sent_by(token);
                    let key = uuid::Uuid::new_v4().to_string();
                    let answer = request.header("idempotency-key", key).answer().await;
                    assert!(
                        answer.status < 500,
                        "{} with {text:?}: {}",
                        operation.id,
                        answer.text
                    );
                    if answer.status >= 400 {
                        assert_eq!(answer.header("content-type"), "application/problem+json");
                    }
                }
            }
        }
    }
}

impl Operation {
    /// Requests that hold `text` in one place each: a field of the body, or a parameter of the query.
    fn spoilt(&self, app: &TestApp, contract: &Value, text: &str) -> Vec<reqwest::RequestBuilder> {
        let path = self.path_to(&Default::default());
        let request = || {
            app.request(self.method.clone(), &path)
                .header("if-match", "\"1\"")
        };
        let queries = self.parameters().filter(|one| one["in"] == "query");
        let mut made: Vec<_> = queries
            .map(|one| request().query(&[(one["name"].as_str().unwrap(), text)]))
            .collect();
        let content = &self.spec["requestBody"]["content"];
        for media_type in ["application/json", "application/merge-patch+json"] {
            if content[media_type].is_object() {
                let bodies = spoilt(&self.example(contract), text);
                made.extend(bodies.into_iter().map(|body| {
                    request()
                        .header("content-type", media_type)
                        .body(body.to_string())
                }));
            }
        }
        made
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn measurements_go_by_the_pattern_of_the_route_and_name_nobody() {
    let database = Database::create();
    let metrics = format!("127.0.0.1:{}", free_port());
    let served = Setup::on(&database)
        .with("CPS_METRICS_BIND", &metrics)
        .serve();
    let body = json!({ "email": "mette@fjordfoto.example", "password": "Sandbox-Adgang-2026" });
    let session = served.post("/v1/sessions", &Token::default(), body).await;
    let token = Token(Some(session.expect(201).str("/access_token")));
    for account in [
        "acc_00000000000070008000000000000001",
        "acc_00000000000070008000000000000002",
    ] {
        let request = served.request(Method::GET, &format!("/v1/accounts/{account}"));
        request.sent_by(&token).answer().await;
    }
    served.get("/v1/nowhere/secret-place").await.expect(404);
    served.get("/metrics").await.problem(404, "not_found");
    let told = reqwest::get(format!("http://{metrics}/metrics"))
        .await
        .unwrap();
    let told = told.text().await.unwrap();
    let route = "route=\"/v1/accounts/{account_id}\"";
    let counted = |status: &str| {
        let mut lines = told
            .lines()
            .filter(|line| line.starts_with("http_requests_total"));
        lines.any(|line| line.contains(route) && line.contains(&format!("status=\"{status}\"")))
    };
    assert!(counted("200") && counted("404"), "{told}");
    for kind in [
        "http_request_duration_seconds",
        "jobs_total",
        "events_inbox_age_seconds",
    ] {
        assert!(told.contains(kind), "{kind}");
    }
    for secret in ["acc_0000", "mette@", "secret-place"] {
        assert!(!told.contains(secret), "{secret}");
    }
}
