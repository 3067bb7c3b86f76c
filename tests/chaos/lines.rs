//! A day's lines of a dealer, with faults of every kind among them, and what each comes to: reckoned here, by the rules alone.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::dice::Dice;

/// Customers by their VAT number and e-mail address: two who trust the dealer, and one who does not.
const CUSTOMERS: [(&str, &str); 3] = [
    ("24256790", "mette@fjordfoto.example"),
    ("10150817", "jonas@lysogskygge.example"),
    ("31415926", "kirsten@klitfoto.example"),
];
/// How many of them trust the dealer.
const TRUSTING: usize = 2;
const MODELS: [(&str, i64); 2] = [("EOS R5", 320), ("EOS R6 Mark II", 205)];
const BOUGHT: &str = "2024-05-17";
/// The model and the number of a product that the second customer has from elsewhere.
pub const HELD: (&str, &str) = ("EOS R6 Mark II", "700000000001");

/// What goes wrong with a line.
#[derive(Debug, Clone, Copy)]
enum Wrong {
    UnknownCustomer,
    OldNumber,
    NoCustomer,
    UnknownModel,
    Serial,
    Date,
    BeforeLaunch,
    UnknownField,
    ExternalId,
    NoJson,
    SentTwice,
    IdReused,
    ReportedTwice,
    HeldByAnother,
    ReturnOfNothing,
}

const WRONG: [Wrong; 15] = [
    Wrong::UnknownCustomer,
    Wrong::OldNumber,
    Wrong::NoCustomer,
    Wrong::UnknownModel,
    Wrong::Serial,
    Wrong::Date,
    Wrong::BeforeLaunch,
    Wrong::UnknownField,
    Wrong::ExternalId,
    Wrong::NoJson,
    Wrong::SentTwice,
    Wrong::IdReused,
    Wrong::ReportedTwice,
    Wrong::HeldByAnother,
    Wrong::ReturnOfNothing,
];

/// What became of a line: its status, its code, and the pointers and codes of its faults.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Came {
    pub status: String,
    pub code: Option<String>,
    pub errors: Vec<(String, String)>,
}

impl Came {
    fn to(status: &str) -> Self {
        Self {
            status: status.to_owned(),
            code: None,
            errors: Vec::new(),
        }
    }

    fn refused(code: &str) -> Self {
        Self {
            code: Some(code.to_owned()),
            ..Self::to("refused")
        }
    }

    fn fault(pointer: &str, code: &str) -> Self {
        Self {
            errors: vec![(pointer.to_owned(), code.to_owned())],
            ..Self::refused("invalid_request")
        }
    }

    /// What it comes to when it is sent again.
    pub fn again(&self) -> Self {
        match self.status.as_str() {
            "refused" => self.clone(),
            _ => Self::to("unchanged"),
        }
    }
}

/// A sale that was taken in.
struct Sale {
    line: Value,
    customer: usize,
    points: i64,
    is_returned: bool,
}

/// A day's lines, and all that must come of them.
#[derive(Default)]
pub struct Day {
    pub lines: Vec<String>,
    pub wanted: Vec<Came>,
    /// The types of the partner's events about lines, and the sales that they name, in order.
    pub events: Vec<(String, String)>,
    sales: Vec<Sale>,
    is_held_named: bool,
}

impl Day {
    /// As many lines, 3 % of which are wrong, each kind of fault as often as any other.
    pub fn of(count: usize, dice: &mut Dice) -> Self {
        let mut day = Self::default();
        let mut wrong = WRONG.iter().cycle();
        for n in 0..count {
            match dice.below(100) {
                0..3 if day.sales.len() > 1 => day.add_wrong(*wrong.next().unwrap(), n, dice),
                3..5 if !day.sales.is_empty() => day.add_return(n, dice),
                _ => day.add_sale(n, dice),
            }
        }
        day
    }

    /// The file, one JSON object a line.
    pub fn file(&self) -> String {
        self.lines.join("\n")
    }

    /// How many lines come to each status.
    pub fn counts(&self) -> BTreeMap<String, i64> {
        let mut counts = BTreeMap::new();
        for came in &self.wanted {
            *counts.entry(came.status.clone()).or_default() += 1;
        }
        counts
    }

    /// The contact's address of each customer, with its points and how many products it has of these lines, by their status.
    pub fn customers(&self) -> Vec<(&'static str, i64, BTreeMap<&'static str, i64>)> {
        let customers = CUSTOMERS.iter().enumerate();
        let customers = customers.map(|(n, (_, email))| {
            let (mut points, mut products) = (0, BTreeMap::new());
            for sale in self.sales.iter().filter(|sale| sale.customer == n) {
                let status = match (sale.is_returned, n < TRUSTING) {
                    (true, _) => "ended",
                    (false, true) => "complete",
                    (false, false) => "offered",
                };
                *products.entry(status).or_default() += 1;
                if status == "complete" {
                    points += sale.points;
                }
            }
            if n == 0 && self.is_held_named {
                *products.entry("offered").or_default() += 1;
            }
            (*email, points, products)
        });
        customers.collect()
    }

    fn add(&mut self, line: &Value, came: Came) {
        self.lines.push(line.to_string());
        self.wanted.push(came);
    }

    fn add_sale(&mut self, n: usize, dice: &mut Dice) {
        let (customer, model) = (dice.below(CUSTOMERS.len()), dice.below(MODELS.len()));
        let line = sale(n, customer, MODELS[model].0);
        let status = match customer < TRUSTING {
            true => "registered",
            false => "offered",
        };
        self.add(&line, Came::to(status));
        self.events
            .push((format!("registration.{status}"), id_of(&line)));
        self.sales.push(Sale {
            line,
            customer,
            points: MODELS[model].1,
            is_returned: false,
        });
    }

    /// Takes back a sale whose number is even; the others stay.
    fn add_return(&mut self, n: usize, dice: &mut Dice) {
        let chosen = dice.below(self.sales.len().div_ceil(2)) * 2;
        let sale = &mut self.sales[chosen];
        let of = id_of(&sale.line);
        let line = json!({ "verb": "return", "external_id": format!("R-{n}"), "of": of });
        match std::mem::replace(&mut sale.is_returned, true) {
            true => self.add(&line, Came::to("unchanged")),
            false => {
                self.add(&line, Came::to("returned"));
                self.events.push(("registration.returned".to_owned(), of));
            }
        }
    }

    fn add_wrong(&mut self, wrong: Wrong, n: usize, dice: &mut Dice) {
        let good = sale(n, dice.below(TRUSTING), MODELS[1].0);
        let earlier = &self.sales[dice.below(self.sales.len() / 2) * 2 + 1].line;
        let with = |line: &Value, field: &str, value: &str| {
            let mut line = line.clone();
            line[field] = json!(value);
            line
        };
        let of_member = |number: &str| with(&anonymous(&good), "member_number", number);
        let unmatched = Came::fault("#/member_number", "customer_not_matched");
        let (line, came) = match wrong {
            Wrong::UnknownCustomer => (of_member("999999999078"), unmatched),
            Wrong::OldNumber => (of_member("4410057"), unmatched),
            Wrong::NoCustomer => (anonymous(&good), Came::fault("#/member_number", "required")),
            Wrong::UnknownModel => (
                with(&good, "model", "EOS R99"),
                Came::fault("#/model", "model_unknown"),
            ),
            Wrong::Serial => {
                let lens = with(&good, "model", "EF 40mm f/2.8 STM");
                let line = with(&lens, "serial_number", "AB123456");
                (line, Came::fault("#/serial_number", "serial_format"))
            }
            Wrong::Date => (
                with(&good, "purchase_date", "2026-02-30"),
                Came::fault("#/purchase_date", "format"),
            ),
            Wrong::BeforeLaunch => (
                with(&good, "purchase_date", "2020-07-08"),
                Came::fault("#/purchase_date", "before_launch"),
            ),
            Wrong::UnknownField => (
                with(&good, "colour", "black"),
                Came::fault("#/colour", "unknown"),
            ),
            Wrong::ExternalId => (
                with(&good, "external_id", "F 1"),
                Came::fault("#/external_id", "pattern"),
            ),
            Wrong::NoJson => {
                let half = good.to_string().split_at(40).0.to_owned();
                self.lines.push(half);
                self.wanted.push(Came::refused("malformed_request"));
                return;
            }
            Wrong::SentTwice => (earlier.clone(), Came::to("unchanged")),
            Wrong::IdReused => (
                with(earlier, "purchase_date", "2024-05-18"),
                Came::refused("external_id_reused"),
            ),
            Wrong::ReportedTwice => (
                with(earlier, "external_id", &format!("X-{n}")),
                Came::refused("serial_already_reported"),
            ),
            Wrong::HeldByAnother => {
                self.is_held_named = true;
                let line = with(&sale(n, 0, HELD.0), "serial_number", HELD.1);
                (line, Came::to("already_registered"))
            }
            Wrong::ReturnOfNothing => (
                json!({ "verb": "return", "external_id": format!("R-{n}"), "of": "F-never" }),
                Came::fault("#/of", "reference_unknown"),
            ),
        };
        self.add(&line, came);
    }
}

fn sale(n: usize, customer: usize, model: &str) -> Value {
    let (vat_number, email) = CUSTOMERS[customer];
    json!({
        "external_id": format!("F-{n}"), "vat_number": vat_number, "vat_country": "DK", "email": email, "model": model,
        "serial_number": format!("{}", 800_000_000_000 + n), "purchase_date": BOUGHT
    })
}

/// A sale without its customer.
fn anonymous(sale: &Value) -> Value {
    let mut line = sale.clone();
    let fields = line.as_object_mut().unwrap();
    fields.retain(|name, _| !["vat_number", "vat_country", "email"].contains(&name.as_str()));
    line
}

fn id_of(line: &Value) -> String {
    line["external_id"].as_str().unwrap().to_owned()
}
