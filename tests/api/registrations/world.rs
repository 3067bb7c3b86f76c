//! The worlds of `tests/vectors/dealer_lines.json` in a database: businesses, models, products and earlier lines that no operation could make in
//! time, written past the service. What an earlier case left is set aside, so that one service serves them all.

use std::collections::BTreeMap;

use cps_api::domain::registration::SentLine;
use cps_api::secrets::sha256_hex;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::partners::{Dealer, FOTO_NORD, KAMERAHUSET};
use crate::raw::Raw;

/// The system of a partner of the vectors.
pub fn dealer(partner: &str) -> Dealer {
    match partner {
        "P" => FOTO_NORD,
        _ => KAMERAHUSET,
    }
}

fn uuid_of(id: &str) -> Uuid {
    Uuid::parse_str(id.rsplit('_').next().unwrap()).unwrap()
}

pub fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    let text = value[name].as_str();
    text.unwrap_or_else(|| panic!("{name} of {value}"))
}

/// `over` laid over `under`: objects by key, all else replaced.
pub fn merged(under: Value, over: &Value) -> Value {
    match (under, over) {
        (Value::Object(mut under), Value::Object(over)) => {
            for (name, value) in over {
                let below = under.remove(name).unwrap_or(Value::Null);
                under.insert(name.clone(), merged(below, value));
            }
            Value::Object(under)
        }
        (under, Value::Null) if under.is_object() => under,
        (_, over) => over.clone(),
    }
}

pub fn object(value: &Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap_or_default()
}

fn moment(text: &str) -> String {
    text.replace('Z', ".000000Z")
}

fn quoted(value: &Value) -> String {
    value
        .as_str()
        .map_or("NULL".to_owned(), |text| format!("'{text}'"))
}

/// What the words of a case stand for.
#[derive(Default)]
pub struct World {
    pub accounts: BTreeMap<String, Uuid>,
    models: BTreeMap<String, Uuid>,
    /// In the order in which they were made.
    pub products: Vec<(String, Uuid)>,
}

impl World {
    /// Puts the world of a case into the database.
    pub fn build(raw: &mut Raw, whole: &Value) -> Self {
        set_aside(raw);
        let mut world = Self::default();
        let now = moment(text(whole, "now"));
        for (name, model) in object(&whole["models"]) {
            world.add_model(raw, &name, &model, &now);
        }
        raw.run("UPDATE settings SET value = CAST(CAST(value AS INTEGER) + 1 AS TEXT) WHERE name = 'catalogue_version'").unwrap();
        for (name, account) in object(&whole["accounts"]) {
            world.add_account(raw, &name, &account, &now);
        }
        for (name, product) in object(&whole["products"]) {
            world.add_product(raw, &name, &product);
        }
        for line in whole["registrations"].as_array().unwrap() {
            world.add_registration(raw, line);
        }
        for (partner, day) in object(&whole["partner_days"]) {
            let partner = uuid_of(dealer(&partner).partner_id);
            raw.run(&format!(
                "INSERT INTO partner_days (partner_id, day, lines, dry_run_lines, unmatched, silent_matches)
                 VALUES ('{partner}', '2026-11-26', 0, 0, {}, 0)", day["unmatched"]
            )).unwrap();
        }
        world
    }

    fn add_model(&mut self, raw: &mut Raw, name: &str, model: &Value, now: &str) {
        let id = Uuid::new_v4();
        self.models.insert(name.to_owned(), id);
        let shown = text(model, "name");
        raw.run(&format!(
            "INSERT INTO models (id, name, name_key, category, launched_date, serial_pattern, example, created_at, manufacturer_code, changed_in)
             VALUES ('{id}', '{shown}', '{}', '{}', '{}', NULL, FALSE, '{now}', '{}', 1)",
            shown.to_lowercase(), text(model, "category"), text(model, "launched_date"), text(model, "manufacturer_code"),
        )).unwrap();
        raw.run(&format!("INSERT INTO model_points (model_id, valid_from, points) VALUES ('{id}', '2020-01-01', {})", model["points"])).unwrap();
        for gtin in model["gtin"].as_array().unwrap() {
            let gtin = gtin.as_str().unwrap();
            raw.run(&format!(
                "INSERT INTO model_gtins (gtin, model_id) VALUES ('{gtin:0>14}', '{id}')"
            ))
            .unwrap();
        }
    }

    fn add_account(&mut self, raw: &mut Raw, name: &str, account: &Value, now: &str) {
        let id = Uuid::new_v4();
        self.accounts.insert(name.to_owned(), id);
        let status = text(account, "status");
        let from = if status == "suspended" {
            "'active'"
        } else {
            "NULL"
        };
        let emails = account["emails"].as_array().unwrap();
        let email = emails[0].as_str().unwrap();
        raw.run(&format!(
            "INSERT INTO accounts (id, account_number, status, version, company_name, company_key, country, vat_registered, vat_number, street,
                 postal_code, city, contact_name, contact_email, contact_email_key, language, authority_declared_at, authority_declared_from,
                 terms_version, terms_accepted_at, created_at, updated_at, approved_at, suspended_from)
             VALUES ('{id}', '{}', '{status}', 1, 'Case {name}', 'case {name}', '{}', TRUE, '{}', 'Havnegade 1', '1058', 'København', 'Mette', '{email}',
                 '{email}', 'da', '{now}', '127.0.0.1', '1', '{now}', '{now}', '{now}', '{now}', {from})",
            text(account, "account_number"), text(account, "country"), text(account, "vat_number"),
        )).unwrap();
        for other in &emails[1..] {
            let (user, email) = (Uuid::new_v4(), other.as_str().unwrap());
            raw.run(&format!(
                "INSERT INTO users (id, version, account_id, email, email_key, name, roles, language, session_version, created_at)
                 VALUES ('{user}', 1, '{id}', '{email}', '{email}', 'Lager', '[\"member\"]', 'da', 1, '{now}')"
            )).unwrap();
        }
        for number in account["member_numbers"].as_array().unwrap() {
            let number = number.as_str().unwrap();
            raw.run(&format!(
                "INSERT INTO member_numbers (number, number_key, account_id, created_at) VALUES ('{number}', '{number}', '{id}', '{now}')"
            )).unwrap();
        }
        for trusted in account["trusts"].as_array().unwrap() {
            let partner = uuid_of(dealer(trusted.as_str().unwrap()).partner_id);
            raw.run(&format!("INSERT INTO trusted_partners (account_id, partner_id, since) VALUES ('{id}', '{partner}', '{now}')")).unwrap();
        }
    }

    fn add_product(&mut self, raw: &mut Raw, name: &str, product: &Value) {
        let id = Uuid::new_v4();
        self.products.push((name.to_owned(), id));
        let (account, model) = (
            self.accounts[text(product, "account")],
            self.models[text(product, "model")],
        );
        let since = moment(text(product, "since"));
        let estimated = product["estimated"].as_array().unwrap().iter();
        let estimated: Vec<&str> = estimated.map(|field| field.as_str().unwrap()).collect();
        let serial = quoted(&product["serial"]);
        let ended = product["end_reason"]
            .as_str()
            .map_or("NULL".to_owned(), |_| format!("'{since}'"));
        let recovered = if product["recovered"] == true {
            format!("'{since}'")
        } else {
            "NULL".to_owned()
        };
        raw.run(&format!(
            "INSERT INTO products (id, account_id, model_id, version, status, serial_number, serial_key, serial_since, purchase_date, purchase_country,
                 dealer, estimated, end_reason, created_at, updated_at, ended_at, holds_serial, evidence, recovered_at)
             VALUES ('{id}', '{account}', '{model}', 1, '{}', {serial}, {serial}, '{since}', {}, {}, {}, '{}', {}, '{since}', '{since}', {ended}, {},
                 '{}', {recovered})",
            text(product, "status"), quoted(&product["purchase_date"]), quoted(&product["purchase_country"]), quoted(&product["dealer"]),
            estimated.join(" "), quoted(&product["end_reason"]), product["holds_serial"], text(product, "evidence"),
        )).unwrap();
        if let Some(points) = product["award"].as_i64() {
            let entry = Uuid::new_v4();
            raw.run(&format!(
                "INSERT INTO points_accounts (account_id, balance, held, seq, last_at) VALUES ('{account}', {points}, 0, 1, '{since}')"
            )).unwrap();
            raw.run(&format!(
                "INSERT INTO points_entries (id, account_id, seq, kind, amount, balance, held, product_id, value_valid_from, reason, actor, created_at)
                 VALUES ('{entry}', '{account}', 1, 'award', {points}, {points}, 0, '{id}', '2020-01-01', 'complete', 'service:seed', '{since}')"
            )).unwrap();
        }
    }

    fn add_registration(&self, raw: &mut Raw, line: &Value) {
        let id = Uuid::new_v4();
        let said = &line["line"];
        let sent: SentLine = serde_json::from_value(said.clone()).unwrap();
        let form = sent.understand(Vec::new().into()).read.normal_form();
        let model = self.models[text(line, "model")];
        let product = line["product"].as_str().map_or("NULL".to_owned(), |name| {
            let known = self.products.iter().find(|(known, _)| known == name);
            format!("'{}'", known.unwrap().1)
        });
        let reported = json!({
            "model_id": format!("mod_{}", model.simple()), "serial_number": said["serial_number"], "purchase_date": said["purchase_date"],
            "purchase_country": "DK",
        });
        raw.run(&format!(
            "INSERT INTO registrations (id, partner_id, external_id, verb, body_hash, status, account_id, product_id, model_id, serial_key, reported,
                 version, created_at, changed_at)
             VALUES ('{id}', '{}', '{}', '{}', '{}', '{}', '{}', {product}, '{model}', {}, '{reported}', 1, '{}', '{}')",
            uuid_of(dealer(text(line, "partner")).partner_id), text(line, "external_id"), text(line, "verb"), sha256_hex(form.as_bytes()),
            text(line, "status"), self.accounts[text(line, "account")], quoted(&line["serial"]), moment(text(line, "created")),
            moment(text(line, "changed")),
        )).unwrap();
    }

    /// The accounts of the case, as a list of SQL.
    fn mine(&self) -> String {
        let ids: Vec<String> = self.accounts.values().map(|id| format!("'{id}'")).collect();
        ids.join(", ")
    }

    fn account_of(&self, id: &str) -> &str {
        let known = self
            .accounts
            .iter()
            .find(|(_, known)| known.to_string() == id);
        known.unwrap().0
    }

    /// The products that the case made, in the order in which they were made, named as the vectors name them.
    pub fn find_new(&mut self, raw: &mut Raw) {
        let sql = format!(
            "SELECT CAST(id AS TEXT) AS line FROM products WHERE account_id IN ({}) ORDER BY id",
            self.mine()
        );
        let (mut number, given) = (self.products.len(), self.products.clone());
        let mut found: Vec<Uuid> = raw
            .lines(&sql)
            .iter()
            .map(|id| Uuid::parse_str(id).unwrap())
            .collect();
        found.retain(|id| !given.iter().any(|(_, known)| known == id));
        for id in found {
            self.products.push((format!("prd_new{number}"), id));
            number += 1;
        }
    }

    /// Where a product stands.
    pub fn product(&self, raw: &mut Raw, name: &str) -> Value {
        let known = self.products.iter().find(|(known, _)| known == name);
        let (_, id) = known.unwrap_or_else(|| panic!("there is no {name}"));
        let sql = format!(
            "SELECT CAST(account_id AS TEXT) || ' ' || status || ' ' || evidence || ' ' || COALESCE(serial_key, '-') || ' '
                 || (SELECT CAST(COALESCE(SUM(amount), 0) AS TEXT) FROM points_entries WHERE product_id = products.id) AS line
             FROM products WHERE id = '{id}'"
        );
        let line = raw.lines(&sql).pop().unwrap();
        let fields: Vec<&str> = line.split(' ').collect();
        json!({
            "account": self.account_of(fields[0]), "status": fields[1], "evidence": fields[2], "serial": fields[3],
            "points": fields[4].parse::<i64>().unwrap(),
        })
    }

    /// What the ledgers got of dealers.
    pub fn entries(&self, raw: &mut Raw) -> Value {
        let sql = format!(
            "SELECT CAST(account_id AS TEXT) || ' ' || kind || ' ' || CAST(amount AS TEXT) AS line FROM points_entries
             WHERE actor LIKE 'partner:%' AND account_id IN ({}) ORDER BY id", self.mine()
        );
        let entries = raw.lines(&sql).into_iter().map(|line| {
            let fields: Vec<&str> = line.split(' ').collect();
            json!({ "account": self.account_of(fields[0]), "kind": fields[1], "amount": fields[2].parse::<i64>().unwrap() })
        });
        entries.collect()
    }

    /// What waits for staff.
    pub fn work(&self, raw: &mut Raw) -> Value {
        let sql = format!(
            "SELECT kind AS line FROM work_items WHERE closed_at IS NULL AND account_id IN ({})",
            self.mine()
        );
        json!(raw.lines(&sql))
    }
}

/// How many customers a partner has not found on the day of the vectors.
pub fn unmatched(raw: &mut Raw, partner: &str) -> i64 {
    let partner = uuid_of(dealer(partner).partner_id);
    let sql = format!(
        "SELECT CAST(unmatched AS TEXT) AS line FROM partner_days WHERE partner_id = '{partner}'"
    );
    raw.lines(&sql)
        .pop()
        .map_or(0, |count| count.parse().unwrap())
}

/// Nothing that stands in the database is met by the next case.
fn set_aside(raw: &mut Raw) {
    for sql in [
        "UPDATE registrations SET external_id = 'old-' || CAST(id AS TEXT), serial_key = NULL, status = 'ended'",
        "UPDATE products SET holds_serial = FALSE, serial_key = NULL",
        "UPDATE accounts SET account_number = 'x' || CAST(id AS TEXT), vat_number = NULL",
        "DELETE FROM member_numbers",
        "DELETE FROM partner_days",
        "UPDATE users SET removed_at = created_at, email_key = 'x' || CAST(id AS TEXT) WHERE name = 'Lager' AND removed_at IS NULL",
        "UPDATE models SET name_key = CAST(id AS TEXT), manufacturer_code = NULL",
        "DELETE FROM model_gtins",
    ] {
        raw.run(sql)
            .unwrap_or_else(|error| panic!("{error}: {sql}"));
    }
}
