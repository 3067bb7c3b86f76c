//! All that an invoice says, but for what its number makes: out of what was bought, what it was sold under, and the account as it is when it is issued.

use chrono::NaiveDate;

use crate::domain::document::{DocumentStatus, accepted_kinds};
use crate::domain::invoice::v2::{
    Buyer, CardShown, Content, Line, LineKind, Payment, Seller, VatShare,
};
use crate::domain::invoice::{Evidence, Totals, totals};
use crate::domain::language::Language;
use crate::domain::money::Currency;
use crate::domain::values::Country;
use crate::domain::vat::{self, Vat, VatTreatment};
use crate::error::{Error, Result};
use crate::programme::{self, SellerTerms};
use crate::repository::accounts::Account;
use crate::repository::billing_profiles::{self, BillingProfile};
use crate::repository::cards::StoredCard;
use crate::repository::memberships::Membership;
use crate::repository::purchases::Purchase;
use crate::repository::{DbConn, cards, documents};
use crate::texts::{Subject, Value, context, render};

/// What was sold, to whom, and under what.
pub(super) struct Sale<'a> {
    pub purchase: &'a Purchase,
    pub terms: &'a SellerTerms,
    pub account: &'a Account,
    pub membership: &'a Membership,
}

/// All that the invoice says, but for what its number makes, and what it adds up to.
pub(super) fn content(
    conn: &mut DbConn,
    sale: &Sale<'_>,
    due_date: NaiveDate,
) -> Result<(Content, Totals)> {
    let (seller, account) = (&sale.terms.seller, sale.account);
    let buyer = (account.country, account.postal_code.as_str());
    let vat = vat::treatment(seller.country, buyer, &sale.terms.vat)
        .ok_or_else(|| Error::internal("charging VAT")("the seller has no rate"))?;
    let lines = lines(sale)?;
    let totals = added_up(&lines, vat)?;
    let profile = billing_profiles::find(conn, account.id)?;
    let card = match sale.membership.card_id {
        Some(card) => Some(cards::find(conn, card)?),
        None => None,
    };
    let content = Content {
        language: account.language,
        membership_id: sale.membership.id,
        seller: seller_of(seller),
        buyer: buyer_of(account, sale.membership, profile.as_ref()),
        lines,
        vat: vec![VatShare {
            category: vat.treatment,
            rate: vat.rate,
            base_cents: totals.net,
            amount_cents: totals.vat,
        }],
        evidence: evidence(conn, account)?,
        notices: notices(sale, vat, card.as_ref(), due_date)?,
        payment: payment(sale, card),
        corrects: None,
    };
    Ok((content, totals))
}

fn added_up(lines: &[Line], vat: Vat) -> Result<Totals> {
    let nets: Vec<i64> = lines.iter().map(|line| line.net_cents).collect();
    totals(&nets, vat.rate)
        .ok_or_else(|| Error::internal("adding an invoice up")("it leaves 64 bits"))
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
        company_number: seller.company_number.clone(),
        company_scheme: seller.company_scheme.clone(),
        electronic_address: seller.electronic_address.clone(),
    }
}

fn buyer_of(account: &Account, membership: &Membership, profile: Option<&BillingProfile>) -> Buyer {
    Buyer {
        company_name: account.company_name.clone(),
        street: account.street.clone(),
        postal_code: account.postal_code.clone(),
        city: account.city.clone(),
        country: account.country,
        vat_number: account.vat_number.clone(),
        company_number: profile.and_then(|one| one.company_number.clone()),
        electronic_address: profile.and_then(|one| one.electronic_address.clone()),
        your_reference: profile.and_then(|one| one.your_reference.clone()),
        account_number: account.account_number.clone(),
        member_number: membership.member_number.clone(),
    }
}

/// Where the money goes, whichever way was chosen; its reference and inpayment come with the number.
fn payment(sale: &Sale<'_>, card: Option<StoredCard>) -> Payment {
    let seller = &sale.terms.seller;
    Payment {
        method: sale.purchase.payment_method,
        card: card.map(|card| CardShown {
            brand: card.brand,
            last4: card.last4,
        }),
        iban: seller.iban.clone(),
        bic: seller.bic.clone(),
        bank: seller.bank.clone(),
        reference: None,
        inpayment: None,
    }
}

/// What the invoice says of `key`: an invoice without its words is not issued.
pub(super) fn words(key: &str, language: Language, values: Value) -> Result<String> {
    render(Subject::Invoices, key, language, values)
}

fn lines(sale: &Sale<'_>) -> Result<Vec<Line>> {
    let (purchase, language) = (sale.purchase, sale.account.language);
    let (starts, ends) = (purchase.starts_date, purchase.ends_date);
    let values = context! {
        level => purchase.level_name.clone(),
        starts => starts.to_string(),
        ends => ends.to_string(),
    };
    let mut lines = vec![Line {
        kind: LineKind::Membership,
        description: words("membership", language, values)?,
        level: Some(purchase.level.clone()),
        net_cents: purchase.net_cents,
        starts: Some(starts),
        ends: Some(ends),
    }];
    let rules = &sale.terms.invoice;
    let fee = rules.transfer_fee_cents(purchase.payment_method, purchase.currency);
    if let Some(net_cents) = fee {
        lines.push(Line {
            kind: LineKind::TransferFee,
            description: words("transfer_fee", language, Value::UNDEFINED)?,
            level: None,
            net_cents,
            starts: None,
            ends: None,
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

fn notices(
    sale: &Sale<'_>,
    vat: Vat,
    card: Option<&StoredCard>,
    due: NaiveDate,
) -> Result<Vec<String>> {
    let language = sale.account.language;
    let number = sale.account.vat_number.as_deref();
    let mut notices = vat_notices(vat, (sale.account.country, number), language)?;
    let due = due.to_string();
    match card {
        Some(card) => {
            let values = context! { last4 => card.last4.clone(), due };
            notices.push(words("card", language, values)?);
        }
        None => {
            notices.push(words("bank_transfer", language, context! { due })?);
            notices.push(bank_fee_notice(sale.purchase.currency, language)?);
        }
    }
    if sale.terms.seller.example {
        notices.push(words("example", language, Value::UNDEFINED)?);
    }
    Ok(notices)
}

/// What the law has to say of the VAT to a buyer in that country with that number.
pub(super) fn vat_notices(
    vat: Vat,
    (country, number): (Country, Option<&str>),
    language: Language,
) -> Result<Vec<String>> {
    let treatment = match vat.treatment {
        VatTreatment::Standard => return Ok(Vec::new()),
        VatTreatment::OutsideScope => "outside_scope",
        VatTreatment::ReverseCharge => "reverse_charge",
    };
    let mut notices = vec![words(treatment, language, Value::UNDEFINED)?];
    let is_reverse = vat.treatment == VatTreatment::ReverseCharge;
    if let Some(number) = number.filter(|_| is_reverse) {
        let number = context! { number => format!("{country}{number}") };
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
