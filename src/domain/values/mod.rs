//! What people type: each type reads, tidies, compares, describes and refuses its own texts, wherever they come from. Rules over several
//! of them are in the modules of what they are about.

mod date;
mod email;

use std::str::FromStr;

use crate::error::{Fault, FaultCode};

pub use date::Date;
pub use email::{Email, email_key};

/// A value as people type it: in a form, in a cell of a file, in a part of an upload, on the command line. `FromStr` reads and tidies it.
pub trait Value: FromStr {
    /// How it is written, in the words of a fault.
    const WRITTEN: &'static str;

    /// The fault of a text at `pointer` that is none.
    fn fault(pointer: impl Into<String>) -> Fault {
        Fault::new(pointer, FaultCode::Format).with("format", Self::WRITTEN)
    }
}

/// The text is no such value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected {0}")]
pub struct BadValue(&'static str);

/// The formats of schemas that values here read, each with its check and how it is written: what a schema accepts is what is read.
pub const FORMATS: [(&str, fn(&str) -> bool, &str); 2] = [
    (email::FORMAT, is_value::<Email>, Email::WRITTEN),
    (date::FORMAT, is_value::<Date>, Date::WRITTEN),
];

fn is_value<T: Value>(text: &str) -> bool {
    text.parse::<T>().is_ok()
}

/// How texts of a schema's `format` are written.
pub fn written(format: &str) -> &str {
    let known = FORMATS.iter().find(|(name, ..)| *name == format);
    known.map_or(format, |(_, _, written)| written)
}
