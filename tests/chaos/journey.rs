//! The whole way of one business, by a client who writes down what it was told.

use reqwest::Method;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};

use crate::load::Callers;

/// Of everybody whom the sandbox seeds.
pub const STAFF_PASSWORD: &str = "Sandbox-Adgang-2026";
pub const PASSWORD: &str = "en lang og god sætning";
const PDF: &[u8] = b"%PDF-1.4 a certificate";
const MODEL: &str = "EOS R6 Mark II";
/// How many products a business registers.
pub const PRODUCTS: usize = 4;
/// How many points staff give it, so that it may join.
const POINTS: i64 = 1000;

/// What a client was told, and what must hold therefore.
#[derive(Debug)]
pub struct Told {
    pub email: String,
    /// `/v1/accounts/acc_...`
    pub account: String,
    pub document: String,
    pub products: Vec<String>,
    pub balance: i64,
    pub member_number: String,
}

/// One business by one client: its `n`-th.
pub async fn run(callers: &Callers, client: usize, n: usize) -> Told {
    let email = format!("business-{client}-{n}@chaos.example");
    let key = |step: &str| format!("{step}-{client}-{n}");
    let (account, applicant) = register(callers, &email, &key("register")).await;
    let document = upload(callers, &account, &applicant, &key("upload")).await;
    let submission = format!("{account}/submission");
    callers
        .post(&submission, Some(&applicant), None, &Value::Null)
        .await
        .done(200);
    approve(callers, &account, &document).await;
    set_password(callers, &email).await;
    let token = callers.sign_in(&email, PASSWORD).await;
    let products = register_products(callers, &account, &token, client * 1000 + n).await;
    let balance = give_points(callers, &account, &key("points")).await;
    let reset = json!({ "email": email });
    callers
        .post("/v1/password-resets", None, None, &reset)
        .await
        .expect(&[202]);
    let join = json!({ "level": "gold", "payment_method": "bank_transfer", "accept_terms_version": "2026-01" });
    let path = format!("{account}/membership");
    let joined = callers
        .post(&path, Some(&token), Some(&key("join")), &join)
        .await
        .expect(&[201]);
    Told {
        email,
        account,
        document,
        products,
        balance,
        member_number: joined.str("/member_number"),
    }
}

async fn register(callers: &Callers, email: &str, key: &str) -> (String, String) {
    let body = json!({
        "company_name": "Nordlys Foto ApS", "country": "DK", "vat_registered": true, "vat_number": "13585628",
        "address": { "street": "Havnegade 1", "postal_code": "1058", "city": "København K" },
        "contact": { "name": "Asta Holm", "email": email, "phone": "+4533110000" },
        "language": "da", "source": "itcg", "authority_declared": true, "accept_terms_version": "2026-01"
    });
    let registered = callers
        .post("/v1/accounts", None, Some(key), &body)
        .await
        .expect(&[201]);
    (
        registered.location.clone(),
        registered.str("/applicant_token"),
    )
}

async fn upload(callers: &Callers, account: &str, applicant: &str, key: &str) -> String {
    let path = format!("{account}/documents");
    let uploaded = callers.insist(Method::POST, &path, |request| {
        let file = Part::bytes(PDF).file_name("certifikat.pdf");
        let form = Form::new()
            .text("kind", "vat_registration_certificate")
            .part("file", file);
        request
            .bearer_auth(applicant)
            .header("idempotency-key", key)
            .multipart(form)
    });
    id_of(&uploaded.await.expect(&[201]).location).to_owned()
}

async fn approve(callers: &Callers, account: &str, document: &str) {
    let staff = callers
        .sign_in("reviewer@cps.example", STAFF_PASSWORD)
        .await;
    let case = format!("/v1/reviews/{}", id_of(account));
    callers
        .post(&format!("{case}/claim"), Some(&staff), None, &Value::Null)
        .await
        .done(200);
    let path = format!("{case}/documents/{document}");
    let accept = json!({ "decision": "accept" });
    let decided = callers.insist(Method::PUT, &path, |request| {
        request.bearer_auth(&staff).json(&accept)
    });
    decided.await.done(200);
    let approve = json!({ "decision": "approve" });
    callers
        .post(&format!("{case}/decision"), Some(&staff), None, &approve)
        .await
        .done(200);
}

async fn set_password(callers: &Callers, email: &str) {
    let path = format!("/v1/sandbox/mailbox?to={email}&limit=100");
    for _ in 0..1800 {
        let mails = callers.get(&path, None).await;
        let items = mails.body["items"].as_array().cloned().unwrap_or_default();
        let first = items
            .iter()
            .find(|mail| mail["template"] == "first_password");
        if let Some((_, token)) =
            first.and_then(|mail| mail["action_url"].as_str()?.split_once("#token="))
        {
            let body = json!({ "token": token, "new_password": PASSWORD });
            callers
                .post("/v1/passwords", None, None, &body)
                .await
                .done(204);
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("no first_password to {email}");
}

async fn register_products(callers: &Callers, account: &str, token: &str, n: usize) -> Vec<String> {
    let models = callers
        .get("/v1/models?query=R6%20Mark%20II", Some(token))
        .await
        .expect(&[200]);
    let items = models.body["items"].as_array().unwrap();
    let model = items.iter().find(|model| model["name"] == MODEL).unwrap()["id"].clone();
    let mut products = Vec::new();
    for k in 0..PRODUCTS {
        let body = json!({
            "model_id": model, "serial_number": format!("{:08}", 55_000_000 + n * PRODUCTS + k),
            "purchase_date": "2024-05-17", "purchase_country": "DK", "dealer": "Foto Nord"
        });
        let key = format!("product-{n}-{k}");
        let path = format!("{account}/products");
        let made = callers
            .post(&path, Some(token), Some(&key), &body)
            .await
            .expect(&[201]);
        products.push(made.str("/id"));
    }
    products
}

/// The balance that staff see afterwards.
async fn give_points(callers: &Callers, account: &str, key: &str) -> i64 {
    let admin = callers.sign_in("admin@cps.example", STAFF_PASSWORD).await;
    let body = json!({ "amount": POINTS, "reason": "chaos" });
    let path = format!("{account}/points/adjustments");
    callers
        .post(&path, Some(&admin), Some(key), &body)
        .await
        .expect(&[201]);
    let points = callers
        .get(&format!("{account}/points"), Some(&admin))
        .await
        .expect(&[200]);
    points.body["balance"].as_i64().unwrap()
}

/// What stands behind the last slash.
pub fn id_of(path: &str) -> &str {
    path.rsplit('/').next().unwrap()
}
