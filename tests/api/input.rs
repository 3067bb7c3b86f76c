//! What people type and programs send: one idea of an address and of a day through every door, faults that are there, answers that stay small.

use std::fmt::Write;

use reqwest::Method;
use serde_json::{Value, json};

use crate::businesses::PDF;
use crate::products::METTE;
use crate::support::{Answer, Sending, TestApp, Token, registration};

const NOBODY: Token = Token(None);

/// Not one mailbox, or none that mails reach.
const BAD_ADDRESSES: [&str; 9] = [
    "A0 <asta@nordlys.example>",
    "<asta@nordlys.example>",
    "asta@nordlys.example (Asta)",
    "\"asta holm\"@nordlys.example",
    "asta@[127.0.0.1]",
    "asta@nordlys.example, mette@nordlys.example",
    "åsta@nordlys.example",
    "asta..holm@nordlys.example",
    "asta@nordlys\u{200b}.example",
];

/// No day that anybody meant, or none at all.
const BAD_DAYS: [&str; 7] = [
    "17-05-24",
    "01-06-26",
    "-5000-01-01",
    "+2024-05-17",
    "2024-5-17",
    "1899-12-31",
    "17.05.2024",
];

#[track_caller]
fn assert_fault(answer: Answer, at: &str, code: &str, sent: &str) {
    let refused = answer.problem(422, "invalid_request");
    let wanted = vec![(at.to_owned(), code.to_owned())];
    assert_eq!(refused.faults(), wanted, "{sent}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_is_one_mailbox_at_every_door() {
    let app = TestApp::start().await;
    let mette = app.sign_in("mette@fjordfoto.example").await;
    for email in BAD_ADDRESSES {
        let contact = registration(json!({ "contact": { "email": email } }));
        let legacy = registration(json!({ "legacy_cps_email": email }));
        let user = json!({ "email": email, "name": "Nina", "role": "member" });
        let sign_in = json!({ "email": email, "password": "x" });
        for (path, who, body, at) in [
            ("/v1/accounts", &NOBODY, contact, "#/contact/email"),
            ("/v1/accounts", &NOBODY, legacy, "#/legacy_cps_email"),
            (&format!("{METTE}/users"), &mette, user, "#/email"),
            ("/v1/sessions", &NOBODY, sign_in, "#/email"),
        ] {
            assert_fault(app.post(path, who, body).await, at, "format", email);
        }
        for (body, at) in [
            (json!({ "contact": { "email": email } }), "#/contact/email"),
            (json!({ "legacy_cps_email": email }), "#/legacy_cps_email"),
        ] {
            assert_fault(app.patch(METTE, &mette, 1, body).await, at, "format", email);
        }
    }
    let list = "/v1/reviews?limit=100";
    let reviewer = app.sign_in("reviewer@cps.example").await;
    assert!(!app.get(list, &reviewer).await.text.contains("A0"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mailbox_is_counted_once_however_it_is_typed() {
    let app = TestApp::start().await;
    let register = async |email: &str| {
        let body = registration(json!({ "contact": { "email": email } }));
        app.post("/v1/accounts", &NOBODY, body).await
    };
    let spellings = [
        " asta@blåbær.example ",
        "ASTA@blåbær.example",
        "asta@xn--blbr-roah.example",
        "Asta@BLÅBÆR.example",
        "asta@bla\u{30a}bær.example",
    ];
    for email in spellings {
        let registered = register(email).await.expect(201);
        let token = Token(Some(registered.str("/applicant_token")));
        let account = app.get(registered.header("location"), &token).await;
        assert_eq!(account.str("/contact/email"), email.trim());
    }
    register("asta@blåbær.example")
        .await
        .problem(409, "too_many_open_applications");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_old_account_is_found_however_its_domain_is_typed() {
    let app = TestApp::start().await;
    let text = "email,member_number,legacy_reference,model\n\
                post@blåbær.example,4410901,L-9001,EOS R5\n\
                POST@xn--blbr-roah.example,4410901,L-9002,EOS R6\n";
    let file = app.database.file("old.csv", text);
    let (app, told) = app.after_command(&["import-legacy", &file]).await;
    assert!(told.contains('1') && told.contains('2'), "{told}");
    let change = json!({ "legacy_cps_email": "post@blåbær.example" });
    let asta = app.business("asta@nordlys.example", change).await;
    let account = app.get(&asta.account, &asta.token).await.expect(200);
    assert_eq!(account.str("/legacy_cps_email"), "post@blåbær.example");
    let migration = format!("{}/migration", asta.account);
    app.act(&format!("{migration}/proof"), &asta.token)
        .await
        .expect(202);
    let mail = app
        .mail("post@xn--blbr-roah.example", "migration_proof")
        .await;
    let code = json!({ "code": mail["code"] });
    app.put(&format!("{migration}/proof"), &asta.token, code)
        .await
        .expect(204);
    let ready = app.get(&migration, &asta.token).await.expect(200);
    assert_eq!(ready.body, json!({ "available": true, "products": 2 }));
}

async fn import_products(app: &TestApp, token: &Token, text: String) -> Answer {
    app.request(Method::POST, &format!("{METTE}/products/import"))
        .sent_by(token)
        .header("content-type", "text/csv")
        .header("idempotency-key", uuid::Uuid::new_v4().to_string())
        .body(text)
        .answer()
        .await
}

async fn upload_of(app: &TestApp, account: &str, token: &Token, issued: &str) -> Answer {
    let form = reqwest::multipart::Form::new()
        .text("kind", "business_invoice")
        .text("issued_date", issued.to_owned())
        .part(
            "file",
            reqwest::multipart::Part::bytes(PDF).file_name("a.pdf"),
        );
    app.request(Method::POST, &format!("{account}/documents"))
        .sent_by(token)
        .multipart(form)
        .answer()
        .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_day_has_four_digits_two_and_two_at_every_door() {
    let app = TestApp::start().await;
    let mette = app.sign_in("mette@fjordfoto.example").await;
    let model = app.model("EOS R6 Mark II").await;
    let small = json!({ "vat_registered": false, "vat_number": null });
    let (account, applicant) = app.applicant(small).await;
    for day in BAD_DAYS {
        let body = json!({ "model_id": model, "purchase_date": day });
        let posted = app.post(&format!("{METTE}/products"), &mette, body).await;
        assert_fault(posted, "#/purchase_date", "format", day);
        let text = format!("model,purchase_date\nEOS R6 Mark II,{day}\n");
        let imported = import_products(&app, &mette, text).await;
        assert_fault(imported, "#/rows/2/purchase_date", "format", day);
        let uploaded = upload_of(&app, &account, &applicant, day).await;
        assert_fault(uploaded, "#/issued_date", "format", day);
        assert!(
            uploaded_text(&app, &account, &applicant, day)
                .await
                .contains("yyyy-mm-dd")
        );
    }
}

async fn uploaded_text(app: &TestApp, account: &str, token: &Token, day: &str) -> String {
    upload_of(app, account, token, day).await.text
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_of_staff_hold_the_same_addresses_and_days() {
    let app = TestApp::start().await;
    let mut old = "email,member_number,legacy_reference,model,purchase_date\n".to_owned();
    for (n, day) in BAD_DAYS.iter().enumerate() {
        writeln!(old, "a{n}@old.example,771{n},L-{n},EOS R5,{day}").unwrap();
    }
    for (n, email) in BAD_ADDRESSES.iter().enumerate() {
        let quoted = email.replace('"', "\"\"");
        writeln!(old, "\"{quoted}\",772{n},M-{n},EOS R5,").unwrap();
    }
    let mut models = "name,category,points,valid_from,launched_date\n".to_owned();
    for (n, day) in BAD_DAYS.iter().enumerate() {
        writeln!(models, "Test {n},camera,10,{day},{day}").unwrap();
    }
    let (old, models) = (
        app.database.file("old.csv", &old),
        app.database.file("models.csv", &models),
    );
    let (app, told) = app.after_command(&["import-legacy", &old]).await;
    for line in 2..2 + BAD_DAYS.len() {
        let fault = format!("#/rows/{line}/purchase_date: ");
        assert!(told.contains(&fault), "{fault} in {told}");
    }
    for line in 2 + BAD_DAYS.len()..2 + BAD_DAYS.len() + BAD_ADDRESSES.len() {
        let fault = format!("#/rows/{line}/email: ");
        assert!(told.contains(&fault), "{fault} in {told}");
    }
    let (app, told) = app.after_command(&["import-models", &models]).await;
    for line in 2..2 + BAD_DAYS.len() {
        for column in ["valid_from", "launched_date"] {
            let fault = format!("#/rows/{line}/{column}: ");
            assert!(told.contains(&fault), "{fault} in {told}");
        }
    }
    let staff = [
        "create-staff",
        "--name",
        "R",
        "--role",
        "support",
        "--email",
    ];
    let arguments = [&staff[..], &["R <r@cps.example>"]].concat();
    let (_, told) = app.after_command(&arguments).await;
    assert!(told.contains("name@example.com"), "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_faults_gets_a_small_answer_that_tells_how_many_more() {
    let app = TestApp::start().await;
    let mette = app.sign_in("mette@fjordfoto.example").await;
    let unknown = |n: usize, name: &dyn Fn(usize) -> String| -> Value {
        let keys = (0..n).map(|n| (name(n), json!(1)));
        Value::Object(keys.collect())
    };
    let short = unknown(6000, &|n| format!("k{n}"));
    let long = unknown(200, &|n| format!("{n}{}", "k".repeat(290)));
    let one = unknown(1, &|_| "k".repeat(60_000));
    let escaped = unknown(150, &|n| format!("{n}{}", "\u{1}".repeat(60)));
    for body in [short, long, one, escaped] {
        let sent = body.as_object().unwrap().len();
        let answer = app.post("/v1/sessions", &NOBODY, body).await;
        let refused = answer.problem(422, "invalid_request");
        let told = refused.faults().len();
        assert!(refused.text.len() <= 32_000, "{} bytes", refused.text.len());
        assert!((1..=100).contains(&told), "{told} faults");
        // `email` and `password` are missing, too.
        let more = sent + 2 - told;
        if more > 0 {
            assert_eq!(refused.body["more_errors"], json!(more));
            assert!(refused.str("/detail").contains(&format!("and {more} more")));
        } else {
            assert_eq!(refused.body.get("more_errors"), None);
        }
    }
    let header: Vec<String> = (0..6000).map(|n| format!("c{n}")).collect();
    let rows = "model\n".to_owned() + &"Nikon F3\n".repeat(900);
    for text in [header.join(",") + "\n", "x".repeat(60_000) + "\n", rows] {
        let refused = import_products(&app, &mette, text).await;
        let refused = refused.problem(422, "invalid_request");
        assert!(refused.text.len() <= 32_000, "{} bytes", refused.text.len());
        assert!((1..=100).contains(&refused.faults().len()));
    }
    let path = format!("/v1/accounts/{}", "a".repeat(20_000));
    let lost = app.get(&path, &mette).await;
    assert!(lost.text.len() <= 32_000, "{} bytes", lost.text.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_escaped_path_is_the_same_idempotency_key() {
    let app = TestApp::start().await;
    let admin = app.sign_in("admin@cps.example").await;
    let id = METTE.rsplit('/').next().unwrap();
    let before = app.balance(METTE, &admin).await;
    let tail = &id[4..];
    for (n, path) in [
        format!("/v1/accounts/{id}/points/adjustments"),
        format!("/v1/accounts/%61cc_{tail}/points/adjustments"),
        format!("/v1/accounts/acc%5F{tail}/points/adjustments"),
        format!("/v1/%61ccounts/{id}/points/adjustments"),
        format!("/v1/accounts/{id}/points/adjustment%73"),
    ]
    .into_iter()
    .enumerate()
    {
        let answer = app
            .request(Method::POST, &path)
            .sent_by(&admin)
            .header("idempotency-key", "once")
            .json(&json!({ "amount": 100, "reason": "a test" }))
            .answer()
            .await
            .expect(201);
        let replayed = if n == 0 { "" } else { "true" };
        assert_eq!(answer.header("idempotency-replayed"), replayed, "{path}");
    }
    assert_eq!(app.balance(METTE, &admin).await, before + 100);
}
