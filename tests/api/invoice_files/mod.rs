//! The documents of invoices: what is in the files, that they stay as they are, and what stands in the way of an electronic one.

mod credited;
pub mod left;
mod national;
mod samples;
mod stored;

use std::fs;
use std::path::Path;
use std::process::Command;

use en16931::profiles::PEPPOL_BIS_3;
use en16931_formats::{Policy, Recommendation, receive};
use reqwest::Method;

use self::samples::{Sample, samples};
use crate::support::{Sending, TestApp, Token};

/// A seeded account that is a member, with the invoice of its membership.
const MEMBER: &str = "/v1/accounts/acc_00000000000070008000000000000002";
const MEMBER_EMAIL: &str = "jonas@lysogskygge.example";
const SEEDED: &str = "inv_00000000000070008000000000000002";

/// A downloaded file.
struct File {
    bytes: Vec<u8>,
    etag: String,
    disposition: String,
}

/// The file of an invoice of the member, as `pdf` or `xml`.
async fn file(app: &TestApp, token: &Token, invoice: &str, kind: &str) -> File {
    let path = format!("{MEMBER}/invoices/{invoice}/{kind}");
    let response = app.request(Method::GET, &path).sent_by(token).send().await;
    let response = response.unwrap();
    let status = response.status().as_u16();
    let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
    let media_type = header("content-type");
    let (etag, disposition) = match status {
        200 => (header("etag"), header("content-disposition")),
        _ => (String::new(), String::new()),
    };
    let bytes = response.bytes().await.unwrap().to_vec();
    assert_eq!(status, 200, "{path}: {}", String::from_utf8_lossy(&bytes));
    assert_eq!(media_type, format!("application/{kind}"));
    File {
        bytes,
        etag,
        disposition,
    }
}

/// What a command says, which has to end well.
fn said(command: &str, arguments: &[&str]) -> String {
    let done = Command::new(command).args(arguments).output();
    let done = done.unwrap_or_else(|fault| panic!("{command}: {fault}; tests/run installs it"));
    let text = String::from_utf8_lossy(&done.stdout).into_owned();
    let beside = String::from_utf8_lossy(&done.stderr);
    assert!(
        done.status.success(),
        "{command} {arguments:?}: {text}{beside}"
    );
    text
}

/// Holds a PDF against what it must be; the XML that is attached to it.
fn check_pdf(folder: &Path, name: &str, bytes: &[u8]) -> Option<Vec<u8>> {
    assert!(bytes.len() <= 60_000, "{name}: {} bytes", bytes.len());
    let path = folder.join(format!("{name}.pdf"));
    fs::write(&path, bytes).unwrap();
    let path = path.to_str().unwrap();
    said("qpdf", &["--check", path]);
    let fonts = said("pdffonts", &[path]);
    let embedded = fonts
        .lines()
        .skip(2)
        .map(|line| line.contains("Identity-H       yes yes yes"));
    let embedded: Vec<bool> = embedded.collect();
    assert!(
        embedded.len() == 2 && embedded.iter().all(|is| *is),
        "{fonts}"
    );
    let text = String::from_utf8_lossy(bytes);
    for words in ["<pdfaid:part>3</pdfaid:part>", "<pdfaid:conformance>B<"] {
        assert!(text.contains(words), "{name}: {words}");
    }
    if said("pdfdetach", &["-list", path]).starts_with("0 ") {
        return None;
    }
    let detached = folder.join(format!("{name}.detached"));
    said(
        "pdfdetach",
        &["-save", "1", "-o", detached.to_str().unwrap(), path],
    );
    Some(fs::read(detached).unwrap())
}

/// What is printed, without breaks of lines.
fn printed(folder: &Path, name: &str) -> String {
    let path = folder.join(format!("{name}.pdf"));
    let text = said("pdftotext", &["-layout", path.to_str().unwrap(), "-"]);
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Holds electronic invoices against the schemas and CEN's rules, and by whatever `EINVOICE_CHECK` names.
fn check_all(files: &[String]) {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/einvoice");
    let (python, checker) = (
        format!("{folder}/.venv/bin/python"),
        format!("{folder}/check.py"),
    );
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    let told = said(&python, &[&[checker.as_str()], files.as_slice()].concat());
    assert!(
        told.contains(&format!("{} checked, 0 findings", files.len())),
        "{told}"
    );
    if let Ok(more) = std::env::var("EINVOICE_CHECK") {
        let words: Vec<&str> = more.split_whitespace().collect();
        said(words[0], &[&words[1..], files.as_slice()].concat());
    }
}

/// Holds one against Peppol's common rules and those of its countries.
fn check_peppol(name: &str, xml: &str) {
    let policy = Policy {
        require: Some(&PEPPOL_BIS_3),
        ..Policy::default()
    };
    let received = receive(xml.as_bytes(), &policy);
    let is_taken = received.recommendation == Recommendation::Accept;
    assert!(is_taken, "{name}: {received}\n{xml}");
    assert_eq!(national::faults(xml), Vec::<&str>::new(), "{name}: {xml}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_document_is_what_others_can_read() {
    let app = TestApp::start().await;
    let token = app.sign_in(MEMBER_EMAIL).await;
    let folder = tempfile::tempdir().unwrap();
    let mut electronic = Vec::new();
    let samples = samples();
    app.database.falsified();
    for sample in &samples {
        app.database.execute(&sample.insert());
        check_sample(&app, &token, sample, folder.path(), &mut electronic).await;
    }
    assert!(electronic.len() > 20, "{}", electronic.len());
    check_all(&electronic);
}

async fn check_sample(
    app: &TestApp,
    token: &Token,
    sample: &Sample,
    folder: &Path,
    electronic: &mut Vec<String>,
) {
    let (name, id) = (sample.name, sample.id());
    let pdf = file(app, token, &id, "pdf").await;
    let again = file(app, token, &id, "pdf").await;
    assert!(pdf.bytes == again.bytes && pdf.etag == again.etag, "{name}");
    let called = format!("attachment; filename=\"{}.pdf\"", sample.number());
    assert!(pdf.disposition.starts_with(&called), "{}", pdf.disposition);
    let attached = check_pdf(folder, name, &pdf.bytes);
    let text = printed(folder, name);
    for words in &sample.printed {
        assert!(text.contains(words.as_str()), "{name}: {words}: {text}");
    }
    if sample.missing.is_empty() && !sample.is_old {
        let xml = file(app, token, &id, "xml").await;
        assert!(attached.as_ref() == Some(&xml.bytes), "{name}");
        let path = folder.join(format!("{name}.xml"));
        fs::write(&path, &xml.bytes).unwrap();
        let xml = String::from_utf8(xml.bytes).unwrap();
        check_peppol(name, &xml);
        for words in &sample.written {
            assert!(xml.contains(words.as_str()), "{name}: {words}: {xml}");
        }
        electronic.push(path.to_str().unwrap().to_owned());
    } else {
        let path = format!("{MEMBER}/invoices/{id}/xml");
        let refused = app.get(&path, token).await;
        let faults = refused.problem(409, "einvoice_not_possible").faults();
        let named: Vec<&str> = faults.iter().map(|(pointer, _)| pointer.as_str()).collect();
        assert_eq!(named, sample.missing, "{name}");
        assert!(attached.is_none(), "{name}");
    }
}
