//! What the service is measured against: actix-web and tokio-postgres, the same SQL, the same answers, and nothing around them. No token, no
//! check of the body, no rules, no logs.

use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use actix_web::web::{Data, Json, Path};
use actix_web::{App, HttpResponse, HttpServer, web};
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::sync::Semaphore;
use tokio_postgres::{Client, NoTls, Row, Statement};
use uuid::Uuid;

/// In the order in which registering runs them; reading points is the last.
const SQL: [&str; 15] = [
    "SELECT id, name, name_key, category, launched_date, serial_pattern, example, created_at FROM models WHERE id = $1 LIMIT 1",
    "SELECT account_id FROM products WHERE model_id = $1 AND serial_key = ANY ($2) AND ended_at IS NULL AND (status = 'incomplete' OR estimated LIKE '%serial_number%')",
    "SELECT * FROM accounts WHERE id = $1 LIMIT 1 FOR UPDATE",
    "SELECT account_id, balance, held, seq, invited_at, below_since, last_at FROM points_accounts WHERE account_id = $1 LIMIT 1 FOR UPDATE",
    "SELECT * FROM products WHERE model_id = $1 AND serial_key = $2 AND ended_at IS NULL LIMIT 1",
    "SELECT EXISTS (SELECT * FROM products WHERE model_id = $1 AND serial_key = $2 AND end_reason = 'stolen')",
    "INSERT INTO products (id, account_id, model_id, version, status, serial_number, serial_key, serial_since, purchase_date, purchase_country, dealer, estimated, created_at, updated_at)
     VALUES ($1, $2, $3, 1, 'complete', $4, $5, $6, $7, $8, $9, '', $6, $6) ON CONFLICT DO NOTHING",
    "SELECT model_id, valid_from, points FROM model_points WHERE model_id = ANY ($1) AND valid_from <= $2 LIMIT 10000",
    "INSERT INTO points_entries (id, account_id, seq, kind, amount, balance, held, product_id, value_valid_from, reason, actor, created_at)
     VALUES ($1, $2, $3, 'award', $4, $5, $6, $7, $8, 'complete', 'service:bench', $9)",
    "INSERT INTO event_inbox (id, stream, resource, type, version, data, actor, reason, request_id, created_at)
     SELECT e.id, e.stream, e.resource, e.type, 1, e.data, $6, NULL, NULL, $7 FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[]) AS e (id, stream, resource, type, data)",
    "UPDATE points_accounts SET account_id = $1, balance = $2, held = $3, seq = $4, invited_at = $5, below_since = $6 WHERE account_id = $1",
    "SELECT id, name, name_key, category, launched_date, serial_pattern, example, created_at FROM models WHERE id = ANY ($1)",
    "SELECT model_id, valid_from, points FROM model_points WHERE model_id = ANY ($1) AND valid_from <= $2 LIMIT 10000",
    "SELECT * FROM points_entries e WHERE product_id = ANY ($1) AND kind = 'award'
     AND NOT EXISTS (SELECT * FROM points_entries r WHERE r.reverses = e.id)",
    "SELECT p.account_id, p.balance, p.held, p.seq, p.invited_at, p.below_since, p.last_at FROM accounts a
     LEFT OUTER JOIN points_accounts p ON p.account_id = a.id WHERE a.id = $1 LIMIT 1",
];
const READ: usize = SQL.len() - 1;

/// A connection with every statement prepared.
struct Connection {
    client: Client,
    statements: Vec<Statement>,
    /// Whether writes record what happened.
    records: bool,
}

/// As many connections as the service has.
struct Pool {
    free: Mutex<Vec<Arc<Connection>>>,
    places: Semaphore,
}

impl Pool {
    async fn open(url: &str, records: bool) -> Result<Self, tokio_postgres::Error> {
        let cores = std::thread::available_parallelism().map_or(1, |n| n.get());
        let mut free = Vec::new();
        for _ in 0..2 * cores {
            let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
            tokio::spawn(connection);
            let mut statements = Vec::new();
            for sql in SQL {
                statements.push(client.prepare(sql).await?);
            }
            free.push(Arc::new(Connection {
                client,
                statements,
                records,
            }));
        }
        Ok(Self {
            places: Semaphore::new(free.len()),
            free: Mutex::new(free),
        })
    }

    async fn with<T>(&self, work: impl AsyncFnOnce(&Connection) -> T) -> T {
        let _place = self.places.acquire().await.unwrap();
        let connection = self.free.lock().unwrap().pop().unwrap();
        let done = work(&connection).await;
        self.free.lock().unwrap().push(connection);
        done
    }
}

/// Serves until it is killed; prints its address first. Its writes record events only where `records` says so.
pub fn serve(url: &str, records: bool) -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .worker_threads(2)
        .build()?;
    runtime.block_on(async {
        let pool = Data::new(Pool::open(url, records).await.unwrap());
        let listener = TcpListener::bind("127.0.0.1:0")?;
        println!("{}", listener.local_addr()?);
        let cores = std::thread::available_parallelism().map_or(1, |n| n.get());
        let app = move || {
            App::new()
                .app_data(pool.clone())
                .route("/readyz", web::get().to(async || "ready"))
                .route(
                    "/v1/accounts/{account_id}/points",
                    web::get().to(read_points),
                )
                .route(
                    "/v1/accounts/{account_id}/products",
                    web::post().to(register_product),
                )
        };
        HttpServer::new(app)
            .workers(cores)
            .listen(listener)?
            .run()
            .await
    })
}

fn uuid_of(id: &str) -> Uuid {
    Uuid::parse_str(id.split_once('_').unwrap().1).unwrap()
}

#[derive(Serialize)]
struct Threshold {
    level: &'static str,
    opens_at: i64,
    points_missing: i64,
}

#[derive(Serialize)]
struct Points {
    balance: i64,
    held: i64,
    invited: bool,
    next_thresholds: Vec<Threshold>,
}

async fn read_points(pool: Data<Pool>, account: Path<String>) -> HttpResponse {
    let id = uuid_of(&account);
    let row = pool
        .with(async |on| {
            let rows = on.client.query_opt(&on.statements[READ], &[&id]).await;
            rows.unwrap().unwrap()
        })
        .await;
    let balance: i64 = row.get::<_, Option<i64>>(1).unwrap_or(0);
    let held: i64 = row.get::<_, Option<i64>>(2).unwrap_or(0);
    let points = balance - held;
    let ahead = |levels: &[(&'static str, i64)]| {
        let ahead = levels.iter().filter(|(_, opens_at)| points < *opens_at);
        let ahead = ahead.map(|(level, opens_at)| Threshold {
            level,
            opens_at: *opens_at,
            points_missing: opens_at - points,
        });
        ahead.collect::<Vec<_>>()
    };
    let mut next_thresholds = ahead(&[("silver", 500), ("gold", 1000), ("platinum", 1600)]);
    if next_thresholds.is_empty() {
        next_thresholds = ahead(&[("corporate", 2501)]);
    }
    HttpResponse::Ok().json(Points {
        balance,
        held,
        invited: points >= 500,
        next_thresholds,
    })
}

#[derive(Deserialize)]
struct Register {
    model_id: String,
    serial_number: String,
    purchase_date: NaiveDate,
    purchase_country: String,
    dealer: String,
}

async fn register_product(
    pool: Data<Pool>,
    account: Path<String>,
    body: Json<Register>,
) -> HttpResponse {
    let answer = pool
        .with(async |on| {
            on.client.batch_execute("BEGIN").await?;
            let answer = register(on, &account, &body).await?;
            on.client.batch_execute("COMMIT").await?;
            Ok::<_, tokio_postgres::Error>(answer)
        })
        .await;
    HttpResponse::Created().json(answer.unwrap())
}

async fn register(
    on: &Connection,
    account: &str,
    body: &Register,
) -> Result<serde_json::Value, tokio_postgres::Error> {
    let (client, sql) = (&on.client, &on.statements);
    let (account_id, model_id) = (uuid_of(account), uuid_of(&body.model_id));
    let (now, today): (DateTime<Utc>, NaiveDate) = (Utc::now(), Utc::now().date_naive());
    let key = body.serial_number.trim_start_matches('0').to_owned();
    let (product, entry) = (Uuid::now_v7(), Uuid::now_v7());
    client.query_opt(&sql[0], &[&model_id]).await?;
    client
        .query(&sql[1], &[&model_id, &vec![key.clone()]])
        .await?;
    client.query_opt(&sql[2], &[&account_id]).await?;
    let ledger: Row = client.query_one(&sql[3], &[&account_id]).await?;
    client.query_opt(&sql[4], &[&model_id, &key]).await?;
    client.query_one(&sql[5], &[&model_id, &key]).await?;
    let stored = &body.serial_number;
    client
        .execute(
            &sql[6],
            &[
                &product,
                &account_id,
                &model_id,
                stored,
                &key,
                &now,
                &body.purchase_date,
                &body.purchase_country,
                &body.dealer,
            ],
        )
        .await?;
    let value = client
        .query_one(&sql[7], &[&vec![model_id], &today])
        .await?;
    let (valid_from, points): (NaiveDate, i64) = (value.get(1), value.get(2));
    let (balance, held, seq): (i64, i64, i64) = (ledger.get(1), ledger.get(2), ledger.get(3));
    let (balance, seq) = (balance + points, seq + 1);
    client
        .execute(
            &sql[8],
            &[
                &entry,
                &account_id,
                &seq,
                &points,
                &balance,
                &held,
                &product,
                &valid_from,
                &now,
            ],
        )
        .await?;
    let id = format!("prd_{}", product.simple());
    if on.records {
        let told = [
            json!({ "account_id": account, "product_id": id, "model_id": body.model_id, "status": "complete" }),
            json!({ "account_id": account, "balance": balance, "held": held, "counting": balance - held, "from_seq": seq, "to_seq": seq }),
        ];
        record(on, account, &id, told, now).await?;
    }
    let (invited, below): (Option<DateTime<Utc>>, Option<DateTime<Utc>>) =
        (ledger.get(4), ledger.get(5));
    client
        .execute(
            &sql[10],
            &[&account_id, &balance, &held, &seq, &invited, &below],
        )
        .await?;
    let model = client.query_one(&sql[11], &[&vec![model_id]]).await?;
    client.query(&sql[12], &[&vec![model_id], &today]).await?;
    client.query(&sql[13], &[&vec![product]]).await?;
    Ok(json!({
        "id": id,
        "model": { "id": body.model_id, "name": model.get::<_, String>(1), "category": model.get::<_, String>(3) },
        "status": "complete", "serial_number": stored, "purchase_date": body.purchase_date,
        "purchase_country": body.purchase_country, "dealer": body.dealer, "estimated": [], "missing": [], "warnings": [],
        "points_granted": points, "points_possible": points, "version": 1, "created_at": now, "updated_at": now,
    }))
}

async fn record(
    on: &Connection,
    account: &str,
    product: &str,
    told: [serde_json::Value; 2],
    now: DateTime<Utc>,
) -> Result<(), tokio_postgres::Error> {
    let told = told.map(|data| data.to_string());
    let ids = [Uuid::now_v7(), Uuid::now_v7()];
    on.client
        .execute(
            &on.statements[9],
            &[
                &ids.as_slice(),
                &[account; 2].as_slice(),
                &[product, account].as_slice(),
                &["product.registered", "points.changed"].as_slice(),
                &told.as_slice(),
                &"service:seed",
                &now,
            ],
        )
        .await?;
    Ok(())
}
