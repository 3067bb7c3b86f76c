//! Levels, joining, member numbers: the way to a membership and every refusal on it.

use chrono::{Datelike, Months, TimeDelta};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Database, Sending, TestApp, Token};

/// A seeded account that is no member.
pub const ACCOUNT: &str = "/v1/accounts/acc_00000000000070008000000000000001";
pub const EMAIL: &str = "mette@fjordfoto.example";
/// A seeded account that is one.
const MEMBER: &str = "/v1/accounts/acc_00000000000070008000000000000002";
const MEMBER_EMAIL: &str = "jonas@lysogskygge.example";

/// Has staff give an account so many points that it has `total`.
pub async fn bring_points_to(app: &TestApp, account: &str, total: i64) {
    let admin = app.sign_in("admin@cps.example").await;
    let ledger = app
        .get(&format!("{account}/points"), &admin)
        .await
        .expect(200);
    let amount = total - ledger.body["balance"].as_i64().unwrap();
    if amount != 0 {
        let body = json!({ "amount": amount, "reason": "test" });
        app.post_once(&format!("{account}/points/adjustments"), &admin, body)
            .await
            .expect(201);
    }
}

/// Joins with a key of its own.
pub async fn join(app: &TestApp, account: &str, token: &Token, body: Value) -> Answer {
    app.post_once(&format!("{account}/membership"), token, body)
        .await
}

async fn join_with(app: &TestApp, account: &str, token: &Token, key: &str, body: Value) -> Answer {
    app.request(Method::POST, &format!("{account}/membership"))
        .sent_by(token)
        .header("idempotency-key", key)
        .json(&body)
        .answer()
        .await
}

pub fn by_transfer(level: &str) -> Value {
    json!({ "level": level, "payment_method": "bank_transfer", "accept_terms_version": "2026-01" })
}

pub fn by_card(level: &str, token: &str) -> Value {
    json!({
        "level": level, "payment_method": "card", "card_token": token, "accept_terms_version": "2026-01"
    })
}

fn open(levels: &Answer) -> Vec<String> {
    let all = levels.body["levels"].as_array().unwrap();
    let open = all.iter().filter(|level| level["open"] == true);
    open.map(|level| level["level"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn points_open_levels_and_the_corporate_switch() {
    let vectors: Value = serde_json::from_str(include_str!("../vectors/levels.json")).unwrap();
    let app = TestApp::start().await;
    let token = app.sign_in(EMAIL).await;
    let levels = format!("{ACCOUNT}/membership/levels");
    for case in vectors["cases"].as_array().unwrap() {
        let points = case["points"].as_i64().unwrap();
        bring_points_to(&app, ACCOUNT, points).await;
        let switch = case["corporate"].as_str().unwrap();
        let found = app
            .get(&format!("{levels}?corporate={switch}"), &token)
            .await;
        if case["refused"].is_string() {
            let refused = found.problem(409, "corporate_not_available");
            let detail = refused.str("/detail");
            assert!(
                detail.contains("2500") && detail.contains(&points.to_string()),
                "{detail}"
            );
            continue;
        }
        let found = found.expect(200);
        assert_eq!(json!(open(&found)), case["open"], "{case}");
        assert_eq!(found.body["points"], case["points"]);
        assert_eq!(found.body["invited"], case["invited"], "{case}");
        assert_eq!(found.body["corporate_available"], points > 2500);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_level_says_what_is_missing_what_it_costs_and_what_it_gives() {
    let app = TestApp::start().await;
    let token = app.sign_in(EMAIL).await;
    let levels = format!("{ACCOUNT}/membership/levels");
    bring_points_to(&app, ACCOUNT, 1250).await;
    let danish = app
        .request(Method::GET, &levels)
        .sent_by(&token)
        .header("accept-language", "da")
        .answer()
        .await
        .expect(200);
    let platinum = &danish.body["levels"][2];
    assert_eq!(
        (&platinum["level"], &platinum["rank"]),
        (&json!("platinum"), &json!(3))
    );
    assert_eq!(
        (&platinum["open"], &platinum["points_missing"]),
        (&json!(false), &json!(350))
    );
    assert_eq!(
        platinum["fee"],
        json!({ "amount": "350.00", "currency": "EUR" })
    );
    let english = app.get(&levels, &token).await.expect(200);
    assert_ne!(platinum["benefits"], english.body["levels"][2]["benefits"]);
    let odd = app
        .get(&format!("{levels}?corporate=maybe"), &token)
        .await
        .problem(422, "invalid_request");
    assert_eq!(
        odd.faults(),
        [("#/query/corporate".to_owned(), "not_accepted".to_owned())]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn joining_makes_a_member_at_once_with_a_new_number() {
    let app = TestApp::start().await;
    let token = app.sign_in(EMAIL).await;
    bring_points_to(&app, ACCOUNT, 1600).await;
    let path = format!("{ACCOUNT}/membership");
    app.get(&path, &token).await.problem(404, "no_membership");
    let joined = join(&app, ACCOUNT, &token, by_card("gold", "tok_mastercard"))
        .await
        .expect(201);
    let body = &joined.body;
    assert_eq!(
        (&body["level"], &body["status"]),
        (&json!("gold"), &json!("active"))
    );
    assert_eq!(body["label"], "Active");
    assert_eq!(body["previous_member_numbers"], json!([]));
    assert_eq!(
        (&body["card"]["brand"], &body["card"]["last4"]),
        (&json!("mastercard"), &json!("4444"))
    );
    assert_eq!(body["fee"]["amount"], "200.00");
    let date = |name: &str| -> chrono::NaiveDate { joined.str(name).parse().unwrap() };
    let anniversary = date("/starts_date")
        .checked_add_months(Months::new(12))
        .unwrap();
    assert_eq!(date("/ends_date").succ_opt(), Some(anniversary));
    assert_eq!(joined.header("location"), path);

    let read = app.get(&path, &token).await.expect(200);
    assert_eq!(read.body, joined.body);
    assert_eq!(read.header("etag"), joined.header("etag"));
    let mail = app.mail(EMAIL, "membership_welcome").await;
    let text = mail["text"].as_str().unwrap();
    assert!(
        text.contains(&joined.str("/member_number")) && text.contains("Gold"),
        "{text}"
    );
    let levels = app.get(&format!("{path}/levels"), &token).await.expect(200);
    assert_eq!(open(&levels), ["silver", "gold", "platinum"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lower_level_may_be_chosen_and_corporate_by_its_code() {
    let app = TestApp::start().await;
    let token = app.sign_in(EMAIL).await;
    bring_points_to(&app, ACCOUNT, 2501).await;
    let joined = join(&app, ACCOUNT, &token, by_transfer("corporate"))
        .await
        .expect(201);
    assert_eq!(joined.body["level"], "corporate");
    assert_eq!(joined.body["fee"]["amount"], "1000.00");
    assert!(joined.body.get("card").is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_key_joins_once() {
    let app = TestApp::start().await;
    let token = app.sign_in(EMAIL).await;
    bring_points_to(&app, ACCOUNT, 1000).await;
    let body = by_card("gold", "tok_visa");
    let first = join_with(&app, ACCOUNT, &token, "one-key", body.clone())
        .await
        .expect(201);
    let again = join_with(&app, ACCOUNT, &token, "one-key", body)
        .await
        .expect(201);
    assert_eq!(again.body, first.body);
    assert_eq!(again.header("idempotency-replayed"), "true");
    join_with(&app, ACCOUNT, &token, "one-key", by_transfer("gold"))
        .await
        .problem(422, "idempotency_key_reused");
    join(&app, ACCOUNT, &token, by_transfer("gold"))
        .await
        .problem(409, "already_member");
    let keyless = app
        .post(
            &format!("{ACCOUNT}/membership"),
            &token,
            by_transfer("gold"),
        )
        .await;
    keyless.problem(400, "idempotency_key_required");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_fault_of_a_choice_is_told_at_once() {
    let app = TestApp::start().await;
    let token = app.sign_in(EMAIL).await;
    let fault = |pointer: &str, code: &str| (pointer.to_owned(), code.to_owned());
    let body =
        json!({ "level": "bronze", "payment_method": "card", "accept_terms_version": "2019-01" });
    let refused = join(&app, ACCOUNT, &token, body)
        .await
        .problem(422, "invalid_request");
    assert_eq!(
        refused.faults(),
        [
            fault("#/accept_terms_version", "terms_version_not_current"),
            fault("#/card_token", "card_token_required"),
            fault("#/level", "not_accepted"),
        ]
    );
    assert!(refused.text.contains("silver, gold, platinum, corporate"));
    let mut body = by_transfer("gold");
    body["card_token"] = json!("tok_visa");
    let refused = join(&app, ACCOUNT, &token, body)
        .await
        .problem(422, "invalid_request");
    assert_eq!(
        refused.faults(),
        [fault("#/card_token", "card_token_unexpected")]
    );
    let refused = join(&app, ACCOUNT, &token, by_card("gold", "tok_nobodys"))
        .await
        .problem(422, "invalid_request");
    assert_eq!(
        refused.faults(),
        [fault("#/card_token", "card_token_invalid")]
    );
    let refused = join(&app, ACCOUNT, &token, by_card("gold", "tok_expires_soon"))
        .await
        .problem(422, "card_expires_too_early");
    assert_eq!(
        refused.faults(),
        [fault("#/card_token", "card_expires_too_early")]
    );
    let body = json!({ "level": 3, "payment_method": "cash", "gift": true });
    let refused = join(&app, ACCOUNT, &token, body)
        .await
        .problem(422, "invalid_request");
    assert_eq!(
        refused.faults(),
        [
            fault("#/accept_terms_version", "required"),
            fault("#/gift", "unknown"),
            fault("#/level", "type"),
            fault("#/payment_method", "not_accepted"),
        ]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_level_that_is_not_open_says_how_many_points_are_missing() {
    let app = TestApp::start().await;
    let token = app.sign_in(EMAIL).await;
    bring_points_to(&app, ACCOUNT, 999).await;
    let refused = join(&app, ACCOUNT, &token, by_transfer("gold"))
        .await
        .problem(409, "level_not_open");
    let detail = refused.str("/detail");
    assert!(
        detail.contains("Gold") && detail.contains(": 1."),
        "{detail}"
    );
    join(&app, ACCOUNT, &token, by_transfer("corporate"))
        .await
        .problem(409, "level_not_open");
    join(&app, ACCOUNT, &token, by_transfer("silver"))
        .await
        .expect(201);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_the_own_superuser_joins_and_others_see_nothing() {
    let app = TestApp::start().await;
    let jonas = app.sign_in(MEMBER_EMAIL).await;
    join(&app, ACCOUNT, &jonas, by_transfer("gold"))
        .await
        .problem(404, "not_found");
    let path = format!("{MEMBER}/membership");
    let mette = app.sign_in(EMAIL).await;
    app.get(&path, &mette).await.problem(404, "not_found");
    let support = app.sign_in("support@cps.example").await;
    let nobodys = "/v1/accounts/acc_000000000000700080000000000fffff/membership";
    app.get(nobodys, &support).await.problem(404, "not_found");
    let own = format!("{ACCOUNT}/membership");
    app.get(&own, &mette).await.problem(404, "no_membership");
    for staff in ["support", "finance", "admin"] {
        let staff = app.sign_in(&format!("{staff}@cps.example")).await;
        assert_eq!(
            app.get(&path, &staff).await.expect(200).body["level"],
            "gold"
        );
        join(&app, ACCOUNT, &staff, by_transfer("gold"))
            .await
            .problem(403, "forbidden");
    }
    let reviewer = app.sign_in("reviewer@cps.example").await;
    app.get(&path, &reviewer).await.problem(403, "forbidden");
    let (account, applicant) = app.applicant(json!({})).await;
    app.get(&format!("{account}/membership"), &applicant)
        .await
        .problem(403, "forbidden");
    join(&app, &account, &applicant, by_transfer("gold"))
        .await
        .problem(403, "forbidden");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_joins_at_once_one_makes_a_member() {
    let database = Database::create();
    // Instances behind one address take each other's tokens.
    let shared = [("CPS_PUBLIC_URL", "http://cps.example")];
    let mut instances = vec![TestApp::on(database.clone(), &shared).await];
    if database.is_shared() {
        instances.push(TestApp::on(database.clone(), &shared).await);
    }
    let token = instances[0].sign_in(EMAIL).await;
    bring_points_to(&instances[0], ACCOUNT, 1000).await;
    let racing = (0..12).map(|n| {
        let app = &instances[n % instances.len()];
        join(app, ACCOUNT, &token, by_card("gold", "tok_visa"))
    });
    let answers = futures_util::future::join_all(racing).await;
    let won = answers.iter().filter(|answer| answer.status == 201);
    assert_eq!(won.count(), 1);
    for lost in answers.into_iter().filter(|answer| answer.status != 201) {
        lost.problem(409, "already_member");
    }
    let query = "SELECT COUNT(*) AS n FROM memberships WHERE status = 'active'";
    assert_eq!(database.numbers(query), [4]);
    let query = "SELECT COUNT(*) AS n FROM member_numbers WHERE membership_id IS NOT NULL";
    assert_eq!(database.numbers(query), [5]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_magic_card_does_what_the_sandbox_says() {
    let app = TestApp::start().await;
    app.database.falsified();
    let token = app.sign_in(EMAIL).await;
    bring_points_to(&app, ACCOUNT, 1000).await;
    let card = app.get("/v1/sandbox", &Token::default()).await.expect(200);
    let magic = card.body["magic"]["card_tokens"].as_object().unwrap();
    assert_eq!(magic.len(), 5);
    for (name, effect) in magic {
        let answer = join(&app, ACCOUNT, &token, by_card("silver", name)).await;
        if effect == "card_expires_too_early" {
            answer.problem(422, "card_expires_too_early");
            continue;
        }
        assert!(effect.as_str().unwrap().starts_with("accepted"), "{name}");
        answer.expect(201);
        // Has the invoice issued, so that it can be paid.
        app.advance(TimeDelta::seconds(1)).await;
        app.database.execute(
            "UPDATE memberships SET status = 'ended', ended_at = created_at, standing = NULL, suspended_at = NULL, ended_reason = 'expired';
             UPDATE invoices SET status = 'paid', open_cents = 0",
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn staff_look_a_member_number_up_however_it_is_typed() {
    let app = TestApp::start().await;
    let jonas = app.sign_in(MEMBER_EMAIL).await;
    let number = app
        .get(&format!("{MEMBER}/membership"), &jonas)
        .await
        .expect(200)
        .str("/member_number");
    assert_eq!(number, "100000000287");
    for staff in ["reviewer", "support", "finance", "admin"] {
        let staff = app.sign_in(&format!("{staff}@cps.example")).await;
        let found = app
            .get("/v1/members/1000%200000-0287", &staff)
            .await
            .expect(200);
        assert_eq!(
            (
                &found.body["member_number"],
                &found.body["current_member_number"]
            ),
            (&json!(number), &json!(number))
        );
        assert_eq!(
            (
                &found.body["valid"],
                &found.body["level"],
                &found.body["status"]
            ),
            (&json!(true), &json!("gold"), &json!("active"))
        );
        assert_eq!(found.body["label"], "Active");
        assert!(MEMBER.ends_with(&found.str("/account_id")));
        assert_eq!(found.body["company_name"], "Lys & Skygge Produktion A/S");
    }
    let staff = app.sign_in("support@cps.example").await;
    for mistyped in [
        "100000000278",
        "1000",
        "A-12",
        "12345678901234567890123456789012345678901",
    ] {
        let refused = app
            .get(&format!("/v1/members/{mistyped}"), &staff)
            .await
            .problem(422, "invalid_request");
        assert_eq!(
            refused.faults(),
            [(
                "#/path/member_number".to_owned(),
                "member_number_invalid".to_owned()
            )]
        );
    }
    // Its check digits are right, and nobody has it.
    app.get("/v1/members/999999999951", &staff)
        .await
        .problem(404, "not_found");
    app.get(&format!("/v1/members/{number}"), &jonas)
        .await
        .problem(403, "forbidden");
    app.get(&format!("/v1/members/{number}"), &Token::default())
        .await
        .problem(401, "unauthenticated");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_membership_ends_with_its_term_and_one_that_owes_pays_first() {
    let app = TestApp::start().await;
    app.database.falsified();
    let token = app.sign_in(EMAIL).await;
    bring_points_to(&app, ACCOUNT, 1000).await;
    let first = join(&app, ACCOUNT, &token, by_card("gold", "tok_visa"))
        .await
        .expect(201);
    let ends: chrono::NaiveDate = first.str("/ends_date").parse().unwrap();
    let path = format!("{ACCOUNT}/membership");

    app.set_clock(&format!("{ends}T12:00:00Z")).await;
    let token = app.sign_in(EMAIL).await;
    app.get(&path, &token).await.expect(200);
    app.set_clock(&format!("{}T12:00:00Z", ends.succ_opt().unwrap()))
        .await;
    let token = app.sign_in(EMAIL).await;
    app.get(&path, &token).await.problem(404, "no_membership");
    let support = app.sign_in("support@cps.example").await;
    let number = first.str("/member_number");
    let member = format!("/v1/members/{number}");
    let ended = app.get(&member, &support).await.expect(200);
    assert_eq!(
        (&ended.body["valid"], &ended.body["status"]),
        (&json!(false), &json!("ended"))
    );
    app.database
        .execute("UPDATE memberships SET ended_reason = 'unpaid' WHERE status = 'ended'");
    join(&app, ACCOUNT, &token, by_transfer("gold"))
        .await
        .problem(409, "payment_due");

    app.database
        .execute("UPDATE invoices SET status = 'paid', open_cents = 0, version = version + 1");
    let second = join(&app, ACCOUNT, &token, by_transfer("silver"))
        .await
        .expect(201);
    assert_ne!(second.str("/member_number"), number);
    assert_eq!(second.body["previous_member_numbers"], json!([number]));
    assert_eq!(
        second.str("/starts_date")[..4],
        ends.succ_opt().unwrap().year().to_string()
    );
    let found = app.get(&member, &support).await.expect(200);
    assert_eq!(
        (
            &found.body["member_number"],
            &found.body["current_member_number"]
        ),
        (&json!(number), &second.body["member_number"])
    );
    assert_eq!(found.body["valid"], true);
    let mail = app.mail(EMAIL, "membership_welcome").await;
    assert!(mail["text"].as_str().unwrap().contains(&number));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_that_is_not_active_does_not_join() {
    let app = TestApp::start().await;
    let token = app.sign_in(EMAIL).await;
    bring_points_to(&app, ACCOUNT, 1000).await;
    app.database
        .execute("UPDATE accounts SET status = 'suspended', suspended_from = status WHERE company_name = 'Fjord Foto ApS'");
    join(&app, ACCOUNT, &token, by_transfer("gold"))
        .await
        .problem(409, "account_not_active");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn new_terms_are_accepted_by_joining() {
    let app = TestApp::start().await;
    let token = app.sign_in(EMAIL).await;
    bring_points_to(&app, ACCOUNT, 1000).await;
    app.database
        .execute("UPDATE accounts SET terms_version = '2025-01'");
    let before = app.get(ACCOUNT, &token).await.expect(200);
    join(&app, ACCOUNT, &token, by_transfer("gold"))
        .await
        .expect(201);
    let after = app.get(ACCOUNT, &token).await.expect(200);
    assert_eq!(
        (
            &before.body["accepted_terms_version"],
            &after.body["accepted_terms_version"]
        ),
        (&json!("2025-01"), &json!("2026-01"))
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_number_of_an_old_account_leads_to_the_new_one_once_its_products_came_over() {
    let app = TestApp::start().await;
    let card = app.get("/v1/sandbox", &Token::default()).await.expect(200);
    let old = card.str("/legacy_accounts/0/member_number");
    let (mette, support) = (
        app.sign_in(EMAIL).await,
        app.sign_in("support@cps.example").await,
    );
    let member = format!("/v1/members/{old}");
    app.get(&member, &support).await.problem(404, "not_found");
    let attach = json!({ "member_number": old, "reason": "the old address is gone" });
    app.put(&format!("{ACCOUNT}/legacy-account"), &support, attach)
        .await
        .expect(200);
    app.get(&member, &support).await.problem(404, "not_found");
    app.act(&format!("{ACCOUNT}/migration"), &mette)
        .await
        .expect(200);
    let found = app.get(&member, &support).await.expect(200);
    assert_eq!(
        (&found.body["member_number"], &found.body["valid"]),
        (&json!(old), &json!(false))
    );
    assert!(found.body.get("current_member_number").is_none());

    bring_points_to(&app, ACCOUNT, 1000).await;
    let joined = join(&app, ACCOUNT, &mette, by_transfer("gold"))
        .await
        .expect(201);
    assert_eq!(joined.body["previous_member_numbers"], json!([old]));
    assert_ne!(joined.str("/member_number"), old);
    let found = app.get(&member, &support).await.expect(200);
    assert_eq!(found.body["valid"], true);
    assert_eq!(
        (
            &found.body["member_number"],
            &found.body["current_member_number"]
        ),
        (&json!(old), &joined.body["member_number"])
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_corporate_fee_goes_by_the_complete_products_at_joining() {
    let app = TestApp::start().await;
    let token = app.sign_in(EMAIL).await;
    bring_points_to(&app, ACCOUNT, 2501).await;
    let levels = format!("{ACCOUNT}/membership/levels?corporate=on");
    let fee = |levels: &Answer| levels.str("/levels/0/fee/amount");
    assert_eq!(fee(&app.get(&levels, &token).await.expect(200)), "1000.00");
    let copies: Vec<String> = (0..50)
        .map(|n| {
            format!(
                "INSERT INTO products (id, account_id, model_id, version, status, serial_number, serial_key, serial_since,
                    purchase_date, purchase_country, dealer, estimated, created_at, updated_at)
                 SELECT '{}', account_id, model_id, 1, status, '77{n:08}', '77{n:08}', serial_since,
                    purchase_date, purchase_country, dealer, estimated, created_at, updated_at
                 FROM products WHERE serial_number = '012021009001'",
                uuid::Uuid::now_v7()
            )
        })
        .collect();
    app.database.execute(&copies.join(";\n"));
    assert_eq!(fee(&app.get(&levels, &token).await.expect(200)), "2500.00");
    let joined = join(&app, ACCOUNT, &token, by_transfer("corporate"))
        .await
        .expect(201);
    assert_eq!(joined.body["fee"]["amount"], "2500.00");
}
