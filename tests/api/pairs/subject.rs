//! An account that is brought to where two operations meet on it, and the staff who do some of them.

use serde_json::{Value, json};

use super::operations::Stage;
use crate::accounts::{PDF, case_of};
use crate::businesses::id_of;
use crate::support::{TestApp, Token};

pub struct Staff {
    pub reviewer: Token,
    pub admin: Token,
    /// A model of the catalogue.
    pub model: String,
}

impl Staff {
    pub async fn of(app: &TestApp) -> Self {
        Self {
            reviewer: app.sign_in("reviewer@cps.example").await,
            admin: app.sign_in("admin@cps.example").await,
            model: app.model("EOS R6 Mark II").await,
        }
    }
}

pub struct Subject {
    /// `/v1/accounts/acc_...`
    pub account: String,
    pub email: String,
    /// The applicant's, or the superuser's once it is active.
    pub token: Token,
    pub version: i64,
    pub document: String,
    /// Its product's path.
    pub product: String,
    /// The path of its second user.
    pub user: String,
    /// Which subject this is.
    pub n: usize,
}

impl Subject {
    /// The `n`-th account, at `stage`.
    pub async fn at(app: &TestApp, staff: &Staff, stage: Stage, n: usize) -> Self {
        let email = format!("pair-{n}@pairs.example");
        let mut subject = match stage {
            Stage::Active => Self::active(app, staff, email, n).await,
            Stage::Draft | Stage::Review => Self::applying(app, email, n).await,
        };
        if stage == Stage::Review {
            let case = case_of(&subject.account);
            app.act(&format!("{}/submission", subject.account), &subject.token)
                .await
                .expect(200);
            app.act(&format!("{case}/claim"), &staff.reviewer)
                .await
                .expect(200);
            let path = format!("{case}/documents/{}", id_of(&subject.document));
            let accept = json!({ "decision": "accept" });
            app.put(&path, &staff.reviewer, accept).await.expect(200);
        }
        let read = app.get(&subject.account, &subject.token).await.expect(200);
        subject.version = read.body["version"].as_i64().unwrap();
        subject
    }

    async fn applying(app: &TestApp, email: String, n: usize) -> Self {
        let contact: Value = json!({ "contact": { "email": email } });
        let (account, token) = app.applicant(contact).await;
        let uploaded = app
            .upload(&account, &token, "vat_registration_certificate", PDF)
            .await;
        Self {
            document: uploaded.expect(201).header("location").to_owned(),
            account,
            email,
            token,
            version: 0,
            product: String::new(),
            user: String::new(),
            n,
        }
    }

    async fn active(app: &TestApp, staff: &Staff, email: String, n: usize) -> Self {
        let business = app.business(&email, json!({})).await;
        let (account, token) = (business.account, business.token);
        app.adjust(&account, 1000).await;
        let made = app
            .post(&format!("{account}/products"), &token, staff.product(n, 0))
            .await;
        let user =
            json!({ "email": format!("second-{n}@pairs.example"), "name": "Bo", "role": "member" });
        let invited = app
            .post(&format!("{account}/users"), &token, user)
            .await
            .expect(201);
        Self {
            product: made.expect(201).header("location").to_owned(),
            user: format!("{account}/users/{}", invited.str("/id")),
            account,
            email,
            token,
            version: 0,
            document: String::new(),
            n,
        }
    }

    /// The account's id, as PostgreSQL knows it.
    pub fn id(&self) -> &str {
        id_of(&self.account).trim_start_matches("acc_")
    }

    /// What holds its row.
    pub fn hold(&self) -> String {
        format!(
            "SELECT 1 FROM accounts WHERE id = '{}' FOR UPDATE",
            self.id()
        )
    }
}

impl Staff {
    /// The `k`-th product of the `n`-th subject.
    pub fn product(&self, n: usize, k: usize) -> Value {
        json!({
            "model_id": self.model, "serial_number": serial(n, k), "purchase_date": "2024-05-17",
            "purchase_country": "DK", "dealer": "Foto Nord"
        })
    }
}

pub fn serial(n: usize, k: usize) -> String {
    format!("{:08}", 55_000_000 + n * 10 + k)
}
