//! The commands of the binary and what they take. What they do is in `main`.

use std::path::PathBuf;

use clap::{Parser, Subcommand};
use cps_api::domain::language::Language;
use cps_api::domain::permissions::Role;
use cps_api::domain::values::{Email, Line};
use cps_api::jobs::command::JobsCommand;

/// What the environment may say; the README says more.
const VARIABLES: &str = "\
Variables of the environment (`cps-api check-config` says what is wrong with them):
  CPS_MODE             sandbox (the default) or live
  CPS_BIND             where the API answers: 127.0.0.1:8080
  CPS_METRICS_BIND     where Prometheus reads measurements: 127.0.0.1:9090
  DATABASE_URL         sqlite://data/cps.db, or postgres://user:password@host/name
  CPS_POOL_SIZE        database connections: 2 per core
  CPS_DOCUMENT_STORE   where documents are kept: file://data/documents
  CPS_MAIL             smtp://user:password@host:port or smtps://; the sandbox has a mailbox
  CPS_MAIL_FROM        the sender of mails: donotreply@localhost
  CPS_SIGNING_KEYS     a PEM file with one or two Ed25519 keys
  CPS_SEALING_KEYS     a file with one or two keys, each 64 hex digits
  CPS_PROGRAMME        another programme file than the shipped one
  CPS_PUBLIC_URL       where this API is reached
  CPS_FRONTEND_URL     where the pages that mails link to are
  CPS_CORS_ORIGINS     origins whose pages may call, with commas
  CPS_TRUSTED_PROXIES  addresses or networks of proxies, with commas
  CPS_DRAIN_SECONDS    how long /readyz says 503 before the service stops
  CPS_MAX_IN_FLIGHT    requests in work at once: 512
  CPS_LOG              text or json; by default text on a terminal, json elsewhere
  RUST_LOG             what is logged: info";

/// A professional membership programme as a JSON REST service.
#[derive(Parser)]
#[command(version, after_help = VARIABLES)]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Option<Command>,
}

#[derive(Subcommand)]
pub enum Command {
    /// Serve the API (the default).
    Serve,
    /// Bring the database up to date.
    Migrate,
    /// Print the contract.
    Openapi {
        /// With the sandbox's own operations.
        #[arg(long)]
        sandbox: bool,
    },
    /// Store the models of a CSV file: name, category, points, valid_from, launched_date, serial_pattern, manufacturer_code, gtin.
    ImportModels { file: PathBuf },
    /// Store the old CPS accounts of a CSV file, one row a product: email, member_number, legacy_reference, model, serial_number,
    /// purchase_date, purchase_country, dealer.
    ImportLegacy { file: PathBuf },
    /// Take a bank statement in: camt.053, or CSV where its name ends so.
    ImportBankStatement { file: PathBuf },
    /// Recompute every balance of points and every sum of money, and name the first wrong one.
    VerifyLedger {
        /// And read every stored document of an invoice.
        #[arg(long)]
        files: bool,
    },
    /// Recompute the chain of hashes over all events and their numbers, and name the first wrong row.
    VerifyEvents,
    /// Add a member of staff, and print the link that sets the password; it also goes out by mail.
    CreateStaff(Staff),
    /// List jobs, and have dead ones tried again.
    #[command(subcommand)]
    Jobs(JobsCommand),
    /// Copy the database and the documents to a tar file, while the service runs; for SQLite, with documents in a folder.
    Backup { file: PathBuf },
    /// Put back what `backup` wrote, where no database and no documents are.
    Restore { file: PathBuf },
    /// Check the environment and the programme file, and say what is wrong.
    CheckConfig,
    /// Ask the running service whether it can serve; for a container's health check.
    Healthcheck,
}

/// Who is to be a member of staff.
#[derive(clap::Args)]
pub struct Staff {
    /// Signs in with it.
    #[arg(long)]
    pub email: Email,
    #[arg(long, value_parser = name)]
    pub name: String,
    /// reviewer, support, finance or admin; may be given several times.
    #[arg(long = "role", required = true, value_parser = staff_role)]
    pub roles: Vec<Role>,
    /// Of the mails to this person: da or en.
    #[arg(long, default_value = "en")]
    pub language: Language,
}

fn name(text: &str) -> Result<String, String> {
    let name = text.parse::<Line<100>>().map(String::from);
    name.map_err(|_| "not a name: one line of 1 to 100 characters".to_owned())
}

fn staff_role(text: &str) -> Result<Role, String> {
    let role = text.parse().ok().filter(|role: &Role| role.is_staff());
    role.ok_or_else(|| "none of reviewer, support, finance, admin".to_owned())
}
