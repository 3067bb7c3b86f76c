//! The tables of dealers: who they are, whom they may reach and what they have reported.

use super::{Kept, Sweep, Table, Until, WITH_ACCOUNT, personal, plain};
use crate::domain::personal_data::copies::{ANSWERED, TOLD};

const DEALT_WITH: &str = "registrations and events name the dealer that they came from";

pub const PARTNERS: Table = Table {
    name: "partners",
    stay: Kept(DEALT_WITH),
    personal: &[personal("contact_email").copied_to(TOLD)],
    other: "version name country status lines_per_day",
};

pub const CREDENTIALS: Table = Table {
    name: "credentials",
    stay: Kept(DEALT_WITH),
    personal: &[personal("secret_hash"), personal("previous_hash")],
    other: "version name scopes networks token_version",
};

pub const PARTNER_DAYS: Table = plain(
    "partner_days",
    Until(Sweep::PartnerDays),
    "day lines dry_run_lines unmatched silent_matches",
);

pub const TRUSTED_PARTNERS: Table = plain("trusted_partners", Kept(WITH_ACCOUNT), "");

pub const REGISTRATIONS: Table = Table {
    name: "registrations",
    stay: Kept("what a dealer has reported is neither taken twice nor lost"),
    personal: &[
        personal("serial_key"),
        personal("reported").copied_to(ANSWERED),
        personal("body_hash"),
    ],
    other: "external_id verb status code reason version",
};

pub const REGISTRATION_BATCHES: Table = plain(
    "registration_batches",
    Kept("that a dealer sent so many lines, and what became of how many; the lines go"),
    "version status header lines done counts request_id",
);

pub const REGISTRATION_LINES: Table = Table {
    name: "registration_lines",
    stay: Until(Sweep::RegistrationLines),
    personal: &[
        personal("body").until("its batch has been over for 30 days"),
        personal("errors"),
    ],
    other: "line external_id status code",
};
