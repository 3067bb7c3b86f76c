//! Dealers in our records: who they are, and whether their systems may sign in. Signing in is in `oauth`.

mod bodies;
mod credentials;
mod suspension;
mod views;

use actix_web::web::{Data, Path};
use actix_web::{get, patch, post};
use serde::Deserialize;
use utoipa::IntoParams;

use super::answer::Answer;
use super::extract::{
    Body, Cursor, Idempotency, IdempotencyHeader, IfMatch, IfMatchHeader, PageParams, Pages,
    Params, list_params,
};
use super::service::Service;
use super::{Callers, RateLimit, Routes};
use crate::auth::{Anywhere, StaffOnly};
use crate::domain::access::AnywhereAccess;
use crate::domain::partner::{PartnerId, PartnerStatus};
use crate::domain::permissions::{PartnersManage, PartnersRead};
use crate::error::{Code, Result};
use crate::repository::partner_days;
use crate::repository::partners::{self as stored, Search};
use crate::workflows::partners;
use bodies::{CreatePartner, UpdatePartner};
use views::{PartnerPage, PartnerView};

/// Registers the operations of this module.
pub fn routes(config: &mut impl Routes) {
    config
        .service(
            list_partners,
            Callers::anywhere(PartnersRead),
            RateLimit::PerCaller,
        )
        .service(
            create_partner,
            Callers::staff(PartnersManage),
            RateLimit::PerCaller,
        )
        .service(
            read_partner,
            Callers::anywhere(PartnersRead),
            RateLimit::PerCaller,
        )
        .service(
            update_partner,
            Callers::staff(PartnersManage),
            RateLimit::PerCaller,
        )
        .configure(suspension::routes)
        .configure(credentials::routes);
}

/// Names a dealer in a path.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
struct PartnerPath {
    /// The dealer.
    #[param(example = "ptn_0000000000007000800000000000012c")]
    partner_id: PartnerId,
}

list_params! {
    /// Which dealers to list.
    struct PartnersParams {
        /// Part of the name.
        #[param(
            min_length = 1,
            max_length = 100,
            pattern = r"^[^\x00-\x1f\x7f]+$",
            nullable = false,
            example = "Foto"
        )]
        query: Option<String>,
    }
}

/// List the dealers
///
/// Newest first. Administrators see all of them whole; users of a business the id, name and country of the active ones.
#[utoipa::path(
    tag = "partners",
    operation_id = "listPartners",
    security(("bearer" = [])),
    params(PartnersParams),
    responses((status = 200, description = "The dealers", body = PartnerPage))
)]
#[get("/partners")]
async fn list_partners(
    service: Data<Service>,
    caller: Anywhere<PartnersRead>,
    params: Params<PartnersParams>,
    pages: Pages,
) -> Result<Answer> {
    let (size, is_staff) = (params.0.size(), is_staff(&caller.access));
    let search = Search {
        before: pages.after(&params.0)?.map(|cursor| cursor.id.into()),
        status: (!is_staff).then_some(PartnerStatus::Active),
        text: params.0.query,
        limit: size + 1,
    };
    let rows = service
        .db
        .fetch(move |conn| stored::search(conn, &search))
        .await?;
    let (rows, next_cursor) = pages.cut(rows, size, |one| Cursor::of_id(one.id.uuid()));
    let rules = &service.programme.dealers;
    let view = |partner| match is_staff {
        true => PartnerView::whole(partner, rules, None),
        false => PartnerView::named(partner),
    };
    let items = rows.into_iter().map(view).collect();
    let link = pages.link_next(next_cursor.as_deref());
    Ok(Answer::ok(&PartnerPage { items, next_cursor })?.header_if("Link", link))
}

fn is_staff(access: &AnywhereAccess) -> bool {
    matches!(access, AnywhereAccess::Staff(_))
}

/// Take a dealer in
///
/// For administrators. Its systems get credentials of their own.
#[utoipa::path(
    tag = "partners",
    operation_id = "createPartner",
    security(("bearer" = [])),
    params(IdempotencyHeader),
    request_body = CreatePartner,
    responses((status = 201, description = "The dealer", body = PartnerView, headers(("ETag" = String), ("Location" = String))))
)]
#[post("/partners")]
async fn create_partner(
    service: Data<Service>,
    access: StaffOnly<PartnersManage>,
    key: Idempotency,
    body: Body<CreatePartner>,
) -> Result<Answer> {
    let (context, hash) = (service.context(), body.hash().to_owned());
    let (stamp, new) = (access.staff.stamp(context.now), body.value.into());
    key.write(&service, &hash, move |conn| {
        let partner = partners::create(conn, &stamp, new)?;
        let (id, version) = (partner.id, partner.version);
        let view = PartnerView::whole(partner, &context.programme.dealers, None);
        let answer = Answer::created(&view)?.location(format!("/v1/partners/{id}"));
        Ok(answer.etag(version))
    })
    .await
}

/// Read a dealer
///
/// With what it has used of its quotas today, for administrators. Users of a business see the id, name and country of an active one.
#[utoipa::path(
    tag = "partners",
    operation_id = "readPartner",
    security(("bearer" = [])),
    params(PartnerPath),
    responses((status = 200, description = "The dealer", body = PartnerView, headers(("ETag" = String))))
)]
#[get("/partners/{partner_id}")]
async fn read_partner(
    service: Data<Service>,
    caller: Anywhere<PartnersRead>,
    path: Path<PartnerPath>,
) -> Result<Answer> {
    let (id, is_staff, day) = (
        path.partner_id,
        is_staff(&caller.access),
        service.now().utc().date_naive(),
    );
    let found = service
        .db
        .read(move |conn| {
            let partner = stored::find_by_id(conn, id)?;
            let seen = partner.filter(|one| is_staff || one.status == PartnerStatus::Active);
            let used = partner_days::find(conn, id, day)?;
            Ok((seen.ok_or(Code::NotFound)?, used))
        })
        .await?;
    let ((partner, used), rules) = (found, &service.programme.dealers);
    let version = partner.version;
    let view = match is_staff {
        true => PartnerView::whole(partner, rules, Some(used)),
        false => PartnerView::named(partner),
    };
    Ok(Answer::ok(&view)?.etag_with_digest(version))
}

/// Change a dealer
///
/// For administrators.
#[utoipa::path(
    tag = "partners",
    operation_id = "updatePartner",
    security(("bearer" = [])),
    params(PartnerPath, IfMatchHeader),
    request_body(content(
        (UpdatePartner = "application/merge-patch+json"),
        (UpdatePartner = "application/json")
    )),
    responses((status = 200, description = "The dealer", body = PartnerView, headers(("ETag" = String))))
)]
#[patch("/partners/{partner_id}")]
async fn update_partner(
    service: Data<Service>,
    access: StaffOnly<PartnersManage>,
    path: Path<PartnerPath>,
    seen: IfMatch,
    body: Body<UpdatePartner>,
) -> Result<Answer> {
    let (stamp, change) = (access.staff.stamp(service.now()), body.value);
    let id = path.partner_id;
    let partner = service
        .db
        .write(move |conn| {
            let check = |version| seen.check(version);
            partners::change(conn, &stamp, (id, change.clone()), check)
        })
        .await?;
    answer(&service, partner)
}

/// What administrators see of a dealer that was changed.
fn answer(service: &Service, partner: stored::Partner) -> Result<Answer> {
    let version = partner.version;
    let view = PartnerView::whole(partner, &service.programme.dealers, None);
    Ok(Answer::ok(&view)?.etag(version))
}
