//! The check of each country whose VAT numbers we check ourselves, by the rules of python-stdnum. How a number is tidied is in the module above.

use chrono::NaiveDate;

use crate::domain::check_digits::{luhn, mod97};

/// The digits of `text`, where it has nothing else.
fn digits(text: &str) -> Option<Vec<u32>> {
    text.chars().map(|c| c.to_digit(10)).collect()
}

fn weighted(digits: &[u32], weights: &[u32]) -> u32 {
    digits.iter().zip(weights).map(|(d, w)| d * w).sum()
}

/// The digits of a number that has exactly `count` of them and nothing else.
fn exactly(number: &str, count: usize) -> Option<Vec<u32>> {
    digits(number).filter(|digits| digits.len() == count)
}

/// A number without its last character, and that.
fn with_last(number: &str) -> Option<(&str, char)> {
    let last = number.chars().next_back()?;
    Some((number.strip_suffix(last)?, last))
}

/// CVR (rules, section 1; `stdnum.dk.cvr`): 8 digits, the first not 0, weighted sum divisible by 11.
pub fn is_danish(number: &str) -> bool {
    exactly(number, 8).is_some_and(|digits| {
        digits.first() != Some(&0)
            && weighted(&digits, &[2, 7, 6, 5, 4, 3, 2, 1]).is_multiple_of(11)
    })
}

/// `stdnum.be.vat`: ten digits that begin with 0 or, since 2023, 1; the first eight and the last two as numbers add up to a multiple of 97.
pub fn is_belgian(number: &str) -> bool {
    let sum = || {
        exactly(number, 10)?;
        let (body, check) = number.split_at_checked(8)?;
        Some(body.parse::<u32>().ok()? + check.parse::<u32>().ok()?)
    };
    number.starts_with(['0', '1']) && sum().is_some_and(|sum| sum.is_multiple_of(97))
}

/// `stdnum.fi.alv`: eight digits, weighted sum divisible by 11.
pub fn is_finnish(number: &str) -> bool {
    let sum = exactly(number, 8).map(|digits| weighted(&digits, &[7, 9, 10, 5, 8, 4, 2, 1]));
    sum.is_some_and(|sum| sum.is_multiple_of(11))
}

/// `stdnum.pl.nip`: ten digits, the last of them the weighted sum of the others by 11.
pub fn is_polish(number: &str) -> bool {
    exactly(number, 10).is_some_and(|digits| {
        let sum = weighted(&digits, &[6, 5, 7, 2, 3, 4, 5, 6, 7]);
        digits.last() == Some(&(sum % 11))
    })
}

/// `stdnum.nl.btw`: nine digits, `B`, two digits; either the nine pass the check of a BSN, or all of it that of ISO 7064.
pub fn is_dutch(number: &str) -> bool {
    let Some((body, suffix)) = number.split_once('B') else {
        return false;
    };
    let is_zero = |text: &str| text.bytes().all(|byte| byte == b'0');
    let (Some(body_digits), Some(_)) = (exactly(body, 9), exactly(suffix, 2)) else {
        return false;
    };
    let sum = weighted(&body_digits, &[9, 8, 7, 6, 5, 4, 3, 2]);
    let is_bsn = body_digits.last() == Some(&(sum % 11));
    !is_zero(body) && !is_zero(suffix) && (is_bsn || mod97(&format!("NL{number}")) == Some(1))
}

/// `stdnum.cz.rc`: nine or ten digits that begin with a day of birth; ten since 1954, with a check digit.
fn is_birth_number(number: &str) -> bool {
    let two = |at: usize| number.get(at..at + 2)?.parse::<u32>().ok();
    let (Some(year), Some(month), Some(day)) = (two(0), two(2), two(4)) else {
        return false;
    };
    let year = match (number.len(), year) {
        (9, 54..=79) => return false,
        (9, 80..) => 1800 + year,
        (10, ..54) => 2000 + year,
        _ => 1900 + year,
    };
    let is_day = || {
        let year = i32::try_from(year).ok()?;
        NaiveDate::from_ymd_opt(year, month % 50 % 20, day)
    };
    let has_check_digit = || {
        let (body, last) = with_last(number)?;
        Some(body.parse::<u64>().ok()? % 11 % 10 == u64::from(last.to_digit(10)?))
    };
    let is_checked = number.len() == 9 || has_check_digit() == Some(true);
    digits(number).is_some() && is_day().is_some() && is_checked
}

/// `stdnum.cz.dic`: eight digits of a company, nine from 6 on of special cases, or a birth number.
pub fn is_czech(number: &str) -> bool {
    let Some(digits) = digits(number) else {
        return false;
    };
    let last = digits.last().copied().unwrap_or_default();
    match digits.len() {
        8 => {
            let rest = (11 - weighted(&digits, &[8, 7, 6, 5, 4, 3, 2]) % 11) % 11;
            let check = if rest == 0 { 1 } else { rest % 10 };
            digits.first() != Some(&9) && last == check
        }
        9 if number.starts_with('6') => {
            let rest = weighted(&digits, &[0, 8, 7, 6, 5, 4, 3, 2]) % 11;
            // (8 - (10 - rest) mod 11) mod 10, without what is below zero.
            last == (18 - (21 - rest) % 11) % 10
        }
        9 | 10 => is_birth_number(number),
        _ => false,
    }
}

/// `stdnum.sk.dph`: ten digits, a multiple of 11 that begins as such numbers do, or a birth number.
pub fn is_slovak(number: &str) -> bool {
    let is_company = || {
        let digits = exactly(number, 10)?;
        let third = digits.get(2)?;
        let begins = digits.first() != Some(&0) && matches!(third, 2 | 3 | 4 | 7 | 8 | 9);
        Some(begins && number.parse::<u64>().ok()?.is_multiple_of(11))
    };
    number.len() == 10 && (is_birth_number(number) || is_company() == Some(true))
}

/// `stdnum.fr.tva`: a key of two digits or letters (no I, no O) and nine digits, which are a SIREN but in Monaco (000).
pub fn is_french(number: &str) -> bool {
    const LETTERS: &str = "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ";
    let value = |c: char| u64::try_from(LETTERS.find(c)?).ok();
    let is_keyed = || {
        let (key, siren) = number.split_at_checked(2)?;
        let mut key = key.chars();
        let (first, second) = (key.next()?, key.next()?);
        exactly(siren, 9)?;
        let body: u64 = siren.parse().ok()?;
        let (a, b) = (value(first)?, value(second)?);
        if first.is_ascii_digit() && second.is_ascii_digit() {
            return Some(a * 10 + b == (body * 100 + 12) % 97);
        }
        let check = match first.is_ascii_digit() {
            true => (a * 24 + b).checked_sub(10)?,
            false => (a * 34 + b).checked_sub(100)?,
        };
        Some((body + 1 + check / 11) % 11 == check % 11)
    };
    let siren = number.get(2..).unwrap_or_default();
    let is_siren = || {
        let (body, last) = with_last(siren)?;
        Some(luhn(body)? == last.to_digit(10)?)
    };
    number.len() == 11
        && is_keyed() == Some(true)
        && (siren.starts_with("000") || is_siren() == Some(true))
}

/// `stdnum.es.nif`: a DNI (digits), a NIE (X, Y, Z), one of K, L, M with the letter of a DNI, or a CIF with a digit or a letter.
pub fn is_spanish(number: &str) -> bool {
    const DNI: &str = "TRWAGMYFPDXBNJZSQVHLCKE";
    const CIF: &str = "JABCDEFGHI";
    let right = || {
        let (body, last) = with_last(number)?;
        let first = body.chars().next()?;
        let middle = body.get(1..).filter(|middle| digits(middle).is_some())?;
        let dni = |prefix: &str| {
            let number: usize = format!("{prefix}{middle}").parse().ok()?;
            DNI.chars().nth(number % 23)
        };
        match first {
            'K' | 'L' | 'M' => Some(dni("")? == last),
            'X' => Some(dni("0")? == last),
            'Y' => Some(dni("1")? == last),
            'Z' => Some(dni("2")? == last),
            '0'..='9' => Some(dni(&first.to_string())? == last),
            'A'..='H' | 'J' | 'N' | 'P'..='S' | 'U' | 'V' | 'W' => {
                let check = luhn(middle)?;
                let letter = CIF.chars().nth(usize::try_from(check).ok()?)?;
                Some(last.to_digit(10) == Some(check) || last == letter)
            }
            _ => Some(false),
        }
    };
    number.len() == 9 && right() == Some(true)
}

/// `stdnum.gb.vat`: nine digits, three more of a branch; `GD` and `HA` with three digits, or eight of the longer form.
pub fn is_british(number: &str) -> bool {
    let authority = |digits: &str| match (number.get(..2), digits.parse::<u32>()) {
        (Some("GD"), Ok(three)) => three < 500,
        (Some("HA"), Ok(three)) => three >= 500,
        _ => false,
    };
    let tail = number.get(2..).and_then(digits).is_some();
    match number.len() {
        5 => tail && number.get(2..).is_some_and(authority),
        11 => {
            let three = number.get(6..9).unwrap_or_default();
            let check = number.get(9..).and_then(|check| check.parse::<u32>().ok());
            let is_long = number.get(2..6) == Some("8888");
            let expected = three.parse::<u32>().ok().map(|three| three % 97);
            tail && is_long && authority(three) && check.is_some() && check == expected
        }
        9 | 12 => digits(number).is_some_and(|digits| {
            let rest = weighted(&digits, &[8, 7, 6, 5, 4, 3, 2, 10, 1]) % 97;
            let is_newer = digits.first() != Some(&0);
            rest == 0 || (is_newer && matches!(rest, 42 | 55))
        }),
        _ => false,
    }
}

/// `stdnum.ie.vat`: seven digits, a check letter and since 2013 a second letter, which counts nine times; before 2013 also a letter, `+` or `*` for
/// the second digit.
pub fn is_irish(number: &str) -> bool {
    const LETTERS: &str = "WABCDEFGHIJKLMNOPQRSTUV";
    let right = || {
        let (body, letters) = number.split_at_checked(7)?;
        let mut letters = letters.chars();
        let check = letters.next()?;
        let extra = letters.next().map_or(Some(0), |c| LETTERS.find(c))?;
        let is_whole = digits(body).is_some();
        let seven = match (is_whole, body.get(..1), body.get(1..2), body.get(2..)) {
            (true, ..) => body.to_owned(),
            (false, Some(first), Some(second), Some(five)) if number.len() == 8 => second
                .starts_with(|c: char| c.is_ascii_uppercase() || matches!(c, '+' | '*'))
                .then(|| format!("0{five}{first}"))?,
            _ => return None,
        };
        let sum = weighted(&exactly(&seven, 7)?, &[8, 7, 6, 5, 4, 3, 2]);
        let sum = usize::try_from(sum).ok()? + 9 * extra;
        Some(LETTERS.chars().nth(sum % 23)? == check)
    };
    matches!(number.len(), 8 | 9) && right() == Some(true)
}
