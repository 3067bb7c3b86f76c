//! What a dealer cannot find out: who is not found is told apart by nothing, nor is who has a serial number, be it by an answer, its size, a header, a
//! quota, the statements that it takes or, where `CPS_TIMING=long` asks for it, the time.

use std::time::Instant;

use reqwest::Method;
use reqwest::header::HeaderMap;
use serde_json::{Value, json};

use super::world::{dealer, merged};
use super::{LINES, Shop, of_vectors, sale};
use crate::limits::limited;
use crate::partners::{FOTO_NORD, KAMERAHUSET, MEMBER};
use crate::statements;
use crate::support::{Answer, Sending, TestApp, Token};

/// A customer as a line names it, one whom nobody finds, and one whose business is suspended.
fn customers() -> [[Value; 3]; 3] {
    let member = |number: &str| json!({ "member_number": number });
    let account = |number: &str| json!({ "account_number": number });
    let vat = |number: &str, email: &str| json!({ "vat_number": number, "vat_country": "DK", "email": email });
    [
        [
            member("207491553073"),
            member("999999999078"),
            member("229900184710"),
        ],
        [
            account("2000000127"),
            account("2000000612"),
            account("2000000321"),
        ],
        [
            vat("24256790", "lager@fjordfoto.example"),
            vat("10150817", "mette@fjordfoto.example"),
            vat("47458714", "karl@havblik.example"),
        ],
    ]
}

/// A sale to a customer, of the `n`-th camera.
fn sold(customer: &Value, n: usize) -> Value {
    let line =
        json!({ "external_id": format!("F-{n}"), "serial_number": format!("1302100{n:05}") });
    let mut line = merged(sale(), &merged(line, customer));
    if customer.get("member_number").is_none() {
        line.as_object_mut().unwrap().remove("member_number");
    }
    line
}

/// The same under another id of the dealer's.
fn again(line: &Value, n: usize) -> Value {
    merged(
        line.clone(),
        &json!({ "external_id": format!("F-again-{n}") }),
    )
}

/// What the service asks for a request that counts something of a partner's day, and what it answers.
async fn heard(request: impl Future<Output = Answer>) -> (Vec<String>, Answer) {
    statements::listen();
    let answer = request.await;
    let mut pieces = statements::heard("partner_days");
    // Housekeeping forgets days when it comes to it.
    pieces.retain(|piece| !piece.iter().any(|asked| asked.starts_with("DELETE FROM")));
    assert_eq!(pieces.len(), 1, "{pieces:#?}");
    (pieces.remove(0), answer)
}

fn before_writes(asked: &[String]) -> &[String] {
    let is_write = |text: &String| {
        ["INSERT", "UPDATE", "DELETE"]
            .iter()
            .any(|word| text.starts_with(word))
    };
    let first = asked.iter().position(is_write);
    &asked[..first.expect("something is written")]
}

/// Lists of a length each are one.
fn without_lengths(asked: &[String]) -> Vec<String> {
    asked.iter().map(|text| text.replace(", ?", "")).collect()
}

/// All of an answer but for ids and moments, of which the length stays.
fn seen(answer: &Answer) -> (u16, Vec<(String, String)>, String) {
    let mut text = answer.text.clone();
    for field in [
        "request_id",
        "id",
        "product_id",
        "model_id",
        "external_id",
        "created_at",
        "offer_expires_at",
    ] {
        if let Some(value) = answer.body[field].as_str() {
            text = text.replace(value, &"x".repeat(value.len()));
        }
    }
    (answer.status, headers(&answer.headers), text)
}

/// The headers but for ids and moments, by name.
fn headers(headers: &HeaderMap) -> Vec<(String, String)> {
    let mut seen: Vec<_> = headers
        .iter()
        .map(|(name, value)| {
            let value = value.to_str().unwrap();
            let value = match name.as_str() {
                "date" | "x-request-id" | "location" | "etag" => format!("{} long", value.len()),
                // Both run with the time.
                "ratelimit" | "retry-after" => value.replace(|c: char| c.is_ascii_digit(), ""),
                _ => value.to_owned(),
            };
            (name.to_string(), value)
        })
        .collect();
    seen.sort();
    seen
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_found_and_who_is_not_take_the_same_statements() {
    let mut shop = Shop::open().await;
    shop.world(&json!({}));
    for (partner, first) in [("P", 10_000), ("Q", 20_000)] {
        for (n, [known, unknown, suspended]) in customers().iter().enumerate() {
            let n = first + 1000 * n;
            // The catalogue is read, and the customer's ledger made.
            shop.report(partner, &sold(known, n + 1)).await.expect(201);
            let hit = sold(known, n + 2);
            let (asked, answer) = heard(shop.report(partner, &hit)).await;
            answer.expect(201);
            let (missed, first) = heard(shop.report(partner, &sold(unknown, n + 3))).await;
            assert_eq!(before_writes(&asked), before_writes(&missed), "{hit}");
            let (of_suspended, second) = heard(shop.report(partner, &sold(suspended, n + 4))).await;
            assert_eq!(of_suspended, missed, "{suspended}");
            assert_eq!(seen(&first), seen(&second));
            assert_eq!(first.faults()[0].1, "customer_not_matched");
            // Who is found and refused takes what a miss takes, to the last statement.
            let (refused, answer) = heard(shop.report(partner, &again(&hit, n))).await;
            answer.problem(409, "serial_already_reported");
            assert_eq!(refused, missed, "{hit}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_number_that_is_valid_takes_the_statements_of_one_that_is_not() {
    let app = TestApp::start().await;
    let token = app.dealer(FOTO_NORD, "registrations:write").await;
    let card = app.get("/v1/sandbox", &Token::default()).await;
    let unknown = card.str("/customers/unknown");
    let ask = async |number: &str| {
        let path = format!("/v1/members/{number}");
        heard(app.get(&path, &token)).await
    };
    let (valid, answer) = ask(MEMBER).await;
    assert_eq!(answer.body, json!({ "valid": true }));
    for number in [&unknown, "100000000288", "no%20number"] {
        let (invalid, missed) = ask(number).await;
        assert_eq!(missed.text, "{\"valid\":false}");
        assert_eq!(invalid, valid, "{number}");
        let names = |answer: &Answer| {
            let seen = headers(&answer.headers).into_iter();
            seen.filter(|(name, _)| name != "content-length")
                .collect::<Vec<_>>()
        };
        assert_eq!(names(&missed), names(&answer));
    }
}

/// Who has the serial number of a line: somebody of the vectors, who is the customer or a stranger.
fn held(case: &str, by: &str) -> Value {
    let product = merged(of_vectors(case), &json!({ "account": by }));
    json!({ "products": { "prd_1": product } })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_has_a_serial_number_is_told_to_no_dealer_who_is_not_trusted() {
    let mut shop = Shop::open().await;
    let customer = json!({ "account_number": "2000000224" });
    let mut line = merged(sale(), &customer);
    line.as_object_mut().unwrap().remove("member_number");
    for (cases, status) in [
        (
            [
                held("another customer holds the serial number, not trusted", "B"),
                held("another customer holds the serial number, not trusted", "E"),
                held("a serial number under a claim", "B"),
                held("a serial number under a claim", "E"),
            ]
            .to_vec(),
            "already_registered",
        ),
        (
            [
                json!({}),
                held(
                    "a stranger's guess stays until the customer accepts, not trusted",
                    "E",
                ),
            ]
            .to_vec(),
            "offered",
        ),
    ] {
        let mut told = Vec::new();
        for given in cases {
            shop.world(&given);
            shop.report("Q", &sold(&customer, 1)).await.expect(201);
            shop.report("Q", &sold(&json!({ "account_number": "2000000515" }), 2))
                .await
                .expect(201);
            let (asked, answer) = heard(shop.report("Q", &line)).await;
            assert_eq!(answer.str("/status"), status, "{given}");
            told.push((without_lengths(&asked), seen(&answer)));
        }
        for other in &told[1..] {
            assert_eq!(other, &told[0]);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_day_that_is_used_up_tells_nobody_who_would_have_been_found() {
    let mut shop = Shop::open().await;
    shop.world(&json!({}));
    let [[known, unknown, suspended], ..] = customers();
    let id = dealer("P").partner_id;
    let partner = uuid::Uuid::parse_str(&id[4..]).unwrap();
    let mut n = 0;
    for used in ["lines = 50000", "unmatched = 200"] {
        shop.report("P", &sold(&unknown, 99)).await;
        let day = format!("UPDATE partner_days SET {used} WHERE partner_id = '{partner}'");
        shop.raw.run(&day).unwrap();
        let mut told = Vec::new();
        for customer in [&known, &unknown, &suspended] {
            n += 1;
            let (asked, answer) = heard(shop.report("P", &sold(customer, n))).await;
            let answer = answer.problem(429, "quota_exceeded");
            told.push((asked, seen(&answer)));
        }
        assert!(
            told[1..].iter().all(|other| *other == told[0]),
            "{used}: {told:#?}"
        );
        shop.raw.run("DELETE FROM partner_days").unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_miss_and_a_hit_cost_one_request_each() {
    let (app, _rules) = limited(&[("per_credential", 60)]).await;
    let token = app.dealer(FOTO_NORD, "registrations:write").await;
    let mut left = 60;
    for number in [MEMBER, "00000000", "229900184710", MEMBER] {
        let answer = app.get(&format!("/v1/members/{number}"), &token).await;
        let header = answer.expect(200).header("ratelimit").to_owned();
        let after = header
            .split("r=")
            .nth(1)
            .and_then(|rest| rest.split(';').next());
        let after: i64 = after.unwrap().parse().unwrap();
        // Time gives some back.
        assert!(after >= left - 1, "{header}");
        left = after;
    }
}

/// How likely two samples that come from one source are at least as far apart as these (Mann and Whitney, by the normal approximation).
fn likelihood(one: &[f64], other: &[f64]) -> f64 {
    let mut all: Vec<(f64, bool)> = one.iter().map(|value| (*value, true)).collect();
    all.extend(other.iter().map(|value| (*value, false)));
    all.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut ranks, mut ties, mut at) = (0.0, 0.0, 0);
    for same in all.chunk_by(|a, b| a.0 == b.0) {
        let size = same.len() as f64;
        let rank = at as f64 + (size + 1.0) / 2.0;
        ranks += rank * same.iter().filter(|(_, is_one)| *is_one).count() as f64;
        ties += size * size * size - size;
        at += same.len();
    }
    let (n, m) = (one.len() as f64, other.len() as f64);
    let u = ranks - n * (n + 1.0) / 2.0;
    let spread = n * m / 12.0 * (n + m + 1.0 - ties / ((n + m) * (n + m - 1.0)));
    let z = (u - n * m / 2.0).abs() / spread.sqrt();
    tail(z)
}

/// Both tails of the normal distribution beyond `z` (Abramowitz and Stegun, 7.1.26: to 1.5e-7).
fn tail(z: f64) -> f64 {
    let x = z / std::f64::consts::SQRT_2;
    let t = 1.0 / (1.0 + 0.327_591_1 * x);
    let sum = [
        1.061_405_429,
        -1.453_152_027,
        1.421_413_741,
        -0.284_496_736,
        0.254_829_592,
    ];
    sum.iter().fold(0.0, |so_far, next| (so_far + next) * t) * (-x * x).exp()
}

#[test]
fn samples_that_differ_are_told_apart_and_others_are_not() {
    assert!((tail(1.959_964) - 0.05).abs() < 1e-4);
    let sample = |begin: f64| {
        (0..200)
            .map(|n| begin + f64::from(n * 7919 % 200))
            .collect::<Vec<f64>>()
    };
    assert!(likelihood(&sample(0.0), &sample(0.5)) > 0.5);
    assert!(likelihood(&sample(0.0), &sample(40.0)) < 1e-6);
}

const EACH: usize = 2000;

/// Times two requests in turns, in an order that is drawn anew each time.
async fn timed(one: impl AsyncFn(usize), other: impl AsyncFn(usize)) -> f64 {
    let (mut times, mut draws) = ([Vec::new(), Vec::new()], 0x2545_f491_4f6c_dd1d_u64);
    for n in 0..EACH + 50 {
        draws ^= draws << 13;
        draws ^= draws >> 7;
        draws ^= draws << 17;
        for turn in 0..2 {
            let is_one = (turn == 0) == (draws & 1 == 0);
            let begun = Instant::now();
            match is_one {
                true => one(n).await,
                false => other(n).await,
            }
            // What comes first warms up.
            if n >= 50 {
                times[usize::from(is_one)].push(begun.elapsed().as_secs_f64());
            }
        }
    }
    let median = |times: &[f64]| {
        let mut sorted = times.to_vec();
        sorted.sort_by(f64::total_cmp);
        sorted[sorted.len() / 2] * 1e6
    };
    let likelihood = likelihood(&times[0], &times[1]);
    eprintln!(
        "medians {:.0} and {:.0} µs, p = {likelihood:.4}",
        median(&times[1]),
        median(&times[0])
    );
    likelihood
}

/// Whether two of three runs do not tell them apart.
async fn are_alike(what: &str, one: impl AsyncFn(usize), other: impl AsyncFn(usize)) -> bool {
    let mut alike = 0;
    for _ in 0..3 {
        eprint!("{what}: ");
        alike += usize::from(timed(&one, &other).await > 0.01);
    }
    alike >= 2
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn times_tell_nothing() {
    if std::env::var("CPS_TIMING").is_ok_and(|word| word == "long") {
        let (numbers, [refused, unknown]) = (of_numbers().await, of_lines().await);
        assert_eq!((numbers, refused, unknown), (true, true, true));
    }
}

/// A service that refuses nobody for asking often, and staff that look at no dealer.
async fn patient() -> (TestApp, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let mut rules = cps_api::programme::SHIPPED.to_owned();
    for name in [
        "unmatched_per_day",
        "alert_unmatched",
        "lines_per_day",
        "alert_not_mine",
    ] {
        let line = rules
            .lines()
            .find(|line| line.starts_with(name))
            .unwrap()
            .to_owned();
        rules = rules.replace(&line, &format!("{name} = 10000000"));
    }
    let path = folder.path().join("programme.toml");
    let (before, sandbox) = rules.split_once("[rate_limits.sandbox]").unwrap();
    let line = sandbox
        .lines()
        .find(|line| line.starts_with("per_credential"))
        .unwrap();
    let sandbox = sandbox.replace(line, "per_credential = 100000000");
    std::fs::write(&path, format!("{before}[rate_limits.sandbox]{sandbox}")).unwrap();
    let variables = [("CPS_PROGRAMME", path.to_str().unwrap())];
    (TestApp::start_with(&variables).await, folder)
}

/// Tokens hold for ten minutes, and runs take longer.
async fn asked(app: &TestApp, token: &Token, path: &str) {
    app.get(path, token).await.expect(200);
}

async fn of_numbers() -> bool {
    let (app, _rules) = patient().await;
    let card = app.get("/v1/sandbox", &Token::default()).await;
    let valid = format!("/v1/members/{MEMBER}");
    let unknown = format!("/v1/members/{}", card.str("/customers/unknown"));
    let token = app.dealer(FOTO_NORD, "registrations:write").await;
    let alike = are_alike(
        "a member number that is valid, and one that is not",
        async |_| asked(&app, &token, &valid).await,
        async |_| asked(&app, &token, &unknown).await,
    );
    alike.await
}

async fn of_lines() -> [bool; 2] {
    let (app, _rules) = patient().await;
    let card = app.get("/v1/sandbox", &Token::default()).await;
    let token = app.dealer(KAMERAHUSET, "registrations:write").await;
    let line = |customer: &str, n: usize| {
        json!({
            "external_id": format!("T-{n}"), "account_number": customer, "model": "EOS R6", "serial_number": "130210041177",
            "purchase_date": "2025-05-17"
        })
    };
    let report = async |line: Value| {
        app.request(Method::POST, LINES)
            .sent_by(&token)
            .json(&line)
            .answer()
            .await
    };
    let (known, suspended) = (
        card.str("/customers/account_number"),
        card.str("/customers/suspended"),
    );
    report(line(&known, 0)).await.expect(201);
    let refused = async |customer: &str, n: usize, status: u16| {
        report(line(customer, n + 1)).await.expect(status);
    };
    let found = are_alike(
        "a customer who is found and refused, and one who is not found",
        async |n| refused(&known, n, 409).await,
        async |n| refused(&suspended, n, 422).await,
    );
    let nobody = "2099999999";
    let not_found = are_alike(
        "a customer who is suspended, and a number that nobody has",
        async |n| refused(&suspended, n, 422).await,
        async |n| refused(nobody, n, 422).await,
    );
    [found.await, not_found.await]
}
