//! What waits for staff: serial numbers in doubt, leases, what is closed by hand, and where each matter is worked.

use chrono::TimeDelta;
use reqwest::Method;
use serde_json::{Value, json};

use crate::events::writes::partner_alert;
use crate::openapi::{document, operations};
use crate::products::METTE;
use crate::raw::Raw;
use crate::support::{Answer, Sending, TestApp, Token};

const JONAS: &str = "/v1/accounts/acc_00000000000070008000000000000002";
const CONTACT: [&str; 2] = ["mette@fjordfoto.example", "jonas@lysogskygge.example"];

struct Desk {
    app: TestApp,
    mette: Token,
    jonas: Token,
    support: Token,
    admin: Token,
    model: String,
}

async fn desk() -> Desk {
    let app = TestApp::start().await;
    Desk {
        mette: app.sign_in(CONTACT[0]).await,
        jonas: app.sign_in(CONTACT[1]).await,
        support: app.sign_in("support@cps.example").await,
        admin: app.sign_in("admin@cps.example").await,
        model: app.model("EOS R6 Mark II").await,
        app,
    }
}

impl Desk {
    fn camera(&self, serial: &str, estimated: &[&str]) -> Value {
        json!({
            "model_id": self.model, "serial_number": serial, "purchase_date": "2024-05-17",
            "purchase_country": "DK", "dealer": "Foto Nord", "estimated": estimated
        })
    }

    /// Registers a camera for Mette; where it is.
    async fn mettes(&self, serial: &str, estimated: &[&str]) -> String {
        let body = self.camera(serial, estimated);
        let path = format!("{METTE}/products");
        let made = self.app.post(&path, &self.mette, body).await.expect(201);
        made.header("location").to_owned()
    }

    /// Jonas registers what Mette reported stolen.
    async fn turn_up(&self, serial: &str) -> String {
        let stolen = self.mettes(serial, &[]).await;
        let stolen = format!("{stolen}?reason=stolen");
        self.app.delete(&stolen, &self.mette, 1).await.expect(204);
        let (path, body) = (format!("{JONAS}/products"), self.camera(serial, &[]));
        let found = self.app.post(&path, &self.jonas, body).await.expect(201);
        assert_eq!(found.body["status"], "disputed");
        found.header("location").to_owned()
    }

    async fn waits(&self, token: &Token, query: &str) -> Vec<Value> {
        let path = format!("/v1/work-items?{query}");
        let listed = self.app.get(&path, token).await.expect(200);
        listed.body["items"].as_array().unwrap().clone()
    }

    /// What waits about a product, by its kind.
    async fn about(&self, product: &str) -> Vec<String> {
        let id = product.rsplit('/').next().unwrap();
        let waits = self.waits(&self.support, "limit=100").await;
        let about = waits.iter().filter(|item| item["about"] == id);
        about
            .map(|item| item["kind"].as_str().unwrap().to_owned())
            .collect()
    }

    async fn check(&self, product: &str, decision: Value) -> Answer {
        let mut body = json!({ "reason": "A photo shows the plate." });
        body.as_object_mut()
            .unwrap()
            .extend(decision.as_object().unwrap().clone());
        let path = format!("{product}/check");
        self.app.post(&path, &self.support, body).await
    }

    async fn read(&self, product: &str) -> Value {
        self.app.get(product, &self.support).await.expect(200).body
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stolen_camera_that_turns_up_waits_for_staff_and_its_reporter_is_told_without_a_name() {
    let desk = desk().await;
    let product = desk.turn_up("44402021").await;
    assert_eq!(desk.about(&product).await, ["stolen_serial"]);
    let seen = desk.app.mail(CONTACT[0], "stolen_serial_seen").await;
    let text = seen["text"].as_str().unwrap();
    assert!(text.contains("44402021") && text.contains("EOS R6 Mark II"));
    for secret in ["Lys", "Skygge", "Jonas", "jonas", "Odense"] {
        assert!(!text.contains(secret), "{text}");
    }
    let checked = desk.check(&product, json!({ "decision": "confirm" })).await;
    let checked = checked.expect(200);
    assert_eq!(checked.body["status"], "complete");
    assert_eq!(
        checked.body["points_granted"],
        checked.body["points_possible"]
    );
    assert!(desk.about(&product).await.is_empty());
    let told = desk.app.mail(CONTACT[1], "serial_checked").await;
    let told = told["text"].as_str().unwrap();
    assert!(told.contains("44402021") && !told.contains("photo"));
    let mut raw = Raw::open(&desk.app.database);
    let reason = "SELECT r.reason || ' ' || e.data AS line FROM events e JOIN event_reasons r ON r.event_id = e.id WHERE e.type = 'product.checked'";
    let mut reasons = raw.lines(reason);
    for _ in 0..100 {
        if !reasons.is_empty() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        reasons = raw.lines(reason);
    }
    assert_eq!(reasons.len(), 1);
    assert!(reasons[0].starts_with("A photo shows the plate. {"));
    let evidence = "SELECT evidence AS line FROM products WHERE checked_at IS NOT NULL";
    assert_eq!(raw.lines(evidence), ["staff"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_names_a_stolen_number_by_a_file_or_a_change_is_held_too_and_nobody_is_mailed_of_their_own()
 {
    let desk = desk().await;
    for serial in ["44402031", "44402032", "44402033"] {
        let stolen = format!("{}?reason=stolen", desk.mettes(serial, &[]).await);
        desk.app.delete(&stolen, &desk.mette, 1).await.expect(204);
    }
    let own = desk.mettes("44402033", &[]).await;
    assert_eq!(desk.about(&own).await, ["stolen_serial"]);
    let mails = desk.app.mails(CONTACT[0]).await;
    let is_seen = |mail: &&Value| mail["template"] == "stolen_serial_seen";
    assert_eq!(mails.iter().filter(is_seen).count(), 0);
    let file = "model,serial_number,purchase_date,purchase_country,dealer,estimated\nEOS R6 Mark II,44402031,2024-05-17,DK,Foto Nord,\n";
    let import = desk
        .app
        .request(Method::POST, &format!("{JONAS}/products/import"))
        .sent_by(&desk.jonas)
        .header("content-type", "text/csv")
        .header("idempotency-key", "stolen");
    import.body(file).answer().await.expect(200);
    let (path, body) = (format!("{JONAS}/products"), desk.camera("44402040", &[]));
    let clean = desk.app.post(&path, &desk.jonas, body).await.expect(201);
    let product = clean.header("location").to_owned();
    let change = json!({ "serial_number": "44402032" });
    let changed = desk.app.patch(&product, &desk.jonas, 1, change).await;
    assert_eq!(changed.expect(200).body["status"], "disputed");
    assert_eq!(desk.about(&product).await, ["stolen_serial"]);
    let mut jonas = desk
        .waits(&desk.support, "kind=stolen_serial&limit=100")
        .await;
    jonas.retain(|item| JONAS.ends_with(item["account_id"].as_str().unwrap()));
    assert_eq!(jonas.len(), 2);
    // It was a slip of the pen: nothing waits any more.
    let back = json!({ "serial_number": "44402040" });
    let back = desk.app.patch(&product, &desk.jonas, 2, back).await;
    assert_eq!(back.expect(200).body["status"], "complete");
    assert!(desk.about(&product).await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_fourth_guess_waits_for_staff_until_it_earns_or_ends() {
    let desk = desk().await;
    let guess = ["serial_number"];
    let mut guesses = Vec::new();
    for n in 1..=5 {
        guesses.push(desk.mettes(&format!("5550200{n}"), &guess).await);
    }
    for (guess, waits) in guesses.iter().zip([false, false, false, true, true]) {
        assert_eq!(desk.about(guess).await == ["serial_check"], waits);
        let pending = &desk.read(guess).await["points_pending"];
        assert_eq!(pending == "serial_check", waits);
    }
    // One of the three ends: the next one earns by itself.
    let sold = format!("{}?reason=sold", guesses[0]);
    desk.app.delete(&sold, &desk.mette, 1).await.expect(204);
    assert!(desk.about(&guesses[3]).await.is_empty());
    assert!(desk.read(&guesses[3]).await["points_pending"].is_null());
    // Staff confirm the fifth: it is no guess any more.
    let confirmed = desk
        .check(&guesses[4], json!({ "decision": "confirm" }))
        .await;
    let confirmed = confirmed.expect(200);
    assert_eq!(confirmed.body["estimated"], json!([]));
    assert_ne!(confirmed.body["points_granted"], 0);
    assert!(desk.about(&guesses[4]).await.is_empty());
    // A sixth waits, and the customer ends it.
    let sixth = desk.mettes("55502006", &guess).await;
    assert_eq!(desk.about(&sixth).await, ["serial_check"]);
    let ended = format!("{sixth}?reason=mistake");
    desk.app.delete(&ended, &desk.mette, 1).await.expect(204);
    assert!(desk.about(&sixth).await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn staff_correct_a_serial_number_or_end_the_registration() {
    let desk = desk().await;
    let held = desk.mettes("55502011", &[]).await;
    let guess = desk
        .mettes("55502012", &["serial_number", "purchase_date"])
        .await;
    let correct = |number: &str| json!({ "decision": "correct", "serial_number": number });
    let taken = desk.check(&guess, correct("55502011")).await;
    taken.problem(409, "serial_already_registered");
    for (decision, pointer) in [
        (json!({ "decision": "correct" }), "#/serial_number"),
        (
            json!({ "decision": "confirm", "serial_number": "55502013" }),
            "#/serial_number",
        ),
        (correct("1"), "#/serial_number"),
        (json!({ "decision": "leave" }), "#/decision"),
        (json!({ "decision": "confirm", "reason": " " }), "#/reason"),
    ] {
        let refused = desk
            .check(&guess, decision)
            .await
            .problem(422, "invalid_request");
        assert_eq!(refused.faults()[0].0, pointer, "{}", refused.text);
    }
    let checked = desk.check(&guess, correct("5550 2013")).await.expect(200);
    assert_eq!(checked.body["serial_number"], "55502013");
    assert_eq!(checked.body["estimated"], json!(["purchase_date"]));
    let text = desk.app.mail(CONTACT[0], "serial_checked").await;
    assert!(text["text"].as_str().unwrap().contains("55502013"));
    let balance = desk.app.balance(METTE, &desk.mette).await;
    let granted = desk.read(&held).await["points_granted"].as_i64().unwrap();
    let rejected = desk
        .check(&held, json!({ "decision": "reject" }))
        .await
        .expect(200);
    assert_eq!(rejected.body["end_reason"], "rejected");
    let after = desk.app.balance(METTE, &desk.mette).await;
    assert_eq!((after, granted > 0), (balance - granted, true));
    let again = desk.check(&held, json!({ "decision": "confirm" })).await;
    again.problem(409, "product_ended");
    // Whoever names a stolen number is held, staff too.
    let stolen = format!("{}?reason=stolen", desk.mettes("55502014", &[]).await);
    desk.app.delete(&stolen, &desk.mette, 1).await.expect(204);
    let checked = desk.check(&guess, correct("55502014")).await.expect(200);
    assert_eq!(checked.body["status"], "disputed");
    assert_eq!(desk.about(&guess).await, ["stolen_serial"]);
    let empty = json!({ "model_id": desk.model });
    let empty = desk
        .app
        .post(&format!("{METTE}/products"), &desk.mette, empty)
        .await;
    let empty = empty.expect(201).header("location").to_owned();
    let nothing = desk.check(&empty, json!({ "decision": "confirm" })).await;
    assert_eq!(
        nothing.problem(422, "invalid_request").faults()[0].0,
        "#/decision"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_matter_is_claimed_for_half_an_hour_and_given_back() {
    let mut desk = desk().await;
    desk.turn_up("44402051").await;
    let waits = desk.waits(&desk.support, "limit=1").await;
    let item = format!("/v1/work-items/{}", waits[0]["id"].as_str().unwrap());
    let claim = format!("{item}/claim");
    let claimed = desk.app.act(&claim, &desk.support).await.expect(200);
    assert!(claimed.body["claimed_until"].is_string());
    let other = desk.app.act(&claim, &desk.admin).await;
    other.problem(409, "claimed_by_another");
    let other = desk.app.delete(&claim, &desk.admin, 1).await;
    other.problem(409, "claimed_by_another");
    assert_eq!(desk.waits(&desk.support, "mine=true").await.len(), 1);
    assert!(desk.waits(&desk.admin, "mine=true").await.is_empty());
    desk.app.advance(TimeDelta::minutes(31)).await;
    desk.support = desk.app.sign_in("support@cps.example").await;
    desk.admin = desk.app.sign_in("admin@cps.example").await;
    assert!(desk.waits(&desk.support, "mine=true").await.is_empty());
    desk.app.act(&claim, &desk.admin).await.expect(200);
    for _ in 0..2 {
        desk.app.delete(&claim, &desk.admin, 1).await.expect(204);
    }
    desk.app.act(&claim, &desk.support).await.expect(200);
    assert!(desk.waits(&desk.support, "overdue=true").await.is_empty());
    desk.app.advance(TimeDelta::hours(49)).await;
    desk.support = desk.app.sign_in("support@cps.example").await;
    assert!(desk.waits(&desk.support, "overdue=true").await.len() > 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn staff_see_the_kinds_that_they_work_at_and_close_by_hand_what_nothing_else_closes() {
    let desk = desk().await;
    desk.turn_up("44402061").await;
    let completion = partner_alert(&mut Raw::open(&desk.app.database));
    let item = completion.trim_end_matches("/completion").to_owned();
    assert!(
        desk.waits(&desk.support, "kind=partner_alert")
            .await
            .is_empty()
    );
    let unseen = desk.app.act(&format!("{item}/claim"), &desk.support).await;
    unseen.problem(404, "not_found");
    let alerts = desk.waits(&desk.admin, "kind=partner_alert").await;
    assert_eq!(alerts[0]["details"], json!({ "cause": "unmatched" }));
    let serial = &desk.waits(&desk.admin, "kind=stolen_serial").await[0];
    let reason = json!({ "reason": "Mended." });
    let serials = format!(
        "/v1/work-items/{}/completion",
        serial["id"].as_str().unwrap()
    );
    let itself = desk.app.post(&serials, &desk.admin, reason.clone()).await;
    itself.problem(409, "work_item_closes_itself");
    let done = desk
        .app
        .post(&completion, &desk.admin, reason.clone())
        .await;
    assert!(done.expect(200).body["closed_at"].is_string());
    let again = desk.app.post(&completion, &desk.admin, reason).await;
    again.problem(409, "work_item_closed");
    let late = desk.app.act(&format!("{item}/claim"), &desk.admin).await;
    late.problem(409, "work_item_closed");
    assert!(
        desk.waits(&desk.admin, "kind=partner_alert")
            .await
            .is_empty()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_queue_is_paged_by_when_it_is_due_and_says_where_each_matter_is_worked() {
    let desk = desk().await;
    for serial in ["44402071", "44402072"] {
        desk.turn_up(serial).await;
    }
    partner_alert(&mut Raw::open(&desk.app.database));
    let dead = "INSERT INTO work_items (id, kind, subject_id, due_at, opened_at) VALUES
        ('01000000-0000-7000-8000-0000000000a2', 'dead_job', 'job_01000000000070008000000000000001', '2026-03-01T12:00:00.000000Z', '2026-03-01T12:00:00.000000Z')";
    Raw::open(&desk.app.database).run(dead).unwrap();
    let whole = desk.waits(&desk.admin, "limit=100").await;
    let due = |item: &Value| item["due_at"].as_str().unwrap().to_owned();
    assert!(whole.len() > 4 && whole.is_sorted_by_key(due));
    let mut walked = Vec::new();
    let mut next = Some("/v1/work-items?limit=2".to_owned());
    while let Some(path) = next {
        let page = desk.app.get(&path, &desk.admin).await.expect(200);
        walked.extend(page.body["items"].as_array().unwrap().clone());
        let link = page.header("link").to_owned();
        let link = link.split_once('>').map(|(link, _)| link.to_owned());
        next = link.map(|link| link.trim_start_matches('<').to_owned());
    }
    assert_eq!(walked, whole);
    let contract = document(true);
    for item in &whole {
        let path = item["next_path"].as_str().unwrap();
        let operation = operations(&contract)
            .into_iter()
            .find(|(.., spec)| spec["operationId"] == item["next_operation"]);
        let (_, template, _) = operation.unwrap_or_else(|| panic!("{item}"));
        let parts = template.split('/').zip(path.split('/'));
        let is_alike = parts
            .clone()
            .all(|(part, asked)| part == asked || part.starts_with('{'));
        assert!(
            is_alike && parts.count() == path.split('/').count(),
            "{path}"
        );
    }
}
