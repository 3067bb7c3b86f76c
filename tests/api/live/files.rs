//! What the service makes on disk is its own user's alone, whatever the umask says.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process::{Setup, free_port};

fn everything(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .flat_map(|path| match path.is_dir() {
            true => [everything(&path), vec![path]].concat(),
            false => vec![path],
        })
        .collect()
}

fn open(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

#[track_caller]
fn closed(folder: &Path) -> Vec<String> {
    let found = [everything(folder), vec![folder.to_owned()]].concat();
    let mut names = Vec::new();
    for path in found {
        let mode = std::fs::metadata(&path).unwrap().permissions().mode() & 0o7777;
        let expected = if path.is_dir() { 0o700 } else { 0o600 };
        assert_eq!(mode, expected, "{}: {mode:o}", path.display());
        names.push(path.strip_prefix(folder).unwrap().display().to_string());
    }
    names
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_database_and_the_documents_are_closed_to_other_users() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let setup = Setup::new(folder.path()).with("CPS_BIND", &format!("127.0.0.1:{}", free_port()));
    let mut served = setup.serve_under_umask("000");
    let names = closed(&data);
    for name in [
        "cps.db",
        "cps.db-wal",
        "cps.db-shm",
        "cps.db.lock",
        "documents",
    ] {
        assert!(names.iter().any(|found| found == name), "{name}: {names:?}");
    }
    assert!(
        names.iter().any(|name| name.starts_with("documents/")),
        "a sample is seeded: {names:?}"
    );
    served.kill();
    // As an older version, or a copy, left them.
    for name in ["cps.db", "cps.db-wal", "cps.db-shm", "cps.db.lock"] {
        if data.join(name).exists() {
            open(&data.join(name), 0o666);
        }
    }
    open(&data.join("documents"), 0o777);
    let _again = setup.serve();
    closed(&data);
}

#[test]
fn a_folder_that_everybody_uses_is_no_place_for_documents() {
    let folder = tempfile::tempdir().unwrap();
    let shared = folder.path().join("shared");
    std::fs::create_dir(&shared).unwrap();
    open(&shared, 0o1777);
    let setup = Setup::new(folder.path()).with("CPS_DOCUMENT_STORE", "file://shared");
    let said = setup.run(&["serve"]);
    assert!(!said.ok && said.stderr.contains("shared"), "{said:?}");
    let listed = Command::new("stat")
        .args(["-c", "%a"])
        .arg(&shared)
        .output()
        .unwrap();
    assert_eq!(String::from_utf8(listed.stdout).unwrap().trim(), "1777");
}
