//! The programme, as everybody may read it.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Sending, TestApp, Token};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn anybody_reads_the_programme() {
    let app = TestApp::start().await;
    let programme = app
        .get("/v1/programme", &Token::default())
        .await
        .expect(200);
    let body = &programme.body;
    assert_eq!(body["terms_version"], "2026-01");
    let levels = body["levels"].as_array().unwrap();
    let codes: Vec<&str> = levels
        .iter()
        .map(|level| level["level"].as_str().unwrap())
        .collect();
    assert_eq!(codes, ["silver", "gold", "platinum", "corporate"]);
    assert_eq!(
        levels[1]["fee"],
        json!({ "amount": "200.00", "currency": "EUR" })
    );
    assert_eq!(
        (&levels[1]["at_least"], &levels[3]["above"]),
        (&json!(1000), &json!(2500))
    );
    assert!(levels[1].get("above").is_none() && levels[3].get("fee").is_none());
    assert_eq!(
        levels[3]["fees"][0],
        json!({ "up_to_products": 50, "fee": { "amount": "1000.00", "currency": "EUR" } })
    );
    assert!(levels[3]["fees"][2].get("up_to_products").is_none());
    assert!(levels.iter().all(|level| level["example"] == true));
    assert_eq!(body["countries"].as_array().unwrap().len(), 19);
    assert_eq!(body["mainland_only"], json!(["ES", "GB"]));
    assert_eq!(
        body["document_kinds"],
        json!({
            "vat_registered": ["vat_registration_certificate", "vat_invoice"],
            "not_vat_registered": ["business_invoice", "business_licence", "incorporation_extract"],
        })
    );
    assert_eq!(body["payment_methods"], json!(["card", "bank_transfer"]));
    assert_eq!(
        (&body["seller"]["country"], &body["seller"]["example"]),
        (&json!("NL"), &json!(true))
    );
    assert_eq!(body["invitation_points"], 500);
    assert_eq!(body["help"]["email"], "help@cps.example");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_programme_speaks_the_callers_language_and_may_be_kept() {
    let app = TestApp::start().await;
    let read = |language: &'static str, seen: Option<String>| {
        let mut request = app
            .request(Method::GET, "/v1/programme")
            .header("accept-language", language);
        if let Some(tag) = seen {
            request = request.header("if-none-match", tag);
        }
        request.answer()
    };
    let english = read("en", None).await.expect(200);
    let danish = read("da", None).await.expect(200);
    let benefits = |answer: &Value| answer["levels"][0]["benefits"].clone();
    assert_ne!(benefits(&english.body), benefits(&danish.body));
    assert_eq!(
        (
            english.header("content-language"),
            danish.header("content-language")
        ),
        ("en", "da")
    );
    assert!(english.header("cache-control").starts_with("public"));
    let tag = english.header("etag").to_owned();
    assert_eq!(read("en", Some(tag.clone())).await.status, 304);
    assert_eq!(read("da", Some(tag)).await.status, 200);
}
