//! Invoices and credit notes as UBL 2.1 (Peppol BIS Billing 3, EN 16931), made of what they say and of nothing else. What they say is in `invoice`, the document
//! itself is made in `ubl`.

mod address;
mod means;
mod party;
mod seller;
mod ubl;
mod xml;

use chrono::NaiveDate;

use super::invoice::{InvoiceKind, Totals, v2::Content};
use super::money::Currency;
pub use address::{BadElectronicAddress, ELECTRONIC_ADDRESS, ElectronicAddress, address};
pub use means::{Means, danish_account, means};
use party::registers;
pub use seller::SellerNumbers;
pub use ubl::ubl;

/// An issued invoice or credit note of content version 2.
#[derive(Debug, Clone, Copy)]
pub struct Issued<'a> {
    pub kind: InvoiceKind,
    pub number: &'a str,
    pub issued_date: NaiveDate,
    /// Of an invoice.
    pub due_date: Option<NaiveDate>,
    pub currency: Currency,
    pub totals: Totals,
    pub content: &'a Content,
}

/// What has to be filled in before there can be a document: a field of the invoice by its JSON Pointer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Missing(pub &'static str);

impl Missing {
    /// The buyer's number in its country's register.
    pub const BUYER_COMPANY_NUMBER: Self = Self("#/buyer/company_number");
    /// Where the buyer takes electronic invoices.
    pub const BUYER_ADDRESS: Self = Self("#/buyer/electronic_address");
    /// The seller's number in its country's register.
    pub const SELLER_COMPANY_NUMBER: Self = Self("#/seller/company_number");
    /// The scheme of that number: the Danes and the Dutch name a register of their own country.
    pub const SELLER_COMPANY_SCHEME: Self = Self("#/seller/company_scheme");
    /// The seller's account: a Danish transfer in kroner goes to a Danish one.
    pub const SELLER_IBAN: Self = Self("#/seller/iban");
    /// Where the seller takes electronic invoices.
    pub const SELLER_ADDRESS: Self = Self("#/seller/electronic_address");
}
