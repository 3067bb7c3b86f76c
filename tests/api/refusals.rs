//! Every refusal on the guide's way, in its order: what a business, its reviewer and its users are told no to, and why.

use chrono::TimeDelta;
use reqwest::Method;
use serde_json::{Value, json};

use crate::businesses::{PASSWORD, PDF, id_of, token_of};
use crate::support::{Answer, Sending, TestApp, Token, registration};

const EMAIL: &str = "asta@afslag.example";
const NOBODY: Token = Token(None);

/// The faults of a refused body, by their codes.
#[track_caller]
fn faults(answer: Answer) -> Vec<String> {
    let refused = answer.problem(422, "invalid_request");
    let codes = refused.faults().into_iter().map(|(_, code)| code);
    codes.collect()
}

struct Walk {
    app: TestApp,
    account: String,
    reviewer: Token,
}

impl Walk {
    async fn register(&self, change: Value) -> Answer {
        let mut body = registration(change);
        body["contact"]["email"] = json!(EMAIL);
        self.app.post("/v1/accounts", &NOBODY, body).await
    }

    /// What is wrong with a registration.
    async fn refused_registrations(&self) {
        for (change, code) in [
            (
                json!({ "country": "IS", "vat_registered": false, "vat_number": null }),
                "not_accepted",
            ),
            (json!({ "vat_number": null }), "vat_number_required"),
            (json!({ "vat_number": "03585628" }), "vat_number_invalid"),
            (
                json!({ "authority_declared": false }),
                "authority_not_declared",
            ),
            (
                json!({ "accept_terms_version": "1999-01" }),
                "terms_version_not_current",
            ),
            (json!({ "company_name": " " }), "pattern"),
        ] {
            assert_eq!(faults(self.register(change).await), [code]);
        }
    }

    async fn upload(&self, token: &Token, kind: &str, bytes: &'static [u8]) -> Answer {
        self.app.upload(&self.account, token, kind, bytes).await
    }

    /// Documents that do not do, and a submission without one.
    async fn refused_documents(&self, applicant: &Token) {
        let submission = format!("{}/submission", self.account);
        self.app
            .act(&submission, applicant)
            .await
            .problem(409, "requirements_due");
        self.upload(applicant, "business_licence", PDF)
            .await
            .problem(422, "document_kind_not_accepted");
        let text = self.upload(applicant, "vat_invoice", b"plain text").await;
        assert_eq!(faults(text), ["document_type_not_accepted"]);
        assert_eq!(
            faults(self.upload(applicant, "passport", PDF).await),
            ["not_accepted"]
        );
        let large: &'static [u8] = vec![b'%'; 4 * 1024 * 1024 + 1].leak();
        self.upload(applicant, "vat_invoice", large)
            .await
            .problem(413, "document_too_large");
        let other = format!("{}/documents", crate::products::METTE);
        self.app
            .get(&other, applicant)
            .await
            .problem(404, "not_found");
    }

    fn case(&self, rest: &str) -> String {
        format!("/v1/reviews/{}{rest}", id_of(&self.account))
    }

    async fn decide(&self, body: Value) -> Answer {
        self.app
            .post(&self.case("/decision"), &self.reviewer, body)
            .await
    }

    /// A reviewer without a claim, without a decided document, without a reason.
    async fn refused_decisions(&self, document: &str) {
        let one = self.case(&format!("/documents/{document}"));
        let accept = json!({ "decision": "accept" });
        self.app
            .put(&one, &self.reviewer, accept.clone())
            .await
            .problem(409, "claim_needed");
        self.decide(json!({ "decision": "approve" }))
            .await
            .problem(409, "claim_needed");
        self.app
            .act(&self.case("/claim"), &self.reviewer)
            .await
            .expect(200);
        let support = self.app.sign_in("support@cps.example").await;
        self.app
            .act(&self.case("/claim"), &support)
            .await
            .problem(403, "forbidden");
        self.decide(json!({ "decision": "approve" }))
            .await
            .problem(409, "documents_undecided");
        let without = [
            json!({ "decision": "reject" }),
            json!({ "decision": "request_information" }),
        ];
        for (body, code) in without.into_iter().zip(["codes_required", "note_required"]) {
            assert_eq!(faults(self.decide(body).await), [code]);
        }
        let wrong = json!({ "decision": "request_revision", "codes": ["not_a_business"] });
        faults(self.app.put(&one, &self.reviewer, wrong).await);
        self.app.put(&one, &self.reviewer, accept).await.expect(200);
    }

    /// Passwords that are too short, too common, or name the company or the address.
    async fn refused_passwords(&self, token: &str) {
        for (password, code) in [
            ("kort", "too_short"),
            ("123qweasdzxc", "password_common"),
            ("xxNordlys Foto ApSxx", "password_contains_company"),
            ("min asta er min egen", "password_contains_email"),
        ] {
            let body = json!({ "token": token, "new_password": password });
            let refused = faults(self.app.post("/v1/passwords", &NOBODY, body).await);
            assert!(
                refused.contains(&code.to_owned()),
                "{password}: {refused:?}"
            );
        }
        let body = json!({ "token": "cpt_unknown", "new_password": PASSWORD });
        self.app
            .post("/v1/passwords", &NOBODY, body)
            .await
            .problem(400, "token_invalid");
    }

    /// What a signed-in superuser is told no to before there are points.
    async fn refused_before_points(&self, superuser: &Token) {
        let at = |path: &str| format!("{}{path}", self.account);
        let body = json!({ "model_id": "mod_000000000000700080000000000003e9", "serial_number": crate::products::TAKEN });
        self.app
            .post(&at("/products"), superuser, body)
            .await
            .problem(409, "serial_already_registered");
        self.app
            .act(&at("/migration"), superuser)
            .await
            .problem(409, "no_legacy_email");
        self.app
            .get(&at("/membership"), superuser)
            .await
            .problem(404, "no_membership");
        self.app
            .get(&at("/membership/levels?corporate=on"), superuser)
            .await
            .problem(409, "corporate_not_available");
        let join = self.join(superuser, json!({})).await;
        join.problem(409, "level_not_open");
        let adjust = json!({ "amount": 500, "reason": "mine" });
        self.app
            .post_once(&at("/points/adjustments"), superuser, adjust)
            .await
            .problem(403, "forbidden");
    }

    async fn join(&self, superuser: &Token, change: Value) -> Answer {
        let mut body = json!({ "level": "silver", "payment_method": "card", "card_token": "tok_visa", "accept_terms_version": "2026-01" });
        for (name, value) in change.as_object().unwrap() {
            match value {
                Value::Null => drop(body.as_object_mut().unwrap().remove(name)),
                value => body[name] = value.clone(),
            }
        }
        let path = format!("{}/membership", self.account);
        self.app.post_once(&path, superuser, body).await
    }

    /// Cards, terms and levels that do not do, and a second membership.
    async fn refused_joining(&self, superuser: &Token) {
        for (change, code) in [
            (json!({ "level": "diamond" }), "not_accepted"),
            (json!({ "card_token": null }), "card_token_required"),
            (json!({ "card_token": "tok_unknown" }), "card_token_invalid"),
            (
                json!({ "payment_method": "bank_transfer" }),
                "card_token_unexpected",
            ),
            (
                json!({ "accept_terms_version": "1999-01" }),
                "terms_version_not_current",
            ),
        ] {
            assert_eq!(faults(self.join(superuser, change).await), [code]);
        }
        self.join(superuser, json!({ "card_token": "tok_expires_soon" }))
            .await
            .problem(422, "card_expires_too_early");
        self.join(superuser, json!({ "level": "gold" }))
            .await
            .problem(409, "level_not_open");
        let path = format!("{}/membership", self.account);
        self.app
            .post(&path, superuser, json!({}))
            .await
            .problem(400, "idempotency_key_required");
        self.join(superuser, json!({})).await.expect(201);
        self.join(superuser, json!({}))
            .await
            .problem(409, "already_member");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_refusal_on_the_way_says_what_to_do() {
    all_on_the_way(TestApp::start().await).await;
}

/// Walks the guide's way, refused wherever it can be.
pub async fn all_on_the_way(app: TestApp) {
    let mut walk = Walk {
        reviewer: app.sign_in("reviewer@cps.example").await,
        account: String::new(),
        app,
    };
    walk.refused_registrations().await;
    let registered = walk.register(json!({})).await.expect(201);
    walk.account = registered.header("location").to_owned();
    let applicant = Token(Some(registered.str("/applicant_token")));
    walk.app
        .get(&walk.account, &NOBODY)
        .await
        .problem(401, "unauthenticated");
    walk.app
        .get(&walk.account, &Token(Some("cpa_guessed".to_owned())))
        .await
        .problem(401, "unauthenticated");
    walk.refused_documents(&applicant).await;
    let document = walk
        .upload(&applicant, "vat_invoice", PDF)
        .await
        .expect(201)
        .str("/id");
    let submission = format!("{}/submission", walk.account);
    walk.app.act(&submission, &applicant).await.expect(200);
    for refused in [
        walk.app.act(&submission, &applicant).await,
        walk.upload(&applicant, "vat_invoice", PDF).await,
        walk.app
            .patch(&walk.account, &applicant, 3, json!({ "company_name": "X" }))
            .await,
    ] {
        refused.problem(409, "application_not_editable");
    }
    walk.refused_decisions(&document).await;
    walk.decide(json!({ "decision": "approve" }))
        .await
        .expect(200);
    walk.decide(json!({ "decision": "approve" }))
        .await
        .problem(409, "review_not_open");
    walk.app.get(&walk.account, &applicant).await.expect(200);
    walk.app
        .patch(&walk.account, &applicant, 3, json!({ "language": "en" }))
        .await
        .problem(409, "application_not_editable");

    let token = token_of(&walk.app.mail(EMAIL, "first_password").await);
    walk.refused_passwords(&token).await;
    walk.app.set_password(&token).await;
    walk.app
        .get(&walk.account, &applicant)
        .await
        .problem(401, "unauthenticated");
    let wrong = json!({ "email": EMAIL, "password": "et helt andet kodeord" });
    walk.app
        .post("/v1/sessions", &NOBODY, wrong)
        .await
        .problem(401, "invalid_credentials");
    let superuser = walk.app.sign_in_with(EMAIL, PASSWORD).await;
    walk.refused_before_points(&superuser).await;
    walk.app.adjust(&walk.account, 500).await;
    walk.refused_joining(&superuser).await;
    walk.app.advance(TimeDelta::minutes(11)).await;
    walk.app
        .get(&walk.account, &superuser)
        .await
        .problem(401, "unauthenticated");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_account_for_one_address_cannot_be_approved() {
    let app = TestApp::start().await;
    app.business(EMAIL, json!({})).await;
    let mut body = registration(json!({}));
    body["contact"]["email"] = json!(EMAIL);
    let again = app.post("/v1/accounts", &NOBODY, body).await.expect(201);
    let account = again.header("location");
    let applicant = Token(Some(again.str("/applicant_token")));
    let document = app
        .upload(account, &applicant, "vat_invoice", PDF)
        .await
        .expect(201)
        .str("/id");
    let submission = format!("{account}/submission");
    app.act(&submission, &applicant).await.expect(200);
    let reviewer = app.sign_in("reviewer@cps.example").await;
    let case = format!("/v1/reviews/{}", id_of(account));
    app.act(&format!("{case}/claim"), &reviewer)
        .await
        .expect(200);
    let seen = app.get(&case, &reviewer).await.expect(200);
    let similar = seen.body["similar_accounts"].as_array().unwrap();
    assert!(similar.iter().any(|one| one["same_email"] == true));
    let accept = json!({ "decision": "accept" });
    app.put(&format!("{case}/documents/{document}"), &reviewer, accept)
        .await
        .expect(200);
    let approve = json!({ "decision": "approve" });
    app.request(Method::POST, &format!("{case}/decision"))
        .sent_by(&reviewer)
        .json(&approve)
        .answer()
        .await
        .problem(409, "email_in_use");
}
