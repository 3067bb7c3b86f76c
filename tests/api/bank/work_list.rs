//! What waits for somebody: what is known of it, and what finance does about it.

use serde_json::{Value, json};

use super::{Bank, Entry, JONAS, credit, euro, evidence, statement, states};
use crate::support::Sending;

/// A match with these invoices.
fn placing(of: &[(&str, &str)]) -> Value {
    let all = of
        .iter()
        .map(|(invoice, amount)| json!({ "invoice_id": invoice, "amount": euro(amount) }));
    json!({ "allocations": all.collect::<Vec<_>>() })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_does_not_fit_exactly_waits_with_all_that_is_known_of_it() {
    let bank = Bank::open().await;
    let (one, two) = (bank.first.1.clone(), bank.second.1.clone());
    let text = |text: &'static str| Entry {
        text,
        ..credit(4321, "")
    };
    let entries = [
        credit(35000, &one),
        credit(35200, &one),
        Entry {
            currency: Some("DKK"),
            ..credit(35100, &one)
        },
        credit(70300, &format!("{one} {two}")),
        Entry {
            end_to_end: one.clone(),
            ..credit(35100, "")
        },
        credit(4000, "RF17 0000 0000"),
        text("Kontingent 2026"),
        Entry {
            cents: -1200,
            text: "Gebyr",
            ..Entry::default()
        },
        Entry {
            written: Some("4.005"),
            ..credit(400, "")
        },
    ];
    // The balances are in euro and cents: what does not count in them is left out of the sum.
    let sum = 35000 + 35200 + 35100 + 70300 + 35100 + 4000 + 4321 - 1200 + 400;
    let xml = statement(("E1", 1), (0, sum), &entries).replace(
        &format!(
            "<Cd>CLBD</Cd></CdOrPrtry></Tp><Amt Ccy=\"EUR\">{}",
            super::decimal(sum)
        ),
        &format!(
            "<Cd>CLBD</Cd></CdOrPrtry></Tp><Amt Ccy=\"EUR\">{}5",
            super::decimal(sum)
        ),
    );
    let lines = bank.lines_of(&xml).await;
    let known: Vec<Vec<&str>> = lines.iter().map(evidence).collect();
    assert_eq!(
        known,
        [
            vec!["reference_exact", "amount_short"],
            vec!["reference_exact", "amount_over"],
            vec!["reference_exact", "currency_differs"],
            vec!["several_references"],
            vec!["reference_only_in_end_to_end_id", "amount_exact"],
            vec!["reference_not_known"],
            vec!["nothing_known"],
            vec!["money_out"],
            vec!["fraction_of_a_cent"],
        ]
    );
    assert_eq!(bank.open_cents(), [35100, 35200, 0]);
    let short = &lines[0];
    assert_eq!(short["evidence"][1]["value"], "1.00");
    assert_eq!(short["candidates"][0]["invoice_id"], bank.first.0);
    assert_eq!(short["candidates"][0]["open"], euro("351.00"));
    assert_eq!(short["candidates"][0]["label"], "Not paid");
    assert_eq!(lines[3]["candidates"].as_array().unwrap().len(), 2);
    let path = super::path_of(short);
    let request = bank
        .app
        .request(reqwest::Method::GET, &path)
        .sent_by(&bank.finance);
    let danish = request
        .header("accept-language", "da")
        .answer()
        .await
        .expect(200);
    assert_eq!(danish.str("/evidence/1/label"), "Beløbet er for lille");
    let open = bank
        .app
        .get("/v1/bank-transactions?state=open&limit=4", &bank.finance)
        .await;
    assert_eq!(open.expect(200).body["items"].as_array().unwrap().len(), 4);
    bank.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_payment_that_is_a_little_short_settles_its_invoice_where_the_programme_lets_it_pass() {
    let bank = Bank::open_with("tolerance = \"0.50\"").await;
    let short = statement(("T1", 1), (0, 35060), &[credit(35060, &bank.first.1)]);
    let lines = bank.lines_of(&short).await;
    assert_eq!(states(&lines), ["matched"]);
    assert_eq!(bank.open_cents(), [0, 35200, 0]);
    bank.unmatch(&lines[0]).await.expect(200);
    assert_eq!(bank.open_cents(), [35100, 35200, 0]);
    bank.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_is_matched_taken_back_and_matched_elsewhere_to_the_cent() {
    let bank = Bank::open().await;
    let (first, second) = (bank.first.0.as_str(), bank.second.0.as_str());
    let lines = bank
        .lines_of(&statement(("M1", 1), (0, 50000), &[credit(50000, "Tak")]))
        .await;
    let line = &lines[0];
    let refused = bank
        .post(line, "match", placing(&[(first, "351.01")]))
        .await;
    let refused = refused.problem(409, "amount_exceeds_invoice");
    assert_eq!(refused.str("/invoice_id"), first);
    assert!(refused.str("/detail").contains("351.00 EUR"));
    let both = placing(&[(first, "351.00"), (second, "352.00")]);
    bank.post(line, "match", both)
        .await
        .problem(409, "amount_exceeds_transaction");
    let krone = json!({ "allocations": [{ "invoice_id": first, "amount": { "amount": "1.00", "currency": "DKK" } }] });
    bank.post(line, "match", krone)
        .await
        .problem(409, "currency_mismatch");
    let nothing = bank
        .post(line, "match", json!({}))
        .await
        .problem(422, "invalid_request");
    assert_eq!(nothing.faults()[0].0, "#/allocations");
    let unknown = placing(&[("inv_0190000000007000800000000000dead", "1.00")]);
    let unknown = bank
        .post(line, "match", unknown)
        .await
        .problem(422, "invalid_request");
    assert_eq!(
        unknown.faults(),
        [(
            "#/allocations/0/invoice_id".to_owned(),
            "reference_unknown".to_owned()
        )]
    );
    // One line over two accounts; the rest is the second one's.
    let mut both = placing(&[(first, "351.00"), (second, "100.00")]);
    both["account_id"] = json!(JONAS);
    let matched = bank.post(line, "match", both).await.expect(200);
    assert_eq!(matched.str("/state"), "matched");
    assert_eq!(matched.body["payments"].as_array().unwrap().len(), 2);
    assert_eq!(bank.open_cents(), [0, 25200, 4900]);
    bank.post(line, "match", placing(&[(second, "1.00")]))
        .await
        .problem(409, "transaction_not_open");
    bank.post(line, "dismissal", json!({ "reason": "x" }))
        .await
        .problem(409, "transaction_not_open");
    // All of it back, and then elsewhere: a part, of which nothing is left over for anybody.
    bank.unmatch(line).await.expect(200);
    assert_eq!(bank.open_cents(), [35100, 35200, 0]);
    bank.unmatch(line)
        .await
        .problem(409, "transaction_not_open");
    bank.post(line, "match", placing(&[(second, "352.00")]))
        .await
        .expect(200);
    assert_eq!(bank.open_cents(), [35100, 0, 0]);
    // The whole line as money of an account.
    bank.unmatch(line).await.expect(200);
    let whole = json!({ "account_id": JONAS, "reason": "På forskud" });
    bank.post(line, "match", whole).await.expect(200);
    assert_eq!(bank.open_cents(), [35100, 35200, 50000]);
    // Once some of it went back, it stays where it is.
    bank.app.database.execute(
        "INSERT INTO refunds (id, payment_id, version, kind, amount_cents, currency, state, reason, idempotency_key, payee_account, actor, created_at)
         SELECT id, id, 1, 'bank_transfer', 100, 'EUR', 'to_pay', 'for meget', 'cps-1', 'DK5000400440116243', actor, created_at FROM payments WHERE open_cents = 50000 AND taken_back_at IS NULL",
    );
    bank.unmatch(line).await.problem(409, "payment_refunded");
    assert_eq!(bank.open_cents(), [35100, 35200, 49900]);
    bank.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_that_is_wrong_with_a_match_is_told_at_once_and_where() {
    let bank = Bank::open().await;
    let first = bank.first.0.as_str();
    let lines = bank
        .lines_of(&statement(("M1", 1), (0, 50000), &[credit(50000, "Tak")]))
        .await;
    let line = &lines[0];
    let noted = json!({ "amount": "0.00", "currency": "EUR", "note": "x" });
    let body = json!({
        "allocations": [
            { "invoice_id": "inv_0190000000007000800000000000dead", "amount": noted },
            { "invoice_id": first, "amount": euro("1.00") },
            { "invoice_id": first, "amount": euro("99999999999999999999.00") },
            "all of it",
        ],
        "account_id": "acc_0190000000007000800000000000dead",
        "reason": " ",
    });
    let refused = bank.post(line, "match", body).await;
    let faults = refused.problem(422, "invalid_request").faults();
    let told: Vec<(&str, &str)> = faults
        .iter()
        .map(|(at, code)| (at.as_str(), code.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            ("#/account_id", "reference_unknown"),
            ("#/allocations/0/amount/amount", "too_small"),
            ("#/allocations/0/amount/note", "unknown"),
            ("#/allocations/0/invoice_id", "reference_unknown"),
            ("#/allocations/2/amount/amount", "too_large"),
            ("#/allocations/2/invoice_id", "not_unique"),
            ("#/allocations/3", "type"),
            ("#/reason", "pattern"),
        ]
    );
    let many = vec![(first, "1.00"); 101];
    let many = bank.post(line, "match", placing(&many)).await;
    assert_eq!(
        many.faults(),
        [("#/allocations".to_owned(), "too_many".to_owned())]
    );
    for reason in ["%20", "%01"] {
        let path = format!("{}/match?reason={reason}", super::path_of(line));
        let refused = bank.app.delete(&path, &bank.finance, 1).await;
        assert_eq!(
            refused.faults(),
            [("#/query/reason".to_owned(), "pattern".to_owned())]
        );
    }
    bank.close().await;
}
