//! Uploads go through the service and do not stay in its memory.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::future::join_all;
use futures_util::stream;
use reqwest::Body;
use reqwest::multipart::{Form, Part};
use tokio::sync::Barrier;

use super::{Applicant, KIND, MIB, pdf, uploads};
use crate::process::Setup;
use crate::support::{Answer, Database, Sending};

/// 200 uploads at once by a switch.
fn callers() -> usize {
    match std::env::var_os("FILES_LONG") {
        Some(_) => 25,
        None => 5,
    }
}

/// As many as one caller may have on the way at once.
const EACH: usize = 8;
const SIZE: usize = 4 * MIB;
/// KiB that the service may take in memory beside what it has, whatever is uploaded: a fifth of it.
const MEMORY: usize = 32 * 1024;

/// A file that stops in its middle until all others are there too.
fn halting(bytes: Bytes, all: Arc<Barrier>) -> Body {
    let count = bytes.len().div_ceil(64 * 1024);
    let chunks = stream::iter(0..count).then(move |n| {
        let (bytes, all) = (bytes.clone(), all.clone());
        async move {
            if n == count / 2 {
                all.wait().await;
            }
            let begin = n * 64 * 1024;
            let end = bytes.len().min(begin + 64 * 1024);
            Ok::<_, std::io::Error>(bytes.slice(begin..end))
        }
    });
    Body::wrap_stream(chunks)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn uploads_at_once_are_all_taken_and_none_is_held_in_memory() {
    let database = Database::create();
    // So much an application may not hold as it ships.
    let shipped = cps_api::programme::SHIPPED;
    let roomy = shipped.replacen("\nbytes = 20971520", "\nbytes = 41943040", 1);
    assert_ne!(roomy, shipped);
    let programme = database.file("programme.toml", &roomy);
    let served = Setup::on(&database)
        .with("CPS_DOCUMENT_STORE", "file://store")
        .with("CPS_TRUSTED_PROXIES", "127.0.0.0/8")
        .with("CPS_PROGRAMME", &programme)
        .serve();
    let mut applicants = Vec::new();
    for n in 0..callers() {
        applicants.push(Applicant::register(&served, n).await);
    }
    let (bytes, all) = (
        Bytes::from(pdf(SIZE)),
        Arc::new(Barrier::new(callers() * EACH)),
    );
    let before = served.resident();
    let (peak, is_over) = (AtomicUsize::new(0), AtomicBool::new(false));
    let sent = applicants.iter().flat_map(|applicant| [applicant; EACH]);
    let sent = sent.map(|applicant| {
        let body = halting(bytes.clone(), all.clone());
        let file = Part::stream_with_length(body, SIZE as u64).file_name("certifikat.pdf");
        let form = Form::new().text("kind", KIND).part("file", file);
        applicant.upload(&served, form).answer()
    });
    let uploads_done = async {
        let answers: Vec<Answer> = join_all(sent).await;
        is_over.store(true, Ordering::Release);
        answers
    };
    let watching = async {
        while !is_over.load(Ordering::Acquire) {
            peak.fetch_max(served.resident(), Ordering::AcqRel);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let (answers, ()) = tokio::join!(uploads_done, watching);
    for answer in answers {
        let answer = answer.expect(201);
        assert_eq!(answer.body["size"], SIZE);
    }
    let peak = peak.into_inner();
    println!(
        "{} uploads at once: {before} KiB resident before, {peak} at most",
        callers() * EACH
    );
    assert!(peak < before + MEMORY, "{peak} KiB, {before} before");
    let stored = uploads(&database.folder().join("store"));
    assert_eq!(stored.len(), callers() * EACH);
    for path in stored {
        assert!(std::fs::read(path).unwrap() == bytes);
    }
}
