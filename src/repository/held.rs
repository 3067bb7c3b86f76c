//! Rows that a transaction holds against other writers: only such a row is stored.

use std::ops::{Deref, DerefMut};

/// A row that this transaction holds until it ends. The `lock` functions of a resource make it, its `store` takes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held<T>(T);

impl<T> Held<T> {
    pub(super) fn new(row: T) -> Self {
        Self(row)
    }

    /// The row, which can be looked at but not stored any more.
    pub fn into_row(self) -> T {
        self.0
    }
}

impl<T> Deref for Held<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> DerefMut for Held<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

/// Stores a held row as its next version, over the version that was seen and no other: `Contended` where somebody was faster.
macro_rules! store {
    ($conn:expr, $table:ident, $held:expr) => {{
        let held: &mut $crate::repository::Held<_> = $held;
        let seen = held.version;
        held.version += 1;
        let row = $table::table.find(held.id).filter($table::version.eq(seen));
        diesel::update(row).set(&**held).execute($conn)
    }};
}
pub(super) use store;

/// What storing a held row came to.
pub(super) fn stored(rows: diesel::QueryResult<usize>) -> crate::error::Result<()> {
    match rows? {
        0 => Err(crate::error::Error::Contended),
        _ => Ok(()),
    }
}
