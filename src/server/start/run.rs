//! Serving on a port, with jobs beside it, until it is time to stop.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;
use tracing::{info, warn};

use super::open::own_prefix;
use super::{Parts, StartError};
use crate::auth::Authenticator;
use crate::config::Mode;
use crate::handlers::operation::Health;
use crate::handlers::service::Service;
use crate::jobs::Worker;
use crate::jobs::sequencer::Sequencer;
use crate::repository::Db;
use crate::server::ownership;
use crate::server::{Bodies, ConcurrencyLimit, MiddlewareState, RateLimits, serve};

/// How often an instance looks whether another one moved the clock.
const CLOCK_CHECK: Duration = Duration::from_millis(200);
/// How often an instance looks whether its database was migrated meanwhile.
const MIGRATION_CHECK: Duration = Duration::from_secs(1);

/// A service that answers.
pub struct Running {
    pub address: SocketAddr,
    pub server: JoinHandle<std::io::Result<()>>,
    /// Why it cannot go on, once that is so.
    pub refused: oneshot::Receiver<StartError>,
    handle: ServerHandle,
    health: Health,
    drain_delay: Duration,
    stop: watch::Sender<bool>,
    background: Vec<JoinHandle<()>>,
    db: Db,
}

/// Serves `parts` on `listener`, with `workers` threads, and runs jobs beside it.
pub fn run(parts: Parts, listener: TcpListener, workers: usize) -> Result<Running, StartError> {
    let Parts {
        config,
        service,
        worker,
        public_url,
        limits: request_limits,
        health,
    } = parts;
    let address = listener.local_addr()?;
    let (stop, stopped) = watch::channel(false);
    let (tell, refused) = oneshot::channel();
    let limits = Arc::new(rate_limits(&service, config.mode));
    let state = MiddlewareState {
        public_url: public_url.into(),
        authenticator: authenticator(&service),
        concurrency: ConcurrencyLimit::new(config.max_in_flight),
        bodies: Bodies::new(request_limits.bodies),
        rate_limits: limits.clone(),
        health: health.clone(),
        limits: request_limits,
        config: config.clone(),
    };
    let server = serve(listener, service, worker.clone(), state, workers)?;
    let handle = server.handle();
    let db = worker.db.clone();
    let background = background(worker, config.mode, health.clone(), limits, (tell, stopped));
    Ok(Running {
        address,
        server: tokio::spawn(server),
        handle,
        health,
        drain_delay: config.drain_delay,
        refused,
        stop,
        background,
        db,
    })
}

/// What runs beside the server until `stopped`; `tell` says why the service cannot go on.
fn background(
    worker: Worker,
    mode: Mode,
    health: Health,
    limits: Arc<RateLimits>,
    (tell, stopped): (oneshot::Sender<StartError>, watch::Receiver<bool>),
) -> Vec<JoinHandle<()>> {
    let sequencer = Sequencer {
        db: worker.db.clone(),
        clock: worker.clock.clone(),
    };
    let work = work(worker.clone(), mode, health, tell, stopped.clone());
    let mut background = vec![
        tokio::spawn(sequencer.run(stopped.clone())),
        tokio::spawn(work),
        tokio::spawn(tidy(limits, stopped.clone())),
    ];
    if mode == Mode::Sandbox {
        background.push(tokio::spawn(follow_clock(worker, stopped)));
    }
    background
}

fn authenticator(service: &Service) -> Authenticator {
    Authenticator::new(
        service.db.clone(),
        service.clock.clone(),
        service.keys.clone(),
        service.programme.application.clone(),
    )
}

fn rate_limits(service: &Service, mode: Mode) -> RateLimits {
    let rules = service.programme.rate_limits.of(mode == Mode::Sandbox);
    RateLimits::new(rules, &service.clock)
}

impl Running {
    /// Stops: first `/readyz` says so, then the service goes on for the drain delay, then it finishes what runs and closes the database.
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
        if let Err(cause) = tokio::task::spawn_blocking(move || self.db.close()).await {
            warn!(%cause, "the database was not closed");
        }
        info!("stopped");
    }
}

/// Serves and runs jobs as soon as the database has its tables; in live mode `migrate` may come later than this instance.
async fn work(
    worker: Worker,
    mode: Mode,
    health: Health,
    tell: oneshot::Sender<StartError>,
    mut stopped: watch::Receiver<bool>,
) {
    while !*stopped.borrow() {
        match claimed(&worker, mode).await {
            Ok(Some(Ok(()))) => {
                health.claim();
                return worker.run(stopped).await;
            }
            // Somebody else has made it, or the prefix, theirs since this instance began to wait for it.
            Ok(Some(Err(refusal))) => {
                // Nobody listens any more where the service is on its way out.
                let _ = tell.send(refusal);
                return;
            }
            Ok(None) => {}
            Err(cause) => warn!(%cause, "nothing can be served yet"),
        }
        tokio::select! {
            () = tokio::time::sleep(MIGRATION_CHECK) => {}
            _ = stopped.changed() => {}
        }
    }
}

/// Whether the database and the prefix are this instance's; nobody's before there are tables.
async fn claimed(
    worker: &Worker,
    mode: Mode,
) -> crate::error::Result<Option<Result<(), StartError>>> {
    if !worker.db.is_migrated().await? {
        return Ok(None);
    }
    let claim = worker.db.write(move |conn| ownership::claim(conn, mode));
    if let Err(foreign) = claim.await? {
        return Ok(Some(Err(foreign.into())));
    }
    let now = worker.clock.now();
    own_prefix(&worker.programme, &worker.db, now)
        .await
        .map(Some)
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
