//! The products of an account: registering, completing, ending them. Lists of them are in `list`, files in `files`, the catalogue in `models`.

mod bodies;
mod check;
mod files;
mod list;
mod views;

use actix_web::web::{Data, Path};
use actix_web::{delete, get, patch, post};
use serde::Deserialize;
use utoipa::IntoParams;

use super::accounts::AccountPath;
use super::answer::Answer;
use super::extract::{Body, Idempotency, IdempotencyHeader, IfMatch, IfMatchHeader, Params};
use super::service::Service;
use super::{Callers, RateLimit, Routes};
use crate::auth::Access;
use crate::domain::account::AccountId;
use crate::domain::permissions::{ProductsChange, ProductsRead};
use crate::domain::product::{OwnersReason, ProductId};
use crate::error::Result;
use crate::repository::products;
use crate::workflows::products as registering;
use bodies::{RegisterProduct, UpdateProduct};
pub use views::{ProductModelView, ProductView, load_view};

/// Registers the operations of this module.
pub fn routes(config: &mut impl Routes) {
    config
        .configure(list::routes)
        .service(
            register_product,
            Callers::account(ProductsChange),
            RateLimit::PerCaller,
        )
        .configure(files::routes)
        .service(
            read_product,
            Callers::account(ProductsRead),
            RateLimit::PerCaller,
        )
        .service(
            update_product,
            Callers::account(ProductsChange),
            RateLimit::PerCaller,
        )
        .service(
            end_product,
            Callers::account(ProductsChange),
            RateLimit::PerCaller,
        )
        .configure(check::routes);
}

/// Names one product in a path.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
struct ProductPath {
    /// The account.
    #[param(example = "acc_00000000000070008000000000000001")]
    #[allow(dead_code)]
    account_id: AccountId,
    /// The product.
    #[param(example = "prd_000000000000700080000000000000c9")]
    product_id: ProductId,
}

/// Register a product
///
/// All but the model may be left out and added later, or be a best guess. With serial number, purchase date, country and dealer it gets its green tick
/// and its points at once. A serial number that the account has registered already answers 200 with the standing product; one that another account
/// holds 409 `serial_already_registered`.
#[utoipa::path(
    tag = "products",
    operation_id = "registerProduct",
    security(("bearer" = [])),
    params(AccountPath, IdempotencyHeader),
    request_body = RegisterProduct,
    responses(
        (status = 201, description = "The product", body = ProductView, headers(("ETag" = String), ("Location" = String))),
        (status = 200, description = "The account has it already", body = ProductView, headers(("ETag" = String), ("Location" = String)))
    )
)]
#[post("/accounts/{account_id}/products")]
async fn register_product(
    service: Data<Service>,
    access: Access<ProductsChange>,
    key: Idempotency,
    body: Body<RegisterProduct>,
) -> Result<Answer> {
    let (context, hash) = (service.context(), body.hash().to_owned());
    key.write(&service, &hash, move |conn| {
        let access = &access.account;
        let registered = registering::register(conn, &context, access, body.value)?;
        let catalogue = &registered.catalogue;
        let view = ProductView::of(&context, catalogue, access, registered.product)?;
        let answer = match registered.is_new {
            true => Answer::created(&view)?.location(format!(
                "/v1/accounts/{}/products/{}",
                access.account_id(),
                view.id
            )),
            false => Answer::ok(&view)?,
        };
        Ok(answer.etag_with_digest(view.version))
    })
    .await
}

/// Read a product
///
/// One registration, also after its end: what it says, what it still needs, what it gave.
#[utoipa::path(
    tag = "products",
    operation_id = "readProduct",
    security(("bearer" = [])),
    params(ProductPath),
    responses((status = 200, description = "The product", body = ProductView, headers(("ETag" = String))))
)]
#[get("/accounts/{account_id}/products/{product_id}")]
async fn read_product(
    service: Data<Service>,
    access: Access<ProductsRead>,
    path: Path<ProductPath>,
) -> Result<Answer> {
    let (context, id) = (service.context(), path.product_id);
    let view = service
        .db
        .read(move |conn| {
            let product = products::find(conn, &access.account, id)?;
            load_view(conn, &context, &access.account, product)
        })
        .await?;
    Ok(Answer::ok(&view)?.etag_with_digest(view.version))
}

/// Change a product
///
/// Completes or corrects it; null clears a field. The green tick and the points follow at once, in either direction. 409 `product_ended` after its end,
/// 409 `serial_already_registered` where another registration has the new serial number.
#[utoipa::path(
    tag = "products",
    operation_id = "updateProduct",
    security(("bearer" = [])),
    params(ProductPath, IfMatchHeader),
    request_body(content(
        (UpdateProduct = "application/merge-patch+json"),
        (UpdateProduct = "application/json")
    )),
    responses((status = 200, description = "The product", body = ProductView, headers(("ETag" = String))))
)]
#[patch("/accounts/{account_id}/products/{product_id}")]
async fn update_product(
    service: Data<Service>,
    access: Access<ProductsChange>,
    path: Path<ProductPath>,
    seen: IfMatch,
    body: Body<UpdateProduct>,
) -> Result<Answer> {
    let (context, id, account) = (service.context(), path.product_id, access.account);
    let view = service
        .db
        .write(move |conn| {
            let check = |version| seen.check(version);
            let change = body.value.map(|patch| |before| patch.apply(before));
            let product = registering::change(conn, &context, &account, id, check, change)?;
            load_view(conn, &context, &account, product)
        })
        .await?;
    Ok(Answer::ok(&view)?.etag_with_digest(view.version))
}

/// Why a registration ends.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct EndParams {
    /// A `stolen` serial number that turns up again is held until staff have looked.
    #[param(inline, example = "sold")]
    reason: OwnersReason,
}

/// End a registration
///
/// Sold, scrapped, stolen or a mistake. Its points go at once, and its serial number is free for the next owner.
#[utoipa::path(
    tag = "products",
    operation_id = "endProduct",
    security(("bearer" = [])),
    params(ProductPath, EndParams, IfMatchHeader),
    responses((status = 204, description = "It has ended"))
)]
#[delete("/accounts/{account_id}/products/{product_id}")]
async fn end_product(
    service: Data<Service>,
    access: Access<ProductsChange>,
    path: Path<ProductPath>,
    params: Params<EndParams>,
    seen: IfMatch,
) -> Result<Answer> {
    let (context, id, reason) = (service.context(), path.product_id, params.0.reason.into());
    service
        .db
        .write(move |conn| {
            let check = |version| seen.check(version);
            registering::end(conn, &context, &access.account, id, check, reason)
        })
        .await?;
    Ok(Answer::no_content())
}
