//! What a file refers to is not asked for, and a large one is not held in memory.

use std::net::TcpListener;

use reqwest::Method;
use serde_json::json;

use super::{Bank, Entry, credit, statement};
use crate::process::Setup;
use crate::support::{Database, Sending, Token};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_asked_for_what_a_file_refers_to() {
    let bank = Bank::open().await;
    let elsewhere = TcpListener::bind("127.0.0.1:0").unwrap();
    elsewhere.set_nonblocking(true).unwrap();
    let url = format!("http://{}/x", elsewhere.local_addr().unwrap());
    let plain = statement(("O1", 1), (0, 100), &[credit(100, "Kasse")]);
    let refused = [
        format!("<!DOCTYPE Document SYSTEM \"{url}\">{plain}"),
        format!("<!DOCTYPE Document [<!ENTITY % own SYSTEM \"{url}\"> %own;]>{plain}"),
        format!("<!DOCTYPE Document PUBLIC \"-//W3C//DTD XHTML 1.0//EN\" \"{url}\">{plain}"),
        format!(
            "<!DOCTYPE Document [<!ENTITY own SYSTEM \"{url}\">]>{}",
            plain.replace("Kasse", "&own;")
        ),
        plain.replace(
            "<GrpHdr>",
            &format!(
                "<xi:include xmlns:xi=\"http://www.w3.org/2001/XInclude\" href=\"{url}\"/><GrpHdr>"
            ),
        ),
    ];
    for xml in refused {
        let sent = bank.send(&xml).await;
        sent.problem(422, "statement_not_accepted");
    }
    // Where its schema or its style is said to be is nothing that is read.
    let referring = plain.replace(
        "<Document ",
        &format!("<?xml-stylesheet href=\"{url}\"?><Document xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:schemaLocation=\"urn:x {url}\" "),
    );
    bank.send(&referring).await.expect(201);
    let asked = elsewhere.accept().map_err(|error| error.kind());
    assert_eq!(asked.unwrap_err(), std::io::ErrorKind::WouldBlock);
    bank.close().await;
}

/// A statement of about so many mebibytes, of lines with long texts.
fn large(mebibytes: usize) -> (String, usize) {
    let text: &'static str = Box::leak("Kontingent og andet. ".repeat(6).into_boxed_str());
    let count = mebibytes * 2200;
    let line = Entry {
        text,
        ..credit(100, "")
    };
    let entries = vec![line; count];
    let sum = 100 * i64::try_from(count).unwrap();
    (statement(("L1", 1), (0, sum), &entries), count)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_statement_is_read_without_being_held() {
    let database = Database::create();
    let service = Setup::on(&database).serve();
    let body = json!({ "email": "finance@cps.example", "password": "Sandbox-Adgang-2026" });
    let session = service.post("/v1/sessions", &Token::default(), body).await;
    let token = Token(Some(session.expect(201).str("/access_token")));
    // Said beforehand, so that what all do once is not counted.
    let dry = |xml: String| {
        let request = service
            .request(Method::POST, "/v1/bank-statements?dry_run=true")
            .sent_by(&token)
            .header("idempotency-key", uuid::Uuid::new_v4().to_string())
            .header("content-type", "application/xml")
            .body(xml);
        tokio::spawn(request.send())
    };
    let small = dry(large(1).0).await.unwrap().unwrap();
    assert_eq!(small.status(), 200);
    let (xml, count) = large(12);
    let (before, size) = (service.resident(), xml.len() / 1024);
    let (mut most, sending) = (0, dry(xml));
    while !sending.is_finished() {
        most = most.max(service.resident());
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    let read = sending.await.unwrap().unwrap();
    assert_eq!(read.status(), 200);
    let read: serde_json::Value = read.json().await.unwrap();
    assert_eq!(read["statements"][0]["lines_new"], count);
    let more = most.saturating_sub(before);
    println!("a file of {size} KiB took {more} KiB");
    assert!(more < size / 2, "a file of {size} KiB took {more} KiB");
}
