//! What a credit note says: out of the invoice that it corrects, under a number of its own. What it settles is in `credit_notes`.

use super::content::{vat_notices, words};
use super::{next_number, render_later};
use crate::domain::invoice::v2::{self, Content, Corrected, Line, LineKind, Payment, VatShare};
use crate::domain::invoice::{self, InvoiceId, InvoiceKind, InvoiceStatus, Totals};
use crate::domain::vat::Vat;
use crate::error::{Error, Result};
use crate::programme::SellerTerms;
use crate::repository::DbConn;
use crate::repository::invoices::{self, Invoice};
use crate::texts::{Value, context};
use crate::types::Json;
use crate::workflows::Context;
use crate::workflows::credit_notes::Credit;
use crate::workflows::purchases as sales;

/// Stores the credit note of an invoice over these sums; all of it is open.
pub(in crate::workflows) fn credit_note(
    conn: &mut DbConn,
    context: &Context,
    invoice: &Invoice,
    (credit, totals): (&Credit, Totals),
) -> Result<Invoice> {
    let terms = terms_of(conn, invoice)?;
    let (issued_date, _) = invoice::issued(context.now, terms.seller.zone);
    let number = next_number(conn, &terms, issued_date)?;
    let note = Invoice {
        id: InvoiceId::new(context.now),
        version: 1,
        kind: InvoiceKind::CreditNote,
        issue_no: 1,
        corrects_id: Some(invoice.id),
        replaces_id: None,
        number: number.text,
        seller_key: number.seller_key,
        year: number.year,
        seq: number.seq,
        status: InvoiceStatus::Open,
        issued_at: context.now,
        issued_date,
        due_date: None,
        collect_from: None,
        paused_until: None,
        net_cents: totals.net,
        vat_cents: totals.vat,
        gross_cents: totals.gross,
        open_cents: totals.gross,
        payment_reference: None,
        reason: Some(credit.cause.to_string()),
        content_version: v2::VERSION,
        content: Json::of(&content(invoice, credit, totals)?)?,
        created_at: context.now,
        ..invoice.clone()
    };
    invoices::insert(conn, &note)?;
    render_later(conn, note.id, context.now).map(|()| note)
}

fn terms_of(conn: &mut DbConn, invoice: &Invoice) -> Result<SellerTerms> {
    let terms = invoice.seller_terms_id;
    let terms = terms.ok_or_else(|| Error::internal("crediting")("no seller terms are known"))?;
    sales::terms(conn, terms)
}

/// Parties and VAT are those of the invoice, whatever the account is by now.
fn content(invoice: &Invoice, credit: &Credit, totals: Totals) -> Result<Content> {
    let said = invoice.said()?;
    let language = said.language;
    let mut notices = Vec::new();
    let mut vat = Vec::new();
    if let Some(share) = said.vat.first() {
        let (treatment, rate) = (share.category, share.rate);
        let buyer = (said.buyer.country, said.buyer.vat_number.as_deref());
        notices = vat_notices(Vat { treatment, rate }, buyer, language)?;
        vat.push(VatShare {
            base_cents: totals.net,
            amount_cents: totals.vat,
            ..share.clone()
        });
    }
    notices.push(credit.note.clone());
    if said.seller.example {
        notices.push(words("example", language, Value::UNDEFINED)?);
    }
    Ok(Content {
        lines: vec![line(invoice, &said, totals)?],
        vat,
        notices,
        payment: Payment {
            reference: None,
            inpayment: None,
            ..said.payment
        },
        corrects: Some(Corrected {
            number: invoice.number.clone(),
            issued_date: invoice.issued_date,
        }),
        ..said
    })
}

fn line(invoice: &Invoice, said: &Content, totals: Totals) -> Result<Line> {
    let number = context! { number => invoice.number.clone() };
    let period = said.period();
    Ok(Line {
        kind: LineKind::Credit,
        description: words("credit", said.language, number)?,
        level: None,
        net_cents: totals.net,
        starts: period.map(|(starts, _)| starts),
        ends: period.map(|(_, ends)| ends),
    })
}
