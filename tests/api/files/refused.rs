//! What is refused or breaks off leaves no file.

use chrono::TimeDelta;
use reqwest::Method;
use reqwest::multipart::{Form, Part};
use serde_json::json;

use super::{KIND, MIB, form, pdf, uploads};
use crate::support::{Answer, Sending, TestApp, Token};
use crate::wire::Wire;

/// A thousand by a switch.
fn rounds() -> usize {
    match std::env::var_os("FILES_LONG") {
        Some(_) => 125,
        None => 5,
    }
}

struct Case {
    app: TestApp,
    account: String,
    token: Token,
}

impl Case {
    async fn start() -> Self {
        let app = TestApp::start().await;
        let (account, token) = app.applicant(json!({})).await;
        Self {
            app,
            account,
            token,
        }
    }

    async fn send(&self, form: Form) -> Answer {
        self.send_once(form, &uuid::Uuid::new_v4().to_string())
            .await
    }

    async fn send_once(&self, form: Form, key: &str) -> Answer {
        let request = self
            .app
            .request(Method::POST, &format!("{}/documents", self.account))
            .header("idempotency-key", key);
        request.sent_by(&self.token).multipart(form).answer().await
    }

    /// A form whose connection is closed in the middle of the file.
    fn break_off(&self, sent: usize) {
        let mut wire = Wire::open(&self.app.address);
        let bearer = self.token.0.as_deref().unwrap();
        wire.send(format!(
            "POST {}/documents HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer {bearer}\r\n\
             Content-Type: multipart/form-data; boundary=cut\r\nContent-Length: 1000000\r\n\r\n\
             --cut\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.pdf\"\r\n\r\n",
            self.account
        ));
        wire.send(pdf(sent));
    }

    fn stored(&self) -> Vec<std::path::PathBuf> {
        uploads(&self.app.database.folder().join("documents"))
    }

    fn rows(&self, state: &str) -> i64 {
        let query = format!("SELECT COUNT(*) AS n FROM files WHERE state = '{state}'");
        self.app.database.numbers(&query)[0]
    }

    /// Moves the clock until what is left over is swept.
    async fn sweep(&self) {
        self.app.advance(TimeDelta::hours(26)).await;
    }
}

fn file(bytes: Vec<u8>) -> Part {
    Part::bytes(bytes).file_name("a.pdf")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_left_of_what_is_refused_or_breaks_off() {
    let case = Case::start().await;
    let large = 300_000;
    for _ in 0..rounds() {
        let no_kind = Form::new().part("file", file(pdf(large)));
        case.send(no_kind).await.problem(422, "invalid_request");
        let late = Form::new().part("file", file(pdf(large)));
        let late = late.text("kind", "passport");
        case.send(late).await.problem(422, "invalid_request");
        let other = Form::new().text("kind", "business_licence");
        let other = other.part("file", file(pdf(large)));
        case.send(other)
            .await
            .problem(422, "document_kind_not_accepted");
        let text = Form::new().text("kind", KIND);
        let text = text.part("file", file(vec![b'x'; large]));
        case.send(text).await.problem(422, "invalid_request");
        let twice = form(pdf(large)).part("file", file(pdf(10)));
        case.send(twice).await.problem(422, "invalid_request");
        case.send(form(pdf(4 * MIB + 1)))
            .await
            .problem(413, "document_too_large");
        case.break_off(large);
        case.break_off(10);
    }
    case.sweep().await;
    assert_eq!(case.stored(), Vec::<std::path::PathBuf>::new());
    assert_eq!(case.rows("receiving") + case.rows("refused"), 0);
    // All of them were refused on their way, and none counts.
    case.send(form(pdf(large))).await.expect(201);
    assert_eq!((case.stored().len(), case.rows("stored")), (1, 4));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_that_is_repeated_is_stored_once() {
    let case = Case::start().await;
    let first = case.send_once(form(pdf(100_000)), "once").await.expect(201);
    let again = case.send_once(form(pdf(100_000)), "once").await.expect(201);
    assert_eq!(again.header("idempotency-replayed"), "true");
    assert_eq!(again.text, first.text);
    let other = case.send_once(form(pdf(100_001)), "once").await;
    other.problem(422, "idempotency_key_reused");
    assert_eq!(case.stored().len(), 1);
    // One at the same time finds the answer only when its own bytes are there.
    let twins = (0..4).map(|_| case.send_once(form(pdf(200_000)), "twins"));
    for answer in futures_util::future::join_all(twins).await {
        assert!([201, 409].contains(&answer.status), "{}", answer.text);
    }
    case.sweep().await;
    assert_eq!((case.stored().len(), case.rows("stored")), (2, 5));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_that_takes_no_document_is_told_before_the_bytes() {
    let case = Case::start().await;
    for _ in 0..10 {
        case.send(form(pdf(100))).await.expect(201);
    }
    let full = begun(&case, &case.account, &case.token).await;
    assert_eq!(full, (409, "document_limit_reached".to_owned()));
    let submit = format!("{}/submission", case.account);
    case.app.act(&submit, &case.token).await;
    let closed = begun(&case, &case.account, &case.token).await;
    assert_eq!(closed, (409, "application_not_editable".to_owned()));
    let change = json!({ "contact": { "email": "bo@nordlys-test.example" } });
    let (_, other) = case.app.applicant(change).await;
    let foreign = begun(&case, &case.account, &other).await;
    assert_eq!(foreign.0, 404);
    assert_eq!(case.rows("receiving") + case.rows("refused"), 0);
}

/// What is answered to a form of which not one byte was sent.
async fn begun(case: &Case, account: &str, token: &Token) -> (u16, String) {
    let mut wire = Wire::open(&case.app.address);
    wire.send(format!(
        "POST {account}/documents HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer {}\r\n\
         Content-Type: multipart/form-data; boundary=cut\r\nContent-Length: 1000000\r\n\r\n",
        token.0.as_deref().unwrap()
    ));
    let answer = tokio::task::spawn_blocking(move || wire.answer().unwrap());
    let answer = answer.await.unwrap();
    (answer.status, answer.problem())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_form_has_few_parts_and_a_size() {
    let case = Case::start().await;
    let many = (0..11).fold(Form::new(), |form, n| form.text(format!("part{n}"), "x"));
    let told = case.send(many).await.problem(422, "invalid_request");
    assert_eq!(told.faults(), [("#".to_owned(), "too_many".to_owned())]);
    let few = (0..10).fold(Form::new(), |form, n| form.text(format!("part{n}"), "x"));
    let told = case.send(few).await.problem(422, "invalid_request");
    assert_eq!(told.faults().len(), 12);
    let twice = Form::new().text("kind", KIND).text("kind", KIND);
    let told = case.send(twice.part("file", file(pdf(10)))).await;
    let faults = told.problem(422, "invalid_request").faults();
    assert_eq!(faults, [("#/kind".to_owned(), "not_unique".to_owned())]);
    let wide = Form::new().text("remark", "x".repeat(100_000));
    case.send(wide).await.problem(413, "body_too_large");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_sends_too_much_is_answered_at_once_and_hung_up_on() {
    let case = Case::start().await;
    let head = |length: &str| {
        format!(
            "POST {}/documents HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer {}\r\n\
             Content-Type: multipart/form-data; boundary=cut\r\n{length}\r\n\r\n",
            case.account,
            case.token.0.as_deref().unwrap()
        )
    };
    // What it says of itself is enough.
    let mut wire = Wire::open(&case.app.address);
    wire.send(head("Content-Length: 100000000"));
    let told = tokio::task::spawn_blocking(move || {
        let answer = wire.answer().unwrap();
        (answer, wire.drain())
    });
    let (answer, more) = told.await.unwrap();
    assert_eq!(
        (answer.status, answer.problem().as_str()),
        (413, "document_too_large")
    );
    assert_eq!((answer.header("connection"), more), (Some("close"), 0));
    // Said or not, no more than the largest file is read.
    let mut wire = Wire::open(&case.app.address);
    wire.send(head("Transfer-Encoding: chunked"));
    let sent = tokio::task::spawn_blocking(move || {
        let part = "--cut\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\n%PDF-1.7";
        wire.send(format!("{:x}\r\n{part}\r\n", part.len()));
        let chunk = format!("{:x}\r\n{}\r\n", MIB, "x".repeat(MIB));
        (0..100).take_while(|_| wire.try_send(&chunk)).count()
    });
    assert!(sent.await.unwrap() < 48);
    assert_eq!(case.stored(), Vec::<std::path::PathBuf>::new());
    let list = format!("{}/documents", case.account);
    let listed = case.app.get(&list, &case.token).await.expect(200);
    assert_eq!(listed.body["items"], json!([]));
}

/// An upload whose file part has this disposition, behind `name="file"; `.
async fn upload_named(app: &TestApp, account: &str, token: &Token, name: &str) -> Answer {
    let form = format!(
        "--cut\r\nContent-Disposition: form-data; name=\"kind\"\r\n\r\nvat_invoice\r\n--cut\r\n\
         Content-Disposition: form-data; name=\"file\"; {name}\r\n\r\n%PDF-1.7 a\r\n--cut--\r\n"
    );
    app.request(Method::POST, &format!("{account}/documents"))
        .sent_by(token)
        .header("content-type", "multipart/form-data; boundary=cut")
        .body(form)
        .answer()
        .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_is_called_what_it_was_called() {
    let app = TestApp::start().await;
    let (account, applicant) = app.applicant(json!({})).await;
    let long = format!("filename=\"{}.pdf\"", "ø".repeat(140));
    let shown = format!("{}.pdf", "ø".repeat(116));
    for (name, shown) in [
        (
            "filename*=utf-8''momsbevis%20%C3%A6%C3%B8%C3%A5.pdf",
            "momsbevis æøå.pdf",
        ),
        ("filename=\"x.pdf\"; filename*=UTF-8''%C3%A6.pdf", "æ.pdf"),
        ("filename*=iso-8859-1''%E6.pdf", "æ.pdf"),
        (&*long, &*shown),
        (r#"filename="C:\a\b.pdf""#, "b.pdf"),
        (r#"filename="C:\\a\\b.pdf""#, "b.pdf"),
        (r#"filename="a/b.pdf""#, "b.pdf"),
        ("filename=b.pdf", "b.pdf"),
        ("filename=\"\"", "document"),
    ] {
        let taken = upload_named(&app, &account, &applicant, name)
            .await
            .expect(201);
        assert_eq!(taken.str("/file_name"), shown, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_part_that_comes_twice_is_refused_by_its_name() {
    let app = TestApp::start().await;
    let (account, applicant) = app.applicant(json!({})).await;
    for name in ["kind", "issued_date", "file"] {
        let pdf = || Part::bytes(b"%PDF-1.7 a".as_slice()).file_name("a.pdf");
        let form = Form::new()
            .text("kind", "vat_invoice")
            .text("issued_date", "2026-01-02");
        let form = form.part("file", pdf());
        let form = match name {
            "kind" => form.text("kind", "vat_invoice"),
            "file" => form.part("file", pdf()),
            name => form.text(name, "2026-01-02"),
        };
        let refused = app
            .request(Method::POST, &format!("{account}/documents"))
            .sent_by(&applicant)
            .multipart(form)
            .answer()
            .await
            .problem(422, "invalid_request");
        let wanted = [(format!("#/{name}"), "not_unique".to_owned())];
        assert_eq!(refused.faults(), wanted);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_is_what_its_own_header_says() {
    let app = TestApp::start().await;
    let (account, applicant) = app.applicant(json!({})).await;
    let mut behind = " ".repeat(1024).into_bytes();
    behind.extend(b"%PDF-1.4\n%%EOF");
    let mut too_far = b" ".to_vec();
    too_far.extend(&behind);
    for (bytes, media_type) in [
        (
            b"II*\0\x10\0\0\0CR\x02\0pixels".to_vec(),
            Some("image/tiff"),
        ),
        (b"MM\0*\0\0\0\x08CRCR".to_vec(), Some("image/tiff")),
        (behind, Some("application/pdf")),
        (too_far, None),
        (
            b"A text that mentions %PDF and %PDF- in its first line".to_vec(),
            None,
        ),
        (b"II*\0".to_vec(), None),
    ] {
        let form = Form::new().text("kind", "vat_invoice");
        let form = form.part("file", Part::bytes(bytes.clone()).file_name("a"));
        let answer = app
            .request(Method::POST, &format!("{account}/documents"))
            .sent_by(&applicant)
            .multipart(form)
            .answer()
            .await;
        match media_type {
            Some(media_type) => assert_eq!(answer.expect(201).str("/media_type"), media_type),
            None => {
                let refused = answer.problem(422, "invalid_request");
                let wanted = [("#/file".to_owned(), "document_type_not_accepted".to_owned())];
                assert_eq!(refused.faults(), wanted);
            }
        }
    }
}
