//! The contract tells the truth: it is the generated one, it is whole, and every closed operation refuses a stranger.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::Value;

use crate::support::{Sending, TestApp};

pub fn document(is_sandbox: bool) -> Value {
    serde_json::to_value(cps_api::handlers::document(is_sandbox)).unwrap()
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
fn assert_committed(name: &str, current: &str) {
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
        &(cps_api::handlers::document(false).to_pretty_json().unwrap() + "\n"),
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
            assert!(
                response["content"]["application/problem+json"].is_object(),
                "{at}: {status}"
            );
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
        let document = document(is_sandbox);
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
