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
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::answer::Answer;
use super::extract::{
    Cursor, PageParams, Pages, Params, RequiredIdempotencyHeader, RequiredKey, list_params,
};
use super::service::Service;
use super::{Callers, RateLimit, Routes};
use crate::auth::{Anywhere, PartnerOnly};
use crate::domain::permissions::{RegistrationsRead, RegistrationsWrite};
use crate::domain::registration::SentLine;
use crate::domain::registration_batch::BatchId;
use crate::error::{Code, Result};
use crate::repository::registration_batches as stored;
use crate::workflows::registration_batches::{self as batches, Received};
use intake::{Intake, UnreadBatch};
use views::{BatchPage, BatchView};

/// Registers the operations of this module.
pub fn routes(config: &mut impl Routes) {
    config
        .service(
            create_registration_batch,
            Callers::anywhere(RegistrationsWrite),
            RateLimit::PerCaller,
        )
        .service(
            list_registration_batches,
            Callers::anywhere(RegistrationsRead),
            RateLimit::PerCaller,
        )
        .service(
            read_registration_batch,
            Callers::anywhere(RegistrationsRead),
            RateLimit::PerCaller,
        )
        .service(
            cancel_registration_batch,
            Callers::anywhere(RegistrationsWrite),
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
#[derive(ToSchema)]
#[schema(example = json!({ "lines": [{
    "external_id": "F-1001", "member_number": "100000000287", "model": "EOS R5", "serial_number": "130210041177", "purchase_date": "2026-05-20"
}] }))]
#[expect(dead_code, reason = "says in the contract what is read line by line")]
struct RegistrationLines {
    #[schema(min_items = 1, max_items = 10000)]
    lines: Vec<SentLine>,
}

/// Report many sales
///
/// Up to 10,000 lines as CSV (UTF-8, or Windows-1252 where the `charset` says so), NDJSON or JSON; each says what a single registration says. A line is a
/// record: the number of a line is that of the file. A file that cannot be told apart is refused whole; all else is the result of its line. The lines are worked
/// through later, in their order.
#[utoipa::path(
    tag = "registration_batches",
    operation_id = "createRegistrationBatch",
    params(BatchParams, RequiredIdempotencyHeader),
    request_body(content(
        (String = "text/csv", example = "external_id;member_number;model;serial_number;purchase_date\nF-1002;100000000287;EOS R5;130210041178;2026-05-20\n"),
        (String = "application/x-ndjson", example = "{\"external_id\":\"R-1001\",\"verb\":\"return\",\"of\":\"F-1001\"}\n"),
        (RegistrationLines = "application/json"),
    )),
    responses((status = 202, description = "It waits for its turn", body = BatchView, headers(("Location" = String))))
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
        let (context, id) = (service.context(), intake.id);
        let received = Received {
            columns: whole.columns,
            lines: i64::try_from(whole.lines).unwrap_or(i64::MAX),
        };
        let hash = format!("{hash}:{dry_run}");
        let queue = move |conn: &mut _| {
            let batch = batches::queue(
                conn,
                &context,
                &partner,
                id.ok_or(Code::Overloaded)?,
                &received,
            )?;
            let location = format!("/v1/registration-batches/{}", batch.id);
            Ok(Answer::accepted_with(&BatchView::of(&batch)?)?.location(location))
        };
        key.0.write(&service, &hash, queue).await
    };
    let answer = answer.await;
    intake.settle(answer).await
}

list_params! {
    /// Which batches to list.
    struct BatchesParams {}
}

/// List batches
///
/// Yours, the newest first; staff see those of every dealer.
#[utoipa::path(
    tag = "registration_batches",
    operation_id = "listRegistrationBatches",
    security(("bearer" = [])),
    params(BatchesParams),
    responses((status = 200, description = "A page of batches", body = BatchPage, headers(("Link" = String))))
)]
#[get("/registration-batches")]
async fn list_registration_batches(
    service: Data<Service>,
    access: Anywhere<RegistrationsRead>,
    params: Params<BatchesParams>,
    pages: Pages,
) -> Result<Answer> {
    let (partner, size) = (access.access.reads_lines_of()?, params.0.size());
    let before = pages.after_as(&params.0, |cursor| Some(BatchId::from(cursor.id)))?;
    let rows = service
        .db
        .fetch(move |conn| stored::list(conn, partner, before, size + 1))
        .await?;
    let (rows, next_cursor) = pages.cut(rows, size, |row| Cursor::of_id(row.id.uuid()));
    let items = rows.iter().map(BatchView::of).collect::<Result<_>>()?;
    let link = pages.link_next(next_cursor.as_deref());
    Ok(Answer::ok(&BatchPage { items, next_cursor })?.header_if("Link", link))
}

/// Read a batch
///
/// Where it stands: counts are up to date at every chunk of its lines.
#[utoipa::path(
    tag = "registration_batches",
    operation_id = "readRegistrationBatch",
    security(("bearer" = [])),
    params(BatchPath),
    responses((status = 200, description = "The batch", body = BatchView, headers(("ETag" = String))))
)]
#[get("/registration-batches/{batch_id}")]
async fn read_registration_batch(
    service: Data<Service>,
    access: Anywhere<RegistrationsRead>,
    path: Path<BatchPath>,
) -> Result<Answer> {
    let (partner, id) = (access.access.reads_lines_of()?, path.batch_id);
    let batch = service
        .db
        .fetch(move |conn| stored::find(conn, partner, id))
        .await?;
    Ok(Answer::ok(&BatchView::of(&batch)?)?.etag(batch.version))
}

/// Stop a batch
///
/// What was done stays; the lines that are left are `cancelled`. 409 `batch_not_cancellable` once it is over.
#[utoipa::path(
    tag = "registration_batches",
    operation_id = "cancelRegistrationBatch",
    params(BatchPath),
    responses((status = 202, description = "It is stopped", body = BatchView))
)]
#[post("/registration-batches/{batch_id}/cancellation")]
async fn cancel_registration_batch(
    service: Data<Service>,
    access: PartnerOnly<RegistrationsWrite>,
    path: Path<BatchPath>,
) -> Result<Answer> {
    let (context, id) = (service.context(), path.batch_id);
    let batch = service
        .db
        .write(move |conn| batches::cancel(conn, &context, &access.partner, id))
        .await?;
    Answer::accepted_with(&BatchView::of(&batch)?)
}
