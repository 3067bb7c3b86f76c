//! One cent that somebody changes past the service, in each table of money: the check of the books names the row.

use cps_api::repository::Kind;
use reqwest::Method;
use serde_json::json;

use crate::paid::paid;
use crate::process::Setup;
use crate::raw::Raw;
use crate::support::{Database, Sending, TestApp};

const JONAS: &str = "acc_00000000000070008000000000000002";
const INVOICE: &str = "inv_00000000000070008000000000000002";

/// A part of the seeded invoice is paid, and of another payment some goes back.
async fn with_money() -> (Database, String, String) {
    let app = TestApp::start().await;
    let placed = paid(&app, JONAS, Some(INVOICE), 12000);
    let open = paid(&app, JONAS, None, 5000);
    let finance = app.sign_in("finance@cps.example").await;
    let refund = app
        .request(
            Method::POST,
            &format!("/v1/accounts/{JONAS}/payments/{open}/refunds"),
        )
        .sent_by(&finance)
        .header("idempotency-key", uuid::Uuid::new_v4().to_string())
        .json(&json!({ "amount": { "amount": "20.00", "currency": "EUR" }, "reason": "Too much." }))
        .answer()
        .await;
    refund.expect(202);
    (app.stop().await, placed, open)
}

/// Takes the triggers away that keep anybody from it.
fn unguarded(raw: &mut Raw) {
    match raw.kind() {
        Kind::Postgres => {
            raw.run("SET session_replication_role = replica").unwrap();
        }
        Kind::Sqlite => {
            for name in raw.lines("SELECT name AS line FROM sqlite_master WHERE type = 'trigger'") {
                raw.run(&format!("DROP TRIGGER {name}")).unwrap();
            }
        }
    }
}

fn row(id: &str) -> String {
    let id = id.rsplit('_').next().unwrap();
    uuid::Uuid::parse_str(id).unwrap().to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_cent_too_many_in_any_table_is_named_with_its_row() {
    let (database, placed, open) = with_money().await;
    let setup = Setup::on(&database);
    let right = setup.run(&["verify-ledger"]);
    assert!(right.ok, "{right:?}");
    let mut raw = Raw::open(&database);
    unguarded(&mut raw);
    let (invoice, paid, left) = (row(INVOICE), row(&placed), row(&open));
    let line = raw.lines(&format!(
        "SELECT CAST(bank_transaction_id AS TEXT) AS line FROM payments WHERE id = '{paid}'"
    ));
    let statement = raw.lines(&format!(
        "SELECT CAST(statement_id AS TEXT) AS line FROM bank_transactions WHERE id = '{}'",
        line[0]
    ));
    let named = |prefix: &str, id: &str| format!("{prefix}_{}", id.replace('-', ""));
    let cent = |table: &str, column: &str, id: &str| {
        let change =
            |by: &str| format!("UPDATE {table} SET {column} = {column} {by} 1 WHERE id = '{id}'");
        (change("-"), change("+"))
    };
    let changes = [
        (
            cent("payments", "open_cents", &left),
            "M1",
            named("pay", &left),
        ),
        (
            cent("invoices", "open_cents", &invoice),
            "M2",
            named("inv", &invoice),
        ),
        (
            (
                format!(
                    "UPDATE allocations SET amount_cents = amount_cents - 1 WHERE invoice_id = '{invoice}'"
                ),
                format!(
                    "UPDATE allocations SET amount_cents = amount_cents + 1 WHERE invoice_id = '{invoice}'"
                ),
            ),
            "M1",
            named("pay", &paid),
        ),
        (
            (
                "UPDATE refunds SET amount_cents = amount_cents - 1".to_owned(),
                "UPDATE refunds SET amount_cents = amount_cents + 1".to_owned(),
            ),
            "M1",
            named("pay", &left),
        ),
        (
            (
                format!(
                    "UPDATE invoices SET net_cents = net_cents - 1, vat_cents = vat_cents + 1 WHERE id = '{invoice}'"
                ),
                format!(
                    "UPDATE invoices SET net_cents = net_cents + 1, vat_cents = vat_cents - 1 WHERE id = '{invoice}'"
                ),
            ),
            "M4",
            named("inv", &invoice),
        ),
        (
            (
                "UPDATE invoice_counters SET last = last + 1".to_owned(),
                "UPDATE invoice_counters SET last = last - 1".to_owned(),
            ),
            "M7",
            "NL999999990B51".to_owned(),
        ),
        (
            (
                format!(
                    "UPDATE bank_statements SET closing = '0.01' WHERE id = '{}'",
                    statement[0]
                ),
                format!(
                    "UPDATE bank_statements SET closing = '120.00' WHERE id = '{}'",
                    statement[0]
                ),
            ),
            "M8",
            named("bst", &statement[0]),
        ),
        (
            cent("bank_transactions", "amount_cents", &line[0]),
            "M9",
            named("btx", &line[0]),
        ),
    ];
    for ((change, back), check, told) in changes {
        assert!(raw.run(&change).unwrap() >= 1, "{change}");
        let wrong = setup.run(&["verify-ledger"]);
        assert!(
            !wrong.ok && wrong.stderr.contains(check) && wrong.stderr.contains(&told),
            "{change}: {wrong:?}"
        );
        raw.run(&back).unwrap();
    }
    let again = setup.run(&["verify-ledger"]);
    assert!(again.ok, "{again:?}");
}
