//! Some years of one member, as the mails and invoices tell them: paid in parts, paid too much, suspended, restored, not paid at all, and back again.

use chrono::{Days, NaiveDate};
use reqwest::Method;
use serde_json::{Value, json};

use crate::membership::{ACCOUNT, EMAIL, bring_points_to, by_transfer, join};
use crate::support::{Answer, Sending, TestApp};

struct Member {
    app: TestApp,
}

impl Member {
    /// What the member reads: signed in anew, since tokens do not last through the years.
    async fn read(&self, path: &str) -> Answer {
        let token = self.app.sign_in(EMAIL).await;
        self.app.get(&format!("{ACCOUNT}/{path}"), &token).await
    }

    async fn status(&self) -> String {
        self.read("membership").await.expect(200).str("/status")
    }

    /// The newest invoice; credit notes are no invoices.
    async fn invoice(&self) -> Value {
        let page = self.read("invoices?kind=invoice&limit=1").await.expect(200);
        page.body["items"][0].clone()
    }

    async fn join(&self) -> Value {
        let token = self.app.sign_in(EMAIL).await;
        let joined = join(&self.app, ACCOUNT, &token, by_transfer("gold")).await;
        joined.expect(201);
        self.app.advance(chrono::TimeDelta::seconds(1)).await;
        self.invoice().await
    }

    async fn go_to(&self, day: NaiveDate) {
        self.app.set_clock(&format!("{day}T12:00:00Z")).await;
    }

    /// Money comes with the reference of an invoice.
    async fn transfer(&self, invoice: &Value, amount: &str) {
        let body = json!({ "reference": invoice["payment_reference"], "amount": amount, "payer_name": "Fjord Foto ApS" });
        let sent = self
            .app
            .request(Method::POST, "/v1/sandbox/bank-transfers")
            .header("idempotency-key", uuid::Uuid::new_v4().to_string())
            .json(&body)
            .answer()
            .await;
        sent.expect(201);
        self.app.advance(chrono::TimeDelta::seconds(1)).await;
    }

    /// Finance places what waits on an invoice; the rest is the member's.
    async fn match_by_hand(&self, invoice: &Value, amount: &str) {
        let finance = self.app.sign_in("finance@cps.example").await;
        let waiting = self.app.get("/v1/bank-transactions?state=open", &finance);
        let waiting = waiting.await.expect(200);
        assert_eq!(waiting.body["items"].as_array().unwrap().len(), 1);
        let line = waiting.str("/items/0/id");
        let account = ACCOUNT.rsplit('/').next().unwrap();
        let placed = json!({ "account_id": account, "allocations": [
            { "invoice_id": invoice["id"], "amount": { "amount": amount, "currency": "EUR" } }
        ] });
        let path = format!("/v1/bank-transactions/{line}/match");
        self.app
            .post_once(&path, &finance, placed)
            .await
            .expect(200);
    }

    /// The mails about money, oldest first.
    async fn told(&self) -> Vec<String> {
        let mails = self.app.mails(EMAIL).await;
        let about = |mail: &Value| {
            let template = mail["template"].as_str().unwrap();
            let is_money = template.contains("invoice")
                || template.contains("credit")
                || template.contains("reminder")
                || template.starts_with("membership_")
                || template.contains("payment");
            is_money.then(|| (mail["sent_at"].to_string(), template.to_owned()))
        };
        let mut told: Vec<(String, String)> = mails.iter().filter_map(about).collect();
        told.sort();
        told.into_iter().map(|(_, template)| template).collect()
    }
}

fn due(invoice: &Value) -> NaiveDate {
    invoice["due_date"].as_str().unwrap().parse().unwrap()
}

fn cents(invoice: &Value, of: &str) -> String {
    invoice[of]["amount"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn some_years_of_a_member_who_pays_late_too_much_and_not_at_all() {
    let app = TestApp::start().await;
    bring_points_to(&app, ACCOUNT, 1600).await;
    let member = Member { app };

    // Paid in two parts, the second after a reminder, and twenty too much.
    let first = member.join().await;
    member.transfer(&first, "120.00").await;
    member.match_by_hand(&first, "120.00").await;
    assert_eq!(cents(&member.invoice().await, "open"), "80.00");
    member.go_to(due(&first) + Days::new(5)).await;
    assert_eq!(member.status().await, "past_due");
    member.transfer(&first, "100.00").await;
    member.match_by_hand(&first, "80.00").await;
    assert_eq!(member.status().await, "active");
    assert_eq!(member.invoice().await["status"], "paid");
    member.go_to(due(&first) + Days::new(60)).await;
    let reminders = |told: &[String]| told.iter().filter(|one| *one == "reminder").count();
    assert_eq!(reminders(&member.told().await), 1, "one too many");

    // The next term: what was too much is set off, the rest comes after the benefits stopped.
    member.go_to(due(&first) + Days::new(340)).await;
    let second = member.join().await;
    assert_eq!(cents(&second, "open"), "180.00");
    member.go_to(due(&second) + Days::new(31)).await;
    assert_eq!(member.status().await, "suspended");
    member.transfer(&second, "180.00").await;
    assert_eq!(member.status().await, "active");
    let told = member.told().await;
    for template in ["membership_suspended", "membership_restored"] {
        let is_told = told.iter().any(|one| one == template);
        assert!(is_told, "{template}: {told:?}");
    }

    // The third is not paid: it ends, and what was not used of it is credited.
    member.go_to(due(&second) + Days::new(340)).await;
    let third = member.join().await;
    member.go_to(due(&third) + Days::new(91)).await;
    let gone = member.read("membership").await;
    gone.problem(404, "no_membership");
    let third = member.invoice().await;
    let notes = third["credit_notes"].as_array().unwrap();
    assert_eq!(notes.len(), 1);
    let (credited, open) = (&notes[0]["gross"]["amount"], cents(&third, "open"));
    let sum = |text: &str| text.replace('.', "").parse::<i64>().unwrap();
    assert_eq!(sum(credited.as_str().unwrap()) + sum(&open), 20000);
    let token = member.app.sign_in(EMAIL).await;
    join(&member.app, ACCOUNT, &token, by_transfer("gold"))
        .await
        .problem(409, "payment_due");
    member.transfer(&third, &open).await;
    assert_eq!(member.invoice().await["status"], "paid");
    let fourth = member.join().await;
    assert_eq!(
        (
            member.status().await.as_str(),
            cents(&fourth, "open").as_str()
        ),
        ("active", "200.00")
    );

    let told = member.told().await;
    for template in [
        "invoice_issued",
        "reminder",
        "membership_suspended",
        "membership_ended_unpaid",
        "credit_note_issued",
    ] {
        assert!(
            told.iter().any(|one| one == template),
            "{template}: {told:?}"
        );
    }
    let (_, verified) = member.app.after_command(&["verify-ledger"]).await;
    assert!(
        verified.contains("Every sum of money is right"),
        "{verified}"
    );
}
