//! The queue of jobs when things go wrong: whoever dies at work, somebody else finishes it; what fails for ever is kept and told.

use std::net::TcpListener;
use std::time::Duration;

use chrono::TimeDelta;
use cps_api::repository::Kind;
use serde_json::json;

use crate::process::{Served, Setup, free_port};
use crate::raw::{LINK_JOBS, Raw};
use crate::support::{Database, Sending, TestApp, Token, registration};

const EMAIL: &str = "asta@nordlys-test.example";

fn job() -> String {
    format!("SELECT state || ' ' || attempts AS line FROM {LINK_JOBS}")
}

/// Has a mail sent by a service.
async fn have_mail_sent(served: &Served) {
    let nobody = Token::default();
    let registered = served.post("/v1/accounts", &nobody, registration(json!({})));
    registered.await.expect(201);
    let asked = json!({ "email": EMAIL });
    let asked = served.post("/v1/applicant-links", &nobody, asked).await;
    asked.expect(202);
}

async fn becomes(raw: &mut Raw, sql: &str, wanted: &[&str]) {
    for _ in 0..600 {
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
            shift_clock(&mut raw, TimeDelta::seconds(30));
            tokio::time::sleep(Duration::from_millis(800)).await;
            assert_eq!(raw.lines(&job()), ["running 1"], "it is the first one's");
            first.kill();
            second
        }
        // The file belongs to one process: the next one comes when the first has gone.
        Kind::Sqlite => {
            first.kill();
            setup.serve()
        }
    };
    tokio::time::sleep(Duration::from_millis(800)).await;
    assert_eq!(
        raw.lines(&job()),
        ["running 1"],
        "the lease is not over yet"
    );
    shift_clock(&mut raw, TimeDelta::seconds(61));
    becomes(&mut raw, &job(), &["done 2"]).await;
    let mailbox = second.get("/v1/sandbox/mailbox").await.expect(200);
    let mails = mailbox.body["items"].as_array().unwrap().iter();
    let mails: Vec<_> = mails.filter(|mail| mail["to"] == EMAIL).collect();
    assert_eq!(mails.len(), 1);
    second.get("/readyz").await.expect(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_that_fails_twelve_times_is_dead_kept_and_told() {
    let database = Database::create();
    let nobody = format!("smtp://127.0.0.1:{}", free_port());
    let app = TestApp::on(database.clone(), &[("CPS_MAIL", &nobody)]).await;
    app.applicant(json!({})).await;
    let asked = json!({ "email": EMAIL });
    let asked = app
        .post("/v1/applicant-links", &Token::default(), asked)
        .await;
    asked.expect(202);
    let mut raw = Raw::open(&database);
    becomes(&mut raw, &job(), &["ready 1"]).await;
    let ready = app.get("/readyz", &Token::default()).await.expect(200);
    assert_eq!(ready.body["dead_jobs"], 0);
    // Two seconds, doubling, eleven times: a little over an hour, and a quarter more at most.
    app.advance(TimeDelta::hours(2)).await;
    assert_eq!(raw.lines(&job()), ["dead 12"]);
    let told = app.get("/readyz", &Token::default()).await.expect(200);
    let dead = raw.lines("SELECT kind AS line FROM jobs WHERE state = 'dead'");
    assert_eq!(told.body["dead_jobs"], dead.len());
    // Nobody sweeps it away.
    app.advance(TimeDelta::days(35)).await;
    assert_eq!(raw.lines(&job()), ["dead 12"]);
    let sealed = raw.lines("SELECT template AS line FROM mails WHERE sealed IS NOT NULL");
    assert!(
        sealed.contains(&"applicant_link".to_owned()),
        "nothing of it is lost: {sealed:?}"
    );
    app.request(reqwest::Method::GET, "/readyz")
        .answer()
        .await
        .expect(200);
}
