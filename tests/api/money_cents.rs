//! One cent, or one word, that somebody changes past the service, in each table of money: the check of the books names the row.

use cps_api::repository::Kind;
use reqwest::Method;
use serde_json::json;

use crate::paid::paid;
use crate::process::Setup;
use crate::raw::Raw;
use crate::support::{Database, Sending, TestApp};

const JONAS: &str = "acc_00000000000070008000000000000002";
const INVOICE: &str = "inv_00000000000070008000000000000002";

/// The rows that are falsified, by their ids in the database.
struct Rows {
    /// An invoice of which a part is paid, and what was bought with it.
    invoice: String,
    purchase: String,
    membership: String,
    terms: String,
    /// Of that part.
    paid: String,
    line: String,
    statement: String,
    /// A payment of which some went back; lines of its statement were seen before.
    open: String,
    seen: String,
    /// What a card paid.
    charge: String,
    charged: String,
    /// One that is paid in full, and one that was credited in full.
    settled: String,
    credited: String,
    taken_back: String,
}

/// A part of the seeded invoice is paid, and of another payment some goes back. Of the other open invoices one is paid and one credited.
async fn with_money() -> (Database, Rows) {
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
    let others = Raw::open(&app.database).lines(&format!(
        "SELECT CAST(account_id AS TEXT) || ' ' || CAST(id AS TEXT) || ' ' || CAST(open_cents AS TEXT) AS line FROM invoices
         WHERE kind = 'invoice' AND status = 'open' AND open_cents = gross_cents AND id <> '{}' ORDER BY id",
        row(INVOICE)
    ));
    let [settled, credited] = [0, 1].map(|at| others[at].split(' ').collect::<Vec<_>>());
    let (account, cents) = (format!("acc_{}", settled[0]), settled[2].parse().unwrap());
    paid(&app, &account, Some(&format!("inv_{}", settled[1])), cents);
    let id = |id: &str| id.replace('-', "");
    let path = format!(
        "/v1/accounts/acc_{}/invoices/inv_{}/credit-notes",
        id(credited[0]),
        id(credited[1])
    );
    let goodwill = json!({ "reason": "goodwill", "note": "All of it." });
    app.post_once(&path, &finance, goodwill).await.expect(201);
    let [charge, charged, first, taken_back] = [(); 4].map(|()| uuid::Uuid::now_v7().to_string());
    let at = "2026-12-01T12:00:00.000000Z";
    let (account, invoice, paid) = (row(JONAS), row(INVOICE), row(&placed));
    app.database.execute(&format!(
        "INSERT INTO charges (id, invoice_id, version, attempt, initiator, amount_cents, currency, due_date, charge_date, provider, idempotency_key, state, asked,
             sent_at, sent_at_machine, resolved_at, created_at)
         VALUES ('{charge}', '{invoice}', 2, 1, 'customer', 1000, 'EUR', '2026-12-01', '2026-12-01', 'sandbox', '{charge}', 'succeeded', 0, '{at}', '{at}', '{at}', '{at}');
         INSERT INTO payments (id, account_id, charge_id, amount_cents, open_cents, currency, received_date, actor, created_at)
         VALUES ('{charged}', '{account}', '{charge}', 1000, 1000, 'EUR', '2026-12-01', 'service:seed', '{at}');
         INSERT INTO allocations (id, invoice_id, payment_id, written_off, amount_cents, actor, created_at)
         VALUES ('{first}', '{invoice}', '{charged}', FALSE, 500, 'service:seed', '{at}');
         INSERT INTO allocations (id, invoice_id, payment_id, written_off, amount_cents, reverses_id, reason, actor, created_at)
         VALUES ('{taken_back}', '{invoice}', '{charged}', FALSE, -500, '{first}', 'Elsewhere.', 'service:seed', '{at}')"
    ));
    let database = app.stop().await;
    let mut raw = Raw::open(&database);
    let mut one = |column: &str, of: &str| {
        let found = raw.lines(&format!("SELECT CAST({column} AS TEXT) AS line FROM {of}"));
        found[0].clone()
    };
    let line = one(
        "bank_transaction_id",
        &format!("payments WHERE id = '{paid}'"),
    );
    let open = row(&open);
    let seen = one(
        "bank_transaction_id",
        &format!("payments WHERE id = '{open}'"),
    );
    let rows = Rows {
        purchase: one("purchase_id", &format!("invoices WHERE id = '{invoice}'")),
        membership: one("membership_id", &format!("invoices WHERE id = '{invoice}'")),
        terms: one(
            "seller_terms_id",
            &format!("invoices WHERE id = '{invoice}'"),
        ),
        statement: one(
            "statement_id",
            &format!("bank_transactions WHERE id = '{line}'"),
        ),
        settled: settled[1].to_owned(),
        credited: credited[1].to_owned(),
        invoice,
        paid,
        line,
        open,
        seen,
        charge,
        charged,
        taken_back,
    };
    raw.run(&format!(
        "UPDATE bank_statements SET lines_seen = 1 WHERE id = (SELECT statement_id FROM bank_transactions WHERE id = '{}')",
        rows.seen
    ))
    .unwrap();
    (database, rows)
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

/// A statement that falsifies a row, the one that takes it back, and what is told: the check and the row.
type Change = (String, String, &'static str, String);

fn change(
    table: &str,
    id: &str,
    (set, back): (&str, &str),
    told: (&'static str, &str, &str),
) -> Change {
    let update = |set: &str| format!("UPDATE {table} SET {set} WHERE id = '{id}'");
    let (check, prefix, named) = told;
    let named = format!("{prefix}_{}", named.replace('-', ""));
    (update(set), update(back), check, named)
}

/// One cent of a column less, or more, and back.
fn cent(table: &str, column: &str, id: &str, by: char, told: (&'static str, &str, &str)) -> Change {
    let set = |by: char| format!("{column} = {column} {by} 1");
    let back = if by == '-' { '+' } else { '-' };
    change(table, id, (&set(by), &set(back)), told)
}

/// Every amount that some row stands beside to tell it.
fn cents(rows: &Rows) -> Vec<Change> {
    let (invoice, statement) = (rows.invoice.as_str(), rows.statement.as_str());
    let counter = (
        "UPDATE invoice_counters SET last = last + 1",
        "UPDATE invoice_counters SET last = last - 1",
    );
    let refund = |by: char| {
        let payment = &rows.open;
        format!(
            "UPDATE refunds SET amount_cents = amount_cents {by} 1 WHERE payment_id = '{payment}'"
        )
    };
    let placed = |by: char| {
        let payment = &rows.paid;
        format!(
            "UPDATE allocations SET amount_cents = amount_cents {by} 1 WHERE payment_id = '{payment}'"
        )
    };
    let named = |prefix: &str, id: &str| format!("{prefix}_{}", id.replace('-', ""));
    let sum =
        |column: &str, was: &str| (format!("{column} = '0.01'"), format!("{column} = '{was}'"));
    let (closing, opening) = (sum("closing", "120.00"), sum("opening", "0.00"));
    let (booked, reversed) = (sum("booked_sum", "120.00"), sum("reversed_sum", "0.00"));
    let of_statement = |(set, back): &(String, String)| {
        change(
            "bank_statements",
            statement,
            (set, back),
            ("M8", "bst", statement),
        )
    };
    vec![
        cent(
            "payments",
            "open_cents",
            &rows.open,
            '-',
            ("M1", "pay", &rows.open),
        ),
        cent(
            "payments",
            "amount_cents",
            &rows.charged,
            '+',
            ("M1", "pay", &rows.charged),
        ),
        cent(
            "charges",
            "amount_cents",
            &rows.charge,
            '-',
            ("M5", "chg", &rows.charge),
        ),
        cent(
            "invoices",
            "open_cents",
            invoice,
            '-',
            ("M2", "inv", invoice),
        ),
        cent(
            "allocations",
            "amount_cents",
            &rows.taken_back,
            '-',
            ("M1", "pay", &rows.charged),
        ),
        (placed('-'), placed('+'), "M1", named("pay", &rows.paid)),
        (refund('-'), refund('+'), "M1", named("pay", &rows.open)),
        change(
            "invoices",
            invoice,
            (
                "net_cents = net_cents - 1, vat_cents = vat_cents + 1",
                "net_cents = net_cents + 1, vat_cents = vat_cents - 1",
            ),
            ("M4", "inv", invoice),
        ),
        change(
            "invoices",
            invoice,
            (
                "vat_cents = vat_cents + 1, gross_cents = gross_cents + 1",
                "vat_cents = vat_cents - 1, gross_cents = gross_cents - 1",
            ),
            ("M2", "inv", invoice),
        ),
        cent(
            "purchases",
            "net_cents",
            &rows.purchase,
            '+',
            ("M4", "pur", &rows.purchase),
        ),
        cent(
            "purchases",
            "fee_cents",
            &rows.purchase,
            '-',
            ("M4", "pur", &rows.purchase),
        ),
        change(
            "purchases",
            &rows.purchase,
            (
                "net_cents = net_cents + 1, fee_cents = fee_cents + 1",
                "net_cents = net_cents - 1, fee_cents = fee_cents - 1",
            ),
            ("M4", "mem", &rows.membership),
        ),
        cent(
            "memberships",
            "fee_cents",
            &rows.membership,
            '+',
            ("M4", "mem", &rows.membership),
        ),
        (
            counter.0.to_owned(),
            counter.1.to_owned(),
            "M7",
            "NL999999990B51".to_owned(),
        ),
        of_statement(&closing),
        of_statement(&opening),
        of_statement(&booked),
        of_statement(&reversed),
        cent(
            "bank_transactions",
            "amount_cents",
            &rows.line,
            '-',
            ("M9", "btx", &rows.line),
        ),
        cent(
            "bank_transactions",
            "amount_cents",
            &rows.line,
            '+',
            ("M8", "bst", statement),
        ),
        cent(
            "bank_transactions",
            "amount_cents",
            &rows.seen,
            '+',
            ("M9", "btx", &rows.seen),
        ),
        change(
            "bank_transactions",
            &rows.seen,
            (
                "amount_cents = NULL, state = 'open'",
                "amount_cents = 5000, state = 'matched'",
            ),
            ("M9", "btx", &rows.seen),
        ),
    ]
}

/// What is no amount, and what tells one row from another.
fn words(rows: &Rows, is_text: bool) -> Vec<Change> {
    let (invoice, statement) = (rows.invoice.as_str(), rows.statement.as_str());
    let content = |from: &str, to: &str| {
        let (from, to) = (
            from.replace(' ', if is_text { "" } else { " " }),
            to.replace(' ', if is_text { "" } else { " " }),
        );
        let kind = if is_text { "TEXT" } else { "JSONB" };
        format!("content = CAST(replace(CAST(content AS TEXT), '{from}', '{to}') AS {kind})")
    };
    let days = ("\"due_days\": 30", "\"due_days\": 31");
    let lines = ("\"lines\"", "\"lanes\"");
    let set = |(one, other): (&str, &str)| (content(one, other), content(other, one));
    let (days, lines) = (set(days), set(lines));
    let balance = |set: &str, was: &str| {
        change(
            "bank_statements",
            statement,
            (set, was),
            ("M8", "bst", statement),
        )
    };
    let mut words = vec![
        change(
            "seller_terms",
            &rows.terms,
            (&days.0, &days.1),
            ("M7", "trm", &rows.terms),
        ),
        change(
            "invoices",
            invoice,
            (&lines.0, &lines.1),
            ("M4", "inv", invoice),
        ),
        change(
            "invoices",
            invoice,
            (
                "number = number || '0'",
                "number = substr(number, 1, length(number) - 1)",
            ),
            ("M7", "inv", invoice),
        ),
        change(
            "invoices",
            &rows.settled,
            ("status = 'credited'", "status = 'paid'"),
            ("M6", "inv", &rows.settled),
        ),
        change(
            "invoices",
            &rows.credited,
            ("status = 'paid'", "status = 'credited'"),
            ("M6", "inv", &rows.credited),
        ),
        balance("opening = ''", "opening = '0.00'"),
        balance("closing = ''", "closing = '120.00'"),
        balance("closing = '120,00'", "closing = '120.00'"),
        balance("opening = 'none'", "opening = '0.00'"),
        balance("booked_sum = ''", "booked_sum = '120.00'"),
        change(
            "bank_transactions",
            &rows.line,
            ("amount_text = '120,00'", "amount_text = '120.00'"),
            ("M9", "btx", &rows.line),
        ),
    ];
    if is_text {
        for (table, id, told) in [
            ("invoices", invoice, ("M4", "inv", invoice)),
            ("seller_terms", &rows.terms, ("M7", "trm", &rows.terms)),
        ] {
            words.push(change(
                table,
                id,
                ("content = 'x' || content", "content = substr(content, 2)"),
                told,
            ));
        }
    }
    words
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_is_changed_in_any_table_is_named_with_its_row() {
    let (database, rows) = with_money().await;
    let setup = Setup::on(&database);
    let right = setup.run(&["verify-ledger"]);
    assert!(right.ok, "{right:?}");
    let mut raw = Raw::open(&database);
    unguarded(&mut raw);
    let is_text = raw.kind() == Kind::Sqlite;
    for (change, back, check, told) in cents(&rows).into_iter().chain(words(&rows, is_text)) {
        assert_eq!(raw.run(&change).unwrap(), 1, "{change}");
        let wrong = setup.run(&["verify-ledger"]);
        let is_named = wrong.stderr.contains(check) && wrong.stderr.contains(&told);
        assert!(!wrong.ok && is_named, "{change}: {check} {told}: {wrong:?}");
        assert_eq!(raw.run(&back).unwrap(), 1, "{back}");
    }
    let again = setup.run(&["verify-ledger"]);
    assert!(again.ok, "{again:?}");
}
