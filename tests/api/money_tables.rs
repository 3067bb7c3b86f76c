//! The database itself keeps money right: what it takes and what it refuses, whoever asks.

use crate::raw::Raw;
use crate::support::Database;

/// An id for each letter and number of the story.
fn id(letter: char, n: u32) -> String {
    let kind = u32::from(letter);
    format!("'{kind:08}-0000-7000-8000-0000000000{n:02}'")
}

/// A statement of the story with its ids, `#p1` for the first payment.
fn with_ids(statement: &str) -> String {
    let mut parts = statement.split('#');
    let mut sql = parts.next().unwrap().to_owned();
    for part in parts {
        let mut characters = part.chars();
        let letter = characters.next().unwrap();
        let n = characters.next().unwrap().to_digit(10).unwrap();
        sql += &id(letter, n);
        sql += characters.as_str();
    }
    sql
}

const AT: &str = "2026-11-26T12:00:00.000000Z";

/// What each kind of row says but for what the story is about.
fn row(sql: &str) -> String {
    let full = [
        (
            "ACCOUNT (id)",
            "accounts (account_number, status, version, company_name, company_key, country, vat_registered, street, postal_code, city, contact_name,
                contact_email, contact_email_key, language, authority_declared_at, authority_declared_from, terms_version, terms_accepted_at, created_at,
                updated_at, id) VALUES ('1', 'active', 1, 'a', 'a', 'DK', FALSE, 's', 'p', 'c', 'n', 'e', 'e', 'da', 'AT', 'f', 't', 'AT', 'AT', 'AT',",
        ),
        (
            "MEMBERSHIP (id, standing)",
            "memberships (account_id, version, member_number, level, status, starts_date, ends_date, payment_method, fee_cents, currency, points_at_joining,
                terms_version, created_at, id, standing) VALUES (#a1, 1, '1', 'gold', 'active', '2026-11-26', '2027-11-25', 'bank_transfer', 20000, 'EUR', 1000,
                't', 'AT',",
        ),
        (
            "INVOICE (id, number, seq, gross_cents, open_cents, status)",
            "invoices (account_id, membership_id, purchase_id, seller_terms_id, version, kind, issue_no, seller_key, year, issued_at, issued_date, due_date,
                collect_from, currency, net_cents, vat_cents, payment_method, content_version, content, created_at, id, number, seq, gross_cents, open_cents,
                status) VALUES (#a1, #m1, #u1, #s1, 1, 'invoice', 1, 'k', 2026, 'AT', '2026-11-26', '2026-12-26', '2026-12-26', 'EUR', 10000, 2100,
                'bank_transfer', 2, '{}', 'AT',",
        ),
        (
            "CREDIT_NOTE (id, number, seq, corrects_id, open_cents)",
            "invoices (account_id, membership_id, purchase_id, seller_terms_id, version, kind, issue_no, seller_key, year, issued_at, issued_date, currency,
                net_cents, vat_cents, gross_cents, payment_method, content_version, content, created_at, status, id, number, seq, corrects_id, open_cents)
                VALUES (#a1, #m1, #u1, #s1, 1, 'credit_note', 1, 'k', 2026, 'AT', '2026-11-26', 'EUR', 100, 0, 100, 'bank_transfer', 2, '{}', 'AT', 'open',",
        ),
        (
            "LINE (id, amount_cents, fingerprint)",
            "bank_transactions (statement_id, version, position, account, state, amount_text, currency, texts, is_reversal, has_charges, is_batch, ordinal,
                evidence, created_at, id, amount_cents, fingerprint) VALUES (#b1, 1, 0, 'NL', 'open', '', 'EUR', '[]', FALSE, FALSE, FALSE, 0, '[]', 'AT',",
        ),
        (
            "PAYMENT (id, bank_transaction_id, charge_id, amount_cents, open_cents, currency)",
            "payments (account_id, received_date, actor, created_at, id, bank_transaction_id, charge_id, amount_cents, open_cents, currency)
                VALUES (#a1, '2026-12-01', 'service:seed', 'AT',",
        ),
        (
            "ALLOCATION (id, invoice_id, payment_id, credit_note_id, written_off, amount_cents, reverses_id)",
            "allocations (actor, reason, created_at, id, invoice_id, payment_id, credit_note_id, written_off, amount_cents, reverses_id)
                VALUES ('service:seed', 'r', 'AT',",
        ),
        (
            "REFUND (id, payment_id, amount_cents, currency)",
            "refunds (version, kind, state, reason, payee_account, actor, created_at, idempotency_key, id, payment_id, amount_cents, currency)
                VALUES (1, 'bank_transfer', 'to_pay', 'r', 'NL', 'service:seed', 'AT',",
        ),
        (
            "CHARGE (attempt, id, initiator, charge_date, state, resolved_at)",
            "charges (invoice_id, version, amount_cents, currency, due_date, provider, asked, sent_at, sent_at_machine, created_at, idempotency_key, attempt, id,
                initiator, charge_date, state, resolved_at) VALUES (#i1, 1, 700, 'EUR', '2026-12-26', 'sandbox', 0, 'AT', 'AT', 'AT',",
        ),
    ];
    let mut sql = sql.to_owned();
    for (short, long) in full {
        sql = sql.replace(&format!("{short} VALUES ("), long);
    }
    with_ids(&sql.replace("'AT'", &format!("'{AT}'")))
}

/// One statement after another, and what it is refused with; those without are taken.
const STORY: &[(&str, &str)] = &[
    ("INSERT INTO ACCOUNT (id) VALUES (#a1)", ""),
    // A membership stands as it does while it is active.
    ("INSERT INTO MEMBERSHIP (id, standing) VALUES (#m1, NULL)", "memberships"),
    ("INSERT INTO MEMBERSHIP (id, standing) VALUES (#m1, 'suspended')", "memberships"),
    ("INSERT INTO MEMBERSHIP (id, standing) VALUES (#m1, 'current')", ""),
    ("UPDATE memberships SET status = 'ended', ended_at = 'AT', standing = NULL WHERE id = #m1", "memberships"),
    // What was sold under does not change.
    ("INSERT INTO seller_terms (id, seller_key, sha256, content, created_at) VALUES (#s1, 'k', 'h', '{}', 'AT')", ""),
    ("UPDATE seller_terms SET seller_key = 'l'", "seller_terms"),
    ("DELETE FROM seller_terms", "seller_terms"),
    (
        "INSERT INTO purchases (id, account_id, version, kind, state, membership_id, level, level_name, fee_cents, net_cents, currency, starts_date, ends_date,
            term_days, days_left, products, points, seller_terms_id, payment_method, terms_version, actor, created_at)
         VALUES (#u1, #a1, 1, 'join', 'started', #m1, 'gold', 'Gold', 20000, 20000, 'EUR', '2026-11-26', '2027-11-25', 365, 365, 0, 1000, #s1, 'bank_transfer',
            't', 'service:seed', 'AT')",
        "",
    ),
    (
        "INSERT INTO purchases (id, account_id, version, kind, state, membership_id, level, level_name, fee_cents, net_cents, currency, starts_date, ends_date,
            term_days, days_left, products, points, seller_terms_id, payment_method, terms_version, actor, created_at)
         VALUES (#u2, #a1, 1, 'join', 'started', #m1, 'gold', 'Gold', 20000, 20000, 'EUR', '2026-11-26', '2027-11-25', 365, 365, 0, 1000, #s1, 'bank_transfer',
            't', 'service:seed', 'AT')",
        "unique constraint",
    ),
    // An issued invoice never changes, and is open exactly while something of it is.
    ("INSERT INTO INVOICE (id, number, seq, gross_cents, open_cents, status) VALUES (#i1, 'N1', 1, 12101, 12101, 'open')", "check constraint"),
    ("INSERT INTO INVOICE (id, number, seq, gross_cents, open_cents, status) VALUES (#i1, 'N1', 1, 12100, 12100, 'paid')", "check constraint"),
    ("INSERT INTO INVOICE (id, number, seq, gross_cents, open_cents, status) VALUES (#i1, 'N1', 1, 12100, 12100, 'open')", ""),
    ("INSERT INTO INVOICE (id, number, seq, gross_cents, open_cents, status) VALUES (#i2, 'N2', 2, 12100, 12100, 'open')", "unique constraint"),
    ("UPDATE invoices SET gross_cents = 12000, net_cents = 9900, open_cents = 12000 WHERE id = #i1", "never change"),
    ("UPDATE invoices SET due_date = '2027-01-26' WHERE id = #i1", "never change"),
    ("UPDATE invoices SET purchase_id = NULL WHERE id = #i1", "never change"),
    ("DELETE FROM invoices", "never change"),
    ("UPDATE invoices SET payment_reference = 'RF1', paused_until = '2027-01-01', collect_from = '2027-01-01' WHERE id = #i1", ""),
    ("UPDATE invoices SET payment_reference = 'RF2' WHERE id = #i1", "never change"),
    // The payments of a line are never more than it.
    (
        "INSERT INTO bank_statements (id, version, file_sha256, format, message_id, statement_ref, sequence, page, last_page, account, currency, from_date,
            to_date, opening, closing, state, reversals_inverted, booked_sum, reversed_sum, lines_new, lines_seen, lines_pending, imported_by, created_at)
         VALUES (#b1, 1, 'h', 'csv', '', '', '', 1, TRUE, 'NL', 'EUR', '', '', '', '', 'booked', FALSE, '0', '0', 0, 0, 0, 'service:seed', 'AT')",
        "",
    ),
    ("INSERT INTO LINE (id, amount_cents, fingerprint) VALUES (#t1, 20000, 'f1')", ""),
    ("INSERT INTO LINE (id, amount_cents, fingerprint) VALUES (#t2, 20000, 'f1')", "unique constraint"),
    ("INSERT INTO LINE (id, amount_cents, fingerprint) VALUES (#t2, NULL, 'f2')", ""),
    ("INSERT INTO PAYMENT (id, bank_transaction_id, charge_id, amount_cents, open_cents, currency) VALUES (#p1, #t1, NULL, 12000, 12000, 'EUR')", ""),
    ("INSERT INTO PAYMENT (id, bank_transaction_id, charge_id, amount_cents, open_cents, currency) VALUES (#p2, #t1, NULL, 8001, 8001, 'EUR')", "more than its line"),
    ("INSERT INTO PAYMENT (id, bank_transaction_id, charge_id, amount_cents, open_cents, currency) VALUES (#p2, #t2, NULL, 1, 1, 'EUR')", "more than its line"),
    ("INSERT INTO PAYMENT (id, bank_transaction_id, charge_id, amount_cents, open_cents, currency) VALUES (#p2, #t1, NULL, 8000, 8000, 'DKK')", "another currency"),
    ("INSERT INTO PAYMENT (id, bank_transaction_id, charge_id, amount_cents, open_cents, currency) VALUES (#p2, NULL, NULL, 1, 1, 'EUR')", "check constraint"),
    ("INSERT INTO PAYMENT (id, bank_transaction_id, charge_id, amount_cents, open_cents, currency) VALUES (#p2, #t1, NULL, 8000, 8000, 'EUR')", ""),
    // No cent is placed twice, and placing moves both sides.
    ("INSERT INTO ALLOCATION (id, invoice_id, payment_id, credit_note_id, written_off, amount_cents, reverses_id) VALUES (#l1, #i1, #p1, NULL, FALSE, 12000, NULL)", ""),
    ("INSERT INTO ALLOCATION (id, invoice_id, payment_id, credit_note_id, written_off, amount_cents, reverses_id) VALUES (#l2, #i1, #p1, NULL, FALSE, 1, NULL)", "check constraint"),
    ("INSERT INTO ALLOCATION (id, invoice_id, payment_id, credit_note_id, written_off, amount_cents, reverses_id) VALUES (#l2, #i1, #p2, NULL, FALSE, 101, NULL)", "check constraint"),
    ("INSERT INTO ALLOCATION (id, invoice_id, payment_id, credit_note_id, written_off, amount_cents, reverses_id) VALUES (#l2, #i1, NULL, NULL, FALSE, 1, NULL)", "check constraint"),
    ("INSERT INTO ALLOCATION (id, invoice_id, payment_id, credit_note_id, written_off, amount_cents, reverses_id) VALUES (#l2, #i1, #p2, NULL, TRUE, 1, NULL)", "check constraint"),
    ("INSERT INTO ALLOCATION (id, invoice_id, payment_id, credit_note_id, written_off, amount_cents, reverses_id) VALUES (#l2, #i1, #p2, NULL, FALSE, 100, NULL)", ""),
    ("UPDATE allocations SET amount_cents = 1", "never change"),
    ("DELETE FROM allocations", "never change"),
    // A reversal takes back one allocation whole, once.
    ("INSERT INTO ALLOCATION (id, invoice_id, payment_id, credit_note_id, written_off, amount_cents, reverses_id) VALUES (#l3, #i1, #p2, NULL, FALSE, -99, #l2)", "takes back one allocation whole"),
    ("INSERT INTO ALLOCATION (id, invoice_id, payment_id, credit_note_id, written_off, amount_cents, reverses_id) VALUES (#l3, #i1, #p1, NULL, FALSE, -100, #l2)", "takes back one allocation whole"),
    ("INSERT INTO ALLOCATION (id, invoice_id, payment_id, credit_note_id, written_off, amount_cents, reverses_id) VALUES (#l3, #i1, #p2, NULL, FALSE, -100, #l2)", ""),
    ("INSERT INTO ALLOCATION (id, invoice_id, payment_id, credit_note_id, written_off, amount_cents, reverses_id) VALUES (#l4, #i1, #p2, NULL, FALSE, -100, #l2)", "unique constraint"),
    // A credit note names its invoice, and pays invoices only.
    ("INSERT INTO CREDIT_NOTE (id, number, seq, corrects_id, open_cents) VALUES (#i3, 'N3', 3, NULL, 100)", "check constraint"),
    ("INSERT INTO CREDIT_NOTE (id, number, seq, corrects_id, open_cents) VALUES (#i3, 'N3', 3, #i1, 100)", ""),
    ("INSERT INTO ALLOCATION (id, invoice_id, payment_id, credit_note_id, written_off, amount_cents, reverses_id) VALUES (#l4, #i3, NULL, #i3, FALSE, 50, NULL)", "pays no credit note"),
    ("INSERT INTO ALLOCATION (id, invoice_id, payment_id, credit_note_id, written_off, amount_cents, reverses_id) VALUES (#l4, #i1, NULL, #i1, FALSE, 50, NULL)", "pays no credit note"),
    ("INSERT INTO ALLOCATION (id, invoice_id, payment_id, credit_note_id, written_off, amount_cents, reverses_id) VALUES (#l4, #i1, NULL, #i3, FALSE, 100, NULL)", ""),
    // What is taken back is placed no more, and its line has room again.
    ("UPDATE payments SET taken_back_at = 'AT' WHERE id = #p1", "check constraint"),
    ("UPDATE payments SET amount_cents = 1 WHERE id = #p1", "payments:"),
    ("UPDATE payments SET taken_back_at = 'AT' WHERE id = #p2", ""),
    ("UPDATE payments SET taken_back_at = NULL WHERE id = #p2", "payments:"),
    ("DELETE FROM payments", "payments:"),
    ("INSERT INTO PAYMENT (id, bank_transaction_id, charge_id, amount_cents, open_cents, currency) VALUES (#p3, #t1, NULL, 8000, 8000, 'EUR')", ""),
    // No more goes back than came, and what failed is final.
    ("INSERT INTO REFUND (id, payment_id, amount_cents, currency) VALUES ('k1', #r1, #p2, 1, 'EUR')", "not of what came"),
    ("INSERT INTO REFUND (id, payment_id, amount_cents, currency) VALUES ('k1', #r1, #p3, 1, 'DKK')", "not of what came"),
    ("INSERT INTO REFUND (id, payment_id, amount_cents, currency) VALUES ('k1', #r1, #p3, 5000, 'EUR')", ""),
    ("INSERT INTO REFUND (id, payment_id, amount_cents, currency) VALUES ('k2', #r2, #p3, 3001, 'EUR')", "check constraint"),
    // A line of money out paid one refund, of its amount.
    ("INSERT INTO LINE (id, amount_cents, fingerprint) VALUES (#t3, -5000, 'f3')", ""),
    ("INSERT INTO LINE (id, amount_cents, fingerprint) VALUES (#t4, -4999, 'f4')", ""),
    ("UPDATE bank_transactions SET state = 'matched' WHERE id = #t3", ""),
    ("UPDATE refunds SET state = 'succeeded', bank_transaction_id = #t4 WHERE id = #r1", "not what its line paid"),
    ("UPDATE refunds SET bank_transaction_id = #t3 WHERE id = #r1", "check constraint"),
    ("UPDATE refunds SET state = 'succeeded', paid_date = '2027-01-01', bank_transaction_id = #t3 WHERE id = #r1", ""),
    ("UPDATE refunds SET bank_transaction_id = NULL WHERE id = #r1", "refunds: final"),
    ("UPDATE refunds SET state = 'to_pay' WHERE id = #r1", "refunds: final"),
    ("UPDATE refunds SET state = 'failed' WHERE id = #r1", ""),
    ("UPDATE refunds SET state = 'succeeded' WHERE id = #r1", "refunds: final"),
    ("DELETE FROM refunds", "refunds:"),
    // A card is charged on the due date at the earliest, once at a time, and pays what was charged.
    ("INSERT INTO CHARGE (attempt, id, initiator, charge_date, state, resolved_at) VALUES ('k1', 1, #c1, 'schedule', '2026-12-25', 'declined', 'AT')", "charges_never_early"),
    ("INSERT INTO CHARGE (attempt, id, initiator, charge_date, state, resolved_at) VALUES ('k1', 1, #c1, 'customer', '2026-12-25', 'declined', 'AT')", ""),
    ("INSERT INTO CHARGE (attempt, id, initiator, charge_date, state, resolved_at) VALUES ('k2', 2, #c2, 'schedule', '2026-12-26', 'unknown', NULL)", ""),
    ("INSERT INTO CHARGE (attempt, id, initiator, charge_date, state, resolved_at) VALUES ('k3', 3, #c3, 'customer', '2026-12-26', 'sending', NULL)", "unique constraint"),
    ("UPDATE charges SET state = 'succeeded', resolved_at = 'AT' WHERE id = #c2", ""),
    ("INSERT INTO PAYMENT (id, bank_transaction_id, charge_id, amount_cents, open_cents, currency) VALUES (#p4, NULL, #c2, 699, 699, 'EUR')", "not what was charged"),
    ("INSERT INTO PAYMENT (id, bank_transaction_id, charge_id, amount_cents, open_cents, currency) VALUES (#p4, NULL, #c2, 700, 700, 'EUR')", ""),
    ("INSERT INTO PAYMENT (id, bank_transaction_id, charge_id, amount_cents, open_cents, currency) VALUES (#p5, NULL, #c2, 700, 700, 'EUR')", "unique constraint"),
];

#[test]
fn the_database_takes_what_adds_up_and_nothing_else() {
    let database = Database::create();
    database.falsified();
    let mut raw = Raw::migrated(&database);
    for (statement, why) in STORY {
        let outcome = raw.run(&row(statement)).map_err(|error| error.to_string());
        match outcome {
            Ok(_) => assert!(why.is_empty(), "taken: {statement}"),
            Err(error) => {
                let told = error.to_lowercase();
                assert!(
                    !why.is_empty() && told.contains(why),
                    "{statement}: {error}"
                );
            }
        }
    }
    let open =
        "SELECT number || ' ' || status || ' ' || open_cents AS line FROM invoices ORDER BY number";
    assert_eq!(raw.lines(open), ["N1 paid 0", "N3 paid 0"]);
    let payments = "SELECT amount_cents || ' ' || open_cents AS line FROM payments ORDER BY id";
    assert_eq!(
        raw.lines(payments),
        ["12000 0", "8000 8000", "8000 8000", "700 700"]
    );
}
