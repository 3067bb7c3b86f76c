//! A database is a sandbox's or a live service's, from the first who comes.

use serde_json::json;

use crate::process::{Served, Setup};
use crate::raw::Raw;
use crate::support::{Database, Token};

const SMTP: &str = "smtp://127.0.0.1:25";
const STAFF: [&str; 7] = [
    "create-staff",
    "--email",
    "new@cps.example",
    "--name",
    "New",
    "--role",
    "admin",
];

/// Every command that opens the database refuses, by its name.
#[track_caller]
fn refuses_all(setup: &Setup, database: &Database) {
    let models = database.file("models.csv", "name,category,points,valid_from\n");
    for command in [
        &["serve"][..],
        &["migrate"],
        &STAFF,
        &["import-models", &models],
        &["import-legacy", &models],
        &["verify-ledger"],
    ] {
        let said = setup.run(command);
        let is_named = said.stderr.contains("DATABASE_URL") && said.stderr.contains("database");
        assert!(!said.ok && is_named, "{command:?}: {said:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn live_mode_refuses_what_a_sandbox_has_used() {
    let database = Database::create();
    let mut sandbox = Setup::on(&database).serve();
    sandbox.terminate();
    assert!(sandbox.end().success());
    let live = Setup::live(&database, SMTP);
    refuses_all(&live, &database);
    // One that was seeded before databases said whose they are.
    Raw::open(&database)
        .run("DELETE FROM settings WHERE name = 'mode'")
        .unwrap();
    refuses_all(&live, &database);
    // It still is a sandbox's.
    let again = Setup::on(&database).serve();
    let body = json!({ "email": "admin@cps.example", "password": "Sandbox-Adgang-2026" });
    again
        .post("/v1/sessions", &Token::default(), body)
        .await
        .expect(201);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sandbox_refuses_what_live_mode_has_migrated() {
    let database = Database::create();
    let live = Setup::live(&database, SMTP);
    let migrated = live.run(&["migrate"]);
    assert!(migrated.ok, "{migrated:?}");
    let sandbox = Setup::on(&database);
    refuses_all(&sandbox, &database);
    let users = "SELECT CAST(COUNT(*) AS TEXT) AS line FROM users";
    assert_eq!(Raw::open(&database).lines(users), ["0"]);
    let made = live.run(&STAFF);
    assert!(made.ok, "{made:?}");
    let mut served = live.serve();
    served.becomes("/readyz", 200).await;
    served.terminate();
    assert!(served.end().success());
    refuses_all(&sandbox, &database);
}

/// Not before the database says whose it is.
async fn nothing_is_served(live: &Served) {
    live.get("/healthz").await.expect(200);
    for path in ["/readyz", "/v1/models", "/.well-known/jwks.json"] {
        let refused = live.get(path).await.problem(503, "database_unavailable");
        assert!(!refused.header("retry-after").is_empty(), "{path}");
    }
    let body = json!({ "email": "admin@cps.example", "password": "Sandbox-Adgang-2026" });
    let refused = live.post("/v1/sessions", &Token::default(), body).await;
    refused.problem(503, "database_unavailable");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_live_service_serves_nothing_before_its_database_is_its_own() {
    let database = Database::create();
    let live = Setup::live(&database, SMTP);
    let mut served = live.serve();
    nothing_is_served(&served).await;
    served.terminate();
    assert!(served.end().success());
    let migrated = live.run(&["migrate"]);
    assert!(migrated.ok, "{migrated:?}");
    let served = live.serve();
    served.becomes("/readyz", 200).await;
    served.get("/.well-known/jwks.json").await.expect(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_live_service_that_waits_for_its_database_leaves_when_a_sandbox_takes_it() {
    let database = Database::create();
    if !database.is_shared() {
        // The file belongs to one process.
        return;
    }
    let mut live = Setup::live(&database, SMTP).serve();
    nothing_is_served(&live).await;
    let sandbox = Setup::on(&database).serve();
    assert!(!live.end().success());
    assert!(!live.log().is_empty());
    sandbox.get("/readyz").await.expect(200);
}
