//! Money that goes back, and the lists of finance: payments with where each cent went, refunds that are to be paid, invoices across accounts.

use chrono::NaiveDate;
use serde_json::{Value, json};

use crate::paid::{PAYER, paid};
use crate::support::{Answer, Database, TestApp, Token};

const JONAS: &str = "/v1/accounts/acc_00000000000070008000000000000002";
const INVOICE: &str = "inv_00000000000070008000000000000002";

fn euro(amount: &str) -> Value {
    json!({ "amount": amount, "currency": "EUR" })
}

/// Each fault with its place.
fn told(answer: &Answer) -> Vec<String> {
    let faults = answer.faults().into_iter();
    faults.map(|(at, code)| format!("{at} {code}")).collect()
}

async fn refund(app: &TestApp, finance: &Token, payment: &str, amount: &str) -> Answer {
    let path = format!("{JONAS}/payments/{payment}/refunds");
    let body = json!({ "amount": euro(amount), "reason": "Paid twice." });
    app.post_once(&path, finance, body).await
}

/// Case 17 of the design: of a payment that is partly on an invoice, twice, and one that fails.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn never_more_goes_back_than_came_in() {
    let app = TestApp::start().await;
    let finance = app.sign_in("finance@cps.example").await;
    paid(&app, JONAS, Some(INVOICE), 15000);
    let payment = paid(&app, JONAS, None, 5000);
    refund(&app, &finance, &payment, "50.01")
        .await
        .problem(409, "refund_exceeds_payment");
    let first = refund(&app, &finance, &payment, "20.00").await.expect(202);
    assert_eq!(
        (first.str("/state"), first.str("/payee_account")),
        ("to_pay".to_owned(), PAYER.to_owned())
    );
    assert_eq!(first.str("/label"), "To be paid");
    let more = refund(&app, &finance, &payment, "30.01").await;
    let more = more.problem(409, "refund_exceeds_payment");
    assert!(more.str("/detail").contains("30.00 EUR"));
    let second = refund(&app, &finance, &payment, "30.00").await.expect(202);
    let open = async || {
        app.get(&format!("{JONAS}/payments"), &finance).await.body["items"][0]["open"].clone()
    };
    assert_eq!(open().await, euro("0.00"));
    // The bank sent it back.
    let failed = format!(
        "UPDATE refunds SET state = 'failed' WHERE amount_cents = {}",
        3000
    );
    app.database.execute(&failed);
    assert_eq!(open().await, euro("30.00"));

    let payout = |id: &Answer| format!("/v1/refunds/{}/payout", id.str("/id"));
    let today = (app.now().await).date_naive();
    let on = |day: NaiveDate| json!({ "paid_date": day });
    let mut late = on(today + chrono::Days::new(2));
    late["more"] = json!(1);
    let late = app.post_once(&payout(&first), &finance, late).await;
    assert_eq!(
        told(&late),
        ["#/more unknown", "#/paid_date date_in_future"]
    );
    let yesterday = today - chrono::Days::new(1);
    let keyless = app.post(&payout(&first), &finance, on(yesterday)).await;
    keyless.problem(400, "idempotency_key_required");
    for _ in 0..2 {
        let paid = app
            .post_once(&payout(&first), &finance, on(yesterday))
            .await
            .expect(200);
        assert_eq!(
            (paid.str("/state"), &paid.body["paid_date"]),
            ("succeeded".to_owned(), &json!(yesterday))
        );
    }
    for (refund, day) in [(&first, today), (&second, yesterday)] {
        let again = app.post_once(&payout(refund), &finance, on(day)).await;
        again.problem(409, "refund_not_to_pay");
    }
    // Once, however often it was said.
    app.advance(chrono::TimeDelta::seconds(1)).await;
    let mails = app.mails("jonas@lysogskygge.example").await;
    let mut paid = mails
        .iter()
        .filter(|mail| mail["template"] == "refund_paid");
    let text = paid.next().unwrap()["text"].as_str().unwrap();
    let reference = first.str("/reference");
    for word in ["20,00 EUR", "6243", &reference] {
        assert!(text.contains(word), "{word}: {text}");
    }
    assert!(!text.contains(PAYER) && paid.next().is_none(), "{text}");
    let told = app.stop().await.command(&["verify-ledger"]);
    assert!(told.contains("Every sum of money is right"), "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn money_goes_back_to_the_account_that_it_came_from_and_to_no_other() {
    let app = TestApp::start().await;
    let finance = app.sign_in("finance@cps.example").await;
    let payment = paid(&app, JONAS, None, 5000);
    let other =
        format!("/v1/accounts/acc_00000000000070008000000000000001/payments/{payment}/refunds");
    let body = json!({ "amount": euro("1.00"), "reason": "x" });
    app.post_once(&other, &finance, body)
        .await
        .problem(404, "not_found");
    let kroner = json!({ "amount": { "amount": "1.00", "currency": "DKK" }, "reason": "x" });
    let path = format!("{JONAS}/payments/{payment}/refunds");
    let kroner = app.post_once(&path, &finance, kroner).await;
    assert_eq!(
        kroner.faults(),
        [("#/amount/currency".to_owned(), "not_accepted".to_owned())]
    );
    let wrong =
        json!({ "amount": { "amount": "1.00", "currency": "DKK", "note": "x" }, "reason": " " });
    let wrong = app.post_once(&path, &finance, wrong).await;
    let at = [
        "#/amount/currency not_accepted",
        "#/amount/note unknown",
        "#/reason pattern",
    ];
    assert_eq!(told(&wrong), at);
    let none = refund(&app, &finance, &payment, "99999999999999999999.00").await;
    assert_eq!(told(&none), ["#/amount/amount too_large"]);
    let none = refund(&app, &finance, &payment, "0.00").await;
    assert_eq!(
        none.faults(),
        [("#/amount/amount".to_owned(), "too_small".to_owned())]
    );
    app.database
        .execute("UPDATE payments SET disputed_at = created_at");
    refund(&app, &finance, &payment, "1.00")
        .await
        .problem(409, "payment_in_dispute");
    app.database.execute(
        "UPDATE payments SET disputed_at = NULL; UPDATE bank_transactions SET payer_account = NULL",
    );
    refund(&app, &finance, &payment, "1.00")
        .await
        .problem(409, "paying_account_unknown");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_bookkeeper_gets_a_row_for_each_cents_way() {
    let app = TestApp::start().await;
    let finance = app.sign_in("finance@cps.example").await;
    paid(&app, JONAS, Some(INVOICE), 15000);
    let payment = paid(&app, JONAS, None, 5000);
    let back = refund(&app, &finance, &payment, "20.00").await.expect(202);
    let file = app
        .get(
            "/v1/payments?from=2026-12-01&to=2026-12-01&format=csv",
            &finance,
        )
        .await
        .expect(200);
    assert!(file.header("content-type").starts_with("text/csv"));
    let rows: Vec<Vec<&str>> = file
        .text
        .lines()
        .map(|line| line.split(',').collect())
        .collect();
    assert_eq!(
        rows[0][5..9],
        ["booked_as", "invoice_number", "amount", "currency"]
    );
    let of: Vec<(&str, &str)> = rows[1..].iter().map(|row| (row[5], row[7])).collect();
    assert_eq!(
        of,
        [
            ("allocation", "150.00"),
            ("refund", "20.00"),
            ("open", "30.00")
        ]
    );
    assert_eq!(rows[1][3], "Lys & Skygge Produktion A/S");
    let none = app
        .get("/v1/payments?to=2026-11-30&format=csv", &finance)
        .await
        .expect(200);
    assert_eq!(none.text.lines().count(), 1);
    let excel = app
        .get("/v1/refunds?state=to_pay&format=csv&for=excel", &finance)
        .await
        .expect(200);
    let row: Vec<&str> = excel.text.lines().nth(1).unwrap().split(';').collect();
    assert_eq!(
        row,
        [
            "'=Foto Nord",
            PAYER,
            "20,00",
            "EUR",
            &back.str("/reference"),
            "to_pay",
            ""
        ]
    );
    let payments = app.get(&format!("{JONAS}/payments"), &finance).await;
    assert_eq!(payments.str("/items/0/refunds/0/label"), "To be paid");

    let pages = [
        "/v1/payments?limit=1",
        "/v1/refunds",
        "/v1/refunds?state=failed",
    ];
    let mut counts = Vec::new();
    for path in pages {
        let page = app.get(path, &finance).await.expect(200);
        counts.push(page.body["items"].as_array().unwrap().len());
    }
    assert_eq!(counts, [1, 1, 0]);
    let first = app
        .get("/v1/payments?limit=1&from=2026-12-01", &finance)
        .await
        .expect(200);
    let next = first
        .header("link")
        .split(['<', '>'])
        .nth(1)
        .unwrap()
        .to_owned();
    let second = app.get(&next, &finance).await.expect(200);
    assert_eq!(second.str("/items/0/id"), payment);
    assert_eq!(
        second.str("/items/0/account_number"),
        first.str("/items/0/account_number")
    );
    assert_eq!(second.body["next_cursor"], Value::Null);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_invoice_is_found_by_number_reference_and_name() {
    let database = Database::create();
    let programme = include_str!("../../programme.toml");
    let small = programme.replace("prefix = \"CPS\"", "prefix = \"cps\"");
    let programme = database.file("small.toml", &small);
    let app = TestApp::on(database, &[("CPS_PROGRAMME", &programme)]).await;
    let support = app.sign_in("support@cps.example").await;
    let all = app.get("/v1/invoices", &support).await.expect(200);
    let items = all.body["items"].as_array().unwrap();
    let one = items.iter().find(|one| one["id"] == INVOICE).unwrap();
    assert_eq!(one["overdue"], false);
    assert_eq!(one["label"], "Not paid");
    let [number, reference] =
        ["number", "payment_reference"].map(|name| one[name].as_str().unwrap().to_owned());
    let count = async |query: &str| {
        let page = app
            .get(&format!("/v1/invoices?{query}"), &support)
            .await
            .expect(200);
        page.body["items"].as_array().unwrap().len()
    };
    for query in [
        format!("query={number}"),
        format!("query={}", number.to_uppercase()),
        format!("query=%20{}%20", number.replace('-', "%20-%20")),
        "query=%20skygge".to_owned(),
        "query=skygge%20%20produktion%20".to_owned(),
        format!("query={}", reference.to_lowercase()),
        "query=skygge".to_owned(),
        "status=open&query=skygge".to_owned(),
    ] {
        assert_eq!(count(&query).await, 1, "{query}");
    }
    for query in [
        "query=CPS",
        "status=paid&query=skygge",
        "overdue=true&query=skygge",
    ] {
        assert_eq!(count(query).await, 0, "{query}");
    }
    app.database
        .execute("UPDATE invoices SET collect_from = '2020-01-01' WHERE kind = 'invoice'");
    assert_eq!(count("overdue=true&query=skygge").await, 1);
    app.database
        .execute("UPDATE accounts SET company_key = 'bl\u{e5}b\u{e6}r foto' WHERE company_key LIKE '%skygge%'");
    assert_eq!(count("query=BLA%CC%8AB%C3%86R").await, 1);
}
