//! The rows of dealers' lines, past the service: customers to name in them, and the fewest statements that leave what the service leaves of them.

use std::io::Write;

use cps_api::domain::member_number::MemberNumber;
use cps_api::repository::DbConn;
use diesel::connection::SimpleConnection;
use diesel::pg::CopyFormat;
use diesel::prelude::*;
use diesel::sql_types::Text;

diesel::table! {
    bench_lines (n) { n -> BigInt, line -> BigInt, external_id -> Text, account -> BigInt, nth -> BigInt, serial -> Text, body -> Text }
}

/// How many customers there are, each of whom trusts the dealer.
const CUSTOMERS: u64 = 100;
/// Lines of one transaction on SQLite: about as long as a chunk of the service takes.
const SQLITE_CHUNK: usize = 500;
const PARTNER: &str = "00000000-0000-7000-8000-00000000012c";
const CREDENTIAL: &str = "00000000-0000-7000-8000-00000000012d";
const STAGE: &str = "CREATE TEMP TABLE bench_lines (n BIGINT PRIMARY KEY, line BIGINT NOT NULL, external_id TEXT NOT NULL, account BIGINT NOT NULL,
    nth BIGINT NOT NULL, serial TEXT NOT NULL, body TEXT NOT NULL)";

/// One sale.
#[derive(Clone, Insertable)]
#[diesel(table_name = bench_lines)]
pub struct Line {
    n: i64,
    line: i64,
    pub external_id: String,
    account: i64,
    /// Which line of its customer it is in this batch.
    nth: i64,
    serial: String,
    body: String,
}

fn member_number(account: u64) -> String {
    // The sandbox gives the first numbers to its own.
    MemberNumber::from_random((1000 + account).to_be_bytes()).to_string()
}

/// As many sales as `count`, other ones in every round; each customer's follow each other by turns.
pub fn lines(round: u64, count: usize) -> Vec<Line> {
    let count = u64::try_from(count).unwrap();
    let line = |place: u64| {
        let (n, account) = (round * 100_000 + place + 1, place % CUSTOMERS + 1);
        let (external_id, serial) = (format!("B-{n}"), format!("{}", 300_000_000_000 + n));
        let body = format!(
            r#"{{"external_id":"{external_id}","member_number":"{}","model":"EOS R5","serial_number":"{serial}","purchase_date":"2024-05-17"}}"#,
            member_number(account)
        );
        let number = |n: u64| i64::try_from(n).unwrap();
        Line {
            n: number(n),
            line: number(place + 1),
            external_id,
            account: number(account),
            nth: number(place / CUSTOMERS + 1),
            serial,
            body,
        }
    };
    (0..count).map(line).collect()
}

/// The file of a batch.
pub fn file(lines: &[Line]) -> String {
    let bodies: Vec<&str> = lines.iter().map(|line| line.body.as_str()).collect();
    bodies.join("\n")
}

/// A connection past the service.
pub struct Rows(DbConn);

#[derive(QueryableByName)]
struct Found {
    #[diesel(sql_type = Text)]
    line: String,
}

impl Rows {
    pub fn open(url: &str) -> Self {
        match url.strip_prefix("sqlite://") {
            Some(path) => {
                let mut conn = SqliteConnection::establish(path).unwrap();
                conn.batch_execute("PRAGMA busy_timeout = 10000; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON")
                    .unwrap();
                Self(DbConn::Sqlite(conn))
            }
            None => Self(DbConn::Postgres(PgConnection::establish(url).unwrap())),
        }
    }

    fn run(&mut self, sql: &str) {
        let done = cps_api::each!(&mut self.0, c => c.batch_execute(sql));
        done.unwrap_or_else(|error| panic!("{error}: {sql}"));
    }

    fn found(&mut self, sql: &str) -> Vec<String> {
        let found: QueryResult<Vec<Found>> =
            cps_api::each!(&mut self.0, c => diesel::sql_query(sql).load(c));
        let found = found.unwrap_or_else(|error| panic!("{error}: {sql}"));
        found.into_iter().map(|row| row.line).collect()
    }

    fn count(&mut self, from: &str) -> u64 {
        let sql = format!("SELECT CAST(count(*) AS TEXT) AS line FROM {from}");
        self.found(&sql)[0].parse().unwrap()
    }

    /// Those customers have member numbers, and trust the dealer.
    pub fn prepare(&mut self) {
        let at = "'2026-01-01T00:00:00.000000Z'";
        for n in 1..=CUSTOMERS {
            let (account, number) = (account_id(n), member_number(n));
            self.run(&format!(
                "INSERT INTO member_numbers (number, number_key, account_id, created_at) VALUES ('{number}', '{number}', '{account}', {at});
                 INSERT INTO trusted_partners (account_id, partner_id, since) VALUES ('{account}', '{PARTNER}', {at})"
            ));
        }
    }

    /// Nothing of the dealer's day is used up.
    pub fn renew_quota(&mut self) {
        self.run("DELETE FROM partner_days");
    }

    pub fn open_batches(&mut self) -> u64 {
        self.count("registration_batches WHERE status IN ('receiving', 'queued', 'running')")
    }

    /// Waits until the service has numbered every event.
    pub fn all_is_numbered(&mut self) {
        while self.count("event_inbox") > 0 {
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    }

    /// Reads a page of the dealer's events as the feed has them; how many there are.
    pub fn page(&mut self, after: i64) -> usize {
        let sql = format!(
            "SELECT CAST(id AS TEXT) || type || CAST(stream_seq AS TEXT) || resource || CAST(resource_seq AS TEXT) || CAST(data AS TEXT) || actor
                 || CAST(created_at AS TEXT) AS line
             FROM events WHERE stream = 'ptn_0000000000007000800000000000012c' AND stream_seq > {after} ORDER BY stream_seq LIMIT 100"
        );
        self.found(&sql).len()
    }

    /// Leaves what the service leaves of these lines: on PostgreSQL by a COPY and one statement a table in one transaction; on SQLite by prepared
    /// inserts and the same statements in transactions of about the same time as the service's.
    pub fn write(&mut self, lines: &[Line]) {
        self.run("DROP TABLE IF EXISTS bench_lines");
        self.run(STAGE);
        let batch = batch_id(lines[0].n);
        let (begin, chunk) = match self.0 {
            DbConn::Postgres(_) => ("BEGIN", lines.len()),
            DbConn::Sqlite(_) => ("BEGIN IMMEDIATE", SQLITE_CHUNK),
        };
        for (n, some) in lines.chunks(chunk).enumerate() {
            self.run(begin);
            if n == 0 {
                self.run(&batch_row(&batch, lines.len()));
            }
            self.stage(some);
            for statement in self.statements(&batch) {
                self.run(&statement);
            }
            self.run("DELETE FROM bench_lines");
            self.run("COMMIT");
        }
    }

    fn stage(&mut self, lines: &[Line]) {
        match &mut self.0 {
            DbConn::Postgres(conn) => {
                let write = |to: &mut dyn Write| -> QueryResult<()> {
                    for it in lines {
                        let body = it.body.replace('"', "\"\"");
                        writeln!(
                            to,
                            "{},{},{},{},{},{},\"{body}\"",
                            it.n, it.line, it.external_id, it.account, it.nth, it.serial
                        )
                        .unwrap();
                    }
                    Ok(())
                };
                diesel::copy_from(bench_lines::table)
                    .from_raw_data(bench_lines::table, write)
                    .with_format(CopyFormat::Csv)
                    .execute(conn)
                    .unwrap();
            }
            DbConn::Sqlite(conn) => {
                for line in lines {
                    diesel::insert_into(bench_lines::table)
                        .values(line)
                        .execute(conn)
                        .unwrap();
                }
            }
        }
    }

    /// What the service leaves, table by table.
    fn statements(&self, batch: &str) -> [String; 8] {
        let is_postgres = matches!(self.0, DbConn::Postgres(_));
        let uuid = |n: &str, group: &str| match is_postgres {
            true => format!("('00000000-0000-7000-{group}-' || lpad(to_hex({n}), 12, '0'))::uuid"),
            false => format!("printf('00000000-0000-7000-{group}-%012x', {n})"),
        };
        let (day, now) = match is_postgres {
            true => ("DATE '2024-05-17'", "now()"),
            false => ("'2024-05-17'", "strftime('%Y-%m-%dT%H:%M:%f000Z', 'now')"),
        };
        let json = if is_postgres { "::jsonb" } else { "" };
        let (account, product, registration) = (
            uuid("l.account", "9000"),
            uuid("l.n", "a000"),
            uuid("l.n", "a001"),
        );
        let model = "(SELECT id FROM models WHERE name = 'EOS R5')";
        let value = "(SELECT valid_from FROM model_points WHERE model_id = (SELECT id FROM models WHERE name = 'EOS R5') ORDER BY valid_from DESC LIMIT 1)";
        let actor =
            "'partner:ptn_0000000000007000800000000000012c:crd_0000000000007000800000000000012d'";
        let partner = "'ptn_0000000000007000800000000000012c'";
        // A customer's lines are counted from the first of them that is staged.
        let place = "(l.nth - f.first + 1)";
        let firsts = "JOIN (SELECT account, min(nth) AS first FROM bench_lines GROUP BY account) f ON f.account = l.account";
        let event = |group: &str,
                     stream: &str,
                     resource: &str,
                     kind: &str,
                     data: &str,
                     from: &str| {
            format!(
                "INSERT INTO event_inbox (id, stream, resource, type, version, data, actor, reason, request_id, created_at)
                 SELECT {}, {stream}, {resource}, '{kind}', 1, {data}, {actor}, NULL, NULL, {now} FROM {from}",
                uuid("l.n", group)
            )
        };
        [
            format!(
                "INSERT INTO products (id, account_id, model_id, version, status, serial_number, serial_key, serial_since, purchase_date, purchase_country,
                     dealer, estimated, created_at, updated_at, holds_serial, evidence)
                 SELECT {product}, {account}, {model}, 1, 'complete', l.serial, l.serial, {now}, {day}, 'DK', 'Foto Nord', '', {now}, {now}, TRUE, 'dealer'
                 FROM bench_lines l"
            ),
            format!(
                "INSERT INTO points_entries (id, account_id, seq, kind, amount, balance, held, product_id, value_valid_from, reason, actor, created_at)
                 SELECT {product}, p.account_id, p.seq + {place}, 'award', 320, p.balance + 320 * {place}, p.held, {product}, {value}, 'complete', {actor}, {now}
                 FROM bench_lines l {firsts} JOIN points_accounts p ON p.account_id = {account} ORDER BY l.account, l.nth"
            ),
            format!(
                "UPDATE points_accounts SET seq = seq + added.many, balance = balance + 320 * added.many, last_at = {now}
                 FROM (SELECT {account} AS id, count(*) AS many FROM bench_lines l GROUP BY l.account) AS added WHERE added.id = account_id"
            ),
            format!(
                "INSERT INTO registrations (id, partner_id, external_id, verb, body_hash, status, account_id, product_id, model_id, serial_key, reported,
                     version, created_at, changed_at)
                 SELECT {registration}, '{PARTNER}', l.external_id, 'register', '0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef',
                     'registered', {account}, {product}, {model}, l.serial,
                     ('{{\"model_id\":\"mod_00000000000000000000000000000000\",\"serial_number\":\"' || l.serial || '\",\"purchase_date\":\"2024-05-17\",\"purchase_country\":\"DK\"}}'){json},
                     1, {now}, {now} FROM bench_lines l"
            ),
            format!(
                "INSERT INTO registration_lines (batch_id, line, external_id, body, status, registration_id)
                 SELECT '{batch}', l.line, l.external_id, l.body, 'registered', {registration} FROM bench_lines l"
            ),
            event(
                "a002",
                "'acc_' || CAST(l.account AS TEXT)",
                "'prd_' || CAST(l.n AS TEXT)",
                "product.registered",
                "'{\"account_id\":\"acc_00000000000070009000000000000001\",\"product_id\":\"prd_' || CAST(l.n AS TEXT) || '\",\"status\":\"complete\"}'",
                "bench_lines l",
            ),
            event(
                "a003",
                partner,
                "'reg_' || CAST(l.n AS TEXT)",
                "registration.registered",
                "'{\"partner_id\":\"ptn_0000000000007000800000000000012c\",\"external_id\":\"' || l.external_id || '\",\"status\":\"registered\"}'",
                "bench_lines l",
            ),
            event(
                "a004",
                "'acc_' || CAST(l.account AS TEXT)",
                "'acc_' || CAST(l.account AS TEXT)",
                "points.changed",
                "'{\"account_id\":\"acc_00000000000070009000000000000001\",\"balance\":1,\"held\":0,\"counting\":1,\"from_seq\":1,\"to_seq\":1}'",
                "(SELECT min(n) AS n, account FROM bench_lines GROUP BY account) l",
            ),
        ]
    }
}

fn account_id(n: u64) -> String {
    format!("00000000-0000-7000-9000-{n:012x}")
}

fn batch_id(n: i64) -> String {
    format!("00000000-0000-7000-a005-{n:012x}")
}

fn batch_row(batch: &str, lines: usize) -> String {
    let at = "'2026-01-01T00:00:00.000000Z'";
    format!(
        "INSERT INTO registration_batches (id, partner_id, credential_id, version, status, dry_run, lines, done, counts, created_at, queued_at, completed_at)
         VALUES ('{batch}', '{PARTNER}', '{CREDENTIAL}', 3, 'completed', FALSE, {lines}, {lines}, '{{}}', {at}, {at}, {at})"
    )
}
