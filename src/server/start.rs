//! From a configuration to a running service, and its end: what is opened in which order, and closed in which.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use secrecy::ExposeSecret;
use tokio::sync::{Mutex, watch};
use tokio::task::JoinHandle;
use tracing::warn;

use super::{Gate, RateLimits, Surroundings, seed};
use crate::auth::Authenticator;
use crate::auth::passwords::Hasher;
use crate::auth::tokens::SigningKeys;
use crate::clock::Clock;
use crate::config::{Config, Mode};
use crate::handlers::extract::Limits;
use crate::handlers::operation::Health;
use crate::handlers::service::Service;
use crate::integrations::cards::Cards;
use crate::integrations::document_store::DocumentStore;
use crate::integrations::mail::Mailer;
use crate::jobs::{CLOCK_SETTING, Worker};
use crate::programme::{Programme, SHIPPED};
use crate::repository::{Db, settings};
use crate::workflows::{Context, Links};

/// Why the service cannot start.
pub type StartError = Box<dyn std::error::Error + Send + Sync>;

/// Where the sandbox keeps its signing key.
const KEY_SETTING: &str = "sandbox_signing_key";
/// How often an instance looks whether another one moved the clock.
const CLOCK_CHECK: Duration = Duration::from_millis(200);
/// How often an instance looks whether its database was migrated meanwhile.
const MIGRATION_CHECK: Duration = Duration::from_secs(1);

/// Everything of a service but its port.
pub struct Parts {
    pub config: Arc<Config>,
    pub service: Service,
    pub worker: Worker,
    pub public_url: String,
    pub limits: Limits,
}

/// The programme that the configuration names.
pub fn programme(config: &Config) -> Result<Programme, StartError> {
    let text = match &config.programme {
        Some(path) => std::fs::read_to_string(path)
            .map_err(|e| format!("CPS_PROGRAMME: {}: {e}", path.display()))?,
        None => SHIPPED.to_owned(),
    };
    Ok(Programme::parse(&text).map_err(|fault| format!("the programme file: {fault}"))?)
}

/// Reads every file that the configuration names; all faults in one message, one a line.
pub fn check(config: &Config) -> Result<(), StartError> {
    let issuer = config.public_url.as_deref().unwrap_or_default();
    let keys = key_file(config).and_then(|pem| match pem {
        Some(pem) => SigningKeys::read(&pem, issuer)
            .map(drop)
            .map_err(|e| format!("CPS_SIGNING_KEYS: {e}").into()),
        None => Ok(()),
    });
    let mailer = Mailer::new(&config.mail, &config.mail_from).map(drop);
    let checked = [
        programme(config).map(drop),
        keys,
        mailer.map_err(StartError::from),
    ];
    let faults: Vec<String> = checked
        .into_iter()
        .filter_map(|one| one.err().map(|fault| fault.to_string()))
        .collect();
    if faults.is_empty() {
        Ok(())
    } else {
        Err(faults.join("\n").into())
    }
}

/// Opens the database; the sandbox migrates it.
pub async fn database(config: &Config) -> Result<Db, StartError> {
    let (url, size, migrates) = (
        config.database_url.clone(),
        config.pool_size,
        config.mode == Mode::Sandbox,
    );
    let opened = tokio::task::spawn_blocking(move || {
        let db = Db::open(url.expose_secret(), size)?;
        if migrates {
            db.migrate()?;
        }
        Ok::<_, StartError>(db)
    });
    opened.await?
}

/// The database and what a workflow works with, for a command beside the service.
pub async fn desk(config: &Config) -> Result<(Db, Context), StartError> {
    let programme = Arc::new(programme(config)?);
    let db = database(config).await?;
    if !db.is_migrated().await? {
        return Err("the database is not up to date: run `cps-api migrate` first".into());
    }
    let clock = clock(config, &db).await?;
    let public_url = public_url(config, config.bind);
    let keys = SigningKeys::read(&signing_keys(config, &db).await?, &public_url)?;
    let context = Context {
        now: clock.now(),
        programme,
        sealer: keys.sealer(),
        links: links(config, &public_url),
    };
    Ok((db, context))
}

async fn clock(config: &Config, db: &Db) -> Result<Clock, StartError> {
    let clock = Clock::default();
    if config.mode == Mode::Sandbox {
        let stored = db.fetch(|conn| settings::get(conn, CLOCK_SETTING)).await?;
        clock.set_offset_micros(stored.and_then(|text| text.parse().ok()).unwrap_or(0));
    }
    Ok(clock)
}

fn public_url(config: &Config, address: SocketAddr) -> String {
    let own = || format!("http://{address}");
    config.public_url.clone().unwrap_or_else(own)
}

fn links(config: &Config, public_url: &str) -> Arc<Links> {
    let docs = || format!("{public_url}/docs");
    Arc::new(Links {
        frontend_url: config.frontend_url.clone().unwrap_or_else(docs),
    })
}

/// Opens all that a service needs; `address` is where it will answer.
pub async fn open(config: Config, address: SocketAddr) -> Result<Parts, StartError> {
    let programme = Arc::new(programme(&config)?);
    let db = database(&config).await?;
    let clock = clock(&config, &db).await?;
    let public_url = public_url(&config, address);
    let keys = SigningKeys::read(&signing_keys(&config, &db).await?, &public_url)?;
    let links = links(&config, &public_url);
    let store = DocumentStore::open(&config.document_folder)?;
    let mailer = Mailer::new(&config.mail, &config.mail_from)?;
    let threads = std::thread::available_parallelism().map_or(1, |n| n.get());
    let service = Service {
        db: db.clone(),
        clock: clock.clone(),
        programme: programme.clone(),
        sealer: keys.sealer(),
        hasher: Hasher::start(threads)?,
        keys: keys.clone(),
        store: store.clone(),
        links: links.clone(),
        cards: Cards::of(config.mode),
    };
    if config.mode == Mode::Sandbox {
        seed::fill(&service).await?;
    }
    let worker = Worker {
        db,
        clock,
        programme,
        sealer: keys.sealer(),
        links,
        mailer,
        store,
        stepping: Arc::new(Mutex::new(())),
    };
    Ok(Parts {
        config: Arc::new(config),
        service,
        worker,
        public_url,
        limits: Limits::default(),
    })
}

/// The PEM text of the file that the configuration names, if it names one.
fn key_file(config: &Config) -> Result<Option<String>, StartError> {
    let read = config.signing_keys.as_ref().map(|path| {
        std::fs::read_to_string(path)
            .map_err(|e| format!("CPS_SIGNING_KEYS: {}: {e}", path.display()))
    });
    Ok(read.transpose()?)
}

/// The PEM text of the signing keys; the sandbox makes one once and keeps it in the database.
async fn signing_keys(config: &Config, db: &Db) -> Result<String, StartError> {
    if let Some(pem) = key_file(config)? {
        return Ok(pem);
    }
    let made = SigningKeys::generate()?;
    Ok(db
        .write(move |conn| settings::put_once(conn, KEY_SETTING, &made))
        .await?)
}

/// A service that answers.
pub struct Running {
    pub address: SocketAddr,
    pub server: JoinHandle<std::io::Result<()>>,
    handle: ServerHandle,
    health: Health,
    drain_delay: Duration,
    stop: watch::Sender<bool>,
    background: Vec<JoinHandle<()>>,
}

/// Serves `parts` on `listener`, with `workers` threads, and runs jobs beside it.
pub fn run(parts: Parts, listener: TcpListener, workers: usize) -> Result<Running, StartError> {
    let Parts {
        config,
        service,
        worker,
        public_url,
        limits: request_limits,
    } = parts;
    let address = listener.local_addr()?;
    let (stop, stopped) = watch::channel(false);
    let is_sandbox = config.mode == Mode::Sandbox;
    let rules = if is_sandbox {
        service.programme.rate_limits.sandbox
    } else {
        service.programme.rate_limits.live
    };
    let limits = Arc::new(RateLimits::new(&rules, &service.clock));
    let health = Health::default();
    let around = Surroundings {
        public_url: public_url.into(),
        authenticator: Authenticator::new(
            service.db.clone(),
            service.clock.clone(),
            service.keys.clone(),
        ),
        gate: Gate::new(config.max_in_flight),
        rate_limits: limits.clone(),
        health: health.clone(),
        limits: request_limits,
        config: config.clone(),
    };
    let server = super::serve(listener, service.clone(), worker.clone(), around, workers)?;
    let handle = server.handle();
    let mut background = vec![
        tokio::spawn(work(service, worker.clone(), stopped.clone())),
        tokio::spawn(tidy(limits, stopped.clone())),
    ];
    if is_sandbox {
        background.push(tokio::spawn(follow_clock(worker, stopped)));
    }
    Ok(Running {
        address,
        server: tokio::spawn(server),
        handle,
        health,
        drain_delay: config.drain_delay,
        stop,
        background,
    })
}

impl Running {
    /// Stops: first `/readyz` says so, then the service goes on for the drain delay, then it finishes what runs.
    pub async fn stop(self) {
        self.health.drain();
        tokio::time::sleep(self.drain_delay).await;
        self.handle.stop(true).await;
        if let Err(cause) = self.server.await {
            warn!(%cause, "the server ended badly");
        }
        // Nobody listens any more where the background has ended by itself.
        let _ = self.stop.send(true);
        for task in self.background {
            if let Err(cause) = task.await {
                warn!(%cause, "a background task ended badly");
            }
        }
    }
}

/// Runs jobs as soon as the database has its tables; in live mode `migrate` may come later than this instance.
async fn work(service: Service, worker: Worker, mut stopped: watch::Receiver<bool>) {
    while !*stopped.borrow() {
        let begun = match service.db.is_migrated().await {
            Ok(true) => seed::keep_house(&service).await.map(|()| true),
            other => other,
        };
        match begun {
            Ok(true) => return worker.run(stopped).await,
            Ok(false) => {}
            Err(cause) => warn!(%cause, "jobs cannot be run yet"),
        }
        tokio::select! {
            () = tokio::time::sleep(MIGRATION_CHECK) => {}
            _ = stopped.changed() => {}
        }
    }
}

async fn tidy(limits: Arc<RateLimits>, mut stopped: watch::Receiver<bool>) {
    while !*stopped.borrow() {
        tokio::select! {
            () = tokio::time::sleep(Duration::from_secs(60)) => limits.tidy(),
            _ = stopped.changed() => {}
        }
    }
}

async fn follow_clock(worker: Worker, mut stopped: watch::Receiver<bool>) {
    while !*stopped.borrow() {
        tokio::select! {
            () = tokio::time::sleep(CLOCK_CHECK) => {
                if let Err(cause) = worker.follow_clock().await {
                    warn!(%cause, "the shared clock could not be read");
                }
            }
            _ = stopped.changed() => {}
        }
    }
}
