//! From a draft to a signed-in superuser, the way the guide tells it, and every refusal on that way.

use chrono::TimeDelta;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Sending, TestApp, Token};

const PDF: &[u8] = b"%PDF-1.4 a certificate with a planted word: kanelsnegl";
const EMAIL: &str = "asta@nordlys-test.example";

fn token_of(mail: &Value) -> Token {
    Token(Some(
        mail["action_url"]
            .as_str()
            .unwrap()
            .split_once("#token=")
            .unwrap()
            .1
            .to_owned(),
    ))
}

fn id_of(path: &str) -> &str {
    path.rsplit('/').next().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_business_proves_itself_is_approved_and_sets_its_password() {
    let app = TestApp::start().await;
    let (account, applicant) = app.applicant(json!({})).await;
    app.act(&format!("{account}/submission"), &applicant)
        .await
        .problem(409, "requirements_due");
    let document = app
        .upload(&account, &applicant, "vat_registration_certificate", PDF)
        .await
        .expect(201);
    assert_eq!(
        (&document.body["media_type"], &document.body["file_name"]),
        (&json!("application/pdf"), &json!("certifikat.pdf"))
    );
    let submitted = app
        .act(&format!("{account}/submission"), &applicant)
        .await
        .expect(200);
    assert_eq!(submitted.body["status"], "submitted");
    assert!(submitted.body["review_due_at"].is_string());
    app.upload(&account, &applicant, "vat_invoice", PDF)
        .await
        .problem(409, "application_not_editable");

    let reviewer = app.sign_in("reviewer@cps.example").await;
    let case = format!("/v1/reviews/{}", id_of(&account));
    let decision = format!("{case}/decision");
    app.post(&decision, &reviewer, json!({ "decision": "approve" }))
        .await
        .problem(409, "claim_needed");
    app.act(&format!("{case}/claim"), &reviewer)
        .await
        .expect(200);
    app.post(&decision, &reviewer, json!({ "decision": "approve" }))
        .await
        .problem(409, "documents_undecided");
    let content = app
        .get(
            &format!("{}/content", document.header("location")),
            &reviewer,
        )
        .await
        .expect(200);
    assert_eq!(
        (
            content.text.as_bytes(),
            content.header("x-content-type-options")
        ),
        (PDF, "nosniff")
    );
    assert!(
        content
            .header("content-disposition")
            .starts_with("attachment;")
    );
    let one = format!("{case}/documents/{}", id_of(document.header("location")));
    assert_eq!(
        app.put(&one, &reviewer, json!({ "decision": "accept" }))
            .await
            .expect(200)
            .body["status"],
        "accepted"
    );
    assert_eq!(
        app.post(&decision, &reviewer, json!({ "decision": "approve" }))
            .await
            .expect(200)
            .body["status"],
        "approved"
    );
    app.get(&account, &applicant).await.expect(200);

    let sign_in = json!({ "email": EMAIL, "password": "en lang og god sætning" });
    app.post("/v1/sessions", &Token::default(), sign_in.clone())
        .await
        .problem(401, "invalid_credentials");
    let token = token_of(&app.mail(EMAIL, "first_password").await)
        .0
        .unwrap();
    let password = json!({ "token": token, "new_password": "en lang og god sætning" });
    app.post("/v1/passwords", &Token::default(), password)
        .await
        .expect(204);
    app.get(&account, &applicant)
        .await
        .problem(401, "unauthenticated");
    let member = Token(Some(
        app.post("/v1/sessions", &Token::default(), sign_in)
            .await
            .expect(201)
            .str("/access_token"),
    ));
    assert_eq!(
        app.get(&account, &member).await.expect(200).body["status"],
        "active"
    );
    assert_eq!(
        app.get("/v1/me", &member).await.expect(200).body["roles"],
        json!(["superuser"])
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_applicant_who_is_asked_gets_one_mail_and_the_clock_stands_still() {
    let app = TestApp::start().await;
    app.set_clock("2030-06-04T08:00:00Z").await;
    let (account, applicant) = app.applicant(json!({})).await;
    let document = app
        .upload(&account, &applicant, "vat_invoice", PDF)
        .await
        .expect(201);
    let submitted = app
        .act(&format!("{account}/submission"), &applicant)
        .await
        .expect(200);
    assert_eq!(submitted.body["review_due_at"], "2030-06-06T15:00:00Z");
    let reviewer = app.sign_in("reviewer@cps.example").await;
    let case = format!("/v1/reviews/{}", id_of(&account));
    app.act(&format!("{case}/claim"), &reviewer)
        .await
        .expect(200);
    let one = format!("{case}/documents/{}", id_of(document.header("location")));
    app.put(&one, &reviewer, json!({ "decision": "request_revision" }))
        .await
        .problem(422, "invalid_request");
    app.put(
        &one,
        &reviewer,
        json!({ "decision": "request_revision", "codes": ["unreadable"] }),
    )
    .await
    .expect(200);
    let ask = json!({ "decision": "request_information", "note": "Fakturaen er skåret over." });
    app.post(&format!("{case}/decision"), &reviewer, ask)
        .await
        .expect(200);
    let mail = app.mail(EMAIL, "information_requested").await;
    assert!(
        mail["text"]
            .as_str()
            .unwrap()
            .contains("Fakturaen er skåret over.")
    );
    let applicant = token_of(&mail);
    nothing_is_due(&app, &account, &applicant, &reviewer).await;
    let due = app
        .get(&format!("{account}/requirements"), &applicant)
        .await
        .expect(200);
    assert_eq!(
        (&due.body["currently_due"], &due.body["errors"][0]["code"]),
        (&json!(["verification_document"]), &json!("unreadable"))
    );
    let tag_in = async |language: &str| {
        let read = app.request(Method::GET, &account).sent_by(&applicant);
        let read = read.header("accept-language", language).answer().await;
        read.expect(200).header("etag").to_owned()
    };
    assert_ne!(tag_in("da").await, tag_in("en").await);
    app.set_clock("2030-06-07T08:00:00Z").await;
    let reviewer = app.sign_in("reviewer@cps.example").await;
    nothing_is_due(&app, &account, &applicant, &reviewer).await;
    let asked = json!({ "email": EMAIL });
    app.post("/v1/password-resets", &Token::default(), asked)
        .await
        .expect(202);
    let told = app.mail(EMAIL, "reset_before_approval").await;
    // The day on which the application was begun tells it apart from others; no day is promised.
    let text = told["text"].as_str().unwrap();
    assert!(!text.contains("senest"), "{text}");
    assert_eq!(text.matches("2030").count(), 1, "{text}");
    app.upload(&account, &applicant, "vat_invoice", PDF)
        .await
        .expect(201);
    let again = app
        .act(&format!("{account}/submission"), &applicant)
        .await
        .expect(200);
    assert_eq!(again.body["review_due_at"], "2030-06-12T15:00:00Z");
    app.set_clock("2030-06-12T15:00:01Z").await;
    let reviewer = app.sign_in("reviewer@cps.example").await;
    let overdue = app.get("/v1/reviews?overdue=true", &reviewer).await;
    let overdue = overdue.expect(200).body["items"].clone();
    let own = |one: &&Value| one["account_id"] == id_of(&account);
    let late = overdue.as_array().unwrap().iter().find(own).unwrap();
    assert_eq!(late["due_at"], "2030-06-12T15:00:00Z");
}

/// A case that waits for its applicant has no due moment: nobody is told one, it is not overdue, and it stands last, page by page.
async fn nothing_is_due(app: &TestApp, account: &str, applicant: &Token, reviewer: &Token) {
    let read = app.get(account, applicant).await.expect(200);
    assert_eq!(read.body["status"], "information_requested");
    assert_eq!(read.body.get("review_due_at"), None);
    let overdue = app.get("/v1/reviews?overdue=true", reviewer).await;
    for case in overdue.expect(200).body["items"].as_array().unwrap() {
        assert_ne!(case["account_id"], id_of(account));
    }
    let (mut cases, mut next) = (Vec::new(), "/v1/reviews?limit=1".to_owned());
    loop {
        let page = app.get(&next, reviewer).await.expect(200);
        cases.extend(page.body["items"].as_array().unwrap().clone());
        let Some(cursor) = page.body["next_cursor"].as_str() else {
            break;
        };
        next = format!("/v1/reviews?limit=1&cursor={cursor}");
    }
    let last = cases.last().unwrap();
    assert_eq!(last["account_id"], id_of(account));
    assert_eq!(last.get("due_at"), None);
    let waits = |case: &&Value| case.get("due_at").is_none();
    let waiting = cases.iter().rev().take_while(waits).count();
    assert_eq!(waiting, cases.iter().filter(waits).count());
    assert!(cases.len() > waiting);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_with_a_civil_registration_number_is_gone_with_the_decision() {
    let app = TestApp::start().await;
    let (account, applicant) = app.applicant(json!({})).await;
    let document = app
        .upload(&account, &applicant, "vat_invoice", PDF)
        .await
        .expect(201);
    app.act(&format!("{account}/submission"), &applicant)
        .await
        .expect(200);
    let reviewer = app.sign_in("reviewer@cps.example").await;
    let case = format!("/v1/reviews/{}", id_of(&account));
    app.act(&format!("{case}/claim"), &reviewer)
        .await
        .expect(200);
    let path = document.header("location");
    let content = format!("{path}/content");
    app.get(&content, &reviewer).await.expect(200);
    let verdict =
        json!({ "decision": "request_revision", "codes": ["unreadable", "contains_cpr"] });
    let one = format!("{case}/documents/{}", id_of(path));
    let decided = app.put(&one, &reviewer, verdict).await.expect(200);
    assert_eq!(decided.body["content_available"], false);
    for token in [&reviewer, &applicant] {
        app.get(&content, token).await.problem(404, "not_found");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rejection_names_its_codes_and_the_files_die_after_thirty_days() {
    let app = TestApp::start().await;
    let (account, applicant) = app.applicant(json!({})).await;
    let document = app
        .upload(&account, &applicant, "vat_invoice", PDF)
        .await
        .expect(201);
    app.act(&format!("{account}/submission"), &applicant)
        .await
        .expect(200);
    let reviewer = app.sign_in("reviewer@cps.example").await;
    let case = format!("/v1/reviews/{}", id_of(&account));
    app.act(&format!("{case}/claim"), &reviewer)
        .await
        .expect(200);
    let decision = format!("{case}/decision");
    app.post(&decision, &reviewer, json!({ "decision": "reject" }))
        .await
        .problem(422, "invalid_request");
    let reject =
        json!({ "decision": "reject", "codes": ["not_a_business"], "note": "Ingen virksomhed." });
    assert_eq!(
        app.post(&decision, &reviewer, reject)
            .await
            .expect(200)
            .body["status"],
        "rejected"
    );
    app.mail(EMAIL, "application_rejected").await;
    app.act(&format!("{case}/claim"), &reviewer)
        .await
        .problem(409, "review_not_open");
    let content = format!("{}/content", document.header("location"));
    app.get(&content, &reviewer).await.expect(200);
    app.advance(TimeDelta::days(31)).await;
    let reviewer = app.sign_in("reviewer@cps.example").await;
    app.get(&content, &reviewer).await.problem(404, "not_found");
    let kept = app
        .get(document.header("location"), &reviewer)
        .await
        .expect(200);
    assert_eq!(
        (&kept.body["content_available"], &kept.body["sha256"]),
        (&json!(false), &document.body["sha256"])
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_document_that_does_not_do_is_told_why() {
    let app = TestApp::start().await;
    let (account, applicant) = app.applicant(json!({})).await;
    app.upload(&account, &applicant, "business_licence", PDF)
        .await
        .problem(422, "document_kind_not_accepted");
    let odd = app
        .upload(&account, &applicant, "passport", b"GIF89a")
        .await
        .problem(422, "invalid_request");
    let pointers: Vec<String> = odd
        .faults()
        .into_iter()
        .map(|(pointer, _)| pointer)
        .collect();
    assert_eq!(pointers, ["#/kind", "#/file"]);
    static LARGE: [u8; 4 * 1024 * 1024 + 1] = [b'%'; 4 * 1024 * 1024 + 1];
    app.upload(&account, &applicant, "vat_invoice", &LARGE)
        .await
        .problem(413, "document_too_large");
    let document = app
        .upload(&account, &applicant, "vat_invoice", PDF)
        .await
        .expect(201)
        .header("location")
        .to_owned();
    app.request(Method::DELETE, &document)
        .sent_by(&applicant)
        .answer()
        .await
        .problem(428, "precondition_required");
    app.delete(&document, &applicant, 7)
        .await
        .problem(412, "precondition_failed");
    app.delete(&document, &applicant, 1).await.expect(204);
    app.get(&document, &applicant)
        .await
        .problem(404, "not_found");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_sees_what_is_anothers_and_the_queue_is_for_staff() {
    let app = TestApp::start().await;
    let (account, applicant) = app.applicant(json!({})).await;
    let stranger = app
        .applicant(json!({ "contact": { "email": "eva@other.example" } }))
        .await
        .1;
    let member = app.sign_in("mette@fjordfoto.example").await;
    for other in [&stranger, &member] {
        app.get(&account, other).await.problem(404, "not_found");
        app.get(&format!("{account}/documents"), other)
            .await
            .problem(404, "not_found");
    }
    app.get("/v1/reviews", &member)
        .await
        .problem(403, "forbidden");
    app.get("/v1/reviews", &applicant)
        .await
        .problem(403, "forbidden");
    let queue = app
        .get("/v1/reviews", &app.sign_in("support@cps.example").await)
        .await
        .expect(200);
    assert_eq!(
        queue.body["items"][0]["account_id"],
        "acc_00000000000070008000000000000003"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_withdrawn_application_is_closed_to_its_token() {
    let app = TestApp::start().await;
    let (account, applicant) = app.applicant(json!({})).await;
    assert_eq!(
        app.act(&format!("{account}/withdrawal"), &applicant)
            .await
            .expect(200)
            .body["status"],
        "withdrawn"
    );
    app.get(&account, &applicant)
        .await
        .problem(401, "unauthenticated");
}
