//! Who may import whom: the table of the architecture, held against the `use` lines and paths of the source.

use std::path::{Path, PathBuf};

/// From the top down: each layer may use itself and those before it.
const LAYERS: [&[&str]; 11] = [
    &["types", "error"],
    &["domain"],
    &["texts"],
    &["clock", "config", "private", "programme", "secrets"],
    &["repository"],
    &["workflows"],
    &["integrations"],
    &["jobs"],
    &["auth"],
    &["handlers"],
    &["server"],
];

/// What a layer may not use although it stands before it.
const NEVER: [(&str, &[&str]); 6] = [
    (
        "domain",
        &[
            "crate::clock",
            "diesel::prelude",
            "actix",
            "tokio",
            "aws_lc_rs",
            "std::fs",
            "std::net",
            "std::time::SystemTime",
            "Utc::now",
        ],
    ),
    (
        "repository",
        &["crate::config", "crate::programme", "actix", "http::"],
    ),
    ("workflows", &["crate::config", "actix", "reqwest", "tokio"]),
    ("integrations", &["crate::repository", "crate::workflows"]),
    (
        "auth",
        &["crate::jobs", "crate::integrations", "crate::workflows"],
    ),
    ("error", &["actix", "http::"]),
];

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| {
            if path.is_dir() {
                sources(&path)
            } else {
                vec![path]
            }
        })
        .filter(|path| path.extension().is_some_and(|e| e == "rs"))
        .collect()
}

fn layer_of(module: &str) -> Option<usize> {
    LAYERS.iter().position(|modules| modules.contains(&module))
}

/// The code above the unit tests, without comments.
fn code(path: &Path) -> String {
    let text = std::fs::read_to_string(path).unwrap();
    let body = text.split("#[cfg(test)]").next().unwrap();
    body.lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn no_layer_uses_one_below_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for path in sources(&root) {
        let inner = path
            .strip_prefix(&root)
            .unwrap()
            .to_string_lossy()
            .replace(".rs", "");
        let module = inner.split('/').next().unwrap().to_owned();
        let Some(own) = layer_of(&module) else {
            assert!(
                ["lib", "main", "arguments"].contains(&module.as_str()),
                "{inner} is in no layer"
            );
            continue;
        };
        let code = code(&path);
        for used in code.split("crate::").skip(1).map(|rest| {
            rest.split(|c: char| !(c.is_alphanumeric() || c == '_'))
                .next()
                .unwrap()
        }) {
            // The macros of the repository and the types name the connection.
            let is_allowed = layer_of(used).is_none_or(|layer| layer <= own)
                || (module == "types" && used == "repository");
            assert!(is_allowed, "{inner} uses {used}");
        }
        for (_, words) in NEVER.iter().filter(|(layer, _)| *layer == module) {
            for word in words.iter() {
                assert!(!code.contains(word), "{inner} uses {word}");
            }
        }
    }
}

#[test]
fn every_module_says_what_lives_in_it() {
    for path in sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src")) {
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("//! "), "{}", path.display());
    }
}

/// The only places that make a caller, an actor or a proof: from a token, a job, a command, the sandbox's seed.
const PROVERS: [&str; 5] = [
    "auth/authenticator.rs",
    "domain/access.rs",
    "jobs/mod.rs",
    "main.rs",
    "workflows/sandbox/mod.rs",
];

#[test]
fn a_proof_is_made_in_five_places() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let makes = |path: &PathBuf| code(path).contains("clippy::disallowed_methods");
    let inner = |path: PathBuf| {
        let inner = path.strip_prefix(&root).unwrap();
        inner.to_string_lossy().into_owned()
    };
    let mut found: Vec<String> = sources(&root)
        .into_iter()
        .filter(makes)
        .map(inner)
        .collect();
    found.sort();
    assert_eq!(found, PROVERS);
    let watched = include_str!("../../clippy.toml");
    for maker in [
        "Actor::new",
        "Caller::applicant",
        "Caller::user",
        "Anonymous::new",
        "ServiceAccess::new",
    ] {
        assert!(watched.contains(&format!("::{maker}\"")), "{maker}");
    }
}
