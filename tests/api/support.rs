//! A whole service for each test, on a database of its own.

use std::net::TcpListener;

use cps_api::handlers::extract::Limits;
use cps_api::server::start::{self, Running};
use reqwest::{Method, RequestBuilder, StatusCode, header::HeaderMap};
use serde_json::{Value, json};

use crate::client::client;
pub use crate::database::Database;
use crate::examples::heard;
use crate::plans::Plans;

/// A running service.
pub struct TestApp {
    pub address: String,
    pub client: reqwest::Client,
    running: Running,
    _plans: Plans,
    pub database: Database,
}

/// What came back.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Value,
    pub text: String,
}

impl Answer {
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }

    /// The answer, which must have this status.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text);
        self
    }

    /// The answer, which must be a problem with this status and code.
    #[track_caller]
    pub fn problem(self, status: u16, code: &str) -> Self {
        assert_eq!(
            (self.status, self.body["code"].as_str()),
            (status, Some(code)),
            "{}",
            self.text
        );
        assert_eq!(self.header("content-type"), "application/problem+json");
        self
    }

    /// The pointers and codes of a problem's fields.
    pub fn faults(&self) -> Vec<(String, String)> {
        let fields = self.body["errors"].as_array().cloned().unwrap_or_default();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        fields
            .iter()
            .map(|field| (text(&field["pointer"]), text(&field["code"])))
            .collect()
    }

    #[track_caller]
    pub fn str(&self, pointer: &str) -> String {
        let found = self.body.pointer(pointer).and_then(Value::as_str);
        found
            .unwrap_or_else(|| panic!("no text at {pointer} in {}", self.text))
            .to_owned()
    }
}

/// Who sends a request.
#[derive(Debug, Clone, Default)]
pub struct Token(pub Option<String>);

impl TestApp {
    /// A sandbox of its own.
    pub async fn start() -> Self {
        Self::start_within(Limits::default()).await
    }

    /// A sandbox with further variables in its environment.
    pub async fn start_with(variables: &[(&str, &str)]) -> Self {
        Self::on(Database::create(), variables).await
    }

    /// A sandbox that is less patient than others.
    pub async fn start_within(limits: Limits) -> Self {
        Self::on_within(Database::seeded().await, &[], limits).await
    }

    /// A sandbox with further variables and limits of its own.
    pub async fn start_with_limits(variables: &[(&str, &str)], limits: Limits) -> Self {
        Self::on_within(Database::create(), variables, limits).await
    }

    /// One more instance, on a database that may be shared.
    pub async fn on(database: Database, variables: &[(&str, &str)]) -> Self {
        Self::on_within(database, variables, Limits::default()).await
    }

    async fn on_within(database: Database, variables: &[(&str, &str)], limits: Limits) -> Self {
        let plans = Plans::watch(&database);
        let config = database.config(variables);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut parts = start::open(config, listener.local_addr().unwrap())
            .await
            .unwrap();
        parts.limits = limits;
        let running = start::run(parts, listener, 1).unwrap();
        Self {
            address: format!("http://{}", running.address),
            client: client(),
            running,
            _plans: plans,
            database,
        }
    }

    /// Stops the service, runs a command of the binary on its database, and starts it again; what the command printed.
    pub async fn after_command(self, arguments: &[&str]) -> (Self, String) {
        let database = self.stop().await;
        let told = database.command(arguments);
        (Self::on(database, &[]).await, told)
    }

    /// Stops the service; its database stays.
    pub async fn stop(self) -> Database {
        self.running.stop().await;
        self.database.released().await;
        self.database
    }

    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client
            .request(method, format!("{}{path}", self.address))
    }

    pub async fn get(&self, path: &str, token: &Token) -> Answer {
        self.request(Method::GET, path)
            .sent_by(token)
            .answer()
            .await
    }

    pub async fn post(&self, path: &str, token: &Token, body: Value) -> Answer {
        self.request(Method::POST, path)
            .sent_by(token)
            .json(&body)
            .answer()
            .await
    }

    pub async fn put(&self, path: &str, token: &Token, body: Value) -> Answer {
        self.request(Method::PUT, path)
            .sent_by(token)
            .json(&body)
            .answer()
            .await
    }

    /// A merge patch of the version that was seen.
    pub async fn patch(&self, path: &str, token: &Token, version: i64, body: Value) -> Answer {
        self.request(Method::PATCH, path)
            .sent_by(token)
            .header("if-match", format!("\"{version}\""))
            .header("content-type", "application/merge-patch+json")
            .body(body.to_string())
            .answer()
            .await
    }

    /// A POST with an idempotency key of its own.
    pub async fn post_once(&self, path: &str, token: &Token, body: Value) -> Answer {
        self.request(Method::POST, path)
            .sent_by(token)
            .header("idempotency-key", uuid::Uuid::new_v4().to_string())
            .json(&body)
            .answer()
            .await
    }

    /// A POST without a body.
    pub async fn act(&self, path: &str, token: &Token) -> Answer {
        self.request(Method::POST, path)
            .sent_by(token)
            .answer()
            .await
    }

    pub async fn delete(&self, path: &str, token: &Token, version: i64) -> Answer {
        self.request(Method::DELETE, path)
            .sent_by(token)
            .header("if-match", format!("\"{version}\""))
            .answer()
            .await
    }

    /// Signs in somebody whom the sandbox seeds.
    pub async fn sign_in(&self, email: &str) -> Token {
        self.sign_in_with(email, "Sandbox-Adgang-2026").await
    }

    pub async fn sign_in_with(&self, email: &str, password: &str) -> Token {
        let body = json!({ "email": email, "password": password });
        Token(Some(
            self.post("/v1/sessions", &Token::default(), body)
                .await
                .expect(201)
                .str("/access_token"),
        ))
    }

    /// Hands in a file as a verification document.
    pub async fn upload(
        &self,
        account: &str,
        token: &Token,
        kind: &str,
        bytes: &'static [u8],
    ) -> Answer {
        let file = reqwest::multipart::Part::bytes(bytes).file_name("../certifikat.pdf");
        let form = reqwest::multipart::Form::new()
            .text("kind", kind.to_owned())
            .part("file", file);
        self.request(Method::POST, &format!("{account}/documents"))
            .sent_by(token)
            .multipart(form)
            .answer()
            .await
    }

    /// A registered business: the path of its account, and its applicant's token.
    pub async fn applicant(&self, change: Value) -> (String, Token) {
        let registered = self
            .post("/v1/accounts", &Token::default(), registration(change))
            .await
            .expect(201);
        (
            registered.header("location").to_owned(),
            Token(Some(registered.str("/applicant_token"))),
        )
    }

    /// The newest mail of a template to an address; waits a little for the job that sends it.
    pub async fn mail(&self, to: &str, template: &str) -> Value {
        for _ in 0..100 {
            let found = self
                .mails(to)
                .await
                .into_iter()
                .find(|mail| mail["template"] == template);
            if let Some(mail) = found {
                return mail;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        panic!("no {template} to {to}");
    }

    /// The mails that arrived at an address, newest first.
    pub async fn mails(&self, to: &str) -> Vec<Value> {
        let query = [("to", to), ("limit", "100")];
        let answer = self
            .request(Method::GET, "/v1/sandbox/mailbox")
            .query(&query)
            .answer()
            .await
            .expect(200);
        answer.body["items"].as_array().unwrap().clone()
    }

    /// Now, by the service's clock.
    pub async fn now(&self) -> chrono::DateTime<chrono::Utc> {
        let answer = self
            .get("/v1/sandbox/clock", &Token::default())
            .await
            .expect(200);
        answer.str("/now").parse().unwrap()
    }

    /// Moves the clock and has everything done that falls due on the way.
    pub async fn set_clock(&self, now: &str) {
        self.put(
            "/v1/sandbox/clock",
            &Token::default(),
            json!({ "now": now }),
        )
        .await
        .expect(200);
    }

    /// Moves the clock forward.
    pub async fn advance(&self, by: chrono::TimeDelta) {
        let target = self.now().await + by;
        self.set_clock(&target.to_rfc3339_opts(chrono::SecondsFormat::Micros, true))
            .await;
    }
}

/// The media type of a form.
pub const FORM: &str = "application/x-www-form-urlencoded";

/// A form as it is sent.
pub fn form_of<'p>(pairs: impl IntoIterator<Item = &'p (&'p str, &'p str)>) -> String {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.extend_pairs(pairs).finish()
}

/// The form of a flat JSON object, as a page sends its example.
pub fn form_of_json(object: &Value) -> String {
    let fields = object.as_object().unwrap().iter();
    let pairs: Vec<_> = fields
        .map(|(name, value)| (name.as_str(), value.as_str().unwrap()))
        .collect();
    form_of(&pairs)
}

/// What every request in these tests can say.
pub trait Sending {
    fn sent_by(self, token: &Token) -> Self;
    /// With a form as its body.
    fn form(self, pairs: &[(&str, &str)]) -> Self;
    async fn answer(self) -> Answer;
}

impl Sending for RequestBuilder {
    fn sent_by(self, token: &Token) -> Self {
        match &token.0 {
            Some(token) => self.bearer_auth(token),
            None => self,
        }
    }

    fn form(self, pairs: &[(&str, &str)]) -> Self {
        self.header("content-type", FORM).body(form_of(pairs))
    }

    async fn answer(self) -> Answer {
        let (client, request) = self.build_split();
        let request = request.unwrap();
        let asked = heard::asked(&request);
        let response = client.execute(request).await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.unwrap();
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        if StatusCode::from_u16(status).unwrap().is_server_error() && status != 503 {
            eprintln!("{status}: {text}");
        }
        let answer = Answer {
            status,
            headers,
            body,
            text,
        };
        heard::note(asked, &answer);
        answer
    }
}

/// What `asta@nordlys.example` registers with; `change` is merged in.
pub fn registration(change: Value) -> Value {
    let mut body = json!({
        "company_name": "Nordlys Foto ApS", "country": "DK", "vat_registered": true, "vat_number": "13585628",
        "address": { "street": "Havnegade 1", "postal_code": "1058", "city": "København K" },
        "contact": { "name": "Asta Holm", "email": "asta@nordlys-test.example", "phone": "+4533110000" },
        "language": "da", "source": "itcg", "authority_declared": true, "accept_terms_version": "2026-01"
    });
    merge(&mut body, change);
    body
}

/// What somebody at `email` registers with.
pub fn registration_by(email: &str) -> Value {
    registration(json!({ "contact": { "email": email } }))
}

fn merge(target: &mut Value, change: Value) {
    match (target, change) {
        (Value::Object(target), Value::Object(change)) => {
            for (name, value) in change {
                if value.is_null() {
                    target.remove(&name);
                } else {
                    merge(target.entry(name).or_insert(Value::Null), value);
                }
            }
        }
        (target, change) => *target = change,
    }
}
