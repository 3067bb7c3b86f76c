//! Issuing the invoice of a membership: its number and its sums. What it says is in `content`; being paid comes later.

mod content;

use chrono::{Datelike, NaiveDate};
use serde_json::json;

pub use self::content::bank_fee_notice;
use self::content::content;
use super::Context;
use super::mail::{Recipient, send};
use crate::domain::access::ServiceAccess;
use crate::domain::allocation;
use crate::domain::event::Event;
use crate::domain::invoice::{self, Content, InvoiceId, InvoiceKind, PaymentMethod, Totals};
use crate::domain::mail::Template;
use crate::domain::membership::MembershipId;
use crate::domain::money::{Amount, Currency, Money};
use crate::domain::values::Country;
use crate::error::{Error, Result};
use crate::programme;
use crate::repository::accounts::{self, Account};
use crate::repository::invoices::{self, Invoice};
use crate::repository::memberships::{self, Membership};
use crate::repository::{DbConn, events};
use crate::types::Json;

/// Issues the invoice of a membership unless it has one.
pub fn issue(
    conn: &mut DbConn,
    context: &Context,
    service: ServiceAccess,
    id: MembershipId,
) -> Result<()> {
    issue_as(conn, context, service, id, InvoiceId::new(context.now))
}

/// Issues it under an id that is given.
pub(in crate::workflows) fn issue_as(
    conn: &mut DbConn,
    context: &Context,
    service: ServiceAccess,
    membership: MembershipId,
    id: InvoiceId,
) -> Result<()> {
    let Some(membership) = memberships::find_by_id(conn, membership)? else {
        return Ok(());
    };
    let account = accounts::lock(conn, &service.on(membership.account_id))?;
    if invoices::is_issued(conn, membership.id)? {
        return Ok(());
    }
    let invoice = draw_up(conn, context, &account, &membership, id)?;
    invoices::insert(conn, &invoice)?;
    let due_date = invoice.due_date.unwrap_or(invoice.issued_date);
    let issued = Event::InvoiceIssued {
        account_id: account.id,
        invoice_id: invoice.id,
        membership_id: membership.id,
        number: invoice.number.clone(),
        gross: Money::new(invoice.gross_cents, invoice.currency),
        due_date,
    };
    events::record(conn, &service.stamp(context.now), &[issued])?;
    let values = json!({
        "invoice_number": invoice.number,
        "gross": Amount(invoice.gross_cents),
        "currency": invoice.currency,
        "due_date": due_date,
        "payment_method": invoice.payment_method,
        "payment_reference": invoice.payment_reference,
        "action_url": context.links.page(&format!("invoices/{}", invoice.id)),
    });
    let to = Recipient::contact(&account);
    send(conn, context, &to, Template::InvoiceIssued, values)
}

/// What is invoiced, before it has its number.
struct Drawn<'a> {
    id: InvoiceId,
    membership: &'a Membership,
    issued_date: NaiveDate,
    due_date: NaiveDate,
    content: Content,
    totals: Totals,
}

fn draw_up(
    conn: &mut DbConn,
    context: &Context,
    account: &Account,
    membership: &Membership,
    id: InvoiceId,
) -> Result<Invoice> {
    context.check_seller(membership.seller_key.as_deref())?;
    let (rules, seller) = (&context.programme.invoice, &context.programme.seller);
    let (issued_date, _) = invoice::issued(context.now, seller.zone);
    let due_date = invoice::due_date(issued_date, rules.due_days);
    let content = content(conn, context, account, membership, due_date)?;
    let totals = totals(&content)?;
    let drawn = Drawn {
        id,
        membership,
        issued_date,
        due_date,
        content,
        totals,
    };
    numbered(conn, context, drawn)
}

/// The invoice under the next number of its seller.
fn numbered(conn: &mut DbConn, context: &Context, mut drawn: Drawn<'_>) -> Result<Invoice> {
    let (membership, totals) = (drawn.membership, drawn.totals);
    let (seller, year) = (&context.programme.seller, drawn.issued_date.year());
    let seq = invoices::next_seq(conn, &seller.key(), year.into())?;
    let number = invoice::invoice_number(&context.programme.invoice.prefix, year, seq);
    let is_transfer = membership.payment_method == PaymentMethod::BankTransfer;
    let fi_line = fi_line(seller, membership.currency, (year, seq));
    drawn.content.fi_line = fi_line.filter(|_| is_transfer);
    Ok(Invoice {
        id: drawn.id,
        account_id: membership.account_id,
        membership_id: membership.id,
        version: 1,
        kind: InvoiceKind::Invoice,
        issue_no: 1,
        payment_reference: invoice::rf_reference(&number).filter(|_| is_transfer),
        number,
        seller_key: seller.key(),
        year: year.into(),
        seq,
        status: allocation::status(totals.gross, totals.gross, 0),
        issued_at: context.now,
        issued_date: drawn.issued_date,
        due_date: Some(drawn.due_date),
        collect_from: Some(drawn.due_date),
        currency: membership.currency,
        net_cents: totals.net,
        vat_cents: totals.vat,
        gross_cents: totals.gross,
        open_cents: totals.gross,
        payment_method: membership.payment_method,
        content_version: 1,
        content: Json::of(&drawn.content)?,
        created_at: context.now,
    })
}

fn totals(content: &Content) -> Result<Totals> {
    let nets: Vec<i64> = content.lines.iter().map(|line| line.net_cents).collect();
    invoice::totals(&nets, content.vat_rate)
        .ok_or_else(|| Error::internal("adding an invoice up")("it leaves 64 bits"))
}

/// A Danish seller with a creditor number offers its line for a payment in kroner.
fn fi_line(
    seller: &programme::Seller,
    currency: Currency,
    (year, seq): (i32, i64),
) -> Option<String> {
    let creditor = seller
        .fi_creditor
        .as_deref()
        .filter(|_| seller.country == Country::DK && currency == Currency::DKK)?;
    invoice::fi71_line(invoice::fi71_payload(year, seq)?, creditor)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use crate::domain::language::Language;
    use crate::texts::{Subject, keys, placeholders};

    #[test]
    fn each_text_names_what_it_is_given_and_none_is_left_over() {
        let given: [(&str, &[&str]); 10] = [
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
