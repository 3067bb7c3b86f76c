//! What a failed statement means, by what either database says of it.

use diesel::result::{DatabaseErrorKind, Error as DieselError};

use crate::error::Error;

/// How PostgreSQL and SQLite say that another transaction was in the way, or that waiting for it took too long.
const CONTENTION: [&str; 3] = [
    "canceling statement due to",
    "deadlock detected",
    "database is locked",
];

/// How SQLite and PostgreSQL say that their disk is full.
const FULL: [&str; 2] = ["database or disk is full", "No space left on device"];

impl From<DieselError> for Error {
    fn from(error: DieselError) -> Self {
        let (kind, info) = match error {
            DieselError::DatabaseError(kind, ref info) => (kind, info),
            // Where SQLite has rolled back by itself, the rollback after it fails too.
            DieselError::RollbackErrorOnCommit { commit_error, .. } => {
                return (*commit_error).into();
            }
            error => return Error::Database(error),
        };
        match kind {
            _ if FULL.iter().any(|text| info.message().contains(text)) => {
                Error::StorageFull(info.message().to_owned())
            }
            DatabaseErrorKind::ClosedConnection => Error::Broken(info.message().to_owned()),
            // What takes no writes is a standby, which was the primary when this connection was opened.
            DatabaseErrorKind::ReadOnlyTransaction => Error::Broken(info.message().to_owned()),
            DatabaseErrorKind::SerializationFailure => Error::Contended,
            _ if CONTENTION.iter().any(|text| info.message().contains(text)) => Error::Contended,
            _ => Error::Database(error),
        }
    }
}

/// Whether `error` is a second row with the same `table.column` (the constraint `<table>_<column>_key`).
pub fn is_duplicate(error: &DieselError, table: &str, column: &str) -> bool {
    let DieselError::DatabaseError(DatabaseErrorKind::UniqueViolation, info) = error else {
        return false;
    };
    match info.constraint_name() {
        Some(name) => name == format!("{table}_{column}_key"),
        None => {
            let message = info.message();
            message.ends_with(&format!("{table}.{column}"))
                || message.ends_with(&format!("index '{table}_{column}_key'"))
        }
    }
}
