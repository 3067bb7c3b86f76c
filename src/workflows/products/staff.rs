//! What products of the inventories wait for at the staff's, and whoever reported one of them stolen. What staff decide is in `checks`.

use serde_json::json;

use super::inventories::Inventories;
use crate::domain::event::Event;
use crate::domain::mail::Template;
use crate::domain::product::ProductStatus;
use crate::domain::values::email_key;
use crate::domain::work_item::WorkItemKind;
use crate::error::Result;
use crate::repository::DbConn;
use crate::repository::accounts;
use crate::repository::products::Product;
use crate::workflows::mail::{self, Recipient, Terms};
use crate::workflows::work_items::about_product;

impl Inventories<'_> {
    /// Notes where a product stands that is about to change: a guess that goes may let another one earn, and staff may be waiting for it.
    pub(super) fn note_before(&mut self, product: &Product) {
        if product.is_unchecked_guess() {
            self.freed.insert(product.account_id);
        }
        let is_held = matches!(
            product.status,
            ProductStatus::Disputed | ProductStatus::Offered
        );
        match is_held {
            true => drop(self.known_to_staff.insert(product.id)),
            false => self.note_waiting(product),
        }
    }

    /// Notes that staff may have to look at the guess of a product without points already.
    pub(super) fn note_waiting(&mut self, product: &Product) {
        let is_complete = product.status == ProductStatus::Complete;
        if is_complete && product.is_unchecked_guess() && !self.awards.contains_key(&product.id) {
            self.known_to_staff.insert(product.id);
        }
    }

    /// Has staff look at a product that is held, or that `earns_after_check`; at any other no more.
    pub(super) fn wait_for_staff(&mut self, product: &Product, earns_after_check: bool) {
        let is_stolen = match product.status {
            ProductStatus::Disputed => true,
            ProductStatus::Offered => self.serials.was_stolen(product),
            _ => false,
        };
        let kind = match (is_stolen, earns_after_check) {
            (true, _) => Some(WorkItemKind::StolenSerial),
            (false, true) => Some(WorkItemKind::SerialCheck),
            (false, false) => None,
        };
        let wanted = kind.map(|kind| about_product(self.context, kind, product));
        if wanted.is_some() || self.known_to_staff.contains(&product.id) {
            self.waiting.set(product, wanted);
        }
    }

    /// A product is held because its serial number was reported stolen: its account learns that, and whoever reported it that it turned up.
    pub(super) fn tell_dispute(&mut self, product: &Product) {
        self.events.push(Event::ProductDisputed {
            account_id: product.account_id,
            product_id: product.id,
            status: product.status,
        });
        let stolen = self.serials.stolen(product);
        let others = stolen.filter(|stolen| stolen.account_id != product.account_id);
        self.turned_up.extend(others.cloned());
    }

    /// Mails those whose stolen products have turned up, without a word of where; no more often than what anybody can ask for, since whoever
    /// names the serial number makes the mail.
    pub(super) fn tell_reporters(&mut self, conn: &mut DbConn) -> Result<()> {
        let template = Template::StolenSerialSeen;
        for stolen in std::mem::take(&mut self.turned_up) {
            let Some(reporter) = accounts::find_by_id(conn, stolen.account_id)? else {
                continue;
            };
            let to = Recipient::contact(&reporter);
            if !mail::may_be_asked(conn, self.context, &email_key(&to.address), &[template])? {
                continue;
            }
            let model = self.catalogue.model(stolen.model_id);
            let model = model.map(|model| &model.row.name);
            let values = json!({ "model": model, "serial_number": stolen.serial_number });
            let terms = Terms {
                for_stranger: true,
                ..Terms::default()
            };
            mail::send_on(conn, self.context, &to, template, values, terms)?;
        }
        Ok(())
    }
}
