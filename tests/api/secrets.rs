//! What must not be read by who reads the logs or the database: passwords, tokens, links, documents.

use std::collections::BTreeMap;

use cps_api::repository::Kind;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::process::{Served, Setup};
use crate::raw::Raw;
use crate::support::{Answer, Database, Sending, Token, registration};

const EMAIL: &str = "asta@nordlys-test.example";
const PASSWORD: &str = "kanelsnegl med ekstra glasur 7";
const WRONG: &str = "rugbroed uden smoer 99";
const SEEDED: &str = "Sandbox-Adgang-2026";
const VAT: &str = "13585628";
const DOCUMENT: &str = "%PDF-1.4 a certificate that says brunsviger";
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

/// A journey, with everything secret that was met on it.
struct Journey {
    served: Served,
    secrets: BTreeMap<&'static str, String>,
    /// What the mails said.
    mails: Vec<Value>,
    requests: usize,
}

impl Journey {
    async fn send(&mut self, request: RequestBuilder, token: &Token) -> Answer {
        self.requests += 1;
        let id = format!("planted-{:04}", self.requests);
        let request = request.sent_by(token).header("x-request-id", id);
        let trace = format!("00-{TRACE}-00f067aa0ba902b7-01");
        request.header("traceparent", trace).answer().await
    }

    async fn post(&mut self, path: &str, token: &Token, body: Value) -> Answer {
        let key = format!("key-{}", self.requests);
        let request = self.served.request(Method::POST, path);
        let request = request.header("idempotency-key", key).json(&body);
        self.send(request, token).await
    }

    async fn get(&mut self, path: &str, token: &Token) -> Answer {
        let request = self.served.request(Method::GET, path);
        self.send(request, token).await
    }

    fn keep(&mut self, name: &'static str, secret: &str) -> Token {
        self.secrets.insert(name, secret.to_owned());
        Token(Some(secret.to_owned()))
    }

    async fn sign_in(&mut self, email: &str, password: &str) -> Answer {
        let body = json!({ "email": email, "password": password });
        self.post("/v1/sessions", &Token::default(), body).await
    }

    /// The token of the newest mail of a template.
    async fn token_of(&mut self, template: &str) -> String {
        for _ in 0..200 {
            let path = format!("/v1/sandbox/mailbox?to={EMAIL}");
            let mails = self.get(&path, &Token::default()).await.expect(200);
            let mails = mails.body["items"].as_array().unwrap().clone();
            let found = mails.iter().find(|mail| mail["template"] == template);
            if let Some(mail) = found.cloned() {
                self.mails = mails;
                let link = mail["action_url"].as_str().unwrap();
                return link.split_once("#token=").unwrap().1.to_owned();
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        panic!("no {template}");
    }

    /// From registering to a second password, with every credential in use.
    async fn walk(&mut self) {
        let nobody = Token::default();
        let body = registration(json!({}));
        let registered = self.post("/v1/accounts", &nobody, body).await.expect(201);
        let applicant = self.keep("applicant token", &registered.str("/applicant_token"));
        let account = registered.header("location").to_owned();
        let file = reqwest::multipart::Part::bytes(DOCUMENT.as_bytes()).file_name("cvr.pdf");
        let form = reqwest::multipart::Form::new().text("kind", "vat_registration_certificate");
        let upload = self
            .served
            .request(Method::POST, &format!("{account}/documents"));
        let upload = upload.multipart(form.part("file", file));
        let uploaded = self.send(upload, &applicant).await.expect(201);
        let document = uploaded.header("location").to_owned();
        self.get(&format!("{document}/content"), &applicant)
            .await
            .expect(200);
        let asked = json!({ "email": EMAIL });
        self.post("/v1/applicant-links", &nobody, asked.clone())
            .await
            .expect(202);
        let link = self.token_of("applicant_link").await;
        let applicant = self.keep("applicant token of the link", &link);
        let submission = format!("{account}/submission");
        self.post(&submission, &applicant, json!({}))
            .await
            .expect(200);
        self.approve(&account, &document).await;
        let first = self.token_of("first_password").await;
        self.keep("first-password token", &first);
        let set = json!({ "token": first, "new_password": PASSWORD });
        self.post("/v1/passwords", &nobody, set.clone())
            .await
            .expect(204);
        self.post("/v1/passwords", &nobody, set).await.expect(400);
        self.sign_in(EMAIL, WRONG).await.expect(401);
        let session = self.sign_in(EMAIL, PASSWORD).await.expect(201);
        let access = self.keep("access token", &session.str("/access_token"));
        let refresh = session.str("/refresh_token");
        self.keep("refresh token", &refresh);
        let device = session.str("/device_token");
        self.keep("device token", &device);
        let again = json!({ "email": EMAIL, "password": WRONG, "device_token": device });
        self.post("/v1/sessions", &nobody, again).await.expect(401);
        self.get("/v1/me", &access).await.expect(200);
        let next = json!({ "refresh_token": refresh });
        let next = self
            .post("/v1/sessions/refresh", &nobody, next)
            .await
            .expect(200);
        self.keep("second refresh token", &next.str("/refresh_token"));
        self.post("/v1/password-resets", &nobody, asked)
            .await
            .expect(202);
        let reset = self.token_of("password_reset").await;
        self.keep("reset token", &reset);
        // Secrets in places where they do not belong.
        let access = access.0.unwrap();
        for path in [
            format!("/v1/accounts/{access}"),
            format!("/problems/{reset}"),
            format!("/v1/nowhere/{PASSWORD}?token={reset}"),
            format!("/v1/models?cursor={reset}"),
        ] {
            self.get(&path, &nobody).await;
        }
        let body = json!({ "email": EMAIL, "password": PASSWORD, "token": reset, reset: 1 });
        self.post("/v1/sessions", &nobody, body).await.expect(422);
        self.get("/v1/me", &Token(Some(format!("{access}x"))))
            .await
            .expect(401);
    }

    async fn approve(&mut self, account: &str, document: &str) {
        let session = self.sign_in("reviewer@cps.example", SEEDED).await;
        let token = session.expect(201).str("/access_token");
        let reviewer = self.keep("access token of staff", &token);
        let case = account.replace("accounts", "reviews");
        let claim = format!("{case}/claim");
        self.post(&claim, &reviewer, json!({})).await.expect(200);
        let id = document.rsplit('/').next().unwrap();
        let one = self
            .served
            .request(Method::PUT, &format!("{case}/documents/{id}"));
        let one = one.json(&json!({ "decision": "accept" }));
        self.send(one, &reviewer).await.expect(200);
        let approve = json!({ "decision": "approve" });
        let decision = format!("{case}/decision");
        self.post(&decision, &reviewer, approve).await.expect(200);
    }
}

/// Every text in the database.
fn all_texts(raw: &mut Raw) -> String {
    let columns = match raw.kind() {
        Kind::Postgres => raw.lines(
            "SELECT table_name || ' ' || column_name AS line FROM information_schema.columns WHERE table_schema = current_schema()",
        ),
        Kind::Sqlite => raw.lines(
            "SELECT t.name || ' ' || c.name AS line FROM sqlite_master t JOIN pragma_table_info(t.name) c WHERE t.type = 'table'",
        ),
    };
    let mut texts = Vec::new();
    for column in columns {
        let (table, column) = column.split_once(' ').unwrap();
        texts.extend(raw.lines(&format!(
            "SELECT COALESCE(CAST(\"{column}\" AS TEXT), '') AS line FROM {table}"
        )));
    }
    texts.join("\n")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn neither_the_logs_nor_the_database_tell_a_secret() {
    let database = Database::create();
    let served = Setup::on(&database).with("RUST_LOG", "debug").serve();
    let mut journey = Journey {
        served,
        secrets: BTreeMap::from([
            ("password", PASSWORD.to_owned()),
            ("wrong password", WRONG.to_owned()),
            ("password of the seeded", SEEDED.to_owned()),
        ]),
        mails: Vec::new(),
        requests: 0,
    };
    journey.walk().await;
    journey.served.terminate();
    assert!(journey.served.end().success());

    let log = journey.served.log();
    let never_logged = [
        ("document", "brunsviger"),
        ("VAT number", VAT),
        ("address", EMAIL),
    ];
    let secrets = journey
        .secrets
        .iter()
        .map(|(name, secret)| (*name, secret.as_str()));
    for (name, secret) in secrets.clone().chain(never_logged) {
        let line = log.lines().find(|line| line.contains(secret));
        assert!(line.is_none(), "the log has the {name}: {line:?}");
    }
    assert_each_request_is_in(&log, journey.requests);

    let texts = all_texts(&mut Raw::open(&database));
    assert!(texts.contains(EMAIL) && texts.contains("$argon2id$"));
    for (name, secret) in secrets {
        assert!(!texts.contains(secret), "the database has the {name}");
    }
    assert!(!texts.contains("#token=") && !texts.contains("brunsviger"));
    assert!(journey.mails.len() >= 3);
    for mail in &journey.mails {
        let subject = mail["subject"].as_str().unwrap();
        assert!(
            !texts.contains(subject),
            "the database has the mail: {subject}"
        );
        for line in mail["text"]
            .as_str()
            .unwrap()
            .lines()
            .filter(|line| line.len() > 20)
        {
            assert!(!texts.contains(line), "the database has the mail: {line}");
        }
    }
}

/// Every line is JSON; each request has one that says how it was answered, under its own name and its caller's trace.
fn assert_each_request_is_in(log: &str, requests: usize) {
    let lines: Vec<Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}")))
        .collect();
    let mut answered = 0;
    for line in &lines {
        for field in ["timestamp", "level", "target", "message"] {
            assert!(line[field].is_string(), "{field}: {line}");
        }
        if line["message"] != "answered" {
            continue;
        }
        let span = &line["span"];
        assert_eq!(span["name"], "request", "{line}");
        let id = span["request_id"].as_str().unwrap();
        if id.starts_with("planted-") {
            answered += 1;
            assert_eq!(span["trace_id"], TRACE);
        }
        assert!(id.len() >= 8 && line["status"].is_u64() && line["route"].is_string());
    }
    assert_eq!(answered, requests);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failure_is_logged_with_its_cause_and_its_request_and_answered_without() {
    let database = Database::create();
    let served = Setup::on(&database).serve();
    let mut raw = Raw::open(&database);
    raw.run("ALTER TABLE sessions RENAME TO sessions_away")
        .unwrap();
    let body = json!({ "email": "admin@cps.example", "password": SEEDED });
    let request = served.request(Method::POST, "/v1/sessions").json(&body);
    let failed = request
        .header("x-request-id", "planted-failure")
        .answer()
        .await;
    let failed = failed.problem(500, "internal_error");
    assert!(!failed.text.contains("sessions_away") && !failed.text.contains("SELECT"));
    assert!(!failed.text.to_lowercase().contains("no such table"));
    let log = served.log();
    let line = log.lines().find(|line| line.contains("a request failed"));
    let line: Value = serde_json::from_str(line.unwrap()).unwrap();
    assert_eq!(
        (&line["level"], &line["span"]["request_id"]),
        (&json!("ERROR"), &json!("planted-failure"))
    );
    assert!(line["cause"].as_str().unwrap().contains("sessions"));
}
