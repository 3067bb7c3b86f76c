//! The folder of the documents is the service's alone.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::process::Setup;

#[test]
fn a_folder_with_files_of_others_or_with_the_database_is_refused() {
    let root = tempfile::tempdir().unwrap();
    let theirs = root.path().join("theirs");
    fs::create_dir(&theirs).unwrap();
    fs::write(theirs.join("accounts.xlsx"), "x").unwrap();
    fs::set_permissions(&theirs, fs::Permissions::from_mode(0o755)).unwrap();
    fs::create_dir(root.path().join("data")).unwrap();
    let setup = Setup::new(root.path());
    for (store, words) in [
        ("file://theirs", ["accounts.xlsx", "new or empty"]),
        ("theirs", ["accounts.xlsx", "new or empty"]),
        ("file://data", ["database", "a folder of its own"]),
        ("file://data/..", ["database", "a folder of its own"]),
    ] {
        for command in ["serve", "check-config"] {
            let setup = setup.clone().with("CPS_DOCUMENT_STORE", store);
            let said = setup.run(&[command]);
            assert!(!said.ok, "{store}");
            for word in [&["CPS_DOCUMENT_STORE"], words.as_slice()].concat() {
                assert!(said.stderr.contains(word), "{store}: {word}: {said:?}");
            }
        }
    }
    // Nothing was made and nothing was closed.
    let mode = fs::metadata(&theirs).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode, fs::read_dir(&theirs).unwrap().count()), (0o755, 1));
    assert_eq!(fs::read_dir(root.path().join("data")).unwrap().count(), 0);
}

#[test]
fn a_folder_of_an_older_version_is_taken_over() {
    let root = tempfile::tempdir().unwrap();
    let store = root.path().join("store");
    for name in [
        "documents/0123456789abcdef0123456789abcdef",
        "documents/0123456789abcdef0123456789abcdee#1",
        "sandbox/certificate",
    ] {
        fs::create_dir_all(store.join(name).parent().unwrap()).unwrap();
        fs::write(store.join(name), "x").unwrap();
    }
    let setup = Setup::new(root.path()).with("CPS_DOCUMENT_STORE", "store");
    drop(setup.serve());
    // It is marked then, and what is put beside is left alone.
    fs::write(store.join("README"), "x").unwrap();
    drop(setup.serve());
    assert!(store.join("README").exists());
}
