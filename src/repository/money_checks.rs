//! What has to hold between the rows of money, asked of all of them at once: each check finds the first row that breaks it. What invoices say is not read here.

use diesel::prelude::*;
use diesel::sql_types::Text;

use super::DbConn;
use super::schema::invoices;
use crate::domain::invoice::InvoiceId;
use crate::error::Result;

/// Something that has to hold for every row of a kind.
#[derive(Debug, Clone, Copy)]
pub struct Check {
    /// As the design calls it.
    pub name: &'static str,
    /// What begins the id of such a row.
    pub prefix: &'static str,
    /// Finds the first row that breaks it: its id, what it says, and what it comes to.
    sql: &'static str,
}

/// Every check, in the order of their names.
pub const CHECKS: [Check; 14] = [
    Check {
        name: "M1: what came is open, placed or given back",
        prefix: "pay_",
        sql: "SELECT CAST(p.id AS TEXT) AS id, CAST(p.amount_cents AS TEXT) AS says,
                CAST(p.open_cents + COALESCE(a.placed, 0) + COALESCE(r.returned, 0) AS TEXT) AS comes_to
            FROM payments p
            LEFT JOIN (SELECT payment_id, SUM(amount_cents) AS placed FROM allocations WHERE payment_id IS NOT NULL GROUP BY payment_id) a
                ON a.payment_id = p.id
            LEFT JOIN (SELECT payment_id, SUM(amount_cents) AS returned FROM refunds WHERE state <> 'failed' GROUP BY payment_id) r
                ON r.payment_id = p.id
            WHERE p.amount_cents <> p.open_cents + COALESCE(a.placed, 0) + COALESCE(r.returned, 0)
            ORDER BY p.id LIMIT 1",
    },
    Check {
        name: "M2: an invoice is open or settled",
        prefix: "inv_",
        sql: "SELECT CAST(i.id AS TEXT) AS id, CAST(i.gross_cents AS TEXT) AS says,
                CAST(i.open_cents + COALESCE(a.placed, 0) AS TEXT) AS comes_to
            FROM invoices i
            LEFT JOIN (SELECT invoice_id, SUM(amount_cents) AS placed FROM allocations GROUP BY invoice_id) a ON a.invoice_id = i.id
            WHERE i.kind = 'invoice' AND i.gross_cents <> i.open_cents + COALESCE(a.placed, 0)
            ORDER BY i.id LIMIT 1",
    },
    Check {
        name: "M3: a credit note is open or placed",
        prefix: "inv_",
        sql: "SELECT CAST(i.id AS TEXT) AS id, CAST(i.gross_cents AS TEXT) AS says,
                CAST(i.open_cents + COALESCE(a.placed, 0) AS TEXT) AS comes_to
            FROM invoices i
            LEFT JOIN (SELECT credit_note_id, SUM(amount_cents) AS placed FROM allocations WHERE credit_note_id IS NOT NULL GROUP BY credit_note_id) a
                ON a.credit_note_id = i.id
            WHERE i.kind = 'credit_note' AND i.gross_cents <> i.open_cents + COALESCE(a.placed, 0)
            ORDER BY i.id LIMIT 1",
    },
    Check {
        name: "M3: a reversal takes back one allocation whole",
        prefix: "alc_",
        sql: "SELECT CAST(r.id AS TEXT) AS id, CAST(r.amount_cents AS TEXT) AS says, CAST(-o.amount_cents AS TEXT) AS comes_to
            FROM allocations r JOIN allocations o ON o.id = r.reverses_id
            WHERE r.amount_cents <> -o.amount_cents OR r.invoice_id <> o.invoice_id
            ORDER BY r.id LIMIT 1",
    },
    Check {
        name: "M4: a purchase costs what its fees come to",
        prefix: "pur_",
        sql: "SELECT CAST(p.id AS TEXT) AS id, CAST(p.net_cents AS TEXT) AS says, CAST(p.comes_to AS TEXT) AS comes_to
            FROM (
                SELECT id, net_cents, CASE
                    WHEN kind <> 'upgrade' THEN fee_cents
                    WHEN fee_cents <= from_fee_cents THEN 0
                    ELSE (2 * (fee_cents - from_fee_cents) * days_left + term_days) / (2 * term_days)
                END AS comes_to
                FROM purchases
            ) p
            WHERE p.net_cents <> p.comes_to
            ORDER BY p.id LIMIT 1",
    },
    Check {
        name: "M4: the fee of a membership is that of what was bought",
        prefix: "mem_",
        sql: "SELECT CAST(m.id AS TEXT) AS id, CAST(m.fee_cents AS TEXT) AS says, CAST(p.fee_cents AS TEXT) AS comes_to
            FROM memberships m JOIN purchases p ON p.membership_id = m.id AND p.kind = 'join'
            WHERE m.fee_cents <> p.fee_cents
                AND NOT EXISTS (SELECT 1 FROM purchases o WHERE o.membership_id = m.id AND o.kind <> 'join' AND o.state = 'started')
            ORDER BY m.id LIMIT 1",
    },
    Check {
        name: "M4: credit notes take back no more than their invoice",
        prefix: "inv_",
        sql: "SELECT CAST(i.id AS TEXT) AS id, CAST(i.net_cents AS TEXT) || ' and VAT ' || CAST(i.vat_cents AS TEXT) AS says,
                CAST(n.net AS TEXT) || ' and VAT ' || CAST(n.vat AS TEXT) AS comes_to
            FROM (SELECT corrects_id, SUM(net_cents) AS net, SUM(vat_cents) AS vat FROM invoices WHERE corrects_id IS NOT NULL GROUP BY corrects_id) n
            JOIN invoices i ON i.id = n.corrects_id
            WHERE n.net > i.net_cents OR n.vat > i.vat_cents
            ORDER BY i.id LIMIT 1",
    },
    Check {
        name: "M5: a charge that succeeded is one payment of its amount",
        prefix: "chg_",
        sql: "SELECT CAST(c.id AS TEXT) AS id, CAST(c.amount_cents AS TEXT) AS says,
                CAST(COALESCE(SUM(p.amount_cents), 0) AS TEXT) AS comes_to
            FROM charges c LEFT JOIN payments p ON p.charge_id = c.id
            GROUP BY c.id, c.state, c.amount_cents
            HAVING (c.state = 'succeeded' AND (COUNT(p.id) <> 1 OR SUM(p.amount_cents) <> c.amount_cents)) OR (c.state <> 'succeeded' AND COUNT(p.id) > 0)
            ORDER BY c.id LIMIT 1",
    },
    Check {
        name: "M6: what an invoice is called fits what is open of it",
        prefix: "inv_",
        sql: "SELECT CAST(i.id AS TEXT) AS id, i.status AS says, CAST(i.open_cents AS TEXT) || ' open' AS comes_to
            FROM invoices i
            LEFT JOIN (SELECT invoice_id, SUM(amount_cents) AS credited FROM allocations WHERE credit_note_id IS NOT NULL GROUP BY invoice_id) a
                ON a.invoice_id = i.id
            WHERE (i.status = 'open') <> (i.open_cents > 0) OR (i.status = 'credited' AND COALESCE(a.credited, 0) <> i.gross_cents)
                OR (i.status = 'paid' AND i.kind = 'invoice' AND i.gross_cents > 0 AND COALESCE(a.credited, 0) = i.gross_cents)
            ORDER BY i.id LIMIT 1",
    },
    Check {
        name: "M7: the numbers of a seller's year have no gap",
        prefix: "",
        sql: "SELECT seller_key || ' ' || CAST(year AS TEXT) AS id, CAST(MAX(seq) AS TEXT) AS says, CAST(COUNT(*) AS TEXT) AS comes_to
            FROM invoices GROUP BY seller_key, year
            HAVING COUNT(*) <> MAX(seq) OR MIN(seq) <> 1
            ORDER BY seller_key, year LIMIT 1",
    },
    Check {
        name: "M7: the counter of a seller's year is its last number",
        prefix: "",
        sql: "SELECT c.seller || ' ' || CAST(c.year AS TEXT) AS id, CAST(c.last AS TEXT) AS says, CAST(COALESCE(MAX(i.seq), 0) AS TEXT) AS comes_to
            FROM invoice_counters c LEFT JOIN invoices i ON i.seller_key = c.seller AND i.year = c.year
            GROUP BY c.seller, c.year, c.last
            HAVING COALESCE(MAX(i.seq), 0) <> c.last
            ORDER BY c.seller, c.year LIMIT 1",
    },
    Check {
        name: "M9: the payments of a line are no more than it",
        prefix: "btx_",
        sql: "SELECT CAST(t.id AS TEXT) AS id, CAST(COALESCE(t.amount_cents, 0) AS TEXT) AS says, CAST(SUM(p.amount_cents) AS TEXT) AS comes_to
            FROM bank_transactions t JOIN payments p ON p.bank_transaction_id = t.id
            WHERE p.taken_back_at IS NULL
            GROUP BY t.id, t.amount_cents
            HAVING SUM(p.amount_cents) > COALESCE(t.amount_cents, 0)
            ORDER BY t.id LIMIT 1",
    },
    Check {
        name: "M9: a line of money in that is matched has its payments, and no other has any",
        prefix: "btx_",
        sql: "SELECT CAST(t.id AS TEXT) AS id, t.state AS says, CAST(COUNT(p.id) AS TEXT) || ' payments' AS comes_to
            FROM bank_transactions t LEFT JOIN payments p ON p.bank_transaction_id = t.id AND p.taken_back_at IS NULL
            GROUP BY t.id, t.state, t.amount_cents
            HAVING (t.state = 'matched' AND t.amount_cents > 0 AND COUNT(p.id) = 0) OR (t.state IN ('open', 'ignored', 'pending', 'superseded') AND COUNT(p.id) > 0)
            ORDER BY t.id LIMIT 1",
    },
    Check {
        name: "M9: a line of money out that is matched paid one refund of its amount, and no other paid any",
        prefix: "btx_",
        sql: "SELECT CAST(t.id AS TEXT) AS id, t.state || ' ' || t.amount_text AS says,
                CAST(COUNT(r.id) AS TEXT) || ' refunds of ' || CAST(COALESCE(SUM(r.amount_cents), 0) AS TEXT) AS comes_to
            FROM bank_transactions t LEFT JOIN refunds r ON r.bank_transaction_id = t.id AND r.state = CASE WHEN t.state = 'reversed' THEN 'failed' ELSE 'succeeded' END
            WHERE (t.state = 'matched' AND t.amount_cents < 0) OR t.id IN (SELECT bank_transaction_id FROM refunds WHERE bank_transaction_id IS NOT NULL)
            GROUP BY t.id, t.state, t.amount_cents, t.amount_text
            HAVING t.state NOT IN ('matched', 'reversed') OR COUNT(r.id) <> 1 OR SUM(r.amount_cents) <> -t.amount_cents
            ORDER BY t.id LIMIT 1",
    },
];

/// A row that breaks a check.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct Broken {
    #[diesel(sql_type = Text)]
    pub id: String,
    /// What stands in it.
    #[diesel(sql_type = Text)]
    pub says: String,
    /// What the rows beside it come to.
    #[diesel(sql_type = Text)]
    pub comes_to: String,
}

impl Broken {
    /// A row of which something cannot be read.
    pub fn unreadable(id: impl std::fmt::Display) -> Self {
        Self {
            id: id.to_string(),
            says: "what cannot be read".to_owned(),
            comes_to: "nothing".to_owned(),
        }
    }
}

/// The ids of the invoices and credit notes behind `after`, which can be read whatever the rest says.
pub fn invoice_ids(
    conn: &mut DbConn,
    after: Option<InvoiceId>,
    limit: i64,
) -> Result<Vec<InvoiceId>> {
    let after = after.unwrap_or_else(|| InvoiceId::from(uuid::Uuid::nil()));
    let page = invoices::table.filter(invoices::id.gt(after));
    let page = page.order(invoices::id).limit(limit);
    Ok(page.select(invoices::id).load(conn)?)
}

/// The first row that breaks a check.
pub fn first_broken(conn: &mut DbConn, check: Check) -> Result<Option<Broken>> {
    let found: Option<Broken> = diesel::sql_query(check.sql).get_result(conn).optional()?;
    Ok(found.map(|row| Broken {
        id: format!("{}{}", check.prefix, row.id.replace('-', "")),
        ..row
    }))
}
