//! The cases of `tests/vectors/dealer_lines.json`, decided without a database; and that lists of lines come to the same wherever they are cut.

use std::collections::{BTreeMap, HashMap};

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::domain::account::AccountId;
use crate::domain::json::read_body;
use crate::domain::model::{Category, ModelFacts, ModelId, name_key};
use crate::domain::product::{Evidence, ProductField, ProductId, ProductStatus};
use crate::domain::product_details::Details;
use crate::domain::registration::{
    CustomerName, Dealer, Decision, Known, Line, ModelName, Outcome, ProductFacts, RegistrationId,
    Reported, SentLine, Step, World, decide,
};
use crate::domain::values::{Gtin, VatNumber, email_key};
use crate::error::{Partial, Refusal};
use crate::handlers::extract::Input;
use crate::programme::{Programme, SHIPPED};
use crate::secrets::sha256_hex;
use crate::types::Instant;

fn vectors() -> Value {
    serde_json::from_str(include_str!("../../../../tests/vectors/dealer_lines.json")).unwrap()
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name]
        .as_str()
        .unwrap_or_else(|| panic!("{name} of {value}"))
}

fn word<T: std::str::FromStr>(value: &Value, name: &str) -> T {
    let parsed = text(value, name).parse().ok();
    parsed.unwrap_or_else(|| panic!("{name} of {value}"))
}

fn merged(mut under: Value, over: &Value) -> Value {
    match (&mut under, over) {
        (Value::Object(under), Value::Object(over)) => {
            for (name, value) in over {
                let below = under.remove(name).unwrap_or(Value::Null);
                under.insert(name.clone(), merged(below, value));
            }
        }
        (under, over) => *under = over.clone(),
    }
    under
}

fn object(value: &Value) -> &Map<String, Value> {
    static EMPTY: std::sync::LazyLock<Map<String, Value>> = std::sync::LazyLock::new(Map::new);
    value.as_object().unwrap_or(&EMPTY)
}

/// One line as it comes in.
fn sent(line: &Value) -> Partial<Line> {
    let programme = Programme::parse(SHIPPED).unwrap();
    match read_body::<SentLine>(line.clone()) {
        Ok((fields, faults)) => fields.parse(&programme, faults).unwrap(),
        Err(error) => panic!("{error}"),
    }
}

fn identity(line: &Partial<Line>) -> String {
    sha256_hex(line.read.normal_form().as_bytes())
}

/// A case's world, and what its words stand for.
struct Case {
    world: World,
    now: Instant,
    accounts: HashMap<String, AccountId>,
    models: HashMap<String, ModelId>,
    products: BTreeMap<String, ProductId>,
    points: HashMap<ModelId, i64>,
    awards: BTreeMap<ProductId, i64>,
}

impl Case {
    fn of(whole: &Value, partner: &str) -> Self {
        let now: Instant = word(whole, "now");
        let programme = Programme::parse(SHIPPED).unwrap();
        let of = &whole["partners"][partner];
        let dealer = Dealer {
            name: text(of, "name").to_owned(),
            country: word(of, "country"),
        };
        let world = World::new(now, dealer, (programme.dealers, programme.products));
        let mut case = Self {
            world,
            now,
            accounts: HashMap::new(),
            models: HashMap::new(),
            products: BTreeMap::new(),
            points: HashMap::new(),
            awards: BTreeMap::new(),
        };
        case.world.unmatched = whole["partner_days"][partner]["unmatched"]
            .as_i64()
            .unwrap_or(0);
        object(&whole["models"])
            .iter()
            .for_each(|(name, model)| case.know_model(name, model));
        object(&whole["accounts"])
            .iter()
            .for_each(|(name, account)| case.know_account(name, account, partner));
        case.know_customers_by_vat(whole);
        object(&whole["products"])
            .iter()
            .for_each(|(name, product)| case.know_product(name, product));
        let lines = whole["registrations"].as_array().unwrap();
        for line in lines.iter().filter(|line| text(line, "partner") == partner) {
            case.know_registration(line);
        }
        case
    }

    fn know_model(&mut self, name: &str, model: &Value) {
        let id = ModelId::new(self.now);
        self.models.insert(name.to_owned(), id);
        self.points.insert(id, model["points"].as_i64().unwrap());
        let names = &mut self.world.models;
        for gtin in model["gtin"].as_array().unwrap() {
            let gtin: Gtin = gtin.as_str().unwrap().parse().unwrap();
            names.insert(ModelName::Gtin(gtin.as_str().to_owned()), id);
        }
        names.insert(
            ModelName::ManufacturerCode(text(model, "manufacturer_code").to_owned()),
            id,
        );
        names.insert(ModelName::Name(name_key(text(model, "name"))), id);
        let category: Category = word(model, "category");
        let facts = ModelFacts {
            category,
            launched_date: Some(word(model, "launched_date")),
            serial_pattern: None,
        };
        self.world.model_facts.insert(id, facts);
    }

    fn know_account(&mut self, name: &str, account: &Value, partner: &str) {
        let id = AccountId::new(self.now);
        self.accounts.insert(name.to_owned(), id);
        if account["trusts"]
            .as_array()
            .unwrap()
            .contains(&json!(partner))
        {
            self.world.trusting.insert(id);
        }
        if text(account, "status") != "active" {
            return;
        }
        for number in account["member_numbers"].as_array().unwrap() {
            let number = number.as_str().unwrap().to_owned();
            self.world
                .customers
                .insert(CustomerName::MemberNumber(number), id);
        }
        let number = text(account, "account_number").to_owned();
        self.world
            .customers
            .insert(CustomerName::AccountNumber(number), id);
    }

    /// Two that match are none.
    fn know_customers_by_vat(&mut self, whole: &Value) {
        let mut found: HashMap<CustomerName, Vec<AccountId>> = HashMap::new();
        for (name, account) in object(&whole["accounts"]) {
            let is_active = text(account, "status") == "active";
            let country = word(account, "country");
            let number = VatNumber::read(country, text(account, "vat_number")).unwrap();
            for email in account["emails"]
                .as_array()
                .unwrap()
                .iter()
                .filter(|_| is_active)
            {
                let email_key = email_key(email.as_str().unwrap());
                let vat = CustomerName::Vat {
                    country,
                    number: number.clone().into(),
                    email_key,
                };
                found.entry(vat).or_default().push(self.accounts[name]);
            }
        }
        let single = found
            .into_iter()
            .filter(|(_, accounts)| accounts.len() == 1);
        self.world
            .customers
            .extend(single.map(|(name, accounts)| (name, accounts[0])));
    }

    fn know_product(&mut self, name: &str, product: &Value) {
        let id = ProductId::new(self.now);
        let serial = product["serial"].as_str().map(str::to_owned);
        let estimated = product["estimated"].as_array().unwrap().iter();
        let estimated: Vec<ProductField> = estimated
            .map(|field| field.as_str().unwrap().parse().unwrap())
            .collect();
        let facts = ProductFacts {
            id,
            account_id: self.accounts[text(product, "account")],
            model_id: self.models[text(product, "model")],
            status: word(product, "status"),
            serial_key: serial.clone(),
            serial_since: word(product, "since"),
            is_checked: false,
            evidence: word(product, "evidence"),
            details: Details {
                serial_number: serial.clone(),
                purchase_date: product["purchase_date"]
                    .as_str()
                    .map(|day| day.parse().unwrap()),
                purchase_country: product["purchase_country"]
                    .as_str()
                    .map(|code| code.parse().unwrap()),
                dealer: product["dealer"].as_str().map(str::to_owned),
                estimated,
                ..Details::default()
            },
        };
        let is_stolen = product["end_reason"] == "stolen" && product["recovered"] != true;
        if let Some(serial) = serial.filter(|_| is_stolen) {
            self.world.stolen.insert((facts.model_id, serial));
        }
        if let Some(award) = product["award"].as_i64() {
            self.awards.insert(id, award);
        }
        self.products.insert(name.to_owned(), id);
        self.world.know_product(facts);
    }

    fn know_registration(&mut self, line: &Value) {
        let said = sent(&line["line"]);
        let identity = identity(&said);
        let model_id = self.models[text(line, "model")];
        self.world.know_registration(Known {
            id: RegistrationId::new(self.now),
            external_id: text(line, "external_id").to_owned(),
            verb: word(line, "verb"),
            of_id: None,
            identity,
            status: word(line, "status"),
            is_confirmed: false,
            reason: None,
            account_id: self.accounts[text(line, "account")],
            product_id: line["product"].as_str().map(|name| self.products[name]),
            model_id: Some(model_id),
            serial_key: line["serial"].as_str().map(str::to_owned),
            reported: Some(Reported {
                model_id,
                serial_number: text(&line["line"], "serial_number").to_owned(),
                purchase_date: said.read.purchase_date.unwrap(),
                purchase_country: said
                    .read
                    .purchase_country
                    .unwrap_or(self.world.dealer.country),
            }),
            offer_expires_at: None,
            batch_id: None,
            version: 1,
            created_at: word(line, "created"),
            changed_at: word(line, "changed"),
        });
    }

    fn decide(&mut self, line: &Value) -> Decision {
        let line = sent(line);
        let identity = identity(&line);
        decide(&mut self.world, &line, &identity)
    }

    /// What the ledgers get when each product has what it earns, first what is taken back.
    fn settle(&mut self, ids: &[ProductId]) -> Vec<(AccountId, &'static str, i64)> {
        let (mut taken, mut granted) = (Vec::new(), Vec::new());
        for id in ids {
            let product = self.world.product(*id).unwrap();
            let earned =
                (product.status == ProductStatus::Complete).then(|| self.points[&product.model_id]);
            let before = self.awards.get(id).copied();
            if before != earned {
                taken.extend(before.map(|award| (product.account_id, "reversal", -award)));
                granted.extend(earned.map(|award| (product.account_id, "award", award)));
            }
            match earned {
                Some(award) => self.awards.insert(*id, award),
                None => self.awards.remove(id),
            };
        }
        taken.extend(granted);
        taken
    }
}

fn made(step: &Step) -> Option<ProductId> {
    match step {
        Step::Register(new) | Step::Offer(new) => Some(new.id),
        _ => None,
    }
}

fn touched(step: &Step) -> ProductId {
    match step {
        Step::Register(new) | Step::Offer(new) => new.id,
        Step::Confirm { product_id, .. }
        | Step::Correct { product_id, .. }
        | Step::TakeBack { product_id }
        | Step::Watch { product_id, .. } => *product_id,
    }
}

fn refused(refusal: &Refusal) -> Value {
    let faults = refusal.faults.iter();
    let errors: Vec<Value> = faults
        .map(|fault| json!({ "pointer": fault.pointer, "code": fault.code.as_str() }))
        .collect();
    json!({ "status": "refused", "code": refusal.code.as_str(), "errors": errors })
}

fn answered(outcome: &Outcome) -> Value {
    match outcome {
        Outcome::Taken(known) if known.is_confirmed => {
            json!({ "status": known.status, "code": "confirmed" })
        }
        Outcome::Taken(known) => json!({ "status": known.status }),
        Outcome::Unchanged(known) => {
            json!({ "status": "unchanged", "registration_status": known.status })
        }
        Outcome::Refused(refusal) => refused(refusal),
    }
}

#[test]
fn every_case_comes_to_what_the_vectors_say() {
    let vectors = vectors();
    let cases = vectors["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 68);
    for given in cases {
        let whole = merged(vectors["world"].clone(), &or(&given["given"], json!({})));
        check(given, &mut Case::of(&whole, text(given, "partner")));
    }
}

/// The entries of ledgers that lines made, and what they left to staff.
type Left = (Vec<(AccountId, &'static str, i64)>, Vec<&'static str>);

fn check(given: &Value, case: &mut Case) {
    let name = text(given, "name");
    let before = case.world.unmatched;
    let (entries, work) = check_lines(given, case);
    let entries: Vec<Value> = entries
        .into_iter()
        .map(|(account, kind, amount)| json!({ "account": named(&case.accounts, account), "kind": kind, "amount": amount }))
        .collect();
    assert_eq!(json!(entries), or(&given["entries"], json!([])), "{name}");
    assert_eq!(json!(work), or(&given["work_items"], json!([])), "{name}");
    assert_eq!(
        case.world.unmatched - before,
        given["unmatched_today"].as_i64().unwrap_or(0),
        "{name}"
    );
    check_products(given, case);
}

/// Every line is answered as the case says.
fn check_lines(given: &Value, case: &mut Case) -> Left {
    let (mut entries, mut work) = (Vec::new(), Vec::new());
    let mut number = case.products.len();
    let lines = given["lines"].as_array().unwrap().iter();
    for (line, wanted) in lines.zip(given["results"].as_array().unwrap()) {
        let decision = case.decide(line);
        let name = text(given, "name");
        assert_eq!(&answered(&decision.outcome), wanted, "{name}");
        for step in &decision.steps {
            if let Some(new) = made(step) {
                case.products.insert(format!("prd_new{number}"), new);
                number += 1;
            }
            work.extend(matches!(step, Step::Watch { .. }).then_some("stolen_serial"));
        }
        let stale = case.stale(&decision);
        entries.extend(case.settle(&stale));
    }
    (entries, work)
}

fn check_products(given: &Value, case: &Case) {
    let name = text(given, "name");
    for (product, wanted) in object(&given["products_after"]) {
        let product = case.world.product(case.products[product]).unwrap();
        let after = json!({
            "account": named(&case.accounts, product.account_id), "status": product.status, "evidence": product.evidence,
            "serial": product.serial_key, "points": case.awards.get(&product.id).copied().unwrap_or(0),
        });
        for (field, value) in object(wanted) {
            assert_eq!(&after[field], value, "{name}: {field}");
        }
    }
}

impl Case {
    /// The products whose points a decision may change: those that it touches, and whoever lost a number to them, whom no step names.
    fn stale(&self, decision: &Decision) -> Vec<ProductId> {
        let touched: Vec<ProductId> = decision.steps.iter().map(touched).collect();
        let fell_back = |id: &ProductId| {
            let product = self.world.product(*id).unwrap();
            self.awards.contains_key(id) && product.status == ProductStatus::Incomplete
        };
        let ids = self.products.values().copied();
        ids.filter(|id| touched.contains(id) || fell_back(id))
            .collect()
    }
}

fn named(accounts: &HashMap<String, AccountId>, id: AccountId) -> &str {
    accounts.iter().find(|(_, known)| **known == id).unwrap().0
}

fn or(value: &Value, other: Value) -> Value {
    if value.is_null() {
        other
    } else {
        value.clone()
    }
}

/// Any line that has no fault of its form.
fn any_line() -> impl Strategy<Value = Value> {
    let customer = prop::sample::select(vec![
        json!({ "member_number": "207491553073" }),
        json!({ "account_number": "2000000224" }),
        json!({ "member_number": "999999999078" }),
        json!({ "member_number": "310077241813" }),
    ]);
    let serial = prop::sample::select(vec!["130210041177", "130210041178", "130210041179"]);
    let day = prop::sample::select(vec!["2026-11-20", "2026-11-19"]);
    let sale = (0..5, customer, serial.clone(), day.clone()).prop_map(|(id, customer, serial, day)| {
        let line = json!({ "external_id": format!("F-{id}"), "gtin": "4549292160123", "serial_number": serial, "purchase_date": day });
        merged(line, &customer)
    });
    let back = (0..3, 0..5).prop_map(|(id, of)| json!({ "verb": "return", "external_id": format!("R-{id}"), "of": format!("F-{of}") }));
    let mend = (0..3, 0..5, serial, day).prop_map(|(id, of, serial, day)| {
        json!({ "verb": "correct", "external_id": format!("C-{id}"), "of": format!("F-{of}"), "serial_number": serial, "purchase_date": day })
    });
    prop_oneof![4 => sale, 1 => back, 1 => mend]
}

/// The same world as the next transaction would find it.
fn found_anew(world: &World) -> World {
    let rules = (world.dealers.clone(), world.product_rules.clone());
    let mut next = World::new(world.now, world.dealer.clone(), rules);
    next.unmatched = world.unmatched;
    next.customers = world.customers.clone();
    next.trusting = world.trusting.clone();
    next.models = world.models.clone();
    next.model_facts = world.model_facts.clone();
    next.stolen = world.stolen.clone();
    world
        .products()
        .for_each(|product| next.know_product(product.clone()));
    world
        .registrations()
        .for_each(|known| next.know_registration(known.clone()));
    next
}

/// What lines came to, without the ids that are made on the way.
fn run(lines: &[Value], cuts: &[usize]) -> (Vec<Value>, Vec<Value>, Vec<Value>) {
    let vectors = vectors();
    let held = json!({ "products": { "prd_1": {
        "account": "E", "model": "mod_r6", "serial": "130210041179", "status": "complete", "estimated": ["serial_number"],
        "since": "2026-01-10T10:00:00Z", "purchase_date": "2026-01-09", "purchase_country": "DK", "dealer": "Kamerahuset",
        "evidence": "stated", "award": 185
    } } });
    let mut case = Case::of(&merged(vectors["world"].clone(), &held), "P");
    let mut answers = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        if cuts.contains(&at) {
            case.world = found_anew(&case.world);
        }
        answers.push(answered(&case.decide(line).outcome));
    }
    let mut products: Vec<Value> = case
        .world
        .products()
        .map(|product| {
            json!([
                named(&case.accounts, product.account_id),
                product.status,
                product.serial_key,
                product.details.purchase_date
            ])
        })
        .collect();
    let mut known: Vec<Value> = case
        .world
        .registrations()
        .map(|known| json!([known.external_id, known.status, known.serial_key]))
        .collect();
    products.sort_by_key(Value::to_string);
    known.sort_by_key(Value::to_string);
    (answers, products, known)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn lines_come_to_the_same_wherever_their_list_is_cut(
        lines in prop::collection::vec(any_line(), 1..12), cuts in prop::collection::vec(0usize..12, 0..6),
    ) {
        let one_by_one: Vec<usize> = (0..lines.len()).collect();
        let singly = run(&lines, &one_by_one);
        prop_assert_eq!(&run(&lines, &cuts), &singly);
        prop_assert_eq!(&run(&lines, &[]), &singly);
    }

    #[test]
    fn nobody_holds_a_serial_number_twice(lines in prop::collection::vec(any_line(), 1..20)) {
        let (_, products, _) = run(&lines, &[]);
        let holds = |product: &&Value| !["offered", "ended"].contains(&product[1].as_str().unwrap()) && !product[2].is_null();
        let mut held: Vec<&str> = products.iter().filter(holds).map(|product| product[2].as_str().unwrap()).collect();
        let all = held.len();
        held.dedup();
        prop_assert_eq!(held.len(), all, "{:?}", products);
    }
}

#[test]
fn evidence_only_grows() {
    assert!(Evidence::Stated < Evidence::Dealer && Evidence::Dealer < Evidence::Document);
}
