//! What callers see of levels, memberships and members.

use chrono::{Days, NaiveDate};
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::account::AccountId;
use crate::domain::invoice::PaymentMethod;
use crate::domain::language::Language;
use crate::domain::membership::{
    EndedReason, Level, MembershipId, MembershipStatus, MembershipStep, corporate_available,
};
use crate::domain::money::Money;
use crate::error::Result;
use crate::handlers::labels::label;
use crate::programme::Programme;
use crate::repository::DbConn;
use crate::repository::cards::{self, StoredCard};
use crate::repository::memberships::Membership;
use crate::types::Instant;
use crate::workflows::Context;
use crate::workflows::members::Member;
use crate::workflows::membership::{Offer, next_step, previous_numbers};

/// One level, as it stands for an account.
#[derive(Serialize, ToSchema)]
#[schema(as = LevelOffer)]
pub struct OfferedLevel {
    /// What joining names it by.
    #[schema(example = "gold")]
    level: String,
    #[schema(example = "Gold")]
    name: String,
    rank: i64,
    /// Whether it can be chosen now.
    open: bool,
    /// How many points it takes to open it; 0 where it is open.
    #[schema(minimum = 0)]
    points_missing: i64,
    /// For a year, without VAT; that of a level whose fee goes by products is the one for the complete products now.
    fee: Money,
    /// Whether fee and benefits are made up.
    example: bool,
    /// In the caller's language.
    benefits: Vec<String>,
}

/// What an account may choose from.
#[derive(Serialize, ToSchema)]
pub struct LevelsView {
    /// Points that count: those on hold do not.
    points: i64,
    /// Whether the account has the points of the invitation now.
    invited: bool,
    /// Whether the corporate track can be switched on.
    corporate_available: bool,
    /// By rank.
    levels: Vec<OfferedLevel>,
}

impl LevelsView {
    /// What callers see of an offer.
    pub fn of(offer: &Offer, programme: &Programme, language: Language) -> Self {
        let one = |level: &Level| OfferedLevel {
            level: level.code.clone(),
            name: level.name.clone(),
            rank: level.rank,
            open: level.is_open(offer.points),
            points_missing: level.points_missing(offer.points),
            fee: Money::new(level.fee_cents(offer.products), programme.seller.currency),
            example: level.example,
            benefits: level.benefits_in(language).to_vec(),
        };
        Self {
            points: offer.points,
            invited: offer.points >= programme.invitation.points,
            corporate_available: corporate_available(offer.points, &programme.levels),
            levels: offer.levels.iter().map(one).collect(),
        }
    }
}

/// The card that an invoice is charged to.
#[derive(Serialize, ToSchema)]
pub struct CardView {
    #[schema(example = "visa")]
    brand: String,
    #[schema(pattern = "^[0-9]{4}$", example = "4242")]
    last4: String,
    expires_year: i64,
    #[schema(minimum = 1, maximum = 12)]
    expires_month: i64,
}

impl From<StoredCard> for CardView {
    fn from(card: StoredCard) -> Self {
        Self {
            brand: card.brand,
            last4: card.last4,
            expires_year: card.expires_year,
            expires_month: card.expires_month,
        }
    }
}

/// What comes next of a membership.
#[derive(Serialize, ToSchema)]
#[schema(as = MembershipNextStep)]
struct NextStepView {
    what: MembershipStep,
    /// What people call it, in the caller's language.
    #[schema(example = "Ends")]
    label: String,
    at: Instant,
}

impl NextStepView {
    fn of((what, at): (MembershipStep, Instant), language: Language) -> Self {
        Self {
            label: label("membership_steps", what, language),
            what,
            at,
        }
    }
}

/// A membership.
#[derive(Serialize, ToSchema)]
#[schema(as = Membership)]
pub struct MembershipView {
    id: MembershipId,
    /// New with every membership.
    #[schema(pattern = "^[0-9]{12}$", example = "100000000287")]
    member_number: String,
    /// Those that lead here too, oldest first.
    previous_member_numbers: Vec<String>,
    #[schema(example = "gold")]
    level: String,
    status: MembershipStatus,
    /// In the caller's language.
    #[schema(example = "Active")]
    label: String,
    /// Whether the level gives what it promises.
    benefits: bool,
    /// What comes next if what is overdue stays unpaid and nothing else is chosen; while it runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    next_step: Option<NextStepView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    ended_reason: Option<EndedReason>,
    /// In the caller's language.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    ended_reason_label: Option<String>,
    /// Its first day.
    starts_date: NaiveDate,
    /// Its last day.
    ends_date: NaiveDate,
    /// From this day on it can be renewed.
    renewal_opens_date: NaiveDate,
    payment_method: PaymentMethod,
    /// Where it is paid by card.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    card: Option<CardView>,
    /// For the year, without VAT.
    fee: Money,
    /// The points that opened the level.
    points_at_joining: i64,
    accepted_terms_version: String,
    created_at: Instant,
}

impl MembershipView {
    /// What callers see of a membership.
    pub fn load(
        conn: &mut DbConn,
        context: &Context,
        membership: Membership,
        language: Language,
    ) -> Result<Self> {
        let next = next_step(conn, context, &membership)?;
        let card = match membership.card_id {
            Some(id) => Some(cards::find(conn, id)?.into()),
            None => None,
        };
        let early = Days::new(context.programme.membership.renewal_opens_days.into());
        let ends = membership.ends_date;
        let status = MembershipStatus::of(membership.standing);
        let ended = membership.ended_reason;
        Ok(Self {
            previous_member_numbers: previous_numbers(conn, &membership)?,
            benefits: membership.has_benefits(),
            next_step: next.map(|step| NextStepView::of(step, language)),
            status,
            label: label("membership_statuses", status, language),
            ended_reason: ended,
            ended_reason_label: ended.map(|why| label("membership_end_reasons", why, language)),
            id: membership.id,
            member_number: membership.member_number,
            level: membership.level,
            starts_date: membership.starts_date,
            ends_date: ends,
            renewal_opens_date: ends.checked_sub_days(early).unwrap_or(ends),
            payment_method: membership.payment_method,
            card,
            fee: Money::new(membership.fee_cents, membership.currency),
            points_at_joining: membership.points_at_joining,
            accepted_terms_version: membership.terms_version,
            created_at: membership.created_at,
        })
    }
}

/// What a partner's system is told of a member number.
#[derive(Serialize)]
pub struct ValidityView {
    /// Whether whoever has the number has the benefits of a member now.
    pub valid: bool,
}

/// What is told of a member number, by who asks.
#[derive(Serialize)]
#[serde(untagged)]
pub enum LookupView {
    Staff(MemberView),
    Partner(ValidityView),
}

/// Who is behind a member number. A dealer's system is told `valid` and nothing else.
#[derive(Serialize, ToSchema)]
#[schema(as = Member)]
pub struct MemberView {
    /// The one that was asked for, as it is kept.
    #[schema(required = false)]
    member_number: String,
    /// The newest one of the account.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    current_member_number: Option<String>,
    /// Whether the account has a membership that runs and gives its benefits.
    valid: bool,
    #[schema(required = false)]
    account_id: AccountId,
    #[schema(required = false)]
    account_number: String,
    #[schema(required = false)]
    company_name: String,
    /// Of the newest membership; absent where an old account's products were taken over and nobody joined yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    level: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    status: Option<MembershipStatus>,
    /// In the caller's language.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "Active")]
    label: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    starts_date: Option<NaiveDate>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    ends_date: Option<NaiveDate>,
}

impl MemberView {
    /// What staff see of a member.
    pub fn of(member: Member, language: Language) -> Self {
        let valid = member.is_valid();
        let newest = member.membership.as_ref();
        let status = newest.map(|one| MembershipStatus::of(one.standing));
        Self {
            member_number: member.number,
            current_member_number: newest.map(|one| one.member_number.clone()),
            valid,
            account_id: member.account.id,
            account_number: member.account.account_number,
            company_name: member.account.company_name,
            level: newest.map(|one| one.level.clone()),
            status,
            label: status.map(|one| label("membership_statuses", one, language)),
            starts_date: newest.map(|one| one.starts_date),
            ends_date: newest.map(|one| one.ends_date),
        }
    }
}
