//! Registered products at rest; the database lets at most one open registration have a serial number of a model.

mod awarded;
mod serials;
mod storing;

use std::collections::BTreeMap;

use chrono::NaiveDate;
use diesel::prelude::*;

use crate::domain::access::AccountAccess;
use crate::domain::account::AccountId;
use crate::domain::model::ModelId;
use crate::domain::product::{EndReason, Evidence, Holder, ProductField, ProductId, ProductStatus};
use crate::domain::product_details::{CheckedDetails, Details};
use crate::domain::values::{Country, SerialNumber};
use crate::error::{Code, Result};
use crate::locked;
use crate::repository::accounts::Account;
use crate::repository::held::Held;
use crate::repository::schema::products;
use crate::repository::{DbConn, MOST_ROWS, MultiBackend};
use crate::types::Instant;

pub use awarded::{
    Awarded, AwardedListing, Tally, accounts_waiting, earning_on_guesses, list_awarded, tally,
    waiting_for_points,
};
pub use serials::{of_serials, take_serials};
pub use storing::{insert, store, store_many};

/// One registration.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = products, check_for_backend(MultiBackend), treat_none_as_null = true, treat_none_as_default_value = false)]
pub struct Product {
    pub id: ProductId,
    pub account_id: AccountId,
    pub model_id: ModelId,
    pub version: i64,
    pub status: ProductStatus,
    /// As it is shown.
    pub serial_number: Option<String>,
    /// As it is compared.
    pub serial_key: Option<String>,
    /// Since when it has the serial number.
    pub serial_since: Option<Instant>,
    pub purchase_date: Option<NaiveDate>,
    pub purchase_country: Option<Country>,
    pub dealer: Option<String>,
    /// The names of the fields that are guesses, with spaces between them.
    pub estimated: String,
    /// When staff looked at it: a guess counts as known then.
    pub checked_at: Option<Instant>,
    pub end_reason: Option<EndReason>,
    /// What it was called in an old CPS account.
    pub legacy_reference: Option<String>,
    pub created_at: Instant,
    pub updated_at: Instant,
    pub ended_at: Option<Instant>,
    /// Whether its serial number is nobody else's: not of an offer, and not of what has ended.
    pub holds_serial: bool,
    pub evidence: Evidence,
    /// When whoever reported it stolen had it back.
    pub recovered_at: Option<Instant>,
}

impl Product {
    /// The fields that are guesses.
    pub fn estimated(&self) -> Vec<ProductField> {
        let words = self.estimated.split_whitespace();
        words.filter_map(|word| word.parse().ok()).collect()
    }

    /// Whether the serial number is a guess.
    pub fn is_serial_estimated(&self) -> bool {
        self.estimated().contains(&ProductField::SerialNumber)
    }

    /// Whether its serial number is a guess that staff have not looked at.
    pub fn is_unchecked_guess(&self) -> bool {
        self.is_serial_estimated() && self.checked_at.is_none()
    }

    /// Has it hold its serial number, or not, by where it stands.
    pub fn claim_serial(&mut self) {
        let is_holder = !matches!(self.status, ProductStatus::Offered | ProductStatus::Ended);
        self.holds_serial = is_holder && self.serial_key.is_some();
    }

    /// Its serial number as it is compared, with its model.
    pub fn serial(&self) -> Option<(ModelId, String)> {
        Some((self.model_id, self.serial_key.clone()?))
    }

    /// As the holder of its serial number, seen by an account that wants it.
    pub fn as_holder(&self, wants_it: AccountId) -> Holder {
        Holder {
            same_account: self.account_id == wants_it,
            status: self.status,
            serial_estimated: self.is_serial_estimated(),
            checked: self.checked_at.is_some(),
            serial_since: self.serial_since.unwrap_or(self.created_at),
        }
    }

    /// Ends it; it has its serial number no longer.
    pub fn end(&mut self, reason: EndReason, now: Instant) {
        self.status = ProductStatus::Ended;
        self.end_reason = Some(reason);
        self.ended_at = Some(now);
        self.claim_serial();
    }

    /// What is said of it, checked when it was stored.
    pub fn checked_details(&self) -> CheckedDetails {
        let serial = self.serial_number.clone().zip(self.serial_key.clone());
        let serial = serial.map(|(shown, key)| SerialNumber { shown, key });
        CheckedDetails::known(serial, self.details())
    }

    /// What is said of it.
    pub fn details(&self) -> Details {
        Details {
            serial_number: self.serial_number.clone(),
            purchase_date: self.purchase_date,
            purchase_country: self.purchase_country,
            dealer: self.dealer.clone(),
            estimated: self.estimated(),
            ..Details::default()
        }
    }
}

/// The names of fields as they are stored.
pub fn estimated_text(fields: &[ProductField]) -> String {
    let words: Vec<&str> = fields.iter().map(|field| field.as_str()).collect();
    words.join(" ")
}

/// A product of a held account, held too.
pub fn lock(conn: &mut DbConn, account: &Held<Account>, id: ProductId) -> Result<Held<Product>> {
    let found: Option<Product> = locked!(
        conn,
        products::table
            .find(id)
            .filter(products::account_id.eq(account.id))
            .select(Product::as_select())
    )
    .optional()?;
    found.map(Held::new).ok_or_else(|| Code::NotFound.into())
}

/// The products among these ids that belong to held accounts, held too; one statement.
pub fn lock_many<'a>(
    conn: &mut DbConn,
    accounts: impl Iterator<Item = &'a Held<Account>>,
    ids: &[ProductId],
) -> Result<Vec<Held<Product>>> {
    let accounts = AccountId::asked(accounts.map(|account| account.id).collect());
    macro_rules! rows {
        () => {
            products::table
                .filter(products::id.eq_any(ids))
                .filter(products::account_id.eq_any(&accounts))
                .order(products::id)
                .select(Product::as_select())
        };
    }
    let rows: Vec<Product> = match conn {
        DbConn::Postgres(conn) => rows!().for_update().load(conn)?,
        DbConn::Sqlite(conn) => rows!().load(conn)?,
    };
    Ok(rows.into_iter().map(Held::new).collect())
}

/// A product of an account.
pub fn find(conn: &mut DbConn, access: &AccountAccess, id: ProductId) -> Result<Product> {
    let found = products::table
        .find(id)
        .filter(products::account_id.eq(access.account_id()))
        .select(Product::as_select())
        .first(conn)
        .optional()?;
    found.ok_or_else(|| Code::NotFound.into())
}

/// The products of an account among these ids.
pub fn of_ids(
    conn: &mut DbConn,
    access: &AccountAccess,
    ids: &[ProductId],
) -> Result<BTreeMap<ProductId, Product>> {
    let mut found = BTreeMap::new();
    // SQLite takes a bounded number of values in one statement.
    for some in ids.chunks(500) {
        let rows: Vec<Product> = products::table
            .filter(products::account_id.eq(access.account_id()))
            .filter(products::id.eq_any(some))
            .select(Product::as_select())
            .load(conn)?;
        found.extend(rows.into_iter().map(|product| (product.id, product)));
    }
    Ok(found)
}

/// The products of these ids, whoever has them.
pub fn all_of_ids(conn: &mut DbConn, ids: &[ProductId]) -> Result<Vec<Product>> {
    let mut found = Vec::new();
    for some in ids.chunks(MOST_ROWS) {
        let rows: Vec<Product> = products::table
            .filter(products::id.eq_any(some))
            .select(Product::as_select())
            .load(conn)?;
        found.extend(rows);
    }
    Ok(found)
}
/// What is listed only where it is asked for.
const UNLISTED: [ProductStatus; 2] = [ProductStatus::Offered, ProductStatus::Ended];

/// Which products of an account are listed.
#[derive(Debug, Clone, Default)]
pub struct Listing {
    /// None: all that have not ended, but for offers.
    pub status: Option<ProductStatus>,
    pub before: Option<ProductId>,
    pub limit: i64,
}

/// The products that match, newest first.
pub fn list(conn: &mut DbConn, access: &AccountAccess, listing: &Listing) -> Result<Vec<Product>> {
    let mut query = products::table
        .filter(products::account_id.eq(access.account_id()))
        .select(Product::as_select())
        .into_boxed();
    query = match listing.status {
        Some(status) => query.filter(products::status.eq(status)),
        None => query.filter(products::status.ne_all(UNLISTED)),
    };
    if let Some(before) = listing.before {
        query = query.filter(products::id.lt(before));
    }
    Ok(query
        .order(products::id.desc())
        .limit(listing.limit)
        .load(conn)?)
}

/// How many products of an account have the green tick.
pub fn count_complete(conn: &mut DbConn, account: AccountId) -> Result<i64> {
    let complete = products::table
        .filter(products::account_id.eq(account))
        .filter(products::status.eq(ProductStatus::Complete));
    Ok(complete.count().get_result(conn)?)
}
