//! Mixed load on several instances by clients that repeat what was not answered, as callers are told to.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::journey::{self, Told};

/// How many clients there are.
const CLIENTS: usize = 4;
/// How long a client repeats one request.
const INSISTS: Duration = Duration::from_secs(180);
/// How soon a read is refused while the database is away, on a machine of its own.
const REFUSED: Duration = Duration::from_millis(2200);

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub location: String,
    pub body: Value,
    pub text: String,
    /// An attempt before this one was not answered: it may have happened.
    pub is_repeat: bool,
}

impl Answer {
    #[track_caller]
    pub fn expect(self, statuses: &[u16]) -> Self {
        assert!(
            statuses.contains(&self.status),
            "{}: {}",
            self.status,
            self.text
        );
        self
    }

    /// The status of an operation without a key, which refuses a second time once it has happened.
    #[track_caller]
    pub fn done(self, status: u16) {
        let happened_before = self.is_repeat && matches!(self.status, 400 | 404 | 409 | 422);
        assert!(
            happened_before || self.status == status,
            "{}: {}",
            self.status,
            self.text
        );
    }

    pub fn str(&self, pointer: &str) -> String {
        let found = self.body.pointer(pointer).and_then(Value::as_str);
        found
            .unwrap_or_else(|| panic!("no text at {pointer} in {}", self.text))
            .to_owned()
    }
}

/// The instances, as their callers see them.
#[derive(Clone)]
pub struct Callers {
    client: Client,
    urls: Arc<Vec<String>>,
    turn: Arc<AtomicUsize>,
    failed: Arc<Mutex<Option<String>>>,
}

impl Callers {
    /// Callers who take the instances at `urls` by turns.
    pub fn of(urls: impl Iterator<Item = String>) -> Self {
        Self {
            client: Client::new(),
            urls: Arc::new(urls.collect()),
            turn: Arc::default(),
            failed: Arc::default(),
        }
    }

    /// The next instance's turn.
    fn url(&self) -> &str {
        &self.urls[self.turn.fetch_add(1, Ordering::Relaxed) % self.urls.len()]
    }

    fn fail(&self, why: String) {
        self.failed.lock().unwrap().get_or_insert(why);
    }

    /// Nobody has met a failure so far.
    #[track_caller]
    pub fn is_well(&self) {
        let failed = self.failed.lock().unwrap().clone();
        assert!(failed.is_none(), "{}", failed.unwrap_or_default());
    }

    /// One attempt; nothing where no answer came.
    async fn attempt(&self, request: RequestBuilder) -> Option<Answer> {
        let response = request.timeout(Duration::from_secs(30)).send().await.ok()?;
        let status = response.status().as_u16();
        let location = response
            .headers()
            .get("location")
            .and_then(|value| value.to_str().ok());
        let location = location.unwrap_or_default().to_owned();
        let text = response.text().await.ok()?;
        if status == 500 {
            self.fail(format!("a failure: {text}"));
        }
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        Some(Answer {
            status,
            location,
            body,
            text,
            is_repeat: false,
        })
    }

    /// Sends until the answer is more than "come back later"; `make` puts the request together anew for each attempt.
    pub async fn insist(
        &self,
        method: Method,
        path: &str,
        make: impl Fn(RequestBuilder) -> RequestBuilder,
    ) -> Answer {
        let begun = Instant::now();
        let mut is_repeat = false;
        loop {
            let request = self
                .client
                .request(method.clone(), format!("{}{path}", self.url()));
            if let Some(answer) = self.attempt(make(request)).await {
                let code = answer.body["code"].as_str().unwrap_or_default();
                let is_later =
                    matches!(answer.status, 429 | 500 | 503) || code == "idempotency_in_progress";
                if !is_later {
                    return Answer {
                        is_repeat,
                        ..answer
                    };
                }
                is_repeat |= code == "database_unavailable";
            } else {
                is_repeat = true;
            }
            assert!(
                begun.elapsed() < INSISTS,
                "{method} {path} is never answered"
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    pub async fn get(&self, path: &str, token: Option<&str>) -> Answer {
        self.insist(Method::GET, path, |request| sent_by(request, token))
            .await
    }

    pub async fn post(
        &self,
        path: &str,
        token: Option<&str>,
        key: Option<&str>,
        body: &Value,
    ) -> Answer {
        self.insist(Method::POST, path, |request| {
            let request = sent_by(request, token);
            let request = match key {
                Some(key) => request.header("idempotency-key", key),
                None => request,
            };
            match body {
                Value::Null => request,
                body => request.json(body),
            }
        })
        .await
    }

    pub async fn sign_in(&self, email: &str, password: &str) -> String {
        let body = json!({ "email": email, "password": password });
        let signed_in = self.post("/v1/sessions", None, None, &body).await;
        signed_in.expect(&[201]).str("/access_token")
    }
}

fn sent_by(request: RequestBuilder, token: Option<&str>) -> RequestBuilder {
    match token {
        Some(token) => request.bearer_auth(token),
        None => request,
    }
}

/// Clients at work.
pub struct Load {
    callers: Callers,
    stop: Arc<AtomicBool>,
    clients: JoinSet<Vec<Told>>,
    reads: Mutex<JoinSet<()>>,
}

impl Load {
    /// Clients who begin one journey after the other.
    pub fn on(callers: Callers) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let mut clients = JoinSet::new();
        for client in 0..CLIENTS {
            let (callers, stop) = (callers.clone(), stop.clone());
            clients.spawn(async move {
                let mut told = Vec::new();
                while !stop.load(Ordering::Acquire) {
                    told.push(journey::run(&callers, client, told.len()).await);
                }
                told
            });
        }
        Self {
            callers,
            stop,
            clients,
            reads: Mutex::default(),
        }
    }

    /// Reads from each instance all the time, and holds how soon a read is refused.
    pub fn watch_reads(&self) {
        let mut reads = self.reads.lock().unwrap();
        for url in self.callers.urls.iter() {
            let url = format!("{url}/v1/models?limit=5");
            let (callers, stop) = (self.callers.clone(), self.stop.clone());
            reads.spawn(async move {
                while !stop.load(Ordering::Acquire) {
                    let begun = Instant::now();
                    let request = callers.client.get(&url);
                    let answer = callers.attempt(request).await;
                    let taken = begun.elapsed();
                    match answer.map(|answer| answer.status) {
                        Some(503) if taken > crate::slack(REFUSED) => {
                            callers.fail(format!("a read was refused after {taken:?}"));
                        }
                        None | Some(200 | 429 | 500 | 503) => {}
                        Some(other) => callers.fail(format!("a read was answered {other}")),
                    }
                    tokio::time::sleep(Duration::from_millis(25)).await;
                }
            });
        }
    }

    /// Nobody has met a failure so far.
    #[track_caller]
    pub fn is_well(&self) {
        self.callers.is_well();
    }

    /// Lets every client finish its journey; what all of them were told.
    pub async fn end(self) -> Vec<Told> {
        self.stop.store(true, Ordering::Release);
        let reads = std::mem::take(&mut *self.reads.lock().unwrap());
        reads.join_all().await;
        let callers = self.callers.clone();
        let told = self
            .clients
            .join_all()
            .await
            .into_iter()
            .flatten()
            .collect();
        callers.is_well();
        told
    }
}
