//! The HTTP status of every code. What a code says is in `texts/{da,en}/problems.toml`.

use actix_web::http::StatusCode;

use crate::error::Code;

/// Declares the status of each code; one without is not compiled.
macro_rules! statuses {
    ($($status:ident: $($code:ident)+;)+) => {
        /// The status of `code`.
        pub const fn status(code: Code) -> StatusCode {
            match code { $($(Code::$code)|+ => StatusCode::$status,)+ }
        }
    };
}

statuses! {
    BAD_REQUEST: MalformedRequest DuplicateKey IfMatchMalformed IdempotencyKeyRequired TokenInvalid UnsupportedGrantType
        InvalidScope;
    UNAUTHORIZED: Unauthenticated InvalidCredentials SessionEnded InvalidClient;
    FORBIDDEN: Forbidden ScopeMissing NetworkNotAllowed OwnAccount OwnProposal;
    NOT_FOUND: NotFound NoMembership;
    METHOD_NOT_ALLOWED: MethodNotAllowed;
    REQUEST_TIMEOUT: BodyTooSlow;
    CONFLICT: ApplicationNotEditable TooManyOpenApplications RequirementsDue DocumentLimitReached ReviewNotOpen ClaimNeeded
        ClaimedByAnother DocumentsUndecided EmailInUse VatNumberInUse AccountNotActive AccountStateConflict LastSuperuser
        SerialAlreadyRegistered ProductEnded ExternalIdReused SerialAlreadyReported OfferDeclined RegistrationNotOpen
        ChangeTooLate CorrectionNeedsTrust ProductChangedByCustomer ProductDisputed OfferClosed NoLegacyEmail AwaitingProof
        NoLegacyAccount AlreadyMigrated LegacyAccountTaken CorporateNotAvailable LevelNotOpen AlreadyMember PaymentDue EinvoiceNotPossible
        RefundExceedsPayment PaymentInDispute PayingAccountUnknown RefundNotToPay CreditExceedsInvoice
        BatchNotCancellable JobNotDead CredentialLimitReached SecretRotationOpen WorkItemClosed WorkItemClosesItself
        StatementNotHeld TransactionNotOpen AmountExceedsTransaction AmountExceedsInvoice CurrencyMismatch PaymentRefunded
        IdempotencyInProgress;
    GONE: EventsExpired;
    PRECONDITION_FAILED: PreconditionFailed;
    PAYLOAD_TOO_LARGE: BodyTooLarge DocumentTooLarge;
    UNSUPPORTED_MEDIA_TYPE: UnsupportedMediaType;
    UNPROCESSABLE_ENTITY: PointsOutOfRange InvalidRequest IdempotencyKeyReused DocumentKindNotAccepted CodeInvalid
        CardExpiresTooEarly StatementNotAccepted;
    PRECONDITION_REQUIRED: PreconditionRequired;
    TOO_MANY_REQUESTS: QuotaExceeded RateLimited TooManyAttempts;
    INTERNAL_SERVER_ERROR: InternalError;
    SERVICE_UNAVAILABLE: Overloaded DatabaseUnavailable StorageFull Draining;
}
