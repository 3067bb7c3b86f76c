//! An account that is brought to where two operations meet on it, and the staff who do some of them.

use serde_json::{Value, json};

use super::stages::{Hold, Stage};
use crate::accounts::propose_email;
use crate::accounts::{PASSWORD, PDF, case_of, token_of};
use crate::businesses::id_of;
use crate::support::{TestApp, Token};

const MODEL: &str = "EOS R6 Mark II";

pub struct Staff {
    pub reviewer: Token,
    pub support: Token,
    pub admin: Token,
    /// A model of the catalogue.
    model: String,
}

impl Staff {
    pub async fn of(app: &TestApp) -> Self {
        Self {
            reviewer: app.sign_in("reviewer@cps.example").await,
            support: app.sign_in("support@cps.example").await,
            admin: app.sign_in("admin@cps.example").await,
            model: app.model(MODEL).await,
        }
    }

    /// The `k`-th product of the `n`-th subject.
    pub fn product(&self, n: usize, k: usize) -> Value {
        json!({
            "model_id": self.model, "serial_number": serial(n, k), "purchase_date": "2024-05-17",
            "purchase_country": "DK", "dealer": "Foto Nord"
        })
    }
}

#[derive(Default)]
pub struct Subject {
    /// Which subject this is.
    pub n: usize,
    pub stage: Stage,
    /// `/v1/accounts/acc_...`
    pub account: String,
    /// Of its contact.
    pub email: String,
    /// The applicant's, or the superuser's once it is active.
    pub token: Token,
    pub version: i64,
    pub document: String,
    pub document_version: i64,
    /// Its product's path.
    pub product: String,
    /// The path of its second user.
    pub user: String,
    /// Who forgets a password, or has none yet.
    pub user_email: String,
    /// The token that this one got by mail.
    pub link: String,
    /// The code that was mailed to its old address.
    pub code: String,
    /// When it was there.
    pub since: String,
}

impl Subject {
    /// The `n`-th account, at `stage`.
    pub async fn at(app: &TestApp, staff: &Staff, stage: Stage, n: usize) -> Self {
        let email = format!("pair-{n}@pairs.example");
        let change =
            json!({ "contact": { "email": email }, "legacy_cps_email": old_address(n, 0) });
        let (account, token) = app.applicant(change).await;
        let kind = "vat_registration_certificate";
        let uploaded = app.upload(&account, &token, kind, PDF).await.expect(201);
        let mut subject = Self {
            document: uploaded.header("location").to_owned(),
            document_version: 1,
            user_email: email.clone(),
            n,
            stage,
            account,
            email,
            token,
            ..Self::default()
        };
        subject.bring(app, staff).await;
        if stage.is_mended_by_staff() {
            let asked = propose_email(app, &subject.account, &proposed(n)).await;
            asked.expect(200);
        }
        let read = app.get(&subject.account, &staff.support).await.expect(200);
        subject.version = read.body["version"].as_i64().unwrap();
        // As if it had come here some hours ago: only so many mails an hour can be asked for.
        app.database
            .execute("UPDATE mails SET created_at = created_at - interval '2 hours'");
        subject.since = app.now().await.to_rfc3339();
        subject
    }

    async fn bring(&mut self, app: &TestApp, staff: &Staff) {
        if self.stage == Stage::Draft {
            return;
        }
        let submission = format!("{}/submission", self.account);
        app.act(&submission, &self.token).await.expect(200);
        match self.stage {
            Stage::Submitted => return,
            Stage::Review => return self.claim(app, staff).await,
            Stage::Asked => {
                self.claim(app, staff).await;
                let ask = json!({ "decision": "request_information", "note": "Where is it?" });
                return self.decide(app, staff, ask).await;
            }
            _ => self.claim(app, staff).await,
        }
        let approve = json!({ "decision": "approve" });
        self.decide(app, staff, approve).await;
        self.link = token_of(&app.mail(&self.email, "first_password").await);
        match self.stage {
            Stage::Approved => return,
            Stage::Suspended => {
                let path = format!("{}/suspension", self.account);
                let why = json!({ "reason": "A pair." });
                app.post(&path, &staff.admin, why).await.expect(200);
                return;
            }
            _ => app.set_password(&self.link).await,
        }
        self.token = app.sign_in_with(&self.email, PASSWORD).await;
        match self.stage {
            Stage::Forgotten => self.forget(app).await,
            Stage::Active => self.fill(app, staff).await,
            _ => self.find_old(app).await,
        }
    }

    async fn claim(&mut self, app: &TestApp, staff: &Staff) {
        let case = case_of(&self.account);
        app.act(&format!("{case}/claim"), &staff.reviewer)
            .await
            .expect(200);
        let path = format!("{case}/documents/{}", id_of(&self.document));
        let accept = json!({ "decision": "accept" });
        app.put(&path, &staff.reviewer, accept).await.expect(200);
        self.document_version = 2;
    }

    async fn decide(&self, app: &TestApp, staff: &Staff, decision: Value) {
        let path = format!("{}/decision", case_of(&self.account));
        app.post(&path, &staff.reviewer, decision).await.expect(200);
    }

    async fn forget(&mut self, app: &TestApp) {
        let whose = json!({ "email": self.email });
        app.post("/v1/password-resets", &Token::default(), whose)
            .await
            .expect(202);
        self.link = token_of(&app.mail(&self.email, "password_reset").await);
    }

    /// Gives it points, a product, and a second user.
    async fn fill(&mut self, app: &TestApp, staff: &Staff) {
        let points = json!({ "amount": 1000, "reason": "A start." });
        let path = format!("{}/points/adjustments", self.account);
        app.post_once(&path, &staff.admin, points).await.expect(201);
        let path = format!("{}/products", self.account);
        let made = app.post(&path, &self.token, staff.product(self.n, 0)).await;
        self.product = made.expect(201).header("location").to_owned();
        self.user_email = format!("second-{}@pairs.example", self.n);
        let user = json!({ "email": self.user_email, "name": "Bo", "role": "member" });
        let path = format!("{}/users", self.account);
        let invited = app.post(&path, &self.token, user).await.expect(201);
        self.user = format!("{path}/{}", invited.str("/id"));
        self.link = token_of(&app.mail(&self.user_email, "user_welcome").await);
    }

    /// Puts two old accounts there, the first of which is at its old address, and has the code sent.
    async fn find_old(&mut self, app: &TestApp) {
        for k in 0..2 {
            app.database.execute(&old_account(self.n, k));
        }
        let path = format!("{}/migration/proof", self.account);
        app.act(&path, &self.token).await.expect(202);
        let mail = app.mail(&old_address(self.n, 0), "migration_proof").await;
        self.code = mail["code"].as_str().unwrap().to_owned();
        if self.stage == Stage::Proven {
            let code = json!({ "code": self.code });
            app.put(&path, &self.token, code).await.expect(204);
        }
    }

    /// The account's id, as PostgreSQL knows it.
    pub fn id(&self) -> &str {
        id_of(&self.account).trim_start_matches("acc_")
    }

    /// What holds its rows.
    pub fn hold(&self, hold: Hold) -> String {
        let id = self.id();
        match hold {
            Hold::Account => format!("SELECT 1 FROM accounts WHERE id = '{id}' FOR UPDATE"),
            Hold::User => format!(
                "SELECT 1 FROM users WHERE account_id = '{id}' AND email_key = '{}' FOR UPDATE",
                self.user_email
            ),
        }
    }
}

pub fn serial(n: usize, k: usize) -> String {
    format!("{:08}", 55_000_000 + n * 10 + k)
}

/// The address that the `nth` of a pair moves the contact of the `n`-th subject to.
pub fn moved(n: usize, nth: usize) -> String {
    format!("moved-{n}-{nth}@pairs.example")
}

/// The address that support asks for there.
pub fn proposed(n: usize) -> String {
    moved(n, 1)
}

/// Where the links of its contact may have gone to.
pub fn addresses(subject: &Subject) -> [String; 3] {
    let n = subject.n;
    [subject.email.clone(), moved(n, 1), moved(n, 2)]
}

/// The address of the `k`-th old account of the `n`-th subject.
pub fn old_address(n: usize, k: usize) -> String {
    format!("old-{n}-{k}@pairs.example")
}

pub fn old_number(n: usize, k: usize) -> String {
    format!("77{n:05}{k}")
}

/// Inserts an old account with two products, one of which says too little.
fn old_account(n: usize, k: usize) -> String {
    let (email, number, serial) = (old_address(n, k), old_number(n, k), serial(n, 8 + k));
    format!(
        "INSERT INTO legacy_accounts (id, email, email_key, member_number, created_at)
           VALUES (gen_random_uuid(), '{email}', '{email}', '{number}', now());
         INSERT INTO member_numbers (number, number_key, legacy_account_id, created_at)
           SELECT member_number, member_number, id, created_at FROM legacy_accounts WHERE member_number = '{number}';
         INSERT INTO legacy_products
           (id, legacy_account_id, legacy_reference, model, serial_number, purchase_date, purchase_country, dealer)
           SELECT gen_random_uuid(), id, reference, '{MODEL}', serial, '2024-05-17', 'DK', 'Foto Nord'
           FROM legacy_accounts, (VALUES ('L-1', '{serial}'), ('L-2', NULL)) AS of (reference, serial)
           WHERE member_number = '{number}'"
    )
}
