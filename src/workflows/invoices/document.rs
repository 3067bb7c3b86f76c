//! An invoice or a credit note as its documents are made of: what its row says, whichever version it was written in. The documents themselves are made elsewhere.

use crate::domain::einvoice::{Issued, ubl};
use crate::domain::invoice::Totals;
use crate::domain::invoice::v2::{self, Content};
use crate::error::{Code, Fault, FaultCode, Refusal, Result};
use crate::repository::invoices::Invoice;

/// What documents are made of.
#[derive(Debug)]
pub struct InvoiceDocument {
    pub invoice: Invoice,
    content: Content,
}

impl InvoiceDocument {
    /// Of what a row says.
    pub fn of(invoice: Invoice) -> Result<Self> {
        let content = invoice.said()?;
        Ok(Self { invoice, content })
    }

    /// What is printed and written.
    pub fn issued(&self) -> Issued<'_> {
        Issued {
            kind: self.invoice.kind,
            number: &self.invoice.number,
            issued_date: self.invoice.issued_date,
            due_date: self.invoice.due_date,
            currency: self.invoice.currency,
            totals: totals(&self.invoice),
            content: &self.content,
        }
    }

    /// The electronic invoice. Where there can be none the refusal names what to fill in; what was issued in an older version lacks more than one could
    /// name, and has none.
    pub fn xml(&self) -> Result<String, Refusal> {
        let refusal = Refusal::from(Code::EinvoiceNotPossible);
        if self.invoice.content_version != v2::VERSION {
            return Err(refusal);
        }
        let filled_in = ubl(self.issued());
        filled_in.map_err(|missing| {
            let faults = missing
                .into_iter()
                .map(|one| Fault::new(one.0, FaultCode::Required));
            refusal.faults(faults.collect())
        })
    }
}

fn totals(invoice: &Invoice) -> Totals {
    Totals {
        net: invoice.net_cents,
        vat: invoice.vat_cents,
        gross: invoice.gross_cents,
    }
}
