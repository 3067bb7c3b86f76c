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

/// The only places that make a caller, an actor or a proof: from a token, a job, a command, the sandbox's seed, a line that names a customer.
const PROVERS: [&str; 6] = [
    "auth/authenticator.rs",
    "domain/access/mod.rs",
    "jobs/mod.rs",
    "main.rs",
    "workflows/registrations/matching.rs",
    "workflows/sandbox/mod.rs",
];

#[test]
fn a_proof_is_made_in_six_places() {
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
        "Caller::partner",
        "AccountAccess::of_match",
        "Anonymous::new",
        "ServiceAccess::new",
    ] {
        assert!(watched.contains(&format!("::{maker}\"")), "{maker}");
    }
}

/// The most lines of a file, and of a function with its signature.
const MOST: (usize, usize) = (300, 40);

/// The code above the unit tests as it stands; nothing where the whole file is for tests or is the list of tables.
fn written(path: &Path) -> String {
    let is_left_out = path.ends_with("repository/schema.rs")
        || path.ends_with("repository/testing.rs")
        || path.components().any(|part| part.as_os_str() == "tests");
    let text = std::fs::read_to_string(path).unwrap();
    let mut lines = text.lines().peekable();
    let mut code = String::new();
    while let Some(line) = lines.next().filter(|_| !is_left_out) {
        let next = lines.peek().copied().unwrap_or_default();
        if line == "#[cfg(test)]" && next.ends_with("mod tests {") {
            break;
        }
        code += line;
        code += "\n";
    }
    code
}

/// Each function with its lines, by the layout that rustfmt gives it: it ends at the first brace that stands where it began.
fn functions(code: &str) -> Vec<(&str, usize)> {
    let lines: Vec<&str> = code.lines().collect();
    let mut functions = Vec::new();
    for (begin, line) in lines.iter().enumerate() {
        let text = line.trim_start();
        let indent = &line[..line.len() - text.len()];
        let Some((before, name)) = text.split_once("fn ") else {
            continue;
        };
        let is_item = before.split_whitespace().all(|word| {
            word.starts_with("pub")
                || ["const", "async", "default"].contains(&word)
                || word.ends_with(')')
        });
        let is_whole = line.ends_with('}') || line.ends_with(';');
        if !is_item || is_whole {
            continue;
        }
        let (brace, semicolon) = (format!("{indent}}}"), format!("{indent})"));
        let end = lines.iter().skip(begin + 1).position(|line| {
            *line == brace || (line.starts_with(&semicolon) && line.ends_with(';'))
        });
        let name = name.split(['(', '<']).next().unwrap();
        functions.push((name, end.unwrap_or(0) + 2));
    }
    functions
}

#[test]
fn the_length_of_a_function_is_counted_from_its_name_to_its_end() {
    let code = "impl A {\n    pub(in crate::b) async fn c(\n        &self,\n    ) -> D {\n        e();\n    }\n\n    fn g();\n}\n\nfn f() {\n}\n";
    assert_eq!(functions(code), [("c", 5), ("f", 2)]);
}

#[test]
fn files_and_functions_stay_short_enough_to_be_read() {
    let (file, function) = MOST;
    let mut counted = 0;
    let mut too_long = Vec::new();
    for path in sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src")) {
        let code = written(&path);
        let lines = code.lines().count();
        if lines > file {
            too_long.push(format!("{}: {lines} lines", path.display()));
        }
        for (name, lines) in functions(&code) {
            counted += 1;
            if lines > function {
                too_long.push(format!("{}: {name} has {lines} lines", path.display()));
            }
        }
    }
    assert!(counted > 1000, "only {counted} functions are seen");
    assert!(too_long.is_empty(), "{too_long:#?}");
}
