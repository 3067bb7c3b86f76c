//! What callers see of the points of an account.

use chrono::NaiveDate;
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::access::UserId;
use crate::domain::membership::next_thresholds;
use crate::domain::points::{Account as Sums, EntryId, EntryKind};
use crate::domain::product::ProductId;
use crate::handlers::actor::{ActorView, Reader};
use crate::programme::Programme;
use crate::repository::points::PointsEntry;
use crate::types::Instant;

/// A level that is not open yet.
#[derive(Serialize, ToSchema)]
pub struct ThresholdView {
    #[schema(example = "platinum")]
    level: String,
    /// The points that its rule names.
    #[schema(example = 1600)]
    opens_at: i64,
    /// How many more points open it.
    #[schema(minimum = 1, example = 350)]
    points_missing: i64,
}

/// The points of an account.
#[derive(Serialize, ToSchema)]
pub struct PointsView {
    /// The sum of the entries; negative after a downward adjustment.
    #[schema(example = 1250)]
    balance: i64,
    /// What does not count because its serial number is disputed.
    #[schema(minimum = 0, example = 0)]
    held: i64,
    /// Whether the account may become a member: balance minus held reaches the programme's points.
    invited: bool,
    /// The levels that are not open yet, the next one first.
    next_thresholds: Vec<ThresholdView>,
}

impl PointsView {
    /// The view of `sums`.
    pub fn of(sums: Sums, programme: &Programme) -> Self {
        let points = sums.counting();
        let ahead = next_thresholds(points, &programme.levels);
        let ahead = ahead.into_iter().map(|level| ThresholdView {
            level: level.code.clone(),
            opens_at: level.opens_at(),
            points_missing: level.points_missing(points),
        });
        Self {
            balance: sums.balance,
            held: sums.held,
            invited: points >= programme.invitation.points,
            next_thresholds: ahead.collect(),
        }
    }
}

/// One entry of the ledger.
#[derive(Serialize, ToSchema)]
pub struct EntryView {
    id: EntryId,
    /// Its number in the account's ledger, from 1 without gaps.
    #[schema(minimum = 1)]
    seq: i64,
    kind: EntryKind,
    /// Signed points; `hold` and `release` are positive and change what is held.
    amount: i64,
    /// The balance after it.
    balance: i64,
    /// What is held after it.
    #[schema(minimum = 0)]
    held: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    product_id: Option<ProductId>,
    /// The award that a reversal takes back.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    reverses: Option<EntryId>,
    /// Which of the model's dated values an award used.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    value_valid_from: Option<NaiveDate>,
    /// Why: a word for what the service did, the words of staff for an adjustment.
    #[schema(example = "complete")]
    reason: String,
    /// The user who caused it; of staff an account learns only that it was staff.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    made_by: Option<UserId>,
    actor: ActorView,
    created_at: Instant,
}

impl EntryView {
    /// What `reader` sees of an entry.
    pub fn of(entry: PointsEntry, reader: &Reader) -> Self {
        let actor = ActorView::of(&entry.actor, reader);
        Self {
            made_by: actor.user(),
            actor,
            id: entry.id,
            seq: entry.seq,
            kind: entry.kind,
            amount: entry.amount,
            balance: entry.balance,
            held: entry.held,
            product_id: entry.product_id,
            reverses: entry.reverses,
            value_valid_from: entry.value_valid_from,
            reason: entry.reason,
            created_at: entry.created_at,
        }
    }
}
