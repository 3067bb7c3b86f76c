//! Registering a product, completing it, ending it: whatever door it comes through, the tick and the points go together.

mod inventory;
mod points;
mod serials;

use super::Context;
use crate::domain::access::AccountAccess;
use crate::domain::model::ModelId;
use crate::domain::product::{EndReason, ProductField, ProductId};
use crate::domain::product_details::{CheckedDetails, Details, check};
use crate::error::{Code, Error, Fault, FaultCode, Partial, Result};
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
    check_for(context, Some(model), details)
}

fn check_for(
    context: &Context,
    model: Option<&Model>,
    details: &Details,
) -> Result<CheckedDetails, Vec<Fault>> {
    let today = context.programme.review.date_of(context.now);
    let facts = model.map(Model::facts);
    check(details, facts.as_ref(), today, &context.programme.products)
}

/// What is said of a product that somebody registers, as far as it could be read.
#[derive(Debug, Clone)]
pub struct NewProduct {
    /// Nothing where it could not be read.
    pub model: Option<ModelId>,
    /// What is said of the product.
    pub details: Details,
}

/// Registers one product; 422 with what was wrong before and every fault that the model knows.
pub fn register(
    conn: &mut DbConn,
    context: &Context,
    access: &AccountAccess,
    new: Partial<NewProduct>,
) -> Result<Registered> {
    let Partial { read, mut faults } = new;
    let model = match read.model {
        Some(id) => models::find(conn, id)?,
        None => None,
    };
    if read.model.is_some() && model.is_none() {
        faults.push(Fault::new("#/model_id", FaultCode::ModelUnknown));
    }
    let details = faults.note(check_for(context, model.as_ref(), &read.details));
    let (model, details) = faults.judge(model.zip(details))?;
    let key = details.serial.as_ref().map(|serial| serial.key.clone());
    let wanted: Vec<Wanted<'_>> = key.iter().map(|key| (model.id, key.as_str())).collect();
    let mut inventory = Inventory::open(conn, context, access, &wanted)?;
    let id = ProductId::new(context.now);
    let registered = inventory.register(conn, id, &model, details, None)?;
    inventory.close(conn)?;
    Ok(registered)
}

/// Changes one product: `check` compares its version with the caller's, `change` makes the new details of the old ones. What comes out is
/// judged together with what was wrong before.
pub fn change(
    conn: &mut DbConn,
    context: &Context,
    access: &AccountAccess,
    id: ProductId,
    check: impl FnOnce(i64) -> Result<()>,
    change: Partial<impl FnOnce(Details) -> Details>,
) -> Result<Product> {
    let seen = products::find(conn, access, id)?;
    let model = models::find(conn, seen.model_id)?.ok_or(Code::NotFound)?;
    let Partial { read, mut faults } = change;
    let details = read(seen.details());
    let details = faults.note(checked(context, &model, &details));
    let details = faults.judge(details)?;
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
