//! What is printed of an invoice or a credit note, from top to bottom. The head is in `head`, lines and sums in `lines`, how it is paid in `payment`.

mod head;
mod lines;
mod payment;

use super::sheet::{FOOT, INNER, MARGIN, Mark, RIGHT, Sheet, Style};
use crate::domain::einvoice::Issued;
use crate::domain::invoice::InvoiceKind;
use crate::domain::language::Language;
use crate::domain::money::Amount;
use crate::domain::words;
use crate::error::Result;
use crate::texts::{Subject, Value, context, render};

const BODY: Style = Style::regular(9.0);
const BODY_BOLD: Style = Style::bold(9.0);
const NOTICE: Style = Style::regular(8.5);
const SMALL: Style = Style::regular(8.0).pale();

/// The words of a language.
#[derive(Debug, Clone, Copy)]
pub struct Words(pub Language);

impl Words {
    pub fn say(self, key: &str) -> Result<String> {
        self.fill(key, Value::UNDEFINED)
    }

    pub fn fill(self, key: &str, values: Value) -> Result<String> {
        render(Subject::Printed, key, self.0, values)
    }

    /// What a document of this kind is called.
    pub fn title(self, kind: InvoiceKind) -> Result<String> {
        self.say(kind.as_str())
    }

    pub fn amount(self, cents: i64) -> String {
        words::amount(self.0, Amount(cents))
    }
}

/// The pages.
pub fn pages(issued: Issued<'_>, words: Words) -> Result<Vec<Vec<Mark>>> {
    let mut sheet = Sheet::new(MARGIN + 34.0);
    head::print(&mut sheet, issued, words)?;
    lines::print(&mut sheet, issued, words)?;
    lines::print_sums(&mut sheet, issued, words)?;
    if issued.kind == InvoiceKind::Invoice {
        payment::print(&mut sheet, issued, words)?;
    }
    print_notices(&mut sheet, &issued.content.notices)?;
    print_edges(sheet, issued, words)
}

fn print_notices(sheet: &mut Sheet, notices: &[String]) -> Result<()> {
    sheet.y += 12.0;
    for notice in notices {
        sheet.paragraph(MARGIN, INNER, NOTICE, notice)?;
        sheet.y += 3.0;
    }
    Ok(())
}

/// What every page says of itself, at its foot and, from the second on, at its head.
fn print_edges(mut sheet: Sheet, issued: Issued<'_>, words: Words) -> Result<Vec<Vec<Mark>>> {
    let title = format!("{} {}", words.title(issued.kind)?, issued.number);
    let mut finished = Vec::new();
    let pages = std::mem::take(&mut sheet.pages);
    let count = pages.len();
    for (page, marks) in (1..).zip(pages) {
        sheet.pages = vec![marks];
        if page > 1 {
            sheet.y = MARGIN;
            sheet.text(MARGIN, BODY_BOLD, &title)?;
            sheet.text_to(RIGHT, SMALL, &issued.content.seller.name)?;
            sheet.y = MARGIN + 18.0;
            sheet.rule(0.5);
        }
        sheet.y = FOOT - 12.0;
        sheet.rule(0.5);
        sheet.y = FOOT - SMALL.size;
        sheet.text(MARGIN, SMALL, &title)?;
        let of_pages = words.fill("page", context! { page, pages => count })?;
        sheet.text_to(RIGHT, SMALL, &of_pages)?;
        finished.append(&mut sheet.pages);
    }
    Ok(finished)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::texts::{keys, placeholders};

    #[test]
    fn each_text_names_what_it_is_given() {
        let given: [(&str, &[&str]); 8] = [
            ("page", &["page", "pages"]),
            ("corrected", &["number", "issued"]),
            ("vat_standard", &["percent", "base"]),
            ("vat_reverse_charge", &["base"]),
            ("vat_outside_scope", &["base"]),
            ("gross", &["currency"]),
            ("credited", &["currency"]),
            ("card_shown", &["brand", "last4"]),
        ];
        for key in keys(Subject::Printed) {
            let names = given.iter().find(|(one, _)| *one == key);
            let names = names.map(|(_, names)| names.iter().map(ToString::to_string));
            let names: BTreeSet<String> = names.into_iter().flatten().collect();
            let named = placeholders(Subject::Printed, &key, Language::Da);
            assert_eq!(named, names, "{key}");
        }
    }
}
