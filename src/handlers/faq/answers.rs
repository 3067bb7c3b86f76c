//! An answer in words: for everybody from the programme, for a member from the own account.

use super::question::Question;
use crate::domain::language::Language;
use crate::domain::legacy_migration::Availability;
use crate::domain::membership::{Level, Track};
use crate::programme::Programme;
use crate::texts::{Subject, Value, context, say, word};
use crate::workflows::faq::{Facts, LevelFacts, ProductFacts, Unticked};

/// The question itself.
pub fn asked(question: Question, language: Language) -> String {
    say_of(question, "question", language, Value::UNDEFINED)
}

/// The answer for everybody.
pub fn general(question: Question, programme: &Programme, language: Language) -> String {
    say_of(question, "answer", language, numbers(programme))
}

fn say_of(question: Question, part: &str, language: Language, values: Value) -> String {
    say(
        Subject::Faq,
        &format!("{question}.{part}"),
        language,
        values,
    )
}

/// The numbers of the programme that answers name.
fn numbers(programme: &Programme) -> Value {
    let corporate = programme
        .levels
        .iter()
        .filter(|level| level.track == Track::Corporate);
    context! {
        invoice_months => programme.application.business_invoice_months,
        working_days => programme.review.working_days,
        first_link_hours => programme.passwords.first_link_hours,
        estimated_serials => programme.products.estimated_serials_that_earn,
        invitation_points => programme.invitation.points,
        corporate_above => corporate.map(Level::opens_at).min().unwrap_or_default(),
        due_days => programme.invoice.due_days,
        reserve_days => programme.products.reserve_days,
    }
}

/// The answer that an account makes of a question; nothing where it makes no difference.
pub fn own(question: Question, facts: &Facts, language: Language) -> Option<String> {
    match question {
        Question::NoMigrateButton => Some(migration(facts.migration, language)),
        Question::NoGreenTick => Some(ticks(&facts.products, language)),
        Question::NoLevel => levels(&facts.level, language),
        _ => None,
    }
}

fn migration(availability: Availability, language: Language) -> String {
    let own = |key: &str, values| {
        let part = format!("own.{key}");
        say_of(Question::NoMigrateButton, &part, language, values)
    };
    match availability {
        Availability::Available { products } => own("available", context! { products }),
        Availability::Unavailable(reason) => own(reason.as_str(), Value::UNDEFINED),
    }
}

fn levels(facts: &LevelFacts, language: Language) -> Option<String> {
    let own = |key: &str, values| {
        let part = format!("own.{key}");
        say_of(Question::NoLevel, &part, language, values)
    };
    if let Some((level, ends_date)) = &facts.membership {
        let ends_date = ends_date.to_string();
        return Some(own("member", context! { level, ends_date }));
    }
    if facts.owes {
        return Some(own("payment_due", Value::UNDEFINED));
    }
    let next = facts.next.as_ref().map(|(level, points_missing)| {
        context! { points => facts.points, points_missing, level }
    });
    if facts.open.is_empty() {
        return Some(own("missing", next?));
    }
    let open = own("open", context! { levels => facts.open.join(", ") });
    Some(match next {
        Some(next) => format!("{open} {}", own("next", next)),
        None => open,
    })
}

fn ticks(facts: &ProductFacts, language: Language) -> String {
    let own = |key: &str, values| {
        let part = format!("own.{key}");
        say_of(Question::NoGreenTick, &part, language, values)
    };
    if !facts.has_any {
        return own("no_products", Value::UNDEFINED);
    }
    if facts.unticked.is_empty() {
        return own("all_complete", Value::UNDEFINED);
    }
    let line = |product: &Unticked| match missing(product, language) {
        missing if missing.is_empty() => own("disputed", context! { product => &*product.model }),
        missing => own(
            "incomplete",
            context! { product => &*product.model, missing },
        ),
    };
    let intro = own("incomplete_intro", Value::UNDEFINED);
    let more = facts.has_more.then(|| own("more", Value::UNDEFINED));
    let lines = facts.unticked.iter().map(line);
    let all: Vec<String> = [intro].into_iter().chain(lines).chain(more).collect();
    all.join("\n")
}

/// What a product lacks, in words.
fn missing(product: &Unticked, language: Language) -> String {
    let fields = product.missing.iter();
    let words = fields.filter_map(|field| word("product_fields", field.as_str(), language));
    words.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    use crate::domain::legacy_migration::UnavailableReason;
    use crate::programme::SHIPPED;
    use crate::texts::{keys, placeholders};

    const PARTS: [(Question, &[&str]); 3] = [
        (
            Question::NoGreenTick,
            &[
                "all_complete",
                "no_products",
                "incomplete_intro",
                "incomplete",
                "disputed",
                "more",
            ],
        ),
        (
            Question::NoLevel,
            &["open", "next", "member", "payment_due", "missing"],
        ),
        (Question::NoMigrateButton, &["available"]),
    ];

    #[test]
    fn every_question_is_asked_and_answered_and_no_text_is_left_over() {
        let mut asked = BTreeSet::new();
        for question in Question::ALL {
            asked.insert(format!("{question}.question"));
            asked.insert(format!("{question}.answer"));
        }
        for (question, parts) in PARTS {
            asked.extend(parts.iter().map(|part| format!("{question}.own.{part}")));
        }
        let reasons = UnavailableReason::ALL.iter();
        asked.extend(reasons.map(|reason| format!("{}.own.{reason}", Question::NoMigrateButton)));
        assert_eq!(keys(Subject::Faq), asked);
    }

    #[test]
    fn every_number_of_the_programme_is_named_and_every_one_named_is_there() {
        let programme = Programme::parse(SHIPPED).unwrap();
        let numbers = numbers(&programme);
        let given: BTreeSet<String> = numbers
            .try_iter()
            .unwrap()
            .map(|name| name.to_string())
            .collect();
        let mut named = BTreeSet::new();
        for question in Question::ALL {
            let key = format!("{question}.answer");
            named.extend(placeholders(Subject::Faq, &key, Language::Da));
            for language in [Language::Da, Language::En] {
                let answer = general(*question, &programme, language);
                assert!(!answer.is_empty() && !answer.contains('{'), "{question}");
            }
        }
        assert_eq!(named, given);
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
        let answer = ticks(&facts, Language::Da);
        let lines: Vec<&str> = answer.lines().collect();
        assert_eq!(lines.len(), 4, "{answer}");
        assert_eq!(lines[1], "EOS R5: mangler serienummer, forhandler.");
        assert!(lines[2].starts_with("EOS R6: venter"));
        facts.unticked.clear();
        let answer = ticks(&facts, Language::En);
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
        let answer = |facts: &LevelFacts| levels(facts, Language::En).unwrap();
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
        assert!(answer(&member).contains("Gold") && answer(&member).contains("31 May 2027"));
    }
}
