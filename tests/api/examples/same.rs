//! Makes what differs from run to run the same: ids, moments, tokens, keys, drawn numbers and the address.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::{Captures, Regex};
use serde_json::Value;

use super::walk::YEAR;

/// What is shown for a value that is drawn or secret, by the name of its field.
const SHOWN: [(&str, &str); 12] = [
    ("request_id", "req-0190f3"),
    (
        "access_token",
        "eyJhbGciOiJFZERTQSJ9.eyJyb2xlIjoibWVtYmVyIn0.c2lnbmF0dXJl",
    ),
    (
        "refresh_token",
        "cpr_mJ0p9hDJb2b4a2m7o1yJ7v9S0m0lqk5Jc3vYw1dZx8E",
    ),
    (
        "device_token",
        "cpd_mJ0p9hDJb2b4a2m7o1yJ7v9S0m0lqk5Jc3vYw1dZx8E",
    ),
    (
        "applicant_token",
        "cpa_mJ0p9hDJb2b4a2m7o1yJ7v9S0m0lqk5Jc3vYw1dZx8E",
    ),
    (
        "client_secret",
        "cps_test_mJ0p9hDJb2b4a2m7o1yJ7v9S0m0lqk5Jc3vYw1dZx8E",
    ),
    ("kid", "2Zl0cJ8wU1xq"),
    ("x", "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"),
    ("next_cursor", "kUaB8xk2QW0T4Xq1mZ7c"),
    ("statement_ref", "0190000000007000800000000000d001"),
    ("account_number", "4711081597"),
    ("member_number", "100000000287"),
];

fn pattern(text: &str) -> Regex {
    Regex::new(text).unwrap()
}

static ID: LazyLock<Regex> = LazyLock::new(|| pattern(r"\b([a-z]{3})_([0-9a-f]{32})\b"));
static REFUND: LazyLock<Regex> = LazyLock::new(|| pattern(r"\bRFN[0-9A-F]{32}\b"));
static ADDRESS: LazyLock<Regex> = LazyLock::new(|| pattern(r"http://127\.0\.0\.1:\d+"));
static LINK: LazyLock<Regex> = LazyLock::new(|| pattern(r"#token=[\w.-]+"));
static MOMENT: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(\d{4}-\d\d-\d\dT\d\d:\d)\d:\d\d(?:\.\d+)?Z"));
static YEARS: LazyLock<Regex> = LazyLock::new(|| pattern(r"\b(20[34]\d)\b"));

/// What was met so far: the same value is shown the same way wherever it comes again.
#[derive(Default)]
pub struct Same {
    ids: BTreeMap<String, String>,
    met: BTreeMap<String, usize>,
    drawn: BTreeMap<String, &'static str>,
}

impl Same {
    /// Learns which numbers were drawn, for where they stand in a text.
    pub fn learn(&mut self, value: &Value) {
        match value {
            Value::Object(fields) => {
                for (name, field) in fields {
                    let shown = SHOWN.iter().find(|(known, _)| known == name);
                    // What is short, the number of an event for one, is drawn by nobody.
                    let text = field.as_str().filter(|text| text.len() > 6);
                    if let (Some((_, shown)), Some(text)) = (shown, text) {
                        self.drawn.insert(text.to_owned(), shown);
                    }
                    self.learn(field);
                }
            }
            Value::Array(items) => items.iter().for_each(|item| self.learn(item)),
            _ => {}
        }
    }

    /// The value as every run shows it.
    pub fn show(&mut self, value: &mut Value) {
        match value {
            Value::Object(fields) => fields.values_mut().for_each(|field| self.show(field)),
            Value::Array(items) => items.iter_mut().for_each(|item| self.show(item)),
            Value::String(text) => *text = self.text(text),
            _ => {}
        }
    }

    fn text(&mut self, text: &str) -> String {
        if let Some(shown) = self.drawn.get(text) {
            return (*shown).to_owned();
        }
        let text = ADDRESS.replace_all(text, "https://api.cps.example");
        let text = LINK.replace_all(
            &text,
            "#token=cpt_mJ0p9hDJb2b4a2m7o1yJ7v9S0m0lqk5Jc3vYw1dZx8E",
        );
        let text = ID.replace_all(&text, |id: &Captures| self.id(&id[1], &id[0]));
        let text = REFUND.replace_all(&text, "RFN01900000000070008000000000000001");
        let text = MOMENT.replace_all(&text, "${1}0:00.000000Z");
        let text = YEARS.replace_all(&text, |year: &Captures| {
            (year[1].parse::<i32>().unwrap() - YEAR + 2026).to_string()
        });
        let mut text = text.into_owned();
        for (drawn, shown) in &self.drawn {
            text = text.replace(drawn.as_str(), shown);
        }
        text
    }

    /// What is seeded keeps its id; what came since is counted in the order in which it is met.
    fn id(&mut self, kind: &str, id: &str) -> String {
        if id[4..].starts_with("00000000") {
            return id.to_owned();
        }
        let met = &mut self.met;
        let shown = self.ids.entry(id.to_owned()).or_insert_with(|| {
            let count = met.entry(kind.to_owned()).or_default();
            *count += 1;
            format!("{kind}_01900000000070008000{count:012x}")
        });
        shown.clone()
    }
}
