//! The two languages that mails, titles and benefits speak.

use crate::types::text_enum;

text_enum! {
    /// A language of the service.
    pub enum Language {
        /// Danish.
        Da = "da",
        /// English, also for everybody whose language the service does not speak.
        En = "en",
    }
}

impl Language {
    /// The language of a tag such as `da`, `da_DK` or `en-GB`; English where it is unknown (rules, section 1).
    pub fn from_tag(tag: &str) -> Self {
        let primary = tag.trim().split(['-', '_']).next().unwrap_or_default();
        if primary.eq_ignore_ascii_case("da") {
            Self::Da
        } else {
            Self::En
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sign_up_link_may_carry_any_spelling_of_the_tag() {
        for tag in ["da", "da_DK", "DA-dk", " da "] {
            assert_eq!(Language::from_tag(tag), Language::Da, "{tag}");
        }
        for tag in ["en", "en-GB", "en_GB", "sv", "dan", "", "-da"] {
            assert_eq!(Language::from_tag(tag), Language::En, "{tag}");
        }
    }
}
