//! The sandbox's clock: far at once, never back, and every instance goes by it.

use std::time::{Duration, Instant};

use chrono::{Months, TimeDelta};
use cps_api::repository::Kind;
use serde_json::json;

use crate::raw::Raw;
use crate::support::{Answer, Database, TestApp, Token, registration};

async fn put_clock(app: &TestApp, now: impl serde::Serialize) -> Answer {
    let body = json!({ "now": now });
    app.put("/v1/sandbox/clock", &Token::default(), body).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nine_years_at_once_are_short_and_keep_house_once() {
    let database = Database::seeded().await;
    let app = TestApp::on(database.clone(), &[]).await;
    app.applicant(json!({})).await;
    app.advance(TimeDelta::seconds(1)).await;
    let begun = Instant::now();
    let target = app.now().await.checked_add_months(Months::new(9 * 12));
    put_clock(&app, target.unwrap()).await.expect(200);
    assert!(
        begun.elapsed() < Duration::from_secs(15),
        "{:?}",
        begun.elapsed()
    );
    let mut raw = Raw::open(&database);
    // On the day it began, which may have ended meanwhile, and on the day it came to; all done.
    for kind in ["keep_house", "sweep_files"] {
        let made = format!("SELECT state AS line FROM jobs WHERE kind = '{kind}'");
        let made = raw.lines(&made);
        assert!((1..=3).contains(&made.len()), "{kind}: {made:?}");
        assert!(made.iter().all(|state| state == "done"), "{kind}: {made:?}");
    }
    let expired = "SELECT status AS line FROM accounts WHERE status = 'expired'";
    assert!(
        !raw.lines(expired).is_empty(),
        "what fell due on the way is done"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_than_ten_years_at_once_and_any_step_back_are_refused() {
    let app = TestApp::start().await;
    let now = app.now().await;
    let fault = |answer: Answer| answer.problem(422, "invalid_request").faults();
    let at = |code: &str| vec![("#/now".to_owned(), code.to_owned())];
    let back = put_clock(&app, now - TimeDelta::minutes(1)).await;
    assert_eq!(fault(back), at("backwards"));
    let ten = now.checked_add_months(Months::new(120)).unwrap();
    for far in [
        ten + TimeDelta::minutes(2),
        "9998-12-31T00:00:00Z".parse().unwrap(),
    ] {
        assert_eq!(fault(put_clock(&app, far).await), at("too_far_ahead"));
    }
    assert!(
        app.now().await - now < TimeDelta::minutes(1),
        "nothing moved"
    );
    put_clock(&app, ten).await.expect(200);
    // From there on it is as far again.
    put_clock(&app, ten + TimeDelta::days(3000))
        .await
        .expect(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_job_sees_the_time_that_it_falls_due_at_in_order() {
    let database = Database::seeded().await;
    let app = TestApp::on(database.clone(), &[]).await;
    for day in 0..3 {
        let email = format!("day{day}@nordlys-test.example");
        app.applicant(json!({ "contact": { "email": email } }))
            .await;
        app.advance(TimeDelta::days(1)).await;
    }
    app.advance(TimeDelta::days(40)).await;
    let mut raw = Raw::open(&database);
    let late = match raw.kind() {
        Kind::Postgres => "EXTRACT(EPOCH FROM finished_at - run_at)",
        Kind::Sqlite => "(julianday(finished_at) - julianday(run_at)) * 86400",
    };
    // In seconds, which are those that it took to do.
    let far = format!(
        "SELECT kind AS line FROM jobs WHERE kind = 'expire_draft' AND (state <> 'done' OR {late} > 30 OR {late} < 0)"
    );
    assert_eq!(raw.lines(&far), Vec::<String>::new());
    let ended = "SELECT CAST(ended_at AS TEXT) AS line FROM accounts WHERE contact_email LIKE 'day%' ORDER BY contact_email";
    let ended = raw.lines(ended);
    let mut sorted = ended.clone();
    sorted.sort();
    sorted.dedup();
    assert_eq!((ended.len(), &sorted), (3, &ended));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn instances_that_move_the_clock_at_once_end_at_the_later_time() {
    let database = Database::create();
    if !database.is_shared() {
        // The file belongs to one process; its own callers move the clock one after another.
        let app = TestApp::on(database, &[]).await;
        let target = app.now().await + TimeDelta::days(400);
        let [near, far] = [target - TimeDelta::days(200), target];
        let (one, two) = tokio::join!(put_clock(&app, near), put_clock(&app, far));
        assert!([one.status, two.status].contains(&200));
        assert!(app.now().await >= target);
        return;
    }
    let one = TestApp::on(database.clone(), &[]).await;
    let two = TestApp::on(database.clone(), &[]).await;
    let body = registration(json!({}));
    one.post("/v1/accounts", &Token::default(), body)
        .await
        .expect(201);
    let target = one.now().await + TimeDelta::days(400);
    let near = target - TimeDelta::days(200);
    let (moved, further) = tokio::join!(put_clock(&one, near), put_clock(&two, target));
    moved.expect(200);
    further.expect(200);
    for app in [&one, &two] {
        let begun = Instant::now();
        while app.now().await < target {
            assert!(begun.elapsed() < Duration::from_secs(10), "it stays behind");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
    let mut raw = Raw::open(&database);
    let open = "SELECT kind AS line FROM jobs WHERE state <> 'done' AND queue <> 'terms'";
    assert_eq!(raw.lines(open), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_clock_moves_while_others_write_without_a_pause() {
    let app = TestApp::start().await;
    let nobody = Token::default();
    let write = |writer: usize| {
        let (app, nobody) = (&app, &nobody);
        async move {
            for nth in 0.. {
                let email = format!("writer{writer}-{nth}@nordlys-test.example");
                let body = registration(json!({ "contact": { "email": email } }));
                let registered = app.post("/v1/accounts", nobody, body).await;
                assert!(
                    matches!(registered.status, 201 | 503),
                    "{}",
                    registered.text
                );
            }
        }
    };
    let writers = futures_util::future::join_all((0..3).map(write));
    let step = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        app.advance(TimeDelta::hours(12)).await;
    };
    tokio::select! {
        () = step => {}
        _ = writers => unreachable!("they never end"),
        () = tokio::time::sleep(Duration::from_secs(240)) => panic!("the clock does not come on"),
    }
}
