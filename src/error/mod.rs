//! What can go wrong, in the service's own words; statuses and texts are in `handlers/problem`.

mod faults;
mod refusal;

pub use faults::{Faults, Partial};
pub use refusal::{Fault, Refusal};

/// The result of everything that can be refused or fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Declares a closed list of codes, each with its snake_case word.
macro_rules! codes {
    ($(#[$meta:meta])* $name:ident { $($variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[allow(missing_docs)]
        pub enum $name { $($variant),+ }

        impl $name {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word that callers see.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }

            /// The code of a word.
            pub fn from_word(word: &str) -> Option<Self> {
                match word { $($text => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}

codes! {
    /// Why a request is refused: the `code` of a problem, explained at `/problems/{code}`.
    Code {
        MalformedRequest = "malformed_request",
        DuplicateKey = "duplicate_key",
        IfMatchMalformed = "if_match_malformed",
        IdempotencyKeyRequired = "idempotency_key_required",
        TokenInvalid = "token_invalid",
        Unauthenticated = "unauthenticated",
        InvalidCredentials = "invalid_credentials",
        SessionEnded = "session_ended",
        Forbidden = "forbidden",
        ScopeMissing = "scope_missing",
        NetworkNotAllowed = "network_not_allowed",
        InvalidClient = "invalid_client",
        UnsupportedGrantType = "unsupported_grant_type",
        InvalidScope = "invalid_scope",
        OwnAccount = "own_account",
        OwnProposal = "own_proposal",
        NotFound = "not_found",
        NoMembership = "no_membership",
        MethodNotAllowed = "method_not_allowed",
        BodyTooSlow = "body_too_slow",
        ApplicationNotEditable = "application_not_editable",
        TooManyOpenApplications = "too_many_open_applications",
        RequirementsDue = "requirements_due",
        DocumentLimitReached = "document_limit_reached",
        ReviewNotOpen = "review_not_open",
        ClaimNeeded = "claim_needed",
        ClaimedByAnother = "claimed_by_another",
        DocumentsUndecided = "documents_undecided",
        EmailInUse = "email_in_use",
        VatNumberInUse = "vat_number_in_use",
        AccountNotActive = "account_not_active",
        AccountStateConflict = "account_state_conflict",
        LastSuperuser = "last_superuser",
        SerialAlreadyRegistered = "serial_already_registered",
        ProductEnded = "product_ended",
        ExternalIdReused = "external_id_reused",
        SerialAlreadyReported = "serial_already_reported",
        OfferDeclined = "offer_declined",
        RegistrationNotOpen = "registration_not_open",
        ChangeTooLate = "change_too_late",
        CorrectionNeedsTrust = "correction_needs_trust",
        ProductChangedByCustomer = "product_changed_by_customer",
        ProductDisputed = "product_disputed",
        OfferClosed = "offer_closed",
        NoLegacyEmail = "no_legacy_email",
        AwaitingProof = "awaiting_proof",
        NoLegacyAccount = "no_legacy_account",
        AlreadyMigrated = "already_migrated",
        LegacyAccountTaken = "legacy_account_taken",
        CorporateNotAvailable = "corporate_not_available",
        LevelNotOpen = "level_not_open",
        AlreadyMember = "already_member",
        PaymentDue = "payment_due",
        EinvoiceNotPossible = "einvoice_not_possible",
        BatchNotCancellable = "batch_not_cancellable",
        JobNotDead = "job_not_dead",
        RefundExceedsPayment = "refund_exceeds_payment",
        PaymentInDispute = "payment_in_dispute",
        PayingAccountUnknown = "paying_account_unknown",
        RefundNotToPay = "refund_not_to_pay",
        CreditExceedsInvoice = "credit_exceeds_invoice",
        CredentialLimitReached = "credential_limit_reached",
        SecretRotationOpen = "secret_rotation_open",
        WorkItemClosed = "work_item_closed",
        WorkItemClosesItself = "work_item_closes_itself",
        PointsOutOfRange = "points_out_of_range",
        StatementNotHeld = "statement_not_held",
        TransactionNotOpen = "transaction_not_open",
        AmountExceedsTransaction = "amount_exceeds_transaction",
        AmountExceedsInvoice = "amount_exceeds_invoice",
        CurrencyMismatch = "currency_mismatch",
        PaymentRefunded = "payment_refunded",
        IdempotencyInProgress = "idempotency_in_progress",
        EventsExpired = "events_expired",
        PreconditionFailed = "precondition_failed",
        BodyTooLarge = "body_too_large",
        DocumentTooLarge = "document_too_large",
        UnsupportedMediaType = "unsupported_media_type",
        InvalidRequest = "invalid_request",
        IdempotencyKeyReused = "idempotency_key_reused",
        DocumentKindNotAccepted = "document_kind_not_accepted",
        StatementNotAccepted = "statement_not_accepted",
        CodeInvalid = "code_invalid",
        CardExpiresTooEarly = "card_expires_too_early",
        PreconditionRequired = "precondition_required",
        QuotaExceeded = "quota_exceeded",
        RateLimited = "rate_limited",
        TooManyAttempts = "too_many_attempts",
        InternalError = "internal_error",
        Overloaded = "overloaded",
        DatabaseUnavailable = "database_unavailable",
        StorageFull = "storage_full",
        Draining = "draining",
    }
}

codes! {
    /// What is wrong with one field: the `code` inside `errors[]` of an `invalid_request`.
    FaultCode {
        Required = "required",
        Type = "type",
        Unknown = "unknown",
        Invalid = "invalid",
        Format = "format",
        Pattern = "pattern",
        TooShort = "too_short",
        TooLong = "too_long",
        TooSmall = "too_small",
        TooLarge = "too_large",
        TooFew = "too_few",
        TooMany = "too_many",
        NotUnique = "not_unique",
        NotAccepted = "not_accepted",
        AuthorityNotDeclared = "authority_not_declared",
        TermsVersionNotCurrent = "terms_version_not_current",
        RegionNotSupported = "region_not_supported",
        VatNumberRequired = "vat_number_required",
        VatNumberInvalid = "vat_number_invalid",
        DocumentTypeNotAccepted = "document_type_not_accepted",
        DocumentKindNotAccepted = "document_kind_not_accepted",
        DocumentTooOld = "document_too_old",
        DocumentUnknown = "document_unknown",
        DocumentNotAccepted = "document_not_accepted",
        DateInFuture = "date_in_future",
        BeforeLaunch = "before_launch",
        SerialFormat = "serial_format",
        SerialIsBarcode = "serial_is_barcode",
        ModelUnknown = "model_unknown",
        GtinInvalid = "gtin_invalid",
        AccountNumberInvalid = "account_number_invalid",
        CustomerNotMatched = "customer_not_matched",
        Changed = "changed",
        EstimatedWithoutValue = "estimated_without_value",
        CodesRequired = "codes_required",
        NoteRequired = "note_required",
        PasswordCommon = "password_common",
        PasswordContainsCompany = "password_contains_company",
        PasswordContainsEmail = "password_contains_email",
        PasswordContainsName = "password_contains_name",
        PasswordRepeats = "password_repeats",
        PasswordSequence = "password_sequence",
        PasswordWeak = "password_weak",
        PasswordWrong = "password_wrong",
        CardTokenRequired = "card_token_required",
        CardTokenInvalid = "card_token_invalid",
        CardTokenUnexpected = "card_token_unexpected",
        CardExpiresTooEarly = "card_expires_too_early",
        MemberNumberInvalid = "member_number_invalid",
        CursorInvalid = "cursor_invalid",
        CodeInvalid = "code_invalid",
        Backwards = "backwards",
        TooFarAhead = "too_far_ahead",
        Duplicate = "duplicate",
        NumberUnknown = "number_unknown",
        ScopeUnknown = "scope_unknown",
        NetworkInvalid = "network_invalid",
        LineBreak = "line_break",
        NotUtf8 = "not_utf8",
        ReferenceUnknown = "reference_unknown",
        EventTypeUnknown = "event_type_unknown",
        CompanyNumberInvalid = "company_number_invalid",
        ElectronicAddressInvalid = "electronic_address_invalid",
        More = "more",
    }
}

/// All that can go wrong while a request or a job is served.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A rule says no; the caller can do something about it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The database failed.
    #[error("the database failed: {0}")]
    Database(#[source] diesel::result::Error),
    /// Another transaction was in the way: a lock that did not come free, a deadlock, a row that changed since it was read. The write is
    /// repeated a few times before anybody is told.
    #[error("another transaction held what this one needed")]
    Contended,
    /// Somebody else has the job by now whose work this was. Nothing of it is done, and to repeat it is in vain.
    #[error("the lease of the job is no longer held")]
    LeaseLost,
    /// No connection came free in time.
    #[error("every database connection is busy")]
    Busy,
    /// The connection broke, or none could be opened: the database is away. A write may have happened or not.
    #[error("the database cannot be reached: {0}")]
    Broken(String),
    /// There is no room left where the database or the documents are kept: what only reads goes on.
    #[error("there is no room left: {0}")]
    StorageFull(String),
    /// Something failed that no caller can mend; the cause is logged and never sent.
    #[error("{context}: {cause}")]
    Internal {
        /// What was being done.
        context: &'static str,
        /// Why it failed.
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl Error {
    /// A failure while doing `context`; made for `map_err`.
    pub fn internal<E: Into<Box<dyn std::error::Error + Send + Sync>>>(
        context: &'static str,
    ) -> impl Fn(E) -> Self {
        move |cause| Self::Internal {
            context,
            cause: cause.into(),
        }
    }

    /// Whether a row was found and what stands in it is not of its type.
    pub fn is_unreadable(&self) -> bool {
        matches!(
            self,
            Self::Database(diesel::result::Error::DeserializationError(_))
        )
    }

    /// An `invalid_request` with the given faults.
    pub fn invalid(faults: Vec<Fault>) -> Self {
        Self::Refused(Refusal::from(Code::InvalidRequest).faults(faults))
    }
}

impl From<Code> for Error {
    fn from(code: Code) -> Self {
        Self::Refused(code.into())
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        Self::Refused(fault.into())
    }
}

impl From<serde_json::Error> for Error {
    fn from(cause: serde_json::Error) -> Self {
        Error::internal("JSON of our own")(cause)
    }
}
