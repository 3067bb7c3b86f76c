//! The list of events, the contract and the code say the same.

use std::collections::BTreeSet;
use std::path::Path;

use cps_api::domain::event::Event;

use crate::openapi::document;

#[test]
fn the_contract_describes_every_event_and_no_other() {
    let document = document(false);
    let described: BTreeSet<&str> = document["webhooks"]
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    let listed: BTreeSet<&str> = Event::KINDS.iter().map(|(word, _)| *word).collect();
    assert_eq!(described, listed);
    let mut ids = BTreeSet::new();
    for (word, item) in document["webhooks"].as_object().unwrap() {
        let schema = &item["post"]["requestBody"]["content"]["application/json"]["schema"];
        let schema = &schema["allOf"][1];
        assert_eq!(schema["properties"]["type"]["enum"][0], word.as_str());
        assert!(ids.insert(item["post"]["operationId"].as_str().unwrap()));
        let data = &schema["properties"]["data"]["properties"];
        assert!(
            data.as_object().is_some_and(|fields| !fields.is_empty()),
            "{word}"
        );
        for field in data.as_object().unwrap().values() {
            let named = field["$ref"].as_str().or(field["items"]["$ref"].as_str());
            if let Some(name) = named {
                let name = name.rsplit('/').next().unwrap();
                assert!(
                    document["components"]["schemas"][name].is_object(),
                    "{word}: {name}"
                );
            }
        }
    }
}

/// The source files below `folder`, but for the list itself; the code above their unit tests.
fn sources(folder: &Path, all: &mut String) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, all);
        } else if path.extension().is_some_and(|e| e == "rs") && !path.ends_with("domain/event.rs")
        {
            let text = std::fs::read_to_string(&path).unwrap();
            all.push_str(text.split("#[cfg(test)]").next().unwrap());
        }
    }
}

/// `account.link_sent` as `AccountLinkSent`.
fn variant(word: &str) -> String {
    let parts = word.split(['.', '_']);
    parts
        .map(|part| part[..1].to_uppercase() + &part[1..])
        .collect()
}

#[test]
fn every_event_of_the_list_is_recorded_somewhere() {
    let mut code = String::new();
    sources(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("src"),
        &mut code,
    );
    let made = [
        ("password_changed", "PasswordChanged"),
        ("user_activated", "Activated"),
        ("sessions_ended", "SessionsEnded"),
        ("session_ended", "SessionEnded"),
        ("user_changed", "Changed"),
    ];
    let is_made = |word: &str| {
        let name = variant(word);
        let by_helper = |(call, end): &(&str, &str)| {
            ["User", "Staff"]
                .iter()
                .any(|of| name == format!("{of}{end}"))
                && code.contains(&format!("Event::{call}("))
        };
        code.contains(&format!("Event::{name} {{"))
            || code.contains(&format!("event!({name})"))
            || made.iter().any(by_helper)
    };
    let unused: Vec<&str> = Event::KINDS
        .iter()
        .map(|(word, _)| *word)
        .filter(|word| !is_made(word))
        .collect();
    assert!(unused.is_empty(), "nothing records {unused:?}");
}
