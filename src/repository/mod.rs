//! What is stored: row structs and named queries, one module for each resource, all on one connection type.

mod backend;
pub mod schema;

pub use backend::{Db, DbConn, DbError, Kind, MultiBackend, is_duplicate};
