//! The service as it was at another commit, built beside this one in a target folder of its own.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Builds the program of a git revision as this one is built; where it is.
pub fn build(folder: &Path, revision: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (source, target) = (folder.join("before"), root.join("target/bench-before"));
    let archive = folder.join("before.tar");
    run(Command::new("git")
        .current_dir(root)
        .args(["archive", "-o"])
        .arg(&archive)
        .arg(revision));
    std::fs::create_dir(&source).unwrap();
    run(Command::new("tar")
        .args(["-xf"])
        .arg(&archive)
        .arg("-C")
        .arg(&source));
    run(Command::new("cargo")
        .current_dir(&source)
        .args(["build", "--release", "--locked", "--bin", "cps-api"])
        .env("CARGO_TARGET_DIR", &target));
    target.join("release/cps-api")
}

fn run(command: &mut Command) {
    let status = command.status().expect("a program that is there");
    assert!(status.success(), "{command:?}");
}
