//! Whom a customer trusts. What others offer is in `offers`.

use actix_web::web::{Data, Path};
use actix_web::{delete, get, put};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::accounts::AccountPath;
use super::answer::Answer;
use super::extract::{Cursor, PageParams, Pages, Params, list_params};
use super::service::Service;
use super::{Callers, RateLimit, Routes};
use crate::auth::Access;
use crate::domain::account::AccountId;
use crate::domain::partner::PartnerId;
use crate::domain::permissions::{OffersRead, PartnersTrust};
use crate::domain::values::Country;
use crate::error::Result;
use crate::repository::trusted_partners::{NamedPartner, Trusted};
use crate::repository::{self, accounts};
use crate::types::Instant;
use crate::workflows::trusted_partners;

/// Registers the operations of this module.
pub fn routes(config: &mut impl Routes) {
    config
        .service(
            list_trusted_partners,
            Callers::account(OffersRead),
            RateLimit::PerCaller,
        )
        .service(
            trust_partner,
            Callers::account(PartnersTrust),
            RateLimit::PerCaller,
        )
        .service(
            end_trust,
            Callers::account(PartnersTrust),
            RateLimit::PerCaller,
        );
}

/// A dealer, as far as its customers learn of it.
#[derive(Serialize, ToSchema)]
pub struct NamedPartnerView {
    id: PartnerId,
    #[schema(example = "Foto Nord")]
    name: String,
    country: Country,
}

impl NamedPartnerView {
    pub fn of(partner: NamedPartner) -> Self {
        Self {
            id: partner.id,
            name: partner.name,
            country: partner.country,
        }
    }
}

/// A dealer that the account trusts.
#[derive(Serialize, ToSchema)]
struct TrustedPartnerView {
    #[serde(flatten)]
    partner: NamedPartnerView,
    /// Since when.
    since: Instant,
}

impl TrustedPartnerView {
    fn of((partner, since): Trusted) -> Self {
        Self {
            partner: NamedPartnerView::of(partner),
            since,
        }
    }
}

/// A page of trusted dealers.
#[derive(Serialize, ToSchema)]
struct TrustedPartnerPage {
    items: Vec<TrustedPartnerView>,
    #[schema(required = true)]
    next_cursor: Option<String>,
}

list_params! {
    /// Which trusted dealers to list.
    struct TrustedPartnersParams {}
}

/// List the trusted dealers
///
/// What one of them reports is the customer's at once, with its points. In the order of their ids.
#[utoipa::path(
    tag = "offers",
    operation_id = "listTrustedPartners",
    security(("bearer" = [])),
    params(AccountPath, TrustedPartnersParams),
    responses((status = 200, description = "The dealers", body = TrustedPartnerPage))
)]
#[get("/accounts/{account_id}/trusted-partners")]
async fn list_trusted_partners(
    service: Data<Service>,
    access: Access<OffersRead>,
    params: Params<TrustedPartnersParams>,
    pages: Pages,
) -> Result<Answer> {
    let size = params.0.size();
    let after = pages.after(&params.0)?.map(|cursor| cursor.id.into());
    let rows = service
        .db
        .fetch(move |conn| {
            let account = &access.account;
            let rows = repository::trusted_partners::list(conn, account, after, size + 1)?;
            accounts::exists_unless(conn, account, !rows.is_empty())?;
            Ok(rows)
        })
        .await?;
    let (rows, next_cursor) =
        pages.cut(rows, size, |(partner, _)| Cursor::of_id(partner.id.uuid()));
    let link = pages.link_next(next_cursor.as_deref());
    let items = rows.into_iter().map(TrustedPartnerView::of).collect();
    Ok(Answer::ok(&TrustedPartnerPage { items, next_cursor })?.header_if("Link", link))
}

/// Names one dealer of an account in a path.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
struct TrustedPartnerPath {
    /// The account.
    #[param(example = "acc_00000000000070008000000000000001")]
    #[allow(dead_code)]
    account_id: AccountId,
    /// The dealer.
    #[param(example = "ptn_0000000000007000800000000000012c")]
    partner_id: PartnerId,
}

/// Trust a dealer
///
/// From now on what it reports is the customer's at once; what it offered before still waits for an answer. A dealer that is trusted already stays so.
#[utoipa::path(
    tag = "offers",
    operation_id = "trustPartner",
    security(("bearer" = [])),
    params(TrustedPartnerPath),
    responses((status = 200, description = "The dealer", body = TrustedPartnerView))
)]
#[put("/accounts/{account_id}/trusted-partners/{partner_id}")]
async fn trust_partner(
    service: Data<Service>,
    access: Access<PartnersTrust>,
    path: Path<TrustedPartnerPath>,
) -> Result<Answer> {
    let (context, id) = (service.context(), path.partner_id);
    let trusted = service
        .db
        .write(move |conn| trusted_partners::trust(conn, &context, &access.account, id))
        .await?;
    Answer::ok(&TrustedPartnerView::of(trusted))
}

/// Stop trusting a dealer
///
/// What it reports from now on is offered. Nothing is taken back.
#[utoipa::path(
    tag = "offers",
    operation_id = "endTrust",
    security(("bearer" = [])),
    params(TrustedPartnerPath),
    responses((status = 204, description = "The dealer is not trusted"))
)]
#[delete("/accounts/{account_id}/trusted-partners/{partner_id}")]
async fn end_trust(
    service: Data<Service>,
    access: Access<PartnersTrust>,
    path: Path<TrustedPartnerPath>,
) -> Result<Answer> {
    let (context, id) = (service.context(), path.partner_id);
    service
        .db
        .write(move |conn| trusted_partners::end(conn, &context, &access.account, id))
        .await?;
    Ok(Answer::no_content())
}
