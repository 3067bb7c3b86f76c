//! Registering a product, completing it, ending it: whatever door it comes through, the tick and the points go together.

mod inventory;
mod points;
mod serials;

use super::Context;
use crate::domain::access::AccountAccess;
use crate::domain::model::ModelId;
use crate::domain::product::{EndReason, ProductField, ProductId};
use crate::domain::product_details::{CheckedDetails, Details, check};
use crate::error::{Code, Error, Fault, FaultCode, Found, Result};
use crate::repository::DbConn;
use crate::repository::models::{self, Model};
use crate::repository::products::{self, Product};

pub use inventory::{Inventory, Registered, Wanted};

/// `details`, checked for `model`.
pub fn checked(
    context: &Context,
    model: &Model,
    details: &Details,
) -> Result<CheckedDetails, Vec<Fault>> {
    let today = context.programme.review.date_of(context.now);
    check(
        details,
        Some(&model.facts()),
        today,
        &context.programme.products,
    )
}

/// Registers one product; 422 with what was found wrong before and every fault that the model knows.
pub fn register(
    conn: &mut DbConn,
    context: &Context,
    access: &AccountAccess,
    model: ModelId,
    details: &Details,
    found: Found,
) -> Result<Registered> {
    let judged = match models::find(conn, model)? {
        Some(model) => {
            let details = checked(context, &model, details).map_err(reading_model);
            details.map(|details| (model, details))
        }
        None => Err(vec![Fault::new("#/model_id", FaultCode::ModelUnknown)]),
    };
    let (model, details) = found.judge(judged)?;
    let key = details.serial.as_ref().map(|serial| serial.key.clone());
    let wanted: Vec<Wanted<'_>> = key.iter().map(|key| (model.id, key.as_str())).collect();
    let mut inventory = Inventory::open(conn, context, access, &wanted)?;
    let id = ProductId::new(context.now);
    let registered = inventory.register(conn, id, &model, details, None)?;
    inventory.close(conn)?;
    Ok(registered)
}

fn reading_model(faults: Vec<Fault>) -> Vec<Fault> {
    let faults = faults.into_iter();
    faults.map(|fault| fault.reading("#/model_id")).collect()
}

/// Changes one product: `check` compares its version with the caller's, `apply` makes the new details of the old ones. What comes out is
/// checked together with what was `found` wrong before.
pub fn change(
    conn: &mut DbConn,
    context: &Context,
    access: &AccountAccess,
    id: ProductId,
    found: Found,
    check: impl FnOnce(i64) -> Result<()>,
    apply: impl FnOnce(Details) -> Details,
) -> Result<Product> {
    let seen = products::find(conn, access, id)?;
    let model = models::find(conn, seen.model_id)?.ok_or(Code::NotFound)?;
    let details = apply(seen.details());
    let details = found.judge(checked(context, &model, &details))?;
    let key = details.serial.as_ref().map(|serial| serial.key.clone());
    let wanted: Vec<Wanted<'_>> = key.iter().map(|key| (model.id, key.as_str())).collect();
    let mut inventory = Inventory::open(conn, context, access, &wanted)?;
    let mut product = inventory.open_product(conn, id, check)?;
    if product.version != seen.version {
        return Err(Error::Contended);
    }
    inventory.change(conn, &mut product, details)?;
    inventory.close(conn)?;
    Ok(product.into_row())
}

/// Ends one registration.
pub fn end(
    conn: &mut DbConn,
    context: &Context,
    access: &AccountAccess,
    id: ProductId,
    check: impl FnOnce(i64) -> Result<()>,
    reason: EndReason,
) -> Result<()> {
    let mut inventory = Inventory::open(conn, context, access, &[])?;
    let mut product = inventory.open_product(conn, id, check)?;
    inventory.end(conn, &mut product, reason)?;
    inventory.close(conn)
}

/// The mandatory fields that a product does not have.
pub fn missing_of(product: &Product) -> Vec<ProductField> {
    product.details().missing()
}
