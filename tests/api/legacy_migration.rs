//! MIGRATE PRODUCTS: the proof of the old address, the takeover, and who may not.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::businesses::{Business, PASSWORD};
use crate::support::{TestApp, Token};

pub const OLD: &str = "foto@nordlys.example";

pub async fn with_old_address(app: &TestApp, email: &str, old: &str) -> Business {
    app.business(email, json!({ "legacy_cps_email": old }))
        .await
}

fn migration(business: &Business) -> String {
    format!("{}/migration", business.account)
}

fn proof(business: &Business) -> String {
    format!("{}/migration/proof", business.account)
}

/// Has the code sent and enters it.
pub async fn prove(app: &TestApp, business: &Business, old: &str) {
    let before = app.mails(old).await.len();
    app.act(&proof(business), &business.token).await.expect(202);
    while app.mails(old).await.len() == before {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let mail = app.mail(old, "migration_proof").await;
    let body = json!({ "code": mail["code"] });
    app.put(&proof(business), &business.token, body)
        .await
        .expect(204);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_products_of_the_old_account_come_over_once() {
    let app = TestApp::start().await;
    let asta = with_old_address(&app, "asta@nordlys.example", OLD).await;
    let waiting = app.get(&migration(&asta), &asta.token).await.expect(200);
    assert_eq!(
        (&waiting.body["available"], &waiting.body["reason"]),
        (&json!(false), &json!("awaiting_proof"))
    );
    assert!(waiting.body["next_step"].is_string());
    assert_eq!(waiting.str("/next_operation"), "sendMigrationCode");
    app.act(&migration(&asta), &asta.token)
        .await
        .problem(409, "awaiting_proof");
    prove(&app, &asta, OLD).await;
    let ready = app.get(&migration(&asta), &asta.token).await.expect(200);
    let (camera, lens) = ("EOS 5D Mark III", "EF 40mm f/2.8 STM");
    assert_eq!(
        ready.body,
        json!({ "available": true, "products": 4, "waiting": [
            { "legacy_reference": "L-1001", "model": camera, "serial_number": "018021004411", "missing": [] },
            { "legacy_reference": "L-1002", "model": lens, "serial_number": "4711001122", "missing": [] },
            { "legacy_reference": "L-1003", "model": "EF 24-70mm f/2.8L II USM", "serial_number": "4500001234", "missing": ["dealer"] },
            { "legacy_reference": "L-1004", "model": "EOS-1D X Mark II", "missing": ["serial_number"] },
        ] })
    );

    let moved = app.act(&migration(&asta), &asta.token).await.expect(200);
    let items = moved.body["items"].as_array().unwrap();
    let told: Vec<(&str, &str)> = items
        .iter()
        .map(|item| {
            (
                item["legacy_reference"].as_str().unwrap(),
                item["result"].as_str().unwrap(),
            )
        })
        .collect();
    let wanted = [
        ("L-1001", "complete"),
        ("L-1002", "complete"),
        ("L-1003", "incomplete"),
        ("L-1004", "incomplete"),
    ];
    assert_eq!(told, wanted);
    assert_eq!(items[2]["missing"], json!(["dealer"]));
    assert_eq!(items[3]["missing"], json!(["serial_number"]));
    assert_eq!(moved.body["points_granted"], 250);
    assert_eq!(app.balance(&asta.account, &asta.token).await, 250);

    let again = app.act(&migration(&asta), &asta.token).await.expect(200);
    assert_eq!(
        (&again.body["items"], &again.body["points_granted"]),
        (&moved.body["items"], &json!(0))
    );
    let done = app.get(&migration(&asta), &asta.token).await.expect(200);
    assert_eq!(done.body["reason"], "already_migrated");
    assert_eq!(done.body.get("waiting"), None);
    let product = format!(
        "{}/products/{}",
        asta.account,
        items[2]["product_id"].as_str().unwrap()
    );
    let completed = app
        .patch(&product, &asta.token, 1, json!({ "dealer": "Foto Nord" }))
        .await
        .expect(200);
    assert_eq!(
        (
            &completed.body["status"],
            &completed.body["legacy_reference"]
        ),
        (&json!("complete"), &json!("L-1003"))
    );

    let late = with_old_address(&app, "late@nordlys.example", OLD).await;
    prove(&app, &late, OLD).await;
    app.act(&migration(&late), &late.token)
        .await
        .problem(409, "already_migrated");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn some_products_come_now_and_the_others_later() {
    let app = TestApp::start().await;
    let asta = with_old_address(&app, "asta@nordlys.example", OLD).await;
    prove(&app, &asta, OLD).await;
    let body = json!({ "legacy_references": ["L-1001", "L-9999"] });
    let refused = app.post(&migration(&asta), &asta.token, body).await;
    assert_eq!(
        refused.problem(422, "invalid_request").faults(),
        [(
            "#/legacy_references/1".to_owned(),
            "reference_unknown".to_owned()
        )]
    );
    let body = json!({ "legacy_references": ["L-1001"] });
    let some = app
        .post(&migration(&asta), &asta.token, body)
        .await
        .expect(200);
    assert_eq!(some.body["items"].as_array().unwrap().len(), 1);
    let ready = app.get(&migration(&asta), &asta.token).await.expect(200);
    assert_eq!(ready.body["products"], 3);
    let waiting = ready.body["waiting"].as_array().unwrap();
    let waiting = waiting.iter().map(|one| &one["legacy_reference"]);
    assert_eq!(Vec::from_iter(waiting), ["L-1002", "L-1003", "L-1004"]);
    let rest = app.act(&migration(&asta), &asta.token).await.expect(200);
    assert_eq!(
        (
            rest.body["items"].as_array().unwrap().len(),
            &rest.body["points_granted"]
        ),
        (4, &json!(15))
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_held_serial_number_is_a_conflict_and_an_old_model_unknown() {
    let app = TestApp::start().await;
    let old = "studie@solsikke.example";
    let sol = with_old_address(&app, "sol@solsikke.example", old).await;
    prove(&app, &sol, old).await;
    let moved = app.act(&migration(&sol), &sol.token).await.expect(200);
    let results: Vec<&Value> = moved.body["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| &item["result"])
        .collect();
    assert_eq!(results, ["complete", "unknown_model", "conflict"]);
    assert!(moved.body["items"][1].get("product_id").is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_own_proven_address_needs_no_code() {
    let app = TestApp::start().await;
    let old = "arkiv@strandby.example";
    let own = with_old_address(&app, old, old).await;
    let ready = app.get(&migration(&own), &own.token).await.expect(200);
    assert_eq!(ready.body["products"], 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_code_has_five_tries_and_fifteen_minutes_and_a_day_three_mails() {
    let app = TestApp::start().await;
    let asta = with_old_address(&app, "asta@nordlys.example", OLD).await;
    let enter = async |code: &str| {
        let body = json!({ "code": code });
        app.put(&proof(&asta), &asta.token, body).await
    };
    enter("12345678").await.problem(422, "code_invalid");
    app.act(&proof(&asta), &asta.token).await.expect(202);
    let first = app.mail(OLD, "migration_proof").await["code"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(first.len(), 8);
    let wrong = format!("{:08}", (first.parse::<u32>().unwrap() + 1) % 100_000_000);
    for _ in 0..5 {
        enter(&wrong).await.problem(422, "code_invalid");
    }
    let locked = enter(&first).await.problem(429, "too_many_attempts");
    assert!(!locked.header("retry-after").is_empty());
    for _ in 0..2 {
        app.act(&proof(&asta), &asta.token).await.expect(202);
    }
    let fourth = app
        .act(&proof(&asta), &asta.token)
        .await
        .problem(429, "rate_limited");
    assert!(fourth.header("retry-after").parse::<u64>().unwrap() > 80_000);
    app.advance(TimeDelta::seconds(1)).await;
    let newest = app.mail(OLD, "migration_proof").await["code"].clone();
    app.advance(TimeDelta::minutes(16)).await;
    let token = app.sign_in_with(&asta.email, PASSWORD).await;
    app.put(&proof(&asta), &token, json!({ "code": newest }))
        .await
        .problem(422, "code_invalid");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_gave_no_old_address_is_helped_by_support() {
    let app = TestApp::start().await;
    let asta = app.business("asta@nordlys.example", json!({})).await;
    let none = app.get(&migration(&asta), &asta.token).await.expect(200);
    assert_eq!(none.body["reason"], "no_legacy_email");
    app.act(&proof(&asta), &asta.token)
        .await
        .problem(409, "no_legacy_email");
    let support = app.sign_in("support@cps.example").await;
    let path = format!("{}/legacy-account", asta.account);
    let body = |number: &str| json!({ "member_number": number, "reason": "Den gamle postkasse er lukket" });
    app.put(&path, &asta.token, body("4410023"))
        .await
        .problem(403, "forbidden");
    let unknown = app.put(&path, &support, body("1")).await;
    assert_eq!(
        unknown.problem(422, "invalid_request").faults()[0],
        ("#/member_number".to_owned(), "number_unknown".to_owned())
    );
    let no_reason = json!({ "member_number": "1" });
    let no_reason = app.put(&path, &support, no_reason).await;
    assert_eq!(
        no_reason.problem(422, "invalid_request").faults(),
        [
            ("#/member_number", "number_unknown"),
            ("#/reason", "required")
        ]
        .map(|(at, code)| (at.to_owned(), code.to_owned()))
    );
    app.put(&path, &support, body("4410023")).await.expect(200);
    let ready = app.get(&migration(&asta), &asta.token).await.expect(200);
    assert_eq!(ready.body["products"], 4);
    let other = "/v1/accounts/acc_00000000000070008000000000000001/legacy-account";
    app.put(other, &support, body("4410023"))
        .await
        .problem(409, "legacy_account_taken");
    app.act(&migration(&asta), &asta.token).await.expect(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_old_accounts_go_to_one_account_each_once() {
    let app = TestApp::start().await;
    let asta = with_old_address(&app, "asta@nordlys.example", OLD).await;
    let support = app.sign_in("support@cps.example").await;
    let attach = async |number: &str| {
        let path = format!("{}/legacy-account", asta.account);
        let body = json!({ "member_number": number, "reason": "Den gamle postkasse er lukket" });
        app.put(&path, &support, body).await.expect(200)
    };
    let references = async || {
        let read = app.get(&migration(&asta), &asta.token).await.expect(200);
        let waiting = read.body["waiting"].as_array().cloned().unwrap_or_default();
        let of = |one: &Value| one["legacy_reference"].as_str().unwrap().to_owned();
        waiting.iter().map(of).collect::<Vec<_>>()
    };
    attach("4410081").await;
    attach("4410057").await;
    let attached = ["L-3001", "L-3002", "L-3003", "L-2001", "L-2002"];
    assert_eq!(references().await, attached);
    let moved = app.act(&migration(&asta), &asta.token).await.expect(200);
    assert_eq!(moved.body["items"].as_array().unwrap().len(), 5);
    let points = moved.body["points_granted"].as_i64().unwrap();
    assert!(points > 0);

    // The account of its own old address comes beside them, once that is proven.
    let waits = app.get(&migration(&asta), &asta.token).await.expect(200);
    assert_eq!(waits.body["reason"], "awaiting_proof");
    prove(&app, &asta, OLD).await;
    assert_eq!(references().await, ["L-1001", "L-1002", "L-1003", "L-1004"]);
    let rest = app.act(&migration(&asta), &asta.token).await.expect(200);
    let items = rest.body["items"].as_array().unwrap();
    assert_eq!(items.len(), 9);
    for item in moved.body["items"].as_array().unwrap() {
        assert!(items.contains(item), "{item}");
    }
    assert_eq!(rest.body["points_granted"], 250);
    let balance = app.balance(&asta.account, &asta.token).await;
    assert_eq!(balance, points + 250);
    let again = app.act(&migration(&asta), &asta.token).await.expect(200);
    assert_eq!(again.body["points_granted"], 0);
    let done = app.get(&migration(&asta), &asta.token).await.expect(200);
    assert_eq!(done.body["reason"], "already_migrated");
    for number in ["4410081", "4410057", "4410023"] {
        let member = app.get(&format!("/v1/members/{number}"), &support).await;
        let account = member.expect(200).body["account_id"].clone();
        assert!(asta.account.ends_with(account.as_str().unwrap()));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_number_is_read_alike_at_every_door() {
    let app = TestApp::start().await;
    let head = "email,member_number,legacy_reference,model\n";
    let same =
        format!("{head}ny@gammel.example,K-100 b,A-1,EOS R6\nny@gammel.example,k100B,A-2,EOS R6\n");
    let file = app.database.file("legacy.csv", &same);
    let (app, told) = app.after_command(&["import-legacy", &file]).await;
    assert!(told.contains("Stored 1 old accounts"), "{told}");
    let again = format!("{head}to@gammel.example,K 100-B,B-1,EOS R6\n");
    let file = app.database.file("legacy.csv", &again);
    let (app, told) = app.after_command(&["import-legacy", &file]).await;
    assert!(told.contains("#/rows/2/email"), "{told}");

    let support = app.sign_in("support@cps.example").await;
    for (email, numbers) in [
        ("en@nordlys.example", ["44 10 057", "44-10-057", "4410057"]),
        (
            "to@nordlys.example",
            ["k 100 B", "K100b", "K\u{2013}100\u{a0}b"],
        ),
    ] {
        let business = app.business(email, json!({})).await;
        let path = format!("{}/legacy-account", business.account);
        for number in numbers {
            let body = json!({ "member_number": number, "reason": "a test" });
            let attached = app.put(&path, &support, body).await;
            assert_eq!(attached.status, 200, "{number}: {}", attached.text);
        }
        app.act(&migration(&business), &business.token)
            .await
            .expect(200);
        for number in numbers {
            let number = number.replace(' ', "%20");
            let found = app.get(&format!("/v1/members/{number}"), &support).await;
            let account = found.expect(200).body["account_id"].clone();
            assert!(business.account.ends_with(account.as_str().unwrap()));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_without_an_old_account_is_told_so_only_after_the_proof() {
    let app = TestApp::start().await;
    let old = "nobody@nordlys.example";
    let asta = with_old_address(&app, "asta@nordlys.example", old).await;
    let waiting = app.get(&migration(&asta), &asta.token).await.expect(200);
    assert_eq!(waiting.body["reason"], "awaiting_proof");
    prove(&app, &asta, old).await;
    app.act(&migration(&asta), &asta.token)
        .await
        .problem(409, "no_legacy_account");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn staff_import_old_accounts_all_or_nothing() {
    let app = TestApp::start().await;
    let head = "email,member_number,legacy_reference,model,serial_number,purchase_date,purchase_country,dealer\n";
    let faulty = format!(
        "{head}ny@gammel.example,77,A-1,EOS R6,,17.05.2024,DK,\nny@gammel.example,78,A-1,EOS R6,,,,\nfoto@nordlys.example,79,B-1,EOS R6,,,,\n"
    );
    let file = app.database.file("legacy.csv", &faulty);
    let (app, told) = app.after_command(&["import-legacy", &file]).await;
    for place in [
        "#/rows/2/purchase_date",
        "#/rows/3/member_number",
        "#/rows/3/legacy_reference",
        "#/rows/4/email",
    ] {
        assert!(told.contains(place), "{place}: {told}");
    }
    let right =
        format!("{head}ny@gammel.example,77,A-1,EOS R6,013021004712,2024-05-17,DK,Foto Nord\n");
    let file = app.database.file("legacy.csv", &right);
    let (app, told) = app.after_command(&["import-legacy", &file]).await;
    assert!(told.contains("Stored 1 old accounts"), "{told}");
    let card = app.get("/v1/sandbox", &Token::default()).await.expect(200);
    assert!(card.text.contains("ny@gammel.example"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_with_the_old_address_proves_nothing() {
    let app = TestApp::start().await;
    let asta = with_old_address(&app, "asta@nordlys.example", OLD).await;
    let user = json!({ "email": OLD, "name": "Foto", "role": "member" });
    app.post(&format!("{}/users", asta.account), &asta.token, user)
        .await
        .expect(201);
    let link = crate::businesses::token_of(&app.mail(OLD, "user_welcome").await);
    app.set_password(&link).await;
    let waiting = app.get(&migration(&asta), &asta.token).await.expect(200);
    assert_eq!(waiting.body["reason"], "awaiting_proof");
}
