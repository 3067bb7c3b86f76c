//! What a customer is mailed once its invoice is paid by bank, and where that is taken back.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::{Bank, Entry, JONAS, credit, euro, statement, states};
use crate::membership::{ACCOUNT, EMAIL};
use crate::paid::paid;
use crate::support::TestApp;

const JONAS_EMAIL: &str = "jonas@lysogskygge.example";

/// The mails at an address about what was paid and taken back, oldest first: what each is, and what it says.
async fn told(app: &TestApp, to: &str) -> Vec<(String, String)> {
    app.advance(TimeDelta::seconds(1)).await;
    let mails = app.mails(to).await;
    let text = |mail: &Value, name: &str| mail[name].as_str().unwrap().to_owned();
    let mut told: Vec<(String, String)> = mails
        .iter()
        .map(|mail| (text(mail, "template"), text(mail, "text")))
        .filter(|(template, _)| template.starts_with("payment_"))
        .collect();
    told.reverse();
    told
}

/// What the mails are, after each is held to what it has to say.
fn are(told: &[(String, String)], expected: &[(&str, &[&str])]) {
    let kinds = |of: &[(&str, &[&str])]| -> Vec<String> {
        of.iter()
            .map(|(template, _)| (*template).to_owned())
            .collect()
    };
    let sent: Vec<String> = told.iter().map(|(template, _)| template.clone()).collect();
    assert_eq!(sent, kinds(expected), "{told:?}");
    for ((template, text), (_, words)) in told.iter().zip(expected) {
        for word in *words {
            assert!(text.contains(word), "{template}: {word}: {text}");
        }
    }
}

fn all_of(invoice: &str, amount: &str) -> Value {
    json!({ "allocations": [{ "invoice_id": invoice, "amount": euro(amount) }] })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_customer_hears_of_it_once_the_invoice_is_paid_and_where_that_is_taken_back() {
    let bank = Bank::open().await;
    let (id, reference) = bank.first.clone();
    let part = statement(("P1", 1), (0, 40000), &[credit(40000, "Tak")]);
    let part = bank.lines_of(&part).await;
    let matched = bank.post(&part[0], "match", all_of(&id, "350.00")).await;
    matched.expect(200);
    are(&told(&bank.app, EMAIL).await, &[]);

    let rest = statement(("P2", 2), (40000, 40100), &[credit(100, &reference)]);
    let rest = bank.lines_of(&rest).await;
    assert_eq!(states(&rest), ["matched"]);
    let received: (&str, &[&str]) = (
        "payment_received",
        &["350,00 EUR", "1,00 EUR", "22. december 2026"],
    );
    are(&told(&bank.app, EMAIL).await, &[received]);

    bank.unmatch(&rest[0]).await.expect(200);
    let grouped: Vec<String> = reference
        .as_bytes()
        .chunks(4)
        .map(|four| String::from_utf8_lossy(four).into_owned())
        .collect();
    let grouped = grouped.join(" ");
    let reversed: (&str, &[&str]) = (
        "payment_reversed",
        &["\nDer mangler 1,00 EUR", "NL13 TEST", grouped.as_str()],
    );
    are(&told(&bank.app, EMAIL).await, &[received, reversed]);
    // Of an invoice that is open, nothing more is told.
    bank.unmatch(&part[0]).await.expect(200);
    are(&told(&bank.app, EMAIL).await, &[received, reversed]);
    let mut whole = all_of(&id, "351.00");
    whole["account_id"] = json!(ACCOUNT.rsplit('/').next());
    bank.post(&part[0], "match", whole).await.expect(200);
    let again: (&str, &[&str]) = ("payment_received", &["351,00 EUR af 400,00 EUR"]);
    are(&told(&bank.app, EMAIL).await, &[received, reversed, again]);

    // The bank itself takes a payment back.
    let whole = statement(("P3", 3), (40100, 75300), &[credit(35200, &bank.second.1)]);
    bank.lines_of(&whole).await;
    let back = Entry {
        is_reversal: true,
        bank_reference: "P4",
        ..credit(-35200, &bank.second.1)
    };
    bank.lines_of(&statement(("P4", 4), (75300, 40100), &[back]))
        .await;
    let both = told(&bank.app, JONAS_EMAIL).await;
    let paid: (&str, &[&str]) = ("payment_received", &["352"]);
    let back: (&str, &[&str]) = ("payment_reversed", &["352"]);
    are(&both, &[paid, back]);
    // Whoever reads the events hears that the money went.
    let gone = "SELECT COUNT(*) AS n FROM events WHERE type = 'payment.refunded'";
    assert_eq!(bank.app.database.numbers(gone), [1]);
    bank.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_written_off_is_owed_again_with_the_payment_that_was_short() {
    let bank = Bank::open_with("tolerance = \"0.50\"").await;
    let short = statement(("T1", 1), (0, 35060), &[credit(35060, &bank.first.1)]);
    let lines = bank.lines_of(&short).await;
    let received: (&str, &[&str]) = ("payment_received", &["350,60 EUR"]);
    are(&told(&bank.app, EMAIL).await, &[received]);
    bank.unmatch(&lines[0]).await.expect(200);
    let reversed: (&str, &[&str]) = ("payment_reversed", &["351,00 EUR"]);
    are(&told(&bank.app, EMAIL).await, &[received, reversed]);
    bank.close().await;
}

/// What a credit note settles, and what is taken off a new invoice, their own mails tell.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_thanked_for_what_was_credited_or_set_off() {
    let app = TestApp::start().await;
    let finance = app.sign_in("finance@cps.example").await;
    let account = format!("/v1/accounts/{JONAS}");
    let invoices = format!("{account}/invoices");
    paid(&app, &account, Some(super::JONAS_INVOICE), 15000);
    let credit = async |invoice: &str, body: Value| {
        let path = format!("{invoices}/{invoice}/credit-notes");
        app.post_once(&path, &finance, body).await.expect(201);
    };
    let again = json!({ "reason": "error", "note": "Adressen var forkert.", "reissue": true });
    credit(super::JONAS_INVOICE, again).await;
    let page = app.get(&format!("{invoices}?kind=invoice"), &finance).await;
    let new = page.expect(200).body["items"][0].clone();
    assert_eq!(new["open"], euro("50.00"));
    let id = new["id"].as_str().unwrap();
    let rest = json!({ "net": euro("50.00"), "reason": "goodwill", "note": "Undskyld." });
    credit(id, rest).await;
    let status = app.get(&format!("{invoices}/{id}"), &finance).await;
    assert_eq!(status.expect(200).body["status"], "paid");
    are(&told(&app, JONAS_EMAIL).await, &[]);
}
