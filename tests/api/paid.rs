//! Money that came by bank, as it stands once it was matched: written past the service, so that a test has it at once and knows who paid.

use crate::support::TestApp;

/// The account that everybody pays from.
pub const PAYER: &str = "DK5000400440116243";

/// A payment of `cents` euro cents for an account, all of it on an invoice where one is named and else open; its id.
pub fn paid(app: &TestApp, account: &str, invoice: Option<&str>, cents: i64) -> String {
    let [statement, line, payment, allocation] = [(); 4].map(|()| uuid::Uuid::now_v7());
    let id_of = |id: &str| uuid::Uuid::parse_str(id.rsplit('_').next().unwrap()).unwrap();
    let (account, text) = (
        id_of(account),
        format!("{}.{:02}", cents / 100, cents % 100),
    );
    let at = "2026-12-01T12:00:00.000000Z";
    app.database.execute(&format!(
        "INSERT INTO bank_statements (id, version, file_sha256, format, message_id, statement_ref, sequence, page, last_page, account, currency, from_date, to_date,
             opening, closing, state, reversals_inverted, booked_sum, reversed_sum, lines_new, lines_seen, lines_pending, imported_by, created_at)
         VALUES ('{statement}', 1, '{statement}', 'camt.053', '{statement}', '{statement}', '', 1, TRUE, 'NL', 'EUR', '2026-12-01', '2026-12-01',
             '0.00', '{text}', 'booked', FALSE, '{text}', '0.00', 1, 0, 0, 'service:seed', '{at}');
         INSERT INTO bank_transactions (id, statement_id, version, position, account, state, amount_cents, amount_text, currency, booking_date, value_date, texts,
             payer_name, payer_account, is_reversal, has_charges, is_batch, fingerprint, ordinal, evidence, created_at)
         VALUES ('{line}', '{statement}', 1, 0, 'NL', 'matched', {cents}, '{text}', 'EUR', '2026-12-01', '2026-12-01', '[]',
             '=Foto Nord', '{PAYER}', FALSE, FALSE, FALSE, '{line}', 0, '{{\"clues\":[],\"candidates\":[]}}', '{at}');
         INSERT INTO payments (id, account_id, bank_transaction_id, amount_cents, open_cents, currency, received_date, actor, created_at)
         VALUES ('{payment}', '{account}', '{line}', {cents}, {cents}, 'EUR', '2026-12-01', 'service:seed', '{at}')"
    ));
    if let Some(invoice) = invoice {
        let invoice = id_of(invoice);
        app.database.execute(&format!(
            "INSERT INTO allocations (id, invoice_id, payment_id, written_off, amount_cents, actor, created_at)
             VALUES ('{allocation}', '{invoice}', '{payment}', FALSE, {cents}, 'service:seed', '{at}')"
        ));
    }
    format!("pay_{}", payment.simple())
}
