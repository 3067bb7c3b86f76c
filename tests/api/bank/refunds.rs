//! Refunds that a statement shows: money out that pays one, and money that came back of one.

use serde_json::{Value, json};

use super::{Bank, Entry, JONAS, euro, evidence, statement, states};
use crate::paid::paid;
use crate::support::Answer;

const JONAS_EMAIL: &str = "jonas@lysogskygge.example";

impl Bank {
    /// Has some of a payment of the seeded member go back; the refund.
    async fn refund(&self, payment: &str, amount: &str) -> Answer {
        let path = format!("/v1/accounts/{JONAS}/payments/{payment}/refunds");
        let body = json!({ "amount": euro(amount), "reason": "Betalt to gange." });
        let asked = self.app.post_once(&path, &self.finance, body).await;
        asked.expect(202)
    }

    /// The refund of a reference, as it stands.
    async fn refund_of(&self, reference: &str) -> Value {
        let page = self.app.get("/v1/refunds", &self.finance).await.expect(200);
        let mut all = page.body["items"].as_array().unwrap().iter();
        all.find(|one| one["reference"] == *reference)
            .unwrap()
            .clone()
    }

    async fn waiting(&self) -> Vec<Value> {
        let page = self.app.get("/v1/work-items", &self.finance).await;
        page.expect(200).body["items"].as_array().unwrap().clone()
    }

    /// What the member was mailed of refunds.
    async fn told(&self) -> Vec<String> {
        self.app.advance(chrono::TimeDelta::seconds(1)).await;
        let mails = self.app.mails(JONAS_EMAIL).await;
        let paid = mails
            .iter()
            .filter(|mail| mail["template"] == "refund_paid");
        paid.map(|mail| mail["text"].as_str().unwrap().to_owned())
            .collect()
    }
}

/// Money that goes out with a reference where the bank keeps ours.
fn debit(cents: i64, reference: &str) -> Entry {
    Entry {
        cents: -cents,
        end_to_end: reference.to_owned(),
        ..Entry::default()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn money_out_with_the_reference_of_a_refund_pays_it_and_may_come_back() {
    let bank = Bank::open().await;
    let payment = paid(&bank.app, JONAS, None, 5000);
    let first = bank.refund(&payment, "20.00").await.str("/reference");
    let second = bank.refund(&payment, "10.00").await.str("/reference");
    let wrong = Entry {
        end_to_end: String::new(),
        text: format!("Retur {}", second.to_lowercase()).leak(),
        ..debit(999, "")
    };
    let out = statement(("O1", 1), (10000, 7001), &[debit(2000, &first), wrong]);
    let lines = bank.lines_of(&out).await;
    assert_eq!(states(&lines), ["matched", "open"]);
    let shown = ["money_out", "refund_reference", "amount_exact"];
    assert_eq!(evidence(&lines[0]), shown);
    assert_eq!(lines[0]["evidence"][1]["value"], first);
    assert_eq!(
        evidence(&lines[1])[1..],
        ["refund_reference", "amount_short"]
    );
    assert_eq!(lines[1]["evidence"][2]["value"], "0.01");
    let closed = bank.refund_of(&first).await;
    assert_eq!(closed["state"], "succeeded");
    assert_eq!(closed["paid_date"], "2026-12-22");
    assert_eq!(closed["bank_transaction_id"], lines[0]["id"]);
    assert_eq!(bank.refund_of(&second).await["state"], "to_pay");
    let told = bank.told().await;
    assert!(told.len() == 1 && told[0].contains(&first) && told[0].contains("22. december 2026"));
    bank.unmatch(&lines[0])
        .await
        .problem(409, "payment_refunded");

    // The payee's bank sends it back.
    let back = Entry {
        is_reversal: true,
        ..debit(-2000, &first)
    };
    let back = bank
        .lines_of(&statement(("O2", 2), (7001, 9001), &[back]))
        .await;
    assert_eq!(states(&back), ["reversed"]);
    assert_eq!(bank.refund_of(&first).await["state"], "failed");
    assert_eq!(bank.open_cents()[2], 4000);
    let items = bank.waiting().await;
    assert_eq!(items.len(), 1);
    assert_eq!(
        (
            &items[0]["kind"],
            &items[0]["about"],
            &items[0]["next_operation"]
        ),
        (
            &json!("refund_failed"),
            &json!(payment),
            &json!("refundPayment")
        )
    );
    bank.refund(&payment, "40.00").await;
    assert_eq!(bank.waiting().await, Vec::<Value>::new());
    bank.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refund_that_somebody_said_was_paid_is_shown_by_one_line_and_no_second() {
    let bank = Bank::open().await;
    let payment = paid(&bank.app, JONAS, None, 5000);
    let refund = bank.refund(&payment, "20.00").await;
    let reference = refund.str("/reference");
    let path = format!("/v1/refunds/{}/payout", refund.str("/id"));
    let day = (bank.app.now().await).date_naive() - chrono::Days::new(1);
    let said = json!({ "paid_date": day });
    let said = bank.app.post_once(&path, &bank.finance, said).await;
    said.expect(200);
    let in_field = Entry {
        reference: reference.clone(),
        ..debit(2000, "")
    };
    let both = [in_field, debit(2000, &reference)];
    let lines = bank.lines_of(&statement(("O1", 1), (4000, 0), &both)).await;
    assert_eq!(states(&lines), ["matched", "open"]);
    assert_eq!(evidence(&lines[1])[2..], ["refund_not_to_pay"]);
    assert_eq!(bank.refund_of(&reference).await["paid_date"], json!(day));
    assert_eq!(bank.told().await.len(), 1);
    // What comes back as a payment like any other says at least what it is of.
    let returned = super::credit(2000, &reference);
    let returned = statement(("O2", 2), (0, 2000), &[returned]);
    let returned = bank.lines_of(&returned).await;
    assert_eq!(
        evidence(&returned[0]),
        ["reference_not_known", "refund_reference"]
    );
    bank.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_for_money_is_done_once_it_is_no_longer_the_customers() {
    let bank = Bank::open().await;
    let (id, reference) = bank.first.clone();
    let came = statement(("W1", 1), (0, 35100), &[super::credit(35100, &reference)]);
    let lines = bank.lines_of(&came).await;
    let path = format!("{}/invoices/{id}/credit-notes", crate::membership::ACCOUNT);
    let note = json!({ "net": euro("51.00"), "reason": "goodwill", "note": "Undskyld." });
    bank.app
        .post_once(&path, &bank.finance, note)
        .await
        .expect(201);
    let items = bank.waiting().await;
    assert_eq!((items.len(), &items[0]["kind"]), (1, &json!("credit_left")));
    bank.unmatch(&lines[0]).await.expect(200);
    assert_eq!(bank.waiting().await, Vec::<Value>::new());
    assert_eq!(bank.open_cents(), [30000, 35200, 0]);
    // Nor does it wait once the money is looked at, whoever is a member by then.
    bank.app.database.execute(
        "UPDATE memberships SET status = 'ended', ended_at = created_at, ended_reason = 'expired', standing = NULL, suspended_at = NULL
            WHERE status = 'active'",
    );
    bank.app.advance(chrono::TimeDelta::days(1)).await;
    let finance = bank.app.sign_in("finance@cps.example").await;
    let waits = bank.app.get("/v1/work-items", &finance).await.expect(200);
    assert_eq!(waits.body["items"], json!([]));
    let counted = "SELECT COUNT(*) AS n FROM settings WHERE name = 'money_counts' AND value LIKE '%\"credit_left\":0%'";
    assert_eq!(bank.app.database.numbers(counted), [1]);
    bank.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_payment_that_was_taken_back_nothing_is_open() {
    let bank = Bank::open().await;
    let came = super::credit(35100, &bank.first.1);
    let lines = bank
        .lines_of(&statement(("T1", 1), (0, 35100), &[came]))
        .await;
    bank.unmatch(&lines[0]).await.expect(200);
    let payments = format!("{}/payments", crate::membership::ACCOUNT);
    let page = bank.app.get(&payments, &bank.finance).await.expect(200);
    assert!(page.body["items"][0]["taken_back_at"].is_string());
    assert_eq!(page.body["items"][0]["open"], euro("0.00"));
    let refunds = format!("{payments}/{}/refunds", page.str("/items/0/id"));
    let body = json!({ "amount": euro("1.00"), "reason": "Betalt to gange." });
    let refused = bank.app.post_once(&refunds, &bank.finance, body).await;
    let refused = refused.problem(409, "refund_exceeds_payment");
    assert!(refused.str("/detail").contains(" 0.00 EUR"));
    bank.close().await;
}
