//! What partners have reported, at rest: one row a line that was taken in.

use diesel::prelude::*;

use super::MultiBackend;
use super::schema::registrations;
use crate::domain::account::AccountId;
use crate::domain::model::ModelId;
use crate::domain::partner::PartnerId;
use crate::domain::product::ProductId;
use crate::domain::registration::{RefusalReason, RegistrationId, RegistrationStatus, Verb};
use crate::types::{Instant, Json};

/// One line of a partner that was taken in.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = registrations, check_for_backend(MultiBackend), treat_none_as_null = true, treat_none_as_default_value = false)]
pub struct Registration {
    pub id: RegistrationId,
    pub partner_id: PartnerId,
    /// The partner's own id of this line.
    pub external_id: String,
    pub verb: Verb,
    /// The sale that a return or a correction names.
    pub of_id: Option<RegistrationId>,
    /// SHA-256 of the line as it was understood.
    pub body_hash: String,
    pub status: RegistrationStatus,
    /// `confirmed` where the customer had the product before.
    pub code: Option<String>,
    pub reason: Option<RefusalReason>,
    pub account_id: AccountId,
    pub product_id: Option<ProductId>,
    pub model_id: Option<ModelId>,
    /// As it is compared.
    pub serial_key: Option<String>,
    /// [`Reported`](crate::domain::registration::Reported): what this partner said last of the product.
    pub reported: Option<Json>,
    pub offer_expires_at: Option<Instant>,
    pub version: i64,
    pub created_at: Instant,
    pub changed_at: Instant,
}
