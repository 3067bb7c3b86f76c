//! What dealers report, line by line: sales, returns, corrections, and what came of them.

#[cfg(test)]
mod tests;
mod views;

use actix_web::web::{Data, Path};
use actix_web::{get, post};
use serde::Deserialize;
use utoipa::IntoParams;

use super::answer::Answer;
use super::extract::{Body, Cursor, Input, PageParams, Pages, Params, list_params};
use super::service::Service;
use super::{Callers, RateLimit, Routes};
use crate::auth::{Anywhere, PartnerOnly};
use crate::domain::permissions::{RegistrationsRead, RegistrationsWrite};
use crate::domain::registration::{Line, RegistrationId, RegistrationStatus, SentLine};
use crate::domain::registration_batch::BatchId;
use crate::domain::values::serial_key;
use crate::error::{Code, Faults, Partial, Result};
use crate::programme::Programme;
use crate::repository::registrations::{self, Listing};
use crate::workflows::registrations::take_in_one;
use views::{RegistrationView, RegistrationsPage, answer};

/// Registers the operations of this module.
pub fn routes(config: &mut impl Routes) {
    config
        .service(
            create_registration,
            Callers::anywhere(RegistrationsWrite),
            RateLimit::PerCaller,
        )
        .service(
            list_registrations,
            Callers::anywhere(RegistrationsRead),
            RateLimit::PerCaller,
        )
        .service(
            read_registration,
            Callers::anywhere(RegistrationsRead),
            RateLimit::PerCaller,
        );
}

/// What is known of the customer and the model judges the rest.
impl Input for SentLine {
    type Parsed = Partial<Line>;

    fn parse(self, _: &Programme, faults: Faults) -> Result<Self::Parsed> {
        Ok(self.understand(faults))
    }
}

/// Report a sale, a return or a correction
///
/// A customer who trusts you has the product at once (`registered`), any other is asked (`offered`). `held`: the serial number was reported stolen.
/// `already_registered` says the same whoever has it. The same line under the same `external_id` is `unchanged`, however often it is sent.
#[utoipa::path(
    tag = "registrations",
    operation_id = "createRegistration",
    request_body = SentLine,
    responses(
        (status = 201, description = "Taken in", body = RegistrationView, headers(("ETag" = String), ("Location" = String))),
        (status = 200, description = "Nothing changed, or somebody has the serial number", body = RegistrationView, headers(("ETag" = String), ("Location" = String)))
    )
)]
#[post("/registrations")]
async fn create_registration(
    service: Data<Service>,
    access: PartnerOnly<RegistrationsWrite>,
    body: Body<SentLine>,
) -> Result<Answer> {
    let (context, partner, line) = (service.context(), access.partner, body.value);
    let answered = service
        .db
        .write(move |conn| {
            let answered = take_in_one(conn, &context, &partner, line)?;
            let catalogue = context.catalogue.last(conn)?;
            Ok((answered, catalogue))
        })
        .await?;
    answer(answered)
}

list_params! {
    /// Which lines to list.
    struct RegistrationsParams {
        /// Only those that stand so.
        #[param(inline, nullable = false)]
        status: Option<RegistrationStatus>,
        /// Only that of your own id.
        #[param(nullable = false, max_length = 64)]
        external_id: Option<String>,
        /// Only those with this serial number.
        #[param(nullable = false, max_length = 64)]
        serial_number: Option<String>,
        /// Only those that came in this batch last.
        #[param(inline, nullable = false)]
        batch_id: Option<BatchId>,
    }
}

/// List lines
///
/// What you have reported and where it stands, the newest first; staff see those of every dealer.
#[utoipa::path(
    tag = "registrations",
    operation_id = "listRegistrations",
    security(("bearer" = [])),
    params(RegistrationsParams),
    responses((status = 200, description = "A page of lines", body = RegistrationsPage, headers(("Link" = String))))
)]
#[get("/registrations")]
async fn list_registrations(
    service: Data<Service>,
    access: Anywhere<RegistrationsRead>,
    params: Params<RegistrationsParams>,
    pages: Pages,
) -> Result<Answer> {
    let (context, params) = (service.context(), params.0);
    let partner = access.access.reads_lines_of()?;
    let size = params.size();
    let listing = Listing {
        partner,
        status: params.status,
        external_id: params.external_id.clone(),
        serial_key: params.serial_number.as_deref().map(serial_key),
        batch: params.batch_id,
        before: pages.after_as(&params, |cursor| Some(cursor.id.into()))?,
        limit: size + 1,
    };
    let (rows, catalogue) = service
        .db
        .read(move |conn| {
            let rows = registrations::list(conn, &listing)?;
            Ok((rows, context.catalogue.current(conn)?))
        })
        .await?;
    let (rows, next) = pages.cut(rows, size, |row| Cursor::of_id(row.id.uuid()));
    let items = rows
        .into_iter()
        .map(|row| RegistrationView::of(row, &catalogue, partner.is_none()));
    let page = RegistrationsPage {
        items: items.collect::<Result<_>>()?,
        next_cursor: next.clone(),
    };
    Ok(Answer::ok(&page)?.header_if("link", pages.link_next(next.as_deref())))
}

/// The line that a path names.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
struct RegistrationPath {
    /// The line.
    #[param(example = "reg_00000000000070008000000000000190")]
    registration_id: RegistrationId,
}

/// Read a line
///
/// What you said, and where it stands by now.
#[utoipa::path(
    tag = "registrations",
    operation_id = "readRegistration",
    security(("bearer" = [])),
    params(RegistrationPath),
    responses((status = 200, description = "The line", body = RegistrationView, headers(("ETag" = String))))
)]
#[get("/registrations/{registration_id}")]
async fn read_registration(
    service: Data<Service>,
    access: Anywhere<RegistrationsRead>,
    path: Path<RegistrationPath>,
) -> Result<Answer> {
    let (context, id) = (service.context(), path.registration_id);
    let partner = access.access.reads_lines_of()?;
    let (row, catalogue) = service
        .db
        .read(move |conn| {
            let row = registrations::find(conn, partner, id)?;
            let row = row.ok_or(Code::NotFound)?;
            Ok((row, context.catalogue.current(conn)?))
        })
        .await?;
    let view = RegistrationView::of(row, &catalogue, partner.is_none())?;
    Ok(Answer::ok(&view)?.etag_with_digest(view.version))
}
