//! What callers see of the points of an account.

use chrono::NaiveDate;
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::access::UserId;
use crate::domain::language::Language;
use crate::domain::membership::next_thresholds;
use crate::domain::points::{Account as Sums, EntryId, EntryKind, PointsReason};
use crate::domain::product::ProductId;
use crate::handlers::actor::{ActorView, Reader};
use crate::handlers::products::ProductModelView;
use crate::programme::Programme;
use crate::repository::points::WithModel;
use crate::texts::word;
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
    /// The model of the registration.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    model: Option<ProductModelView>,
    /// Why.
    reason_code: PointsReason,
    /// The same in words, in the caller's language.
    #[schema(example = "The product has all that it needs")]
    reason_text: String,
    /// What staff wrote of an adjustment, in their own words.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "Compensation for a lost loan camera")]
    note: Option<String>,
    /// The `note` where there is one, else the `reason_code`.
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
    /// What `reader` sees of an entry, in `language`.
    pub fn of((entry, model): WithModel, reader: &Reader, language: Language) -> Self {
        let reason_code = PointsReason::of(entry.kind, &entry.reason);
        let actor = match (ActorView::of(&entry.actor, reader), reason_code) {
            (actor, PointsReason::SerialNumberLost) => actor.of_a_stranger(reader),
            (actor, _) => actor,
        };
        Self {
            model: model.map(|model| ProductModelView {
                id: model.id,
                name: model.name,
                category: model.category,
            }),
            reason_code,
            reason_text: word("points_reasons", reason_code.as_str(), language).unwrap_or_default(),
            note: (reason_code == PointsReason::Adjustment).then(|| entry.reason.clone()),
            reason: entry.reason,
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
            created_at: entry.created_at,
        }
    }
}
