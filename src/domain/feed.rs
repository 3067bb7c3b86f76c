//! What of the events a reader asks for, and how old it may be. Reading them is in `repository`.

use chrono::TimeDelta;
use serde::Deserialize;

use super::event::Event;
use crate::error::{Fault, FaultCode};
use crate::types::Instant;

/// Section `[events]` of the programme.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventRules {
    /// Days for which accounts and partners can read what happened.
    pub promised_days: u32,
}

impl EventRules {
    /// What accounts and partners read `now` did not happen before this.
    pub fn since(&self, now: Instant) -> Instant {
        now.plus(-TimeDelta::days(self.promised_days.into()))
    }
}

/// The words that `patterns` name: a word, `product.*` for all of its kind, `*` for all. None where all are asked for; a fault for each that
/// names none.
pub fn read_types(patterns: &[String]) -> Result<Option<Vec<&'static str>>, Vec<Fault>> {
    let words = || Event::KINDS.iter().map(|(word, _)| *word);
    let mut named = Vec::new();
    let mut faults = Vec::new();
    for (at, pattern) in patterns.iter().enumerate() {
        let start = pattern
            .strip_suffix('*')
            .filter(|start| start.ends_with('.'));
        let is_named = |word: &&str| match start {
            Some(start) => word.starts_with(start),
            None => *word == pattern,
        };
        let before = named.len();
        named.extend(words().filter(is_named));
        if named.len() == before && pattern != "*" {
            let pointer = format!("#/query/types/{at}");
            faults.push(Fault::new(pointer, FaultCode::EventTypeUnknown));
        }
    }
    let is_all = patterns.is_empty() || patterns.iter().any(|pattern| pattern == "*");
    match faults.is_empty() {
        true => Ok((!is_all).then_some(named)),
        false => Err(faults),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(patterns: &[&str]) -> Result<Option<Vec<&'static str>>, Vec<String>> {
        let patterns: Vec<String> = patterns.iter().map(ToString::to_string).collect();
        read_types(&patterns)
            .map_err(|faults| faults.into_iter().map(|fault| fault.pointer).collect())
    }

    #[test]
    fn types_are_words_kinds_or_all() {
        assert_eq!(read(&[]), Ok(None));
        assert_eq!(read(&["product.ended", "*"]), Ok(None));
        let named = read(&["points.*", "product.ended"]).unwrap().unwrap();
        assert_eq!(
            named,
            ["points.changed", "points.adjusted", "product.ended"]
        );
    }

    #[test]
    fn what_names_no_event_is_told_with_its_place() {
        let unknown = read(&["product.*", "product.lost", "lost.*", "product*", ".*", ""]);
        let places = [1, 2, 3, 4, 5].map(|at| format!("#/query/types/{at}"));
        assert_eq!(unknown, Err(places.to_vec()));
    }

    #[test]
    fn ninety_days_are_promised() {
        let now: Instant = "2026-06-01T10:00:00Z".parse().unwrap();
        let since = EventRules { promised_days: 90 }.since(now);
        assert_eq!(since.to_string(), "2026-03-03T10:00:00Z");
    }
}
