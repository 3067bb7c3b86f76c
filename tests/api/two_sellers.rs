//! Two sellers on one database over New Year, and whoever works killed again and again: no number is left out, and none given twice.

use std::time::Duration;

use chrono::{DateTime, Datelike, Utc};
use serde_json::Value;
use uuid::Uuid;

use crate::process::Setup;
use crate::raw::Raw;
use crate::support::Database;

const PAST: &str = "2026-01-01T00:00:00.000000Z";
/// Of each seller.
const PURCHASES: usize = 100;

/// What a second seller sells under: the first one's terms under its own name and prefix. The ids of both.
fn sellers(raw: &mut Raw) -> [String; 2] {
    let first = raw.lines("SELECT CAST(id AS TEXT) AS line FROM seller_terms");
    let content = raw.lines("SELECT CAST(content AS TEXT) AS line FROM seller_terms");
    let mut terms: Value = serde_json::from_str(&content[0]).unwrap();
    terms["seller"]["country"] = "DK".into();
    terms["seller"]["currency"] = "DKK".into();
    terms["seller"]["vat_number"] = "13585628".into();
    terms["seller"]["company_scheme"] = "0184".into();
    terms["seller"]["iban"] = "DK5000400440116243".into();
    terms["invoice"]["prefix"] = "CPD".into();
    let (id, text) = (Uuid::now_v7(), terms.to_string());
    let sha256 = cps_api::secrets::sha256_hex(text.as_bytes());
    raw.run(&format!(
        "INSERT INTO seller_terms (id, seller_key, sha256, content, created_at) VALUES ('{id}', 'DK13585628', '{sha256}', '{}', '{PAST}')",
        text.replace('\'', "''")
    ))
    .unwrap();
    [first[0].clone(), id.to_string()]
}

/// Memberships that were bought of both sellers in turn, with the jobs that invoice them; an account could not have them at one time.
fn purchases(raw: &mut Raw, sellers: &[String; 2]) {
    for n in 0..2 * PURCHASES {
        let (terms, currency) = match n % 2 {
            0 => (&sellers[0], "EUR"),
            _ => (&sellers[1], "DKK"),
        };
        let [membership, purchase, job] = [(); 3].map(|()| Uuid::now_v7());
        let wire = format!("pur_{}", purchase.simple());
        for statement in [
            format!(
                "INSERT INTO memberships (id, account_id, version, member_number, level, status, starts_date, ends_date, payment_method, fee_cents, currency,
                    points_at_joining, terms_version, created_at, ended_at, ended_reason, seller_terms_id)
                 SELECT '{membership}', id, 1, '0', 'gold', 'ended', '2026-01-01', '2026-12-31', 'bank_transfer', 20000, '{currency}', 1000, '2026-01',
                    created_at, created_at, 'expired', '{terms}' FROM accounts WHERE company_name = 'Fjord Foto ApS'"
            ),
            format!(
                "INSERT INTO purchases (id, account_id, version, kind, state, membership_id, level, level_name, fee_cents, net_cents, currency, starts_date,
                    ends_date, term_days, days_left, products, points, seller_terms_id, payment_method, terms_version, actor, created_at)
                 SELECT '{purchase}', account_id, 1, 'join', 'started', id, level, 'Gold', fee_cents, fee_cents, currency, starts_date, ends_date, 365, 365, 0,
                    1000, seller_terms_id, payment_method, terms_version, 'service:seed', created_at FROM memberships WHERE id = '{membership}'"
            ),
            format!(
                "INSERT INTO jobs (id, kind, key, payload, state, run_at, attempts, created_at)
                 VALUES ('{job}', 'issue_invoice', 'issue_invoice:{wire}', '{{\"task\":\"issue_invoice\",\"purchase_id\":\"{wire}\"}}', 'ready', '{PAST}', 0, '{PAST}')"
            ),
        ] {
            raw.run(&statement).unwrap();
        }
    }
}

/// Has the sandbox begin a few seconds before the year of the sellers ends.
fn shortly_before_new_year(database: &Database, year: i32) {
    let before: DateTime<Utc> = format!("{year}-12-31T22:59:57Z").parse().unwrap();
    let offset = (before - Utc::now()).num_microseconds().unwrap();
    database.execute(&format!(
        "DELETE FROM settings WHERE name = 'clock_offset_micros';
         INSERT INTO settings (name, value) VALUES ('clock_offset_micros', '{offset}')"
    ));
}

async fn until_issued(database: &Database, enough: i64) {
    for _ in 0..6000 {
        if database.numbers("SELECT COUNT(*) AS n FROM invoices")[0] >= enough {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("{enough} invoices are not issued");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn numbers_have_no_gap_and_no_double_over_new_year_whoever_is_killed() {
    let database = Database::create();
    let setup = Setup::on(&database);
    setup.serve().kill();
    let seeded = database.numbers("SELECT COUNT(*) AS n FROM invoices")[0];
    let mut raw = Raw::open(&database);
    let sellers = sellers(&mut raw);
    purchases(&mut raw, &sellers);
    let year = Utc::now().year();
    for (round, enough) in [20, 60, 110, 160, 2 * PURCHASES as i64]
        .into_iter()
        .enumerate()
    {
        if round < 2 {
            shortly_before_new_year(&database, year);
        }
        database.execute(&format!(
            "UPDATE jobs SET leased_until = '{PAST}' WHERE state = 'running'"
        ));
        let mut serving = vec![setup.serve()];
        if database.is_shared() {
            serving.push(setup.serve());
        }
        until_issued(&database, seeded + enough).await;
        for service in &mut serving {
            service.kill();
        }
    }
    for seller in ["NL999999990B51", "DK13585628"] {
        for issued in [year, year + 1] {
            let of = format!("FROM invoices WHERE seller_key = '{seller}' AND year = {issued}");
            let numbers = database.numbers(&format!("SELECT seq AS n {of} ORDER BY seq"));
            assert_eq!(numbers, (1..=numbers.len() as i64).collect::<Vec<_>>());
            assert!(!numbers.is_empty(), "{seller} {issued}");
        }
    }
    let all = database.numbers("SELECT COUNT(*) AS n FROM invoices")[0];
    assert!(all >= seeded + 2 * PURCHASES as i64);
    let right = setup.run(&["verify-ledger"]);
    assert!(right.ok, "{right:?}");
}
