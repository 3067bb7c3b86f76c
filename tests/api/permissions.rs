//! Every operation of the contract, asked by every kind of caller: `tests/permissions.csv` says what each is answered.
//!
//! The table is made from section 12 of the rules, by hand. Its callers are nobody, an applicant, the three kinds of user of one business, the
//! superuser of another one, the four kinds of staff, the superuser with a token that ran out, and the systems of dealers: of one with each scope, of
//! another one with all of them, and one whose tokens were ended. All ask for the objects of that one
//! business, but for the applicant, who asks for the own application. An answer is `401`, `403`, `404`, or `ok`: the caller may do this.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use cps_api::domain::permissions::{Reach, Role, reach};
use cps_api::handlers::{Callers, registrations};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::credentials::{new_dealer, token_of};
use crate::events::feed::told_to_dealers;
use crate::openapi::{document, operations};
use crate::paid::paid;
use crate::partners::{FOTO_NORD, KAMERAHUSET, MEMBER};
use crate::support::{Answer, FORM, Sending, TestApp, Token, form_of_json, registration};

const CALLERS: [&str; 16] = [
    "none",
    "applicant",
    "read_only",
    "member",
    "superuser",
    "stranger",
    "reviewer",
    "support",
    "finance",
    "admin",
    "expired",
    "dealer_write",
    "dealer_read",
    "dealer_hooks",
    "other_dealer",
    "revoked_dealer",
];

/// The scopes of the callers that are dealers' systems.
const DEALERS: [(&str, &str); 4] = [
    ("dealer_write", "registrations:write"),
    ("dealer_read", "registrations:read"),
    ("dealer_hooks", "webhooks"),
    (
        "other_dealer",
        "registrations:write registrations:read webhooks",
    ),
];

/// These change who may do what: they come last, in this order.
const LAST: [&str; 8] = [
    "submitApplication",
    "endOwnSession",
    "endSession",
    "liftSuspension",
    "suspendAccount",
    "reopenPartner",
    "suspendPartner",
    "resetSandbox",
];

/// Refusals that come after the caller was let in, whatever was sent.
const LET_IN: [&str; 3] = ["token_invalid", "code_invalid", "password_wrong"];

const PDF: &[u8] = b"%PDF-1.4 a certificate";
const PASSWORD: &str = "en lang og god saetning";
const JONAS: &str = "jonas@lysogskygge.example";
const JONAS_ACCOUNT: &str = "acc_00000000000070008000000000000002";

/// Expected answers by operation and caller.
type Table = BTreeMap<String, BTreeMap<&'static str, String>>;

fn table() -> Table {
    let mut lines = include_str!("../permissions.csv").lines();
    let head: Vec<&str> = lines.next().unwrap().split(',').skip(1).collect();
    assert_eq!(head, CALLERS);
    let mut table = Table::new();
    for line in lines {
        let (operation, cells) = line.split_once(',').unwrap();
        let cells: Vec<&str> = cells.split(',').collect();
        assert_eq!(cells.len(), CALLERS.len(), "{line}");
        for cell in &cells {
            assert!(["ok", "401", "403", "404"].contains(cell), "{line}");
        }
        let row = CALLERS
            .into_iter()
            .zip(cells.into_iter().map(str::to_owned));
        let before = table.insert(operation.to_owned(), row.collect());
        assert!(before.is_none(), "{operation} has two rows");
    }
    table
}

/// One operation of the contract.
pub struct Operation {
    pub id: String,
    pub method: Method,
    pub path: String,
    pub spec: Value,
}

impl Operation {
    pub fn all(contract: &Value) -> Vec<Self> {
        let mut all: Vec<Self> = operations(contract)
            .into_iter()
            .map(|(method, path, spec)| Self {
                id: spec["operationId"].as_str().unwrap().to_owned(),
                method: method.parse().unwrap(),
                path,
                spec,
            })
            .collect();
        all.sort_by_key(|one| {
            LAST.iter()
                .position(|id| *id == one.id)
                .map_or(0, |n| n + 1)
        });
        all
    }

    pub fn parameters(&self) -> impl Iterator<Item = &Value> {
        self.spec["parameters"].as_array().into_iter().flatten()
    }

    fn names(&self, header: &str) -> bool {
        self.parameters().any(|one| one["name"] == header)
    }

    /// The path to `objects`; what they do not name is the contract's example.
    pub fn path_to(&self, objects: &Objects) -> String {
        let mut path = self.path.clone();
        for one in self.parameters().filter(|one| one["in"] == "path") {
            let name = one["name"].as_str().unwrap();
            let example = || one["example"].as_str().unwrap().to_owned();
            let value = objects.get(name).cloned().unwrap_or_else(example);
            path = path.replace(&format!("{{{name}}}"), &value);
        }
        path
    }

    /// The example that the contract gives for the body.
    pub fn example(&self, contract: &Value) -> Value {
        let media = &self.spec["requestBody"]["content"];
        let media = media.as_object().unwrap().values().next().unwrap();
        let schema = &media["schema"];
        let named = schema["$ref"].as_str().or_else(|| {
            let options = schema["oneOf"].as_array()?;
            options.iter().find_map(|one| one["$ref"].as_str())
        });
        let schema = named.map_or(schema, |name| {
            contract.pointer(name.trim_start_matches('#')).unwrap()
        });
        [&media["example"], &schema["example"]]
            .into_iter()
            .find(|example| !example.is_null())
            .cloned()
            .unwrap_or(json!({}))
    }
}

/// What the paths name, by the name of the parameter.
pub type Objects = BTreeMap<&'static str, String>;

/// A sandbox with everybody in it.
struct Fixture {
    app: TestApp,
    contract: Value,
    tokens: BTreeMap<&'static str, Token>,
    /// The refresh token of somebody.
    refresh: String,
    /// The e-mail addresses of those who sign in.
    emails: BTreeMap<&'static str, (String, &'static str)>,
    /// The business whose users ask.
    own: Objects,
    /// The applicant's application.
    application: Objects,
    /// The business of the stranger.
    strange: Objects,
    /// What waits for finance.
    for_finance: String,
    /// What is nowhere.
    nowhere: Objects,
    /// An event of their own, of the dealers who may read one.
    dealers_events: BTreeMap<&'static str, String>,
}

fn id_of(path: &str) -> String {
    path.rsplit('/').next().unwrap().to_owned()
}

impl Fixture {
    async fn new() -> Self {
        let app = TestApp::start().await;
        let mut fixture = Self {
            app,
            contract: document(true),
            tokens: BTreeMap::from([("none", Token::default())]),
            refresh: String::new(),
            emails: BTreeMap::new(),
            own: Objects::new(),
            application: Objects::new(),
            strange: Objects::from([("account_id", JONAS_ACCOUNT.to_owned())]),
            for_finance: String::new(),
            nowhere: Objects::new(),
            dealers_events: BTreeMap::new(),
        };
        for role in ["reviewer", "support", "finance", "admin"] {
            fixture.employ(role, &format!("{role}@cps.example"), "Sandbox-Adgang-2026");
        }
        fixture.employ("stranger", JONAS, "Sandbox-Adgang-2026");
        fixture.approve_a_business().await;
        fixture.furnish().await;
        fixture.look_at_the_stranger().await;
        fixture.invite().await;
        let expired = fixture.fresh("superuser").await;
        fixture.app.advance(TimeDelta::minutes(11)).await;
        let callers: Vec<&str> = fixture.emails.keys().copied().collect();
        for caller in callers {
            let token = fixture.fresh(caller).await;
            fixture.tokens.insert(caller, token);
        }
        fixture.tokens.insert("expired", expired);
        fixture.sign_dealers_in().await;
        fixture.take_a_dealer_in().await;
        let (application, applicant) = fixture.apply().await;
        fixture.application = application;
        fixture.tokens.insert("applicant", applicant);
        fixture.nowhere = fixture
            .own
            .keys()
            .map(|name| (*name, nothing(name)))
            .collect();
        fixture
    }

    /// A dealer of which nobody of these is a system.
    async fn take_a_dealer_in(&mut self) {
        let admin = &self.tokens["admin"];
        let (partner, credential) = new_dealer(&self.app, admin).await;
        self.own.insert("partner_id", partner);
        self.own.insert("credential_id", credential.str("/id"));
    }

    async fn sign_dealers_in(&mut self) {
        let admin = &self.tokens["admin"];
        let (partner, credential) = new_dealer(&self.app, admin).await;
        let revoked = token_of(&self.app, &credential).await;
        let path = format!(
            "/v1/partners/{partner}/credentials/{}",
            credential.str("/id")
        );
        self.app.delete(&path, admin, 1).await.expect(204);
        self.tokens.insert("revoked_dealer", revoked);
        for (caller, scopes) in DEALERS {
            let dealer = match caller {
                "other_dealer" => KAMERAHUSET,
                _ => FOTO_NORD,
            };
            let token = self.app.dealer(dealer, scopes).await;
            self.tokens.insert(caller, token);
        }
        let [foto_nord, kamerahuset] = told_to_dealers(&self.app).await;
        let events = [("dealer_hooks", foto_nord), ("other_dealer", kamerahuset)];
        self.dealers_events = events.into();
    }

    fn employ(&mut self, caller: &'static str, email: &str, password: &'static str) {
        self.emails.insert(caller, (email.to_owned(), password));
    }

    /// A token of its own for somebody who can sign in.
    async fn fresh(&mut self, caller: &str) -> Token {
        let (email, password) = &self.emails[caller];
        let body = json!({ "email": email, "password": password });
        let session = self.app.post("/v1/sessions", &Token::default(), body).await;
        let session = session.expect(201);
        self.refresh = session.str("/refresh_token");
        Token(Some(session.str("/access_token")))
    }

    /// Sets the password that a mail's link is for.
    async fn set_password(&self, email: &str, template: &str) {
        let mail = self.app.mail(email, template).await;
        let link = mail["action_url"].as_str().unwrap();
        let token = link.split_once("#token=").unwrap().1;
        let body = json!({ "token": token, "new_password": PASSWORD });
        let set = self
            .app
            .post("/v1/passwords", &Token::default(), body)
            .await;
        set.expect(204);
    }

    async fn approve_a_business(&mut self) {
        let email = "ida@skovfoto.example";
        let change = json!({ "company_name": "Skov Foto ApS", "contact": { "email": email } });
        let (account, applicant) = self.app.applicant(change).await;
        let kind = "vat_registration_certificate";
        let document = self.app.upload(&account, &applicant, kind, PDF).await;
        let document = id_of(document.expect(201).header("location"));
        let submission = format!("{account}/submission");
        self.app.act(&submission, &applicant).await.expect(200);
        let reviewer = self.fresh("reviewer").await;
        let case = format!("/v1/reviews/{}", id_of(&account));
        let claim = format!("{case}/claim");
        self.app.act(&claim, &reviewer).await.expect(200);
        let one = format!("{case}/documents/{document}");
        let accept = json!({ "decision": "accept" });
        self.app.put(&one, &reviewer, accept).await.expect(200);
        let approve = json!({ "decision": "approve" });
        let decision = format!("{case}/decision");
        let decided = self.app.post(&decision, &reviewer, approve).await;
        decided.expect(200);
        self.set_password(email, "first_password").await;
        self.employ("superuser", email, PASSWORD);
        self.own.insert("account_id", id_of(&account));
        self.own.insert("document_id", document);
    }

    /// Users beside the superuser.
    async fn invite(&mut self) {
        let superuser = self.fresh("superuser").await;
        let users = format!("/v1/accounts/{}/users", self.own["account_id"]);
        for role in ["read_only", "member"] {
            let email = format!("{role}@skovfoto.example");
            let body = json!({ "email": email, "name": "En kollega", "role": role });
            let invited = self.app.post(&users, &superuser, body).await.expect(201);
            self.own.insert("user_id", invited.str("/id"));
            self.set_password(&email, "user_welcome").await;
            self.employ(role, &email, PASSWORD);
        }
    }

    /// A product, points, a membership and its invoice for the own business.
    async fn furnish(&mut self) {
        let account = format!("/v1/accounts/{}", self.own["account_id"]);
        let token = self.fresh("superuser").await;
        let models = self.app.get("/v1/models", &Token::default()).await;
        let model = models.expect(200).str("/items/0/id");
        let body = json!({ "model_id": model, "serial_number": "012021004444" });
        let products = format!("{account}/products");
        // What is reported stolen and comes again waits for staff.
        let stolen = self.app.post(&products, &token, body.clone()).await;
        let stolen = format!("{}?reason=stolen", stolen.expect(201).header("location"));
        self.app.delete(&stolen, &token, 1).await.expect(204);
        let product = self.app.post(&products, &token, body).await.expect(201);
        self.own.insert("product_id", product.str("/id"));
        let admin = self.fresh("admin").await;
        let waits = self.first_of("/v1", "work-items", &admin).await;
        self.own.insert("work_item_id", waits);
        let event = self.first_of("/v1", "events", &token).await;
        self.own.insert("event_id", event);
        let points = json!({ "amount": 600, "reason": "for the table of permissions" });
        let adjustments = format!("{account}/points/adjustments");
        self.keyed(&adjustments, &admin, points).await.expect(201);
        let join = json!({ "level": "silver", "payment_method": "bank_transfer", "accept_terms_version": "2026-01" });
        let membership = format!("{account}/membership");
        let joined = self.keyed(&membership, &token, join).await.expect(201);
        self.own
            .insert("member_number", joined.str("/member_number"));
        let invoice = self.first_of(&account, "invoices", &token).await;
        self.own.insert("invoice_id", invoice);
        let job = self.first_of("/v1", "jobs", &admin).await;
        self.own.insert("job_id", job);
        let transfer = json!({ "amount": "1.00" });
        let lever = "/v1/sandbox/bank-transfers";
        let came = self.app.post(lever, &Token::default(), transfer).await;
        let statement = came.expect(201).str("/statements/0/id");
        self.own.insert("bank_statement_id", statement);
        let line = self.first_of("/v1", "bank-transactions", &admin).await;
        self.own.insert("bank_transaction_id", line);
        // What is credited though it was paid leaves money over: finance has to look.
        let of_account = self.own["account_id"].clone();
        paid(&self.app, &of_account, Some(&self.own["invoice_id"]), 10000);
        let credit = json!({ "reason": "goodwill", "note": "for the table of permissions" });
        let notes = format!("{account}/invoices/{}/credit-notes", self.own["invoice_id"]);
        let finance = self.fresh("finance").await;
        self.keyed(&notes, &finance, credit).await.expect(201);
        self.for_finance = self.first_of("/v1", "work-items", &finance).await;
        let payment = paid(&self.app, &of_account, None, 20000);
        let back = json!({ "amount": { "amount": "50.00", "currency": "EUR" }, "reason": "for the table of permissions" });
        let refunds = format!("{account}/payments/{payment}/refunds");
        let refund = self.keyed(&refunds, &finance, back).await.expect(202);
        self.own.insert("refund_id", refund.str("/id"));
        self.own.insert("payment_id", payment);
        let dealer = self.app.dealer(FOTO_NORD, "registrations:write").await;
        let line = json!({
            "external_id": "F-900", "member_number": MEMBER, "model": "EOS R5", "serial_number": "130210049000", "purchase_date": "2026-05-20"
        });
        let line = self.app.post("/v1/registrations", &dealer, line).await;
        self.own
            .insert("registration_id", line.expect(201).str("/id"));
        let lines = json!({ "lines": [{ "external_id": "F-901" }] });
        let batch = self.keyed("/v1/registration-batches", &dealer, lines).await;
        self.own.insert("batch_id", batch.expect(202).str("/id"));
    }

    /// What the stranger's business has in every sandbox.
    async fn look_at_the_stranger(&mut self) {
        let account = format!("/v1/accounts/{JONAS_ACCOUNT}");
        let token = self.fresh("stranger").await;
        let lists = [
            ("document_id", "documents"),
            ("product_id", "products"),
            ("user_id", "users"),
            ("invoice_id", "invoices"),
        ];
        for (name, list) in lists {
            let id = self.first_of(&account, list, &token).await;
            self.strange.insert(name, id);
        }
        let event = self.first_of("/v1", "events", &token).await;
        self.strange.insert("event_id", event);
        let membership = format!("{account}/membership");
        let membership = self.app.get(&membership, &token).await.expect(200);
        let number = membership.str("/member_number");
        self.strange.insert("member_number", number);
    }

    /// The id of the first thing in a list; an invoice comes a moment after its membership.
    async fn first_of(&self, account: &str, list: &str, token: &Token) -> String {
        for _ in 0..200 {
            let listed = self.app.get(&format!("{account}/{list}"), token).await;
            if let Some(id) = listed.expect(200).body.pointer("/items/0/id") {
                return id.as_str().unwrap().to_owned();
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        panic!("{account} has no {list}");
    }

    /// An application with a document, and its token.
    async fn apply(&self) -> (Objects, Token) {
        let change = json!({
            "company_name": "Strand Foto ApS", "vat_number": "24256790",
            "contact": { "email": "bo@strandfoto.example" }
        });
        let (account, applicant) = self.app.applicant(change).await;
        let kind = "vat_registration_certificate";
        let document = self.app.upload(&account, &applicant, kind, PDF).await;
        let document = id_of(document.expect(201).header("location"));
        let objects = [("account_id", id_of(&account)), ("document_id", document)];
        (objects.into(), applicant)
    }

    async fn keyed(&self, path: &str, token: &Token, body: Value) -> Answer {
        let key = uuid::Uuid::new_v4().to_string();
        let request = self.app.request(Method::POST, path).sent_by(token);
        let request = request.header("idempotency-key", key).json(&body);
        request.answer().await
    }

    /// A valid request for an operation on `objects`; a changing one names a version that is long gone.
    async fn request(&self, operation: &Operation, objects: &Objects) -> RequestBuilder {
        let path = operation.path_to(objects);
        let mut request = self.app.request(operation.method.clone(), &path);
        let needed = |one: &&Value| one["in"] == "query" && one["required"] == true;
        for one in operation.parameters().filter(needed) {
            let value = one["example"].as_str().unwrap_or_default();
            request = request.query(&[(one["name"].as_str().unwrap(), value)]);
        }
        if operation.names("If-Match") {
            request = request.header("if-match", "\"987654\"");
        }
        if operation.names("Idempotency-Key") {
            request = request.header("idempotency-key", uuid::Uuid::new_v4().to_string());
        }
        let content = &operation.spec["requestBody"]["content"];
        let Some(media_type) = content.as_object().and_then(|all| all.keys().next()) else {
            return request;
        };
        let body = match (operation.id.as_str(), media_type.as_str()) {
            (_, "multipart/form-data") => {
                let file = reqwest::multipart::Part::bytes(PDF).file_name("a.pdf");
                let form = reqwest::multipart::Form::new().text("kind", "vat_invoice");
                return request.multipart(form.part("file", file));
            }
            (_, "text/csv") => "model,serial_number,purchase_date,purchase_country,dealer,estimated\nEOS 5D Mark III,,,,,\n".to_owned(),
            // Everybody keeps the password that the others sign in with.
            ("changePassword", _) => json!({ "current_password": "a guess", "new_password": PASSWORD }).to_string(),
            ("refreshSession", _) => json!({ "refresh_token": self.refresh }).to_string(),
            // The example is another business's.
            ("migrateProducts", _) => "{}".to_owned(),
            ("setClock", _) => {
                let now = self.app.now().await + TimeDelta::seconds(1);
                json!({ "now": now }).to_string()
            }
            ("registerAccount", _) => registration(json!({ "contact": { "email": format!("{}@strandfoto.example", uuid::Uuid::new_v4().simple()) } })).to_string(),
            (_, "application/xml") => operation.example(&self.contract).as_str().unwrap().to_owned(),
            (_, FORM) => form_of_json(&operation.example(&self.contract)),
            _ => operation.example(&self.contract).to_string(),
        };
        request.header("content-type", media_type).body(body)
    }

    async fn ask(&mut self, operation: &Operation, caller: &str) -> Answer {
        let (own, token) = match (operation.id.as_str(), caller) {
            // Its token ends with it.
            ("withdrawApplication", "applicant") => self.apply().await,
            (_, "applicant") => (self.application.clone(), self.tokens[caller].clone()),
            ("endSession", _) if self.emails.contains_key(caller) => {
                (self.own.clone(), self.fresh(caller).await)
            }
            ("endOwnSession", _) if self.emails.contains_key(caller) => {
                let (mut own, token) = (self.own.clone(), self.fresh(caller).await);
                let session = self.first_of("/v1/me", "sessions", &token).await;
                own.insert("session_id", session);
                (own, token)
            }
            // Of the own feed, as everybody.
            ("readEvent", "stranger") => (self.strange.clone(), self.tokens[caller].clone()),
            ("readEvent", dealer) if self.dealers_events.contains_key(dealer) => {
                let event = self.dealers_events[dealer].clone();
                (
                    Objects::from([("event_id", event)]),
                    self.tokens[caller].clone(),
                )
            }
            ("claimWorkItem" | "releaseWorkItem", "finance") => {
                let mut own = self.own.clone();
                own.insert("work_item_id", self.for_finance.clone());
                (own, self.tokens[caller].clone())
            }
            _ => (self.own.clone(), self.tokens[caller].clone()),
        };
        let request = self.request(operation, &own).await;
        request.sent_by(&token).answer().await
    }
}

/// An id of the right form that nothing has.
fn nothing(name: &str) -> String {
    let prefix = match name {
        "member_number" => return "00000000".to_owned(),
        "account_id" => "acc",
        "document_id" => "doc",
        "user_id" => "usr",
        "product_id" => "prd",
        "invoice_id" => "inv",
        "job_id" => "job",
        "work_item_id" => "wrk",
        "event_id" => "evt",
        "partner_id" => "ptn",
        "credential_id" => "crd",
        "registration_id" => "reg",
        "batch_id" => "bat",
        "bank_statement_id" => "bst",
        "bank_transaction_id" => "btx",
        "payment_id" => "pay",
        "refund_id" => "rfn",
        other => panic!("{other}"),
    };
    format!("{prefix}_0190000000007000800000000000dead")
}

/// How an answer reads in the table.
fn class(answer: &Answer) -> String {
    let code = answer.body["code"].as_str().unwrap_or_default();
    let fault = answer.body["errors"][0]["code"].as_str();
    match (answer.status, code) {
        (401, "unauthenticated") => "401".to_owned(),
        (403, "forbidden" | "scope_missing") => "403".to_owned(),
        (404, "not_found") => "404".to_owned(),
        (200..=399 | 409 | 412, _) => "ok".to_owned(),
        _ if LET_IN.contains(&fault.unwrap_or(code)) => "ok".to_owned(),
        _ => format!("{} {code} {}", answer.status, answer.body["errors"]),
    }
}

#[test]
fn every_operation_has_its_row_and_every_row_its_operation() {
    let contract = document(true);
    let built: BTreeSet<String> = Operation::all(&contract)
        .into_iter()
        .map(|one| one.id)
        .collect();
    let rows: BTreeSet<String> = table().into_keys().collect();
    let without_row: Vec<_> = built.difference(&rows).collect();
    assert!(without_row.is_empty(), "no row: {without_row:?}");
    let without_operation: Vec<_> = rows.difference(&built).collect();
    assert!(
        without_operation.is_empty(),
        "no operation: {without_operation:?}"
    );
}

/// What the table must say where an endpoint is registered for these callers.
fn declared(callers: Callers, caller: &str) -> &'static str {
    let reach = |action| match caller {
        "stranger" => reach(action, Role::Superuser),
        word => reach(action, word.parse().unwrap()),
    };
    if caller.ends_with("dealer") || caller.starts_with("dealer") {
        return declared_for_dealer(callers, caller);
    }
    let is_staff = ["reviewer", "support", "finance", "admin"].contains(&caller);
    match (callers, caller) {
        (Callers::Anybody, _) => "ok",
        (Callers::AnybodyOrTokenHolder, "expired") => "401",
        (Callers::AnybodyOrTokenHolder, _) => "ok",
        (_, "none" | "expired") => "401",
        (Callers::TokenHolder, _) => "ok",
        (Callers::User, "applicant") => "403",
        (Callers::User, _) => "ok",
        (Callers::Staff(action), _) if is_staff && reach(action) == Reach::All => "ok",
        (Callers::Staff(_), _) => "403",
        (Callers::Anywhere(action), _) => match reach(action) {
            Reach::None => "403",
            Reach::Own | Reach::All => "ok",
        },
        (Callers::Account(action), _) => match reach(action) {
            Reach::All => "ok",
            Reach::Own | Reach::None if caller == "stranger" => "404",
            Reach::Own => "ok",
            Reach::None => "403",
        },
    }
}

/// The same for the system of a dealer.
fn declared_for_dealer(callers: Callers, caller: &str) -> &'static str {
    let scopes = DEALERS.iter().find(|(dealer, _)| *dealer == caller);
    let scopes = scopes.map_or("", |(_, scopes)| scopes);
    match (callers, caller) {
        (Callers::Anybody, _) => "ok",
        (_, "revoked_dealer") => "401",
        (Callers::AnybodyOrTokenHolder | Callers::TokenHolder, _) => "ok",
        (Callers::User | Callers::Staff(_), _) => "403",
        (Callers::Account(_), _) => "404",
        (Callers::Anywhere(action), _) => match action.scope() {
            Some(scope) if scopes.split(' ').any(|own| own == scope.as_str()) => "ok",
            _ => "403",
        },
    }
}

#[test]
fn every_endpoint_is_registered_for_those_whom_the_table_lets_in() {
    let (table, operations) = (table(), Operation::all(&document(true)));
    let registrations = registrations(true);
    assert_eq!(registrations.len(), operations.len());
    for one in registrations {
        let operation = operations
            .iter()
            .find(|operation| {
                one.path == operation.path
                    && one
                        .methods
                        .iter()
                        .all(|method| method.as_str() == operation.method.as_str())
            })
            .unwrap_or_else(|| panic!("{one:?}"));
        for (caller, expected) in &table[&operation.id] {
            // What a dealer has reported is not there for another one.
            let is_anothers = ["{registration_id}", "{batch_id}"]
                .iter()
                .any(|id| operation.path.contains(id));
            let declared = match (declared(one.callers, caller), *caller) {
                ("ok", "other_dealer") if is_anothers => "404",
                (declared, _) => declared,
            };
            assert_eq!(declared, expected, "{} by {caller}", operation.id);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_caller_may_do_what_the_rules_say_and_nothing_else() {
    let (table, mut fixture) = (table(), Fixture::new().await);
    let mut wrong = Vec::new();
    for operation in Operation::all(&fixture.contract.clone()) {
        let mut row: Vec<_> = table[&operation.id].iter().collect();
        // Who is let in may change what the others would be answered.
        row.sort_by_key(|(_, expected)| *expected == "ok");
        for (caller, expected) in row {
            let answer = fixture.ask(&operation, caller).await;
            let found = class(&answer);
            if found != *expected {
                wrong.push(format!(
                    "{} by {caller}: {found}, not {expected}",
                    operation.id
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// What tells two answers apart.
fn essence(answer: Answer) -> (u16, Value) {
    let mut body = answer.body;
    if let Some(body) = body.as_object_mut() {
        body.remove("instance");
        body.remove("request_id");
    }
    (answer.status, body)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_anothers_answers_as_what_is_not_there() {
    let (table, fixture) = (table(), Fixture::new().await);
    let mut compared = 0;
    for operation in Operation::all(&fixture.contract) {
        if !operation.path.contains("{account_id}") {
            continue;
        }
        let mut pairs = vec![
            ("stranger", fixture.own.clone(), fixture.nowhere.clone()),
            ("applicant", fixture.own.clone(), fixture.nowhere.clone()),
            (
                "superuser",
                fixture.strange.clone(),
                fixture.nowhere.clone(),
            ),
        ];
        // A dealer is no account's.
        let names = fixture.nowhere.keys().copied();
        let names: Vec<&str> = names.filter(|name| *name != "partner_id").collect();
        let has_part = names
            .iter()
            .any(|name| *name != "account_id" && operation.path.contains(&format!("{{{name}}}")));
        // On the own account, what belongs to another one.
        for caller in ["superuser", "reviewer", "admin"] {
            if has_part && table[&operation.id][caller] == "ok" {
                let account = fixture.own["account_id"].clone();
                let mixed = |parts: &Objects| {
                    let mut objects = parts.clone();
                    objects.insert("account_id", account.clone());
                    objects
                };
                pairs.push((caller, mixed(&fixture.strange), mixed(&fixture.nowhere)));
            }
        }
        for (caller, anothers, nowhere) in pairs {
            let token = &fixture.tokens[caller];
            let [anothers, nowhere] = [
                fixture.request(&operation, &anothers).await,
                fixture.request(&operation, &nowhere).await,
            ];
            let anothers = anothers.sent_by(token).answer().await;
            let nowhere = nowhere.sent_by(token).answer().await;
            // Who may do this meets the state of the own account first, perhaps.
            let may = table[&operation.id][caller] == "ok";
            assert!(
                anothers.status == 404 || may && anothers.status == 409,
                "{} by {caller}: {}",
                operation.id,
                anothers.text
            );
            assert_eq!(
                essence(anothers),
                essence(nowhere),
                "{} by {caller}",
                operation.id
            );
            compared += 1;
        }
    }
    assert!(compared > 30, "{compared}");
}
