//! What invoices were sold under: whose day counts, and what its seller does about what is overdue.

use std::collections::BTreeMap;

use chrono_tz::Tz;

use crate::domain::invoice::InvoiceId;
use crate::domain::purchase::SellerTermsId;
use crate::error::{Error, Result};
use crate::programme::SellerTerms;
use crate::repository::DbConn;
use crate::repository::invoices::{self, Invoice};
use crate::repository::seller_terms;
use crate::workflows::{Context, purchases};

/// What an invoice was sold under; the programme for one from before that was recorded.
pub fn terms(conn: &mut DbConn, context: &Context, invoice: &Invoice) -> Result<SellerTerms> {
    match invoice.seller_terms_id {
        Some(id) => purchases::terms(conn, id),
        None => unrecorded(context),
    }
}

fn unrecorded(context: &Context) -> Result<SellerTerms> {
    Ok(serde_json::from_value(context.programme.frozen.clone())?)
}

/// What several invoices were sold under, read at once.
pub struct Sold(BTreeMap<InvoiceId, SellerTerms>);

impl Sold {
    /// That of these invoices.
    pub fn of(conn: &mut DbConn, context: &Context, ids: &[InvoiceId]) -> Result<Self> {
        if ids.is_empty() {
            return Ok(Self(BTreeMap::new()));
        }
        let named = invoices::terms_of(conn, ids)?;
        let mut wanted: Vec<SellerTermsId> = named.iter().filter_map(|(_, terms)| *terms).collect();
        wanted.sort();
        wanted.dedup();
        let mut kept = BTreeMap::new();
        for row in seller_terms::all(conn, &wanted)? {
            kept.insert(row.id, row.content.decode::<SellerTerms>()?);
        }
        let mut sold = BTreeMap::new();
        for (invoice, terms) in named {
            let recorded = terms.and_then(|id| kept.get(&id).cloned());
            let terms = recorded.map_or_else(|| unrecorded(context), Ok)?;
            sold.insert(invoice, terms);
        }
        Ok(Self(sold))
    }

    /// What one of them was sold under.
    pub fn terms(&self, invoice: InvoiceId) -> Result<&SellerTerms> {
        let terms = self.0.get(&invoice);
        terms.ok_or_else(|| Error::internal("reading seller terms")("of another invoice"))
    }

    /// Where the seller of one of them is.
    pub fn zone(&self, invoice: InvoiceId) -> Result<Tz> {
        Ok(self.terms(invoice)?.seller.zone)
    }
}
