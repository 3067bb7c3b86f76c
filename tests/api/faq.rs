//! Questions and answers: the same for anybody, and a member's own.

use reqwest::Method;
use serde_json::{Value, json};

use crate::membership::{ACCOUNT, EMAIL, bring_points_to, by_transfer, join};
use crate::support::{Answer, Sending, TestApp, Token};

async fn ask(app: &TestApp, token: &Token, language: &str) -> Answer {
    app.request(Method::GET, "/v1/faq")
        .sent_by(token)
        .header("accept-language", language)
        .answer()
        .await
        .expect(200)
}

fn item(faq: &Answer, id: &str) -> Value {
    let items = faq.body["items"].as_array().unwrap();
    items.iter().find(|item| item["id"] == id).unwrap().clone()
}

fn answer(faq: &Answer, id: &str) -> String {
    item(faq, id)["answer"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn anybody_reads_the_same_answers_in_both_languages() {
    let app = TestApp::start().await;
    let (danish, english) = (
        ask(&app, &Token::default(), "da").await,
        ask(&app, &Token::default(), "en").await,
    );
    let ids = |faq: &Answer| -> Vec<Value> {
        let items = faq.body["items"].as_array().unwrap();
        items.iter().map(|item| item["id"].clone()).collect()
    };
    assert_eq!(ids(&danish), ids(&english));
    assert!(ids(&danish).len() > 15);
    for (da, en) in danish.body["items"]
        .as_array()
        .unwrap()
        .iter()
        .zip(english.body["items"].as_array().unwrap())
    {
        assert_ne!(da["question"], en["question"]);
        for one in [da, en] {
            assert!(!one["answer"].as_str().unwrap().contains('{'), "{one}");
            assert_eq!(one["personal"], false);
        }
    }
    assert!(answer(&english, "when_invited").contains("500"));
    assert!(answer(&english, "corporate_switch").contains("2500"));
    assert!(english.header("cache-control").starts_with("public"));
    let staff = app.sign_in("support@cps.example").await;
    assert_eq!(ask(&app, &staff, "en").await.body, english.body);
    let (_, applicant) = app.applicant(json!({})).await;
    assert_eq!(ask(&app, &applicant, "en").await.body, english.body);
    let torn = Token(Some("no-token".to_owned()));
    app.get("/v1/faq", &torn)
        .await
        .problem(401, "unauthenticated");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_hears_why_there_is_no_tick_no_button_and_no_level() {
    let app = TestApp::start().await;
    let token = app.sign_in(EMAIL).await;
    bring_points_to(&app, ACCOUNT, 480).await;
    let faq = ask(&app, &token, "en").await;
    assert!(faq.header("cache-control").starts_with("private"));
    let ticks = item(&faq, "no_green_tick");
    assert_eq!(ticks["personal"], true);
    let unticked = &ticks["products"][0];
    assert_eq!(unticked["model"], "EF 40mm f/2.8 STM");
    assert_eq!(unticked["missing"], json!(["serial_number"]));
    let product = format!(
        "{ACCOUNT}/products/{}",
        unticked["product_id"].as_str().unwrap()
    );
    app.get(&product, &token).await.expect(200);
    assert!(answer(&faq, "no_green_tick").contains("EF 40mm f/2.8 STM: missing serial number."));
    let level = answer(&faq, "no_level");
    assert!(level.contains("480") && level.contains("20 more") && level.contains("Silver"));
    let button = item(&faq, "no_migrate_button");
    assert_eq!(button["personal"], true);
    let migration = app
        .get(&format!("{ACCOUNT}/migration"), &token)
        .await
        .expect(200);
    assert_eq!(migration.body["reason"], "no_legacy_email");
    assert!(answer(&faq, "no_migrate_button").contains("no e-mail address"));
    assert!(answer(&ask(&app, &token, "da").await, "no_level").contains("mangler 20"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_answers_follow_the_account() {
    let app = TestApp::start().await;
    let token = app.sign_in(EMAIL).await;
    bring_points_to(&app, ACCOUNT, 1200).await;
    let faq = ask(&app, &token, "en").await;
    assert_eq!(
        answer(&faq, "no_level"),
        "You can choose now: Silver, Gold. The level Platinum opens with 400 more points."
    );
    bring_points_to(&app, ACCOUNT, 2600).await;
    let faq = ask(&app, &token, "en").await;
    assert_eq!(
        answer(&faq, "no_level"),
        "You can choose now: Silver, Gold, Platinum, Corporate."
    );
    join(&app, ACCOUNT, &token, by_transfer("gold"))
        .await
        .expect(201);
    let faq = ask(&app, &token, "en").await;
    assert!(answer(&faq, "no_level").contains("You are a member at the level Gold"));
    let jonas = app.sign_in("jonas@lysogskygge.example").await;
    let faq = ask(&app, &jonas, "en").await;
    assert_eq!(
        answer(&faq, "no_green_tick"),
        "All your products have the green tick."
    );
    assert!(item(&faq, "no_green_tick").get("products").is_none());
}
