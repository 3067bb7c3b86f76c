//! The lines of bank statements: what waits for somebody, whose it is, and what is put aside. Taking statements in is in `bank_statements`.

mod bodies;
mod views;

use actix_web::web::{Data, Path};
use actix_web::{delete, get, post};
use serde::Deserialize;
use utoipa::IntoParams;

use super::answer::Answer;
use super::extract::{
    Body, Cursor, PageParams, Pages, Params, RequiredIdempotencyHeader, RequiredKey, list_params,
};
use super::service::Service;
use super::{Callers, RateLimit, Routes};
use crate::auth::StaffOnly;
use crate::domain::bank::{BankStatementId, BankTransactionId, TransactionState};
use crate::domain::language::Language;
use crate::domain::permissions::{BankRead, BankWrite};
use crate::domain::values::Text;
use crate::error::Result;
use crate::repository::DbConn;
use crate::repository::bank_transactions::{self as stored, Listing};
use crate::workflows::bank;
use bodies::{DismissTransaction, MatchTransaction};
use views::{BankTransactionPage, BankTransactionView, Shown};

/// Registers the operations of this module.
pub fn routes(config: &mut impl Routes) {
    config
        .service(
            list_bank_transactions,
            Callers::staff(BankRead),
            RateLimit::PerCaller,
        )
        .service(
            read_bank_transaction,
            Callers::staff(BankRead),
            RateLimit::PerCaller,
        )
        .service(
            match_bank_transaction,
            Callers::staff(BankWrite),
            RateLimit::PerCaller,
        )
        .service(
            unmatch_bank_transaction,
            Callers::staff(BankWrite),
            RateLimit::PerCaller,
        )
        .service(
            dismiss_bank_transaction,
            Callers::staff(BankWrite),
            RateLimit::PerCaller,
        )
        .service(
            bring_back_bank_transaction,
            Callers::staff(BankWrite),
            RateLimit::PerCaller,
        );
}

list_params! {
    /// Which lines to list.
    struct BankTransactionsParams {
        /// Only those that stand so: `open` is the work list.
        #[param(inline, nullable = false)]
        state: Option<TransactionState>,
        /// Only those of this statement.
        #[param(inline, nullable = false)]
        statement_id: Option<BankStatementId>,
    }
}

/// List bank lines
///
/// The oldest first. Those that wait say what is known of them, and which invoices they may be for.
#[utoipa::path(
    tag = "bank",
    operation_id = "listBankTransactions",
    security(("bearer" = [])),
    params(BankTransactionsParams),
    responses((status = 200, description = "A page of lines", body = BankTransactionPage, headers(("Link" = String))))
)]
#[get("/bank-transactions")]
async fn list_bank_transactions(
    service: Data<Service>,
    _access: StaffOnly<BankRead>,
    params: Params<BankTransactionsParams>,
    pages: Pages,
    language: Language,
) -> Result<Answer> {
    let size = params.0.size();
    let listing = Listing {
        state: params.0.state,
        statement: params.0.statement_id,
        after: pages.after_as(&params.0, |cursor| Some(cursor.id.into()))?,
        limit: size + 1,
    };
    let shown = service
        .db
        .read(move |conn| {
            let rows = stored::list(conn, &listing)?;
            views::load(conn, rows)
        })
        .await?;
    let (shown, next_cursor) = pages.cut(shown, size, |one| Cursor::of_id(one.row.id.uuid()));
    let items = shown.into_iter().map(|one| one.view(language));
    let items = items.collect::<Result<_>>()?;
    let link = pages.link_next(next_cursor.as_deref());
    let page = BankTransactionPage { items, next_cursor };
    Ok(Answer::ok(&page)?.header_if("Link", link))
}

/// Names one line in a path.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
struct BankTransactionPath {
    /// The line.
    #[param(example = "btx_00000000000070008000000000000001")]
    bank_transaction_id: BankTransactionId,
}

/// Read a bank line
///
/// With the payments that were made of it and the invoices that they were placed on.
#[utoipa::path(
    tag = "bank",
    operation_id = "readBankTransaction",
    security(("bearer" = [])),
    params(BankTransactionPath),
    responses((status = 200, description = "The line", body = BankTransactionView, headers(("ETag" = String))))
)]
#[get("/bank-transactions/{bank_transaction_id}")]
async fn read_bank_transaction(
    service: Data<Service>,
    _access: StaffOnly<BankRead>,
    path: Path<BankTransactionPath>,
    language: Language,
) -> Result<Answer> {
    let id = path.bank_transaction_id;
    let shown = service
        .db
        .read(move |conn| {
            let row = stored::find(conn, id)?;
            Shown::of(conn, row)
        })
        .await?;
    let version = shown.row.version;
    Ok(Answer::ok(&shown.view(language)?)?.etag_with_digest(version))
}

/// Match a bank line
///
/// With one or several open invoices, of one account or of several, with no more than the line and than each invoice has open. What is left stays open
/// money of `account_id`, or of nobody where there is none. 409 `transaction_not_open`, `amount_exceeds_transaction`, `amount_exceeds_invoice`
/// (`invoice_id` says which), `currency_mismatch`.
#[utoipa::path(
    tag = "bank",
    operation_id = "matchBankTransaction",
    security(("bearer" = [])),
    params(BankTransactionPath, RequiredIdempotencyHeader),
    request_body = MatchTransaction,
    responses((status = 200, description = "The line with its payments", body = BankTransactionView))
)]
#[post("/bank-transactions/{bank_transaction_id}/match")]
async fn match_bank_transaction(
    service: Data<Service>,
    access: StaffOnly<BankWrite>,
    path: Path<BankTransactionPath>,
    key: RequiredKey,
    language: Language,
    body: Body<MatchTransaction>,
) -> Result<Answer> {
    let (hash, context) = (body.hash().to_owned(), service.context());
    let wanted = (path.bank_transaction_id, body.value);
    let work = move |conn: &mut DbConn| {
        let row = bank::match_by_hand(conn, &context, &access.staff, wanted)?;
        Answer::ok(&Shown::of(conn, row)?.view(language)?)
    };
    key.0.write(&service, &hash, work).await
}

/// Why a match is taken back.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct UnmatchParams {
    /// For the record that staff keep.
    #[param(inline, example = "It was for another invoice")]
    reason: Text<1000>,
}

/// Take a match back
///
/// All of it: the invoices are owed again, the line waits again. 409 `transaction_not_open` where it is not `matched`, 409 `payment_refunded` once money of
/// it went back.
#[utoipa::path(
    tag = "bank",
    operation_id = "unmatchBankTransaction",
    security(("bearer" = [])),
    params(BankTransactionPath, UnmatchParams),
    responses((status = 200, description = "The line", body = BankTransactionView))
)]
#[delete("/bank-transactions/{bank_transaction_id}/match")]
async fn unmatch_bank_transaction(
    service: Data<Service>,
    access: StaffOnly<BankWrite>,
    path: Path<BankTransactionPath>,
    params: Params<UnmatchParams>,
    language: Language,
) -> Result<Answer> {
    let (context, id) = (service.context(), path.bank_transaction_id);
    let reason = params.0.reason.to_string();
    let shown = service
        .db
        .write(move |conn| {
            let row = bank::take_match_back(conn, &context, &access.staff, (id, &reason))?;
            Shown::of(conn, row)
        })
        .await?;
    Answer::ok(&shown.view(language)?)
}

/// Put a bank line aside
///
/// One that waits and is for no invoice. 409 `transaction_not_open` elsewhere.
#[utoipa::path(
    tag = "bank",
    operation_id = "dismissBankTransaction",
    security(("bearer" = [])),
    params(BankTransactionPath, RequiredIdempotencyHeader),
    request_body = DismissTransaction,
    responses((status = 200, description = "The line", body = BankTransactionView))
)]
#[post("/bank-transactions/{bank_transaction_id}/dismissal")]
async fn dismiss_bank_transaction(
    service: Data<Service>,
    access: StaffOnly<BankWrite>,
    path: Path<BankTransactionPath>,
    key: RequiredKey,
    language: Language,
    body: Body<DismissTransaction>,
) -> Result<Answer> {
    let (hash, context) = (body.hash().to_owned(), service.context());
    let (id, reason) = (path.bank_transaction_id, String::from(body.value.reason));
    let work = move |conn: &mut DbConn| {
        let row = bank::dismiss(conn, &context, &access.staff, (id, &reason))?;
        Answer::ok(&Shown::of(conn, row)?.view(language)?)
    };
    key.0.write(&service, &hash, work).await
}

/// Bring a bank line back
///
/// One that was put aside waits again. 409 `transaction_not_open` elsewhere.
#[utoipa::path(
    tag = "bank",
    operation_id = "bringBackBankTransaction",
    security(("bearer" = [])),
    params(BankTransactionPath),
    responses((status = 200, description = "The line", body = BankTransactionView))
)]
#[delete("/bank-transactions/{bank_transaction_id}/dismissal")]
async fn bring_back_bank_transaction(
    service: Data<Service>,
    access: StaffOnly<BankWrite>,
    path: Path<BankTransactionPath>,
    language: Language,
) -> Result<Answer> {
    let (context, id) = (service.context(), path.bank_transaction_id);
    let shown = service
        .db
        .write(move |conn| {
            let row = bank::bring_back(conn, &context, &access.staff, id)?;
            Shown::of(conn, row)
        })
        .await?;
    Answer::ok(&shown.view(language)?)
}
