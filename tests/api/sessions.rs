//! Signing in, staying signed in, and every way in that stays shut.

use chrono::TimeDelta;
use cps_api::auth::tokens::SigningKeys;
use reqwest::Method;
use serde_json::json;

use crate::support::{Sending, TestApp, Token};

const METTE: &str = "mette@fjordfoto.example";
const ISSUER: &str = "https://api.cps.example";
const PASSWORD: &str = "Sandbox-Adgang-2026";
const NEW: &str = "en helt ny sætning 42";

fn token_of(mail: &serde_json::Value) -> String {
    mail["action_url"]
        .as_str()
        .unwrap()
        .split_once("#token=")
        .unwrap()
        .1
        .to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_signs_in_sees_who_they_are_and_signs_out() {
    let app = TestApp::start().await;
    let mette = app.sign_in(METTE).await;
    let me = app.get("/v1/me", &mette).await.expect(200);
    assert_eq!(
        (&me.body["caller"], &me.body["roles"]),
        (&json!("member"), &json!(["superuser"]))
    );
    assert_eq!(
        me.body["account_id"],
        "acc_00000000000070008000000000000001"
    );
    app.request(Method::DELETE, "/v1/sessions/current")
        .sent_by(&mette)
        .answer()
        .await
        .expect(204);
    app.get("/v1/me", &mette)
        .await
        .problem(401, "unauthenticated");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_and_unknown_get_the_same_answer_and_then_have_to_wait() {
    let app = TestApp::start().await;
    for email in [METTE, "nobody@fjordfoto.example"] {
        for _ in 0..5 {
            let refused = app
                .post(
                    "/v1/sessions",
                    &Token::default(),
                    json!({ "email": email, "password": "wrong" }),
                )
                .await;
            refused.problem(401, "invalid_credentials");
        }
        let blocked = app
            .post(
                "/v1/sessions",
                &Token::default(),
                json!({ "email": email, "password": PASSWORD }),
            )
            .await;
        assert!(
            blocked
                .problem(429, "too_many_attempts")
                .header("retry-after")
                .parse::<u64>()
                .unwrap()
                >= 1
        );
    }
    app.advance(TimeDelta::seconds(2)).await;
    app.sign_in(METTE).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_failure_doubles_the_wait_up_to_a_quarter_of_an_hour() {
    let app = TestApp::start().await;
    let wrong = async || {
        let body = json!({ "email": "nobody@fjordfoto.example", "password": "wrong" });
        app.post("/v1/sessions", &Token(None), body).await
    };
    for _ in 0..4 {
        wrong().await.problem(401, "invalid_credentials");
    }
    for wait in [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900] {
        wrong().await.problem(401, "invalid_credentials");
        let blocked = wrong().await.problem(429, "too_many_attempts");
        let told: i64 = blocked.header("retry-after").parse().unwrap();
        assert!((wait..=wait + 1).contains(&told), "{told} for {wait}");
        app.advance(TimeDelta::seconds(told)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stranger_cannot_tell_a_known_address_by_the_time() {
    let app = TestApp::start().await;
    let timed = async |email: &str| {
        let begun = std::time::Instant::now();
        let body = json!({ "email": email, "password": "wrong" });
        let refused = app.post("/v1/sessions", &Token(None), body).await;
        refused.problem(401, "invalid_credentials");
        begun.elapsed()
    };
    let [mut known, mut unknown] = [std::time::Duration::MAX; 2];
    for email in [METTE, "jonas@lysogskygge.example", "admin@cps.example"] {
        for _ in 0..4 {
            known = known.min(timed(email).await);
            unknown = unknown.min(timed(&format!("not-{email}")).await);
        }
    }
    // Without a password to look at, an answer takes a tenth of the time.
    assert!(
        known < unknown * 4 && unknown < known * 4,
        "{known:?} {unknown:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_keys_rotate_tokens_of_both_hold_and_a_strangers_do_not() {
    let [old, new, other] = [(); 3].map(|()| SigningKeys::generate().unwrap());
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), format!("{new}\n{old}")).unwrap();
    let path = file.path().to_str().unwrap();
    let app = TestApp::start_with(&[("CPS_SIGNING_KEYS", path), ("CPS_PUBLIC_URL", ISSUER)]).await;
    let keys = app
        .get("/.well-known/jwks.json", &Token::default())
        .await
        .expect(200);
    assert_eq!(keys.body["keys"].as_array().unwrap().len(), 2);
    let mette = app.sign_in(METTE).await.0.unwrap();
    let now = cps_api::types::Instant::from_utc(app.now().await);
    let signed_by = |pem: &str| SigningKeys::read(pem, ISSUER).unwrap();
    let claims = signed_by(&new).verify(&mette, now).unwrap();
    for (pem, status) in [(&old, 200), (&other, 401)] {
        let token = signed_by(pem).issue(claims.bearer.clone(), claims.ver, now);
        let me = app.get("/v1/me", &Token(token.ok())).await;
        assert_eq!(me.status, status, "{}", me.text);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_access_token_runs_out_and_the_refresh_token_gets_the_next() {
    let app = TestApp::start().await;
    let session = app
        .post(
            "/v1/sessions",
            &Token::default(),
            json!({ "email": METTE, "password": PASSWORD }),
        )
        .await
        .expect(201);
    let access = Token(Some(session.str("/access_token")));
    app.advance(TimeDelta::minutes(11)).await;
    app.get("/v1/me", &access)
        .await
        .problem(401, "unauthenticated");
    let refresh = async |token: String| {
        app.post(
            "/v1/sessions/refresh",
            &Token(None),
            json!({ "refresh_token": token }),
        )
        .await
    };
    let next = refresh(session.str("/refresh_token")).await.expect(200);
    app.get("/v1/me", &Token(Some(next.str("/access_token"))))
        .await
        .expect(200);
    let sibling = refresh(session.str("/refresh_token")).await.expect(200);
    assert_ne!(sibling.body["refresh_token"], next.body["refresh_token"]);
    app.advance(TimeDelta::seconds(31)).await;
    refresh(session.str("/refresh_token"))
        .await
        .problem(401, "session_ended");
    refresh(next.str("/refresh_token"))
        .await
        .problem(401, "session_ended");
    app.get("/v1/me", &Token(Some(next.str("/access_token"))))
        .await
        .problem(401, "unauthenticated");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_password_ends_every_session_and_is_told_by_mail() {
    let app = TestApp::start().await;
    let mette = app.sign_in(METTE).await;
    for email in [METTE, "nobody@fjordfoto.example"] {
        app.post(
            "/v1/password-resets",
            &Token::default(),
            json!({ "email": email }),
        )
        .await
        .expect(202);
    }
    let token = token_of(&app.mail(METTE, "password_reset").await);
    let set = |token: &str, password: &str| json!({ "token": token, "new_password": password });
    let weak = app
        .post(
            "/v1/passwords",
            &Token::default(),
            set(&token, "FjordFotoAps-Mette"),
        )
        .await
        .problem(422, "invalid_request");
    let codes: Vec<String> = weak.faults().into_iter().map(|(_, code)| code).collect();
    assert!(
        codes.contains(&"password_contains_company".to_owned())
            && codes.contains(&"password_contains_email".to_owned()),
        "{codes:?}"
    );
    app.post("/v1/passwords", &Token::default(), set(&token, NEW))
        .await
        .expect(204);
    app.get("/v1/me", &mette)
        .await
        .problem(401, "unauthenticated");
    app.post("/v1/passwords", &Token::default(), set(&token, NEW))
        .await
        .problem(400, "token_invalid");
    app.mail(METTE, "password_changed").await;
    app.post(
        "/v1/sessions",
        &Token::default(),
        json!({ "email": METTE, "password": NEW }),
    )
    .await
    .expect(201);
    assert!(app.mails("nobody@fjordfoto.example").await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reset_link_is_good_for_an_hour_whatever_strangers_ask_for() {
    let app = TestApp::start().await;
    let ask = async || {
        app.post(
            "/v1/password-resets",
            &Token(None),
            json!({ "email": METTE }),
        )
        .await
        .expect(202)
    };
    ask().await;
    let first = token_of(&app.mail(METTE, "password_reset").await);
    for _ in 0..10 {
        ask().await;
    }
    app.advance(TimeDelta::minutes(1)).await;
    let mails = app.mails(METTE).await;
    let resets: Vec<_> = mails
        .iter()
        .filter(|mail| mail["template"] == "password_reset")
        .collect();
    assert_eq!(resets.len(), 3, "one address is mailed 3 an hour");
    let set = async |token: String, password: &str| {
        app.post(
            "/v1/passwords",
            &Token(None),
            json!({ "token": token, "new_password": password }),
        )
        .await
    };
    set(first, NEW).await.expect(204);
    set(token_of(resets[0]), NEW)
        .await
        .problem(400, "token_invalid");
    app.advance(TimeDelta::minutes(61)).await;
    ask().await;
    app.advance(TimeDelta::seconds(1)).await;
    let late = token_of(&app.mail(METTE, "password_reset").await);
    app.advance(TimeDelta::minutes(61)).await;
    set(late, NEW).await.problem(400, "token_invalid");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_forged_token_opens_nothing() {
    let app = TestApp::start().await;
    let mette = app.sign_in(METTE).await.0.unwrap();
    let (head, tail) = mette.rsplit_once('.').unwrap();
    let unsigned = "eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0";
    let body = head.split_once('.').unwrap().1;
    for forged in [
        format!("{head}.{}", "A".repeat(tail.len())),
        format!("{unsigned}.{body}."),
        "cpa_nothing".to_owned(),
        "x".to_owned(),
    ] {
        app.get("/v1/me", &Token(Some(forged)))
            .await
            .problem(401, "unauthenticated");
    }
    let keys = app
        .get("/.well-known/jwks.json", &Token::default())
        .await
        .expect(200);
    assert_eq!(
        (&keys.body["keys"][0]["crv"], &keys.body["keys"][0]["d"]),
        (&json!("Ed25519"), &serde_json::Value::Null)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_ends_unused_and_in_the_end_and_sooner_for_staff() {
    let app = TestApp::start().await;
    let begin = async |email: &str| {
        let body = json!({ "email": email, "password": PASSWORD });
        let session = app.post("/v1/sessions", &Token(None), body).await;
        session.expect(201).str("/refresh_token")
    };
    let refresh = async |token: &str| {
        let body = json!({ "refresh_token": token });
        app.post("/v1/sessions/refresh", &Token(None), body).await
    };
    let unknown = refresh("cpr_unknown").await.problem(401, "session_ended");
    assert_eq!(unknown.body["title"], "You have been signed out");

    let idle = begin("admin@cps.example").await;
    app.advance(TimeDelta::minutes(61)).await;
    refresh(&idle).await.problem(401, "session_ended");
    let mut busy = begin("admin@cps.example").await;
    for _ in 0..14 {
        app.advance(TimeDelta::minutes(50)).await;
        busy = refresh(&busy).await.expect(200).str("/refresh_token");
    }
    app.advance(TimeDelta::minutes(30)).await;
    refresh(&busy).await.problem(401, "session_ended");

    let idle = begin(METTE).await;
    let mut busy = begin(METTE).await;
    for _ in 0..2 {
        app.advance(TimeDelta::days(13)).await;
        busy = refresh(&busy).await.expect(200).str("/refresh_token");
    }
    refresh(&idle).await.problem(401, "session_ended");
    app.advance(TimeDelta::days(5)).await;
    refresh(&busy).await.problem(401, "session_ended");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_password_holds_however_a_keyboard_makes_its_letters() {
    let app = TestApp::start().await;
    let reset = json!({ "email": METTE });
    app.post("/v1/password-resets", &Token(None), reset)
        .await
        .expect(202);
    let token = token_of(&app.mail(METTE, "password_reset").await);
    let set = json!({ "token": token, "new_password": "blåbær på æblegrød" });
    app.post("/v1/passwords", &Token(None), set)
        .await
        .expect(204);
    app.sign_in_with(METTE, "bla\u{30a}bær pa\u{30a} æblegrød")
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_password_that_is_easy_to_guess_is_refused_and_told_why() {
    let app = TestApp::start().await;
    let reset = json!({ "email": METTE });
    app.post("/v1/password-resets", &Token(None), reset)
        .await
        .expect(202);
    let token = token_of(&app.mail(METTE, "password_reset").await);
    for (password, code) in [
        ("password1234", "password_common"),
        ("            ", "password_repeats"),
        ("123456789012", "password_sequence"),
        ("fjordfotoaps1", "password_contains_company"),
        ("fotofoto2026", "password_weak"),
    ] {
        let body = json!({ "token": token, "new_password": password });
        let refused = app.post("/v1/passwords", &Token(None), body).await;
        let faults = refused.problem(422, "invalid_request").faults();
        let wanted = ("#/new_password".to_owned(), code.to_owned());
        assert!(faults.contains(&wanted), "{password}: {faults:?}");
    }
}

/// Signs in with what a device kept.
async fn sign_in_on(
    app: &TestApp,
    email: &str,
    password: &str,
    device: &str,
) -> crate::support::Answer {
    let body = json!({ "email": email, "password": password, "device_token": device });
    app.post("/v1/sessions", &Token(None), body).await
}

async fn device_of(app: &TestApp, email: &str) -> String {
    let body = json!({ "email": email, "password": PASSWORD });
    let signed_in = app.post("/v1/sessions", &Token(None), body).await;
    signed_in.expect(201).str("/device_token")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_device_that_signed_in_before_does_not_wait_for_tries_from_elsewhere() {
    let app = TestApp::start().await;
    let admin = "admin@cps.example";
    let device = device_of(&app, admin).await;
    for round in 0..3 {
        for _ in 0..6 {
            let body = json!({ "email": admin, "password": "a guess" });
            app.post("/v1/sessions", &Token(None), body).await;
        }
        let body = json!({ "email": admin, "password": PASSWORD });
        let waits = app.post("/v1/sessions", &Token(None), body).await;
        waits.problem(429, "too_many_attempts");
        let again = sign_in_on(&app, admin, PASSWORD, &device).await;
        assert_eq!(again.expect(201).str("/device_token"), device, "{round}");
    }
    // What was counted against the address stays, whoever signs in on a device of theirs.
    let body = json!({ "email": admin, "password": PASSWORD });
    let waits = app.post("/v1/sessions", &Token(None), body).await;
    waits.problem(429, "too_many_attempts");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_device_waits_for_its_own_failures_with_the_same_delays() {
    let app = TestApp::start().await;
    let device = device_of(&app, METTE).await;
    let wrong = async || sign_in_on(&app, METTE, "a guess", &device).await;
    for _ in 0..4 {
        wrong().await.problem(401, "invalid_credentials");
    }
    for wait in [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900] {
        wrong().await.problem(401, "invalid_credentials");
        let right = sign_in_on(&app, METTE, PASSWORD, &device).await;
        let told: i64 = right
            .problem(429, "too_many_attempts")
            .header("retry-after")
            .parse()
            .unwrap();
        assert!((wait..=wait + 1).contains(&told), "{told} for {wait}");
        app.advance(TimeDelta::seconds(told)).await;
    }
    // Nobody else waits for it.
    wrong().await.problem(401, "invalid_credentials");
    app.sign_in(METTE).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_device_is_of_one_user_for_ninety_days_and_ends_with_a_new_password() {
    let app = TestApp::start().await;
    let jonas = "jonas@lysogskygge.example";
    let theirs = device_of(&app, jonas).await;
    for device in [theirs.as_str(), "cpd_made-up"] {
        for _ in 0..6 {
            sign_in_on(&app, METTE, "a guess", device).await;
        }
        let waits = sign_in_on(&app, METTE, PASSWORD, device).await;
        waits.problem(429, "too_many_attempts");
        app.advance(TimeDelta::minutes(16)).await;
        let own = sign_in_on(&app, METTE, PASSWORD, device).await.expect(201);
        assert_ne!(own.str("/device_token"), device);
    }
    let is_known = async |email: &str, password: &str, device: &str| {
        let answer = sign_in_on(&app, email, password, device).await;
        answer.expect(201).str("/device_token") == device
    };
    app.advance(TimeDelta::days(89)).await;
    assert!(is_known(jonas, PASSWORD, &theirs).await);
    app.advance(TimeDelta::days(89)).await;
    assert!(is_known(jonas, PASSWORD, &theirs).await);
    app.advance(TimeDelta::days(91)).await;
    assert!(!is_known(jonas, PASSWORD, &theirs).await);

    let device = device_of(&app, METTE).await;
    let mette = app.sign_in(METTE).await;
    let body = json!({ "current_password": PASSWORD, "new_password": NEW });
    app.put("/v1/me/password", &mette, body).await.expect(204);
    assert!(!is_known(METTE, NEW, &device).await);
    let device = sign_in_on(&app, METTE, NEW, "none")
        .await
        .str("/device_token");
    let reset = json!({ "email": METTE });
    app.post("/v1/password-resets", &Token(None), reset)
        .await
        .expect(202);
    let token = token_of(&app.mail(METTE, "password_reset").await);
    let set = json!({ "token": token, "new_password": PASSWORD });
    app.post("/v1/passwords", &Token(None), set)
        .await
        .expect(204);
    assert!(!is_known(METTE, PASSWORD, &device).await);
    let stored = app
        .database
        .numbers("SELECT count(*) AS n FROM devices WHERE token_hash LIKE 'cpd_%'");
    assert_eq!(stored, [0]);
}
