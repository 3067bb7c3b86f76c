//! The binary as those who run it meet it: starting, being asked how it is, stopping, and refusing to start.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use cps_api::repository::Kind;
use reqwest::Method;
use serde_json::{Value, json};

use crate::client::client;
use crate::process::{Setup, free_port};
use crate::raw::Raw;
use crate::support::{Database, Sending, Token};

const ADMIN: &str = "admin@cps.example";
const PASSWORD: &str = "Sandbox-Adgang-2026";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_an_empty_folder_it_comes_up_as_a_sandbox_and_says_where() {
    let folder = tempfile::tempdir().unwrap();
    let setup = Setup::new(folder.path()).with("CPS_BIND", &format!("127.0.0.1:{}", free_port()));
    let asked = |setup: &Setup| setup.run(&["healthcheck"]);
    assert!(!asked(&setup).ok, "nobody serves yet");
    let mut served = setup.serve();
    let printed = &served.printed;
    for (line, name) in printed.iter().zip(["Sandbox", "API", "Swagger UI"]) {
        assert!(line.starts_with(name), "{printed:?}");
    }
    assert_eq!(printed.len(), 3);
    let client = client();
    for (line, path) in printed.iter().zip(["", "/programme", ""]) {
        let address = line.split_whitespace().last().unwrap();
        let answer = client.get(format!("{address}{path}")).answer().await;
        answer.expect(200);
    }
    for file in ["data/cps.db", "data/documents"] {
        assert!(folder.path().join(file).exists(), "{file}");
    }
    assert!(asked(&setup).ok);
    served.get("/readyz").await.expect(200);

    let second = Setup::new(folder.path()).run(&["serve"]);
    assert!(
        !second.ok && second.stderr.contains("in use by another process"),
        "{second:?}"
    );
    served.terminate();
    assert!(served.end().success());
    let gone = asked(&setup);
    assert!(!gone.ok && gone.stderr.starts_with("cps-api: "), "{gone:?}");
    // What was there is there again.
    let again = setup.serve();
    let body = json!({ "email": ADMIN, "password": PASSWORD });
    let session = again.post("/v1/sessions", &Token::default(), body).await;
    session.expect(201);
}

/// A POST whose body has not come whole yet.
struct Unfinished(TcpStream);

const BODY: &str = "{\"email\":\"nobody@nordlys-test.example\"}";

impl Unfinished {
    fn begin(address: &str) -> Self {
        let mut stream = TcpStream::connect(address).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(20)))
            .unwrap();
        let head = format!(
            "POST /v1/password-resets HTTP/1.1\r\nHost: here\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            BODY.len()
        );
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(&BODY.as_bytes()[..10]).unwrap();
        Self(stream)
    }

    fn finish(mut self) -> String {
        self.0.write_all(&BODY.as_bytes()[10..]).unwrap();
        let mut answer = vec![0; 4096];
        let read = self.0.read(&mut answer).unwrap();
        String::from_utf8_lossy(&answer[..read]).into_owned()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn told_to_stop_it_says_so_serves_on_finishes_what_runs_and_ends_well() {
    let database = Database::create();
    let mut served = Setup::on(&database).with("CPS_DRAIN_SECONDS", "2").serve();
    served.get("/readyz").await.expect(200);
    let running = Unfinished::begin(&served.address());
    let told = Instant::now();
    served.terminate();
    let draining = served.becomes("/readyz", 503).await;
    assert!(told.elapsed() < Duration::from_secs(1));
    assert_eq!(
        (
            draining.body["code"].as_str(),
            draining.header("retry-after")
        ),
        (Some("draining"), "5")
    );
    while told.elapsed() < Duration::from_millis(1500) {
        served.get("/healthz").await.expect(200);
        let keys = served.get("/.well-known/jwks.json").await;
        keys.expect(200);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    while TcpStream::connect(served.address()).is_ok() {
        assert!(told.elapsed() < Duration::from_secs(10), "it still listens");
        std::thread::sleep(Duration::from_millis(20));
    }
    let answer = running.finish();
    assert!(answer.starts_with("HTTP/1.1 202"), "{answer}");
    assert!(served.end().success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_instances_started_at_once_share_one_database() {
    let database = Database::create();
    let setup = Setup::on(&database);
    let starting: Vec<_> = (0..5).map(|_| setup.start()).collect();
    let started: Vec<_> = starting.into_iter().map(|one| one.ready()).collect();
    let mut raw = Raw::open(&database);
    if raw.kind() == Kind::Sqlite {
        // One process for each file: the others say why they do not start.
        let refused: Vec<_> = started
            .iter()
            .filter_map(|one| one.as_ref().err())
            .collect();
        assert_eq!(refused.len(), 4);
        assert!(
            refused
                .iter()
                .all(|log| log.contains("in use by another process"))
        );
        return;
    }
    let served: Vec<_> = started.into_iter().map(Result::unwrap).collect();
    for one in &served {
        one.get("/readyz").await.expect(200);
    }
    let body = json!({ "email": ADMIN, "password": PASSWORD });
    let session = served[0]
        .post("/v1/sessions", &Token::default(), body)
        .await;
    let token = Token(Some(session.expect(201).str("/access_token")));
    for one in &served {
        let me = one.request(Method::GET, "/v1/me").sent_by(&token);
        assert_eq!(me.answer().await.expect(200).str("/email"), ADMIN);
    }
    let count = |raw: &mut Raw, what: &str| {
        raw.lines(&format!("SELECT COUNT(*)::text AS line FROM {what}"))
            .remove(0)
    };
    let migrations = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/migrations/postgres"));
    let migrations = migrations.unwrap().count().to_string();
    assert_eq!(count(&mut raw, "__diesel_schema_migrations"), migrations);
    assert_eq!(count(&mut raw, "users WHERE account_id IS NULL"), "4");
    // One a day, whichever of them asked for it.
    let days = "jobs WHERE kind = 'keep_house' GROUP BY key HAVING COUNT(*) > 1";
    let twice = format!("SELECT COUNT(*)::text AS line FROM {days}");
    assert_eq!(raw.lines(&twice), Vec::<String>::new());
}

#[test]
fn live_mode_refuses_every_default_of_the_sandbox_in_one_message() {
    let folder = tempfile::tempdir().unwrap();
    let said = Setup::new(folder.path())
        .with("CPS_MODE", "live")
        .with("CPS_BIND", "here")
        .run(&["serve"]);
    assert!(!said.ok);
    let names = [
        "CPS_BIND",
        "DATABASE_URL",
        "CPS_DOCUMENT_STORE",
        "CPS_MAIL ",
        "CPS_MAIL_FROM",
        "CPS_SIGNING_KEYS",
        "CPS_SEALING_KEYS",
        "CPS_PUBLIC_URL",
        "CPS_FRONTEND_URL",
    ];
    for name in names {
        assert!(said.stderr.contains(name), "{name}: {}", said.stderr);
    }
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
    assert!(left.is_empty(), "nothing is made before all is checked");
}

#[test]
fn live_mode_refuses_each_default_by_itself_and_what_it_cannot_use() {
    let database = Database::create();
    let whole = Setup::live(&database, "smtp://127.0.0.1:25");
    let said = whole.run(&["check-config"]);
    assert!(said.ok, "{said:?}");
    for name in [
        "DATABASE_URL",
        "CPS_DOCUMENT_STORE",
        "CPS_MAIL",
        "CPS_MAIL_FROM",
        "CPS_SIGNING_KEYS",
        "CPS_SEALING_KEYS",
        "CPS_PUBLIC_URL",
        "CPS_FRONTEND_URL",
    ] {
        let said = whole.clone().without(name).run(&["serve"]);
        assert!(!said.ok && said.stderr.contains(name), "{name}: {said:?}");
    }
    let wrong = [
        ("CPS_SIGNING_KEYS", "/nowhere/keys.pem"),
        ("CPS_SEALING_KEYS", "/nowhere/sealing.keys"),
        ("CPS_PROGRAMME", "/nowhere/programme.toml"),
        ("DATABASE_URL", "postgres://cps@db.example/cps"),
        ("CPS_MAIL", "mailbox"),
        ("CPS_MAIL_FROM", "nobody"),
        ("CPS_PUBLIC_URL", "api.cps.example"),
        ("CPS_POOL_SIZE", "many"),
        ("CPS_MAX_IN_FLIGHT", "-1"),
    ];
    for (name, value) in wrong {
        for command in ["serve", "check-config"] {
            let said = whole.clone().with(name, value).run(&[command]);
            assert!(!said.ok && said.stderr.contains(name), "{name}: {said:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn live_mode_waits_for_its_migrations_and_knows_no_sandbox() {
    let database = Database::create();
    let setup = Setup::live(&database, "smtp://127.0.0.1:25");
    let mut served = setup.serve();
    assert_eq!(served.printed.len(), 2, "{:?}", served.printed);
    let waiting = served.get("/readyz").await;
    waiting.problem(503, "database_unavailable");
    served.get("/healthz").await.expect(200);
    if Raw::open(&database).kind() == Kind::Sqlite {
        // The file belongs to one process.
        served.terminate();
        assert!(served.end().success());
        assert!(setup.run(&["migrate"]).ok);
        served = setup.serve();
    } else {
        let migrated = setup.run(&["migrate"]);
        assert!(migrated.ok, "{migrated:?}");
    }
    served.becomes("/readyz", 200).await;
    let kept = "SELECT kind AS line FROM jobs WHERE kind = 'keep_house'";
    let begun = Instant::now();
    while Raw::open(&database).lines(kept).is_empty() {
        assert!(
            begun.elapsed() < Duration::from_secs(10),
            "nobody keeps house"
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let live = served.get("/openapi.json").await.expect(200);
    assert_eq!(live.body, contract(&["openapi"]));
    for path in ["/v1/sandbox", "/v1/sandbox/clock", "/v1/sandbox/mailbox"] {
        assert!(live.body["paths"][path].is_null());
        let unknown = served.get(path).await.problem(404, "not_found");
        assert_eq!(
            unknown.body["type"],
            "https://api.cps.example/problems/not_found"
        );
    }
    let clock = served.request(Method::PUT, "/v1/sandbox/clock");
    let clock = clock.json(&json!({ "now": "2099-01-01T00:00:00Z" }));
    clock.answer().await.problem(404, "not_found");
    let body = json!({ "email": ADMIN, "password": PASSWORD });
    let nobody = served.post("/v1/sessions", &Token::default(), body).await;
    nobody.problem(401, "invalid_credentials");
}

fn contract(arguments: &[&str]) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let said = Setup::new(folder.path()).run(arguments);
    assert!(said.ok, "{said:?}");
    serde_json::from_str(&said.stdout).unwrap()
}

#[test]
fn the_contract_is_printed_without_anything_set_up() {
    let (live, sandbox) = (contract(&["openapi"]), contract(&["openapi", "--sandbox"]));
    for (document, is_sandbox) in [(&live, false), (&sandbox, true)] {
        let of_library = serde_json::to_value(cps_api::handlers::document(is_sandbox));
        assert_eq!(*document, of_library.unwrap());
    }
    assert!(sandbox["paths"]["/v1/sandbox/clock"].is_object());
}

#[test]
fn a_fault_in_the_programme_file_is_named_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("programme.toml");
    let setup = Setup::new(folder.path()).with("CPS_PROGRAMME", "programme.toml");
    let shipped = include_str!("../../programme.toml");
    let faults = [
        ("draft_days = 30", "draft_days = \"thirty\""),
        ("draft_days = 30", "draft_hours = 30"),
        ("closes_at = \"17:00\"", "closes_at = \"25:00\""),
        ("zone = \"Europe/Copenhagen\"", "zone = \"Europe/Nowhere\""),
        ("rank = 2", "rank = \"second\""),
        ("DK = \"0.25\"", "DK = \"a quarter\""),
        ("due_days = 30", "due_days ="),
        ("per_credential = 600\n", "per_credential = -1\n"),
    ];
    for (good, bad) in faults {
        assert!(shipped.contains(good), "{good}");
        let broken = shipped.replacen(good, bad, 1);
        let line = broken
            .lines()
            .position(|line| line == bad.trim_end())
            .unwrap()
            + 1;
        std::fs::write(&path, broken).unwrap();
        let said = setup.run(&["check-config"]);
        let named = format!("line {line}");
        assert!(!said.ok && said.stderr.contains(&named), "{bad}: {said:?}");
    }
    std::fs::write(&path, shipped).unwrap();
    let said = setup.run(&["check-config"]);
    assert!(said.ok, "{said:?}");
}
