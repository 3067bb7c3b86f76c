//! Issuing invoices from the queue, to the same statements by tokio-postgres, each invoice in a transaction of its own.

use std::time::{Duration, Instant};

use tokio_postgres::{Client, NoTls, Statement};
use uuid::Uuid;

use super::bare::Bare;
use crate::child::Folder;
use crate::number;

const PAST: &str = "2026-01-01T00:00:00.000000Z";
/// The place of a purchase, a membership or a job among those of one round.
fn id(group: &str, round: usize) -> String {
    format!("('00000000-0000-7000-{group}-' || lpad(to_hex({round} * 1000000 + n), 12, '0'))::uuid")
}

/// Memberships that were bought by so many accounts and are not invoiced yet.
fn purchases(round: usize, count: usize) -> String {
    let (membership, purchase) = (id("d000", round), id("d001", round));
    format!(
        "INSERT INTO memberships (id, account_id, version, member_number, level, status, starts_date, ends_date, payment_method, fee_cents, currency,
             points_at_joining, terms_version, created_at, ended_at, ended_reason, seller_terms_id)
         SELECT {membership}, ('00000000-0000-7000-9000-' || lpad(to_hex(n % 1000 + 1), 12, '0'))::uuid, 1, '0', 'gold', 'ended', '2026-01-01', '2026-12-31',
             'bank_transfer', 20000, 'EUR', 1000, '2026-01', '{PAST}', '{PAST}', 'expired', (SELECT id FROM seller_terms ORDER BY id LIMIT 1)
         FROM generate_series(1, {count}) AS n;
         INSERT INTO purchases (id, account_id, version, kind, state, membership_id, level, level_name, fee_cents, net_cents, currency, starts_date, ends_date,
             term_days, days_left, products, points, seller_terms_id, payment_method, terms_version, actor, created_at)
         SELECT {purchase}, m.account_id, 1, 'join', 'started', m.id, m.level, 'Gold', m.fee_cents, m.fee_cents, m.currency, m.starts_date, m.ends_date, 365, 365, 0,
             1000, m.seller_terms_id, m.payment_method, m.terms_version, 'service:seed', m.created_at
         FROM generate_series(1, {count}) AS n JOIN memberships m ON m.id = {membership}"
    )
}

/// The jobs that invoice them.
fn jobs(round: usize, count: usize) -> String {
    let (purchase, job) = (id("d001", round), id("d002", round));
    let wire = format!("'pur_' || replace(CAST({purchase} AS TEXT), '-', '')");
    format!(
        "INSERT INTO jobs (id, kind, key, payload, state, run_at, attempts, created_at, queue)
         SELECT {job}, 'issue_invoice', 'issue_invoice:' || {wire},
             ('{{\"task\":\"issue_invoice\",\"purchase_id\":\"' || {wire} || '\"}}')::jsonb, 'ready', '{PAST}', 0, '{PAST}', 'invoices'
         FROM generate_series(1, {count}) AS n"
    )
}

/// What is asked and written for each invoice, in this order.
const SQL: [&str; 15] = [
    "UPDATE jobs SET state = 'running', lease = 'bench', attempts = attempts + 1 WHERE id = $1",
    "SELECT * FROM purchases WHERE id = $1",
    "SELECT a.* FROM accounts a JOIN purchases p ON p.account_id = a.id WHERE p.id = $1 FOR UPDATE OF a",
    "SELECT 1 FROM invoices WHERE purchase_id = $1 AND kind = 'invoice' LIMIT 1",
    "SELECT m.* FROM memberships m JOIN purchases p ON p.membership_id = m.id WHERE p.id = $1",
    "SELECT t.* FROM seller_terms t JOIN purchases p ON p.seller_terms_id = t.id WHERE p.id = $1",
    "SELECT b.* FROM billing_profiles b JOIN purchases p ON p.account_id = b.account_id WHERE p.id = $1",
    "INSERT INTO invoice_counters (seller, year, last) VALUES ('BARE', 2026, 1) ON CONFLICT (seller, year) DO UPDATE SET last = invoice_counters.last + 1 RETURNING last",
    "INSERT INTO invoices (id, account_id, membership_id, purchase_id, seller_terms_id, version, kind, issue_no, number, seller_key, year, seq, status, issued_at,
         issued_date, due_date, collect_from, currency, net_cents, vat_cents, gross_cents, open_cents, payment_method, payment_reference, content_version, content,
         created_at)
     SELECT $1, p.account_id, p.membership_id, p.id, p.seller_terms_id, 1, 'invoice', 1, 'BARE-' || $3::bigint, 'BARE', 2026, $3, 'open', now(), current_date,
         current_date + 30, current_date + 30, p.currency, p.net_cents, 0, p.net_cents, p.net_cents, p.payment_method, 'BARE' || $3::bigint, 2, i.content, now()
     FROM purchases p, invoices i WHERE p.id = $2 AND i.id = '00000000-0000-7000-8000-000000000002'",
    "INSERT INTO jobs (id, kind, key, payload, state, run_at, attempts, created_at, queue)
     VALUES ($1, 'render_invoice', 'bare:render:' || $1::uuid::text, '{}', 'done', now(), 0, now(), 'invoices')",
    "INSERT INTO event_inbox (id, stream, resource, type, version, data, actor, reason, request_id, created_at)
     VALUES ($1, 'acc_1', 'inv_1', 'invoice.issued', 1, '{\"account_id\":\"acc_00000000000070009000000000000001\",\"number\":\"BARE-2026-000001\"}',
         'service:bench', NULL, NULL, now())",
    "SELECT y.* FROM payments y JOIN purchases p ON p.account_id = y.account_id WHERE p.id = $1 AND y.open_cents > 0 FOR UPDATE OF y",
    "INSERT INTO jobs (id, kind, key, payload, state, run_at, attempts, created_at, queue)
     VALUES ($1, 'watch_invoice', 'bare:watch:' || $1::uuid::text, '{}', 'done', now(), 0, now(), 'invoices')",
    "WITH mail AS (INSERT INTO mails (id, to_address, to_key, template, language, created_at, sent_at)
         VALUES ($1, 'a@cps.example', 'a@cps.example', 'invoice_issued', 'da', now(), now()))
     INSERT INTO jobs (id, kind, key, payload, state, run_at, attempts, created_at, queue)
     VALUES ($1, 'send_mail', 'bare:mail:' || $1::uuid::text, '{}', 'done', now(), 0, now(), 'mail')",
    "UPDATE jobs SET state = 'done', finished_at = now() WHERE id = $1",
];

/// How many invoices a second each side issues.
pub async fn measure(folder: &Folder) {
    let count = usize::try_from(number("BENCH_INVOICES", 1000)).unwrap();
    let mut bare = Bare::open(&folder.postgres);
    bare.run(&purchases(1, count));
    bare.run(&purchases(2, count));
    bare.run(&jobs(2, count));
    bare.run("UPDATE jobs SET state = 'done', finished_at = now() WHERE key LIKE 'issue_invoice:pur_0000000000007000d001%'");
    bare.run("ANALYZE");
    let least = by_tokio_postgres(&folder.postgres, count).await;
    let mut service = folder.service(&folder.postgres);
    service.ready().await;
    let before = bare.count("invoices");
    bare.run(&jobs(1, count));
    let begun = Instant::now();
    while bare.count("invoices") < before + count {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let issued = begun.elapsed();
    bare.settle();
    let per_second =
        |taken: Duration| f64::from(u32::try_from(count).unwrap()) / taken.as_secs_f64();
    println!(
        "  issuing {count} invoices: {:.0}/s, tokio-postgres {:.0}/s: {:.2}; with documents and mails all is done after {:.1} s",
        per_second(issued),
        per_second(least),
        per_second(issued) / per_second(least),
        begun.elapsed().as_secs_f64()
    );
}

/// The same by one connection; how long it took.
async fn by_tokio_postgres(url: &str, count: usize) -> Duration {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    let mut statements = Vec::new();
    for sql in SQL {
        statements.push(
            client
                .prepare(sql)
                .await
                .unwrap_or_else(|error| panic!("{error:?}: {sql}")),
        );
    }
    let begun = Instant::now();
    for n in 1..=count {
        client.batch_execute("BEGIN").await.unwrap();
        one(&client, &statements, n).await;
        client.batch_execute("COMMIT").await.unwrap();
    }
    begun.elapsed()
}

async fn one(client: &Client, statements: &[Statement], n: usize) {
    let id = |group: &str| -> Uuid {
        let n = 2_000_000 + n;
        format!("00000000-0000-7000-{group}-{n:012x}")
            .parse()
            .unwrap()
    };
    let (job, purchase, new) = (id("d002"), id("d001"), Uuid::now_v7());
    let mut seq = 0_i64;
    for (at, statement) in statements.iter().enumerate() {
        match at {
            0 | 14 => drop(client.execute(statement, &[&job]).await.unwrap()),
            7 => seq = client.query_one(statement, &[]).await.unwrap().get(0),
            8 => drop(
                client
                    .execute(statement, &[&new, &purchase, &seq])
                    .await
                    .unwrap(),
            ),
            9 | 10 | 12 | 13 => drop(client.execute(statement, &[&Uuid::now_v7()]).await.unwrap()),
            _ => drop(client.query(statement, &[&purchase]).await.unwrap()),
        }
    }
}
