//! A sale that a line reports: the product that it would make, and the line as it is taken in.

use super::decide::Steps;
use super::known::{Known, ProductFacts, Serial};
use super::outcome::Step;
use super::world::World;
use super::{Line, RegistrationId, RegistrationStatus, Reported, Verb};
use crate::domain::account::AccountId;
use crate::domain::model::ModelId;
use crate::domain::product::{Evidence, ProductId, ProductStatus};
use crate::domain::product_details::CheckedDetails;

/// A sale that has no fault of its own.
pub(super) struct Sale<'a> {
    pub(super) line: &'a Line,
    pub(super) identity: &'a str,
    pub(super) model_id: ModelId,
    pub(super) serial: Serial,
    pub(super) details: CheckedDetails,
    /// The line that was taken in under the same id before.
    pub(super) before: Option<Known>,
}

impl Sale<'_> {
    pub(super) fn product(
        &self,
        world: &World,
        account_id: AccountId,
        status: ProductStatus,
    ) -> ProductFacts {
        ProductFacts {
            id: ProductId::new(world.now),
            account_id,
            model_id: self.model_id,
            status,
            serial_key: Some(self.serial.1.clone()),
            serial_since: world.now,
            is_checked: false,
            evidence: Evidence::Dealer,
            details: self.details.details.clone(),
        }
    }

    pub(super) fn reported(&self) -> Option<Reported> {
        reported(self.model_id, &self.details)
    }

    /// The line as it is taken in now.
    pub(super) fn known(
        &self,
        world: &World,
        account_id: AccountId,
        product: ProductId,
        status: RegistrationStatus,
    ) -> Known {
        let before = self.before.as_ref();
        Known {
            id: before.map_or_else(|| RegistrationId::new(world.now), |known| known.id),
            external_id: self.line.external_id.clone(),
            verb: Verb::Register,
            of_id: None,
            identity: self.identity.to_owned(),
            status,
            is_confirmed: false,
            reason: None,
            account_id,
            product_id: Some(product),
            model_id: Some(self.model_id),
            serial_key: Some(self.serial.1.clone()),
            reported: self.reported(),
            offer_expires_at: None,
            batch_id: world.batch,
            version: before.map_or(0, |known| known.version),
            created_at: world.now,
            changed_at: world.now,
        }
    }

    /// The offer that the line made before goes, unless it is the one that stands now.
    pub(super) fn mend(&self, world: &mut World, stands: Option<ProductId>, steps: &mut Steps) {
        let Some(before) = self
            .before
            .as_ref()
            .filter(|before| !world.is_shared(before))
        else {
            return;
        };
        let offer = before.product_id.and_then(|id| world.product(id)).cloned();
        if let Some(mut offer) =
            offer.filter(|offer| offer.status == ProductStatus::Offered && Some(offer.id) != stands)
        {
            steps.push(Step::TakeBack {
                product_id: offer.id,
            });
            offer.status = ProductStatus::Ended;
            world.know_product(offer);
        }
    }
}

/// What a dealer said of a product, to be compared with what its owner makes of it.
pub(super) fn reported(model_id: ModelId, details: &CheckedDetails) -> Option<Reported> {
    Some(Reported {
        model_id,
        serial_number: details.serial.as_ref()?.shown.clone(),
        purchase_date: details.details.purchase_date?,
        purchase_country: details.details.purchase_country?,
    })
}
