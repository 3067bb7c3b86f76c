//! PostgreSQL that goes away and comes back, behind a proxy: what is refused meanwhile and how soon, and that nobody is told of a failure.

use std::sync::Arc;
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::json;

use crate::proxy::{End, Proxy, Weather, server_of};
use crate::support::{Database, Sending, TestApp, Token, registration_by};

/// A service whose database is behind a proxy, where the database is PostgreSQL.
async fn behind_proxy() -> Option<(Arc<TestApp>, Proxy)> {
    let database = Database::seeded().await;
    if !database.is_shared() {
        return None;
    }
    let proxy = Proxy::before(server_of(&database.url()));
    let url = proxy.url(&database.url());
    let app = TestApp::on(database, &[("DATABASE_URL", &url)]).await;
    Some((Arc::new(app), proxy))
}

/// How long it took to refuse a read, at best: the machine is shared.
async fn refused_within(app: &TestApp, path: &str, token: &Token) -> Duration {
    let mut best = Duration::MAX;
    for _ in 0..3 {
        let begun = Instant::now();
        let refused = app.get(path, token).await;
        best = best.min(begun.elapsed());
        assert_eq!(refused.status, 503, "{}", refused.text);
        assert!(!refused.header("retry-after").is_empty());
    }
    best
}

async fn becomes_ready(app: &TestApp) -> Duration {
    let begun = Instant::now();
    while app.get("/readyz", &Token::default()).await.status != 200 {
        assert!(begun.elapsed() < Duration::from_secs(30), "it stays away");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    begun.elapsed()
}

/// What a read may take to be refused: the patience, and room for a busy machine. Waiting twice would be 4 s.
const SOON: Duration = Duration::from_millis(3500);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_is_refused_soon_while_nobody_listens() {
    let Some((app, proxy)) = behind_proxy().await else {
        return;
    };
    let (account, token) = app.applicant(json!({})).await;
    proxy.set(Weather::Refuse);
    proxy.end_all(End::Reset);
    assert!(refused_within(&app, &account, &token).await < SOON);
    let refused = app.get(&account, &token).await;
    refused.problem(503, "database_unavailable");
    let body = registration_by("nobody-listens@away.example");
    let refused = app.post("/v1/accounts", &Token::default(), body).await;
    refused.problem(503, "database_unavailable");
    // Whether the process lives is told to whoever sends what; what no token looks like is not looked up.
    app.get("/healthz", &token).await.expect(200);
    let made_up = Token(Some("cpa_made-up".to_owned()));
    let refused = app.get(&account, &made_up).await;
    refused.problem(401, "unauthenticated");
    proxy.set(Weather::Forward);
    becomes_ready(&app).await;
    app.get(&account, &token).await.expect(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_is_refused_soon_while_the_database_says_nothing() {
    let Some((app, proxy)) = behind_proxy().await else {
        return;
    };
    let (account, token) = app.applicant(json!({})).await;
    proxy.set(Weather::Stall);
    // More of them than there are connections: the first ones begin, the others wait.
    let reads = (0..12).map(|_| refused_within(&app, &account, &token));
    for taken in futures_util::future::join_all(reads).await {
        assert!(taken < SOON, "{taken:?}");
    }
    proxy.set(Weather::Forward);
    becomes_ready(&app).await;
    app.get(&account, &token).await.expect(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_read_and_no_write_fails_where_connections_break() {
    let Some((app, proxy)) = behind_proxy().await else {
        return;
    };
    let (account, token) = app.applicant(json!({})).await;
    for round in 0..20 {
        let reads = (0..8).map(|_| app.get(&account, &token));
        let writes = (0..4).map(|n| {
            app.request(Method::POST, "/v1/accounts")
                .header("idempotency-key", format!("broken-{round}-{n}"))
                .json(&registration_by(&format!(
                    "broken-{round}-{n}@away.example"
                )))
                .answer()
        });
        // Idle connections break before anybody uses them, busy ones in the middle of it.
        let end = if round % 2 == 0 { End::Cut } else { End::Reset };
        proxy.end_all(end);
        let breaks_again = async {
            tokio::time::sleep(Duration::from_millis(round * 3)).await;
            proxy.end_all(end);
        };
        let (reads, writes, ()) = tokio::join!(
            futures_util::future::join_all(reads),
            futures_util::future::join_all(writes),
            breaks_again
        );
        for answer in reads.into_iter().chain(writes) {
            match answer.status {
                200 | 201 => {}
                _ => drop(answer.problem(503, "database_unavailable")),
            }
        }
    }
    becomes_ready(&app).await;
    app.get(&account, &token).await.expect(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reads_go_on_where_every_idle_connection_has_broken() {
    let Some((app, proxy)) = behind_proxy().await else {
        return;
    };
    let (account, token) = app.applicant(json!({})).await;
    for _ in 0..10 {
        let all = (0..8).map(|_| app.get(&account, &token));
        futures_util::future::join_all(all).await;
        proxy.end_all(End::Cut);
        tokio::time::sleep(Duration::from_millis(20)).await;
        let all = (0..8).map(|_| app.get(&account, &token));
        for answer in futures_util::future::join_all(all).await {
            answer.expect(200);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn backends_that_an_administrator_ends_are_no_failure() {
    let database = Database::seeded().await;
    if !database.is_shared() {
        return;
    }
    // A database of its own, so that only its backends are ended.
    let name = format!("ended_{}", uuid::Uuid::new_v4().simple());
    database.execute(&format!("CREATE DATABASE {name}"));
    let server = server_of(&database.url());
    let url = format!("postgres://postgres@{server}/{name}");
    let app = TestApp::on(database.clone(), &[("DATABASE_URL", &url)]).await;
    let (account, token) = app.applicant(json!({})).await;
    let nobody = Token::default();
    for round in 0..10 {
        let reads = (0..8).map(|_| app.get(&account, &token));
        let body = registration_by(&format!("ended-{round}@away.example"));
        let write = app.post("/v1/accounts", &nobody, body);
        let ends = async {
            database.execute(&format!(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
            ));
        };
        let (reads, write, ()) = tokio::join!(futures_util::future::join_all(reads), write, ends);
        for answer in reads.into_iter().chain([write]) {
            match answer.status {
                200 | 201 => {}
                _ => drop(answer.problem(503, "database_unavailable")),
            }
        }
    }
    becomes_ready(&app).await;
    app.stop().await;
    database.execute(&format!("DROP DATABASE {name} WITH (FORCE)"));
}
