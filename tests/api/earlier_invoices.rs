//! An invoice from before purchases were recorded: it says the same, is watched from the day of the migration on, and ends nobody.

use chrono::Datelike;
use cps_api::repository::Db;
use diesel_migrations::{FileBasedMigrations, MigrationHarness};
use serde_json::{Value, json};

use crate::process::Setup;
use crate::raw::Raw;
use crate::support::{Answer, Database, TestApp};

const ACCOUNT: &str = "/v1/accounts/acc_00000000000070008000000000000002";
const INVOICE: &str = "invoices/inv_00000000000070008000000000000002";
const EMAIL: &str = "jonas@lysogskygge.example";

/// Takes the tables of money away again, whatever stands in them.
fn without_money(database: &Database) {
    let mut raw = Raw::open(database);
    let folder = match database.is_shared() {
        true => "migrations/postgres",
        false => "migrations/sqlite",
    };
    let source = || FileBasedMigrations::from_path(folder).unwrap();
    loop {
        let done =
            cps_api::each!(&mut raw.0, c => c.revert_last_migration(source()).map(|m| m.to_string()))
                .unwrap();
        if done.starts_with("20260313000001") {
            return;
        }
    }
}

/// What an invoice said in the first version of its content.
fn first_version(said: &Value) -> Value {
    let mut seller = said["seller"].clone();
    for number in ["company_number", "company_scheme", "electronic_address"] {
        seller.as_object_mut().unwrap().remove(number);
    }
    for part in ["iban", "bic", "bank"] {
        seller[part] = said["payment"][part].clone();
    }
    let mut buyer = said["buyer"].clone();
    for number in ["company_number", "electronic_address", "your_reference"] {
        buyer.as_object_mut().unwrap().remove(number);
    }
    let line = &said["lines"][0];
    json!({
        "language": said["language"], "membership_id": said["membership_id"], "seller": seller, "buyer": buyer,
        "lines": [{
            "description": line["description"], "net_cents": line["net_cents"], "period": [line["starts"], line["ends"]],
        }],
        "vat_treatment": said["vat"][0]["category"], "vat_rate": said["vat"][0]["rate"], "vat_evidence": said["evidence"],
        "fi_line": null, "notices": said["notices"],
    })
}

/// What an answer says that the first version of the content had too.
fn compared(answer: &Answer) -> Value {
    let mut body = answer.body.clone();
    for number in ["company_number", "company_scheme"] {
        body["seller"].as_object_mut().unwrap().remove(number);
    }
    body.as_object_mut().unwrap().remove("due_date");
    body
}

/// Makes of a sandbox's database what it was before there was money: one invoice, in the first version of its content.
fn set_back(database: &Database, year: i32) {
    let content = Raw::open(database).lines(&format!(
        "SELECT CAST(content AS TEXT) AS line FROM invoices WHERE seq = 1 AND year = {year}"
    ));
    without_money(database);
    let first = first_version(&serde_json::from_str(&content[0]).unwrap()).to_string();
    database.execute(&format!(
        "UPDATE invoices SET content = '{}', due_date = '2025-01-31', payment_reference = NULL;
         DELETE FROM invoices WHERE seq <> 1 OR number NOT LIKE '%{year}-%';
         DELETE FROM invoice_counters WHERE year <> {year};
         UPDATE invoice_counters SET last = 1;
         DELETE FROM jobs WHERE kind <> 'end_membership'",
        first.replace('\'', "''")
    ));
}

/// Both have read what is not recorded yet before either may record it.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_who_migrate_at_once_one_records_what_was_bought() {
    let app = TestApp::start().await;
    let year = app.now().await.date_naive().year();
    let database = app.stop().await;
    if !database.is_shared() {
        return;
    }
    set_back(&database, year);
    let mut raw = Raw::open(&database);
    Db::open(&database.url(), 1).unwrap().migrate().unwrap();
    raw.run("BEGIN").unwrap();
    raw.lines("SELECT CAST(id AS TEXT) AS line FROM accounts FOR UPDATE");
    let both = [(); 2].map(|()| {
        let setup = Setup::on(&database);
        std::thread::spawn(move || setup.run(&["migrate"]))
    });
    let waiting = "SELECT CAST(COUNT(*) AS TEXT) AS line FROM pg_locks
        WHERE NOT granted AND (relation = 'accounts'::regclass OR transactionid = (SELECT l.transactionid FROM pg_locks l
            WHERE l.pid = pg_backend_pid() AND l.locktype = 'transactionid' AND l.granted LIMIT 1))";
    let begun = std::time::Instant::now();
    while raw.lines(waiting) != ["2"] {
        assert!(begun.elapsed().as_secs() < 25, "{:?}", raw.lines(waiting));
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    raw.run("COMMIT").unwrap();
    for one in both {
        let said = one.join().unwrap();
        assert!(said.ok, "{said:?}");
    }
    let count = |what: &str| format!("SELECT CAST(COUNT(*) AS TEXT) AS line FROM {what}");
    let recorded = raw.lines(&count("purchases WHERE kind = 'join'"));
    let sold = raw.lines(&count("memberships WHERE seller_terms_id IS NOT NULL"));
    assert_eq!(recorded, sold);
    assert_ne!(recorded, ["0"]);
    let right = Setup::on(&database).run(&["verify-ledger"]);
    assert!(right.ok, "{right:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_says_the_same_and_nobody_is_ended_by_it() {
    let app = TestApp::start().await;
    let path = format!("{ACCOUNT}/{INVOICE}");
    let token = app.sign_in(EMAIL).await;
    let before = app.get(&path, &token).await.expect(200);
    let today = app.now().await.date_naive();
    let year = today.year();
    let database = app.stop().await;
    set_back(&database, year);

    let app = TestApp::on(database, &[]).await;
    let token = app.sign_in(EMAIL).await;
    let after = app.get(&path, &token).await.expect(200);
    assert_eq!(compared(&after), compared(&before));
    let one = |sql: &str| Raw::open(&app.database).lines(sql);
    let collected = one("SELECT CAST(collect_from AS TEXT) AS line FROM invoices");
    assert!(collected[0] >= today.to_string(), "{collected:?}");
    let sold = one(
        "SELECT p.kind || ' ' || p.state AS line FROM purchases p JOIN invoices i ON i.purchase_id = p.id AND i.seller_terms_id = p.seller_terms_id",
    );
    assert_eq!(sold, ["join started"]);
    assert_eq!(
        one("SELECT 'x' AS line FROM jobs WHERE kind = 'watch_invoice'").len(),
        1
    );
    let membership = app.get(&format!("{ACCOUNT}/membership"), &token).await;
    assert_eq!(membership.expect(200).body["status"], "active");
    app.advance(chrono::TimeDelta::days(2)).await;
    let token = app.sign_in(EMAIL).await;
    let membership = app.get(&format!("{ACCOUNT}/membership"), &token).await;
    assert_eq!(membership.expect(200).body["status"], "past_due");
    let (_, told) = app.after_command(&["verify-ledger"]).await;
    assert!(
        told.contains("Every sum of money is right: 1 invoices"),
        "{told}"
    );
}
