//! The queue of jobs when things go wrong: whoever dies at work, somebody else finishes it; a queue that stands still holds up no other.

use std::net::TcpListener;
use std::time::Duration;

use chrono::TimeDelta;
use cps_api::repository::{Kind, jobs};
use cps_api::types::Instant;
use diesel::migration::Migration;
use diesel_migrations::{FileBasedMigrations, MigrationHarness};
use serde_json::json;

use crate::process::{Served, Setup, free_port};
use crate::raw::{LINK_JOBS, Raw};
use crate::schema::migrations;
use crate::support::{Database, TestApp, Token, registration};

const EMAIL: &str = "asta@nordlys-test.example";

fn job() -> String {
    format!("SELECT state || ' ' || attempts AS line FROM {LINK_JOBS}")
}

/// Has a mail sent by a service.
async fn have_mail_sent(served: &Served) {
    let nobody = Token::default();
    let registered = served.post("/v1/accounts", &nobody, registration(json!({})));
    registered.await.expect(201);
}

async fn becomes(raw: &mut Raw, sql: &str, wanted: &[&str]) {
    for _ in 0..1600 {
        if raw.lines(sql) == wanted {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("{:?}, never {wanted:?}", raw.lines(sql));
}

/// Moves the clock that all instances share, without waiting for what falls due.
fn shift_clock(raw: &mut Raw, by: TimeDelta) {
    let name = "clock_offset_micros";
    let known = raw.lines(&format!(
        "SELECT value AS line FROM settings WHERE name = '{name}'"
    ));
    let offset: i64 = known.first().map_or(0, |text| text.parse().unwrap());
    let offset = offset + by.num_microseconds().unwrap();
    let sql = format!(
        "INSERT INTO settings (name, value) VALUES ('{name}', '{offset}')
         ON CONFLICT (name) DO UPDATE SET value = excluded.value"
    );
    raw.run(&sql).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_whose_worker_was_killed_is_taken_over_when_its_lease_is_over() {
    let database = Database::create();
    // A mail server that takes the call and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("smtp://{}", silent.local_addr().unwrap());
    let setup = Setup::on(&database);
    let mut seeding = setup.serve();
    let mut raw = Raw::open(&database);
    let open = "SELECT kind AS line FROM jobs WHERE state <> 'done' AND kind = 'send_mail'";
    becomes(&mut raw, open, &[]).await;
    seeding.terminate();
    assert!(seeding.end().success());
    let mut first = setup.clone().with("CPS_MAIL", &url).serve();
    have_mail_sent(&first).await;
    becomes(&mut raw, &job(), &["running 1"]).await;
    let second = match raw.kind() {
        Kind::Postgres => {
            let second = setup.serve();
            shift_clock(&mut raw, TimeDelta::days(1));
            tokio::time::sleep(Duration::from_millis(800)).await;
            assert_eq!(raw.lines(&job()), ["running 1"], "it is the first one's");
            first.kill();
            second
        }
        // The file belongs to one process: the next one comes when the first has gone.
        Kind::Sqlite => {
            first.kill();
            shift_clock(&mut raw, TimeDelta::days(1));
            setup.serve()
        }
    };
    tokio::time::sleep(Duration::from_millis(800)).await;
    assert_eq!(
        raw.lines(&job()),
        ["running 1"],
        "the lease is not over yet: it goes by real time"
    );
    // As if a minute had gone by.
    let past = "UPDATE jobs SET leased_until = created_at WHERE state = 'running'";
    assert!(raw.run(past).unwrap() >= 1);
    becomes(&mut raw, &job(), &["done 2"]).await;
    let mailbox = second.get("/v1/sandbox/mailbox").await.expect(200);
    let mails = mailbox.body["items"].as_array().unwrap().iter();
    let mails: Vec<_> = mails.filter(|mail| mail["to"] == EMAIL).collect();
    assert_eq!(mails.len(), 1);
    second.get("/readyz").await.expect(200);
}

/// A sandbox whose mails go to a server that takes the call and says nothing, and the listener that this server is.
async fn silent_app(database: &Database) -> (TestApp, TcpListener) {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("smtp://{}", silent.local_addr().unwrap());
    let app = TestApp::on(database.clone(), &[("CPS_MAIL", &url)]).await;
    (app, silent)
}

/// Has `n` mails made, to as many addresses.
async fn make_mails(app: &TestApp, n: usize) {
    for nth in 0..n {
        let email = format!("asta{nth}@nordlys-test.example");
        app.applicant(json!({ "contact": { "email": email } }))
            .await;
        let asked = json!({ "email": email });
        let asked = app
            .post("/v1/applicant-links", &Token::default(), asked)
            .await;
        asked.expect(202);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mail_server_that_hangs_holds_up_nothing_but_mails() {
    let database = Database::seeded().await;
    let (app, _silent) = silent_app(&database).await;
    make_mails(&app, 6).await;
    let mut raw = Raw::open(&database);
    let at_work = "SELECT state || ' ' || attempts AS line FROM jobs WHERE queue = 'mail' AND state = 'running'";
    becomes(&mut raw, at_work, &["running 1"; 4]).await;
    // Four mails wait for the server's first word; what has to be done by the rules is done meanwhile.
    make_mails(&app, 4).await;
    let open = "SELECT kind AS line FROM jobs WHERE queue = 'rules' AND state <> 'done' AND kind NOT IN ('expire_draft', 'watch_review', 'expire_offers', 'remind_offers')";
    becomes(&mut raw, open, &[]).await;
    let late = match raw.kind() {
        Kind::Postgres => "finished_at - run_at > interval '8 seconds'",
        Kind::Sqlite => "julianday(finished_at) - julianday(run_at) > 8.0 / 86400",
    };
    let late = format!(
        "SELECT kind AS line FROM jobs WHERE queue = 'rules' AND state = 'done' AND {late}"
    );
    assert_eq!(raw.lines(&late), Vec::<String>::new());
    app.get("/readyz", &Token::default()).await.expect(200);
    // After 20 seconds they are cut off and tried again later.
    let cut = "SELECT error_class AS line FROM jobs WHERE queue = 'mail' AND error_class IS NOT NULL LIMIT 4";
    becomes(&mut raw, cut, &["timeout"; 4]).await;
    let text = "SELECT kind AS line FROM jobs WHERE state = 'dead'";
    assert_eq!(raw.lines(text), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_that_never_lets_its_instance_live_dies_at_last() {
    let database = Database::seeded().await;
    let app = TestApp::on(database.clone(), &[]).await;
    app.applicant(json!({})).await;
    let mut raw = Raw::open(&database);
    // Begun a hundred times, and never was there anybody to write down how it ended.
    let draft = "kind = 'expire_draft'";
    let worn = format!(
        "UPDATE jobs SET attempts = 100, tried_since = '2020-01-01T00:00:00.000000Z' WHERE {draft}"
    );
    assert!(raw.run(&worn).unwrap() > 0);
    app.advance(TimeDelta::days(31)).await;
    let state =
        format!("SELECT state || ' ' || error_class AS line FROM jobs WHERE {draft} LIMIT 1");
    assert_eq!(raw.lines(&state), ["dead crashed"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_whose_instances_died_often_within_hours_is_still_done() {
    let database = Database::seeded().await;
    let app = TestApp::on(database.clone(), &[]).await;
    app.applicant(json!({})).await;
    let mut raw = Raw::open(&database);
    let draft = "kind = 'expire_draft'";
    let worn = format!("UPDATE jobs SET attempts = 100 WHERE {draft}");
    assert!(raw.run(&worn).unwrap() > 0);
    app.advance(TimeDelta::days(31)).await;
    let state = format!("SELECT DISTINCT state AS line FROM jobs WHERE {draft}");
    assert_eq!(raw.lines(&state), ["done"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_that_took_several_instances_with_it_waits_longer_each_time() {
    let database = Database::seeded().await;
    let app = TestApp::on(database.clone(), &[]).await;
    let (account, _) = app.applicant(json!({})).await;
    let database = app.stop().await;
    let mut raw = Raw::open(&database);
    let drafts = "kind = 'expire_draft'";
    let lost = |attempts: u32| {
        format!(
            "UPDATE jobs SET state = 'running', attempts = {attempts}, lease = 'lost', run_at = '2026-01-01T00:00:00.000000Z',
                leased_until = '2026-01-01T00:00:00.000000Z' WHERE {drafts}"
        )
    };
    let seconds = match raw.kind() {
        Kind::Postgres => "EXTRACT(EPOCH FROM run_at)::bigint::text",
        Kind::Sqlite => "strftime('%s', run_at)",
    };
    let run_at = format!("SELECT DISTINCT {seconds} AS line FROM jobs WHERE {drafts}");
    let now: Instant = "2026-06-01T10:00:00Z".parse().unwrap();
    let mut waits = Vec::new();
    for attempts in [1, 3, 4, 5, 11, 12, 100] {
        assert_eq!(raw.run(&lost(attempts)).unwrap(), 1, "{account}");
        jobs::return_expired(&mut raw.0, now).unwrap();
        let at: i64 = raw.lines(&run_at)[0].parse().unwrap();
        waits.push(at - now.utc().timestamp());
    }
    assert_eq!(waits[2..], [16, 32, 2048, 3600, 3600]);
    assert!(waits[..2].iter().all(|wait| *wait < 0), "{waits:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_done_is_swept_after_a_week_however_much_there_is_of_it() {
    let database = Database::seeded().await;
    let app = TestApp::on(database.clone(), &[]).await;
    let mut raw = Raw::open(&database);
    let (id, rows) = match raw.kind() {
        Kind::Postgres => ("gen_random_uuid()", "generate_series(1, 3500) AS n"),
        Kind::Sqlite => (
            "lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-8' || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6)))",
            "(WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 3500) SELECT n FROM c)",
        ),
    };
    let fill = format!(
        "INSERT INTO jobs (id, kind, key, payload, state, run_at, attempts, created_at, finished_at, queue)
         SELECT {id}, 'answer_reset', 'old:' || n, '{{}}', 'done', '2020-01-01T00:00:00.000000Z', 1, '2020-01-01T00:00:00.000000Z', '2020-01-01T00:00:00.000000Z', 'rules'
         FROM {rows}"
    );
    assert_eq!(raw.run(&fill).unwrap(), 3500);
    raw.run("UPDATE jobs SET state = 'dead' WHERE key = 'old:1'")
        .unwrap();
    app.advance(TimeDelta::days(1)).await;
    let left = "SELECT key AS line FROM jobs WHERE key LIKE 'old:%'";
    assert_eq!(raw.lines(left), ["old:1"], "what is dead stays");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_is_measured_queue_by_queue() {
    let database = Database::create();
    let shipped = "stranger_mails = 10000";
    let programme = include_str!("../../programme.toml");
    assert!(programme.contains(shipped));
    let programme = programme.replace(shipped, "stranger_mails = 1");
    let programme = database.file("programme.toml", &programme);
    let bind = format!("127.0.0.1:{}", free_port());
    let served = Setup::on(&database)
        .with("CPS_METRICS_BIND", &bind)
        .with("CPS_PROGRAMME", &programme)
        .with("CPS_MAIL", &format!("smtp://127.0.0.1:{}", free_port()))
        .serve();
    let metrics = format!("http://{bind}/metrics");
    let first = reqwest::get(&metrics).await.unwrap().text().await.unwrap();
    assert!(first.contains("mails_withheld_total 0\n"), "{first}");
    have_mail_sent(&served).await;
    have_mail_sent(&served).await;
    let wanted = [
        "jobs_oldest_failing_seconds{queue=\"mail\"}",
        "jobs_oldest_due_seconds{queue=\"rules\"}",
        "jobs_oldest_due_seconds{queue=\"mail\"}",
        "jobs_dead{queue=\"files\"} 0",
        "jobs_dead{queue=\"housekeeping\"} 0",
        "jobs_total{kind=\"send_mail\",outcome=\"failed\"}",
        "jobs_total{kind=\"keep_house\",outcome=\"done\"} 1",
    ];
    let is_withheld = |told: &str| {
        told.contains("mails_withheld_total ") && !told.contains("mails_withheld_total 0\n")
    };
    let mut told = String::new();
    for _ in 0..800 {
        let asked = reqwest::get(&metrics).await.unwrap();
        told = asked.text().await.unwrap();
        if wanted.iter().all(|line| told.contains(line)) && is_withheld(&told) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("{told}");
}

/// Runs the migrations that come before the queues by kind; whether those are among them, they wait.
fn migrate_to_before(raw: &mut Raw) {
    let folder = migrations(raw.kind());
    let source = FileBasedMigrations::from_path(folder).unwrap();
    cps_api::each!(&mut raw.0, c => {
        for one in c.pending_migrations(source).unwrap() {
            if one.name().to_string().ends_with("_queue") {
                break;
            }
            c.run_migration(&*one).unwrap();
        }
    });
}

#[test]
fn the_jobs_of_the_version_before_find_their_queues() {
    let database = Database::create();
    let mut raw = Raw::open(&database);
    migrate_to_before(&mut raw);
    let known = [
        ("send_mail", "mail"),
        ("answer_reset", "rules"),
        ("expire_draft", "rules"),
        ("issue_invoice", "rules"),
        ("delete_file", "files"),
        ("delete_application_files", "files"),
        ("keep_house", "housekeeping"),
    ];
    for (n, (kind, _)) in known.iter().enumerate() {
        for (m, state) in ["ready", "running", "done", "dead"].iter().enumerate() {
            let id = format!("00000000-0000-7000-8000-0000000000{n}{m}");
            let at = "'2026-01-01T00:00:00.000000Z'";
            let far = "'2036-01-01T00:00:00.000000Z'";
            let row = format!(
                "INSERT INTO jobs (id, kind, key, payload, state, run_at, attempts, lease, leased_until, created_at)
                 VALUES ('{id}', '{kind}', '{kind}:{state}', '{{}}', '{state}', {at}, 1, 'a', {far}, {at})"
            );
            assert_eq!(raw.run(&row).unwrap(), 1);
        }
    }
    Raw::migrated(&database);
    for (kind, queue) in known {
        let rows = format!(
            "SELECT queue || ' ' || state AS line FROM jobs WHERE kind = '{kind}' ORDER BY id"
        );
        // Whoever held one is gone; housekeeping is planned anew.
        let states: &[&str] = match kind {
            "keep_house" => &["done"],
            _ => &["ready", "ready", "done", "dead"],
        };
        let wanted: Vec<String> = states
            .iter()
            .map(|state| format!("{queue} {state}"))
            .collect();
        assert_eq!(raw.lines(&rows), wanted, "{kind}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kind_that_only_a_later_version_knows_is_left_for_it() {
    let database = Database::seeded().await;
    let app = TestApp::on(database.clone(), &[]).await;
    let mut raw = Raw::open(&database);
    let at = "'2026-01-01T00:00:00.000000Z'";
    let row = format!(
        "INSERT INTO jobs (id, kind, key, payload, state, run_at, attempts, created_at, queue)
         VALUES ('00000000-0000-7000-8000-000000000001', 'run_batch', 'run_batch:1', '{{\"task\":\"run_batch\"}}', 'ready', {at}, 0, {at}, 'rules')"
    );
    assert_eq!(raw.run(&row).unwrap(), 1);
    let failed = "SELECT state || ' ' || error_class AS line FROM jobs WHERE kind = 'run_batch' AND attempts > 0 AND error_class IS NOT NULL AND state = 'ready'";
    becomes(&mut raw, failed, &["ready internal"]).await;
    // The others of its queue are done, and it is listed beside them.
    app.applicant(json!({})).await;
    let done = "SELECT state AS line FROM jobs WHERE kind = 'tell_known_address' AND state = 'done' LIMIT 1";
    becomes(&mut raw, done, &["done"]).await;
    let admin = app.sign_in("admin@cps.example").await;
    let listed = app.get("/v1/jobs?queue=rules", &admin).await.expect(200);
    assert!(listed.text.contains("run_batch"), "{}", listed.text);
}
