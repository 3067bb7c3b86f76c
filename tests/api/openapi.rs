//! The contract tells the truth: it is the generated one, it is whole, and every closed operation refuses a stranger.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::Value;

use crate::support::{Sending, TestApp, Token};

/// Puts what is referred to in the place of each reference among these.
fn resolve(referring: &mut Value, components: &Value) {
    let children: Vec<&mut Value> = match referring {
        Value::Array(items) => items.iter_mut().collect(),
        Value::Object(fields) => fields.values_mut().collect(),
        _ => Vec::new(),
    };
    for child in children {
        if let Some(name) = child["$ref"].as_str() {
            let name = name.strip_prefix("#/components").unwrap();
            *child = components.pointer(name).unwrap().clone();
        }
    }
}

/// The document with the parameters and answers of each operation in their places.
pub fn document(is_sandbox: bool) -> Value {
    resolved(cps_api::handlers::document(is_sandbox))
}

pub fn resolved(mut document: Value) -> Value {
    let components = document["components"].clone();
    for item in document["paths"].as_object_mut().unwrap().values_mut() {
        for operation in item.as_object_mut().unwrap().values_mut() {
            resolve(&mut operation["parameters"], &components);
            resolve(&mut operation["responses"], &components);
        }
    }
    document
}

pub fn operations(document: &Value) -> Vec<(String, String, Value)> {
    let paths = document["paths"].as_object().unwrap();
    let all = paths.iter().flat_map(|(path, item)| {
        let methods = item
            .as_object()
            .unwrap()
            .iter()
            .filter(|(name, _)| *name != "parameters");
        methods.map(|(method, operation)| (method.to_uppercase(), path.clone(), operation.clone()))
    });
    all.collect()
}

/// Compares with the committed file; `UPDATE_OPENAPI=1` writes it.
pub fn assert_committed(name: &str, current: &str) {
    let path = format!("{}/openapi/{name}", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("UPDATE_OPENAPI").is_some() {
        std::fs::write(&path, current).unwrap();
    }
    assert!(
        std::fs::read_to_string(&path).unwrap_or_default() == current,
        "run UPDATE_OPENAPI=1 cargo test committed"
    );
}

#[test]
fn the_committed_contract_is_the_generated_one() {
    assert_committed(
        "openapi.json",
        &(serde_json::to_string_pretty(&cps_api::handlers::document(false)).unwrap() + "\n"),
    );
}

#[test]
fn the_committed_list_of_operations_is_the_generated_one() {
    let lines: Vec<String> = operations(&document(true))
        .into_iter()
        .map(|(method, path, operation)| {
            format!(
                "{} {method} {path}\n",
                operation["operationId"].as_str().unwrap()
            )
        })
        .collect();
    assert_committed("operations.txt", &lines.concat());
}

#[test]
fn every_operation_says_all_that_a_caller_needs() {
    let document = document(true);
    let mut ids = BTreeSet::new();
    for (method, path, operation) in operations(&document) {
        let at = format!("{method} {path}");
        for field in ["operationId", "summary", "description"] {
            assert!(
                operation[field].as_str().is_some_and(|text| text.len() > 3),
                "{at}: {field}"
            );
        }
        assert_eq!(operation["tags"].as_array().map(Vec::len), Some(1), "{at}");
        assert!(
            ids.insert(operation["operationId"].as_str().unwrap().to_owned()),
            "{at}: the id is taken"
        );
        let declared = operation["parameters"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|parameter| parameter["in"] == "path")
            .count();
        assert_eq!(declared, path.matches('{').count(), "{at}: path parameters");
        let responses = operation["responses"].as_object().unwrap();
        for (status, response) in responses
            .iter()
            .filter(|(status, _)| status.starts_with(['4', '5']))
        {
            // The token endpoint alone answers in the shape of RFC 6749.
            let shape = match operation["operationId"] == "createToken" {
                true => "application/json",
                false => "application/problem+json",
            };
            assert!(response["content"][shape].is_object(), "{at}: {status}");
        }
        assert!(
            ["429", "500", "503"]
                .iter()
                .all(|status| responses.contains_key(*status)),
            "{at}"
        );
    }
}

#[test]
fn nothing_is_referred_to_that_is_not_there() {
    for is_sandbox in [false, true] {
        let document = cps_api::handlers::document(is_sandbox);
        let text = document.to_string();
        for reference in text
            .split("\"$ref\":\"#")
            .skip(1)
            .map(|rest| rest.split('"').next().unwrap())
        {
            assert!(
                document.pointer(reference).is_some(),
                "nothing at {reference}"
            );
        }
    }
}

#[test]
fn the_live_contract_knows_no_sandbox() {
    assert!(!document(false).to_string().contains("/sandbox"));
}

/// Every schema that stands anywhere in `value`, with where it stands.
fn objects<'v>(
    value: &'v Value,
    at: &str,
    found: &mut Vec<(String, &'v serde_json::Map<String, Value>)>,
) {
    match value {
        Value::Object(fields) => {
            found.push((at.to_owned(), fields));
            for (name, field) in fields {
                if !["example", "examples", "enum", "default"].contains(&name.as_str()) {
                    objects(field, &format!("{at}/{name}"), found);
                }
            }
        }
        Value::Array(items) => {
            for (n, item) in items.iter().enumerate() {
                objects(item, &format!("{at}/{n}"), found);
            }
        }
        _ => {}
    }
}

#[test]
fn no_property_of_a_patch_has_a_default() {
    let document = document(true);
    let mut patches = 0;
    for (method, path, operation) in operations(&document) {
        let content = operation["requestBody"]["content"].as_object();
        for (media_type, media) in content.into_iter().flatten() {
            if method != "PATCH" {
                continue;
            }
            patches += 1;
            let mut waiting = vec![media["schema"].clone()];
            while let Some(schema) = waiting.pop() {
                let mut all = Vec::new();
                objects(&schema, "", &mut all);
                for (at, object) in all {
                    let is_property = !at.ends_with("/properties");
                    assert!(
                        !(is_property && object.contains_key("default")),
                        "{path} {media_type} {at}"
                    );
                    if let Some(name) = object.get("$ref").and_then(Value::as_str) {
                        waiting.push(
                            document
                                .pointer(name.trim_start_matches('#'))
                                .unwrap()
                                .clone(),
                        );
                    }
                }
            }
        }
    }
    assert!(patches >= 4, "{patches}");
}

#[test]
fn a_file_is_binary_and_comes_as_what_it_is() {
    let document = document(false);
    let path = "/v1/accounts/{account_id}/documents/{document_id}/content";
    let content = &document["paths"][path]["get"]["responses"]["200"]["content"];
    let types: Vec<&str> = content
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(
        types,
        ["application/pdf", "image/jpeg", "image/png", "image/tiff"]
    );
    for media in content.as_object().unwrap().values() {
        let schema = media["schema"]["$ref"].as_str().unwrap();
        let schema = document.pointer(schema.trim_start_matches('#')).unwrap();
        assert_eq!(
            *schema,
            serde_json::json!({ "type": "string", "format": "binary" })
        );
    }
}

#[test]
fn numbers_have_bounds_and_what_may_be_left_out_is_not_null() {
    let document = document(true);
    let mut all = Vec::new();
    objects(&document, "", &mut all);
    for (at, object) in all {
        let kind = object.get("type");
        if kind.is_some_and(|kind| kind == "integer") && !object.contains_key("enum") {
            let [least, most] = ["minimum", "maximum"].map(|bound| object[bound].as_i64().unwrap());
            let is_long = object["format"] == "int64";
            assert!(
                is_long || (least >= i32::MIN.into() && most <= i32::MAX.into()),
                "{at}"
            );
            // The numbers of events, and the parameter that names one.
            let may_be_long = ["sequence", "position", "oldest", "/schema"];
            let may_be_long = may_be_long.iter().any(|end| at.ends_with(end));
            assert!(!is_long || (may_be_long && most < 1 << 53), "{at}");
        }
        let required: Vec<&str> = object
            .get("required")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let is_patch = at.contains("/Update") || at.contains("Patch");
        let properties = object.get("properties").and_then(Value::as_object);
        for (name, property) in properties.into_iter().flatten() {
            let is_nullable = property["type"]
                .as_array()
                .is_some_and(|types| types.contains(&"null".into()))
                || property["oneOf"]
                    .as_array()
                    .is_some_and(|all| all.contains(&serde_json::json!({ "type": "null" })));
            assert!(
                !is_nullable || is_patch || required.contains(&name.as_str()),
                "{at}: {name}"
            );
            if name == "next_cursor" {
                // Of what happens there is never a last page.
                let goes_on = at.ends_with("/EventPage");
                assert!(
                    is_nullable != goes_on && required.contains(&"next_cursor"),
                    "{at}"
                );
            }
        }
        if object.contains_key("in") && object.contains_key("schema") {
            assert!(
                object["schema"]["type"].is_null() || object["schema"]["type"].is_string(),
                "{at}"
            );
        }
    }
    let migrate = &document["paths"]["/v1/accounts/{account_id}/migration"]["post"]["requestBody"];
    let schema = &migrate["content"]["application/json"]["schema"];
    assert!(
        schema["$ref"].is_string() && migrate["required"].is_null(),
        "{migrate}"
    );
}

#[test]
fn an_operation_takes_no_more_room_than_before() {
    for is_sandbox in [false, true] {
        let document = cps_api::handlers::document(is_sandbox);
        let count = operations(&document).len();
        let bytes = document.to_string().len();
        assert!(
            bytes <= 4_100 * count,
            "{bytes} bytes for {count} operations"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_code_is_listed_in_both_languages_with_what_to_call_next() {
    let app = TestApp::start().await;
    let document = document(true);
    let ids: BTreeSet<String> = operations(&document)
        .iter()
        .map(|(_, _, operation)| operation["operationId"].as_str().unwrap().to_owned())
        .collect();
    let list = app.get("/problems/", &Token::default()).await.expect(200);
    for (at, vocabulary) in [("items", "ProblemCode"), ("fields", "FieldCode")] {
        let listed = list.body[at].as_array().unwrap();
        let codes: Vec<&Value> = listed.iter().map(|one| &one["code"]).collect();
        let named = &document["components"]["schemas"][vocabulary];
        assert_eq!(
            codes,
            named["enum"].as_array().unwrap().iter().collect::<Vec<_>>()
        );
        for code in codes {
            let line = format!("- `{}`: ", code.as_str().unwrap());
            assert!(
                named["description"].as_str().unwrap().contains(&line),
                "{code}"
            );
        }
        for one in listed {
            for text in one
                .as_object()
                .unwrap()
                .values()
                .filter(|text| text.is_object())
            {
                let [da, en] = ["da", "en"].map(|language| text[language].as_str().unwrap());
                assert!(!da.is_empty() && !en.is_empty() && da != en, "{one}");
                assert!(!da.contains("{%") && !en.contains("{%"), "{one}");
            }
            if let Some(next) = one["next_operation"].as_str() {
                assert!(ids.contains(next), "{one}");
            }
        }
    }
    let page = app
        .get("/problems/awaiting_proof", &Token::default())
        .await
        .expect(200);
    assert!(page.text.contains("<code>sendMigrationCode</code>"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_word_of_a_vocabulary_has_its_label_in_both_languages() {
    let app = TestApp::start().await;
    let read = async |query: &str| {
        app.get(&format!("/v1/labels{query}"), &Token::default())
            .await
    };
    let [da, en] = [read("?language=da").await, read("?language=en").await];
    let (da, en) = (da.expect(200), en.expect(200));
    assert_eq!(read("").await.expect(200).body, en.body);
    assert_eq!(
        (da.header("content-language"), da.str("/language")),
        ("da", "da".to_owned())
    );
    assert_ne!(da.header("etag"), en.header("etag"));
    assert_eq!(da.str("/labels/account_statuses/draft"), "Kladde");
    assert_eq!(
        en.str("/labels/payment_methods/bank_transfer"),
        "Bank transfer"
    );
    assert_eq!(da.str("/labels/levels/gold"), "Gold");
    let [da, en] = [&da, &en].map(|answer| answer.body["labels"].as_object().unwrap());
    for (vocabulary, words) in da {
        for (word, label) in words.as_object().unwrap() {
            let other = &en[vocabulary][word];
            assert!(
                label != "" && other != "" && other.is_string(),
                "{vocabulary} {word}"
            );
        }
    }
    read("?language=sv").await.problem(422, "invalid_request");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_hands_out_the_contract_with_its_own_address() {
    let app = TestApp::start().await;
    let served = app
        .get("/openapi.json", &Token::default())
        .await
        .expect(200);
    assert_eq!(served.str("/servers/0/url"), app.address);
    assert_eq!(
        served.str("/externalDocs/url"),
        format!("{}/docs/", app.address)
    );
    for place in ["/info/contact/url", "/info/license/identifier"] {
        served.str(place);
    }
}

/// Fields whose values are words of a vocabulary, wherever they stand.
const WORDS: [&str; 11] = [
    "caller",
    "code",
    "codes",
    "currently_due",
    "decision",
    "kind",
    "reason_code",
    "result",
    "roles",
    "state",
    "status",
];

/// Where a code is one that people type from a mail.
const TYPED: [&str; 2] = ["/MailView/", "/ProveAddress/"];

#[test]
fn what_is_a_word_of_a_vocabulary_is_no_plain_string() {
    let document = document(true);
    let mut all = Vec::new();
    objects(&document["components"]["schemas"], "", &mut all);
    let mut seen = BTreeSet::new();
    for (at, object) in all {
        let name = WORDS
            .iter()
            .find(|name| at.ends_with(&format!("/properties/{name}")));
        let item = object.get("items").and_then(Value::as_object);
        let schema = item.unwrap_or(object);
        if let Some(name) = name.filter(|_| !TYPED.iter().any(|one| at.contains(one))) {
            seen.insert(name);
            let is_plain = schema.get("type").is_some_and(|kind| kind == "string");
            let is_listed = schema.contains_key("enum") || schema.contains_key("pattern");
            assert!(!is_plain || is_listed, "{at}");
        }
    }
    assert_eq!(seen.len(), WORDS.len(), "{seen:?}");
}

/// The columns of `tests/permissions.csv` that are roles, as the contract calls them.
const ROLES: [&str; 8] = [
    "applicant",
    "read_only",
    "member",
    "superuser",
    "reviewer",
    "support",
    "finance",
    "admin",
];

/// The columns of the permissions of dealers' systems, one for each scope.
const DEALERS: [&str; 3] = ["dealer_write", "dealer_read", "dealer_hooks"];

#[test]
fn each_operation_names_its_callers_as_the_permissions_do() {
    let table = std::fs::read_to_string("tests/permissions.csv").unwrap();
    let mut rows = table
        .lines()
        .map(|line| line.split(',').collect::<Vec<_>>());
    let head = rows.next().unwrap();
    let rows: std::collections::BTreeMap<&str, Vec<&str>> = rows.map(|row| (row[0], row)).collect();
    let document = document(true);
    let words = &document["components"]["schemas"]["Role"]["enum"];
    let words = words.as_array().unwrap();
    for (_, _, operation) in operations(&document) {
        let id = operation["operationId"].as_str().unwrap();
        let cell = |caller: &str| rows[id][head.iter().position(|one| *one == caller).unwrap()];
        let callers: Vec<&str> = operation["x-callers"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(Value::as_str)
            .collect();
        let has_scope = DEALERS.iter().any(|dealer| cell(dealer) == "ok");
        assert_eq!(
            callers.contains(&"partner") || callers == ["anybody"],
            has_scope,
            "{id}"
        );
        for caller in callers.iter().filter(|caller| **caller != "partner") {
            assert!(
                *caller == "anybody" || words.contains(&(*caller).into()),
                "{id}: {caller}"
            );
        }
        let is_refused = |cell: &str| cell.starts_with("401") || cell.starts_with("403");
        assert_eq!(
            callers.contains(&"anybody"),
            !is_refused(cell("none")),
            "{id}"
        );
        for role in ROLES {
            let is_named = callers.contains(&role) || callers == ["anybody"];
            assert_eq!(
                is_named,
                !is_refused(cell(role)),
                "{id}: {role} is answered {}",
                cell(role)
            );
        }
        let description = operation["description"].as_str().unwrap();
        assert!(
            description.lines().last().unwrap().starts_with("Callers: "),
            "{id}"
        );
    }
}

/// The headers that answers have beside those of every HTTP.
const HEADERS: [&str; 11] = [
    "x-request-id",
    "content-language",
    "ratelimit",
    "ratelimit-policy",
    "etag",
    "location",
    "link",
    "idempotency-replayed",
    "retry-after",
    "www-authenticate",
    "accept-patch",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_header_of_an_answer_is_documented() {
    let app = TestApp::start().await;
    let document = document(true);
    let (account, applicant) = app.applicant(serde_json::json!({})).await;
    let admin = app.sign_in("admin@cps.example").await;
    let member = app.sign_in("mette@fjordfoto.example").await;
    let own = "/v1/accounts/acc_00000000000070008000000000000001";
    let product = serde_json::json!({ "model_id": "mod_000000000000700080000000000003e9" });
    let keyed = || {
        app.request(Method::POST, &format!("{own}/products"))
            .sent_by(&member)
            .header("idempotency-key", "k1")
            .json(&product)
    };
    let answers = [
        (
            "/v1/accounts/{account_id}",
            "get",
            app.get(&account, &applicant).await,
        ),
        (
            "/v1/accounts/{account_id}",
            "patch",
            app.patch(
                &account,
                &applicant,
                1,
                serde_json::json!({ "language": "en" }),
            )
            .await,
        ),
        (
            "/v1/accounts/{account_id}",
            "patch",
            app.request(Method::PATCH, &account)
                .sent_by(&applicant)
                .header("if-match", "\"2\"")
                .body("x")
                .answer()
                .await,
        ),
        (
            "/v1/accounts/{account_id}",
            "get",
            app.get(&account, &Token::default()).await,
        ),
        (
            "/v1/accounts",
            "post",
            app.post(
                "/v1/accounts",
                &Token::default(),
                crate::support::registration(serde_json::json!({ "vat_number": "10150817" })),
            )
            .await,
        ),
        (
            "/v1/accounts",
            "get",
            app.get("/v1/accounts?limit=1", &admin).await,
        ),
        (
            "/v1/accounts/{account_id}/products",
            "post",
            keyed().answer().await,
        ),
        (
            "/v1/accounts/{account_id}/products",
            "post",
            keyed().answer().await,
        ),
        (
            "/v1/models",
            "get",
            app.get("/v1/models?limit=1", &Token::default()).await,
        ),
        (
            "/v1/programme",
            "get",
            app.get("/v1/programme", &Token::default()).await,
        ),
        (
            "/healthz",
            "get",
            app.get("/healthz", &Token::default()).await,
        ),
        (
            "/v1/accounts/{account_id}/points",
            "get",
            app.get(&format!("{own}/points"), &member).await,
        ),
    ];
    let mut seen = BTreeSet::new();
    for (path, method, answer) in &answers {
        let described = &document["paths"][path][method]["responses"][answer.status.to_string()];
        let described = described["headers"].as_object();
        let described: BTreeSet<String> = described
            .unwrap_or_else(|| panic!("{method} {path} {answer:?}"))
            .keys()
            .map(|name| name.to_lowercase())
            .collect();
        for name in HEADERS {
            if answer.headers.contains_key(name) {
                assert!(
                    described.contains(name),
                    "{method} {path} {}: {name}",
                    answer.status
                );
                seen.insert(name);
            }
        }
    }
    let unseen: Vec<_> = HEADERS
        .iter()
        .filter(|name| !seen.contains(*name))
        .collect();
    assert_eq!(unseen, [&"retry-after"], "seen in no answer");
}

#[test]
fn what_only_reads_and_may_be_refused_by_the_state_of_things_says_so() {
    let document = document(true);
    for path in [
        "/v1/accounts/{account_id}/membership/levels",
        "/v1/accounts/{account_id}/invoices/{invoice_id}/xml",
    ] {
        let conflict = &document["paths"][path]["get"]["responses"]["409"];
        assert!(conflict.is_object(), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_closed_operation_refuses_a_stranger() {
    let app = TestApp::start().await;
    for (method, path, operation) in operations(&document(true)) {
        if operation["security"].as_array().is_some_and(|all| {
            let is_scheme = |one: &Value| one.as_object().is_some_and(|one| !one.is_empty());
            !all.is_empty() && all.iter().all(is_scheme)
        }) {
            let concrete = path
                .split('/')
                .map(|part| if part.starts_with('{') { "x" } else { part })
                .collect::<Vec<_>>()
                .join("/");
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            let answer = app
                .request(method.clone(), &concrete)
                .answer()
                .await
                .problem(401, "unauthenticated");
            assert_eq!(
                answer.header("www-authenticate"),
                "Bearer",
                "{method} {path}"
            );
        }
    }
}
