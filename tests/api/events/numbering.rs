//! The numbers have no gap and no wrong order, whoever writes, rolls back, waits or is killed; a reader that only polls misses none.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use cps_api::domain::account::AccountId;
use cps_api::error::{Error, Result};
use cps_api::repository::events::{self, NumberedEvent, Verdict};
use cps_api::repository::{Db, DbConn, Kind, settings};
use diesel::Connection;

use super::{amount, event, moment, stamp};
use crate::raw::Raw;
use crate::support::{Database, TestApp};

const WRITERS: usize = 12;
const ACCOUNTS: usize = 5;

/// How long a writer keeps a transaction open, and how many transactions each of the others makes: more by a switch.
fn load() -> (Duration, usize) {
    match std::env::var_os("EVENTS_LONG") {
        Some(_) => (Duration::from_secs(60), 800),
        None => (Duration::from_secs(3), 40),
    }
}

/// What was committed: how many events each account has.
type Committed = Arc<Mutex<HashMap<AccountId, i64>>>;

/// One change of `account`: its counter goes up, which locks it, and an event tells the new value.
fn change(conn: &mut DbConn, account: AccountId, fails: bool) -> Result<i64> {
    let name = account.to_string();
    diesel::RunQueryDsl::execute(
        diesel::sql_query(format!(
            "UPDATE settings SET value = CAST(CAST(value AS BIGINT) + 1 AS TEXT) WHERE name = '{name}'"
        )),
        conn,
    )?;
    let value: i64 = settings::get(conn, &name)?.unwrap().parse().unwrap();
    events::record(conn, &stamp(None), &[event(account, value)])?;
    match fails {
        true => Err(Error::Contended),
        false => Ok(value),
    }
}

/// Changes one account after the other; each tenth change is rolled back.
async fn write(db: Db, accounts: Vec<AccountId>, n: usize, changes: usize, committed: Committed) {
    for i in 0..changes {
        let account = accounts[(n + i) % ACCOUNTS];
        let fails = (n * 7 + i).is_multiple_of(10);
        if db
            .write(move |conn| change(conn, account, fails))
            .await
            .is_ok()
        {
            *committed.lock().unwrap().entry(account).or_default() += 1;
        }
    }
}

/// Numbers until `done`, on a connection of its own, which others may cut; every few batches it breaks off by itself.
fn number_until(database: &Database, done: &AtomicBool, breaks_off: bool) {
    let mut raw = open(database);
    for turn in 0_u32.. {
        if done.load(Ordering::Acquire) {
            return;
        }
        let outcome: Result<_, Error> = raw.0.transaction(|conn| {
            let numbered = events::number_batch(conn)?;
            match breaks_off && turn.is_multiple_of(3) {
                true => Err(Error::Contended),
                false => Ok(numbered),
            }
        });
        if outcome.is_err() && raw.kind() == Kind::Postgres {
            raw = open(database);
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn open(database: &Database) -> Raw {
    let mut raw = Raw::open(database);
    if raw.kind() == Kind::Postgres {
        raw.lines("SELECT set_config('application_name', 'sequencer ' || current_schema(), false) AS line");
    }
    raw
}

/// Cuts the connections of the sequencers, wherever they are in their batch.
fn kill_until(database: &Database, done: &AtomicBool) -> usize {
    let mut raw = Raw::open(database);
    let mut killed = 0;
    while raw.kind() == Kind::Postgres && !done.load(Ordering::Acquire) {
        std::thread::sleep(Duration::from_millis(150 + 37 * (killed as u64 % 7)));
        killed += raw
            .lines(
                "SELECT CAST(pg_terminate_backend(pid) AS TEXT) AS line FROM pg_stat_activity
                 WHERE application_name = 'sequencer ' || current_schema() ORDER BY random() LIMIT 1",
            )
            .len();
    }
    killed
}

/// Reads by position alone until `done` and everything was read; each event once, in order.
fn read_until(database: &Database, done: &AtomicBool) -> Vec<NumberedEvent> {
    let mut raw = Raw::open(database);
    let mut seen: Vec<NumberedEvent> = Vec::new();
    loop {
        let is_last = done.load(Ordering::Acquire);
        let after = seen.last().map_or(0, |event| event.position);
        let page = events::all(&mut raw.0, after, 50).unwrap();
        if page.is_empty() && is_last {
            return seen;
        }
        seen.extend(page.into_iter().map(|(event, _)| event));
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn wait_until_empty(database: &Database) {
    let mut raw = Raw::open(database);
    let begun = Instant::now();
    while events::oldest_waiting(&mut raw.0).unwrap().is_some() {
        assert!(
            begun.elapsed() < Duration::from_secs(120),
            "some still wait"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Every number follows the one before it, and every account tells its changes in the order they were made, all of them.
fn check(seen: &[NumberedEvent], committed: &HashMap<AccountId, i64>) {
    let mut told: HashMap<String, i64> = HashMap::new();
    for (event, position) in seen.iter().zip(1..) {
        let last = told.entry(event.resource.clone()).or_default();
        *last += 1;
        let numbers = (event.position, event.stream_seq, event.resource_seq);
        assert_eq!(numbers, (position, *last, *last), "{event:?}");
        assert_eq!(amount(&event.data), *last, "{event:?}");
    }
    let wanted: HashMap<String, i64> = committed
        .iter()
        .map(|(account, count)| (account.to_string(), *count))
        .collect();
    assert_eq!(told, wanted);
}

/// On PostgreSQL somebody records first and commits last; SQLite's writer lets nobody else begin.
fn keep_open(database: &Database, account: AccountId, wait: Duration, committed: &Committed) {
    let mut raw = Raw::open(database);
    if raw.kind() == Kind::Sqlite {
        return;
    }
    raw.0
        .transaction(|conn| {
            change(conn, account, false)?;
            std::thread::sleep(wait);
            Ok::<_, Error>(())
        })
        .unwrap();
    *committed.lock().unwrap().entry(account).or_default() += 1;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_event_is_missed_doubled_or_out_of_order_whoever_is_killed() {
    let database = Database::create();
    drop(Raw::migrated(&database));
    let accounts: Vec<AccountId> = (0..=ACCOUNTS as i64)
        .map(|n| AccountId::new(moment(n)))
        .collect();
    let mut raw = Raw::open(&database);
    for account in &accounts {
        settings::put(&mut raw.0, &account.to_string(), "0").unwrap();
    }
    let (wait, changes) = load();
    let (committed, done, read) = (
        Committed::default(),
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicBool::new(false)),
    );
    let background = |work: Box<dyn FnOnce(Database, Arc<AtomicBool>) + Send>| {
        let (database, done) = (database.clone(), done.clone());
        std::thread::spawn(move || work(database, done))
    };
    let steady = background(Box::new(|database, done| {
        number_until(&database, &done, false)
    }));
    let broken = background(Box::new(|database, done| {
        number_until(&database, &done, true)
    }));
    let killer = {
        let (database, done) = (database.clone(), done.clone());
        std::thread::spawn(move || kill_until(&database, &done))
    };
    let reader = {
        let (database, read) = (database.clone(), read.clone());
        std::thread::spawn(move || read_until(&database, &read))
    };
    let opened = {
        let (database, committed, account) =
            (database.clone(), committed.clone(), accounts[ACCOUNTS]);
        std::thread::spawn(move || keep_open(&database, account, wait, &committed))
    };
    let db = Db::open(&database.url(), 12).unwrap();
    let writers = (0..WRITERS).map(|n| {
        tokio::spawn(write(
            db.clone(),
            accounts.clone(),
            n,
            changes,
            committed.clone(),
        ))
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
    opened.join().unwrap();
    tokio::task::spawn_blocking(move || {
        wait_until_empty(&database);
        done.store(true, Ordering::Release);
        steady.join().unwrap();
        broken.join().unwrap();
        let killed = killer.join().unwrap();
        read.store(true, Ordering::Release);
        let seen = reader.join().unwrap();
        check(&seen, &committed.lock().unwrap());
        assert!(seen.len() > WRITERS * changes / 2, "{}", seen.len());
        assert!(raw.kind() == Kind::Sqlite || killed > 0);
        let events = seen.len() as i64;
        let verdict = events::verify(&mut raw.0).unwrap();
        assert_eq!(verdict, Verdict::Right { events });
    })
    .await
    .unwrap();
}

#[test]
fn a_larger_number_that_was_committed_first_is_not_waited_for() {
    let database = Database::create();
    let mut raw = Raw::migrated(&database);
    if raw.kind() == Kind::Sqlite {
        return;
    }
    let (early, late) = (AccountId::new(moment(1)), AccountId::new(moment(2)));
    let mut other = Raw::open(&database);
    other.run("BEGIN").unwrap();
    events::record(&mut other.0, &stamp(None), &[event(early, 1)]).unwrap();
    events::record(&mut raw.0, &stamp(None), &[event(late, 2)]).unwrap();
    super::number(&mut raw.0);
    other.run("COMMIT").unwrap();
    super::number(&mut raw.0);
    let told = events::all(&mut raw.0, 0, 10).unwrap();
    let amounts: Vec<i64> = told.iter().map(|(event, _)| amount(&event.data)).collect();
    assert_eq!(amounts, [2, 1]);
}

#[test]
fn while_one_numbers_another_goes_away() {
    let database = Database::create();
    let mut raw = Raw::migrated(&database);
    if raw.kind() == Kind::Sqlite {
        return;
    }
    let account = AccountId::new(moment(1));
    events::record(&mut raw.0, &stamp(None), &[event(account, 1)]).unwrap();
    let mut other = Raw::open(&database);
    other.run("BEGIN").unwrap();
    assert_eq!(events::number_batch(&mut other.0).unwrap(), Some(1));
    raw.0
        .transaction(|conn| {
            assert_eq!(events::number_batch(conn)?, None);
            Ok::<_, Error>(())
        })
        .unwrap();
    other.run("ROLLBACK").unwrap();
    super::number(&mut raw.0);
    assert_eq!(events::all(&mut raw.0, 0, 10).unwrap().len(), 1);
}

#[test]
fn a_batch_is_at_most_a_thousand_and_the_next_goes_on_from_it() {
    let database = Database::create();
    let mut raw = Raw::migrated(&database);
    let account = AccountId::new(moment(1));
    let many: Vec<_> = (1..=1234).map(|n| event(account, n)).collect();
    events::record(&mut raw.0, &stamp(None), &many).unwrap();
    events::record(&mut raw.0, &stamp(None), &[]).unwrap();
    for wanted in [1000, 234, 0] {
        let numbered = raw.0.transaction(events::number_batch);
        assert_eq!(numbered.unwrap(), Some(wanted));
    }
    let told = events::of_stream(&mut raw.0, &account.to_string(), 1000, 500).unwrap();
    let numbers: Vec<(i64, i64)> = told
        .iter()
        .map(|event| (event.stream_seq, amount(&event.data)))
        .collect();
    assert_eq!(numbers, (1001..=1234).map(|n| (n, n)).collect::<Vec<_>>());
    let verdict = events::verify(&mut raw.0).unwrap();
    assert_eq!(verdict, Verdict::Right { events: 1234 });
}

#[tokio::test]
async fn a_running_service_numbers_what_waits() {
    let app = TestApp::start().await;
    app.database.execute(
        "INSERT INTO event_inbox (id, stream, resource, type, version, data, actor, created_at)
         VALUES ('01000000-0000-7000-8000-000000000001', 'operator', 'a-test', 'staff.created', 1, '{}', 'service:seed', '2026-03-01T12:00:00.000000Z')",
    );
    let count = "SELECT count(*) AS n FROM events WHERE resource = 'a-test'";
    for _ in 0..300 {
        if app.database.numbers(count) == [1] {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("it still waits");
}
