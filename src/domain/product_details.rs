//! What somebody says of a product: serial number, purchase, guesses; every fault of it at once. Where a product stands is in `product`.

use chrono::NaiveDate;

use super::model::{Category, ModelFacts};
use super::product::{
    DateDoubt, Given, ProductField, ProductRules, check_estimated, check_purchase_date, missing,
};
use super::values::{Country, SerialNumber, same_serial};
use crate::error::{Fault, FaultCode};
use crate::types::text_enum;

/// What is said of a product; each field may be missing, and each may be a guess.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Details {
    /// As typed.
    pub serial_number: Option<String>,
    /// The day of the purchase.
    pub purchase_date: Option<NaiveDate>,
    /// The country of the purchase.
    pub purchase_country: Option<Country>,
    /// Who sold it.
    pub dealer: Option<String>,
    /// Which of these are guesses.
    pub estimated: Vec<ProductField>,
    /// What was sent and could not be read: no rule looks at it.
    pub unread: Unread,
}

/// Fields that were sent and could not be read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unread {
    /// Mandatory ones.
    pub fields: Vec<ProductField>,
    /// Which are guesses is not known.
    pub estimated: bool,
}

impl Details {
    /// The mandatory fields that are not there.
    pub fn missing(&self) -> Vec<ProductField> {
        let is_sent = |field| self.unread.fields.contains(&field);
        missing(Given {
            serial_number: self.serial_number.is_some() || is_sent(ProductField::SerialNumber),
            purchase_date: self.purchase_date.is_some() || is_sent(ProductField::PurchaseDate),
            purchase_country: self.purchase_country.is_some()
                || is_sent(ProductField::PurchaseCountry),
            dealer: self.dealer.is_some() || is_sent(ProductField::Dealer),
        })
    }

    /// Which guesses of `before` are guesses still: what was changed or cleared is none any more, unless the change says so (rules, section 5).
    pub fn still_estimated(&self, before: &Self) -> Vec<ProductField> {
        let missing = self.missing();
        let is_same = |field: &ProductField| match field {
            ProductField::SerialNumber => {
                let (new, old) = (
                    self.serial_number.as_deref(),
                    before.serial_number.as_deref(),
                );
                new.zip(old).is_some_and(|(new, old)| same_serial(new, old))
            }
            ProductField::PurchaseDate => self.purchase_date == before.purchase_date,
            ProductField::PurchaseCountry => self.purchase_country == before.purchase_country,
            ProductField::Dealer => self.dealer == before.dealer,
        };
        let is_kept = |field: &&ProductField| {
            before.estimated.contains(field) && !missing.contains(field) && is_same(field)
        };
        ProductField::ALL.iter().filter(is_kept).copied().collect()
    }
}

impl Details {
    /// With what a dealer says of the same product, whose word counts where something is missing or a guess.
    pub fn confirmed_by(self, said: &Self) -> Self {
        let Self {
            mut estimated,
            unread,
            ..
        } = self;
        let is_guess = |field| estimated.contains(&field);
        let known = Self {
            serial_number: settled(
                self.serial_number,
                is_guess(ProductField::SerialNumber),
                &said.serial_number,
            ),
            purchase_date: settled(
                self.purchase_date,
                is_guess(ProductField::PurchaseDate),
                &said.purchase_date,
            ),
            purchase_country: settled(
                self.purchase_country,
                is_guess(ProductField::PurchaseCountry),
                &said.purchase_country,
            ),
            dealer: settled(self.dealer, is_guess(ProductField::Dealer), &said.dealer),
            estimated: Vec::new(),
            unread,
        };
        let missing_there = said.missing();
        estimated.retain(|field| missing_there.contains(field));
        Self { estimated, ..known }
    }
}

/// What was said first, unless that is nothing or a guess and the other one knows.
fn settled<T: Clone>(own: Option<T>, is_guess: bool, said: &Option<T>) -> Option<T> {
    match own {
        Some(own) if !is_guess => Some(own),
        own => said.clone().or(own),
    }
}

text_enum! {
    /// What passes, but is odd.
    pub enum Warning {
        /// The guessed purchase date is before the model's launch.
        BeforeLaunch = "before_launch",
    }
}

/// Details that passed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedDetails {
    /// The serial number, read.
    pub serial: Option<SerialNumber>,
    /// The rest, as said; blank texts are none.
    pub details: Details,
    /// The mandatory fields that are not there.
    pub missing: Vec<ProductField>,
    /// What is odd.
    pub warnings: Vec<Warning>,
}

impl CheckedDetails {
    /// Of what was checked before, when it was stored.
    pub fn known(serial: Option<SerialNumber>, details: Details) -> Self {
        Self {
            serial,
            missing: details.missing(),
            details,
            warnings: Vec::new(),
        }
    }
}

/// Checks what is said of a product of `model`; without one, what holds for every model (rules, section 5).
pub fn check(
    details: &Details,
    model: Option<&ModelFacts>,
    today: NaiveDate,
    rules: &ProductRules,
) -> Result<CheckedDetails, Vec<Fault>> {
    let details = trimmed(details);
    let missing = details.missing();
    let mut faults = check_estimated(&details.estimated, &missing);
    let typed = details.serial_number.as_deref();
    let serial = typed.map(|typed| read_serial(typed, model, rules));
    let serial = serial.transpose().unwrap_or_else(|code| {
        faults.push(Fault::new("#/serial_number", code));
        None
    });
    let is_guess = details.estimated.contains(&ProductField::PurchaseDate);
    let launched = model.and_then(|model| model.launched_date);
    let mut warnings = Vec::new();
    match details
        .purchase_date
        .map(|date| check_purchase_date(date, today, launched, is_guess))
    {
        None | Some(Ok(DateDoubt::None)) => {}
        Some(Ok(DateDoubt::BeforeLaunch)) => warnings.push(Warning::BeforeLaunch),
        Some(Err(FaultCode::BeforeLaunch)) if details.unread.estimated => {}
        Some(Err(code)) => faults.push(date_fault(code, launched)),
    }
    if faults.is_empty() {
        Ok(CheckedDetails {
            serial,
            details,
            missing,
            warnings,
        })
    } else {
        Err(faults)
    }
}

fn date_fault(code: FaultCode, launched: Option<NaiveDate>) -> Fault {
    let fault = Fault::new("#/purchase_date", code);
    match (code, launched) {
        (FaultCode::BeforeLaunch, Some(launched)) => fault.with("launched", launched),
        _ => fault,
    }
}

fn trimmed(details: &Details) -> Details {
    let filled = |text: &Option<String>| {
        let text = text.as_deref().map(str::trim);
        text.filter(|text| !text.is_empty()).map(str::to_owned)
    };
    Details {
        serial_number: filled(&details.serial_number),
        dealer: filled(&details.dealer),
        ..details.clone()
    }
}

fn read_serial(
    typed: &str,
    model: Option<&ModelFacts>,
    rules: &ProductRules,
) -> Result<SerialNumber, FaultCode> {
    let category = model.map_or(Category::Camera, |model| model.category);
    let serial = SerialNumber::parse(typed, category, rules)?;
    let pattern = model.and_then(|model| model.serial_pattern.as_ref());
    match pattern {
        Some(pattern) if !pattern.admits(&serial.shown) => Err(FaultCode::SerialFormat),
        _ => Ok(serial),
    }
}

#[cfg(test)]
mod tests {
    use super::super::model::SerialPattern;
    use super::super::product::tests::rules;
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn lens() -> ModelFacts {
        ModelFacts {
            category: Category::Lens,
            launched_date: Some(day("2012-06-08")),
            serial_pattern: None,
        }
    }

    fn faults(details: &Details, model: Option<&ModelFacts>) -> Vec<(String, &'static str)> {
        let faults = check(details, model, day("2026-06-01"), &rules()).unwrap_err();
        faults
            .into_iter()
            .map(|fault| (fault.pointer, fault.code.as_str()))
            .collect()
    }

    #[test]
    fn every_fault_of_a_product_is_told_at_once() {
        let details = Details {
            serial_number: Some("4549292132106".to_owned()),
            purchase_date: Some(day("2026-06-02")),
            estimated: vec![ProductField::Dealer],
            ..Details::default()
        };
        let wanted = [
            ("#/estimated/0", "estimated_without_value"),
            ("#/serial_number", "serial_is_barcode"),
            ("#/purchase_date", "date_in_future"),
        ];
        assert_eq!(
            faults(&details, None),
            wanted.map(|(at, code)| (at.to_owned(), code))
        );
    }

    #[test]
    fn what_a_dealer_says_counts_where_something_is_missing_or_a_guess() {
        let own = Details {
            serial_number: Some("12021001234".to_owned()),
            purchase_date: Some(day("2024-05-17")),
            dealer: Some("Kamerahuset".to_owned()),
            estimated: vec![ProductField::SerialNumber, ProductField::Dealer],
            ..Details::default()
        };
        let said = Details {
            serial_number: Some("012021001234".to_owned()),
            purchase_date: Some(day("2024-05-18")),
            purchase_country: Some(Country::DK),
            dealer: Some("Foto Nord".to_owned()),
            ..Details::default()
        };
        let both = own.clone().confirmed_by(&said);
        let wanted = Details {
            purchase_date: own.purchase_date,
            ..said.clone()
        };
        assert_eq!(both, wanted);
        // What nobody knows better stays a guess.
        let nothing = Details::default();
        assert_eq!(own.clone().confirmed_by(&nothing), own);
        assert_eq!(both.clone().confirmed_by(&own), both);
    }

    #[test]
    fn what_is_changed_is_no_guess_any_more() {
        let before = Details {
            serial_number: Some("012021001234".to_owned()),
            purchase_date: Some(day("2026-05-02")),
            dealer: Some("Foto Nord".to_owned()),
            estimated: vec![ProductField::Dealer, ProductField::SerialNumber],
            ..Details::default()
        };
        let with_serial = |serial: Option<&str>| Details {
            serial_number: serial.map(str::to_owned),
            ..before.clone()
        };
        let both = [ProductField::SerialNumber, ProductField::Dealer];
        assert_eq!(before.still_estimated(&before), both);
        let typed_again = with_serial(Some(" 12021-001 234"));
        assert_eq!(typed_again.still_estimated(&before), both);
        for other in [Some("012021001235"), None] {
            let changed = with_serial(other).still_estimated(&before);
            assert_eq!(changed, [ProductField::Dealer], "{other:?}");
        }
        let moved = Details {
            dealer: Some("Foto Syd".to_owned()),
            ..before.clone()
        };
        assert_eq!(moved.still_estimated(&before), [ProductField::SerialNumber]);
    }

    #[test]
    fn nothing_is_said_of_what_could_not_be_read() {
        let details = Details {
            purchase_date: Some(day("2012-06-07")),
            estimated: vec![ProductField::SerialNumber, ProductField::Dealer],
            unread: Unread {
                fields: vec![ProductField::SerialNumber],
                estimated: false,
            },
            ..Details::default()
        };
        let wanted = [
            ("#/estimated/1", "estimated_without_value"),
            ("#/purchase_date", "before_launch"),
        ];
        let wanted = wanted.map(|(at, code)| (at.to_owned(), code));
        assert_eq!(faults(&details, Some(&lens())), wanted);
        let unsure = Details {
            estimated: Vec::new(),
            unread: Unread {
                fields: Vec::new(),
                estimated: true,
            },
            ..details
        };
        assert!(check(&unsure, Some(&lens()), day("2026-06-01"), &rules()).is_ok());
    }

    #[test]
    fn the_model_knows_more_than_the_rules_for_all() {
        let details = Details {
            serial_number: Some("AB12345".to_owned()),
            purchase_date: Some(day("2012-06-07")),
            ..Details::default()
        };
        assert!(check(&details, None, day("2026-06-01"), &rules()).is_ok());
        assert_eq!(faults(&details, Some(&lens())).len(), 2);
        let patterned = ModelFacts {
            category: Category::Video,
            launched_date: None,
            serial_pattern: Some(SerialPattern::new("^[0-9]{12}$")),
        };
        assert_eq!(
            faults(&details, Some(&patterned)),
            [("#/serial_number".to_owned(), "serial_format")]
        );
    }

    #[test]
    fn a_guessed_date_before_the_launch_passes_with_a_warning_and_blanks_are_missing() {
        let details = Details {
            serial_number: Some("  ".to_owned()),
            purchase_date: Some(day("2012-06-07")),
            dealer: Some(" Foto Nord ".to_owned()),
            estimated: vec![ProductField::PurchaseDate],
            ..Details::default()
        };
        let passed = check(&details, Some(&lens()), day("2026-06-01"), &rules()).unwrap();
        assert_eq!(passed.warnings, [Warning::BeforeLaunch]);
        assert_eq!(passed.details.dealer.as_deref(), Some("Foto Nord"));
        assert_eq!(
            passed.missing,
            [ProductField::SerialNumber, ProductField::PurchaseCountry]
        );
    }
}
