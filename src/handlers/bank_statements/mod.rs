//! Bank statements: taking them in, where they stand, and releasing those whose balances prove nothing. Their lines are in `bank_transactions`.

mod spool;
mod views;

use actix_web::web::{Data, Path};
use actix_web::{get, post};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::answer::Answer;
use super::extract::{
    Body, Cursor, PageParams, Pages, Params, Plain, RequiredIdempotencyHeader, RequiredKey,
    list_params,
};
use super::service::Service;
use super::{Callers, RateLimit, Routes};
use crate::auth::StaffOnly;
use crate::domain::bank::BankStatementId;
use crate::domain::language::Language;
use crate::domain::permissions::{BankRead, BankWrite};
use crate::domain::values::Text;
use crate::error::{Code, Result};
use crate::jobs::bank::Importer;
use crate::repository::{DbConn, bank_statements as stored};
use crate::workflows::bank;
use spool::UnreadStatement;
use views::{BankStatementPage, BankStatementView};

pub use views::ImportView;

/// Registers the operations of this module.
pub fn routes(config: &mut impl Routes) {
    config
        .service(
            import_bank_statement,
            Callers::staff(BankWrite),
            RateLimit::PerCaller,
        )
        .service(
            list_bank_statements,
            Callers::staff(BankRead),
            RateLimit::PerCaller,
        )
        .service(
            read_bank_statement,
            Callers::staff(BankRead),
            RateLimit::PerCaller,
        )
        .service(
            release_bank_statement,
            Callers::staff(BankWrite),
            RateLimit::PerCaller,
        );
}

/// How to take a statement.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ImportParams {
    /// Says what would become of it, and stores nothing.
    #[serde(default)]
    #[param(default = false, required = false)]
    dry_run: bool,
}

/// Take a bank statement in
///
/// camt.053.001.02 or .08 as banks write it, or CSV: `account, booking_date, value_date, amount, currency, balance, reference, text, payer_name,
/// payer_account, bank_reference`, with a balance in each row. Up to 16 MiB. Lines that were seen before are not taken twice; what fits one open invoice
/// exactly is booked by itself, a little later. Any of it no statement: 422 `statement_not_accepted`, and nothing is stored.
#[utoipa::path(
    tag = "bank",
    operation_id = "importBankStatement",
    security(("bearer" = [])),
    params(ImportParams, RequiredIdempotencyHeader),
    request_body(content(
        (String = "application/xml", example = json!(views::EXAMPLE_CAMT)),
        (String = "text/csv", example = json!(views::EXAMPLE_CSV)),
    )),
    responses(
        (status = 201, description = "Its lines are stored", body = ImportView),
        (status = 200, description = "It came before, or was only looked at", body = ImportView)
    )
)]
#[post("/bank-statements")]
async fn import_bank_statement(
    service: Data<Service>,
    access: StaffOnly<BankWrite>,
    params: Params<ImportParams>,
    key: RequiredKey,
    language: Language,
    body: UnreadStatement,
) -> Result<Answer> {
    let (_place, sent) = body.receive(&service).await?;
    let dry_run = params.0.dry_run;
    let hash = format!("{}:{dry_run}", sent.sha256);
    let outcome = match (key.0.is_answered(&service).await?, dry_run) {
        (true, _) => None,
        (false, true) => Some(importer(&service, &access).rehearse(sent).await?),
        (false, false) => Some(importer(&service, &access).import(sent).await?),
    };
    let answer = move |_: &mut _| {
        let outcome = outcome.as_ref().ok_or(Code::Overloaded)?;
        let view = ImportView::of(outcome, language);
        match outcome.is_known || dry_run {
            true => Answer::ok(&view),
            false => Answer::created(&view),
        }
    };
    key.0.write(&service, &hash, answer).await
}

fn importer(service: &Service, access: &StaffOnly<BankWrite>) -> Importer {
    let context = service.context();
    Importer {
        db: service.db.clone(),
        stamp: access.staff.stamp(context.now),
        context,
    }
}

list_params! {
    /// Which statements to list.
    struct BankStatementsParams {}
}

/// List bank statements
///
/// A page of a bank for each; the newest first.
#[utoipa::path(
    tag = "bank",
    operation_id = "listBankStatements",
    security(("bearer" = [])),
    params(BankStatementsParams),
    responses((status = 200, description = "A page of statements", body = BankStatementPage, headers(("Link" = String))))
)]
#[get("/bank-statements")]
async fn list_bank_statements(
    service: Data<Service>,
    _access: StaffOnly<BankRead>,
    params: Params<BankStatementsParams>,
    pages: Pages,
    language: Language,
) -> Result<Answer> {
    let size = params.0.size();
    let before = pages.after_as(&params.0, |cursor| Some(BankStatementId::from(cursor.id)))?;
    let rows = service
        .db
        .fetch(move |conn| stored::list(conn, before, size + 1))
        .await?;
    let (rows, next_cursor) = pages.cut(rows, size, |row| Cursor::of_id(row.id.uuid()));
    let items = rows
        .into_iter()
        .map(|row| BankStatementView::of(row, language))
        .collect();
    let link = pages.link_next(next_cursor.as_deref());
    let page = BankStatementPage { items, next_cursor };
    Ok(Answer::ok(&page)?.header_if("Link", link))
}

/// Names one statement in a path.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
struct BankStatementPath {
    /// The statement.
    #[param(example = "bst_00000000000070008000000000000001")]
    bank_statement_id: BankStatementId,
}

/// Read a bank statement
///
/// Where it stands, and why.
#[utoipa::path(
    tag = "bank",
    operation_id = "readBankStatement",
    security(("bearer" = [])),
    params(BankStatementPath),
    responses((status = 200, description = "The statement", body = BankStatementView, headers(("ETag" = String))))
)]
#[get("/bank-statements/{bank_statement_id}")]
async fn read_bank_statement(
    service: Data<Service>,
    _access: StaffOnly<BankRead>,
    path: Path<BankStatementPath>,
    language: Language,
) -> Result<Answer> {
    let id = path.bank_statement_id;
    let row = service.db.fetch(move |conn| stored::find(conn, id)).await?;
    let version = row.version;
    Ok(Answer::ok(&BankStatementView::of(row, language))?.etag_with_digest(version))
}

/// Why a statement is released.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "reason": "The bank confirmed the closing balance by phone." }))]
struct ReleaseStatement {
    /// For the record that staff keep.
    reason: Text<1000>,
}

impl Plain for ReleaseStatement {}

/// Release a bank statement
///
/// One that is `held`, with its other pages: their lines are booked as if its balances proved them.
#[utoipa::path(
    tag = "bank",
    operation_id = "releaseBankStatement",
    security(("bearer" = [])),
    params(BankStatementPath, RequiredIdempotencyHeader),
    request_body = ReleaseStatement,
    responses((status = 200, description = "The statement", body = BankStatementView))
)]
#[post("/bank-statements/{bank_statement_id}/release")]
async fn release_bank_statement(
    service: Data<Service>,
    access: StaffOnly<BankWrite>,
    path: Path<BankStatementPath>,
    key: RequiredKey,
    language: Language,
    body: Body<ReleaseStatement>,
) -> Result<Answer> {
    let (hash, context) = (body.hash().to_owned(), service.context());
    let (id, reason) = (path.bank_statement_id, String::from(body.value.reason));
    let release = move |conn: &mut DbConn| {
        let row = bank::release(conn, &context, &access.staff, (id, &reason))?;
        Answer::ok(&BankStatementView::of(row, language))
    };
    key.0.write(&service, &hash, release).await
}
