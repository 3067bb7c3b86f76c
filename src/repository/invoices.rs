//! Invoices at rest, and the counters that number them without gaps.

use chrono::NaiveDate;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Bool;

use super::accounts::Account;
use super::schema::{invoice_counters, invoices};
use super::{DbConn, Held, MOST_ROWS, MultiBackend};
use crate::domain::access::AccountAccess;
use crate::domain::account::AccountId;
use crate::domain::invoice::{
    Content, InvoiceId, InvoiceKind, InvoiceStatus, PaymentMethod, Totals, v2,
};
use crate::domain::membership::MembershipId;
use crate::domain::money::Currency;
use crate::domain::purchase::{PurchaseId, SellerTermsId};
use crate::error::{Code, Error, Result};
use crate::types::{Instant, Json};
use crate::{each, locked};

/// One invoice or credit note. Nothing but where it stands changes; what is open, and the status that goes with it, are moved by allocations.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = invoices, check_for_backend(MultiBackend))]
pub struct Invoice {
    pub id: InvoiceId,
    pub account_id: AccountId,
    pub membership_id: MembershipId,
    /// What it is for; none where it stood before purchases were recorded.
    pub purchase_id: Option<PurchaseId>,
    /// What was sold under; none as above.
    pub seller_terms_id: Option<SellerTermsId>,
    pub version: i64,
    pub kind: InvoiceKind,
    /// Which one of its purchase it is, from 1 on.
    pub issue_no: i64,
    /// The invoice that a credit note corrects.
    pub corrects_id: Option<InvoiceId>,
    /// The invoice in whose place it was issued.
    pub replaces_id: Option<InvoiceId>,
    pub number: String,
    /// Whose counter numbered it.
    pub seller_key: String,
    pub year: i64,
    pub seq: i64,
    pub status: InvoiceStatus,
    pub issued_at: Instant,
    pub issued_date: NaiveDate,
    /// Of an invoice.
    pub due_date: Option<NaiveDate>,
    /// From when on an invoice is collected: its due date, or when it was opened again.
    pub collect_from: Option<NaiveDate>,
    /// Until then no step is taken against it.
    pub paused_until: Option<NaiveDate>,
    pub currency: Currency,
    pub net_cents: i64,
    pub vat_cents: i64,
    pub gross_cents: i64,
    /// Not settled, or of a credit note not placed yet.
    pub open_cents: i64,
    pub payment_method: PaymentMethod,
    pub payment_reference: Option<String>,
    /// Why a credit note was issued.
    pub reason: Option<String>,
    pub content_version: i64,
    /// What it says.
    pub content: Json,
    pub created_at: Instant,
}

impl Invoice {
    /// What it says, in the words of content version 2.
    pub fn said(&self) -> Result<v2::Content> {
        if self.content_version == v2::VERSION {
            return Ok(self.content.decode()?);
        }
        let totals = self.totals();
        let earlier: Content = self.content.decode()?;
        let payment = (self.payment_method, self.payment_reference.clone());
        Ok(earlier.into_v2(totals, payment))
    }

    /// What it adds up to.
    pub fn totals(&self) -> Totals {
        Totals {
            net: self.net_cents,
            vat: self.vat_cents,
            gross: self.gross_cents,
        }
    }

    /// Whether it is collected from a day that is over on `today`.
    pub fn is_overdue(&self, today: NaiveDate) -> bool {
        let is_open = self.status == InvoiceStatus::Open;
        is_open && self.collect_from.is_some_and(|day| day < today)
    }
}

/// The next number of a seller's year; its counter stays locked until the transaction ends, so that a number is lost with
/// its invoice or not at all. The account's row is locked before it.
pub fn next_seq(conn: &mut DbConn, seller_key: &str, year: i64) -> Result<i64> {
    each!(conn, c => diesel::insert_into(invoice_counters::table)
        .values((
            invoice_counters::seller.eq(seller_key),
            invoice_counters::year.eq(year),
            invoice_counters::last.eq(0),
        ))
        .on_conflict_do_nothing()
        .execute(c))?;
    let last: i64 = locked!(
        conn,
        invoice_counters::table
            .find((seller_key, year))
            .select(invoice_counters::last)
    )?;
    diesel::update(invoice_counters::table.find((seller_key, year)))
        .set(invoice_counters::last.eq(last + 1))
        .execute(conn)?;
    Ok(last + 1)
}

/// Stores a new invoice.
pub fn insert(conn: &mut DbConn, invoice: &Invoice) -> Result<()> {
    diesel::insert_into(invoices::table)
        .values(invoice)
        .execute(conn)?;
    Ok(())
}

/// Whether a purchase has its invoice.
pub fn is_issued(conn: &mut DbConn, purchase: PurchaseId) -> Result<bool> {
    let issued = invoices::table
        .filter(invoices::purchase_id.eq(purchase))
        .filter(sql::<Bool>("kind = 'invoice'"));
    Ok(diesel::select(diesel::dsl::exists(issued)).get_result(conn)?)
}

/// The invoice of a membership from before purchases were recorded.
pub fn earlier(conn: &mut DbConn, membership: MembershipId) -> Result<Option<Invoice>> {
    let found = invoices::table
        .filter(invoices::membership_id.eq(membership))
        .filter(invoices::purchase_id.is_null());
    let invoice = found.select(Invoice::as_select()).first(conn);
    Ok(invoice.optional()?)
}

/// The invoices of a membership, oldest first.
pub fn of_membership(conn: &mut DbConn, membership: MembershipId) -> Result<Vec<Invoice>> {
    let all = invoices::table
        .filter(invoices::membership_id.eq(membership))
        .filter(invoices::kind.eq(InvoiceKind::Invoice));
    let all = all.order(invoices::id).select(Invoice::as_select());
    Ok(all.load(conn)?)
}

/// The invoices of a membership that are paid by transfer, open and overdue on `today`.
pub fn overdue(
    conn: &mut DbConn,
    membership: MembershipId,
    today: NaiveDate,
) -> Result<Vec<Invoice>> {
    let overdue = invoices::table
        .filter(invoices::membership_id.eq(membership))
        .filter(invoices::status.eq(InvoiceStatus::Open))
        .filter(invoices::payment_method.eq(PaymentMethod::BankTransfer))
        .filter(invoices::collect_from.lt(today));
    Ok(overdue.select(Invoice::as_select()).load(conn)?)
}

/// What these invoices were sold under, each where it is recorded.
pub fn terms_of(
    conn: &mut DbConn,
    ids: &[InvoiceId],
) -> Result<Vec<(InvoiceId, Option<SellerTermsId>)>> {
    let mut found = Vec::new();
    for some in ids.chunks(MOST_ROWS) {
        let named = invoices::table.filter(invoices::id.eq_any(some));
        let columns = (invoices::id, invoices::seller_terms_id);
        found.extend(
            named
                .select(columns)
                .load::<(InvoiceId, Option<SellerTermsId>)>(conn)?,
        );
    }
    Ok(found)
}

/// What an invoice lacks from before purchases were recorded.
#[derive(Debug, Clone, AsChangeset)]
#[diesel(table_name = invoices)]
pub struct Filling {
    #[diesel(skip_update)]
    pub id: InvoiceId,
    pub purchase_id: PurchaseId,
    pub seller_terms_id: SellerTermsId,
    pub payment_reference: Option<String>,
    pub collect_from: Option<NaiveDate>,
}

/// Fills in what an invoice lacks; nothing of it is filled in twice.
pub fn fill(conn: &mut DbConn, filling: &Filling) -> Result<()> {
    let row = invoices::table
        .find(filling.id)
        .filter(invoices::purchase_id.is_null());
    diesel::update(row).set(filling).execute(conn)?;
    Ok(())
}

/// An invoice or credit note of a held account, held too.
pub fn lock(conn: &mut DbConn, account: &Held<Account>, id: InvoiceId) -> Result<Held<Invoice>> {
    let found: Option<Invoice> = locked!(
        conn,
        invoices::table
            .find(id)
            .filter(invoices::account_id.eq(account.id))
            .select(Invoice::as_select())
    )
    .optional()?;
    found.map(Held::new).ok_or_else(|| Code::NotFound.into())
}

/// Counts a change of a held invoice and reads it again: allocations moved what is open of it. `collect_from` is when it is collected from.
pub fn store_moved(
    conn: &mut DbConn,
    invoice: &mut Held<Invoice>,
    collect_from: Option<NaiveDate>,
) -> Result<()> {
    let seen = invoices::table
        .find(invoice.id)
        .filter(invoices::version.eq(invoice.version));
    let moved = diesel::update(seen)
        .set((
            invoices::version.eq(invoice.version + 1),
            invoices::collect_from.eq(collect_from),
        ))
        .execute(conn)?;
    if moved == 0 {
        return Err(Error::Contended);
    }
    let row = invoices::table
        .find(invoice.id)
        .select(Invoice::as_select());
    **invoice = row.first(conn)?;
    Ok(())
}

/// The invoice of an id that the service itself holds.
pub fn find_by_id(conn: &mut DbConn, id: InvoiceId) -> Result<Option<Invoice>> {
    let row = invoices::table.find(id).select(Invoice::as_select());
    Ok(row.first(conn).optional()?)
}

/// An invoice of an account.
pub fn find(conn: &mut DbConn, access: &AccountAccess, id: InvoiceId) -> Result<Invoice> {
    let found = invoices::table
        .find(id)
        .filter(invoices::account_id.eq(access.account_id()))
        .select(Invoice::as_select())
        .first(conn)
        .optional()?;
    found.ok_or_else(|| Code::NotFound.into())
}

/// The invoices of an account, of one kind or of both, newest first, from before `before`.
pub fn list(
    conn: &mut DbConn,
    access: &AccountAccess,
    kind: Option<InvoiceKind>,
    (before, limit): (Option<InvoiceId>, i64),
) -> Result<Vec<Invoice>> {
    let mut query = invoices::table
        .filter(invoices::account_id.eq(access.account_id()))
        .select(Invoice::as_select())
        .into_boxed();
    if let Some(before) = before {
        query = query.filter(invoices::id.lt(before));
    }
    if let Some(kind) = kind {
        query = query.filter(invoices::kind.eq(kind));
    }
    Ok(query.order(invoices::id.desc()).limit(limit).load(conn)?)
}

/// The credit notes that correct these invoices, oldest first.
pub fn credit_notes(conn: &mut DbConn, of: &[InvoiceId]) -> Result<Vec<Invoice>> {
    let notes = invoices::table.filter(invoices::corrects_id.eq_any(of));
    let notes = notes.order(invoices::id).select(Invoice::as_select());
    Ok(notes.load(conn)?)
}

/// All invoices and credit notes behind `after`; for checking them, page by page.
pub fn after(conn: &mut DbConn, after: Option<InvoiceId>, limit: i64) -> Result<Vec<Invoice>> {
    let after = after.unwrap_or_else(|| InvoiceId::from(uuid::Uuid::nil()));
    let page = invoices::table.filter(invoices::id.gt(after));
    let page = page.order(invoices::id).limit(limit);
    Ok(page.select(Invoice::as_select()).load(conn)?)
}
