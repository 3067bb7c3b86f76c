//! An answer in words: for everybody from the programme, for a member from the own account.

use super::texts::{Item, faq};
use crate::domain::language::Language;
use crate::domain::legacy_migration::Availability;
use crate::domain::membership::{Level, Track};
use crate::programme::Programme;
use crate::workflows::faq::{Facts, LevelFacts, ProductFacts, Unticked};

/// The answer for everybody.
pub fn general(item: &Item, programme: &Programme, language: Language) -> String {
    let values: Vec<(&str, String)> = item
        .params
        .iter()
        .map(|name| (name.as_str(), number(name, programme)))
        .collect();
    item.answer.fill(language, &values)
}

/// A number of the programme, by the name that answers use.
fn number(name: &str, programme: &Programme) -> String {
    let corporate = || {
        let levels = programme.levels.iter();
        levels
            .filter(|level| level.track == Track::Corporate)
            .map(Level::opens_at)
            .min()
            .unwrap_or_default()
    };
    match name {
        "invoice_months" => programme.application.business_invoice_months.to_string(),
        "working_days" => programme.review.working_days.to_string(),
        "first_link_hours" => programme.passwords.first_link_hours.to_string(),
        "estimated_serials" => programme.products.estimated_serials_that_earn.to_string(),
        "invitation_points" => programme.invitation.points.to_string(),
        "corporate_above" => corporate().to_string(),
        "due_days" => programme.invoice.due_days.to_string(),
        "reserve_days" => programme.products.reserve_days.to_string(),
        _ => String::new(),
    }
}

/// The answer that an account makes of a question; nothing where it makes no difference.
pub fn own(item: &Item, facts: &Facts, language: Language) -> Option<String> {
    match item.id.as_str() {
        "no_migrate_button" => migration(item, facts.migration, language),
        "no_green_tick" => ticks(item, &facts.products, language),
        "no_level" => levels(item, &facts.level, language),
        _ => None,
    }
}

fn migration(item: &Item, availability: Availability, language: Language) -> Option<String> {
    match availability {
        Availability::Available { products } => {
            let products = ("products", products.to_string());
            item.variant("available", language, &[products])
        }
        Availability::Unavailable(reason) => item.variant(reason.as_str(), language, &[]),
    }
}

fn levels(item: &Item, facts: &LevelFacts, language: Language) -> Option<String> {
    if let Some((level, ends_date)) = &facts.membership {
        let values = [
            ("level", level.clone()),
            ("ends_date", ends_date.to_string()),
        ];
        return item.variant("member", language, &values);
    }
    if facts.owes {
        return item.variant("payment_due", language, &[]);
    }
    let next = facts.next.as_ref().map(|(level, missing)| {
        [
            ("points", facts.points.to_string()),
            ("points_missing", missing.to_string()),
            ("level", level.clone()),
        ]
    });
    if facts.open.is_empty() {
        return item.variant("missing", language, &next?);
    }
    let open = [("levels", facts.open.join(", "))];
    let open = item.variant("open", language, &open)?;
    match next.and_then(|values| item.variant("next", language, &values)) {
        Some(next) => Some(format!("{open} {next}")),
        None => Some(open),
    }
}

fn ticks(item: &Item, facts: &ProductFacts, language: Language) -> Option<String> {
    if !facts.has_any {
        return item.variant("no_products", language, &[]);
    }
    if facts.unticked.is_empty() {
        return item.variant("all_complete", language, &[]);
    }
    let intro = item.variant("incomplete_intro", language, &[]);
    let lines = facts
        .unticked
        .iter()
        .map(|product| tick(item, product, language));
    let more = facts
        .has_more
        .then(|| item.variant("more", language, &[]))
        .flatten();
    let all: Vec<String> = [intro]
        .into_iter()
        .chain(lines)
        .chain([more])
        .flatten()
        .collect();
    Some(all.join("\n"))
}

fn tick(item: &Item, product: &Unticked, language: Language) -> Option<String> {
    let name = ("product", product.model.clone());
    if product.missing.is_empty() {
        return item.variant("disputed", language, &[name]);
    }
    let fields = product.missing.iter().filter_map(|field| {
        let text = faq().fields.get(field.as_str())?;
        Some(text.fill(language, &[]))
    });
    let fields: Vec<String> = fields.collect();
    let missing = ("missing", fields.join(", "));
    item.variant("incomplete", language, &[name, missing])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::programme::SHIPPED;

    #[test]
    fn every_number_that_an_answer_names_is_in_the_programme() {
        let programme = Programme::parse(SHIPPED).unwrap();
        for item in &faq().items {
            for name in &item.params {
                assert!(!number(name, &programme).is_empty(), "{name}");
            }
            for language in [Language::Da, Language::En] {
                let answer = general(item, &programme, language);
                assert!(!answer.is_empty() && !answer.contains('{'), "{}", item.id);
            }
        }
    }

    fn item(id: &str) -> &'static Item {
        faq().items.iter().find(|item| item.id == id).unwrap()
    }

    #[test]
    fn a_member_hears_which_product_lacks_what() {
        let product = |model: &str, missing: &[crate::domain::product::ProductField]| Unticked {
            id: uuid::Uuid::nil().into(),
            model: model.to_owned(),
            missing: missing.to_vec(),
        };
        use crate::domain::product::ProductField::{Dealer, SerialNumber};
        let mut facts = ProductFacts {
            has_any: true,
            unticked: vec![
                product("EOS R5", &[SerialNumber, Dealer]),
                product("EOS R6", &[]),
            ],
            has_more: true,
        };
        let answer = ticks(item("no_green_tick"), &facts, Language::Da).unwrap();
        let lines: Vec<&str> = answer.lines().collect();
        assert_eq!(lines.len(), 4, "{answer}");
        assert_eq!(lines[1], "EOS R5: mangler serienummer, forhandler.");
        assert!(lines[2].starts_with("EOS R6: venter"));
        facts.unticked.clear();
        let answer = ticks(item("no_green_tick"), &facts, Language::En).unwrap();
        assert_eq!(answer, "All your products have the green tick.");
    }

    #[test]
    fn a_member_hears_how_many_points_are_missing_or_what_is_open() {
        let facts = LevelFacts {
            points: 480,
            membership: None,
            owes: false,
            open: Vec::new(),
            next: Some(("Silver".to_owned(), 20)),
        };
        let answer = |facts: &LevelFacts| levels(item("no_level"), facts, Language::En).unwrap();
        assert!(answer(&facts).contains("480") && answer(&facts).contains("20 more"));
        let open = LevelFacts {
            points: 1200,
            open: vec!["Silver".to_owned(), "Gold".to_owned()],
            next: Some(("Platinum".to_owned(), 400)),
            ..facts.clone()
        };
        assert_eq!(
            answer(&open),
            "You can choose now: Silver, Gold. The level Platinum opens with 400 more points."
        );
        let owes = LevelFacts { owes: true, ..open };
        assert!(answer(&owes).contains("paid"));
        let ends = "2027-05-31".parse().unwrap();
        let member = LevelFacts {
            membership: Some(("Gold".to_owned(), ends)),
            ..owes
        };
        assert!(answer(&member).contains("Gold") && answer(&member).contains("2027-05-31"));
    }
}
