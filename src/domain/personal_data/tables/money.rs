//! The tables of money: what was bought, what was asked for, what came and where it went.

use super::{BOOKS, Kept, Table, WITH_ACCOUNT, personal, plain};
use crate::domain::personal_data::copies::{ANSWERED, INVOICED, TOLD};

const AGREED: &str = "a charge is proven by the consent that it was made of";

pub const CARDS: Table = Table {
    name: "cards",
    stay: Kept(WITH_ACCOUNT),
    personal: &[
        personal("provider_token"),
        personal("fingerprint"),
        personal("brand").copied_to(TOLD),
        personal("last4").copied_to(TOLD),
        personal("expires_year").copied_to(TOLD),
        personal("expires_month").copied_to(TOLD),
    ],
    other: "provider state",
};

pub const MEMBERSHIPS: Table = Table {
    name: "memberships",
    stay: Kept(BOOKS),
    personal: &[personal("member_number").copied_to(INVOICED)],
    other: "version level status starts_date ends_date payment_method fee_cents currency points_at_joining terms_version seller_key standing ended_reason",
};

pub const INVOICE_COUNTERS: Table = plain("invoice_counters", Kept(BOOKS), "seller year last");

pub const INVOICES: Table = Table {
    name: "invoices",
    stay: Kept(BOOKS),
    personal: &[personal("reason").copied_to(ANSWERED), personal("content")],
    other: "version kind issue_no number seller_key year seq status issued_date due_date collect_from paused_until currency net_cents vat_cents gross_cents open_cents payment_method payment_reference content_version",
};

pub const SELLER_TERMS: Table = plain("seller_terms", Kept(BOOKS), "seller_key sha256 content");

pub const PURCHASES: Table = plain(
    "purchases",
    Kept(BOOKS),
    "version kind state level level_name from_level fee_cents from_fee_cents net_cents currency starts_date ends_date term_days days_left products points payment_method terms_version actor",
);

pub const MANDATES: Table = Table {
    name: "mandates",
    stay: Kept(AGREED),
    personal: &[
        personal("provider_setup_id"),
        personal("agreed_by"),
        personal("agreed_from"),
    ],
    other: "version provider state text_version text_language text_sha256 ended_reason",
};

pub const BILLING_PROFILES: Table = Table {
    name: "billing_profiles",
    stay: Kept(WITH_ACCOUNT),
    personal: &[
        personal("provider_customer_id"),
        personal("company_number").copied_to(INVOICED),
        personal("your_reference").copied_to(INVOICED),
        personal("electronic_address").copied_to(INVOICED),
        personal("invoice_email").copied_to(&[
            "mails.to_address",
            "mails.to_key",
            "idempotency_keys.sealed",
        ]),
        personal("invoice_email_waiting")
            .copied_to(&[
                "billing_profiles.invoice_email",
                "mails.to_address",
                "mails.to_key",
            ])
            .until("its link is used, or another address is asked for"),
        personal("invoice_email_token_hash").until("the link is used, or another is mailed"),
    ],
    other: "version payment_method",
};

pub const CHARGES: Table = Table {
    name: "charges",
    stay: Kept(BOOKS),
    personal: &[personal("provider_id")],
    other: "version attempt initiator amount_cents currency due_date charge_date provider idempotency_key state decline_code decline_class asked",
};

pub const BANK_STATEMENTS: Table = Table {
    name: "bank_statements",
    stay: Kept(BOOKS),
    personal: &[personal("account")],
    other: "version file_sha256 format message_id statement_ref sequence page currency from_date to_date opening closing state why booked_sum reversed_sum lines_new lines_seen lines_pending imported_by",
};

pub const BANK_TRANSACTIONS: Table = Table {
    name: "bank_transactions",
    stay: Kept(BOOKS),
    personal: &[
        personal("bank_reference"),
        personal("end_to_end_id"),
        personal("reference").copied_to(ANSWERED),
        personal("texts").copied_to(ANSWERED),
        personal("payer_name").copied_to(&["refunds.payee_name", "idempotency_keys.sealed"]),
        personal("payer_account").copied_to(&["refunds.payee_account", "idempotency_keys.sealed"]),
        personal("evidence").copied_to(ANSWERED),
        personal("reason").copied_to(ANSWERED),
    ],
    other: "version position account state amount_cents amount_text currency booking_date value_date fingerprint ordinal",
};

pub const PAYMENTS: Table = plain(
    "payments",
    Kept(BOOKS),
    "amount_cents open_cents currency received_date actor",
);

pub const ALLOCATIONS: Table = Table {
    name: "allocations",
    stay: Kept(BOOKS),
    personal: &[personal("reason").copied_to(ANSWERED)],
    other: "amount_cents actor",
};

pub const REFUNDS: Table = Table {
    name: "refunds",
    stay: Kept(BOOKS),
    personal: &[
        personal("reason").copied_to(ANSWERED),
        personal("provider_id"),
        personal("payee_name").copied_to(ANSWERED),
        personal("payee_account").copied_to(TOLD),
    ],
    other: "version kind amount_cents currency state idempotency_key paid_date actor",
};

pub const PROVIDER_EVENTS: Table = Table {
    name: "provider_events",
    stay: Kept(BOOKS),
    personal: &[
        personal("object_id"),
        personal("body").until("90 days after it came"),
    ],
    other: "provider event_id type",
};

pub const REMINDERS: Table = plain("reminders", Kept(BOOKS), "round step outcome");

pub const INVOICE_FILES: Table = Table {
    name: "invoice_files",
    stay: Kept(BOOKS),
    personal: &[personal("sha256"), personal("file_key")],
    other: "kind renderer bytes",
};
