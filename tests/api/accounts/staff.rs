//! What staff do with accounts: finding them, suspending them, sending the first link again.

use reqwest::Method;
use serde_json::{Value, json};

use super::{accept_email, approve, patch, propose_email, set_password, token_of};
use crate::support::{Answer, Sending, TestApp, Token};

const METTE: &str = "/v1/accounts/acc_00000000000070008000000000000001";

async fn lift(app: &TestApp, account: &str, token: &Token, reason: &str) -> Answer {
    app.request(Method::DELETE, &format!("{account}/suspension"))
        .query(&[("reason", reason)])
        .sent_by(token)
        .answer()
        .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn staff_find_accounts_by_status_and_by_what_they_know() {
    let app = TestApp::start().await;
    app.applicant(json!({})).await;
    let staff = app.sign_in("finance@cps.example").await;
    let names = async |query: &str| -> Vec<Value> {
        let page = app
            .get(&format!("/v1/accounts{query}"), &staff)
            .await
            .expect(200);
        let items = page.body["items"].as_array().unwrap().iter();
        items.map(|item| item["company_name"].clone()).collect()
    };
    let (fjord, lys) = ("Fjord Foto ApS", "Lys & Skygge Produktion A/S");
    let (havblik, nordlys) = ("Havblik Billeder ApS", "Nordlys Foto ApS");
    let (birkelund, klitfoto) = ("Birkelund Fotografi ApS", "Klitfoto ApS");
    let all = names("").await;
    assert_eq!((all.len(), &all[0]), (13, &json!(nordlys)));
    assert_eq!(all[10..], [havblik, lys, fjord]);
    let active = [klitfoto, lys, fjord];
    assert_eq!(names("?status=active&query=%25").await, Vec::<Value>::new());
    let mut found = names("?status=active").await;
    let others = [
        "Storstrøm Studier A/S",
        "Vinterlys Foto ApS",
        "Ravnkilde Billeder ApS",
        "Østerå Film A/S",
    ];
    found.retain(|name| !others.contains(&name.as_str().unwrap()));
    assert_eq!(found, active);
    assert_eq!(
        names("?query=foto&status=draft").await,
        [nordlys, birkelund]
    );
    for whole in ["24256790", "METTE@fjordfoto.example", "fjord%20f"] {
        assert_eq!(names(&format!("?query={whole}")).await, [fjord], "{whole}");
    }
    assert_eq!(names("?query=%25").await, Vec::<Value>::new());
    let first = app.get("/v1/accounts?limit=12", &staff).await.expect(200);
    let cursor = first.str("/next_cursor");
    assert!(first.header("link").contains("rel=\"next\""));
    assert_eq!(names(&format!("?limit=12&cursor={cursor}")).await, [fjord]);
    app.get("/v1/accounts?status=sleeping", &staff)
        .await
        .problem(422, "invalid_request");
    let member = app.sign_in("mette@fjordfoto.example").await;
    app.get("/v1/accounts", &member)
        .await
        .problem(403, "forbidden");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn users_of_a_suspended_account_look_but_change_nothing() {
    let app = TestApp::start().await;
    let (admin, mette) = (
        app.sign_in("admin@cps.example").await,
        app.sign_in("mette@fjordfoto.example").await,
    );
    let suspension = format!("{METTE}/suspension");
    app.post(&suspension, &admin, json!({}))
        .await
        .problem(422, "invalid_request");
    let why = json!({ "reason": "Two members claim the same serial numbers." });
    for other in [&mette, &app.sign_in("support@cps.example").await] {
        app.post(&suspension, other, why.clone())
            .await
            .problem(403, "forbidden");
    }
    let suspended = app.post(&suspension, &admin, why.clone()).await.expect(200);
    assert_eq!(suspended.body["status"], "suspended");
    app.post(&suspension, &admin, why)
        .await
        .problem(409, "account_state_conflict");

    let mette_again = app.sign_in("mette@fjordfoto.example").await;
    let read = app.get(METTE, &mette_again).await.expect(200);
    let version = read.body["version"].as_i64().unwrap();
    let refused = patch(&app, METTE, &mette, version, json!({ "language": "en" }))
        .await
        .problem(409, "account_not_active");
    assert!(
        refused.str("/detail").contains("suspended"),
        "{}",
        refused.text
    );
    let nina = json!({ "email": "nina@fjordfoto.example", "name": "Nina", "role": "member" });
    for caller in [&mette, &admin] {
        app.post(&format!("{METTE}/users"), caller, nina.clone())
            .await
            .problem(409, "account_not_active");
    }

    app.request(Method::DELETE, &suspension)
        .sent_by(&admin)
        .answer()
        .await
        .problem(422, "invalid_request");
    let lifted = lift(&app, METTE, &admin, "The serial numbers were checked.").await;
    assert_eq!(lifted.expect(200).body["status"], "active");
    lift(&app, METTE, &admin, "Again.")
        .await
        .problem(409, "account_state_conflict");
    app.post(&format!("{METTE}/users"), &mette, nina)
        .await
        .expect(201);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_that_waits_for_its_password_is_that_again_or_active_when_it_was_set() {
    let app = TestApp::start().await;
    let (account, applicant) = app.applicant(json!({})).await;
    let admin = app.sign_in("admin@cps.example").await;
    let suspension = format!("{account}/suspension");
    let why = json!({ "reason": "A question of the reviewer." });
    app.post(&suspension, &admin, why.clone())
        .await
        .problem(409, "account_state_conflict");
    approve(&app, &account, &applicant).await;
    app.post(&suspension, &admin, why.clone()).await.expect(200);
    let lifted = lift(&app, &account, &admin, "Answered.").await.expect(200);
    assert_eq!(lifted.body["status"], "approved");
    app.post(&suspension, &admin, why).await.expect(200);
    let asta = set_password(&app, "asta@nordlys-test.example", "first_password").await;
    let read = app.get(&account, &asta).await.expect(200);
    assert_eq!(read.body["status"], "suspended");
    let lifted = lift(&app, &account, &admin, "Answered.").await.expect(200);
    assert_eq!(lifted.body["status"], "active");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn support_sends_the_first_link_again_and_the_one_before_stays_good() {
    let app = TestApp::start().await;
    let (account, applicant) = app.applicant(json!({})).await;
    let support = app.sign_in("support@cps.example").await;
    let link = format!("{account}/first-password-link");
    app.act(&link, &support)
        .await
        .problem(409, "account_state_conflict");
    approve(&app, &account, &applicant).await;
    let asta = "asta@nordlys-test.example";
    let first = token_of(&app.mail(asta, "first_password").await);
    let admin = app.sign_in("admin@cps.example").await;
    app.act(&link, &admin).await.problem(403, "forbidden");
    app.act(&link, &support).await.expect(202);
    app.advance(chrono::TimeDelta::hours(119)).await;
    let second = token_of(&app.mail(asta, "first_password").await);
    assert_ne!(first, second);
    let set = |token: String| json!({ "token": token, "new_password": super::PASSWORD });
    app.post("/v1/passwords", &Token::default(), set(first))
        .await
        .expect(204);
    app.post("/v1/passwords", &Token::default(), set(second))
        .await
        .problem(400, "token_invalid");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_contact_who_moves_while_the_account_is_suspended_takes_the_first_link_along() {
    let app = TestApp::start().await;
    let (account, applicant) = app.applicant(json!({})).await;
    approve(&app, &account, &applicant).await;
    let old = token_of(
        &app.mail("asta@nordlys-test.example", "first_password")
            .await,
    );
    let [admin, support] = [
        app.sign_in("admin@cps.example").await,
        app.sign_in("support@cps.example").await,
    ];
    let suspension = format!("{account}/suspension");
    let reason = json!({ "reason": "A question of theirs." });
    app.post(&suspension, &admin, reason).await.expect(200);
    propose_email(&app, &account, "holm@nordlys-test.example")
        .await
        .expect(200);
    accept_email(&app, &account).await.expect(200);
    let set = json!({ "token": old, "new_password": super::PASSWORD });
    app.post("/v1/passwords", &Token::default(), set)
        .await
        .problem(400, "token_invalid");
    let lifted = format!("{suspension}?reason=answered");
    app.delete(&lifted, &admin, 1).await.expect(200);
    let link = format!("{account}/first-password-link");
    app.act(&link, &support).await.expect(202);
    set_password(&app, "holm@nordlys-test.example", "first_password").await;
}
