//! The walk that is refused in every way: the refusals of the guide's way first, then those beside it.

use cps_api::domain::language::Language;
use cps_api::error::Code;
use cps_api::handlers::problem::{Context, render};
use reqwest::Method;
use serde_json::{Value, json};

use super::heard::{Heard, hear};
use super::walk::{YEAR, on_that_day};
use crate::accounts::{case_of, mailed_links};
use crate::bank::send_statement;
use crate::businesses::{Business, PDF};
use crate::events::writes::partner_alert;
use crate::legacy_migration::{OLD, prove, with_old_address};
use crate::limits::limited;
use crate::membership::{EMAIL, bring_points_to, by_transfer, join};
use crate::paid::paid;
use crate::partners::FOTO_NORD;
use crate::products::METTE;
use crate::raw::{Raw, Sold};
use crate::refusals::all_on_the_way;
use crate::support::{Database, Sending, TestApp, Token};

const NOBODY: Token = Token(None);

/// What only a service answers that is crowded, broken or at its end, that counts to a billion, whose staff are customers or have two roles, or whose
/// dealers are bound to networks or have used up their quota, or report what cannot be, or whose invoices lack a number; and what only the token endpoint answers, in a form of its own. Other tests bring these
/// about; here they are written as those answers are.
const RARE: [Code; 31] = [
    Code::PaymentInDispute,
    Code::PayingAccountUnknown,
    Code::RefundNotToPay,
    Code::OwnAccount,
    Code::OwnProposal,
    Code::BodyTooSlow,
    Code::IdempotencyInProgress,
    Code::InternalError,
    Code::Overloaded,
    Code::DatabaseUnavailable,
    Code::StorageFull,
    Code::Draining,
    Code::PointsOutOfRange,
    Code::NetworkNotAllowed,
    Code::QuotaExceeded,
    Code::InvalidClient,
    Code::UnsupportedGrantType,
    Code::InvalidScope,
    Code::ExternalIdReused,
    Code::SerialAlreadyReported,
    Code::OfferDeclined,
    Code::ChangeTooLate,
    Code::CorrectionNeedsTrust,
    Code::ProductChangedByCustomer,
    Code::BatchNotCancellable,
    Code::TransactionNotOpen,
    Code::AmountExceedsTransaction,
    Code::AmountExceedsInvoice,
    Code::CurrencyMismatch,
    Code::PaymentRefunded,
    Code::EinvoiceNotPossible,
];

/// The problems of those codes.
pub fn rendered() -> impl Iterator<Item = (String, Value)> {
    RARE.into_iter().map(|code| {
        let context = Context {
            public_url: "https://api.cps.example",
            language: Language::En,
            instance: "/v1/accounts".to_owned(),
            request_id: "req-0190f3".to_owned(),
        };
        let refusal = match code {
            Code::AmountExceedsInvoice => code
                .with("invoice_id", "inv_00000000000070008000000000000002")
                .with("number", "CPS-2026-000002")
                .with("open", "200.00 EUR"),
            code => code.into(),
        };
        let problem = render(&refusal.into(), &context);
        (code.as_str().to_owned(), json!(problem))
    })
}

/// Every other refusal.
pub async fn all() -> Vec<Heard> {
    let mut heard = hear(async { all_on_the_way(on_that_day().await).await }).await;
    let app = on_that_day().await;
    let beside = hear(async {
        malformed(&app).await;
        let change = json!({ "legacy_cps_email": "nobody@nordlys.example" });
        let asta = app.business("asta@nordlys-test.example", change).await;
        conditions(&app, &asta).await;
        products(&app, &asta).await;
        offers(&app, &asta).await;
        legacy(&app, &asta).await;
        company(&app, &asta).await;
        applications(&app).await;
        claims(&app).await;
        money(&app).await;
        staff(&app, &asta).await;
        memberships(&app).await;
        work(&app).await;
        dealers(&app).await;
        statements(&app).await;
        too_often(&app).await;
        too_late(&app).await;
    });
    heard.extend(beside.await);
    heard
}

/// Files that are no bank statement, and a statement that needs no release.
async fn statements(app: &TestApp) {
    let finance = app.sign_in("finance@cps.example").await;
    let html = include_str!("../../vectors/camt/h8-html-login-page.xml");
    let refused = send_statement(app, &finance, html).await;
    refused.problem(422, "statement_not_accepted");
    let transfer = json!({ "amount": "1.00" });
    let came = app
        .post("/v1/sandbox/bank-transfers", &finance, transfer)
        .await;
    let id = came.expect(201).str("/statements/0/id");
    let release = format!("/v1/bank-statements/{id}/release");
    let reason = json!({ "reason": "It is right." });
    let released = app.post_once(&release, &finance, reason).await;
    released.problem(409, "statement_not_held");
}

/// What a dealer's system may not do with its token.
async fn dealers(app: &TestApp) {
    let reads = app.dealer(FOTO_NORD, "registrations:read").await;
    let number = app.get("/v1/members/00000000", &reads).await;
    number.problem(403, "scope_missing");
    let admin = app.sign_in("admin@cps.example").await;
    let credentials = format!("/v1/partners/{}/credentials", FOTO_NORD.partner_id);
    let rotation = format!("{credentials}/{}/secret-rotation", FOTO_NORD.client_id);
    app.post(&rotation, &admin, json!({})).await.expect(200);
    let open = app.post(&rotation, &admin, json!({})).await;
    open.problem(409, "secret_rotation_open");
    let body = json!({ "name": "Kasse 2", "scopes": ["webhooks"] });
    for _ in 0..9 {
        let made = app.post(&credentials, &admin, body.clone()).await;
        made.expect(201);
    }
    let more = app.post(&credentials, &admin, body).await;
    more.problem(409, "credential_limit_reached");
}

/// Requests that are none.
async fn malformed(app: &TestApp) {
    let post = async |kind: &str, body: String| {
        let request = app.request(Method::POST, "/v1/sessions");
        request
            .header("content-type", kind)
            .body(body)
            .answer()
            .await
    };
    post("application/json", "{".to_owned())
        .await
        .problem(400, "malformed_request");
    let twice = r#"{"email": "a@nordlys.example", "email": "b@nordlys.example"}"#;
    post("application/json", twice.to_owned())
        .await
        .problem(400, "duplicate_key");
    post("text/plain", "{}".to_owned())
        .await
        .problem(415, "unsupported_media_type");
    let large = "x".repeat(2 * 1024 * 1024);
    post("application/json", large)
        .await
        .problem(413, "body_too_large");
    let put = app.put("/v1/accounts", &NOBODY, json!({})).await;
    put.problem(405, "method_not_allowed");
    let body = json!({ "refresh_token": "cpr_unknown" });
    let refresh = app.post("/v1/sessions/refresh", &NOBODY, body).await;
    refresh.problem(401, "session_ended");
}

/// Requests under conditions that do not hold.
async fn conditions(app: &TestApp, asta: &Business) {
    let patch = async |condition: Option<&str>| {
        let request = app
            .request(Method::PATCH, &asta.account)
            .sent_by(&asta.token);
        let request = request.header("content-type", "application/merge-patch+json");
        let request = match condition {
            Some(condition) => request.header("if-match", condition),
            None => request,
        };
        request.body(r#"{"language":"en"}"#).answer().await
    };
    patch(None).await.problem(428, "precondition_required");
    patch(Some("\"98\""))
        .await
        .problem(412, "precondition_failed");
    patch(Some("98")).await.problem(400, "if_match_malformed");
    let mine = app
        .get(&format!("{}/users", asta.account), &asta.token)
        .await;
    let own = format!(
        "{}/users/{}",
        asta.account,
        mine.expect(200).str("/items/0/id")
    );
    let removed = app.delete(&own, &asta.token, 2).await;
    removed.problem(409, "last_superuser");
    let taken = json!({ "email": EMAIL, "name": "Mette Fjord", "role": "member" });
    let users = format!("{}/users", asta.account);
    let invited = app.post(&users, &asta.token, taken).await;
    invited.problem(409, "email_in_use");
}

async fn products(app: &TestApp, asta: &Business) {
    let products = format!("{}/products", asta.account);
    let post = async |model: &str| {
        let request = app.request(Method::POST, &products).sent_by(&asta.token);
        let request = request.header("idempotency-key", "once");
        request.json(&json!({ "model_id": model })).answer().await
    };
    let registered = post(&app.model("EOS R").await).await.expect(201);
    let other = post(&app.model("EOS 90D").await).await;
    other.problem(422, "idempotency_key_reused");
    let product = registered.header("location");
    let sold = format!("{product}?reason=sold");
    app.delete(&sold, &asta.token, 1).await.expect(204);
    let change = json!({ "dealer": "Foto Nord" });
    let changed = app.patch(product, &asta.token, 2, change).await;
    changed.problem(409, "product_ended");
}

/// Offers of dealers that are not there any more, that are no registrations yet, or of what is being checked.
async fn offers(app: &TestApp, asta: &Business) {
    let mut raw = Raw::open(&app.database);
    let (model, now) = (app.model("EOS R").await, app.now().await);
    let mut offer = |dealer: &str, serial: &str| {
        let product = raw.offer(&Sold {
            account: &asta.account,
            partner: &raw_partner(&app.database, dealer),
            model: &model,
            serial,
            now,
        });
        format!("{}/offers/{product}", asta.account)
    };
    let stolen = json!({ "model_id": model, "serial_number": "014021004711" });
    let products = format!("{}/products", asta.account);
    let registered = app.post(&products, &asta.token, stolen).await.expect(201);
    let gone = format!("{}?reason=stolen", registered.header("location"));
    app.delete(&gone, &asta.token, 1).await.expect(204);
    let [first, second] = ["Foto Vest", "Kamera Vest"].map(|dealer| offer(dealer, "014021004711"));
    let product = second.replace("/offers/", "/products/");
    let change = json!({ "dealer": "Foto Nord" });
    let changed = app.patch(&product, &asta.token, 1, change).await;
    changed.problem(409, "registration_not_open");
    let accept = async |offer: &str| app.act(&format!("{offer}/acceptance"), &asta.token).await;
    accept(&first).await.expect(200);
    accept(&first).await.problem(409, "offer_closed");
    accept(&second).await.problem(409, "product_disputed");
}

fn raw_partner(database: &Database, name: &str) -> String {
    Raw::open(database).partner(name)
}

/// An old account that is not there, and one that is somebody else's.
async fn legacy(app: &TestApp, asta: &Business) {
    let migration = format!("{}/migration", asta.account);
    let proof = format!("{migration}/proof");
    app.act(&migration, &asta.token)
        .await
        .problem(409, "awaiting_proof");
    let enter = async |code: &Value| {
        let body = json!({ "code": code });
        app.put(&proof, &asta.token, body).await
    };
    app.act(&proof, &asta.token).await.expect(202);
    let mail = app.mail("nobody@nordlys.example", "migration_proof").await;
    let wrong = if mail["code"] == "123456" {
        "654321"
    } else {
        "123456"
    };
    enter(&json!(wrong)).await.problem(422, "code_invalid");
    enter(&mail["code"]).await.expect(204);
    app.act(&migration, &asta.token)
        .await
        .problem(409, "no_legacy_account");
    let support = app.sign_in("support@cps.example").await;
    let body = json!({ "member_number": "4410023", "reason": "The address is gone." });
    let attach = async |account: &str| {
        let path = format!("{account}/legacy-account");
        app.put(&path, &support, body.clone()).await
    };
    attach(&asta.account).await.expect(200);
    attach(METTE).await.problem(409, "legacy_account_taken");
    app.act(&migration, &asta.token).await.expect(200);
    let late = with_old_address(app, "late@nordlys-test.example", OLD).await;
    prove(app, &late, OLD).await;
    let again = format!("{}/migration", late.account);
    app.act(&again, &late.token)
        .await
        .problem(409, "already_migrated");
}

/// More documents and more open applications than are taken.
async fn applications(app: &TestApp) {
    let (account, applicant) = app.applicant(json!({})).await;
    let mut answer = app.upload(&account, &applicant, "vat_invoice", PDF).await;
    for _ in 0..10 {
        answer = app.upload(&account, &applicant, "vat_invoice", PDF).await;
    }
    answer.problem(409, "document_limit_reached");
    let links = mailed_links(app, "mange@nordlys-test.example", 6).await;
    for link in &links {
        let change = json!({ "contact": { "name": "Asta H. Holm" } });
        let changed = app.patch(&link.account, &link.token, 1, change).await;
        assert!([200, 409].contains(&changed.status), "{}", changed.text);
    }
}

/// A case that somebody else works on, at a moment that the answer tells.
async fn claims(app: &TestApp) {
    app.set_clock(&format!("{YEAR}-03-02T13:00:00Z")).await;
    let reviewer = app.sign_in("reviewer@cps.example").await;
    let cases = app.get("/v1/reviews", &reviewer).await.expect(200);
    let case = format!("/v1/reviews/{}/claim", cases.str("/items/0/account_id"));
    app.act(&case, &reviewer).await.expect(200);
    let other =
        "UPDATE reviews SET claimed_by = (SELECT id FROM users WHERE email = 'admin@cps.example')
        WHERE claimed_by IS NOT NULL";
    assert!(Raw::open(&app.database).run(other).unwrap() > 0);
    app.act(&case, &reviewer)
        .await
        .problem(409, "claimed_by_another");
}

/// More is credited than the invoice was, and more goes back than came.
async fn money(app: &TestApp) {
    let finance = app.sign_in("finance@cps.example").await;
    let jonas = "/v1/accounts/acc_00000000000070008000000000000002";
    let much = json!({ "amount": "500.00", "currency": "EUR" });
    let body = json!({ "net": much, "reason": "error", "note": "A wrong price." });
    let notes = format!("{jonas}/invoices/inv_00000000000070008000000000000002/credit-notes");
    let credited = app.post_once(&notes, &finance, body).await;
    credited.problem(409, "credit_exceeds_invoice");
    let payment = paid(app, jonas, None, 5000);
    let body = json!({ "amount": much, "reason": "Paid twice." });
    let refunds = format!("{jonas}/payments/{payment}/refunds");
    let refunded = app.post_once(&refunds, &finance, body).await;
    refunded.problem(409, "refund_exceeds_payment");
}

/// What the state of an account and of a job forbids.
async fn staff(app: &TestApp, asta: &Business) {
    let [admin, support] = ["admin", "support"].map(|role| format!("{role}@cps.example"));
    let (admin, support) = (app.sign_in(&admin).await, app.sign_in(&support).await);
    let link = format!("{}/first-password-link", asta.account);
    app.act(&link, &support)
        .await
        .problem(409, "account_state_conflict");
    let done = app.get("/v1/jobs?state=done", &admin).await.expect(200);
    let retry = format!("/v1/jobs/{}/retry", done.str("/items/0/id"));
    let reason = json!({ "reason": "The server is back." });
    app.post(&retry, &admin, reason)
        .await
        .problem(409, "job_not_dead");
}

/// What waits for staff is not ticked off where something else closes it, and only once.
async fn work(app: &TestApp) {
    let admin = app.sign_in("admin@cps.example").await;
    let waits = app.get("/v1/work-items", &admin).await.expect(200);
    let complete = format!("/v1/work-items/{}/completion", waits.str("/items/0/id"));
    let reason = json!({ "reason": "The dealer has mended its system." });
    let done = app.post(&complete, &admin, reason.clone()).await;
    done.problem(409, "work_item_closes_itself");
    let alert = partner_alert(&mut Raw::open(&app.database));
    app.post(&alert, &admin, reason.clone()).await.expect(200);
    let again = app.post(&alert, &admin, reason).await;
    again.problem(409, "work_item_closed");
}

/// Events of another quarter.
async fn too_late(app: &TestApp) {
    app.advance(chrono::TimeDelta::days(91)).await;
    let mette = app.sign_in(EMAIL).await;
    let old = app.get("/v1/events?after=1", &mette).await;
    old.problem(410, "events_expired");
}

/// A VAT number that another account has, although a document proves it.
async fn company(app: &TestApp, asta: &Business) {
    let added = app
        .upload(&asta.account, &asta.token, "vat_invoice", PDF)
        .await;
    let document = added.expect(201).str("/id");
    let [reviewer, support] = ["reviewer", "support"].map(|role| format!("{role}@cps.example"));
    let (reviewer, support) = (app.sign_in(&reviewer).await, app.sign_in(&support).await);
    let decided = format!("{}/documents/{document}", case_of(&asta.account));
    let accept = json!({ "decision": "accept" });
    app.put(&decided, &reviewer, accept).await.expect(200);
    let seen = app.get(&asta.account, &support).await.expect(200);
    let taken = json!({ "vat_number": "24256790", "reason": "Merged.", "document_id": document });
    let version = seen.body["version"].as_i64().unwrap();
    let changed = app.patch(&asta.account, &support, version, taken).await;
    changed.problem(409, "vat_number_in_use");
}

/// Passwords that are guessed, by one person and from one address.
async fn too_often(app: &TestApp) {
    let guess = async |app: &TestApp| {
        let wrong = json!({ "email": "nobody@fjordfoto.example", "password": "wrong" });
        app.post("/v1/sessions", &NOBODY, wrong).await
    };
    for _ in 0..5 {
        guess(app).await.problem(401, "invalid_credentials");
    }
    guess(app).await.problem(429, "too_many_attempts");
    let (app, _folder) = limited(&[("sign_in_per_address", 1)]).await;
    guess(&app).await.problem(401, "invalid_credentials");
    guess(&app).await.problem(429, "rate_limited");
}

/// An account that is suspended, and a membership that is over and was never paid.
async fn memberships(app: &TestApp) {
    bring_points_to(app, METTE, 1000).await;
    let token = app.sign_in(EMAIL).await;
    let set = |state: &str| {
        let set = format!("UPDATE accounts SET {state} WHERE company_name = 'Fjord Foto ApS'");
        app.database.execute(&set);
    };
    set("suspended_from = status, status = 'suspended'");
    let suspended = join(app, METTE, &token, by_transfer("gold")).await;
    suspended.problem(409, "account_not_active");
    set("suspended_from = NULL, status = 'active'");
    join(app, METTE, &token, by_transfer("gold"))
        .await
        .expect(201);
    app.set_clock(&format!("{}-03-09T12:00:00Z", YEAR + 1))
        .await;
    let token = app.sign_in(EMAIL).await;
    let again = join(app, METTE, &token, by_transfer("gold")).await;
    again.problem(409, "payment_due");
}
