//! Requests a minute and a day: whom they count for, and as what.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use chrono::TimeDelta;
use cps_api::workflows::sessions::take_back;
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use super::limited;
use crate::raw::Raw;
use crate::support::{Answer, Sending, TestApp, Token, registration};
use crate::wire::exchange;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_that_tries_too_often_is_told_when_to_come_back() {
    let (app, _folder) = limited(&[("sign_in_per_address", 3)]).await;
    let wrong = json!({ "email": "nobody@nordlys-test.example", "password": "x" });
    let try_from = async |hops: &str| {
        let request = app.request(Method::POST, "/v1/sessions").json(&wrong);
        request.header("x-forwarded-for", hops).answer().await
    };
    for left in [2, 1, 0] {
        let answer = try_from("203.0.113.9").await.expect(401);
        assert_eq!(answer.header("ratelimit-policy"), "\"sign_in\";q=3;w=60");
        let state = format!("\"sign_in\";r={left}");
        assert!(answer.header("ratelimit").starts_with(&state), "{answer:?}");
    }
    let refused = try_from("203.0.113.9").await.problem(429, "rate_limited");
    let wait: i64 = refused.header("retry-after").parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
    assert!(refused.header("ratelimit").starts_with("\"sign_in\";r=0"));
    // What the client itself wrote before the proxies is not believed; our own proxies are no clients.
    for hops in ["198.51.100.1, 203.0.113.9", "203.0.113.9, 10.1.1.1"] {
        try_from(hops).await.problem(429, "rate_limited");
    }
    try_from("198.51.100.7").await.expect(401);
    // Other things are not counted with it, and time heals.
    let other = app.request(Method::GET, "/v1/sandbox");
    let other = other
        .header("x-forwarded-for", "203.0.113.9")
        .answer()
        .await;
    other.expect(200);
    app.advance(TimeDelta::seconds(wait)).await;
    try_from("203.0.113.9").await.expect(401);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_credential_has_requests_of_its_own() {
    let (app, _folder) = limited(&[("per_credential", 4)]).await;
    let mette = app.sign_in("mette@fjordfoto.example").await;
    let jonas = app.sign_in("jonas@lysogskygge.example").await;
    for _ in 0..4 {
        app.get("/v1/me", &mette).await.expect(200);
    }
    let refused = app.get("/v1/me", &mette).await;
    let refused = refused.problem(429, "rate_limited");
    assert_eq!(
        refused.header("ratelimit-policy"),
        "\"credential\";q=4;w=60"
    );
    assert!(!refused.header("retry-after").is_empty());
    app.get("/v1/me", &jonas).await.expect(200);
    app.get("/healthz", &mette).await.expect(200);
}

const HERE: &str = "203.0.113.9";

async fn read_from(app: &TestApp, hops: &str, token: &Token) -> Answer {
    let request = app.request(Method::GET, "/v1/models").sent_by(token);
    request.header("x-forwarded-for", hops).answer().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_session_is_no_new_allowance() {
    let (app, _folder) = limited(&[("per_credential", 4)]).await;
    for _ in 0..4 {
        let mette = app.sign_in("mette@fjordfoto.example").await;
        app.get("/v1/me", &mette).await.expect(200);
    }
    let mette = app.sign_in("mette@fjordfoto.example").await;
    let refused = app.get("/v1/me", &mette).await.problem(429, "rate_limited");
    assert!(
        refused
            .header("ratelimit-policy")
            .starts_with("\"credential\"")
    );
    // An application has its own.
    let (account, applicant) = app.applicant(json!({})).await;
    for _ in 0..4 {
        app.get(&account, &applicant).await.expect(200);
    }
    let refused = app.get(&account, &applicant).await;
    refused.problem(429, "rate_limited");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn made_up_and_expired_bearers_count_for_the_address() {
    let (app, _folder) = limited(&[("anonymous_per_address", 2)]).await;
    let expired = app.sign_in("mette@fjordfoto.example").await;
    app.advance(TimeDelta::minutes(11)).await;
    let begun = Instant::now();
    let mut unauthenticated = 0;
    for n in 0..500 {
        let made_up = match n % 4 {
            0 => format!("cpa_{n:0>43}"),
            1 => format!("eyJhbGciOiJFZERTQSJ9.e30.{n}"),
            2 => format!("{n}"),
            _ => expired.0.clone().unwrap(),
        };
        let answer = app.request(Method::GET, "/v1/me").bearer_auth(made_up);
        let answer = answer.header("x-forwarded-for", HERE).answer().await;
        let policy = answer.header("ratelimit-policy");
        assert!(policy.starts_with("\"anonymous\""), "{policy}");
        match answer.status {
            401 => unauthenticated += 1,
            _ => drop(answer.problem(429, "rate_limited")),
        }
    }
    // Two at once, and then one every 30 seconds.
    let allowed = 3 + begun.elapsed().as_secs() / 30;
    assert!(unauthenticated <= allowed, "{unauthenticated}");
    read_from(&app, "198.51.100.7", &Token::default())
        .await
        .expect(200);
    let jonas = app.sign_in("jonas@lysogskygge.example").await;
    read_from(&app, HERE, &jonas).await.expect(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_tried_by_strangers_counts_for_the_address_also_with_a_token() {
    let all = [
        ("sign_in_per_address", "/v1/sessions"),
        ("reset_per_address", "/v1/password-resets"),
        ("register_per_address", "/v1/accounts"),
    ];
    let (app, _folder) = limited(&all.map(|(policy, _)| (policy, 3))).await;
    let tokens = [
        app.sign_in("mette@fjordfoto.example").await,
        app.sign_in("jonas@lysogskygge.example").await,
        Token::default(),
        Token(Some("cpa_made-up".to_owned())),
    ];
    for (policy, path) in all {
        let policy = policy.trim_end_matches("_per_address");
        for (n, token) in tokens.iter().enumerate() {
            let request = app.request(Method::POST, path).sent_by(token);
            let request = request.header("x-forwarded-for", HERE).json(&json!({}));
            let answer = request.answer().await;
            let told = answer.header("ratelimit-policy");
            assert_eq!(told, format!("\"{policy}\";q=3;w=60"), "{path}");
            assert_eq!(answer.status == 429, n >= 3, "{path} {n}: {}", answer.text);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_spelling_that_is_routed_to_an_endpoint_counts_as_that_endpoint() {
    let policies = [
        "sign_in_per_address",
        "reset_per_address",
        "register_per_address",
    ];
    let (app, _folder) = limited(&policies.map(|policy| (policy, 4))).await;
    for paths in [
        [
            "/v1/sessions",
            "/v1/%73essions",
            "/%76%31/sessions",
            "/v1/sess%69%6Fns?a=1",
        ],
        [
            "/v1/accounts",
            "/v1/%61ccounts",
            "/%761/accounts",
            "/v1/account%73?",
        ],
        [
            "/v1/password-resets",
            "/v1/%70assword%2Dresets",
            "/v1/applicant-link%73",
            "/v1/%70asswords",
        ],
    ] {
        // The fifth of any spelling is one too many.
        for (n, path) in paths.iter().chain(&paths).enumerate() {
            let answer = sent(&app, "POST", path, HERE);
            assert_eq!(answer == 429, n >= 4, "{path} {n}: {answer}");
        }
    }
}

/// The status of a bare request with an empty object.
fn sent(app: &TestApp, method: &str, path: &str, from: &str) -> u16 {
    let head = format!(
        "Host: here\r\nConnection: close\r\nContent-Type: application/json\r\nX-Forwarded-For: {from}"
    );
    let request = format!("{method} {path} HTTP/1.1\r\n{head}\r\nContent-Length: 2\r\n\r\n{{}}");
    exchange(&app.address, request).unwrap().status
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_routed_counts_in_one_bucket_with_the_rest() {
    let (app, _folder) = limited(&[("anonymous_per_address", 3)]).await;
    let odd = [
        ("POST", "/v1//sessions", 404),
        ("POST", "/V1/sessions", 404),
        ("POST", "/v1/sessions/", 404),
        ("POST", "/v1/%2573essions", 404),
        ("POST", "/v1/sessions%00", 404),
        ("POST", "/v1/%2Fsessions", 404),
        ("GET", "/v1/nowhere", 404),
        ("BREW", "/v1/sessions", 405),
        ("PUT", "/v1/%73essions", 405),
        ("PUT", "/openapi.json", 405),
        ("PUT", "/docs/", 405),
    ];
    for (n, (method, path, status)) in odd.into_iter().enumerate() {
        let from = format!("203.0.113.{n}");
        assert_eq!(sent(&app, "GET", "/v1/models", &from), 200);
        for _ in 0..2 {
            assert_eq!(sent(&app, method, path, &from), status, "{method} {path}");
        }
        for (method, path) in [(method, path), ("GET", "/openapi.json"), ("GET", "/docs/")] {
            assert_eq!(sent(&app, method, path, &from), 429, "{method} {path}");
        }
        assert_eq!(sent(&app, "GET", "/%68ealthz", &from), 200);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_names_an_address_of_their_own_choice() {
    let (app, _folder) = limited(&[("anonymous_per_address", 3)]).await;
    let spellings = [
        "203.0.113.9:4711",
        "\"203.0.113.9:80\"",
        "::ffff:203.0.113.9",
        HERE,
    ];
    for (n, hop) in spellings.into_iter().enumerate() {
        let answer = read_from(&app, &format!("192.0.2.{n}, {hop}"), &Token::default()).await;
        assert_eq!(answer.status == 429, n >= 3, "{hop}");
    }
    for (n, hop) in ["unknown", "_x", "", "203.0.113"].into_iter().enumerate() {
        let answer = read_from(&app, &format!("192.0.2.{n}, {hop}"), &Token::default()).await;
        assert_eq!(answer.status == 429, n >= 3, "{hop}");
    }
    for n in 0..4 {
        let household = format!("2001:db8:1:2:{n}::{n}");
        let answer = read_from(&app, &household, &Token::default()).await;
        assert_eq!(answer.status == 429, n >= 3, "{household}");
    }
    let neighbour = read_from(&app, "2001:db8:1:3::1", &Token::default()).await;
    neighbour.expect(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_guesses_tokens_takes_nothing_from_a_token_that_holds() {
    let (app, _folder) = limited(&[("anonymous_per_address", 3)]).await;
    let (account, token) = app.applicant(json!({})).await;
    let read = async |token: String| {
        let request = app.request(Method::GET, &account).bearer_auth(token);
        request.header("x-forwarded-for", HERE).answer().await
    };
    let own = token.0.unwrap();
    read(own.clone()).await.expect(200);
    let mut statuses = Vec::new();
    for n in 0..10 {
        statuses.push(read(format!("cpa_{n:0>43}")).await.status);
    }
    assert!(statuses.contains(&401), "{statuses:?}");
    let refused = read(format!("cpa_{:0>43}", 10)).await;
    let refused = refused.problem(429, "rate_limited");
    assert!(!refused.header("retry-after").is_empty());
    assert!(
        refused
            .header("ratelimit")
            .starts_with("\"anonymous\";r=0;")
    );
    read(own).await.expect(200);
}

/// A moment that is far from the end of its day.
async fn to_noon(app: &TestApp) {
    let day = app.now().await.date_naive() + TimeDelta::days(1);
    app.set_clock(&format!("{day}T12:00:00Z")).await;
}

async fn register_from(app: &TestApp, hops: &str) -> Answer {
    let request = app
        .request(Method::POST, "/v1/accounts")
        .json(&registration(json!({})));
    request.header("x-forwarded-for", hops).answer().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn registrations_of_a_day_are_counted_in_the_database() {
    let limits = [("registrations_a_day_per_address", 3)];
    let (app, folder) = limited(&limits).await;
    to_noon(&app).await;
    for _ in 0..2 {
        register_from(&app, HERE).await.expect(201);
    }
    let database = app.stop().await;
    let programme = folder.path().join("programme.toml");
    let variables = [
        ("CPS_PROGRAMME", programme.to_str().unwrap()),
        ("CPS_TRUSTED_PROXIES", "127.0.0.0/8"),
    ];
    // Another instance counts on.
    let app = TestApp::on(database, &variables).await;
    register_from(&app, HERE).await.expect(201);
    let refused = register_from(&app, HERE).await.problem(429, "rate_limited");
    assert!(refused.header("ratelimit").starts_with("\"register\";r=0;"));
    let wait: i64 = refused.header("retry-after").parse().unwrap();
    assert!((1..=86_401).contains(&wait), "{wait}");
    register_from(&app, "198.51.100.7").await.expect(201);
    let plain = "SELECT count(*) AS n FROM request_counts WHERE caller_hash LIKE '%203.0%'";
    assert_eq!(app.database.numbers(plain), [0]);
    app.advance(TimeDelta::seconds(wait)).await;
    register_from(&app, HERE).await.expect(201);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_at_once_from_one_address_are_counted_one_by_one() {
    let (app, _folder) = limited(&[("registrations_a_day_per_address", 5)]).await;
    to_noon(&app).await;
    let many = (0..12).map(|_| register_from(&app, HERE));
    let answers = join_all(many).await;
    let of = |status| {
        answers
            .iter()
            .filter(|answer| answer.status == status)
            .count()
    };
    assert_eq!((of(201), of(429)), (5, 7));
}

/// One sign-in, or what it is refused with.
async fn sign_in(app: &TestApp, email: &str, password: &str) -> Answer {
    let body = json!({ "email": email, "password": password });
    app.post("/v1/sessions", &Token::default(), body).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_password_that_was_not_compared_is_no_failed_sign_in() {
    let (app, mette) = (TestApp::start().await, "mette@fjordfoto.example");
    let tried = AtomicUsize::new(0);
    let crowd = (0..120).map(async |_| {
        loop {
            let n = tried.fetch_add(1, Ordering::Relaxed);
            let email = format!("nobody-{n}@nordlys-test.example");
            sign_in(&app, &email, "x").await;
        }
    });
    let own = async {
        let mut unavailable = 0;
        while unavailable < 12 {
            let answer = sign_in(&app, mette, "Sandbox-Adgang-2026").await;
            match answer.status {
                503 => unavailable += 1,
                _ => drop(answer.expect(201)),
            }
        }
    };
    tokio::select! {
        _ = join_all(crowd) => {}
        () = own => {}
    }
    let ask = async || sign_in(&app, mette, "Sandbox-Adgang-2026").await;
    let answer = loop {
        let answer = ask().await;
        if answer.status != 503 {
            break answer;
        }
    };
    answer.expect(201);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_try_that_was_taken_back_makes_nobody_wait() {
    let (app, mette) = (TestApp::start().await, "mette@fjordfoto.example");
    for _ in 0..5 {
        sign_in(&app, mette, "a guess").await.expect(401);
    }
    let counted = || {
        let tries = "SELECT failures AS n FROM sign_in_failures";
        let waits = "SELECT count(*) AS n FROM sign_in_failures WHERE blocked_until IS NOT NULL";
        [tries, waits].map(|query| app.database.numbers(query))
    };
    assert_eq!(counted(), [[5], [1]]);
    let mut raw = Raw::open(&app.database);
    let mette_counted = &cps_api::secrets::sha256_hex(mette.as_bytes());
    // Somebody else has tried since then.
    take_back(
        &mut raw.0,
        mette_counted,
        "2020-01-01T00:00:00Z".parse().unwrap(),
    )
    .unwrap();
    assert_eq!(counted(), [[4], [1]]);
    take_back(
        &mut raw.0,
        mette_counted,
        "2100-01-01T00:00:00Z".parse().unwrap(),
    )
    .unwrap();
    assert_eq!(counted(), [[3], [0]]);
    sign_in(&app, mette, "Sandbox-Adgang-2026")
        .await
        .expect(201);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_guesses_at_once_are_not_free() {
    let app = TestApp::start().await;
    let email = "nobody@nordlys-test.example";
    let guesses = (0..30).map(|_| sign_in(&app, email, "a guess"));
    let answers = join_all(guesses).await;
    let compared = answers.iter().filter(|answer| answer.status == 401).count();
    assert!(compared <= 5, "{compared}");
    let told: Vec<&Value> = answers.iter().map(|answer| &answer.body["code"]).collect();
    assert!(told.contains(&&json!("too_many_attempts")), "{told:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_path_takes_is_what_is_routed() {
    let app = TestApp::start().await;
    let products = "/v1/accounts/acc_00000000000070008000000000000001/products";
    for (method, path, allowed) in [
        (Method::PUT, "/v1/%61ccounts".to_owned(), "GET, HEAD, POST"),
        (Method::GET, "/v1/%73essions".to_owned(), "POST"),
        (Method::PUT, format!("{products}/import"), "POST"),
        (Method::POST, "/docs/index.html".to_owned(), "GET, HEAD"),
    ] {
        let refused = app.request(method, &path).answer().await;
        let refused = refused.problem(405, "method_not_allowed");
        assert_eq!(refused.header("allow"), allowed, "{path}");
    }
    // A product may be called like an operation on all of them.
    let path = format!("{products}/import");
    let told = app.get(&path, &Token::default()).await;
    told.problem(401, "unauthenticated");
}
