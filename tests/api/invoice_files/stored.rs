//! Documents once they are stored: the same bytes from every instance and after every start, and none that somebody changed.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use chrono::TimeDelta;
use serde_json::Value;

use super::{MEMBER, MEMBER_EMAIL, SEEDED, check_peppol, file};
use crate::membership::{ACCOUNT, EMAIL, bring_points_to, by_transfer, join};
use crate::process::Setup;
use crate::raw::Raw;
use crate::smtp::Sink;
use crate::support::{TestApp, Token};

/// The kind, hash and place of the stored documents; waits until there are two.
async fn stored(app: &TestApp) -> Vec<(String, String, String)> {
    let seeded = uuid::Uuid::parse_str(SEEDED.rsplit('_').next().unwrap()).unwrap();
    let rows = format!(
        "SELECT kind || ' ' || sha256 || ' ' || file_key AS line FROM invoice_files WHERE invoice_id = '{seeded}' ORDER BY kind"
    );
    for _ in 0..400 {
        let lines = Raw::open(&app.database).lines(&rows);
        if lines.len() == 2 {
            let parts = |line: &String| {
                let mut parts = line.split(' ').map(str::to_owned);
                let mut next = || parts.next().unwrap();
                (next(), next(), next())
            };
            return lines.iter().map(parts).collect();
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("the seeded invoice has no documents");
}

fn in_store(app: &TestApp, key: &str) -> PathBuf {
    app.database.folder().join("documents").join(key)
}

/// Both documents of the seeded invoice.
async fn both(app: &TestApp, token: &Token) -> [(Vec<u8>, String); 2] {
    let pdf = file(app, token, SEEDED, "pdf").await;
    let xml = file(app, token, SEEDED, "xml").await;
    [(pdf.bytes, pdf.etag), (xml.bytes, xml.etag)]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_bytes_come_stored_and_not_from_every_instance_and_after_a_start() {
    let app = TestApp::start().await;
    let token = app.sign_in(MEMBER_EMAIL).await;
    let rows = stored(&app).await;
    let [pdf, xml] = both(&app, &token).await;
    for ((kind, sha256, key), (bytes, etag)) in rows.iter().zip([&pdf, &xml]) {
        assert_eq!(etag, &format!("\"{sha256}\""), "{kind}");
        assert!(fs::read(in_store(&app, key)).unwrap() == *bytes, "{kind}");
    }
    check_peppol("seeded", std::str::from_utf8(&xml.0).unwrap());
    let tag = pdf.1.clone();
    let known = app.request(
        reqwest::Method::GET,
        &format!("{MEMBER}/invoices/{SEEDED}/pdf"),
    );
    let known = known
        .bearer_auth(token.0.as_ref().unwrap())
        .header("if-none-match", tag);
    assert_eq!(known.send().await.unwrap().status().as_u16(), 304);

    app.database.execute("DELETE FROM invoice_files");
    assert!(both(&app, &token).await == [pdf.clone(), xml.clone()]);
    let (second, _first) = match app.database.is_shared() {
        true => (TestApp::on(app.database.clone(), &[]).await, Some(app)),
        false => (TestApp::on(app.stop().await, &[]).await, None),
    };
    let token = second.sign_in(MEMBER_EMAIL).await;
    assert!(both(&second, &token).await == [pdf, xml]);
}

/// As stored days ago.
fn age(path: &Path) {
    let days = Duration::from_secs(3 * 24 * 3600);
    let file = File::options().append(true).open(path).unwrap();
    file.set_modified(SystemTime::now() - days).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stored_document_is_not_swept_and_none_that_was_changed_is_served() {
    let app = TestApp::start().await;
    let rows = stored(&app).await;
    let paths: Vec<PathBuf> = rows.iter().map(|(.., key)| in_store(&app, key)).collect();
    let orphan = in_store(&app, &format!("invoices/{}", "e".repeat(32)));
    File::create(&orphan).unwrap();
    paths.iter().chain([&orphan]).for_each(|path| age(path));
    app.advance(TimeDelta::days(1)).await;
    for _ in 0..400 {
        if !orphan.exists() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    assert!(!orphan.exists() && paths.iter().all(|path| path.exists()));

    let token = app.sign_in(MEMBER_EMAIL).await;
    let [(mut pdf, _), _] = both(&app, &token).await;
    let last = pdf.len() - 10;
    pdf[last] ^= 1;
    fs::write(&paths[0], pdf).unwrap();
    let path = format!("{MEMBER}/invoices/{SEEDED}/pdf");
    app.get(&path, &token).await.problem(500, "internal_error");
    let kept = fs::read(&paths[1]).unwrap();
    fs::remove_file(&paths[1]).unwrap();
    let path = format!("{MEMBER}/invoices/{SEEDED}/xml");
    app.get(&path, &token).await.problem(500, "internal_error");

    fs::write(&paths[1], kept).unwrap();
    let database = app.stop().await;
    let said = Setup::on(&database)
        .with("CPS_DOCUMENT_STORE", "file://documents")
        .run(&["verify-ledger", "--files"]);
    let told = format!("M10: the pdf of {SEEDED} is not as stored");
    assert!(!said.ok && said.stderr.contains(&told), "{said:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_mail_of_an_invoice_has_it_attached() {
    let app = TestApp::start().await;
    let token = app.sign_in(EMAIL).await;
    bring_points_to(&app, ACCOUNT, 1600).await;
    join(&app, ACCOUNT, &token, by_transfer("gold"))
        .await
        .expect(201);
    let mail = app.mail(EMAIL, "invoice_issued").await;
    let listed = app.get(&format!("{ACCOUNT}/invoices"), &token).await;
    let path = format!("{ACCOUNT}/invoices/{}/pdf", listed.str("/items/0/id"));
    let read = app.get(&path, &token).await.expect(200);
    let attached = &mail["attachments"][0];
    assert_eq!(
        attached["name"],
        format!("{}.pdf", listed.str("/items/0/number"))
    );
    assert_eq!(
        read.header("etag"),
        format!("\"{}\"", attached["sha256"].as_str().unwrap())
    );
    assert!(attached["size"].as_u64().unwrap() > 10_000);
    let welcome = app.mail(EMAIL, "membership_welcome").await;
    assert_eq!(welcome["attachments"], Value::Array(Vec::new()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_attachment_leaves_the_house_as_it_is() {
    let sink = Sink::start();
    let app = TestApp::start_with(&[
        ("CPS_MAIL", &sink.url()),
        ("CPS_MAIL_FROM", "donotreply@cps.example"),
        ("CPS_FRONTEND_URL", "https://cps.example"),
    ])
    .await;
    let token = app.sign_in(MEMBER_EMAIL).await;
    let pdf = file(&app, &token, SEEDED, "pdf").await;
    for _ in 0..400 {
        let mails = sink.mails();
        let is_its = |mail: &&Value| {
            let to = mail["envelope_to"].to_string();
            to.contains(MEMBER_EMAIL) && mail["attachments"] != Value::Array(Vec::new())
        };
        if let Some(mail) = mails.iter().find(is_its) {
            let attached = &mail["attachments"][0];
            assert_eq!(attached["type"], "application/pdf");
            assert_eq!(
                pdf.etag,
                format!("\"{}\"", attached["sha256"].as_str().unwrap())
            );
            assert!(mail["text"].as_str().unwrap().contains("CPS-"));
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("no mail has an attachment");
}
