//! How often a request asks PostgreSQL, counted on the wire: what is asked once too often is slow wherever the database is not next door.

use reqwest::Method;
use serde_json::json;

use crate::products::METTE;
use crate::proxy::server_of;
use crate::relay::{Relay, Trips};
use crate::support::{Database, Sending, TestApp, Token};

/// A service whose database is behind a relay, where the database is PostgreSQL.
async fn behind_relay() -> Option<(TestApp, Trips)> {
    let database = Database::create();
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
    let lists: [(&str, &Token, &[&str]); 8] = [
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
        ("invoices", &mette, &["\"invoices\"", "\"accounts\""]),
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
