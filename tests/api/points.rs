//! Points: balances now and then, the invitation, adjustments, and a ledger that can be recomputed.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use cps_api::repository::Kind;
use serde_json::{Value, json};

use crate::raw::Raw;
use crate::support::{Sending, TestApp, Token};

async fn points(app: &TestApp, account: &str, token: &Token, query: &str) -> Value {
    let path = format!("{account}/points{query}");
    app.get(&path, token).await.expect(200).body
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_balance_tells_the_next_thresholds_and_any_past_moment() {
    let app = TestApp::start().await;
    let asta = app.business("asta@punkt.example", json!({})).await;
    let empty = points(&app, &asta.account, &asta.token, "").await;
    assert_eq!(
        (&empty["balance"], &empty["held"], &empty["invited"]),
        (&json!(0), &json!(0), &json!(false))
    );
    let levels: Vec<&Value> = empty["next_thresholds"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["level"])
        .collect();
    assert_eq!(
        levels,
        [&json!("silver"), &json!("gold"), &json!("platinum")]
    );

    app.adjust(&asta.account, 1250).await;
    let moment = app.now().await;
    app.advance(TimeDelta::minutes(1)).await;
    app.adjust(&asta.account, -300).await;
    let now = points(&app, &asta.account, &asta.token, "").await;
    assert_eq!(
        (&now["balance"], &now["invited"]),
        (&json!(950), &json!(true))
    );
    let at = moment.to_rfc3339_opts(chrono::SecondsFormat::Micros, true);
    let then = points(&app, &asta.account, &asta.token, &format!("?as_of={at}")).await;
    assert_eq!(then["balance"], 1250);
    assert_eq!(
        then["next_thresholds"],
        json!([{ "level": "platinum", "opens_at": 1600, "points_missing": 350 }])
    );
    let before = points(
        &app,
        &asta.account,
        &asta.token,
        "?as_of=2020-01-01T00:00:00Z",
    )
    .await;
    assert_eq!(before["balance"], 0);
    app.get(
        &format!("{}/points?as_of=yesterday", asta.account),
        &asta.token,
    )
    .await
    .problem(422, "invalid_request");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_entry_that_had_to_wait_changes_no_moment_that_has_passed() {
    let app = TestApp::start().await;
    let asta = app.business("asta@punkt.example", json!({})).await;
    app.adjust(&asta.account, 100).await;
    let admin = app.sign_in("admin@cps.example").await;
    let mut raw = Raw::open(&app.database);
    let begin = match raw.kind() {
        Kind::Postgres => "BEGIN",
        Kind::Sqlite => "BEGIN IMMEDIATE",
    };
    raw.run(begin).unwrap();
    raw.run("UPDATE accounts SET city = city").unwrap();
    let path = format!("{}/points/adjustments", asta.account);
    let body = json!({ "amount": 50, "reason": "a test" });
    let waiting = app.post_once(&path, &admin, body);
    let between = async {
        tokio::time::sleep(Duration::from_millis(700)).await;
        let between = app.now().await;
        raw.run("COMMIT").unwrap();
        between
    };
    let (entry, between) = tokio::join!(waiting, between);
    let made: DateTime<Utc> = entry.expect(201).str("/created_at").parse().unwrap();
    assert!(made > between, "{made} {between}");
    let at = between.to_rfc3339_opts(chrono::SecondsFormat::Micros, true);
    let then = points(&app, &asta.account, &asta.token, &format!("?as_of={at}")).await;
    assert_eq!(then["balance"], 100);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reaching_five_hundred_invites_once_and_again_only_after_thirty_days_below() {
    let app = TestApp::start().await;
    let asta = app.business("asta@punkt.example", json!({})).await;
    let invitations = async || {
        let mails = app.mails(&asta.email).await;
        mails
            .iter()
            .filter(|mail| mail["template"] == "programme_invitation")
            .count()
    };
    app.adjust(&asta.account, 499).await;
    app.advance(TimeDelta::seconds(1)).await;
    assert_eq!(invitations().await, 0);
    app.adjust(&asta.account, 1).await;
    let mail = app.mail(&asta.email, "programme_invitation").await;
    assert!(mail["text"].as_str().unwrap().contains("500") && mail["language"] == "da");
    app.adjust(&asta.account, -1).await;
    app.advance(TimeDelta::days(29)).await;
    app.adjust(&asta.account, 1).await;
    app.adjust(&asta.account, -1).await;
    app.advance(TimeDelta::days(31)).await;
    assert_eq!(invitations().await, 1);
    app.adjust(&asta.account, 1).await;
    app.advance(TimeDelta::seconds(1)).await;
    assert_eq!(invitations().await, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn staff_adjust_with_a_reason_and_a_key() {
    let app = TestApp::start().await;
    let asta = app.business("asta@punkt.example", json!({})).await;
    let admin = app.sign_in("admin@cps.example").await;
    let path = format!("{}/points/adjustments", asta.account);
    let body = json!({ "amount": 100, "reason": "En tabt udlånskasse" });
    app.post(&path, &admin, body.clone())
        .await
        .problem(400, "idempotency_key_required");
    let made = app.post_once(&path, &admin, body.clone()).await.expect(201);
    assert_eq!(
        (
            &made.body["kind"],
            &made.body["balance"],
            &made.body["reason"],
            &made.body["seq"]
        ),
        (
            &json!("adjustment"),
            &json!(100),
            &json!("En tabt udlånskasse"),
            &json!(1)
        )
    );
    for (amount, pointer) in [(json!(0), "#/amount"), (json!(1.5), "#/amount")] {
        let wrong = json!({ "amount": amount, "reason": "r" });
        let refused = app.post_once(&path, &admin, wrong).await;
        assert_eq!(
            refused.problem(422, "invalid_request").faults()[0].0,
            pointer
        );
    }
    let huge = json!({ "amount": 1_000_000, "reason": "r" });
    for _ in 0..3 {
        app.post_once(&path, &admin, huge.clone()).await.expect(201);
    }
    app.post_once(&path, &asta.token, body.clone())
        .await
        .problem(403, "forbidden");
    let draft = app.applicant(json!({})).await.0;
    app.post_once(&format!("{draft}/points/adjustments"), &admin, body)
        .await
        .problem(409, "account_not_active");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_ledger_is_read_page_by_page() {
    let app = TestApp::start().await;
    let asta = app.business("asta@punkt.example", json!({})).await;
    for amount in 1..=5 {
        app.adjust(&asta.account, amount).await;
    }
    let (mut path, mut seen) = (
        format!("{}/points/entries?limit=2", asta.account),
        Vec::new(),
    );
    loop {
        let page = app.get(&path, &asta.token).await.expect(200);
        let items = page.body["items"].as_array().unwrap();
        seen.extend(items.iter().map(|entry| entry["seq"].as_i64().unwrap()));
        let Some(cursor) = page.body["next_cursor"].as_str() else {
            break;
        };
        assert!(page.header("link").contains(cursor));
        path = format!("{}/points/entries?limit=2&cursor={cursor}", asta.account);
    }
    assert_eq!(seen, [5, 4, 3, 2, 1]);
    let wrong = format!("{}/points/entries?limit=101", asta.account);
    app.get(&wrong, &asta.token)
        .await
        .problem(422, "invalid_request");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_entry_says_who_made_it_and_never_lies_before_the_one_before_it() {
    let app = TestApp::start().await;
    let asta = app.business("asta@punkt.example", json!({})).await;
    app.adjust(&asta.account, 100).await;
    // Another instance, whose clock is ahead, has written the last entry.
    app.database
        .execute("UPDATE points_accounts SET last_at = '2099-01-01T00:00:00.000000Z'");
    app.adjust(&asta.account, 1).await;
    let admin = app.sign_in("admin@cps.example").await;
    let path = format!("{}/points/entries", asta.account);
    let own = app.get(&path, &asta.token).await.expect(200);
    let seen = app.get(&path, &admin).await.expect(200);
    assert_eq!(own.body["items"][0]["created_at"], "2099-01-01T00:00:00Z");
    // An account learns that it was staff, staff learn who.
    assert_eq!(own.body["items"][0]["actor"], json!({ "kind": "staff" }));
    assert!(own.body["items"][0].get("made_by").is_none());
    let maker = &seen.body["items"][0];
    assert_eq!(maker["actor"]["kind"], "staff");
    assert_eq!(maker["actor"]["id"], maker["made_by"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_loses_serial_numbers_learns_nothing_of_the_rival_and_is_told_of_the_points_once() {
    let app = TestApp::start().await;
    let asta = app.business("asta@punkt.example", json!({})).await;
    let bo = app
        .business("bo@punkt.example", json!({ "vat_number": "24256790" }))
        .await;
    let model = app.model("EOS 5D Mark III").await;
    let products = format!("{}/products", asta.account);
    for serial in ["012021001234", "012021001235"] {
        let guess = json!({
            "model_id": model, "serial_number": serial, "purchase_date": "2024-05-17", "purchase_country": "DK", "dealer": "Foto Nord",
            "estimated": ["serial_number"]
        });
        app.post(&products, &asta.token, guess).await.expect(201);
    }
    let file = "model,serial_number,purchase_date,purchase_country,dealer,estimated\n\
        EOS 5D Mark III,012021001234,2024-05-17,DK,Foto Nord,\nEOS 5D Mark III,012021001235,2024-05-17,DK,Foto Nord,\n";
    let import = app
        .request(
            reqwest::Method::POST,
            &format!("{}/products/import", bo.account),
        )
        .sent_by(&bo.token)
        .header("content-type", "text/csv")
        .header("idempotency-key", "the-real-owner");
    import.body(file).answer().await.expect(200);
    let path = format!("{}/points/entries", asta.account);
    let own = app.get(&path, &asta.token).await.expect(200);
    let entries = own.body["items"].as_array().unwrap();
    assert_eq!(entries.len(), 4);
    for lost in &entries[..2] {
        assert_eq!(lost["kind"], "reversal");
        assert_eq!(lost["actor"], json!({ "kind": "user" }));
        assert!(lost.get("made_by").is_none());
    }
    for won in &entries[2..] {
        assert!(won["actor"]["id"].is_string());
    }
    assert_eq!(app.balance(&asta.account, &asta.token).await, 0);
    let id = crate::businesses::id_of(&asta.account);
    let waiting = "SELECT CAST(count(*) AS TEXT) AS line FROM event_inbox";
    let mut raw = Raw::open(&app.database);
    while raw.lines(waiting) != ["0"] {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let told = raw.lines(&format!(
        "SELECT data AS line FROM events WHERE type = 'points.changed' AND stream = '{id}' ORDER BY position"
    ));
    let last: serde_json::Value = serde_json::from_str(told.last().unwrap()).unwrap();
    assert_eq!(
        (told.len(), &last["from_seq"], &last["to_seq"]),
        (3, &json!(3), &json!(4))
    );
}
