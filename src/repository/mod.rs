//! What is stored: row structs and named queries, one module for each resource, all on one connection type.

pub mod accounts;
mod backend;
pub mod cards;
pub mod documents;
pub mod events;
pub mod idempotency_keys;
pub mod invoices;
pub mod jobs;
mod lane;
pub mod legacy_migration;
pub mod mails;
pub mod member_numbers;
pub mod memberships;
pub mod models;
pub mod points;
pub mod products;
pub mod request_counts;
pub mod reviews;
pub mod schema;
pub mod sessions;
pub mod settings;
pub mod users;

pub use backend::{Db, DbConn, DbError, Kind, MultiBackend, is_duplicate};
