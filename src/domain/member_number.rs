//! Member numbers: random, and with check digits so that a mistyped one is told apart.

use super::check_digits::{has_check_digits, random_payload, with_check_digits};
use super::text_column;

/// How many digits a member number has, check digits included.
const MEMBER_NUMBER_DIGITS: u32 = 12;

/// A member number: 12 digits, random, the last two by ISO 7064 MOD 97-10 (rules, section 9).
#[derive(
    Debug,
    Clone,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    diesel::expression::AsExpression,
    diesel::deserialize::FromSqlRow,
)]
#[diesel(sql_type = diesel::sql_types::Text)]
pub struct MemberNumber(String);

/// The text is no member number: mistyped, or of the old programme, whose numbers had no check digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a member number: its check digits are wrong")]
pub struct BadMemberNumber;

impl MemberNumber {
    /// A number made of random bytes; whether it was given out before is the caller's to see.
    pub fn from_random(random: [u8; 8]) -> Self {
        let payload = random_payload(random, MEMBER_NUMBER_DIGITS - 2);
        Self(with_check_digits(&payload).unwrap_or(payload))
    }

    /// Reads what somebody typed, with or without spaces and hyphens.
    pub fn parse(typed: &str) -> Result<Self, BadMemberNumber> {
        let digits: String = typed
            .chars()
            .filter(|c| !c.is_whitespace() && !is_hyphen(*c))
            .collect();
        let right =
            u32::try_from(digits.len()) == Ok(MEMBER_NUMBER_DIGITS) && has_check_digits(&digits);
        if right {
            Ok(Self(digits))
        } else {
            Err(BadMemberNumber)
        }
    }

    /// Its digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A number as it is compared, however somebody typed it, be it of the old programme, whose numbers have no one form: without blanks and
/// hyphens, in upper case. Nothing for what no number is: control characters, or more than 40.
pub fn number_key(typed: &str) -> Option<String> {
    let trimmed = typed.trim();
    if trimmed.chars().count() > 40 || trimmed.contains(char::is_control) {
        return None;
    }
    let key: String = trimmed
        .chars()
        .filter(|c| !c.is_whitespace() && !is_hyphen(*c))
        .flat_map(char::to_uppercase)
        .collect();
    (!key.is_empty()).then_some(key)
}

fn is_hyphen(c: char) -> bool {
    matches!(c, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}')
}

impl std::str::FromStr for MemberNumber {
    type Err = BadMemberNumber;

    fn from_str(text: &str) -> Result<Self, BadMemberNumber> {
        Self::parse(text)
    }
}

text_column!(MemberNumber, "^[0-9]{12}$");

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_number_may_be_typed_with_spaces_and_hyphens() {
        for typed in [
            "44 10 057",
            " 4410057 ",
            "44-10-057",
            "44\u{a0}10\u{2013}057",
        ] {
            assert_eq!(number_key(typed).as_deref(), Some("4410057"), "{typed:?}");
        }
        for typed in ["K-100 b", "k100B", "K 100-b"] {
            assert_eq!(number_key(typed).as_deref(), Some("K100B"), "{typed:?}");
        }
        for nothing in ["", "  ", "--", "12\u{0}34", &"1".repeat(41)] {
            assert_eq!(number_key(nothing), None, "{nothing:?}");
        }
    }

    proptest! {
        #[test]
        fn a_member_number_is_read_back(random: [u8; 8]) {
            let number = MemberNumber::from_random(random);
            prop_assert_eq!(number.as_str().len(), 12);
            prop_assert_eq!(MemberNumber::parse(number.as_str()), Ok(number.clone()));
            let spaced = format!(" {} {}-{}", &number.as_str()[..4], &number.as_str()[4..8], &number.as_str()[8..]);
            prop_assert_eq!(MemberNumber::parse(&spaced), Ok(number));
        }

        #[test]
        fn a_mistyped_member_number_is_told(random: [u8; 8], at in 0usize..12, by in 1u8..10) {
            let mut digits = MemberNumber::from_random(random).as_str().as_bytes().to_vec();
            digits[at] = b'0' + (digits[at] - b'0' + by) % 10;
            let typed = String::from_utf8(digits).unwrap();
            prop_assert_eq!(MemberNumber::parse(&typed), Err(BadMemberNumber));
        }

        #[test]
        fn two_swapped_digits_are_told(random: [u8; 8], at in 0usize..11) {
            let number = MemberNumber::from_random(random);
            let mut digits = number.as_str().as_bytes().to_vec();
            digits.swap(at, at + 1);
            let typed = String::from_utf8(digits).unwrap();
            prop_assert!(typed == number.as_str() || MemberNumber::parse(&typed).is_err());
        }
    }
}
