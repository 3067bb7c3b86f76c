//! What dealers report in bulk: lines a second beside statements that leave the same rows, how much memory they take, and how long a customer
//! waits beside them. Each figure is a ratio to something else in the same run.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::child::{Child, Folder};
use crate::rows::{self, Rows};
use crate::{fill, median, model, number, sign_in};

const CLIENT: &str =
    "crd_0000000000007000800000000000012d:cps_test_FotoNord-FotoNord-FotoNord-FotoNord-0000001";

/// What a dealer's system signs in with.
async fn token(service: &Child) -> String {
    use base64::Engine;
    let basic = base64::engine::general_purpose::STANDARD.encode(CLIENT);
    let headers = format!(
        "Authorization: Basic {basic}\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    );
    let answer = service
        .send(
            "POST",
            "/v1/oauth/token",
            &headers,
            "grant_type=client_credentials",
        )
        .await
        .expect("a token");
    let answer: Value = serde_json::from_str(&answer).unwrap();
    answer["access_token"].as_str().unwrap().to_owned()
}

/// Has a batch taken in and worked through; how long that took in all.
async fn work_through(service: &Child, rows: &mut Rows, lines: &[rows::Line]) -> Duration {
    let (token, file) = (token(service).await, rows::file(lines));
    let begun = Instant::now();
    let headers = format!(
        "Authorization: Bearer {token}\r\nContent-Type: application/x-ndjson\r\nIdempotency-Key: bench-{}\r\n",
        lines[0].external_id
    );
    let sent = service
        .send("POST", "/v1/registration-batches", &headers, &file)
        .await;
    sent.expect("a batch that is taken");
    while rows.open_batches() > 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    begun.elapsed()
}

/// All of it on one database.
pub async fn measure(name: &str, folder: &Folder, url: &str) {
    println!("\ndealers' lines on {name}");
    bulk(folder, url).await;
    memory(folder, url).await;
    beside(folder, url).await;
    feed(folder, url).await;
}

/// How many lines a batch has here.
fn most() -> usize {
    usize::try_from(number("BENCH_LINES", 10_000)).unwrap()
}

/// Lines a second, sent and worked through, to statements that leave the same rows; they take turns.
async fn bulk(folder: &Folder, url: &str) {
    let mut rows = Rows::open(url);
    let mut service = folder.service(url);
    service.ready().await;
    let (mut ours, mut bare) = (Vec::new(), Vec::new());
    for round in 0..number("BENCH_ROUNDS", 3) {
        rows.renew_quota();
        let lines = rows::lines(2 * round, most());
        ours.push(
            work_through(&service, &mut rows, &lines)
                .await
                .as_secs_f64(),
        );
        rows.all_is_numbered();
        let lines = rows::lines(2 * round + 1, most());
        let begun = Instant::now();
        rows.write(&lines);
        bare.push(begun.elapsed().as_secs_f64());
        rows.all_is_numbered();
    }
    let per_second = |taken: Vec<f64>| f64::from(u32::try_from(most()).unwrap()) / median(taken);
    let (ours, bare) = (per_second(ours), per_second(bare));
    println!(
        "  {:.0} lines/s, the bare statements {:.0}: {:.2}",
        ours,
        bare,
        ours / bare
    );
}

/// The most that a fresh service has resident after a batch.
async fn memory(folder: &Folder, url: &str) {
    let mut rows = Rows::open(url);
    for (n, part) in [10, 2, 1].into_iter().enumerate() {
        rows.renew_quota();
        let mut service = folder.service(url);
        service.ready().await;
        let before = service.peak_mib();
        let lines = rows::lines(100 + u64::try_from(n).unwrap(), most() / part);
        work_through(&service, &mut rows, &lines).await;
        println!(
            "  {} lines: {:.1} MiB resident at most, {:.1} before",
            lines.len(),
            service.peak_mib(),
            before
        );
    }
}

/// How long each registration of one customer takes, until `until` says so.
async fn register_until(service: &Child, first: u64, mut until: impl FnMut() -> bool) -> Vec<f64> {
    let (credentials, model) = (
        sign_in(service, &fill::email(1)).await,
        model(service).await,
    );
    let path = "/v1/accounts/acc_00000000000070009000000000000001/products";
    let (mut taken, mut n) = (Vec::new(), first);
    while !until() {
        n += 1;
        let body = format!(
            r#"{{"model_id":"{model}","serial_number":"{n:012}","purchase_date":"2024-05-17","purchase_country":"DK","dealer":"Foto Nord"}}"#
        );
        let begun = Instant::now();
        service.ask("POST", path, &credentials, &body).await;
        taken.push(begun.elapsed().as_secs_f64() * 1000.0);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    taken.sort_by(f64::total_cmp);
    taken
}

/// A customer's registration alone, and beside a batch.
async fn beside(folder: &Folder, url: &str) {
    let mut rows = Rows::open(url);
    rows.renew_quota();
    let mut service = folder.service(url);
    service.ready().await;
    let seconds = Duration::from_secs(number("BENCH_SECONDS", 3) * 3);
    let begun = Instant::now();
    let alone = register_until(&service, 1_000_000, || begun.elapsed() > seconds).await;
    let lines = rows::lines(200, most());
    let is_over = std::cell::Cell::new(false);
    let work = async {
        work_through(&service, &mut rows, &lines).await;
        is_over.set(true);
    };
    let (beside, ()) = tokio::join!(register_until(&service, 2_000_000, || is_over.get()), work);
    let p99 = |taken: &[f64]| taken[taken.len() * 99 / 100];
    println!(
        "  a customer's registration, p99: {:.1} ms alone, {:.1} ms beside a batch ({} of them)",
        p99(&alone),
        p99(&beside),
        beside.len()
    );
}

/// Pages of the dealer's feed by one client, to the same rows by a keyed select on a connection of its own.
async fn feed(folder: &Folder, url: &str) {
    let mut rows = Rows::open(url);
    let mut service = folder.service(url);
    service.ready().await;
    let headers = format!("Authorization: Bearer {}\r\n", token(&service).await);
    let pages = 200;
    let (mut ours, mut bare) = (Vec::new(), Vec::new());
    for page in 0..pages {
        let after = page * 100 % 5000;
        let path = format!("/v1/events?limit=100&after={after}");
        let begun = Instant::now();
        let answer = service
            .send("GET", &path, &headers, "")
            .await
            .expect("a page");
        ours.push(begun.elapsed().as_secs_f64());
        assert!(answer.contains("registration.registered"));
        let begun = Instant::now();
        assert_eq!(rows.page(after), 100);
        bare.push(begun.elapsed().as_secs_f64());
    }
    let (ours, bare) = (median(ours), median(bare));
    println!(
        "  a page of 100 events over HTTP: {:.2} ms, the keyed select {:.2} ms: {:.2}",
        ours * 1000.0,
        bare * 1000.0,
        bare / ours
    );
}
