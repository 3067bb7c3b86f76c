//! The forms in which people type numbers, names and codes: one list each, tried on every door that takes such a value.

use reqwest::Method;
use serde_json::{Value, json};

use crate::products::METTE;
use crate::support::{Answer, Sending, TestApp, Token, registration};

const NOBODY: Token = Token(None);

/// What nobody sees in a name, or what turns it.
const HIDDEN: [char; 8] = [
    '\u{7}',
    '\u{85}',
    '\u{ad}',
    '\u{200b}',
    '\u{202e}',
    '\u{2028}',
    '\u{2029}',
    '\u{e0041}',
];

fn typed(kind: &str) -> Vec<Value> {
    let all: Value = serde_json::from_str(include_str!("../vectors/typed.json")).unwrap();
    all[kind].as_array().unwrap().clone()
}

fn text<'a>(case: &'a Value, name: &str) -> &'a str {
    case[name].as_str().unwrap()
}

#[track_caller]
fn assert_fault(answer: Answer, at: &str, code: &str, sent: &str) {
    let refused = answer.problem(422, "invalid_request");
    let wanted = vec![(at.to_owned(), code.to_owned())];
    assert_eq!(refused.faults(), wanted, "{sent:?}");
}

/// Registers a business that is not registered for VAT; its account as it reads it.
async fn registered(app: &TestApp, change: Value) -> Answer {
    let (account, applicant) = app.applicant(change).await;
    app.get(&account, &applicant).await.expect(200)
}

fn without_vat(country: &str) -> Value {
    json!({ "country": country, "vat_registered": false, "vat_number": null })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_phone_is_read_however_it_is_typed() {
    let app = TestApp::start().await;
    for (n, case) in typed("phones").iter().enumerate() {
        let mut body = registration(without_vat(text(case, "country")));
        body["contact"] = json!({ "name": "A", "email": format!("a{n}@phone.example"), "phone": text(case, "typed") });
        let made = app.post("/v1/accounts", &NOBODY, body).await.expect(201);
        let token = Token(Some(made.str("/applicant_token")));
        let account = made.header("location").to_owned();
        let kept = app.get(&account, &token).await.expect(200);
        assert_eq!(kept.str("/contact/phone"), text(case, "kept"), "{case}");
        for (change, version) in [("+4699999999", 1), (text(case, "typed"), 2)] {
            let change = json!({ "contact": { "phone": change } });
            app.patch(&account, &token, version, change)
                .await
                .expect(200);
        }
        let kept = app.get(&account, &token).await.expect(200);
        assert_eq!(kept.str("/contact/phone"), text(case, "kept"), "{case}");
    }
    let (account, applicant) = app.applicant(json!({})).await;
    for phone in [
        "33",
        "call me",
        "+45 33 11 00 00 ext. 5",
        "",
        "+45331100001234567",
    ] {
        let contact = json!({ "contact": { "phone": phone } });
        let posted = app
            .post("/v1/accounts", &NOBODY, registration(contact.clone()))
            .await;
        assert_fault(posted, "#/contact/phone", "format", phone);
        let patched = app.patch(&account, &applicant, 1, contact).await;
        assert_fault(patched, "#/contact/phone", "format", phone);
    }
    // The number is one of the country that comes with it.
    let mut moved = without_vat("SE");
    moved["contact"] = json!({ "phone": "08-123 456 78" });
    let moved = app.patch(&account, &applicant, 1, moved).await.expect(200);
    assert_eq!(moved.str("/contact/phone"), "+46812345678");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_vat_number_is_read_however_it_is_typed() {
    let app = TestApp::start().await;
    for (n, case) in typed("vat_numbers").iter().enumerate() {
        let (country, number) = (text(case, "country"), text(case, "typed"));
        let change = json!({ "country": country, "vat_number": number, "contact": { "email": format!("a{n}@vat.example") } });
        let account = registered(&app, change).await;
        assert_eq!(account.str("/vat_number"), text(case, "kept"), "{case}");
        let mut small = without_vat(country);
        small["contact"] = json!({ "email": format!("b{n}@vat.example") });
        let (account, applicant) = app.applicant(small).await;
        let change = json!({ "vat_number": number });
        let patched = app.patch(&account, &applicant, 1, change).await.expect(200);
        assert_eq!(patched.str("/vat_number"), text(case, "kept"), "{case}");
    }
    for (country, number) in [
        ("FR", "303265045"),
        ("FR", "FR303265045"),
        ("FR", "FRII303265045"),
    ] {
        let body = registration(json!({ "country": country, "vat_number": number }));
        let refused = app.post("/v1/accounts", &NOBODY, body).await;
        assert_fault(refused, "#/vat_number", "vat_number_invalid", number);
    }
}

async fn import(
    app: &TestApp,
    token: &Token,
    query: &str,
    text: impl Into<reqwest::Body>,
) -> Answer {
    app.request(Method::POST, &format!("{METTE}/products/import{query}"))
        .sent_by(token)
        .header("content-type", "text/csv")
        .header("idempotency-key", uuid::Uuid::new_v4().to_string())
        .body(text)
        .answer()
        .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_serial_number_is_read_however_it_is_typed() {
    let app = TestApp::start().await;
    let mette = app.sign_in("mette@fjordfoto.example").await;
    let model = app.model("EOS R6 Mark II").await;
    let products = format!("{METTE}/products");
    for case in typed("serial_numbers") {
        let (serial, kept) = (text(&case, "typed"), text(&case, "kept"));
        let body = json!({ "model_id": model, "serial_number": serial });
        let posted = app.post(&products, &mette, body).await;
        assert!(matches!(posted.status, 200 | 201), "{}", posted.text);
        assert_eq!(posted.str("/serial_number"), kept, "{case}");
        let path = format!("{products}/{}", posted.str("/id"));
        let version = posted.body["version"].as_i64().unwrap();
        let other = json!({ "serial_number": "99887766" });
        let other = app.patch(&path, &mette, version, other).await.expect(200);
        let change = json!({ "serial_number": serial });
        let version = other.body["version"].as_i64().unwrap();
        let patched = app.patch(&path, &mette, version, change).await.expect(200);
        assert_eq!(patched.str("/serial_number"), kept, "{case}");
        let file = format!("model;serial_number\nEOS R6 Mark II;{serial}\n");
        let imported = import(&app, &mette, "", file).await.expect(200);
        assert_eq!(imported.body["lines"][0]["status"], "standing", "{case}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_serial_number_of_an_old_account_is_read_however_it_was_typed() {
    let app = TestApp::start().await;
    let models: Vec<&str> = include_str!("../../src/seed/models.csv")
        .lines()
        .filter(|line| line.contains(",camera,") && !line.contains('"'))
        .filter_map(|line| line.split(',').next())
        .collect();
    let cases = typed("serial_numbers");
    let rows = cases.iter().zip(&models).enumerate();
    let rows = rows.map(|(n, (case, model))| {
        format!(
            "post@old.example,4410902,L-{n},{model},{}\n",
            text(case, "typed")
        )
    });
    let header = "email,member_number,legacy_reference,model,serial_number\n";
    let file = header.to_owned() + &rows.collect::<String>();
    let file = app.database.file("old.csv", &file);
    let (app, told) = app.after_command(&["import-legacy", &file]).await;
    assert!(told.contains("Stored 1 old account"), "{told}");
    let change = json!({ "legacy_cps_email": "post@old.example" });
    let asta = app.business("asta@nordlys.example", change).await;
    let migration = format!("{}/migration", asta.account);
    let proof = format!("{migration}/proof");
    app.act(&proof, &asta.token).await.expect(202);
    let code = app.mail("post@old.example", "migration_proof").await["code"].clone();
    app.put(&proof, &asta.token, json!({ "code": code }))
        .await
        .expect(204);
    let taken = app
        .post_once(&migration, &asta.token, json!({}))
        .await
        .expect(200);
    let items = taken.body["items"].as_array().unwrap();
    assert_eq!(items.len(), cases.len());
    for item in items {
        let reference = text(item, "legacy_reference");
        let case = &cases[reference.trim_start_matches("L-").parse::<usize>().unwrap()];
        let path = format!("{}/products/{}", asta.account, text(item, "product_id"));
        let product = app.get(&path, &asta.token).await.expect(200);
        assert_eq!(product.str("/serial_number"), text(case, "kept"), "{case}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_hidden_stands_in_a_line_at_any_door() {
    let app = TestApp::start().await;
    let mette = app.sign_in("mette@fjordfoto.example").await;
    let admin = app.sign_in("admin@cps.example").await;
    let model = app.model("EOS R6 Mark II").await;
    let (account, applicant) = app.applicant(json!({})).await;
    for c in HIDDEN {
        let name = format!("Nordlys{c} Foto");
        for (change, at) in [
            (json!({ "company_name": name }), "#/company_name"),
            (json!({ "address": { "street": name } }), "#/address/street"),
            (json!({ "address": { "city": name } }), "#/address/city"),
            (json!({ "contact": { "name": name } }), "#/contact/name"),
            (json!({ "source": name }), "#/source"),
        ] {
            let posted = app
                .post("/v1/accounts", &NOBODY, registration(change.clone()))
                .await;
            assert_fault(posted, at, "pattern", &name);
            let patched = app.patch(&account, &applicant, 1, change).await;
            assert_fault(patched, at, "pattern", &name);
        }
        let product = json!({ "model_id": model, "dealer": name });
        let posted = app
            .post(&format!("{METTE}/products"), &mette, product)
            .await;
        assert_fault(posted, "#/dealer", "pattern", &name);
        let file = format!("model,dealer\nEOS R6 Mark II,\"{name}\"\n");
        let imported = import(&app, &mette, "", file).await;
        assert_fault(imported, "#/rows/2/dealer", "pattern", &name);
        let user = json!({ "email": "n@fjordfoto.example", "name": name, "role": "member" });
        let invited = app.post_once(&format!("{METTE}/users"), &mette, user).await;
        assert_fault(invited, "#/name", "pattern", &name);
        for (path, body) in [
            ("points/adjustments", json!({ "amount": 1, "reason": name })),
            ("suspension", json!({ "reason": name })),
        ] {
            let refused = app
                .post_once(&format!("{METTE}/{path}"), &admin, body)
                .await;
            assert_fault(refused, "#/reason", "pattern", &name);
        }
    }
    let long = "x".repeat(201);
    let file = format!("model,dealer\nEOS R6 Mark II,{long}\nEOS R6 Mark II,\"Foto\nNord\"\n");
    let refused = import(&app, &mette, "", file)
        .await
        .problem(422, "invalid_request");
    let fault = |at: &str, code: &str| (at.to_owned(), code.to_owned());
    let wanted = [
        fault("#/rows/2/dealer", "too_long"),
        fault("#/rows/3/dealer", "pattern"),
    ];
    assert_eq!(refused.faults(), wanted);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_has_one_form_whoever_types_it() {
    let app = TestApp::start().await;
    let mette = app.sign_in("mette@fjordfoto.example").await;
    let name = " Bla\u{30a}b\u{e6}r\u{a0} Foto  ApS ";
    let change = json!({ "company_name": name, "contact": { "name": name } });
    let account = registered(&app, change).await;
    assert_eq!(account.str("/company_name"), "Bl\u{e5}b\u{e6}r Foto ApS");
    assert_eq!(account.str("/contact/name"), "Bl\u{e5}b\u{e6}r Foto ApS");
    let file = format!("model,serial_number,dealer\nEOS R6 Mark II,5550001,{name}\n");
    let imported = import(&app, &mette, "", file).await.expect(200);
    let id = imported.str("/lines/0/product_id");
    let product = app
        .get(&format!("{METTE}/products/{id}"), &mette)
        .await
        .expect(200);
    assert_eq!(product.str("/dealer"), "Bl\u{e5}b\u{e6}r Foto ApS");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_and_commands_of_staff_hold_the_same_lines() {
    let app = TestApp::start().await;
    let (name, long) = ("Foto\u{202e}Nord", "x".repeat(201));
    let old = format!(
        "email,member_number,legacy_reference,model,dealer,purchase_country\n\
         a@old.example,1,L-1,EOS R5,{name},DK\n\
         b@old.example,2,L-2,EOS R5,{long},UK\n\
         c@old.example,3\u{200b},{name},{name},,ZZ\n"
    );
    let old = app.database.file("old.csv", &old);
    let models = format!(
        "name,category,points,valid_from\n{name},camera,1,2024-01-01\n{long},lens,1,2024-01-01\n"
    );
    let models = app.database.file("models.csv", &models);
    let (app, told) = app.after_command(&["import-legacy", &old]).await;
    for place in [
        "2/dealer",
        "3/dealer",
        "3/purchase_country",
        "4/member_number",
        "4/legacy_reference",
        "4/model",
        "4/purchase_country",
    ] {
        assert!(
            told.contains(&format!("#/rows/{place}: ")),
            "{place} in {told}"
        );
    }
    let (app, told) = app.after_command(&["import-models", &models]).await;
    for line in [2, 3] {
        assert!(told.contains(&format!("#/rows/{line}/name: ")), "{told}");
    }
    let staff = [
        "create-staff",
        "--email",
        "r@cps.example",
        "--role",
        "support",
        "--name",
        name,
    ];
    let (_, told) = app.after_command(&staff).await;
    assert!(told.contains("not a name"), "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_country_is_one_that_is_assigned_at_every_door() {
    let app = TestApp::start().await;
    let mette = app.sign_in("mette@fjordfoto.example").await;
    let model = app.model("EOS R6 Mark II").await;
    let products = format!("{METTE}/products");
    let made = json!({ "model_id": model, "purchase_country": "GL" });
    let made = app.post(&products, &mette, made).await.expect(201);
    for code in ["ZZ", "UK", "EU", "XK"] {
        let body = json!({ "model_id": model, "purchase_country": code });
        let posted = app.post(&products, &mette, body.clone()).await;
        assert_fault(posted, "#/purchase_country", "not_accepted", code);
        let path = format!("{products}/{}", made.str("/id"));
        let body = json!({ "purchase_country": code });
        let patched = app.patch(&path, &mette, 1, body).await;
        assert_fault(patched, "#/purchase_country", "not_accepted", code);
        let file = format!("model,purchase_country\nEOS R6 Mark II,{code}\n");
        let imported = import(&app, &mette, "", file).await;
        assert_fault(imported, "#/rows/2/purchase_country", "not_accepted", code);
        let body = registration(json!({ "country": code }));
        let registered = app.post("/v1/accounts", &NOBODY, body).await;
        assert_fault(registered, "#/country", "not_accepted", code);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_language_tag_may_say_more_than_the_language() {
    let app = TestApp::start().await;
    let account = registered(&app, json!({ "language": "da-DK-u-mu-celsius" })).await;
    assert_eq!(account.str("/language"), "da");
    let (account, applicant) = app.applicant(json!({ "language": "en-GB" })).await;
    let change = json!({ "language": "da_DK" });
    let changed = app.patch(&account, &applicant, 1, change).await.expect(200);
    assert_eq!(changed.str("/language"), "da");
    let refused = app
        .patch(&account, &applicant, 2, json!({ "language": "da DK" }))
        .await;
    assert_fault(refused, "#/language", "pattern", "da DK");
    let mette = app.sign_in("mette@fjordfoto.example").await;
    let user = json!({ "email": "n@fjordfoto.example", "name": "N", "role": "member", "language": "da-Latn-DK-x-a" });
    let invited = app
        .post_once(&format!("{METTE}/users"), &mette, user)
        .await
        .expect(201);
    assert_eq!(invited.str("/language"), "da");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_whole_number_and_a_moment_are_what_the_schema_says() {
    let app = TestApp::start().await;
    let admin = app.sign_in("admin@cps.example").await;
    let adjustments = format!("{METTE}/points/adjustments");
    let adjust = async |amount: &str| {
        app.request(Method::POST, &adjustments)
            .sent_by(&admin)
            .header("idempotency-key", uuid::Uuid::new_v4().to_string())
            .header("content-type", "application/json")
            .body(format!(r#"{{"amount":{amount},"reason":"a test"}}"#))
            .answer()
            .await
    };
    for amount in ["100.0", "1e2", "100"] {
        let made = adjust(amount).await.expect(201);
        assert_eq!(made.body["amount"], 100, "{amount}");
    }
    assert_fault(adjust("100.5").await, "#/amount", "type", "100.5");
    let listed = app.get("/v1/models?limit=10.0", &admin).await.expect(200);
    assert_eq!(listed.body["items"].as_array().unwrap().len(), 10);
    for moment in ["1969-12-31T23:59:59Z", "9999-06-01T00:00:00Z"] {
        let refused = app
            .get(&format!("{METTE}/points?as_of={moment}"), &admin)
            .await;
        assert!(refused.text.contains("1970"), "{}", refused.text);
        assert_fault(refused, "#/query/as_of", "format", moment);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_area_that_takes_no_part_is_told_by_its_postal_code() {
    let app = TestApp::start().await;
    let place = |country: &str, postal_code: &str| {
        let mut change = without_vat(country);
        change["address"] = json!({ "postal_code": postal_code });
        change
    };
    let (account, applicant) = app.applicant(place("ES", "28001")).await;
    for (country, postal_code) in [
        ("ES", "07001"),
        ("ES", "35001"),
        ("ES", "38001"),
        ("ES", "51001"),
        ("ES", "ES-52002"),
        ("GB", "BT1 5GS"),
        ("GB", "je2 3ab"),
        ("GB", "GY1 1AA"),
        ("GB", "IM1 1AA"),
        ("DK", "3900"),
        ("DK", "FO-100"),
    ] {
        let change = place(country, postal_code);
        let posted = app
            .post("/v1/accounts", &NOBODY, registration(change.clone()))
            .await;
        assert_fault(
            posted,
            "#/address/postal_code",
            "region_not_supported",
            postal_code,
        );
        let patched = app.patch(&account, &applicant, 1, change).await;
        assert_fault(
            patched,
            "#/address/postal_code",
            "region_not_supported",
            postal_code,
        );
    }
    let moved = place("GB", "B1 1TT");
    app.patch(&account, &applicant, 1, moved).await.expect(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_day_is_in_the_future_when_no_place_has_it() {
    let app = TestApp::start().await;
    app.set_clock("2031-03-01T22:30:00Z").await;
    let mette = app.sign_in("mette@fjordfoto.example").await;
    let model = app.model("EOS R6 Mark II").await;
    let products = format!("{METTE}/products");
    let body = |day: &str| json!({ "model_id": model, "purchase_date": day });
    app.post(&products, &mette, body("2031-03-02"))
        .await
        .expect(201);
    let refused = app.post(&products, &mette, body("2031-03-03")).await;
    assert_fault(refused, "#/purchase_date", "date_in_future", "2031-03-03");
    let file = "model,purchase_date\nEOS R6 Mark II,2031-03-02\nEOS R6 Mark II,2031-03-03\n";
    let refused = import(&app, &mette, "", file).await;
    assert_fault(refused, "#/rows/3/purchase_date", "date_in_future", file);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_model_is_found_as_people_call_it() {
    let app = TestApp::start().await;
    for (typed, name) in [
        ("70200", "RF 70-200mm f/2.8L IS USM"),
        ("5d mk 3", "EOS 5D Mark III"),
        ("5DmkIII", "EOS 5D Mark III"),
        ("EOS-1DX", "EOS-1D X Mark III"),
        ("eos r6 ii", "EOS R6 Mark II"),
    ] {
        let query = [("query", typed), ("limit", "100")];
        let found = app
            .request(Method::GET, "/v1/models")
            .query(&query)
            .answer()
            .await
            .expect(200);
        let items = found.body["items"].as_array().unwrap();
        assert!(
            items.iter().any(|item| item["name"] == name),
            "{typed}: {}",
            found.text
        );
        assert!(items.len() < 20, "{typed}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_stands_twice_is_told_at_every_door() {
    let app = TestApp::start().await;
    let mette = app.sign_in("mette@fjordfoto.example").await;
    let (account, applicant) = app.applicant(json!({})).await;
    let send = async |method: Method, path: &str, token: &Token, media_type: &str, body: &str| {
        app.request(method, path)
            .sent_by(token)
            .header("content-type", media_type)
            .header("if-match", "\"1\"")
            .header("idempotency-key", uuid::Uuid::new_v4().to_string())
            .body(body.to_owned())
            .answer()
            .await
    };
    let (json, patch) = ("application/json", "application/merge-patch+json");
    let products = format!("{METTE}/products");
    let nested = r#"{"contact":{"email":"a@x.dk","em\u0061il":"b@x.dk"}}"#;
    for (method, path, token, media_type, body, at) in [
        (
            Method::POST,
            "/v1/sessions",
            &NOBODY,
            json,
            r#"{"email":"a","email":"b","password":"x"}"#,
            "#/email",
        ),
        (
            Method::PATCH,
            &*account,
            &applicant,
            patch,
            nested,
            "#/contact/email",
        ),
        (
            Method::POST,
            &*products,
            &mette,
            json,
            r#"{"estimated":[],"estimated":[]}"#,
            "#/estimated",
        ),
    ] {
        let refused = send(method, path, token, media_type, body).await;
        let refused = refused.problem(400, "duplicate_key");
        assert_eq!(refused.faults(), [(at.to_owned(), "not_unique".to_owned())]);
    }
}
