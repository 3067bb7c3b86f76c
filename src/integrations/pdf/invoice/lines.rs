//! The lines of an invoice, and what they add up to.

use super::{BODY, BODY_BOLD, SMALL, Words};
use crate::domain::einvoice::Issued;
use crate::domain::invoice::v2::{Line, VatShare};
use crate::domain::invoice::{InvoiceKind, VatTreatment};
use crate::domain::words;
use crate::error::Result;
use crate::integrations::pdf::sheet::{INNER, MARGIN, RIGHT, Sheet, Style};
use crate::texts::context;

/// Where the columns of numbers end.
const QUANTITY: f32 = RIGHT - 180.0;
const PRICE: f32 = RIGHT - 95.0;
/// The column of what is sold.
const DESCRIPTION: f32 = INNER - 228.0;
/// Where the names of the sums begin.
const SUMS: f32 = RIGHT - 300.0;
const HEADING: Style = Style::bold(8.5);

pub fn print(sheet: &mut Sheet, issued: Issued<'_>, words: Words) -> Result<()> {
    print_headings(sheet, words)?;
    for line in &issued.content.lines {
        if sheet.make_room(3.0 * BODY.leading()) {
            print_headings(sheet, words)?;
        }
        print_line(sheet, line, words)?;
    }
    sheet.rule(0.7);
    sheet.y += 7.0;
    Ok(())
}

fn print_headings(sheet: &mut Sheet, words: Words) -> Result<()> {
    sheet.text(MARGIN, HEADING, &words.say("description")?)?;
    sheet.text_to(QUANTITY, HEADING, &words.say("quantity")?)?;
    sheet.text_to(PRICE, HEADING, &words.say("price")?)?;
    sheet.text_to(RIGHT, HEADING, &words.say("amount")?)?;
    sheet.y += 16.0;
    sheet.rule(0.7);
    sheet.y += 5.0;
    Ok(())
}

fn print_line(sheet: &mut Sheet, line: &Line, words: Words) -> Result<()> {
    let amount = words.amount(line.net_cents);
    sheet.text_to(QUANTITY, BODY, "1")?;
    sheet.text_to(PRICE, BODY, &amount)?;
    sheet.text_to(RIGHT, BODY, &amount)?;
    sheet.paragraph(MARGIN, DESCRIPTION, BODY, &line.description)?;
    let period = line.starts.zip(line.ends);
    let period = period.map(|days| words::period(words.0, days));
    // A description may name the period in its own words.
    if let Some(period) = period.filter(|period| !line.description.contains(period.as_str())) {
        sheet.paragraph(MARGIN, DESCRIPTION, SMALL, &period)?;
    }
    sheet.y += 4.0;
    Ok(())
}

/// The sums at the right, and beside them the numbers under which VAT is accounted for.
pub fn print_sums(sheet: &mut Sheet, issued: Issued<'_>, words: Words) -> Result<()> {
    sheet.make_room(96.0);
    let top = sheet.y;
    print_numbers(sheet, issued, words)?;
    let below_numbers = sheet.y;
    sheet.y = top;
    print_sum(
        sheet,
        BODY,
        &words.say("net")?,
        &words.amount(issued.totals.net),
    )?;
    for share in &issued.content.vat {
        print_sum(
            sheet,
            BODY,
            &vat(share, words)?,
            &words.amount(share.amount_cents),
        )?;
    }
    sheet.y += 2.0;
    sheet.bar(SUMS, RIGHT - SUMS, 0.7, 0);
    sheet.y += 5.0;
    let key = match issued.kind {
        InvoiceKind::Invoice => "gross",
        InvoiceKind::CreditNote => "credited",
    };
    let name = words.fill(key, context! { currency => issued.currency.as_str() })?;
    let bold = Style::bold(11.5);
    print_sum(sheet, bold, &name, &words.amount(issued.totals.gross))?;
    sheet.y = sheet.y.max(below_numbers);
    Ok(())
}

fn print_sum(sheet: &mut Sheet, style: Style, name: &str, amount: &str) -> Result<()> {
    sheet.text_to(RIGHT, style, amount)?;
    sheet.paragraph(SUMS, RIGHT - SUMS - 75.0, style, name)
}

fn vat(share: &VatShare, words: Words) -> Result<String> {
    let base = words.amount(share.base_cents);
    match share.category {
        VatTreatment::Standard => {
            let percent = words::percent(words.0, share.rate);
            words.fill("vat_standard", context! { percent, base })
        }
        VatTreatment::ReverseCharge => words.fill("vat_reverse_charge", context! { base }),
        VatTreatment::OutsideScope => words.fill("vat_outside_scope", context! { base }),
    }
}

fn print_numbers(sheet: &mut Sheet, issued: Issued<'_>, words: Words) -> Result<()> {
    let (seller, buyer) = (&issued.content.seller, &issued.content.buyer);
    let of_buyer = buyer.vat_number.as_ref();
    let numbers = [
        (
            "seller_vat_number",
            Some(format!("{}{}", seller.country, seller.vat_number)),
        ),
        (
            "buyer_vat_number",
            of_buyer.map(|number| format!("{}{number}", buyer.country)),
        ),
        ("buyer_company_number", buyer.company_number.clone()),
    ];
    for (name, number) in numbers {
        if let Some(number) = number {
            sheet.text(MARGIN, SMALL, &words.say(name)?)?;
            sheet.y += SMALL.leading();
            sheet.paragraph(MARGIN, SUMS - MARGIN - 20.0, BODY_BOLD, &number)?;
            sheet.y += 2.0;
        }
    }
    Ok(())
}
