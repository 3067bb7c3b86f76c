//! How an account is invoiced, as it says itself.

use actix_web::web::Data;
use actix_web::{get, patch};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::accounts::AccountPath;
use super::answer::Answer;
use super::extract::{Body, IfMatch, IfMatchHeader, Input, MERGE_PATCH, nullable};
use super::service::Service;
use super::{Callers, RateLimit, Routes};
use crate::auth::Access;
use crate::domain::einvoice::ElectronicAddress;
use crate::domain::permissions::{BillingProfileChange, MembershipRead};
use crate::domain::values::{Field, Line};
use crate::error::{Faults, Partial, Result};
use crate::programme::Programme;
use crate::repository::billing_profiles::BillingProfile;
use crate::workflows::billing_profiles::{self, Patch};

/// Registers the operations of this module.
pub fn routes(config: &mut impl Routes) {
    config
        .service(
            read_billing_profile,
            Callers::account(MembershipRead),
            RateLimit::PerCaller,
        )
        .service(
            update_billing_profile,
            Callers::account(BillingProfileChange),
            RateLimit::PerCaller,
        );
}

/// How an account is invoiced.
#[derive(Serialize, ToSchema)]
#[schema(as = BillingProfile)]
struct BillingProfileView {
    /// Its number in the register of companies of its country, without separators.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "24256790")]
    company_number: Option<String>,
    /// What the business knows its purchases by.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "PO-4711")]
    your_reference: Option<String>,
    /// Where it takes electronic invoices: the scheme of Peppol and the number in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "0184:24256790")]
    electronic_address: Option<String>,
    /// Counts its changes; also the `ETag`.
    #[schema(minimum = 1)]
    version: i64,
}

impl BillingProfileView {
    fn answer(profile: BillingProfile) -> Result<Answer> {
        let version = profile.version;
        let view = Self {
            company_number: profile.company_number,
            your_reference: profile.your_reference,
            electronic_address: profile.electronic_address,
            version,
        };
        Ok(Answer::ok(&view)?.etag(version))
    }
}

/// Read the billing profile
///
/// What the account wants to read on its invoices, and where it takes electronic ones.
#[utoipa::path(
    tag = "invoices",
    operation_id = "readBillingProfile",
    security(("bearer" = [])),
    params(AccountPath),
    responses((status = 200, description = "The profile", body = BillingProfileView, headers(("ETag" = String))))
)]
#[get("/accounts/{account_id}/billing-profile")]
async fn read_billing_profile(
    service: Data<Service>,
    access: Access<MembershipRead>,
) -> Result<Answer> {
    let context = service.context();
    let read = move |conn: &mut _| billing_profiles::read(conn, &context, &access.account);
    BillingProfileView::answer(service.db.read(read).await?)
}

/// A change of the billing profile, as a JSON Merge Patch (RFC 7396): what is left out stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "company_number": "24256790", "your_reference": "PO-4711", "electronic_address": "0184:24256790" }))]
struct UpdateBillingProfile {
    /// The number in the register of companies of the account's country (CVR, KVK ..), with or without separators. Null deletes it.
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 30)]
    company_number: Field<String>,
    /// What the business knows its purchases by.
    #[serde(default)]
    #[schema(schema_with = nullable::<Line<60>>)]
    your_reference: Field<Line<60>>,
    #[serde(default)]
    #[schema(schema_with = nullable::<ElectronicAddress>)]
    electronic_address: Field<ElectronicAddress>,
}

impl Input for UpdateBillingProfile {
    type Parsed = Partial<Patch>;
    const MEDIA_TYPES: &'static [&'static str] = &MERGE_PATCH;

    fn parse(self, _: &Programme, faults: Faults) -> Result<Self::Parsed> {
        let read = Patch {
            company_number: self.company_number,
            your_reference: self.your_reference,
            electronic_address: self.electronic_address,
        };
        Ok(Partial { read, faults })
    }
}

/// Change the billing profile
///
/// Invoices that are issued from then on have it; one that stands is issued again by finance. 422 with `company_number_invalid` where the
/// account's country has no such number, with `electronic_address_invalid` where the number is wrong in its scheme.
#[utoipa::path(
    tag = "invoices",
    operation_id = "updateBillingProfile",
    security(("bearer" = [])),
    params(AccountPath, IfMatchHeader),
    request_body(content(
        (UpdateBillingProfile = "application/merge-patch+json"),
        (UpdateBillingProfile = "application/json")
    )),
    responses((status = 200, description = "The profile", body = BillingProfileView, headers(("ETag" = String))))
)]
#[patch("/accounts/{account_id}/billing-profile")]
async fn update_billing_profile(
    service: Data<Service>,
    access: Access<BillingProfileChange>,
    seen: IfMatch,
    body: Body<UpdateBillingProfile>,
) -> Result<Answer> {
    let (context, patch) = (service.context(), body.value);
    let change = move |conn: &mut _| {
        let check = |version| seen.check(version);
        billing_profiles::change(conn, &context, &access.account, check, patch)
    };
    BillingProfileView::answer(service.db.write(change).await?)
}
