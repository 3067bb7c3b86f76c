//! Bodies that do not come, and answers that are not read: they take nothing from anybody else.

use std::time::{Duration, Instant};

use cps_api::handlers::extract::{BodyBounds, Limits, MinimumRate, SlowReader};
use reqwest::Method;
use serde_json::json;

use super::head;
use crate::support::{Sending, TestApp, Token};
use crate::wire::Wire;

const PDF: &[u8] = b"%PDF-1.4 a certificate";
const KIND: &str = "vat_registration_certificate";

/// An upload that begins and does not go on.
fn begin_upload(app: &TestApp, account: &str, token: &Token, more: &str) -> Wire {
    let bearer = token.0.as_deref().unwrap();
    let form = "Content-Type: multipart/form-data; boundary=cut\r\nContent-Length: 100000";
    let more = format!("Authorization: Bearer {bearer}\r\n{form}\r\n{more}");
    let mut wire = Wire::open(&app.address);
    wire.send(head("POST", &format!("{account}/documents"), &more));
    wire.send("--cut\r\nContent-Disposition: form-data; name=\"kind\"\r\n\r\nvat_inv");
    wire
}

async fn somebody_else(app: &TestApp) -> (String, Token) {
    let change = json!({
        "company_name": "Strand Foto ApS", "vat_number": "24256790",
        "contact": { "email": "bo@strandfoto.example" }
    });
    app.applicant(change).await
}

/// Other callers read, write and upload as ever.
async fn others_do_not_notice(app: &TestApp, account: &str, token: &Token) {
    for _ in 0..5 {
        app.get("/v1/models", &Token::default()).await.expect(200);
        let mette = app.sign_in("mette@fjordfoto.example").await;
        app.get("/v1/me", &mette).await.expect(200);
    }
    app.upload(account, token, KIND, PDF).await.expect(201);
    app.get("/readyz", &Token::default()).await.expect(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_uploads_of_one_caller_take_nothing_from_the_others() {
    let app = TestApp::start().await;
    let (account, token) = app.applicant(json!({})).await;
    let (other_account, other) = somebody_else(&app).await;
    let mut slow: Vec<Wire> = (0..515)
        .map(|_| begin_upload(&app, &account, &token, ""))
        .collect();
    // All of them have been taken up by now, and none is over.
    tokio::time::sleep(Duration::from_secs(1)).await;
    others_do_not_notice(&app, &other_account, &other).await;
    let answers = tokio::task::spawn_blocking(move || {
        let answers = slow.iter_mut().map(|wire| wire.answer().unwrap());
        answers.collect::<Vec<_>>()
    });
    let answers = answers.await.unwrap();
    let (mut too_many, mut too_slow) = (0, 0);
    for answer in answers {
        match answer.status {
            429 => {
                assert_eq!(answer.problem(), "rate_limited");
                assert!(answer.header("retry-after").is_some());
                too_many += 1;
            }
            // On a slow machine some of them wait too long for a connection.
            503 => assert_eq!(answer.problem(), "overloaded"),
            _ => {
                assert_eq!(
                    (answer.status, answer.problem().as_str()),
                    (408, "body_too_slow")
                );
                too_slow += 1;
            }
        }
    }
    // On a slow machine the last ones begin when the first ones are over.
    assert!(too_slow >= 8 && too_many > 300, "{too_slow} {too_many}");
    app.upload(&account, &token, KIND, PDF).await.expect(201);
}

/// Limits that few bodies meet, and that give them time.
fn few_bodies(all: usize, address: usize, caller: usize) -> Limits {
    Limits {
        bodies: BodyBounds {
            all,
            address,
            caller,
        },
        body_rate: MinimumRate {
            bytes_per_second: 1,
            after: Duration::from_secs(60),
        },
        ..Limits::default()
    }
}

const BEHIND_A_PROXY: [(&str, &str); 2] = [
    ("CPS_TRUSTED_PROXIES", "127.0.0.0/8"),
    ("CPS_MAX_IN_FLIGHT", "4"),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_callers_from_one_address_are_the_same_attack() {
    let limits = few_bodies(100, 6, 2);
    let app = TestApp::start_with_limits(&BEHIND_A_PROXY, limits).await;
    let mut callers = Vec::new();
    for n in 0..4 {
        let email = format!("nobody-{n}@nordlys-test.example");
        let caller = app.applicant(json!({ "contact": { "email": email } }));
        callers.push(caller.await);
    }
    let mut slow = Vec::new();
    for (account, token) in &callers {
        let from = "X-Forwarded-For: 203.0.113.9\r\n";
        slow.extend([(); 2].map(|()| begin_upload(&app, account, token, from)));
        // So many at once that nobody waits for a place to be asked who they are.
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    // Which of them come first to where bodies are counted is not told.
    let begun = Instant::now();
    while slow.iter().filter(|wire| wire.is_answered()).count() < 2 {
        assert!(begun.elapsed() < Duration::from_secs(30));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let (refused, slow): (Vec<Wire>, Vec<Wire>) =
        slow.into_iter().partition(|wire| wire.is_answered());
    assert_eq!(refused.len(), 2);
    let mut told = Vec::new();
    for mut wire in refused {
        let answer = tokio::task::spawn_blocking(move || wire.answer());
        told.push(answer.await.unwrap().unwrap().problem());
    }
    // On a slow machine one of them waits too long for a connection.
    told.sort();
    told.dedup();
    assert!(
        ["rate_limited", "overloaded rate_limited"].contains(&&*told.join(" ")),
        "{told:?}"
    );
    let (account, token) = somebody_else(&app).await;
    others_do_not_notice(&app, &account, &token).await;
    drop(slow);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bodies_from_everywhere_are_bounded_and_leave_reading_alone() {
    let limits = few_bodies(5, 2, 2);
    let app = TestApp::start_with_limits(&BEHIND_A_PROXY, limits).await;
    let slow = |n: usize| {
        let from = format!(
            "X-Forwarded-For: 203.0.113.{n}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n"
        );
        let mut wire = Wire::open(&app.address);
        wire.send(head("POST", "/v1/sessions", &from));
        wire
    };
    let held: Vec<Wire> = (0..5).map(slow).collect();
    tokio::time::sleep(Duration::from_millis(300)).await;
    let mut last = slow(6);
    let refused = tokio::task::spawn_blocking(move || last.answer().unwrap());
    let refused = refused.await.unwrap();
    assert_eq!(
        (refused.status, refused.problem().as_str()),
        (503, "overloaded")
    );
    assert!(refused.header("retry-after").is_some());
    for _ in 0..10 {
        app.get("/v1/models", &Token::default()).await.expect(200);
    }
    drop(held);
    let wrong = json!({ "email": "nobody@nordlys-test.example", "password": "x" });
    let ask = async || {
        app.post("/v1/sessions", &Token::default(), wrong.clone())
            .await
    };
    super::until(ask, 401).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn short_bodies_at_once_take_turns() {
    let app = TestApp::start_with_limits(&[], few_bodies(100, 100, 2)).await;
    let mette = app.sign_in("mette@fjordfoto.example").await;
    let body = json!({ "email": "nobody@nordlys-test.example" });
    let many = (0..40).map(|_| app.post("/v1/password-resets", &mette, body.clone()));
    for answer in futures_util::future::join_all(many).await {
        answer.expect(202);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_trickles_is_cut_off_and_one_at_its_pace_is_not() {
    let limits = Limits {
        body_rate: MinimumRate {
            bytes_per_second: 1000,
            after: Duration::from_millis(500),
        },
        body_time: Duration::from_secs(60),
        ..Limits::default()
    };
    let app = TestApp::start_with_limits(&[], limits).await;
    let typed = "Content-Type: application/json\r\nContent-Length: 40000\r\n";
    let mut trickle = Wire::open(&app.address);
    trickle.send(head("POST", "/v1/sessions", typed));
    let begun = Instant::now();
    for _ in 0..20 {
        trickle.send("          ");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let answer = tokio::task::spawn_blocking(move || trickle.answer().unwrap());
    assert_eq!(answer.await.unwrap().problem(), "body_too_slow");
    assert!(begun.elapsed() < Duration::from_secs(20));
    let mut steady = Wire::open(&app.address);
    steady.send(head("POST", "/v1/sessions", typed));
    for _ in 0..20 {
        steady.send(" ".repeat(2000));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let answer = tokio::task::spawn_blocking(move || steady.answer().unwrap());
    assert_eq!(answer.await.unwrap().problem(), "malformed_request");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_does_not_read_the_answer_is_cut_off() {
    let limits = Limits {
        slow_reader: SlowReader {
            bytes: 60_000,
            within: Duration::from_secs(1),
        },
        ..Limits::default()
    };
    let app = TestApp::start_with_limits(&[], limits).await;
    let whole = app.request(Method::GET, "/openapi.json").answer().await;
    let size = whole.expect(200).text.len();
    let asked = 40_000_000 / size + 1;
    let mut lazy = Wire::open(&app.address);
    lazy.send(head("GET", "/openapi.json", "").repeat(asked));
    let got = tokio::task::spawn_blocking(move || {
        std::thread::sleep(Duration::from_secs(5));
        lazy.drain()
    });
    let got = got.await.unwrap();
    assert!(got < asked * size, "{got} of {}", asked * size);
    // Who reads gets as much as they ask for.
    let mut eager = Wire::open(&app.address);
    let last = head("GET", "/openapi.json", "Connection: close\r\n");
    eager.send(head("GET", "/openapi.json", "").repeat(9) + &last);
    let got = tokio::task::spawn_blocking(move || eager.drain());
    assert!(got.await.unwrap() > 10 * size);
}
