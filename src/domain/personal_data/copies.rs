//! Which columns what is personal is copied to, where several columns share them.

/// Where a name, an address or a number that goes into mails, answers and invoices is copied to.
pub const TOLD: &[&str] = &["mails.sealed", "idempotency_keys.sealed"];
/// Where what only its caller reads is copied to.
pub const ANSWERED: &[&str] = &["idempotency_keys.sealed"];
/// Where what stands on an invoice too is copied to.
pub const INVOICED: &[&str] = &[
    "mails.sealed",
    "idempotency_keys.sealed",
    "invoices.content",
];
/// Where an address that mails go to is copied to.
pub const MAILED: &[&str] = &[
    "users.email",
    "mails.to_address",
    "jobs.payload",
    "idempotency_keys.sealed",
];
/// Where the key of such an address is copied to.
pub const SEARCHED: &[&str] = &[
    "users.email_key",
    "mails.to_key",
    "sign_in_failures.counted_hash",
];
