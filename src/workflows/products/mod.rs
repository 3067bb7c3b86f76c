//! Registering a product, completing it, ending it: whatever door it comes through, the tick and the points go together.

mod changes;
mod inventories;
mod points;
mod serials;

use std::sync::Arc;

use super::Context;
use crate::domain::access::AccountAccess;
use crate::domain::model::ModelId;
use crate::domain::product::{EndReason, ProductField, ProductId};
use crate::domain::product_details::{CheckedDetails, Details, check};
use crate::error::{Code, Error, Fault, FaultCode, Found, Result};
use crate::repository::catalogue::{Catalogue, CatalogueModel};
use crate::repository::products::{self, Awarded, Product};
use crate::repository::{DbConn, points as ledger};

pub use changes::Registered;
pub use inventories::{Inventories, Wanted};

/// `details`, checked for `model`.
pub fn checked(
    context: &Context,
    model: &CatalogueModel,
    details: &Details,
) -> Result<CheckedDetails, Vec<Fault>> {
    let today = context.programme.review.date_of(context.now);
    check(
        details,
        Some(&model.facts),
        today,
        &context.programme.products,
    )
}

/// The serial number that a product of `model` wants, as it is compared.
pub fn wanted(model: &CatalogueModel, details: &CheckedDetails) -> Option<Wanted> {
    let serial = details.serial.as_ref()?;
    Some((model.row.id, serial.key.clone()))
}

/// What registering one product came to.
pub struct Registration {
    /// Whether it is new; else the account has it already.
    pub is_new: bool,
    pub product: Awarded,
    pub catalogue: Arc<Catalogue>,
}

/// Registers one product; 422 with what was found wrong before and every fault that the model knows, 409 where another account holds its
/// serial number.
pub fn register(
    conn: &mut DbConn,
    context: &Context,
    access: &AccountAccess,
    model: ModelId,
    details: &Details,
    found: Found,
) -> Result<Registration> {
    let catalogue = context.catalogue.last(conn)?;
    let known = catalogue.model(model);
    let judged = match known {
        Some(known) => checked(context, known, details).map_err(reading_model),
        None => Err(vec![Fault::new("#/model_id", FaultCode::ModelUnknown)]),
    };
    if judged.is_err() {
        // Refused is only by the version that stands.
        context.catalogue.confirm(conn, &catalogue)?;
    }
    let details = found.judge(judged)?;
    let known = known.ok_or(Code::NotFound)?;
    let wanted = Vec::from_iter(wanted(known, &details));
    let mut inventories = Inventories::open(conn, context, catalogue.clone(), &[access], &wanted)?;
    let id = (access.account_id(), ProductId::new(context.now));
    let registered = inventories.register(conn, id, known, details, None)?;
    let is_new = matches!(registered, Registered::New(_));
    let product = registered.product()?;
    let granted = match is_new {
        true => inventories.granted(product.id),
        false => granted(conn, product.id)?,
    };
    inventories.flush(conn)?;
    Ok(Registration {
        is_new,
        product: (product, granted),
        catalogue,
    })
}

/// The points of a product's award, where one stands.
pub fn granted(conn: &mut DbConn, id: ProductId) -> Result<Option<i64>> {
    let award = ledger::standing_awards(conn, &[id])?.pop();
    Ok(award.map(|award| award.amount))
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
    let catalogue = context.catalogue.current(conn)?;
    let model = catalogue.model(seen.model_id).ok_or(Code::NotFound)?;
    let details = apply(seen.details());
    let details = found.judge(checked(context, model, &details))?;
    let wanted = Vec::from_iter(wanted(model, &details));
    let mut inventories = Inventories::open(conn, context, catalogue.clone(), &[access], &wanted)?;
    let product = inventories.open_product(conn, (access.account_id(), id), check)?;
    if product.version != seen.version {
        return Err(Error::Contended);
    }
    inventories.change(conn, product, details)?;
    inventories.flush(conn)?.pop().ok_or(Error::Contended)
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
    let catalogue = context.catalogue.current(conn)?;
    let mut inventories = Inventories::open(conn, context, catalogue, &[access], &[])?;
    let product = inventories.open_product(conn, (access.account_id(), id), check)?;
    inventories.end(conn, product, reason)?;
    inventories.flush(conn).map(drop)
}

/// The mandatory fields that a product does not have.
pub fn missing_of(product: &Product) -> Vec<ProductField> {
    product.details().missing()
}
