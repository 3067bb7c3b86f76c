//! The service against a bare actix-web server on tokio-postgres that runs the same SQL for the same answers and asks nobody who they are.
//!
//! `tests/with-postgres cargo bench` measures, in one run, requests a second and latency of reading points and of registering products, on
//! SQLite and on PostgreSQL, and of the bare server without the statement that records events; then how much memory an idle service has, and
//! how soon after its start it answers. Each server is a process of its own, and they take turns, so that whatever else the machine does meets
//! all of them. BENCH_SECONDS (of one turn) and BENCH_ROUNDS change how long it takes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod bare;
mod child;
mod load;

use std::time::Duration;

use child::{Child, Folder};
use load::{Load, Measured, Work};
use serde_json::Value;

const ACCOUNTS: [(&str, &str); 2] = [
    (
        "mette@fjordfoto.example",
        "acc_00000000000070008000000000000001",
    ),
    (
        "jonas@lysogskygge.example",
        "acc_00000000000070008000000000000002",
    ),
];
const PASSWORD: &str = "Sandbox-Adgang-2026";
const MODEL: &str = "EOS R5";

/// One server that is measured.
struct Target {
    name: &'static str,
    child: Child,
    /// What stands behind `Authorization: `, for each account.
    credentials: Vec<String>,
    model: String,
    /// Begins its serial numbers, so that no two servers on one database meet.
    prefix: &'static str,
    reads: Measured,
    writes: Measured,
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name)
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(default)
}

fn main() {
    if let Ok(url) = std::env::var("BENCH_BARE") {
        let records = std::env::var("BENCH_RECORDS").is_ok_and(|text| text == "true");
        bare::serve(&url, records).unwrap();
        return;
    }
    let Ok(postgres) = std::env::var("TEST_DATABASE_URL") else {
        // cargo test builds and runs benches too, to see that they still work.
        println!("no PostgreSQL to measure on; run: tests/with-postgres cargo bench");
        return;
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(measure(&postgres));
}

async fn measure(postgres: &str) {
    let folder = Folder::new(postgres);
    let mut targets = vec![
        bare_target("bare server on PostgreSQL", "B", &folder, true).await,
        bare_target("bare server without events", "N", &folder, false).await,
        service_target("service on PostgreSQL", "P", &folder, &folder.postgres).await,
        service_target("service on SQLite", "S", &folder, &folder.sqlite).await,
    ];
    same_answers(&targets).await;
    let turn = Duration::from_secs(number("BENCH_SECONDS", 3));
    let rounds = number("BENCH_ROUNDS", 5);
    for work in [Work::Read, Work::Write] {
        for target in &targets {
            load(target).run(work, turn / 3, 1_000_000).await;
        }
        for round in 0..rounds {
            for n in 0..targets.len() {
                let n = (n + usize::try_from(round).unwrap()) % targets.len();
                let target = &mut targets[n];
                let first = round * 10_000_000 + 2_000_000;
                let measured = load(target).run(work, turn, first).await;
                match work {
                    Work::Read => target.reads.add(measured),
                    Work::Write => target.writes.add(measured),
                }
            }
        }
    }
    println!(
        "\n{rounds} turns of {turn:?} each, {} connections",
        load::CONNECTIONS
    );
    report("GET /v1/accounts/{id}/points", &mut targets, |one| {
        &mut one.reads
    });
    report("POST /v1/accounts/{id}/products", &mut targets, |one| {
        &mut one.writes
    });
    let (with, without) = (targets[0].writes.rate(), targets[1].writes.rate());
    println!(
        "\nwrites with events: {:.2} of those without",
        with / without
    );
    drop(targets);
    println!();
    for (name, url) in [("PostgreSQL", &folder.postgres), ("SQLite", &folder.sqlite)] {
        idle(name, &folder, url).await;
    }
}

async fn bare_target(
    name: &'static str,
    prefix: &'static str,
    folder: &Folder,
    records: bool,
) -> Target {
    // The service makes the tables and what is in them.
    let mut service = folder.service(&folder.postgres);
    service.ready().await;
    let model = model(&service).await;
    drop(service);
    let child = folder.bare(records);
    Target {
        name,
        child,
        credentials: vec!["none".to_owned(); ACCOUNTS.len()],
        model,
        prefix,
        reads: Measured::default(),
        writes: Measured::default(),
    }
}

async fn service_target(
    name: &'static str,
    prefix: &'static str,
    folder: &Folder,
    url: &str,
) -> Target {
    let mut child = folder.service(url);
    child.ready().await;
    let mut credentials = Vec::new();
    for (email, _) in ACCOUNTS {
        credentials.push(sign_in(&child, email).await);
    }
    let model = model(&child).await;
    Target {
        name,
        child,
        credentials,
        model,
        prefix,
        reads: Measured::default(),
        writes: Measured::default(),
    }
}

/// What stands behind `Authorization: ` for a member.
async fn sign_in(service: &Child, email: &str) -> String {
    let body = serde_json::json!({ "email": email, "password": PASSWORD }).to_string();
    let session = service.ask("POST", "/v1/sessions", "none", &body).await;
    let session: Value = serde_json::from_str(&session).unwrap();
    format!("Bearer {}", session["access_token"].as_str().unwrap())
}

async fn model(service: &Child) -> String {
    let path = format!("/v1/models?query={}", MODEL.replace(' ', "%20"));
    let found: Value = serde_json::from_str(&service.ask("GET", &path, "none", "").await).unwrap();
    let items = found["items"].as_array().unwrap();
    let model = items.iter().find(|item| item["name"] == MODEL).unwrap();
    model["id"].as_str().unwrap().to_owned()
}

fn load(target: &Target) -> Load {
    Load {
        address: target.child.address.clone(),
        credentials: target.credentials.clone(),
        accounts: ACCOUNTS.map(|(_, account)| account.to_owned()).to_vec(),
        model: target.model.clone(),
        prefix: target.prefix,
    }
}

/// The bare server says what the service says.
async fn same_answers(targets: &[Target]) {
    let mut answers = Vec::new();
    for target in targets {
        let load = load(target);
        let (read, write) = (load.once(Work::Read).await, load.once(Work::Write).await);
        let fields = |body: &str| {
            let body: Value = serde_json::from_str(body).unwrap();
            let names: Vec<String> = body.as_object().unwrap().keys().cloned().collect();
            names
        };
        answers.push((fields(&read), fields(&write)));
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:#?}");
}

fn report(title: &str, targets: &mut [Target], of: fn(&mut Target) -> &mut Measured) {
    println!("\n{title:44} requests/s    ratio   p50 ms   p99 ms");
    let bare = of(&mut targets[0]).rate();
    for target in targets {
        let name = target.name;
        let measured = of(target);
        let (rate, p50, p99) = (measured.rate(), measured.at(0.50), measured.at(0.99));
        println!(
            "  {name:42} {rate:10.0} {:8.2} {p50:8.2} {p99:8.2}",
            rate / bare
        );
    }
}

/// How soon a service answers on a database that is migrated, and what it weighs when nobody asks: before it has done anything, and
/// after many have signed in.
async fn idle(name: &str, folder: &Folder, url: &str) {
    let (mut starts, mut fresh, mut rested) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..5 {
        let mut child = folder.service(url);
        starts.push(child.first_answer().await.as_secs_f64());
        fresh.push(resident_at_rest(&child).await);
        for _ in 0..4 {
            let sessions = ACCOUNTS.map(|(email, _)| sign_in(&child, email));
            futures_util::future::join_all(sessions).await;
        }
        rested.push(resident_at_rest(&child).await);
    }
    println!(
        "idle on {name:12} first answer after {:.3} s, {:.1} MiB resident, {:.1} after 8 sign-ins",
        median(starts),
        median(fresh),
        median(rested)
    );
}

async fn resident_at_rest(child: &Child) -> f64 {
    tokio::time::sleep(Duration::from_secs(1)).await;
    child.resident_mib()
}

fn median(mut measured: Vec<f64>) -> f64 {
    measured.sort_by(f64::total_cmp);
    measured[measured.len() / 2]
}
