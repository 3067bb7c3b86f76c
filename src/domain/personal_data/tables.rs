//! The list of all tables; those of dealers stand in `dealers`, those of money in `money`. A test holds it against `repository/schema.rs`.

mod dealers;
mod money;

use super::Stay::{self, Kept, Until};
use super::copies::{ANSWERED, INVOICED, MAILED, SEARCHED, TOLD};
use super::{Personal, Sweep, Table};

const WITH_ACCOUNT: &str = "it belongs to an account, which no time ends";
const LEDGER: &str = "the ledger is never changed: every balance is proven by its entries";
const BOOKS: &str = "invoices and what they name are kept with the books";
const CATALOGUE: &str = "the catalogue: what was registered was one of these";
const OLD_PROGRAMME: &str = "a member of the old programme may come for it at any time";
const HISTORY: &str = "the chain of events is checked from its first row, which nothing deletes";

const fn personal(column: &'static str) -> Personal {
    Personal::of(column)
}

/// A table with nothing personal in it.
const fn plain(name: &'static str, stay: Stay, other: &'static str) -> Table {
    Table {
        name,
        stay,
        personal: &[],
        other,
    }
}

/// Every table and what is in it.
pub const TABLES: &[Table] = &[
    Table {
        name: "accounts",
        stay: Kept("who applied, and was a customer: no time ends that"),
        personal: &[
            personal("account_number").copied_to(INVOICED),
            personal("company_name").copied_to(INVOICED),
            personal("company_key"),
            personal("vat_number").copied_to(INVOICED),
            personal("street").copied_to(INVOICED),
            personal("postal_code").copied_to(INVOICED),
            personal("city").copied_to(INVOICED),
            personal("contact_name").copied_to(&[
                "users.name",
                "mails.sealed",
                "idempotency_keys.sealed",
            ]),
            personal("contact_email").copied_to(MAILED),
            personal("contact_email_key").copied_to(SEARCHED),
            personal("contact_email_proposed")
                .copied_to(&["accounts.contact_email", "idempotency_keys.sealed"])
                .until("it is decided on, or the first password is set"),
            personal("contact_phone").copied_to(ANSWERED),
            personal("legacy_cps_email").copied_to(&[
                "legacy_proofs.email_key",
                "mails.to_address",
                "idempotency_keys.sealed",
            ]),
            personal("authority_declared_from"),
            personal("applicant_token_hash").until("the application is decided or handed on"),
        ],
        other: "status version country language source terms_version suspended_from",
    },
    Table {
        name: "applicant_tokens",
        stay: Until(Sweep::ApplicantTokens),
        personal: &[personal("token_hash")],
        other: "",
    },
    Table {
        name: "reviews",
        stay: Kept(WITH_ACCOUNT),
        personal: &[
            personal("asked_note").copied_to(TOLD),
            personal("decision_note").copied_to(TOLD),
        ],
        other: "version decision decision_codes",
    },
    Table {
        name: "documents",
        stay: Kept("what was decided on: kind, checksum, size, reviewer and decision stay"),
        personal: &[
            personal("file_name").copied_to(ANSWERED),
            personal("sha256"),
            personal("file_key").until("the file is deleted, so many days after the decision"),
        ],
        other: "version kind status codes media_type size issued_date",
    },
    Table {
        name: "files",
        stay: Kept("as long as its document wants it; what nobody wants goes within the hour"),
        personal: &[personal("key")],
        other: "state",
    },
    Table {
        name: "users",
        stay: Kept("whoever did something is named by the ledger and by events for as long"),
        personal: &[
            personal("email").copied_to(&[
                "mails.to_address",
                "jobs.payload",
                "idempotency_keys.sealed",
            ]),
            personal("email_key").copied_to(&["mails.to_key", "sign_in_failures.counted_hash"]),
            personal("name").copied_to(TOLD),
            personal("password_hash"),
        ],
        other: "version roles language session_version",
    },
    Table {
        name: "one_time_tokens",
        stay: Until(Sweep::OneTimeTokens),
        personal: &[personal("token_hash")],
        other: "purpose",
    },
    plain("sessions", Until(Sweep::RefreshTokens), ""),
    Table {
        name: "refresh_tokens",
        stay: Until(Sweep::RefreshTokens),
        personal: &[personal("token_hash")],
        other: "",
    },
    Table {
        name: "devices",
        stay: Until(Sweep::Devices),
        personal: &[personal("token_hash").copied_to(&["sign_in_failures.counted_hash"])],
        other: "",
    },
    Table {
        name: "sign_in_failures",
        stay: Until(Sweep::SignInFailures),
        personal: &[personal("counted_hash")],
        other: "failures",
    },
    Table {
        name: "request_counts",
        stay: Until(Sweep::RequestCounts),
        personal: &[personal("caller_hash")],
        other: "policy day requests",
    },
    plain(
        "settings",
        Kept("a handful of names, each with one value"),
        "name value",
    ),
    Table {
        name: "jobs",
        // Those that are dead wait for staff, whenever they come.
        stay: Until(Sweep::DoneJobs),
        personal: &[personal("payload"), personal("last_error")],
        other: "kind key state attempts lease queue error_class seller_key",
    },
    Table {
        name: "mails",
        stay: Until(Sweep::Mails),
        personal: &[
            personal("to_address"),
            personal("to_key"),
            personal("sealed").until("it is sent, or is not worth sending any more"),
        ],
        other: "template language",
    },
    plain(
        "work_items",
        Until(Sweep::ClosedWorkItems),
        "kind subject_id details closed_by",
    ),
    Table {
        name: "idempotency_keys",
        stay: Until(Sweep::IdempotencyKeys),
        personal: &[personal("answer"), personal("sealed")],
        other: "scope request_hash",
    },
    Table {
        name: "event_inbox",
        stay: Kept("a row goes when it gets its number, within a second"),
        personal: &[personal("reason")
            .copied_to(&["event_reasons.reason"])
            .until("it gets its number")],
        other: "number stream resource type version data actor request_id",
    },
    plain(
        "events",
        Kept(HISTORY),
        "position stream stream_seq resource resource_seq type version data actor reason_hash request_id hash",
    ),
    plain("event_counters", Kept(HISTORY), "name last hash"),
    Table {
        name: "event_reasons",
        stay: Until(Sweep::EventReasons),
        personal: &[personal("reason")],
        other: "salt",
    },
    plain(
        "models",
        Kept(CATALOGUE),
        "name name_key category launched_date serial_pattern manufacturer_code changed_in",
    ),
    plain("model_gtins", Kept(CATALOGUE), "gtin"),
    plain("model_points", Kept(CATALOGUE), "valid_from points"),
    Table {
        name: "products",
        stay: Kept(WITH_ACCOUNT),
        personal: &[
            personal("serial_number").copied_to(TOLD),
            personal("serial_key"),
            personal("purchase_date").copied_to(ANSWERED),
            personal("purchase_country").copied_to(ANSWERED),
            personal("dealer").copied_to(ANSWERED),
            personal("legacy_reference").copied_to(ANSWERED),
        ],
        other: "version status estimated end_reason evidence",
    },
    Table {
        name: "legacy_accounts",
        stay: Kept(OLD_PROGRAMME),
        personal: &[
            personal("email").copied_to(&["mails.to_address"]),
            personal("email_key"),
            personal("member_number")
                .copied_to(&["member_numbers.number", "member_numbers.number_key"]),
        ],
        other: "",
    },
    Table {
        name: "legacy_products",
        stay: Kept(OLD_PROGRAMME),
        personal: &[
            personal("legacy_reference").copied_to(&["products.legacy_reference"]),
            personal("serial_number").copied_to(&["products.serial_number", "products.serial_key"]),
            personal("purchase_date").copied_to(&["products.purchase_date"]),
            personal("purchase_country").copied_to(&["products.purchase_country"]),
            personal("dealer").copied_to(&["products.dealer"]),
        ],
        other: "model result",
    },
    Table {
        name: "legacy_takeovers",
        stay: Kept("an old account is taken over once"),
        personal: &[personal("reason")],
        other: "",
    },
    Table {
        name: "legacy_proofs",
        // What is proven stays with the account.
        stay: Until(Sweep::UnprovenAddresses),
        personal: &[
            personal("email_key"),
            personal("sealed_code")
                .copied_to(&["mails.sealed"])
                .until("it is entered, or its time is over"),
        ],
        other: "tries mails",
    },
    plain("points_accounts", Kept(WITH_ACCOUNT), "balance held seq"),
    Table {
        name: "points_entries",
        stay: Kept(LEDGER),
        personal: &[personal("reason").copied_to(ANSWERED)],
        other: "seq kind amount balance held value_valid_from actor",
    },
    money::CARDS,
    money::MEMBERSHIPS,
    Table {
        name: "member_numbers",
        stay: Kept("a number that was given out is never given out again"),
        personal: &[personal("number"), personal("number_key")],
        other: "",
    },
    money::INVOICE_COUNTERS,
    money::INVOICES,
    money::SELLER_TERMS,
    money::PURCHASES,
    money::MANDATES,
    money::BILLING_PROFILES,
    money::CHARGES,
    money::BANK_STATEMENTS,
    money::BANK_TRANSACTIONS,
    money::PAYMENTS,
    money::ALLOCATIONS,
    money::REFUNDS,
    money::PROVIDER_EVENTS,
    money::REMINDERS,
    money::INVOICE_FILES,
    dealers::PARTNERS,
    dealers::CREDENTIALS,
    dealers::PARTNER_DAYS,
    dealers::TRUSTED_PARTNERS,
    dealers::REGISTRATIONS,
    dealers::REGISTRATION_BATCHES,
    dealers::REGISTRATION_LINES,
];
