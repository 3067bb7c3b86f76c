//! From a configuration to a running service, and its end.

mod backup;
mod check;
mod open;
mod run;
mod verify;

pub use backup::{backup, restore};
pub use check::configuration;
pub use open::{Parts, StartError, command_context, database, migrate, open};
pub use run::{Running, run};
pub use verify::{verify_events, verify_ledger};
