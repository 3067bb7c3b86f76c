//! Taking over the products of an old CPS account.

use crate::types::{id, text_enum};

id!(
    /// The identity of an imported legacy account.
    LegacyAccountId, "leg_"
);

id!(
    /// The identity of a product of a legacy account.
    LegacyProductId, "lgp_"
);

text_enum! {
    /// Why nothing can be taken over (rules, section 6); also the code of the refusal.
    pub enum UnavailableReason {
        /// No legacy e-mail was given.
        NoLegacyEmail = "no_legacy_email",
        /// The legacy address is not proven yet.
        AwaitingProof = "awaiting_proof",
        /// Nothing waits at the proven address.
        NoLegacyAccount = "no_legacy_account",
        /// The legacy account was taken over already.
        AlreadyMigrated = "already_migrated",
    }
}

text_enum! {
    /// What became of one legacy product.
    pub enum MigrationResult {
        /// Tick and points.
        Complete = "complete",
        /// Something is missing.
        Incomplete = "incomplete",
        /// Somebody holds the serial.
        Conflict = "conflict",
        /// The catalogue has no such model.
        UnknownModel = "unknown_model",
    }
}
