//! What is over is forgotten, however much there is of it, and nobody waits for that.

use std::time::{Duration, Instant};

use chrono::TimeDelta;
use cps_api::repository::Kind;
use reqwest::Method;
use serde_json::json;

use crate::raw::Raw;
use crate::support::{Database, Sending, TestApp, Token, registration};

/// A random id, and `n` from 1 to 200,000.
fn many(kind: Kind) -> (&'static str, &'static str) {
    match kind {
        Kind::Postgres => ("gen_random_uuid()", "generate_series(1, 200000) AS n"),
        Kind::Sqlite => (
            "printf('%08x-0000-7000-8000-%012x', n, n)",
            "(WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 200000) SELECT n FROM c)",
        ),
    }
}

const OLD: &str = "'2020-01-01T00:00:00.000000Z'";

/// 200,000 each of mails that were sent, jobs that are done and answers to keys, all long over.
fn fill(raw: &mut Raw) {
    let (id, rows) = many(raw.kind());
    for statement in [
        format!(
            "INSERT INTO mails (id, to_address, to_key, template, language, created_at, sent_at)
             SELECT {id}, 'old@nordlys-test.example', 'old@nordlys-test.example', 'password_reset', 'da', {OLD}, {OLD} FROM {rows}"
        ),
        format!(
            "INSERT INTO jobs (id, kind, key, payload, state, run_at, attempts, created_at, finished_at, queue)
             SELECT {id}, 'send_mail', 'old:' || n, '{{}}', 'done', {OLD}, 1, {OLD}, {OLD}, 'mail' FROM {rows}"
        ),
        format!(
            "INSERT INTO idempotency_keys (scope, request_hash, answer, created_at)
             SELECT 'old:' || n, 'hash', '{{}}', {OLD} FROM {rows}"
        ),
    ] {
        assert_eq!(raw.run(&statement).unwrap(), 200_000);
    }
    // What was never sent waits, and what is dead too.
    for statement in [
        "UPDATE mails SET sent_at = NULL, sealed = 'sealed' WHERE id = (SELECT MIN(CAST(id AS TEXT)) FROM mails WHERE to_key LIKE 'old%')",
        "UPDATE jobs SET state = 'dead' WHERE key = 'old:1'",
    ] {
        let statement = match raw.kind() {
            Kind::Sqlite => statement.to_owned(),
            Kind::Postgres => statement.replace(
                "(SELECT MIN(CAST(id AS TEXT))",
                "(SELECT MIN(CAST(id AS TEXT))::uuid",
            ),
        };
        assert_eq!(raw.run(&statement).unwrap(), 1);
    }
}

fn count(raw: &mut Raw, what: &str) -> i64 {
    let lines = raw.lines(&format!(
        "SELECT CAST(COUNT(*) AS TEXT) AS line FROM {what}"
    ));
    lines[0].parse().unwrap()
}

/// How long reads of one of the tables that are swept took, one after the other, until told to stop.
async fn read_until(app: &TestApp, mut stop: tokio::sync::watch::Receiver<bool>) -> Vec<Duration> {
    let mut took = Vec::new();
    while !*stop.borrow_and_update() {
        let begun = Instant::now();
        let mailbox = "/v1/sandbox/mailbox?to=mette@fjordfoto.example";
        app.get(mailbox, &Token::default()).await.expect(200);
        took.push(begun.elapsed());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    took.sort();
    took
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn six_hundred_thousand_rows_are_gone_within_the_hour_and_readers_notice_nothing() {
    let database = Database::seeded().await;
    let app = TestApp::on(database.clone(), &[]).await;
    let mut raw = Raw::open(&database);
    // PostgreSQL, which looks at its tables by itself, thinks that nothing is old.
    if raw.kind() == Kind::Postgres {
        raw.run("ANALYZE").unwrap();
    }
    fill(&mut raw);
    let (tell, stop) = tokio::sync::watch::channel(false);
    let begun = Instant::now();
    let hour = async {
        app.advance(TimeDelta::hours(1)).await;
        tell.send(true).unwrap();
        begun.elapsed()
    };
    let (hour, took) = tokio::join!(hour, read_until(&app, stop));
    let (median, slow) = (took[took.len() / 2], took[took.len() * 99 / 100]);
    println!(
        "swept in {hour:?}; {} reads, median {median:?}, p99 {slow:?}",
        took.len()
    );
    assert_eq!(count(&mut raw, "mails WHERE to_key LIKE 'old%'"), 1);
    assert_eq!(count(&mut raw, "jobs WHERE key LIKE 'old:%'"), 1);
    assert_eq!(
        count(&mut raw, "idempotency_keys WHERE scope LIKE 'old:%'"),
        0
    );
    assert!(hour < Duration::from_secs(300), "{hour:?}");
    assert!(
        took.len() > 20 && slow < Duration::from_millis(500),
        "{slow:?}"
    );
}

/// Has a row made in every table that is swept.
async fn make_one_of_each(app: &TestApp, raw: &mut Raw) {
    let nobody = Token::default();
    // A key that is answered, and a request that is counted.
    let request = app.request(Method::POST, "/v1/accounts");
    let request = request.header("idempotency-key", "one").sent_by(&nobody);
    let registered = request.json(&registration(json!({}))).answer().await;
    let registered = registered.expect(201);
    let email = json!({ "email": "asta@nordlys-test.example" });
    let asked = app.post("/v1/applicant-links", &nobody, email).await;
    asked.expect(202);
    let wrong = json!({ "email": "nobody@cps.example", "password": "wrong" });
    app.post("/v1/sessions", &nobody, wrong).await.expect(401);
    let mette = json!({ "email": "mette@fjordfoto.example" });
    app.sign_in("mette@fjordfoto.example").await;
    app.post("/v1/password-resets", &nobody, mette)
        .await
        .expect(202);
    app.advance(TimeDelta::seconds(5)).await;
    let account = registered.header("location").rsplit('_').next().unwrap();
    let id = uuid::Uuid::parse_str(account).unwrap();
    for statement in [
        format!(
            "INSERT INTO work_items (id, kind, subject_id, due_at, opened_at, closed_at, closed_by)
             SELECT id, 'dead_job', 'job', created_at, created_at, created_at, 'service:seed' FROM accounts WHERE id = '{id}'"
        ),
        format!(
            "INSERT INTO legacy_proofs (account_id, email_key, expires_at, tries, mails, mails_since)
             SELECT id, 'asta', created_at, 0, 1, created_at FROM accounts WHERE id = '{id}'"
        ),
        "INSERT INTO event_reasons (event_id, salt, reason) SELECT id, 'salt', 'why' FROM events
         WHERE id NOT IN (SELECT event_id FROM event_reasons) LIMIT 1"
            .to_owned(),
    ] {
        assert_eq!(raw.run(&statement).unwrap(), 1, "{statement}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_grows_has_its_end() {
    let database = Database::seeded().await;
    let app = TestApp::on(database.clone(), &[]).await;
    let mut raw = Raw::open(&database);
    make_one_of_each(&app, &mut raw).await;
    let kept = app.now().await + TimeDelta::minutes(1);
    let kept = kept.format("'%Y-%m-%dT%H:%M:%S%.6fZ'");
    let of_before = [
        ("idempotency_keys", "created_at"),
        ("refresh_tokens", "created_at"),
        ("sessions", "created_at"),
        ("applicant_tokens", "created_at"),
        ("one_time_tokens", "created_at"),
        ("devices", "created_at"),
        ("sign_in_failures", "last_at"),
        ("mails", "created_at"),
        ("jobs", "finished_at"),
        ("work_items", "closed_at"),
        ("legacy_proofs", "expires_at"),
    ];
    let mut left = of_before
        .map(|(table, at)| format!("{table} WHERE {at} < {kept}"))
        .to_vec();
    left.push("request_counts".to_owned());
    left.push("event_reasons".to_owned());
    for table in &left {
        assert!(count(&mut raw, table) > 0, "{table}");
    }
    // Nothing of it is over in an hour.
    let before: Vec<i64> = left.iter().map(|table| count(&mut raw, table)).collect();
    app.advance(TimeDelta::hours(1)).await;
    for (table, before) in left.iter().zip(before) {
        assert_eq!(count(&mut raw, table), before, "{table}");
    }
    app.advance(TimeDelta::days(6 * 366)).await;
    for table in &left {
        assert_eq!(count(&mut raw, table), 0, "{table}");
    }
}
