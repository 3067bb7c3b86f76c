//! The guide's way in its order, once for a Danish VAT-registered business with an old account, once for one without VAT number or old account.

use chrono::{DateTime, TimeDelta, Utc};
use reqwest::Method;
use serde_json::{Value, json};

use crate::businesses::{PASSWORD, PDF, id_of, token_of};
use crate::support::{Answer, Sending, TestApp, Token, registration};

/// What a business brings along.
struct Plan {
    email: &'static str,
    registration: Value,
    documents: &'static str,
    set: [&'static str; 2],
}

/// A business on its way; each step is one of the guide's pictures.
struct Walk {
    app: TestApp,
    plan: Plan,
    account: String,
    applicant: Token,
    superuser: Token,
}

impl Walk {
    /// It registers, and sees which documents are enough.
    async fn register(plan: Plan) -> Self {
        let app = TestApp::start().await;
        let mut body = registration(plan.registration.clone());
        body["contact"]["email"] = json!(plan.email);
        let registered = app
            .post("/v1/accounts", &Token::default(), body)
            .await
            .expect(201);
        let due = &registered.body["account"]["requirements"];
        assert_eq!(due["currently_due"], json!(["verification_document"]));
        let set = due["alternatives"][0].as_array().unwrap();
        assert!(plan.set.iter().all(|kind| set.contains(&json!(kind))));
        Self {
            account: registered.header("location").to_owned(),
            applicant: Token(Some(registered.str("/applicant_token"))),
            superuser: Token::default(),
            app,
            plan,
        }
    }

    async fn at(&self, path: &str, token: &Token) -> Answer {
        let path = format!("{}{path}", self.account);
        self.app.get(&path, token).await
    }

    /// It hands in its document and submits; the answer is promised within two working days.
    async fn prove_itself(&self) -> String {
        let document = self
            .app
            .upload(&self.account, &self.applicant, self.plan.documents, PDF)
            .await
            .expect(201);
        let submitted = self
            .app
            .act(&format!("{}/submission", self.account), &self.applicant)
            .await
            .expect(200);
        assert_eq!(submitted.body["status"], "submitted");
        let due: DateTime<Utc> = submitted.str("/review_due_at").parse().unwrap();
        let wait = due - self.app.now().await;
        assert!(wait > TimeDelta::days(1) && wait < TimeDelta::days(14));
        document.str("/id")
    }

    /// Before the approval there is no password, and asking for one tells how far the application is.
    async fn wait_for_the_answer(&self) {
        let body = json!({ "email": self.plan.email, "password": PASSWORD });
        self.app
            .post("/v1/sessions", &Token::default(), body)
            .await
            .problem(401, "invalid_credentials");
        let body = json!({ "email": self.plan.email });
        self.app
            .post("/v1/password-resets", &Token::default(), body)
            .await
            .expect(202);
        let mail = self
            .app
            .mail(self.plan.email, "reset_before_approval")
            .await;
        assert!(mail.get("action_url").is_none() && !mail.to_string().contains("token="));
    }

    /// The mail lets it set its password; it signs in.
    async fn sign_in(&mut self) {
        let mail = self.app.mail(self.plan.email, "first_password").await;
        let token = token_of(&mail);
        let short = json!({ "token": token, "new_password": "kort" });
        self.app
            .post("/v1/passwords", &Token::default(), short)
            .await
            .problem(422, "invalid_request");
        self.app.set_password(&token).await;
        let again = json!({ "token": token, "new_password": PASSWORD });
        self.app
            .post("/v1/passwords", &Token::default(), again)
            .await
            .problem(400, "token_invalid");
        self.superuser = self.app.sign_in_with(self.plan.email, PASSWORD).await;
        let me = self.app.get("/v1/me", &self.superuser).await.expect(200);
        assert_eq!(me.body["roles"], json!(["superuser"]));
        let account = self.at("", &self.superuser).await.expect(200);
        assert_eq!(account.body["status"], "active");
    }

    /// It registers a product with what it knows, and adds the rest.
    async fn add_product(&self, model: &str, serial: &str) -> i64 {
        let model = self.app.model(model).await;
        let body = json!({ "model_id": model, "serial_number": serial });
        let path = format!("{}/products", self.account);
        let made = self
            .app
            .post(&path, &self.superuser, body)
            .await
            .expect(201);
        assert_eq!(made.body["status"], "incomplete");
        let rest = json!({
            "purchase_date": "2024-11-20", "purchase_country": "DK", "dealer": "Foto Nord", "estimated": ["purchase_date"]
        });
        let done = self
            .app
            .patch(made.header("location"), &self.superuser, 1, rest)
            .await
            .expect(200);
        assert_eq!(done.body["status"], "complete");
        done.body["points_granted"].as_i64().unwrap()
    }

    async fn faq(&self, id: &str) -> String {
        let request = self.app.request(Method::GET, "/v1/faq");
        let faq = request.sent_by(&self.superuser).answer().await.expect(200);
        let items = faq.body["items"].as_array().unwrap();
        let item = items.iter().find(|item| item["id"] == id).unwrap();
        item["answer"].as_str().unwrap().to_owned()
    }

    async fn levels(&self, query: &str) -> Vec<(String, bool)> {
        let path = format!("/membership/levels{query}");
        let levels = self.at(&path, &self.superuser).await.expect(200);
        levels.body["levels"]
            .as_array()
            .unwrap()
            .iter()
            .map(|level| {
                (
                    level["level"].as_str().unwrap().to_owned(),
                    level["open"].as_bool().unwrap(),
                )
            })
            .collect()
    }

    /// It chooses a level and how to pay, and is a member at once.
    async fn join(&self, body: Value) -> Answer {
        let path = format!("{}/membership", self.account);
        let joined = self.app.post_once(&path, &self.superuser, body).await;
        let joined = joined.expect(201);
        assert_eq!(joined.body["status"], "active");
        let number = joined.str("/member_number");
        let welcome = self.app.mail(self.plan.email, "membership_welcome").await;
        assert!(welcome["text"].as_str().unwrap().contains(&number));
        joined
    }

    /// The invoice comes within hours, here within moments.
    async fn invoice(&self) -> Value {
        let mail = self.app.mail(self.plan.email, "invoice_issued").await;
        let list = self.at("/invoices", &self.superuser).await.expect(200);
        let items = list.body["items"].as_array().unwrap();
        assert_eq!(items.len(), 1);
        let id = items[0]["id"].as_str().unwrap();
        let path = format!("/invoices/{id}");
        let invoice = self.at(&path, &self.superuser).await.expect(200).body;
        let text = mail["text"].as_str().unwrap();
        assert!(text.contains(invoice["number"].as_str().unwrap()));
        invoice
    }

    async fn ledger_is_right(self) {
        let (_, told) = self.app.after_command(&["verify-ledger"]).await;
        assert!(told.contains("Every balance is right"), "{told}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_vat_registered_business_with_an_old_account_becomes_a_member() {
    let old = "foto@nordlys.example";
    let mut walk = Walk::register(Plan {
        email: "asta@nordlys.example",
        registration: json!({ "legacy_cps_email": old, "language": "da_DK" }),
        documents: "vat_invoice",
        set: ["vat_registration_certificate", "vat_invoice"],
    })
    .await;
    let document = walk.prove_itself().await;
    walk.wait_for_the_answer().await;
    walk.app.approve(&walk.account, &document).await;
    walk.sign_in().await;

    assert!(walk.faq("no_migrate_button").await.len() > 20);
    let path = format!("{}/migration", walk.account);
    let proof = format!("{path}/proof");
    walk.app.act(&proof, &walk.superuser).await.expect(202);
    let code = walk.app.mail(old, "migration_proof").await["code"].clone();
    let body = json!({ "code": code });
    walk.app
        .put(&proof, &walk.superuser, body)
        .await
        .expect(204);
    let moved = walk.app.act(&path, &walk.superuser).await.expect(200);
    assert_eq!(moved.body["points_granted"], 250);
    assert!(
        walk.faq("no_green_tick")
            .await
            .contains("EF 24-70mm f/2.8L II USM")
    );
    assert!(walk.faq("no_level").await.contains("250"));

    let granted = walk
        .add_product("RF 400mm f/2.8L IS USM", "5120 001 234")
        .await;
    assert_eq!(
        walk.app.balance(&walk.account, &walk.superuser).await,
        250 + granted
    );
    walk.app.mail(walk.plan.email, "programme_invitation").await;
    let open = walk.levels("").await;
    let wanted = [("silver", true), ("gold", true), ("platinum", false)];
    assert_eq!(open, wanted.map(|(level, open)| (level.to_owned(), open)));

    let body = json!({ "level": "gold", "payment_method": "bank_transfer", "accept_terms_version": "2026-01" });
    let joined = walk.join(body).await;
    assert_eq!(joined.body["previous_member_numbers"], json!(["4410023"]));
    let finance = walk.app.sign_in("finance@cps.example").await;
    for number in ["4410023", joined.str("/member_number").as_str()] {
        let path = format!("/v1/members/{number}");
        let member = walk.app.get(&path, &finance).await.expect(200);
        assert_eq!(member.str("/account_id"), id_of(&walk.account));
    }
    let invoice = walk.invoice().await;
    assert_eq!(
        (
            &invoice["gross"],
            &invoice["vat"]["treatment"],
            &invoice["payment_method"]
        ),
        (
            &json!({ "amount": "200.00", "currency": "EUR" }),
            &json!("reverse_charge"),
            &json!("bank_transfer")
        )
    );
    assert!(
        invoice["payment_reference"]
            .as_str()
            .unwrap()
            .starts_with("RF")
    );
    assert!(!invoice["notices"].as_array().unwrap().is_empty());
    walk.ledger_is_right().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_business_without_vat_number_or_old_account_becomes_a_corporate_member() {
    let mut walk = Walk::register(Plan {
        email: "vera@studie.example",
        registration: json!({
            "company_name": "Studie Vera", "vat_registered": false, "vat_number": null, "language": "en-GB",
            "country": "NL", "address": { "street": "Prinsengracht 1", "postal_code": "1015 DK", "city": "Amsterdam" }
        }),
        documents: "incorporation_extract",
        set: ["business_licence", "incorporation_extract"],
    })
    .await;
    let document = walk.prove_itself().await;
    walk.wait_for_the_answer().await;
    walk.app.approve(&walk.account, &document).await;
    walk.sign_in().await;

    let migration = walk.at("/migration", &walk.superuser).await.expect(200);
    assert_eq!(migration.body["reason"], "no_legacy_email");
    for serial in ["8120001", "8120002"] {
        walk.add_product("XEED 4K500ST", &format!("{serial}A"))
            .await;
    }
    assert_eq!(walk.app.balance(&walk.account, &walk.superuser).await, 2400);
    let refused = walk.at("/membership/levels?corporate=on", &walk.superuser);
    refused.await.problem(409, "corporate_not_available");
    walk.add_product("EOS 5D Mark III", "018021004999").await;
    let corporate = walk.levels("?corporate=on").await;
    assert_eq!(corporate, [("corporate".to_owned(), true)]);

    let body = json!({
        "level": "corporate", "payment_method": "card", "card_token": "tok_visa", "accept_terms_version": "2026-01"
    });
    let joined = walk.join(body).await;
    assert_eq!(joined.body["previous_member_numbers"], json!([]));
    let invoice = walk.invoice().await;
    assert_eq!(
        (
            &invoice["net"]["amount"],
            &invoice["vat"]["treatment"],
            &invoice["gross"]["amount"]
        ),
        (&json!("1000.00"), &json!("standard"), &json!("1210.00"))
    );
    let issued: chrono::NaiveDate = invoice["issued_date"].as_str().unwrap().parse().unwrap();
    let due: chrono::NaiveDate = invoice["due_date"].as_str().unwrap().parse().unwrap();
    assert_eq!(due - issued, TimeDelta::days(30));
    walk.ledger_is_right().await;
}
