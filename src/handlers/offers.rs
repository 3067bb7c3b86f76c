//! What dealers offer, and what their customers answer. Whom a customer trusts is in `trusted_partners`.

use actix_web::web::{Data, Path};
use actix_web::{get, post};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::accounts::AccountPath;
use super::answer::Answer;
use super::extract::{Body, Cursor, PageParams, Pages, Params, Plain, list_params};
use super::products::{ProductView, load_view};
use super::service::Service;
use super::trusted_partners::NamedPartnerView;
use super::{Callers, RateLimit, Routes};
use crate::auth::Access;
use crate::domain::access::AccountAccess;
use crate::domain::account::AccountId;
use crate::domain::offer::Blocked;
use crate::domain::permissions::{OffersAnswer, OffersRead};
use crate::domain::product::ProductId;
use crate::domain::registration::RefusalReason;
use crate::error::Result;
use crate::repository::accounts;
use crate::repository::catalogue::Catalogue;
use crate::repository::offers::Offer;
use crate::types::Instant;
use crate::workflows::{Context, offers};

/// Registers the operations of this module.
pub fn routes(config: &mut impl Routes) {
    config
        .service(
            list_offers,
            Callers::account(OffersRead),
            RateLimit::PerCaller,
        )
        .service(
            accept_offer,
            Callers::account(OffersAnswer),
            RateLimit::PerCaller,
        )
        .service(
            refuse_offer,
            Callers::account(OffersAnswer),
            RateLimit::PerCaller,
        );
}

/// What a dealer offers.
#[derive(Serialize, ToSchema)]
struct OfferView {
    product: ProductView,
    partner: NamedPartnerView,
    /// When it runs out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    expires_at: Option<Instant>,
    /// What keeps it from being accepted now.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    blocked: Option<Blocked>,
}

impl OfferView {
    fn of(
        context: &Context,
        catalogue: &Catalogue,
        access: &AccountAccess,
        ((product, line, partner), blocked): (Offer, Option<Blocked>),
    ) -> Result<Self> {
        Ok(Self {
            product: ProductView::of(context, catalogue, access, (product, None))?,
            partner: NamedPartnerView::of(partner),
            expires_at: line.offer_expires_at,
            blocked,
        })
    }
}

/// A page of offers.
#[derive(Serialize, ToSchema)]
struct OfferPage {
    items: Vec<OfferView>,
    #[schema(required = true)]
    next_cursor: Option<String>,
}

list_params! {
    /// Which offers to list.
    struct OffersParams {}
}

/// List offers
///
/// What dealers whom the account does not trust say to have sold to it, newest first. An offer gives no points and keeps no serial number until it is
/// accepted; unanswered it runs out.
#[utoipa::path(
    tag = "offers",
    operation_id = "listOffers",
    security(("bearer" = [])),
    params(AccountPath, OffersParams),
    responses((status = 200, description = "The offers", body = OfferPage))
)]
#[get("/accounts/{account_id}/offers")]
async fn list_offers(
    service: Data<Service>,
    access: Access<OffersRead>,
    params: Params<OffersParams>,
    pages: Pages,
) -> Result<Answer> {
    let (context, size) = (service.context(), params.0.size());
    let before = pages.after(&params.0)?.map(|cursor| cursor.id.into());
    let list = pages.clone();
    let (items, next_cursor) = service
        .db
        .read(move |conn| {
            let account = &access.account;
            let found = offers::list(conn, &context, account, before, size + 1)?;
            accounts::exists_unless(conn, account, !found.offers.is_empty())?;
            let (rows, next) = list.cut(found.offers, size, |((product, ..), _)| {
                Cursor::of_id(product.id.uuid())
            });
            let view = |row| OfferView::of(&context, &found.catalogue, account, row);
            let views: Result<Vec<OfferView>> = rows.into_iter().map(view).collect();
            Ok((views?, next))
        })
        .await?;
    let link = pages.link_next(next_cursor.as_deref());
    Ok(Answer::ok(&OfferPage { items, next_cursor })?.header_if("Link", link))
}

/// Names one offer in a path.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
struct OfferPath {
    /// The account.
    #[param(example = "acc_00000000000070008000000000000001")]
    #[allow(dead_code)]
    account_id: AccountId,
    /// The product that is offered.
    #[param(example = "prd_000000000000700080000000000000fb")]
    product_id: ProductId,
}

/// Accept an offer
///
/// The product is the account's, with its points; where the account has registered it already, that registration is confirmed and answered. 409
/// `serial_already_registered` where another account has it: the offer stays until it runs out; 409 `offer_closed` after its end.
#[utoipa::path(
    tag = "offers",
    operation_id = "acceptOffer",
    security(("bearer" = [])),
    params(OfferPath),
    responses((status = 200, description = "The product", body = ProductView, headers(("ETag" = String))))
)]
#[post("/accounts/{account_id}/offers/{product_id}/acceptance")]
async fn accept_offer(
    service: Data<Service>,
    access: Access<OffersAnswer>,
    path: Path<OfferPath>,
) -> Result<Answer> {
    let (context, id, account) = (service.context(), path.product_id, access.account);
    let view = service
        .db
        .write(move |conn| {
            let product = offers::accept(conn, &context, &account, id)?;
            load_view(conn, &context, &account, product)
        })
        .await?;
    Ok(Answer::ok(&view)?.etag_with_digest(view.version))
}

/// Why an offer is refused.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "reason": "not_mine" }))]
struct RefuseOffer {
    /// The dealer is told.
    reason: RefusalReason,
}

impl Plain for RefuseOffer {}

/// Refuse an offer
///
/// The dealer learns the reason, and does not offer the same again for 90 days. 409 `offer_closed` after the offer's end.
#[utoipa::path(
    tag = "offers",
    operation_id = "refuseOffer",
    security(("bearer" = [])),
    params(OfferPath),
    request_body = RefuseOffer,
    responses((status = 204, description = "It is refused"))
)]
#[post("/accounts/{account_id}/offers/{product_id}/refusal")]
async fn refuse_offer(
    service: Data<Service>,
    access: Access<OffersAnswer>,
    path: Path<OfferPath>,
    body: Body<RefuseOffer>,
) -> Result<Answer> {
    let (context, refusal) = (service.context(), (path.product_id, body.value.reason));
    service
        .db
        .write(move |conn| offers::refuse(conn, &context, &access.account, refusal))
        .await?;
    Ok(Answer::no_content())
}
