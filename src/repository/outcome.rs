//! What storing a row comes to where something in it has to be its own: nobody may drop that answer.

use crate::error::{Error, Result};

/// Whether a row was stored.
#[must_use = "a row that was not stored is lost"]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stored {
    Yes,
    /// Another row has what has to be unique.
    Taken,
}

impl Stored {
    /// After a statement that leaves out what is taken.
    pub(super) fn one_of(rows: usize) -> Self {
        match rows {
            0 => Self::Taken,
            _ => Self::Yes,
        }
    }

    /// Whether it was stored.
    pub fn is_stored(self) -> bool {
        self == Self::Yes
    }

    /// `Contended` where it was not: the whole is repeated, and meets whoever was faster.
    pub fn or_contended(self) -> Result<()> {
        match self {
            Self::Yes => Ok(()),
            Self::Taken => Err(Error::Contended),
        }
    }
}
