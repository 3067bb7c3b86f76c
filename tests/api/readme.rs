//! The journey in the README really runs.

use std::path::PathBuf;
use std::process::Command;

use crate::support::TestApp;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_journey_of_the_readme_runs_twice_as_it_stands() {
    let app = TestApp::start().await;
    let readme = include_str!("../../README.md");
    let (_, rest) = readme.split_once("## The journey").unwrap();
    let (_, rest) = rest.split_once("```sh\n").unwrap();
    let (lines, _) = rest.split_once("```").unwrap();
    let script = lines.replace("http://127.0.0.1:8080", &app.address);
    assert!(script.contains(&app.address) && script.matches("curl").count() > 3);
    let folder = app.database.folder().to_owned();
    for _ in 0..2 {
        walk(script.clone(), folder.clone()).await;
    }
}

async fn walk(script: String, folder: PathBuf) {
    let run = tokio::task::spawn_blocking(move || {
        let mut bash = Command::new("bash");
        bash.args(["-euo", "pipefail", "-c", &script]);
        bash.current_dir(folder).output().unwrap()
    });
    let output = run.await.unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    let failed = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && failed.is_empty(),
        "{told}\n{failed}"
    );
    let steps = [
        "answered by",
        "approved",
        "complete, 925 points",
        "member ",
        "CPS-20",
        "reference RF",
    ];
    for step in steps {
        assert!(told.contains(step), "{step}: {told}\n{failed}");
    }
}
