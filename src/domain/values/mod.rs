//! What people type: each type reads, tidies, compares, describes and refuses its own texts, wherever they come from. Rules over several
//! of them are in the modules of what they are about.

mod account_number;
mod company_number;
mod country;
mod date;
mod email;
mod field;
mod given_member_number;
mod gtin;
mod language_tag;
mod line;
mod manufacturer_code;
mod phone;
mod postal_area;
mod serial_number;
mod vat_number;

use std::str::FromStr;

use super::einvoice::{ELECTRONIC_ADDRESS, ElectronicAddress};
use super::money::{AMOUNT, Amount, is_countable};
use super::partner::{SCOPE, Scope};
use crate::error::{Fault, FaultCode};
use crate::types::{Instant, NETWORK, Network};

pub use account_number::AccountNumber;
pub use company_number::CompanyNumber;
pub use country::{Country, is_eu};
pub use date::Date;
pub use email::{Email, email_key};
pub use field::Field;
pub use given_member_number::GivenMemberNumber;
pub use gtin::Gtin;
pub use language_tag::LanguageTag;
pub use line::{Line, TEXT, Text, is_hidden, tidied_line, tidied_text};
pub use manufacturer_code::ManufacturerCode;
pub use phone::{Dialling, Phone, TypedPhone};
pub use postal_area::{PostalArea, area_of};
pub use serial_number::{SerialNumber, same_serial, serial_key};
pub use vat_number::VatNumber;

/// A value as people type it: in a form, in a cell of a file, in a part of an upload, on the command line. `FromStr` reads and tidies it.
pub trait Value: FromStr {
    /// How it is written, in the words of a fault.
    const WRITTEN: &'static str;

    /// The fault of what was typed at `pointer` and is none.
    fn fault(pointer: impl Into<String>, _typed: &str) -> Fault {
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
    /// What a text at a pointer is told that is none.
    fault: fn(String) -> Fault,
}

/// Every format that is read here: what a schema accepts is what is read.
pub const FORMATS: [Format; 14] = [
    Format {
        name: email::FORMAT,
        check: is_value::<Email>,
        fault: |pointer| Email::fault(pointer, ""),
    },
    Format {
        name: date::FORMAT,
        check: is_value::<Date>,
        fault: |pointer| Date::fault(pointer, ""),
    },
    Format {
        name: country::FORMAT,
        check: country::is_assigned,
        fault: |pointer| Country::fault(pointer, "ZZ"),
    },
    Format {
        name: account_number::FORMAT,
        check: is_value::<AccountNumber>,
        fault: |pointer| AccountNumber::fault(pointer, ""),
    },
    Format {
        name: given_member_number::FORMAT,
        check: is_value::<GivenMemberNumber>,
        fault: |pointer| GivenMemberNumber::fault(pointer, ""),
    },
    Format {
        name: gtin::FORMAT,
        check: is_value::<Gtin>,
        fault: |pointer| Gtin::fault(pointer, ""),
    },
    Format {
        name: manufacturer_code::FORMAT,
        check: is_value::<ManufacturerCode>,
        fault: |pointer| ManufacturerCode::fault(pointer, ""),
    },
    Format {
        name: ELECTRONIC_ADDRESS,
        check: is_value::<ElectronicAddress>,
        fault: |pointer| ElectronicAddress::fault(pointer, ""),
    },
    Format {
        name: line::LINE,
        check: line::is_line,
        fault: hidden,
    },
    Format {
        name: TEXT,
        check: line::is_text,
        fault: hidden,
    },
    Format {
        name: AMOUNT,
        check: is_countable,
        fault: |pointer| Fault::new(pointer, FaultCode::TooLarge).with("max", Amount::MAX),
    },
    Format {
        name: NETWORK,
        check: |text| text.parse::<Network>().is_ok(),
        fault: |pointer| Fault::new(pointer, FaultCode::NetworkInvalid),
    },
    Format {
        name: SCOPE,
        check: |text| text.parse::<Scope>().is_ok(),
        fault: |pointer| Fault::new(pointer, FaultCode::ScopeUnknown),
    },
    Format {
        name: "date-time",
        check: |text| text.parse::<Instant>().is_ok(),
        fault: |pointer| {
            let written = "yyyy-mm-ddThh:mm:ssZ, 1970-9998";
            Fault::new(pointer, FaultCode::Format).with("format", written)
        },
    },
];

fn is_value<T: Value>(text: &str) -> bool {
    text.parse::<T>().is_ok()
}

fn hidden(pointer: String) -> Fault {
    Fault::new(pointer, FaultCode::Pattern)
}

/// The fault of a text at `pointer` that is not of a schema's `format`.
pub fn format_fault(format: &str, pointer: String) -> Fault {
    match FORMATS.iter().find(|known| known.name == format) {
        Some(known) => (known.fault)(pointer),
        None => Fault::new(pointer, FaultCode::Format).with("format", format),
    }
}
