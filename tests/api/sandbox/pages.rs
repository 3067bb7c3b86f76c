//! The start page, the page that stands in for a frontend, and how Swagger UI begins.

use crate::process::Setup;
use crate::support::{Answer, Database, Sending, TestApp, Token};
use reqwest::Method;

/// What the policy of a page lets run.
fn scripts(page: &Answer) -> String {
    let policy = page.header("content-security-policy");
    let scripts = policy.split(';').find(|part| part.contains("script-src"));
    scripts.unwrap().trim().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_start_page_and_the_stand_in_run_their_own_script_and_nothing_else() {
    let app = TestApp::start().await;
    let start = app.get("/", &Token::default()).await.expect(200);
    let frontend = "/sandbox/frontend/set-password";
    let stand_in = app.get(frontend, &Token::default()).await.expect(200);
    for page in [&start, &stand_in] {
        assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
        assert!(scripts(page).starts_with("script-src 'sha256-"), "{page:?}");
        assert_eq!(page.header("x-frame-options"), "DENY");
        assert!(!page.text.contains("innerHTML"), "what comes is text");
        assert_eq!(page.text.matches("<script>").count(), 1);
        assert_eq!(page.text.matches("<style>").count(), 1);
        assert!(!page.text.contains(" style="), "the policy forbids it");
    }
    let head = app.request(Method::HEAD, "/").answer().await;
    assert_eq!(head.status, 200);
    let wrong = app.request(Method::POST, "/").answer().await;
    assert_eq!(wrong.header("allow"), "GET, HEAD");
    wrong.problem(405, "method_not_allowed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn links_in_the_sandboxs_mails_lead_to_a_page() {
    let app = TestApp::on(Database::create(), &[]).await;
    let (_, _) = app.applicant(serde_json::json!({})).await;
    let mails = app
        .get("/v1/sandbox/mailbox?limit=100", &Token::default())
        .await;
    let mails = mails.expect(200);
    let links: Vec<&str> = mails.body["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|mail| mail["action_url"].as_str())
        .collect();
    assert!(!links.is_empty());
    for link in links {
        let path = link.strip_prefix(&app.address).unwrap();
        assert!(path.starts_with("/sandbox/frontend/"), "{link}");
        let page = path.split('#').next().unwrap();
        app.get(page, &Token::default()).await.expect(200);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn swagger_ui_begins_in_our_way_and_says_where_to_begin() {
    let app = TestApp::start().await;
    let path = "/docs/swagger-initializer.js";
    let script = app.get(path, &Token::default()).await.expect(200);
    assert!(script.text.contains("persistAuthorization: true"));
    assert!(script.header("content-type").starts_with("text/javascript"));
    for is_sandbox in [false, true] {
        let document = cps_api::handlers::document(is_sandbox);
        let description = document["info"]["description"].as_str().unwrap();
        let (_, begin) = description.split_once("**Where to begin.**").unwrap();
        assert_eq!(begin.split("\n\n").count(), 3);
        assert_eq!(begin.contains("](/)"), is_sandbox);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn live_mode_leads_to_the_contract_and_has_none_of_these_pages() {
    let database = Database::create();
    let setup = Setup::live(&database, "smtp://127.0.0.1:25");
    assert!(setup.run(&["migrate"]).ok);
    let served = setup.serve();
    served.becomes("/readyz", 200).await;
    let client = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    let address = served.request(Method::GET, "/").build().unwrap();
    let start = client.get(address.url().clone()).answer().await;
    assert_eq!((start.status, start.header("location")), (307, "/docs/"));
    let frontend = served.request(Method::GET, "/sandbox/frontend/set-password");
    frontend.answer().await.problem(404, "not_found");
    let reset = served.request(Method::POST, "/v1/sandbox/reset");
    reset.answer().await.problem(404, "not_found");
}
