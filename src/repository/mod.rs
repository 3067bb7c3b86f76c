//! What is stored: row structs and named queries, one module for each resource, all on one connection type.

pub mod accounts;
pub mod allocations;
pub mod applicant_tokens;
mod backend;
pub mod bank_lookups;
pub mod bank_statements;
pub mod bank_transactions;
pub mod billing_profiles;
pub mod cards;
pub mod catalogue;
pub mod credentials;
pub mod customers;
pub mod devices;
pub mod documents;

pub mod events;
pub mod files;
mod held;
pub mod idempotency_keys;
pub mod invoice_collection;
pub mod invoice_files;
pub mod invoice_search;
pub mod invoices;
pub mod jobs;
pub mod legacy_migration;
mod like;
pub mod mails;
pub mod member_numbers;
pub mod memberships;
pub mod models;
pub mod money_checks;
pub mod money_watch;
pub mod offers;
mod outcome;
pub mod partner_days;
pub mod partners;
pub mod payments;
pub mod points;
mod pool;
pub mod products;
pub mod purchases;
pub mod refunds;
pub mod registration_batches;
pub mod registrations;
pub mod reminders;
pub mod request_counts;
pub mod reviews;
pub mod schema;
pub mod seller_terms;
pub mod sessions;
pub mod settings;
mod sweeping;
#[cfg(test)]
pub(crate) mod testing;
pub mod trusted_partners;
pub mod users;
mod wakeups;
pub mod work_items;

/// SQLite takes a bounded number of values in one statement.
const MOST_ROWS: usize = 500;

pub use backend::{
    Db, DbConn, DbError, Kind, MultiBackend, copy_sqlite, is_duplicate, sqlite_file,
};
pub use held::Held;
pub use outcome::Stored;
pub use wakeups::Wakeups;
