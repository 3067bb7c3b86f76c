//! How often a request asks PostgreSQL, counted on the wire: what is asked once too often is slow wherever the database is not next door.

use reqwest::Method;
use serde_json::json;

use crate::partners::FOTO_NORD;
use crate::products::METTE;
use crate::proxy::server_of;
use crate::relay::{Relay, Trips};
use crate::support::{Database, Sending, TestApp, Token};

/// A service whose database is behind a relay, where the database is PostgreSQL.
async fn behind_relay() -> Option<(TestApp, Trips)> {
    let database = Database::seeded().await;
    if !database.is_shared() {
        return None;
    }
    let relay = Relay::before(server_of(&database.url()));
    let url = relay.url(&database.url());
    let app = TestApp::on(database, &[("DATABASE_URL", &url)]).await;
    Some((app, relay.trips))
}

/// Each connection prepares a statement when it first runs it: the fewest of some requests are those of all later ones.
const TRIES: usize = 24;

async fn fewest_to_register(app: &TestApp, trips: &Trips, account: &str, token: &Token) -> usize {
    let model = app.model("EOS R6 Mark II").await;
    let mut fewest = usize::MAX;
    for n in 0..TRIES {
        let body = json!({
            "model_id": model, "serial_number": format!("0130210{n:05}"), "purchase_date": "2024-05-17",
            "purchase_country": "DK", "dealer": "Foto Nord"
        });
        trips.clear();
        let request = app
            .request(Method::POST, &format!("{account}/products"))
            .header("idempotency-key", format!("trip-{n}"));
        request
            .sent_by(token)
            .json(&body)
            .answer()
            .await
            .expect(201);
        let found = trips.of("\"idempotency_keys\"");
        assert_eq!(found.len(), 1, "{found:#?}");
        fewest = fewest.min(found[0].len());
    }
    fewest
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_keyed_registration_asks_ten_times_at_most() {
    let Some((app, trips)) = behind_relay().await else {
        return;
    };
    let mette = app.sign_in("mette@fjordfoto.example").await;
    let fewest = fewest_to_register(&app, &trips, METTE, &mette).await;
    assert!(fewest <= 10, "{fewest}");
}

async fn fewest_to_list(
    app: &TestApp,
    trips: &Trips,
    path: &str,
    token: &Token,
    tables: &[&str],
) -> usize {
    let mut fewest = usize::MAX;
    for _ in 0..TRIES {
        trips.clear();
        app.get(path, token).await.expect(200);
        let found = tables.iter().flat_map(|table| trips.of(table));
        let mut found: Vec<Vec<String>> = found.collect();
        found.sort();
        found.dedup();
        fewest = fewest.min(found.iter().map(Vec::len).sum());
    }
    fewest
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_asks_three_times_at_most() {
    let Some((app, trips)) = behind_relay().await else {
        return;
    };
    let mette = app.sign_in("mette@fjordfoto.example").await;
    let admin = app.sign_in("admin@cps.example").await;
    let nobody = Token::default();
    let lists: [(&str, &Token, &[&str]); 7] = [
        (
            "products",
            &mette,
            &["\"products\"", "\"accounts\"", "\"models\""],
        ),
        (
            "points/entries",
            &mette,
            &["\"points_entries\"", "\"accounts\""],
        ),
        ("documents", &mette, &["\"documents\"", "\"accounts\""]),
        ("users", &mette, &["\"users\".\"email\"", "\"accounts\""]),
        ("/v1/models", &nobody, &["catalogue_version", "\"models\""]),
        ("/v1/reviews", &admin, &["\"reviews\"", "\"accounts\""]),
        ("/v1/accounts", &admin, &["\"accounts\""]),
    ];
    for (path, token, tables) in lists {
        let path = match path.starts_with('/') {
            true => path.to_owned(),
            false => format!("{METTE}/{path}"),
        };
        let fewest = fewest_to_list(&app, &trips, &path, token, tables).await;
        assert!((1..=3).contains(&fewest), "{path}: {fewest}");
    }
}

/// What settles and corrects the invoices is read with them, all as it was at one moment.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_list_of_invoices_asks_six_times_at_most() {
    let Some((app, trips)) = behind_relay().await else {
        return;
    };
    let jonas = app.sign_in("jonas@lysogskygge.example").await;
    let path = "/v1/accounts/acc_00000000000070008000000000000002/invoices";
    let tables = ["\"invoices\"", "\"accounts\""];
    let fewest = fewest_to_list(&app, &trips, path, &jonas, &tables).await;
    assert!((1..=6).contains(&fewest), "{fewest}");
}

/// How often the chunk asks that takes in `lines` sales from `first` on, to a customer who trusts the dealer.
async fn asked_by_a_chunk(
    app: &TestApp,
    trips: &Trips,
    token: &Token,
    customer: &str,
    (first, lines): (usize, usize),
) -> usize {
    let sale = |n: usize| {
        json!({
            "external_id": format!("T-{n}"), "account_number": customer, "model": "EOS R6 Mark II",
            "serial_number": format!("013021{n:06}"), "purchase_date": "2026-01-20"
        })
    };
    let body: Vec<_> = (first..first + lines).map(sale).collect();
    trips.clear();
    let sent = app.post_once("/v1/registration-batches", token, json!({ "lines": body }));
    let path = sent.await.expect(202).header("location").to_owned();
    while app.get(&path, token).await.expect(200).body["status"] != "completed" {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let done = app.get(&path, token).await.body["counts"].clone();
    assert_eq!(done, json!({ "registered": lines }));
    let found = trips.of("INSERT INTO \"points_entries\"");
    assert_eq!(found.len(), 1, "{} chunks", found.len());
    found[0].len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_chunk_asks_as_often_for_ten_lines_as_for_two_hundred() {
    let Some((app, trips)) = behind_relay().await else {
        return;
    };
    let mette = app.sign_in("mette@fjordfoto.example").await;
    let customer = app.get(METTE, &mette).await.str("/account_number");
    let token = app.dealer(FOTO_NORD, "").await;
    let (mut few, mut many) = (usize::MAX, usize::MAX);
    for round in 0..4 {
        let chunk = (round * 1000, 10);
        few = few.min(asked_by_a_chunk(&app, &trips, &token, &customer, chunk).await);
        let chunk = (round * 1000 + 10, 200);
        many = many.min(asked_by_a_chunk(&app, &trips, &token, &customer, chunk).await);
    }
    assert_eq!(many, few);
    assert!(few <= 40, "{few}");
}
