//! Jobs that failed for good: kept, told to staff, listed without what they carry, and tried again by an administrator or a command.

use chrono::TimeDelta;
use serde_json::json;

use crate::process::{Setup, free_port};
use crate::raw::Raw;
use crate::support::{Answer, Database, TestApp, Token};

const EMAIL: &str = "asta@nordlys-test.example";
const NOBODY: &str = "/v1/jobs/job_00000000000070008000000000000001/retry";

/// A sandbox whose mail server is away, with two mails that were given up: an applicant's link, and one to somebody who is known.
async fn with_dead_mails(database: &Database) -> (TestApp, Token) {
    let url = format!("smtp://127.0.0.1:{}", free_port());
    let app = TestApp::on(database.clone(), &[("CPS_MAIL", &url)]).await;
    for _ in 0..2 {
        app.applicant(json!({})).await;
    }
    let asked = json!({ "email": EMAIL });
    let asked = app
        .post("/v1/applicant-links", &Token::default(), asked)
        .await;
    asked.expect(202);
    app.advance(TimeDelta::days(4)).await;
    let admin = app.sign_in("admin@cps.example").await;
    (app, admin)
}

fn ids(listed: &Answer) -> Vec<String> {
    let items = listed.body["items"].as_array().unwrap().iter();
    items
        .map(|item| item["id"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mail_that_failed_for_three_days_is_dead_kept_and_told() {
    let database = Database::seeded().await;
    let (app, admin) = with_dead_mails(&database).await;
    let listed = app
        .get("/v1/jobs?state=dead&limit=100", &admin)
        .await
        .expect(200);
    let dead = &listed.body["items"][0];
    for (name, value) in [
        ("kind", "send_mail"),
        ("queue", "mail"),
        ("state", "dead"),
        ("last_error", "unavailable"),
    ] {
        assert_eq!(dead[name], value, "{dead}");
    }
    assert!(dead["about"].as_str().unwrap().starts_with("mai_"));
    assert!(dead["attempts"].as_i64().unwrap() > 70);
    let known = [
        "id",
        "kind",
        "queue",
        "state",
        "attempts",
        "run_at",
        "created_at",
        "finished_at",
        "last_error",
        "about",
    ];
    let names = dead.as_object().unwrap().keys();
    assert!(
        names.into_iter().all(|name| known.contains(&name.as_str())),
        "{dead}"
    );
    assert!(!listed.text.contains(EMAIL) && !listed.text.contains("token"));
    let mut raw = Raw::open(&database);
    let items = "SELECT subject_id AS line FROM work_items WHERE kind = 'dead_job' AND closed_at IS NULL ORDER BY subject_id DESC";
    assert_eq!(raw.lines(items), ids(&listed), "staff are told of each");
    // It says nothing of the instance.
    let ready = app.get("/readyz", &Token::default()).await.expect(200);
    assert_eq!(ready.body, json!({ "status": "ready" }));
    // Nobody sweeps it away, nor what it would send.
    app.advance(TimeDelta::days(60)).await;
    let again = app.get("/v1/jobs?state=dead&limit=100", &admin).await;
    let again = match again.status {
        401 => {
            let admin = app.sign_in("admin@cps.example").await;
            app.get("/v1/jobs?state=dead&limit=100", &admin).await
        }
        _ => again,
    };
    let kept = ids(&again.expect(200));
    assert!(ids(&listed).iter().all(|id| kept.contains(id)), "{kept:?}");
    let sealed = "SELECT template AS line FROM mails WHERE sealed IS NOT NULL AND template = 'applicant_link'";
    assert!(!raw.lines(sealed).is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn jobs_are_listed_by_state_queue_and_kind_a_page_at_a_time() {
    let database = Database::seeded().await;
    let app = TestApp::on(database.clone(), &[]).await;
    for _ in 0..3 {
        app.applicant(json!({})).await;
    }
    app.advance(TimeDelta::seconds(1)).await;
    let admin = app.sign_in("admin@cps.example").await;
    let path = "/v1/jobs?state=ready&kind=expire_draft";
    let whole = app.get(path, &admin).await.expect(200);
    assert!(ids(&whole).len() >= 3 && whole.body["next_cursor"].is_null());
    let mut newest_first = ids(&whole);
    newest_first.sort_by(|a, b| b.cmp(a));
    assert_eq!(newest_first, ids(&whole));
    let mut walked = Vec::new();
    let mut next = Some(format!("{path}&limit=2"));
    while let Some(path) = next {
        let page = app.get(&path, &admin).await.expect(200);
        assert!(ids(&page).len() <= 2);
        walked.extend(ids(&page));
        let link = page.header("link").to_owned();
        next = link
            .split_once('>')
            .map(|(link, _)| link.trim_start_matches('<').to_owned());
    }
    assert_eq!(walked, ids(&whole));
    for (query, holds) in [
        ("state=done&queue=rules", true),
        ("kind=expire_draft", true),
        ("queue=rules", true),
        ("state=ready&queue=mail&kind=expire_draft", false),
        ("state=dead", false),
        ("state=running&queue=files", false),
    ] {
        let listed = app
            .get(&format!("/v1/jobs?{query}"), &admin)
            .await
            .expect(200);
        assert_eq!(!ids(&listed).is_empty(), holds, "{query}");
    }
    let wrong = app
        .get("/v1/jobs?state=lost&limit=0&colour=red", &admin)
        .await
        .problem(422, "invalid_request");
    let pointers: Vec<String> = wrong.faults().into_iter().map(|(at, _)| at).collect();
    for name in ["state", "limit", "colour"] {
        assert!(
            pointers.contains(&format!("#/query/{name}")),
            "{pointers:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_administrator_has_a_dead_job_tried_again_and_says_why() {
    let database = Database::seeded().await;
    let (app, admin) = with_dead_mails(&database).await;
    let dead = ids(&app
        .get("/v1/jobs?state=dead&limit=100", &admin)
        .await
        .expect(200));
    let retry = format!("/v1/jobs/{}/retry", dead[0]);
    let without = app.post(&retry, &admin, json!({ "reason": "  " })).await;
    without.problem(422, "invalid_request");
    let reason = json!({ "reason": "The mail server is back." });
    let retried = app.post(&retry, &admin, reason.clone()).await.expect(200);
    assert_eq!(retried.str("/state"), "ready");
    assert_eq!(retried.body["attempts"], 0);
    assert!(retried.body["finished_at"].is_null());
    // It has all its tries again, though the server is still away.
    app.advance(TimeDelta::hours(1)).await;
    let twice = app.post(&retry, &admin, reason.clone()).await;
    let twice = match twice.status {
        401 => {
            let admin = app.sign_in("admin@cps.example").await;
            app.post(&retry, &admin, reason.clone()).await
        }
        _ => twice,
    };
    twice.problem(409, "job_not_dead");
    let mut raw = Raw::open(&database);
    let closed = "SELECT closed_by AS line FROM work_items WHERE closed_at IS NOT NULL";
    let closed = raw.lines(closed);
    assert!(
        closed.len() == 1 && closed[0].starts_with("staff:usr_"),
        "{closed:?}"
    );
    let told = "SELECT r.reason AS line FROM events e JOIN event_reasons r ON r.event_id = e.id WHERE e.type = 'job.retried'";
    assert_eq!(raw.lines(told), ["The mail server is back."]);
    let admin = app.sign_in("admin@cps.example").await;
    let unknown = app.post(NOBODY, &admin, reason.clone()).await;
    unknown.problem(404, "not_found");
    let garbled = app.post("/v1/jobs/job_1/retry", &admin, reason).await;
    garbled.problem(404, "not_found");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_command_lists_dead_jobs_and_has_them_tried_again() {
    let database = Database::seeded().await;
    let (app, admin) = with_dead_mails(&database).await;
    let dead = ids(&app
        .get("/v1/jobs?state=dead&limit=100", &admin)
        .await
        .expect(200));
    assert!(dead.len() >= 2);
    let database = app.stop().await;
    let setup = Setup::on(&database);
    let listed = |arguments: &[&str]| {
        let said = setup.run(arguments);
        assert!(said.ok, "{said:?}");
        let lines = said.stdout.lines();
        let ids = lines.map(|line| line.split('\t').next().unwrap().to_owned());
        ids.collect::<Vec<_>>()
    };
    assert_eq!(listed(&["jobs", "list"]), dead);
    let mails = ["jobs", "list", "--state", "dead", "--kind", "send_mail"];
    assert_eq!(listed(&mails), dead);
    let others = ["jobs", "list", "--kind", "issue_invoice"];
    assert_eq!(listed(&others), Vec::<String>::new());
    let said = setup.run(&["jobs", "list"]).stdout;
    assert!(
        said.contains("unavailable") && !said.contains(EMAIL),
        "{said}"
    );

    assert!(!setup.run(&["jobs", "retry"]).ok, "it does not say which");
    assert!(
        !setup
            .run(&["jobs", "retry", "--all", "--kind", "send_mail"])
            .ok
    );
    assert!(!setup.run(&["jobs", "list", "--state", "lost"]).ok);
    let one = setup.run(&["jobs", "retry", &dead[0]]);
    assert!(one.ok, "{one:?}");
    assert_eq!(listed(&["jobs", "list"]), dead[1..]);
    let twice = setup.run(&["jobs", "retry", &dead[0]]);
    assert!(
        !twice.ok && twice.stderr.contains("failed for good"),
        "{twice:?}"
    );
    let none = setup.run(&["jobs", "retry", "--kind", "issue_invoice"]);
    assert!(none.ok && none.stdout.starts_with("0 "), "{none:?}");
    let rest = setup.run(&["jobs", "retry", "--all"]);
    assert!(
        rest.ok && rest.stdout.starts_with(&(dead.len() - 1).to_string()),
        "{rest:?}"
    );
    let mut raw = Raw::open(&database);
    let open =
        "SELECT subject_id AS line FROM work_items WHERE kind = 'dead_job' AND closed_at IS NULL";
    assert_eq!(raw.lines(open), Vec::<String>::new());
    // With a mailbox they arrive.
    let app = TestApp::on(database.clone(), &[]).await;
    app.advance(TimeDelta::minutes(1)).await;
    assert_eq!(app.mail(EMAIL, "applicant_link").await["to"], EMAIL);
}
