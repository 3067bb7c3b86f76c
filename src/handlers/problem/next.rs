//! Which operation helps where a code comes up. What people do then is in the texts.

use crate::error::Code;

/// The `operationId` of what to call next; nothing where no one call helps.
pub fn next_operation(code: Code) -> Option<&'static str> {
    Some(match code {
        Code::TokenInvalid => "requestPasswordReset",
        Code::Unauthenticated | Code::InvalidCredentials => "createSession",
        Code::Forbidden => "readMe",
        Code::ScopeMissing
        | Code::InvalidClient
        | Code::UnsupportedGrantType
        | Code::InvalidScope => "createToken",
        Code::TooManyOpenApplications => "sendApplicantLink",
        Code::RequirementsDue | Code::DocumentKindNotAccepted => "readRequirements",
        Code::DocumentLimitReached => "removeDocument",
        Code::ReviewNotOpen => "readReview",
        Code::ClaimNeeded => "claimReview",
        Code::DocumentsUndecided => "decideDocument",
        Code::VatNumberInUse => "listAccounts",
        Code::AccountNotActive | Code::AccountStateConflict => "readAccount",
        Code::LastSuperuser => "inviteUser",
        Code::ProductEnded | Code::NoLegacyEmail | Code::NoLegacyAccount => "registerProduct",
        Code::AwaitingProof | Code::CodeInvalid => "sendMigrationCode",
        Code::AlreadyMigrated => "listProducts",
        Code::OfferClosed => "listOffers",
        Code::LevelNotOpen => "listLevels",
        Code::AlreadyMember => "readMembership",
        Code::BatchNotCancellable => "readRegistrationBatch",
        Code::JobNotDead => "listJobs",
        Code::CredentialLimitReached => "revokeCredential",
        Code::SecretRotationOpen => "endPreviousSecret",
        Code::EventsExpired => "listEvents",
        Code::WorkItemClosed | Code::WorkItemClosesItself => "listWorkItems",
        _ => return of_money(code),
    })
}

fn of_money(code: Code) -> Option<&'static str> {
    Some(match code {
        Code::PaymentDue => "listInvoices",
        Code::EinvoiceNotPossible => "readInvoicePdf",
        Code::RefundExceedsPayment | Code::PaymentInDispute => "listAccountPayments",
        Code::RefundNotToPay => "listRefunds",
        Code::CreditExceedsInvoice => "readInvoice",
        Code::StatementNotHeld => "readBankStatement",
        Code::TransactionNotOpen | Code::AmountExceedsTransaction | Code::PaymentRefunded => {
            "readBankTransaction"
        }
        Code::AmountExceedsInvoice | Code::CurrencyMismatch => "readBankTransaction",
        _ => return None,
    })
}
