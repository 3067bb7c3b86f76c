//! Invoices: VAT, totals, due dates, numbers and payment references.

use crate::types::{id, text_enum};

id!(
    /// The identity of an invoice.
    InvoiceId, "inv_"
);

id!(
    /// The identity of a payment.
    PaymentId, "pay_"
);

text_enum! {
    /// Where an invoice stands.
    pub enum InvoiceStatus {
        /// Issued, not paid; overdue once its due date is past.
        Open = "open",
        /// Paid in full.
        Paid = "paid",
        /// Mended by a credit note.
        Credited = "credited",
    }
}

text_enum! {
    /// How VAT is charged (rules, section 10).
    pub enum VatTreatment {
        /// At the rate of the seller's country.
        Standard = "standard",
        /// The buyer accounts for it: Directive 2006/112 articles 44 and 196.
        ReverseCharge = "reverse_charge",
        /// Outside the Union.
        OutsideScope = "outside_scope",
    }
}

text_enum! {
    /// How an invoice is paid.
    pub enum PaymentMethod {
        /// A stored card, charged on the due date.
        Card = "card",
        /// The customer orders a transfer with the reference.
        BankTransfer = "bank_transfer",
    }
}
