//! Registering a product, completing it, ending it: whatever door it comes through, the tick and the points go together.

mod changes;
mod checks;
mod dealers;
mod inventories;
mod list;
mod offered;
mod points;
mod serials;
mod staff;

use std::sync::Arc;

use super::Context;
use crate::domain::access::AccountAccess;
use crate::domain::calendar::latest_day;
use crate::domain::model::ModelId;
use crate::domain::product::{EndReason, ProductField, ProductId};
use crate::domain::product_details::{CheckedDetails, Details, check};
use crate::error::{Code, Error, Fault, FaultCode, Partial, Result};
use crate::repository::catalogue::{Catalogue, CatalogueModel};
use crate::repository::products::{self, Awarded, Product};
use crate::repository::{DbConn, points as ledger};

pub use changes::{Origin, Registered};
pub use checks::check_product;
pub use dealers::facts as product_facts;
pub use inventories::{Inventories, Wanted};
pub use list::{Found, find, place, summarize};
pub use points::grant_waiting;
pub use serials::Serials;

/// `details`, checked for `model`.
pub fn checked(
    context: &Context,
    model: &CatalogueModel,
    details: &Details,
) -> Result<CheckedDetails, Vec<Fault>> {
    check_for(context, Some(model), details)
}

fn check_for(
    context: &Context,
    model: Option<&CatalogueModel>,
    details: &Details,
) -> Result<CheckedDetails, Vec<Fault>> {
    let today = latest_day(context.now);
    let facts = model.map(|model| &model.facts);
    check(details, facts, today, &context.programme.products)
}

/// What is said of a product that somebody registers, as far as it could be read.
#[derive(Debug, Clone)]
pub struct NewProduct {
    /// Nothing where it could not be read.
    pub model: Option<ModelId>,
    /// What is said of the product.
    pub details: Details,
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

/// Registers one product; 422 with what was wrong before and every fault that the model knows, 409 where another account holds its serial
/// number.
pub fn register(
    conn: &mut DbConn,
    context: &Context,
    access: &AccountAccess,
    new: Partial<NewProduct>,
) -> Result<Registration> {
    let catalogue = context.catalogue.last(conn)?;
    let (model, details) = judged(conn, context, &catalogue, new)?;
    let wanted = Vec::from_iter(wanted(model, &details));
    let mut inventories = Inventories::open(conn, context, catalogue.clone(), &[access], &wanted)?;
    let id = (access.account_id(), ProductId::new(context.now));
    let registered = inventories.register(conn, id, model, details, Origin::Owner)?;
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

/// The model and the details of a new product, or everything that is wrong with them.
fn judged<'a>(
    conn: &mut DbConn,
    context: &Context,
    catalogue: &'a Catalogue,
    new: Partial<NewProduct>,
) -> Result<(&'a CatalogueModel, CheckedDetails)> {
    let Partial { read, mut faults } = new;
    let model = read.model.and_then(|id| catalogue.model(id));
    if read.model.is_some() && model.is_none() {
        faults.push(Fault::new("#/model_id", FaultCode::ModelUnknown));
    }
    let details = faults.note(check_for(context, model, &read.details));
    let judged = faults.judge(model.zip(details));
    if judged.is_err() {
        // Refused is only by the version that stands.
        context.catalogue.confirm(conn, catalogue)?;
    }
    judged
}

/// The points of a product's award, where one stands.
pub fn granted(conn: &mut DbConn, id: ProductId) -> Result<Option<i64>> {
    let award = ledger::standing_awards(conn, &[id])?.pop();
    Ok(award.map(|award| award.amount))
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
    let catalogue = context.catalogue.current(conn)?;
    let model = catalogue.model(seen.model_id).ok_or(Code::NotFound)?;
    let Partial { read, mut faults } = change;
    let details = read(seen.details());
    let details = faults.note(checked(context, model, &details));
    let details = faults.judge(details)?;
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
