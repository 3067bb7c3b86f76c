//! Files that nobody wants are found again, by their rows and by their names.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use chrono::TimeDelta;
use reqwest::Method;
use serde_json::json;

use super::{Applicant, MIB, form, pdf, uploads};
use crate::process::{Served, Setup};
use crate::support::{Database, Sending, TestApp};
use crate::wire::Wire;

/// More than are listed at a time.
const MANY: usize = 12_000;

/// A file as it was stored days ago.
fn plant(path: &Path) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let file = File::create(path).unwrap();
    let days = Duration::from_secs(3 * 24 * 3600);
    file.set_modified(SystemTime::now() - days).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_whole_store_is_walked_for_files_without_a_row_and_others_are_left_alone() {
    let app = TestApp::start().await;
    let (account, token) = app.applicant(json!({})).await;
    let store = app.database.folder().join("documents");
    let sent = app
        .request(Method::POST, &format!("{account}/documents"))
        .sent_by(&token)
        .multipart(form(pdf(1000)));
    sent.answer().await.expect(201);
    let [kept] = uploads(&store).try_into().unwrap();
    plant(&kept);
    for n in 0..MANY {
        plant(&store.join(format!("documents/{n:032x}")));
    }
    let young = store.join(format!("documents/{}", "f".repeat(32)));
    File::create(&young).unwrap();
    let theirs = [
        "notes.txt",
        "cps.db",
        "documents/report.pdf",
        "documents/0123",
        "backup/documents/0123456789abcdef0123456789abcdef",
    ];
    let theirs = theirs.map(|name| store.join(name));
    theirs.iter().for_each(|path| plant(path));
    for _ in 0..5 {
        app.advance(TimeDelta::days(1)).await;
        if uploads(&store).len() == 4 {
            break;
        }
    }
    let mut left = uploads(&store);
    left.sort();
    let mut expected: Vec<PathBuf> = vec![kept, young, theirs[2].clone(), theirs[3].clone()];
    expected.sort();
    assert_eq!(left, expected);
    assert!(theirs.iter().all(|path| path.exists()));
}

/// An upload of which a mebibyte has come.
async fn half_way(served: &Served, applicant: &Applicant, store: &Path) -> Wire {
    let mut wire = Wire::open(&served.url);
    wire.send(format!(
        "POST {}/documents HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer {}\r\n\
         Content-Type: multipart/form-data; boundary=cut\r\nContent-Length: 4000000\r\n\r\n\
         --cut\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.pdf\"\r\n\r\n",
        applicant.account,
        applicant.token.0.as_deref().unwrap()
    ));
    wire.send(pdf(MIB));
    for _ in 0..500 {
        if !uploads(store).is_empty() {
            return wire;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("nothing is written");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_killed_instance_had_begun_is_swept() {
    let database = Database::create();
    let store = database.folder().join("store");
    let setup = Setup::on(&database).with("CPS_DOCUMENT_STORE", "file://store");
    let mut served = setup.serve();
    let applicant = Applicant::register(&served, 1).await;
    let _wire = half_way(&served, &applicant, &store).await;
    // The lease of a job that is killed with it would be waited for.
    let at_hand = "SELECT COUNT(*) AS n FROM jobs WHERE state = 'running' OR (state = 'ready' AND attempts = 0 AND kind = 'send_mail')";
    while database.numbers(at_hand) != [0] {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    served.kill();
    assert_eq!(uploads(&store).len(), 1);
    let served = setup.serve();
    let rows = "SELECT COUNT(*) AS n FROM files WHERE state = 'receiving'";
    assert_eq!(database.numbers(rows), [1]);
    let now = served
        .get("/v1/sandbox/clock")
        .await
        .expect(200)
        .str("/now");
    let later = now.parse::<chrono::DateTime<chrono::Utc>>().unwrap() + TimeDelta::hours(26);
    let moved = served.request(Method::PUT, "/v1/sandbox/clock");
    let moved = moved.json(&json!({ "now": later })).answer().await;
    moved.expect(200);
    assert_eq!(uploads(&store), Vec::<PathBuf>::new());
    assert_eq!(database.numbers(rows), [0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_document_that_is_taken_back_takes_its_file_and_its_row_with_it() {
    let app = TestApp::start().await;
    let (account, token) = app.applicant(json!({})).await;
    let store = app.database.folder().join("documents");
    let sent = app
        .request(Method::POST, &format!("{account}/documents"))
        .sent_by(&token)
        .multipart(form(pdf(1000)));
    let document = sent
        .answer()
        .await
        .expect(201)
        .header("location")
        .to_owned();
    assert_eq!(uploads(&store).len(), 1);
    app.delete(&document, &token, 1).await.expect(204);
    app.advance(TimeDelta::hours(26)).await;
    assert_eq!(uploads(&store), Vec::<PathBuf>::new());
    let others = "SELECT COUNT(*) AS n FROM files WHERE key NOT LIKE 'sandbox/%'";
    assert_eq!(app.database.numbers(others), [0]);
}
