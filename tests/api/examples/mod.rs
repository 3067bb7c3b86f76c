//! The examples of the contract are what the service answers: a walk hears every operation and every code, and `openapi/examples.json` is what it heard.

pub mod heard;
mod refused;
mod same;
mod walk;

use std::collections::BTreeMap;

use cps_api::error::Code;
use serde_json::{Map, Value, json};

use crate::openapi::{assert_committed, document, operations};
use crate::permissions::Operation;
use heard::Heard;
use same::Same;

/// Media types whose answers are shown.
const SHOWN: [&str; 2] = ["application/json", "text/csv"];

/// The operation that a path is routed to: of several, the one that names most of it.
fn routed<'o>(all: &'o [Operation], heard: &Heard) -> Option<&'o Operation> {
    let asked: Vec<&str> = heard.path.split('/').collect();
    let fits = |one: &&Operation| {
        let parts: Vec<&str> = one.path.split('/').collect();
        let alike = |(part, asked): (&&str, &&str)| part.starts_with('{') || part == asked;
        one.method == heard.method
            && parts.len() == asked.len()
            && parts.iter().zip(&asked).all(alike)
    };
    let open = |one: &&Operation| one.path.matches('{').count();
    all.iter().filter(fits).min_by_key(open)
}

fn media_type(heard: &Heard) -> &str {
    let kind = heard.answer.header("content-type");
    kind.split(';').next().unwrap_or_default()
}

/// What an answer shows: JSON as it is, of a file the first lines, nothing of other bytes.
fn shown(heard: &Heard) -> Option<Value> {
    let kind = media_type(heard);
    let shown = SHOWN.contains(&kind) && heard.answer.status != 204;
    shown.then(|| match kind {
        "text/csv" => json!(
            heard
                .answer
                .text
                .split_inclusive('\n')
                .take(2)
                .collect::<String>()
        ),
        _ => heard.answer.body.clone(),
    })
}

/// Under which name an answer is kept: that of its schema, else of its operation.
fn name(operation: &Operation, heard: &Heard) -> String {
    let answer = &operation.spec["responses"][heard.answer.status.to_string()];
    let schema = &answer["content"][media_type(heard)]["schema"]["$ref"];
    let schema = schema.as_str().and_then(|schema| schema.rsplit('/').next());
    schema.unwrap_or(&operation.id).to_owned()
}

/// The first success that was heard of each kind.
fn successes(all: &[Operation], heard: &[Heard]) -> BTreeMap<String, Value> {
    let mut answers = BTreeMap::new();
    for one in heard.iter().filter(|one| one.answer.status < 300) {
        if let (Some(operation), Some(body)) = (routed(all, one), shown(one)) {
            answers.entry(name(operation, one)).or_insert(body);
        }
    }
    answers
}

/// The first problem that was heard of each code.
fn problems(heard: &[Heard]) -> BTreeMap<String, Value> {
    let mut problems = BTreeMap::new();
    for one in heard {
        let kind = one.answer.header("content-type");
        if kind == "application/problem+json" {
            let code = one.answer.str("/code");
            problems.entry(code).or_insert(one.answer.body.clone());
        }
    }
    problems
}

/// Of many alike one is enough, of many words two.
fn trim(value: &mut Value) {
    match value {
        Value::Object(fields) => fields.values_mut().for_each(trim),
        Value::Array(items) => {
            let most = if items.iter().any(Value::is_object) {
                1
            } else {
                2
            };
            items.truncate(most);
            items.iter_mut().for_each(trim);
        }
        _ => {}
    }
}

/// The labels are some hundred words: a vocabulary shows how they come.
fn trim_labels(answers: &mut BTreeMap<String, Value>) {
    let labels = answers.get_mut("LabelsView").unwrap();
    let labels = labels["labels"].as_object_mut().unwrap();
    *labels = std::mem::take(labels).into_iter().take(1).collect();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_example_is_what_the_service_answers() {
    let all = Operation::all(&document(true));
    let mut answers = successes(&all, &walk::writes_and_reads().await);
    trim_labels(&mut answers);
    let mut problems = problems(&refused::all().await);
    for (code, problem) in refused::rendered() {
        let met = problems.insert(code.clone(), problem);
        assert!(met.is_none(), "{code} was met: it is not to be rendered");
    }
    let unmet = Code::ALL
        .iter()
        .filter(|code| !problems.contains_key(code.as_str()));
    let unmet: Vec<_> = unmet.collect();
    assert!(unmet.is_empty(), "no example of a problem: {unmet:?}");
    let mut examples = json!({ "answers": answers, "problems": problems });
    trim(&mut examples);
    let mut same = Same::default();
    same.learn(&examples);
    same.show(&mut examples);
    assert_committed(
        "examples.json",
        &(serde_json::to_string_pretty(&examples).unwrap() + "\n"),
    );
}

fn content(response: &Value) -> Map<String, Value> {
    response["content"].as_object().cloned().unwrap_or_default()
}

#[test]
fn every_answer_of_every_operation_shows_an_example() {
    let document = document(true);
    let mut without = Vec::new();
    for (method, path, operation) in operations(&document) {
        for (status, response) in operation["responses"].as_object().unwrap() {
            for (kind, media) in content(response) {
                let at = format!("{method} {path} {status} {kind}");
                let examples = media["examples"].as_object();
                let examples = examples.into_iter().flat_map(Map::values);
                let is_problem = kind == "application/problem+json";
                for problem in examples.clone().filter(|_| is_problem) {
                    assert_eq!(problem["value"]["status"].to_string(), *status, "{at}");
                }
                let is_shown = !media["example"].is_null() || examples.count() > 0;
                if !is_shown && (is_problem || SHOWN.contains(&kind.as_str())) {
                    without.push(at);
                }
            }
        }
    }
    assert!(
        without.is_empty(),
        "tests/api/examples/walk.rs hears no {without:#?}"
    );
}
