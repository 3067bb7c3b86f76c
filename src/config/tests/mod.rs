//! What the environment may say, and what live mode refuses by name. How mails leave is tested beside it.

use super::*;

mod address;
mod database;

fn read(variables: &[(&str, &str)]) -> Result<Config, String> {
    Config::read(&variables.iter().copied().collect())
}

const LIVE: [(&str, &str); 9] = [
    ("CPS_MODE", "live"),
    (
        "DATABASE_URL",
        "postgres://cps@db.cps.dk/cps?sslmode=verify-full",
    ),
    ("CPS_DOCUMENT_STORE", "file:///srv/documents"),
    ("CPS_MAIL", "smtp://user:password@mail.cps.dk:587"),
    ("CPS_MAIL_FROM", "donotreply@cps.dk"),
    ("CPS_SIGNING_KEYS", "/run/secrets/keys.pem"),
    ("CPS_SEALING_KEYS", "/run/secrets/sealing.keys"),
    ("CPS_PUBLIC_URL", "https://api.cps.dk"),
    ("CPS_FRONTEND_URL", "https://cps.dk"),
];

/// A live service with one more variable, or another value of it.
fn live(name: &str, value: &str) -> Result<Config, String> {
    read(&[LIVE.as_slice(), &[(name, value)]].concat())
}

#[track_caller]
fn refused(name: &str, values: &[&str]) {
    for value in values {
        let faults = live(name, value).expect_err(value);
        assert!(
            faults.lines().any(|line| line.starts_with(name)),
            "{value}: {faults}"
        );
    }
}

#[track_caller]
fn taken(name: &str, values: &[&str]) {
    for value in values {
        if let Err(faults) = live(name, value) {
            panic!("{value}: {faults}");
        }
    }
}

#[test]
fn an_empty_environment_is_the_sandbox() {
    let config = read(&[]).unwrap();
    assert_eq!((config.mode, config.bind.port()), (Mode::Sandbox, 8080));
    assert_eq!(config.cors_origins, None);
}

#[test]
fn every_fault_is_in_one_message() {
    let faults = read(&[
        ("CPS_BIND", "here"),
        ("DATABASE_URL", "mysql://x"),
        ("CPS_TRUSTED_PROXIES", "10.0.0.0/8, proxy"),
        ("CPS_CORS_ORIGINS", "*"),
        ("CPS_POOL_SIZE", "0"),
    ])
    .unwrap_err();
    for name in [
        "CPS_BIND",
        "DATABASE_URL",
        "CPS_TRUSTED_PROXIES",
        "CPS_CORS_ORIGINS",
        "CPS_POOL_SIZE",
    ] {
        assert!(faults.contains(name), "{faults}");
    }
}

#[test]
fn live_refuses_each_sandbox_default() {
    let faults = read(&[("CPS_MODE", "live")]).unwrap_err();
    assert_eq!(faults.lines().count(), 8, "{faults}");
    let config = read(&LIVE).unwrap();
    assert_eq!(config.warnings, Vec::<String>::new());
    assert_eq!(config.cors_origins, Some(Vec::new()));
}

#[test]
fn numbers_have_ends_and_ports_have_one_listener() {
    refused(
        "CPS_POOL_SIZE",
        &["0", "-1", "100000", "99999999999", "many", "1.5"],
    );
    refused("CPS_MAX_IN_FLIGHT", &["0", "-1", "99999999999999999999"]);
    refused("CPS_DRAIN_SECONDS", &["-1", "86400"]);
    refused(
        "CPS_METRICS_BIND",
        &["127.0.0.1:8080", "0.0.0.0:8080", "[::]:8080"],
    );
    taken("CPS_METRICS_BIND", &["127.0.0.1:9090", "10.0.0.1:8080"]);
}

#[test]
fn documents_are_kept_in_a_folder_or_a_bucket() {
    taken(
        "CPS_DOCUMENT_STORE",
        &[
            "file:///srv/documents",
            "file://documents",
            "/srv/documents",
        ],
    );
    refused(
        "CPS_DOCUMENT_STORE",
        &[
            "file://",
            "gs://bucket/documents",
            "s3://",
            "s3:///documents",
        ],
    );
    let bucket = live("CPS_DOCUMENT_STORE", "s3://bucket/documents");
    match cfg!(feature = "s3") {
        true => assert_eq!(
            bucket.unwrap().documents,
            DocumentPlace::Bucket("s3://bucket/documents".to_owned())
        ),
        false => assert!(bucket.unwrap_err().contains("--features s3")),
    }
}

#[test]
fn the_sender_can_be_answered() {
    refused(
        "CPS_MAIL_FROM",
        &[
            "donotreply@localhost",
            "a@mail.localhost",
            "a@intranet",
            "nobody",
            "a@cps.invalid",
            "a@b@cps.dk",
        ],
    );
}

#[test]
fn mails_in_clear_are_named() {
    let clear = live("CPS_MAIL", "smtp://mail.cps.dk?tls=none").unwrap();
    assert!(
        clear
            .warnings
            .iter()
            .any(|line| line.starts_with("CPS_MAIL ") && line.contains("clear"))
    );
    taken("CPS_MAIL", &["smtp://127.0.0.1:25", "smtps://mail.cps.dk"]);
    refused(
        "CPS_MAIL",
        &[
            "mailbox",
            "smtp://mail.cps.dk?tls=maybe",
            "smtps://mail.cps.dk?tls=none",
        ],
    );
}

#[test]
fn a_mistyped_name_and_what_is_for_the_sandbox_are_refused() {
    refused("CPS_TRUSTED_PROXY", &["10.0.0.1"]);
    refused("CPS_WEBHOOK_ALLOW", &["127.0.0.1"]);
    refused("CPS_PAYMENT_PROVIDER", &["sandbox"]);
    taken("CPS_LOG", &["json", "text"]);
    refused("CPS_LOG", &["xml", "JSON"]);
    taken("RUST_LOG", &["debug", "warn,cps_api=info"]);
    refused("RUST_LOG", &["cps_api=loud", "a=b=c"]);
    let sandbox = read(&[("CPS_TRUSTED_PROXY", "10.0.0.1")]).unwrap();
    assert!(
        sandbox
            .warnings
            .iter()
            .any(|line| line.starts_with("CPS_TRUSTED_PROXY"))
    );
    refused("CPS_MODE", &["LIVE", "live ", "production"]);
}
