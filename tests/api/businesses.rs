//! A business on its way, for tests that begin further on: registered, approved, signed in.

use serde_json::{Value, json};

use crate::support::{TestApp, Token, registration};

/// The password that these businesses set.
pub const PASSWORD: &str = "en lang og god sætning";
/// A file that passes for a document.
pub const PDF: &[u8] = b"%PDF-1.4 a certificate";

/// A business whose superuser is signed in.
pub struct Business {
    /// `/v1/accounts/acc_...`
    pub account: String,
    pub email: String,
    pub token: Token,
}

/// The token in a mail's link.
pub fn token_of(mail: &Value) -> String {
    let url = mail["action_url"].as_str().unwrap();
    url.split_once("#token=").unwrap().1.to_owned()
}

/// What stands behind the last slash.
pub fn id_of(path: &str) -> &str {
    path.rsplit('/').next().unwrap()
}

impl TestApp {
    /// Registers a business with `email` and takes it all the way to a signed-in superuser; `change` is merged into what it registers with.
    pub async fn business(&self, email: &str, change: Value) -> Business {
        let mut body = registration(change);
        body["contact"]["email"] = json!(email);
        let is_vat_registered = body["vat_registered"] == true;
        let registered = self
            .post("/v1/accounts", &Token::default(), body)
            .await
            .expect(201);
        let account = registered.header("location").to_owned();
        let applicant = Token(Some(registered.str("/applicant_token")));
        let kind = match is_vat_registered {
            true => "vat_registration_certificate",
            false => "incorporation_extract",
        };
        let document = self
            .upload(&account, &applicant, kind, PDF)
            .await
            .expect(201);
        self.act(&format!("{account}/submission"), &applicant)
            .await
            .expect(200);
        self.approve(&account, id_of(document.header("location")))
            .await;
        let token = token_of(&self.mail(email, "first_password").await);
        self.set_password(&token).await;
        let token = self.sign_in_with(email, PASSWORD).await;
        Business {
            account,
            email: email.to_owned(),
            token,
        }
    }

    /// Claims a case, accepts its document and approves it.
    pub async fn approve(&self, account: &str, document: &str) {
        let reviewer = self.sign_in("reviewer@cps.example").await;
        let case = format!("/v1/reviews/{}", id_of(account));
        self.act(&format!("{case}/claim"), &reviewer)
            .await
            .expect(200);
        let accept = json!({ "decision": "accept" });
        self.put(&format!("{case}/documents/{document}"), &reviewer, accept)
            .await
            .expect(200);
        let approve = json!({ "decision": "approve" });
        self.post(&format!("{case}/decision"), &reviewer, approve)
            .await
            .expect(200);
    }

    /// Sets the password with the token of a mail.
    pub async fn set_password(&self, token: &str) {
        let body = json!({ "token": token, "new_password": PASSWORD });
        self.post("/v1/passwords", &Token::default(), body)
            .await
            .expect(204);
    }

    /// The id of a model of the catalogue.
    pub async fn model(&self, name: &str) -> String {
        let query = [("query", name)];
        let request = self
            .request(reqwest::Method::GET, "/v1/models")
            .query(&query);
        let found = crate::support::Sending::answer(request).await.expect(200);
        let items = found.body["items"].as_array().unwrap();
        let model = items.iter().find(|model| model["name"] == name).unwrap();
        model["id"].as_str().unwrap().to_owned()
    }

    /// Gives or takes points as an administrator.
    pub async fn adjust(&self, account: &str, amount: i64) {
        let admin = self.sign_in("admin@cps.example").await;
        let body = json!({ "amount": amount, "reason": "a test" });
        self.post_once(&format!("{account}/points/adjustments"), &admin, body)
            .await
            .expect(201);
    }

    /// The balance of an account.
    pub async fn balance(&self, account: &str, token: &Token) -> i64 {
        let points = self
            .get(&format!("{account}/points"), token)
            .await
            .expect(200);
        points.body["balance"].as_i64().unwrap()
    }
}
