//! What the service is measured against: actix-web and tokio-postgres, the same rows and answers, and nothing around them. No token, no check
//! of the body, no rules, no logs.

use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use actix_web::web::{Data, Json, Path};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::sync::Semaphore;
use tokio_postgres::{Client, NoTls, Row, Statement};
use uuid::Uuid;

/// The fewest statements that leave the rows and give the answers that the service does. Registering runs the first six, between a BEGIN and a
/// COMMIT.
const SQL: [&str; 9] = [
    "SELECT p.account_id, p.balance, p.held, p.seq, p.invited_at, p.below_since FROM accounts a JOIN points_accounts p ON p.account_id = a.id WHERE a.id = $1 FOR UPDATE",
    "INSERT INTO products (id, account_id, model_id, version, status, serial_number, serial_key, serial_since, purchase_date, purchase_country, dealer, estimated, created_at, updated_at)
     VALUES ($1, $2, $3, 1, 'complete', $4, $5, $6, $7, $8, $9, '', $6, $6) ON CONFLICT DO NOTHING",
    "INSERT INTO points_entries (id, account_id, seq, kind, amount, balance, held, product_id, value_valid_from, reason, actor, created_at)
     VALUES ($1, $2, $3, 'award', $4, $5, $6, $7, $8, 'complete', 'service:bench', $9)",
    "UPDATE points_accounts SET balance = $2, held = $3, seq = $4, invited_at = $5, below_since = $6, last_at = $7 WHERE account_id = $1",
    "INSERT INTO event_inbox (id, stream, resource, type, version, data, actor, reason, request_id, created_at)
     SELECT e.id, e.stream, e.resource, e.type, 1, e.data, $6, NULL, NULL, $7 FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[]) AS e (id, stream, resource, type, data)",
    "INSERT INTO idempotency_keys (scope, request_hash, answer, created_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
    "SELECT p.account_id, p.balance, p.held, p.seq, p.invited_at, p.below_since, p.last_at FROM accounts a
     LEFT OUTER JOIN points_accounts p ON p.account_id = a.id WHERE a.id = $1 LIMIT 1",
    "SELECT p.id, p.model_id, p.version, p.status, p.serial_number, p.purchase_date, p.purchase_country, p.dealer, p.created_at, p.updated_at, e.amount
     FROM products p LEFT JOIN points_entries e ON e.product_id = p.id AND e.kind = 'award'
        AND NOT EXISTS (SELECT 1 FROM points_entries r WHERE r.reverses = e.id)
     WHERE p.account_id = $1 AND p.ended_at IS NULL ORDER BY p.id DESC LIMIT 11",
    "SELECT id, seq, kind, amount, balance, held, product_id, reverses, value_valid_from, reason, created_at
     FROM points_entries WHERE account_id = $1 ORDER BY seq DESC LIMIT 11",
];
const READ: usize = 6;
const PRODUCTS: usize = 7;
const ENTRIES: usize = 8;
/// One model is enough here: what it is called and what it is worth.
const MODEL: &str = "SELECT m.id, m.name, m.category, v.valid_from, v.points FROM models m JOIN model_points v ON v.model_id = m.id
    WHERE m.name = 'EOS R5' ORDER BY v.valid_from DESC LIMIT 1";

/// A connection with every statement prepared.
struct Connection {
    client: Client,
    statements: Vec<Statement>,
    /// Whether writes record what happened.
    records: bool,
    model: Model,
}

/// The catalogue, as it is when the server starts.
#[derive(Clone)]
struct Model {
    id: Uuid,
    name: String,
    category: String,
    valid_from: NaiveDate,
    points: i64,
}

impl Model {
    fn of(row: &Row) -> Self {
        Self {
            id: row.get(0),
            name: row.get(1),
            category: row.get(2),
            valid_from: row.get(3),
            points: row.get(4),
        }
    }
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
            let model = Model::of(&client.query_one(MODEL, &[]).await?);
            free.push(Arc::new(Connection {
                client,
                statements,
                records,
                model,
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
                .route(
                    "/v1/accounts/{account_id}/products",
                    web::get().to(list_products),
                )
                .route(
                    "/v1/accounts/{account_id}/points/entries",
                    web::get().to(list_entries),
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

async fn list_products(pool: Data<Pool>, account: Path<String>) -> HttpResponse {
    let id = uuid_of(&account);
    let items: Vec<serde_json::Value> = pool
        .with(async |on| {
            let rows = on.client.query(&on.statements[PRODUCTS], &[&id]).await;
            let view = |row: &Row| {
                let points: i64 = row.get::<_, Option<i64>>(10).unwrap_or(0);
                json!({
                    "id": format!("prd_{}", row.get::<_, Uuid>(0).simple()), "model": model_view(&on.model),
                    "status": row.get::<_, &str>(3), "serial_number": row.get::<_, Option<&str>>(4),
                    "purchase_date": row.get::<_, Option<NaiveDate>>(5), "purchase_country": row.get::<_, Option<&str>>(6),
                    "dealer": row.get::<_, Option<&str>>(7), "estimated": [], "missing": [], "warnings": [],
                    "points_granted": points, "points_possible": points, "version": row.get::<_, i64>(2),
                    "created_at": row.get::<_, DateTime<Utc>>(8), "updated_at": row.get::<_, DateTime<Utc>>(9),
                })
            };
            rows.unwrap().iter().take(10).map(view).collect()
        })
        .await;
    HttpResponse::Ok().json(json!({ "items": items, "next_cursor": null }))
}

async fn list_entries(pool: Data<Pool>, account: Path<String>) -> HttpResponse {
    let id = uuid_of(&account);
    let rows = pool
        .with(async |on| on.client.query(&on.statements[ENTRIES], &[&id]).await)
        .await
        .unwrap();
    let view = |row: &Row| {
        json!({
            "id": format!("pnt_{}", row.get::<_, Uuid>(0).simple()), "seq": row.get::<_, i64>(1), "kind": row.get::<_, &str>(2),
            "amount": row.get::<_, i64>(3), "balance": row.get::<_, i64>(4), "held": row.get::<_, i64>(5),
            "product_id": row.get::<_, Option<Uuid>>(6).map(|id| format!("prd_{}", id.simple())),
            "value_valid_from": row.get::<_, Option<NaiveDate>>(8), "reason": row.get::<_, &str>(9),
            "created_at": row.get::<_, DateTime<Utc>>(10), "made_by": "service", "actor": { "kind": "service" },
        })
    };
    let items: Vec<serde_json::Value> = rows.iter().take(10).map(view).collect();
    HttpResponse::Ok().json(json!({ "items": items, "next_cursor": "x" }))
}

fn model_view(model: &Model) -> serde_json::Value {
    json!({ "id": format!("mod_{}", model.id.simple()), "name": model.name, "category": model.category })
}

async fn register_product(
    pool: Data<Pool>,
    account: Path<String>,
    request: HttpRequest,
    body: Json<Register>,
) -> HttpResponse {
    let key = request.headers().get("idempotency-key");
    let key = key.map_or(String::new(), |key| format!("{account} {key:?}"));
    let answer = pool
        .with(async |on| {
            on.client.batch_execute("BEGIN").await?;
            let answer = register(on, &account, &key, &body).await?;
            on.client.batch_execute("COMMIT").await?;
            Ok::<_, tokio_postgres::Error>(answer)
        })
        .await;
    HttpResponse::Created().json(answer.unwrap())
}

async fn register(
    on: &Connection,
    account: &str,
    key: &str,
    body: &Register,
) -> Result<serde_json::Value, tokio_postgres::Error> {
    let (client, sql, model) = (&on.client, &on.statements, &on.model);
    let account_id = uuid_of(account);
    let now: DateTime<Utc> = Utc::now();
    let serial = body.serial_number.trim_start_matches('0').to_owned();
    let (product, entry) = (Uuid::now_v7(), Uuid::now_v7());
    let ledger: Row = client.query_one(&sql[0], &[&account_id]).await?;
    let stored = &body.serial_number;
    client
        .execute(
            &sql[1],
            &[
                &product,
                &account_id,
                &uuid_of(&body.model_id),
                stored,
                &serial,
                &now,
                &body.purchase_date,
                &body.purchase_country,
                &body.dealer,
            ],
        )
        .await?;
    let (balance, held, seq): (i64, i64, i64) = (ledger.get(1), ledger.get(2), ledger.get(3));
    let (balance, seq) = (balance + model.points, seq + 1);
    client
        .execute(
            &sql[2],
            &[
                &entry,
                &account_id,
                &seq,
                &model.points,
                &balance,
                &held,
                &product,
                &model.valid_from,
                &now,
            ],
        )
        .await?;
    let (invited, below): (Option<DateTime<Utc>>, Option<DateTime<Utc>>) =
        (ledger.get(4), ledger.get(5));
    client
        .execute(
            &sql[3],
            &[&account_id, &balance, &held, &seq, &invited, &below, &now],
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
    let answer = json!({
        "id": id, "model": model_view(model),
        "status": "complete", "serial_number": stored, "purchase_date": body.purchase_date,
        "purchase_country": body.purchase_country, "dealer": body.dealer, "estimated": [], "missing": [], "warnings": [],
        "points_granted": model.points, "points_possible": model.points, "version": 1, "created_at": now, "updated_at": now,
    });
    client.execute(&sql[5], &[&key, &"", &answer, &now]).await?;
    Ok(answer)
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
            &on.statements[4],
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
