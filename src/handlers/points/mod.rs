//! The points of an account: the balance now and then, the entries, adjustments by staff.

mod views;

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, get, post};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::{Validate, ValidationError};

use super::accounts::AccountPath;
use super::actor::{Reader, users_of};
use super::answer::Answer;
use super::extract::{
    Body, Cursor, Input, PageParams, Pages, Params, RequiredIdempotencyHeader, RequiredKey, broken,
    list_params, validated,
};
use super::language::preferred;
use super::service::Service;
use super::{Callers, RateLimit, Routes};
use crate::auth::Access;
use crate::domain::access::AccountAccess;
use crate::domain::permissions::{PointsAdjust, PointsRead};
use crate::domain::values::{Field, Line};
use crate::error::{FaultCode, Faults, Result};
use crate::programme::Programme;
use crate::repository::points::{self, WithModel};
use crate::repository::{DbConn, accounts, users};
use crate::types::Instant;
use crate::workflows;
use views::{EntryView, PointsView};

/// Registers the operations of this module.
pub fn routes(config: &mut impl Routes) {
    config
        .service(
            read_points,
            Callers::account(PointsRead),
            RateLimit::PerCaller,
        )
        .service(
            list_entries,
            Callers::account(PointsRead),
            RateLimit::PerCaller,
        )
        .service(
            adjust_points,
            Callers::account(PointsAdjust),
            RateLimit::PerCaller,
        );
}

/// The query of the points: as they were at a moment.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct PointsParams {
    /// Any moment; without it, now.
    #[param(value_type = Option<String>, format = DateTime, nullable = false, example = "2026-06-01T12:00:00Z")]
    as_of: Option<Instant>,
}

/// Read the points
///
/// The balance, now or at any past moment (which is always answered alike), what is held of it, and how far the next levels are.
#[utoipa::path(
    tag = "points",
    operation_id = "readPoints",
    security(("bearer" = [])),
    params(AccountPath, PointsParams),
    responses((status = 200, description = "The points", body = PointsView))
)]
#[get("/accounts/{account_id}/points")]
async fn read_points(
    service: Data<Service>,
    access: Access<PointsRead>,
    params: Params<PointsParams>,
) -> Result<Answer> {
    let account = access.account;
    let sums = match params.0.as_of {
        None => {
            let read = service.db.fetch(move |conn| points::find(conn, &account));
            read.await?.sums()
        }
        Some(at) => {
            // Behind the lock: no entry from before this moment is still on its way.
            let read = service.db.write(move |conn| {
                accounts::lock(conn, &account)?;
                points::as_of(conn, &account, at)
            });
            read.await?
        }
    };
    Answer::ok(&PointsView::of(sums, &service.programme))
}

/// A page of entries.
#[derive(Serialize, ToSchema)]
struct EntryPage {
    items: Vec<EntryView>,
    #[schema(required = true)]
    next_cursor: Option<String>,
}

list_params! {
    /// Which entries to list.
    struct EntriesParams {}
}

/// List the entries
///
/// The whole ledger, newest first: each entry says what it did, of which model, and why, as a code and in words; what staff wrote stands apart.
/// Nothing is ever changed or deleted in it.
#[utoipa::path(
    tag = "points",
    operation_id = "listPointsEntries",
    security(("bearer" = [])),
    params(AccountPath, EntriesParams),
    responses((status = 200, description = "The entries", body = EntryPage))
)]
#[get("/accounts/{account_id}/points/entries")]
async fn list_entries(
    service: Data<Service>,
    access: Access<PointsRead>,
    params: Params<EntriesParams>,
    pages: Pages,
    request: HttpRequest,
) -> Result<Answer> {
    let size = params.0.size();
    let before = pages.after_as(&params.0, |cursor| cursor.key.parse().ok())?;
    let (account, is_staff) = (access.account, access.caller.is_staff());
    let (rows, reader) = service
        .db
        .fetch(move |conn| {
            let rows = points::entries(conn, &account, before, size + 1)?;
            accounts::exists_unless(conn, &account, !rows.is_empty())?;
            let reader = reader(conn, &account, is_staff, &rows)?;
            Ok((rows, reader))
        })
        .await?;
    let (rows, next_cursor) = pages.cut(rows, size, |(entry, _)| Cursor {
        key: entry.seq.to_string(),
        id: entry.id.uuid(),
    });
    let language = preferred(request.headers());
    let view = |entry| EntryView::of(entry, &reader, language);
    let items = rows.into_iter().map(view).collect();
    let link = pages.link_next(next_cursor.as_deref());
    Ok(Answer::ok(&EntryPage { items, next_cursor })?.header_if("Link", link))
}

/// Whose names the reader of these entries may know.
fn reader(
    conn: &mut DbConn,
    account: &AccountAccess,
    is_staff: bool,
    entries: &[WithModel],
) -> Result<Reader> {
    if is_staff {
        return Ok(Reader::Staff);
    }
    let actors = users_of(entries.iter().map(|(entry, _)| entry.actor.as_str()));
    users::own_of(conn, account, &actors).map(Reader::Account)
}

/// Points that staff give or take.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[validate(schema(function = "is_something"))]
#[schema(example = json!({ "amount": 100, "reason": "Compensation for a lost loan camera" }))]
struct AdjustPoints {
    /// Not 0; negative takes.
    #[schema(value_type = i64, minimum = -1000000, maximum = 1000000)]
    amount: Field<i64>,
    /// Why; the account sees it.
    #[schema(value_type = Line<500>)]
    reason: Field<Line<500>>,
}

/// An adjustment of 0 is none.
fn is_something(body: &AdjustPoints) -> Result<(), ValidationError> {
    match body.amount {
        Field::Read(0) => Err(broken("amount", FaultCode::Invalid)),
        _ => Ok(()),
    }
}

impl Input for AdjustPoints {
    /// The amount, and why.
    type Parsed = (i64, String);

    fn parse(self, _: &Programme, mut faults: Faults) -> Result<Self::Parsed> {
        faults.note(validated(&self));
        let reason = self.reason.map(String::from);
        faults.judge(self.amount.value().zip(reason.value()))
    }
}

/// Adjust the points
///
/// Gives or takes points by hand, with a reason. The invitation and the levels follow the new balance. Only on an approved account.
#[utoipa::path(
    tag = "points",
    operation_id = "adjustPoints",
    security(("bearer" = [])),
    params(AccountPath, RequiredIdempotencyHeader),
    request_body = AdjustPoints,
    responses((status = 201, description = "The entry", body = EntryView))
)]
#[post("/accounts/{account_id}/points/adjustments")]
async fn adjust_points(
    service: Data<Service>,
    access: Access<PointsAdjust>,
    _path: Path<AccountPath>,
    key: RequiredKey,
    body: Body<AdjustPoints>,
    request: HttpRequest,
) -> Result<Answer> {
    let (context, hash) = (service.context(), body.hash().to_owned());
    let ((amount, reason), language) = (body.value, preferred(request.headers()));
    key.0
        .write(&service, &hash, move |conn| {
            let entry =
                workflows::points::adjust(conn, &context, &access.account, amount, &reason)?;
            Answer::created(&EntryView::of((entry, None), &Reader::Staff, language))
        })
        .await
}
