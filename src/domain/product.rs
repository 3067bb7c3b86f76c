//! A registered product: what makes it complete, what it may say, and whose a serial is.

use chrono::{NaiveDate, TimeDelta};
use serde::Deserialize;

use crate::error::{Fault, FaultCode};
use crate::types::{Instant, id, text_enum};

pub use super::end_reason::{EndReason, OwnersReason};

id!(
    /// The identity of a registered product.
    ProductId, "prd_"
);

text_enum! {
    /// Where a registration stands.
    pub enum ProductStatus {
        /// A mandatory field is missing, or the serial belongs to somebody else.
        Incomplete = "incomplete",
        /// The green tick.
        Complete = "complete",
        /// Held until staff have looked.
        Disputed = "disputed",
        /// A dealer offers it, the customer has not answered.
        Offered = "offered",
        /// Ended; why says the end reason.
        Ended = "ended",
    }
}

text_enum! {
    /// Why a product that lacks nothing has no points yet; they follow by themselves.
    pub enum PointsPending {
        /// Its serial number is a guess, and as many guesses as may earn at once do; it earns when staff have looked, or when one of those ends.
        SerialCheck = "serial_check",
        /// The value of its model begins later.
        ValueNotValidYet = "value_not_valid_yet",
        /// Its serial number is held until staff have looked.
        Disputed = "disputed",
    }
}

text_enum! {
    /// How well it is known that a product is what its owner says, the weakest first. It decides nothing by itself; staff see it.
    pub enum Evidence {
        /// Its owner says so.
        Stated = "stated",
        /// A dealer reported it.
        Dealer = "dealer",
        /// A document proves it.
        Document = "document",
        /// Staff looked at it.
        Staff = "staff",
    }
}

text_enum! {
    /// A mandatory field of a product; also a name in `missing[]` and `estimated[]`.
    #[allow(missing_docs)]
    pub enum ProductField {
        SerialNumber = "serial_number",
        PurchaseDate = "purchase_date",
        PurchaseCountry = "purchase_country",
        Dealer = "dealer",
    }
}

/// Section `[products]` of the programme.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProductRules {
    /// Days for which an incomplete registration keeps its serial number.
    pub reserve_days: u32,
    /// Products of one account that earn points on an estimated serial number before staff have looked.
    pub estimated_serials_that_earn: usize,
    /// The fewest letters and digits of a serial number.
    pub serial_min_characters: usize,
    /// The most letters and digits of a serial number.
    pub serial_max_characters: usize,
    /// The numbers of digits that a lens may have.
    pub lens_serial_digits: Vec<usize>,
}

/// Which of the mandatory fields a product has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Given {
    /// The serial number is known and not somebody else's.
    pub serial_number: bool,
    /// The purchase date is known.
    pub purchase_date: bool,
    /// The country of purchase is known.
    pub purchase_country: bool,
    /// The dealer is known.
    pub dealer: bool,
}

/// The mandatory fields that are not there, in the order of [`ProductField`].
pub fn missing(given: Given) -> Vec<ProductField> {
    let has = |field: &ProductField| match field {
        ProductField::SerialNumber => given.serial_number,
        ProductField::PurchaseDate => given.purchase_date,
        ProductField::PurchaseCountry => given.purchase_country,
        ProductField::Dealer => given.dealer,
    };
    ProductField::ALL
        .iter()
        .filter(|field| !has(field))
        .copied()
        .collect()
}

/// What besides its fields decides where a product stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Conditions {
    /// It was ended.
    pub ended: bool,
    /// A dealer offers it.
    pub offered: bool,
    /// It is held until staff have looked.
    pub disputed: bool,
}

/// Where a product stands; a best guess counts as a value (rules, section 5).
pub fn status(missing: &[ProductField], conditions: Conditions) -> ProductStatus {
    if conditions.ended {
        ProductStatus::Ended
    } else if conditions.offered {
        ProductStatus::Offered
    } else if conditions.disputed {
        ProductStatus::Disputed
    } else if missing.is_empty() {
        ProductStatus::Complete
    } else {
        ProductStatus::Incomplete
    }
}

/// What is wrong with `estimated`: a name without a value, or twice.
pub fn check_estimated(estimated: &[ProductField], missing: &[ProductField]) -> Vec<Fault> {
    let fault = |(at, field): (usize, &ProductField)| {
        let code = if missing.contains(field) {
            FaultCode::EstimatedWithoutValue
        } else if estimated.iter().take(at).any(|other| other == field) {
            FaultCode::NotUnique
        } else {
            return None;
        };
        Some(Fault::new(format!("#/estimated/{at}"), code))
    };
    estimated.iter().enumerate().filter_map(fault).collect()
}

/// A purchase date that passes, perhaps with a doubt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DateDoubt {
    /// Nothing is odd.
    None,
    /// Before the model's launch; passes because it is a guess, with a warning.
    BeforeLaunch,
}

/// A purchase date is not in the future, and not before the model's launch unless it is a guess (rules, section 5).
pub fn check_purchase_date(
    date: NaiveDate,
    today: NaiveDate,
    launched: Option<NaiveDate>,
    estimated: bool,
) -> Result<DateDoubt, FaultCode> {
    let early = launched.is_some_and(|launched| date < launched);
    match (date > today, early, estimated) {
        (true, ..) => Err(FaultCode::DateInFuture),
        (false, true, false) => Err(FaultCode::BeforeLaunch),
        (false, true, true) => Ok(DateDoubt::BeforeLaunch),
        (false, false, _) => Ok(DateDoubt::None),
    }
}

/// The registration that has a serial number already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holder {
    /// It belongs to the newcomer's account.
    pub same_account: bool,
    /// Where it stands.
    pub status: ProductStatus,
    /// Its serial number is a guess.
    pub serial_estimated: bool,
    /// Staff have looked at it, so that a guess counts as known.
    pub checked: bool,
    /// Since when it has the serial number.
    pub serial_since: Instant,
}

/// Whose a contested serial number is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Contest {
    /// The standing product is the answer.
    SameAccount,
    /// The newcomer is refused.
    HolderKeeps,
    /// The newcomer has it; the holder's product loses its serial number and is incomplete.
    HolderFallsBack,
}

/// Whose a serial number is when a second registration names it (rules, section 5). A guess gives way to a serial number that
/// is no guess; an incomplete registration gives way to anybody after `reserve_days`; everything else keeps it.
pub fn contest(
    holder: Holder,
    newcomer_estimated: bool,
    now: Instant,
    reserve_days: u32,
) -> Contest {
    let guess = holder.serial_estimated && !holder.checked;
    let reserved = now.since(holder.serial_since) < TimeDelta::days(i64::from(reserve_days));
    if holder.same_account {
        Contest::SameAccount
    } else if !matches!(
        holder.status,
        ProductStatus::Incomplete | ProductStatus::Complete
    ) {
        Contest::HolderKeeps
    } else if (guess && !newcomer_estimated)
        || (holder.status == ProductStatus::Incomplete && !reserved)
    {
        Contest::HolderFallsBack
    } else {
        Contest::HolderKeeps
    }
}

/// Whether a registration of a serial number is held until staff have looked: the number was reported stolen.
pub fn is_held(earlier_ends: &[EndReason]) -> bool {
    earlier_ends.contains(&EndReason::Stolen)
}

/// Whether a complete product earns points: always on a known serial number, on a guess only while fewer than `limit` other
/// products of the account earn on one, or when staff have looked (rules, section 5).
pub fn earns(
    serial_estimated: bool,
    checked: bool,
    others_on_a_guess: usize,
    limit: usize,
) -> bool {
    !serial_estimated || checked || others_on_a_guess < limit
}

/// Why a product of this status that has no points waits for them; `has_value` says whether its model is worth anything by now.
pub fn points_pending(
    status: ProductStatus,
    has_value: bool,
    unchecked_guess: bool,
) -> Option<PointsPending> {
    match status {
        ProductStatus::Disputed => Some(PointsPending::Disputed),
        ProductStatus::Complete if !has_value => Some(PointsPending::ValueNotValidYet),
        ProductStatus::Complete if unchecked_guess => Some(PointsPending::SerialCheck),
        _ => None,
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(crate) fn rules() -> ProductRules {
        ProductRules {
            reserve_days: 30,
            estimated_serials_that_earn: 3,
            serial_min_characters: 5,
            serial_max_characters: 16,
            lens_serial_digits: vec![5, 6, 7, 8, 10, 12],
        }
    }

    const ALL: Given = Given {
        serial_number: true,
        purchase_date: true,
        purchase_country: true,
        dealer: true,
    };

    #[test]
    fn four_fields_make_the_green_tick() {
        let conditions = Conditions::default();
        assert_eq!(status(&missing(ALL), conditions), ProductStatus::Complete);
        let without = missing(Given {
            purchase_date: false,
            dealer: false,
            ..ALL
        });
        assert_eq!(without, [ProductField::PurchaseDate, ProductField::Dealer]);
        assert_eq!(status(&without, conditions), ProductStatus::Incomplete);
        let disputed = Conditions {
            disputed: true,
            ..conditions
        };
        assert_eq!(status(&[], disputed), ProductStatus::Disputed);
        let ended = Conditions {
            ended: true,
            disputed: true,
            offered: true,
        };
        assert_eq!(status(&[], ended), ProductStatus::Ended);
    }

    #[test]
    fn a_guess_needs_a_value_and_is_named_once() {
        let missing = [ProductField::Dealer];
        let estimated = [
            ProductField::SerialNumber,
            ProductField::Dealer,
            ProductField::SerialNumber,
        ];
        let faults = check_estimated(&estimated, &missing);
        assert_eq!(
            faults,
            [
                Fault::new("#/estimated/1", FaultCode::EstimatedWithoutValue),
                Fault::new("#/estimated/2", FaultCode::NotUnique),
            ]
        );
    }

    #[test]
    fn a_product_with_a_tick_and_no_points_says_why() {
        use ProductStatus::{Complete, Disputed, Ended, Incomplete};
        for (status, has_value, guess, pending) in [
            (Complete, true, false, None),
            (Complete, true, true, Some(PointsPending::SerialCheck)),
            (Complete, false, true, Some(PointsPending::ValueNotValidYet)),
            (Disputed, true, false, Some(PointsPending::Disputed)),
            (Incomplete, false, true, None),
            (Ended, false, true, None),
        ] {
            assert_eq!(
                points_pending(status, has_value, guess),
                pending,
                "{status}"
            );
        }
    }

    #[test]
    fn a_purchase_lies_between_the_launch_and_today() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let (today, launch) = (day("2026-06-08"), Some(day("2012-03-02")));
        let check = |date, estimated| check_purchase_date(day(date), today, launch, estimated);
        assert_eq!(check("2026-06-09", true), Err(FaultCode::DateInFuture));
        assert_eq!(check("2026-06-08", false), Ok(DateDoubt::None));
        assert_eq!(check("2012-03-02", false), Ok(DateDoubt::None));
        assert_eq!(check("2012-03-01", false), Err(FaultCode::BeforeLaunch));
        assert_eq!(check("2012-03-01", true), Ok(DateDoubt::BeforeLaunch));
        assert_eq!(
            check_purchase_date(day("1900-01-01"), today, None, false),
            Ok(DateDoubt::None)
        );
    }

    #[test]
    fn a_serial_number_goes_to_whoever_has_the_better_right() {
        let since: Instant = "2026-06-01T12:00:00Z".parse().unwrap();
        let holder = Holder {
            same_account: false,
            status: ProductStatus::Complete,
            serial_estimated: false,
            checked: false,
            serial_since: since,
        };
        let after = |days| since.plus(TimeDelta::days(days));
        let late = after(400);
        let ask = |holder, estimated, now| contest(holder, estimated, now, 30);
        assert_eq!(ask(holder, false, late), Contest::HolderKeeps);
        assert_eq!(
            ask(
                Holder {
                    same_account: true,
                    ..holder
                },
                false,
                late
            ),
            Contest::SameAccount
        );
        let incomplete = Holder {
            status: ProductStatus::Incomplete,
            ..holder
        };
        let last = after(30).plus(TimeDelta::microseconds(-1));
        assert_eq!(ask(incomplete, false, last), Contest::HolderKeeps);
        assert_eq!(ask(incomplete, true, after(30)), Contest::HolderFallsBack);
        let guess = Holder {
            serial_estimated: true,
            ..holder
        };
        assert_eq!(ask(guess, false, since), Contest::HolderFallsBack);
        assert_eq!(ask(guess, true, late), Contest::HolderKeeps);
        assert_eq!(
            ask(
                Holder {
                    checked: true,
                    ..guess
                },
                false,
                late
            ),
            Contest::HolderKeeps
        );
        let disputed = Holder {
            status: ProductStatus::Disputed,
            ..guess
        };
        assert_eq!(ask(disputed, false, late), Contest::HolderKeeps);
    }

    #[test]
    fn a_stolen_serial_number_is_held() {
        assert!(is_held(&[EndReason::Sold, EndReason::Stolen]));
        assert!(!is_held(&[EndReason::Sold]));
    }

    #[test]
    fn three_guessed_serial_numbers_earn() {
        assert!(earns(true, false, 2, 3));
        assert!(!earns(true, false, 3, 3));
        assert!(earns(true, true, 3, 3));
        assert!(earns(false, false, 99, 3));
    }
}
