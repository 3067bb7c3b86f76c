//! Many who say the same at once: a dealer's systems among themselves, and a customer beside a batch.

use std::collections::BTreeMap;

use cps_api::repository::Kind;
use serde_json::{Value, json};

use super::LINES;
use crate::credentials::token_of;
use crate::partners::FOTO_NORD;
use crate::raw::Raw;
use crate::support::{Answer, TestApp, Token};

/// The account of a customer who does not trust the dealer.
const OTHER: &str = "/v1/accounts/acc_00000000000070008000000000000002";

/// A sale to the business that trusts the dealer.
fn sale(n: usize) -> Value {
    json!({
        "external_id": format!("F-{n}"), "vat_number": "24256790", "vat_country": "DK", "email": "mette@fjordfoto.example",
        "model": "EOS R5", "serial_number": format!("{}", 500_000_000_000_usize + n), "purchase_date": "2024-05-17"
    })
}

/// A token of a second system of the dealer.
async fn second_system(app: &TestApp) -> Token {
    let admin = app.sign_in("admin@cps.example").await;
    let path = format!("/v1/partners/{}/credentials", FOTO_NORD.partner_id);
    let body =
        json!({ "name": "Kasse 2", "scopes": ["registrations:write", "registrations:read"] });
    let credential = app.post(&path, &admin, body).await.expect(201);
    token_of(app, &credential).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_lines_singly_and_in_batches_of_two_systems_are_taken_in_once() {
    let app = TestApp::start().await;
    let systems = [app.dealer(FOTO_NORD, "").await, second_system(&app).await];
    let lines: Vec<Value> = (0..60).map(sale).collect();
    let batches = systems.iter().map(|token| app.send_lines(token, &lines));
    let singly = (0..32).map(|n| app.post(LINES, &systems[n % 2], lines[n % 4].clone()));
    let (batches, singly) = tokio::join!(
        futures_util::future::join_all(batches),
        futures_util::future::join_all(singly)
    );
    let mut came: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
    let mut tell = |line: &Value, result: &Value, id: &str| {
        let told = came
            .entry(line["external_id"].as_str().unwrap().to_owned())
            .or_default();
        told.push((
            result["status"].as_str().unwrap().to_owned(),
            result[id].as_str().unwrap().to_owned(),
        ));
    };
    for (n, answer) in singly.iter().enumerate() {
        tell(&lines[n % 4], &answer.body, "id");
    }
    for (token, batch) in systems.iter().zip(batches) {
        let results = app.results(token, batch).await;
        for (line, result) in lines.iter().zip(&results) {
            tell(line, result, "registration_id");
        }
    }
    for (line, told) in &came {
        let new = told.iter().filter(|(status, _)| status == "registered");
        assert_eq!(new.count(), 1, "{line}: {told:?}");
        let is_known = |(status, id): &(String, String)| {
            ["registered", "unchanged"].contains(&status.as_str()) && *id == told[0].1
        };
        assert!(told.iter().all(is_known), "{line}: {told:?}");
    }
    let awards = "SELECT CAST(count(*) AS TEXT) AS line FROM points_entries WHERE kind = 'award' AND actor LIKE 'partner:%'";
    assert_eq!(Raw::open(&app.database).lines(awards), ["60"]);
}

/// A customer, who registers what a dealer reports for another one.
struct Customer {
    token: Token,
    model: Value,
}

impl Customer {
    async fn of(app: &TestApp) -> Self {
        let token = app.sign_in("jonas@lysogskygge.example").await;
        let models = app.get("/v1/models?query=EOS%20R5", &token).await;
        let models = models.expect(200).body;
        let mut models = models["items"].as_array().unwrap().iter();
        let model = models.find(|model| model["name"] == "EOS R5").unwrap();
        Self {
            token,
            model: model["id"].clone(),
        }
    }

    async fn register(&self, app: &TestApp, line: &Value) -> Answer {
        let body = json!({
            "model_id": self.model, "serial_number": line["serial_number"], "purchase_date": "2024-05-17",
            "purchase_country": "DK", "dealer": "Kamerahuset"
        });
        let path = format!("{OTHER}/products");
        app.post_once(&path, &self.token, body).await
    }
}

/// Whoever was first has the number, and the other one is told so.
fn one_has_it(own: &Answer, line: &Value) -> bool {
    match (own.status, line["status"].as_str().unwrap()) {
        (201, "already_registered") => false,
        (409, "registered") => {
            assert_eq!(own.body["code"], "serial_already_registered");
            true
        }
        other => panic!("{other:?}: {} and {line}", own.body),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_number_that_a_batch_and_a_customer_name_at_once_has_one_holder() {
    let app = TestApp::start().await;
    let (dealer, customer) = (app.dealer(FOTO_NORD, "").await, Customer::of(&app).await);
    let lines: Vec<Value> = (0..200).map(sale).collect();
    // From the middle on, so that they meet.
    let own = async {
        let mut answers = Vec::new();
        for line in &lines[100..] {
            answers.push(customer.register(&app, line).await);
        }
        answers
    };
    let (own, batch) = tokio::join!(own, app.send_lines(&dealer, &lines));
    let results = app.results(&dealer, batch).await;
    let to_dealer = own.iter().zip(&results[100..]);
    let to_dealer = to_dealer.filter(|(own, line)| one_has_it(own, line));
    let to_dealer = 100 + i64::try_from(to_dealer.count()).unwrap();
    let mut raw = Raw::open(&app.database);
    let awards = "SELECT CAST(count(*) AS TEXT) AS line FROM points_entries WHERE kind = 'award' AND actor LIKE 'partner:%'";
    assert_eq!(raw.lines(awards), [to_dealer.to_string()]);
    let twice = "SELECT serial_key AS line FROM products WHERE holds_serial AND ended_at IS NULL AND serial_key IS NOT NULL
        GROUP BY model_id, serial_key HAVING count(*) > 1";
    assert_eq!(raw.lines(twice), [""; 0]);
}

/// Waits until somebody waits for what the connection with this number holds.
async fn somebody_waits_for(raw: &mut Raw, holder: &str) {
    let waits = format!(
        "SELECT CAST(pid AS TEXT) AS line FROM pg_stat_activity WHERE {holder} = ANY (pg_blocking_pids(pid))"
    );
    for _ in 0..600 {
        if !raw.lines(&waits).is_empty() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("nobody waits");
}

/// On PostgreSQL, where two can write at the same time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_customer_who_is_slower_than_a_chunk_that_is_open_is_refused() {
    let app = TestApp::start().await;
    let (mut holding, mut looking) = (Raw::open(&app.database), Raw::open(&app.database));
    if holding.kind() == Kind::Sqlite {
        return;
    }
    let (dealer, customer) = (app.dealer(FOTO_NORD, "").await, Customer::of(&app).await);
    app.post(LINES, &dealer, sale(0)).await.expect(201);
    // Somebody holds the line that the chunk takes back: it has written its products, and waits.
    holding.run("BEGIN").unwrap();
    holding
        .run("SELECT id FROM registrations WHERE external_id = 'F-0' FOR UPDATE")
        .unwrap();
    let holder = holding.lines("SELECT CAST(pg_backend_pid() AS TEXT) AS line");
    let lines = [
        sale(1),
        json!({ "verb": "return", "external_id": "R-0", "of": "F-0" }),
    ];
    let batch = app.send_lines(&dealer, &lines).await;
    somebody_waits_for(&mut looking, &holder[0]).await;
    let chunk = looking.lines(&format!(
        "SELECT CAST(pid AS TEXT) AS line FROM pg_stat_activity WHERE {} = ANY (pg_blocking_pids(pid))",
        holder[0]
    ));
    let release = async {
        somebody_waits_for(&mut looking, &chunk[0]).await;
        holding.run("ROLLBACK").unwrap();
    };
    let (own, ()) = tokio::join!(customer.register(&app, &lines[0]), release);
    let results = app.results(&dealer, batch).await;
    assert!(one_has_it(&own, &results[0]));
    assert_eq!(results[1]["status"], "returned");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_that_comes_while_the_one_before_it_ends_has_its_turn() {
    let app = TestApp::start().await;
    let dealer = app.dealer(FOTO_NORD, "").await;
    for round in 0..25 {
        let mut batches = Vec::new();
        for n in 0..4 {
            batches.push(app.send_lines(&dealer, &[sale(round * 4 + n)]).await);
        }
        for batch in batches {
            let results = app.results(&dealer, batch).await;
            assert_eq!(results[0]["status"], "registered");
        }
    }
}
