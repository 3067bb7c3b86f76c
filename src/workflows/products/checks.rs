//! Staff decide on a product whose serial number is in doubt: whatever waited for that closes, points follow, the customer is told.

use serde_json::json;

use super::inventories::Inventories;
use super::{checked, missing_of, wanted};
use crate::domain::access::AccountAccess;
use crate::domain::event::Event;
use crate::domain::mail::Template;
use crate::domain::points::PointsReason;
use crate::domain::product::{
    Conditions, EndReason, Evidence, ProductField, ProductId, ProductStatus, status,
};
use crate::domain::product_check::{CheckDecision, ProductCheck};
use crate::domain::product_details::{CheckedDetails, Details};
use crate::error::{Code, Error, Fault, FaultCode, Result};
use crate::repository::catalogue::CatalogueModel;
use crate::repository::products::{self, Product, estimated_text};
use crate::repository::{DbConn, Held, sessions};
use crate::workflows::Context;
use crate::workflows::mail::{self, Recipient};

/// Decides on one product, for a reason that staff keep to themselves; the product as it is then.
pub fn check_product(
    conn: &mut DbConn,
    context: &Context,
    access: &AccountAccess,
    id: ProductId,
    (check, reason): (&ProductCheck, &str),
) -> Result<Product> {
    let seen = products::find(conn, access, id)?;
    let catalogue = context.catalogue.current(conn)?;
    let model = catalogue.model(seen.model_id).ok_or(Code::NotFound)?;
    let right = corrected(context, model, &seen, check)?;
    let wanted = Vec::from_iter(right.as_ref().and_then(|right| wanted(model, right)));
    let mut inventories = Inventories::lock(conn, context, catalogue.clone(), &[access], &wanted)?;
    sessions::confirm(conn, access.actor())?;
    inventories.because(reason);
    let product = inventories.open_product(conn, (access.account_id(), id), |_| Ok(()))?;
    if product.version != seen.version {
        return Err(Error::Contended);
    }
    let to = Recipient::contact(inventories.account(access.account_id())?);
    inventories.decide(conn, product, check.decision(), right)?;
    let product = inventories.flush(conn)?.pop().ok_or(Error::Contended)?;
    let shown = product
        .serial_number
        .as_deref()
        .or(seen.serial_number.as_deref());
    let values =
        json!({ "decision": check.decision(), "model": model.row.name, "serial_number": shown });
    mail::send(conn, context, &to, Template::SerialChecked, values)?;
    Ok(product)
}

/// What is said of the product with the right serial number; nothing where it has it already, or the check gives none.
fn corrected(
    context: &Context,
    model: &CatalogueModel,
    product: &Product,
    check: &ProductCheck,
) -> Result<Option<CheckedDetails>> {
    let before = product.details();
    let number = match check {
        ProductCheck::Correct(number) => number.clone(),
        ProductCheck::Confirm if before.serial_number.is_none() => {
            return Err(Fault::new("#/decision", FaultCode::NotAccepted)
                .with("allowed", "correct, reject")
                .into());
        }
        ProductCheck::Confirm | ProductCheck::Reject => return Ok(None),
    };
    let mut details = Details {
        serial_number: Some(number),
        ..before
    };
    details
        .estimated
        .retain(|field| *field != ProductField::SerialNumber);
    let right = checked(context, model, &details).map_err(Error::invalid)?;
    let key = right.serial.as_ref().map(|serial| &serial.key);
    Ok((key != product.serial_key.as_ref()).then_some(right))
}

impl Inventories<'_> {
    fn decide(
        &mut self,
        conn: &mut DbConn,
        mut product: Held<Product>,
        decision: CheckDecision,
        right: Option<CheckedDetails>,
    ) -> Result<()> {
        product.evidence = Evidence::Staff;
        let (account_id, product_id) = (product.account_id, product.id);
        match (decision, right) {
            (CheckDecision::Reject, _) => {
                product.checked_at = Some(self.context.now);
                self.end(conn, product, EndReason::Rejected)?;
            }
            (_, Some(right)) => self.correct(conn, product, right)?,
            (_, None) => self.approve(conn, product)?,
        }
        self.events.push(Event::ProductChecked {
            account_id,
            product_id,
            decision,
        });
        Ok(())
    }

    /// The serial number is the product's.
    fn approve(&mut self, conn: &mut DbConn, mut product: Held<Product>) -> Result<()> {
        self.note_before(&product);
        let mut guesses = product.estimated();
        guesses.retain(|field| *field != ProductField::SerialNumber);
        product.estimated = estimated_text(&guesses);
        product.checked_at = Some(self.context.now);
        self.let_go(conn, product)
    }

    /// The product has another serial number; one that was reported stolen is to be confirmed once more.
    fn correct(
        &mut self,
        conn: &mut DbConn,
        mut product: Held<Product>,
        right: CheckedDetails,
    ) -> Result<()> {
        self.note_before(&product);
        if self.contest(&product, &right)?.is_some() {
            return Err(Code::SerialAlreadyRegistered.into());
        }
        self.fill(&mut product, right);
        if self.serials.was_stolen(&product) {
            self.tell_dispute(&product);
            return self.keep(conn, product);
        }
        product.checked_at = Some(self.context.now);
        self.let_go(conn, product)
    }

    /// What was held stands where its fields say; an offer stays one.
    fn let_go(&mut self, conn: &mut DbConn, mut product: Held<Product>) -> Result<()> {
        let conditions = Conditions {
            offered: product.status == ProductStatus::Offered,
            ..Conditions::default()
        };
        product.status = status(&missing_of(&product), conditions);
        product.claim_serial();
        self.keep(conn, product)
    }

    fn keep(&mut self, conn: &mut DbConn, product: Held<Product>) -> Result<()> {
        self.settle(conn, &product, PointsReason::Incomplete)?;
        self.serials.hold(&product);
        self.changed.push(product);
        Ok(())
    }
}
