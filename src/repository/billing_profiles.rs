//! How accounts are invoiced, at rest: one row an account, from its first change on.

use diesel::prelude::*;

use super::accounts::Account;
use super::held::stored;
use super::schema::billing_profiles;
use super::{DbConn, Held, MultiBackend, Stored};
use crate::domain::access::UserId;
use crate::domain::account::AccountId;
use crate::domain::charge::MandateId;
use crate::domain::invoice::PaymentMethod;
use crate::error::Result;
use crate::types::Instant;
use crate::{each, locked};

/// How an account pays, and what it wants to read on its invoices.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(
    table_name = billing_profiles,
    primary_key(account_id),
    check_for_backend(MultiBackend),
    treat_none_as_null = true
)]
pub struct BillingProfile {
    pub account_id: AccountId,
    pub version: i64,
    pub payment_method: PaymentMethod,
    /// Exactly where it pays by card.
    pub mandate_id: Option<MandateId>,
    pub provider_customer_id: Option<String>,
    /// The number in the register of the account's country.
    pub company_number: Option<String>,
    /// What the buyer knows a purchase by.
    pub your_reference: Option<String>,
    /// Where it takes electronic invoices, as `scheme:number`.
    pub electronic_address: Option<String>,
    /// Where mails about money go instead of to the contact: the link that was mailed to it was used.
    pub invoice_email: Option<String>,
    /// When that was.
    pub invoice_email_used_at: Option<Instant>,
    /// The address that was asked for and whose link was not used yet.
    pub invoice_email_waiting: Option<String>,
    /// Of the token in that link, in lower-case hex.
    pub invoice_email_token_hash: Option<String>,
    pub invoice_email_token_ends_at: Option<Instant>,
    pub invoice_email_asked_by: Option<UserId>,
    pub automatic_renewal: bool,
    pub created_at: Instant,
    pub updated_at: Instant,
}

impl BillingProfile {
    /// Whether a token is that of the link which the address waits for, and is good at `now`.
    pub fn waits_for(&self, token_hash: &str, now: Instant) -> bool {
        let is_its = self.invoice_email_token_hash.as_deref() == Some(token_hash);
        is_its
            && self
                .invoice_email_token_ends_at
                .is_some_and(|ends| now < ends)
    }

    /// Takes the address away that waits; which it was, and who asked for it.
    pub fn take_waiting(&mut self) -> Option<(String, UserId)> {
        self.invoice_email_token_hash = None;
        self.invoice_email_token_ends_at = None;
        let asked_by = self.invoice_email_asked_by.take();
        self.invoice_email_waiting.take().zip(asked_by)
    }

    /// That of an account which has said nothing yet; it has a version like any other, and is stored with its first change.
    pub fn blank(account_id: AccountId, now: Instant) -> Self {
        Self {
            account_id,
            version: 1,
            payment_method: PaymentMethod::BankTransfer,
            mandate_id: None,
            provider_customer_id: None,
            company_number: None,
            your_reference: None,
            electronic_address: None,
            invoice_email: None,
            invoice_email_used_at: None,
            invoice_email_waiting: None,
            invoice_email_token_hash: None,
            invoice_email_token_ends_at: None,
            invoice_email_asked_by: None,
            automatic_renewal: false,
            created_at: now,
            updated_at: now,
        }
    }
}

/// That of an account, once it was changed.
pub fn find(conn: &mut DbConn, account: AccountId) -> Result<Option<BillingProfile>> {
    Ok(billing_profiles::table
        .find(account)
        .select(BillingProfile::as_select())
        .first(conn)
        .optional()?)
}

/// That whose address waits for the link of a token, used or not.
pub fn waiting(conn: &mut DbConn, token_hash: &str) -> Result<Option<BillingProfile>> {
    Ok(billing_profiles::table
        .filter(billing_profiles::invoice_email_token_hash.eq(token_hash))
        .select(BillingProfile::as_select())
        .first(conn)
        .optional()?)
}

/// That of a held account, held too; a blank one where it was never changed.
pub fn lock(
    conn: &mut DbConn,
    account: &Held<Account>,
    now: Instant,
) -> Result<Held<BillingProfile>> {
    let found: Option<BillingProfile> = locked!(
        conn,
        billing_profiles::table
            .find(account.id)
            .select(BillingProfile::as_select())
    )
    .optional()?;
    let found = found.unwrap_or_else(|| BillingProfile::blank(account.id, now));
    Ok(Held::new(found))
}

/// Stores it as its next version.
pub fn store(conn: &mut DbConn, profile: &mut Held<BillingProfile>, now: Instant) -> Result<()> {
    let seen = profile.version;
    profile.version += 1;
    profile.updated_at = now;
    if seen == 1 {
        let inserted = each!(conn, c => diesel::insert_into(billing_profiles::table)
            .values(&**profile)
            .on_conflict_do_nothing()
            .execute(c))?;
        return Stored::one_of(inserted).or_contended();
    }
    let row = billing_profiles::table
        .find(profile.account_id)
        .filter(billing_profiles::version.eq(seen));
    stored(diesel::update(row).set(&**profile).execute(conn))
}
