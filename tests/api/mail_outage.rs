//! A mail server that is away for days: nothing else notices, and what is still worth sending arrives once.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::process::free_port;
use crate::raw::Raw;
use crate::smtp::{Door, Mode, Sink};
use crate::support::{Database, TestApp, Token};

/// Whom the sandbox seeds.
const METTE: &str = "mette@fjordfoto.example";

async fn app(database: &Database, port: u16, more: &[(&str, &str)]) -> TestApp {
    let url = format!("smtp://127.0.0.1:{port}");
    let variables = [("CPS_MAIL", url.as_str())];
    TestApp::on(database.clone(), &[&variables, more].concat()).await
}

async fn ask(app: &TestApp, path: &str, email: &str) {
    let asked = json!({ "email": email });
    app.post(path, &Token::default(), asked).await.expect(202);
}

/// An application: its link is mailed, which is worth sending for long.
async fn apply(app: &TestApp, email: &str) {
    app.applicant(json!({ "contact": { "email": email } }))
        .await;
}

/// Reads and writes while time goes by, and then.
async fn live_through(app: &TestApp, time: TimeDelta, email: &str) {
    let work = async {
        apply(app, email).await;
        app.get("/v1/programme", &Token::default())
            .await
            .expect(200);
        app.get("/readyz", &Token::default()).await.expect(200);
    };
    tokio::join!(app.advance(time), work);
    app.get("/readyz", &Token::default()).await.expect(200);
}

/// How often each address was sent a mail that was taken.
fn arrived(sink: &Sink) -> BTreeMap<String, usize> {
    let mut arrived = BTreeMap::new();
    for mail in sink.mails() {
        if mail["refused"] == false {
            let to = mail["envelope_to"][0].as_str().unwrap().to_owned();
            *arrived.entry(to).or_default() += 1;
        }
    }
    arrived
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn seventy_hours_without_a_mail_server_lose_no_mail_that_is_worth_sending() {
    let (sink, database, port) = (Sink::start(), Database::seeded().await, free_port());
    let app = app(&database, port, &[]).await;
    let hours = TimeDelta::hours;
    // Its link is good for an hour.
    ask(&app, "/v1/password-resets", METTE).await;
    apply(&app, "first@nordlys-test.example").await;
    // Nobody listens; then somebody who hangs up, one who says nothing, one who is busy, and one who refuses.
    live_through(&app, hours(30), "refused@nordlys-test.example").await;
    let door = Door::at(port, &sink);
    door.be(Mode::Reset);
    live_through(&app, hours(20), "reset@nordlys-test.example").await;
    // One try at this takes 20 real seconds.
    door.be(Mode::Hang);
    live_through(&app, TimeDelta::seconds(5), "hang@nordlys-test.example").await;
    door.be(Mode::Open);
    std::fs::write(sink.refuse(), "451 4.3.0 try again later").unwrap();
    live_through(&app, hours(11), "busy@nordlys-test.example").await;
    std::fs::write(sink.refuse(), "554 5.3.0 not today").unwrap();
    live_through(&app, hours(9), "rejected@nordlys-test.example").await;
    assert_eq!(arrived(&sink), BTreeMap::new());
    let mut raw = Raw::open(&database);
    let dead = "SELECT kind AS line FROM jobs WHERE state = 'dead'";
    assert_eq!(raw.lines(dead), Vec::<String>::new());

    std::fs::remove_file(sink.refuse()).unwrap();
    app.advance(TimeDelta::hours(2)).await;
    let names = ["first", "refused", "reset", "hang", "busy", "rejected"];
    let once = names.map(|name| (format!("{name}@nordlys-test.example"), 1));
    let mut arrived = arrived(&sink);
    // Applications that name the same VAT number tell nobody: all of it is what was asked for.
    arrived.retain(|to, _| to.ends_with("@nordlys-test.example"));
    assert_eq!(arrived, BTreeMap::from(once));
    let left = "SELECT kind AS line FROM jobs WHERE queue = 'mail' AND state <> 'done'";
    assert_eq!(raw.lines(left), Vec::<String>::new());
    // The link that had run out was not sent, and is kept no longer.
    let reset = "SELECT CASE WHEN sent_at IS NULL AND sealed IS NULL THEN 'dropped' ELSE 'kept' END AS line FROM mails WHERE template = 'password_reset'";
    assert_eq!(raw.lines(reset), ["dropped"]);
    let texts = sink.mails();
    let to_mette =
        |mail: &&Value| mail["envelope_to"] == json!([METTE]) && mail["refused"] == false;
    assert_eq!(texts.iter().filter(to_mette).count(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn strangers_fill_the_mail_queue_so_far_and_nobody_else_is_bounded() {
    let (sink, database, port) = (Sink::start(), Database::create(), free_port());
    let programme = include_str!("../../programme.toml");
    let shipped = "stranger_mails = 10000";
    assert!(programme.contains(shipped));
    let programme = programme.replace(shipped, "stranger_mails = 3");
    let path = database.file("programme.toml", &programme);
    let app = app(&database, port, &[("CPS_PROGRAMME", &path)]).await;
    let mut raw = Raw::open(&database);
    let of = |name: &str| format!("{name}@nordlys-test.example");
    for nth in 0..6 {
        apply(&app, &of(&format!("asta{nth}"))).await;
    }
    ask(&app, "/v1/password-resets", METTE).await;
    let open = "SELECT kind AS line FROM jobs WHERE queue = 'rules' AND state <> 'done' AND kind NOT IN ('expire_draft', 'watch_review', 'expire_offers', 'remind_offers')";
    settled(&mut raw, open).await;
    let waiting = "SELECT template AS line FROM mails WHERE sent_at IS NULL AND template IN ('application_started', 'password_reset', 'known_address_registered', 'stolen_serial_seen')";
    assert_eq!(raw.lines(waiting).len(), 3, "{:?}", raw.lines(waiting));
    // What nobody but a user can ask for is made all the same.
    let token = app.sign_in(METTE).await;
    let users = "/v1/accounts/acc_00000000000070008000000000000001/users";
    for name in ["bo", "ib"] {
        let body = json!({ "email": of(name), "name": "En kollega", "role": "member" });
        app.post(users, &token, body).await.expect(201);
    }
    let welcomes =
        "SELECT template AS line FROM mails WHERE sent_at IS NULL AND template = 'user_welcome'";
    assert_eq!(raw.lines(welcomes).len(), 2);
    // The room is theirs again once the mails have left.
    let _door = Door::at(port, &sink);
    app.advance(TimeDelta::hours(2)).await;
    apply(&app, &of("asta7")).await;
    app.advance(TimeDelta::minutes(1)).await;
    assert_eq!(arrived(&sink).get(&of("asta7")), Some(&1));
}

async fn settled(raw: &mut Raw, open: &str) {
    for _ in 0..800 {
        if raw.lines(open).is_empty() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("{:?}", raw.lines(open));
}
