//! What `check-config` and the start refuse, each by its name.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use cps_api::auth::tokens::SigningKeys;
use cps_api::secrets::Sealer;

use crate::process::Setup;
use crate::support::Database;

const SMTP: &str = "smtp://127.0.0.1:25";

#[track_caller]
fn refused(setup: &Setup, names: &[&str]) {
    for command in ["check-config", "serve"] {
        let said = setup.run(&[command]);
        assert!(!said.ok, "{command}: {said:?}");
        for name in names {
            let is_named = said.stderr.lines().any(|line| line.contains(name));
            assert!(is_named, "{command}: {name}: {}", said.stderr);
        }
    }
}

fn write(path: &Path, text: &str, mode: u32) -> String {
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    path.display().to_string()
}

#[test]
fn what_is_wrong_in_the_environment_and_in_files_is_one_message() {
    let database = Database::create();
    let keys = database.folder().join("open.pem");
    let keys = write(&keys, &SigningKeys::generate().unwrap(), 0o644);
    let setup = Setup::live(&database, SMTP)
        .with("CPS_PUBLIC_URL", "http://api.cps.example")
        .with("CPS_FRONTEND_URL", "http://cps.example")
        .with("CPS_SIGNING_KEYS", &keys)
        .with("CPS_TRUSTED_PROXIES", "0.0.0.0/0")
        .with("CPS_CORS_ORIGINS", "*")
        .with("PGHOST", "db.example")
        .with(
            "DATABASE_URL",
            "postgres://a.cps.dk/cps?sslmode=verify-full&sslmode=disable&hostaddr=10.0.0.1",
        )
        .with("CPS_MAIL", "smtp://mail.example?tls=maybe")
        .with("CPS_TYPO", "1")
        .without("CPS_PROGRAMME");
    refused(
        &setup,
        &[
            "CPS_PUBLIC_URL",
            "CPS_FRONTEND_URL",
            "CPS_SIGNING_KEYS",
            "CPS_TRUSTED_PROXIES",
            "CPS_CORS_ORIGINS",
            "PGHOST",
            "sslmode twice",
            "hostaddr",
            "CPS_MAIL ",
            "CPS_TYPO",
            "CPS_PROGRAMME",
        ],
    );
}

#[test]
fn a_file_of_keys_is_one_and_nobody_elses() {
    let database = Database::create();
    let folder = database.folder();
    let key = SigningKeys::generate().unwrap();
    let setup = Setup::live(&database, SMTP);
    let zero = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n-----END PRIVATE KEY-----\n";
    let path = folder.join("tried.pem");
    for mode in [0o604, 0o640, 0o660, 0o622, 0o601] {
        let path = write(&path, &key, mode);
        refused(
            &setup.clone().with("CPS_SIGNING_KEYS", &path),
            &["CPS_SIGNING_KEYS"],
        );
        refused(
            &setup.clone().with("CPS_SEALING_KEYS", &path),
            &["CPS_SEALING_KEYS"],
        );
    }
    for text in [
        String::new(),
        format!("{key}\n{key}"),
        [(); 3].map(|()| SigningKeys::generate().unwrap()).concat(),
        zero.to_owned(),
        key.replace("PRIVATE", "ENCRYPTED PRIVATE"),
        key.replace("PRIVATE", "RSA PRIVATE"),
        "no key".to_owned(),
    ] {
        let path = write(&path, &text, 0o600);
        refused(
            &setup.clone().with("CPS_SIGNING_KEYS", &path),
            &["CPS_SIGNING_KEYS"],
        );
    }
    let open = write(&folder.join("open.pem"), &key, 0o644);
    let link = folder.join("link.pem");
    symlink(&open, &link).unwrap();
    for path in [
        link.as_path(),
        folder,
        Path::new("/dev/null"),
        Path::new("/nowhere"),
    ] {
        let setup = setup
            .clone()
            .with("CPS_SIGNING_KEYS", &path.display().to_string());
        refused(&setup, &["CPS_SIGNING_KEYS"]);
    }
    let drawn = || Sealer::generate().unwrap();
    for text in [
        String::new(),
        key.clone(),
        "0".repeat(64),
        drawn()[..60].to_owned(),
        [drawn(), drawn(), drawn()].join("\n"),
    ] {
        let path = write(&path, &text, 0o600);
        refused(
            &setup.clone().with("CPS_SEALING_KEYS", &path),
            &["CPS_SEALING_KEYS"],
        );
    }
    let sealing = [drawn(), drawn()].join("\n");
    let sealing = write(&folder.join("two.keys"), &sealing, 0o600);
    let setup = setup.with("CPS_SEALING_KEYS", &sealing);
    let two = format!("{key}\n{}", SigningKeys::generate().unwrap());
    for mode in [0o600, 0o400] {
        let path = write(&folder.join("two.pem"), &two, mode);
        let said = setup
            .clone()
            .with("CPS_SIGNING_KEYS", &path)
            .run(&["check-config"]);
        assert!(said.ok, "{said:?}");
        std::fs::remove_file(path).unwrap();
    }
}

#[test]
fn the_example_seller_sells_nothing_and_what_is_doubtful_is_told() {
    let database = Database::create();
    let setup = Setup::live(&database, "smtp://mail.cps.example?tls=none");
    let said = setup.run(&["check-config"]);
    assert!(said.ok, "{said:?}");
    for doubt in [
        "CPS_MAIL sends",
        "CPS_PUBLIC_URL stands",
        "CPS_PROGRAMME has",
    ] {
        assert!(said.stdout.contains(doubt), "{doubt}: {said:?}");
    }
    refused(&setup.clone().without("CPS_PROGRAMME"), &["CPS_PROGRAMME"]);
    let shipped = database.file("shipped.toml", include_str!("../../../programme.toml"));
    refused(
        &setup.clone().with("CPS_PROGRAMME", &shipped),
        &["CPS_PROGRAMME"],
    );
    let own = include_str!("../../../programme.toml").replacen(
        "\nexample = true",
        "\nexample = false",
        1,
    );
    for (entry, written) in [
        ("company_number", "company_number = \"99999999\"\n"),
        ("company_scheme", "company_scheme = \"0106\"\n"),
    ] {
        assert!(own.contains(written), "{entry}");
        let without = database.file("without.toml", &own.replace(written, ""));
        let setup = setup.clone().with("CPS_PROGRAMME", &without);
        refused(&setup, &["CPS_PROGRAMME", entry]);
    }
}

#[test]
fn a_variable_that_is_no_text_is_named() {
    use std::os::unix::ffi::OsStrExt;
    let folder = tempfile::tempdir().unwrap();
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_cps-api"))
        .arg("check-config")
        .env_clear()
        .env("CPS_MODE", std::ffi::OsStr::from_bytes(b"li\xffve"))
        .current_dir(folder.path())
        .output()
        .unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(
        !output.status.success() && told.contains("CPS_MODE"),
        "{told}"
    );
}
