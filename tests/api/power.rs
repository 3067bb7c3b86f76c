//! Writes that give power look at the session in their own transaction: what another instance still remembers does not count.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Sending, TestApp, Token};

const ACTIVE: &str = "/v1/accounts/acc_00000000000070008000000000000001";
const WAITING: &str = "acc_00000000000070008000000000000003";

/// Sends one write with all that it could miss.
async fn write(app: &TestApp, method: Method, path: &str, token: &Token, body: Value) -> u16 {
    let key = uuid::Uuid::new_v4().to_string();
    let media_type = match method {
        Method::PATCH => "application/merge-patch+json",
        _ => "application/json",
    };
    let request = app
        .request(method, path)
        .sent_by(token)
        .header("idempotency-key", key)
        .header("if-match", "*");
    let answer = match body {
        Value::Null => request.answer().await,
        body => {
            let request = request.header("content-type", media_type);
            request.body(body.to_string()).answer().await
        }
    };
    if answer.status == 401 {
        assert_eq!(answer.body["code"], "unauthenticated");
    }
    answer.status
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_ended_elsewhere_gives_no_power_from_then_on() {
    let app = TestApp::start().await;
    let superuser = app.sign_in("mette@fjordfoto.example").await;
    let admin = app.sign_in("admin@cps.example").await;
    let support = app.sign_in("support@cps.example").await;
    let reviewer = app.sign_in("reviewer@cps.example").await;
    let reason = json!({ "reason": "a test" });
    let document = "doc_0000000000007000800000000000000d";
    let user = "usr_0000000000007000800000000000006f";
    let case = format!("/v1/reviews/{WAITING}");
    let nina = json!({ "email": "nina@fjordfoto.example", "name": "Nina", "role": "superuser" });
    let adjust = json!({ "amount": 100, "reason": "a test" });
    let attach = json!({ "member_number": "1", "reason": "a test" });
    let accept = json!({ "decision": "accept" });
    let reject = json!({ "decision": "reject", "codes": ["not_a_business"] });
    let job = "job_00000000000070008000000000000001";
    let moved = json!({ "contact": { "email": "mine@elsewhere.example" } });
    let writes = [
        (&superuser, Method::PATCH, ACTIVE.to_owned(), moved.clone()),
        (&support, Method::PATCH, ACTIVE.to_owned(), moved),
        (&superuser, Method::POST, format!("{ACTIVE}/users"), nina),
        (
            &superuser,
            Method::PATCH,
            format!("{ACTIVE}/users/{user}"),
            json!({ "role": "member" }),
        ),
        (
            &superuser,
            Method::PUT,
            "/v1/me/password".to_owned(),
            json!({ "current_password": "Sandbox-Adgang-2026", "new_password": "hav og himmel, tidligt" }),
        ),
        (
            &superuser,
            Method::DELETE,
            format!("{ACTIVE}/users/{user}"),
            Value::Null,
        ),
        (
            &admin,
            Method::POST,
            format!("{ACTIVE}/points/adjustments"),
            adjust,
        ),
        (
            &admin,
            Method::POST,
            format!("{ACTIVE}/suspension"),
            reason.clone(),
        ),
        (
            &admin,
            Method::POST,
            format!("/v1/jobs/{job}/retry"),
            reason,
        ),
        (
            &admin,
            Method::POST,
            format!("{ACTIVE}/contact-email/acceptance"),
            Value::Null,
        ),
        (
            &admin,
            Method::POST,
            format!("{ACTIVE}/contact-email/refusal"),
            Value::Null,
        ),
        (
            &support,
            Method::POST,
            format!("{ACTIVE}/first-password-link"),
            Value::Null,
        ),
        (
            &support,
            Method::PUT,
            format!("{ACTIVE}/legacy-account"),
            attach,
        ),
        (
            &reviewer,
            Method::POST,
            format!("{case}/claim"),
            Value::Null,
        ),
        (
            &reviewer,
            Method::PUT,
            format!("{case}/documents/{document}"),
            accept,
        ),
        (&reviewer, Method::POST, format!("{case}/decision"), reject),
    ];
    for (token, method, path, body) in writes {
        // Remembered here for five seconds, ended by somebody this instance does not hear of.
        app.get("/v1/me", token).await.expect(200);
        app.database
            .execute("UPDATE sessions SET ended_at = created_at");
        let status = write(&app, method.clone(), &path, token, body).await;
        assert_eq!(status, 401, "{method} {path}");
        app.database.execute("UPDATE sessions SET ended_at = NULL");
    }
    let points = app.get(&format!("{ACTIVE}/points"), &superuser).await;
    assert_eq!(points.expect(200).body["balance"], 235);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_last_superuser_who_can_sign_in_stays_while_another_is_only_invited() {
    let app = TestApp::start().await;
    let mette = app.sign_in("mette@fjordfoto.example").await;
    let users = format!("{ACTIVE}/users");
    let nina = json!({ "email": "nina@fjordfoto.example", "name": "Nina", "role": "superuser" });
    app.post(&users, &mette, nina).await.expect(201);
    let own = format!("{users}/usr_0000000000007000800000000000006f");
    let own = app.delete(&own, &mette, 1).await;
    own.problem(409, "last_superuser");
    let link =
        crate::businesses::token_of(&app.mail("nina@fjordfoto.example", "user_welcome").await);
    app.set_password(&link).await;
    let own = format!("{users}/usr_0000000000007000800000000000006f");
    app.delete(&own, &mette, 1).await.expect(204);
}
