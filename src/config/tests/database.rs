//! Where a live service may keep its data, and how it is reached.

use super::*;

const REFUSED_DATABASES: [&str; 22] = [
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
];

#[test]
fn a_far_database_is_reached_by_tls_at_the_name_that_it_proves() {
    refused("DATABASE_URL", &REFUSED_DATABASES);
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
}

#[test]
fn a_live_database_is_kept_in_a_file() {
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
