//! Language tags as sign-up links and programs send them. Which languages the service speaks is in `language`.

use std::str::FromStr;

use serde_with::DeserializeFromStr;
use utoipa::openapi::schema::Type;
use utoipa::openapi::{ObjectBuilder, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::{BadValue, Value};
use crate::domain::language::Language;

/// Subtags of RFC 5646 (2.1), with `_` taken for `-`.
const PATTERN: &str = r"^[A-Za-z]{1,8}([-_][A-Za-z0-9]{1,8})*$";
/// RFC 5646 (4.4.1) asks for 35; extensions take more.
const MOST: usize = 100;

/// A tag such as `da`, `da_DK` or `da-DK-u-mu-celsius`, as the language of the service that it comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, DeserializeFromStr)]
pub struct LanguageTag(Language);

impl LanguageTag {
    /// The language that the service speaks to whoever sent it.
    pub fn language(self) -> Language {
        self.0
    }
}

impl Value for LanguageTag {
    const WRITTEN: &'static str = "da-DK";
}

impl FromStr for LanguageTag {
    type Err = BadValue;

    fn from_str(typed: &str) -> Result<Self, BadValue> {
        let is_subtag = |tag: &str| {
            (1..=8).contains(&tag.len()) && tag.bytes().all(|byte| byte.is_ascii_alphanumeric())
        };
        let mut subtags = typed.split(['-', '_']);
        let primary = subtags.next().unwrap_or_default();
        let is_tag = typed.len() <= MOST
            && is_subtag(primary)
            && primary.bytes().all(|byte| byte.is_ascii_alphabetic())
            && subtags.all(is_subtag);
        is_tag
            .then(|| Self(Language::from_tag(typed)))
            .ok_or(BadValue(Self::WRITTEN))
    }
}

impl PartialSchema for LanguageTag {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .max_length(Some(MOST))
            .pattern(Some(PATTERN))
            .description(Some(
                "A language tag (BCP 47): `da` or `en`, with or without a region; others fall back to English.",
            ))
            .into()
    }
}

impl ToSchema for LanguageTag {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_tag_may_say_more_than_its_language() {
        for (tag, language) in [
            ("da-DK-u-mu-celsius", Language::Da),
            ("da_DK", Language::Da),
            ("da-Latn-DK-x-private", Language::Da),
            ("en-GB-oxendict", Language::En),
            ("i-klingon", Language::En),
            ("x-whatever", Language::En),
            ("kl-GL", Language::En),
        ] {
            let read: LanguageTag = tag.parse().unwrap();
            assert_eq!(read.language(), language, "{tag}");
        }
        for tag in ["", "da-", "-da", "da--DK", "d4", "danishlanguage", "da DK"] {
            assert!(tag.parse::<LanguageTag>().is_err(), "{tag}");
        }
    }

    proptest! {
        #[test]
        fn what_the_schema_accepts_is_what_is_read(typed in "[a-z]{0,9}([-_][a-z0-9]{0,9}){0,4}|\\PC{0,12}") {
            let accepts = regex::Regex::new(PATTERN).unwrap().is_match(&typed);
            prop_assert_eq!(typed.parse::<LanguageTag>().is_ok(), accepts);
        }
    }
}
