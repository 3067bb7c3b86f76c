//! Suspending a dealer: its systems sign in no more, and what it has reported stays.

use actix_web::web::{Data, Path};
use actix_web::{delete, post};
use serde::Deserialize;
use utoipa::IntoParams;

use super::bodies::SuspendPartner;
use super::views::PartnerView;
use super::{PartnerPath, answer};
use crate::auth::{Authenticator, StaffOnly};
use crate::domain::partner::PartnerStatus;
use crate::domain::permissions::PartnersManage;
use crate::domain::values::Text;
use crate::error::Result;
use crate::handlers::answer::Answer;
use crate::handlers::extract::{Body, Params};
use crate::handlers::service::Service;
use crate::handlers::{Callers, RateLimit, Routes};
use crate::workflows::partners;

/// Registers the operations of this module.
pub fn routes(config: &mut impl Routes) {
    config
        .service(
            suspend_partner,
            Callers::staff(PartnersManage),
            RateLimit::PerCaller,
        )
        .service(
            reopen_partner,
            Callers::staff(PartnersManage),
            RateLimit::PerCaller,
        );
}

/// Suspend a dealer
///
/// For administrators, with a reason. Its systems sign in no more, and their tokens end within 5 seconds; what it has reported stays. Nothing
/// happens where it is suspended already.
#[utoipa::path(
    tag = "partners",
    operation_id = "suspendPartner",
    security(("bearer" = [])),
    params(PartnerPath),
    request_body = SuspendPartner,
    responses((status = 200, description = "The dealer", body = PartnerView, headers(("ETag" = String))))
)]
#[post("/partners/{partner_id}/suspension")]
async fn suspend_partner(
    service: Data<Service>,
    authenticator: Data<Authenticator>,
    access: StaffOnly<PartnersManage>,
    path: Path<PartnerPath>,
    body: Body<SuspendPartner>,
) -> Result<Answer> {
    let context = service.context();
    let stamp = access.staff.stamp(context.now);
    let (id, stamp) = (
        path.partner_id,
        stamp.because(body.value.reason.to_string()),
    );
    let partner = service
        .db
        .write(move |conn| {
            partners::set_status(conn, &context, &stamp, id, PartnerStatus::Suspended)
        })
        .await?;
    authenticator.forget_all();
    answer(&service, partner)
}

/// Why a suspension ends.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ReopenParams {
    /// For the record that staff keep.
    #[param(inline, example = "Its systems were mended.")]
    reason: Text<1000>,
}

/// Let a suspended dealer go on
///
/// For administrators, with a reason. Nothing happens where it is not suspended.
#[utoipa::path(
    tag = "partners",
    operation_id = "reopenPartner",
    security(("bearer" = [])),
    params(PartnerPath, ReopenParams),
    responses((status = 200, description = "The dealer", body = PartnerView, headers(("ETag" = String))))
)]
#[delete("/partners/{partner_id}/suspension")]
async fn reopen_partner(
    service: Data<Service>,
    access: StaffOnly<PartnersManage>,
    path: Path<PartnerPath>,
    params: Params<ReopenParams>,
) -> Result<Answer> {
    let context = service.context();
    let stamp = access.staff.stamp(context.now);
    let (id, stamp) = (path.partner_id, stamp.because(params.0.reason.to_string()));
    let partner = service
        .db
        .write(move |conn| partners::set_status(conn, &context, &stamp, id, PartnerStatus::Active))
        .await?;
    answer(&service, partner)
}
