//! What waits for staff: the queue, claiming, and closing by hand. What each matter is about is worked at in its own place.

mod views;

use actix_web::web::{Data, Path};
use actix_web::{delete, get, post};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::answer::Answer;
use super::extract::{Body, Cursor, PageParams, Pages, Params, Plain, list_params};
use super::service::Service;
use super::{Callers, RateLimit, Routes};
use crate::auth::StaffOnly;
use crate::domain::access::StaffAccess;
use crate::domain::permissions::{WorkItems, WorkItemsComplete};
use crate::domain::values::Text;
use crate::domain::work_item::{WorkItemId, WorkItemKind};
use crate::error::Result;
use crate::repository::work_items::{self, Queue};
use crate::types::Instant;
use crate::workflows;
use views::{WorkItemPage, WorkItemView};

/// Registers the operations of this module.
pub fn routes(config: &mut impl Routes) {
    config
        .service(
            list_work_items,
            Callers::staff(WorkItems),
            RateLimit::PerCaller,
        )
        .service(
            claim_work_item,
            Callers::staff(WorkItems),
            RateLimit::PerCaller,
        )
        .service(
            release_work_item,
            Callers::staff(WorkItems),
            RateLimit::PerCaller,
        )
        .service(
            complete_work_item,
            Callers::staff(WorkItemsComplete),
            RateLimit::PerCaller,
        );
}

/// Names one matter in a path.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
struct WorkItemPath {
    /// The matter.
    #[param(example = "wrk_000000000000700080000000000001f5")]
    work_item_id: WorkItemId,
}

list_params! {
    /// Which matters to list.
    struct WorkItemsParams {
        /// Only those of this kind.
        #[param(inline, nullable = false)]
        kind: Option<WorkItemKind>,
        /// Only those that the caller has claimed.
        #[param(nullable = false)]
        mine: Option<bool>,
        /// Only those that should be done by now.
        #[param(nullable = false)]
        overdue: Option<bool>,
    }
}

/// List what waits
///
/// The work queue: serial numbers to be looked at, dealers' systems that behave oddly, jobs that failed for good; soonest due first. Each caller sees
/// the kinds that the own role works at. Applications have a queue of their own.
#[utoipa::path(
    tag = "work_items",
    operation_id = "listWorkItems",
    security(("bearer" = [])),
    params(WorkItemsParams),
    responses((status = 200, description = "What waits", body = WorkItemPage))
)]
#[get("/work-items")]
async fn list_work_items(
    service: Data<Service>,
    access: StaffOnly<WorkItems>,
    params: Params<WorkItemsParams>,
    pages: Pages,
) -> Result<Answer> {
    let size = params.0.size();
    let after = pages.after_as(&params.0, read_place)?;
    let asked = queue(&params.0, &access.staff, service.now(), after);
    let rows = service
        .db
        .fetch(move |conn| work_items::queue(conn, &asked))
        .await?;
    let (rows, next_cursor) = pages.cut(rows, size, |item| Cursor {
        key: item.due_at.to_string(),
        id: item.id.uuid(),
    });
    let items = rows.into_iter().map(WorkItemView::of).collect();
    let link = pages.link_next(next_cursor.as_deref());
    Ok(Answer::ok(&WorkItemPage { items, next_cursor })?.header_if("Link", link))
}

fn queue(
    params: &WorkItemsParams,
    staff: &StaffAccess,
    now: Instant,
    after: Option<(Instant, WorkItemId)>,
) -> Queue {
    let kinds = WorkItemKind::ALL.iter().copied();
    let is_wanted = |kind: &WorkItemKind| params.kind.is_none_or(|wanted| wanted == *kind);
    let mine = staff.actor().user().filter(|_| params.mine == Some(true));
    Queue {
        kinds: kinds
            .filter(|kind| staff.may(kind.action()) && is_wanted(kind))
            .collect(),
        claimed_by: mine.map(|user| (user, now)),
        due_before: (params.overdue == Some(true)).then_some(now),
        after,
        limit: params.size() + 1,
    }
}

fn read_place(cursor: &Cursor) -> Option<(Instant, WorkItemId)> {
    Some((cursor.key.parse().ok()?, cursor.id.into()))
}

/// Claim what waits
///
/// For 30 minutes, so that no colleague begins it too; claiming again renews. 409 `claimed_by_another` while somebody else has it, 409
/// `work_item_closed` where it is done.
#[utoipa::path(
    tag = "work_items",
    operation_id = "claimWorkItem",
    security(("bearer" = [])),
    params(WorkItemPath),
    responses((status = 200, description = "The matter with its lease", body = WorkItemView))
)]
#[post("/work-items/{work_item_id}/claim")]
async fn claim_work_item(
    service: Data<Service>,
    access: StaffOnly<WorkItems>,
    path: Path<WorkItemPath>,
) -> Result<Answer> {
    let (context, id) = (service.context(), path.work_item_id);
    let item = service
        .db
        .write(move |conn| workflows::work_items::claim(conn, &context, &access.staff, id))
        .await?;
    Answer::ok(&WorkItemView::of(item))
}

/// Give back what was claimed
///
/// Before its 30 minutes are over; nothing happens where nobody has it. 409 `claimed_by_another` where somebody else has it.
#[utoipa::path(
    tag = "work_items",
    operation_id = "releaseWorkItem",
    security(("bearer" = [])),
    params(WorkItemPath),
    responses((status = 204, description = "Nobody has it"))
)]
#[delete("/work-items/{work_item_id}/claim")]
async fn release_work_item(
    service: Data<Service>,
    access: StaffOnly<WorkItems>,
    path: Path<WorkItemPath>,
) -> Result<Answer> {
    let (context, id) = (service.context(), path.work_item_id);
    service
        .db
        .write(move |conn| workflows::work_items::release(conn, &context, &access.staff, id))
        .await?;
    Ok(Answer::no_content())
}

/// Why a matter is done.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "reason": "The dealer has mended its system." }))]
struct CompleteWorkItem {
    /// For the record that staff keep.
    reason: Text<1000>,
}

impl Plain for CompleteWorkItem {}

/// Close what waits
///
/// What nothing else closes: a `partner_alert`. Elsewhere 409 `work_item_closes_itself`; its `next_operation` does it.
#[utoipa::path(
    tag = "work_items",
    operation_id = "completeWorkItem",
    security(("bearer" = [])),
    params(WorkItemPath),
    request_body = CompleteWorkItem,
    responses((status = 200, description = "The matter", body = WorkItemView))
)]
#[post("/work-items/{work_item_id}/completion")]
async fn complete_work_item(
    service: Data<Service>,
    access: StaffOnly<WorkItemsComplete>,
    path: Path<WorkItemPath>,
    body: Body<CompleteWorkItem>,
) -> Result<Answer> {
    let (context, id) = (service.context(), path.work_item_id);
    let reason = body.value.reason.to_string();
    let item = service
        .db
        .write(move |conn| {
            workflows::work_items::complete(conn, &context, &access.staff, (id, &reason))
        })
        .await?;
    Answer::ok(&WorkItemView::of(item))
}
