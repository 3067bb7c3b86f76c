//! Any sequence of lines gives the same registrations, products, points and results, sent one by one, as one batch, or cut into several: drawn with a
//! fixed seed. `CUT_ROUNDS=500` draws more.

use std::collections::BTreeMap;

use cps_api::repository::Kind;
use serde_json::{Value, json};

use super::{LINES, answered};
use crate::dice::Dice;
use crate::partners::FOTO_NORD;
use crate::raw::Raw;
use crate::support::{TestApp, Token};

/// Customers as the dealer names them: two who trust it, one who does not, one whom nobody knows.
fn customer(n: usize) -> Value {
    let of_vat = |number: &str, email: &str| json!({ "vat_number": number, "vat_country": "DK", "email": email });
    match n {
        0 => of_vat("24256790", "mette@fjordfoto.example"),
        1 => of_vat("10150817", "jonas@lysogskygge.example"),
        2 => of_vat("31415926", "kirsten@klitfoto.example"),
        _ => json!({ "member_number": "999999999078" }),
    }
}

const MODELS: [&str; 2] = ["EOS R5", "EOS R6 Mark II"];
const DAYS: [&str; 4] = ["2024-05-17", "2024-05-18", "2020-01-01", "2026-02-30"];
/// Serial numbers, so few that lines meet; the last one is a customer's own already.
const SERIALS: usize = 4;

fn rounds() -> usize {
    let named = std::env::var("CUT_ROUNDS").ok();
    named.map_or(16, |text| text.parse().unwrap())
}

fn serial(way: usize, n: usize) -> String {
    format!("{}", 400_000_000_000 + way * 10 + n)
}

/// A line as drawn, before it is told which way it is sent: ids and numbers stand for themselves.
#[derive(Debug, Clone)]
enum Drawn {
    Sale {
        id: usize,
        customer: usize,
        model: usize,
        serial: usize,
        day: usize,
    },
    Return {
        id: usize,
        of: usize,
    },
    Correct {
        id: usize,
        of: usize,
        model: Option<usize>,
        serial: Option<usize>,
        day: Option<usize>,
    },
}

impl Drawn {
    fn draw(dice: &mut Dice) -> Self {
        // Most days are good.
        let day = |dice: &mut Dice| [0, 0, 0, 0, 1, 1, 2, 3][dice.below(8)];
        match dice.below(10) {
            0..6 => Self::Sale {
                id: dice.below(6),
                customer: [0, 0, 0, 1, 1, 2, 2, 3][dice.below(8)],
                model: dice.below(8) / 7,
                serial: dice.below(SERIALS),
                day: day(dice),
            },
            6 => Self::Return {
                id: dice.below(4),
                of: dice.below(6),
            },
            _ => {
                let maybe = |dice: &mut Dice, n: usize| (dice.below(2) == 0).then_some(n);
                let (model, number) = (dice.below(2), dice.below(SERIALS));
                let day = [0, 1, 1, 1, 1, 3][dice.below(6)];
                Self::Correct {
                    id: dice.below(4),
                    of: dice.below(6),
                    model: maybe(dice, model).filter(|_| number == 0),
                    serial: maybe(dice, number),
                    day: maybe(dice, day),
                }
            }
        }
    }

    /// The line as it is sent this way.
    fn line(&self, way: usize) -> Value {
        let mut line = match self {
            Self::Sale { customer: n, .. } => customer(*n),
            _ => json!({}),
        };
        let mut say = |name: &str, value: Value| line[name] = value;
        match self {
            Self::Sale {
                id,
                model,
                serial: n,
                day,
                ..
            } => {
                say("external_id", json!(format!("W{way}-F{id}")));
                say("model", json!(MODELS[*model]));
                say("serial_number", json!(serial(way, *n)));
                say("purchase_date", json!(DAYS[*day]));
            }
            Self::Return { id, of } => {
                say("verb", json!("return"));
                say("external_id", json!(format!("W{way}-R{id}")));
                say("of", json!(format!("W{way}-F{of}")));
            }
            Self::Correct {
                id,
                of,
                model,
                serial: n,
                day,
            } => {
                say("verb", json!("correct"));
                say("external_id", json!(format!("W{way}-C{id}")));
                say("of", json!(format!("W{way}-F{of}")));
                for (name, value) in [
                    ("model", model.map(|model| MODELS[model].to_owned())),
                    ("serial_number", n.map(|n| serial(way, n))),
                    ("purchase_date", day.map(|day| DAYS[day].to_owned())),
                ] {
                    if let Some(value) = value {
                        say(name, json!(value));
                    }
                }
            }
        }
        line
    }
}

/// Everything that came of lines that were sent one way, in words that do not tell which: without ids, and without versions, since what changes twice in
/// a chunk is stored once.
#[derive(Debug, PartialEq)]
struct Came {
    results: Vec<Value>,
    registrations: Vec<String>,
    products: Vec<String>,
    entries: Vec<String>,
}

/// Services on one database, with a token of the dealer's.
struct Shop {
    apps: Vec<TestApp>,
    token: Token,
    raw: Raw,
}

impl Shop {
    /// Two instances where the database takes two.
    async fn open() -> Self {
        let app = TestApp::start().await;
        let mut apps = Vec::new();
        let raw = Raw::open(&app.database);
        if raw.kind() == Kind::Postgres {
            apps.push(TestApp::on(app.database.clone(), &[]).await);
        }
        let jonas = app.sign_in("jonas@lysogskygge.example").await;
        let account = "/v1/accounts/acc_00000000000070008000000000000002";
        let path = format!("{account}/trusted-partners/{}", FOTO_NORD.partner_id);
        app.put(&path, &jonas, Value::Null).await.expect(200);
        let token = app.dealer(FOTO_NORD, "").await;
        apps.insert(0, app);
        Self { apps, token, raw }
    }

    /// The customer who does not trust the dealer has the last number.
    async fn prepare(&mut self, way: usize) {
        let app = &self.apps[0];
        let kirsten = app.sign_in("kirsten@klitfoto.example").await;
        let models = app.get("/v1/models?query=EOS%20R5", &kirsten).await.body;
        let mut models = models["items"].as_array().unwrap().iter();
        let model = &models.find(|model| model["name"] == MODELS[0]).unwrap()["id"];
        let body = json!({
            "model_id": model, "serial_number": serial(way, SERIALS - 1), "purchase_date": "2024-05-17",
            "purchase_country": "DK", "dealer": "Foto Nord"
        });
        let path = "/v1/accounts/acc_00000000000070008000000000000006/products";
        app.post(path, &kirsten, body).await.expect(201);
        // Those who are not found are counted for the day, and more than enough are drawn.
        self.raw.run("DELETE FROM partner_days").unwrap();
    }

    async fn singly(&self, lines: &[Value]) -> Vec<Value> {
        let mut results = Vec::new();
        for (n, line) in lines.iter().enumerate() {
            let app = &self.apps[n % self.apps.len()];
            let answer = app.post(LINES, &self.token, line.clone()).await;
            let mut said = answered(&answer);
            // Only a single line is told where it stands.
            said.as_object_mut().unwrap().remove("registration_status");
            said["of"] = answer.body["id"].clone();
            results.push(said);
        }
        results
    }

    async fn in_batches(&self, pieces: &[&[Value]]) -> Vec<Value> {
        let mut batches = Vec::new();
        for (n, piece) in pieces.iter().enumerate() {
            let app = &self.apps[n % self.apps.len()];
            batches.push(app.send_lines(&self.token, piece).await);
        }
        let mut results = Vec::new();
        for batch in batches {
            results.extend(self.apps[0].results(&self.token, batch).await);
        }
        results.iter().map(result).collect()
    }

    /// What came of lines, with `results`.
    fn came(&mut self, way: usize, results: Vec<Value>) -> Came {
        let (prefix, numbers) = (format!("W{way}-"), serial(way, 0));
        let (numbers, _) = numbers.split_at(numbers.len() - 1);
        let mut lines = |sql: String| -> Vec<String> {
            let found = self.raw.lines(&sql).into_iter();
            found
                .map(|line| line.replace(&prefix, "").replace(numbers, "#"))
                .collect()
        };
        let ids = lines(format!(
            "SELECT 'reg_' || replace(CAST(id AS TEXT), '-', '') || ' ' || external_id AS line FROM registrations WHERE external_id LIKE '{prefix}%'"
        ));
        let ids: BTreeMap<&str, &str> = ids
            .iter()
            .map(|line| line.split_once(' ').unwrap())
            .collect();
        // A product goes by the first line that names it, or by its number.
        let named = "COALESCE((SELECT min(r.external_id) FROM registrations r WHERE r.product_id = p.id), 'own ' || p.serial_number)";
        let of_way = format!(
            "(p.serial_number LIKE '{numbers}_' OR EXISTS (SELECT 1 FROM registrations r WHERE r.product_id = p.id AND r.external_id LIKE '{prefix}%'))"
        );
        Came {
            results: results
                .into_iter()
                .map(|mut result| {
                    let of = result["of"].as_str().map(|id| ids[id].to_owned());
                    result["of"] = json!(of);
                    result
                })
                .collect(),
            registrations: lines(format!(
                "SELECT l.external_id || ' ' || l.verb || ' ' || l.status || ' ' || COALESCE(l.code, '-') || ' ' || COALESCE(l.serial_key, '-') || ' '
                     || COALESCE(o.external_id, '-') || ' '
                     || COALESCE((SELECT min(r.external_id) FROM registrations r WHERE r.product_id = l.product_id), '-') AS line
                 FROM registrations l LEFT JOIN registrations o ON o.id = l.of_id WHERE l.external_id LIKE '{prefix}%' ORDER BY l.external_id"
            )),
            products: {
                let mut products = lines(format!(
                    "SELECT {named} || ' ' || p.status || ' ' || COALESCE(p.end_reason, '-') || ' ' || COALESCE(p.serial_number, '-') || ' '
                         || p.evidence || ' ' || COALESCE(CAST(p.purchase_date AS TEXT), '-') || ' ' || m.name || ' ' || a.contact_email AS line
                     FROM products p JOIN models m ON m.id = p.model_id JOIN accounts a ON a.id = p.account_id WHERE {of_way}"
                ));
                products.sort();
                products
            },
            entries: {
                let mut entries = lines(format!(
                    "SELECT {named} || ' ' || e.kind || ' ' || e.reason || ' ' || CAST(e.amount AS TEXT) AS line
                     FROM points_entries e JOIN products p ON p.id = e.product_id WHERE {of_way} ORDER BY e.account_id, e.seq"
                ));
                entries.sort_by_key(|line| line.split(' ').next().map(str::to_owned));
                entries
            },
        }
    }
}

/// The result of a line of a batch, as a single one is told.
fn result(line: &Value) -> Value {
    let mut said = json!({ "status": line["status"], "of": line["registration_id"] });
    if !line["code"].is_null() {
        said["code"] = line["code"].clone();
    }
    if line["status"] == "refused" {
        let faults = line["errors"].as_array().unwrap().iter();
        let faults =
            faults.map(|fault| json!({ "pointer": fault["pointer"], "code": fault["code"] }));
        said["errors"] = faults.collect();
    }
    said
}

/// Pieces of `lines`, at most as many as may wait at a time.
fn cut<'a>(lines: &'a [Value], dice: &mut Dice) -> Vec<&'a [Value]> {
    let mut at: Vec<usize> = (0..3).map(|_| dice.below(lines.len())).collect();
    at.extend([0, lines.len()]);
    at.sort_unstable();
    at.dedup();
    at.windows(2).map(|ends| &lines[ends[0]..ends[1]]).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lines_come_to_the_same_however_they_are_sent() {
    let mut shop = Shop::open().await;
    let mut dice = Dice::of(11);
    let mut statuses = BTreeMap::new();
    for round in 0..rounds() {
        let drawn: Vec<Drawn> = (0..5 + dice.below(25))
            .map(|_| Drawn::draw(&mut dice))
            .collect();
        let mut came = Vec::new();
        for kind in 0..3 {
            let way = 1000 + round * 3 + kind;
            shop.prepare(way).await;
            let lines: Vec<Value> = drawn.iter().map(|line| line.line(way)).collect();
            let results = match kind {
                0 => shop.singly(&lines).await,
                1 => shop.in_batches(&[&lines]).await,
                _ => shop.in_batches(&cut(&lines, &mut dice)).await,
            };
            came.push(shop.came(way, results));
        }
        for result in &came[0].results {
            let status = result["status"].as_str().unwrap().to_owned();
            *statuses.entry(status).or_insert(0) += 1;
        }
        assert_eq!(came[1], came[0], "round {round}, one batch: {drawn:#?}");
        assert_eq!(came[2], came[0], "round {round}, cut: {drawn:#?}");
    }
    // Lines of every kind were among them.
    for status in [
        "registered",
        "offered",
        "already_registered",
        "returned",
        "corrected",
        "unchanged",
        "refused",
    ] {
        assert!(statuses.contains_key(status), "{statuses:?}");
    }
}
