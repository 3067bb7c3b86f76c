//! Check digits: ISO 7064 MOD 97-10, the Luhn formula, those of GS1.

/// The remainder by 97 of `text` read as a number, letters counting as 10 to 35 (ISO 7064, ISO 11649). Nothing for any other
/// character.
pub fn mod97(text: &str) -> Option<u32> {
    text.chars().try_fold(0u32, |rest, c| {
        let value = c.to_digit(36).filter(|_| c.is_ascii())?;
        let shift = if value < 10 { 10 } else { 100 };
        Some((rest * shift + value) % 97)
    })
}

/// `payload` (digits) with its two check digits of ISO 7064 MOD 97-10 behind it.
pub fn with_check_digits(payload: &str) -> Option<String> {
    let check = 98 - mod97(&format!("{payload}00"))?;
    Some(format!("{payload}{check:02}"))
}

/// Whether the last two of `digits` are the check digits of the others.
pub fn has_check_digits(digits: &str) -> bool {
    digits.len() > 2 && digits.bytes().all(|b| b.is_ascii_digit()) && mod97(digits) == Some(1)
}

/// Whether `text` has the form and the check digits of an IBAN (ISO 13616), written without spaces.
pub fn is_iban(text: &str) -> bool {
    let is_written = |c: char| c.is_ascii_digit() || c.is_ascii_uppercase();
    let Some((head, account)) = text
        .split_at_checked(4)
        .filter(|_| text.chars().all(is_written))
    else {
        return false;
    };
    (15..=34).contains(&text.len()) && mod97(&format!("{account}{head}")) == Some(1)
}

/// The check digit of `payload` (digits) by the Luhn formula (ISO/IEC 7812-1).
pub fn luhn(payload: &str) -> Option<u32> {
    let sum = payload
        .chars()
        .rev()
        .enumerate()
        .try_fold(0, |sum, (at, c)| {
            let digit = c.to_digit(10)? * if at % 2 == 0 { 2 } else { 1 };
            Some(sum + digit / 10 + digit % 10)
        })?;
    Some((10 - sum % 10) % 10)
}

/// Whether `text` is 13 digits with the right check digit of EAN-13.
pub fn is_ean13(text: &str) -> bool {
    text.len() == 13 && has_gs1_check_digit(text)
}

/// Whether the last of `digits` is the check digit of the others (GS1 General Specifications, section 7.9).
pub fn has_gs1_check_digit(digits: &str) -> bool {
    let sum = digits
        .chars()
        .rev()
        .enumerate()
        .try_fold(0, |sum, (at, c)| {
            Some(sum + c.to_digit(10)? * if at % 2 == 0 { 1 } else { 3 })
        });
    sum.is_some_and(|sum| sum % 10 == 0)
}

/// `digits` decimal digits that do not begin with 0, made of `random`; for numbers of accounts and members.
pub(crate) fn random_payload(random: [u8; 8], digits: u32) -> String {
    let low = 10u64.saturating_pow(digits.saturating_sub(1));
    (low + u64::from_be_bytes(random) % (9 * low)).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_iban_has_its_form_and_its_check_digits() {
        for right in [
            "NL13TEST0123456789",
            "DK5000400440116243",
            "NO9386011117947",
        ] {
            assert!(is_iban(right), "{right}");
        }
        for wrong in [
            "NL14TEST0123456789",
            "nl13test0123456789",
            "NL13 TEST 0123 4567 89",
            "NL13",
            "",
            "Æ",
        ] {
            assert!(!is_iban(wrong), "{wrong}");
        }
    }
}
