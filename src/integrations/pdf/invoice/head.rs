//! The head of an invoice: who sells, who buys, and the table of what it is known by.

use super::{BODY, SMALL, Words};
use crate::domain::einvoice::Issued;
use crate::domain::invoice::v2::{Buyer, Seller};
use crate::domain::invoice::{InvoiceKind, grouped};
use crate::domain::words;
use crate::error::Result;
use crate::integrations::pdf::sheet::{INNER, MARGIN, RIGHT, Sheet, Style, mm};
use crate::texts::context;

const SELLER: f32 = RIGHT - SELLER_WIDTH;
const SELLER_WIDTH: f32 = mm(62.0);
/// The window of an envelope: where its address begins, how wide it may be, and where the letter goes on below it.
const WINDOW: f32 = mm(48.0);
const WINDOW_WIDTH: f32 = mm(85.0);
const BELOW_WINDOW: f32 = mm(82.0);
const MARK: Style = Style::bold(9.0);
const ADDRESS: Style = Style::regular(10.5);
const COLUMNS: usize = 3;
const COLUMN: f32 = INNER / 3.0;

pub fn print(sheet: &mut Sheet, issued: Issued<'_>, words: Words) -> Result<()> {
    print_seller(sheet, &issued.content.seller, words)?;
    let below_seller = sheet.y;
    print_buyer(sheet, issued, words)?;
    sheet.y = sheet.y.max(below_seller).max(BELOW_WINDOW) + 10.0;
    let title = words.title(issued.kind)?;
    sheet.text(MARGIN, Style::bold(20.0), &title)?;
    sheet.y += 32.0;
    print_table(sheet, &table(issued, words)?)
}

/// The name at the upper left, with the mark of one that is made up; address and numbers at the upper right.
fn print_seller(sheet: &mut Sheet, seller: &Seller, words: Words) -> Result<()> {
    sheet.y = MARGIN;
    sheet.paragraph(
        MARGIN,
        INNER - SELLER_WIDTH - 20.0,
        Style::bold(15.0),
        &seller.name,
    )?;
    if seller.example {
        let mark = words.say("example")?.to_uppercase();
        sheet.y += 4.0;
        let width = Sheet::width(MARK, &mark)?;
        sheet.bar(MARGIN, width + 12.0, 17.0, 215);
        sheet.y += 3.0;
        sheet.text(MARGIN + 6.0, MARK, &mark)?;
    }
    sheet.y = MARGIN;
    let city = format!("{} {}", seller.postal_code, seller.city);
    let country = words::country(words.0, &seller.country);
    for line in [&seller.name, &seller.street, &city, country] {
        sheet.paragraph(SELLER, SELLER_WIDTH, BODY, line)?;
    }
    sheet.y += 5.0;
    for (name, number) in numbers(seller, words)? {
        sheet.paragraph(SELLER, SELLER_WIDTH, BODY, &format!("{name}: {number}"))?;
    }
    Ok(())
}

/// What the seller is registered under.
fn numbers(seller: &Seller, words: Words) -> Result<Vec<(String, String)>> {
    let mut numbers = Vec::new();
    if let Some(number) = &seller.company_number {
        let name = match seller.company_scheme.as_deref() {
            Some("0106") => "KVK".to_owned(),
            Some("0184") => "CVR".to_owned(),
            _ => words.say("company_number")?,
        };
        numbers.push((name, number.clone()));
    }
    let vat_number = format!("{}{}", seller.country, seller.vat_number);
    numbers.push((words.say("vat_number")?, vat_number));
    Ok(numbers)
}

fn print_buyer(sheet: &mut Sheet, issued: Issued<'_>, words: Words) -> Result<()> {
    let (seller, buyer) = (&issued.content.seller, &issued.content.buyer);
    sheet.y = WINDOW;
    let Buyer {
        company_name,
        street,
        postal_code,
        city,
        ..
    } = buyer;
    let city = format!("{postal_code} {city}");
    for line in [company_name, street, &city] {
        sheet.paragraph(MARGIN, WINDOW_WIDTH, ADDRESS, line)?;
    }
    if buyer.country != seller.country {
        let country = words::country(words.0, &buyer.country);
        sheet.paragraph(MARGIN, WINDOW_WIDTH, ADDRESS, country)?;
    }
    Ok(())
}

/// The cells of the table: a name and a value each.
fn table(issued: Issued<'_>, words: Words) -> Result<Vec<(String, String)>> {
    let (content, date) = (issued.content, |day| words::date(words.0, day));
    let is_invoice = issued.kind == InvoiceKind::Invoice;
    let (number, issued_on) = match is_invoice {
        true => ("number", "issued"),
        false => ("credit_note_number", "credit_note_issued"),
    };
    let corrected = content.corrects.as_ref().map(|one| {
        let values = context! { number => &one.number, issued => one.issued_date.to_string() };
        words.fill("corrected", values)
    });
    let reference = content.payment.reference.as_deref().filter(|_| is_invoice);
    let cells = [
        (number, Some(issued.number.to_owned())),
        (issued_on, Some(date(issued.issued_date))),
        ("due", issued.due_date.map(date)),
        ("corrects", corrected.transpose()?),
        ("account_number", Some(content.buyer.account_number.clone())),
        ("member_number", Some(content.buyer.member_number.clone())),
        ("reference", reference.map(grouped)),
        ("your_reference", content.buyer.your_reference.clone()),
    ];
    let filled = cells.into_iter().filter_map(|(name, value)| {
        let value = value.filter(|value| !value.is_empty())?;
        Some(words.say(name).map(|name| (name, value)))
    });
    filled.collect()
}

fn print_table(sheet: &mut Sheet, cells: &[(String, String)]) -> Result<()> {
    sheet.rule(0.7);
    sheet.y += 7.0;
    for row in cells.chunks(COLUMNS) {
        let (top, mut bottom) = (sheet.y, sheet.y);
        for (column, (name, value)) in row.iter().enumerate() {
            let x = MARGIN + COLUMN * column as f32;
            sheet.y = top;
            sheet.text(x, SMALL, name)?;
            sheet.y += SMALL.leading();
            sheet.paragraph(x, COLUMN - 10.0, BODY, value)?;
            bottom = bottom.max(sheet.y);
        }
        sheet.y = bottom + 5.0;
    }
    sheet.rule(0.7);
    sheet.y += 16.0;
    Ok(())
}
