//! What is kept of requests does not grow with what they say: metrics, counters, memory.

use crate::process::{Setup, free_port};
use crate::support::Database;
use crate::wire::exchange;

async fn told(metrics: &str) -> String {
    let answer = reqwest::get(format!("http://{metrics}/metrics")).await;
    answer.unwrap().text().await.unwrap()
}

/// Odd requests of every kind, from other methods, to other paths, with other tokens each time.
fn send_odd_ones(address: &str, from: usize, to: usize) {
    for n in from..to {
        let request = format!(
            "M{n} /v1/models/{n} HTTP/1.1\r\nHost: here\r\n\r\n\
             GET /v1/odd-{n}/x HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer cpa_{n}\r\n\r\n\
             GET /v1/m%6Fdels/{n} HTTP/1.1\r\nHost: here\r\nX-Request-Id: odd-request-{n}\r\n\r\n\
             POST /v1/accounts/{n}/products HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\
             Idempotency-Key: odd-{n}\r\nContent-Length: 0\r\n\r\n"
        );
        exchange(address, request);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn odd_requests_make_no_new_series() {
    let database = Database::create();
    let metrics = format!("127.0.0.1:{}", free_port());
    let served = Setup::on(&database)
        .with("CPS_METRICS_BIND", &metrics)
        .serve();
    let address = served.address();
    let send = async |from, to| {
        let address = address.clone();
        tokio::task::spawn_blocking(move || send_odd_ones(&address, from, to))
            .await
            .unwrap();
    };
    send(0, 10).await;
    let few = told(&metrics).await.lines().count();
    send(10, 400).await;
    let told = told(&metrics).await;
    assert!(
        told.contains("method=\"other\"") && told.contains("route=\"none\""),
        "{told}"
    );
    // A series of another status at most.
    assert!(told.lines().count() < few + 40, "{few}: {told}");
    assert!(told.contains("route=\"/v1/models/{model_id}\""), "{told}");
    for odd in ["M399", "odd-399"] {
        assert!(!told.contains(odd) && !served.log().contains(odd), "{odd}");
    }
}
