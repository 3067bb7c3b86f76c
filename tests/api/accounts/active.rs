//! What changes of an account in use: the superuser moves it, support gives it another name or VAT number that a document proves.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::{PDF, approve, case_of, patch, set_password};
use crate::support::{Answer, TestApp, Token};

const ASTA: &str = "asta@nordlys-test.example";

struct Active {
    app: TestApp,
    account: String,
    asta: Token,
    support: Token,
}

/// An account in use, with its superuser and a member of support.
async fn active() -> Active {
    let app = TestApp::start().await;
    let (account, applicant) = app.applicant(json!({})).await;
    approve(&app, &account, &applicant).await;
    Active {
        asta: set_password(&app, ASTA, "first_password").await,
        support: app.sign_in("support@cps.example").await,
        account,
        app,
    }
}

impl Active {
    async fn version(&self) -> i64 {
        let read = self.app.get(&self.account, &self.support).await.expect(200);
        read.body["version"].as_i64().unwrap()
    }

    async fn change(&self, who: &Token, body: Value) -> Answer {
        let version = self.version().await;
        patch(&self.app, &self.account, who, version, body).await
    }

    /// A document that the superuser adds; its id.
    async fn document(&self) -> String {
        let kind = "vat_registration_certificate";
        let added = self.app.upload(&self.account, &self.asta, kind, PDF).await;
        added.expect(201).str("/id")
    }

    async fn decide(&self, document: &str, decision: Value) -> Answer {
        let reviewer = self.app.sign_in("reviewer@cps.example").await;
        let path = format!("{}/documents/{document}", case_of(&self.account));
        self.app.put(&path, &reviewer, decision).await
    }

    /// The same, and a reviewer accepts it.
    async fn accepted(&self) -> String {
        let document = self.document().await;
        let accept = json!({ "decision": "accept" });
        self.decide(&document, accept).await.expect(200);
        document
    }
}

fn fault(pointer: &str, code: &str) -> (String, String) {
    (pointer.to_owned(), code.to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_business_that_moves_changes_its_address_in_the_same_country() {
    let at = active().await;
    let moved =
        json!({ "address": { "street": "Torvet 2", "postal_code": "8000", "city": "Aarhus C" } });
    let moved = at.change(&at.asta, moved).await.expect(200);
    assert_eq!(
        (moved.str("/address/street"), moved.str("/address/city")),
        ("Torvet 2".to_owned(), "Aarhus C".to_owned())
    );
    assert_eq!(moved.body["requirements"]["currently_due"], json!([]));
    let outside = json!({ "address": { "postal_code": "3900", "city": "Nuuk" } });
    let outside = at.change(&at.asta, outside).await;
    let told = outside.problem(422, "invalid_request").faults();
    assert_eq!(
        told,
        [fault("#/address/postal_code", "region_not_supported")]
    );
    let abroad =
        json!({ "country": "SE", "vat_number": "556036079301", "address": { "city": "Lund" } });
    for refused in [
        abroad,
        json!({ "company_name": "Nordlys Film ApS" }),
        json!({ "vat_number": "24256790" }),
        json!({ "address": { "city": "Odense" }, "source": "mail" }),
    ] {
        let refused = at.change(&at.asta, refused).await;
        refused.problem(409, "application_not_editable");
    }
    let support = json!({ "address": { "city": "Odense" } });
    let support = at.change(&at.support, support).await;
    support.problem(403, "forbidden");
    let admin = at.app.sign_in("admin@cps.example").await;
    let reason = json!({ "reason": "Two members claim the same." });
    let suspension = format!("{}/suspension", at.account);
    at.app.post(&suspension, &admin, reason).await.expect(200);
    let late = json!({ "address": { "city": "Odense" } });
    let late = at.change(&at.asta, late).await;
    late.problem(409, "account_not_active");
    let late = at.app.upload(&at.account, &at.asta, "vat_invoice", PDF);
    late.await.problem(409, "account_not_active");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn support_changes_name_and_vat_number_with_a_reason_and_an_accepted_document() {
    let at = active().await;
    let document = at.accepted().await;
    let change = json!({
        "company_name": "Nordlys Film ApS", "vat_number": "DK 25 31 37 63",
        "reason": "Merged with Nordlys Film.", "document_id": document
    });
    let changed = at.change(&at.support, change).await.expect(200);
    assert_eq!(
        (changed.str("/company_name"), changed.str("/vat_number")),
        ("Nordlys Film ApS".to_owned(), "25313763".to_owned())
    );
    assert!(changed.body.get("reason").is_none());
    let mail = at.app.mail(ASTA, "company_changed").await;
    let text = mail["text"].as_str().unwrap();
    assert!(text.contains("Navn: Nordlys Film ApS\nMomsnummer: 25313763\n"));
    let found = "/v1/accounts?query=nordlys%20film";
    let found = at.app.get(found, &at.support).await.expect(200);
    assert_eq!(found.body["items"].as_array().unwrap().len(), 1);
    let path = format!("{}/documents/{document}", at.account);
    let still = at.app.get(&path, &at.asta).await.expect(200);
    assert_eq!(still.str("/status"), "accepted");
    let contact = json!({ "contact": { "name": "Asta B. Holm" } });
    at.change(&at.support, contact).await.expect(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_name_needs_a_reason_and_a_document_of_the_account_that_was_accepted_for_it() {
    let at = active().await;
    let refused = async |mut body: Value| {
        body["company_name"] = json!("Nordlys Film ApS");
        let refused = at.change(&at.support, body).await;
        let mut told = refused.problem(422, "invalid_request").faults();
        told.sort();
        told
    };
    let reason = "Merged with Nordlys Film.";
    assert_eq!(
        refused(json!({})).await,
        [
            fault("#/document_id", "required"),
            fault("#/reason", "required")
        ]
    );
    let unknown = "doc_00000000000070008000000000ffffff";
    assert_eq!(
        refused(json!({ "document_id": unknown, "vat_number": "1" })).await,
        [
            fault("#/document_id", "document_unknown"),
            fault("#/reason", "required"),
            fault("#/vat_number", "vat_number_invalid"),
        ]
    );
    let not_accepted = [fault("#/document_id", "document_not_accepted")];
    let documents = format!("{}/documents", at.account);
    let old = at.app.get(&documents, &at.asta).await.expect(200);
    let old = old.str("/items/0/id");
    let with = |id: &str| json!({ "document_id": id, "reason": reason });
    assert_eq!(refused(with(&old)).await, not_accepted);
    let pending = at.document().await;
    assert_eq!(refused(with(&pending)).await, not_accepted);
    let revise = json!({ "decision": "request_revision", "codes": ["name_mismatch"] });
    at.decide(&pending, revise).await.expect(200);
    assert_eq!(refused(with(&pending)).await, not_accepted);
    let blank = json!({ "document_id": pending, "reason": " " });
    assert_eq!(refused(blank).await, [fault("#/reason", "pattern")]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_vat_number_of_another_account_in_use_is_refused() {
    let at = active().await;
    let jonas = "/v1/accounts/acc_00000000000070008000000000000002";
    let jonas = at.app.get(jonas, &at.support).await.expect(200);
    let document = at.accepted().await;
    let body = |number: &str| json!({ "vat_number": number, "reason": "It was wrong.", "document_id": document });
    let taken = at
        .change(&at.support, body(&jonas.str("/vat_number")))
        .await;
    taken.problem(409, "vat_number_in_use");
    at.change(&at.support, body("25313763")).await.expect(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn documents_of_an_account_in_use_come_one_by_one_and_are_decided_once_without_a_case() {
    let at = active().await;
    let documents = format!("{}/documents", at.account);
    let old = at.app.get(&documents, &at.asta).await.expect(200);
    let old = old.str("/items/0/id");
    let [accept, reject] = [
        json!({ "decision": "accept" }),
        json!({ "decision": "reject", "codes": ["suspected_forgery"] }),
    ];
    let late = at.decide(&old, reject.clone()).await;
    late.problem(409, "review_not_open");
    let gone = format!("{documents}/{old}");
    let gone = at.app.delete(&gone, &at.asta, 2).await;
    gone.problem(409, "application_not_editable");

    let wrong = at.document().await;
    let wrong = format!("{documents}/{wrong}");
    let taken_back = at.app.delete(&wrong, &at.asta, 1).await;
    taken_back.expect(204);
    let document = at.accepted().await;
    let again = at.decide(&document, reject).await;
    again.problem(409, "review_not_open");
    let path = format!("{documents}/{document}");
    let kept = at.app.delete(&path, &at.asta, 2).await;
    kept.problem(409, "application_not_editable");
    for _ in 0..9 {
        at.document().await;
    }
    let full = at.app.upload(&at.account, &at.asta, "vat_invoice", PDF);
    full.await.problem(409, "document_limit_reached");

    // The files of the application die 90 days after its approval, those of a change 90 days after they came.
    let content = async |id: &str| {
        let reviewer = at.app.sign_in("reviewer@cps.example").await;
        let path = format!("{documents}/{id}/content");
        at.app.get(&path, &reviewer).await.status
    };
    at.app.advance(TimeDelta::days(60)).await;
    let asta = at.app.sign_in_with(ASTA, super::PASSWORD).await;
    let full = at.app.upload(&at.account, &asta, "vat_invoice", PDF);
    full.await.problem(409, "document_limit_reached");
    at.app.advance(TimeDelta::days(29)).await;
    assert_eq!((content(&old).await, content(&document).await), (200, 200));
    at.app.advance(TimeDelta::days(2)).await;
    assert_eq!((content(&old).await, content(&document).await), (404, 404));
    let asta = at.app.sign_in_with(ASTA, super::PASSWORD).await;
    let room = at.app.upload(&at.account, &asta, "vat_invoice", PDF);
    let new = room.await.expect(201).str("/id");
    at.decide(&new, accept).await.expect(200);
    at.app.advance(TimeDelta::days(80)).await;
    assert_eq!(content(&new).await, 200);
}
