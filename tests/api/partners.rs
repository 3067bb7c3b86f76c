//! Dealers' systems: signing in, what their tokens hold for and how they end.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use chrono::TimeDelta;
use reqwest::Method;
use serde_json::{Value, json};

use crate::limits::limited;
use crate::raw::Raw;
use crate::support::{Answer, Sending, TestApp, Token};

/// A dealer that every sandbox has: client id and secret of its system.
#[derive(Debug, Clone, Copy)]
pub struct Dealer {
    pub partner_id: &'static str,
    pub client_id: &'static str,
    pub client_secret: &'static str,
}

/// The dealer whom Fjord Foto trusts.
pub const FOTO_NORD: Dealer = Dealer {
    partner_id: "ptn_0000000000007000800000000000012c",
    client_id: "crd_0000000000007000800000000000012d",
    client_secret: "cps_test_FotoNord-FotoNord-FotoNord-FotoNord-0000001",
};

/// The dealer whom nobody trusts.
pub const KAMERAHUSET: Dealer = Dealer {
    partner_id: "ptn_0000000000007000800000000000012e",
    client_id: "crd_0000000000007000800000000000012f",
    client_secret: "cps_test_Kamerahuset-Kamerahuset-Kamerahuset-0000001",
};

const TOKEN: &str = "/v1/oauth/token";
const GRANT: (&str, &str) = ("grant_type", "client_credentials");
/// The member whom every sandbox has.
const MEMBER: &str = "100000000287";

impl TestApp {
    /// A token of a dealer's system with these scopes, with a blank between each; with all of them where there are none.
    pub async fn dealer(&self, dealer: Dealer, scopes: &str) -> Token {
        let form = [GRANT, ("scope", scopes)];
        let answer = self.token(dealer, &form).await.expect(200);
        Token(Some(answer.str("/access_token")))
    }

    /// What the token endpoint answers a dealer's system that signs in by HTTP Basic.
    async fn token(&self, dealer: Dealer, form: &[(&str, &str)]) -> Answer {
        let request = self.request(Method::POST, TOKEN);
        let request = request.basic_auth(dealer.client_id, Some(dealer.client_secret));
        request.form(form).answer().await
    }
}

impl Answer {
    /// The answer, which must be a refusal of RFC 6749 (5.2).
    #[track_caller]
    fn oauth(self, status: u16, error: &str) -> Self {
        assert_eq!(
            (self.status, self.body["error"].as_str()),
            (status, Some(error)),
            "{}",
            self.text
        );
        assert_eq!(self.header("content-type"), "application/json");
        assert_eq!(self.header("cache-control"), "no-store");
        assert_eq!(self.header("content-language"), "en");
        assert!(self.str("/error_uri").contains("/problems/"));
        let fields = self.body.as_object().unwrap();
        assert_eq!(fields.len(), 3, "{}", self.text);
        self
    }
}

fn claims(token: &str) -> Value {
    let payload = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_system_signs_in_and_sees_who_it_is() {
    let app = TestApp::start().await;
    let answer = app.token(FOTO_NORD, &[GRANT]).await.expect(200);
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.str("/token_type"), "Bearer");
    assert_eq!(answer.body["expires_in"], 600);
    let scopes = "registrations:write registrations:read webhooks";
    assert_eq!(answer.str("/scope"), scopes);
    assert!(answer.body.get("refresh_token").is_none());
    let token = answer.str("/access_token");
    let claims = claims(&token);
    assert_eq!(claims["sub"], FOTO_NORD.client_id);
    assert_eq!(claims["client_id"], FOTO_NORD.client_id);
    assert_eq!(claims["partner_id"], FOTO_NORD.partner_id);
    assert_eq!(claims["scope"], scopes);
    assert!(claims["jti"].is_string() && claims["ver"] == 1);
    assert_eq!(
        claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(),
        600
    );
    let token = Token(Some(token));
    let me = app.get("/v1/me", &token).await.expect(200);
    assert_eq!(me.str("/caller"), "partner");
    assert_eq!(me.str("/partner_id"), FOTO_NORD.partner_id);
    assert_eq!(me.str("/credential_id"), FOTO_NORD.client_id);
    assert_eq!(
        me.body["scopes"],
        json!(scopes.split(' ').collect::<Vec<_>>())
    );
    me.str("/expires_at");
    app.advance(TimeDelta::minutes(11)).await;
    let me = app.get("/v1/me", &token).await;
    me.problem(401, "unauthenticated");
    let used =
        "SELECT CAST(count(*) AS TEXT) AS line FROM credentials WHERE last_used_at IS NOT NULL";
    assert_eq!(Raw::open(&app.database).lines(used), ["1"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_card_names_systems_that_sign_in_by_header_and_by_form() {
    let app = TestApp::start().await;
    let card = app.get("/v1/sandbox", &Token::default()).await.expect(200);
    let dealers = card.body["partners"].as_array().unwrap();
    let names: Vec<_> = dealers
        .iter()
        .map(|one| one["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["Foto Nord", "Kamerahuset"]);
    let trusts = |n: usize| dealers[n]["trusted_by"].as_array().unwrap().len();
    assert_eq!((trusts(0), trusts(1)), (1, 0));
    for dealer in dealers {
        let [id, secret] =
            ["client_id", "client_secret"].map(|name| dealer[name].as_str().unwrap());
        let form = [
            GRANT,
            ("client_id", id),
            ("client_secret", secret),
            ("scope", "registrations:read"),
        ];
        let request = app.request(Method::POST, TOKEN).form(&form);
        let answer = request.answer().await.expect(200);
        assert_eq!(answer.str("/scope"), "registrations:read");
        let request = app
            .request(Method::POST, TOKEN)
            .basic_auth(id, Some(secret));
        request.form(&[GRANT]).answer().await.expect(200);
    }
    assert_eq!(card.str("/customers/member_number"), MEMBER);
    let unknown = card.str("/customers/unknown");
    let token = app.dealer(FOTO_NORD, "registrations:write").await;
    let valid = async |number: &str| {
        let answer = app.get(&format!("/v1/members/{number}"), &token).await;
        answer.expect(200).body
    };
    assert_eq!(valid(MEMBER).await, json!({ "valid": true }));
    for number in [&unknown, "no number at all"] {
        assert_eq!(valid(number).await, json!({ "valid": false }));
    }
    let missed = "SELECT CAST(unmatched AS TEXT) AS line FROM partner_days";
    assert_eq!(Raw::open(&app.database).lines(missed), ["2"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_too_many_misses_no_number_is_looked_up_until_midnight() {
    let app = TestApp::start().await;
    let token = app.dealer(FOTO_NORD, "registrations:write").await;
    let unknown = app.get("/v1/members/00000000", &token).await;
    assert_eq!(unknown.expect(200).body, json!({ "valid": false }));
    let used = "UPDATE partner_days SET unmatched = 200";
    Raw::open(&app.database).run(used).unwrap();
    let path = format!("/v1/members/{MEMBER}");
    let refused = app.get(&path, &token).await.problem(429, "quota_exceeded");
    let wait: i64 = refused.header("retry-after").parse().unwrap();
    assert!((1..=86_401).contains(&wait));
    let other = app.dealer(KAMERAHUSET, "registrations:write").await;
    app.get(&path, &other).await.expect(200);
    app.advance(TimeDelta::seconds(wait)).await;
    let token = app.dealer(FOTO_NORD, "registrations:write").await;
    app.get(&path, &token).await.expect(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_scope_that_is_missing_is_named_and_people_have_none() {
    let app = TestApp::start().await;
    let path = format!("/v1/members/{MEMBER}");
    let reads = app.dealer(FOTO_NORD, "registrations:read").await;
    let refused = app.get(&path, &reads).await.problem(403, "scope_missing");
    assert_eq!(
        refused.header("www-authenticate"),
        "Bearer error=\"insufficient_scope\", scope=\"registrations:write\""
    );
    assert!(refused.str("/detail").contains("registrations:write"));
    let mette = app.sign_in("mette@fjordfoto.example").await;
    app.get(&path, &mette).await.problem(403, "forbidden");
    let all = app.dealer(FOTO_NORD, "").await;
    app.get("/v1/accounts", &all)
        .await
        .problem(403, "forbidden");
    let account = "/v1/accounts/acc_00000000000070008000000000000001";
    app.get(account, &all).await.problem(404, "not_found");
    app.get("/v1/me/sessions", &all)
        .await
        .problem(403, "forbidden");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_refusal_of_the_token_endpoint_has_the_form_of_the_rfc() {
    let app = TestApp::start().await;
    let send = async |form: &[(&str, &str)]| app.token(FOTO_NORD, form).await;
    send(&[]).await.oauth(400, "invalid_request");
    send(&[GRANT, GRANT]).await.oauth(400, "invalid_request");
    let twice = send(&[GRANT, ("client_secret", "s")]).await;
    let twice = twice.oauth(400, "invalid_request");
    assert!(twice.str("/error_description").contains("client_secret"));
    let password = send(&[("grant_type", "password")]).await;
    password.oauth(400, "unsupported_grant_type");
    for scope in ["registrations:delete", "webhooks admin"] {
        send(&[GRANT, ("scope", scope)])
            .await
            .oauth(400, "invalid_scope");
    }
    let post = async |kind: &'static str, body: String| {
        let request = app
            .request(Method::POST, TOKEN)
            .header("content-type", kind);
        request.body(body).answer().await
    };
    let json = post("application/json", "{}".to_owned()).await;
    json.oauth(400, "invalid_request");
    let form = "application/x-www-form-urlencoded";
    let large = post(form, format!("scope={}", "x".repeat(100_000))).await;
    large.oauth(400, "invalid_request");
    let nobody = post(form, "grant_type=client_credentials".to_owned()).await;
    let nobody = nobody.oauth(401, "invalid_client");
    assert_eq!(nobody.header("www-authenticate"), "Basic realm=\"cps\"");
    let danish = app
        .request(Method::POST, TOKEN)
        .header("accept-language", "da");
    let danish = danish.form(&[GRANT]).answer().await;
    assert_eq!(danish.oauth(401, "invalid_client").body, nobody.body);
    let read = app.get(TOKEN, &Token::default()).await;
    read.problem(405, "method_not_allowed");
}

/// The answer without what names the request.
fn essence(answer: &Answer) -> (u16, String, String) {
    let challenge = answer.header("www-authenticate").to_owned();
    (answer.status, challenge, answer.text.clone())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_may_not_sign_in_gets_one_answer() {
    let app = TestApp::start().await;
    let mut raw = Raw::open(&app.database);
    let wrong = |secret| Dealer {
        client_secret: secret,
        ..FOTO_NORD
    };
    let unknown = |id| Dealer {
        client_id: id,
        ..FOTO_NORD
    };
    let first = app.token(wrong("wrong"), &[GRANT]).await;
    let first = essence(&first.oauth(401, "invalid_client"));
    for dealer in [
        wrong(KAMERAHUSET.client_secret),
        wrong("unknown"),
        wrong(""),
        unknown("crd_0190000000007000800000000000dead"),
        unknown("nobody"),
        unknown("00000000-0000-0000-0000-000000000000"),
    ] {
        let answer = app.token(dealer, &[GRANT]).await;
        assert_eq!(essence(&answer), first, "{dealer:?}");
    }
    for (change, back) in [
        (
            "UPDATE partners SET status = 'suspended'",
            "UPDATE partners SET status = 'active'",
        ),
        (
            "UPDATE credentials SET networks = '[\"203.0.113.0/24\"]'",
            "UPDATE credentials SET networks = '[]'",
        ),
        (
            "UPDATE credentials SET revoked_at = created_at",
            "UPDATE credentials SET revoked_at = NULL",
        ),
    ] {
        raw.run(change).unwrap();
        let answer = app.token(KAMERAHUSET, &[GRANT]).await;
        assert_eq!(essence(&answer), first, "{change}");
        raw.run(back).unwrap();
        app.token(KAMERAHUSET, &[GRANT]).await.expect(200);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_failures_from_one_address_make_a_client_wait_there_and_nowhere_else() {
    let app = TestApp::start_with(&[("CPS_TRUSTED_PROXIES", "127.0.0.1")]).await;
    let from = async |address: &str, id: &str, secret: &str| {
        let request = app
            .request(Method::POST, TOKEN)
            .header("x-forwarded-for", address);
        let request = request.basic_auth(id, Some(secret));
        request.form(&[GRANT]).answer().await
    };
    let (id, secret) = (FOTO_NORD.client_id, FOTO_NORD.client_secret);
    for client in [id, "crd_nobody"] {
        for n in 0..10 {
            let address = format!("2001:db8:1:2::{n}");
            let failed = from(&address, client, "wrong").await;
            failed.oauth(401, "invalid_client");
        }
        for secret in ["wrong", secret] {
            let waits = from("2001:db8:1:2::ffff", client, secret).await;
            let waits = waits.oauth(429, "temporarily_unavailable");
            let seconds: i64 = waits.header("retry-after").parse().unwrap();
            assert!((1..=901).contains(&seconds), "{seconds}");
        }
    }
    from("2001:db8:1:3::1", id, secret).await.expect(200);
    from(
        "2001:db8:1:2::1",
        KAMERAHUSET.client_id,
        KAMERAHUSET.client_secret,
    )
    .await
    .expect(200);
    app.advance(TimeDelta::minutes(16)).await;
    from("2001:db8:1:2::1", id, secret).await.expect(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_holds_only_inside_the_networks_of_its_credential() {
    let app = TestApp::start_with(&[("CPS_TRUSTED_PROXIES", "127.0.0.1")]).await;
    let bound = "UPDATE credentials SET networks = '[\"198.51.100.0/24\",\"2001:db8::/32\"]'";
    Raw::open(&app.database).run(bound).unwrap();
    let inside = ("x-forwarded-for", "198.51.100.7");
    let sign_in = app.request(Method::POST, TOKEN).header(inside.0, inside.1);
    let sign_in = sign_in.basic_auth(FOTO_NORD.client_id, Some(FOTO_NORD.client_secret));
    let token = sign_in.form(&[GRANT]).answer().await.expect(200);
    let token = Token(Some(token.str("/access_token")));
    let me = async |address: &str| {
        let request = app.request(Method::GET, "/v1/me").sent_by(&token);
        request.header(inside.0, address).answer().await
    };
    me("198.51.100.200").await.expect(200);
    me("2001:db8:7::1").await.expect(200);
    me("198.51.101.1").await.problem(403, "network_not_allowed");
    me("10.0.0.1").await.problem(403, "network_not_allowed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_credential_gets_so_many_tokens_a_minute() {
    let (app, _rules) = limited(&[("tokens_per_client", 3)]).await;
    for _ in 0..3 {
        app.token(FOTO_NORD, &[GRANT]).await.expect(200);
    }
    let refused = app.token(FOTO_NORD, &[GRANT]).await;
    let refused = refused.oauth(429, "temporarily_unavailable");
    let wait: i64 = refused.header("retry-after").parse().unwrap();
    assert!((1..=21).contains(&wait), "{wait}");
    app.token(KAMERAHUSET, &[GRANT]).await.expect(200);
    app.advance(TimeDelta::minutes(1)).await;
    app.token(FOTO_NORD, &[GRANT]).await.expect(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn id_and_secret_may_be_encoded_in_the_header_as_in_a_form() {
    let app = TestApp::start().await;
    let encoded = FOTO_NORD.client_secret.replace('-', "%2D");
    let basic = STANDARD.encode(format!("{}:{encoded}", FOTO_NORD.client_id));
    let request = app
        .request(Method::POST, TOKEN)
        .header("authorization", format!("Basic {basic}"));
    request.form(&[GRANT]).answer().await.expect(200);
}
