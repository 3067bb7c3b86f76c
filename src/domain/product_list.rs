//! The products of an account taken together: in which order, which of them a query finds, and what they come to.

use super::model::{search_key, search_words};
use super::product::ProductStatus;
use super::values::serial_key;
use crate::types::text_enum;

text_enum! {
    /// The order in which products are listed.
    pub enum ProductSort {
        /// The newest registration first.
        Newest = "newest",
        /// The oldest registration first.
        Oldest = "oldest",
        /// By the name of the model; of one model the newest registration first.
        Model = "model",
    }
}

/// A shorter part of a serial number is none: `4` stands in most of them.
const SHORTEST_SERIAL_PART: usize = 4;

/// What somebody looks for among products.
#[derive(Debug, Clone)]
pub struct ProductQuery {
    words: Vec<String>,
    /// All of it as one serial number, as those are compared.
    serial_key: String,
}

/// What a product is found by.
#[derive(Debug, Clone, Copy)]
pub struct Findable<'a> {
    /// The model's name as it is looked through.
    pub model: &'a str,
    /// The serial number as it is shown.
    pub serial_number: Option<&'a str>,
    /// Where it was bought.
    pub dealer: Option<&'a str>,
}

impl ProductQuery {
    /// What was typed: read as a model's name is when models are looked for.
    pub fn read(typed: &str) -> Self {
        Self {
            words: search_words(typed),
            serial_key: serial_key(typed),
        }
    }

    /// Whether it says nothing, so that all products are found.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// Whether each word stands in the model's name, the serial number or the dealer's name, or all of it in the serial number.
    pub fn finds(&self, product: Findable<'_>) -> bool {
        let key = |text: Option<&str>| text.map(search_key).unwrap_or_default();
        let (serial_number, dealer) = (key(product.serial_number), key(product.dealer));
        let is_somewhere = |word: &String| {
            let is_named = product.model.contains(word.as_str()) || dealer.contains(word.as_str());
            is_named || is_part(word, &serial_number)
        };
        let shown = product.serial_number.unwrap_or_default();
        self.words.iter().all(is_somewhere) || is_part(&self.serial_key, shown)
    }
}

fn is_part(word: &str, serial_number: &str) -> bool {
    word.len() >= SHORTEST_SERIAL_PART && serial_number.contains(word)
}

/// Products that stand alike: of one status and one model, with the same points.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Alike {
    /// Where they stand.
    pub status: ProductStatus,
    /// How many they are.
    pub products: i64,
    /// What each of them gave, where its award stands.
    pub granted: Option<i64>,
    /// What each of them is worth today.
    pub worth: i64,
}

/// What the products of an account come to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ProductSummary {
    /// With the green tick.
    pub complete: i64,
    /// Something is missing.
    pub incomplete: i64,
    /// Held until staff have looked.
    pub disputed: i64,
    /// The points that they gave and that were not taken back.
    pub points_granted: i64,
    /// The points that the incomplete ones give once nothing is missing.
    pub points_missing: i64,
    /// The points that follow by themselves, of products that lack nothing.
    pub points_pending: i64,
}

impl ProductSummary {
    /// The sum; offers and what has ended do not count.
    pub fn of(all: impl IntoIterator<Item = Alike>) -> Self {
        let mut sum = Self::default();
        for alike in all {
            let (count, waits) = match alike.status {
                ProductStatus::Complete => (&mut sum.complete, &mut sum.points_pending),
                ProductStatus::Incomplete => (&mut sum.incomplete, &mut sum.points_missing),
                ProductStatus::Disputed => (&mut sum.disputed, &mut sum.points_pending),
                ProductStatus::Offered | ProductStatus::Ended => continue,
            };
            *count += alike.products;
            match alike.granted {
                Some(points) => sum.points_granted += points * alike.products,
                None => *waits += alike.worth * alike.products,
            }
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_product_is_found_as_people_call_it_by_its_serial_number_and_by_its_dealer() {
        let model = search_key("EOS 5D Mark III");
        let product = Findable {
            model: &model,
            serial_number: Some("012021001234"),
            dealer: Some("Foto-Gården Århus"),
        };
        for typed in [
            "",
            " - ",
            "5d mk 3",
            "5dmkiii",
            "EOS-5D",
            "0120-2100",
            "12021001234",
            "00012021001234",
            "01 2021 001234 (body)",
            "fotogården",
            "foto ga\u{30a}rden",
            "FOTO ÅRHUS",
            "5d århus 1234",
        ] {
            assert!(ProductQuery::read(typed).finds(product), "{typed}");
        }
        for typed in [
            "5d mk 4",
            "5d odense",
            "99",
            "123",
            "%",
            "_",
            "012021001234 r6",
        ] {
            assert!(!ProductQuery::read(typed).finds(product), "{typed}");
        }
    }

    #[test]
    fn what_is_not_known_of_a_product_is_not_found() {
        let model = search_key("RF 50mm f/1.8 STM");
        let bare = Findable {
            model: &model,
            serial_number: None,
            dealer: None,
        };
        assert!(ProductQuery::read("rf50 1.8").finds(bare));
        assert!(!ProductQuery::read("0").finds(Findable { model: "", ..bare }));
        assert!(ProductQuery::read("").is_empty() && !ProductQuery::read("0").is_empty());
    }

    #[test]
    fn points_are_there_or_missing_or_follow_by_themselves() {
        let alike = |status, products, granted, worth| Alike {
            status,
            products,
            granted,
            worth,
        };
        let sum = ProductSummary::of([
            alike(ProductStatus::Complete, 3, Some(235), 250),
            alike(ProductStatus::Complete, 2, None, 10),
            alike(ProductStatus::Incomplete, 4, None, 15),
            alike(ProductStatus::Disputed, 1, Some(7), 8),
            alike(ProductStatus::Disputed, 1, None, 8),
            alike(ProductStatus::Offered, 9, None, 9),
            alike(ProductStatus::Ended, 9, None, 9),
        ]);
        let expected = ProductSummary {
            complete: 5,
            incomplete: 4,
            disputed: 2,
            points_granted: 3 * 235 + 7,
            points_missing: 4 * 15,
            points_pending: 2 * 10 + 8,
        };
        assert_eq!(sum, expected);
    }
}
