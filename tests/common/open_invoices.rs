//! Many open invoices at once, past the service: copies of the one that the sandbox begins with, of a seller whose numbers are its own.

use std::ops::RangeInclusive;

use cps_api::domain::invoice::rf_reference;

/// Whose they are.
pub const SELLER: &str = "BEN";

/// What each of them is of, in cents.
pub const CENTS: i64 = 20_000;

/// The reference of the `n`-th, from 1.
pub fn reference(n: usize) -> String {
    rf_reference(&format!("{SELLER}{n:08}")).unwrap()
}

/// The statements that make those of `numbers`, one range after the other; `account` says in SQL whose the `n`-th is.
pub fn statements(numbers: RangeInclusive<usize>, account: impl Fn(usize) -> String) -> String {
    let one = |n: usize| {
        let (account, reference, issue_no) = (account(n), reference(n), n + 1);
        format!(
            "INSERT INTO invoices (id, account_id, membership_id, purchase_id, seller_terms_id, version, kind, issue_no, number, seller_key, year, seq,
                 status, issued_at, issued_date, due_date, collect_from, currency, net_cents, vat_cents, gross_cents, open_cents, payment_method,
                 payment_reference, content_version, content, created_at)
             SELECT '00000000-0000-7000-9000-{n:012x}', {account}, membership_id, purchase_id, seller_terms_id, 1, kind, {issue_no}, '{SELLER}-2026-{n}', '{SELLER}',
                 2026, {n}, 'open', issued_at, issued_date, due_date, collect_from, currency, {CENTS}, 0, {CENTS}, {CENTS}, 'bank_transfer', '{reference}',
                 content_version, content, created_at
             FROM invoices WHERE id = '00000000-0000-7000-8000-000000000002';\n"
        )
    };
    let last = *numbers.end();
    let all: String = numbers.map(one).collect();
    format!(
        "BEGIN;\n{all}INSERT INTO invoice_counters (seller, year, last) VALUES ('{SELLER}', 2026, {last})
             ON CONFLICT (seller, year) DO UPDATE SET last = excluded.last;\nCOMMIT;"
    )
}
