//! What is kept of requests does not grow with what they say: metrics, counters, memory.

use crate::process::{Setup, free_port};
use crate::support::Database;
use crate::wire::exchange;

async fn told(metrics: &str) -> String {
    let answer = reqwest::get(format!("http://{metrics}/metrics")).await;
    answer.unwrap().text().await.unwrap()
}

/// Rounds of four odd requests; `ODD_ROUNDS=25000` for the long run.
fn rounds() -> usize {
    let named = std::env::var("ODD_ROUNDS").ok();
    named.map_or(400, |text| text.parse().unwrap())
}

/// Odd requests of every kind, from other methods, to other paths, from other addresses, with other tokens each time.
fn send_odd_ones(address: &str, from: usize, to: usize) {
    for n in from..to {
        let head = format!(
            "HTTP/1.1\r\nHost: here\r\nX-Forwarded-For: 2001:db8:{:x}:{:x}::1\r\n",
            n / 65_536,
            n % 65_536
        );
        let request = format!(
            "M{n} /v1/models/{n} {head}\r\n\
             GET /v1/odd-{n}/x {head}Authorization: Bearer cpa_{n}\r\n\r\n\
             GET /v1/m%6Fdels/{n} {head}X-Request-Id: odd-request-{n}\r\n\r\n\
             POST /v1/accounts/{n}/products {head}Connection: close\r\n\
             Idempotency-Key: odd-{n}\r\nContent-Length: 0\r\n\r\n"
        );
        exchange(address, request);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn odd_requests_make_no_new_series_and_take_no_memory() {
    let database = Database::create();
    let metrics = format!("127.0.0.1:{}", free_port());
    let served = Setup::on(&database)
        .with("CPS_METRICS_BIND", &metrics)
        .with("CPS_TRUSTED_PROXIES", "127.0.0.0/8")
        .serve();
    let address = served.address();
    let send = async |from, to| {
        let address = address.clone();
        let sent = tokio::task::spawn_blocking(move || send_odd_ones(&address, from, to));
        sent.await.unwrap();
    };
    send(0, 50).await;
    let (few, before) = (told(&metrics).await.lines().count(), served.resident());
    let rounds = rounds();
    send(50, rounds).await;
    let (told, after) = (told(&metrics).await, served.resident());
    assert!(
        told.contains("method=\"other\"") && told.contains("route=\"none\""),
        "{told}"
    );
    // A series of another status at most.
    assert!(told.lines().count() < few + 40, "{few}: {told}");
    assert!(told.contains("route=\"/v1/models/{model_id}\""), "{told}");
    assert!(after < before + 48 * 1024, "{before} KiB, then {after}");
    let last = rounds - 1;
    for odd in [format!("M{last}"), format!("odd-{last}")] {
        assert!(
            !told.contains(&odd) && !served.log().contains(&odd),
            "{odd}"
        );
    }
}
