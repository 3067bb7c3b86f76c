//! What administrators do with dealers and with what their systems sign in with.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};

use crate::raw::Raw;
use crate::support::{Answer, Sending, TestApp, Token};

const PARTNERS: &str = "/v1/partners";
const FOTO_NORD: &str = "/v1/partners/ptn_0000000000007000800000000000012c";

/// A dealer that is taken in, with a credential that has every scope: its id, and the answer that has the secret.
pub async fn new_dealer(app: &TestApp, admin: &Token) -> (String, Answer) {
    let body = json!({ "name": "Fotohjørnet", "country": "DK", "contact_email": "it@fotohjornet.example" });
    let partner = app.post(PARTNERS, admin, body).await.expect(201);
    let partner = partner.str("/id");
    let scopes = json!(["registrations:write", "registrations:read", "webhooks"]);
    let body = json!({ "name": "Kasse 1", "scopes": scopes });
    let path = format!("{PARTNERS}/{partner}/credentials");
    let credential = app.post(&path, admin, body).await.expect(201);
    (partner, credential)
}

async fn sign_in(app: &TestApp, id: &str, secret: &str) -> Answer {
    let request = app.request(Method::POST, "/v1/oauth/token");
    let request = request.basic_auth(id, Some(secret));
    let form = [("grant_type", "client_credentials")];
    request.form(&form).answer().await
}

/// A token of the system that a credential was made for.
pub async fn token_of(app: &TestApp, credential: &Answer) -> Token {
    let secret = credential.str("/client_secret");
    let signed_in = sign_in(app, &credential.str("/client_id"), &secret).await;
    Token(Some(signed_in.expect(200).str("/access_token")))
}

async fn admin(app: &TestApp) -> Token {
    app.sign_in("admin@cps.example").await
}

async fn is_good(app: &TestApp, token: &Token) -> bool {
    app.get("/v1/me", token).await.status == 200
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dealer_is_taken_in_changed_and_found() {
    let app = TestApp::start().await;
    let admin = admin(&app).await;
    let (partner, _) = new_dealer(&app, &admin).await;
    let path = format!("{PARTNERS}/{partner}");
    let seen = app.get(&path, &admin).await.expect(200);
    assert_eq!(seen.body["quotas"]["lines_per_day"], 50_000);
    assert_eq!(seen.body["quotas"]["used"]["lines"], 0);
    assert_eq!(seen.str("/status"), "active");
    let change = json!({ "name": "Fotohjørnet Nord", "lines_per_day": 7 });
    let changed = app.patch(&path, &admin, 1, change).await.expect(200);
    assert_eq!(
        (&changed.body["version"], changed.str("/name")),
        (&json!(2), "Fotohjørnet Nord".to_owned())
    );
    assert_eq!(changed.body["quotas"]["lines_per_day"], 7);
    let stale = app.patch(&path, &admin, 1, json!({ "name": "X" })).await;
    stale.problem(412, "precondition_failed");
    let back = app
        .patch(&path, &admin, 2, json!({ "lines_per_day": null }))
        .await;
    assert_eq!(back.expect(200).body["quotas"]["lines_per_day"], 50_000);
    let mette = app.sign_in("mette@fjordfoto.example").await;
    let named = app.get(&path, &mette).await.expect(200);
    let shown = json!({ "id": partner, "name": "Fotohjørnet Nord", "country": "DK" });
    assert_eq!(named.body, shown);
    let found = app
        .get(&format!("{PARTNERS}?query=hjørnet%20nord"), &mette)
        .await;
    assert_eq!(found.expect(200).body["items"], json!([shown]));
    let none = app.get(&format!("{PARTNERS}?query=%25"), &mette).await;
    assert_eq!(none.expect(200).body["items"], json!([]));
    let reason = json!({ "reason": "Customers who never were there." });
    let suspension = format!("{path}/suspension");
    app.post(&suspension, &admin, reason).await.expect(200);
    app.get(&path, &mette).await.problem(404, "not_found");
    let all = app.get(PARTNERS, &mette).await.expect(200);
    assert_eq!(all.body["items"].as_array().unwrap().len(), 2);
    let whole = app.get(PARTNERS, &admin).await.expect(200);
    assert_eq!(whole.str("/items/0/status"), "suspended");
    let wrong = json!({ "name": "X", "country": "ZZ", "contact_email": "x" });
    let wrong = app.post(PARTNERS, &admin, wrong).await;
    assert_eq!(wrong.problem(422, "invalid_request").faults().len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_suspended_revoked_or_narrowed_ends_its_tokens_and_widening_does_not() {
    let app = TestApp::start().await;
    let admin = admin(&app).await;
    let (partner, credential) = new_dealer(&app, &admin).await;
    let path = format!("{PARTNERS}/{partner}");
    let own = format!("{path}/credentials/{}", credential.str("/id"));
    let mut token = token_of(&app, &credential).await;
    assert!(is_good(&app, &token).await);
    for (version, change, is_kept) in [
        (1, json!({ "name": "Kasse 3" }), true),
        (2, json!({ "scopes": ["registrations:write"] }), false),
        (
            3,
            json!({ "scopes": ["registrations:write", "webhooks"] }),
            true,
        ),
        (4, json!({ "networks": ["127.0.0.0/8"] }), true),
    ] {
        let changed = app.patch(&own, &admin, version, change.clone()).await;
        changed.expect(200);
        assert_eq!(is_good(&app, &token).await, is_kept, "{change}");
        token = token_of(&app, &credential).await;
    }
    let elsewhere = json!({ "networks": ["203.0.113.9/24"] });
    let changed = app.patch(&own, &admin, 5, elsewhere).await.expect(200);
    assert_eq!(changed.body["networks"], json!(["203.0.113.0/24"]));
    let outside = app.get("/v1/me", &token).await;
    outside.problem(403, "network_not_allowed");
    let everywhere = json!({ "networks": [] });
    app.patch(&own, &admin, 6, everywhere).await.expect(200);
    assert!(is_good(&app, &token).await);
    let suspension = format!("{path}/suspension");
    for _ in 0..2 {
        let reason = json!({ "reason": "Its systems are broken." });
        let suspended = app.post(&suspension, &admin, reason).await.expect(200);
        assert_eq!(suspended.body["version"], 2);
        assert!(!is_good(&app, &token).await);
    }
    let id = credential.str("/id");
    let secret = credential.str("/client_secret");
    assert_eq!(sign_in(&app, &id, &secret).await.status, 401);
    for _ in 0..2 {
        let request = app.request(Method::DELETE, &format!("{suspension}?reason=Mended"));
        let reopened = request.sent_by(&admin).answer().await.expect(200);
        assert_eq!(reopened.str("/status"), "active");
    }
    let token = token_of(&app, &credential).await;
    app.delete(&own, &admin, 7).await.expect(204);
    assert!(!is_good(&app, &token).await);
    assert_eq!(sign_in(&app, &id, &secret).await.status, 401);
    app.delete(&own, &admin, 7).await.problem(404, "not_found");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_secrets_open_while_they_overlap_and_only_the_newest_afterwards() {
    let app = TestApp::start().await;
    let admin = admin(&app).await;
    let (partner, credential) = new_dealer(&app, &admin).await;
    let (id, first) = (credential.str("/id"), credential.str("/client_secret"));
    assert!(
        first.starts_with("cps_test_") && first.len() == 52,
        "{first}"
    );
    let own = format!("{PARTNERS}/{partner}/credentials/{id}");
    let rotation = format!("{own}/secret-rotation");
    let rotate = async |hours: Value| app.post(&rotation, &admin, hours).await;
    let rotated = rotate(json!({ "overlap_hours": 2 })).await.expect(200);
    let second = rotated.str("/client_secret");
    let old = sign_in(&app, &id, &first).await.expect(200);
    let old = Token(Some(old.str("/access_token")));
    sign_in(&app, &id, &second).await.expect(200);
    let open = rotate(json!({})).await;
    open.problem(409, "secret_rotation_open");
    app.delete(&format!("{own}/previous-secret"), &admin, 1)
        .await
        .expect(204);
    assert_eq!(sign_in(&app, &id, &first).await.status, 401);
    assert!(!is_good(&app, &old).await);
    sign_in(&app, &id, &second).await.expect(200);
    let rotated = rotate(json!({ "overlap_hours": 1 })).await.expect(200);
    let third = rotated.str("/client_secret");
    sign_in(&app, &id, &second).await.expect(200);
    app.advance(chrono::TimeDelta::minutes(61)).await;
    assert_eq!(sign_in(&app, &id, &second).await.status, 401);
    sign_in(&app, &id, &third).await.expect(200);
    let stored = Raw::open(&app.database).lines("SELECT secret_hash AS line FROM credentials");
    assert!(stored.iter().all(|hash| hash.len() == 64), "{stored:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_secret_is_shown_once_and_a_dealer_has_so_many() {
    let app = TestApp::start().await;
    let admin = admin(&app).await;
    let path = format!("{FOTO_NORD}/credentials");
    let body = json!({ "name": "Kasse 2", "scopes": ["registrations:write"] });
    let keyed = async |body: &Value| {
        let request = app.request(Method::POST, &path).sent_by(&admin);
        let request = request.header("idempotency-key", "kasse-2").json(body);
        request.answer().await.expect(201)
    };
    let made = keyed(&body).await;
    assert_eq!(made.header("cache-control"), "no-store");
    assert_eq!(keyed(&body).await.body, made.body);
    let listed = app.get(&path, &admin).await.expect(200);
    assert_eq!(listed.body["items"].as_array().unwrap().len(), 2);
    assert!(!listed.text.contains("secret"), "{}", listed.text);
    for _ in 0..8 {
        app.post(&path, &admin, body.clone()).await.expect(201);
    }
    let more = app.post(&path, &admin, body).await;
    more.problem(409, "credential_limit_reached");
    let wrong =
        json!({ "name": "X", "scopes": ["admin"], "networks": ["10.0.0.1", "2001:db8::/32"] });
    let wrong = app.post(&path, &admin, wrong).await;
    let faults = wrong.problem(422, "invalid_request").faults();
    let expected = [
        ("#/networks/0", "network_invalid"),
        ("#/scopes/0", "scope_unknown"),
    ];
    let mut found: Vec<_> = faults.iter().map(|(at, code)| (&**at, &**code)).collect();
    found.sort_unstable();
    assert_eq!(found, expected);
    let none = json!({ "name": "X", "scopes": [] });
    app.post(&path, &admin, none)
        .await
        .problem(422, "invalid_request");
}

/// Sends a batch of one line under a key.
async fn send_batch(app: &TestApp, token: &Token, key: &str) -> Answer {
    let request = app.request(Method::POST, "/v1/registration-batches");
    let request = request.sent_by(token).header("idempotency-key", key);
    let lines = "external_id;member_number;model;serial_number;purchase_date\n\
        F-1;100000000287;EOS R6;130210041177;2025-05-17\n";
    let request = request.header("content-type", "text/csv").body(lines);
    request.answer().await.expect(202)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_idempotency_key_is_the_dealers_whichever_of_its_systems_sends_it() {
    let app = TestApp::start().await;
    let admin = admin(&app).await;
    let (partner, first) = new_dealer(&app, &admin).await;
    let path = format!("{PARTNERS}/{partner}/credentials");
    let scopes = json!({ "name": "Kasse 2", "scopes": ["registrations:write"] });
    let second = app.post(&path, &admin, scopes).await.expect(201);
    let (_, of_another) = new_dealer(&app, &admin).await;
    let [first, second, other] = [
        token_of(&app, &first).await,
        token_of(&app, &second).await,
        token_of(&app, &of_another).await,
    ];
    let sent = send_batch(&app, &first, "batch-1").await;
    let repeated = send_batch(&app, &second, "batch-1").await;
    assert_eq!(repeated.str("/id"), sent.str("/id"));
    assert_eq!(repeated.text, sent.text);
    let others = send_batch(&app, &other, "batch-1").await;
    assert_ne!(others.str("/id"), sent.str("/id"));
    let batches = "SELECT CAST(count(*) AS TEXT) AS line FROM registration_batches";
    assert_eq!(Raw::open(&app.database).lines(batches), ["2"]);
}

/// Far longer than an instance remembers who signed in, far shorter than a token holds.
const FORGOTTEN: Duration = Duration::from_secs(30);

/// What a client is answered that calls until it is refused, and is refused from then on.
async fn call_until_refused(app: &TestApp, token: &Token) -> u16 {
    let (begun, mut good) = (Instant::now(), 0);
    let refused = loop {
        match app.get("/v1/me", token).await.status {
            200 => good += 1,
            refused => break refused,
        }
        assert!(begun.elapsed() < FORGOTTEN, "it still holds");
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    assert!(good > 0);
    for _ in 0..10 {
        assert_eq!(app.get("/v1/me", token).await.status, refused);
    }
    refused
}

/// Eight clients call one instance while something ends at another: what they are refused with.
async fn while_eight_call(app: &TestApp, token: &Token, ends: impl Future<Output = Answer>) -> u16 {
    let begun = Instant::now();
    // What was known before it was widened elsewhere is remembered, too.
    while !is_good(app, token).await {
        assert!(begun.elapsed() < FORGOTTEN, "it does not hold yet");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let clients = (0..8).map(|_| call_until_refused(app, token));
    let ends = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        let answer = ends.await;
        assert!(answer.status < 300, "{}", answer.text);
    };
    let (refused, ()) = tokio::join!(futures_util::future::join_all(clients), ends);
    assert!(refused.iter().all(|one| *one == refused[0]), "{refused:?}");
    refused[0]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_ends_at_one_instance_ends_at_every_other_that_is_called_meanwhile() {
    let one = TestApp::start().await;
    if !one.database.is_shared() {
        return;
    }
    let other = TestApp::on(one.database.clone(), &[]).await;
    let admin = admin(&other).await;
    let (partner, credential) = new_dealer(&other, &admin).await;
    let path = format!("{PARTNERS}/{partner}");
    let own = format!("{path}/credentials/{}", credential.str("/id"));
    let token = async || token_of(&one, &credential).await;
    let narrower = json!({ "scopes": ["registrations:write"] });
    let narrowed = other.patch(&own, &admin, 1, narrower);
    assert_eq!(while_eight_call(&one, &token().await, narrowed).await, 401);
    let elsewhere = other.patch(&own, &admin, 2, json!({ "networks": ["203.0.113.0/24"] }));
    assert_eq!(while_eight_call(&one, &token().await, elsewhere).await, 403);
    let everywhere = json!({ "networks": [] });
    other.patch(&own, &admin, 3, everywhere).await.expect(200);
    let reason = json!({ "reason": "Its systems are broken." });
    let suspension = format!("{path}/suspension");
    let suspended = other.post(&suspension, &admin, reason);
    assert_eq!(while_eight_call(&one, &token().await, suspended).await, 401);
    let reopened = other.request(Method::DELETE, &format!("{suspension}?reason=Mended"));
    reopened.sent_by(&admin).answer().await.expect(200);
    let revoked = other.delete(&own, &admin, 4);
    assert_eq!(while_eight_call(&one, &token().await, revoked).await, 401);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_two_secrets_overlap_no_client_is_refused_at_any_instance() {
    let one = TestApp::start().await;
    if !one.database.is_shared() {
        return;
    }
    let other = TestApp::on(one.database.clone(), &[]).await;
    let admin = admin(&other).await;
    let (partner, credential) = new_dealer(&other, &admin).await;
    let (id, first) = (credential.str("/id"), credential.str("/client_secret"));
    let own = format!("{PARTNERS}/{partner}/credentials/{id}");
    let rotation = format!("{own}/secret-rotation");
    let is_over = AtomicBool::new(false);
    let client = async || {
        let token = token_of(&one, &credential).await;
        while !is_over.load(Ordering::Relaxed) {
            assert!(is_good(&one, &token).await);
            assert_eq!(sign_in(&one, &id, &first).await.status, 200);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let rotates = async {
        let hours = json!({ "overlap_hours": 1 });
        let rotated = other.post(&rotation, &admin, hours).await;
        let second = rotated.expect(200).str("/client_secret");
        // Until whatever was known before is read anew.
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(6) {
            assert_eq!(sign_in(&one, &id, &second).await.status, 200);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        is_over.store(true, Ordering::Relaxed);
    };
    tokio::join!(
        futures_util::future::join_all((0..8).map(|_| client())),
        rotates
    );
    let old = sign_in(&one, &id, &first).await.expect(200);
    let old = Token(Some(old.str("/access_token")));
    let previous = format!("{own}/previous-secret");
    let ended = other.delete(&previous, &admin, 1);
    assert_eq!(while_eight_call(&one, &old, ended).await, 401);
    assert_eq!(sign_in(&one, &id, &first).await.status, 401);
}

/// A dealer whose batch waits, since it was suspended before the batch's turn; the batch's path.
async fn with_waiting_batch(app: &TestApp, admin: &Token) -> (String, String) {
    let (partner, credential) = new_dealer(app, admin).await;
    let token = token_of(app, &credential).await;
    assert!(is_good(app, &token).await);
    // Past the service, which would end the token at once.
    let suspended = "UPDATE partners SET status = 'suspended' WHERE name = 'Fotohjørnet'";
    Raw::open(&app.database).run(suspended).unwrap();
    let sent = send_batch(app, &token, "batch-1").await;
    let done = "SELECT state AS line FROM jobs WHERE kind = 'run_batch'";
    for _ in 0..600 {
        if Raw::open(&app.database).lines(done) == ["done"] {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let path = format!("/v1/registration-batches/{}", sent.str("/id"));
    let waits = app.get(&path, admin).await.expect(200);
    assert_eq!(waits.str("/status"), "queued");
    assert_eq!(Raw::open(&app.database).lines(done), ["done"]);
    (partner, path)
}

async fn is_completed(app: &TestApp, admin: &Token, batch: &str) -> bool {
    for _ in 0..600 {
        let seen = app.get(batch, admin).await.expect(200);
        if seen.str("/status") == "completed" {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    false
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_batches_of_a_dealer_who_is_reopened_go_on() {
    let app = TestApp::start().await;
    let admin = admin(&app).await;
    let (partner, batch) = with_waiting_batch(&app, &admin).await;
    let path = format!("{PARTNERS}/{partner}/suspension?reason=Mended");
    let request = app.request(Method::DELETE, &path);
    request.sent_by(&admin).answer().await.expect(200);
    assert!(is_completed(&app, &admin, &batch).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_that_failed_goes_on_when_its_job_is_tried_again() {
    let app = TestApp::start().await;
    let admin = admin(&app).await;
    let (_, batch) = with_waiting_batch(&app, &admin).await;
    let mut raw = Raw::open(&app.database);
    for change in [
        "UPDATE partners SET status = 'active'",
        "UPDATE registration_batches SET status = 'failed', version = version + 1",
        "UPDATE jobs SET state = 'dead' WHERE kind = 'run_batch'",
    ] {
        raw.run(change).unwrap();
    }
    let dead = app.get("/v1/jobs?state=dead", &admin).await.expect(200);
    let path = format!("/v1/jobs/{}/retry", dead.str("/items/0/id"));
    let reason = json!({ "reason": "The disk has room again." });
    app.post(&path, &admin, reason).await.expect(200);
    assert!(is_completed(&app, &admin, &batch).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_credential_is_bound_to_as_many_networks_as_the_programme_says() {
    let app = TestApp::start().await;
    let admin = admin(&app).await;
    let (partner, credential) = new_dealer(&app, &admin).await;
    let path = format!("{PARTNERS}/{partner}/credentials");
    let networks =
        |most: usize| -> Vec<String> { (0..most).map(|n| format!("192.0.2.{n}/32")).collect() };
    let too_many = [("#/networks".to_owned(), "too_many".to_owned())];
    let body = |most| json!({ "name": "X", "scopes": ["webhooks"], "networks": networks(most) });
    app.post(&path, &admin, body(20)).await.expect(201);
    let refused = app.post(&path, &admin, body(21)).await;
    assert_eq!(refused.problem(422, "invalid_request").faults(), too_many);
    let own = format!("{path}/{}", credential.str("/id"));
    let body = json!({ "networks": networks(21) });
    let refused = app.patch(&own, &admin, 1, body).await;
    assert_eq!(refused.problem(422, "invalid_request").faults(), too_many);
}
