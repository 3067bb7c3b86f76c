//! Staff decide on a product whose serial number is in doubt.

use actix_web::post;
use actix_web::web::{Data, Path};
use serde::Deserialize;
use utoipa::ToSchema;

use super::ProductPath;
use super::views::{ProductView, load_view};
use crate::auth::Access;
use crate::domain::permissions::ProductsCheck;
use crate::domain::product_check::{CheckDecision, ProductCheck};
use crate::domain::values::{Field, Text};
use crate::error::{Faults, Result};
use crate::handlers::answer::Answer;
use crate::handlers::extract::{Body, Idempotency, IdempotencyHeader, Input};
use crate::handlers::service::Service;
use crate::handlers::{Callers, RateLimit, Routes};
use crate::programme::Programme;
use crate::workflows::products::check_product as decide;

/// Registers the operations of this module.
pub fn routes(config: &mut impl Routes) {
    config.service(
        check_product,
        Callers::account(ProductsCheck),
        RateLimit::PerCaller,
    );
}

/// A decision on the serial number of a product.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "decision": "confirm", "reason": "The customer has sent a photo of the product." }))]
struct CheckProduct {
    #[schema(value_type = CheckDecision)]
    decision: Field<CheckDecision>,
    /// The right one; needed for `correct`, and for nothing else.
    #[serde(default)]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 64, nullable = false)]
    serial_number: Field<String>,
    /// For the record that staff keep.
    #[schema(value_type = Text<1000>)]
    reason: Field<Text<1000>>,
}

impl Input for CheckProduct {
    type Parsed = (ProductCheck, String);

    fn parse(self, _: &Programme, mut faults: Faults) -> Result<Self::Parsed> {
        let decision = self.decision.value();
        let check = decision
            .and_then(|decision| ProductCheck::read(decision, self.serial_number, &mut faults));
        let reason = self.reason.value().map(|reason| reason.to_string());
        faults.judge(check.zip(reason))
    }
}

/// Check a serial number
///
/// For staff, where a guess earns nothing yet or a serial number was reported stolen: confirm it, give the right one, or end the registration. The
/// points follow at once, the customer is told, and what waited for it in the work queue closes. 409 `product_ended` after its end, 409
/// `serial_already_registered` where another registration has the right number.
#[utoipa::path(
    tag = "products",
    operation_id = "checkProduct",
    security(("bearer" = [])),
    params(ProductPath, IdempotencyHeader),
    request_body = CheckProduct,
    responses((status = 200, description = "The product", body = ProductView, headers(("ETag" = String))))
)]
#[post("/accounts/{account_id}/products/{product_id}/check")]
async fn check_product(
    service: Data<Service>,
    access: Access<ProductsCheck>,
    path: Path<ProductPath>,
    key: Idempotency,
    body: Body<CheckProduct>,
) -> Result<Answer> {
    let (context, hash, id) = (service.context(), body.hash().to_owned(), path.product_id);
    let (check, reason) = body.value;
    key.write(&service, &hash, move |conn| {
        let decision = (&check, reason.as_str());
        let product = decide(conn, &context, &access.account, id, decision)?;
        let view = load_view(conn, &context, &access.account, product)?;
        Ok(Answer::ok(&view)?.etag_with_digest(view.version))
    })
    .await
}
