//! What was written stays as it was: the database refuses a change, and one made past it is found and named.

use cps_api::domain::account::AccountId;
use cps_api::repository::events;
use cps_api::repository::{DbConn, Kind};

use super::{event, moment, number, stamp};
use crate::process::Setup;
use crate::raw::Raw;
use crate::support::Database;

/// Five numbered events, of which each has a reason.
fn history(database: &Database) -> Raw {
    let mut raw = Raw::migrated(database);
    for n in 1..=5 {
        let account = AccountId::new(moment(n % 2));
        let stamp = stamp(Some("Because Asta Holm asked for it"));
        events::record(&mut raw.0, &stamp, &[event(account, n)]).unwrap();
    }
    number(&mut raw.0);
    raw
}

fn rows(conn: &mut DbConn) -> Vec<(events::NumberedEvent, Option<events::EventReason>)> {
    events::all(conn, 0, 100).unwrap()
}

#[test]
fn an_event_is_never_changed_nor_deleted() {
    let database = Database::create();
    let mut raw = history(&database);
    let before = rows(&mut raw.0);
    let mut attempts = vec![
        "UPDATE events SET data = '{}'",
        "UPDATE events SET actor = 'service:seed' WHERE position = 3",
        "DELETE FROM events",
        "DELETE FROM events WHERE position = 5",
    ];
    if raw.kind() == Kind::Postgres {
        attempts.push("TRUNCATE events CASCADE");
    }
    for attempt in attempts {
        let refusal = raw.run(attempt).expect_err(attempt).to_string();
        assert!(
            refusal.contains("never changed or deleted"),
            "{attempt}: {refusal}"
        );
        assert_eq!(rows(&mut raw.0), before, "{attempt}");
    }
}

#[test]
fn no_two_events_have_one_number() {
    let database = Database::create();
    let mut raw = history(&database);
    let copied = |stream_seq: &str, resource_seq: &str| {
        format!(
            "INSERT INTO events (position, id, stream, stream_seq, resource, resource_seq, type, version, data, actor, created_at, hash)
             SELECT 99, '01000000-0000-7000-8000-000000000001', stream, {stream_seq}, resource, {resource_seq}, type, version, data, actor, created_at, hash
             FROM events WHERE position = 1"
        )
    };
    raw.run(&copied("stream_seq", "77")).unwrap_err();
    raw.run(&copied("77", "resource_seq")).unwrap_err();
    raw.run(&copied("77", "77")).unwrap();
}

#[test]
fn more_than_four_kibibytes_are_no_payload() {
    let database = Database::create();
    let mut raw = Raw::migrated(&database);
    let insert = |data: &str| {
        format!(
            "INSERT INTO event_inbox (id, stream, resource, type, version, data, actor, created_at)
             VALUES ('01000000-0000-7000-8000-000000000001', 'operator', 'a', 'staff.created', 1, '{data}', 'service:seed', '2026-03-01T12:00:00.000000Z')"
        )
    };
    raw.run(&insert(&"ø".repeat(2048))).unwrap();
    raw.run(&insert(&"ø".repeat(2049))).unwrap_err();
}

/// The command, after `statements` past the triggers.
fn verified_after(statements: &[&str]) -> crate::process::Said {
    let database = Database::create();
    let mut raw = history(&database);
    let off: &[&str] = match raw.kind() {
        Kind::Postgres => &["ALTER TABLE events DISABLE TRIGGER USER"],
        Kind::Sqlite => &[
            "DROP TRIGGER events_no_update",
            "DROP TRIGGER events_no_delete",
            "PRAGMA foreign_keys = OFF",
        ],
    };
    for statement in off.iter().chain(statements) {
        raw.run(statement).unwrap();
    }
    drop(raw);
    Setup::on(&database).run(&["verify-events"])
}

#[test]
fn what_somebody_changed_past_the_triggers_is_found_and_named() {
    let gone = "DELETE FROM event_reasons WHERE event_id = (SELECT id FROM events WHERE position =";
    let cases: [(&[&str], i64); 9] = [
        (&["UPDATE events SET data = '{}' WHERE position = 3"], 3),
        (
            &["UPDATE events SET actor = 'staff:usr_1' WHERE position = 2"],
            2,
        ),
        (
            &["UPDATE events SET created_at = '2026-03-01T12:00:00.000001Z' WHERE position = 4"],
            4,
        ),
        (&["UPDATE events SET stream_seq = 9 WHERE position = 5"], 5),
        (
            &["UPDATE events SET resource_seq = 9 WHERE position = 5"],
            5,
        ),
        (
            &["UPDATE events SET reason_hash = NULL WHERE position = 1"],
            1,
        ),
        (
            &[
                "UPDATE event_reasons SET reason = 'another' WHERE event_id = (SELECT id FROM events WHERE position = 2)",
            ],
            2,
        ),
        (
            &[
                &format!("{gone} 3)"),
                "DELETE FROM events WHERE position = 3",
            ],
            4,
        ),
        (
            &[
                &format!("{gone} 5)"),
                "DELETE FROM events WHERE position = 5",
            ],
            4,
        ),
    ];
    for (statements, position) in cases {
        let said = verified_after(statements);
        let named = format!("the event at position {position}:");
        assert!(
            !said.ok && said.stderr.contains(&named),
            "{statements:?}: {said:?}"
        );
    }
}

#[test]
fn a_reason_can_be_erased_and_the_chain_holds() {
    let said = verified_after(&["DELETE FROM event_reasons"]);
    assert!(said.ok && said.stdout.contains("5 events"), "{said:?}");
}

#[test]
fn a_reason_stands_beside_its_event_and_nowhere_else() {
    let database = Database::create();
    let mut raw = history(&database);
    for (event, reason) in rows(&mut raw.0) {
        let text = format!("{event:?}");
        assert!(!text.contains("Asta"), "{text}");
        assert_eq!(reason.unwrap().reason, "Because Asta Holm asked for it");
    }
    let hashes = raw.lines("SELECT DISTINCT reason_hash AS line FROM events");
    assert_eq!(hashes.len(), 5, "equal reasons have unequal hashes");
}
