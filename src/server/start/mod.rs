//! From a configuration to a running service, and its end.

mod open;
mod run;

pub use open::{Parts, StartError, check, database, desk, open, programme};
pub use run::{Running, run};
