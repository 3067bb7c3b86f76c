//! Which mails the programme sends.

use serde::Deserialize;

use crate::types::text_enum;

text_enum! {
    /// What a mail says; its words are in `texts/{da,en}/mails.toml`.
    pub enum Template {
        ApplicationStarted = "application_started",
        ApplicationSubmitted = "application_submitted",
        ApplicantLink = "applicant_link",
        ContactEmailChanged = "contact_email_changed",
        InformationRequested = "information_requested",
        ApplicationRejected = "application_rejected",
        FirstPassword = "first_password",
        PasswordReset = "password_reset",
        ResetBeforeApproval = "reset_before_approval",
        PasswordChanged = "password_changed",
        CompanyChanged = "company_changed",
        KnownAddressRegistered = "known_address_registered",
        UserWelcome = "user_welcome",
        UserAdded = "user_added",
        UserRoleChanged = "user_role_changed",
        MigrationProof = "migration_proof",
        ProgrammeInvitation = "programme_invitation",
        MembershipWelcome = "membership_welcome",
        InvoiceIssued = "invoice_issued",
        CreditNoteIssued = "credit_note_issued",
        PaymentReceived = "payment_received",
        PaymentReversed = "payment_reversed",
        RefundPaid = "refund_paid",
        InvoiceEmailConfirm = "invoice_email_confirm",
        InvoiceEmailChanged = "invoice_email_changed",
        Reminder = "reminder",
        MembershipSuspended = "membership_suspended",
        MembershipRestored = "membership_restored",
        MembershipEndedUnpaid = "membership_ended_unpaid",
        ProductOffered = "product_offered",
        ProductRegisteredByDealer = "product_registered_by_dealer",
        ProductReturned = "product_returned",
        StolenSerialSeen = "stolen_serial_seen",
        SerialChecked = "serial_checked",
        OfferExpiring = "offer_expiring",
    }
}

/// Section `[mails]` of the programme.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MailRules {
    /// Mails an hour to one address for one purpose, of those that anybody can ask for.
    pub asked_per_hour: u32,
    /// How long the link to an address for invoices is good.
    pub invoice_email_hours: u32,
}
