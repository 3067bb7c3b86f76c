//! A disk that is full: what needs room is put off, what does not goes on, and nothing has to be done once there is room.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::json;

use super::{Applicant, MIB, form, pdf, uploads};
use crate::process::{Served, Setup};
use crate::support::{Answer, Database, Sending, Token, registration};

/// Fills a disk to its last byte.
fn fill(path: &Path) {
    let mut file = File::options()
        .create(true)
        .append(true)
        .open(path)
        .unwrap();
    for size in [MIB, 64 * 1024, 4096, 1] {
        while file.write_all(&vec![0; size]).is_ok() {}
    }
}

async fn read_on(served: &Served, applicant: &Applicant, document: &str) {
    served.get("/healthz").await.expect(200);
    served.get("/v1/models").await.expect(200);
    for path in [&applicant.account, document, &format!("{document}/content")] {
        let read = served.request(reqwest::Method::GET, path);
        read.sent_by(&applicant.token).answer().await.expect(200);
    }
}

#[track_caller]
fn is_full(answer: Answer) {
    let answer = answer.problem(503, "storage_full");
    assert!(!answer.header("retry-after").is_empty());
}

async fn registers(served: &Served, n: usize) -> Answer {
    let email = format!("later-{n}@nordlys-test.example");
    let body = registration(json!({ "contact": { "email": email } }));
    served.post("/v1/accounts", &Token::default(), body).await
}

/// Writes until one finds no room: a database has some of its own.
async fn written_until_full(served: &Served) {
    for n in 0..400 {
        let answer = registers(served, n).await;
        if answer.status == 503 {
            return is_full(answer);
        }
    }
    panic!("there is always room");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_puts_off_what_needs_room_and_heals_by_itself() {
    let database = Database::create();
    let disk = database.folder().join("disk");
    fs::create_dir(&disk).unwrap();
    let mut setup = Setup::on(&database).with("CPS_DOCUMENT_STORE", "file://disk/store");
    if !database.is_shared() {
        setup = setup.with("DATABASE_URL", "sqlite://disk/cps.db");
    }
    let served = setup.serve_on_small_disk(&disk, 32);
    let applicant = Applicant::register(&served, 1).await;
    let stored = applicant.upload(&served, form(pdf(100_000))).answer().await;
    let document = stored.expect(201).header("location").to_owned();
    let filler = served.sees(&disk.join("filler"));
    fill(&filler);
    is_full(applicant.upload(&served, form(pdf(4 * MIB))).answer().await);
    if !database.is_shared() {
        written_until_full(&served).await;
        fill(&filler);
    }
    for _ in 0..3 {
        is_full(applicant.upload(&served, form(pdf(MIB))).answer().await);
        read_on(&served, &applicant, &document).await;
    }
    fs::remove_file(&filler).unwrap();
    let healed = Instant::now();
    loop {
        let answer = applicant.upload(&served, form(pdf(MIB))).answer().await;
        if answer.status == 201 {
            break;
        }
        is_full(answer);
        assert!(healed.elapsed() < Duration::from_secs(10));
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    registers(&served, 1000).await.expect(201);
    read_on(&served, &applicant, &document).await;
    assert_eq!(uploads(&served.sees(&disk.join("store"))).len(), 2);
}
