//! The steps of the programme that more than one door leads to: functions on an open transaction. What must happen outside is a task.

pub mod accounts;
pub mod bank;
pub mod billing_profiles;
pub mod catalogue;
pub mod collection;
pub mod credentials;
pub mod credit_notes;
pub mod csv_file;
pub mod documents;
pub mod faq;
pub mod feed;
pub mod finance_files;
pub mod invoice_email;
pub mod invoices;
pub mod jobs;
pub mod legacy_migration;
pub mod mail;
pub mod me;
pub mod members;
pub mod membership;
pub mod money_watch;
pub mod oauth;
pub mod offers;
pub mod partner_alerts;
pub mod partners;
pub mod passwords;
pub mod payments;
pub mod points;
pub mod product_files;
pub mod products;
pub mod purchases;
pub mod refunds;
pub mod registration_batches;
pub mod registrations;
pub mod review_deadlines;
pub mod reviews;
pub mod sandbox;
pub mod sessions;
pub mod settlement;
pub mod tasks;
pub mod trusted_partners;
pub mod users;
pub mod verify_money;
pub mod work_items;

use std::sync::Arc;

use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::programme::Programme;
use crate::repository::catalogue::CatalogueCache;
use crate::secrets::Sealer;
use crate::types::Instant;

/// What a workflow works with.
#[derive(Clone)]
pub struct Context {
    /// When it happens.
    pub now: Instant,
    /// For what has to know the time behind a lock.
    pub clock: Clock,
    pub programme: Arc<Programme>,
    pub sealer: Sealer,
    pub links: Arc<Links>,
    pub catalogue: CatalogueCache,
}

impl Context {
    /// Refuses to act in the name of a seller that this programme does not know.
    fn check_seller(&self, seller_key: Option<&str>) -> Result<()> {
        match seller_key {
            Some(key) if key != self.programme.seller.key() => {
                Err(Error::internal("acting for a seller")(format!(
                    "{key} is none of this programme"
                )))
            }
            _ => Ok(()),
        }
    }
}

/// Where the links in mails lead.
#[derive(Debug, Clone)]
pub struct Links {
    /// The pages of the programme, without a slash at the end.
    pub frontend_url: String,
}

impl Links {
    /// A page with a token in its fragment, which no server is sent.
    pub fn with_token(&self, page: &str, token: &str) -> String {
        format!("{}/{page}#token={token}", self.frontend_url)
    }

    /// A page.
    pub fn page(&self, page: &str) -> String {
        format!("{}/{page}", self.frontend_url)
    }
}
