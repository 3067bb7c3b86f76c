//! Issuing the invoice of a membership: its number, its sums and all that it says. Being paid comes later.

use chrono::NaiveDate;
use serde_json::json;

use super::Context;
use super::mail::{Recipient, send};
use super::membership::level_name;
use crate::domain::access::ServiceAccess;
use crate::domain::document::{DocumentStatus, accepted_kinds};
use crate::domain::event::Event;
use crate::domain::invoice::{
    self, Buyer, Content, Evidence, InvoiceId, InvoiceStatus, Line, PaymentMethod, Seller, Totals,
};
use crate::domain::language::Language;
use crate::domain::mail::Template;
use crate::domain::membership::MembershipId;
use crate::domain::money::{Amount, Currency, Money};
use crate::domain::values::Country;
use crate::domain::vat::{self, Vat, VatTreatment};
use crate::error::{Error, Result};
use crate::programme;
use crate::repository::accounts::{self, Account};
use crate::repository::invoices::{self, Invoice};
use crate::repository::memberships::{self, Membership};
use crate::repository::{DbConn, cards, documents, events};
use crate::texts::{Subject, Value, context, render};
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
    let issued = Event::InvoiceIssued {
        account_id: account.id,
        invoice_id: invoice.id,
        membership_id: membership.id,
        number: invoice.number.clone(),
        gross: Money {
            cents: invoice.gross_cents,
            currency: invoice.currency,
        },
        due_date: invoice.due_date,
    };
    events::record(conn, &service.stamp(context.now), &[issued])?;
    let values = json!({
        "invoice_number": invoice.number,
        "gross": Amount(invoice.gross_cents),
        "currency": invoice.currency,
        "due_date": invoice.due_date,
        "payment_method": invoice.payment_method,
        "payment_reference": invoice.payment_reference,
        "action_url": context.links.page(&format!("invoices/{}", invoice.id)),
    });
    let to = Recipient::contact(&account);
    send(conn, context, &to, Template::InvoiceIssued, values)
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
    let (issued_date, year) = invoice::issued(context.now, seller.zone);
    let due_date = invoice::due_date(issued_date, rules.due_days);
    let mut content = content(conn, context, account, membership, due_date)?;
    let totals = totals(&content)?;
    let seller_key = seller.key();
    let seq = invoices::next_seq(conn, &seller_key, year.into())?;
    let number = invoice::invoice_number(&rules.prefix, year, seq);
    let is_transfer = membership.payment_method == PaymentMethod::BankTransfer;
    content.fi_line = fi_line(seller, membership.currency, (year, seq)).filter(|_| is_transfer);
    Ok(Invoice {
        id,
        account_id: account.id,
        membership_id: membership.id,
        version: 1,
        payment_reference: invoice::rf_reference(&number).filter(|_| is_transfer),
        number,
        seller_key,
        year: year.into(),
        seq,
        status: InvoiceStatus::Open,
        issued_date,
        due_date,
        currency: membership.currency,
        net_cents: totals.net,
        vat_cents: totals.vat,
        gross_cents: totals.gross,
        payment_method: membership.payment_method,
        content: Json::of(&content)?,
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

/// All that the invoice says, but for what its number makes.
fn content(
    conn: &mut DbConn,
    context: &Context,
    account: &Account,
    membership: &Membership,
    due_date: NaiveDate,
) -> Result<Content> {
    let (seller, language) = (&context.programme.seller, account.language);
    let buyer = (account.country, account.postal_code.as_str());
    let vat = vat::treatment(seller.country, buyer, &context.programme.vat)
        .ok_or_else(|| Error::internal("charging VAT")("the programme has no rate"))?;
    let mut notices = vat_notices(vat, account)?;
    notices.extend(paying(conn, membership, &due_date.to_string(), language)?);
    if seller.example {
        notices.push(words("example", language, Value::UNDEFINED)?);
    }
    Ok(Content {
        language,
        membership_id: membership.id,
        seller: seller_of(seller),
        buyer: buyer_of(account, membership),
        lines: lines(context, membership, language)?,
        vat_treatment: vat.treatment,
        vat_rate: vat.rate,
        vat_evidence: evidence(conn, account)?,
        fi_line: None,
        notices,
    })
}

fn seller_of(seller: &programme::Seller) -> Seller {
    Seller {
        example: seller.example,
        name: seller.name.clone(),
        street: seller.street.clone(),
        postal_code: seller.postal_code.clone(),
        city: seller.city.clone(),
        country: seller.country,
        vat_number: seller.vat_number.clone(),
        iban: seller.iban.clone(),
        bic: seller.bic.clone(),
        bank: seller.bank.clone(),
    }
}

fn buyer_of(account: &Account, membership: &Membership) -> Buyer {
    Buyer {
        company_name: account.company_name.clone(),
        street: account.street.clone(),
        postal_code: account.postal_code.clone(),
        city: account.city.clone(),
        country: account.country,
        vat_number: account.vat_number.clone(),
        account_number: account.account_number.clone(),
        member_number: membership.member_number.clone(),
    }
}

/// What the invoice says of `key`: an invoice without its words is not issued.
fn words(key: &str, language: Language, values: Value) -> Result<String> {
    render(Subject::Invoices, key, language, values)
}

fn lines(context: &Context, membership: &Membership, language: Language) -> Result<Vec<Line>> {
    let (starts, ends) = (membership.starts_date, membership.ends_date);
    let values = context! {
        level => level_name(context, &membership.level),
        starts => starts.to_string(),
        ends => ends.to_string(),
    };
    let fee = context
        .programme
        .invoice
        .transfer_fee_cents(membership.payment_method, membership.currency);
    let membership = Line {
        description: words("membership", language, values)?,
        net_cents: membership.fee_cents,
        period: Some((starts, ends)),
    };
    let mut lines = vec![membership];
    if let Some(net_cents) = fee {
        lines.push(Line {
            description: words("transfer_fee", language, Value::UNDEFINED)?,
            net_cents,
            period: None,
        });
    }
    Ok(lines)
}

/// The document by which the buyer is known to be a business.
fn evidence(conn: &mut DbConn, account: &Account) -> Result<Option<Evidence>> {
    let kinds = accepted_kinds(account.vat_registered);
    let accepted = documents::all(conn, account.id)?
        .into_iter()
        .find(|one| one.status == DocumentStatus::Accepted && kinds.contains(&one.kind));
    Ok(accepted.map(|document| Evidence {
        document_id: document.id,
        kind: document.kind,
        sha256: document.sha256,
        decided_at: document.decided_at,
    }))
}

fn vat_notices(vat: Vat, account: &Account) -> Result<Vec<String>> {
    let treatment = match vat.treatment {
        VatTreatment::Standard => return Ok(Vec::new()),
        VatTreatment::OutsideScope => "outside_scope",
        VatTreatment::ReverseCharge => "reverse_charge",
    };
    let language = account.language;
    let mut notices = vec![words(treatment, language, Value::UNDEFINED)?];
    let is_reverse = vat.treatment == VatTreatment::ReverseCharge;
    if let Some(number) = account.vat_number.as_ref().filter(|_| is_reverse) {
        let number = context! { number => format!("{}{number}", account.country) };
        notices.push(words("reverse_charge_number", language, number)?);
    }
    Ok(notices)
}

/// Whose the fees of the payer's bank are.
pub fn bank_fee_notice(currency: Currency, language: Language) -> Result<String> {
    let key = match currency == Currency::EUR {
        true => "bank_fee_euro",
        false => "bank_fee",
    };
    words(key, language, Value::UNDEFINED)
}

/// What the payer has to know.
fn paying(
    conn: &mut DbConn,
    membership: &Membership,
    due: &str,
    language: Language,
) -> Result<Vec<String>> {
    let Some(card) = membership.card_id else {
        return Ok(vec![
            words("bank_transfer", language, context! { due })?,
            bank_fee_notice(membership.currency, language)?,
        ]);
    };
    let card = cards::find(conn, card)?;
    let values = context! { last4 => card.last4, due };
    Ok(vec![words("card", language, values)?])
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::texts::{keys, placeholders};

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
