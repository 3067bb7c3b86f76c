//! The box that says how an invoice is paid.

use super::{BODY, BODY_BOLD, Words};
use crate::domain::einvoice::Issued;
use crate::domain::invoice::v2::Payment;
use crate::domain::invoice::{PaymentMethod, grouped};
use crate::domain::words;
use crate::error::Result;
use crate::integrations::pdf::sheet::{INNER, MARGIN, Sheet, Style};
use crate::texts::context;

/// A line of the box.
enum Row {
    Heading(String),
    /// A name, and its value.
    Value(String, String),
    Gap,
}

impl Row {
    fn height(&self) -> f32 {
        match self {
            Self::Heading(_) => 19.0,
            Self::Value(..) => 14.0,
            Self::Gap => 7.0,
        }
    }
}

const PADDING: f32 = 9.0;
const VALUES: f32 = MARGIN + 145.0;

/// Prints the box, on one page whole.
pub fn print(sheet: &mut Sheet, issued: Issued<'_>, words: Words) -> Result<()> {
    let rows = rows(issued, words)?;
    let height = rows.iter().map(Row::height).sum::<f32>() + 2.0 * PADDING;
    sheet.y += 14.0;
    sheet.make_room(height);
    sheet.bar(MARGIN, INNER, height, 240);
    sheet.y += PADDING;
    for row in &rows {
        match row {
            Row::Heading(text) => sheet.text(MARGIN + PADDING, Style::bold(10.5), text)?,
            Row::Value(name, value) => {
                sheet.text(MARGIN + PADDING, BODY.pale(), name)?;
                sheet.text(VALUES, BODY_BOLD, value)?;
            }
            Row::Gap => {}
        }
        sheet.y += row.height();
    }
    sheet.y += PADDING;
    Ok(())
}

fn rows(issued: Issued<'_>, words: Words) -> Result<Vec<Row>> {
    let payment = &issued.content.payment;
    let amount = words.amount(issued.totals.gross);
    let amount = format!("{} {amount}", issued.currency.as_str());
    let due = issued.due_date.map(|due| words::date(words.0, due));
    let value = |key: &str, value| Ok::<_, crate::error::Error>(Row::Value(words.say(key)?, value));
    let mut rows = Vec::new();
    match payment.method {
        PaymentMethod::Card => {
            rows.push(Row::Heading(words.say("by_card")?));
            rows.push(value("to_pay", amount)?);
            if let Some(card) = &payment.card {
                let shown = context! { brand => &card.brand, last4 => &card.last4 };
                rows.push(value("card", words.fill("card_shown", shown)?)?);
            }
            if let Some(due) = due {
                rows.push(value("charged", due)?);
            }
            rows.extend([Row::Gap, Row::Heading(words.say("transfer_instead")?)]);
        }
        PaymentMethod::BankTransfer => {
            rows.push(Row::Heading(words.say("by_transfer")?));
            rows.push(value("to_pay", amount)?);
            if let Some(due) = due {
                rows.push(value("pay_by", due)?);
            }
        }
    }
    rows.extend(account(payment, words)?);
    Ok(rows)
}

/// Where the money goes.
fn account(payment: &Payment, words: Words) -> Result<Vec<Row>> {
    let of = |name: &str, value: String| Row::Value(name.to_owned(), value);
    let mut rows = vec![
        of("IBAN", grouped(&payment.iban)),
        of("BIC", format!("{}, {}", payment.bic, payment.bank)),
    ];
    if let Some(reference) = &payment.reference {
        rows.push(of(&words.say("reference")?, grouped(reference)));
    }
    if let Some(form) = &payment.inpayment {
        rows.push(of(&words.say("inpayment")?, form.line()));
    }
    Ok(rows)
}
