//! All that an invoice says, but for what its number makes.

use chrono::NaiveDate;

use crate::domain::document::{DocumentStatus, accepted_kinds};
use crate::domain::invoice::{Buyer, Content, Evidence, Line, Seller};
use crate::domain::language::Language;
use crate::domain::money::Currency;
use crate::domain::vat::{self, Vat, VatTreatment};
use crate::error::{Error, Result};
use crate::programme;
use crate::repository::accounts::Account;
use crate::repository::memberships::Membership;
use crate::repository::{DbConn, cards, documents};
use crate::texts::{Subject, Value, context, render};
use crate::workflows::Context;
use crate::workflows::membership::level_name;

/// All that the invoice says, but for what its number makes.
pub(super) fn content(
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
