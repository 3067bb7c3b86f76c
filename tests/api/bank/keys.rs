//! What finance does about money is done once for its key.

use reqwest::Method;
use serde_json::{Value, json};

use super::{Bank, credit, euro, path_of, statement};
use crate::support::Sending;

impl Bank {
    /// Needs a key, is done once for it, and takes no other body with it.
    async fn done_once(&self, path: &str, body: Value, other: Value) {
        let post = async |key: Option<&str>, body: &Value| {
            let request = self.app.request(Method::POST, path);
            let request = request.sent_by(&self.finance).json(body);
            let request = match key {
                Some(key) => request.header("idempotency-key", key),
                None => request,
            };
            request.answer().await
        };
        let none = post(None, &body).await;
        none.problem(400, "idempotency_key_required");
        let first = post(Some("once"), &body).await.expect(200);
        let again = post(Some("once"), &body).await.expect(200);
        assert_eq!(again.body, first.body, "{path}");
        assert_eq!(again.header("idempotency-replayed"), "true", "{path}");
        let reused = post(Some("once"), &other).await;
        reused.problem(422, "idempotency_key_reused");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn finance_releases_matches_and_puts_aside_once_for_a_key() {
    let bank = Bank::open().await;
    let reason = |why: &str| json!({ "reason": why });
    let held = statement(("H1", 1), (0, 99), &[credit(35100, &bank.first.1)]);
    let held = bank.send(&held).await.expect(201);
    let release = format!(
        "/v1/bank-statements/{}/release",
        held.str("/statements/0/id")
    );
    let (right, wrong) = (reason("It is right."), reason("It is wrong."));
    bank.done_once(&release, right.clone(), wrong.clone()).await;
    let two = [credit(100, "Kasse"), credit(200, "Kasse")];
    let lines = bank.lines_of(&statement(("K1", 2), (99, 399), &two)).await;
    let dismissal = format!("{}/dismissal", path_of(&lines[0]));
    bank.done_once(&dismissal, right, wrong).await;
    let placing = |amount: &str| json!({ "allocations": [{ "invoice_id": bank.second.0, "amount": euro(amount) }] });
    let matching = format!("{}/match", path_of(&lines[1]));
    bank.done_once(&matching, placing("2.00"), placing("1.00"))
        .await;
    assert_eq!(bank.open_cents()[1], 35000);
    bank.close().await;
}
