//! Memberships at rest: at most one active for each account, held by the database.

use chrono::NaiveDate;
use diesel::prelude::*;

use super::accounts::Account;
use super::held::{Held, store, stored};
use super::invoices::Invoice;
use super::schema::{invoices, member_numbers, memberships};
use super::{DbConn, MultiBackend};
use crate::domain::account::AccountId;
use crate::domain::card::CardId;
use crate::domain::invoice::{InvoiceKind, InvoiceStatus, PaymentMethod};
use crate::domain::membership::{EndedReason, MembershipId, MembershipState, Standing};
use crate::domain::money::Currency;
use crate::domain::purchase::SellerTermsId;
use crate::error::Result;
use crate::locked;
use crate::types::Instant;

/// One membership.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = memberships, check_for_backend(MultiBackend), treat_none_as_null = true)]
pub struct Membership {
    pub id: MembershipId,
    pub account_id: AccountId,
    pub version: i64,
    pub member_number: String,
    pub level: String,
    pub status: MembershipState,
    pub starts_date: NaiveDate,
    pub ends_date: NaiveDate,
    pub payment_method: PaymentMethod,
    pub card_id: Option<CardId>,
    /// The yearly fee without VAT, as it was at joining.
    pub fee_cents: i64,
    pub currency: Currency,
    pub points_at_joining: i64,
    pub terms_version: String,
    pub created_at: Instant,
    pub ended_at: Option<Instant>,
    /// Whose it is; none of before that was recorded.
    pub seller_key: Option<String>,
    /// How it stands with what it owes while it runs.
    pub standing: Option<Standing>,
    pub suspended_at: Option<Instant>,
    /// Why it ended.
    pub ended_reason: Option<EndedReason>,
    pub cancelled_at: Option<Instant>,
    /// What it was sold under; none of before that was recorded.
    pub seller_terms_id: Option<SellerTermsId>,
}

impl Membership {
    /// Whether it runs and gives what its level promises.
    pub fn has_benefits(&self) -> bool {
        self.standing.is_some_and(Standing::has_benefits)
    }
}

/// Stores a new membership; the caller holds the account's lock.
pub fn insert(conn: &mut DbConn, membership: &Membership) -> Result<()> {
    diesel::insert_into(memberships::table)
        .values(membership)
        .execute(conn)?;
    Ok(())
}

/// The membership of a held account that runs, held too.
pub fn lock_active(conn: &mut DbConn, account: &Held<Account>) -> Result<Option<Held<Membership>>> {
    let found: Option<Membership> = locked!(
        conn,
        memberships::table
            .filter(memberships::account_id.eq(account.id))
            .filter(memberships::status.eq(MembershipState::Active))
            .select(Membership::as_select())
    )
    .optional()?;
    Ok(found.map(Held::new))
}

/// Memberships behind `after` of which nothing says what they were sold under, in the order of their ids.
pub fn without_terms(
    conn: &mut DbConn,
    after: Option<MembershipId>,
    limit: i64,
) -> Result<Vec<Membership>> {
    let after = after.unwrap_or_else(|| MembershipId::from(uuid::Uuid::nil()));
    let lacking = memberships::table
        .filter(memberships::id.gt(after))
        .filter(memberships::seller_terms_id.is_null());
    Ok(lacking
        .order(memberships::id)
        .limit(limit)
        .select(Membership::as_select())
        .load(conn)?)
}

/// Says what a membership was sold under, where nothing says it.
pub fn set_terms(conn: &mut DbConn, id: MembershipId, terms: SellerTermsId) -> Result<()> {
    let row = memberships::table
        .find(id)
        .filter(memberships::seller_terms_id.is_null());
    diesel::update(row)
        .set(memberships::seller_terms_id.eq(terms))
        .execute(conn)?;
    Ok(())
}

/// Stores the membership as its next version.
pub fn store(conn: &mut DbConn, membership: &mut Held<Membership>) -> Result<()> {
    stored(store!(conn, memberships, membership))
}

/// The membership of an id that the service itself holds.
pub fn find_by_id(conn: &mut DbConn, id: MembershipId) -> Result<Option<Membership>> {
    Ok(memberships::table
        .find(id)
        .select(Membership::as_select())
        .first(conn)
        .optional()?)
}

/// The membership of an account that runs.
pub fn active(conn: &mut DbConn, account_id: AccountId) -> Result<Option<Membership>> {
    let running = memberships::table
        .filter(memberships::account_id.eq(account_id))
        .filter(memberships::status.eq(MembershipState::Active));
    Ok(running
        .select(Membership::as_select())
        .first(conn)
        .optional()?)
}

/// Whether a member number, as it is compared, leads to an account with a membership that runs and gives its benefits.
pub fn runs_for(conn: &mut DbConn, number_key: &str) -> Result<bool> {
    let is_its = member_numbers::account_id.eq(memberships::account_id.nullable());
    let running = member_numbers::table
        .inner_join(memberships::table.on(is_its))
        .filter(member_numbers::number_key.eq(number_key))
        .filter(memberships::status.eq(MembershipState::Active))
        .filter(memberships::standing.ne(Standing::Suspended));
    Ok(diesel::select(diesel::dsl::exists(running)).get_result(conn)?)
}

/// The newest membership of an account, whether it runs or not.
pub fn newest(conn: &mut DbConn, account_id: AccountId) -> Result<Option<Membership>> {
    Ok(memberships::table
        .filter(memberships::account_id.eq(account_id))
        .order((memberships::created_at.desc(), memberships::id.desc()))
        .select(Membership::as_select())
        .first(conn)
        .optional()?)
}

/// The open invoices of an account that are paid by transfer and overdue on `today`, and those from a membership that ended unpaid; why each membership ended.
pub fn unpaid(
    conn: &mut DbConn,
    account_id: AccountId,
    today: NaiveDate,
) -> Result<Vec<(Invoice, Option<EndedReason>)>> {
    let is_overdue = invoices::payment_method
        .eq(PaymentMethod::BankTransfer)
        .and(invoices::collect_from.lt(today));
    let is_left = memberships::ended_reason.eq(EndedReason::Unpaid);
    let unpaid = memberships::table
        .inner_join(invoices::table)
        .filter(invoices::account_id.eq(account_id))
        .filter(invoices::kind.eq(InvoiceKind::Invoice))
        .filter(invoices::status.eq(InvoiceStatus::Open))
        .filter(is_overdue.nullable().or(is_left.nullable()));
    let of_each = (Invoice::as_select(), memberships::ended_reason);
    Ok(unpaid.select(of_each).load(conn)?)
}
