//! How an account is invoiced, as it says itself.

use actix_web::web::Data;
use actix_web::{get, patch, post};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::accounts::AccountPath;
use super::answer::Answer;
use super::extract::{Body, IfMatch, IfMatchHeader, Input, MERGE_PATCH, Plain, nullable};
use super::service::Service;
use super::{Callers, RateLimit, Routes};
use crate::auth::Access;
use crate::domain::access::Anonymous;
use crate::domain::einvoice::ElectronicAddress;
use crate::domain::permissions::{BillingProfileChange, MembershipRead};
use crate::domain::values::{Email, Field, Line};
use crate::error::{Faults, Partial, Result};
use crate::programme::Programme;
use crate::repository::billing_profiles::BillingProfile;
use crate::workflows::billing_profiles::{self, Patch};
use crate::workflows::invoice_email;

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
        )
        .service(confirm_invoice_email, Callers::Anybody, RateLimit::Reset);
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
    /// Where mails about money go instead of to the contact.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "bogholderi@fjordfoto.example")]
    invoice_email: Option<String>,
    /// The address that was asked for: it waits until the link is used that was mailed to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "faktura@fjordfoto.example")]
    invoice_email_waiting: Option<String>,
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
            invoice_email: profile.invoice_email,
            invoice_email_waiting: profile.invoice_email_waiting,
            version,
        };
        Ok(Answer::ok(&view)?.etag(version))
    }
}

/// Read the billing profile
///
/// What the account wants to read on its invoices, where it takes electronic ones, and where mails about money go.
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
#[schema(example = json!({ "company_number": "24256790", "your_reference": "PO-4711", "electronic_address": "0184:24256790", "invoice_email": "bogholderi@fjordfoto.example" }))]
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
    /// Where mails about money are to go instead of to the contact. It waits in `invoice_email_waiting` until the link is used that is mailed to it; sent
    /// again, it gets another link. Null deletes both, and the contact gets them.
    #[serde(default)]
    #[schema(schema_with = nullable::<Email>)]
    invoice_email: Field<Email>,
}

impl Input for UpdateBillingProfile {
    type Parsed = Partial<Patch>;
    const MEDIA_TYPES: &'static [&'static str] = &MERGE_PATCH;

    fn parse(self, _: &Programme, faults: Faults) -> Result<Self::Parsed> {
        let read = Patch {
            company_number: self.company_number,
            your_reference: self.your_reference,
            electronic_address: self.electronic_address,
            invoice_email: self.invoice_email,
        };
        Ok(Partial { read, faults })
    }
}

/// Change the billing profile
///
/// Invoices that are issued from then on have it; one that stands is issued again by finance. 422 with `company_number_invalid` where the
/// account's country has no such number, with `electronic_address_invalid` where the number is wrong in its scheme. An `invoice_email` is mailed a link, at most 3
/// an hour; the address that was confirmed before stays in use until the link is used.
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

/// The token of a link that was mailed to an address for invoices.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "token": "cpi_mJ0p9hDJb2b4a2m7o1yJ7v9S0m0lqk5Jc3vYw1dZx8E" }))]
struct ConfirmInvoiceEmail {
    /// What stands behind `#token=` in the mail's link.
    #[schema(value_type = String, min_length = 1, max_length = 200)]
    token: SecretString,
}

impl Plain for ConfirmInvoiceEmail {}

/// Confirm an address for invoices
///
/// With the token of the mail: mails about money go to that address from then on. It is used up. Unknown, used and expired tokens, and those of an address
/// that nobody asks for any more, get the same 400 `token_invalid`.
#[utoipa::path(
    tag = "invoices",
    operation_id = "confirmInvoiceEmail",
    request_body = ConfirmInvoiceEmail,
    responses((status = 204, description = "The address is confirmed"))
)]
#[post("/invoice-email-confirmations")]
async fn confirm_invoice_email(
    service: Data<Service>,
    who: Anonymous,
    body: Body<ConfirmInvoiceEmail>,
) -> Result<Answer> {
    let (context, token) = (service.context(), body.value.token);
    let confirm =
        move |conn: &mut _| invoice_email::confirm(conn, &context, &who, token.expose_secret());
    service.db.write(confirm).await?;
    Ok(Answer::no_content())
}
