//! The catalogue: what a stranger finds in it, and files that staff import.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Sending, TestApp, Token};

async fn search(app: &TestApp, query: &[(&str, &str)]) -> Answer {
    app.request(Method::GET, "/v1/models")
        .query(query)
        .answer()
        .await
}

fn names(answer: &Answer) -> Vec<String> {
    let items = answer.body["items"].as_array().unwrap();
    items
        .iter()
        .map(|model| model["name"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn anybody_finds_a_model_and_its_points() {
    let app = TestApp::start().await;
    let found = search(&app, &[("query", "mark 5d III")]).await.expect(200);
    assert_eq!(names(&found), ["EOS 5D Mark III"]);
    let model = &found.body["items"][0];
    assert_eq!(
        (&model["points"], &model["category"], &model["example"]),
        (&json!(235), &json!("camera"), &json!(false))
    );
    let path = format!("/v1/models/{}", model["id"].as_str().unwrap());
    let one = app.get(&path, &Token::default()).await.expect(200);
    assert_eq!(&one.body, model);
    assert!(one.header("cache-control").starts_with("public"));
    let etag = one.header("etag").to_owned();
    let unchanged = app
        .request(Method::GET, &path)
        .header("if-none-match", etag)
        .answer()
        .await;
    assert_eq!(unchanged.status, 304);
    let lens = search(&app, &[("query", "40mm"), ("category", "lens")])
        .await
        .expect(200);
    assert_eq!(lens.body["items"][0]["points"], 15);
    let odd = search(&app, &[("category", "car"), ("colour", "red")]).await;
    assert_eq!(odd.problem(422, "invalid_request").faults().len(), 2);
    app.get(
        "/v1/models/mod_00000000000070008000000000ffffff",
        &Token::default(),
    )
    .await
    .problem(404, "not_found");
    app.get("/v1/models/EOS", &Token::default())
        .await
        .problem(404, "not_found");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_whole_catalogue_comes_in_pages_by_name() {
    let app = TestApp::start().await;
    let (mut cursor, mut all): (Option<String>, Vec<String>) = (None, Vec::new());
    loop {
        let mut query = vec![("limit", "10")];
        if let Some(cursor) = &cursor {
            query.push(("cursor", cursor));
        }
        let page = search(&app, &query).await.expect(200);
        all.extend(names(&page));
        match page.body["next_cursor"].as_str() {
            Some(next) => cursor = Some(next.to_owned()),
            None => break,
        }
    }
    assert!(all.len() >= 60);
    let mut distinct = all.clone();
    distinct.sort();
    distinct.dedup();
    assert_eq!(distinct.len(), all.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_value_counts_from_its_day_and_leaves_what_was_granted() {
    let app = TestApp::start().await;
    let mette = app.sign_in("mette@fjordfoto.example").await;
    let account = "/v1/accounts/acc_00000000000070008000000000000001";
    let before = app.balance(account, &mette).await;
    let file = app.database.file("models.csv", "name;category;points;valid_from;launched_date\nEOS 5D Mark III;camera;250;2031-01-01;2012-03-02\nEOS Ny;camera;10;2031-01-01;\n");
    let (app, told) = app.after_command(&["import-models", &file]).await;
    assert!(told.contains("Stored 2 models"), "{told}");
    let found = search(&app, &[("query", "eos 5d mark iii")])
        .await
        .expect(200);
    assert_eq!(found.body["items"][0]["points"], 235);
    let new = search(&app, &[("query", "eos ny")]).await.expect(200);
    assert_eq!(new.body["items"][0]["points"], 0);
    app.set_clock("2031-01-02T12:00:00Z").await;
    let found = search(&app, &[("query", "eos 5d mark iii")])
        .await
        .expect(200);
    assert_eq!(
        (
            &found.body["items"][0]["points"],
            &found.body["items"][0]["valid_from"]
        ),
        (&json!(250), &json!("2031-01-01"))
    );
    let mette = app.sign_in("mette@fjordfoto.example").await;
    assert_eq!(app.balance(account, &mette).await, before);
    let body = json!({
        "model_id": found.body["items"][0]["id"], "serial_number": "01202199", "purchase_date": "2024-05-17",
        "purchase_country": "DK", "dealer": "Foto Nord"
    });
    let made = app
        .post(&format!("{account}/products"), &mette, body)
        .await
        .expect(201);
    assert_eq!(made.body["points_granted"], 250);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_product_earns_by_itself_when_the_value_of_its_model_begins() {
    let app = TestApp::start().await;
    let account = "/v1/accounts/acc_00000000000070008000000000000001";
    let head = "name;category;points;valid_from\n";
    let file = app.database.file(
        "models.csv",
        &format!("{head}EOS Ny;camera;10;2031-01-01\n"),
    );
    let (app, told) = app.after_command(&["import-models", &file]).await;
    assert!(told.contains("Stored 1 models"), "{told}");
    let mette = app.sign_in("mette@fjordfoto.example").await;
    let before = app.balance(account, &mette).await;
    let whole = json!({
        "model_id": app.model("EOS Ny").await, "serial_number": "99900011", "purchase_date": "2024-05-17",
        "purchase_country": "DK", "dealer": "Foto Nord"
    });
    let made = app
        .post(&format!("{account}/products"), &mette, whole)
        .await;
    let made = made.expect(201);
    let place = made.header("location").to_owned();
    assert_eq!(
        (&made.body["status"], &made.body["points_pending"]),
        (&json!("complete"), &json!("value_not_valid_yet"))
    );
    app.set_clock("2030-12-31T22:59:59Z").await;
    let mette = app.sign_in("mette@fjordfoto.example").await;
    assert_eq!(app.balance(account, &mette).await, before);
    // Midnight in the zone of the programme.
    app.set_clock("2030-12-31T23:00:00Z").await;
    let mette = app.sign_in("mette@fjordfoto.example").await;
    let read = app.get(&place, &mette).await.expect(200);
    assert_eq!(read.body["points_granted"], 10);
    assert_eq!(read.body.get("points_pending"), None);
    assert_eq!(app.balance(account, &mette).await, before + 10);

    // A value that has begun when it becomes known counts at once, in a suspended account as well.
    let file = app.database.file(
        "models.csv",
        &format!("{head}EOS Nyere;camera;20;2040-01-01\n"),
    );
    let (app, _) = app.after_command(&["import-models", &file]).await;
    let another = json!({
        "model_id": app.model("EOS Nyere").await, "serial_number": "99900012", "purchase_date": "2024-05-17",
        "purchase_country": "DK", "dealer": "Foto Nord"
    });
    let path = format!("{account}/products");
    app.post(&path, &mette, another).await.expect(201);
    app.database
        .execute("UPDATE accounts SET status = 'suspended', suspended_from = status WHERE company_name = 'Fjord Foto ApS'");
    let file = app.database.file(
        "models.csv",
        &format!("{head}EOS Nyere;camera;20;2030-01-01\n"),
    );
    let (app, _) = app.after_command(&["import-models", &file]).await;
    app.advance(chrono::TimeDelta::seconds(1)).await;
    let admin = app.sign_in("admin@cps.example").await;
    assert_eq!(app.balance(account, &admin).await, before + 30);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_tag_of_a_product_changes_with_the_value_of_its_model() {
    let app = TestApp::start().await;
    let mette = app.sign_in("mette@fjordfoto.example").await;
    let products = "/v1/accounts/acc_00000000000070008000000000000001/products";
    let found = search(&app, &[("query", "eos 5d mark iii")]).await;
    let model = json!({ "model_id": found.expect(200).body["items"][0]["id"] });
    let made = app.post(products, &mette, model).await.expect(201);
    let product = made.header("location").to_owned();
    let tag = made.header("etag").to_owned();
    let file = app.database.file("models.csv", "name,category,points,valid_from,launched_date\nEOS 5D Mark III,camera,250,2031-01-01,2012-03-02\n");
    let again = |app: &TestApp, token: &Token| {
        let request = app.request(Method::GET, &product).sent_by(token);
        request.header("if-none-match", &tag)
    };
    again(&app, &mette).answer().await.expect(304);
    let (app, told) = app.after_command(&["import-models", &file]).await;
    assert!(told.contains("Stored 1"), "{told}");
    app.set_clock("2031-01-02T12:00:00Z").await;
    let mette = app.sign_in("mette@fjordfoto.example").await;
    let read = again(&app, &mette).answer().await.expect(200);
    assert_eq!(read.body["points_possible"], 250);
    // What has changed is not the product: who saw its version may change it.
    let change = app.request(Method::PATCH, &product).sent_by(&mette);
    let change = change
        .header("if-match", &tag)
        .json(&json!({ "dealer": "Foto Nord" }));
    assert_eq!(change.answer().await.expect(200).body["version"], 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_of_models_with_faults_is_refused_whole() {
    let app = TestApp::start().await;
    let file = app.database.file("models.csv", "name,category,points,valid_from,serial_pattern\nEOS Ny,car,ten,2026-13-01,[\nEOS R6,camera,1,2024-01-01,\n");
    let (app, told) = app.after_command(&["import-models", &file]).await;
    for place in [
        "#/rows/2/category",
        "#/rows/2/points",
        "#/rows/2/valid_from",
        "#/rows/2/serial_pattern",
        "#/rows/3/valid_from",
    ] {
        assert!(told.contains(place), "{place}: {told}");
    }
    let none: Value = search(&app, &[("query", "eos ny")]).await.expect(200).body;
    assert_eq!(none["items"], json!([]));
    let (_, told) = app.after_command(&["verify-ledger"]).await;
    assert!(told.contains("Every balance is right"), "{told}");
}

const KEYED: &str = "name,category,points,valid_from,manufacturer_code,gtin\n";

/// The catalogue's version, and the names of the models that were changed after another.
async fn changed_after(app: &TestApp, version: i64) -> (i64, Vec<String>) {
    let (mut names_so_far, mut cursor) = (Vec::new(), None::<String>);
    let after = version.to_string();
    loop {
        let mut query = vec![("changed_after", after.as_str()), ("limit", "40")];
        query.extend(cursor.as_deref().map(|cursor| ("cursor", cursor)));
        let page = search(app, &query).await.expect(200);
        names_so_far.extend(names(&page));
        cursor = page.body["next_cursor"].as_str().map(str::to_owned);
        if cursor.is_none() {
            let version = page.body["catalogue_version"].as_i64().unwrap();
            return (version, names_so_far);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_model_is_found_by_the_keys_that_a_file_gave_it() {
    let app = TestApp::start().await;
    let rows = "EOS Ny,camera,10,2024-01-01,ny 01-c003,2000000000107  2000000-000114\nEOS Ny,camera,20,2040-01-01,,\n";
    let file = app.database.file("models.csv", &format!("{KEYED}{rows}"));
    let (app, told) = app.after_command(&["import-models", &file]).await;
    assert!(told.contains("Stored 2 models"), "{told}");
    for query in [
        ("gtin", "2000000000107"),
        ("gtin", "02000000000114"),
        ("gtin", "2000000-000114"),
        ("manufacturer_code", "NY01C003"),
        ("manufacturer_code", "ny01 c-003"),
    ] {
        let found = search(&app, &[query]).await.expect(200);
        assert_eq!(names(&found), ["EOS Ny"], "{query:?}");
        let model = &found.body["items"][0];
        assert_eq!(model["gtin"], json!(["2000000000107", "2000000000114"]));
        assert_eq!(model["manufacturer_code"], "NY01C003");
        let path = format!("/v1/models/{}", model["id"].as_str().unwrap());
        let one = app.get(&path, &Token::default()).await.expect(200);
        assert_eq!(&one.body, model);
    }
    for none in [("gtin", "96385074"), ("manufacturer_code", "NY01")] {
        let found = search(&app, &[none]).await.expect(200);
        assert_eq!(found.body["items"], json!([]));
    }
    let refused = search(
        &app,
        &[
            ("gtin", "2000000000108"),
            ("manufacturer_code", "Æ"),
            ("changed_after", "-1"),
        ],
    );
    let faults = refused.await.problem(422, "invalid_request").faults();
    let wanted = [
        ("#/query/changed_after", "too_small"),
        ("#/query/gtin", "gtin_invalid"),
        ("#/query/manufacturer_code", "format"),
    ];
    assert_eq!(
        faults,
        wanted.map(|(at, code)| (at.to_owned(), code.to_owned()))
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_of_another_model_is_refused_with_its_row() {
    let app = TestApp::start().await;
    let first = "EOS Ny,camera,10,2024-01-01,NY01C003,2000000000107\n";
    let file = app.database.file("models.csv", &format!("{KEYED}{first}"));
    let (app, _) = app.after_command(&["import-models", &file]).await;
    let (version, _) = changed_after(&app, 0).await;
    let rows = "EOS Nyere,camera,10,2024-01-01,ny-01-c003,2000000000114 2000000000107\nEOS Nyest,camera,10,2024-01-01,NY/02,2000000000108\nEOS A,camera,10,2024-01-01,A,2000000000121\nEOS B,camera,10,2024-01-01,B,2000000000121\n";
    let file = app.database.file("models.csv", &format!("{KEYED}{rows}"));
    let (app, told) = app.after_command(&["import-models", &file]).await;
    let told_rows: Vec<&str> = told
        .lines()
        .filter_map(|line| line.trim().strip_prefix("#/rows/")?.split(':').next())
        .collect();
    let wanted = [
        "3/manufacturer_code",
        "3/gtin",
        "2/manufacturer_code",
        "2/gtin",
        "5/gtin",
    ];
    assert_eq!(told_rows, wanted, "{told}");
    assert_eq!(changed_after(&app, version).await, (version, Vec::new()));
    // What one model gives up, another one takes in the same file; the other keys stay where a row leaves them out.
    let rows = "EOS Ny,camera,10,2024-01-01,NY02,\nEOS Nyere,camera,10,2024-01-01,NY01C003,\n";
    let file = app.database.file("models.csv", &format!("{KEYED}{rows}"));
    let (app, told) = app.after_command(&["import-models", &file]).await;
    assert!(told.contains("Stored 2 models"), "{told}");
    let found = search(&app, &[("manufacturer_code", "NY01C003")]).await;
    assert_eq!(names(&found.expect(200)), ["EOS Nyere"]);
    let found = search(&app, &[("manufacturer_code", "NY02")]).await;
    assert_eq!(
        found.expect(200).body["items"][0]["gtin"],
        json!(["2000000000107"])
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_changed_after_a_version_comes_in_its_order() {
    let app = TestApp::start().await;
    let (seeded, all) = changed_after(&app, 0).await;
    assert!(all.len() > 60, "{all:?}");
    assert_eq!(all.last().unwrap(), "Example camera of the sandbox");
    let rows = "EOS Ny,camera,10,2024-01-01,,\nEOS A,camera,10,2024-01-01,,\n";
    let file = app.database.file("models.csv", &format!("{KEYED}{rows}"));
    let (app, _) = app.after_command(&["import-models", &file]).await;
    let (second, changed) = changed_after(&app, seeded).await;
    assert_eq!(second, seeded + 1);
    assert_eq!(changed.len(), 2);
    // Of these rows only the second says something new: a GTIN, a value, a code are changes of their model.
    let mut app = app;
    for (change, n) in [
        ("EOS A,camera,10,2024-01-01,,2000000000107\n", 1),
        ("EOS A,camera,20,2040-01-01,,\n", 2),
        ("EOS A,camera,20,2040-01-01,NY02,\n", 3),
    ] {
        let rows = format!("{KEYED}EOS Ny,camera,10,2024-01-01,,\n{change}");
        let file = app.database.file("models.csv", &rows);
        app = app.after_command(&["import-models", &file]).await.0;
        let (version, changed) = changed_after(&app, second + n - 1).await;
        assert_eq!((version, changed), (second + n, vec!["EOS A".to_owned()]));
    }
    let (_, changed) = changed_after(&app, seeded).await;
    assert_eq!(changed, ["EOS Ny", "EOS A"]);
    // A cursor of one order is none of the other.
    let page = search(&app, &[("limit", "1")]).await.expect(200);
    let cursor = page.str("/next_cursor");
    let other = search(&app, &[("changed_after", "0"), ("cursor", &cursor)]).await;
    let faults = other.problem(422, "invalid_request").faults();
    assert_eq!(faults[0].1, "cursor_invalid");
}
