//! Crediting invoices: in parts, beyond what is open, with another in the place, and what becomes of the money; and when nothing is collected.

use serde_json::{Value, json};

use crate::membership::{ACCOUNT, EMAIL, bring_points_to, by_transfer, join};
use crate::paid::paid;
use crate::support::{Answer, Sending, TestApp, Token};

const JONAS: &str = "/v1/accounts/acc_00000000000070008000000000000002";
const JONAS_EMAIL: &str = "jonas@lysogskygge.example";
const INVOICE: &str = "inv_00000000000070008000000000000002";

fn euro(amount: &str) -> Value {
    json!({ "amount": amount, "currency": "EUR" })
}

/// Each fault with its place.
fn told(answer: &Answer) -> Vec<String> {
    let faults = answer.faults().into_iter();
    faults.map(|(at, code)| format!("{at} {code}")).collect()
}

async fn credit(app: &TestApp, finance: &Token, invoice: &str, body: Value) -> Answer {
    let path = format!("{invoice}/credit-notes");
    app.post_once(&path, finance, body).await
}

fn goodwill(net: Option<&str>) -> Value {
    let mut body = json!({ "reason": "goodwill", "note": "Lånekameraet kom for sent." });
    if let Some(net) = net {
        body["net"] = euro(net);
    }
    body
}

/// The invoice of a Dutch business, which pays VAT.
async fn dutch_invoice(app: &TestApp) -> String {
    let token = app.sign_in(EMAIL).await;
    bring_points_to(app, ACCOUNT, 1600).await;
    let moved = "UPDATE accounts SET country = 'NL', vat_number = '999999990B51'";
    app.database.execute(moved);
    let joined = join(app, ACCOUNT, &token, by_transfer("gold")).await;
    joined.expect(201);
    app.mail(EMAIL, "invoice_issued").await;
    let page = app.get(&format!("{ACCOUNT}/invoices"), &token).await;
    format!("{ACCOUNT}/invoices/{}", page.expect(200).str("/items/0/id"))
}

/// Case 18 of the design: in three parts, in full after part, and more than is left.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_invoice_is_credited_in_parts_until_nothing_is_left() {
    let app = TestApp::start().await;
    let invoice = dutch_invoice(&app).await;
    let finance = app.sign_in("finance@cps.example").await;
    let before = app.get(&invoice, &finance).await.expect(200);
    assert_eq!(before.body["gross"], euro("242.00"));
    for open in ["201.67", "161.34"] {
        let note = credit(&app, &finance, &invoice, goodwill(Some("33.33"))).await;
        let note = note.expect(201);
        assert_eq!(note.body["kind"], "credit_note");
        assert_eq!(note.body["gross"], euro("40.33"));
        assert_eq!(note.body["vat"]["amount"], euro("7.00"));
        assert_eq!(note.body["corrects"]["number"], before.body["number"]);
        assert_eq!(
            (&note.body["status"], &note.body["open"]),
            (&json!("paid"), &euro("0.00"))
        );
        let kept = app.get(note.header("location"), &finance).await.expect(200);
        assert_eq!(kept.body, note.body);
        assert_eq!(app.get(&invoice, &finance).await.body["open"], euro(open));
    }
    let more = credit(&app, &finance, &invoice, goodwill(Some("133.35"))).await;
    let more = more.problem(409, "credit_exceeds_invoice");
    assert!(more.str("/detail").contains("133.34 EUR"));
    let rest = credit(&app, &finance, &invoice, goodwill(None)).await;
    let rest = rest.expect(201);
    assert_eq!(rest.body["net"], euro("133.34"));
    assert_eq!(rest.body["vat"]["amount"], euro("28.00"));
    let after = app.get(&invoice, &finance).await.expect(200);
    assert_eq!(
        (&after.body["status"], &after.body["open"]),
        (&json!("credited"), &euro("0.00"))
    );
    let notes = after.body["credit_notes"].as_array().unwrap();
    assert_eq!(notes.len(), 3);
    for (body, at) in [
        (goodwill(None), None),
        (
            json!({ "reason": "error", "note": "x", "reissue": true }),
            None,
        ),
        (goodwill(Some("0.00")), Some("#/net/amount")),
    ] {
        let refused = credit(&app, &finance, &invoice, body).await;
        match at {
            None => drop(refused.problem(409, "credit_exceeds_invoice")),
            Some(at) => assert_eq!(refused.faults(), [(at.to_owned(), "too_small".to_owned())]),
        }
    }
    let again = credit(
        &app,
        &finance,
        &invoice.replace(&before.str("/id"), &rest.str("/id")),
        goodwill(None),
    )
    .await;
    again.problem(404, "not_found");
    let mail = app.mail(EMAIL, "credit_note_issued").await;
    let text = mail["text"].as_str().unwrap();
    assert!(
        text.contains("161,34 EUR") && text.contains("Lånekameraet"),
        "{text}"
    );
    let told = app.stop().await.command(&["verify-ledger"]);
    assert!(told.contains("Every sum of money is right"), "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn credit_beyond_what_is_open_goes_to_what_is_overdue_and_then_waits_for_finance() {
    let app = TestApp::start().await;
    let finance = app.sign_in("finance@cps.example").await;
    let invoice = format!("{JONAS}/invoices/{INVOICE}");
    let payment = paid(&app, JONAS, Some(INVOICE), 20000);
    let note = credit(&app, &finance, &invoice, goodwill(Some("50.00"))).await;
    note.expect(201);
    let after = app.get(&invoice, &finance).await.expect(200);
    assert_eq!(
        (&after.body["status"], &after.body["open"]),
        (&json!("paid"), &euro("0.00"))
    );
    let placed = after.body["allocations"].as_array().unwrap();
    let amounts: Vec<&str> = placed
        .iter()
        .map(|one| one["amount"]["amount"].as_str().unwrap())
        .collect();
    assert_eq!(amounts, ["150.00", "50.00"]);
    let payments = app
        .get(&format!("{JONAS}/payments"), &finance)
        .await
        .expect(200);
    assert_eq!(payments.body["items"][0]["open"], euro("50.00"));
    let waits = app.get("/v1/work-items", &finance).await.expect(200);
    assert_eq!(waits.body["items"][0]["kind"], "credit_left");
    assert_eq!(waits.str("/items/0/about"), payment);
    assert_eq!(waits.str("/items/0/next_operation"), "refundPayment");
    let mail = app.mail(JONAS_EMAIL, "credit_note_issued").await;
    assert!(mail["text"].as_str().unwrap().contains("50,00 EUR"));
    let told = app.stop().await.command(&["verify-ledger"]);
    assert!(told.contains("Every sum of money is right"), "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_left_over_waits_for_nobody_once_the_next_invoice_takes_it() {
    let app = TestApp::start().await;
    bring_points_to(&app, ACCOUNT, 1600).await;
    let joins = async || {
        let token = app.sign_in(EMAIL).await;
        let joined = join(&app, ACCOUNT, &token, by_transfer("gold")).await;
        joined.expect(201);
        app.advance(chrono::TimeDelta::seconds(1)).await;
        let page = app
            .get(&format!("{ACCOUNT}/invoices?kind=invoice"), &token)
            .await;
        page.expect(200).body["items"][0].clone()
    };
    let waiting = async || {
        let finance = app.sign_in("finance@cps.example").await;
        let waits = app.get("/v1/work-items", &finance).await.expect(200);
        waits.body["items"].as_array().unwrap().len()
    };
    let first = joins().await;
    let id = first["id"].as_str().unwrap();
    paid(&app, ACCOUNT, Some(id), 20000);
    let finance = app.sign_in("finance@cps.example").await;
    let path = format!("{ACCOUNT}/invoices/{id}");
    let note = credit(&app, &finance, &path, goodwill(Some("50.00"))).await;
    note.expect(201);
    assert_eq!(waiting().await, 1);
    let due: chrono::NaiveDate = first["due_date"].as_str().unwrap().parse().unwrap();
    let later = due + chrono::Days::new(340);
    app.set_clock(&format!("{later}T12:00:00Z")).await;
    let second = joins().await;
    assert_eq!(second["open"], euro("150.00"));
    assert_eq!(waiting().await, 0);
    let told = app.stop().await.command(&["verify-ledger"]);
    assert!(told.contains("Every sum of money is right"), "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_invoice_is_issued_again_with_what_the_account_says_today() {
    let app = TestApp::start().await;
    let finance = app.sign_in("finance@cps.example").await;
    let jonas = app.sign_in(JONAS_EMAIL).await;
    let invoice = format!("{JONAS}/invoices/{INVOICE}");
    let old = app.get(&invoice, &finance).await.expect(200);
    paid(&app, JONAS, Some(INVOICE), 8000);
    let profile = json!({ "your_reference": "PO-4711" });
    let path = format!("{JONAS}/billing-profile");
    app.patch(&path, &jonas, 1, profile).await.expect(200);
    let street = json!({ "address": { "street": "Nygade 7" } });
    let version = app.get(JONAS, &jonas).await.body["version"]
        .as_i64()
        .unwrap();
    app.patch(JONAS, &jonas, version, street).await.expect(200);
    let both = json!({ "net": euro("1.00"), "reason": "error", "note": "x", "reissue": true });
    let both = credit(&app, &finance, &invoice, both).await;
    assert_eq!(both.faults(), [("#/net".to_owned(), "invalid".to_owned())]);
    let kroner = json!({ "amount": "1.00", "currency": "DKK", "note": "x" });
    let kroner = json!({ "net": kroner, "reason": "error", "note": " " });
    let kroner = credit(&app, &finance, &invoice, kroner).await;
    let at = [
        "#/net/currency not_accepted",
        "#/net/note unknown",
        "#/note pattern",
    ];
    assert_eq!(told(&kroner), at);
    let again = json!({ "reason": "error", "note": "Adressen var forkert.", "reissue": true });
    let note = credit(&app, &finance, &invoice, again).await.expect(201);
    assert_eq!(note.body["gross"], euro("200.00"));
    let page = app
        .get(&format!("{JONAS}/invoices?kind=invoice"), &jonas)
        .await
        .expect(200);
    let new = &page.body["items"][0];
    assert_eq!(new["buyer"]["street"], "Nygade 7");
    assert_eq!(new["buyer"]["your_reference"], "PO-4711");
    assert_eq!(
        (&new["gross"], &new["open"]),
        (&euro("200.00"), &euro("120.00"))
    );
    assert_eq!(new["due_date"], old.body["due_date"]);
    assert_ne!(new["number"], old.body["number"]);
    assert_eq!(page.body["items"][1]["status"], "credited");
    assert_eq!(page.body["items"][1]["label"], "Credited");
    let danish = app.request(reqwest::Method::GET, &invoice).sent_by(&jonas);
    let danish = danish.header("accept-language", "da").answer().await;
    assert_eq!(danish.expect(200).str("/label"), "Krediteret");
    let waits = app.get("/v1/work-items", &finance).await.expect(200);
    assert_eq!(waits.body["items"], json!([]));
    let found = app
        .get("/v1/invoices?status=open", &finance)
        .await
        .expect(200);
    let numbers: Vec<&Value> = found.body["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["number"])
        .collect();
    assert!(numbers.contains(&&new["number"]) && !numbers.contains(&&old.body["number"]));
    let told = app.stop().await.command(&["verify-ledger"]);
    assert!(told.contains("Every sum of money is right"), "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_collected_until_finance_says() {
    let app = TestApp::start().await;
    let finance = app.sign_in("finance@cps.example").await;
    let path = format!("{JONAS}/invoices/{INVOICE}/collection");
    let pause =
        |until: Value| json!({ "paused_until": until, "reason": "They asked for a month." });
    let day = (app.now().await + chrono::TimeDelta::days(40)).date_naive();
    let paused = app
        .put(&path, &finance, pause(json!(day)))
        .await
        .expect(200);
    assert_eq!(paused.body["paused_until"], json!(day));
    let same = app
        .put(&path, &finance, pause(json!(day)))
        .await
        .expect(200);
    assert_eq!(same.body, paused.body);
    let past = json!({ "paused_until": "2020-01-01", "reason": " " });
    let past = app.put(&path, &finance, past).await;
    assert_eq!(
        told(&past),
        ["#/paused_until too_small", "#/reason pattern"]
    );
    let on = app
        .put(&path, &finance, pause(Value::Null))
        .await
        .expect(200);
    assert!(on.body.get("paused_until").is_none());
}
