//! What callers see of a batch and of its lines.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::domain::language::Language;
use crate::domain::registration::RegistrationId;
use crate::domain::registration_batch::{BatchId, BatchLineStatus, BatchStatus};
use crate::error::Result;
use crate::handlers::problem::{FieldProblem, field_problems};
use crate::repository::registration_batches::{Batch, BatchLine};
use crate::types::Instant;
use crate::workflows::registration_batches::faults_of;

/// A batch.
#[derive(Serialize, ToSchema)]
#[schema(as = RegistrationBatch)]
pub struct BatchView {
    id: BatchId,
    status: BatchStatus,
    /// Says what would happen; nothing but results is written.
    dry_run: bool,
    #[schema(minimum = 0, example = 10000)]
    lines: i64,
    /// How many lines have their result.
    #[schema(minimum = 0)]
    done: i64,
    /// How many lines came to what, by the words of a line's `status`; what no line came to is left out.
    counts: BTreeMap<BatchLineStatus, i64>,
    /// When its last line had come.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    queued_at: Option<Instant>,
    /// When the last of its lines had its result, or it was stopped.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    completed_at: Option<Instant>,
    #[schema(minimum = 1)]
    pub version: i64,
}

impl BatchView {
    /// What is seen of a batch.
    pub fn of(batch: &Batch) -> Result<Self> {
        let mut counts = batch.counts()?;
        counts.retain(|_, lines| *lines > 0);
        Ok(Self {
            id: batch.id,
            status: batch.status,
            dry_run: batch.dry_run,
            lines: batch.lines,
            done: batch.done,
            counts,
            queued_at: batch.queued_at,
            completed_at: batch.completed_at,
            version: batch.version,
        })
    }
}

/// A page of batches.
#[derive(Serialize, ToSchema)]
#[schema(as = RegistrationBatchPage)]
pub struct BatchPage {
    pub items: Vec<BatchView>,
    #[schema(required = true)]
    pub next_cursor: Option<String>,
}

/// A page of lines.
#[derive(Serialize, ToSchema)]
#[schema(as = RegistrationLinePage)]
pub struct LinePage {
    pub items: Vec<LineView>,
    #[schema(required = true)]
    pub next_cursor: Option<String>,
}

/// One line of a batch with its result.
#[derive(Serialize, ToSchema)]
#[schema(as = RegistrationLine)]
pub struct LineView {
    /// Which line of the file it is, blank ones and the header included; of a JSON body its place, from 1.
    #[schema(minimum = 1)]
    line: i64,
    /// Your own id of it, where one could be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    external_id: Option<String>,
    status: BatchLineStatus,
    /// Of a refused line the code of the problem that it would be answered alone; `confirmed` where the customer had the product before.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, pattern = "^[a-z_]+$", example = "invalid_request")]
    code: Option<String>,
    /// What is wrong with a refused line.
    errors: Vec<FieldProblem>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    registration_id: Option<RegistrationId>,
    /// What you sent, for 30 days after the end of the batch.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = Object)]
    sent: Option<Value>,
}

impl LineView {
    /// What is seen of a line, its faults in a language.
    pub fn of(line: &BatchLine, language: Language) -> Result<Self> {
        let sent = line.body.as_deref().map(serde_json::from_str).transpose()?;
        Ok(Self {
            line: line.line,
            external_id: line.external_id.clone(),
            status: line.status,
            code: line.code.clone(),
            errors: field_problems(&faults_of(line)?, language),
            registration_id: line.registration_id,
            sent,
        })
    }
}
