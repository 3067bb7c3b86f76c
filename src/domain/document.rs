//! Verification documents: which prove a business, how a file is recognised and named, what is still due.

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
    /// What a file is, by its first bytes.
    pub enum MediaType {
        /// PDF.
        Pdf = "application/pdf",
        /// JPEG.
        Jpeg = "image/jpeg",
        /// PNG.
        Png = "image/png",
        /// TIFF.
        Tiff = "image/tiff",
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
