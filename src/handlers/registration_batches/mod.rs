//! Many lines at once, as partners' systems send them, and what became of each. A single line is in `registrations`.

mod columns;
mod intake;
mod lines;
mod reader;
mod results;
mod views;
mod whole;

use actix_web::web::{Data, Path};
use actix_web::{get, post};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::answer::Answer;
use super::extract::{Cursor, PageParams, Pages, Params, RequiredIdempotencyHeader, RequiredKey, list_params};
use super::service::Service;
use super::{Callers, RateLimit, Routes};
use crate::auth::{PartnerOnly, PartnerOrStaff};
use crate::domain::permissions::{RegistrationsRead, RegistrationsWrite};
use crate::domain::registration_batch::BatchId;
use crate::error::Result;
use crate::repository::registration_batches as stored;
use crate::workflows::registration_batches::{self as batches, Received};
use intake::{Intake, UnreadBatch};
use views::BatchView;

/// Registers the operations of this module.
pub fn routes(config: &mut impl Routes) {
    config
        .service(
            create_registration_batch,
            Callers::partner(RegistrationsWrite),
            RateLimit::PerCaller,
        )
        .service(
            list_registration_batches,
            Callers::partner_or_staff(RegistrationsRead),
            RateLimit::PerCaller,
        )
        .service(
            read_registration_batch,
            Callers::partner_or_staff(RegistrationsRead),
            RateLimit::PerCaller,
        )
        .service(
            cancel_registration_batch,
            Callers::partner(RegistrationsWrite),
            RateLimit::PerCaller,
        );
    results::routes(config);
}

/// The batch that a path names.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct BatchPath {
    /// The batch.
    #[param(example = "bat_00000000000070008000000000000001")]
    batch_id: BatchId,
}

/// How to take a batch.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct BatchParams {
    /// Says what would happen, and writes nothing but the results.
    #[serde(default)]
    #[param(default = false, required = false)]
    dry_run: bool,
}

/// Lines as one JSON body.
#[derive(Deserialize, ToSchema)]
#[allow(dead_code)]
struct RegistrationLines {
    #[schema(min_items = 1)]
    lines: Vec<NewRegistration>,
}

/// Report many sales
///
/// Up to 10,000 lines as CSV (UTF-8, or Windows-1252 where the `charset` says so), NDJSON or JSON; each says what a single registration says. A line is a
/// record: the number of a line is that of the file. A file that cannot be told apart is refused whole; all else is the result of its line. The lines are worked
/// through later, in their order.
#[utoipa::path(
    tag = "registration_batches",
    operation_id = "createRegistrationBatch",
    security(("partner" = ["registrations:write"])),
    params(BatchParams, RequiredIdempotencyHeader),
    request_body(content(
        (String = "text/csv"),
        (String = "application/x-ndjson"),
        (RegistrationLines = "application/json"),
    )),
    responses((status = 202, description = "It waits for its turn", body = BatchView))
)]
#[post("/registration-batches")]
async fn create_registration_batch(
    service: Data<Service>,
    access: PartnerOnly<RegistrationsWrite>,
    params: Params<BatchParams>,
    key: RequiredKey,
    body: UnreadBatch,
) -> Result<Answer> {
    let (partner, dry_run) = (access.partner, params.0.dry_run);
    let intake = Intake::begin(&service, &partner, &key.0, dry_run).await?;
    let answer = async {
        let (whole, hash) = intake.receive(body).await?;
        let (context, id) = (service.context(), intake.id());
        let received = Received {
            columns: whole.columns,
            lines: i64::try_from(whole.lines).unwrap_or(i64::MAX),
        };
        let hash = format!("{hash}:{dry_run}");
        let queue = move |conn: &mut _| {
            let batch = batches::queue(conn, &context, &partner, id?, &received)?;
            let location = format!("/v1/registration-batches/{}", batch.id);
            Ok(Answer::accepted_with(&BatchView::of(&batch)?)?.location(location))
        };
        key.0.write(&service, &hash, queue).await
    };
    let answer = answer.await;
    intake.settle(answer).await
}
