//! The users of an account, and staff: added, signed in, removed, never the last superuser.

use chrono::TimeDelta;
use reqwest::Method;
use serde_json::{Value, json};

use crate::accounts::{PASSWORD, set_password, token_of};
use crate::support::{Answer, Database, Sending, TestApp, Token};

const USERS: &str = "/v1/accounts/acc_00000000000070008000000000000001/users";
const METTE: &str = "mette@fjordfoto.example";
const NINA: &str = "nina@fjordfoto.example";

async fn invite(app: &TestApp, by: &Token, email: &str, role: &str) -> Answer {
    let body = json!({ "email": email, "name": "Nina Fjord", "role": role });
    app.post(USERS, by, body).await
}

/// The path and version of the user of an address.
async fn find(app: &TestApp, by: &Token, email: &str) -> (String, i64) {
    let page = app.get(USERS, by).await.expect(200);
    let items = page.body["items"].as_array().unwrap();
    let user = items.iter().find(|user| user["email"] == email).unwrap();
    let path = format!("{USERS}/{}", user["id"].as_str().unwrap());
    (path, user["version"].as_i64().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_superuser_adds_a_user_who_signs_in_with_the_role_and_is_removed_again() {
    let app = TestApp::start().await;
    let mette = app.sign_in(METTE).await;
    let invited = invite(&app, &mette, NINA, "read_only").await.expect(201);
    assert_eq!(
        (
            &invited.body["status"],
            &invited.body["language"],
            invited.header("etag")
        ),
        (&json!("invited"), &json!("da"), "\"1\"")
    );
    let mail = app.mail(NINA, "user_welcome").await;
    assert!(mail["text"].as_str().unwrap().contains("Fjord Foto ApS"));
    let nina = set_password(&app, NINA, "user_welcome").await;
    let me = app.get("/v1/me", &nina).await.expect(200);
    assert_eq!(me.body["roles"], json!(["read_only"]));
    for (path, status) in [
        (USERS, 403),
        (
            "/v1/accounts/acc_00000000000070008000000000000002/users",
            404,
        ),
    ] {
        assert_eq!(app.get(path, &nina).await.status, status);
    }
    let session = app
        .post(
            "/v1/sessions",
            &Token(None),
            json!({ "email": NINA, "password": PASSWORD }),
        )
        .await
        .expect(201);

    let (path, version) = find(&app, &mette, NINA).await;
    app.request(Method::DELETE, &path)
        .sent_by(&mette)
        .answer()
        .await
        .problem(428, "precondition_required");
    app.delete(&path, &mette, 1)
        .await
        .problem(412, "precondition_failed");
    app.delete(&path, &mette, version).await.expect(204);
    app.get("/v1/me", &nina)
        .await
        .problem(401, "unauthenticated");
    let refresh = json!({ "refresh_token": session.str("/refresh_token") });
    app.post("/v1/sessions/refresh", &Token(None), refresh)
        .await
        .problem(401, "session_ended");
    app.delete(&path, &mette, version + 1)
        .await
        .problem(404, "not_found");
    let again = invite(&app, &mette, NINA, "member").await.expect(201);
    assert_eq!(again.body["role"], "member");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_a_user_is_told_why() {
    let app = TestApp::start().await;
    let mette = app.sign_in(METTE).await;
    for role in ["admin", "applicant", "dealer", "owner"] {
        let refused = invite(&app, &mette, NINA, role)
            .await
            .problem(422, "invalid_request");
        assert_eq!(
            refused.faults(),
            [("#/role".to_owned(), "not_accepted".to_owned())]
        );
    }
    for taken in [METTE, "JONAS@lysogskygge.example"] {
        invite(&app, &mette, taken, "member")
            .await
            .problem(409, "email_in_use");
    }
    let jonas = app.sign_in("jonas@lysogskygge.example").await;
    invite(&app, &jonas, NINA, "member")
        .await
        .problem(404, "not_found");
    let support = app.sign_in("support@cps.example").await;
    invite(&app, &support, NINA, "member")
        .await
        .problem(403, "forbidden");
    let admin = app.sign_in("admin@cps.example").await;
    invite(&app, &admin, NINA, "member").await.expect(201);
    let nowhere = USERS.replace("0001/users", "0099/users");
    app.get(&nowhere, &admin).await.problem(404, "not_found");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_adds_a_user_once() {
    let app = TestApp::start().await;
    let mette = app.sign_in(METTE).await;
    let send = || {
        let body = json!({ "email": NINA, "name": "Nina Fjord", "role": "member" });
        app.request(Method::POST, USERS)
            .sent_by(&mette)
            .header("idempotency-key", "nina")
            .json(&body)
            .answer()
    };
    let (first, again) = (send().await.expect(201), send().await.expect(201));
    assert_eq!(first.body, again.body);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_last_superuser_stays_also_when_two_remove_each_other_at_once() {
    let app = TestApp::start().await;
    let mette = app.sign_in(METTE).await;
    let (own, version) = find(&app, &mette, METTE).await;
    app.delete(&own, &mette, version)
        .await
        .problem(409, "last_superuser");
    invite(&app, &mette, "lone@fjordfoto.example", "member")
        .await
        .expect(201);
    app.delete(&own, &mette, version)
        .await
        .problem(409, "last_superuser");

    for round in 0..4 {
        let email = format!("super{round}@fjordfoto.example");
        let admin = app.sign_in("admin@cps.example").await;
        invite(&app, &admin, &email, "superuser").await.expect(201);
        let page = app.get(USERS, &admin).await.expect(200);
        let holders: Vec<(String, i64)> = page.body["items"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|user| user["role"] == "superuser")
            .map(|user| {
                let path = format!("{USERS}/{}", user["id"].as_str().unwrap());
                (path, user["version"].as_i64().unwrap())
            })
            .collect();
        let [one, other] = &holders[..] else {
            panic!("{holders:?}")
        };
        let (one, other) = tokio::join!(
            app.delete(&one.0, &admin, one.1),
            app.delete(&other.0, &admin, other.1)
        );
        let mut statuses = [one.status, other.status];
        statuses.sort();
        assert_eq!(statuses, [204, 409], "{} {}", one.text, other.text);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_invitation_ends_after_five_days_and_is_sent_again_by_inviting_again() {
    let app = TestApp::start().await;
    let mette = app.sign_in(METTE).await;
    invite(&app, &mette, NINA, "member").await.expect(201);
    let first = token_of(&app.mail(NINA, "user_welcome").await);
    invite(&app, &mette, NINA, "read_only").await.expect(201);
    let set = async |token: String| {
        let body = json!({ "token": token, "new_password": PASSWORD });
        app.post("/v1/passwords", &Token(None), body).await
    };
    set(first).await.problem(400, "token_invalid");
    app.advance(TimeDelta::hours(119)).await;
    let mette = app.sign_in(METTE).await;
    assert_eq!(find(&app, &mette, NINA).await.1, 1);
    app.advance(TimeDelta::hours(2)).await;
    let mette = app.sign_in(METTE).await;
    let page = app.get(USERS, &mette).await.expect(200);
    assert!(!page.text.contains(NINA), "{}", page.text);
    let late = token_of(&app.mail(NINA, "user_welcome").await);
    set(late).await.problem(400, "token_invalid");
    let reset = json!({ "email": NINA });
    app.post("/v1/password-resets", &Token(None), reset)
        .await
        .expect(202);
    app.advance(TimeDelta::seconds(1)).await;
    assert_eq!(app.mails(NINA).await.len(), 2);
    invite(&app, &mette, NINA, "member").await.expect(201);
    app.advance(TimeDelta::seconds(1)).await;
    set_password(&app, NINA, "user_welcome").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_invitation_keeps_nobody_from_an_account_of_their_own_or_from_another() {
    let app = TestApp::start().await;
    let mette = app.sign_in(METTE).await;
    let jonas = app.sign_in("jonas@lysogskygge.example").await;
    let theirs = "/v1/accounts/acc_00000000000070008000000000000002/users";
    let body = json!({ "email": NINA, "name": "Nina Fjord", "role": "member" });
    invite(&app, &mette, NINA, "superuser").await.expect(201);
    let link = token_of(&app.mail(NINA, "user_welcome").await);
    app.post(theirs, &jonas, body.clone()).await.expect(201);
    let nina = app.business(NINA, json!({})).await;
    let me = app.get("/v1/me", &nina.token).await.expect(200);
    assert!(nina.account.ends_with(&me.str("/account_id")));
    for (users, by) in [(USERS, &mette), (theirs, &jonas)] {
        let page = app.get(users, by).await.expect(200);
        assert!(!page.text.contains(NINA), "{}", page.text);
    }
    let set = json!({ "token": link, "new_password": PASSWORD });
    app.post("/v1/passwords", &Token(None), set)
        .await
        .problem(400, "token_invalid");
    app.post(theirs, &jonas, body)
        .await
        .problem(409, "email_in_use");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_role_changes_and_holds_from_the_next_sign_in() {
    let app = TestApp::start().await;
    let mette = app.sign_in(METTE).await;
    invite(&app, &mette, NINA, "read_only").await.expect(201);
    let nina = set_password(&app, NINA, "user_welcome").await;
    let (path, version) = find(&app, &mette, NINA).await;
    let read = app.get(&path, &mette).await.expect(200);
    let tag = format!("\"{version}\"");
    assert_eq!(
        (read.str("/email").as_str(), read.header("etag")),
        (NINA, &*tag)
    );
    let role = |role: &str| json!({ "role": role });
    let same = app.patch(&path, &mette, version, role("read_only")).await;
    assert_eq!(same.expect(200).body["version"], json!(version));
    app.get("/v1/me", &nina).await.expect(200);
    let changed = app.patch(&path, &mette, version, role("superuser")).await;
    let changed = changed.expect(200);
    assert_eq!(
        (&changed.body["role"], &changed.body["version"]),
        (&json!("superuser"), &json!(version + 1))
    );
    app.get("/v1/me", &nina)
        .await
        .problem(401, "unauthenticated");
    let nina = app.sign_in_with(NINA, PASSWORD).await;
    app.get(USERS, &nina).await.expect(200);
    for (body, status, code) in [
        (role("admin"), 422, "invalid_request"),
        (json!({ "role": null }), 422, "invalid_request"),
        (json!({ "name": "Nina" }), 422, "invalid_request"),
    ] {
        let refused = app.patch(&path, &mette, version + 1, body).await;
        refused.problem(status, code);
    }
    let stale = app.patch(&path, &mette, version, role("member")).await;
    stale.problem(412, "precondition_failed");
    let blind = app.request(Method::PATCH, &path).sent_by(&mette);
    let blind = blind.json(&role("member")).answer().await;
    blind.problem(428, "precondition_required");
    let jonas = app.sign_in("jonas@lysogskygge.example").await;
    app.get(&path, &jonas).await.problem(404, "not_found");
    let theirs = path.replace("0001/users", "0002/users");
    app.get(&theirs, &jonas).await.problem(404, "not_found");
    let foreign = app
        .patch(&theirs, &jonas, version + 1, role("member"))
        .await;
    foreign.problem(404, "not_found");
    // Whoever gives their own role away is signed out as well.
    let (own, version) = find(&app, &mette, METTE).await;
    let given = app.patch(&own, &mette, version, role("member")).await;
    given.expect(200);
    app.get("/v1/me", &mette)
        .await
        .problem(401, "unauthenticated");
    let mette = app.sign_in(METTE).await;
    app.get(USERS, &mette).await.problem(403, "forbidden");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_last_superuser_who_can_sign_in_keeps_the_role_whoever_asks_and_how_often() {
    let app = TestApp::start().await;
    let (mette, admin) = (
        app.sign_in(METTE).await,
        app.sign_in("admin@cps.example").await,
    );
    let member = json!({ "role": "member" });
    let (own, version) = find(&app, &mette, METTE).await;
    // One who was only invited cannot sign in.
    invite(&app, &mette, NINA, "superuser").await.expect(201);
    for token in [&mette, &admin] {
        let kept = app.patch(&own, token, version, member.clone()).await;
        kept.problem(409, "last_superuser");
    }
    set_password(&app, NINA, "user_welcome").await;
    let (other, others) = find(&app, &mette, NINA).await;
    let (one, two) = tokio::join!(
        app.patch(&own, &admin, version, member.clone()),
        app.delete(&other, &admin, others)
    );
    let mut statuses = [one.status, two.status];
    statuses.sort();
    assert!(
        statuses == [200, 409] || statuses == [204, 409],
        "{} {}",
        one.text,
        two.text
    );
    let page = app.get(USERS, &admin).await.expect(200);
    let items = page.body["items"].as_array().unwrap();
    let superusers = items.iter().filter(|user| user["role"] == "superuser");
    assert_eq!(superusers.count(), 1, "{}", page.text);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn superusers_are_told_what_staff_do_with_their_users_and_not_what_they_do_themselves() {
    let app = TestApp::start().await;
    let (mette, admin) = (
        app.sign_in(METTE).await,
        app.sign_in("admin@cps.example").await,
    );
    let told = async |template: &str| {
        let mails = app.mails(METTE).await.into_iter();
        let texts = mails.filter(|mail| mail["template"] == template);
        let texts = texts.map(|mail| mail["text"].as_str().unwrap().to_owned());
        texts.collect::<Vec<String>>()
    };
    invite(&app, &mette, "bo@fjordfoto.example", "member")
        .await
        .expect(201);
    invite(&app, &admin, NINA, "superuser").await.expect(201);
    app.advance(TimeDelta::seconds(1)).await;
    let added = told("user_added").await;
    let [added] = &added[..] else {
        panic!("{added:?}")
    };
    for word in ["Nina Fjord", NINA, "Fjord Foto ApS", "Superbruger"] {
        assert!(added.contains(word), "{added}");
    }
    let (path, version) = find(&app, &mette, "bo@fjordfoto.example").await;
    let reader = json!({ "role": "read_only" });
    let own = app.patch(&path, &mette, version, reader).await;
    own.expect(200);
    let superuser = json!({ "role": "superuser" });
    let given = app.patch(&path, &admin, version + 1, superuser).await;
    given.expect(200);
    app.advance(TimeDelta::seconds(1)).await;
    let changed = told("user_role_changed").await;
    let [changed] = &changed[..] else {
        panic!("{changed:?}")
    };
    for word in ["bo@fjordfoto.example", "Superbruger"] {
        assert!(changed.contains(word), "{changed}");
    }
    // Whoever is only invited is told nothing yet.
    let nina = app.mails(NINA).await;
    assert_eq!(nina.len(), 1, "{nina:?}");
}

/// What the command prints, when it succeeds; what it complains of, when it does not.
fn create_staff(database: &Database, email: &str, roles: &[&str]) -> Result<String, String> {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_cps-api"));
    command
        .env_clear()
        .env("DATABASE_URL", database.url())
        .env(
            "CPS_DOCUMENT_STORE",
            format!("file://{}", database.folder().join("documents").display()),
        )
        .args([
            "create-staff",
            "--email",
            email,
            "--name",
            "Ida Indkøb",
            "--language",
            "da",
        ])
        .args(roles.iter().flat_map(|role| ["--role", role]));
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    match output.status.success() {
        true => Ok(text(output.stdout)),
        false => Err(text(output.stderr)),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_administrator_comes_from_the_command_line() {
    let database = Database::seeded().await;
    let printed = create_staff(&database, "ida@cps-test.example", &["admin", "finance"]).unwrap();
    // The second address is the sandbox's own, which is there before the sandbox is served for the first time.
    for taken in ["IDA@cps-test.example", "admin@cps.example"] {
        let again = create_staff(&database, taken, &["admin"]).unwrap_err();
        assert!(again.contains("already a user"), "{again}");
    }
    for (email, role) in [("nobody", "admin"), ("eva@cps-test.example", "superuser")] {
        create_staff(&database, email, &[role]).unwrap_err();
    }

    let app = TestApp::on(database, &[]).await;
    let token = printed.trim().split_once("#token=").unwrap().1;
    let mail = app.mail("ida@cps-test.example", "user_welcome").await;
    assert_eq!(
        (token_of(&mail).as_str(), &mail["language"]),
        (token, &Value::from("da"))
    );
    let ida = set_password(&app, "ida@cps-test.example", "user_welcome").await;
    let me = app.get("/v1/me", &ida).await.expect(200);
    assert_eq!(
        (&me.body["caller"], &me.body["roles"]),
        (&json!("staff"), &json!(["finance", "admin"]))
    );
    app.get("/v1/accounts", &ida).await.expect(200);
}
