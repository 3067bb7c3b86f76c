//! Staff decide applications: the queue, the claim, the decisions.

mod views;

use actix_web::web::{Data, Path};
use actix_web::{get, post, put};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{Callers, RateLimit, Routes};
use crate::auth::{Access, StaffOnly};
use crate::domain::account::{AccountId, AccountStatus};
use crate::domain::document::{DocumentCode, RejectionCode};
use crate::domain::language::Language;
use crate::domain::permissions::{ReviewsDecide, ReviewsRead};
use crate::domain::review::{CaseDecision, DocumentDecision, DocumentVerdict, ReviewDecision};
use crate::domain::values::Field;
use crate::error::{Faults, Result};
use crate::handlers::accounts::{AccountPath, AccountView, load_view};
use crate::handlers::answer::Answer;
use crate::handlers::documents::{DocumentPath, DocumentView};
use crate::handlers::extract::{
    Body, Cursor, Idempotency, IdempotencyHeader, Input, PageParams, Pages, Params, list_params,
};
use crate::handlers::service::Service;
use crate::programme::Programme;
use crate::repository::reviews::{self as queue, Place, Queue};
use crate::workflows::reviews;
use views::{CaseView, ReviewPage, ReviewSummary, case_view};

/// Registers the operations of this module.
pub fn routes(config: &mut impl Routes) {
    config
        .service(
            list_reviews,
            Callers::staff(ReviewsRead),
            RateLimit::PerCaller,
        )
        .service(
            read_review,
            Callers::account(ReviewsRead),
            RateLimit::PerCaller,
        )
        .service(
            claim_review,
            Callers::account(ReviewsDecide),
            RateLimit::PerCaller,
        )
        .service(
            decide_document,
            Callers::account(ReviewsDecide),
            RateLimit::PerCaller,
        )
        .service(
            decide_review,
            Callers::account(ReviewsDecide),
            RateLimit::PerCaller,
        );
}

list_params! {
    /// Which cases to list.
    struct ReviewsParams {
        /// Only those of this status; without it all that are not decided.
        #[param(inline, nullable = false)]
        status: Option<AccountStatus>,
        /// Only those whose answer is overdue.
        #[param(nullable = false)]
        overdue: Option<bool>,
    }
}

/// List the cases
///
/// What waits for an answer, soonest due first. While a case waits for its applicant the clock stands: it has no due moment, is never overdue, and
/// comes last.
#[utoipa::path(
    tag = "reviews",
    operation_id = "listReviews",
    security(("bearer" = [])),
    params(ReviewsParams),
    responses((status = 200, description = "The cases", body = ReviewPage))
)]
#[get("/reviews")]
async fn list_reviews(
    service: Data<Service>,
    _staff: StaffOnly<ReviewsRead>,
    params: Params<ReviewsParams>,
    pages: Pages,
) -> Result<Answer> {
    let (size, now) = (params.0.size(), service.now());
    let after = pages.after_as(&params.0, read_place)?;
    let asked = Queue {
        status: params.0.status,
        due_before: (params.0.overdue == Some(true)).then_some(now),
        after,
        limit: size + 1,
    };
    let rows = service
        .db
        .fetch(move |conn| queue::queue(conn, &asked))
        .await?;
    let (rows, next_cursor) = pages.cut(rows, size, |(review, account)| {
        place_cursor(Place::of(review, account))
    });
    let items = rows
        .iter()
        .map(|(review, account)| ReviewSummary::of(review, account))
        .collect();
    let link = pages.link_next(next_cursor.as_deref());
    Ok(Answer::ok(&ReviewPage { items, next_cursor })?.header_if("Link", link))
}

/// What stands before the moment of a case that waits for its applicant.
const WAITS: &str = "waits ";

fn place_cursor(place: Place) -> Cursor {
    let waits = if place.waits_for_applicant { WAITS } else { "" };
    Cursor {
        key: format!("{waits}{}", place.promised),
        id: place.account_id.uuid(),
    }
}

fn read_place(cursor: &Cursor) -> Option<Place> {
    let waiting = cursor.key.strip_prefix(WAITS);
    Some(Place {
        waits_for_applicant: waiting.is_some(),
        promised: waiting.unwrap_or(&cursor.key).parse().ok()?,
        account_id: AccountId::from(cursor.id),
    })
}

/// Read a case
///
/// The application, its documents, who has claimed it, and other accounts with the same VAT number, e-mail or address.
#[utoipa::path(
    tag = "reviews",
    operation_id = "readReview",
    security(("bearer" = [])),
    params(AccountPath),
    responses((status = 200, description = "The case", body = CaseView))
)]
#[get("/reviews/{account_id}")]
async fn read_review(
    service: Data<Service>,
    access: Access<ReviewsRead>,
    language: Language,
) -> Result<Answer> {
    let view = service
        .db
        .read(move |conn| {
            let case = reviews::load(conn, &access.account)?;
            case_view(conn, case, language)
        })
        .await?;
    Answer::ok(&view)
}

/// Claim a case
///
/// For 30 minutes; claiming again renews. 409 `claimed_by_another` while somebody else holds it, 409 `review_not_open` where there is nothing to
/// decide, 403 `own_account` on the own account.
#[utoipa::path(
    tag = "reviews",
    operation_id = "claimReview",
    security(("bearer" = [])),
    params(AccountPath),
    responses((status = 200, description = "The case with its lease", body = CaseView))
)]
#[post("/reviews/{account_id}/claim")]
async fn claim_review(
    service: Data<Service>,
    access: Access<ReviewsDecide>,
    language: Language,
) -> Result<Answer> {
    let context = service.context();
    let view = service
        .db
        .write(move |conn| {
            let case = reviews::claim(conn, &context, &access.account)?;
            case_view(conn, case, language)
        })
        .await?;
    Answer::ok(&view)
}

/// A decision on a document.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "decision": "request_revision", "codes": ["unreadable"] }))]
struct DecideDocument {
    #[schema(value_type = DocumentVerdict)]
    decision: Field<DocumentVerdict>,
    /// Revision codes for `request_revision`, rejection codes for `reject`, none for `accept`.
    #[schema(value_type = Vec<DocumentCode>, max_items = 20, required = false)]
    codes: Field<Vec<String>>,
}

impl Input for DecideDocument {
    type Parsed = DocumentDecision;

    fn parse(self, _: &Programme, mut faults: Faults) -> Result<DocumentDecision> {
        let verdict = self.decision.value();
        let decision =
            verdict.and_then(|verdict| DocumentDecision::read(verdict, &self.codes, &mut faults));
        faults.judge(decision)
    }
}

/// Decide a document
///
/// Accept it, ask for a better one, or refuse it. Needs the claim (409 `claim_needed`), but for one that an active account added to prove a change:
/// that is decided once, without a case. A document with a civil registration number (`contains_cpr`)
/// is deleted at once.
#[utoipa::path(
    tag = "reviews",
    operation_id = "decideDocument",
    security(("bearer" = [])),
    params(DocumentPath),
    request_body = DecideDocument,
    responses((status = 200, description = "The document", body = DocumentView, headers(("ETag" = String))))
)]
#[put("/reviews/{account_id}/documents/{document_id}")]
async fn decide_document(
    service: Data<Service>,
    access: Access<ReviewsDecide>,
    path: Path<DocumentPath>,
    body: Body<DecideDocument>,
) -> Result<Answer> {
    let (context, id, decision) = (service.context(), path.document_id, body.value);
    let document = service
        .db
        .write(move |conn| reviews::decide_document(conn, &context, &access.account, id, &decision))
        .await?;
    let version = document.version;
    Ok(Answer::ok(&DocumentView::of(document)?)?.etag(version))
}

/// A decision on a case.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "decision": "request_information", "note": "Please send the certificate again: its second page is missing." }))]
struct DecideReview {
    #[schema(value_type = CaseDecision)]
    decision: Field<CaseDecision>,
    /// Rejection codes; required for `reject`.
    #[schema(value_type = Vec<RejectionCode>, max_items = 20, required = false)]
    codes: Field<Vec<String>>,
    /// In words; required for `request_information`.
    #[schema(value_type = Option<String>, format = "text", max_length = 4000, nullable = false)]
    note: Field<String>,
}

impl Input for DecideReview {
    type Parsed = ReviewDecision;

    fn parse(self, _: &Programme, mut faults: Faults) -> Result<ReviewDecision> {
        let decision = self.decision.value().and_then(|decision| {
            ReviewDecision::read(decision, &self.codes, &self.note, &mut faults)
        });
        faults.judge(decision)
    }
}

/// Decide a case
///
/// Approve (409 `documents_undecided` without an accepted document of the set, 409 `email_in_use` where the address has an account), reject with
/// codes, or request information: one mail with every point in it. Needs the claim (409 `claim_needed`).
#[utoipa::path(
    tag = "reviews",
    operation_id = "decideReview",
    security(("bearer" = [])),
    params(AccountPath, IdempotencyHeader),
    request_body = DecideReview,
    responses((status = 200, description = "The account", body = AccountView, headers(("ETag" = String))))
)]
#[post("/reviews/{account_id}/decision")]
async fn decide_review(
    service: Data<Service>,
    access: Access<ReviewsDecide>,
    key: Idempotency,
    language: Language,
    body: Body<DecideReview>,
) -> Result<Answer> {
    let (context, hash, decision) = (service.context(), body.hash().to_owned(), body.value);
    key.write(&service, &hash, move |conn| {
        let account = reviews::decide(conn, &context, &access.account, decision)?;
        let version = account.version;
        Ok(Answer::ok(&load_view(conn, account, language)?)?.etag_with_digest(version))
    })
    .await
}
