//! What users do about themselves: name and language, password, and the sessions that they are signed in with.

use chrono::TimeDelta;
use reqwest::Method;
use serde_json::{Value, json};

use crate::accounts::{PASSWORD, set_password};
use crate::support::{Answer, Sending, TestApp, Token};

const ME: &str = "/v1/me";
const METTE: &str = "mette@fjordfoto.example";
/// Nobody is signed in as her from the beginning.
const SOFIE: &str = "sofie@storstrom.example";
const NINA: &str = "nina@fjordfoto.example";
const ACCOUNT: &str = "/v1/accounts/acc_00000000000070008000000000000001";
const SEEDED: &str = "Sandbox-Adgang-2026";
const NEW: &str = "en helt ny sætning 42";

async fn version(app: &TestApp, token: &Token) -> i64 {
    let me = app.get(ME, token).await.expect(200);
    let tag = format!("\"{}-", me.body["version"]);
    assert!(me.header("etag").starts_with(&tag), "{}", me.header("etag"));
    me.body["version"].as_i64().unwrap()
}

async fn change_password(app: &TestApp, token: &Token, current: &str, new: &str) -> Answer {
    let body = json!({ "current_password": current, "new_password": new });
    app.put("/v1/me/password", token, body).await
}

/// A session, with both of its tokens.
async fn session(app: &TestApp, email: &str) -> (Token, Value) {
    let body = json!({ "email": email, "password": SEEDED });
    let session = app.post("/v1/sessions", &Token::default(), body).await;
    let session = session.expect(201);
    let access = Token(Some(session.str("/access_token")));
    (
        access,
        json!({ "refresh_token": session.body["refresh_token"] }),
    )
}

async fn own_sessions(app: &TestApp, token: &Token) -> Vec<Value> {
    let page = app.get("/v1/me/sessions", token).await.expect(200);
    page.body["items"].as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn members_and_staff_change_their_own_name_and_the_language_of_their_mails() {
    let app = TestApp::start().await;
    for email in [METTE, "support@cps.example"] {
        let token = app.sign_in(email).await;
        let seen = version(&app, &token).await;
        let change = json!({ "name": " Mette  Fjord-Lund ", "language": "en_GB" });
        let changed = app.patch(ME, &token, seen, change.clone()).await;
        let changed = changed.expect(200);
        assert_eq!(
            (
                &changed.body["name"],
                &changed.body["language"],
                &changed.body["version"]
            ),
            (&json!("Mette Fjord-Lund"), &json!("en"), &json!(seen + 1))
        );
        app.patch(ME, &token, seen, change.clone())
            .await
            .problem(412, "precondition_failed");
        // A change of nothing is no new version.
        let same = app.patch(ME, &token, seen + 1, change).await.expect(200);
        assert_eq!(same.body["version"], json!(seen + 1));
        let reset = json!({ "email": email });
        let asked = app.post("/v1/password-resets", &Token(None), reset).await;
        asked.expect(202);
        let mail = app.mail(email, "password_reset").await;
        assert_eq!(mail["language"], "en");
        assert!(mail["text"].as_str().unwrap().contains("Mette Fjord-Lund"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_a_name_or_is_not_ones_own_to_change_is_refused() {
    let app = TestApp::start().await;
    let mette = app.sign_in(METTE).await;
    let seen = version(&app, &mette).await;
    for (change, pointer) in [
        (json!({ "name": "" }), "#/name"),
        (json!({ "name": null }), "#/name"),
        (json!({ "name": "Me\u{202e}tte" }), "#/name"),
        (json!({ "language": "da DK" }), "#/language"),
        (json!({ "email": NINA }), "#/email"),
        (json!({ "role": "superuser" }), "#/role"),
    ] {
        let refused = app.patch(ME, &mette, seen, change).await;
        let faults = refused.problem(422, "invalid_request").faults();
        assert_eq!(faults[0].0, pointer, "{faults:?}");
    }
    let blind = app.request(Method::PATCH, ME).sent_by(&mette);
    let blind = blind.json(&json!({ "name": "M" })).answer().await;
    blind.problem(428, "precondition_required");
    let (_, applicant) = app.applicant(json!({})).await;
    let me = app.get(ME, &applicant).await.expect(200);
    assert_eq!(me.body["version"], Value::Null);
    let change = json!({ "name": "Asta" });
    let refused = app.patch(ME, &applicant, 1, change).await;
    refused.problem(403, "forbidden");
    let admin = app.sign_in("admin@cps.example").await;
    let reason = json!({ "reason": "a test" });
    let suspension = format!("{ACCOUNT}/suspension");
    app.post(&suspension, &admin, reason).await.expect(200);
    let change = json!({ "name": "Mette" });
    let refused = app.patch(ME, &mette, seen, change).await;
    refused.problem(409, "account_not_active");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_users_follow_the_accounts_language_but_for_those_who_chose_their_own() {
    let app = TestApp::start().await;
    let mette = app.sign_in(METTE).await;
    let nina = json!({ "email": NINA, "name": "Nina", "role": "member", "language": "en" });
    app.post(&format!("{ACCOUNT}/users"), &mette, nina)
        .await
        .expect(201);
    let nina = set_password(&app, NINA, "user_welcome").await;
    let seen = app.get(ACCOUNT, &mette).await.expect(200).body["version"].as_i64();
    let languages = async || {
        let mut languages = Vec::new();
        for token in [&mette, &nina] {
            languages.push(app.get(ME, token).await.expect(200).str("/language"));
        }
        languages
    };
    assert_eq!(languages().await, ["da", "en"]);
    let english = app.patch(ACCOUNT, &mette, seen.unwrap(), json!({ "language": "en" }));
    let english = english.await.expect(200);
    assert_eq!(languages().await, ["en", "en"]);
    let own = version(&app, &nina).await;
    let danish = app.patch(ME, &nina, own, json!({ "language": "da" })).await;
    danish.expect(200);
    let back = english.body["version"].as_i64().unwrap();
    let back = app.patch(ACCOUNT, &mette, back, json!({ "language": "da" }));
    let back = back.await.expect(200).body["version"].as_i64().unwrap();
    assert_eq!(languages().await, ["da", "da"]);
    let own = version(&app, &nina).await;
    let english = app.patch(ME, &nina, own, json!({ "language": "en" })).await;
    english.expect(200);
    let named = json!({ "contact": { "name": "Mette F." } });
    app.patch(ACCOUNT, &mette, back, named).await.expect(200);
    assert_eq!(languages().await, ["da", "en"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_changed_password_ends_the_other_sessions_and_is_told_by_mail() {
    let app = TestApp::start().await;
    for email in [METTE, "finance@cps.example"] {
        let (here, refresh) = session(&app, email).await;
        let (there, theirs) = session(&app, email).await;
        let reset = json!({ "email": email });
        let asked = app.post("/v1/password-resets", &Token(None), reset).await;
        asked.expect(202);
        let link = crate::businesses::token_of(&app.mail(email, "password_reset").await);
        change_password(&app, &here, SEEDED, NEW).await.expect(204);
        app.get(ME, &here).await.expect(200);
        let refreshed = app
            .post("/v1/sessions/refresh", &Token(None), refresh)
            .await;
        refreshed.expect(200);
        app.get(ME, &there).await.problem(401, "unauthenticated");
        let ended = app.post("/v1/sessions/refresh", &Token(None), theirs).await;
        ended.problem(401, "session_ended");
        app.mail(email, "password_changed").await;
        let used = json!({ "token": link, "new_password": PASSWORD });
        let used = app.post("/v1/passwords", &Token(None), used).await;
        used.problem(400, "token_invalid");
        let old = json!({ "email": email, "password": SEEDED });
        let old = app.post("/v1/sessions", &Token(None), old).await;
        old.problem(401, "invalid_credentials");
        app.sign_in_with(email, NEW).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_fault_of_a_changed_password_is_told_and_guessing_the_old_one_waits() {
    let app = TestApp::start().await;
    let mette = app.sign_in(METTE).await;
    let wrong = change_password(&app, &mette, "a guess", "FjordFotoAps-2026").await;
    let faults = wrong.problem(422, "invalid_request").faults();
    let fault = |pointer: &str, code: &str| (pointer.to_owned(), code.to_owned());
    assert_eq!(faults[0], fault("#/current_password", "password_wrong"));
    assert!(
        faults.contains(&fault("#/new_password", "password_contains_company")),
        "{faults:?}"
    );
    // Who knows the old one may look for a new one as long as they like.
    for _ in 0..7 {
        let weak = change_password(&app, &mette, SEEDED, "password1234").await;
        let faults = weak.problem(422, "invalid_request").faults();
        assert_eq!(faults[0], fault("#/new_password", "password_common"));
        app.advance(TimeDelta::seconds(1)).await;
    }
    for _ in 0..4 {
        let wrong = change_password(&app, &mette, "a guess", NEW).await;
        wrong.problem(422, "invalid_request");
    }
    let waits = change_password(&app, &mette, SEEDED, NEW).await;
    let waits = waits.problem(429, "too_many_attempts");
    assert!(waits.header("retry-after").parse::<u64>().unwrap() >= 1);
    // Signing in is counted apart, both ways.
    app.sign_in(METTE).await;
    app.advance(TimeDelta::seconds(5)).await;
    let mette = app.sign_in(METTE).await;
    change_password(&app, &mette, SEEDED, NEW).await.expect(204);
    let (_, applicant) = app.applicant(json!({})).await;
    let refused = change_password(&app, &applicant, SEEDED, NEW).await;
    refused.problem(403, "forbidden");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_sees_where_they_are_signed_in_and_ends_what_is_not_theirs_any_more() {
    let app = TestApp::start().await;
    for email in [SOFIE, "admin@cps.example"] {
        let (first, _) = session(&app, email).await;
        app.advance(TimeDelta::minutes(1)).await;
        let (here, _) = session(&app, email).await;
        let (stranger, _) = session(&app, "jonas@lysogskygge.example").await;
        let live = own_sessions(&app, &here).await;
        let current: Vec<&Value> = live.iter().map(|one| &one["is_current"]).collect();
        assert_eq!(current, [true, false]);
        assert!(live[0]["created_at"].as_str() > live[1]["created_at"].as_str());
        let path = |one: &Value| format!("/v1/me/sessions/{}", one["id"].as_str().unwrap());
        let end = async |one: &Value, token: &Token| {
            let request = app.request(Method::DELETE, &path(one)).sent_by(token);
            request.answer().await
        };
        end(&live[1], &stranger).await.problem(404, "not_found");
        app.get(ME, &first).await.expect(200);
        end(&live[1], &here).await.expect(204);
        app.get(ME, &first).await.problem(401, "unauthenticated");
        end(&live[1], &here).await.problem(404, "not_found");
        assert_eq!(own_sessions(&app, &here).await.len(), 1);
        end(&live[0], &here).await.expect(204);
        app.get(ME, &here).await.problem(401, "unauthenticated");
    }
    let nowhere = "/v1/me/sessions/ses_0190000000007000800000000000dead";
    let token = app.sign_in(SOFIE).await;
    let unknown = app.request(Method::DELETE, nowhere).sent_by(&token);
    unknown.answer().await.problem(404, "not_found");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_that_ran_out_are_not_listed_and_pages_of_them_go_on() {
    let app = TestApp::start().await;
    session(&app, "admin@cps.example").await;
    app.advance(TimeDelta::minutes(61)).await;
    let (admin, refresh) = session(&app, "admin@cps.example").await;
    let before = own_sessions(&app, &admin).await;
    assert_eq!(before.len(), 1);
    app.advance(TimeDelta::minutes(5)).await;
    app.post("/v1/sessions/refresh", &Token(None), refresh)
        .await
        .expect(200);
    let after = own_sessions(&app, &admin).await;
    for moment in ["refreshed_at", "expires_at"] {
        assert!(
            after[0][moment].as_str() > before[0][moment].as_str(),
            "{moment}"
        );
    }
    let mut mette = Token(None);
    for _ in 0..3 {
        mette = session(&app, SOFIE).await.0;
    }
    let mut seen = Vec::new();
    let mut next = "/v1/me/sessions?limit=1".to_owned();
    loop {
        let page = app.get(&next, &mette).await.expect(200);
        seen.extend(page.body["items"].as_array().unwrap().clone());
        let Some(cursor) = page.body["next_cursor"].as_str() else {
            break;
        };
        next = format!("/v1/me/sessions?limit=1&cursor={cursor}");
    }
    assert_eq!(seen, own_sessions(&app, &mette).await);
    assert_eq!(seen.len(), 3);
}
