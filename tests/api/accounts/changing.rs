//! What an applicant, a superuser and support may change, and when.

use chrono::TimeDelta;
use reqwest::Method;
use serde_json::{Value, json};

use super::{accept_email, approve, patch, propose_email, set_password, submit, token_of};
use crate::support::{Sending, TestApp, Token};

fn sorted(answer: &crate::support::Answer) -> Vec<(String, String)> {
    let mut faults = answer.faults();
    faults.sort();
    faults
}

fn faults<const N: usize>(wanted: [(&str, &str); N]) -> Vec<(String, String)> {
    wanted
        .map(|(pointer, code)| (pointer.to_owned(), code.to_owned()))
        .to_vec()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_draft_is_changed_field_by_field_and_its_requirements_with_it() {
    let app = TestApp::start().await;
    let (account, applicant) = app.applicant(json!({})).await;
    let city =
        json!({ "address": { "city": "Roskilde" }, "contact": { "phone": null }, "source": null });
    let changed = patch(&app, &account, &applicant, 1, city.clone())
        .await
        .expect(200);
    assert!(changed.header("etag").starts_with("\"2-"));
    assert_eq!(
        changed.body["address"],
        json!({ "street": "Havnegade 1", "postal_code": "1058", "city": "Roskilde" })
    );
    assert_eq!(
        changed.body["contact"],
        json!({ "name": "Asta Holm", "email": "asta@nordlys-test.example" })
    );
    assert!(changed.body.get("source").is_none());
    let same = patch(&app, &account, &applicant, 2, city).await.expect(200);
    assert_eq!(same.body["version"], 2);
    let small = json!({ "vat_registered": false, "vat_number": null, "legacy_cps_email": "old@nordlys.example" });
    let small = patch(&app, &account, &applicant, 2, small)
        .await
        .expect(200);
    assert_eq!(
        small.body["requirements"]["alternatives"],
        json!([[
            "business_invoice",
            "business_licence",
            "incorporation_extract"
        ]])
    );
    assert!(small.body.get("vat_number").is_none());
    let read = app.get(&account, &applicant).await.expect(200);
    assert_eq!(read.body, small.body);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_overwrites_what_they_have_not_seen() {
    let app = TestApp::start().await;
    let (account, applicant) = app.applicant(json!({})).await;
    let send = |kind: &'static str| {
        app.request(Method::PATCH, &account)
            .sent_by(&applicant)
            .header("content-type", kind)
            .body(r#"{"company_name":"Nordlys"}"#)
    };
    send("application/merge-patch+json")
        .answer()
        .await
        .problem(428, "precondition_required");
    let tagged = async |kind, tag: &str| send(kind).header("if-match", tag).answer().await;
    let refused = tagged("text/plain", "\"1\"").await;
    let refused = refused.problem(415, "unsupported_media_type");
    let formats = "application/merge-patch+json, application/json";
    assert_eq!(refused.header("accept-patch"), formats);
    assert!(refused.str("/detail").contains(formats));
    for malformed in ["1", "\"1", "W/1", "\"1\" \"2\""] {
        let refused = tagged("application/json", malformed).await;
        let refused = refused.problem(400, "if_match_malformed");
        assert!(refused.str("/detail").contains("If-Match: \"2\""));
    }
    let weak = tagged("application/json", "W/\"1\"").await;
    let weak = weak.problem(412, "precondition_failed").str("/detail");
    let stale = tagged("application/json", "\"7\"").await;
    let stale = stale.problem(412, "precondition_failed").str("/detail");
    assert!(weak.contains("weak") && !stale.contains("weak"));
    patch(
        &app,
        &account,
        &applicant,
        9,
        json!({ "company_name": "Nordlys" }),
    )
    .await
    .problem(412, "precondition_failed");
    let changed = tagged("application/json; charset=utf-8", "\"1\"").await;
    assert_eq!(changed.expect(200).str("/company_name"), "Nordlys");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_comes_out_is_checked_like_a_registration() {
    let app = TestApp::start().await;
    let (account, applicant) = app.applicant(json!({})).await;
    let refused = async |body: Value| {
        let answer = patch(&app, &account, &applicant, 1, body).await;
        sorted(&answer.problem(422, "invalid_request"))
    };
    assert_eq!(
        refused(json!({ "vat_number": null })).await,
        faults([("#/vat_number", "vat_number_required")])
    );
    assert_eq!(
        refused(json!({ "vat_number": null, "contact": { "phone": "12" } })).await,
        faults([
            ("#/contact/phone", "format"),
            ("#/vat_number", "vat_number_required")
        ])
    );
    assert_eq!(
        refused(json!({ "country": "SE" })).await,
        faults([("#/vat_number", "vat_number_invalid")])
    );
    assert_eq!(
        refused(json!({ "country": "US", "vat_number": "1" })).await,
        faults([
            ("#/country", "not_accepted"),
            ("#/vat_number", "vat_number_invalid")
        ])
    );
    let many = json!({ "company_name": null, "address": null, "contact": { "email": "nobody" }, "country": "US", "colour": 1 });
    assert_eq!(
        refused(many).await,
        faults([
            ("#/address", "type"),
            ("#/colour", "unknown"),
            ("#/company_name", "type"),
            ("#/contact/email", "format"),
            ("#/country", "not_accepted"),
        ])
    );
    let swedish = json!({ "country": "SE", "vat_number": "SE 556036-0793 01" });
    let moved = patch(&app, &account, &applicant, 1, swedish)
        .await
        .expect(200);
    assert_eq!(moved.body["vat_number"], "556036079301");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_a_reviewer_is_at_it_support_alone_mends_the_contact() {
    let app = TestApp::start().await;
    let (account, applicant) = app.applicant(json!({})).await;
    let version = submit(&app, &account, &applicant).await.body["version"]
        .as_i64()
        .unwrap();
    let (company, contact) = (
        json!({ "company_name": "Nordlys" }),
        json!({ "contact": { "name": "Asta B. Holm" } }),
    );
    for change in [&company, &contact] {
        patch(&app, &account, &applicant, version, change.clone())
            .await
            .problem(409, "application_not_editable");
    }
    let support = app.sign_in("support@cps.example").await;
    patch(&app, &account, &support, version, company.clone())
        .await
        .problem(403, "forbidden");
    let mended = patch(&app, &account, &support, version, contact.clone())
        .await
        .expect(200);
    assert_eq!(mended.body["contact"]["name"], "Asta B. Holm");
    for email in [
        "reviewer@cps.example",
        "finance@cps.example",
        "admin@cps.example",
    ] {
        let other = app.sign_in(email).await;
        patch(&app, &account, &other, version, contact.clone())
            .await
            .problem(403, "forbidden");
    }
    let stranger = app.sign_in("mette@fjordfoto.example").await;
    patch(&app, &account, &stranger, version, contact)
        .await
        .problem(404, "not_found");
    app.act(&format!("{account}/withdrawal"), &applicant)
        .await
        .expect(200);
    let late = json!({ "contact": { "name": "Nobody" } });
    patch(&app, &account, &support, version + 2, late)
        .await
        .problem(409, "account_state_conflict");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_keeps_contact_and_language_up_to_date_and_signs_in_as_before() {
    let app = TestApp::start().await;
    let mette = app.sign_in("mette@fjordfoto.example").await;
    let account = "/v1/accounts/acc_00000000000070008000000000000001";
    let name = json!({ "company_name": "Fjord Film ApS" });
    patch(&app, account, &mette, 1, name)
        .await
        .problem(409, "application_not_editable");
    let contact = json!({ "contact": { "email": "kontor@fjordfoto.example", "phone": "+4586120000" }, "language": "en-GB" });
    let changed = patch(&app, account, &mette, 1, contact).await.expect(200);
    assert_eq!(
        (&changed.body["language"], &changed.body["contact"]["email"]),
        (&json!("en"), &json!("kontor@fjordfoto.example"))
    );
    app.sign_in("mette@fjordfoto.example").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_known_are_told_once_a_day_and_the_stranger_nothing() {
    let app = TestApp::start().await;
    let mette = "mette@fjordfoto.example";
    let told = async || {
        let mails = app.mails(mette).await;
        let known = |mail: &&Value| mail["template"] == "known_address_registered";
        mails.iter().filter(known).count()
    };
    let (account, applicant) = app.applicant(json!({})).await;
    let change = json!({ "contact": { "email": mette } });
    patch(&app, &account, &applicant, 1, change)
        .await
        .expect(200);
    app.advance(TimeDelta::seconds(1)).await;
    assert_eq!(told().await, 1);
    app.applicant(json!({ "contact": { "email": "METTE@fjordfoto.example" } }))
        .await;
    app.applicant(
        json!({ "vat_number": "24256790", "contact": { "email": "eva@other-test.example" } }),
    )
    .await;
    app.advance(TimeDelta::seconds(1)).await;
    assert_eq!(told().await, 1);
    app.advance(TimeDelta::hours(25)).await;
    app.applicant(
        json!({ "vat_number": "24256790", "contact": { "email": "eva@other-test.example" } }),
    )
    .await;
    app.advance(TimeDelta::seconds(1)).await;
    assert_eq!(told().await, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_that_has_an_account_gets_no_second_one() {
    let app = TestApp::start().await;
    let (account, applicant) = app
        .applicant(json!({ "contact": { "email": "mette@fjordfoto.example" } }))
        .await;
    submit(&app, &account, &applicant).await;
    let (accept, approve) = (
        json!({ "decision": "accept" }),
        json!({ "decision": "approve" }),
    );
    super::decide(&app, &account, accept, approve)
        .await
        .problem(409, "email_in_use");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_that_went_astray_is_sent_again_to_the_right_address() {
    let app = TestApp::start().await;
    let (account, applicant) = app.applicant(json!({})).await;
    approve(&app, &account, &applicant).await;
    let astray = token_of(
        &app.mail("asta@nordlys-test.example", "first_password")
            .await,
    );
    let support = app.sign_in("support@cps.example").await;
    propose_email(&app, &account, "mette@fjordfoto.example")
        .await
        .expect(200);
    let taken = accept_email(&app, &account).await;
    taken.problem(409, "email_in_use");
    propose_email(&app, &account, "asta@right-test.example")
        .await
        .expect(200);
    accept_email(&app, &account).await.expect(200);
    let link = format!("{account}/first-password-link");
    app.act(&link, &support).await.expect(202);
    let used = json!({ "token": astray, "new_password": super::PASSWORD });
    app.post("/v1/passwords", &Token::default(), used)
        .await
        .problem(400, "token_invalid");
    set_password(&app, "asta@right-test.example", "first_password").await;
    app.act(&link, &support)
        .await
        .problem(409, "account_state_conflict");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_with_a_document_is_said_in_the_callers_language() {
    let app = TestApp::start().await;
    let (account, applicant) = app.applicant(json!({})).await;
    submit(&app, &account, &applicant).await;
    let revise = json!({ "decision": "request_revision", "codes": ["unreadable"] });
    let ask = json!({ "decision": "request_information", "note": "En skarpere kopi, tak." });
    super::decide(&app, &account, revise, ask).await.expect(200);
    let mail = app
        .mail("asta@nordlys-test.example", "information_requested")
        .await;
    let applicant = Token(Some(token_of(&mail)));
    for (language, words) in [
        ("da", "Vi kan ikke læse dokumentet."),
        ("en", "We cannot read the document."),
    ] {
        let send = |path: String| {
            app.request(Method::GET, &path)
                .sent_by(&applicant)
                .header("accept-language", language)
                .answer()
        };
        let due = send(format!("{account}/requirements")).await.expect(200);
        assert!(
            due.str("/errors/0/message").starts_with(words),
            "{}",
            due.text
        );
        assert_eq!(due.header("content-language"), language);
        let whole = send(account.clone()).await.expect(200);
        assert_eq!(whole.body["requirements"], due.body);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_document_that_was_accepted_for_another_name_is_looked_at_again() {
    let app = TestApp::start().await;
    let (account, applicant) = app.applicant(json!({})).await;
    submit(&app, &account, &applicant).await;
    let accept = json!({ "decision": "accept" });
    let ask = json!({ "decision": "request_information", "note": "Er navnet rigtigt?" });
    super::decide(&app, &account, accept, ask).await.expect(200);
    let mail = app
        .mail("asta@nordlys-test.example", "information_requested")
        .await;
    let applicant = Token(Some(token_of(&mail)));
    let statuses = async || {
        let path = format!("{account}/documents");
        let list = app.get(&path, &applicant).await.expect(200);
        list.body["items"][0]["status"].clone()
    };
    let version = async || app.get(&account, &applicant).await.body["version"].as_i64();
    for (change, status) in [
        (json!({ "source": "mail" }), "accepted"),
        (json!({ "company_name": "Nordlys Film ApS" }), "pending"),
    ] {
        let seen = version().await.unwrap();
        app.patch(&account, &applicant, seen, change)
            .await
            .expect(200);
        assert_eq!(statuses().await, status);
    }
}
