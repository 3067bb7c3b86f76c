//! What is stored: row structs and named queries, one module for each resource, all on one connection type.

pub mod accounts;
pub mod applicant_tokens;
mod backend;
pub mod cards;
pub mod documents;

pub mod events;
mod held;
pub mod idempotency_keys;
pub mod invoices;
pub mod jobs;
pub mod legacy_migration;
pub mod mails;
pub mod member_numbers;
pub mod memberships;
pub mod models;
mod outcome;
pub mod points;
mod pool;
pub mod products;
pub mod request_counts;
pub mod reviews;
pub mod schema;
pub mod sessions;
pub mod settings;
mod sweeping;
#[cfg(test)]
mod testing;
pub mod users;
mod wakeups;
pub mod work_items;

pub use backend::{Db, DbConn, DbError, Kind, MultiBackend, is_duplicate};
pub use held::Held;
pub use outcome::Stored;
pub use wakeups::Wakeups;
