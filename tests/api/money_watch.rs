//! The daily look at the money: what is counted, what becomes work for finance, and what a machine that watches is told.

use std::time::Duration;

use chrono::{NaiveDate, NaiveTime, TimeDelta};
use chrono_tz::Europe::Amsterdam;
use serde_json::{Value, json};

use crate::membership::{ACCOUNT, EMAIL, bring_points_to, by_transfer, join};
use crate::paid::paid;
use crate::process::{Setup, free_port};
use crate::raw::Raw;
use crate::support::{Database, TestApp};

/// What was counted last.
fn counted(app: &TestApp) -> Value {
    let mut raw = Raw::open(&app.database);
    let lines = raw.lines("SELECT value AS line FROM settings WHERE name = 'money_counts'");
    serde_json::from_str(&lines[0]).unwrap()
}

/// Goes on to the next day where the seller is, a minute before or behind the hour at which the money is looked at.
async fn go_to(app: &TestApp, day: NaiveDate, time: NaiveTime) {
    let at = day.and_time(time).and_local_timezone(Amsterdam).unwrap();
    app.set_clock(&at.to_utc().format("%Y-%m-%dT%H:%M:%SZ").to_string())
        .await;
}

/// What waits for finance as left over of this payment.
async fn left_over(app: &TestApp, payment: &str) -> usize {
    let finance = app.sign_in("finance@cps.example").await;
    let waits = app.get("/v1/work-items?kind=credit_left", &finance).await;
    let waits = waits.expect(200);
    let items = waits.body["items"].as_array().unwrap();
    items.iter().filter(|item| item["about"] == payment).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_is_counted_each_day_at_six() {
    let app = TestApp::start().await;
    let today = app.now().await.with_timezone(&Amsterdam).date_naive();
    let [before, behind] =
        [(5, 59), (6, 1)].map(|(hour, minute)| NaiveTime::from_hms_opt(hour, minute, 0).unwrap());
    go_to(&app, today + TimeDelta::days(1), behind).await;
    let first = counted(&app);
    assert!(first["overdue_invoices"].as_i64().unwrap() >= 2, "{first}");

    let payment = paid(&app, ACCOUNT, None, 30_000);
    go_to(&app, today + TimeDelta::days(2), before).await;
    assert_eq!(counted(&app), first);
    go_to(&app, today + TimeDelta::days(2), behind).await;
    let second = counted(&app);
    let more = |name: &str| second[name].as_i64().unwrap() - first[name].as_i64().unwrap();
    assert_eq!((more("credit_left"), more("held_statements")), (1, 0));
    assert_eq!(left_over(&app, &payment).await, 1);

    // An invoice takes it: the matter is over.
    let mette = app.sign_in(EMAIL).await;
    bring_points_to(&app, ACCOUNT, 1600).await;
    join(&app, ACCOUNT, &mette, by_transfer("platinum"))
        .await
        .expect(201);
    go_to(&app, today + TimeDelta::days(3), behind).await;
    assert_eq!(left_over(&app, &payment).await, 0);
    let jobs = app.sign_in("admin@cps.example").await;
    let jobs = app.get("/v1/jobs?queue=terms&state=done", &jobs).await;
    assert_eq!(
        jobs.expect(200).body["items"][0]["kind"],
        json!("watch_money")
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_instance_tells_what_was_counted_last() {
    let database = Database::create();
    let app = TestApp::on(database.clone(), &[]).await;
    app.advance(TimeDelta::days(1)).await;
    let (count, bind) = (
        counted(&app)["open_invoices"].clone(),
        format!("127.0.0.1:{}", free_port()),
    );
    app.stop().await;
    let _served = Setup::on(&database).with("CPS_METRICS_BIND", &bind).serve();
    let wanted = format!("money_waiting{{what=\"open_invoices\"}} {count}\n");
    let mut told = String::new();
    for _ in 0..400 {
        let asked = reqwest::get(format!("http://{bind}/metrics")).await;
        told = asked.unwrap().text().await.unwrap();
        if told.contains(&wanted) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("{told}");
}
