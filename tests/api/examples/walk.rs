//! The walk that hears how every operation succeeds: the writes by the walk of the events, then every read.

use serde_json::{Value, json};

use super::heard::{Heard, hear};
use crate::businesses::{Business, id_of};
use crate::events::writes::{
    CHOSEN_PASSWORD, Walk, application, bank, dealers, jobs, legacy, money, offers, partners,
    products, staff, work,
};
use crate::openapi::document;
use crate::partners::FOTO_NORD;
use crate::permissions::{Objects, Operation};
use crate::raw::Raw;
use crate::support::{Database, TestApp, Token};

/// The year of the walk, whatever the year is: it has the calendar of 2026, as which it is shown.
pub const YEAR: i32 = 2037;
const NOBODY: Token = Token(None);

/// A sandbox that was seeded on a Monday in March of that year.
pub async fn on_that_day() -> TestApp {
    let database = Database::create();
    let mut raw = Raw::migrated(&database);
    let day: chrono::DateTime<chrono::Utc> = format!("{YEAR}-03-02T09:00:00Z").parse().unwrap();
    let ahead = day - chrono::Utc::now();
    let ahead = ahead.num_microseconds().unwrap();
    let set =
        format!("INSERT INTO settings (name, value) VALUES ('clock_offset_micros', '{ahead}')");
    raw.run(&set).unwrap();
    drop(raw);
    TestApp::on(database, &[]).await
}

/// What every operation answers that has something to say.
pub async fn writes_and_reads() -> Vec<Heard> {
    let mut walk = Walk::on(on_that_day().await).await;
    let mut asta = None;
    let writes = hear(async {
        let business = application(&mut walk).await;
        products(&mut walk, &business).await;
        offers(&mut walk, &business).await;
        legacy(&mut walk, &business).await;
        dealers(&mut walk).await;
        staff(&mut walk, &business).await;
        money(&mut walk, &business).await;
        jobs(&mut walk).await;
        work(&mut walk, &business).await;
        partners(&mut walk).await;
        bank(&mut walk).await;
        sandbox_and_sessions(&walk.app, &business).await;
        asta = Some(business);
    });
    let writes = writes.await;
    let writes = writes
        .into_iter()
        .filter(|one| one.method != reqwest::Method::GET);
    let dead = "UPDATE jobs SET state = 'dead', finished_at = created_at, attempts = 75, last_error = NULL WHERE kind = 'issue_invoice'";
    walk.raw.run(dead).unwrap();
    let reads = hear(read_all(&walk.app, &asta.unwrap())).await;
    reads.into_iter().chain(writes).collect()
}

/// Writes that leave no event.
async fn sandbox_and_sessions(app: &TestApp, asta: &Business) {
    let body = json!({ "email": asta.email, "password": CHOSEN_PASSWORD });
    let session = app.post("/v1/sessions", &NOBODY, body).await.expect(201);
    let body = json!({ "refresh_token": session.str("/refresh_token") });
    let again = app.post("/v1/sessions/refresh", &NOBODY, body).await;
    again.expect(200);
    app.dealer(FOTO_NORD, "").await;
    let soon = app.now().await + chrono::TimeDelta::seconds(1);
    let body = json!({ "now": soon });
    app.put("/v1/sandbox/clock", &NOBODY, body)
        .await
        .expect(200);
}

/// What is asked for beside the path, where that shows more.
fn query(operation: &str, asta: &Business) -> String {
    match operation {
        "listRegistrations" => "?external_id=F-2001".to_owned(),
        "listJobs" => "?state=dead".to_owned(),
        "readMailbox" => "?to=nina@nordlys-test.example".to_owned(),
        "listAccounts" => format!("?query={}", asta.email),
        _ => String::new(),
    }
}

/// Every operation that reads, by somebody who may.
async fn read_all(app: &TestApp, asta: &Business) {
    let objects = objects(app, asta).await;
    let admin = app.sign_in("admin@cps.example").await;
    let reviewer = app.sign_in("reviewer@cps.example").await;
    let callers = [
        ("anybody", &NOBODY),
        ("superuser", &asta.token),
        ("admin", &admin),
        ("reviewer", &reviewer),
    ];
    for operation in Operation::all(&document(true)) {
        if operation.method != reqwest::Method::GET {
            continue;
        }
        let may = operation.spec["x-callers"].as_array().unwrap();
        let may = |caller: &str| may.contains(&json!(caller));
        let (_, token) = callers.iter().find(|(caller, _)| may(caller)).unwrap();
        let path = operation.path_to(&objects) + &query(&operation.id, asta);
        let answer = app.get(&path, token).await;
        assert!(answer.status < 300, "{}: {}", operation.id, answer.text);
        let is_file_too = ["listRegistrationLines", "listPayments", "listRefunds"];
        if is_file_too.contains(&operation.id.as_str()) {
            app.get(&(path + "?format=csv"), token).await.expect(200);
        }
    }
}

/// Waits until something is known of each line of the bank that waits.
async fn until_looked_at(app: &TestApp, admin: &Token) {
    for _ in 0..600 {
        let waiting = app.get("/v1/bank-transactions?state=open", admin).await;
        let waiting = waiting.expect(200);
        let lines = waiting.body["items"].as_array().unwrap();
        if lines.iter().all(|line| line["evidence"] != json!([])) {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("the bank's lines are not looked at");
}

/// What of the business the paths name: the first thing of each of its lists.
async fn objects(app: &TestApp, asta: &Business) -> Objects {
    let mut objects = Objects::from([("account_id", id_of(&asta.account).to_owned())]);
    let lists = [
        ("document_id", "documents"),
        ("product_id", "products"),
        ("invoice_id", "invoices"),
        ("user_id", "users"),
    ];
    for (name, list) in lists {
        let listed = app
            .get(&format!("{}/{list}", asta.account), &asta.token)
            .await;
        let id: Option<&Value> = listed.body.pointer("/items/0/id");
        objects.insert(
            name,
            id.unwrap_or_else(|| panic!("no {list}"))
                .as_str()
                .unwrap()
                .to_owned(),
        );
    }
    let told = app.get("/v1/events", &asta.token).await.expect(200);
    objects.insert("event_id", told.str("/items/0/id"));
    let staff = app.sign_in("support@cps.example").await;
    let reported = app.get("/v1/registrations?external_id=F-2001", &staff);
    let reported = reported.await.expect(200);
    objects.insert("registration_id", reported.str("/items/0/id"));
    let batches = app.get("/v1/registration-batches", &staff).await;
    objects.insert("batch_id", batches.expect(200).str("/items/1/id"));
    let admin = app.sign_in("admin@cps.example").await;
    until_looked_at(app, &admin).await;
    for (name, list) in [
        ("bank_statement_id", "bank-statements"),
        ("bank_transaction_id", "bank-transactions"),
    ] {
        let listed = app.get(&format!("/v1/{list}"), &admin).await;
        objects.insert(name, listed.expect(200).str("/items/0/id"));
    }
    let membership = app
        .get(&format!("{}/membership", asta.account), &asta.token)
        .await;
    objects.insert(
        "member_number",
        membership.expect(200).str("/member_number"),
    );
    objects
}
