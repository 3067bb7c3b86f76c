//! The service against a bare actix-web server on tokio-postgres that leaves the same rows and gives the same answers with the fewest
//! statements, and asks nobody who they are.
//!
//! `FSYNC=on tests/with-postgres cargo bench` fills a PostgreSQL with BENCH_ACCOUNTS accounts (100,000) of BENCH_ENTRIES ledger entries each (10;
//! 100 make 10 million) and measures in one run, at random accounts: reading points, products and entries, registering products, and the last
//! on the bare server without the statement that records events; registering on SQLite with an fsync of 2 ms, by one client and by 32; memory.
//! What dealers report in bulk comes first, on either database, alone with BENCH_PART=dealers, and with BENCH_LINES lines a batch (10,000). Money is measured with
//! BENCH_PART=money alone: statements of BENCH_LINES lines, BENCH_INVOICES issued (1,000), BENCH_ALLOCATIONS checked (1,000,000); it needs `pdftotext`.
//! BENCH_BEFORE names a git revision whose service is built and measured beside this one. Each server is a process of its own, and they take
//! turns, so that whatever else the machine does meets all of them; medians are told. BENCH_SECONDS (of one turn) and BENCH_ROUNDS change how
//! long it takes. It needs `wrk` and a C compiler.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod bare;
mod before;
mod child;
mod dealers;
mod fill;
mod money;
#[path = "../../tests/common/open_invoices.rs"]
mod open_invoices;
mod rows;
mod slow_fsync;
mod wrk;

use child::{Child, Folder};
use serde_json::Value;
use wrk::{Load, Turn, Work};

const PASSWORD: &str = "Sandbox-Adgang-2026";
const MODEL: &str = "EOS R5";
/// How many ask at the same time.
const CONNECTIONS: u64 = 32;

/// One server that is measured.
struct Target {
    name: &'static str,
    child: Child,
    /// Whether it asks who somebody is.
    asks: bool,
    reader: String,
    writers: Vec<String>,
    accounts: u64,
    turns: Vec<(Work, Turn)>,
}

impl Target {
    /// Those who ask sign in, where somebody asks who they are.
    async fn sign_in(&mut self) {
        if !self.asks {
            return;
        }
        self.reader = sign_in(&self.child, "admin@cps.example").await;
        self.writers.clear();
        for n in 1..=fill::WRITERS.min(self.accounts) {
            self.writers
                .push(sign_in(&self.child, &fill::email(n)).await);
        }
    }
}

fn number(name: &str, default: u64) -> u64 {
    let text = std::env::var(name).ok();
    text.and_then(|text| text.parse().ok()).unwrap_or(default)
}

fn main() {
    if let Ok(url) = std::env::var("BENCH_BARE") {
        let records = std::env::var("BENCH_RECORDS").is_ok_and(|text| text == "true");
        bare::serve(&url, records).unwrap();
        return;
    }
    let Ok(postgres) = std::env::var("TEST_DATABASE_URL") else {
        // cargo test builds and runs benches too, to see that they still work.
        println!("no PostgreSQL to measure on; run: FSYNC=on tests/with-postgres cargo bench");
        return;
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(measure(&postgres));
}

async fn measure(postgres: &str) {
    let (accounts, entries) = (
        number("BENCH_ACCOUNTS", 100_000),
        number("BENCH_ENTRIES", 10),
    );
    match std::env::var("BENCH_PART").as_deref() {
        Ok("dealers") => return on_dealers(postgres).await,
        Ok("money") => return on_money(postgres).await,
        _ => on_dealers(postgres).await,
    }
    let folder = Folder::new(postgres);
    filled(&folder, &folder.postgres, accounts, entries).await;
    let mut targets = vec![
        bare_target("bare server", &folder, true, accounts).await,
        bare_target("bare server without events", &folder, false, accounts).await,
        service_target("service", folder.service(&folder.postgres), accounts).await,
    ];
    let older = older(postgres, accounts, entries, &mut targets).await;
    let small = small(postgres, &mut targets).await;
    let model = model(&targets[2].child).await;
    let works = [Work::Points, Work::Products, Work::Entries, Work::Register];
    for work in works {
        // An access token lives for ten minutes, and filling a database may take longer.
        for target in &mut targets {
            target.sign_in().await;
        }
        take_turns(&folder, &mut targets, work, &model);
        report(&work.title(), &targets, work);
    }
    let rate = |n: usize| {
        median(
            targets[n]
                .turns
                .iter()
                .filter(|(work, _)| *work == Work::Register)
                .map(|(_, turn)| turn.rate)
                .collect(),
        )
    };
    println!(
        "\nwrites with events: {:.2} of those without",
        rate(0) / rate(1)
    );
    for target in &targets[2..] {
        println!(
            "{}: {:.1} MiB resident after the load",
            target.name,
            target.child.resident_mib()
        );
    }
    drop((targets, older, small));
    on_sqlite(&folder).await;
    for (name, url) in [("PostgreSQL", &folder.postgres), ("SQLite", &folder.sqlite)] {
        idle(name, &folder, url).await;
    }
}

/// What dealers report in bulk, on either database.
async fn on_dealers(postgres: &str) {
    let folder = Folder::new(postgres);
    for (name, url) in [("PostgreSQL", &folder.postgres), ("SQLite", &folder.sqlite)] {
        filled(&folder, url, 1000, 10).await;
        rows::Rows::open(url).prepare();
        dealers::measure(name, &folder, url).await;
    }
}

/// Money, on the database that each figure is about.
async fn on_money(postgres: &str) {
    let folder = Folder::new(postgres);
    for url in [&folder.postgres, &folder.sqlite] {
        money::filled(&folder, url).await;
    }
    money::measure(&folder).await;
}

/// The service of BENCH_BEFORE, on as many rows of its own.
async fn older(
    postgres: &str,
    accounts: u64,
    entries: u64,
    targets: &mut Vec<Target>,
) -> Option<Folder> {
    let revision = std::env::var("BENCH_BEFORE").ok()?;
    let folder = Folder::new(postgres);
    let binary = before::build(folder.path(), &revision);
    let mut first = folder.start(&binary, &folder.postgres, None);
    first.ready().await;
    drop(first);
    fill::fill(&folder.postgres, accounts, entries);
    let child = folder.start(&binary, &folder.postgres, None);
    targets.push(service_target("service before", child, accounts).await);
    Some(folder)
}

/// The service on 10,000 entries, beside which one on many is not slower.
async fn small(postgres: &str, targets: &mut Vec<Target>) -> Folder {
    let folder = Folder::new(postgres);
    filled(&folder, &folder.postgres, 1000, 10).await;
    let child = folder.service(&folder.postgres);
    targets.push(service_target("service on 10,000 entries", child, 1000).await);
    folder
}

/// The service makes the tables and what is in them.
async fn filled(folder: &Folder, url: &str, accounts: u64, entries: u64) {
    let mut service = folder.service(url);
    service.ready().await;
    drop(service);
    fill::fill(url, accounts, entries);
}

fn take_turns(folder: &Folder, targets: &mut [Target], work: Work, model: &str) {
    let (seconds, rounds) = (number("BENCH_SECONDS", 3), number("BENCH_ROUNDS", 3));
    for round in 0..=rounds {
        for n in 0..targets.len() {
            let n = (n + usize::try_from(round).unwrap()) % targets.len();
            // A short first round warms all of them up.
            let seconds = if round == 0 { 1 } else { seconds };
            let prefix = 100 + round * 10 + u64::try_from(n).unwrap();
            let target = &mut targets[n];
            let turn = load(target, model).run(folder.path(), work, CONNECTIONS, seconds, prefix);
            if round > 0 {
                target.turns.push((work, turn));
            }
        }
    }
}

fn load<'a>(target: &'a Target, model: &'a str) -> Load<'a> {
    Load {
        address: &target.child.address,
        reader: &target.reader,
        writers: &target.writers,
        accounts: target.accounts,
        model,
    }
}

async fn bare_target(name: &'static str, folder: &Folder, records: bool, accounts: u64) -> Target {
    let mut child = folder.bare(records);
    child.ready().await;
    Target {
        name,
        child,
        asks: false,
        reader: "none".to_owned(),
        writers: vec!["none".to_owned(); usize::try_from(fill::WRITERS.min(accounts)).unwrap()],
        accounts,
        turns: Vec::new(),
    }
}

async fn service_target(name: &'static str, mut child: Child, accounts: u64) -> Target {
    child.ready().await;
    let mut target = Target {
        name,
        child,
        asks: true,
        reader: String::new(),
        writers: Vec::new(),
        accounts,
        turns: Vec::new(),
    };
    target.sign_in().await;
    target
}

/// Registering on a file whose disk takes 2 ms an fsync: by one client, and by as many as ask elsewhere.
async fn on_sqlite(folder: &Folder) {
    filled(folder, &folder.sqlite, 1000, 10).await;
    let slow = slow_fsync::build(folder.path());
    let binary = std::path::Path::new(env!("CARGO_BIN_EXE_cps-api"));
    let child = folder.start(binary, &folder.sqlite, Some(&slow));
    let target = service_target("service on SQLite", child, 1000).await;
    let model = model(&target.child).await;
    println!("\nPOST .../products on SQLite, an fsync of 2 ms");
    let (seconds, rounds) = (number("BENCH_SECONDS", 3), number("BENCH_ROUNDS", 3));
    let mut rates = Vec::new();
    for connections in [1, CONNECTIONS] {
        let turn = |round| {
            let prefix = 100 + round * 10 + connections % 10;
            load(&target, &model).run(folder.path(), Work::Register, connections, seconds, prefix)
        };
        let turns: Vec<Turn> = (1..=rounds).map(turn).collect();
        rates.push(row(
            &format!("{connections} clients"),
            &turns,
            rates.first().copied(),
        ));
    }
}

/// What stands behind `Authorization: `.
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

fn report(title: &str, targets: &[Target], work: Work) {
    println!("\n{title:44} requests/s    ratio   p50 ms   p99 ms");
    let mut bare = None;
    for target in targets {
        let turns = target.turns.iter().filter(|(one, _)| *one == work);
        let turns: Vec<Turn> = turns.map(|(_, turn)| *turn).collect();
        let rate = row(target.name, &turns, bare);
        bare.get_or_insert(rate);
    }
}

/// Prints the medians of some turns; their rate.
fn row(name: &str, turns: &[Turn], bare: Option<f64>) -> f64 {
    let of = |part: fn(&Turn) -> f64| median(turns.iter().map(part).collect());
    let (rate, p50, p99) = (
        of(|turn| turn.rate),
        of(|turn| turn.p50),
        of(|turn| turn.p99),
    );
    let ratio = rate / bare.unwrap_or(rate);
    println!("  {name:42} {rate:10.0} {ratio:8.2} {p50:8.2} {p99:8.2}");
    rate
}

/// How soon a service answers on a database that is migrated, and what it weighs when nobody asks: before it has done anything, and
/// after many have signed in.
async fn idle(name: &str, folder: &Folder, url: &str) {
    let (mut starts, mut fresh, mut rested) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..3 {
        let mut child = folder.service(url);
        starts.push(child.first_answer().await.as_secs_f64());
        fresh.push(resident_at_rest(&child).await);
        for n in 1..=8 {
            sign_in(&child, &fill::email(n)).await;
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
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    child.resident_mib()
}

fn median(mut measured: Vec<f64>) -> f64 {
    measured.sort_by(f64::total_cmp);
    measured[measured.len() / 2]
}
