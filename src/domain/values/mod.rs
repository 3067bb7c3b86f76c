//! What people type: each type reads, tidies, compares, describes and refuses its own texts, wherever they come from. Rules over several
//! of them are in the modules of what they are about.

mod country;
mod date;
mod email;
mod field;
mod line;
mod phone;
mod serial_number;
mod vat_number;

use std::str::FromStr;

use crate::error::{Fault, FaultCode};

pub use country::{Country, is_eu};
pub use date::Date;
pub use email::{Email, email_key};
pub use field::Field;
pub use line::Line;
pub use phone::Phone;
pub use serial_number::SerialNumber;
pub use vat_number::VatNumber;

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

/// A `format` of schemas that a value here reads.
pub struct Format {
    pub name: &'static str,
    /// Whether a text is such a value.
    pub check: fn(&str) -> bool,
    /// How it is written.
    written: &'static str,
}

/// Every format that is read here: what a schema accepts is what is read.
pub const FORMATS: [Format; 2] = [
    Format {
        name: email::FORMAT,
        check: is_value::<Email>,
        written: Email::WRITTEN,
    },
    Format {
        name: date::FORMAT,
        check: is_value::<Date>,
        written: Date::WRITTEN,
    },
];

fn is_value<T: Value>(text: &str) -> bool {
    text.parse::<T>().is_ok()
}

/// How texts of a schema's `format` are written.
pub fn written(format: &str) -> &str {
    let known = FORMATS.iter().find(|known| known.name == format);
    known.map_or(format, |known| known.written)
}
