//! What can happen, as one list: the word of each event, its stream, its resource and its payload. How events are stored and numbered is in `repository`.

mod fields;
mod list;
mod payload;
mod stream;
mod users;

use serde::Serialize;
use utoipa::ToSchema;

use fields::*;
use list::events;

pub use payload::{EventId, MOST_DATA, VERSION};
pub use stream::Stream;

events! {
    in Stream::Account(*account_id), about account_id => {
        /// An application was begun.
        AccountRegistered = "account.registered" { account_id: AccountId, status: AccountStatus }
        /// Details of the company or of the contact changed.
        AccountChanged = "account.changed" { account_id: AccountId, company: bool, contact: bool }
        /// Staff changed the company's name or VAT number, as a document proves.
        AccountCompanyChanged = "account.company_changed" { account_id: AccountId, document_id: DocumentId, company_name: bool, vat_number: bool }
        /// Staff ask for another address of the contact, which waits for a second one of them.
        AccountContactEmailProposed = "account.contact_email_proposed" { account_id: AccountId }
        /// The address that staff asked for is the contact's.
        AccountContactEmailAccepted = "account.contact_email_accepted" { account_id: AccountId }
        /// The address that staff asked for is not taken.
        AccountContactEmailRefused = "account.contact_email_refused" { account_id: AccountId }
        /// Staff had a new link for the first password sent.
        AccountLinkSent = "account.link_sent" { account_id: AccountId, user_id: UserId }
        /// The application was handed to the reviewers.
        AccountSubmitted = "account.submitted" { account_id: AccountId, status: AccountStatus }
        /// A reviewer took the application up.
        AccountInReview = "account.in_review" { account_id: AccountId, status: AccountStatus }
        /// The applicant was asked for more.
        AccountInformationRequested = "account.information_requested" { account_id: AccountId, status: AccountStatus }
        /// The application was accepted.
        AccountApproved = "account.approved" { account_id: AccountId, status: AccountStatus }
        /// The application was refused.
        AccountRejected = "account.rejected" { account_id: AccountId, status: AccountStatus }
        /// The applicant took the application back.
        AccountWithdrawn = "account.withdrawn" { account_id: AccountId, status: AccountStatus }
        /// A draft that nobody touched ended.
        AccountExpired = "account.expired" { account_id: AccountId, status: AccountStatus }
        /// The first password was set: the account is in use.
        AccountActive = "account.active" { account_id: AccountId, status: AccountStatus }
        /// Staff locked the account.
        AccountSuspended = "account.suspended" { account_id: AccountId, status: AccountStatus }
        /// Staff opened the account again.
        AccountReopened = "account.reopened" { account_id: AccountId, status: AccountStatus }
        /// Its points open the programme to the account.
        AccountInvited = "account.invited" { account_id: AccountId, counting: i64 }
        /// Staff attached an old account.
        AccountLegacyAttached = "account.legacy_attached" { account_id: AccountId, legacy_account_id: LegacyAccountId }
        /// A code proved that the address of an old account is the customer's.
        AccountLegacyProven = "account.legacy_proven" { account_id: AccountId }
        /// Another version of the terms was accepted.
        AccountTermsAccepted = "account.terms_accepted" { account_id: AccountId, terms_version: String }
        /// What a dealer reports is the customer's at once from then on.
        AccountPartnerTrusted = "account.partner_trusted" { account_id: AccountId, partner_id: PartnerId }
        /// What a dealer reports is offered from then on.
        AccountPartnerTrustEnded = "account.partner_trust_ended" { account_id: AccountId, partner_id: PartnerId }
        /// What the account wants to read on its invoices, or where they go, changed.
        AccountBillingProfileChanged = "account.billing_profile_changed" { account_id: AccountId }
        /// The link was used that had been mailed to an address for invoices: mails about money go there.
        AccountInvoiceEmailConfirmed = "account.invoice_email_confirmed" { account_id: AccountId }
        /// The products of an old account were taken over.
        AccountMigrated = "account.migrated" { account_id: AccountId, legacy_account_id: LegacyAccountId }
        /// The points changed by the entries `from_seq` to `to_seq`; told once a transaction.
        PointsChanged = "points.changed" { account_id: AccountId, balance: i64, held: i64, counting: i64, from_seq: i64, to_seq: i64 }
        /// Staff gave or took points by hand.
        PointsAdjusted = "points.adjusted" { account_id: AccountId, entry_id: EntryId, amount: i64, balance: i64 }
    }
    in Stream::Account(*account_id), about document_id => {
        /// A document was handed in.
        DocumentAdded = "document.added" { account_id: AccountId, document_id: DocumentId, kind: DocumentKind }
        /// A reviewer decided on a document.
        DocumentDecided = "document.decided" { account_id: AccountId, document_id: DocumentId, status: DocumentStatus, codes: Vec<String> }
        /// A document was taken back.
        DocumentRemoved = "document.removed" { account_id: AccountId, document_id: DocumentId }
        /// The file of a document is gone from the store.
        DocumentFileDeleted = "document.file_deleted" { account_id: AccountId, document_id: DocumentId }
    }
    in Stream::Account(*account_id), about user_id => {
        /// A user was invited.
        UserInvited = "user.invited" { account_id: AccountId, user_id: UserId, roles: Vec<Role> }
        /// A user set the first password.
        UserActivated = "user.activated" { account_id: AccountId, user_id: UserId }
        /// A user was removed.
        UserRemoved = "user.removed" { account_id: AccountId, user_id: UserId }
        /// A user has another password.
        UserPasswordChanged = "user.password_changed" { account_id: AccountId, user_id: UserId }
        /// Every session of a user was ended, but for the one that asked for it.
        UserSessionsEnded = "user.sessions_ended" { account_id: AccountId, user_id: UserId }
        /// A user ended one of their sessions.
        UserSessionEnded = "user.session_ended" { account_id: AccountId, user_id: UserId, session_id: SessionId }
        /// A user's name, or the language of their mails, changed.
        UserChanged = "user.changed" { account_id: AccountId, user_id: UserId, renamed: bool, language: bool }
        /// A user has another role.
        UserRoleChanged = "user.role_changed" { account_id: AccountId, user_id: UserId, roles: Vec<Role> }
    }
    in Stream::Account(*account_id), about product_id => {
        /// A product was registered.
        ProductRegistered = "product.registered" { account_id: AccountId, product_id: ProductId, model_id: ModelId, status: ProductStatus }
        /// What is said of a product changed.
        ProductChanged = "product.changed" { account_id: AccountId, product_id: ProductId, status: ProductStatus }
        /// A registration ended.
        ProductEnded = "product.ended" { account_id: AccountId, product_id: ProductId, reason: EndReason }
        /// The serial number went to a holder with the better right.
        ProductSerialNumberLost = "product.serial_number_lost" { account_id: AccountId, product_id: ProductId, status: ProductStatus }
        /// What a dealer offered is a registration, or has confirmed the one that the account had.
        ProductOfferAccepted = "product.offer_accepted" { account_id: AccountId, product_id: ProductId, registered_as: ProductId, status: ProductStatus }
        /// What a dealer offered is not wanted, or not the customer's.
        ProductOfferDeclined = "product.offer_declined" { account_id: AccountId, product_id: ProductId, reason: RefusalReason }
        /// Nobody answered what a dealer offered.
        ProductOfferExpired = "product.offer_expired" { account_id: AccountId, product_id: ProductId }
        /// Somebody else says to have the product's serial number.
        ProductDisputed = "product.disputed" { account_id: AccountId, product_id: ProductId, status: ProductStatus }
        /// A dealer says that the account has the product; it counts nothing before the account accepts it.
        ProductOffered = "product.offered" { account_id: AccountId, product_id: ProductId, model_id: ModelId, partner_id: PartnerId }
        /// A dealer took its offer back.
        ProductOfferWithdrawn = "product.offer_withdrawn" { account_id: AccountId, product_id: ProductId, partner_id: PartnerId }
        /// A dealer confirmed what the account says of the product, and filled what was missing or a guess.
        ProductConfirmed = "product.confirmed" { account_id: AccountId, product_id: ProductId, partner_id: PartnerId, status: ProductStatus }
        /// A dealer took the product back.
        ProductReturned = "product.returned" { account_id: AccountId, product_id: ProductId, partner_id: PartnerId }
        /// Staff decided on the serial number.
        ProductChecked = "product.checked" { account_id: AccountId, product_id: ProductId, decision: CheckDecision }
    }
    in Stream::Account(*account_id), about membership_id => {
        /// A membership began.
        MembershipStarted = "membership.started" { account_id: AccountId, membership_id: MembershipId, level: String, member_number: String, starts_date: NaiveDate, ends_date: NaiveDate }
        /// An invoice of a membership is overdue; the benefits stay.
        MembershipPastDue = "membership.past_due" { account_id: AccountId, membership_id: MembershipId, invoice_id: InvoiceId }
        /// An invoice of a membership is overdue for so long that the benefits stop.
        MembershipSuspended = "membership.suspended" { account_id: AccountId, membership_id: MembershipId, invoice_id: InvoiceId }
        /// Nothing of a membership is overdue any more.
        MembershipRestored = "membership.restored" { account_id: AccountId, membership_id: MembershipId }
        /// A membership's last day is over, or what it cost was not paid.
        MembershipEnded = "membership.ended" { account_id: AccountId, membership_id: MembershipId, ends_date: NaiveDate, reason: EndedReason }
    }
    in Stream::Account(*account_id), about invoice_id => {
        /// An invoice was issued.
        InvoiceIssued = "invoice.issued" { account_id: AccountId, invoice_id: InvoiceId, membership_id: MembershipId, number: String, gross: Money, due_date: NaiveDate }
        /// Nothing of an invoice is open any more.
        InvoicePaid = "invoice.paid" { account_id: AccountId, invoice_id: InvoiceId, number: String }
        /// Nothing of an invoice is open any more: credit notes alone settled it.
        InvoiceCredited = "invoice.credited" { account_id: AccountId, invoice_id: InvoiceId, number: String }
        /// An invoice that was settled is open again: what had settled it went back.
        InvoiceReopened = "invoice.reopened" { account_id: AccountId, invoice_id: InvoiceId, number: String, open: Money }
    }
    in Stream::Account(*account_id), about payment_id => {
        /// Money came for the account.
        PaymentReceived = "payment.received" { account_id: AccountId, payment_id: PaymentId, amount: Money, received_date: NaiveDate }
    }
    in Stream::Account(*account_id), about invoice_id => {
        /// A credit note was issued; it corrects an invoice in part or whole.
        CreditNoteIssued = "credit_note.issued" { account_id: AccountId, invoice_id: InvoiceId, corrects: InvoiceId, number: String, gross: Money }
        /// Finance says until when nothing is collected of an invoice.
        InvoiceCollectionPaused = "invoice.collection_paused" { account_id: AccountId, invoice_id: InvoiceId, number: String, paused_until: NaiveDate }
        /// An invoice is collected again.
        InvoiceCollectionResumed = "invoice.collection_resumed" { account_id: AccountId, invoice_id: InvoiceId, number: String }
    }
    in Stream::Account(*account_id), about payment_id => {
        /// Money of a payment goes back, went back, or did not after all.
        PaymentRefunded = "payment.refunded" { account_id: AccountId, payment_id: PaymentId, refund_id: RefundId, state: RefundState, amount: Money }
    }
    in Stream::Partner(*partner_id), about partner_id => {
        /// A dealer was taken in.
        PartnerCreated = "partner.created" { partner_id: PartnerId, status: PartnerStatus }
        /// What is known of a dealer changed.
        PartnerChanged = "partner.changed" { partner_id: PartnerId }
        /// Staff suspended a dealer: none of its systems signs in.
        PartnerSuspended = "partner.suspended" { partner_id: PartnerId, status: PartnerStatus }
        /// A suspended dealer goes on.
        PartnerReopened = "partner.reopened" { partner_id: PartnerId, status: PartnerStatus }
    }
    in Stream::Partner(*partner_id), about credential_id => {
        /// A system of a dealer can sign in.
        CredentialCreated = "credential.created" { partner_id: PartnerId, credential_id: CredentialId, scopes: Vec<Scope> }
        /// What a system may do, or from where, changed.
        CredentialChanged = "credential.changed" { partner_id: PartnerId, credential_id: CredentialId, scopes: Vec<Scope> }
        /// A system has a second secret, until the first runs out.
        CredentialSecretRotated = "credential.secret_rotated" { partner_id: PartnerId, credential_id: CredentialId, previous_until: Instant }
        /// The secret before the newest opens nothing any more.
        CredentialPreviousSecretEnded = "credential.previous_secret_ended" { partner_id: PartnerId, credential_id: CredentialId }
        /// A system signs in no more.
        CredentialRevoked = "credential.revoked" { partner_id: PartnerId, credential_id: CredentialId }
    }
    in Stream::Partner(*partner_id), about registration_id => {
        /// The customer has what the dealer reported.
        RegistrationRegistered = "registration.registered" { partner_id: PartnerId, registration_id: RegistrationId, external_id: String, status: RegistrationStatus, product_id: ProductId }
        /// The customer is asked about what the dealer reported.
        RegistrationOffered = "registration.offered" { partner_id: PartnerId, registration_id: RegistrationId, external_id: String, status: RegistrationStatus, product_id: ProductId }
        /// What the dealer reported is held until the operator's staff have looked at it.
        RegistrationHeld = "registration.held" { partner_id: PartnerId, registration_id: RegistrationId, external_id: String, status: RegistrationStatus, product_id: ProductId }
        /// The dealer reported something else about a sale.
        RegistrationCorrected = "registration.corrected" { partner_id: PartnerId, registration_id: RegistrationId, external_id: String, status: RegistrationStatus, product_id: ProductId }
        /// The dealer took a sale back.
        RegistrationReturned = "registration.returned" { partner_id: PartnerId, registration_id: RegistrationId, external_id: String, status: RegistrationStatus, product_id: ProductId }
        /// The customer accepted an offer.
        RegistrationAccepted = "registration.accepted" { partner_id: PartnerId, registration_id: RegistrationId, external_id: String, status: RegistrationStatus, product_id: ProductId }
        /// The customer declined an offer.
        RegistrationDeclined = "registration.declined" { partner_id: PartnerId, registration_id: RegistrationId, external_id: String, status: RegistrationStatus, reason: RefusalReason }
        /// An offer ran out.
        RegistrationExpired = "registration.expired" { partner_id: PartnerId, registration_id: RegistrationId, external_id: String, status: RegistrationStatus }
    }
    in Stream::Partner(*partner_id), about batch_id => {
        /// A batch came whole and waits for its turn.
        BatchQueued = "batch.queued" { partner_id: PartnerId, batch_id: BatchId, lines: i64, dry_run: bool }
        /// Every line of a batch has its result.
        BatchCompleted = "batch.completed" { partner_id: PartnerId, batch_id: BatchId, counts: BTreeMap<BatchLineStatus, i64> }
        /// A batch was stopped: the lines that were left are cancelled.
        BatchCancelled = "batch.cancelled" { partner_id: PartnerId, batch_id: BatchId, counts: BTreeMap<BatchLineStatus, i64> }
        /// A batch cannot go on by itself; the operator's staff look at it.
        BatchFailed = "batch.failed" { partner_id: PartnerId, batch_id: BatchId, counts: BTreeMap<BatchLineStatus, i64> }
    }
    in Stream::Operator, about partner_id => {
        /// A partner stands out, so that staff look at it.
        PartnerAlert = "partner.alert" { partner_id: PartnerId, cause: AlertCause, count: i64 }
    }
    in Stream::Operator, about format_args!("reviews/{account_id}") => {
        /// A reviewer took a case up.
        ReviewClaimed = "review.claimed" { account_id: AccountId, claimed_until: Instant }
        /// A case was not decided in the promised time.
        ReviewOverdue = "review.overdue" { account_id: AccountId, due_at: Instant }
        /// A reviewer decided a case.
        ReviewDecided = "review.decided" { account_id: AccountId, decision: CaseDecision, codes: Vec<RejectionCode> }
    }
    in Stream::Operator, about user_id => {
        /// A member of staff was added.
        StaffCreated = "staff.created" { user_id: UserId, roles: Vec<Role> }
        /// A member of staff set the first password.
        StaffActivated = "staff.activated" { user_id: UserId }
        /// A member of staff has another password.
        StaffPasswordChanged = "staff.password_changed" { user_id: UserId }
        /// Every session of a member of staff was ended, but for the one that asked for it.
        StaffSessionsEnded = "staff.sessions_ended" { user_id: UserId }
        /// A member of staff ended one of their sessions.
        StaffSessionEnded = "staff.session_ended" { user_id: UserId, session_id: SessionId }
        /// The name of a member of staff, or the language of their mails, changed.
        StaffChanged = "staff.changed" { user_id: UserId, renamed: bool, language: bool }
    }
    in Stream::Operator, about bank_statement_id => {
        /// A bank statement was taken in.
        BankStatementImported = "bank_statement.imported" { bank_statement_id: BankStatementId, state: StatementState, lines_new: i64, lines_seen: i64 }
        /// The lines of a statement are booked although its balances do not prove them.
        BankStatementReleased = "bank_statement.released" { bank_statement_id: BankStatementId, state: StatementState }
    }
    in Stream::Operator, about bank_transaction_id => {
        /// Payments were made of a line, or it is the money of a refund.
        BankTransactionMatched = "bank_transaction.matched" { bank_transaction_id: BankTransactionId, amount: Money, payments: Vec<PaymentId> }
        /// The payments of a line were taken back: it waits again.
        BankTransactionUnmatched = "bank_transaction.unmatched" { bank_transaction_id: BankTransactionId, payments: Vec<PaymentId> }
        /// A line was put aside.
        BankTransactionDismissed = "bank_transaction.dismissed" { bank_transaction_id: BankTransactionId, state: TransactionState }
        /// A line that was put aside waits again.
        BankTransactionBroughtBack = "bank_transaction.brought_back" { bank_transaction_id: BankTransactionId, state: TransactionState }
        /// The bank took a line back.
        BankTransactionReversed = "bank_transaction.reversed" { bank_transaction_id: BankTransactionId, reversal_id: BankTransactionId }
    }
    in Stream::Operator, about "catalogue" => {
        /// Models were added to the catalogue or changed.
        CatalogueChanged = "catalogue.changed" { models: i64 }
    }
    in Stream::Operator, about "legacy_accounts" => {
        /// Accounts of the old programme were imported.
        LegacyAccountsImported = "legacy_accounts.imported" { accounts: i64, products: i64 }
    }
    in Stream::Operator, about work_item_id => {
        /// Something waits for staff.
        WorkItemOpened = "work_item.opened" { work_item_id: WorkItemId, kind: String, about: String }
        /// A member of staff took up what waits.
        WorkItemClaimed = "work_item.claimed" { work_item_id: WorkItemId, kind: String, claimed_until: Instant }
        /// A member of staff gave back what waits.
        WorkItemReleased = "work_item.released" { work_item_id: WorkItemId, kind: String }
        /// What waited for staff is done, or has done itself.
        WorkItemClosed = "work_item.closed" { work_item_id: WorkItemId, kind: String }
    }
    in Stream::Operator, about job_id => {
        /// A job failed as often as it may.
        JobDead = "job.dead" { job_id: JobId, kind: String, attempts: i64 }
        /// A dead job is to be tried again.
        JobRetried = "job.retried" { job_id: JobId, kind: String }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;
    use utoipa::PartialSchema;

    use super::*;

    /// Fields of plain text: codes, numbers and words that the service makes itself.
    const WORDS: [&str; 8] = [
        "about",
        "codes",
        "external_id",
        "kind",
        "level",
        "member_number",
        "number",
        "terms_version",
    ];
    /// More bytes than this no such word has.
    const WORD: usize = 64;

    /// The most bytes of a value of `schema`, which must be nothing that a person could be read from.
    fn longest(name: &str, schema: &Value, named: &Value) -> usize {
        if let Some(name_of) = schema["$ref"].as_str() {
            let of = name_of.rsplit('/').next().unwrap();
            return longest(name, &named[of], named);
        }
        if let Some(words) = schema["enum"].as_array() {
            let longest = words.iter().map(|word| word.to_string().len()).max();
            return longest.unwrap();
        }
        match (schema["type"].as_str(), schema["format"].as_str()) {
            (Some("boolean"), _) => 5,
            (Some("integer"), _) => 20,
            (Some("string"), Some("date" | "date-time")) => 32,
            (Some("string"), _) if schema["pattern"].is_string() => 40,
            (Some("string"), None) if WORDS.contains(&name) => WORD,
            (Some("array"), _) => 20 * (1 + longest(name, &schema["items"], named)),
            (Some("object"), _) if schema["propertyNames"]["enum"].is_array() => {
                let words = schema["propertyNames"]["enum"].as_array().unwrap().iter();
                let number = longest(name, &schema["additionalProperties"], named);
                words.map(|word| word.to_string().len() + 2 + number).sum()
            }
            (Some("object"), _) => {
                let fields = schema["properties"].as_object().unwrap().iter();
                let sizes = fields.map(|(name, of)| name.len() + 4 + longest(name, of, named));
                2 + sizes.sum::<usize>()
            }
            _ => panic!("{name} may hold anything: {schema}"),
        }
    }

    #[test]
    fn no_payload_can_hold_anything_personal_nor_more_than_four_kibibytes() {
        let mut named = Vec::new();
        Event::schemas(&mut named);
        let named: std::collections::BTreeMap<_, _> = named.into_iter().collect();
        let named = serde_json::to_value(named).unwrap();
        let all = serde_json::to_value(Event::schema()).unwrap();
        let payloads = all["oneOf"].as_array().unwrap();
        assert_eq!(payloads.len(), Event::KINDS.len());
        for ((word, _), payload) in Event::KINDS.iter().zip(payloads) {
            let fields = payload["properties"].as_object().unwrap();
            for personal in ["name", "email", "phone", "address", "serial_number", "note"] {
                assert!(!fields.contains_key(personal), "{word}: {personal}");
            }
            let size = longest(word, payload, &named);
            assert!(size <= MOST_DATA, "{word} may have {size} bytes");
        }
    }

    #[test]
    fn every_word_is_one_of_a_kind_and_has_a_sentence() {
        let words: BTreeSet<&str> = Event::KINDS.iter().map(|(word, _)| *word).collect();
        assert_eq!(words.len(), Event::KINDS.len());
        for (word, summary) in Event::KINDS {
            let (of, what) = word.split_once('.').unwrap();
            let is_word = |part: &str| part.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
            assert!(is_word(of) && is_word(what), "{word}");
            assert!(summary.ends_with('.') && summary.len() > 10, "{word}");
        }
    }

    #[test]
    fn an_event_knows_its_stream_its_resource_and_its_payload() {
        let now: Instant = "2026-06-01T10:00:00Z".parse().unwrap();
        let (account_id, product_id) = (AccountId::new(now), ProductId::new(now));
        let ended = Event::ProductEnded {
            account_id,
            product_id,
            reason: EndReason::Sold,
        };
        assert_eq!(ended.kind(), "product.ended");
        assert_eq!(ended.stream().to_string(), account_id.to_string());
        assert_eq!(ended.resource(), product_id.to_string());
        assert_eq!(
            ended.data().unwrap(),
            format!(
                r#"{{"account_id":"{account_id}","product_id":"{product_id}","reason":"sold"}}"#
            )
        );
        let claimed = Event::ReviewClaimed {
            account_id,
            claimed_until: now,
        };
        assert_eq!(claimed.stream().to_string(), "operator");
        assert_eq!(claimed.resource(), format!("reviews/{account_id}"));
    }

    #[test]
    fn what_happens_to_staff_is_the_operators() {
        let now: Instant = "2026-06-01T10:00:00Z".parse().unwrap();
        let (account, user) = (AccountId::new(now), UserId::new(now));
        let made = [
            Event::password_changed,
            Event::user_activated,
            Event::sessions_ended,
        ];
        for make in made {
            assert_eq!(make(None, user).stream(), Stream::Operator);
            assert_eq!(make(Some(account), user).stream(), Stream::Account(account));
            assert_eq!(make(None, user).resource(), user.to_string());
        }
    }
}
