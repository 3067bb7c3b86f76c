//! Batches over HTTP: the files and the cases of the vectors, results that are mended and sent again, dry runs, and what stops a batch.

use reqwest::Method;
use serde_json::{Value, json};

use super::world::{merged, unmatched};
use super::{Shop, check_world, object, sale, text, vectors};
use crate::partners::FOTO_NORD;
use crate::support::{Answer, Sending, TestApp, Token};

const BATCHES: &str = "/v1/registration-batches";
const CSV: &str = "text/csv";
const NDJSON: &str = "application/x-ndjson";

fn sending(app: &TestApp, token: &Token, media_type: &str, query: &str) -> reqwest::RequestBuilder {
    app.request(Method::POST, &format!("{BATCHES}{query}"))
        .sent_by(token)
        .header("content-type", media_type)
}

async fn send(app: &TestApp, token: &Token, media_type: &str, body: impl Into<Vec<u8>>) -> Answer {
    let request = sending(app, token, media_type, "");
    let key = uuid::Uuid::new_v4().to_string();
    let request = request.header("idempotency-key", key);
    request.body(body.into()).answer().await
}

/// A batch once it is over.
pub async fn over(app: &TestApp, token: &Token, sent: Answer) -> Answer {
    let path = sent.expect(202).header("location").to_owned();
    for _ in 0..3000 {
        let batch = app.get(&path, token).await.expect(200);
        if ["completed", "cancelled"].contains(&batch.str("/status").as_str()) {
            return batch;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("the batch does not end");
}

fn path_of(batch: &Answer) -> String {
    format!("{BATCHES}/{}", batch.str("/id"))
}

/// The results of a batch, page by page.
pub async fn results(app: &TestApp, token: &Token, batch: &Answer) -> Vec<Value> {
    let (mut lines, mut query) = (Vec::new(), "limit=100".to_owned());
    loop {
        let path = format!("{}/lines?{query}", path_of(batch));
        let page = app.get(&path, token).await.expect(200);
        lines.extend(page.body["items"].as_array().unwrap().iter().cloned());
        match page.body["next_cursor"].as_str() {
            Some(cursor) => query = format!("limit=100&cursor={cursor}"),
            None => return lines,
        }
    }
}

/// The results as a file.
async fn file(app: &TestApp, token: &Token, batch: &Answer, query: &str) -> String {
    let path = format!("{}/lines?{query}", path_of(batch));
    app.get(&path, token).await.expect(200).text
}

/// What a line came to, in the words of the vectors.
fn said(line: &Value) -> Value {
    let faults = line["errors"].as_array().unwrap().iter();
    let errors: Vec<Value> = faults
        .map(|fault| json!({ "pointer": fault["pointer"], "code": fault["code"] }))
        .collect();
    let mut said = json!({ "status": line["status"] });
    if line["status"] == "refused" {
        said["errors"] = json!(errors);
    }
    if !line["code"].is_null() {
        said["code"] = line["code"].clone();
    }
    said
}

fn ndjson(lines: &[Value]) -> String {
    lines.iter().map(|line| format!("{line}\n")).collect()
}

/// A sale of another number under another id.
fn another(id: &str, serial: &str) -> Value {
    merged(
        sale(),
        &json!({ "external_id": id, "serial_number": serial }),
    )
}

fn counts(batch: &Answer) -> Value {
    batch.body["counts"].clone()
}

fn hex(text: &str) -> Vec<u8> {
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
        .collect()
}

#[tokio::test]
async fn every_file_of_the_vectors_is_taken_or_refused_as_they_say() {
    let mut shop = Shop::open().await;
    let vectors = vectors();
    let files = vectors["files"].as_array().unwrap();
    assert_eq!(files.len(), 7);
    for one in files {
        shop.world(&json!({}));
        let (name, app, token) = (text(one, "name"), &shop.app, &shop.trusted);
        let body = match one["body_hex"].as_str() {
            Some(bytes) => hex(bytes),
            None => text(one, "body").as_bytes().to_vec(),
        };
        let sent = send(app, token, text(one, "media_type"), body).await;
        if one["accepted"] == false {
            let problem = &one["problem"];
            let status = u16::try_from(problem["status"].as_u64().unwrap()).unwrap();
            let refused = sent.problem(status, text(problem, "code"));
            let wanted = problem["errors"].as_array().unwrap().iter();
            let wanted: Vec<_> = wanted
                .map(|fault| {
                    (
                        text(fault, "pointer").to_owned(),
                        text(fault, "code").to_owned(),
                    )
                })
                .collect();
            assert_eq!(refused.faults(), wanted, "{name}");
            continue;
        }
        let batch = over(app, token, sent).await;
        let lines = results(app, token, &batch).await;
        let wanted = one["lines"].as_array().unwrap();
        assert_eq!(lines.len(), wanted.len(), "{name}: {lines:?}");
        for (line, wanted) in lines.iter().zip(wanted) {
            for (field, value) in object(wanted) {
                let found = match field.as_str() {
                    "errors" => said(line)["errors"].clone(),
                    _ => line[&field].clone(),
                };
                assert_eq!(found, value, "{name}: {field} of {line}");
            }
        }
    }
    let left = "SELECT status AS line FROM registration_batches WHERE status = 'receiving'";
    assert!(shop.raw.lines(left).is_empty(), "a refused file is left");
}

#[tokio::test]
async fn every_case_of_the_vectors_comes_to_the_same_in_a_batch() {
    let mut shop = Shop::open().await;
    let vectors = vectors();
    for case in vectors["cases"].as_array().unwrap() {
        let mut world = shop.world(&case["given"]);
        let (name, partner) = (text(case, "name"), text(case, "partner"));
        let before = unmatched(&mut shop.raw, partner);
        let lines = case["lines"].as_array().unwrap();
        let sent = send(&shop.app, shop.token(partner), NDJSON, ndjson(lines)).await;
        let batch = over(&shop.app, shop.token(partner), sent).await;
        let results = results(&shop.app, shop.token(partner), &batch).await;
        assert_eq!(results.len(), lines.len(), "{name}");
        for (line, wanted) in results.iter().zip(case["results"].as_array().unwrap()) {
            let mut wanted = wanted.clone();
            // Where it stands is read by its id.
            wanted
                .as_object_mut()
                .unwrap()
                .remove("registration_status");
            assert_eq!(said(line), wanted, "{name}: {line}");
        }
        check_world(&mut shop.raw, &mut world, case, before);
    }
}

const HEADER: &str = "external_id;member_number;model;serial_number;purchase_date";

/// Three lines as a shop's system or a Danish Excel writes them: the second has a wrong date.
fn three_lines() -> String {
    let line = |n: u32, date: &str| format!("F-{n};207491553073;EOS R6;13021004117{n};{date}");
    let lines = [
        line(1, "2026-11-20"),
        line(2, "2026-13-20"),
        line(3, "2026-11-20"),
    ];
    format!("\u{feff}{HEADER}\r\n{}\r\n", lines.join("\r\n"))
}

#[tokio::test]
async fn results_are_mended_and_sent_again() {
    let mut shop = Shop::open().await;
    shop.world(&json!({}));
    let (app, token) = (&shop.app, &shop.trusted);
    let batch = over(app, token, send(app, token, CSV, three_lines()).await).await;
    assert_eq!(counts(&batch), json!({ "registered": 2, "refused": 1 }));
    let refused = format!("{}/lines?status=refused", path_of(&batch));
    let refused = app.get(&refused, token).await.expect(200);
    assert_eq!(refused.str("/items/0/errors/0/pointer"), "#/purchase_date");
    assert_eq!(refused.body["items"].as_array().unwrap().len(), 1);

    let excel = file(app, token, &batch, "format=csv&for=excel").await;
    let rows: Vec<&str> = excel.trim_start_matches('\u{feff}').lines().collect();
    let header = format!("line;{HEADER};status;code;error;registration_id");
    assert!(
        excel.starts_with('\u{feff}') && rows[0] == header,
        "{excel}"
    );
    assert!(
        rows[2].starts_with("3;F-2;")
            && rows[2].contains(";refused;invalid_request;#/purchase_date "),
        "{excel}"
    );
    let mended = excel.replace("2026-13-20", "2026-11-21");
    let again = over(app, token, send(app, token, CSV, mended).await).await;
    assert_eq!(counts(&again), json!({ "registered": 1, "unchanged": 2 }));

    // As Excel writes the file when it is saved: the texts that the formulas are.
    let saved = excel.replace("\"=\"\"", "").replace("\"\"\"", "");
    assert!(
        saved.contains("3;F-2;207491553073;EOS R6;130210041172;2026-13-20;"),
        "{saved}"
    );
    let saved = saved.replace("2026-13-20", "2026-11-21");
    let again = over(app, token, send(app, token, CSV, saved).await).await;
    assert_eq!(counts(&again), json!({ "unchanged": 3 }));

    let script = file(app, token, &batch, "format=ndjson").await;
    let till: Vec<Value> = script
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(till[1]["status"], "refused");
    let mended = script.replace("2026-13-20", "2026-11-21");
    let again = over(app, token, send(app, token, NDJSON, mended).await).await;
    assert_eq!(counts(&again), json!({ "unchanged": 3 }));
    let whole = json!({ "lines": till }).to_string();
    let again = over(
        app,
        token,
        send(app, token, "application/json", whole).await,
    )
    .await;
    assert_eq!(counts(&again), json!({ "refused": 1, "unchanged": 2 }));

    let of_batch = format!("/v1/registrations?batch_id={}", batch.str("/id"));
    let of_batch = app.get(&of_batch, token).await.expect(200);
    assert_eq!(of_batch.body["items"].as_array().unwrap().len(), 2);
    assert_eq!(of_batch.str("/items/0/batch_id"), batch.str("/id"));
}

#[tokio::test]
async fn cells_of_results_are_no_formulas() {
    let mut shop = Shop::open().await;
    shop.world(&json!({}));
    let (app, token) = (&shop.app, &shop.trusted);
    let line = merged(
        sale(),
        &json!({ "serial_number": "=HYPERLINK(1)", "external_id": "-1+1" }),
    );
    let batch = over(app, token, send(app, token, NDJSON, ndjson(&[line])).await).await;
    let excel = file(app, token, &batch, "format=csv").await;
    assert!(
        excel.contains("'=HYPERLINK(1)") && excel.contains("'-1+1"),
        "{excel}"
    );
}

#[tokio::test]
async fn a_dry_run_says_what_would_come_of_it_and_does_nothing() {
    let mut shop = Shop::open().await;
    let mut world = shop.world(&json!({}));
    let (one, other) = (
        another("F-1", "130210041177"),
        another("F-2", "130210041177"),
    );
    let back = json!({ "verb": "return", "external_id": "R-1", "of": "F-1" });
    let lost = merged(
        another("F-3", "130210041178"),
        &json!({ "member_number": "999999999078" }),
    );
    let body = ndjson(&[one, other.clone(), back, other, lost]);
    let (app, token) = (&shop.app, &shop.trusted);
    let request = sending(app, token, NDJSON, "?dry_run=true");
    let request = request
        .header("idempotency-key", "rehearsal")
        .body(body.clone());
    let dry = over(app, token, request.answer().await).await;
    assert_eq!(dry.body["dry_run"], true);
    let foreseen = results(app, token, &dry).await;
    assert!(
        foreseen
            .iter()
            .all(|line| line["registration_id"].is_null())
    );
    let nothing =
        "SELECT external_id AS line FROM registrations WHERE external_id NOT LIKE 'old-%'";
    assert!(shop.raw.lines(nothing).is_empty());
    world.find_new(&mut shop.raw);
    assert!(world.products.is_empty());
    let used = "SELECT CAST(lines AS TEXT) || ' ' || CAST(dry_run_lines AS TEXT) || ' ' || CAST(unmatched AS TEXT) || ' '
        || CAST(silent_matches AS TEXT) AS line FROM partner_days";
    assert_eq!(shop.raw.lines(used), ["0 5 1 3"]);
    let real = over(app, token, send(app, token, NDJSON, body).await).await;
    let came = results(app, token, &real).await;
    let words = |lines: &[Value]| lines.iter().map(said).collect::<Vec<_>>();
    assert_eq!(words(&foreseen), words(&came));
    assert_eq!(counts(&dry), counts(&real));
}

/// Has the partner's queue stand behind a batch that nobody began.
fn hold_queue(shop: &mut Shop) {
    let (partner, credential) = (FOTO_NORD.partner_id, FOTO_NORD.client_id);
    let uuid = |id: &str| uuid::Uuid::parse_str(id.rsplit('_').next().unwrap()).unwrap();
    let (partner, credential, id) = (uuid(partner), uuid(credential), uuid::Uuid::nil());
    shop.raw
        .run(&format!(
            "INSERT INTO registration_batches (id, partner_id, credential_id, version, status, dry_run, lines, done, counts, created_at, queued_at)
             VALUES ('{id}', '{partner}', '{credential}', 1, 'queued', FALSE, 1, 0, '{{}}', '2026-01-01T00:00:00.000000Z', '2026-01-01T00:00:00.000000Z')"
        ))
        .unwrap();
}

#[tokio::test]
async fn a_batch_is_stopped_and_the_next_one_begins() {
    let mut shop = Shop::open().await;
    shop.world(&json!({}));
    hold_queue(&mut shop);
    let (app, token) = (&shop.app, &shop.trusted);
    let lines = ndjson(&[another("F-1", "130210041177"), json!(7)]);
    let waiting = send(app, token, NDJSON, lines).await;
    let next = send(
        app,
        token,
        NDJSON,
        ndjson(&[another("F-2", "130210041178")]),
    )
    .await;
    for sent in [&waiting, &next] {
        assert_eq!(sent.str("/status"), "queued", "{}", sent.text);
    }
    let path = path_of(&waiting);
    let stopped = app
        .act(&format!("{path}/cancellation"), token)
        .await
        .expect(202);
    assert_eq!(counts(&stopped), json!({ "cancelled": 2 }));
    assert_eq!(stopped.body["status"], "cancelled");
    let again = app.act(&format!("{path}/cancellation"), token).await;
    again.problem(409, "batch_not_cancellable");
    let done = over(app, token, next).await;
    assert_eq!(counts(&done), json!({ "registered": 1 }));
    let types = "/v1/events?types=batch.*";
    let told = app.get(types, token).await.expect(200);
    let told = told.body["items"].as_array().unwrap().iter();
    let told: Vec<&str> = told.map(|event| event["type"].as_str().unwrap()).collect();
    assert_eq!(
        &told[..3],
        ["batch.queued", "batch.queued", "batch.cancelled"]
    );
}

#[tokio::test]
async fn a_batch_is_taken_once_however_often_it_is_sent() {
    let mut shop = Shop::open().await;
    shop.world(&json!({}));
    let (app, token) = (&shop.app, &shop.trusted);
    let body = ndjson(&[sale()]);
    let keyed = |body: &str| {
        let request = sending(app, token, NDJSON, "").header("idempotency-key", "monday");
        request.body(body.to_owned()).answer()
    };
    sending(app, token, NDJSON, "")
        .body(body.clone())
        .answer()
        .await
        .problem(400, "idempotency_key_required");
    let first = keyed(&body).await.expect(202);
    let again = keyed(&body).await.expect(202);
    assert_eq!(
        (first.str("/id"), again.header("idempotency-replayed")),
        (again.str("/id"), "true")
    );
    keyed(&ndjson(&[another("F-9", "130210041179")]))
        .await
        .problem(422, "idempotency_key_reused");
    over(app, token, first).await;
    let batches = "SELECT status AS line FROM registration_batches";
    assert_eq!(shop.raw.lines(batches), ["completed"]);
}

#[tokio::test]
async fn what_is_too_much_is_refused_and_leaves_nothing() {
    let mut shop = Shop::open().await;
    shop.world(&json!({}));
    let (app, token) = (&shop.app, &shop.trusted);
    let many = ndjson(&vec![json!({}); 10_001]);
    let refused = send(app, token, NDJSON, many)
        .await
        .problem(422, "invalid_request");
    assert_eq!(
        refused.faults(),
        [("#/lines".to_owned(), "too_many".to_owned())]
    );
    let long = ndjson(&[json!({ "model": "x".repeat(4096) })]);
    let refused = send(app, token, NDJSON, long)
        .await
        .problem(422, "invalid_request");
    assert_eq!(
        refused.faults(),
        [("#/lines/1".to_owned(), "too_long".to_owned())]
    );
    let heavy = "{}\n".repeat(2_800_000);
    send(app, token, NDJSON, heavy)
        .await
        .problem(413, "body_too_large");
    send(app, token, "text/plain", "x")
        .await
        .problem(415, "unsupported_media_type");
    let admin = app.sign_in("admin@cps.example").await;
    let partner = format!("/v1/partners/{}", FOTO_NORD.partner_id);
    let version = app.get(&partner, &admin).await.body["version"]
        .as_i64()
        .unwrap();
    app.patch(&partner, &admin, version, json!({ "lines_per_day": 2 }))
        .await
        .expect(200);
    let three = ndjson(&vec![json!({}); 3]);
    let refused = send(app, token, NDJSON, three)
        .await
        .problem(429, "quota_exceeded");
    assert!(refused.header("retry-after").parse::<u64>().unwrap() <= 86_400);
    for table in ["registration_batches", "registration_lines", "partner_days"] {
        let rows = format!("SELECT CAST(count(*) AS TEXT) AS line FROM {table}");
        assert_eq!(shop.raw.lines(&rows), ["0"], "{table}");
    }
    app.patch(
        &partner,
        &admin,
        version + 1,
        json!({ "lines_per_day": null }),
    )
    .await
    .expect(200);
    hold_queue(&mut shop);
    let (app, token) = (&shop.app, &shop.trusted);
    for _ in 0..3 {
        send(app, token, NDJSON, ndjson(&[sale()]))
            .await
            .expect(202);
    }
    send(app, token, NDJSON, ndjson(&[sale()]))
        .await
        .problem(429, "quota_exceeded");
}

#[tokio::test]
async fn what_was_sent_goes_after_a_month_and_the_results_after_three() {
    let mut shop = Shop::open().await;
    shop.world(&json!({}));
    let batch = over(
        &shop.app,
        &shop.trusted,
        send(&shop.app, &shop.trusted, NDJSON, ndjson(&[sale()])).await,
    )
    .await;
    let looks = async |shop: &Shop| {
        let token = shop.app.dealer(FOTO_NORD, "").await;
        results(&shop.app, &token, &batch).await
    };
    let fresh = looks(&shop).await;
    assert_eq!(fresh[0]["sent"]["serial_number"], sale()["serial_number"]);
    shop.app.advance(chrono::TimeDelta::days(31)).await;
    let emptied = looks(&shop).await;
    assert!(
        emptied[0]["sent"].is_null() && emptied[0]["status"] == "registered",
        "{emptied:?}"
    );
    shop.app.advance(chrono::TimeDelta::days(60)).await;
    assert!(looks(&shop).await.is_empty());
}

#[tokio::test]
async fn serial_numbers_change_places_within_a_batch() {
    let mut shop = Shop::open().await;
    shop.world(&json!({}));
    let (app, token) = (&shop.app, &shop.trusted);
    let (x, y, z) = ("130210041177", "130210041178", "130210041179");
    let sold = ndjson(&[another("F-1", x), another("F-2", y)]);
    over(app, token, send(app, token, NDJSON, sold).await).await;
    let correct = |id: &str, of: &str, serial: &str| json!({ "verb": "correct", "external_id": id, "of": of, "serial_number": serial });
    let moved = [
        correct("C-1", "F-2", z),
        correct("C-2", "F-1", y),
        correct("C-3", "F-2", x),
    ];
    let batch = over(app, token, send(app, token, NDJSON, ndjson(&moved)).await).await;
    assert_eq!(counts(&batch), json!({ "corrected": 3 }));
    for (id, serial) in [("F-1", y), ("F-2", x)] {
        let sale = app
            .get(&format!("/v1/registrations?external_id={id}"), token)
            .await;
        assert_eq!(sale.expect(200).str("/items/0/serial_number"), serial);
    }
    let products = "SELECT serial_key AS line FROM products WHERE holds_serial AND serial_key LIKE '13021004117%' ORDER BY id";
    assert_eq!(shop.raw.lines(products), [y, x]);
}
