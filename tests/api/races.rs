//! Many at once: on PostgreSQL by two instances over one database, on SQLite by one.

use std::collections::BTreeMap;
use std::sync::Arc;

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::support::{Answer, Database, Sending, TestApp, Token};

const MODEL: &str = "EOS R6 Mark II";
const POINTS: i64 = 205;
const SERIALS: usize = 100;
const CLIENTS: usize = 32;
const ACCOUNTS: usize = 8;

/// One instance, or two where the database allows it.
async fn instances() -> Vec<Arc<TestApp>> {
    let database = Database::seeded().await;
    let first = Arc::new(TestApp::on(database.clone(), &[]).await);
    if database.url().starts_with("sqlite") {
        return vec![first];
    }
    vec![first, Arc::new(TestApp::on(database, &[]).await)]
}

/// Stops all but the first instance and has the ledger recomputed.
async fn ledger_is_right(mut instances: Vec<Arc<TestApp>>) {
    let first = instances.remove(0);
    for one in instances {
        Arc::into_inner(one).unwrap().stop().await;
    }
    let first = Arc::into_inner(first).unwrap();
    let (_, told) = first.after_command(&["verify-ledger"]).await;
    assert!(told.contains("Every balance is right"), "{told}");
}

/// The `n`-th serial number as the `c`-th client spells it.
fn spelled(n: usize, c: usize) -> String {
    let number = format!("{:08}", 55_000_000 + n);
    match c % 5 {
        0 => number,
        1 => format!(" {} {} ", &number[..4], &number[4..]),
        2 => format!("00{number}"),
        3 => format!("{}-{} (body)", &number[..3], &number[3..]),
        _ => format!("0{number}[copy]"),
    }
}

/// Sends until the answer is more than "come back later".
async fn insist(request: RequestBuilder) -> Answer {
    for _ in 0..200 {
        let answer = request.try_clone().unwrap().answer().await;
        let code = answer.body["code"].as_str().unwrap_or_default();
        let later = answer.status == 503 || code == "idempotency_in_progress";
        if !later {
            return answer;
        }
        assert!(!answer.header("retry-after").is_empty(), "{}", answer.text);
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("no answer in time");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_serial_numbers_have_one_winner_each() {
    let instances = instances().await;
    let app = &instances[0];
    let mut accounts = Vec::new();
    for n in 0..ACCOUNTS {
        let email = format!("racer-{n}@race.example");
        accounts.push(app.business(&email, json!({})).await);
    }
    let model = app.model(MODEL).await;
    let mut racing = tokio::task::JoinSet::new();
    for c in 0..CLIENTS {
        let app = instances[c % instances.len()].clone();
        let racer = &accounts[c % ACCOUNTS];
        let (path, token) = (format!("{}/products", racer.account), racer.token.clone());
        let (model, account) = (model.clone(), racer.account.clone());
        racing.spawn(async move {
            let mut won = Vec::new();
            for step in 0..SERIALS {
                // Each begins elsewhere, so that they meet all over.
                let n = (step * 7 + c * 13) % SERIALS;
                let body = json!({
                    "model_id": model, "serial_number": spelled(n, c), "purchase_date": "2024-05-17",
                    "purchase_country": "DK", "dealer": "Foto Nord"
                });
                let request = app.request(Method::POST, &path).sent_by(&token);
                let answer = insist(request.json(&body)).await;
                match answer.status {
                    201 => won.push((n, account.clone())),
                    200 => {}
                    _ => drop(answer.problem(409, "serial_already_registered")),
                }
            }
            won
        });
    }
    let mut winners: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    for (n, account) in racing.join_all().await.into_iter().flatten() {
        winners.entry(n).or_default().push(account);
    }
    assert_eq!(winners.len(), SERIALS);
    assert!(winners.values().all(|all| all.len() == 1), "{winners:?}");
    for racer in &accounts {
        let won = winners.values().filter(|all| all[0] == racer.account);
        let points = app.balance(&racer.account, &racer.token).await;
        assert_eq!(points, i64::try_from(won.count()).unwrap() * POINTS);
    }
    ledger_is_right(instances).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn guesses_and_real_serial_numbers_cross_without_a_knot() {
    let instances = instances().await;
    let app = &instances[0];
    let mut accounts = Vec::new();
    for n in 0..4 {
        let email = format!("racer-{n}@race.example");
        accounts.push(app.business(&email, json!({})).await);
    }
    let model = app.model(MODEL).await;
    let mut racing = tokio::task::JoinSet::new();
    for c in 0..16 {
        let app = instances[c % instances.len()].clone();
        let racer = &accounts[c % accounts.len()];
        let (path, token) = (format!("{}/products", racer.account), racer.token.clone());
        let model = model.clone();
        racing.spawn(async move {
            for step in 0..10 {
                let n = (step * 3 + c) % 10;
                let is_guess = step % 2 == c % 2;
                let estimated = if is_guess { vec!["serial_number"] } else { vec![] };
                let body = json!({
                    "model_id": model, "serial_number": spelled(n, c), "purchase_date": "2024-05-17",
                    "purchase_country": "DK", "dealer": "Foto Nord", "estimated": estimated
                });
                let request = app.request(Method::POST, &path).sent_by(&token);
                let answer = insist(request.json(&body)).await;
                assert!(matches!(answer.status, 200 | 201 | 409), "{}", answer.text);
            }
        });
    }
    racing.join_all().await;
    ledger_is_right(instances).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixty_four_identical_posts_have_one_effect() {
    let instances = instances().await;
    let app = &instances[0];
    let asta = app.business("asta@race.example", json!({})).await;
    let admin = app.sign_in("admin@cps.example").await;
    let path = format!("{}/points/adjustments", asta.account);
    let mut racing = tokio::task::JoinSet::new();
    for c in 0..64 {
        let app = instances[c % instances.len()].clone();
        let (path, admin) = (path.clone(), admin.clone());
        racing.spawn(async move {
            let body = json!({ "amount": 100, "reason": "once" });
            let request = app.request(Method::POST, &path).sent_by(&admin);
            let request = request.header("idempotency-key", "the-one-key").json(&body);
            let first = request.try_clone().unwrap().answer().await;
            if first.status == 201 {
                return first;
            }
            assert!(matches!(first.status, 409 | 503), "{}", first.text);
            assert!(!first.header("retry-after").is_empty());
            insist(request).await.expect(201)
        });
    }
    let answers = racing.join_all().await;
    let bodies: Vec<&Value> = answers.iter().map(|answer| &answer.body).collect();
    assert!(bodies.iter().all(|body| *body == bodies[0]));
    let fresh = |answer: &&Answer| answer.header("idempotency-replayed").is_empty();
    assert_eq!(answers.iter().filter(fresh).count(), 1);
    assert_eq!(app.balance(&asta.account, &asta.token).await, 100);
    ledger_is_right(instances).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn points_that_change_all_at_once_add_up_and_invite_once() {
    let instances = instances().await;
    let app = &instances[0];
    let asta = app.business("asta@race.example", json!({})).await;
    let admin = app.sign_in("admin@cps.example").await;
    let path = format!("{}/points/adjustments", asta.account);
    let mut racing = tokio::task::JoinSet::new();
    for c in 0..40 {
        let app = instances[c % instances.len()].clone();
        let (path, admin) = (path.clone(), admin.clone());
        racing.spawn(async move {
            let body = json!({ "amount": 25, "reason": "one of forty" });
            let request = app.request(Method::POST, &path).sent_by(&admin);
            let request = request.header("idempotency-key", format!("one-of-forty-{c}"));
            insist(request.json(&body)).await.expect(201);
        });
    }
    racing.join_all().await;
    assert_eq!(app.balance(&asta.account, &asta.token).await, 1000);
    app.mail(&asta.email, "programme_invitation").await;
    let mails = app.mails(&asta.email).await;
    let invitations = mails
        .iter()
        .filter(|mail| mail["template"] == "programme_invitation");
    assert_eq!(invitations.count(), 1);
    ledger_is_right(instances).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_of_one_instance_is_good_on_the_other() {
    let instances = instances().await;
    let token: Token = instances[0].sign_in("mette@fjordfoto.example").await;
    for app in &instances {
        let me = app.get("/v1/me", &token).await.expect(200);
        assert_eq!(me.str("/email"), "mette@fjordfoto.example");
    }
}
