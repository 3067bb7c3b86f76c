//! Mails that leave the house, to a real mail server: what arrives, and what happens while it does not take them.

use std::sync::atomic::Ordering;
use std::time::Duration;

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::process::free_port;
use crate::raw::{LINK_JOBS, Raw};
use crate::smtp::{Sink, silent_at_goodbye};
use crate::support::{Database, TestApp, Token};

pub const TO: &str = "aase@nordlys-test.example";

/// What came to Åse, refused or not; waits until there are `n`.
pub async fn attempts(sink: &Sink, n: usize) -> Vec<Value> {
    for _ in 0..400 {
        let mut found = sink.mails();
        found.retain(|mail| mail["envelope_to"] == json!([TO]));
        if found.len() >= n {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("fewer than {n} attempts");
}

/// A sandbox whose mails leave by `url`.
pub async fn app(database: &Database, url: &str) -> TestApp {
    let variables = [
        ("CPS_MAIL", url),
        ("CPS_MAIL_FROM", "donotreply@cps.example"),
        ("CPS_FRONTEND_URL", "https://cps.example"),
    ];
    TestApp::on(database.clone(), &variables).await
}

/// Has one mail sent, in Danish.
pub async fn write_to_aase(app: &TestApp) {
    let contact = json!({ "name": "Åse Ærø-Østergård", "email": TO });
    app.applicant(json!({ "contact": contact })).await;
}

/// State, attempts, last error and next time of the job that sends Åse's mail.
fn job(raw: &mut Raw) -> (String, i64, String, String) {
    let mut lines = jobs(raw);
    assert_eq!(lines.len(), 1, "{lines:?}");
    let line = lines.remove(0);
    let parts: Vec<&str> = line.split('|').collect();
    (
        parts[0].to_owned(),
        parts[1].parse().unwrap(),
        parts[2].to_owned(),
        parts[3].to_owned(),
    )
}

fn jobs(raw: &mut Raw) -> Vec<String> {
    raw.lines(&format!(
        "SELECT state || '|' || attempts || '|' || COALESCE(last_error, '') || '|' || CAST(run_at AS TEXT) AS line
         FROM {LINK_JOBS}"
    ))
}

/// Waits until the job is in a state after so many attempts, or more where the machine is so slow that time brings one by itself.
async fn job_becomes(raw: &mut Raw, state: &str, attempts: i64) {
    for _ in 0..400 {
        if jobs(raw).len() == 1 {
            let (now, made, ..) = job(raw);
            if now == state && made >= attempts {
                return;
            }
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("{:?}, never {state} after {attempts}", jobs(raw));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mail_arrives_as_it_was_written() {
    let (sink, database) = (Sink::start(), Database::create());
    let app = app(&database, &sink.url()).await;
    write_to_aase(&app).await;
    let mail = attempts(&sink, 1).await.remove(0);
    let header = |name: &str| mail["headers"][name].as_str().unwrap_or_default();
    assert_eq!(mail["envelope_from"], "donotreply@cps.example");
    assert_eq!(mail["envelope_to"], json!([TO]));
    assert_eq!(header("from"), "donotreply@cps.example");
    assert_eq!(header("to"), TO);
    assert!(!header("date").is_empty());
    let subject = header("subject");
    assert!(subject.contains("ansøgning"), "{subject}");
    let text = mail["text"].as_str().unwrap();
    assert!(
        text.contains("påbegyndt en ansøgning") && !text.contains("Åse"),
        "{text}"
    );
    let link = text
        .split_whitespace()
        .find(|word| word.contains("#token="));
    let link = link.unwrap();
    assert!(link.starts_with("https://cps.example/"), "{link}");
    let (_, token) = link.split_once("#token=").unwrap();
    app.get("/v1/me", &Token(Some(token.to_owned())))
        .await
        .expect(200);
    assert!(header("content-type").to_lowercase().contains("utf-8"));
    assert!(mail["raw"].as_str().unwrap().is_ascii());
    let id = header("message-id");
    assert!(
        id.starts_with("<mai_") && id.ends_with("@cps.example>"),
        "{id}"
    );
    let mut raw = Raw::open(&database);
    job_becomes(&mut raw, "done", 1).await;
    // What has left the house is kept no longer.
    let kept = "SELECT template AS line FROM mails WHERE sealed IS NOT NULL AND template = 'application_started'";
    let kept = raw.lines(kept);
    assert_eq!(kept, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_a_note_says_arrives_as_it_was_written() {
    let (sink, database) = (Sink::start(), Database::create());
    let app = app(&database, &sink.url()).await;
    let odd = r#"Ærø {{ 7 * 7 }} "A&B" <b>שלום</b> 👩"#;
    let contact = json!({ "name": odd, "email": TO });
    let change = json!({ "contact": contact, "company_name": odd });
    let (account, applicant) = app.applicant(change).await;
    let pdf = b"%PDF-1.4 a certificate";
    let uploaded = app.upload(&account, &applicant, "vat_invoice", pdf).await;
    uploaded.expect(201);
    let submitted = app.act(&format!("{account}/submission"), &applicant).await;
    submitted.expect(200);
    let reviewer = app.sign_in("reviewer@cps.example").await;
    let case = account.replace("/accounts/", "/reviews/");
    let claimed = app.act(&format!("{case}/claim"), &reviewer).await;
    claimed.expect(200);
    // A line that ends a mail by itself, one that begins one in a mailbox file, and one longer than a mail's lines may be.
    let note = format!(".\n\nFrom here on\n..\n> {odd}\n{}", "lang ".repeat(250));
    let note = note.trim_end();
    let ask = json!({ "decision": "request_information", "note": note });
    let asked = app.post(&format!("{case}/decision"), &reviewer, ask).await;
    asked.expect(200);
    // Mails of one moment leave the house in any order.
    let sent = attempts(&sink, 3).await;
    let is_asked = |mail: &&Value| mail["text"].as_str().unwrap().contains("From here on");
    let asked = sent.iter().find(is_asked).unwrap();
    let text = asked["text"].as_str().unwrap().replace("\r\n", "\n");
    assert!(text.contains(note), "{text}");
    let raw = asked["raw"].as_str().unwrap();
    assert!(raw.is_ascii() && raw.lines().all(|line| line.len() <= 998));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mail_server_that_is_busy_is_asked_again_with_the_same_mail() {
    let (sink, database) = (Sink::start(), Database::create());
    std::fs::write(sink.refuse(), "451 4.3.0 try again later").unwrap();
    let app = app(&database, &sink.url()).await;
    write_to_aase(&app).await;
    let mut raw = Raw::open(&database);
    job_becomes(&mut raw, "ready", 1).await;
    let (_, _, why, _) = job(&mut raw);
    assert!(why.contains("try again later"), "{why}");
    app.advance(TimeDelta::seconds(13)).await;
    job_becomes(&mut raw, "ready", 2).await;
    std::fs::remove_file(sink.refuse()).unwrap();
    app.advance(TimeDelta::seconds(75)).await;
    job_becomes(&mut raw, "done", 3).await;
    let attempts = attempts(&sink, 3).await;
    let (last, before) = attempts.split_last().unwrap();
    assert!(before.iter().all(|one| one["refused"] == true));
    assert_eq!(last["refused"], false);
    let mut same: Vec<_> = attempts
        .iter()
        .map(|one| (&one["headers"]["message-id"], &one["text"]))
        .collect();
    same.dedup();
    assert_eq!(same.len(), 1, "each attempt is the same mail");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mail_server_that_is_away_loses_nothing() {
    let (port, database) = (free_port(), Database::create());
    let app = app(&database, &format!("smtp://127.0.0.1:{port}")).await;
    write_to_aase(&app).await;
    let mut raw = Raw::open(&database);
    job_becomes(&mut raw, "ready", 1).await;
    let waits = |raw: &mut Raw| job(raw).3;
    let first = waits(&mut raw);
    app.advance(TimeDelta::seconds(13)).await;
    job_becomes(&mut raw, "ready", 2).await;
    assert!(waits(&mut raw) > first, "it waits for longer");
    app.get("/readyz", &Token::default()).await.expect(200);
    let sink = Sink::start_at(port);
    app.advance(TimeDelta::seconds(75)).await;
    job_becomes(&mut raw, "done", 3).await;
    assert_eq!(attempts(&sink, 1).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mail_that_was_taken_is_sent_whatever_the_server_says_then() {
    let database = Database::create();
    let (port, taken) = silent_at_goodbye();
    let app = app(&database, &format!("smtp://127.0.0.1:{port}")).await;
    write_to_aase(&app).await;
    let mut raw = Raw::open(&database);
    job_becomes(&mut raw, "done", 1).await;
    let (state, attempts, error, _) = job(&mut raw);
    assert_eq!((state.as_str(), attempts, error.as_str()), ("done", 1, ""));
    // Welcome or link: each mail that was made came once.
    let open = "SELECT kind AS line FROM jobs WHERE kind = 'send_mail' AND state <> 'done'";
    for _ in 0..400 {
        if raw.lines(open).is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    let done = "SELECT kind AS line FROM jobs WHERE kind = 'send_mail' AND state = 'done'";
    assert_eq!(taken.load(Ordering::Acquire), raw.lines(done).len());
}
