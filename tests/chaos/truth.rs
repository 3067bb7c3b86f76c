//! What the database holds afterwards, against what the clients were told.

use diesel::prelude::*;
use diesel::sql_types::BigInt;
use serde_json::Value;

use crate::instance::Instance;
use crate::journey::{PASSWORD, PRODUCTS, Told};
use crate::load::Callers;

/// Only the businesses of the load.
const OURS: &str = "WHERE contact_email LIKE '%@chaos.example'";

/// Nothing that was acknowledged is lost, nothing happened twice, and what is numbered has no gap.
pub async fn holds(database: &str, told: &[Told], instance: &Instance) {
    assert!(!instance.has_panicked(), "{}", instance.log());
    let callers = Callers::of([instance.url()].into_iter());
    for one in told {
        is_found(one, &callers).await;
    }
    let mut conn = PgConnection::establish(database).unwrap();
    let businesses = i64::try_from(told.len()).unwrap();
    let products = businesses * i64::try_from(PRODUCTS).unwrap();
    for (expected, query) in [
        (businesses, "accounts"),
        (businesses, "documents d JOIN accounts USING_ACCOUNT"),
        (businesses, "users u JOIN accounts USING_ACCOUNT"),
        (products, "products p JOIN accounts USING_ACCOUNT"),
        (
            products,
            "points_entries e JOIN accounts USING_ACCOUNT AND kind = 'award'",
        ),
        (
            businesses,
            "points_entries e JOIN accounts USING_ACCOUNT AND kind = 'adjustment'",
        ),
        (businesses, "memberships m JOIN accounts USING_ACCOUNT"),
        (
            businesses,
            "mails JOIN accounts ON to_key = contact_email_key AND template = 'first_password'",
        ),
    ] {
        let from = query.replace("USING_ACCOUNT", "ON accounts.id = account_id");
        let query = format!("SELECT count(*) AS n FROM {from} {OURS}");
        assert_eq!(number(&mut conn, &query), expected, "{query}");
    }
    // What jobs make of it comes in a while, once.
    let invoices = format!(
        "SELECT count(*) AS n FROM invoices JOIN accounts ON accounts.id = account_id {OURS}"
    );
    becomes(&mut conn, &invoices, businesses).await;
    becomes(&mut conn, "SELECT count(*) AS n FROM event_inbox", 0).await;
    for (expected, kind) in [
        (businesses, "account.registered"),
        (businesses, "account.approved"),
        (products, "product.registered"),
        (businesses, "membership.started"),
    ] {
        let query = format!(
            "SELECT count(*) AS n FROM events JOIN accounts
             ON stream = 'acc_' || replace(accounts.id::TEXT, '-', '') AND type = '{kind}' {OURS}"
        );
        assert_eq!(number(&mut conn, &query), expected, "{kind}");
    }
    nothing_numbered_has_a_gap(&mut conn);
    for (command, right) in [
        ("verify-ledger", "Every balance is right"),
        ("verify-events", "Every event is as it was written"),
    ] {
        let (is_right, said) = instance.command(&[command]);
        assert!(is_right && said.contains(right), "{said}");
    }
}

fn nothing_numbered_has_a_gap(conn: &mut PgConnection) {
    for (what, table, by) in [
        ("seq", "invoices", "seller_key, year"),
        ("stream_seq", "events", "stream"),
        ("position", "events", "position IS NULL"),
    ] {
        let gaps = format!(
            "SELECT count(*) AS n FROM (SELECT max({what}) AS last, count(*) AS all_of_them, min({what}) AS first
             FROM {table} GROUP BY {by}) AS series WHERE last <> all_of_them OR first <> 1"
        );
        assert_eq!(number(conn, &gaps), 0, "{what} of {table}");
    }
}

async fn is_found(told: &Told, callers: &Callers) {
    let token = callers.sign_in(&told.email, PASSWORD).await;
    let read = async |path: String| -> Value {
        callers.get(&path, Some(&token)).await.expect(&[200]).body
    };
    let account = &told.account;
    let points = read(format!("{account}/points")).await;
    assert_eq!(points["balance"], told.balance, "{}", told.email);
    let membership = read(format!("{account}/membership")).await;
    assert_eq!(membership["member_number"], told.member_number.as_str());
    read(format!("{account}/documents/{}", told.document)).await;
    for product in &told.products {
        read(format!("{account}/products/{product}")).await;
    }
}

async fn becomes(conn: &mut PgConnection, query: &str, expected: i64) {
    for _ in 0..1800 {
        if number(conn, query) == expected {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("{} instead of {expected}: {query}", number(conn, query));
}

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    n: i64,
}

fn number(conn: &mut PgConnection, query: &str) -> i64 {
    diesel::sql_query(query)
        .get_result::<Number>(conn)
        .unwrap()
        .n
}
