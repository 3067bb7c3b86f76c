//! Which passwords are accepted, and how failed sign-ins slow the next one down. Hashing is in `auth`.

use std::collections::HashSet;
use std::sync::LazyLock;

use chrono::TimeDelta;
use serde::Deserialize;
use unicode_normalization::UnicodeNormalization;
use zxcvbn::{Score, zxcvbn};

use crate::error::FaultCode;

/// The rows of keys, beside the alphabet and the digits.
const ROWS: [&str; 4] = ["qwertyuiopå", "asdfghjklæø", "zxcvbnm", "1234567890"];
/// One place in so many may be off where a password is a sequence.
const MOST_BREAKS: usize = 4;

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

/// Whose password it is.
#[derive(Debug, Clone, Copy)]
pub struct Owner<'a> {
    pub company_name: &'a str,
    pub name: &'a str,
    pub email: &'a str,
}

/// A password as it is compared, however a keyboard makes its letters: every blank is a space, the rest NFC (RFC 8265, 4.2.2).
pub fn prepare(typed: &str) -> String {
    let spaced = typed.chars().map(|c| match c.is_whitespace() {
        true if !c.is_ascii() => ' ',
        _ => c,
    });
    spaced.nfc().collect()
}

/// All that is wrong with a new password (rules, section 4).
pub fn check_password(typed: &str, owner: Owner<'_>, rules: &PasswordRules) -> Vec<FaultCode> {
    let password = prepare(typed);
    let (lower, characters) = (password.to_lowercase(), password.chars().count());
    let squeezed_password = squeezed(&password);
    let contains = |name: &str| {
        let name = squeezed(name);
        name.chars().count() >= SHORTEST_NAME && squeezed_password.contains(&name)
    };
    let letters: Vec<char> = lower.chars().collect();
    let faults = [
        (characters < rules.min_characters, FaultCode::TooShort),
        (characters > rules.max_characters, FaultCode::TooLong),
        (is_common(&lower), FaultCode::PasswordCommon),
        (repeats(&letters), FaultCode::PasswordRepeats),
        (is_sequence(&letters), FaultCode::PasswordSequence),
        (
            contains(owner.company_name),
            FaultCode::PasswordContainsCompany,
        ),
        (contains(owner.name), FaultCode::PasswordContainsName),
        (
            contains(local_part(owner.email)),
            FaultCode::PasswordContainsEmail,
        ),
    ];
    let mut found: Vec<FaultCode> = faults
        .into_iter()
        .filter_map(|(wrong, code)| wrong.then_some(code))
        .collect();
    if found.is_empty() && is_weak(&password, owner) {
        found.push(FaultCode::PasswordWeak);
    }
    found
}

fn local_part(email: &str) -> &str {
    email.rsplit_once('@').map_or(email, |(local, _)| local)
}

/// Without case, and without all that is no letter or digit.
fn squeezed(text: &str) -> String {
    let text = prepare(text).to_lowercase();
    text.chars().filter(|c| c.is_alphanumeric()).collect()
}

/// Whether it is a common password, or one with an ending of digits and signs.
fn is_common(lower: &str) -> bool {
    let stem = lower.trim_end_matches(|c: char| !c.is_alphabetic());
    let is_stem = stem.chars().count() >= SHORTEST_NAME && COMMON.contains(stem);
    is_stem || COMMON.contains(lower)
}

/// Whether it is the same few characters at least three times.
fn repeats(letters: &[char]) -> bool {
    let is_period = |period: usize| {
        let shifted = letters.iter().skip(period);
        letters.iter().zip(shifted).all(|(one, other)| one == other)
    };
    (1..=letters.len() / 3).any(is_period)
}

/// Whether it follows the alphabet, the digits or a row of keys, but for a few places.
fn is_sequence(letters: &[char]) -> bool {
    let follows = |one: char, other: char| {
        let rows = ROWS.iter().any(|row| {
            let at = |wanted| row.chars().position(|key| key == wanted);
            matches!((at(one), at(other)), (Some(a), Some(b)) if a.abs_diff(b) == 1)
        });
        rows || u32::from(one).abs_diff(u32::from(other)) == 1
    };
    let steps = letters.iter().zip(letters.iter().skip(1));
    let breaks = steps
        .filter(|(one, other)| !follows(**one, **other))
        .count();
    breaks * MOST_BREAKS <= letters.len()
}

/// Whether somebody who knows the owner would guess it.
fn is_weak(password: &str, owner: Owner<'_>) -> bool {
    let names = [owner.company_name, owner.name, local_part(owner.email)];
    let words = names
        .iter()
        .flat_map(|name| name.split(|c: char| !c.is_alphanumeric()));
    let words: Vec<String> = names
        .iter()
        .map(|name| squeezed(name))
        .chain(words.map(str::to_lowercase))
        .filter(|word| word.chars().count() > 2)
        .collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    zxcvbn(password, &words).score() < Score::Three
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

    fn check_for(password: &str, company_name: &str, email: &str) -> Vec<FaultCode> {
        let owner = Owner {
            company_name,
            name: "Asta Holm",
            email,
        };
        check_password(password, owner, &rules())
    }

    fn check(password: &str) -> Vec<FaultCode> {
        check_for(password, "Nordlys Foto ApS", "asta.holm@nordlys.example")
    }

    #[test]
    fn a_long_password_of_ones_own_passes() {
        assert_eq!(check("fjord-lampe-77"), []);
        assert_eq!(check("blåbær på æblegrød"), []);
        assert_eq!(check("Kanelsnegl, 14 dage i træk!"), []);
    }

    #[test]
    fn every_fault_is_told_at_once() {
        assert_eq!(check("skovbryn"), [FaultCode::TooShort]);
        let long =
            "en meget lang sætning om vejret og om tiden som ingen nogensinde ville gætte i aften "
                .repeat(2);
        assert_eq!(check(&long), [FaultCode::TooLong]);
        assert_eq!(
            check("123456"),
            [
                FaultCode::TooShort,
                FaultCode::PasswordCommon,
                FaultCode::PasswordSequence
            ]
        );
        assert_eq!(
            check("x-Asta.Holm-2026"),
            [
                FaultCode::PasswordContainsName,
                FaultCode::PasswordContainsEmail
            ]
        );
    }

    #[test]
    fn a_name_is_found_however_it_is_written() {
        for password in [
            "my NORDLYS foto aps",
            "nordlysfotoaps1",
            "nordlys-foto-aps!",
            "NordlysFotoAps.2026",
        ] {
            assert_eq!(
                check(password),
                [FaultCode::PasswordContainsCompany],
                "{password}"
            );
        }
        assert_eq!(
            check_for("nordfotoaps1", "Nord Foto ApS", ""),
            [FaultCode::PasswordContainsCompany]
        );
    }

    #[test]
    fn common_ones_with_the_usual_endings_repeats_and_runs_are_told_apart() {
        for common in [
            "password1234",
            "Sunshine2026!",
            "qwerty!!!!!!",
            "Football-2024",
        ] {
            let found = check(common);
            assert!(
                found.contains(&FaultCode::PasswordCommon),
                "{common} {found:?}"
            );
        }
        for repeated in [
            &" ".repeat(12),
            "aaaaaaaaaaaaa",
            "abcabcabcabc",
            &"xy".repeat(20),
        ] {
            let found = check(repeated);
            assert!(
                found.contains(&FaultCode::PasswordRepeats),
                "{repeated} {found:?}"
            );
        }
        for run in [
            "abcdefghijklm",
            "123456789012",
            "poiuytrewqas",
            "zyxwvutsrqpo",
        ] {
            let found = check(run);
            assert!(
                found.contains(&FaultCode::PasswordSequence),
                "{run} {found:?}"
            );
        }
        for weak in ["fotofoto2026", "nordlys12345", "monkeydragon"] {
            assert_eq!(check(weak), [FaultCode::PasswordWeak], "{weak}");
        }
    }

    #[test]
    fn letters_are_the_same_however_a_keyboard_makes_them() {
        assert_eq!(prepare("bla\u{30a}bær\u{a0}is"), "blåbær is");
        assert_eq!(check("bla\u{30a}bær på æblegrød"), []);
    }

    #[test]
    fn a_short_name_says_nothing() {
        assert_eq!(check_for("holiday-in-oslo-77", "Ho", "in@oslo.example"), []);
        assert_eq!(check_for("holiday-in-oslo-77", " ", ""), []);
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
