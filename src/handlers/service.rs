//! What every handler may use: one value, shared by all workers.

use std::sync::Arc;

use tokio::sync::Semaphore;

use crate::auth::TokenRate;
use crate::auth::passwords::Hasher;
use crate::auth::tokens::SigningKeys;
use crate::clock::Clock;
use crate::integrations::cards::Cards;
use crate::integrations::document_store::DocumentStore;
use crate::programme::Programme;
use crate::repository::Db;
use crate::repository::catalogue::CatalogueCache;
use crate::secrets::Sealer;
use crate::types::Instant;
use crate::workflows::{Context, Links};

/// So many batches are taken in at once.
pub const INTAKES: usize = 4;

/// The parts of the service that handlers use.
#[derive(Clone)]
pub struct Service {
    pub db: Db,
    pub clock: Clock,
    pub programme: Arc<Programme>,
    pub sealer: Sealer,
    pub keys: SigningKeys,
    pub hasher: Hasher,
    pub store: DocumentStore,
    pub links: Arc<Links>,
    pub cards: Cards,
    pub catalogue: CatalogueCache,
    /// The places of batches that are on their way.
    pub intakes: Arc<Semaphore>,
    pub token_rate: TokenRate,
    /// What the secrets of dealers' systems begin with here.
    pub secret_prefix: &'static str,
}

impl Service {
    /// Now.
    pub fn now(&self) -> Instant {
        self.clock.now()
    }

    /// What a workflow works with, from now.
    pub fn context(&self) -> Context {
        Context {
            now: self.now(),
            clock: self.clock.clone(),
            programme: self.programme.clone(),
            sealer: self.sealer.clone(),
            links: self.links.clone(),
            catalogue: self.catalogue.clone(),
        }
    }
}
