//! What dealers report over HTTP: the cases of the vectors, what a dealer may read, and what it cannot find out.

mod at_once;
mod batches;
mod cuts;
mod secrecy;
mod sending;
mod world;

use serde_json::{Value, json};

use crate::partners::{FOTO_NORD, KAMERAHUSET};
use crate::raw::Raw;
use crate::support::{Answer, Database, TestApp, Token};
use world::{World, dealer, merged, object, text, unmatched};

const LINES: &str = "/v1/registrations";

fn vectors() -> Value {
    serde_json::from_str(include_str!("../../vectors/dealer_lines.json")).unwrap()
}

/// A sandbox that begins on the day of the vectors.
async fn on_that_day(whole: &Value) -> TestApp {
    let database = Database::create();
    let mut raw = Raw::migrated(&database);
    let day: chrono::DateTime<chrono::Utc> = text(whole, "now").parse().unwrap();
    let ahead = (day - chrono::Utc::now()).num_microseconds().unwrap();
    raw.run(&format!(
        "INSERT INTO settings (name, value) VALUES ('clock_offset_micros', '{ahead}')"
    ))
    .unwrap();
    drop(raw);
    TestApp::on(database, &[]).await
}

/// A service with the world of the vectors, its dealers' tokens and a connection past it.
struct Shop {
    app: TestApp,
    raw: Raw,
    whole: Value,
    trusted: Token,
    other: Token,
}

impl Shop {
    async fn open() -> Self {
        let whole = vectors()["world"].clone();
        let app = on_that_day(&whole).await;
        let raw = Raw::open(&app.database);
        let (trusted, other) = (
            app.dealer(FOTO_NORD, "").await,
            app.dealer(KAMERAHUSET, "").await,
        );
        Self {
            app,
            raw,
            whole,
            trusted,
            other,
        }
    }

    fn token(&self, partner: &str) -> &Token {
        match partner {
            "P" => &self.trusted,
            _ => &self.other,
        }
    }

    fn world(&mut self, given: &Value) -> World {
        World::build(&mut self.raw, &merged(self.whole.clone(), given))
    }

    async fn report(&self, partner: &str, line: &Value) -> Answer {
        self.app
            .post(LINES, self.token(partner), line.clone())
            .await
    }
}

/// What a line was answered, in the words of the vectors.
fn answered(answer: &Answer) -> Value {
    let body = &answer.body;
    match answer.status {
        200 | 201 => {
            let mut said = json!({ "status": body["status"] });
            for field in ["registration_status", "code"] {
                if !body[field].is_null() {
                    said[field] = body[field].clone();
                }
            }
            let is_new =
                !["unchanged", "already_registered"].contains(&body["status"].as_str().unwrap());
            assert_eq!(answer.status == 201, is_new, "{body}");
            said
        }
        _ => {
            let faults = body["errors"]
                .as_array()
                .cloned()
                .unwrap_or_default()
                .into_iter();
            let errors: Vec<Value> = faults
                .map(|fault| json!({ "pointer": fault["pointer"], "code": fault["code"] }))
                .collect();
            json!({ "status": "refused", "code": body["code"], "errors": errors })
        }
    }
}

fn or(value: &Value, other: Value) -> Value {
    if value.is_null() {
        other
    } else {
        value.clone()
    }
}

/// Holds that the case has left what it says; `before` are the customers that its partner had not found until then.
fn check_world(raw: &mut Raw, world: &mut World, case: &Value, before: i64) {
    let (name, partner) = (text(case, "name"), text(case, "partner"));
    world.find_new(raw);
    for (product, wanted) in object(&case["products_after"]) {
        let stands = world.product(raw, &product);
        for (field, value) in object(&wanted) {
            assert_eq!(stands[&field], value, "{name}: {product}: {field}");
        }
    }
    assert_eq!(
        world.entries(raw),
        or(&case["entries"], json!([])),
        "{name}"
    );
    assert_eq!(
        world.work(raw),
        or(&case["work_items"], json!([])),
        "{name}"
    );
    let missed = unmatched(raw, partner) - before;
    assert_eq!(
        missed,
        case["unmatched_today"].as_i64().unwrap_or(0),
        "{name}"
    );
}

#[tokio::test]
async fn every_case_of_the_vectors_comes_to_what_they_say() {
    let mut shop = Shop::open().await;
    let vectors = vectors();
    let cases = vectors["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 68);
    for case in cases {
        let mut world = shop.world(&case["given"]);
        let (name, partner) = (text(case, "name"), text(case, "partner"));
        let before = unmatched(&mut shop.raw, partner);
        let lines = case["lines"].as_array().unwrap().iter();
        for (line, wanted) in lines.zip(case["results"].as_array().unwrap()) {
            let answer = shop.report(partner, line).await;
            assert_eq!(&answered(&answer), wanted, "{name}: {}", answer.body);
        }
        check_world(&mut shop.raw, &mut world, case, before);
    }
}

/// A sale to the business that trusts the dealer.
fn sale() -> Value {
    vectors()["cases"][0]["lines"][0].clone()
}

#[tokio::test]
async fn one_line_sent_by_many_at_once_is_taken_in_once() {
    let mut shop = Shop::open().await;
    let world = shop.world(&json!({}));
    let line = sale();
    let answers = futures_util::future::join_all((0..32).map(|_| shop.report("P", &line))).await;
    let of = |status: &str| {
        answers
            .iter()
            .filter(|answer| answer.body["status"] == status)
            .count()
    };
    assert_eq!(
        (of("registered"), of("unchanged")),
        (1, 31),
        "{:?}",
        answers
            .iter()
            .map(|answer| &answer.body)
            .collect::<Vec<_>>()
    );
    let award = json!([{ "account": "A", "kind": "award", "amount": 185 }]);
    assert_eq!(world.entries(&mut shop.raw), award);
    let id = answers[0].str("/id");
    assert!(answers.iter().all(|answer| answer.str("/id") == id));
}

#[tokio::test]
async fn a_dealer_reads_its_own_lines_and_staff_read_all() {
    let mut shop = Shop::open().await;
    let world = shop.world(&json!({}));
    let line = sale();
    let taken = shop.report("P", &line).await.expect(201);
    let path = taken.header("location").to_owned();
    let read = shop.app.get(&path, &shop.trusted).await.expect(200);
    assert_eq!(read.body, taken.body);
    assert_eq!(read.header("etag"), taken.header("etag"));
    assert!(read.body["account_id"].is_null() && read.body["partner_id"].is_null());
    shop.app
        .get(&path, &shop.other)
        .await
        .problem(404, "not_found");
    let list = async |query: &str, token: &Token| {
        let page = shop
            .app
            .get(&format!("{LINES}?{query}"), token)
            .await
            .expect(200);
        page.body["items"].as_array().unwrap().len()
    };
    for (query, count) in [
        ("external_id=F-1001", 1),
        ("external_id=F-1002", 0),
        ("status=registered", 1),
        ("status=offered", 0),
        ("serial_number=1302%201004-1177", 1),
        ("serial_number=130210041178", 0),
    ] {
        assert_eq!(list(query, &shop.trusted).await, count, "{query}");
        assert_eq!(list(query, &shop.other).await, 0, "{query}");
    }
    let admin = shop.app.sign_in("admin@cps.example").await;
    let seen = shop.app.get(&path, &admin).await.expect(200);
    let account = format!("acc_{}", world.accounts["A"].simple());
    assert_eq!(seen.str("/account_id"), account);
    assert_eq!(seen.str("/partner_id"), dealer("P").partner_id);
    assert_eq!(list("external_id=F-1001", &admin).await, 1);
}

/// The product that another one has in a case.
fn of_vectors(case: &str) -> Value {
    let vectors = vectors();
    let cases = vectors["cases"].as_array().unwrap();
    let found = cases.iter().find(|one| one["name"] == case).unwrap();
    found["given"]["products"]["prd_1"].clone()
}

#[tokio::test]
async fn a_customer_gets_one_mail_of_all_that_a_dealer_reports_within_ten_minutes() {
    let mut shop = Shop::open().await;
    shop.world(&json!({}));
    for (id, serial) in [("F-1", "130210041177"), ("F-2", "130210041178")] {
        let line = merged(
            sale(),
            &json!({ "external_id": id, "serial_number": serial }),
        );
        shop.report("P", &line).await.expect(201);
    }
    assert!(
        shop.app
            .mails("mette@fjordfoto.example")
            .await
            .iter()
            .all(|mail| mail["template"] != "product_registered_by_dealer")
    );
    shop.app.advance(chrono::TimeDelta::minutes(11)).await;
    let mail = shop
        .app
        .mail("mette@fjordfoto.example", "product_registered_by_dealer")
        .await;
    let said = mail["text"].as_str().unwrap();
    assert!(
        said.contains("130210041177") && said.contains("130210041178"),
        "{said}"
    );
    shop.trusted = shop.app.dealer(FOTO_NORD, "").await;
    let line = merged(
        sale(),
        &json!({ "external_id": "F-3", "serial_number": "130210041179" }),
    );
    shop.report("P", &line).await.expect(201);
    shop.app.advance(chrono::TimeDelta::minutes(11)).await;
    let mails = shop.app.mails("mette@fjordfoto.example").await;
    let of_dealer = mails
        .iter()
        .filter(|mail| mail["template"] == "product_registered_by_dealer");
    assert_eq!(of_dealer.count(), 2);
}

#[tokio::test]
async fn fifty_customers_who_are_not_found_have_staff_look_at_the_dealer() {
    let mut shop = Shop::open().await;
    shop.world(&json!({ "partner_days": { "P": { "unmatched": 48 } } }));
    let line = merged(sale(), &json!({ "member_number": "999999999078" }));
    let alerts =
        "SELECT kind AS line FROM work_items WHERE kind = 'partner_alert' AND closed_at IS NULL";
    shop.report("P", &line)
        .await
        .problem(422, "invalid_request");
    assert!(shop.raw.lines(alerts).is_empty());
    for _ in 0..2 {
        shop.report("P", &line)
            .await
            .problem(422, "invalid_request");
        assert_eq!(shop.raw.lines(alerts), ["partner_alert"]);
    }
}
