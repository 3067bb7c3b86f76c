//! Which passwords are accepted, and how failed sign-ins slow the next one down. Hashing is in `auth`.

use std::collections::HashSet;
use std::sync::LazyLock;

use chrono::TimeDelta;
use serde::Deserialize;

use crate::error::FaultCode;

/// The 10,000 commonest, in lower case; source and licence stand at the head of the file.
static COMMON: LazyLock<HashSet<&'static str>> = LazyLock::new(|| {
    include_str!("common_passwords.txt")
        .lines()
        .filter(|line| !line.starts_with("//"))
        .collect()
});

/// A shorter name would be found in innocent passwords.
const SHORTEST_NAME: usize = 4;

/// Section `[passwords]` of the programme.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PasswordRules {
    /// Hours for which a first-password link lives.
    pub first_link_hours: u32,
    /// Hours for which a reset link lives.
    pub reset_link_hours: u32,
    /// The fewest characters.
    pub min_characters: usize,
    /// The most characters.
    pub max_characters: usize,
    /// Failed sign-ins with one address that cost no wait.
    pub free_tries: u32,
    /// The first wait; each later one is twice as long.
    pub first_delay_seconds: u32,
    /// The longest wait.
    pub longest_delay_seconds: u32,
}

/// All that is wrong with a new password (rules, section 4).
pub fn check_password(
    password: &str,
    company_name: &str,
    email: &str,
    rules: &PasswordRules,
) -> Vec<FaultCode> {
    let characters = password.chars().count();
    let lower = password.to_lowercase();
    let contains = |name: &str| {
        let name = name.trim().to_lowercase();
        name.chars().count() >= SHORTEST_NAME && lower.contains(&name)
    };
    let local_part = email.rsplit_once('@').map_or(email, |(local, _)| local);
    [
        (characters < rules.min_characters, FaultCode::TooShort),
        (characters > rules.max_characters, FaultCode::TooLong),
        (COMMON.contains(lower.as_str()), FaultCode::PasswordCommon),
        (contains(company_name), FaultCode::PasswordContainsCompany),
        (contains(local_part), FaultCode::PasswordContainsEmail),
    ]
    .into_iter()
    .filter_map(|(wrong, code)| wrong.then_some(code))
    .collect()
}

/// How long the next sign-in has to wait after so many failures in a row, counted from the last of them.
pub fn throttle(failures: u32, rules: &PasswordRules) -> Option<TimeDelta> {
    let doublings = failures.checked_sub(rules.free_tries)?;
    let seconds = 2u64
        .saturating_pow(doublings)
        .saturating_mul(rules.first_delay_seconds.into())
        .min(rules.longest_delay_seconds.into());
    i64::try_from(seconds).ok().map(TimeDelta::seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules() -> PasswordRules {
        PasswordRules {
            first_link_hours: 120,
            reset_link_hours: 1,
            min_characters: 12,
            max_characters: 128,
            free_tries: 5,
            first_delay_seconds: 1,
            longest_delay_seconds: 900,
        }
    }

    fn check(password: &str) -> Vec<FaultCode> {
        check_password(
            password,
            "Nordlys Foto ApS",
            "asta.holm@nordlys.example",
            &rules(),
        )
    }

    #[test]
    fn a_long_password_of_ones_own_passes() {
        assert_eq!(check("fjord-lampe-77"), []);
        assert_eq!(check("ææææøøøøåååå"), []);
        assert_eq!(check(&"xy".repeat(64)), []);
    }

    #[test]
    fn every_fault_is_told_at_once() {
        assert_eq!(check("ææææøøøøååå"), [FaultCode::TooShort]);
        assert_eq!(check(&"xy".repeat(65)), [FaultCode::TooLong]);
        assert_eq!(
            check("123456"),
            [FaultCode::TooShort, FaultCode::PasswordCommon]
        );
        assert_eq!(
            check("QwertyuIop"),
            [FaultCode::TooShort, FaultCode::PasswordCommon]
        );
        assert_eq!(
            check("my NORDLYS foto aps"),
            [FaultCode::PasswordContainsCompany]
        );
        assert_eq!(
            check("x-Asta.Holm-2026"),
            [FaultCode::PasswordContainsEmail]
        );
    }

    #[test]
    fn a_short_name_says_nothing() {
        assert_eq!(
            check_password("holiday-in-oslo", "Ho", "in@oslo.example", &rules()),
            []
        );
        assert_eq!(check_password("holiday-in-oslo", " ", "", &rules()), []);
    }

    #[test]
    fn ten_thousand_common_passwords_are_known() {
        assert_eq!(COMMON.len(), 10_000);
    }

    #[test]
    fn failures_slow_the_next_sign_in_down() {
        let wait = |failures| throttle(failures, &rules()).map(|wait| wait.num_seconds());
        assert_eq!((wait(0), wait(4)), (None, None));
        assert_eq!((wait(5), wait(6), wait(7)), (Some(1), Some(2), Some(4)));
        assert_eq!((wait(14), wait(15)), (Some(512), Some(900)));
        assert_eq!(wait(u32::MAX), Some(900));
    }
}
