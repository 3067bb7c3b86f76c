//! The command line: starts the service, and does what staff do beside it.

mod arguments;

use std::io::IsTerminal;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::ExitCode;

use arguments::{Arguments, Command, Staff};
use clap::Parser;
use cps_api::config::{Config, LogFormat, Mode};
use cps_api::domain::access::ServiceAccess;
use cps_api::domain::actor::Cause;
use cps_api::domain::model::ModelId;
use cps_api::handlers::problem::explained;
use cps_api::jobs::bank::{Importer, SentFile};
use cps_api::jobs::command::{self, JobsCommand};
use cps_api::private;
use cps_api::server::start::{self, StartError};
use cps_api::workflows::csv_file::{Decoded, decode};
use cps_api::workflows::mail::count_withheld;
use cps_api::workflows::users::{self, Newcomer};
use cps_api::workflows::{catalogue, legacy_migration};
use metrics_exporter_prometheus::PrometheusBuilder;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing_subscriber::EnvFilter;

/// The proof of the service that runs a command.
#[expect(clippy::disallowed_methods, reason = "a command acts as the service")]
fn proof(command: &'static str) -> ServiceAccess {
    ServiceAccess::new(Cause::Command(command))
}

fn main() -> ExitCode {
    private::by_default();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .worker_threads(2)
        .build();
    let outcome = runtime
        .map_err(StartError::from)
        .and_then(|runtime| runtime.block_on(run(Arguments::parse())));
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cps-api: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<(), StartError> {
    match arguments.command.unwrap_or(Command::Serve) {
        Command::Openapi { sandbox } => {
            let document = cps_api::handlers::document(sandbox);
            println!("{}", serde_json::to_string_pretty(&document)?);
            Ok(())
        }
        Command::Serve => serve(start::configuration()?).await,
        Command::Migrate => {
            start::migrate(&Config::from_env()?).await?;
            println!("The database is up to date.");
            Ok(())
        }
        Command::CreateStaff(staff) => create_staff(&start::configuration()?, staff).await,
        Command::Backup { file } => {
            let documents = start::backup(&Config::from_env()?, &file)?;
            println!(
                "{} holds the database and {documents} documents. Keys and programme are files of yours: keep them apart from it.",
                file.display()
            );
            Ok(())
        }
        Command::Restore { file } => {
            let documents = start::restore(&Config::from_env()?, &file)?;
            println!("The database and {documents} documents are back as they were.");
            Ok(())
        }
        Command::CheckConfig => check_config(&start::configuration()?),
        Command::ImportModels { file } => import(&file, "models", Import::Models).await,
        Command::ImportLegacy { file } => import(&file, "old accounts", Import::Legacy).await,
        Command::ImportBankStatement { file } => import_bank_statement(&file).await,
        Command::VerifyLedger { files } => {
            start::verify_ledger(&Config::from_env()?, files, tell).await
        }
        Command::VerifyEvents => start::verify_events(&Config::from_env()?, tell).await,
        Command::Jobs(command) => jobs(&Config::from_env()?, command).await,
        Command::Healthcheck => healthcheck(&Config::from_env()?).await,
    }
}

fn tell(line: &str) {
    println!("{line}");
}

fn log(config: &Config) {
    let is_terminal = std::io::stderr().is_terminal();
    let by_place = match is_terminal {
        true => LogFormat::Text,
        false => LogFormat::Json,
    };
    let log = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(&config.log_filter))
        .with_writer(std::io::stderr);
    match config.log.unwrap_or(by_place) {
        LogFormat::Text => log.with_target(false).with_ansi(is_terminal).init(),
        LogFormat::Json => log.json().flatten_event(true).with_span_list(false).init(),
    }
}

/// How long a request takes, in seconds: the upper ends of what is counted together.
const BUCKETS: [f64; 12] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0,
];

async fn serve(config: Config) -> Result<(), StartError> {
    log(&config);
    for warning in &config.warnings {
        tracing::warn!("{warning}");
    }
    let exporter = PrometheusBuilder::new().with_http_listener(config.metrics_bind);
    exporter
        .set_buckets(&BUCKETS)?
        .install()
        .map_err(|e| format!("CPS_METRICS_BIND: {e}"))?;
    count_withheld(0);
    let mut stop = StopSignals::listen()?;
    let listener =
        TcpListener::bind(config.bind).map_err(|e| format!("CPS_BIND: {}: {e}", config.bind))?;
    let is_sandbox = config.mode == Mode::Sandbox;
    let metrics_bind: SocketAddr = config.metrics_bind;
    let parts = tokio::select! {
        parts = start::open(config, listener.local_addr()?) => parts?,
        () = stop.received() => return Ok(()),
    };
    let url = parts.public_url.clone();
    let workers = std::thread::available_parallelism().map_or(1, |n| n.get());
    let mut running = start::run(parts, listener, workers)?;
    if is_sandbox {
        println!("Sandbox     {url}/");
    }
    println!("API         {url}/v1\nSwagger UI  {url}/docs/");
    if metrics_bind.port() != 0 {
        println!("Metrics     http://{metrics_bind}/metrics");
    }
    tokio::select! {
        () = stop.received() => {}
        // It has served nobody: there is nothing to finish.
        Ok(why) = &mut running.refused => return Err(why),
    }
    running.stop().await;
    Ok(())
}

/// The signals that ask the service to stop. They are kept from the moment it listens for them.
struct StopSignals {
    terminate: Signal,
    interrupt: Signal,
}

impl StopSignals {
    fn listen() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    async fn received(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

fn check_config(config: &Config) -> Result<(), StartError> {
    for warning in &config.warnings {
        println!("Warning: {warning}");
    }
    println!("The environment and the programme file can be used.");
    Ok(())
}

async fn create_staff(config: &Config, mut staff: Staff) -> Result<(), StartError> {
    let (db, context) = start::command_context(config).await?;
    staff.roles.sort();
    staff.roles.dedup();
    let new = Newcomer {
        email: staff.email,
        name: staff.name,
        roles: staff.roles,
        language: Some(staff.language),
    };
    let hours = context.programme.passwords.first_link_hours;
    let link = db
        .write(move |conn| users::create_staff(conn, &context, proof("create-staff"), new))
        .await
        .map_err(|error| explained(&error))?;
    println!("Set the password within {hours} hours:\n{link}");
    Ok(())
}

async fn healthcheck(config: &Config) -> Result<(), StartError> {
    let mut address = config.bind;
    if address.ip().is_unspecified() {
        address.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
    }
    let client = reqwest::Client::builder()
        .timeout(std::time::Duration::from_secs(3))
        .build()?;
    let answer = client
        .get(format!("http://{address}/readyz"))
        .send()
        .await?;
    if answer.status().is_success() {
        Ok(())
    } else {
        Err(format!("/readyz answers {}", answer.status()).into())
    }
}

#[derive(Clone, Copy)]
enum Import {
    Models,
    Legacy,
}

async fn import(file: &Path, what: &str, kind: Import) -> Result<(), StartError> {
    let bytes = std::fs::read(file).map_err(|e| format!("{}: {e}", file.display()))?;
    let Some(Decoded { text, encoding }) = decode(&bytes, None) else {
        return Err(format!("{}: neither UTF-8 nor Windows-1252", file.display()).into());
    };
    let (db, context) = start::command_context(&start::configuration()?).await?;
    let now = context.now;
    let stored = db
        .write(move |conn| match kind {
            Import::Models => {
                let service = proof("import-models");
                catalogue::import(conn, &context, service, &text, |_| ModelId::new(now))
            }
            Import::Legacy => {
                legacy_migration::import(conn, &context, proof("import-legacy"), &text)
                    .map(|stored| stored.0)
            }
        })
        .await;
    let stored = stored.map_err(|error| explained(&error))?;
    println!("Stored {stored} {what}. The file was read as {encoding}.");
    Ok(())
}

async fn import_bank_statement(file: &Path) -> Result<(), StartError> {
    let sent = SentFile::open(file).map_err(|e| format!("{}: {e}", file.display()))?;
    let (db, context) = start::command_context(&start::configuration()?).await?;
    let stamp = proof("import-bank-statement").stamp(context.now);
    let outcome = Importer { db, context, stamp }.import(sent).await;
    print!("{}", outcome.map_err(|e| explained(&e))?);
    Ok(())
}

#[expect(
    clippy::disallowed_methods,
    reason = "what a command writes is written by the service"
)]
async fn jobs(config: &Config, command: JobsCommand) -> Result<(), StartError> {
    let (db, context) = start::command_context(config).await?;
    let stamp = ServiceAccess::new(Cause::Command("jobs")).stamp(context.now);
    let done = command::run(&db, stamp, command, |line| println!("{line}"));
    done.await.map_err(|error| explained(&error).into())
}
