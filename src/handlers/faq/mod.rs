//! Questions and answers: for anybody, and for a member from the own account.

mod answers;
mod question;

use actix_web::web::Data;
use actix_web::{HttpRequest, get};
use serde::Serialize;
use utoipa::ToSchema;

use super::answer::Answer;
use super::language::preferred;
use super::service::Service;
use super::{Callers, RateLimit, Routes};
use crate::auth::OptionalCaller;
use crate::domain::access::{AccountAccess, Caller};
use crate::domain::language::Language;
use crate::domain::permissions::Action;
use crate::domain::product::{ProductField, ProductId};
use crate::error::Result;
use crate::programme::Programme;
use crate::workflows::faq::{self, Facts, Unticked};
use question::Question;

/// Registers the operations of this module.
pub fn routes(config: &mut impl Routes) {
    config.service(
        read_faq,
        Callers::AnybodyOrTokenHolder,
        RateLimit::PerCaller,
    );
}

/// A product of the caller that has no green tick.
#[derive(Serialize, ToSchema)]
struct FaqProduct {
    product_id: ProductId,
    model: String,
    /// The fields that it lacks; none where its serial number is in doubt.
    missing: Vec<ProductField>,
}

impl FaqProduct {
    fn of(product: &Unticked) -> Self {
        Self {
            product_id: product.id,
            model: product.model.clone(),
            missing: product.missing.clone(),
        }
    }
}

/// A question with its answer, in the caller's language.
#[derive(Serialize, ToSchema)]
struct FaqItem {
    /// Never changes with the language.
    #[schema(example = "no_green_tick")]
    id: &'static str,
    question: String,
    answer: String,
    /// Whether the answer is made from the caller's own data.
    personal: bool,
    /// The products that the answer is about.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    products: Vec<FaqProduct>,
}

impl FaqItem {
    fn of(
        question: Question,
        facts: Option<&Facts>,
        programme: &Programme,
        language: Language,
    ) -> Self {
        let own = facts.and_then(|facts| answers::own(question, facts, language));
        let products = facts
            .filter(|_| question == Question::NoGreenTick)
            .map(|facts| facts.products.unticked.iter().map(FaqProduct::of));
        Self {
            id: question.as_str(),
            question: answers::asked(question, language),
            personal: own.is_some(),
            answer: own.unwrap_or_else(|| answers::general(question, programme, language)),
            products: products.into_iter().flatten().collect(),
        }
    }
}

/// All questions.
#[derive(Serialize, ToSchema)]
struct FaqView {
    /// In the order in which they come up.
    items: Vec<FaqItem>,
}

/// Read the questions and answers
///
/// In the caller's language, with the programme's own numbers. A signed-in member gets answers from the own account: why there is no migrate button,
/// which product lacks which field for its green tick, how many points are missing for a level.
#[utoipa::path(
    tag = "membership",
    operation_id = "readFaq",
    security((), ("bearer" = [])),
    responses((status = 200, description = "The questions with their answers", body = FaqView, headers(("ETag" = String))))
)]
#[get("/faq")]
async fn read_faq(
    service: Data<Service>,
    caller: OptionalCaller,
    request: HttpRequest,
) -> Result<Answer> {
    let own = member(&caller.0)?;
    let is_personal = own.is_some();
    let context = service.context();
    let found = match own {
        Some(access) => {
            let load = move |conn: &mut _| faq::load(conn, &context, &access);
            Some(service.db.read(load).await?)
        }
        None => None,
    };
    let language = preferred(request.headers());
    let view = FaqView {
        items: Question::ALL
            .iter()
            .map(|one| FaqItem::of(*one, found.as_ref(), &service.programme, language))
            .collect(),
    };
    let kept = if is_personal {
        "private, no-cache"
    } else {
        "public, max-age=300"
    };
    Ok(Answer::ok(&view)?
        .etag_of_body()
        .header("Cache-Control", kept)
        .header("Vary", "Authorization"))
}

/// The own account of a user who may read its products and points.
fn member(caller: &Caller) -> Result<Option<AccountAccess>> {
    match (caller.account_id(), caller.user_id()) {
        (Some(account), Some(_)) => Ok(Some(AccountAccess::admit(
            Action::ProductsRead,
            caller,
            account,
        )?)),
        _ => Ok(None),
    }
}
