//! What is not paid by transfer: reminders, suspension, the end, and that each comes when it should, however the time went by.

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use chrono_tz::Europe::Amsterdam;
use reqwest::Method;
use serde_json::Value;

use crate::membership::{ACCOUNT, EMAIL, bring_points_to, by_card, by_transfer, join};
use crate::raw::Raw;
use crate::support::{Answer, Sending, TestApp};

/// The first account is a member by transfer; when its invoice is due.
pub async fn member(app: &TestApp) -> NaiveDate {
    let token = app.sign_in(EMAIL).await;
    bring_points_to(app, ACCOUNT, 1600).await;
    join(app, ACCOUNT, &token, by_transfer("gold"))
        .await
        .expect(201);
    app.advance(TimeDelta::seconds(1)).await;
    let page = app.get(&format!("{ACCOUNT}/invoices"), &token).await;
    let due = page.expect(200).str("/items/0/due_date");
    due.parse().unwrap()
}

/// Sets the clock to a time of a day, in UTC.
pub async fn go_to(app: &TestApp, day: NaiveDate, time: &str) {
    app.set_clock(&format!("{day}T{time}:00Z")).await;
}

/// The steps against the member's invoice, as `1 2026-01-04 08:00`: their moments in UTC.
pub fn reminders(app: &TestApp) -> Vec<String> {
    let mut raw = Raw::open(&app.database);
    let lines = raw.lines(
        "SELECT CAST(r.step AS TEXT) || ' ' || CAST(r.sent_at AS TEXT) AS line FROM reminders r
            JOIN invoices i ON i.id = r.invoice_id JOIN accounts a ON a.id = i.account_id
            WHERE a.contact_email = 'mette@fjordfoto.example' ORDER BY r.round, r.step",
    );
    let minute = |line: &String| format!("{} {}", &line[..12], &line[13..18]);
    lines.iter().map(minute).collect()
}

/// What the member reads, signed in anew: tokens do not last until then.
pub async fn read(app: &TestApp, path: &str) -> Answer {
    let token = app.sign_in(EMAIL).await;
    app.get(&format!("{ACCOUNT}/{path}"), &token).await
}

pub async fn membership(app: &TestApp) -> Value {
    read(app, "membership").await.expect(200).body
}

/// The mails about what is overdue, as they went out, oldest first.
pub async fn told(app: &TestApp) -> Vec<String> {
    const ABOUT: [&str; 4] = [
        "reminder",
        "membership_suspended",
        "membership_restored",
        "membership_ended_unpaid",
    ];
    let mails = app.mails(EMAIL).await;
    let mut told: Vec<(String, String)> = mails
        .iter()
        .filter_map(|mail| {
            let template = mail["template"].as_str()?.to_owned();
            let at = mail["sent_at"].as_str()?.to_owned();
            ABOUT.contains(&template.as_str()).then_some((at, template))
        })
        .collect();
    told.sort();
    let line = |(at, template): (String, String)| format!("{} {template}", &at[..10]);
    told.into_iter().map(line).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_paid_is_asked_for_three_times_then_the_benefits_stop_then_it_is_over() {
    let app = TestApp::start().await;
    let due = member(&app).await;
    let day = |n: u64| due + Days::new(n);
    assert_eq!(membership(&app).await["status"], "active");

    go_to(&app, day(1), "12:00").await;
    let past_due = membership(&app).await;
    assert_eq!(past_due["status"], "past_due");
    assert_eq!(past_due["benefits"], true);
    let invoices = read(&app, "invoices").await.expect(200);
    assert_eq!(invoices.body["items"][0]["overdue"], true);
    let number = past_due["member_number"].as_str().unwrap().to_owned();
    let member = format!("/v1/members/{number}");
    let staff = app.sign_in("support@cps.example").await;
    assert_eq!(app.get(&member, &staff).await.body["valid"], true);

    go_to(&app, day(30), "12:00").await;
    let suspended = membership(&app).await;
    assert_eq!(suspended["status"], "suspended");
    assert_eq!(suspended["benefits"], false);
    let staff = app.sign_in("support@cps.example").await;
    let seen = app.get(&member, &staff).await.expect(200);
    assert_eq!(
        (&seen.body["valid"], &seen.body["status"]),
        (&false.into(), &"suspended".into())
    );

    go_to(&app, day(90), "12:00").await;
    read(&app, "membership").await.problem(404, "no_membership");
    let sent: Vec<String> = reminders(&app)
        .iter()
        .map(|line| line[..12].to_owned())
        .collect();
    let on = |step: u64, n: u64| format!("{step} {}", day(n));
    assert_eq!(sent, [on(1, 3), on(2, 13), on(3, 23)]);
    let expected = [
        format!("{} reminder", day(3)),
        format!("{} reminder", day(13)),
        format!("{} reminder", day(23)),
        format!("{} membership_suspended", day(30)),
        format!("{} membership_ended_unpaid", day(90)),
    ];
    assert_eq!(told(&app).await, expected);
    let token = app.sign_in(EMAIL).await;
    join(&app, ACCOUNT, &token, by_transfer("gold"))
        .await
        .problem(409, "payment_due");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_steps_are_the_same_day_by_day_and_in_one_step() {
    let mut seen = Vec::new();
    for by in [TimeDelta::days(1), TimeDelta::days(122)] {
        let app = TestApp::start().await;
        let due = member(&app).await;
        let end = due + Days::new(91);
        while app.now().await.date_naive() < end {
            app.advance(by).await;
        }
        let steps = reminders(&app);
        for step in &steps {
            let hour = &step[13..];
            assert!(["07:00", "08:00"].contains(&hour), "{step}");
        }
        seen.push((steps, told(&app).await));
    }
    assert_eq!(seen[0].1.len(), 5);
    assert_eq!(seen[0], seen[1]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_done_against_an_invoice_that_is_paid_by_card() {
    let app = TestApp::start().await;
    let token = app.sign_in(EMAIL).await;
    bring_points_to(&app, ACCOUNT, 1600).await;
    let card = join(&app, ACCOUNT, &token, by_card("gold", "tok_visa")).await;
    card.expect(201);
    app.advance(TimeDelta::days(200)).await;
    let running = membership(&app).await;
    assert_eq!(running["status"], "active");
    assert!(reminders(&app).is_empty() && told(&app).await.is_empty());
    app.advance(TimeDelta::days(200)).await;
    let token = app.sign_in(EMAIL).await;
    join(&app, ACCOUNT, &token, by_card("gold", "tok_visa"))
        .await
        .expect(201);
}

/// What comes next of the membership, at which hour of which day where the seller is, and what a Dane reads of it.
pub async fn next_step(app: &TestApp) -> (String, String, String) {
    let token = app.sign_in(EMAIL).await;
    let read = app
        .request(Method::GET, &format!("{ACCOUNT}/membership"))
        .sent_by(&token)
        .header("accept-language", "da")
        .answer();
    let read = read.await.expect(200);
    let at: DateTime<Utc> = read.str("/next_step/at").parse().unwrap();
    let at = at.with_timezone(&Amsterdam).format("%Y-%m-%d %H:%M");
    (
        read.str("/next_step/what"),
        at.to_string(),
        read.str("/next_step/label"),
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_membership_says_what_comes_next_and_when() {
    let app = TestApp::start().await;
    let due = member(&app).await;
    let day = |n: u64| due + Days::new(n);
    let told = |what: &str, day: NaiveDate, time: &str, label: &str| {
        (what.to_owned(), format!("{day} {time}"), label.to_owned())
    };
    let ends: NaiveDate = membership(&app).await["ends_date"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    let over = told("ends", ends + Days::new(1), "00:00", "Ender");
    assert_eq!(next_step(&app).await, over);
    let stops = told("suspended", day(30), "09:00", "Fordelene stopper");
    for n in [1, 14] {
        go_to(&app, day(n), "12:00").await;
        assert_eq!(next_step(&app).await, stops);
    }
    go_to(&app, day(30), "12:00").await;
    let ended = told(
        "ended_unpaid",
        day(90),
        "09:00",
        "Ender, fordi det ikke er betalt",
    );
    assert_eq!(next_step(&app).await, ended);
    let invoice = read(&app, "invoices").await.str("/items/0/id");
    let finance = app.sign_in("finance@cps.example").await;
    let pause = serde_json::json!({ "paused_until": day(95), "reason": "They asked for time." });
    let collection = format!("{ACCOUNT}/invoices/{invoice}/collection");
    app.put(&collection, &finance, pause).await.expect(200);
    let later = told(
        "ended_unpaid",
        day(95),
        "09:00",
        "Ender, fordi det ikke er betalt",
    );
    assert_eq!(next_step(&app).await, later);
}
