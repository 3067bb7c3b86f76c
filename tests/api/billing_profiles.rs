//! How an account is invoiced: what it says, what it may not say, and who changes it.

use chrono::{Days, NaiveDate, TimeDelta};
use serde_json::{Value, json};

use crate::businesses::token_of;
use crate::membership::{ACCOUNT, EMAIL, bring_points_to, by_transfer, join};
use crate::support::{Answer, TestApp, Token};

/// Where invoices are to go.
const BOOKS: &str = "bogholderi@fjordfoto.example";
/// Another one.
const OTHER: &str = "faktura@fjordfoto.example";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_says_what_it_reads_on_its_invoices() {
    let app = TestApp::start().await;
    let mette = app.sign_in(EMAIL).await;
    let profile = format!("{ACCOUNT}/billing-profile");
    let blank = app.get(&profile, &mette).await.expect(200);
    assert_eq!(blank.body, json!({ "version": 1 }));
    assert_eq!(blank.header("etag"), "\"1\"");

    let change = json!({
        "company_number": "DK 24 25 67 90", "your_reference": " PO-4711 ", "electronic_address": "0184:24256790"
    });
    let changed = app.patch(&profile, &mette, 1, change).await.expect(200);
    let said = json!({
        "company_number": "24256790", "your_reference": "PO-4711", "electronic_address": "0184:24256790", "version": 2
    });
    assert_eq!(changed.body, said);
    assert_eq!(app.get(&profile, &mette).await.expect(200).body, said);

    let late = app.patch(&profile, &mette, 1, json!({ "your_reference": "B" }));
    late.await.problem(412, "precondition_failed");
    let same = json!({ "your_reference": "PO-4711" });
    let same = app.patch(&profile, &mette, 2, same).await.expect(200);
    assert_eq!(same.body["version"], 2);

    let support = app.sign_in("support@cps.example").await;
    let gone = json!({ "electronic_address": null });
    let gone = app.patch(&profile, &support, 2, gone).await.expect(200);
    assert!(gone.body.get("electronic_address").is_none());
    assert_eq!(gone.str("/company_number"), "24256790");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_number_and_no_address_is_told_together() {
    let app = TestApp::start().await;
    let mette = app.sign_in(EMAIL).await;
    let profile = format!("{ACCOUNT}/billing-profile");
    let number = ("#/company_number", "company_number_invalid");
    let address = ("#/electronic_address", "electronic_address_invalid");
    for (change, faults) in [
        (
            json!({ "company_number": "24256791", "electronic_address": "0184:2425679" }),
            vec![number, address],
        ),
        (json!({ "company_number": "" }), vec![number]),
        (json!({ "electronic_address": "24256790" }), vec![address]),
        (
            json!({ "your_reference": "x".repeat(61) }),
            vec![("#/your_reference", "too_long")],
        ),
    ] {
        let refused = app.patch(&profile, &mette, 1, change.clone()).await;
        let refused = refused.problem(422, "invalid_request");
        let told = refused.faults();
        let told: Vec<(&str, &str)> = told.iter().map(|(at, code)| (&**at, &**code)).collect();
        assert_eq!(told, faults, "{change}");
    }
    let unchanged: Value = app.get(&profile, &mette).await.expect(200).body;
    assert_eq!(unchanged, json!({ "version": 1 }));
}

async fn ask_for(app: &TestApp, version: i64, email: Value) -> Answer {
    let mette = app.sign_in(EMAIL).await;
    let change = json!({ "invoice_email": email });
    let profile = format!("{ACCOUNT}/billing-profile");
    app.patch(&profile, &mette, version, change).await
}

async fn confirm(app: &TestApp, token: &str) -> Answer {
    let body = json!({ "token": token });
    app.post("/v1/invoice-email-confirmations", &Token(None), body)
        .await
}

async fn profile(app: &TestApp) -> Value {
    let mette = app.sign_in(EMAIL).await;
    let read = app.get(&format!("{ACCOUNT}/billing-profile"), &mette).await;
    read.expect(200).body
}

/// The token of the newest link to an address.
async fn link_to(app: &TestApp, email: &str) -> String {
    token_of(&app.mail(email, "invoice_email_confirm").await)
}

/// How many mails of a template an address has.
async fn count(app: &TestApp, email: &str, template: &str) -> usize {
    let mails = app.mails(email).await;
    mails
        .iter()
        .filter(|mail| mail["template"] == template)
        .count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mails_about_money_go_to_the_address_whose_link_was_used() {
    let app = TestApp::start().await;
    let asked = ask_for(&app, 1, json!(BOOKS)).await.expect(200);
    assert_eq!(
        asked.body,
        json!({ "invoice_email_waiting": BOOKS, "version": 2 })
    );
    let mette = app.sign_in(EMAIL).await;
    bring_points_to(&app, ACCOUNT, 1600).await;
    join(&app, ACCOUNT, &mette, by_transfer("gold"))
        .await
        .expect(201);
    app.mail(EMAIL, "invoice_issued").await;
    let page = app.get(&format!("{ACCOUNT}/invoices"), &mette).await;
    let due = page.expect(200).str("/items/0/due_date");
    let due: NaiveDate = due.parse().unwrap();

    let mail = app.mail(BOOKS, "invoice_email_confirm").await;
    let text = mail["text"].as_str().unwrap();
    assert!(text.contains("Fjord") && !text.contains("Mette"), "{text}");
    confirm(&app, &token_of(&mail)).await.expect(204);
    let confirmed = json!({ "invoice_email": BOOKS, "version": 3 });
    assert_eq!(profile(&app).await, confirmed);
    confirm(&app, &token_of(&mail))
        .await
        .problem(400, "token_invalid");

    app.set_clock(&format!("{}T12:00:00Z", due + Days::new(3)))
        .await;
    let reminder = app.mail(BOOKS, "reminder").await;
    let text = reminder["text"].as_str().unwrap();
    assert!(!text.contains("Mette"), "{text}");
    assert_eq!(count(&app, EMAIL, "reminder").await, 0);

    let asked = ask_for(&app, 3, json!(OTHER)).await.expect(200);
    assert_eq!(
        asked.body,
        json!({ "invoice_email": BOOKS, "invoice_email_waiting": OTHER, "version": 4 })
    );
    app.set_clock(&format!("{}T12:00:00Z", due + Days::new(13)))
        .await;
    assert_eq!(count(&app, BOOKS, "reminder").await, 2);
    let gone = ask_for(&app, 4, Value::Null).await.expect(200);
    assert_eq!(gone.body, json!({ "version": 5 }));
    app.set_clock(&format!("{}T12:00:00Z", due + Days::new(23)))
        .await;
    assert_eq!(count(&app, EMAIL, "reminder").await, 1);
    assert_eq!(count(&app, OTHER, "reminder").await, 0);
}

/// Whoever had the mails about money until then, by whosever change.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_had_the_mails_before_is_told_that_they_go_elsewhere() {
    const TOLD: &str = "invoice_email_changed";
    let app = TestApp::start().await;
    let support = app.sign_in("support@cps.example").await;
    let path = format!("{ACCOUNT}/billing-profile");
    let asked = json!({ "invoice_email": BOOKS });
    app.patch(&path, &support, 1, asked).await.expect(200);
    let link = link_to(&app, BOOKS).await;
    assert_eq!(count(&app, EMAIL, TOLD).await, 0);
    confirm(&app, &link).await.expect(204);
    let told = app.mail(EMAIL, TOLD).await;
    let text = told["text"].as_str().unwrap();
    assert!(text.contains("Mette") && !text.contains(BOOKS), "{text}");

    ask_for(&app, 3, json!(OTHER)).await.expect(200);
    let link = link_to(&app, OTHER).await;
    confirm(&app, &link).await.expect(204);
    app.mail(BOOKS, TOLD).await;
    // To the contact again.
    ask_for(&app, 5, Value::Null).await.expect(200);
    app.mail(OTHER, TOLD).await;
    assert_eq!(count(&app, EMAIL, TOLD).await, 1);
    // The contact's own address is no other one.
    ask_for(&app, 6, json!(EMAIL)).await.expect(200);
    let link = link_to(&app, EMAIL).await;
    confirm(&app, &link).await.expect(204);
    app.advance(TimeDelta::seconds(1)).await;
    assert_eq!(count(&app, EMAIL, TOLD).await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_is_good_until_it_is_used_or_runs_out_or_nobody_asks_for_its_address() {
    let app = TestApp::start().await;
    confirm(&app, "cpi_unknown")
        .await
        .problem(400, "token_invalid");
    ask_for(&app, 1, json!(BOOKS)).await.expect(200);
    let first = link_to(&app, BOOKS).await;
    ask_for(&app, 2, json!(OTHER)).await.expect(200);
    confirm(&app, &first).await.problem(400, "token_invalid");
    let other = link_to(&app, OTHER).await;
    ask_for(&app, 3, Value::Null).await.expect(200);
    confirm(&app, &other).await.problem(400, "token_invalid");

    ask_for(&app, 4, json!(BOOKS)).await.expect(200);
    app.advance(TimeDelta::hours(121)).await;
    let late = link_to(&app, BOOKS).await;
    assert_ne!(late, first);
    confirm(&app, &late).await.problem(400, "token_invalid");
    let waiting = profile(&app).await;
    assert_eq!(waiting["invoice_email_waiting"], BOOKS);
    let again = ask_for(&app, 5, json!(" BOGHOLDERI@fjordfoto.example"));
    again.await.expect(200);
    app.advance(TimeDelta::seconds(1)).await;
    let fresh = link_to(&app, BOOKS).await;
    confirm(&app, &fresh).await.expect(204);

    let same = ask_for(&app, 7, json!("bogholderi@FJORDFOTO.example")).await;
    assert_eq!(same.expect(200).body["version"], 7);
    ask_for(&app, 7, json!("no address"))
        .await
        .problem(422, "invalid_request");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_gets_so_many_links_an_hour_and_no_more() {
    let app = TestApp::start().await;
    for version in 1..=3 {
        ask_for(&app, version, json!(BOOKS)).await.expect(200);
    }
    let held = ask_for(&app, 4, json!(BOOKS)).await.expect(200);
    assert_eq!(held.body["version"], 4);
    app.advance(TimeDelta::seconds(1)).await;
    assert_eq!(count(&app, BOOKS, "invoice_email_confirm").await, 3);
    let last = link_to(&app, BOOKS).await;
    confirm(&app, &last).await.expect(204);
    let hashed =
        "SELECT count(*) AS n FROM billing_profiles WHERE invoice_email_token_hash IS NOT NULL";
    assert_eq!(app.database.numbers(hashed), [0]);
}
