//! Accounts over HTTP, and the steps on their way that other tests take too.

mod active;
mod changing;
mod contact_email;
mod registering;
mod staff;
mod states;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Sending, TestApp, Token};

pub use crate::businesses::{PASSWORD, PDF, token_of};

/// Sends a merge patch that is based on `version`.
pub async fn patch(app: &TestApp, path: &str, token: &Token, version: i64, body: Value) -> Answer {
    app.request(Method::PATCH, path)
        .sent_by(token)
        .header("if-match", format!("\"{version}\""))
        .header("content-type", "application/merge-patch+json")
        .body(body.to_string())
        .answer()
        .await
}

/// An application, with the token that registering returned and one that was mailed.
pub struct Link {
    pub account: String,
    pub registered: Token,
    pub token: Token,
}

/// So many applications of an address, with the tokens that were mailed for them; an hour for every three.
pub async fn mailed_links(app: &TestApp, email: &str, many: usize) -> Vec<Link> {
    let mut links = Vec::new();
    while links.len() < many {
        let (account, registered) = app
            .applicant(json!({ "contact": { "email": email } }))
            .await;
        app.advance(chrono::TimeDelta::minutes(21)).await;
        let mails = app.mails(email).await;
        let started = |mail: &&Value| mail["template"] == "application_started";
        let token = Token(Some(token_of(mails.iter().find(started).unwrap())));
        app.get(&account, &token).await.expect(200);
        links.push(Link {
            account,
            registered,
            token,
        });
    }
    links
}

/// Has support ask for another address of the contact.
pub async fn propose_email(app: &TestApp, account: &str, email: &str) -> Answer {
    let support = app.sign_in("support@cps.example").await;
    let read = app.get(account, &support).await.expect(200);
    let version = read.body["version"].as_i64().unwrap();
    let change = json!({ "contact": { "email": email } });
    app.patch(account, &support, version, change).await
}

/// Has an administrator accept it.
pub async fn accept_email(app: &TestApp, account: &str) -> Answer {
    let admin = app.sign_in("admin@cps.example").await;
    app.act(&format!("{account}/contact-email/acceptance"), &admin)
        .await
}

/// The path of an account's case.
pub fn case_of(account: &str) -> String {
    account.replace("/v1/accounts/", "/v1/reviews/")
}

/// Hands a certificate in and submits.
pub async fn submit(app: &TestApp, account: &str, applicant: &Token) -> Answer {
    app.upload(account, applicant, "vat_registration_certificate", PDF)
        .await
        .expect(201);
    app.act(&format!("{account}/submission"), applicant)
        .await
        .expect(200)
}

/// Claims the case and decides it; the newest document first, with `document`.
pub async fn decide(app: &TestApp, account: &str, document: Value, decision: Value) -> Answer {
    let reviewer = app.sign_in("reviewer@cps.example").await;
    let case = case_of(account);
    let claimed = app
        .act(&format!("{case}/claim"), &reviewer)
        .await
        .expect(200);
    let documents = claimed.body["documents"].as_array().unwrap();
    let newest = documents.last().unwrap()["id"].as_str().unwrap();
    app.put(&format!("{case}/documents/{newest}"), &reviewer, document)
        .await
        .expect(200);
    app.post(&format!("{case}/decision"), &reviewer, decision)
        .await
}

/// Brings a draft to its approval.
pub async fn approve(app: &TestApp, account: &str, applicant: &Token) {
    submit(app, account, applicant).await;
    let (accept, approve) = (
        json!({ "decision": "accept" }),
        json!({ "decision": "approve" }),
    );
    decide(app, account, accept, approve).await.expect(200);
}

/// Sets the password that a mail asks for, and signs in.
pub async fn set_password(app: &TestApp, email: &str, template: &str) -> Token {
    let token = token_of(&app.mail(email, template).await);
    let body = json!({ "token": token, "new_password": PASSWORD });
    app.post("/v1/passwords", &Token::default(), body)
        .await
        .expect(204);
    app.sign_in_with(email, PASSWORD).await
}
