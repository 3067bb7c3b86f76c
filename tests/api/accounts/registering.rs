//! Registering a business: what it sees, and every way that it is told no.

use chrono::TimeDelta;
use reqwest::Method;
use serde_json::json;

use crate::support::{Sending, TestApp, Token, registration};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_business_registers_and_sees_what_is_due() {
    let app = TestApp::start().await;
    let registered = app
        .post(
            "/v1/accounts",
            &Token::default(),
            registration(json!({ "vat_number": "DK 13 58 56 28" })),
        )
        .await
        .expect(201);
    let account = &registered.body["account"];
    assert_eq!(
        (
            &account["status"],
            &account["version"],
            &account["vat_number"]
        ),
        (&json!("draft"), &json!(1), &json!("13585628"))
    );
    let requirements = json!({
        "currently_due": ["verification_document"],
        "alternatives": [["vat_registration_certificate", "vat_invoice"]], "errors": []
    });
    assert_eq!(account["requirements"], requirements);
    let token = Token(Some(registered.str("/applicant_token")));
    let path = registered.header("location").to_owned();
    let read = app.get(&path, &token).await.expect(200);
    assert_eq!((&read.body, &read.header("etag")[..3]), (account, "\"1-"));
    assert_eq!(
        app.get(&format!("{path}/requirements"), &token)
            .await
            .expect(200)
            .body,
        requirements
    );
    let unchanged = app
        .request(Method::GET, &path)
        .sent_by(&token)
        .header("if-none-match", read.header("etag"))
        .answer()
        .await;
    assert_eq!((unchanged.status, unchanged.text.as_str()), (304, ""));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_fault_of_a_registration_is_told_at_once() {
    let app = TestApp::start().await;
    let body = registration(json!({
        "company_name": null, "vat_number": "13585627", "authority_declared": false, "accept_terms_version": "1999-01",
        "contact": { "email": "nobody", "phone": 33 }, "colour": "red"
    }));
    let refused = app
        .post("/v1/accounts", &Token::default(), body)
        .await
        .problem(422, "invalid_request");
    let mut faults = refused.faults();
    faults.sort();
    let wanted = [
        ("#/accept_terms_version", "terms_version_not_current"),
        ("#/authority_declared", "authority_not_declared"),
        ("#/colour", "unknown"),
        ("#/company_name", "required"),
        ("#/contact/email", "format"),
        ("#/contact/phone", "type"),
        ("#/vat_number", "vat_number_invalid"),
    ];
    assert_eq!(
        faults,
        wanted.map(|(pointer, code)| (pointer.to_owned(), code.to_owned()))
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refusals_are_problems_in_the_callers_language() {
    let app = TestApp::start().await;
    let send = |method: Method, path: &'static str| app.request(method, path);
    let danish = send(Method::GET, "/v1/nowhere")
        .header("accept-language", "da")
        .answer()
        .await
        .problem(404, "not_found");
    let english = send(Method::GET, "/v1/nowhere")
        .answer()
        .await
        .problem(404, "not_found");
    assert_eq!(
        (
            danish.header("content-language"),
            english.header("content-language")
        ),
        ("da", "en")
    );
    assert_ne!(danish.body["title"], english.body["title"]);
    assert_eq!(english.body["instance"], "/v1/nowhere");
    assert_eq!(english.str("/request_id"), english.header("x-request-id"));
    let wrong = send(Method::DELETE, "/v1/accounts")
        .answer()
        .await
        .problem(405, "method_not_allowed");
    assert!(wrong.header("allow").contains("POST"));
    let json = |body: &'static str| {
        send(Method::POST, "/v1/accounts")
            .header("content-type", "application/json")
            .body(body)
    };
    json("{").answer().await.problem(400, "malformed_request");
    send(Method::POST, "/v1/accounts")
        .body("{}")
        .answer()
        .await
        .problem(415, "unsupported_media_type");
    let large = send(Method::POST, "/v1/accounts")
        .header("content-type", "application/json")
        .body(" ".repeat(70_000));
    large.answer().await.problem(413, "body_too_large");
    let page = app
        .get("/problems/requirements_due", &Token::default())
        .await
        .expect(200);
    assert!(
        page.text.contains("requirements_due")
            && english.str("/type").ends_with("/problems/not_found")
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_makes_registering_happen_once() {
    let app = TestApp::start().await;
    let send = |key: &'static str| {
        app.request(Method::POST, "/v1/accounts")
            .header("idempotency-key", key)
            .json(&registration(json!({})))
            .answer()
    };
    let first = send("\"one\"").await.expect(201);
    let again = send("one").await.expect(201);
    assert_eq!(
        (again.header("idempotency-replayed"), &again.body),
        ("true", &first.body)
    );
    for (key, code) in [("\"\"", "too_short"), ("one\ttwo", "pattern")] {
        let refused = send(key).await.problem(422, "invalid_request");
        let wanted = ("#/header/Idempotency-Key".to_owned(), code.to_owned());
        assert_eq!(refused.faults(), [wanted]);
    }
    let other = send("two").await.expect(201);
    assert_ne!(other.body["account"]["id"], first.body["account"]["id"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mailbox_has_at_most_five_open_applications_and_only_its_owner_learns_of_it() {
    let app = TestApp::start().await;
    let links = super::mailed_links(&app, "asta@nordlys-test.example", 6).await;
    let change = json!({ "contact": { "name": "Asta H. Holm" } });
    for link in &links[..5] {
        let changed = app.patch(&link.account, &link.token, 1, change.clone());
        changed.await.expect(200);
    }
    let sixth = &links[5];
    let full = app.patch(&sixth.account, &sixth.token, 1, change.clone());
    full.await.problem(409, "too_many_open_applications");
    app.upload(&sixth.account, &sixth.token, "vat_invoice", super::PDF)
        .await
        .problem(409, "too_many_open_applications");
    app.get(&sixth.account, &sixth.token).await.expect(200);
    // Whoever only typed the address is told nothing.
    let typed = registration(json!({ "contact": { "email": "ASTA@nordlys-test.example" } }));
    app.post("/v1/accounts", &Token::default(), typed)
        .await
        .expect(201);
    app.patch(&sixth.account, &sixth.registered, 1, change.clone())
        .await
        .expect(200);
    // One that is withdrawn makes room.
    app.act(&format!("{}/withdrawal", links[0].account), &links[0].token)
        .await
        .expect(200);
    let change = json!({ "contact": { "name": "Asta Holm" } });
    app.patch(&sixth.account, &sixth.token, 2, change)
        .await
        .expect(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_who_use_a_mailbox_at_once_five_do() {
    let app = TestApp::start().await;
    let links = super::mailed_links(&app, "many@nordlys-test.example", 9).await;
    let change = json!({ "contact": { "name": "Asta H. Holm" } });
    let all = links
        .iter()
        .map(|link| app.patch(&link.account, &link.token, 1, change.clone()));
    let answers = futures_util::future::join_all(all).await;
    let of = |status| answers.iter().filter(|one| one.status == status).count();
    assert_eq!((of(200), of(409)), (5, 4));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mail_to_a_mailbox_that_was_not_used_says_nothing_of_the_form() {
    let app = TestApp::start().await;
    let form = json!({
        "company_name": "Buy at spam.example", "contact": { "name": "Cheap spam.example" }
    });
    let (account, applicant) = app.applicant(form).await;
    super::submit(&app, &account, &applicant).await;
    for path in ["/v1/applicant-links", "/v1/password-resets"] {
        let body = json!({ "email": "asta@nordlys-test.example" });
        app.post(path, &Token::default(), body).await.expect(202);
    }
    let accept = json!({ "decision": "accept" });
    let ask = json!({ "decision": "request_information", "note": "Er det rigtigt?" });
    super::decide(&app, &account, accept.clone(), ask)
        .await
        .expect(200);
    app.act(&format!("{account}/submission"), &applicant)
        .await
        .expect(200);
    let approve = json!({ "decision": "approve" });
    super::decide(&app, &account, accept, approve)
        .await
        .expect(200);
    app.mail("asta@nordlys-test.example", "first_password")
        .await;
    app.advance(TimeDelta::seconds(1)).await;
    let read = app.get(&account, &applicant).await.expect(200);
    let number = read.str("/account_number");
    let mails = app.mails("asta@nordlys-test.example").await;
    let mut templates: Vec<&str> = mails
        .iter()
        .map(|mail| mail["template"].as_str().unwrap())
        .collect();
    templates.sort_unstable();
    templates.dedup();
    let wanted = [
        "applicant_link",
        "application_started",
        "application_submitted",
        "first_password",
        "information_requested",
        "reset_before_approval",
    ];
    assert_eq!(templates, wanted);
    for mail in mails {
        let whole = format!("{} {}", mail["subject"], mail["text"]);
        assert!(
            !whole.contains("spam") && whole.contains(&number),
            "{whole}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn registering_and_submitting_have_their_receipts() {
    let app = TestApp::start().await;
    app.set_clock("2030-06-04T08:00:00Z").await;
    let (account, registered) = app.applicant(json!({})).await;
    let started = app
        .mail("asta@nordlys-test.example", "application_started")
        .await;
    let mailed = Token(Some(super::token_of(&started)));
    super::submit(&app, &account, &mailed).await;
    app.get(&account, &registered)
        .await
        .problem(401, "unauthenticated");
    let submitted = app
        .mail("asta@nordlys-test.example", "application_submitted")
        .await;
    let text = submitted["text"].as_str().unwrap();
    assert!(
        text.contains("6. juni 2030") && text.contains("Hej Asta Holm"),
        "{text}"
    );
    // Another address gets a link of its own.
    let (account, registered) = app.applicant(json!({})).await;
    let moved = json!({ "contact": { "email": "holm@nordlys-test.example" } });
    app.patch(&account, &registered, 1, moved).await.expect(200);
    let started = app
        .mail("holm@nordlys-test.example", "application_started")
        .await;
    let mailed = Token(Some(super::token_of(&started)));
    app.get(&account, &mailed).await.expect(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn behind_the_decision_a_token_reads_for_thirty_days_and_changes_nothing() {
    let app = TestApp::start().await;
    let (rejected, token) = app.applicant(json!({})).await;
    super::submit(&app, &rejected, &token).await;
    let accept = json!({ "decision": "accept" });
    let reject = json!({ "decision": "reject", "codes": ["not_a_business"] });
    super::decide(&app, &rejected, accept, reject)
        .await
        .expect(200);
    let other = json!({ "contact": { "email": "eva@other-test.example" } });
    let (approved, second) = app.applicant(other).await;
    super::approve(&app, &approved, &second).await;
    for (account, token) in [(&rejected, &token), (&approved, &second)] {
        let version = app.get(account, token).await.expect(200).body["version"].clone();
        app.get(&format!("{account}/requirements"), token)
            .await
            .expect(200);
        let change = json!({ "contact": { "name": "Eva" } });
        app.patch(account, token, version.as_i64().unwrap(), change)
            .await
            .problem(409, "application_not_editable");
        for act in ["submission", "withdrawal"] {
            app.act(&format!("{account}/{act}"), token)
                .await
                .problem(409, "application_not_editable");
        }
    }
    super::set_password(&app, "eva@other-test.example", "first_password").await;
    app.get(&approved, &second)
        .await
        .problem(401, "unauthenticated");
    app.advance(TimeDelta::days(29)).await;
    app.get(&rejected, &token).await.expect(200);
    app.advance(TimeDelta::days(2)).await;
    app.get(&rejected, &token)
        .await
        .problem(401, "unauthenticated");
}

async fn ask_for_links(app: &TestApp, email: &str) {
    app.post(
        "/v1/applicant-links",
        &Token::default(),
        json!({ "email": email }),
    )
    .await
    .expect(202);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_applicants_link_comes_again_and_being_asked_for_changes_nothing() {
    let app = TestApp::start().await;
    let asta = "asta@nordlys-test.example";
    let (path, registered) = app.applicant(json!({})).await;
    let (other, _) = app.applicant(json!({})).await;
    for _ in 0..8 {
        ask_for_links(&app, asta).await;
    }
    ask_for_links(&app, "stranger@nordlys-test.example").await;
    app.advance(TimeDelta::minutes(1)).await;
    assert!(app.mails("stranger@nordlys-test.example").await.is_empty());
    let mails = app.mails(asta).await;
    let links: Vec<_> = mails
        .iter()
        .filter(|mail| mail["template"] == "applicant_link")
        .collect();
    assert_eq!(links.len(), 3, "one address is mailed 3 an hour");
    let text = links[0]["text"].as_str().unwrap();
    assert_eq!(text.matches("#token=").count(), 2, "{text}");

    let before = app.get(&path, &registered).await.expect(200);
    assert_eq!(before.body["version"], 1);
    let [first, last] = [links[2], links[0]].map(|mail| Token(Some(super::token_of(mail))));
    for token in [&first, &last] {
        app.get(&path, token).await.expect(200);
        app.get(&other, token).await.problem(404, "not_found");
    }
    // Whoever has the mailbox goes on alone.
    let change = json!({ "contact": { "name": "Asta H. Holm" } });
    app.patch(&path, &first, 1, change).await.expect(200);
    app.get(&path, &registered)
        .await
        .problem(401, "unauthenticated");
    app.get(&path, &last).await.expect(200);
    // Another address of the contact ends what went to the one before.
    let moved = json!({ "contact": { "email": "holm@nordlys-test.example" } });
    app.patch(&path, &last, 2, moved).await.expect(200);
    for token in [&first, &last] {
        app.get(&path, token).await.problem(401, "unauthenticated");
    }
    ask_for_links(&app, "holm@nordlys-test.example").await;
    let mail = app
        .mail("holm@nordlys-test.example", "applicant_link")
        .await;
    let fresh = Token(Some(super::token_of(&mail)));
    app.get(&path, &fresh).await.expect(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_applicants_token_runs_out_after_ninety_days() {
    let app = TestApp::start().await;
    let (path, registered) = app.applicant(json!({})).await;
    super::submit(&app, &path, &registered).await;
    app.advance(TimeDelta::days(89)).await;
    app.get(&path, &registered).await.expect(200);
    app.advance(TimeDelta::days(2)).await;
    app.get(&path, &registered)
        .await
        .problem(401, "unauthenticated");
    ask_for_links(&app, "asta@nordlys-test.example").await;
    let mail = app
        .mail("asta@nordlys-test.example", "applicant_link")
        .await;
    let fresh = Token(Some(super::token_of(&mail)));
    app.get(&path, &fresh).await.expect(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_draft_that_nobody_touches_expires_after_thirty_days() {
    let app = TestApp::start().await;
    let registered = app
        .post("/v1/accounts", &Token::default(), registration(json!({})))
        .await
        .expect(201);
    let token = Token(Some(registered.str("/applicant_token")));
    app.advance(TimeDelta::days(29)).await;
    app.get(registered.header("location"), &token)
        .await
        .expect(200);
    app.advance(TimeDelta::days(2)).await;
    app.get(registered.header("location"), &token)
        .await
        .problem(401, "unauthenticated");
}
