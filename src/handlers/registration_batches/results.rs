//! The results of a batch, line by line: as a list, or whole as a file.

use actix_web::web::{Data, Path};
use actix_web::{Either, HttpResponse, get};
use uuid::Uuid;

use super::BatchPath;
use super::columns::FIELDS;
use super::views::{LinePage, LineView};
use crate::auth::Anywhere;
use crate::domain::language::Language;
use crate::domain::partner::PartnerId;
use crate::domain::permissions::RegistrationsRead;
use crate::domain::registration_batch::{BatchId, BatchLineStatus};
use crate::error::Result;
use crate::handlers::answer::Answer;
use crate::handlers::extract::{Cursor, PageParams, Pages, Params, list_params};
use crate::handlers::service::Service;
use crate::handlers::{Callers, RateLimit, Routes};
use crate::repository::registration_batches::{self as stored, LineListing};
use crate::workflows::csv_file::Spreadsheet;
use crate::workflows::registration_batches::{ResultFormat, file};

/// Registers the operations of this module.
pub fn routes(config: &mut impl Routes) {
    config.service(
        list_registration_lines,
        Callers::anywhere(RegistrationsRead),
        RateLimit::PerCaller,
    );
}

list_params! {
    /// Which lines, and how.
    struct LinesParams {
        /// Only those that came to this.
        #[param(inline, nullable = false)]
        status: Option<BatchLineStatus>,
        /// `json` is a list by pages; `csv` and `ndjson` are a file of all, which can be mended and sent again.
        #[param(inline, nullable = false)]
        format: Option<ResultFormat>,
        /// The program that a CSV file is for; else it has commas and no byte order mark.
        #[serde(rename = "for")]
        #[param(inline, nullable = false)]
        reader: Option<Spreadsheet>,
    }
}

/// Read the results of a batch
///
/// In the order of its lines, also while it runs. A CSV file has the columns as they were sent and the result behind them.
#[utoipa::path(
    tag = "registration_batches",
    operation_id = "listRegistrationLines",
    security(("bearer" = [])),
    params(BatchPath, LinesParams),
    responses((status = 200, description = "The lines", content(
        (LinePage = "application/json"),
        (String = "text/csv"),
        (String = "application/x-ndjson"),
    )))
)]
#[get("/registration-batches/{batch_id}/lines")]
async fn list_registration_lines(
    service: Data<Service>,
    access: Anywhere<RegistrationsRead>,
    path: Path<BatchPath>,
    params: Params<LinesParams>,
    pages: Pages,
    language: Language,
) -> Result<Either<Answer, HttpResponse>> {
    let (partner, id) = (access.access.reads_lines_of()?, path.batch_id);
    match params.0.format {
        None | Some(ResultFormat::Json) => {
            let page = page(&service, (partner, id), &params.0, &pages, language).await?;
            Ok(Either::Left(page))
        }
        Some(format) => {
            let (status, reader) = (params.0.status, params.0.reader);
            let text = service
                .db
                .read(move |conn| {
                    let batch = stored::find(conn, partner, id)?;
                    file(conn, &batch, status, (format, reader), &FIELDS)
                })
                .await?;
            let name = format!("attachment; filename=\"results.{format}\"");
            let answer = HttpResponse::Ok()
                .content_type(format.media_type())
                .insert_header(("Content-Disposition", name))
                .body(text);
            Ok(Either::Right(answer))
        }
    }
}

async fn page(
    service: &Service,
    (partner, id): (Option<PartnerId>, BatchId),
    params: &LinesParams,
    pages: &Pages,
    language: Language,
) -> Result<Answer> {
    let size = params.size();
    let listing = LineListing {
        status: params.status,
        after: pages
            .after_as(params, |cursor| cursor.key.parse().ok())?
            .unwrap_or(0),
        limit: size + 1,
    };
    let rows = service
        .db
        .read(move |conn| {
            stored::find(conn, partner, id)?;
            stored::list_lines(conn, id, listing)
        })
        .await?;
    let (rows, next_cursor) = pages.cut(rows, size, |row| Cursor {
        key: row.line.to_string(),
        id: Uuid::nil(),
    });
    let items = rows.iter().map(|row| LineView::of(row, language));
    let items = items.collect::<Result<_>>()?;
    let link = pages.link_next(next_cursor.as_deref());
    Ok(Answer::ok(&LinePage { items, next_cursor })?.header_if("Link", link))
}
