//! Verification documents: which prove a business, and what is still due. How a file is recognised is in `media_type`.

use chrono::{Months, NaiveDate};
use serde::Serialize;

use crate::error::FaultCode;
use crate::types::{id, text_enum};

id!(
    /// The identity of a verification document.
    DocumentId, "doc_"
);

text_enum! {
    /// What a document is (rules, section 2).
    pub enum DocumentKind {
        /// The certificate of VAT registration.
        VatRegistrationCertificate = "vat_registration_certificate",
        /// An invoice on which the VAT number and the company name can be read.
        VatInvoice = "vat_invoice",
        /// A recent invoice to or from the business.
        BusinessInvoice = "business_invoice",
        /// A licence to trade.
        BusinessLicence = "business_licence",
        /// An extract of the register of companies.
        IncorporationExtract = "incorporation_extract",
    }
}

text_enum! {
    /// Where a document stands.
    pub enum DocumentStatus {
        /// Nobody has decided it.
        Pending = "pending",
        /// It proves what it should.
        Accepted = "accepted",
        /// The applicant is to bring a better one.
        RevisionRequested = "revision_requested",
        /// Refused for good.
        Rejected = "rejected",
    }
}

text_enum! {
    /// What the applicant can mend (rules, section 2).
    pub enum RevisionCode {
        /// Another document than its kind says.
        WrongDocument = "wrong_document",
        /// It cannot be read.
        Unreadable = "unreadable",
        /// The company's name cannot be seen.
        NameNotVisible = "name_not_visible",
        /// Another name than the account's.
        NameMismatch = "name_mismatch",
        /// The VAT number cannot be seen.
        VatNumberNotVisible = "vat_number_not_visible",
        /// Another VAT number than the account's.
        VatNumberMismatch = "vat_number_mismatch",
        /// The address cannot be seen.
        AddressNotVisible = "address_not_visible",
        /// Older than its kind allows.
        TooOld = "too_old",
        /// A signature is missing.
        NotSigned = "not_signed",
        /// A civil registration number stands on it: the file is deleted at once.
        ContainsCpr = "contains_cpr",
    }
}

text_enum! {
    /// Why a document or an application is refused for good (rules, section 2).
    pub enum RejectionCode {
        /// It looks forged.
        SuspectedForgery = "suspected_forgery",
        /// No business stands behind it.
        NotABusiness = "not_a_business",
        /// The person may not bind the business.
        NotAuthorised = "not_authorised",
        /// The business has an account already.
        DuplicateAccount = "duplicate_account",
        /// The country does not take part.
        CountryNotSupported = "country_not_supported",
    }
}

/// Why a document does not do, for the contract: a code of either list.
pub struct DocumentCode;

impl utoipa::PartialSchema for DocumentCode {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        let revisions = RevisionCode::ALL.iter().map(|code| code.as_str());
        let rejections = RejectionCode::ALL.iter().map(|code| code.as_str());
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::String)
            .enum_values(Some(revisions.chain(rejections)))
            .description(Some(
                "A `RevisionCode` of a document that can be mended, or a `RejectionCode`.",
            ))
            .into()
    }
}

impl utoipa::ToSchema for DocumentCode {}

/// The kinds of which exactly one is enough (rules, section 2).
pub const fn accepted_kinds(vat_registered: bool) -> &'static [DocumentKind] {
    if vat_registered {
        &[
            DocumentKind::VatRegistrationCertificate,
            DocumentKind::VatInvoice,
        ]
    } else {
        &[
            DocumentKind::BusinessInvoice,
            DocumentKind::BusinessLicence,
            DocumentKind::IncorporationExtract,
        ]
    }
}

/// A business invoice needs a date that is at most `months` back from `today`; no document is dated in the future, after `latest` (rules,
/// section 2).
pub fn check_issued_date(
    kind: DocumentKind,
    issued: Option<NaiveDate>,
    (today, latest): (NaiveDate, NaiveDate),
    months: u32,
) -> Result<(), FaultCode> {
    let recent = kind == DocumentKind::BusinessInvoice;
    let oldest = today.checked_sub_months(Months::new(months));
    match issued {
        None if recent => Err(FaultCode::Required),
        None => Ok(()),
        Some(issued) if issued > latest => Err(FaultCode::DateInFuture),
        Some(issued) if recent && oldest.is_some_and(|oldest| issued < oldest) => {
            Err(FaultCode::DocumentTooOld)
        }
        Some(_) => Ok(()),
    }
}

/// What is known of a document when requirements are computed; in the order of upload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentFacts {
    /// Its identity.
    pub id: DocumentId,
    /// What it is.
    pub kind: DocumentKind,
    /// Where it stands.
    pub status: DocumentStatus,
    /// The words of its revision or rejection codes.
    pub codes: Vec<String>,
}

text_enum! {
    /// What an application needs before it can be submitted.
    pub enum Requirement {
        /// A document that proves the business.
        VerificationDocument = "verification_document",
    }
}

/// A document that does not do, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct RequirementError {
    /// The document.
    pub document_id: DocumentId,
    /// A revision or rejection code.
    #[schema(value_type = DocumentCode)]
    pub code: String,
    /// The code in the reader's language; set by whoever answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub message: Option<String>,
}

/// What an application still needs (rules, section 2); computed, never stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Requirements {
    /// What is due; nothing where it can be submitted.
    pub currently_due: Vec<Requirement>,
    /// Sets of which one kind is enough.
    pub alternatives: Vec<Vec<DocumentKind>>,
    /// Documents that do not do.
    pub errors: Vec<RequirementError>,
}

impl Requirements {
    /// Whether the application can be submitted.
    pub fn are_met(&self) -> bool {
        self.currently_due.is_empty()
    }
}

/// A document is due until one of the right set is accepted or waits for its decision. A document that was sent back is an
/// error until a later one of the right set waits, or any was accepted; then nobody has to mend it any more.
pub fn requirements(vat_registered: bool, documents: &[DocumentFacts]) -> Requirements {
    let kinds = accepted_kinds(vat_registered);
    let stands = |document: &DocumentFacts, status| {
        kinds.contains(&document.kind) && document.status == status
    };
    let accepted = has_accepted(vat_registered, documents);
    let last_pending = documents
        .iter()
        .rposition(|document| stands(document, DocumentStatus::Pending));
    let sent_back = |(at, document): &(usize, &DocumentFacts)| {
        let open = matches!(
            document.status,
            DocumentStatus::RevisionRequested | DocumentStatus::Rejected
        );
        open && !accepted && last_pending.is_none_or(|pending| pending < *at)
    };
    let errors = documents
        .iter()
        .enumerate()
        .filter(sent_back)
        .flat_map(|(_, document)| {
            document.codes.iter().map(|code| RequirementError {
                document_id: document.id,
                code: code.clone(),
                message: None,
            })
        })
        .collect();
    let due = !accepted && last_pending.is_none();
    Requirements {
        currently_due: due
            .then_some(Requirement::VerificationDocument)
            .into_iter()
            .collect(),
        alternatives: vec![kinds.to_vec()],
        errors,
    }
}

/// Whether one document of the right set is accepted: what approving asks for.
pub fn has_accepted(vat_registered: bool, documents: &[DocumentFacts]) -> bool {
    let kinds = accepted_kinds(vat_registered);
    documents.iter().any(|document| {
        kinds.contains(&document.kind) && document.status == DocumentStatus::Accepted
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(kind: DocumentKind, status: DocumentStatus, codes: &[&str]) -> DocumentFacts {
        let id = DocumentId::new("2026-06-08T10:00:00Z".parse().unwrap());
        let codes = codes.iter().map(|code| (*code).to_owned()).collect();
        DocumentFacts {
            id,
            kind,
            status,
            codes,
        }
    }

    #[test]
    fn a_business_invoice_is_recent() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let check = |kind, issued: Option<&str>| {
            check_issued_date(
                kind,
                issued.map(day),
                (day("2026-05-31"), day("2026-06-01")),
                3,
            )
        };
        use DocumentKind::{BusinessInvoice, BusinessLicence};
        assert_eq!(check(BusinessInvoice, None), Err(FaultCode::Required));
        assert_eq!(
            check(BusinessInvoice, Some("2026-02-27")),
            Err(FaultCode::DocumentTooOld)
        );
        assert_eq!(check(BusinessInvoice, Some("2026-02-28")), Ok(()));
        assert_eq!(check(BusinessInvoice, Some("2026-05-31")), Ok(()));
        assert_eq!(
            check(BusinessInvoice, Some("2026-06-02")),
            Err(FaultCode::DateInFuture)
        );
        assert_eq!(check(BusinessLicence, Some("1999-01-01")), Ok(()));
        assert_eq!(
            check(BusinessLicence, Some("2026-06-02")),
            Err(FaultCode::DateInFuture)
        );
        assert_eq!(check(BusinessLicence, None), Ok(()));
    }

    #[test]
    fn one_document_of_the_right_set_is_enough() {
        use DocumentKind::{BusinessLicence, VatInvoice};
        let empty = requirements(true, &[]);
        assert_eq!(
            serde_json::to_string(&empty).unwrap(),
            r#"{"currently_due":["verification_document"],"alternatives":[["vat_registration_certificate","vat_invoice"]],"errors":[]}"#
        );
        let pending = [document(VatInvoice, DocumentStatus::Pending, &[])];
        assert!(requirements(true, &pending).are_met());
        assert!(!requirements(false, &pending).are_met());
        let licence = [document(BusinessLicence, DocumentStatus::Accepted, &[])];
        assert!(requirements(false, &licence).are_met());
        assert!(has_accepted(false, &licence) && !has_accepted(true, &licence));
    }

    #[test]
    fn what_was_sent_back_is_an_error_until_it_is_replaced() {
        use DocumentKind::{VatInvoice, VatRegistrationCertificate};
        let back = document(
            VatInvoice,
            DocumentStatus::RevisionRequested,
            &["unreadable", "too_old"],
        );
        let found = requirements(true, std::slice::from_ref(&back));
        assert!(!found.are_met());
        let codes: Vec<_> = found
            .errors
            .iter()
            .map(|error| error.code.as_str())
            .collect();
        assert_eq!(codes, ["unreadable", "too_old"]);
        assert_eq!(found.errors[0].document_id, back.id);

        let new = document(VatRegistrationCertificate, DocumentStatus::Pending, &[]);
        let replaced = requirements(true, &[back.clone(), new.clone()]);
        assert!(replaced.are_met() && replaced.errors.is_empty());
        let beside = requirements(true, &[new, back.clone()]);
        assert!(beside.are_met() && beside.errors.len() == 2);
        let accepted = document(VatInvoice, DocumentStatus::Accepted, &[]);
        assert!(requirements(true, &[accepted, back]).errors.is_empty());
    }
}
