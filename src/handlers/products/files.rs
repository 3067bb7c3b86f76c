//! The products of an account as a CSV file, in and out.

use actix_web::web::Data;
use actix_web::{HttpResponse, get, post};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::auth::Access;
use crate::domain::permissions::{ProductsChange, ProductsRead};
use crate::domain::product::{ProductField, ProductId};
use crate::error::{Code, Error, Result};
use crate::handlers::accounts::AccountPath;
use crate::handlers::answer::Answer;
use crate::handlers::extract::{CsvBody, Params, RequiredIdempotencyHeader, RequiredKey};
use crate::handlers::problem::problem_code;
use crate::handlers::service::Service;
use crate::handlers::{Callers, RateLimit, Routes};
use crate::repository::accounts;
use crate::types::text_enum;
use crate::workflows::csv_file::{Encoding, Spreadsheet};
use crate::workflows::product_files::{self, ImportedLine};
use crate::workflows::products::{Registered, missing_of};

/// Registers the operations of this module.
pub fn routes(config: &mut impl Routes) {
    config
        .service(
            import_products,
            Callers::account(ProductsChange),
            RateLimit::PerCaller,
        )
        .service(
            export_products,
            Callers::account(ProductsRead),
            RateLimit::PerCaller,
        );
}

/// How to read a file in.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ImportParams {
    /// Says what would happen, and writes nothing.
    #[serde(default)]
    #[param(default = false, required = false)]
    dry_run: bool,
}

text_enum! {
    /// What became of a line.
    pub enum LineStatus {
        /// A new product with the green tick.
        Complete = "complete",
        /// A new product that needs something more.
        Incomplete = "incomplete",
        /// A new product that is held until staff have looked.
        Disputed = "disputed",
        /// The account has it already.
        Standing = "standing",
        /// Another account holds the serial number.
        Conflict = "conflict",
    }
}

/// The result of one line.
#[derive(Serialize, ToSchema)]
struct LineView {
    /// Its line in the file; the header is line 1.
    #[schema(minimum = 2)]
    line: u64,
    status: LineStatus,
    /// Why nothing was registered: the code of a problem.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = problem_code, required = false)]
    code: Option<&'static str>,
    /// The product; none for `conflict`, and none of a dry run's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    product_id: Option<ProductId>,
    /// What the product still needs.
    missing: Vec<ProductField>,
}

impl LineView {
    fn of(imported: ImportedLine, dry_run: bool) -> Self {
        let (status, code, product, is_kept) = match imported.registered {
            Registered::Taken => (
                LineStatus::Conflict,
                Some(Code::SerialAlreadyRegistered.as_str()),
                None,
                false,
            ),
            Registered::Existing(product) => (LineStatus::Standing, None, Some(product), true),
            Registered::New(product) => {
                let status = product.status.as_str().parse();
                let status = status.unwrap_or(LineStatus::Incomplete);
                (status, None, Some(product), !dry_run)
            }
        };
        Self {
            line: imported.line,
            status,
            code,
            missing: product.as_ref().map(missing_of).unwrap_or_default(),
            product_id: product.filter(|_| is_kept).map(|product| product.id),
        }
    }
}

/// What became of a file.
#[derive(Serialize, ToSchema)]
struct ImportView {
    dry_run: bool,
    /// How the file was read: as `charset` says, else UTF-8 where it is.
    encoding: Encoding,
    /// How many products are new, or would be.
    #[schema(minimum = 0)]
    registered: usize,
    lines: Vec<LineView>,
}

/// Read a file of products in
///
/// CSV in UTF-8 or Windows-1252 with a header row, comma or semicolon: `model, serial_number, purchase_date, purchase_country, dealer, estimated` (names of guessed fields
/// with spaces between them); at most 1,000 lines. A file with a fault is refused whole, with every fault and its row; a serial number that another account
/// holds is the result of its line.
#[utoipa::path(
    tag = "products",
    operation_id = "importProducts",
    security(("bearer" = [])),
    params(AccountPath, ImportParams, RequiredIdempotencyHeader),
    request_body(
        content = String,
        content_type = "text/csv",
        example = "model,serial_number,purchase_date,purchase_country,dealer,estimated\nEOS R6,013021004711,2023-03-01,DK,Foto Nord,purchase_date\n"
    ),
    responses((status = 200, description = "The result of each line", body = ImportView))
)]
#[post("/accounts/{account_id}/products/import")]
async fn import_products(
    service: Data<Service>,
    access: Access<ProductsChange>,
    params: Params<ImportParams>,
    key: RequiredKey,
    body: CsvBody,
) -> Result<Answer> {
    let (context, dry_run) = (service.context(), params.0.dry_run);
    let hash = format!("{}:{dry_run}", body.hash());
    key.0
        .write(&service, &hash, move |conn| {
            let account = &access.account;
            let file = &body.file;
            let lines = product_files::import(conn, &context, account, &file.text, dry_run)?;
            let is_new = |line: &&ImportedLine| matches!(line.registered, Registered::New(_));
            Answer::ok(&ImportView {
                dry_run,
                encoding: file.encoding,
                registered: lines.iter().filter(is_new).count(),
                lines: lines
                    .into_iter()
                    .map(|line| LineView::of(line, dry_run))
                    .collect(),
            })
        })
        .await
}

/// How to write a file.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ExportParams {
    /// The program that the file is for; else it has commas and no byte order mark.
    #[serde(rename = "for")]
    #[param(inline, nullable = false)]
    reader: Option<Spreadsheet>,
}

/// Write the products to a file
///
/// The products that have not ended, newest first, as a CSV file that can be read in again. Cells that begin like formulas are guarded.
#[utoipa::path(
    tag = "products",
    operation_id = "exportProducts",
    security(("bearer" = [])),
    params(AccountPath, ExportParams),
    responses((status = 200, description = "The file", body = String, content_type = "text/csv"))
)]
#[get("/accounts/{account_id}/products/export")]
async fn export_products(
    service: Data<Service>,
    access: Access<ProductsRead>,
    params: Params<ExportParams>,
) -> Result<HttpResponse, Error> {
    let reader = params.0.reader;
    let text = service
        .db
        .read(move |conn| {
            accounts::find(conn, &access.account)?;
            product_files::export(conn, &access.account, reader)
        })
        .await?;
    Ok(HttpResponse::Ok()
        .content_type("text/csv; charset=utf-8")
        .insert_header((
            "Content-Disposition",
            "attachment; filename=\"products.csv\"",
        ))
        .body(text))
}
