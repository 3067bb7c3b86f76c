//! Levels, joining, the membership, and who is behind a member number.

mod views;

use actix_web::web::{Data, Path};
use actix_web::{get, post};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use validator::{Validate, ValidationError};

use super::accounts::AccountPath;
use super::answer::Answer;
use super::extract::{
    Body, Input, Params, RequiredIdempotencyHeader, RequiredKey, broken, validated,
};
use super::problem::Problem;
use super::service::Service;
use super::{Callers, RateLimit, Routes};
use crate::auth::{Access, Anywhere};
use crate::domain::access::AnywhereAccess;
use crate::domain::account::{AccountId, check_terms};
use crate::domain::card::check_token;
use crate::domain::invoice::PaymentMethod;
use crate::domain::language::Language;
use crate::domain::membership::{CorporateSwitch, Level, find_level};
use crate::domain::permissions::{MemberLookup, MembershipJoin, MembershipRead};
use crate::domain::values::Field;
use crate::error::{Fault, FaultCode, Faults, Result};
use crate::programme::Programme;
use crate::workflows::members;
use crate::workflows::membership::{self, Joining};
use views::{LevelsView, LookupView, MemberView, MembershipView, ValidityView};

/// Registers the operations of this module.
pub fn routes(config: &mut impl Routes) {
    config
        .service(
            list_levels,
            Callers::account(MembershipRead),
            RateLimit::PerCaller,
        )
        .service(
            join_programme,
            Callers::account(MembershipJoin),
            RateLimit::PerCaller,
        )
        .service(
            read_membership,
            Callers::account(MembershipRead),
            RateLimit::PerCaller,
        )
        .service(
            read_member,
            Callers::anywhere(MemberLookup),
            RateLimit::PerCaller,
        );
}

/// Names the account of a member in a path.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
#[allow(dead_code)]
struct MemberAccountPath {
    /// The account.
    #[param(example = "acc_00000000000070008000000000000002")]
    account_id: AccountId,
}

/// Names a member number in a path.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
struct MemberPath {
    /// As somebody typed it, with or without spaces and hyphens.
    #[param(min_length = 1, max_length = 40, example = "100000000287")]
    member_number: String,
}

/// Which track is offered.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct LevelsParams {
    /// `on` offers the corporate track, for accounts above its threshold.
    #[param(inline, nullable = false)]
    corporate: Option<CorporateSwitch>,
}

/// See the levels
///
/// The levels of the chosen track by rank: which are open with the points that the account has now, how many points the others need, what each costs
/// and gives. `corporate=on` at or below the corporate threshold: 409 `corporate_not_available`.
#[utoipa::path(
    tag = "membership",
    operation_id = "listLevels",
    security(("bearer" = [])),
    params(MemberAccountPath, LevelsParams),
    responses(
        (status = 200, description = "The levels", body = LevelsView),
        (status = 409, description = "`corporate_not_available`", body = Problem, content_type = "application/problem+json")
    )
)]
#[get("/accounts/{account_id}/membership/levels")]
async fn list_levels(
    service: Data<Service>,
    access: Access<MembershipRead>,
    params: Params<LevelsParams>,
    language: Language,
) -> Result<Answer> {
    let switch = params.0.corporate.unwrap_or(CorporateSwitch::Off);
    let context = service.context();
    let offer = service
        .db
        .read(move |conn| membership::offer(conn, &context, &access.account, switch))
        .await?;
    Answer::ok(&LevelsView::of(&offer, &service.programme, language))
}

/// A choice of level and payment.
#[derive(Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[validate(schema(function = "card_goes_with_method"))]
#[schema(example = json!({
    "level": "gold", "payment_method": "card", "card_token": "tok_visa", "accept_terms_version": "2026-01"
}))]
struct JoinProgramme {
    /// The code of an open level.
    #[schema(value_type = String, min_length = 1, max_length = 40)]
    level: Field<String>,
    #[schema(value_type = PaymentMethod)]
    payment_method: Field<PaymentMethod>,
    /// What the payment page gave for the card; with `card` only.
    #[schema(value_type = Option<String>, pattern = "^[!-~]{1,255}$", nullable = false)]
    card_token: Field<String>,
    /// The current `terms_version` of the programme.
    #[schema(value_type = String, min_length = 1, max_length = 32)]
    accept_terms_version: Field<String>,
}

/// A card has its token, and a bank transfer has none.
fn card_goes_with_method(body: &JoinProgramme) -> Result<(), ValidationError> {
    let token = body.card_token.as_ref().optional();
    let (Field::Read(method), Some(token)) = (body.payment_method, token) else {
        return Ok(());
    };
    let checked = check_token(method, token.map(String::as_str));
    checked.map_err(|code| broken("card_token", code))
}

/// A choice that was read; the card is not resolved yet.
struct Choice {
    level: String,
    payment_method: PaymentMethod,
    card_token: Option<String>,
    terms_version: String,
}

impl Input for JoinProgramme {
    type Parsed = Choice;

    fn parse(self, programme: &Programme, mut faults: Faults) -> Result<Choice> {
        faults.note(validated(&self));
        let (level, terms) = (self.level.value(), self.accept_terms_version.value());
        if let Some(level) = &level {
            faults.note(check_level(level, &programme.levels));
        }
        if let Some(terms) = &terms {
            faults.note(check_terms(terms, &programme.terms_version));
        }
        let card_token = self.card_token.optional();
        let choice = || {
            Some(Choice {
                level: level?,
                payment_method: self.payment_method.value()?,
                card_token: card_token?,
                terms_version: terms?,
            })
        };
        faults.judge(choice())
    }
}

fn check_level(code: &str, levels: &[Level]) -> Result<(), Vec<Fault>> {
    if find_level(levels, code).is_some() {
        return Ok(());
    }
    let codes: Vec<&str> = levels.iter().map(|level| level.code.as_str()).collect();
    let fault = Fault::new("#/level", FaultCode::NotAccepted);
    Err(vec![fault.with("allowed", codes.join(", "))])
}

/// Join the programme
///
/// Makes the account a member at once, before any payment, with a new member number; the invoice follows by itself. The points are counted again at
/// this moment. 409 `level_not_open`, `already_member`, `payment_due`, `account_not_active`; 422 `card_expires_too_early` where the card does not
/// live until the invoice is due. A card is charged on the due date, never before.
#[utoipa::path(
    tag = "membership",
    operation_id = "joinProgramme",
    security(("bearer" = [])),
    params(AccountPath, RequiredIdempotencyHeader),
    request_body = JoinProgramme,
    responses((status = 201, description = "The membership", body = MembershipView, headers(("ETag" = String), ("Location" = String))))
)]
#[post("/accounts/{account_id}/membership")]
async fn join_programme(
    service: Data<Service>,
    access: Access<MembershipJoin>,
    key: RequiredKey,
    language: Language,
    body: Body<JoinProgramme>,
) -> Result<Answer> {
    let (hash, context) = (body.hash().to_owned(), service.context());
    let chosen = body.value;
    // A provider that fails does not keep a repeated request from its stored answer.
    let card = match &chosen.card_token {
        Some(token) => service.cards.resolve(token, context.now).await.map(Some),
        None => Ok(None),
    };
    let work = move |conn: &mut crate::repository::DbConn| {
        let joining = Joining {
            level: chosen.level,
            payment_method: chosen.payment_method,
            card: card?,
            terms_version: chosen.terms_version,
        };
        let joined = membership::join(conn, &context, &access.account, &joining)?;
        let location = format!("/v1/accounts/{}/membership", joined.account_id);
        let view = MembershipView::load(conn, &context, joined, language)?;
        Ok(Answer::created(&view)?.location(location).etag_of_body())
    };
    key.0.write(&service, &hash, work).await
}

/// Read the membership
///
/// The one that runs; 404 `no_membership` where there is none. Earlier member numbers, that of an old CPS account included, still lead to it.
#[utoipa::path(
    tag = "membership",
    operation_id = "readMembership",
    security(("bearer" = [])),
    params(MemberAccountPath),
    responses((status = 200, description = "The membership", body = MembershipView, headers(("ETag" = String))))
)]
#[get("/accounts/{account_id}/membership")]
async fn read_membership(
    service: Data<Service>,
    access: Access<MembershipRead>,
    language: Language,
) -> Result<Answer> {
    let context = service.context();
    let view = service
        .db
        .read(move |conn| {
            let current = membership::current(conn, &access.account)?;
            MembershipView::load(conn, &context, current, language)
        })
        .await?;
    Ok(Answer::ok(&view)?.etag_of_body())
}

/// Look a member number up
///
/// For staff: whose it is, be it an earlier one or one of the old programme, and whether the membership is valid now. A mistyped number is told apart
/// from one that nobody has: 422 `member_number_invalid`, and 404. For a dealer's system: whether it is valid now, and nothing else; one that is not
/// counts as a customer that was not found, of which it has 200 a day (429 `quota_exceeded`).
#[utoipa::path(
    tag = "membership",
    operation_id = "readMember",
    security(("bearer" = [])),
    params(MemberPath),
    responses(
        (status = 200, description = "The member", body = MemberView),
        (status = 422, description = "`invalid_request`: the number is mistyped", body = Problem, content_type = "application/problem+json")
    )
)]
#[get("/members/{member_number}")]
async fn read_member(
    service: Data<Service>,
    caller: Anywhere<MemberLookup>,
    path: Path<MemberPath>,
    language: Language,
) -> Result<Answer> {
    let (context, typed) = (service.context(), path.into_inner().member_number);
    let view = match caller.access {
        AnywhereAccess::Partner(partner) => {
            let valid = service
                .db
                .write(move |conn| members::is_valid(conn, &context, &partner, &typed));
            LookupView::Partner(ValidityView {
                valid: valid.await?,
            })
        }
        AnywhereAccess::Staff(_) | AnywhereAccess::Account(_) => {
            let member = service.db.read(move |conn| members::look_up(conn, &typed));
            LookupView::Staff(MemberView::of(member.await?, language))
        }
    };
    Answer::ok(&view)
}
