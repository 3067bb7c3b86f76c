//! Questions and answers: for anybody, and for a member from the own account.

mod answers;
mod texts;

use actix_web::web::Data;
use actix_web::{HttpRequest, get};
use serde::Serialize;
use utoipa::ToSchema;

use super::answer::Answer;
use super::language::preferred;
use super::service::Service;
use super::{Callers, RateLimit, Routes};
use crate::auth::Whoever;
use crate::domain::access::{AccountAccess, Caller};
use crate::domain::language::Language;
use crate::domain::permissions::Action;
use crate::domain::product::{ProductField, ProductId};
use crate::error::Result;
use crate::programme::Programme;
use crate::workflows::faq::{self as facts, Facts, Unticked};
use texts::{Item, faq};

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
        item: &'static Item,
        facts: Option<&Facts>,
        programme: &Programme,
        language: Language,
    ) -> Self {
        let own = facts.and_then(|facts| answers::own(item, facts, language));
        let products = facts
            .filter(|_| item.id == "no_green_tick")
            .map(|facts| facts.products.unticked.iter().map(FaqProduct::of));
        Self {
            id: &item.id,
            question: item.question.fill(language, &[]),
            personal: own.is_some(),
            answer: own.unwrap_or_else(|| answers::general(item, programme, language)),
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
    responses((status = 200, description = "The questions with their answers", body = FaqView))
)]
#[get("/faq")]
async fn read_faq(service: Data<Service>, caller: Whoever, request: HttpRequest) -> Result<Answer> {
    let own = member(&caller.0)?;
    let is_personal = own.is_some();
    let context = service.context();
    let found = match own {
        Some(access) => {
            let load = move |conn: &mut _| facts::load(conn, &context, &access);
            Some(service.db.read(load).await?)
        }
        None => None,
    };
    let language = preferred(request.headers());
    let items = faq().items.iter();
    let view = FaqView {
        items: items
            .map(|item| FaqItem::of(item, found.as_ref(), &service.programme, language))
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
