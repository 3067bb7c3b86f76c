//! Many events: how fast they are numbered and checked, and what a service costs that has nothing to number.

use std::time::{Duration, Instant};

use cps_api::repository::events::{self, Verdict};
use cps_api::repository::{Db, Kind};

use crate::process::Setup;
use crate::raw::Raw;
use crate::support::Database;

/// A million by a switch.
fn count() -> i64 {
    match std::env::var_os("EVENTS_LONG") {
        Some(_) => 1_000_000,
        None => 5_000,
    }
}

/// Events of 500 accounts and of ten times as many products, which wait.
fn fill(raw: &mut Raw, count: i64) {
    let (numbers, id) = match raw.kind() {
        Kind::Postgres => (
            format!("generate_series(1, {count}) AS s (n)"),
            "CAST(lpad(to_hex(n), 32, '0') AS UUID)",
        ),
        Kind::Sqlite => (
            format!(
                "(WITH RECURSIVE s (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < {count}) SELECT n FROM s) s"
            ),
            "printf('00000000-0000-7000-8000-%012x', n)",
        ),
    };
    raw.run(&format!(
        "INSERT INTO event_inbox (id, stream, resource, type, version, data, actor, created_at)
         SELECT {id}, 'acc_' || (n % 500), 'prd_' || (n % 5000), 'product.changed', 1,
            '{{\"account_id\":\"acc_00000000000070008000000000000001\",\"product_id\":\"prd_00000000000070008000000000000001\",\"status\":\"complete\"}}',
            'service:seed', '2026-03-01T12:00:00.000000Z' FROM {numbers} ORDER BY n"
    ))
    .unwrap();
}

fn rate(count: i64, begun: Instant) -> f64 {
    count as f64 / begun.elapsed().as_secs_f64()
}

#[tokio::test(flavor = "multi_thread")]
async fn many_events_are_numbered_and_checked_and_an_idle_service_rests() {
    let (database, count) = (Database::create(), count());
    let mut raw = Raw::migrated(&database);
    fill(&mut raw, count);
    let db = Db::open(&database.url(), 2).unwrap();
    let begun = Instant::now();
    cps_api::jobs::sequencer::number_all(&db).await.unwrap();
    println!("{:.0} events a second are numbered", rate(count, begun));
    let begun = Instant::now();
    let verdict = db.read(events::verify).await.unwrap();
    assert_eq!(verdict, Verdict::Right { events: count });
    println!("{:.0} events a second are checked", rate(count, begun));
    drop((db, raw));
    tokio::time::sleep(Duration::from_millis(200)).await;
    let served = Setup::on(&database).serve();
    served.becomes("/readyz", 200).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let (before, span) = (served.cpu(), Duration::from_secs(5));
    tokio::time::sleep(span).await;
    let taken = (served.cpu() - before).as_secs_f64() / span.as_secs_f64();
    println!("an idle service takes {:.1} % of a core", taken * 100.0);
    assert!(taken < 0.2, "{taken}");
}
