//! Offers at rest: products that a partner offers, each with the line that points at it.

use diesel::dsl::{count, sql};
use diesel::prelude::*;
use diesel::sql_types::{Bool, Nullable, Text};

use super::held::{store, stored};
use super::products::{self, Product};
use super::registrations::Registration;
use super::schema::{accounts, partners, products as products_table, registrations};
use super::trusted_partners::NamedPartner;
use super::{DbConn, Held};
use crate::domain::access::AccountAccess;
use crate::domain::account::{AccountId, AccountStatus};
use crate::domain::partner::PartnerId;
use crate::domain::product::{EndReason, ProductId, ProductStatus};
use crate::domain::registration::RegistrationStatus;
use crate::error::{Code, Result};
use crate::repository::accounts::Account;
use crate::types::Instant;
use crate::{each, locked};

/// A product that a partner offers.
pub type Offer = (Product, Registration, NamedPartner);

/// Where a line stands whose product the customer has not answered for: also one whose number somebody else has.
const UNANSWERED: [RegistrationStatus; 2] = [
    RegistrationStatus::Offered,
    RegistrationStatus::AlreadyRegistered,
];

/// Of several lines that came to one offer the newest speaks for it.
const IS_NEWEST: &str = "NOT EXISTS (SELECT 1 FROM registrations newer
    WHERE newer.product_id = registrations.product_id AND newer.verb = 'register' AND newer.id > registrations.id)";

/// Offers that nobody has answered.
macro_rules! open {
    () => {
        registrations::table
            .inner_join(products_table::table.inner_join(accounts::table))
            .inner_join(partners::table)
            .filter(registrations::status.eq_any(UNANSWERED))
            .filter(products_table::status.eq(ProductStatus::Offered))
            .filter(sql::<Bool>(IS_NEWEST))
    };
}

/// The offers of an account that wait for an answer, the newest first.
pub fn list(
    conn: &mut DbConn,
    access: &AccountAccess,
    now: Instant,
    before: Option<ProductId>,
    limit: i64,
) -> Result<Vec<Offer>> {
    let mut query = open!()
        .filter(registrations::account_id.eq(access.account_id()))
        .filter(registrations::offer_expires_at.gt(now))
        .select((
            Product::as_select(),
            Registration::as_select(),
            NamedPartner::as_select(),
        ))
        .into_boxed();
    if let Some(before) = before {
        query = query.filter(products_table::id.lt(before));
    }
    let ordered = query.order(products_table::id.desc());
    Ok(ordered.limit(limit).load(conn)?)
}

/// The lines of one offer that nobody has answered.
pub struct Lines {
    /// The one that the answer is for: it stands on the serial number, or is the newest.
    pub line: Held<Registration>,
    pub others: Vec<Held<Registration>>,
}

/// An offer of a held account, its product and its lines held too; `offer_closed` where it was answered or its time is over.
pub fn lock(
    conn: &mut DbConn,
    account: &Held<Account>,
    id: ProductId,
    now: Instant,
) -> Result<(Held<Product>, Lines)> {
    let product = products::lock(conn, account, id)?;
    macro_rules! rows {
        () => {
            registrations::table
                .filter(registrations::product_id.eq(id))
                .filter(registrations::status.eq_any(UNANSWERED))
                .filter(registrations::offer_expires_at.gt(now))
                .order(registrations::id.desc())
                .select(Registration::as_select())
        };
    }
    let mut found: Vec<Registration> = match conn {
        DbConn::Postgres(conn) => rows!().for_update().load(conn)?,
        DbConn::Sqlite(conn) => rows!().load(conn)?,
    };
    if product.status != ProductStatus::Offered || found.is_empty() {
        return Err(Code::OfferClosed.into());
    }
    let stands = |line: &Registration| line.status == RegistrationStatus::Offered;
    let line = found.remove(found.iter().position(stands).unwrap_or(0));
    let lines = Lines {
        line: Held::new(line),
        others: found.into_iter().map(Held::new).collect(),
    };
    Ok((product, lines))
}

/// Stores the line of an offer as its next version.
pub fn store(conn: &mut DbConn, line: &mut Held<Registration>, now: Instant) -> Result<()> {
    line.changed_at = now;
    stored(store!(conn, registrations, line))
}

/// How many customers have said since then that what a partner reported is not theirs. The partner is held until the transaction ends, so
/// that of two who say it at once one sees the other.
pub fn count_not_mine(conn: &mut DbConn, partner: PartnerId, since: Instant) -> Result<i64> {
    let partners = partners::table.find(partner).select(partners::id);
    let _: PartnerId = locked!(conn, partners)?;
    let refused = registrations::table
        .filter(registrations::partner_id.eq(partner))
        .filter(registrations::reason.eq(sql::<Nullable<Text>>("'not_mine'")))
        .filter(registrations::changed_at.gt(since));
    // However many lines came to one offer.
    let offers = refused.select(count(registrations::product_id).aggregate_distinct());
    Ok(offers.get_result(conn)?)
}

/// At most `limit` products whose offer is over.
fn due(conn: &mut DbConn, now: Instant, limit: i64) -> Result<Vec<ProductId>> {
    let due: Vec<Option<ProductId>> = registrations::table
        .inner_join(products_table::table)
        .filter(products_table::status.eq(ProductStatus::Offered))
        .filter(registrations::status.eq_any(UNANSWERED))
        .filter(registrations::offer_expires_at.le(now))
        .order((registrations::offer_expires_at, registrations::id))
        .limit(limit)
        .select(registrations::product_id)
        .load(conn)?;
    Ok(due.into_iter().flatten().collect())
}

/// Ends at most `limit` offers whose time is over; their lines.
pub fn expire(conn: &mut DbConn, now: Instant, limit: i64) -> Result<Vec<Registration>> {
    let due = due(conn, now, limit)?;
    if due.is_empty() {
        return Ok(Vec::new());
    }
    hold(conn, &due)?;
    let offered = products_table::table
        .filter(products_table::id.eq_any(&due))
        .filter(products_table::status.eq(ProductStatus::Offered));
    let ended = (
        products_table::status.eq(ProductStatus::Ended),
        products_table::end_reason.eq(EndReason::Expired),
        products_table::ended_at.eq(now),
        products_table::updated_at.eq(now),
        products_table::version.eq(products_table::version + 1),
    );
    // One that was answered meanwhile is none of them, nor are its lines.
    let ended: Vec<ProductId> = each!(conn, c => diesel::update(offered)
        .set(ended)
        .returning(products_table::id)
        .get_results(c))?;
    let lines = registrations::table
        .filter(registrations::product_id.eq_any(&ended))
        .filter(registrations::status.eq_any(UNANSWERED));
    let expired = (
        registrations::status.eq(RegistrationStatus::Expired),
        registrations::offer_expires_at.eq(None::<Instant>),
        registrations::changed_at.eq(now),
        registrations::version.eq(registrations::version + 1),
    );
    Ok(each!(conn, c => diesel::update(lines)
        .set(expired)
        .returning(Registration::as_returning())
        .get_results(c))?)
}

/// Holds these products, in the order of their ids.
fn hold(conn: &mut DbConn, ids: &[ProductId]) -> Result<()> {
    if let DbConn::Postgres(conn) = conn {
        let held: Vec<ProductId> = products_table::table
            .filter(products_table::id.eq_any(ids))
            .order(products_table::id)
            .select(products_table::id)
            .for_update()
            .load(conn)?;
        drop(held);
    }
    Ok(())
}

/// The active accounts behind `after` that have an offer whose time ends from a moment on and before another.
pub fn accounts_reminded(
    conn: &mut DbConn,
    (from, to): (Instant, Instant),
    after: Option<AccountId>,
    limit: i64,
) -> Result<Vec<AccountId>> {
    let mut query = open!()
        .filter(registrations::offer_expires_at.ge(from))
        .filter(registrations::offer_expires_at.lt(to))
        .filter(accounts::status.eq(AccountStatus::Active))
        .select(registrations::account_id)
        .distinct()
        .into_boxed();
    if let Some(after) = after {
        query = query.filter(registrations::account_id.gt(after));
    }
    let ordered = query.order(registrations::account_id);
    Ok(ordered.limit(limit).load(conn)?)
}

/// The offers of these accounts whose time ends from a moment on and before another, account by account, with the account.
pub fn ending(
    conn: &mut DbConn,
    (from, to): (Instant, Instant),
    ids: &[AccountId],
) -> Result<Vec<(Account, Offer)>> {
    let found = open!()
        .filter(registrations::offer_expires_at.ge(from))
        .filter(registrations::offer_expires_at.lt(to))
        .filter(registrations::account_id.eq_any(ids))
        .order((registrations::account_id, registrations::id))
        .select((
            Account::as_select(),
            (
                Product::as_select(),
                Registration::as_select(),
                NamedPartner::as_select(),
            ),
        ));
    Ok(found.load(conn)?)
}
