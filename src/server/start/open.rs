//! What is opened in which order, from the files that the configuration names to everything of a service but its port.

use std::net::SocketAddr;
use std::sync::Arc;

use secrecy::ExposeSecret;
use tokio::sync::{Mutex, Semaphore};

use super::check;
use crate::auth::TokenRate;
use crate::auth::passwords::Hasher;
use crate::auth::tokens::SigningKeys;
use crate::clock::Clock;
use crate::config::{Config, Mode};
use crate::domain::partner::SECRET_PREFIXES;
use crate::error::Result as ServiceResult;
use crate::handlers::extract::Limits;
use crate::handlers::operation::Health;
use crate::handlers::service::{INTAKES, Service};
use crate::integrations::cards::Cards;
use crate::integrations::document_store::DocumentStore;
use crate::integrations::mail::Mailer;
use crate::jobs::{self, Worker};
use crate::programme::Programme;
use crate::repository::catalogue::CatalogueCache;
use crate::repository::{Db, DbConn, settings, sqlite_file};
use crate::secrets::Sealer;
use crate::server::{ownership, seed};
use crate::types::Instant;
use crate::workflows::invoices::earlier;
use crate::workflows::purchases::keep_prefix;
use crate::workflows::{Context, Links};

/// Why the service cannot start.
pub type StartError = Box<dyn std::error::Error + Send + Sync>;

/// Who issues tokens where no address is configured: the same on every instance, whatever its port.
const SANDBOX_ISSUER: &str = "cps-api";

/// Everything of a service but its port.
pub struct Parts {
    pub config: Arc<Config>,
    pub service: Service,
    pub worker: Worker,
    pub public_url: String,
    pub limits: Limits,
    pub health: Health,
}

/// Opens the database, which must not be that of the other mode; the sandbox migrates it.
pub async fn database(config: &Config) -> Result<Db, StartError> {
    let programme = Arc::new(check::programme(config)?);
    Ok(claimed(config, &programme).await?.0)
}

/// The database, and whether it is up to date and so this mode's own.
async fn claimed(config: &Config, programme: &Arc<Programme>) -> Result<(Db, bool), StartError> {
    let db = opened(config).await?;
    if config.mode == Mode::Sandbox {
        bring_up_to_date(config, programme, &db).await?;
    }
    let is_migrated = db.is_migrated().await?;
    if is_migrated {
        claim(&db, config.mode).await?;
        let now = clock(config, &db).await?.now();
        own_prefix(programme, &db, now).await??;
    }
    Ok((db, is_migrated))
}

fn health(is_claimed: bool) -> Health {
    let health = Health::default();
    if is_claimed {
        health.claim();
    }
    health
}

/// Brings the database up to date, and makes it that of this mode.
pub async fn migrate(config: &Config) -> Result<(), StartError> {
    let programme = Arc::new(check::programme(config)?);
    let db = opened(config).await?;
    bring_up_to_date(config, &programme, &db).await?;
    claim(&db, config.mode).await
}

async fn opened(config: &Config) -> Result<Db, StartError> {
    let (url, size) = (config.database_url.clone(), config.pool_size);
    let db = tokio::task::spawn_blocking(move || Db::open(url.expose_secret(), size)).await??;
    ownership::look(&db, config.mode).await??;
    Ok(db)
}

async fn bring_up_to_date(
    config: &Config,
    programme: &Arc<Programme>,
    db: &Db,
) -> Result<(), StartError> {
    let migrated = db.clone();
    tokio::task::spawn_blocking(move || migrated.migrate()).await??;
    let now = clock(config, db).await?.now();
    own_prefix(programme, db, now).await??;
    complete_purchases(programme, db, now).await
}

/// Records what was bought before purchases were recorded, some memberships a transaction.
async fn complete_purchases(
    programme: &Arc<Programme>,
    db: &Db,
    now: Instant,
) -> Result<(), StartError> {
    let by = (jobs::migrating(), now);
    let mut after = None;
    loop {
        let programme = programme.clone();
        let complete = move |conn: &mut DbConn| earlier::complete(conn, &programme, by, after);
        after = db.write(complete).await?;
        if after.is_none() {
            return Ok(());
        }
    }
}

async fn claim(db: &Db, mode: Mode) -> Result<(), StartError> {
    Ok(db.write(move |conn| ownership::claim(conn, mode)).await??)
}

/// Has the prefix of the programme's invoices be its seller's, from the first who comes; refuses one that is another's.
pub(super) async fn own_prefix(
    programme: &Arc<Programme>,
    db: &Db,
    now: Instant,
) -> ServiceResult<Result<(), StartError>> {
    let (kept, prefix) = (programme.clone(), &programme.invoice.prefix);
    let owner = db.write(move |conn| keep_prefix(conn, &kept, now)).await?;
    Ok(match owner {
        Some(owner) => Err(format!(
            "CPS_PROGRAMME: prefix = \"{prefix}\" of [invoice] is that of another seller, {owner}: give this one its own"
        )
        .into()),
        None => Ok(()),
    })
}

/// The database and what a workflow works with, for a command beside the service.
pub async fn command_context(config: &Config) -> Result<(Db, Context), StartError> {
    let programme = Arc::new(check::programme(config)?);
    let (db, is_claimed) = claimed(config, &programme).await?;
    if !is_claimed {
        return Err("the database is not up to date: run `cps-api migrate` first".into());
    }
    let clock = clock(config, &db).await?;
    let public_url = public_url(config, config.bind);
    let keys = SigningKeys::read(&signing_keys(config, &db).await?, &public_url)?;
    let context = Context {
        now: clock.now(),
        clock,
        programme,
        sealer: sealer(config, &db, &keys).await?,
        links: links(config, &public_url),
        catalogue: CatalogueCache::default(),
    };
    if config.mode == Mode::Sandbox {
        let store = document_store(config)?;
        seed::fill(&db, &store, &Hasher::start(1)?, context.clone()).await?;
    }
    Ok((db, context))
}

/// The store of documents.
pub(super) fn document_store(config: &Config) -> ServiceResult<DocumentStore> {
    let database = sqlite_file(config.database_url.expose_secret());
    DocumentStore::open(&config.documents, database)
}

async fn clock(config: &Config, db: &Db) -> Result<Clock, StartError> {
    let clock = Clock::default();
    if config.mode == Mode::Sandbox {
        let stored = db
            .fetch(|conn| settings::get(conn, settings::CLOCK))
            .await?;
        clock.set_offset_micros(stored.and_then(|text| text.parse().ok()).unwrap_or(0));
    }
    Ok(clock)
}

fn public_url(config: &Config, address: SocketAddr) -> String {
    let own = || format!("http://{address}");
    config.public_url.clone().unwrap_or_else(own)
}

fn links(config: &Config, public_url: &str) -> Arc<Links> {
    let stand_in = || format!("{public_url}/sandbox/frontend");
    Arc::new(Links {
        frontend_url: config.frontend_url.clone().unwrap_or_else(stand_in),
    })
}

/// Opens all that a service needs; `address` is where it will answer.
pub async fn open(config: Config, address: SocketAddr) -> Result<Parts, StartError> {
    let programme = Arc::new(check::programme(&config)?);
    let (db, is_claimed) = claimed(&config, &programme).await?;
    let clock = clock(&config, &db).await?;
    let public_url = public_url(&config, address);
    let issuer = config.public_url.as_deref().unwrap_or(SANDBOX_ISSUER);
    let keys = SigningKeys::read(&signing_keys(&config, &db).await?, issuer)?;
    let links = links(&config, &public_url);
    let store = document_store(&config)?;
    let mailer = Mailer::new(&config.mail, &config.mail_from)?;
    let token_rate = token_rate(&programme, config.mode, &clock);
    let service = Service {
        sealer: sealer(&config, &db, &keys).await?,
        db,
        clock,
        programme,
        hasher: Hasher::start(threads())?,
        keys,
        store,
        links,
        cards: Cards::of(config.mode),
        catalogue: CatalogueCache::default(),
        intakes: Arc::new(Semaphore::new(INTAKES)),
        token_rate,
        secret_prefix: secret_prefix(config.mode),
    };
    if config.mode == Mode::Sandbox {
        let context = service.context();
        seed::fill(&service.db, &service.store, &service.hasher, context).await?;
    }
    let worker = worker(&service, mailer);
    Ok(Parts {
        config: Arc::new(config),
        service,
        worker,
        public_url,
        limits: Limits::default(),
        health: health(is_claimed),
    })
}

fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, |n| n.get())
}

fn token_rate(programme: &Programme, mode: Mode, clock: &Clock) -> TokenRate {
    let rates = programme.rate_limits.of(mode == Mode::Sandbox);
    TokenRate::new(rates.tokens_per_client, clock)
}

fn secret_prefix(mode: Mode) -> &'static str {
    let [live, sandbox] = SECRET_PREFIXES;
    match mode {
        Mode::Live => live,
        Mode::Sandbox => sandbox,
    }
}

/// Who does the jobs of `service`.
fn worker(service: &Service, mailer: Mailer) -> Worker {
    Worker {
        db: service.db.clone(),
        clock: service.clock.clone(),
        programme: service.programme.clone(),
        sealer: service.sealer.clone(),
        links: service.links.clone(),
        catalogue: service.catalogue.clone(),
        mailer,
        store: service.store.clone(),
        stepping: Arc::new(Mutex::new(())),
    }
}

/// The PEM text of the signing keys; the sandbox makes one once and keeps it in the database.
async fn signing_keys(config: &Config, db: &Db) -> Result<String, StartError> {
    match check::signing_keys(config)? {
        Some(pem) => Ok(pem),
        None => kept(db, settings::SIGNING_KEY, SigningKeys::generate()?).await,
    }
}

/// What seals; the sandbox makes its key as it does its signing key.
async fn sealer(config: &Config, db: &Db, signing: &SigningKeys) -> Result<Sealer, StartError> {
    let keys = match check::sealing_keys(config)? {
        Some(keys) => keys,
        None => kept(db, settings::SEALING_KEY, Sealer::generate()?).await?,
    };
    Ok(Sealer::read(&keys, signing.earlier_sealing_keys())?)
}

/// What was made first, whichever instance did.
async fn kept(db: &Db, setting: &'static str, made: String) -> Result<String, StartError> {
    let put = db.write(move |conn| settings::put_once(conn, setting, &made));
    Ok(put.await?)
}
