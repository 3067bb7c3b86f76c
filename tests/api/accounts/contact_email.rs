//! Another e-mail address of the contact: asked for by staff, decided on by a second of them, and told to the address before.

use serde_json::{Value, json};

use super::{accept_email, approve, propose_email, set_password, submit, token_of};
use crate::support::{TestApp, Token};

const ASTA: &str = "asta@nordlys-test.example";
const MINE: &str = "mine@elsewhere-test.example";

/// How many mails of a template an address has.
async fn count(app: &TestApp, to: &str, template: &str) -> usize {
    app.advance(chrono::TimeDelta::seconds(1)).await;
    let mails = app.mails(to).await;
    let of = |mail: &&Value| mail["template"] == template;
    mails.iter().filter(of).count()
}

/// Adds a member of staff, who signs in.
async fn employ(app: TestApp, email: &str, roles: &[&str]) -> (TestApp, Token) {
    let mut command = vec![
        "create-staff",
        "--email",
        email,
        "--name",
        "Ida",
        "--language",
        "da",
    ];
    for role in roles {
        command.extend(["--role", *role]);
    }
    let (app, printed) = app.after_command(&command).await;
    let token = printed.split_once("#token=").unwrap().1;
    let token = token.split_whitespace().next().unwrap();
    app.set_password(token).await;
    let signed_in = app.sign_in_with(email, super::PASSWORD).await;
    (app, signed_in)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_member_of_staff_alone_takes_no_account_before_its_first_password() {
    let app = TestApp::start().await;
    let (account, applicant) = app.applicant(json!({})).await;
    approve(&app, &account, &applicant).await;
    let link = token_of(&app.mail(ASTA, "first_password").await);
    let asked = propose_email(&app, &account, MINE).await.expect(200);
    assert_eq!(
        (
            &asked.body["contact"]["email"],
            &asked.body["contact"]["email_proposed"]
        ),
        (&json!(ASTA), &json!(MINE))
    );
    let support = app.sign_in("support@cps.example").await;
    let first_link = format!("{account}/first-password-link");
    app.act(&first_link, &support).await.expect(202);
    assert_eq!(count(&app, MINE, "first_password").await, 0);
    for decision in ["acceptance", "refusal"] {
        let path = format!("{account}/contact-email/{decision}");
        for other in ["support", "reviewer", "finance"] {
            let other = app.sign_in(&format!("{other}@cps.example")).await;
            app.act(&path, &other).await.problem(403, "forbidden");
        }
    }
    assert_eq!(count(&app, ASTA, "contact_email_changed").await, 0);
    let accepted = accept_email(&app, &account).await.expect(200);
    assert_eq!(
        (
            &accepted.body["contact"]["email"],
            &accepted.body["contact"]["email_proposed"]
        ),
        (&json!(MINE), &Value::Null)
    );
    assert_eq!(count(&app, ASTA, "contact_email_changed").await, 1);
    let used = json!({ "token": link, "new_password": super::PASSWORD });
    let used = app.post("/v1/passwords", &Token::default(), used).await;
    used.problem(400, "token_invalid");
    accept_email(&app, &account)
        .await
        .problem(409, "account_state_conflict");
    app.act(&first_link, &support).await.expect(202);
    set_password(&app, MINE, "first_password").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn before_approval_too_an_address_that_staff_ask_for_waits_and_can_be_refused() {
    let app = TestApp::start().await;
    let (account, applicant) = app.applicant(json!({})).await;
    let decide = async |decision: &str| {
        let admin = app.sign_in("admin@cps.example").await;
        let path = format!("{account}/contact-email/{decision}");
        app.act(&path, &admin).await
    };
    for decision in ["acceptance", "refusal"] {
        let none = decide(decision).await;
        none.problem(409, "account_state_conflict");
    }
    let asked = propose_email(&app, &account, MINE).await.expect(200);
    // Asking for the same again, or for the address that the contact has, changes nothing.
    for email in [MINE, "Mine@elsewhere-test.example", ASTA] {
        let again = propose_email(&app, &account, email).await.expect(200);
        assert_eq!(again.body["version"], asked.body["version"], "{email}");
    }
    let refused = decide("refusal").await.expect(200);
    assert_eq!(
        (
            &refused.body["contact"]["email"],
            &refused.body["contact"]["email_proposed"]
        ),
        (&json!(ASTA), &Value::Null)
    );
    assert_eq!(count(&app, MINE, "application_started").await, 0);

    submit(&app, &account, &applicant).await;
    propose_email(&app, &account, MINE).await.expect(200);
    accept_email(&app, &account).await.expect(200);
    assert_eq!(count(&app, MINE, "application_started").await, 1);
    assert_eq!(count(&app, ASTA, "contact_email_changed").await, 1);
    let started = app.mail(MINE, "application_started").await;
    let mailed = Token(Some(token_of(&started)));
    app.get(&account, &mailed).await.expect(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_applicant_changes_or_ends_leaves_nothing_to_decide() {
    let app = TestApp::start().await;
    let (account, applicant) = app.applicant(json!({})).await;
    let asked = propose_email(&app, &account, MINE).await.expect(200);
    let version = asked.body["version"].as_i64().unwrap();
    let own = json!({ "contact": { "email": "holm@nordlys-test.example" } });
    let moved = app.patch(&account, &applicant, version, own).await;
    assert_eq!(
        moved.expect(200).body["contact"]["email_proposed"],
        Value::Null
    );
    let none = accept_email(&app, &account).await;
    none.problem(409, "account_state_conflict");
    propose_email(&app, &account, MINE).await.expect(200);
    let withdrawal = format!("{account}/withdrawal");
    app.act(&withdrawal, &applicant).await.expect(200);
    let none = accept_email(&app, &account).await;
    none.problem(409, "account_state_conflict");

    let (account, applicant) = app.applicant(json!({})).await;
    approve(&app, &account, &applicant).await;
    propose_email(&app, &account, MINE).await.expect(200);
    let asta = set_password(&app, ASTA, "first_password").await;
    let read = app.get(&account, &asta).await.expect(200);
    assert_eq!(read.body["contact"]["email_proposed"], Value::Null);
    let none = accept_email(&app, &account).await;
    none.problem(409, "account_state_conflict");
    // From the first password on an address gives no access, and staff mend it at once; the old one is told all the same.
    let told = count(&app, ASTA, "contact_email_changed").await;
    let mended = propose_email(&app, &account, MINE).await.expect(200);
    assert_eq!(mended.body["contact"]["email"], MINE);
    assert_eq!(count(&app, ASTA, "contact_email_changed").await, told + 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_asked_for_an_address_does_not_decide_on_it_whatever_their_roles() {
    let app = TestApp::start().await;
    let (account, _) = app.applicant(json!({})).await;
    let (app, ida) = employ(app, "ida@cps-test.example", &["support", "admin"]).await;
    let change = json!({ "contact": { "email": MINE } });
    app.patch(&account, &ida, 1, change).await.expect(200);
    for decision in ["acceptance", "refusal"] {
        let path = format!("{account}/contact-email/{decision}");
        app.act(&path, &ida).await.problem(403, "own_proposal");
    }
    // That a colleague asks for the same makes it nobody else's.
    propose_email(&app, &account, MINE).await.expect(200);
    let path = format!("{account}/contact-email/acceptance");
    app.act(&path, &ida).await.problem(403, "own_proposal");
    accept_email(&app, &account).await.expect(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_address_before_is_told_whoever_changed_it_and_no_stranger_floods_it() {
    let app = TestApp::start().await;
    let mette = app.sign_in("mette@fjordfoto.example").await;
    let account = "/v1/accounts/acc_00000000000070008000000000000001";
    let moved = json!({ "contact": { "email": "kontor@fjordfoto.example" } });
    app.patch(account, &mette, 1, moved).await.expect(200);
    let told = app
        .mail("mette@fjordfoto.example", "contact_email_changed")
        .await;
    let text = told["text"].as_str().unwrap();
    assert!(
        text.contains("Mette") && !text.contains("kontor@"),
        "{text}"
    );

    // Whoever types addresses of others into a form mails each of them at most three times an hour, and nothing of the form.
    let victim = "victim@nordlys-test.example";
    let (account, applicant) = app.applicant(json!({})).await;
    for n in 0..12 {
        let email = if n % 2 == 0 { victim } else { ASTA };
        let change = json!({ "contact": { "email": email } });
        let changed = app.patch(&account, &applicant, n + 1, change).await;
        changed.expect(200);
    }
    assert_eq!(count(&app, victim, "contact_email_changed").await, 3);
    let told = app.mail(victim, "contact_email_changed").await;
    let text = told["text"].as_str().unwrap();
    assert!(
        !text.contains("Asta") && !text.contains("Nordlys"),
        "{text}"
    );
}
