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
    app.advance(chrono::TimeDelta::seconds(1)).await;
    let mails = app.mails("asta@blåbær.example").await;
    let started = |mail: &&Value| mail["template"] == "application_started";
    assert_eq!(mails.iter().filter(started).count(), 3, "3 an hour");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_old_account_is_found_however_its_domain_is_typed() {
    let app = TestApp::start().await;
    let text = "email,member_number,legacy_reference,model\n\
                post@blåbær.example,4410901,L-9001,EOS R5\n\
                POST@xn--blbr-roah.example,4410901,L-9002,EOS R6\n";
    let file = app.database.file("old.csv", text);
    let (app, told) = app.after_command(&["import-legacy", &file]).await;
    assert!(told.contains("Stored 1 old account"), "{told}");
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
    assert_eq!(
        (&ready.body["available"], &ready.body["products"]),
        (&json!(true), &json!(2))
    );
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

#[track_caller]
fn assert_faults(answer: Answer, wanted: &[(&str, &str)], sent: &str) {
    let refused = answer.problem(422, "invalid_request");
    let told = refused.faults();
    let told: Vec<(&str, &str)> = told.iter().map(|(at, code)| (&**at, &**code)).collect();
    assert_eq!(told, wanted, "{sent}");
}

type Case<'a> = (Value, &'a [(&'a str, &'a str)]);

async fn claimed(app: &TestApp) -> (String, String, Token) {
    let (account, applicant) = app.applicant(json!({})).await;
    let document = app
        .upload(&account, &applicant, "vat_invoice", PDF)
        .await
        .expect(201)
        .str("/id");
    app.act(&format!("{account}/submission"), &applicant)
        .await
        .expect(200);
    let reviewer = app.sign_in("reviewer@cps.example").await;
    let case = account.replace("/accounts/", "/reviews/");
    app.act(&format!("{case}/claim"), &reviewer)
        .await
        .expect(200);
    (case, document, reviewer)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_decision_that_is_none_asks_for_nothing() {
    let app = TestApp::start().await;
    let (case, document, reviewer) = claimed(&app).await;
    let path = format!("{case}/documents/{document}");
    let cases: [Case<'_>; 7] = [
        (
            json!({ "decision": "bogus" }),
            &[("#/decision", "not_accepted")],
        ),
        (
            json!({ "decision": 7, "codes": ["ugly"] }),
            &[
                ("#/codes/0", "not_accepted"),
                ("#/decision", "type"),
                ("#/decision", "not_accepted"),
            ],
        ),
        (json!({}), &[("#/decision", "required")]),
        (
            json!({ "decision": "reject", "codes": "ugly" }),
            &[("#/codes", "type")],
        ),
        (
            json!({ "decision": "reject", "codes": ["unreadable", 7] }),
            &[("#/codes/1", "type"), ("#/codes/1", "not_accepted")],
        ),
        (
            json!({ "decision": "accept", "codes": ["unreadable"], "n": 1 }),
            &[("#/codes", "too_many"), ("#/n", "unknown")],
        ),
        (
            json!({ "decision": "reject", "n": 1 }),
            &[("#/codes", "codes_required"), ("#/n", "unknown")],
        ),
    ];
    for (body, wanted) in cases {
        let sent = body.to_string();
        assert_faults(app.put(&path, &reviewer, body).await, wanted, &sent);
    }
    let path = format!("{case}/decision");
    let long = "x".repeat(4001);
    let cases: [Case<'_>; 7] = [
        (
            json!({ "decision": "bogus" }),
            &[("#/decision", "not_accepted")],
        ),
        (
            json!({ "decision": "bogus", "note": 7 }),
            &[("#/decision", "not_accepted"), ("#/note", "type")],
        ),
        (
            json!({ "codes": ["ugly"] }),
            &[("#/codes/0", "not_accepted"), ("#/decision", "required")],
        ),
        (
            json!({ "decision": "request_information", "note": long }),
            &[("#/note", "too_long")],
        ),
        (
            json!({ "decision": "request_information", "note": null }),
            &[("#/note", "type")],
        ),
        (
            json!({ "decision": "reject", "note": long }),
            &[("#/codes", "codes_required"), ("#/note", "too_long")],
        ),
        (
            json!({ "decision": "request_information", "codes": ["not_authorised"] }),
            &[("#/codes", "too_many"), ("#/note", "note_required")],
        ),
    ];
    for (body, wanted) in cases {
        let sent = body.to_string();
        assert_faults(app.post(&path, &reviewer, body).await, wanted, &sent);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_registration_is_judged_by_what_it_says_alone() {
    let app = TestApp::start().await;
    let cases: [Case<'_>; 8] = [
        (
            json!({ "country": "dk", "vat_number": "1" }),
            &[("#/country", "pattern")],
        ),
        (
            json!({ "country": null, "vat_number": null }),
            &[("#/country", "required")],
        ),
        (
            json!({ "vat_registered": "yes", "vat_number": null }),
            &[("#/vat_registered", "type")],
        ),
        (
            json!({ "vat_number": 13585628 }),
            &[("#/vat_number", "type")],
        ),
        (
            json!({ "vat_number": "1".repeat(31) }),
            &[("#/vat_number", "too_long")],
        ),
        (
            json!({ "authority_declared": "no", "accept_terms_version": 1 }),
            &[
                ("#/accept_terms_version", "type"),
                ("#/authority_declared", "type"),
            ],
        ),
        (
            json!({ "country": "US", "vat_number": 7 }),
            &[("#/country", "not_accepted"), ("#/vat_number", "type")],
        ),
        (
            json!({ "address": { "street": 7 }, "vat_number": "1", "authority_declared": false }),
            &[
                ("#/address/street", "type"),
                ("#/authority_declared", "authority_not_declared"),
                ("#/vat_number", "vat_number_invalid"),
            ],
        ),
    ];
    for (change, wanted) in cases {
        let sent = change.to_string();
        let answer = app
            .post("/v1/accounts", &NOBODY, registration(change))
            .await;
        assert_faults(answer, wanted, &sent);
    }
    let (account, applicant) = app.applicant(json!({})).await;
    let cases: [Case<'_>; 5] = [
        (
            json!({ "country": 7, "vat_number": "1" }),
            &[("#/country", "type")],
        ),
        (
            json!({ "vat_registered": 7, "vat_number": null }),
            &[("#/vat_registered", "type")],
        ),
        (
            json!({ "vat_number": 7, "country": "NO" }),
            &[("#/vat_number", "type")],
        ),
        (
            json!({ "company_name": 7, "vat_number": null }),
            &[
                ("#/company_name", "type"),
                ("#/vat_number", "vat_number_required"),
            ],
        ),
        (
            json!({ "contact": { "email": "a", "phone": null } }),
            &[("#/contact/email", "format")],
        ),
    ];
    for (change, wanted) in cases {
        let sent = change.to_string();
        let answer = app.patch(&account, &applicant, 1, change).await;
        assert_faults(answer, wanted, &sent);
    }
    let kept = app.get(&account, &applicant).await.expect(200);
    assert_eq!(kept.str("/contact/phone"), "+4533110000");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_product_is_judged_by_what_is_said_of_it_alone() {
    let app = TestApp::start().await;
    let mette = app.sign_in("mette@fjordfoto.example").await;
    let model = app.model("EOS R6 Mark II").await;
    let path = format!("{METTE}/products");
    let early = "1990-01-01";
    let cases: [Case<'_>; 6] = [
        (
            json!({ "model_id": "EOS", "serial_number": "A" }),
            &[
                ("#/model_id", "pattern"),
                ("#/serial_number", "serial_format"),
            ],
        ),
        (
            json!({ "model_id": model, "serial_number": 7, "estimated": ["serial_number"] }),
            &[("#/serial_number", "type")],
        ),
        (
            json!({ "model_id": model, "purchase_date": "x", "estimated": ["purchase_date"] }),
            &[("#/purchase_date", "format")],
        ),
        (
            json!({ "model_id": model, "purchase_date": early, "estimated": ["x"] }),
            &[("#/estimated/0", "not_accepted")],
        ),
        (
            json!({ "model_id": model, "purchase_date": early, "dealer": 7 }),
            &[("#/dealer", "type"), ("#/purchase_date", "before_launch")],
        ),
        (
            json!({ "model_id": model, "dealer": "", "estimated": ["dealer", "purchase_country"] }),
            &[
                ("#/dealer", "pattern"),
                ("#/dealer", "too_short"),
                ("#/estimated/1", "estimated_without_value"),
            ],
        ),
    ];
    for (body, wanted) in cases {
        let sent = body.to_string();
        assert_faults(app.post(&path, &mette, body).await, wanted, &sent);
    }
    let text = format!(
        "model,purchase_date,estimated\nEOS R6 Mark II,17-05-24,purchase_date\nEOS R6 Mark II,{early},colour\n"
    );
    let wanted = [
        ("#/rows/2/purchase_date", "format"),
        ("#/rows/3/estimated", "not_accepted"),
    ];
    assert_faults(
        import_products(&app, &mette, text.clone()).await,
        &wanted,
        &text,
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn points_and_memberships_are_judged_by_what_was_read() {
    let app = TestApp::start().await;
    let mette = app.sign_in("mette@fjordfoto.example").await;
    let admin = app.sign_in("admin@cps.example").await;
    let path = format!("{METTE}/membership");
    let cases: [Case<'_>; 4] = [
        (
            json!({ "level": "gold", "payment_method": "cash", "accept_terms_version": "2026-01" }),
            &[("#/payment_method", "not_accepted")],
        ),
        (
            json!({ "level": "gold", "payment_method": "card", "card_token": 7, "accept_terms_version": "2026-01" }),
            &[("#/card_token", "type")],
        ),
        (
            json!({ "level": 7, "payment_method": "card", "accept_terms_version": "1999-01" }),
            &[
                ("#/accept_terms_version", "terms_version_not_current"),
                ("#/card_token", "card_token_required"),
                ("#/level", "type"),
            ],
        ),
        (
            json!({ "level": "tin", "payment_method": "bank_transfer", "card_token": "tok_visa" }),
            &[
                ("#/accept_terms_version", "required"),
                ("#/card_token", "card_token_unexpected"),
                ("#/level", "not_accepted"),
            ],
        ),
    ];
    for (body, wanted) in cases {
        let sent = body.to_string();
        assert_faults(app.post_once(&path, &mette, body).await, wanted, &sent);
    }
    let path = format!("{METTE}/points/adjustments");
    let cases: [Case<'_>; 3] = [
        (
            json!({ "amount": 0, "reason": 7 }),
            &[("#/amount", "invalid"), ("#/reason", "type")],
        ),
        (
            json!({ "amount": "0", "reason": "a test" }),
            &[("#/amount", "type")],
        ),
        (
            json!({ "amount": 0, "reason": "a test" }),
            &[("#/amount", "invalid")],
        ),
    ];
    for (body, wanted) in cases {
        let sent = body.to_string();
        assert_faults(app.post_once(&path, &admin, body).await, wanted, &sent);
    }
    let support = app.sign_in("support@cps.example").await;
    let path = format!("{METTE}/legacy-account");
    let cases: [Case<'_>; 2] = [
        (
            json!({ "member_number": 7, "reason": "a test" }),
            &[("#/member_number", "type")],
        ),
        (
            json!({ "member_number": "nobody's", "reason": " " }),
            &[
                ("#/member_number", "number_unknown"),
                ("#/reason", "pattern"),
            ],
        ),
    ];
    for (body, wanted) in cases {
        let sent = body.to_string();
        assert_faults(app.put(&path, &support, body).await, wanted, &sent);
    }
}
