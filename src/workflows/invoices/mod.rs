//! Issuing the invoice of a purchase: its number, its sums, and what the account had paid ahead. What it says is in `content`; what comes later is placed by
//! `settlement`.

mod collecting;
mod content;
mod credit;
mod details;
pub mod document;
pub mod earlier;
mod reissue;

use chrono::{Datelike, NaiveDate};
use serde_json::json;

pub use self::collecting::{WantedPause, pause};
pub use self::content::bank_fee_notice;
use self::content::{Sale, content};
pub(in crate::workflows) use self::credit::credit_note;
pub use self::details::{Details, details, details_of};
pub(in crate::workflows) use self::reissue::reissue;
use super::Context;
use super::collection;
use super::invoice_email::recipient;
use super::mail::send;
use super::purchases as sales;
use super::settlement::{self, Source};
use super::tasks::{Task, enqueue};
use crate::domain::access::ServiceAccess;
use crate::domain::actor::Stamp;
use crate::domain::event::Event;
use crate::domain::invoice::v2::{self, Content, Inpayment};
use crate::domain::invoice::{self, InvoiceId, InvoiceKind, InvoiceStatus, Totals};
use crate::domain::mail::Template;
use crate::domain::membership::MembershipId;
use crate::domain::money::{Amount, Currency, Money};
use crate::domain::purchase::{PurchaseId, is_invoiced};
use crate::domain::values::Country;
use crate::error::Result;
use crate::programme::{self, SellerTerms};
use crate::repository::accounts::{self, Account};
use crate::repository::invoices::{self, Invoice};
use crate::repository::memberships::{self, Membership};
use crate::repository::purchases::{self, Purchase};
use crate::repository::{DbConn, Held, events, payments};
use crate::types::{Instant, Json};

/// Issues the invoice of a purchase, unless it has one or is too small to be invoiced.
pub fn issue(
    conn: &mut DbConn,
    context: &Context,
    service: ServiceAccess,
    purchase: PurchaseId,
) -> Result<()> {
    issue_as(
        conn,
        context,
        service,
        purchase,
        InvoiceId::new(context.now),
    )
}

/// Issues it under an id that is given.
pub(in crate::workflows) fn issue_as(
    conn: &mut DbConn,
    context: &Context,
    service: ServiceAccess,
    purchase: PurchaseId,
    id: InvoiceId,
) -> Result<()> {
    let Some(purchase) = purchases::find_by_id(conn, purchase)? else {
        return Ok(());
    };
    let account = accounts::lock(conn, &service.on(purchase.account_id))?;
    if invoices::is_issued(conn, purchase.id)? {
        return Ok(());
    }
    let Some(invoice) = draw_up(conn, context, &account, &purchase, (id, None))? else {
        return Ok(());
    };
    invoices::insert(conn, &invoice)?;
    render_later(conn, invoice.id, context.now)?;
    let stamp = service.stamp(context.now);
    events::record(conn, &stamp, issued(&invoice).as_slice())?;
    let left = set_off(conn, context, &stamp, &account, &invoice)?;
    collection::watch(conn, context, &left)?;
    tell(conn, context, &account, &left)
}

/// Has the documents of what was issued made and stored.
pub(in crate::workflows) fn render_later(
    conn: &mut DbConn,
    invoice_id: InvoiceId,
    now: Instant,
) -> Result<()> {
    enqueue(conn, &Task::RenderInvoice { invoice_id }, now, now)
}

fn issued(invoice: &Invoice) -> Option<Event> {
    Some(Event::InvoiceIssued {
        account_id: invoice.account_id,
        invoice_id: invoice.id,
        membership_id: invoice.membership_id,
        number: invoice.number.clone(),
        gross: Money::new(invoice.gross_cents, invoice.currency),
        due_date: invoice.due_date?,
    })
}

/// Nothing where it begins later.
fn membership_of(conn: &mut DbConn, purchase: &Purchase) -> Result<Option<Membership>> {
    match purchase.membership_id {
        Some(id) => memberships::find_by_id(conn, id),
        None => Ok(None),
    }
}

/// Nothing where it is not invoiced, or its membership is not there yet. What is issued again was due on a day.
fn draw_up(
    conn: &mut DbConn,
    context: &Context,
    account: &Account,
    purchase: &Purchase,
    (id, was_due): (InvoiceId, Option<NaiveDate>),
) -> Result<Option<Invoice>> {
    let Some(membership) = membership_of(conn, purchase)? else {
        return Ok(None);
    };
    let terms = sales::terms(conn, purchase.seller_terms_id)?;
    let (issued_date, _) = invoice::issued(context.now, terms.seller.zone);
    let due_date = match was_due {
        Some(was_due) => was_due.max(issued_date),
        None => invoice::due_date(issued_date, terms.invoice.due_days),
    };
    let sale = Sale {
        purchase,
        terms: &terms,
        account,
        membership: &membership,
    };
    let (mut content, totals) = content(conn, &sale, due_date)?;
    if !is_invoiced(totals.gross, terms.invoice.smallest.0) {
        return Ok(None);
    }
    let number = next_number(conn, &terms, issued_date)?;
    content.payment.reference = invoice::rf_reference(&number.text);
    content.payment.inpayment = inpayment(&terms.seller, purchase.currency, &number);
    let drawn = Drawn {
        id,
        membership_id: membership.id,
        dates: (issued_date, due_date),
        content,
        totals,
    };
    numbered(drawn, number, purchase, context.now).map(Some)
}

/// What is invoiced, before it has its number.
struct Drawn {
    id: InvoiceId,
    membership_id: MembershipId,
    /// When it is issued and when it is due.
    dates: (NaiveDate, NaiveDate),
    content: Content,
    totals: Totals,
}

/// The invoice under its number.
fn numbered(drawn: Drawn, number: Number, purchase: &Purchase, now: Instant) -> Result<Invoice> {
    let (issued_date, due_date) = drawn.dates;
    Ok(Invoice {
        id: drawn.id,
        account_id: purchase.account_id,
        membership_id: drawn.membership_id,
        purchase_id: Some(purchase.id),
        seller_terms_id: Some(purchase.seller_terms_id),
        version: 1,
        kind: InvoiceKind::Invoice,
        issue_no: 1,
        corrects_id: None,
        replaces_id: None,
        number: number.text,
        seller_key: number.seller_key,
        year: number.year,
        seq: number.seq,
        status: InvoiceStatus::Open,
        issued_at: now,
        issued_date,
        due_date: Some(due_date),
        collect_from: Some(due_date),
        paused_until: None,
        currency: purchase.currency,
        net_cents: drawn.totals.net,
        vat_cents: drawn.totals.vat,
        gross_cents: drawn.totals.gross,
        open_cents: drawn.totals.gross,
        payment_method: purchase.payment_method,
        payment_reference: drawn.content.payment.reference.clone(),
        reason: None,
        content_version: v2::VERSION,
        content: Json::of(&drawn.content)?,
        created_at: now,
    })
}

/// A number of a seller's year, with what it is made of.
pub(in crate::workflows) struct Number {
    pub text: String,
    pub seller_key: String,
    pub year: i64,
    pub seq: i64,
}

/// The next number of the year in which a seller issues something; the account's row and those of its invoices are locked before.
pub(in crate::workflows) fn next_number(
    conn: &mut DbConn,
    terms: &SellerTerms,
    issued_date: NaiveDate,
) -> Result<Number> {
    let (seller_key, year) = (terms.seller.key(), issued_date.year());
    let seq = invoices::next_seq(conn, &seller_key, year.into())?;
    Ok(Number {
        text: invoice::invoice_number(&terms.invoice.prefix, year, seq),
        seller_key,
        year: year.into(),
        seq,
    })
}

/// A Danish seller with a creditor number offers its line for a payment in kroner.
fn inpayment(seller: &programme::Seller, currency: Currency, number: &Number) -> Option<Inpayment> {
    let creditor = seller.fi_creditor.clone()?;
    if seller.country != Country::DK || currency != Currency::DKK {
        return None;
    }
    let year = i32::try_from(number.year).ok()?;
    let identification = invoice::fi71_identification(invoice::fi71_payload(year, number.seq)?)?;
    Some(Inpayment {
        identification,
        creditor,
    })
}

/// At most so many payments are set off against one invoice.
const PAYMENTS: i64 = 100;

/// Places what the account has open on its invoice, oldest first; the invoice as it stands then.
pub(in crate::workflows) fn set_off(
    conn: &mut DbConn,
    context: &Context,
    stamp: &Stamp,
    account: &Held<Account>,
    invoice: &Invoice,
) -> Result<Invoice> {
    let open = payments::open(conn, account, invoice.currency, PAYMENTS)?;
    let mut invoice = invoice.clone();
    for payment in &open {
        let cents = payment.open_cents.min(invoice.open_cents);
        if cents > 0 {
            let placed = (invoice.id, Source::Payment(payment), cents);
            invoice = settlement::set_off(conn, context, stamp, account, placed)?;
        }
    }
    Ok(invoice)
}

/// Mails the invoice, as it stands once what was open is set off.
pub(in crate::workflows) fn tell(
    conn: &mut DbConn,
    context: &Context,
    account: &Account,
    invoice: &Invoice,
) -> Result<()> {
    let set_off = invoice.gross_cents - invoice.open_cents;
    let values = json!({
        "invoice_number": invoice.number,
        "gross": Amount(invoice.gross_cents),
        "set_off": Some(Amount(set_off)).filter(|amount| amount.0 > 0),
        "open": Amount(invoice.open_cents),
        "currency": invoice.currency,
        "due_date": invoice.due_date,
        "payment_method": invoice.payment_method,
        "payment_reference": invoice.payment_reference,
        "attached_invoice": invoice.id,
        "action_url": context.links.page(&format!("invoices/{}", invoice.id)),
    });
    let to = recipient(conn, account)?;
    send(conn, context, &to, Template::InvoiceIssued, values)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use crate::domain::language::Language;
    use crate::texts::{Subject, keys, placeholders};

    #[test]
    fn each_text_names_what_it_is_given_and_none_is_left_over() {
        let given: [(&str, &[&str]); 12] = [
            ("ended_unpaid", &["ended"]),
            ("credit", &["number"]),
            ("membership", &["level", "starts", "ends"]),
            ("transfer_fee", &[]),
            ("reverse_charge", &[]),
            ("reverse_charge_number", &["number"]),
            ("outside_scope", &[]),
            ("card", &["last4", "due"]),
            ("bank_transfer", &["due"]),
            ("bank_fee", &[]),
            ("bank_fee_euro", &[]),
            ("example", &[]),
        ];
        for (key, names) in given {
            let names: BTreeSet<String> = names.iter().map(ToString::to_string).collect();
            let named = placeholders(Subject::Invoices, key, Language::Da);
            assert_eq!(named, names, "{key}");
        }
        let asked = given.map(|(key, _)| key.to_owned());
        assert_eq!(keys(Subject::Invoices), BTreeSet::from(asked));
    }
}
