//! The feed: what each reader sees of what happened, in which order, and how far back.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::businesses::id_of;
use crate::partners::{FOTO_NORD, KAMERAHUSET};
use crate::products::METTE;
use crate::raw::Raw;
use crate::support::{Answer, TestApp, Token};

const EMAIL: &str = "mette@fjordfoto.example";

/// A page once all that was recorded has its numbers.
async fn page(app: &TestApp, token: &Token, query: &str) -> Answer {
    let mut raw = Raw::open(&app.database);
    let waiting = "SELECT CAST(count(*) AS TEXT) AS line FROM event_inbox";
    for _ in 0..600 {
        if raw.lines(waiting) == ["0"] {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let page = app.get(&format!("/v1/events?{query}"), token).await;
    page.expect(200)
}

fn items(page: &Answer) -> &Vec<Value> {
    page.body["items"].as_array().unwrap()
}

fn words(page: &Answer) -> Vec<&str> {
    let words = items(page).iter();
    words.map(|item| item["type"].as_str().unwrap()).collect()
}

/// Registers a product that has its tick, and ends it; its id.
async fn bought_and_sold(app: &TestApp, token: &Token, serial: &str) -> String {
    let body = json!({
        "model_id": app.model("EOS R6 Mark II").await, "serial_number": serial, "purchase_date": "2024-05-17",
        "purchase_country": "DK", "dealer": "Foto Nord"
    });
    let path = format!("{METTE}/products");
    let made = app.post(&path, token, body).await.expect(201);
    let sold = format!("{}?reason=sold", made.header("location"));
    app.delete(&sold, token, 1).await.expect(204);
    made.str("/id")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_reads_its_own_stream_without_gaps_page_by_page() {
    let app = TestApp::start().await;
    let mette = app.sign_in(EMAIL).await;
    let product = bought_and_sold(&app, &mette, "66602001").await;
    let whole = page(&app, &mette, "limit=500").await;
    let (all, last) = (items(&whole), whole.body["last_sequence"].as_i64().unwrap());
    let numbers: Vec<i64> = all
        .iter()
        .map(|one| one["sequence"].as_i64().unwrap())
        .collect();
    assert_eq!(numbers, (1..=last).collect::<Vec<_>>());
    assert_eq!(whole.str("/next_cursor"), last.to_string());
    assert_eq!(page(&app, &mette, "").await.body, whole.body);
    assert_eq!(page(&app, &mette, "after=0").await.body, whole.body);
    let mut walked = Vec::new();
    let mut after = "0".to_owned();
    loop {
        let one = page(&app, &mette, &format!("limit=2&after={after}")).await;
        if items(&one).is_empty() {
            assert_eq!(one.str("/next_cursor"), after);
            break;
        }
        walked.extend(items(&one).clone());
        after = one.str("/next_cursor");
    }
    assert_eq!(&walked, all);
    let sold = all
        .iter()
        .rfind(|one| one["type"] == "product.ended")
        .unwrap();
    assert_eq!(
        (&sold["resource"], &sold["version"]),
        (&json!(product), &json!(1))
    );
    assert_eq!(sold["data"]["reason"], "sold");
    let one = format!("/v1/events/{}", sold["id"].as_str().unwrap());
    assert_eq!(&app.get(&one, &mette).await.expect(200).body, sold);
    let jonas = app.sign_in("jonas@lysogskygge.example").await;
    app.get(&one, &jonas).await.problem(404, "not_found");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_learns_nothing_that_is_staffs_or_anothers() {
    let app = TestApp::start().await;
    let mette = app.sign_in(EMAIL).await;
    app.adjust(METTE, 7).await;
    bought_and_sold(&app, &mette, "66602002").await;
    // A guess loses its number to another business, whose user did it.
    let mut guess = json!({ "model_id": app.model("EOS R8").await, "serial_number": "66602003" });
    let right = guess.clone();
    guess["estimated"] = json!(["serial_number"]);
    let path = format!("{METTE}/products");
    app.post(&path, &mette, guess).await.expect(201);
    let jonas = app.sign_in("jonas@lysogskygge.example").await;
    let others = "/v1/accounts/acc_00000000000070008000000000000002/products";
    app.post(others, &jonas, right).await.expect(201);
    let feed = page(&app, &mette, "limit=500").await;
    for secret in [
        "staff:",
        "position",
        "stream",
        "\"reason\":\"test",
        "job_",
        "acc_00000000000070008000000000000002",
    ] {
        assert!(!feed.text.contains(secret), "{secret}");
    }
    let of = |word: &str| {
        let mut found = items(&feed).iter().rev();
        &found.find(|one| one["type"] == word).unwrap()["actor"]
    };
    assert_eq!(of("points.adjusted"), &json!({ "kind": "staff" }));
    assert_eq!(of("product.serial_number_lost"), &json!({ "kind": "user" }));
    assert_eq!(of("product.ended")["kind"], "user");
    assert!(
        of("product.ended")["id"]
            .as_str()
            .unwrap()
            .starts_with("usr_")
    );
    for item in items(&feed) {
        assert_eq!(item["data"]["account_id"], id_of(METTE), "{item}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_payload_is_sent_as_it_was_written() {
    let app = TestApp::start().await;
    let mette = app.sign_in(EMAIL).await;
    bought_and_sold(&app, &mette, "66602004").await;
    let feed = page(&app, &mette, "limit=500").await;
    let written = format!(
        "SELECT data AS line FROM events WHERE stream = '{}' ORDER BY stream_seq",
        id_of(METTE)
    );
    let written = Raw::open(&app.database).lines(&written);
    assert!(written.len() > 3 && written.len() == items(&feed).len());
    for data in written {
        assert!(
            feed.text.contains(&format!(r#","data":{data}}}"#)),
            "{data}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn types_and_a_resource_narrow_the_feed_and_the_cursor_passes_over_the_rest() {
    let app = TestApp::start().await;
    let mette = app.sign_in(EMAIL).await;
    let product = bought_and_sold(&app, &mette, "66602005").await;
    let last = page(&app, &mette, "").await.str("/next_cursor");
    let ended = page(&app, &mette, "types=product.ended").await;
    assert_eq!(words(&ended), ["product.ended"]);
    assert_eq!(ended.str("/next_cursor"), last);
    let none = page(&app, &mette, "types=membership.*").await;
    assert_eq!(
        (items(&none).len(), none.str("/next_cursor")),
        (0, last.clone())
    );
    let both = page(&app, &mette, "types=product.ended&types=points.*").await;
    let is_wanted = |word: &&str| *word == "product.ended" || word.starts_with("points.");
    assert!(words(&both).len() > 2 && words(&both).iter().all(is_wanted));
    let first = page(&app, &mette, "types=points.*&limit=1").await;
    assert_eq!(
        first.str("/next_cursor"),
        first.body["items"][0]["sequence"].to_string()
    );
    let all = page(&app, &mette, "types=*").await;
    assert_eq!(all.body, page(&app, &mette, "").await.body);
    let own = page(&app, &mette, &format!("resource={product}")).await;
    assert_eq!(words(&own), ["product.registered", "product.ended"]);
    let own = page(
        &app,
        &mette,
        &format!("resource={product}&types=product.registered"),
    )
    .await;
    assert_eq!(words(&own), ["product.registered"]);
    let own = page(&app, &mette, &format!("resource={product}&types=invoice.*")).await;
    assert_eq!(
        (items(&own).len(), own.str("/next_cursor")),
        (0, last.clone())
    );
    let strange = page(
        &app,
        &mette,
        "resource=prd_000000000000700080000000000000cb",
    )
    .await;
    assert_eq!(
        (items(&strange).len(), strange.str("/next_cursor")),
        (0, last)
    );
    let wrong = app
        .get("/v1/events?types=product.lost&types=lost.*", &mette)
        .await;
    let wrong = wrong.problem(422, "invalid_request").faults();
    let told: Vec<_> = wrong
        .iter()
        .map(|(at, code)| (at.as_str(), code.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            ("#/query/types/0", "event_type_unknown"),
            ("#/query/types/1", "event_type_unknown")
        ]
    );
    for query in ["limit=0", "limit=501", "after=-1", "after=x", "resource="] {
        let refused = app.get(&format!("/v1/events?{query}"), &mette).await;
        refused.problem(422, "invalid_request");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn administrators_read_all_of_it_by_position_with_the_reasons() {
    let app = TestApp::start().await;
    app.adjust(METTE, 7).await;
    let admin = app.sign_in("admin@cps.example").await;
    let feed = page(&app, &admin, "limit=500").await;
    let places: Vec<i64> = items(&feed)
        .iter()
        .map(|one| one["position"].as_i64().unwrap())
        .collect();
    assert_eq!(places, (1..=places.len() as i64).collect::<Vec<_>>());
    assert_eq!(
        feed.str("/next_cursor"),
        feed.body["last_sequence"].to_string()
    );
    let adjusted = items(&feed)
        .iter()
        .rfind(|one| one["type"] == "points.adjusted");
    let adjusted = adjusted.unwrap();
    assert_eq!(adjusted["stream"], id_of(METTE));
    assert!(adjusted["reason"].is_string());
    assert_eq!(adjusted["actor"]["kind"], "staff");
    assert!(
        adjusted["actor"]["id"]
            .as_str()
            .unwrap()
            .starts_with("usr_")
    );
    let streams = items(&feed)
        .iter()
        .map(|one| one["stream"].as_str().unwrap());
    assert!(streams.collect::<std::collections::BTreeSet<_>>().len() > 3);
    let one = format!("/v1/events/{}", adjusted["id"].as_str().unwrap());
    assert_eq!(&app.get(&one, &admin).await.expect(200).body, adjusted);
    let after = adjusted["position"].as_i64().unwrap() - 1;
    let query = format!(
        "after={after}&types=points.adjusted&resource={}",
        id_of(METTE)
    );
    assert_eq!(
        items(&page(&app, &admin, &query).await),
        &vec![adjusted.clone()]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_older_than_promised_is_gone_for_accounts_and_they_are_told_where_to_begin() {
    let app = TestApp::start().await;
    let mette = app.sign_in(EMAIL).await;
    bought_and_sold(&app, &mette, "66602006").await;
    // What dealers offer in every sandbox runs out meanwhile, and is told.
    app.advance(TimeDelta::days(40)).await;
    let mette = app.sign_in(EMAIL).await;
    let before = page(&app, &mette, "").await.body["last_sequence"]
        .as_i64()
        .unwrap();
    app.advance(TimeDelta::days(91)).await;
    let mette = app.sign_in(EMAIL).await;
    let nothing = page(&app, &mette, "").await;
    assert_eq!(
        (items(&nothing).len(), nothing.str("/next_cursor")),
        (0, before.to_string())
    );
    let product = bought_and_sold(&app, &mette, "66602007").await;
    let feed = page(&app, &mette, "").await;
    assert_eq!(feed.body["items"][0]["resource"], json!(product));
    assert_eq!(feed.body["items"][0]["sequence"], json!(before + 1));
    let old = app.get("/v1/events?after=1", &mette).await;
    let old = old.problem(410, "events_expired");
    assert_eq!(old.body["oldest"], json!(before + 1));
    let on = page(&app, &mette, &format!("after={before}")).await;
    assert_eq!(on.body, feed.body);
    let admin = app.sign_in("admin@cps.example").await;
    assert_eq!(
        page(&app, &admin, "limit=1").await.body["items"][0]["position"],
        1
    );
}

/// Something happened to what each of two dealers reported; the events.
pub async fn told_to_dealers(app: &TestApp) -> [String; 2] {
    let now = app.now().await.format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string();
    let mut raw = Raw::open(&app.database);
    [(FOTO_NORD, "b1"), (KAMERAHUSET, "b2")].map(|(dealer, n)| {
        let (partner, registration) = (dealer.partner_id, format!("reg_010000000000700080000000000000{n}"));
        let data = json!({ "partner_id": partner, "registration_id": registration, "external_id": "F-1", "status": "expired" });
        raw.run(&format!(
            "INSERT INTO event_inbox (id, stream, resource, type, version, data, actor, created_at) VALUES
            ('01000000-0000-7000-8000-0000000000{n}', '{partner}', '{registration}', 'registration.expired', 1, '{data}', 'service:seed', '{now}')"
        ))
        .unwrap();
        format!("evt_010000000000700080000000000000{n}")
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dealers_system_reads_its_own_stream_with_its_scope() {
    let app = TestApp::start().await;
    let [own, others] = told_to_dealers(&app).await;
    let system = app.dealer(FOTO_NORD, "webhooks").await;
    let feed = page(&app, &system, "").await;
    let told = [
        "partner.created",
        "credential.created",
        "registration.registered",
        "registration.returned",
        "registration.registered",
        "registration.expired",
    ];
    assert_eq!(words(&feed), told);
    let newest = &feed.body["items"][5];
    assert_eq!(
        (&newest["id"], &newest["actor"]),
        (&json!(own), &json!({ "kind": "service" }))
    );
    assert_eq!(
        (
            feed.str("/next_cursor").as_str(),
            &feed.body["last_sequence"]
        ),
        ("6", &json!(6))
    );
    app.get(&format!("/v1/events/{own}"), &system)
        .await
        .expect(200);
    let strange = app.get(&format!("/v1/events/{others}"), &system).await;
    strange.problem(404, "not_found");
    let without = app.dealer(FOTO_NORD, "registrations:read").await;
    let refused = app.get("/v1/events", &without).await;
    refused.problem(403, "scope_missing");
}
