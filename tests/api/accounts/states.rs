//! An application through all of its states, by the clock.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::{PDF, case_of, decide, set_password, submit, token_of};
use crate::support::{TestApp, Token};

const ASTA: &str = "asta@nordlys-test.example";

async fn status(app: &TestApp, account: &str) -> (Value, Value) {
    let support = app.sign_in("support@cps.example").await;
    let read = app.get(account, &support).await.expect(200);
    (
        read.body["status"].clone(),
        read.body["review_due_at"].clone(),
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_application_goes_all_the_way_and_its_promise_with_it() {
    let app = TestApp::start().await;
    // A Thursday before Easter of 2030: Thursday, Friday and Monday are holidays.
    app.set_clock("2030-04-17T13:00:00Z").await;
    let (account, applicant) = app.applicant(json!({})).await;
    assert_eq!(status(&app, &account).await, (json!("draft"), Value::Null));
    let submitted = submit(&app, &account, &applicant).await;
    assert_eq!(submitted.body["review_due_at"], "2030-04-24T15:00:00Z");
    app.act(&format!("{account}/submission"), &applicant)
        .await
        .problem(409, "application_not_editable");

    app.set_clock("2030-04-23T07:00:00Z").await;
    let reviewer = app.sign_in("reviewer@cps.example").await;
    app.act(&format!("{}/claim", case_of(&account)), &reviewer)
        .await
        .expect(200);
    assert_eq!(status(&app, &account).await.0, "in_review");
    let revise = json!({ "decision": "request_revision", "codes": ["name_not_visible"] });
    let ask = json!({ "decision": "request_information", "note": "Vis navnet, tak." });
    decide(&app, &account, revise, ask).await.expect(200);
    assert_eq!(status(&app, &account).await.0, "information_requested");

    app.set_clock("2030-04-25T07:00:00Z").await;
    let asked = Token(Some(token_of(
        &app.mail(ASTA, "information_requested").await,
    )));
    let again = submit(&app, &account, &asked).await;
    assert_eq!(
        (&again.body["status"], &again.body["review_due_at"]),
        (&json!("submitted"), &json!("2030-04-26T15:00:00Z"))
    );
    let (accept, approve) = (
        json!({ "decision": "accept" }),
        json!({ "decision": "approve" }),
    );
    decide(&app, &account, accept, approve).await.expect(200);
    assert_eq!(status(&app, &account).await.0, "approved");
    app.act(&format!("{account}/withdrawal"), &asked)
        .await
        .problem(409, "application_not_editable");
    set_password(&app, ASTA, "first_password").await;
    assert_eq!(status(&app, &account).await.0, "active");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_application_ends_where_it_is_left_or_taken_back() {
    let app = TestApp::start().await;
    let (left, _) = app.applicant(json!({})).await;
    let (submitted, applicant) = app.applicant(json!({})).await;
    submit(&app, &submitted, &applicant).await;
    app.act(&format!("{submitted}/withdrawal"), &applicant)
        .await
        .expect(200);
    assert_eq!(status(&app, &submitted).await.0, "withdrawn");
    app.advance(TimeDelta::days(31)).await;
    assert_eq!(status(&app, &left).await.0, "expired");
    app.post(
        "/v1/password-resets",
        &Token(None),
        json!({ "email": ASTA }),
    )
    .await
    .expect(202);
    app.advance(TimeDelta::seconds(1)).await;
    let mails = app.mails(ASTA).await;
    assert!(
        mails
            .iter()
            .all(|mail| mail["template"] != "reset_before_approval")
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reset_asked_before_approval_tells_how_far_it_is_and_carries_no_token() {
    let app = TestApp::start().await;
    app.set_clock("2030-06-04T08:00:00Z").await;
    let (account, applicant) = app.applicant(json!({})).await;
    submit(&app, &account, &applicant).await;
    app.post(
        "/v1/password-resets",
        &Token(None),
        json!({ "email": ASTA }),
    )
    .await
    .expect(202);
    let mail = app.mail(ASTA, "reset_before_approval").await;
    let text = mail["text"].as_str().unwrap();
    assert!(
        text.contains("6. juni 2030") && !text.contains("token"),
        "{text}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_application_holds_ten_documents() {
    let app = TestApp::start().await;
    let (account, applicant) = app.applicant(json!({})).await;
    for _ in 0..10 {
        app.upload(&account, &applicant, "vat_invoice", PDF)
            .await
            .expect(201);
    }
    app.upload(&account, &applicant, "vat_invoice", PDF)
        .await
        .problem(409, "document_limit_reached");
}
