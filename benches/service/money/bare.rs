//! The rows of statements, past the service: invoices that wait for money, and the fewest statements that leave what the service leaves of a file.

use std::io::Write;
use std::ops::RangeInclusive;

use cps_api::repository::DbConn;
use diesel::connection::SimpleConnection;
use diesel::pg::CopyFormat;
use diesel::prelude::*;
use diesel::sql_types::Text;
use quick_xml::events::Event;

use crate::open_invoices;

diesel::table! {
    bench_payments (n) { n -> BigInt, reference -> Text, amount -> Text }
}

const STAGE: &str = "DROP TABLE IF EXISTS bench_payments;
    CREATE TEMP TABLE bench_payments (n BIGINT PRIMARY KEY, reference TEXT NOT NULL, amount TEXT NOT NULL)";

/// A connection past the service.
pub struct Bare(DbConn);

#[derive(QueryableByName)]
struct Found {
    #[diesel(sql_type = Text)]
    line: String,
}

impl Bare {
    pub fn open(url: &str) -> Self {
        match url.strip_prefix("sqlite://") {
            Some(path) => {
                let mut conn = SqliteConnection::establish(path).unwrap();
                conn.batch_execute("PRAGMA busy_timeout = 10000").unwrap();
                Self(DbConn::Sqlite(conn))
            }
            None => Self(DbConn::Postgres(PgConnection::establish(url).unwrap())),
        }
    }

    pub fn run(&mut self, sql: &str) {
        let done = cps_api::each!(&mut self.0, c => c.batch_execute(sql));
        done.unwrap_or_else(|error| {
            panic!("{error}: {}", sql.chars().take(500).collect::<String>())
        });
    }

    pub fn count(&mut self, from: &str) -> usize {
        let sql = format!("SELECT CAST(count(*) AS TEXT) AS line FROM {from}");
        let found: QueryResult<Vec<Found>> =
            cps_api::each!(&mut self.0, c => diesel::sql_query(&sql).load(c));
        let found = found.unwrap_or_else(|error| panic!("{error}: {sql}"));
        found[0].line.parse().unwrap()
    }

    /// Open invoices of these numbers.
    pub fn owe(&mut self, numbers: RangeInclusive<usize>, account: impl Fn(usize) -> String) {
        self.run(&open_invoices::statements(numbers, account));
        if let DbConn::Postgres(_) = self.0 {
            self.run("ANALYZE invoices");
        }
    }

    /// How many of them there are.
    pub fn owed(&mut self) -> usize {
        self.count(&format!(
            "invoices WHERE seller_key = '{}'",
            open_invoices::SELLER
        ))
    }

    pub fn payments(&mut self) -> usize {
        self.count("payments")
    }

    /// Whether a statement is still being matched; what is to be forgotten later is no such work.
    pub fn is_matching(&mut self) -> bool {
        self.count(
            "jobs WHERE state IN ('ready', 'running') AND queue = 'bank' AND run_at <= created_at",
        ) > 0
    }

    /// Waits until the service has sent what it tells of payments, and numbered every event.
    pub fn settle(&mut self) {
        let waiting = "jobs WHERE state IN ('ready', 'running') AND queue IN ('mail', 'bank', 'invoices') AND run_at <= created_at";
        while self.count("event_inbox") > 0 || self.count(waiting) > 0 {
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        self.run("CHECKPOINT");
    }

    /// Reads a file and leaves what the service leaves of it, in one transaction.
    pub fn write(&mut self, first: usize, xml: &str) {
        self.run(STAGE);
        self.run("BEGIN");
        let lines = read(xml);
        let DbConn::Postgres(conn) = &mut self.0 else {
            panic!("it is measured on PostgreSQL");
        };
        let write = |to: &mut dyn Write| -> QueryResult<()> {
            for (n, (amount, reference)) in lines.iter().enumerate() {
                writeln!(to, "{},{reference},{amount}", first + n).unwrap();
            }
            Ok(())
        };
        diesel::copy_from(bench_payments::table)
            .from_raw_data(bench_payments::table, write)
            .with_format(CopyFormat::Csv)
            .execute(conn)
            .unwrap();
        for statement in statements(first, lines.len()) {
            self.run(&statement);
        }
        self.run("COMMIT");
    }
}

/// Amount and reference of each entry.
fn read(xml: &str) -> Vec<(String, String)> {
    let mut reader = quick_xml::Reader::from_str(xml);
    let (mut lines, mut element, mut amount) = (Vec::new(), Vec::new(), String::new());
    let mut is_entry = false;
    loop {
        match reader.read_event().unwrap() {
            Event::Start(start) => {
                element = start.name().as_ref().to_vec();
                is_entry |= element == b"Ntry";
            }
            Event::Text(text) if is_entry => match element.as_slice() {
                b"Amt" => amount = String::from_utf8(text.to_vec()).unwrap(),
                b"Ref" => {
                    let reference = String::from_utf8(text.to_vec()).unwrap();
                    lines.push((std::mem::take(&mut amount), reference));
                }
                _ => {}
            },
            Event::End(_) => element.clear(),
            Event::Eof => return lines,
            _ => {}
        }
    }
}

/// What the service leaves, table by table; the triggers of `allocations` move what is open of payments and invoices.
fn statements(first: usize, count: usize) -> Vec<String> {
    let uuid = |group: &str| {
        format!("('00000000-0000-7000-{group}-' || lpad(to_hex(l.n), 12, '0'))::uuid")
    };
    let (statement, line, payment, allocation) = (
        format!("'00000000-0000-7000-b000-{first:012x}'"),
        uuid("b001"),
        uuid("b002"),
        uuid("b003"),
    );
    let paid = "bench_payments l JOIN invoices i ON i.payment_reference = l.reference";
    let event = |group: &str, resource: &str, kind: &str, data: &str| {
        format!(
            "INSERT INTO event_inbox (id, stream, resource, type, version, data, actor, reason, request_id, created_at)
             SELECT {}, 'acc_' || replace(CAST(i.account_id AS TEXT), '-', ''), '{resource}_' || CAST(l.n AS TEXT), '{kind}', 1, {data}, 'service:bench', NULL,
                 NULL, now() FROM {paid}",
            uuid(group)
        )
    };
    let cents = "CAST(CAST(l.amount AS NUMERIC) * 100 AS BIGINT)";
    vec![
        format!(
            "INSERT INTO bank_statements (id, version, file_sha256, format, message_id, statement_ref, sequence, page, last_page, account, currency,
                 from_date, to_date, opening, closing, state, reversals_inverted, booked_sum, reversed_sum, lines_new, lines_seen, lines_pending, imported_by,
                 created_at)
             SELECT {statement}, 2, repeat('0', 64), 'camt.053', 'M{first}', 'S{first}', '{first}', 1, TRUE, 'NL13TEST0123456789', 'EUR', '2026-12-22', '2026-12-22',
                 '0.00', sum(CAST(amount AS NUMERIC)), 'booked', FALSE, sum(CAST(amount AS NUMERIC)), '0.00', {count}, 0, 0, 'service:bench', now() FROM bench_payments"
        ),
        format!(
            "INSERT INTO bank_transactions (id, statement_id, version, position, account, state, amount_cents, amount_text, currency, booking_date, value_date,
                 bank_reference, reference, texts, payer_name, payer_account, is_reversal, has_charges, is_batch, fingerprint, ordinal, evidence, created_at)
             SELECT {line}, {statement}, 2, l.n - {first}, 'NL13TEST0123456789', 'matched', {cents}, l.amount, 'EUR', DATE '2026-12-22', DATE '2026-12-22',
                 'B' || l.n, l.reference, '[]', '=Bench ' || l.n, 'DK5000400440116243', FALSE, FALSE, FALSE,
                 encode(sha256(convert_to(l.reference || l.amount || l.n, 'UTF8')), 'hex'), 0,
                 '{{\"clues\":[{{\"code\":\"reference_exact\"}},{{\"code\":\"amount_exact\"}}],\"candidates\":[]}}', now() FROM bench_payments l"
        ),
        format!(
            "INSERT INTO payments (id, account_id, bank_transaction_id, amount_cents, open_cents, currency, received_date, actor, created_at)
             SELECT {payment}, i.account_id, {line}, {cents}, {cents}, 'EUR', DATE '2026-12-22', 'service:bench', now() FROM {paid}"
        ),
        format!(
            "INSERT INTO allocations (id, invoice_id, payment_id, written_off, amount_cents, actor, created_at)
             SELECT {allocation}, i.id, {payment}, FALSE, {cents}, 'service:bench', now() FROM {paid}"
        ),
        "UPDATE invoices i SET version = i.version + 1 FROM bench_payments l WHERE i.payment_reference = l.reference".to_owned(),
        event("b004", "btx", "bank_transaction.matched", "'{\"transaction_id\":\"btx_' || CAST(l.n AS TEXT) || '\"}'"),
        event("b005", "pay", "payment.received", "'{\"payment_id\":\"pay_' || CAST(l.n AS TEXT) || '\"}'"),
        event("b006", "inv", "invoice.paid", "'{\"invoice_id\":\"inv_' || CAST(l.n AS TEXT) || '\"}'"),
        format!(
            "INSERT INTO mails (id, to_address, to_key, template, language, created_at, sent_at)
             SELECT {}, 'a@cps.example', 'a@cps.example', 'payment_received', 'da', now(), now() FROM bench_payments l",
            uuid("b007")
        ),
        format!(
            "INSERT INTO jobs (id, kind, key, payload, state, run_at, attempts, created_at, queue)
             SELECT {}, 'send_mail', 'bare:received:' || l.n, '{{}}', 'done', now(), 0, now(), 'mail' FROM bench_payments l",
            uuid("b008")
        ),
    ]
}
