//! The commands of README.md and of the pages in docs/ really run, as they stand there. Those that make clients are run by tools/clients/run.

use std::path::Path;
use std::process::Command;

use crate::process::free_port;
use crate::support::{Database, TestApp};

const README: &str = include_str!("../../README.md");
const FRONTEND: &str = include_str!("../../docs/frontend.md");
const TESTER: &str = include_str!("../../docs/tester.md");
const PARTNERS: &str = include_str!("../../docs/partners.md");
const OPERATOR: &str = include_str!("../../docs/operator.md");

/// The commands of these sections, in order.
fn commands(page: &str, is_wanted: impl Fn(&str) -> bool) -> String {
    let sections = page.split("\n## ").skip(1);
    let blocks = sections
        .filter(|section| is_wanted(section.lines().next().unwrap()))
        .flat_map(|section| section.split("```sh\n").skip(1))
        .map(|block| block.split_once("```").unwrap().0);
    let commands: String = blocks.collect();
    assert!(commands.lines().count() > 2, "{commands}");
    commands
}

/// Runs a script in a folder, which has nothing to complain of; what it printed.
async fn run(script: String, folder: &Path) -> String {
    let mut bash = Command::new("bash");
    bash.args(["-euo", "pipefail", "-c", &script])
        .current_dir(folder);
    let run = tokio::task::spawn_blocking(move || bash.output().unwrap());
    let output = run.await.unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    let complained = String::from_utf8(output.stderr).unwrap();
    assert!(
        output.status.success() && complained.is_empty(),
        "{script}\n{told}\n{complained}"
    );
    told
}

#[track_caller]
fn tells(told: &str, words: &[&str]) {
    for word in words {
        assert!(told.contains(word), "{word}: {told}");
    }
}

/// The commands against a sandbox of their own.
async fn in_sandbox(script: &str, times: usize, words: &[&str]) {
    let app = TestApp::start().await;
    let script = script.replace("http://127.0.0.1:8080", &app.address);
    assert!(script.contains(&app.address) && script.matches("curl").count() > 3);
    for _ in 0..times {
        tells(&run(script.clone(), app.database.folder()).await, words);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_journey_of_the_readme_runs_twice_as_it_stands() {
    let steps = [
        "answered by",
        "approved",
        "complete, 925 points",
        "member ",
        "CPS-20",
        "reference RF",
    ];
    let journey = commands(README, |section| section == "The journey");
    in_sandbox(&journey, 2, &steps).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_for_frontends_shows_what_happens() {
    let words = [
        "\"name\": \"Mette Fjord\"",
        "[422,\"invalid_request\"]",
        "[\"#/serial_number\",\"too_short\",",
        "second: prd_",
        "dealer: Foto Nord\nprecondition_failed",
        "page of 20 models",
        "Bankoverførsel",
    ];
    let page = commands(FRONTEND, |section| section != "A client of your own");
    in_sandbox(&page, 1, &words).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_for_testers_shows_what_happens() {
    let words = [
        "reviewer@cps.example Sandbox-Adgang-2026 reviewer",
        "tok_visa",
        "Vælg en ny adgangskode",
        "Bearer\nit is 2",
        "token_invalid",
    ];
    let page = commands(TESTER, |_| true);
    in_sandbox(&page, 1, &words).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_for_dealers_systems_shows_what_happens() {
    let words = [
        "\"name\": \"Foto Nord\"",
        "\"caller\":\"partner\"",
        "F-1001: offered",
        "again: unchanged",
        "#/member_number required",
        "#/serial_number serial_format",
        "4 lines, queued",
        "{\"registered\":2,\"offered\":1,\"refused\":1}",
        "F-2001 is registered: EOS R6 Mark II 013021998101, prd_",
        "line 5, F-2004: #/model model_unknown",
        "{\"mended\":{\"offered\":1,\"unchanged\":3}}",
        "{\"dry_run\":true,\"counts\":{\"offered\":1}}",
        "registered of it: 0",
        "#/header/serial_number required",
        "C-1: corrected",
        "R-1: returned",
        "registration.returned",
        "{\"valid\":true}",
    ];
    let page = commands(PARTNERS, |_| true);
    in_sandbox(&page, 1, &words).await;
}

/// What stands for the machine of the page for operators.
const MACHINE: &str = "
serve() {
  command cps-api serve 2>log &
  trap 'kill %1 2>/dev/null || true' EXIT
  timeout 60 bash -c 'until cps-api healthcheck 2>/dev/null; do sleep 0.1; done'
}
systemctl() { kill %1 && wait %1; }
";

/// The commands of the page for operators: what is under /srv/cps there is in the folder, no mail goes out, and the binary under test is called.
fn operated(sections: &[&str], folder: &Path) -> String {
    let binary = Path::new(env!("CARGO_BIN_EXE_cps-api")).parent().unwrap();
    let shipped = include_str!("../../programme.toml");
    let programme = shipped.replacen("\nexample = true", "\nexample = false", 1);
    std::fs::write(folder.join("programme.toml"), programme).unwrap();
    let [bind, metrics] = [(); 2].map(|()| format!("127.0.0.1:{}", free_port()));
    let commands = commands(OPERATOR, |section| sections.contains(&section))
        .replace("/srv/cps", folder.to_str().unwrap())
        .replace("mail.example:587", "127.0.0.1:9")
        .replace("127.0.0.1:8080", &bind)
        .replace("127.0.0.1:9090", &metrics)
        .replace("cps-api serve\n", "serve\n");
    let path = format!("export PATH={}:$PATH", binary.display());
    let addresses =
        format!("export CPS_BIND={bind} CPS_METRICS_BIND={metrics} CPS_DRAIN_SECONDS=0");
    format!("{path}\n{addresses}\n{MACHINE}\n{commands}")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_for_operators_starts_watches_copies_and_looks_inside() {
    let folder = tempfile::tempdir().unwrap();
    let sections = [
        "Starting",
        "Watching",
        "What waits, and what happened",
        "Dealers",
        "Copies",
        "Looking inside",
    ];
    let told = run(operated(&sections, folder.path()), folder.path()).await;
    let words = [
        "Warning: CPS_PUBLIC_URL",
        "/set-password#token=",
        "\"ready\"",
        "# TYPE http_requests_total counter",
        "0 overdue",
        "\"staff.created\",\"service\"",
        "\"staff.activated\",\"staff\"",
        "up to ",
        "\"client_secret\": \"cps_live_",
    ];
    tells(&told, &words);
    assert!(folder.path().join("again/cps.db").exists(), "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_for_operators_prepares_a_postgresql() {
    let database = Database::create();
    if !database.is_shared() {
        return;
    }
    let folder = database.folder();
    let sections = ["Starting", "Several instances on PostgreSQL"];
    let page = "postgres://cps@db.example/cps?sslmode=verify-full";
    let commands = operated(&sections, folder);
    assert!(commands.contains(page));
    let commands = commands.replace(page, &database.url());
    let told = run(format!("{commands}cps-api jobs list\n"), folder).await;
    assert_eq!(told.matches("The database is up to date.\n").count(), 2);
}
