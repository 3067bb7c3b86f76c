//! What the operator keeps: one file after a clean stop, a copy while the service runs, and everything back from it.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;

use crate::process::{Said, Served, Setup};
use crate::raw::Raw;
use crate::support::{Answer, Database, Sending, Token, registration};

const PDF: &[u8] = b"%PDF-1.7\nthe certificate of a business";

/// Registers a business with a document; where that is read, and by whom.
async fn application(served: &Served) -> (String, Token) {
    let body = registration(json!({}));
    let registered = served.post("/v1/accounts", &Token::default(), body).await;
    let registered = registered.expect(201);
    let token = Token(Some(registered.str("/applicant_token")));
    let account = registered.header("location").to_owned();
    let file = reqwest::multipart::Part::bytes(PDF).file_name("certificate.pdf");
    let form = reqwest::multipart::Form::new()
        .text("kind", "vat_registration_certificate")
        .part("file", file);
    let uploaded = served
        .request(Method::POST, &format!("{account}/documents"))
        .sent_by(&token)
        .multipart(form)
        .answer()
        .await
        .expect(201);
    let document = uploaded.str("/id");
    (format!("{account}/documents/{document}/content"), token)
}

async fn read(served: &Served, path: &str, token: &Token) -> Answer {
    served
        .request(Method::GET, path)
        .sent_by(token)
        .answer()
        .await
}

#[track_caller]
fn refused(said: &Said, words: &[&str]) {
    assert!(!said.ok, "{said:?}");
    for word in words {
        assert!(said.stderr.contains(word), "{word}: {}", said.stderr);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_made_while_the_service_runs_brings_everything_back() {
    let database = Database::create();
    let setup = Setup::on(&database).with("CPS_DOCUMENT_STORE", "file://kept");
    let mut served = setup.serve();
    let (content, token) = application(&served).await;
    for _ in 0..400 {
        let kept = "SELECT file_key AS line FROM invoice_files";
        if Raw::open(&database).lines(kept).len() == 2 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    let said = setup.run(&["backup", "copy.tar"]);
    if database.is_shared() {
        refused(&said, &["PostgreSQL", "pg_dump", "documents"]);
        return;
    }
    assert!(said.ok && said.stdout.contains(" documents"), "{said:?}");
    let (later, _) = application(&served).await;
    refused(
        &setup.run(&["backup", "copy.tar"]),
        &["copy.tar", "another"],
    );
    refused(
        &setup.run(&["restore", "copy.tar"]),
        &["is there already", "stop"],
    );
    served.terminate();
    assert!(served.end().success());

    let elsewhere = setup
        .with("DATABASE_URL", "sqlite://elsewhere/cps.db")
        .with("CPS_DOCUMENT_STORE", "file://elsewhere/documents");
    let said = elsewhere.run(&["restore", "copy.tar"]);
    assert!(said.ok, "{said:?}");
    let said = elsewhere.run(&["verify-ledger", "--files"]);
    assert!(said.stdout.contains(" documents of invoices"), "{said:?}");
    let served = elsewhere.serve();
    let restored = read(&served, &content, &token).await.expect(200);
    assert_eq!(restored.text.as_bytes(), PDF);
    // What came after the copy is not in it.
    let account = later.split("/documents").next().unwrap();
    let unknown = read(&served, account, &token).await;
    assert_eq!(unknown.status, 404, "{}", unknown.text);
}

#[test]
fn what_is_no_backup_leaves_nothing_behind() {
    let database = Database::create();
    let setup = Setup::new(database.folder()).with("DATABASE_URL", "sqlite://fresh/cps.db");
    std::fs::write(database.folder().join("notes.txt"), "no tar").unwrap();
    for file in ["notes.txt", "nowhere.tar"] {
        refused(&setup.run(&["restore", file]), &[file]);
    }
    refused(&setup.run(&["backup", "copy.tar"]), &["no database"]);
    let left = std::fs::read_dir(database.folder().join("fresh"));
    assert!(left.is_err() || left.unwrap().next().is_none());
    assert!(!database.folder().join("copy.tar").exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clean_stop_leaves_one_database_file_and_says_so() {
    let database = Database::create();
    let mut served = Setup::on(&database).serve();
    application(&served).await;
    served.terminate();
    assert!(served.end().success());
    assert!(
        served.log().contains("\"message\":\"stopped\""),
        "{}",
        served.log()
    );
    if !database.is_shared() {
        for beside in ["test.db-wal", "test.db-shm"] {
            assert!(!database.folder().join(beside).exists(), "{beside}");
        }
    }
}

#[test]
fn the_help_names_every_variable_that_the_readme_does() {
    let database = Database::create();
    let help = Setup::new(database.folder()).run(&["--help"]).stdout;
    let readme = include_str!("../../README.md");
    let (_, rest) = readme.split_once("## Configuration").unwrap();
    let (table, _) = rest.split_once("\nCommands:").unwrap();
    let rows = table.lines().filter(|line| line.starts_with("| `"));
    let names = rows.flat_map(|line| line.split('|').nth(1).unwrap().split('`'));
    let names: Vec<&str> = names.filter(|name| name.contains('_')).collect();
    assert!(names.len() > 15, "{names:?}");
    for name in names {
        assert!(help.contains(&format!("\n  {name} ")), "{name}: {help}");
    }
}

#[test]
fn the_binary_and_the_contract_have_one_version() {
    let database = Database::create();
    let setup = Setup::new(database.folder());
    let version = setup.run(&["--version"]).stdout;
    let document: serde_json::Value =
        serde_json::from_str(&setup.run(&["openapi"]).stdout).unwrap();
    let of_contract = document["info"]["version"].as_str().unwrap();
    assert_eq!(version.trim(), format!("cps-api {of_contract}"));
}
