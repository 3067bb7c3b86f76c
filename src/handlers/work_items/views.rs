//! What staff see of what waits, with where it is worked.

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::access::UserId;
use crate::domain::account::AccountId;
use crate::domain::partner::PartnerId;
use crate::domain::work_item::{WorkItemId, WorkItemKind};
use crate::repository::work_items::WorkItem;
use crate::types::Instant;

/// Something that waits for staff.
#[derive(Serialize, ToSchema)]
pub struct WorkItemView {
    id: WorkItemId,
    kind: WorkItemKind,
    /// The id of what it is about: a product, a dealer, a job.
    #[schema(example = "prd_000000000000700080000000000000d3")]
    about: String,
    /// Whose product it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    account_id: Option<AccountId>,
    /// Whose systems they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    partner_id: Option<PartnerId>,
    /// What is known of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Object, required = false, nullable = false)]
    details: Option<serde_json::Value>,
    /// The `operationId` of what closes it.
    #[schema(example = "checkProduct")]
    next_operation: &'static str,
    /// Where that operation is.
    #[schema(
        example = "/v1/accounts/acc_00000000000070008000000000000007/products/prd_000000000000700080000000000000d3/check"
    )]
    next_path: String,
    due_at: Instant,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    claimed_by: Option<UserId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    claimed_until: Option<Instant>,
    opened_at: Instant,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    closed_at: Option<Instant>,
}

impl WorkItemView {
    pub fn of(item: WorkItem) -> Self {
        let (next_operation, next_path) = worked_at(&item);
        Self {
            id: item.id,
            kind: item.kind,
            about: item.subject_id,
            account_id: item.account_id,
            partner_id: item.partner_id,
            details: item.details.map(|details| details.0),
            next_operation,
            next_path,
            due_at: item.due_at,
            claimed_by: item.claimed_by,
            claimed_until: item.claimed_until,
            opened_at: item.opened_at,
            closed_at: item.closed_at,
        }
    }
}

/// The operation that closes a matter, and where it is.
fn worked_at(item: &WorkItem) -> (&'static str, String) {
    let subject = &item.subject_id;
    match (item.kind, item.account_id) {
        (WorkItemKind::StolenSerial | WorkItemKind::SerialCheck, Some(account)) => (
            "checkProduct",
            format!("/v1/accounts/{account}/products/{subject}/check"),
        ),
        (WorkItemKind::CreditLeft | WorkItemKind::RefundFailed, Some(account)) => (
            "refundPayment",
            format!("/v1/accounts/{account}/payments/{subject}/refunds"),
        ),
        (WorkItemKind::DeadJob, _) => ("retryJob", format!("/v1/jobs/{subject}/retry")),
        _ => (
            "completeWorkItem",
            format!("/v1/work-items/{}/completion", item.id),
        ),
    }
}

/// A page of what waits.
#[derive(Serialize, ToSchema)]
pub struct WorkItemPage {
    pub items: Vec<WorkItemView>,
    #[schema(required = true)]
    pub next_cursor: Option<String>,
}
