//! The texts of elements as values.

use std::str::FromStr;

use chrono::NaiveDate;

use super::Why;
use crate::domain::bank::BankAmount;
use crate::domain::values::Date;

/// The most characters of what a line, a statement or an account is called by: ISO 20022 has 35 of most.
const LONGEST_KEY: usize = 140;

/// A text that says something; what breaks its lines counts as a blank.
pub fn given(text: &str) -> Option<String> {
    let words: Vec<&str> = text.split(['\r', '\n', '\t']).collect();
    Some(words.join(" ").trim().to_owned()).filter(|text| !text.is_empty())
}

/// What something is called by. It is looked up, so that no bank makes it a text without end.
pub fn key(text: &str) -> Result<Option<String>, Why> {
    match given(text) {
        Some(key) if key.chars().count() > LONGEST_KEY => Err(Why::TooLong),
        key => Ok(key),
    }
}

/// An amount without a sign.
pub fn amount(text: &str) -> Result<BankAmount, Why> {
    text.parse().map_err(|_| Why::Amount)
}

/// Anything that is written in one way.
pub fn value<T: FromStr>(text: &str) -> Result<T, Why> {
    text.parse().map_err(|_| Why::Value)
}

/// The day of a date or of a moment, in the bank's own zone.
pub fn date(text: &str) -> Result<Option<NaiveDate>, Why> {
    match text.get(..10) {
        None if text.is_empty() => Ok(None),
        Some(day) => value::<Date>(day).map(|day| Some(day.day())),
        None => Err(Why::Value),
    }
}

/// Whether money comes in.
pub fn direction(text: &str) -> Result<bool, Why> {
    match text {
        "CRDT" => Ok(true),
        "DBIT" => Ok(false),
        _ => Err(Why::Value),
    }
}

/// Whether something is so; where nothing is said it is not.
pub fn yes(text: &str) -> Result<bool, Why> {
    match text {
        "true" | "1" => Ok(true),
        "false" | "0" | "" => Ok(false),
        _ => Err(Why::Value),
    }
}
