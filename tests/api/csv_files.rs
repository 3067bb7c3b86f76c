//! CSV files as spreadsheets write and read them: lines, quotes, encodings, what is left over in them.

use reqwest::Method;
use serde_json::{Value, json};

use crate::products::METTE;
use crate::support::{Answer, Sending, TestApp, Token};

async fn import(
    app: &TestApp,
    token: &Token,
    media_type: &str,
    file: impl Into<Vec<u8>>,
) -> Answer {
    app.request(Method::POST, &format!("{METTE}/products/import"))
        .sent_by(token)
        .header("content-type", media_type)
        .header("idempotency-key", uuid::Uuid::new_v4().to_string())
        .body(file.into())
        .answer()
        .await
}

async fn products(app: &TestApp, token: &Token) -> Value {
    app.get(&format!("{METTE}/products?limit=100"), token)
        .await
        .expect(200)
        .body
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_open_quote_is_told_and_nothing_is_written() {
    let app = TestApp::start().await;
    let mette = app.sign_in("mette@fjordfoto.example").await;
    let before = products(&app, &mette).await;
    for tail in [
        "",
        "EOS R5,7770003,Foto Syd\n",
        "EOS R5,7770003,\"Foto Syd\"\n",
    ] {
        let file = format!(
            "model,serial_number,dealer\nEOS R5,7770001,\"Foto Nord\"\n\nEOS R5,7770002,\"Foto Nord\n{tail}"
        );
        let refused = import(&app, &mette, "text/csv", file).await;
        let refused = refused.problem(422, "invalid_request");
        let wanted = [("#/rows/4/dealer".to_owned(), "format".to_owned())];
        assert_eq!(refused.faults(), wanted, "{tail}");
    }
    assert_eq!(products(&app, &mette).await, before);
    let old = "email,member_number,legacy_reference,model,dealer\na@old.example,1,L-1,EOS R5,\"x\nb@old.example,2,L-2,EOS R5,y\n";
    let old = app.database.file("old.csv", old);
    let (_, told) = app.after_command(&["import-legacy", &old]).await;
    assert!(told.contains("#/rows/2/dealer: "), "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lines_are_those_of_an_editor_and_what_is_left_over_is_none() {
    let app = TestApp::start().await;
    let mette = app.sign_in("mette@fjordfoto.example").await;
    for (n, end) in ["\n", "\r\n", "\r"].into_iter().enumerate() {
        let lines = [
            "sep=;".to_owned(),
            "model;serial_number;dealer;;".to_owned(),
            ";;;;".to_owned(),
            String::new(),
            format!("EOS R5;888{n}001;Foto;;"),
            "  ;;".to_owned(),
            format!("EOS R5;888{n}002;Foto"),
            ";;;;;;;".to_owned(),
        ];
        let imported = import(&app, &mette, "text/csv", lines.join(end))
            .await
            .expect(200);
        let lines = imported.body["lines"].as_array().unwrap();
        let lines: Vec<&Value> = lines.iter().map(|line| &line["line"]).collect();
        assert_eq!(lines, [&json!(5), &json!(7)], "{end:?}");
    }
    let file = "model;serial_number;\nEOS R5;8890001;Foto\n";
    let refused = import(&app, &mette, "text/csv", file)
        .await
        .problem(422, "invalid_request");
    assert_eq!(
        refused.faults(),
        [("#/rows/2/".to_owned(), "too_many".to_owned())]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_of_a_danish_spreadsheet_is_read_and_says_how() {
    let app = TestApp::start().await;
    let mette = app.sign_in("mette@fjordfoto.example").await;
    let old = |serial: &str| {
        let file = format!("model;serial_number;dealer\r\nEOS R5;{serial};K?bmand ?\r\n");
        let mut letters = [0xf8, 0x80].into_iter();
        let bytes = file.bytes().map(|byte| match byte {
            b'?' => letters.next().unwrap(),
            byte => byte,
        });
        bytes.collect::<Vec<u8>>()
    };
    let utf8 = "\u{feff}model;serial_number;dealer\r\nEOS R5;6660003;K\u{f8}bmand \u{20ac}\r\n";
    for (media_type, file, encoding) in [
        ("text/csv", old("6660001"), "windows-1252"),
        (
            "text/csv; charset=windows-1252",
            old("6660002"),
            "windows-1252",
        ),
        ("text/csv; charset=utf-8", utf8.into(), "utf-8"),
        ("text/csv", utf8.replace("0003", "0004").into(), "utf-8"),
    ] {
        let imported = import(&app, &mette, media_type, file).await.expect(200);
        assert_eq!(imported.str("/encoding"), encoding);
        let id = imported.str("/lines/0/product_id");
        let product = app.get(&format!("{METTE}/products/{id}"), &mette).await;
        assert_eq!(
            product.str("/dealer"),
            "K\u{f8}bmand \u{20ac}",
            "{media_type}"
        );
    }
    for (media_type, file) in [
        ("text/csv; charset=utf-8", old("6660005")),
        ("text/csv", b"model\nEOS R5\x81\n".to_vec()),
        ("text/csv", b"\xff\xfem\0o\0d\0e\0l\0".to_vec()),
    ] {
        let refused = import(&app, &mette, media_type, file).await;
        refused.problem(400, "malformed_request");
    }
    let refused = import(&app, &mette, "text/csv; charset=utf-16", "model\nEOS R5\n").await;
    refused.problem(415, "unsupported_media_type");
    let path = app.database.folder().join("models.csv");
    std::fs::write(
        &path,
        b"name;category;points;valid_from\r\nPr\xf8ve 1;camera;1;2024-01-01\r\n",
    )
    .unwrap();
    let (app, told) = app
        .after_command(&["import-models", path.to_str().unwrap()])
        .await;
    assert!(told.contains("windows-1252"), "{told}");
    app.model("Pr\u{f8}ve 1").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_export_opens_in_a_danish_spreadsheet_and_holds_no_formula() {
    let app = TestApp::start().await;
    let mette = app.sign_in("mette@fjordfoto.example").await;
    let model = app.model("EOS R6 Mark II").await;
    let dealer = "K\u{f8}b; =1+1, @x";
    let body = json!({ "model_id": model, "serial_number": "6650001", "dealer": dealer });
    let made = app
        .post(&format!("{METTE}/products"), &mette, body)
        .await
        .expect(201);
    let export = format!("{METTE}/products/export");
    // The answer of a client drops a byte order mark from its text.
    let response = app
        .request(Method::GET, &format!("{export}?for=excel"))
        .sent_by(&mette);
    let bytes = response.send().await.unwrap().bytes().await.unwrap();
    let file = String::from_utf8(bytes.to_vec()).unwrap();
    assert!(file.starts_with("\u{feff}model;serial_number;"), "{file}");
    assert!(
        file.contains("\r\n") && file.contains("\"K\u{f8}b;' =1+1,' @x\""),
        "{file}"
    );
    let plain = app.get(&export, &mette).await.expect(200);
    assert!(
        plain.text.starts_with("model,serial_number,"),
        "{}",
        plain.text
    );
    assert!(
        plain.text.contains("\"K\u{f8}b;' =1+1,' @x\""),
        "{}",
        plain.text
    );
    for file in [file, plain.text] {
        let again = import(&app, &mette, "text/csv", file).await.expect(200);
        let line = again.body["lines"].as_array().unwrap().iter();
        let line = line
            .clone()
            .find(|line| line["product_id"] == made.body["id"]);
        assert_eq!(line.unwrap()["status"], "standing");
    }
    let product = app.get(made.header("location"), &mette).await.expect(200);
    assert_eq!(product.str("/dealer"), dealer);
    let refused = app.get(&format!("{export}?for=numbers"), &mette).await;
    refused.problem(422, "invalid_request");
}
