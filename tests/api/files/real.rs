//! Files as the programs of businesses make them: each is told by its content, and comes back as it was sent.

use std::fs;
use std::path::Path;
use std::process::Command;

use reqwest::Method;
use reqwest::multipart::{Form, Part};
use serde_json::json;

use crate::support::{Answer, Sending, TestApp, Token};

const PAGE: &str = "%!PS\n/Helvetica findfont 24 scalefont setfont 72 700 moveto (Nordlys Foto ApS, CVR 10000009) show showpage\n";
const DRAWING: &str = r#"<svg xmlns="http://www.w3.org/2000/svg" width="300" height="80"><text x="10" y="40">CVR 10000009</text></svg>"#;
const REPORT: &str = "from reportlab.pdfgen.canvas import Canvas; page = Canvas('report.pdf'); page.drawString(72, 700, 'CVR 10000009'); page.save()";

fn run(folder: &Path, command: &str, arguments: &[&str]) {
    let mut made = Command::new(command);
    let made = made.args(arguments).current_dir(folder).output();
    let made = made.unwrap_or_else(|cause| panic!("{command}: {cause} (tests/needs installs it)"));
    let said = String::from_utf8_lossy(&made.stderr);
    assert!(made.status.success(), "{command}: {said}");
}

/// One page by Ghostscript, as a file of `device`.
fn ghostscript(folder: &Path, device: &str, file: &str) {
    let device = format!("-sDEVICE={device}");
    run(
        folder,
        "gs",
        &["-q", "-dSAFER", "-r72", &device, "-o", file, "page.ps"],
    );
}

/// Every kind that is taken, and one that phones make and that is not.
fn make_files(folder: &Path) {
    fs::write(folder.join("page.ps"), PAGE).unwrap();
    fs::write(folder.join("drawing.svg"), DRAWING).unwrap();
    for (device, file) in [
        ("pdfwrite", "page.pdf"),
        ("jpeg", "turned.jpg"),
        ("pngalpha", "alpha.png"),
        ("tiff24nc", "page.tif"),
    ] {
        ghostscript(folder, device, file);
    }
    let cairo = ["-f", "pdf", "-o", "drawing.pdf", "drawing.svg"];
    run(folder, "rsvg-convert", &cairo);
    run(folder, "/usr/bin/python3", &["-c", REPORT]);
    let turn = ["-q", "-overwrite_original", "-n", "-Orientation=6"];
    run(
        folder,
        "exiftool",
        &[&turn[..], &["-Model=Canon EOS R5", "turned.jpg"]].concat(),
    );
    for (order, file) in [("-L", "intel.tif"), ("-B", "motorola.tif")] {
        let copy = ["-c", "lzw", order, "page.tif", file];
        run(folder, "tiffcp", &copy);
    }
    run(folder, "heif-enc", &["-o", "phone.heic", "alpha.png"]);
}

async fn upload(app: &TestApp, account: &str, applicant: &Token, path: &Path) -> Answer {
    let name = path.file_name().unwrap().to_str().unwrap().to_owned();
    let file = Part::bytes(fs::read(path).unwrap()).file_name(name);
    let form = Form::new().text("kind", "vat_invoice").part("file", file);
    app.request(Method::POST, &format!("{account}/documents"))
        .header("accept-language", "en")
        .sent_by(applicant)
        .multipart(form)
        .answer()
        .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_of_real_programs_are_known_and_come_back_as_they_were() {
    let made = tempfile::tempdir().unwrap();
    let folder = made.path();
    make_files(folder);
    let app = TestApp::start().await;
    let (account, applicant) = app.applicant(json!({})).await;
    for (file, media_type) in [
        ("page.pdf", "application/pdf"),
        ("drawing.pdf", "application/pdf"),
        ("report.pdf", "application/pdf"),
        ("turned.jpg", "image/jpeg"),
        ("alpha.png", "image/png"),
        ("intel.tif", "image/tiff"),
        ("motorola.tif", "image/tiff"),
    ] {
        let path = folder.join(file);
        let stored = upload(&app, &account, &applicant, &path).await.expect(201);
        assert_eq!(stored.str("/media_type"), media_type, "{file}");
        let content = format!("{}/content", stored.header("location"));
        let read = app.request(Method::GET, &content).sent_by(&applicant);
        let read = read.send().await.unwrap();
        assert_eq!(read.headers()["content-type"], media_type);
        let read = read.bytes().await.unwrap();
        assert!(read == fs::read(path).unwrap(), "{file} has changed");
    }
    let phone = upload(&app, &account, &applicant, &folder.join("phone.heic")).await;
    let refused = phone.problem(422, "invalid_request");
    let wanted = [("#/file".to_owned(), "document_type_not_accepted".to_owned())];
    assert_eq!(refused.faults(), wanted);
    let advice = refused.str("/errors/0/detail");
    assert!(
        advice.contains("HEIC") && advice.contains("as JPEG"),
        "{advice}"
    );
}
