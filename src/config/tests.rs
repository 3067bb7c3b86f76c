//! What the environment may say, and what live mode refuses by name. How mails leave is tested beside it.

use super::*;

fn read(variables: &[(&str, &str)]) -> Result<Config, String> {
    Config::read(&variables.iter().copied().collect())
}

const LIVE: [(&str, &str); 8] = [
    ("CPS_MODE", "live"),
    (
        "DATABASE_URL",
        "postgres://cps@db.cps.dk/cps?sslmode=verify-full",
    ),
    ("CPS_DOCUMENT_STORE", "file:///srv/documents"),
    ("CPS_MAIL", "smtp://user:password@mail.cps.dk:587"),
    ("CPS_MAIL_FROM", "donotreply@cps.dk"),
    ("CPS_SIGNING_KEYS", "/run/secrets/keys.pem"),
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
    assert_eq!(faults.lines().count(), 7, "{faults}");
    let config = read(&LIVE).unwrap();
    assert_eq!(config.warnings, Vec::<String>::new());
    assert_eq!(config.cors_origins, Some(Vec::new()));
}

#[test]
fn a_far_database_is_reached_by_tls_at_the_name_that_it_proves() {
    refused(
        "DATABASE_URL",
        &[
            "postgres://u:p@db.cps.dk/cps",
            "postgres:///cps?host=db.cps.dk",
            "postgres://%64b.cps.dk/cps",
            "postgres://db.cps.dk/cps?sslmode=disable",
            "postgres://db.cps.dk/cps?sslmode=allow",
            "postgres://db.cps.dk/cps?sslmode=prefer",
            "postgres://db.cps.dk/cps?sslmode=REQUIRE",
            "postgres://db.cps.dk/cps?sslmode=verify-full&sslmode=disable",
            "postgres://db.cps.dk/cps?sslmode=verify-full&%73slmode=disable",
            "postgres://db.cps.dk/cps?sslmode=verify-full&ssl=true",
            "postgres://db.cps.dk/cps?sslmode=verify-full&hostaddr=10.0.0.5",
            "postgres://db.cps.dk/cps?sslmode=verify-full&service=other",
            "postgres://db.cps.dk/cps?sslmode=verify-full&host=other.cps.dk",
            "postgres://db.cps.dk/cps?sslmode=verify-full&sslkeylogfile=/tmp/keys",
            "postgres://db.cps.dk/cps?sslmode=verify-full&port=1&port=2",
            "postgres://localhost,db.cps.dk/cps",
            "postgres://localhost%2Cdb.cps.dk/cps",
            "postgres://127.0.0.1.cps.dk/cps",
            "postgres://0.0.0.0/cps",
            "POSTGRES://localhost/cps",
            " postgres://localhost/cps",
            "postgres://localhost/cps?sslmod=require",
        ],
    );
    taken(
        "DATABASE_URL",
        &[
            "postgres://db.cps.dk/cps?sslmode=verify-full",
            "postgresql://a.cps.dk,b.cps.dk:5433/cps?sslmode=verify-full&target_session_attrs=read-write",
            "postgres://a.cps.dk/cps?sslmode=require",
            "postgres://localhost:5432,127.0.0.1:5433,[::1]/cps?target_session_attrs=read-write",
            "postgres:///cps?host=/var/run/postgresql",
            "postgres://%2Fvar%2Frun%2Fpostgresql/cps",
            "postgres://u@127.0.0.1/cps?options=-csearch_path%3Dcps",
            "sqlite:///srv/cps.db",
        ],
    );
    let unsure = live("DATABASE_URL", "postgres://db.cps.dk/cps?sslmode=require").unwrap();
    assert!(
        unsure
            .warnings
            .iter()
            .any(|line| line.starts_with("DATABASE_URL"))
    );
    refused(
        "DATABASE_URL",
        &[
            "sqlite://",
            "sqlite://:memory:",
            "sqlite://file:cps.db?vfs=memdb",
            "SQLITE://cps.db",
        ],
    );
}

#[test]
fn nothing_else_tells_libpq_where_to_go() {
    for name in [
        "PGHOST",
        "PGHOSTADDR",
        "PGSERVICE",
        "PGSSLMODE",
        "PGOPTIONS",
        "PGPORT",
        "PGUSER",
    ] {
        refused(name, &["x"]);
        let by_file = read(
            &[
                LIVE.as_slice(),
                &[("DATABASE_URL", "sqlite://cps.db"), (name, "x")],
            ]
            .concat(),
        );
        assert!(by_file.is_ok());
    }
    taken("PGPASSWORD", &["secret"]);
    taken("PGDATA", &["/var/lib/postgresql"]);
}

#[test]
fn our_own_addresses_are_public_and_written_plainly() {
    for name in ["CPS_PUBLIC_URL", "CPS_FRONTEND_URL"] {
        refused(
            name,
            &[
                "http://cps.dk",
                "ftp://cps.dk",
                "cps.dk",
                "https://",
                "https:///cps.dk",
                "https:/cps.dk",
                "https:\\\\cps.dk",
                "https://user@cps.dk",
                "https://user:password@cps.dk",
                "https://@cps.dk",
                "https://cps.dk?x=1",
                "https://cps.dk?",
                "https://cps.dk/#",
                "https://cps.dk//",
                "https://cps.dk/../x",
                "https://cps.dk/%2e%2e/x",
                "https://cps.dk/a//b",
                "https://cps.dk:0",
                "https://cps.dk:port",
                "https://cps.dk.",
                "https://*.cps.dk",
                "https://cps dk",
                "https://localhost",
                "https://api.localhost",
                "https://127.0.0.1",
                "https://127.1",
                "https://2130706433",
                "https://[::1]",
                "https://0.0.0.0",
                "https://cps.invalid",
                " https://cps.dk",
                "https://cps.dk\n",
            ],
        );
    }
    refused("CPS_PUBLIC_URL", &["https://api.cps.dk/v1"]);
    let read_as = |value| live("CPS_PUBLIC_URL", value).unwrap().public_url.unwrap();
    for same in [
        "https://api.cps.dk/",
        "HTTPS://API.cps.dk",
        "https://api.cps.dk:443",
    ] {
        assert_eq!(read_as(same), "https://api.cps.dk");
    }
    taken(
        "CPS_FRONTEND_URL",
        &[
            "https://cps.dk/app",
            "https://cps.dk/app/",
            "https://cps.dk:8443",
        ],
    );
    let example = live("CPS_PUBLIC_URL", "https://api.cps.example").unwrap();
    assert!(
        example
            .warnings
            .iter()
            .any(|line| line.starts_with("CPS_PUBLIC_URL"))
    );
}

#[test]
fn an_origin_is_one_exactly() {
    refused(
        "CPS_CORS_ORIGINS",
        &[
            "*",
            "null",
            "https://*.cps.dk",
            "https://cps.dk/app",
            "https://cps.dk//",
            "https://cps.dk, *",
            "https://cps.dk?",
            "https://u@cps.dk",
            "cps.dk",
            "file://",
            "http://cps.dk",
            "https://cps.dk/..",
        ],
    );
    let origins =
        "HTTPS://CPS.dk:443, https://cps.dk:8443/,https://københavn.dk, http://localhost:5173";
    let read = live("CPS_CORS_ORIGINS", origins)
        .unwrap()
        .cors_origins
        .unwrap();
    assert_eq!(
        read,
        [
            "https://cps.dk",
            "https://cps.dk:8443",
            "https://xn--kbenhavn-54a.dk",
            "http://localhost:5173"
        ]
    );
}

#[test]
fn not_everybody_is_a_proxy_of_ours() {
    refused(
        "CPS_TRUSTED_PROXIES",
        &[
            "0.0.0.0/0",
            "::/0",
            "0.0.0.0/1,128.0.0.0/1",
            "0.0.0.0/4",
            "2000::/3",
            "::ffff:0:0/96",
            "::ffff:0:0/100",
            "::/64",
            "10.0.0.0/8,0.0.0.0/0",
            "10.0.0.0/33",
            "1.2.3",
        ],
    );
    let whole: Vec<String> = (0..=255).map(|n| format!("{n}.0.0.0/8")).collect();
    refused("CPS_TRUSTED_PROXIES", &[&whole.join(",")]);
    taken(
        "CPS_TRUSTED_PROXIES",
        &[
            "10.0.0.0/8, 172.16.0.0/12,192.168.1.7",
            "fc00::/7,fe80::/10,2001:db8::/32,::ffff:10.0.0.0/104",
            "::1",
        ],
    );
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
    taken("CPS_LOG", &["json"]);
    let sandbox = read(&[("CPS_TRUSTED_PROXY", "10.0.0.1")]).unwrap();
    assert!(
        sandbox
            .warnings
            .iter()
            .any(|line| line.starts_with("CPS_TRUSTED_PROXY"))
    );
    refused("CPS_MODE", &["LIVE", "live ", "production"]);
}
