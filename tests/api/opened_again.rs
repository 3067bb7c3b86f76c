//! What is collected of invoices that are opened again, or issued again in the place of another.

use chrono::{Days, TimeDelta};
use reqwest::Method;
use serde_json::{Value, json};

use crate::collection::{go_to, member, membership, next_step, read, reminders, told};
use crate::membership::{ACCOUNT, EMAIL, by_transfer, join};
use crate::paid::paid;
use crate::support::{Database, Sending, TestApp};

/// The newest invoice of the member.
async fn invoice(app: &TestApp) -> Value {
    let page = read(app, "invoices?kind=invoice").await.expect(200);
    page.body["items"][0].clone()
}

fn euro(amount: &str) -> Value {
    json!({ "amount": amount, "currency": "EUR" })
}

/// Money comes with the reference of an invoice.
async fn transfer(app: &TestApp, invoice: &Value, amount: &str) {
    let body = json!({ "reference": invoice["payment_reference"], "amount": amount, "payer_name": "Fjord Foto ApS" });
    let sent = app
        .request(Method::POST, "/v1/sandbox/bank-transfers")
        .header("idempotency-key", uuid::Uuid::new_v4().to_string())
        .json(&body)
        .answer();
    sent.await.expect(201);
    app.advance(TimeDelta::seconds(1)).await;
}

/// Finance takes the only line back that was matched.
async fn unmatch(app: &TestApp) {
    let finance = app.sign_in("finance@cps.example").await;
    let matched = app.get("/v1/bank-transactions?state=matched", &finance);
    let line = matched.await.expect(200).str("/items/0/id");
    let path = format!("/v1/bank-transactions/{line}/match?reason=Et%20andet%20sted");
    app.delete(&path, &finance, 1).await.expect(200);
}

/// Finance credits what is left of the newest invoice, with another in its place or not.
async fn credit(app: &TestApp, reissue: bool) {
    let finance = app.sign_in("finance@cps.example").await;
    let old = invoice(app).await;
    let path = format!(
        "{ACCOUNT}/invoices/{}/credit-notes",
        old["id"].as_str().unwrap()
    );
    let body = json!({ "reason": "error", "note": "Navnet var forkert.", "reissue": reissue });
    app.post_once(&path, &finance, body).await.expect(201);
    app.advance(TimeDelta::seconds(1)).await;
}

/// How many events of a type there are.
fn events(app: &TestApp, kind: &str) -> i64 {
    let query = format!("SELECT COUNT(*) AS n FROM events WHERE type = '{kind}'");
    app.database.numbers(&query)[0]
}

/// The newest mail of a template to the member.
async fn text(app: &TestApp, template: &str) -> String {
    let mail = app.mail(EMAIL, template).await;
    mail["text"].as_str().unwrap().to_owned()
}

/// With a programme that is changed.
fn changed(database: &Database, from: &str, to: &str) -> String {
    let programme = include_str!("../../programme.toml");
    assert!(programme.contains(from), "{from}");
    database.file("changed.toml", &programme.replace(from, to))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_opened_again_before_it_is_due_is_overdue_once_it_was_due() {
    let app = TestApp::start().await;
    let due = member(&app).await;
    transfer(&app, &invoice(&app).await, "200.00").await;
    assert_eq!(invoice(&app).await["status"], "paid");
    unmatch(&app).await;
    assert_eq!(invoice(&app).await["status"], "open");
    go_to(&app, due, "12:00").await;
    assert_eq!(invoice(&app).await["overdue"], false);
    assert_eq!(membership(&app).await["status"], "active");
    go_to(&app, due + Days::new(1), "12:00").await;
    assert_eq!(invoice(&app).await["overdue"], true);
    assert_eq!(membership(&app).await["status"], "past_due");
    go_to(&app, due + Days::new(4), "12:00").await;
    assert_eq!(
        told(&app).await,
        [format!("{} reminder", due + Days::new(3))]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_reminders_are_ten_days_apart_in_whichever_round() {
    let app = TestApp::start().await;
    let due = member(&app).await;
    let day = |n: u64| due + Days::new(n);
    go_to(&app, day(5), "12:00").await;
    transfer(&app, &invoice(&app).await, "200.00").await;
    go_to(&app, day(6), "12:00").await;
    unmatch(&app).await;
    go_to(&app, day(35), "12:00").await;
    let sent: Vec<String> = reminders(&app)
        .iter()
        .map(|line| line[..12].to_owned())
        .collect();
    // The second round begins on day 6, and has all its reminders.
    let on = |step: u64, n: u64| format!("{step} {}", day(n));
    assert_eq!(sent, [on(1, 3), on(1, 13), on(2, 23), on(3, 33)]);
    assert_eq!(membership(&app).await["status"], "past_due");
    go_to(&app, day(36), "12:00").await;
    assert_eq!(membership(&app).await["status"], "suspended");
    // Who pays is thanked.
    transfer(&app, &invoice(&app).await, "200.00").await;
    assert_eq!(membership(&app).await["status"], "active");
    let thanks = text(&app, "membership_restored").await;
    assert!(thanks.contains("Tak for betalingen. Fjord"), "{thanks}");
}

/// The steps go on as if it were the one before: nothing is lifted, and nothing begins anew.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_issued_again_is_collected_as_the_one_before_was() {
    let app = TestApp::start().await;
    let due = member(&app).await;
    let day = |n: u64| due + Days::new(n);
    for (n, status) in [(14, "past_due"), (31, "suspended")] {
        go_to(&app, day(n), "12:00").await;
        credit(&app, true).await;
        assert_eq!(membership(&app).await["status"], status);
        let new = invoice(&app).await;
        assert_eq!(new["due_date"], json!(day(n)));
        assert_eq!(
            (&new["overdue"], &new["status"]),
            (&json!(true), &json!("open"))
        );
        let (what, at, _) = next_step(&app).await;
        let next = match status {
            "past_due" => ("suspended", day(30)),
            _ => ("ended_unpaid", day(90)),
        };
        assert_eq!((what.as_str(), at), (next.0, format!("{} 09:00", next.1)));
    }
    go_to(&app, day(91), "12:00").await;
    let expected = [
        format!("{} reminder", day(3)),
        format!("{} reminder", day(13)),
        format!("{} reminder", day(23)),
        format!("{} membership_suspended", day(30)),
        format!("{} membership_ended_unpaid", day(90)),
    ];
    assert_eq!(told(&app).await, expected);
    assert_eq!(events(&app, "membership.restored"), 0);
    let owed = text(&app, "membership_ended_unpaid").await;
    assert!(owed.contains("skylder"), "{owed}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn benefits_that_are_back_without_money_are_nobodys_payment() {
    let app = TestApp::start().await;
    let due = member(&app).await;
    go_to(&app, due + Days::new(31), "12:00").await;
    assert_eq!(membership(&app).await["status"], "suspended");
    credit(&app, false).await;
    assert_eq!(membership(&app).await["status"], "active");
    let back = text(&app, "membership_restored").await;
    assert!(
        back.contains("\n\nFjord") && !back.contains("Tak"),
        "{back}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_promised_to_who_has_no_membership_or_owes_nothing() {
    // Of a membership that is over, no benefits stop.
    let app = TestApp::start().await;
    let due = member(&app).await;
    go_to(&app, due + Days::new(14), "12:00").await;
    is_over(&app);
    go_to(&app, due + Days::new(24), "12:00").await;
    let last = text(&app, "reminder").await;
    assert!(last.contains("Vi minder ikke om den igen.\n"), "{last}");

    // More was paid than the time that was used: nothing is left to be paid.
    let app = TestApp::start().await;
    let due = member(&app).await;
    let first = invoice(&app).await;
    paid(&app, ACCOUNT, first["id"].as_str(), 15000);
    go_to(&app, due + Days::new(24), "12:00").await;
    let last = text(&app, "reminder").await;
    assert!(last.contains("stopper fordelene"), "{last}");
    go_to(&app, due + Days::new(91), "12:00").await;
    assert_eq!(invoice(&app).await["open"], euro("0.00"));
    let ended = text(&app, "membership_ended_unpaid").await;
    assert!(
        ended.contains("medlem igen.\n") && !ended.contains("skylder"),
        "{ended}"
    );
}

/// Of an invoice that is paid and stays so, nobody hears again that it was.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_invoice_is_said_to_be_paid_once() {
    let app = TestApp::start().await;
    member(&app).await;
    let before = ["invoice.paid", "invoice.credited"].map(|kind| events(&app, kind));
    let told = || {
        let now = ["invoice.paid", "invoice.credited"].map(|kind| events(&app, kind));
        [now[0] - before[0], now[1] - before[1]]
    };
    transfer(&app, &invoice(&app).await, "200.00").await;
    assert_eq!(told(), [1, 0]);
    let finance = app.sign_in("finance@cps.example").await;
    let id = invoice(&app).await["id"].as_str().unwrap().to_owned();
    let path = format!("{ACCOUNT}/invoices/{id}/credit-notes");
    for _ in 0..2 {
        let part = json!({ "net": euro("50.00"), "reason": "goodwill", "note": "Undskyld." });
        app.post_once(&path, &finance, part).await.expect(201);
    }
    assert_eq!(told(), [1, 0]);
    credit(&app, false).await;
    assert_eq!(told(), [1, 1]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_written_off_is_not_owed_of_the_invoice_in_its_place() {
    let database = Database::create();
    let programme = changed(&database, "tolerance = \"0.00\"", "tolerance = \"0.10\"");
    let app = TestApp::on(database, &[("CPS_PROGRAMME", &programme)]).await;
    member(&app).await;
    transfer(&app, &invoice(&app).await, "199.95").await;
    assert_eq!(invoice(&app).await["status"], "paid");
    credit(&app, true).await;
    let new = invoice(&app).await;
    assert_eq!(
        (&new["status"], &new["open"]),
        (&json!("paid"), &euro("0.00"))
    );
    // It was written off with that payment, and is owed again with it.
    unmatch(&app).await;
    assert_eq!(invoice(&app).await["open"], euro("200.00"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_account_has_open_is_set_off_against_what_is_issued_again() {
    let app = TestApp::start().await;
    let due = member(&app).await;
    let finance = app.sign_in("finance@cps.example").await;
    paid(&app, ACCOUNT, None, 5000);
    credit(&app, true).await;
    assert_eq!(invoice(&app).await["open"], euro("150.00"));
    let mail = text(&app, "invoice_issued").await;
    assert!(mail.contains("150,00 EUR"), "{mail}");
    let payments = app.get(&format!("{ACCOUNT}/payments"), &finance).await;
    assert_eq!(payments.expect(200).body["items"][0]["open"], euro("0.00"));
    // So a suspended member may have its benefits back by it, and is thanked for nothing.
    go_to(&app, due + Days::new(31), "12:00").await;
    paid(&app, ACCOUNT, None, 15000);
    credit(&app, true).await;
    assert_eq!(invoice(&app).await["status"], "paid");
    assert_eq!(membership(&app).await["status"], "active");
    let back = text(&app, "membership_restored").await;
    assert!(!back.contains("Tak"), "{back}");
}

/// The membership of the member is over, and nobody asks why.
fn is_over(app: &TestApp) {
    app.database.execute(
        "UPDATE memberships SET status = 'ended', ended_at = created_at, ended_reason = 'expired', standing = NULL, suspended_at = NULL
            WHERE status = 'active'",
    );
}

/// It is another day by the programme of today than where the seller was whose invoice it is.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_is_overdue_by_the_day_of_whoever_sold_it() {
    let app = TestApp::start().await;
    let due = member(&app).await;
    go_to(&app, due, "11:00").await;
    let database = app.stop().await;
    let here = "zone = \"Europe/Amsterdam\"";
    let programme = changed(&database, here, "zone = \"Pacific/Kiritimati\"");
    let app = TestApp::on(database, &[("CPS_PROGRAMME", &programme)]).await;
    assert_eq!(next_step(&app).await.0, "ends");
    let joins = async || {
        is_over(&app);
        let token = app.sign_in(EMAIL).await;
        join(&app, ACCOUNT, &token, by_transfer("gold")).await
    };
    joins().await.expect(201);
    go_to(&app, due + Days::new(1), "11:00").await;
    joins().await.problem(409, "payment_due");
}
