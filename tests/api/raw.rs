//! SQL of the tests' own, beside the service or instead of it.

use chrono::{DateTime, DurationRound, SecondsFormat, TimeDelta, Utc};
use cps_api::repository::{Db, DbConn, Kind};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::Text;
use serde_json::json;

use crate::plans::unheard;
use crate::support::Database;

/// The jobs `j` that send the mails `m` with which an application begins.
pub const LINK_JOBS: &str = "jobs j JOIN mails m
    ON j.key = 'send_mail:mai_' || replace(CAST(m.id AS TEXT), '-', '') AND m.template = 'application_started'";

/// A connection past the service.
pub struct Raw(pub DbConn);

/// What a partner says to have sold.
pub struct Sold<'a> {
    /// The account, by its id or its path.
    pub account: &'a str,
    pub partner: &'a str,
    pub model: &'a str,
    pub serial: &'a str,
    pub now: DateTime<Utc>,
}

/// The UUID behind an id, or behind a path that ends in one.
fn uuid_of(id: &str) -> uuid::Uuid {
    uuid::Uuid::parse_str(id.rsplit('_').next().unwrap()).unwrap()
}

/// A connection past the service to an SQLite file. Its patience is a busy machine's.
pub fn sqlite(path: &str) -> SqliteConnection {
    let mut conn = unheard(SqliteConnection::establish(path).unwrap());
    conn.batch_execute("PRAGMA busy_timeout = 60000").unwrap();
    conn
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

impl Raw {
    /// A connection to `database`, as it is.
    pub fn open(database: &Database) -> Self {
        let url = database.url();
        Self(match url.strip_prefix("sqlite://") {
            Some(path) => DbConn::Sqlite(sqlite(path)),
            None => DbConn::Postgres(unheard(PgConnection::establish(&url).unwrap())),
        })
    }

    /// A connection to `database` with every migration run and nothing in it.
    pub fn migrated(database: &Database) -> Self {
        Db::open(&database.url(), 1).unwrap().migrate().unwrap();
        let mut raw = Self::open(database);
        if raw.kind() == Kind::Sqlite {
            raw.run("PRAGMA foreign_keys = ON").unwrap();
        }
        raw
    }

    pub fn kind(&self) -> Kind {
        match &self.0 {
            DbConn::Postgres(_) => Kind::Postgres,
            DbConn::Sqlite(_) => Kind::Sqlite,
        }
    }

    /// The column `line` of each row of a query.
    #[track_caller]
    pub fn lines(&mut self, sql: &str) -> Vec<String> {
        let loaded: QueryResult<Vec<Line>> =
            cps_api::each!(&mut self.0, c => diesel::sql_query(sql).load(c));
        let lines = loaded.unwrap_or_else(|error| panic!("{error}: {sql}"));
        lines.into_iter().map(|row| row.line).collect()
    }

    /// A partner of this name; its id.
    pub fn partner(&mut self, name: &str) -> String {
        let id = uuid::Uuid::new_v4();
        let row = format!(
            "INSERT INTO partners (id, version, name, country, contact_email, status, created_at)
             VALUES ('{id}', 1, '{name}', 'DK', 'system@dealer.example', 'active', '2026-01-01T00:00:00.000000Z')"
        );
        self.run(&row).unwrap();
        format!("ptn_{}", id.simple())
    }

    /// A product that a partner offers, with its line and the jobs that end it; the product's id.
    pub fn offer(&mut self, sold: &Sold<'_>) -> String {
        let (product, line) = (uuid::Uuid::new_v4(), uuid::Uuid::new_v4());
        let [account, partner, model] = [sold.account, sold.partner, sold.model].map(uuid_of);
        let at = |moment: DateTime<Utc>| moment.format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string();
        let (now, end) = (at(sold.now), sold.now + TimeDelta::days(30));
        let (serial, key) = (sold.serial, sold.serial.trim_start_matches('0'));
        self.run(&format!(
            "INSERT INTO products (id, account_id, model_id, version, status, serial_number, serial_key, purchase_date, purchase_country, dealer,
                 estimated, created_at, updated_at, holds_serial, evidence)
             VALUES ('{product}', '{account}', '{model}', 1, 'offered', '{serial}', '{key}', '2025-05-17', 'DK', 'Foto Nord', '', '{now}', '{now}', FALSE, 'dealer')"
        ))
        .unwrap();
        let ends = at(end);
        self.run(&format!(
            "INSERT INTO registrations (id, partner_id, external_id, verb, body_hash, status, account_id, product_id, model_id, serial_key,
                 offer_expires_at, version, created_at, changed_at)
             VALUES ('{line}', '{partner}', 'F-{}', 'register', 'hash', 'offered', '{account}', '{product}', '{model}', '{key}', '{ends}', 1, '{now}', '{now}')",
            line.simple()
        ))
        .unwrap();
        let hour = |moment: DateTime<Utc>| moment.duration_trunc(TimeDelta::hours(1)).unwrap();
        self.due("expire_offers", hour(end) + TimeDelta::hours(1));
        self.due("remind_offers", hour(end - TimeDelta::days(3)));
        format!("prd_{}", product.simple())
    }

    /// The job of a kind for the offers of an hour.
    fn due(&mut self, kind: &str, hour: DateTime<Utc>) {
        let id = uuid::Uuid::new_v4();
        let text = hour.to_rfc3339_opts(SecondsFormat::AutoSi, true);
        let (key, payload) = match kind {
            "expire_offers" => (
                format!("{kind}:{text}:0"),
                json!({ "task": kind, "hour": text, "round": 0 }),
            ),
            _ => (
                format!("{kind}:{text}"),
                json!({ "task": kind, "hour": text, "after": null }),
            ),
        };
        let run_at = hour.format("%Y-%m-%dT%H:%M:%S%.6fZ");
        self.run(&format!(
            "INSERT INTO jobs (id, kind, key, payload, state, run_at, attempts, created_at, queue)
             VALUES ('{id}', '{kind}', '{key}', '{payload}', 'ready', '{run_at}', 0, '{run_at}', 'rules') ON CONFLICT DO NOTHING"
        ))
        .unwrap();
    }

    /// Runs one statement; how many rows it touched.
    pub fn run(&mut self, sql: &str) -> QueryResult<usize> {
        cps_api::each!(&mut self.0, c => diesel::sql_query(sql).execute(c))
    }
}
