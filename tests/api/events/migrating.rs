//! What an earlier version recorded is carried over when the database is migrated, without anything personal.

use std::path::Path;

use cps_api::repository::{Db, Kind, events};
use diesel_migrations::{FileBasedMigrations, MigrationHarness};

use super::number;
use crate::raw::Raw;
use crate::support::Database;

const THIS: &str = "20260201000001";
const ACCOUNT: &str = "01000000-0000-7000-8000-000000000001";
const STAFF: &str = "02000000-0000-7000-8000-000000000001";

fn id(n: u8) -> String {
    format!("03000000-0000-7000-8000-0000000000{n:02}")
}

/// The database as it was before this migration.
fn before(database: &Database) -> Raw {
    let mut raw = Raw::migrated(database);
    let kind = match raw.kind() {
        Kind::Postgres => "migrations/postgres",
        Kind::Sqlite => "migrations/sqlite",
    };
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(kind);
    let applied = |raw: &mut Raw| {
        raw.lines("SELECT version AS line FROM __diesel_schema_migrations ORDER BY version")
    };
    while applied(&mut raw).iter().any(|version| version == THIS) {
        let source = FileBasedMigrations::from_path(&folder).unwrap();
        cps_api::each!(&mut raw.0, c => c.revert_last_migration(source).map(drop)).unwrap();
    }
    raw
}

fn account(raw: &mut Raw) {
    raw.run(&format!(
        "INSERT INTO accounts (id, account_number, status, version, company_name, company_key, country, vat_registered, street,
            postal_code, city, contact_name, contact_email, contact_email_key, language, authority_declared_at,
            authority_declared_from, terms_version, terms_accepted_at, created_at, updated_at)
         VALUES ('{ACCOUNT}', '1', 'active', 1, 'a', 'a', 'DK', FALSE, 's', 'p', 'c', 'n', 'e', 'e', 'da', '2026-03-01T12:00:00.000000Z',
            'f', 't', '2026-03-01T12:00:00.000000Z', '2026-03-01T12:00:00.000000Z', '2026-03-01T12:00:00.000000Z')"
    ))
    .unwrap();
}

fn told(raw: &mut Raw, n: u8, kind: &str, payload: &str) {
    raw.run(&format!(
        "INSERT INTO events (id, resource, seq, kind, payload, created_at)
         VALUES ('{}', 'acc_{}', {n}, '{kind}', '{payload}', '2026-03-01T12:00:{n:02}.000000Z')",
        id(n),
        ACCOUNT.replace('-', "")
    ))
    .unwrap();
}

fn acted(raw: &mut Raw, n: u8, at: u8, action: &str, reason: &str) {
    raw.run(&format!(
        "INSERT INTO staff_actions (id, user_id, action, account_id, reason, created_at)
         VALUES ('{}', '{STAFF}', '{action}', '{ACCOUNT}', '{reason}', '2026-03-01T12:00:{at:02}.000000Z')",
        id(n)
    ))
    .unwrap();
}

#[test]
fn what_was_recorded_before_is_in_the_inbox_in_its_order_and_tells_nothing_personal() {
    let database = Database::create();
    let mut raw = before(&database);
    account(&mut raw);
    told(
        &mut raw,
        1,
        "account.registered",
        r#"{"status":"draft","contact_name":"Asta Holm","reason":"Asta"}"#,
    );
    acted(&mut raw, 2, 2, "review.claim", "");
    acted(&mut raw, 3, 3, "review.request_information", "Ask Asta");
    told(
        &mut raw,
        4,
        "legacy_account.proven",
        r#"{"email":"asta@nordlys.example"}"#,
    );
    told(
        &mut raw,
        5,
        "account.suspended",
        r#"{"status":"suspended"}"#,
    );
    acted(&mut raw, 6, 5, "account.suspend", "Asta owes");
    told(
        &mut raw,
        7,
        "product.ended",
        &format!(
            r#"{{"product_id":"prd_{}","reason":"sold","serial_number":"123"}}"#,
            "0".repeat(32)
        ),
    );
    told(
        &mut raw,
        8,
        "account.changed",
        r#"{"company":true,"contact":false}"#,
    );
    Db::open(&database.url(), 1).unwrap().migrate().unwrap();
    number(&mut raw.0);
    let all = events::all(&mut raw.0, 0, 100).unwrap();
    let account = format!("acc_{}", ACCOUNT.replace('-', ""));
    let staff = format!("staff:usr_{}", STAFF.replace('-', ""));
    let found: Vec<_> = all
        .iter()
        .map(|(event, reason)| {
            let reason = reason.as_ref().map_or("", |one| one.reason.as_str());
            (
                event.r#type.as_str(),
                event.stream.as_str(),
                event.actor.as_str(),
                reason,
            )
        })
        .collect();
    let unknown = "service:migrate";
    assert_eq!(
        found,
        [
            ("account.registered", account.as_str(), unknown, ""),
            ("review.claimed", "operator", &staff, ""),
            ("review.decided", "operator", &staff, "Ask Asta"),
            ("account.legacy_proven", &account, unknown, ""),
            ("account.suspended", &account, &staff, "Asta owes"),
            ("product.ended", &account, unknown, ""),
            ("account.changed", &account, unknown, ""),
        ]
    );
    for (event, _) in &all {
        let data: serde_json::Value = serde_json::from_str(&event.data).unwrap();
        assert_eq!(data["account_id"], account, "{}", event.data);
        for personal in ["Asta", "asta", "serial", "123"] {
            assert!(!event.data.contains(personal), "{}", event.data);
        }
    }
    let of = |n: usize| serde_json::from_str::<serde_json::Value>(&all[n].0.data).unwrap();
    assert_eq!(of(2)["decision"], "request_information");
    assert_eq!(of(5)["reason"], "sold");
    assert_eq!(
        (&of(6)["company"], &of(6)["contact"]),
        (&true.into(), &false.into())
    );
    assert!(all[5].0.resource.starts_with("prd_"));
}

#[test]
fn who_made_an_entry_of_the_ledger_is_an_actor_and_the_ledger_stays_closed() {
    let database = Database::create();
    let mut raw = before(&database);
    account(&mut raw);
    let user = "04000000-0000-7000-8000-000000000001";
    for (id, account) in [(user, format!("'{ACCOUNT}'")), (STAFF, "NULL".to_owned())] {
        raw.run(&format!(
            "INSERT INTO users (id, version, account_id, email, email_key, name, roles, language, session_version, created_at)
             VALUES ('{id}', 1, {account}, 'e', '{id}', 'n', '[]', 'da', 1, '2026-03-01T12:00:00.000000Z')"
        ))
        .unwrap();
    }
    let makers = [format!("'{user}'"), format!("'{STAFF}'"), "NULL".to_owned()];
    for (n, maker) in makers.iter().enumerate() {
        raw.run(&format!(
            "INSERT INTO points_entries (id, account_id, seq, kind, amount, balance, held, reason, made_by, created_at)
             VALUES ('{}', '{ACCOUNT}', {}, 'adjustment', 1, {}, 0, 'r', {maker}, '2026-03-01T12:00:{n:02}.000000Z')",
            id(u8::try_from(n).unwrap()),
            n + 1,
            n + 1
        ))
        .unwrap();
    }
    raw.run(&format!(
        "INSERT INTO points_accounts (account_id, balance, held, seq) VALUES ('{ACCOUNT}', 3, 0, 3)"
    ))
    .unwrap();
    Db::open(&database.url(), 1).unwrap().migrate().unwrap();
    let actors = raw.lines("SELECT actor AS line FROM points_entries ORDER BY seq");
    let plain = |id: &str| id.replace('-', "");
    let expected = [
        format!("user:usr_{}", plain(user)),
        format!("staff:usr_{}", plain(STAFF)),
        "service:unknown".to_owned(),
    ];
    assert_eq!(actors, expected);
    let last = "SELECT CAST(count(*) AS TEXT) AS line FROM points_accounts a JOIN points_entries e
        ON e.account_id = a.account_id AND e.seq = a.seq AND e.created_at = a.last_at";
    assert_eq!(raw.lines(last), ["1"]);
    let forged = raw.run("UPDATE points_entries SET actor = 'service:seed'");
    assert!(forged.unwrap_err().to_string().contains("never changed"));
}
