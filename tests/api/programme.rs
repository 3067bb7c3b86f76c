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
    assert_eq!(
        body["limits"],
        json!({
            "documents": {
                "media_types": ["application/pdf", "image/jpeg", "image/png", "image/tiff"],
                "max_bytes": 4_194_304, "max_documents": 10, "max_bytes_together": 20_971_520,
                "business_invoice_months": 3
            },
            "passwords": { "min_characters": 12, "max_characters": 128 },
        })
    );
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
    for (language, answer, terms, notice) in [
        ("en", &english, "Who may take part", "We charge nothing"),
        ("da", &danish, "Hvem kan være med", "Vi tager intet gebyr"),
    ] {
        assert!(answer.str("/terms/text").contains(terms), "{language}");
        let paying = &answer.body["bank_transfer"];
        assert_eq!(
            paying["fee"],
            json!({ "amount": "0.00", "currency": "EUR" })
        );
        let told = answer.str("/bank_transfer/notice");
        assert!(told.contains(notice), "{language}: {told}");
    }
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_programme_tells_is_what_its_rules_go_by() {
    let app = TestApp::start().await;
    app.set_clock("2030-04-17T10:00:00Z").await;
    let read = app.get("/v1/programme", &Token::default()).await;
    let programme = read.expect(200).body;
    let answer = &programme["answer_time"];
    assert_eq!(
        (&answer["working_days"], &answer["closes_at"]),
        (&json!(2), &json!("17:00"))
    );
    assert_eq!(answer["zone"], "Europe/Copenhagen");
    // Maundy Thursday, Good Friday, Easter Monday: the answer is due on Wednesday after them.
    let off = answer["days_off"].as_array().unwrap();
    assert_eq!(off[..3], ["2030-04-18", "2030-04-19", "2030-04-22"]);
    let (account, applicant) = app.applicant(json!({})).await;
    let submitted = crate::accounts::submit(&app, &account, &applicant).await;
    assert_eq!(submitted.str("/review_due_at"), "2030-04-24T15:00:00Z");

    let characters = &programme["limits"]["passwords"]["min_characters"];
    let characters = usize::try_from(characters.as_u64().unwrap()).unwrap();
    let (account, applicant) = app.applicant(json!({})).await;
    crate::accounts::approve(&app, &account, &applicant).await;
    let mail = app
        .mail("asta@nordlys-test.example", "first_password")
        .await;
    let token = crate::accounts::token_of(&mail);
    let good = "kvidrende lyse nattergale";
    for (length, status) in [(characters - 1, 422), (characters, 204)] {
        let password: String = good.chars().take(length).collect();
        let body = json!({ "token": token, "new_password": password });
        let set = app.post("/v1/passwords", &Token::default(), body).await;
        assert_eq!(set.status, status, "{length}: {}", set.text);
    }
}
