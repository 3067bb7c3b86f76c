//! How a line is shown: to its dealer without a word of the customer, to staff with both.

use std::sync::Arc;

use actix_web::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::account::AccountId;
use crate::domain::model::ModelId;
use crate::domain::partner::PartnerId;
use crate::domain::product::ProductId;
use crate::domain::registration::{
    RefusalReason, RegistrationId, RegistrationNote, RegistrationResult, RegistrationStatus,
    Reported, Verb,
};
use crate::domain::registration_batch::BatchId;
use crate::error::Result;
use crate::handlers::answer::Answer;
use crate::repository::catalogue::Catalogue;
use crate::repository::registrations::Registration;
use crate::types::Instant;
use crate::workflows::registrations::Answered;

/// A line that was taken in.
#[derive(Serialize, ToSchema)]
pub struct RegistrationView {
    id: RegistrationId,
    /// The dealer's own id of it.
    #[schema(example = "F-1001")]
    external_id: String,
    verb: Verb,
    /// Where it stands; `unchanged` where it was sent again and nothing came of it.
    status: RegistrationResult,
    /// Where a line stands that is `unchanged`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    registration_status: Option<RegistrationStatus>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    code: Option<RegistrationNote>,
    /// Why the customer declined it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    reason: Option<RefusalReason>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    product_id: Option<ProductId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    model_id: Option<ModelId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "EOS R5")]
    model: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "130210041177")]
    serial_number: Option<String>,
    /// Until when the customer may answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    offer_expires_at: Option<Instant>,
    /// The batch that it came in last.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    batch_id: Option<BatchId>,
    /// For staff: who reported it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    partner_id: Option<PartnerId>,
    /// For staff: whose it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    account_id: Option<AccountId>,
    created_at: Instant,
    #[schema(minimum = 1, example = 1)]
    pub version: i64,
}

/// A page of lines.
#[derive(Serialize, ToSchema)]
pub struct RegistrationsPage {
    pub items: Vec<RegistrationView>,
    /// Leads to the next page; null on the last one.
    #[schema(required)]
    pub next_cursor: Option<String>,
}

impl RegistrationView {
    /// The view of a line as it stands.
    pub fn of(row: Registration, catalogue: &Catalogue, is_for_staff: bool) -> Result<Self> {
        let said = row.reported.as_ref();
        let said: Option<Reported> = said.map(|said| said.decode()).transpose()?;
        let model = row.model_id.and_then(|id| catalogue.model(id));
        Ok(Self {
            id: row.id,
            external_id: row.external_id,
            verb: row.verb,
            status: row.status.into(),
            registration_status: None,
            code: row.code,
            reason: row.reason,
            product_id: row.product_id,
            model_id: row.model_id,
            model: model.map(|model| model.row.name.clone()),
            serial_number: said.map(|said| said.serial_number),
            batch_id: row.batch_id,
            offer_expires_at: row.offer_expires_at,
            partner_id: is_for_staff.then_some(row.partner_id),
            account_id: is_for_staff.then_some(row.account_id),
            created_at: row.created_at,
            version: row.version,
        })
    }
}

/// The answer to one line.
pub fn answer((answered, catalogue): (Answered, Arc<Catalogue>)) -> Result<Answer> {
    let (view, status) = match answered {
        Answered::Refused(refusal) => return Err(refusal.into()),
        Answered::Taken(row) => {
            let status = match row.status {
                RegistrationStatus::AlreadyRegistered => StatusCode::OK,
                _ => StatusCode::CREATED,
            };
            (RegistrationView::of(row, &catalogue, false)?, status)
        }
        Answered::Unchanged(row) => {
            let stands = row.status;
            let view = RegistrationView::of(row, &catalogue, false)?;
            let view = RegistrationView {
                status: RegistrationResult::Unchanged,
                registration_status: Some(stands),
                ..view
            };
            (view, StatusCode::OK)
        }
    };
    let answer = match status {
        StatusCode::CREATED => Answer::created(&view)?,
        _ => Answer::ok(&view)?,
    };
    let answer = answer.location(format!("/v1/registrations/{}", view.id));
    Ok(answer.etag_with_digest(view.version))
}
