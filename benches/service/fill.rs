//! What the servers are asked about: many accounts with products and a ledger each, put straight into the tables of the service.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;

/// How many products, each with its award, an account has.
pub const PRODUCTS_EACH: u64 = 10;
/// How many accounts have a user who signs in and registers.
pub const WRITERS: u64 = 32;

/// The e-mail address of the `n`-th account's user.
pub fn email(n: u64) -> String {
    format!("bench-{n}@cps.example")
}

const NOW: &str = "'2026-01-01T00:00:00.000000Z'";

/// An id that nothing of the sandbox has: theirs have an 8 where these have a 9.
fn id(n: &str, dialect: Dialect) -> String {
    match dialect {
        Dialect::Postgres => {
            format!("('00000000-0000-7000-9000-' || lpad(to_hex({n}), 12, '0'))::uuid")
        }
        Dialect::Sqlite => format!("printf('00000000-0000-7000-9000-%012x', {n})"),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Dialect {
    Postgres,
    Sqlite,
}

fn series(name: &str, to: u64, dialect: Dialect) -> String {
    match dialect {
        Dialect::Postgres => format!("generate_series(1, {to}) AS {name}"),
        Dialect::Sqlite => format!(
            "(WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < {to}) SELECT x AS {name} FROM c)"
        ),
    }
}

/// Fills a database with `accounts` of `entries` ledger entries each, at least one a product.
pub fn fill(url: &str, accounts: u64, entries: u64) {
    if url.starts_with("postgres") {
        let mut conn = PgConnection::establish(url).unwrap();
        // The ledger is right as it is made here, and its triggers would take hours.
        conn.batch_execute("ALTER TABLE points_entries DISABLE TRIGGER USER")
            .unwrap();
        conn.batch_execute(&statements(accounts, entries, Dialect::Postgres))
            .unwrap();
        conn.batch_execute("ALTER TABLE points_entries ENABLE TRIGGER USER")
            .unwrap();
        conn.batch_execute("VACUUM ANALYZE accounts").unwrap();
        conn.batch_execute("VACUUM ANALYZE points_accounts")
            .unwrap();
        conn.batch_execute("VACUUM ANALYZE products").unwrap();
        conn.batch_execute("VACUUM ANALYZE points_entries").unwrap();
        conn.batch_execute("CHECKPOINT").unwrap();
    } else {
        let path = url.trim_start_matches("sqlite://");
        let mut conn = SqliteConnection::establish(path).unwrap();
        let all = statements(accounts, entries, Dialect::Sqlite);
        conn.batch_execute(&format!("BEGIN; {all}; COMMIT"))
            .unwrap();
    }
}

fn statements(accounts: u64, entries: u64, dialect: Dialect) -> String {
    let (no, yes) = match dialect {
        Dialect::Postgres => ("FALSE", "TRUE"),
        Dialect::Sqlite => ("0", "1"),
    };
    let n = series("n", accounts, dialect);
    let p = series("p", PRODUCTS_EACH, dialect);
    let e = series("e", entries, dialect);
    let writers = series("n", WRITERS.min(accounts), dialect);
    let account = id("n", dialect);
    let product = id(&format!("n * {PRODUCTS_EACH} + p"), dialect);
    let of_entry = id(&format!("n * {PRODUCTS_EACH} + e"), dialect);
    let entry = id(&format!("CAST(n AS BIGINT) * {entries} + e"), dialect);
    let user = id("n", dialect);
    let model = "(SELECT id FROM models WHERE name = 'EOS R5')";
    let balance = 100 * entries + 1000;
    let day = match dialect {
        Dialect::Postgres => "DATE '2024-01-01'",
        Dialect::Sqlite => "'2024-01-01'",
    };
    let at = match dialect {
        Dialect::Postgres => format!("TIMESTAMPTZ {NOW}"),
        Dialect::Sqlite => NOW.to_owned(),
    };
    format!(
        "INSERT INTO accounts (id, account_number, status, version, company_name, company_key, country, vat_registered, street, postal_code,
            city, contact_name, contact_email, contact_email_key, language, authority_declared_at, authority_declared_from, terms_version,
            terms_accepted_at, created_at, updated_at, approved_at)
         SELECT {account}, 'B' || n, 'active', 1, 'Bench ' || n, 'bench ' || n, 'DK', {no}, 'Strandvejen', '8000', 'Aarhus', 'A B',
            'bench-' || n || '@cps.example', 'bench-' || n || '@cps.example', 'da', {at}, '127.0.0.1', '1', {at}, {at}, {at}, {at} FROM {n};
         INSERT INTO users (id, version, account_id, email, email_key, name, roles, language, password_hash, session_version, created_at)
         SELECT {user}, 1, {account}, 'bench-' || n || '@cps.example', 'bench-' || n || '@cps.example', 'A B', u.roles, 'da', u.password_hash, 1, {at}
         FROM {writers}, users u WHERE u.email = 'mette@fjordfoto.example' AND {yes} = {yes};
         INSERT INTO products (id, account_id, model_id, version, status, serial_number, serial_key, serial_since, purchase_date,
            purchase_country, dealer, estimated, created_at, updated_at)
         SELECT {product}, {account}, {model}, 1, 'complete', 'X' || n || 'Y' || p, 'X' || n || 'Y' || p, {at}, {day}, 'DK', 'Foto Nord', '', {at}, {at}
         FROM (SELECT n, p FROM {n}, {p}) AS np;
         INSERT INTO points_entries (id, account_id, seq, kind, amount, balance, held, product_id, value_valid_from, reason, actor, created_at)
         SELECT {entry}, {account}, e, CASE WHEN e <= {PRODUCTS_EACH} THEN 'award' ELSE 'adjustment' END,
            CASE WHEN e = 1 THEN 1100 ELSE 100 END, 1000 + 100 * e, 0,
            CASE WHEN e <= {PRODUCTS_EACH} THEN {of_entry} END, CASE WHEN e <= {PRODUCTS_EACH} THEN {day} END, 'complete', 'service:bench', {at}
         FROM (SELECT n, e FROM {n}, {e}) AS ne;
         INSERT INTO points_accounts (account_id, balance, held, seq, invited_at, last_at)
         SELECT {account}, {balance}, 0, {entries}, {at}, {at} FROM {n}"
    )
}
