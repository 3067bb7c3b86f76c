//! The check of the books over a million allocations, to three of its sums in bare SQL.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use super::bare::Bare;
use crate::child::Folder;
use crate::number;

/// The sums of payments, invoices and lines, without saying whose they are.
const SUMS: [&str; 3] = [
    "SELECT count(*) FROM payments p LEFT JOIN (SELECT payment_id, sum(amount_cents) AS placed FROM allocations GROUP BY payment_id) a
         ON a.payment_id = p.id WHERE p.amount_cents <> p.open_cents + coalesce(a.placed, 0)",
    "SELECT count(*) FROM invoices i LEFT JOIN (SELECT invoice_id, sum(amount_cents) AS placed FROM allocations GROUP BY invoice_id) a
         ON a.invoice_id = i.id WHERE i.kind = 'invoice' AND i.gross_cents <> i.open_cents + coalesce(a.placed, 0)",
    "SELECT count(*) FROM bank_transactions t JOIN (SELECT bank_transaction_id, sum(amount_cents) AS paid FROM payments GROUP BY bank_transaction_id) p
         ON p.bank_transaction_id = t.id WHERE p.paid > t.amount_cents",
];

/// As many allocations as `count`: each of ten payments of an invoice in four parts. Their triggers would take an hour, and what they say is right as it is made.
fn fill(count: usize) -> String {
    let (payments, invoices) = (count / 4, count / 40);
    let uuid = |group: &str, n: &str| {
        format!("('00000000-0000-7000-{group}-' || lpad(to_hex({n}), 12, '0'))::uuid")
    };
    let (invoice, line, payment, allocation) = (
        uuid("c000", "(n - 1) / 10 + 1"),
        uuid("c001", "n"),
        uuid("c002", "n"),
        uuid("c003", "n * 4 + part"),
    );
    let of = uuid("c000", "n");
    let (statement, sum) = (uuid("c004", "1"), payments * 20);
    format!(
        "BEGIN; SET LOCAL session_replication_role = replica;
         INSERT INTO invoices (id, account_id, membership_id, purchase_id, seller_terms_id, version, kind, issue_no, number, seller_key, year, seq, status,
             issued_at, issued_date, due_date, collect_from, currency, net_cents, vat_cents, gross_cents, open_cents, payment_method, payment_reference,
             content_version, content, created_at)
         SELECT {of}, account_id, membership_id, purchase_id, seller_terms_id, 1, kind, 1000000 + n, 'LED-' || n, 'LED', 2026, n, 'paid', issued_at, issued_date,
             due_date, collect_from, currency, net_cents, vat_cents, gross_cents, 0, 'bank_transfer', 'LED' || n, content_version, content, created_at
         FROM generate_series(1, {invoices}) AS n, invoices i WHERE i.id = '00000000-0000-7000-8000-000000000002';
         INSERT INTO invoice_counters (seller, year, last) VALUES ('LED', 2026, {invoices});
         INSERT INTO bank_statements (id, version, file_sha256, format, message_id, statement_ref, sequence, page, last_page, account, currency, from_date,
             to_date, opening, closing, state, reversals_inverted, booked_sum, reversed_sum, lines_new, lines_seen, lines_pending, imported_by, created_at)
         VALUES ({statement}, 2, repeat('0', 64), 'camt.053', 'LED', 'LED', '1', 1, TRUE, 'LED', 'EUR', '2026-12-22', '2026-12-22', '0.00', '{sum}.00', 'booked',
             FALSE, '{sum}.00', '0.00', {payments}, 0, 0, 'service:bench', now());
         INSERT INTO bank_transactions (id, statement_id, version, position, account, state, amount_cents, amount_text, currency, booking_date, value_date, texts,
             is_reversal, has_charges, is_batch, fingerprint, ordinal, evidence, created_at)
         SELECT {line}, {statement}, 2, n, 'LED', 'matched', 2000, '20.00', 'EUR', DATE '2026-12-22', DATE '2026-12-22',
             '[]', FALSE, FALSE, FALSE, 'LED' || n, 0, '[]', now() FROM generate_series(1, {payments}) AS n;
         INSERT INTO payments (id, account_id, bank_transaction_id, amount_cents, open_cents, currency, received_date, actor, created_at)
         SELECT {payment}, i.account_id, {line}, 2000, 0, 'EUR', DATE '2026-12-22', 'service:bench', now()
         FROM generate_series(1, {payments}) AS n, invoices i WHERE i.id = '00000000-0000-7000-8000-000000000002';
         INSERT INTO allocations (id, invoice_id, payment_id, written_off, amount_cents, actor, created_at)
         SELECT {allocation}, {invoice}, {payment}, FALSE, 500, 'service:bench', now()
         FROM generate_series(1, {payments}) AS n, generate_series(1, 4) AS part;
         COMMIT; ANALYZE invoices; ANALYZE bank_transactions; ANALYZE payments; ANALYZE allocations"
    )
}

/// What the command takes, its start included, to the sums.
pub fn measure(folder: &Folder) {
    let mut bare = Bare::open(&folder.postgres);
    let count = usize::try_from(number("BENCH_ALLOCATIONS", 1_000_000)).unwrap();
    bare.run(&fill(count));
    let (mut ours, mut least) = (f64::MAX, f64::MAX);
    for _ in 0..3 {
        let begun = Instant::now();
        for sum in SUMS {
            bare.run(sum);
        }
        least = least.min(begun.elapsed().as_secs_f64());
        let begun = Instant::now();
        let verified = Command::new(Path::new(env!("CARGO_BIN_EXE_cps-api")))
            .arg("verify-ledger")
            .current_dir(folder.path())
            .env_clear()
            .env("DATABASE_URL", &folder.postgres)
            .output()
            .unwrap();
        ours = ours.min(begun.elapsed().as_secs_f64());
        assert!(verified.status.success(), "{verified:?}");
    }
    println!(
        "  the books of {count} allocations: {ours:.1} s, three sums in bare SQL {least:.1} s: {:.1}",
        ours / least
    );
}
