//! What the sandbox offers whoever tries it: the seed, the way back to it, pages, and operations that succeed as they are filled in.

mod pages;
mod prefilled;
mod reset;

use serde_json::Value;

use crate::partners::{FOTO_NORD, KAMERAHUSET};
use crate::support::{Database, TestApp, Token};

pub async fn card(app: &TestApp) -> Value {
    let card = app.get("/v1/sandbox", &Token::default()).await.expect(200);
    card.body
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_card_names_everybody_with_a_word_on_how_they_stand() {
    let app = TestApp::start().await;
    let card = card(&app).await;
    let states = |list: &str, of: &str| {
        let all = card[list].as_array().unwrap().iter();
        let words = all.map(|one| {
            format!(
                "{} {}",
                one[of].as_str().unwrap(),
                one["state"].as_str().unwrap()
            )
        });
        words.collect::<Vec<_>>()
    };
    assert_eq!(
        states("members", "role"),
        [
            "superuser no_membership",
            "superuser member",
            "superuser ready_to_join",
            "member ready_to_join",
            "read_only ready_to_join",
            "superuser corporate_available",
            "superuser suspended",
            "superuser past_due",
            "superuser benefits_stopped",
            "superuser ended_unpaid",
        ]
    );
    assert_eq!(
        states("applications", "contact_email"),
        [
            "karl@havblik.example submitted",
            "bodil@birkelund.example draft",
            "niels@nordkyst.example approved",
            "signe@soebred.example in_review",
        ]
    );
    let old = card["legacy_accounts"].as_array().unwrap();
    assert!(old.len() >= 3);
    for one in old {
        assert!(one["products"].as_array().unwrap().len() >= 2);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everybody_stands_where_the_card_says() {
    let app = TestApp::start().await;
    let card = card(&app).await;
    for one in card["members"].as_array().unwrap() {
        let token = app.sign_in(one["email"].as_str().unwrap()).await;
        let account = format!("/v1/accounts/{}", one["account_id"].as_str().unwrap());
        let read = app.get(&account, &token).await.expect(200);
        assert_eq!(read.body["version"], 1, "{one}");
        let points = app.get(&format!("{account}/points"), &token).await;
        let points = points.expect(200).body["balance"].as_i64().unwrap();
        let membership = app.get(&format!("{account}/membership"), &token).await;
        match one["state"].as_str().unwrap() {
            "no_membership" => assert_eq!(membership.status, 404),
            "member" => assert_eq!(membership.str("/level"), "gold"),
            "past_due" => assert_eq!(membership.str("/status"), "past_due"),
            "benefits_stopped" => assert_eq!(membership.str("/status"), "suspended"),
            "ended_unpaid" => assert_eq!(membership.status, 404),
            "ready_to_join" => assert!((1000..=2500).contains(&points), "{points}"),
            "corporate_available" => assert!(points > 2500, "{points}"),
            "suspended" => assert_eq!(read.str("/status"), "suspended"),
            other => panic!("{other}"),
        }
    }
    for one in card["applications"].as_array().unwrap() {
        let Some(token) = one["applicant_token"].as_str() else {
            continue;
        };
        let account = format!("/v1/accounts/{}", one["account_id"].as_str().unwrap());
        let read = app.get(&account, &Token(Some(token.to_owned()))).await;
        assert_eq!(read.expect(200).body["status"], one["state"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_link_that_waits_in_the_mailbox_makes_the_approved_business_active() {
    let app = TestApp::on(Database::create(), &[]).await;
    let mail = app.mail("niels@nordkyst.example", "first_password").await;
    let card = card(&app).await;
    let url = mail["action_url"].as_str().unwrap();
    assert_eq!(card["applications"][2]["set_password_url"], url);
    let (_, token) = url.split_once("#token=").unwrap();
    let body = serde_json::json!({ "token": token, "new_password": "en lang og god sætning" });
    let set = app.post("/v1/passwords", &Token::default(), body).await;
    set.expect(204);
    let niels = app
        .sign_in_with("niels@nordkyst.example", "en lang og god sætning")
        .await;
    let account = format!(
        "/v1/accounts/{}",
        card["applications"][2]["account_id"].as_str().unwrap()
    );
    let read = app.get(&account, &niels).await.expect(200);
    assert_eq!(read.str("/status"), "active");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_line_of_the_card_comes_to_what_it_says() {
    let app = TestApp::start().await;
    let first = card(&app).await;
    let lines = first["lines"].as_array().unwrap();
    assert_eq!(lines.len(), 7);
    for one in lines {
        let dealer = [FOTO_NORD, KAMERAHUSET];
        let dealer = dealer
            .into_iter()
            .find(|it| one["partner_id"] == it.partner_id);
        let token = app.dealer(dealer.unwrap(), "registrations:write").await;
        let answer = app
            .post("/v1/registrations", &token, one["line"].clone())
            .await;
        let said = ["status", "code"].map(|field| &answer.body[field]);
        let is_taken = answer.status < 300;
        let said = if is_taken { said[0] } else { said[1] };
        assert_eq!(said, &one["answer"], "{one}: {}", answer.text);
        if let Some(serial) = one["line"]["serial_number"].as_str() {
            assert_eq!(first["magic"]["serial_numbers"][serial], one["answer"]);
        }
    }
    let again = TestApp::start().await;
    assert_eq!(card(&again).await["lines"], first["lines"]);
}
