//! Invoices: what they say, who pays which VAT, and numbers without gaps whatever happens.

use std::time::Duration;

use chrono::{Datelike, Days, NaiveDate};
use cps_api::domain::invoice::is_rf_reference;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::membership::{ACCOUNT, EMAIL, bring_points_to, by_card, by_transfer, join};
use crate::process::Setup;
use crate::support::{Answer, Database, TestApp, Token};

/// The only invoice of an account; waits a little for the job that issues it.
async fn invoice(app: &TestApp, account: &str, token: &Token) -> Answer {
    let path = format!("{account}/invoices");
    for _ in 0..200 {
        let page = app.get(&path, token).await.expect(200);
        if let Some(invoice) = page.body["items"].as_array().unwrap().first() {
            let id = invoice["id"].as_str().unwrap();
            return app.get(&format!("{path}/{id}"), token).await.expect(200);
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("no invoice of {account}");
}

/// The first account joins, after `statements` have changed what stands in the database.
async fn invoiced(app: &TestApp, statements: &str, choice: Value) -> Answer {
    let token = app.sign_in(EMAIL).await;
    bring_points_to(app, ACCOUNT, 1600).await;
    app.database.execute(statements);
    join(app, ACCOUNT, &token, choice).await.expect(201);
    invoice(app, ACCOUNT, &token).await
}

fn euro(amount: &str) -> Value {
    json!({ "amount": amount, "currency": "EUR" })
}

fn notices(invoice: &Answer) -> String {
    let all = invoice.body["notices"].as_array().unwrap();
    let texts: Vec<&str> = all.iter().map(|text| text.as_str().unwrap()).collect();
    texts.join("\n")
}

/// A date as Danish mails write it.
fn in_danish(date: NaiveDate) -> String {
    const MONTHS: &str =
        "januar februar marts april maj juni juli august september oktober november december";
    let month = MONTHS.split(' ').nth(date.month0() as usize).unwrap();
    format!("{}. {month} {}", date.day(), date.year())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_danish_business_gets_a_reverse_charge_invoice_with_all_that_it_needs() {
    let app = TestApp::start().await;
    let invoice = invoiced(&app, "SELECT 1", by_transfer("platinum")).await;
    let body = &invoice.body;
    let year = app.now().await.year();
    let number = invoice.str("/number");
    assert!(number.starts_with(&format!("CPS-{year}-")), "{number}");
    assert_eq!(body["status"], "open");
    let date = |name: &str| -> NaiveDate { invoice.str(name).parse().unwrap() };
    assert_eq!(date("/due_date"), date("/issued_date") + Days::new(30));
    assert_eq!(
        (&body["seller"]["country"], &body["seller"]["vat_number"]),
        (&json!("NL"), &json!("999999990B51"))
    );
    assert_eq!(
        (&body["buyer"]["company_name"], &body["buyer"]["vat_number"]),
        (&json!("Fjord Foto ApS"), &json!("24256790"))
    );
    assert_eq!(body["lines"].as_array().unwrap().len(), 1);
    assert_eq!(body["lines"][0]["net"], euro("350.00"));
    assert!(invoice.str("/lines/0/description").contains("Platinum"));
    assert_eq!(
        (&body["net"], &body["gross"]),
        (&euro("350.00"), &euro("350.00"))
    );
    assert_eq!(
        (
            &body["vat"]["treatment"],
            &body["vat"]["rate"],
            &body["vat"]["amount"]
        ),
        (&json!("reverse_charge"), &json!("0"), &euro("0.00"))
    );
    let evidence = &body["vat"]["evidence"];
    assert_eq!(evidence["kind"], "vat_registration_certificate");
    assert!(evidence["sha256"].is_string() && evidence["decided_at"].is_string());
    let reference = invoice.str("/payment_reference");
    assert!(is_rf_reference(&reference), "{reference}");
    assert!(reference.ends_with(&number.replace('-', "")), "{reference}");
    let notices = notices(&invoice);
    for words in [
        "reverse charge",
        "artikel 44 og 196",
        "DK24256790",
        "gebyr",
        "opdigtet",
    ] {
        assert!(notices.contains(words), "{words}: {notices}");
    }
    assert!(invoice.header("etag").starts_with("\"1-"));

    let mail = app.mail(EMAIL, "invoice_issued").await;
    let text = mail["text"].as_str().unwrap();
    for words in [
        "350,00 EUR",
        &reference,
        &invoice.str("/number"),
        &in_danish(date("/due_date")),
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_invoice_by_card_says_when_it_is_charged_and_needs_no_reference() {
    let app = TestApp::start().await;
    let change = "UPDATE accounts SET language = 'en'";
    let invoice = invoiced(&app, change, by_card("gold", "tok_visa")).await;
    assert_eq!(invoice.body["payment_method"], "card");
    assert!(invoice.body.get("payment_reference").is_none());
    let notices = notices(&invoice);
    let due: NaiveDate = invoice.str("/due_date").parse().unwrap();
    let due = due.format("%-d %B %Y").to_string();
    assert!(
        notices.contains("4242") && notices.contains(&due),
        "{notices}"
    );
    assert!(notices.contains("Reverse charge") && !notices.contains("transfer"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_business_in_the_sellers_country_pays_its_vat() {
    let app = TestApp::start().await;
    let change = "UPDATE accounts SET country = 'NL', vat_number = '999999990B51'";
    let invoice = invoiced(&app, change, by_transfer("gold")).await;
    let vat = &invoice.body["vat"];
    assert_eq!(
        (&vat["treatment"], &vat["rate"], &vat["amount"]),
        (&json!("standard"), &json!("0.21"), &euro("42.00"))
    );
    assert_eq!(invoice.body["gross"], euro("242.00"));
    assert!(!notices(&invoice).contains("artikel"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_business_outside_the_union_is_outside_the_scope() {
    let app = TestApp::start().await;
    let change = "UPDATE accounts SET country = 'NO', vat_number = '995525828MVA'";
    let invoice = invoiced(&app, change, by_transfer("silver")).await;
    assert_eq!(invoice.body["vat"]["treatment"], "outside_scope");
    assert_eq!(invoice.body["gross"], euro("100.00"));
    assert!(notices(&invoice).contains("artikel 44"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_business_in_a_part_outside_the_vat_area_is_outside_the_scope() {
    let app = TestApp::start().await;
    let change =
        "UPDATE accounts SET country = 'ES', vat_number = 'B35000000', postal_code = '35001'";
    let invoice = invoiced(&app, change, by_transfer("silver")).await;
    assert_eq!(invoice.body["vat"]["treatment"], "outside_scope");
    assert_eq!(invoice.body["gross"], euro("100.00"));
    assert!(!notices(&invoice).contains("Omvendt"));
}

/// The programme of another seller, on `database`.
fn danish_seller(database: &Database) -> String {
    let programme = include_str!("../../programme.toml")
        .replace("country = \"NL\"", "country = \"DK\"")
        .replace("currency = \"EUR\"", "currency = \"DKK\"")
        .replace("vat_number = \"999999990B51\"", "vat_number = \"13585628\"")
        .replace("prefix = \"CPS\"", "prefix = \"CPD\"")
        .replace("company_scheme = \"0106\"", "company_scheme = \"0184\"")
        .replace(
            "company_number = \"99999999\"",
            "company_number = \"13585628\"",
        )
        .replace("NL13TEST0123456789", "DK5000400440116243");
    database.file("danish.toml", &programme)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_done_for_a_seller_waits_for_an_instance_that_knows_it() {
    let app = TestApp::start().await;
    let joined = invoiced(&app, "SELECT 1", by_card("gold", "tok_visa")).await;
    let database = app.stop().await;
    let danish = danish_seller(&database);
    let app = TestApp::on(database, &[("CPS_PROGRAMME", &danish)]).await;
    app.advance(chrono::TimeDelta::days(400)).await;
    let token = app.sign_in(EMAIL).await;
    let membership = format!("{ACCOUNT}/membership");
    app.get(&membership, &token).await.expect(200);

    let database = app.stop().await;
    let app = TestApp::on(database, &[]).await;
    app.advance(chrono::TimeDelta::seconds(1)).await;
    let token = app.sign_in(EMAIL).await;
    app.get(&membership, &token)
        .await
        .problem(404, "no_membership");
    assert_eq!(joined.body["seller"]["country"], "NL");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_invoice_is_the_sellers_at_whose_instance_it_was_bought() {
    let one = TestApp::start().await;
    if !one.database.is_shared() {
        return;
    }
    let danish = danish_seller(&one.database);
    let other = TestApp::on(one.database.clone(), &[("CPS_PROGRAMME", &danish)]).await;
    for n in 0..6 {
        let (app, country, prefix) = match n % 2 {
            0 => (&one, "NL", "CPS-"),
            _ => (&other, "DK", "CPD-"),
        };
        let email = format!("n{n}@sellers.example");
        let business = app.business(&email, json!({})).await;
        bring_points_to(app, &business.account, 1000).await;
        let joined = join(app, &business.account, &business.token, by_transfer("gold")).await;
        joined.expect(201);
        let invoice = invoice(app, &business.account, &business.token).await;
        assert_eq!(invoice.body["seller"]["country"], country);
        assert!(invoice.str("/number").starts_with(prefix));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_business_without_a_vat_number_is_proven_by_its_document() {
    let app = TestApp::start().await;
    let change = "UPDATE accounts SET vat_registered = FALSE, vat_number = NULL;
        UPDATE documents SET kind = 'business_licence'";
    let invoice = invoiced(&app, change, by_transfer("silver")).await;
    assert_eq!(invoice.body["vat"]["treatment"], "reverse_charge");
    assert_eq!(invoice.body["vat"]["evidence"]["kind"], "business_licence");
    assert!(invoice.body["buyer"].get("vat_number").is_none());
    assert!(!notices(&invoice).contains("momsnummer"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_danish_seller_in_kroner_adds_its_line_and_its_fee() {
    let database = Database::create();
    let programme = include_str!("../../programme.toml")
        .replace("country = \"NL\"", "country = \"DK\"")
        .replace("currency = \"EUR\"", "currency = \"DKK\"")
        .replace("# fi_creditor", "fi_creditor")
        .replace("company_scheme = \"0106\"", "company_scheme = \"0184\"")
        .replace(
            "company_number = \"99999999\"",
            "company_number = \"13585628\"",
        )
        .replace(
            "bank_transfer_fee = \"0.00\"",
            "bank_transfer_fee = \"39.50\"",
        );
    let file = database.folder().join("programme.toml");
    std::fs::write(&file, programme).unwrap();
    let app = TestApp::on(database, &[("CPS_PROGRAMME", file.to_str().unwrap())]).await;
    let invoice = invoiced(&app, "SELECT 1", by_transfer("gold")).await;
    let krone = |amount: &str| json!({ "amount": amount, "currency": "DKK" });
    assert_eq!(invoice.body["lines"][1]["net"], krone("39.50"));
    assert_eq!(invoice.body["net"], krone("239.50"));
    // Half a cent up, once on the sum.
    assert_eq!(invoice.body["vat"]["amount"], krone("59.88"));
    assert_eq!(invoice.body["gross"], krone("299.38"));
    let line = invoice.str("/fi_payment_line");
    assert!(
        line.starts_with("+71<") && line.ends_with("+81234567<"),
        "{line}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_issued_invoice_does_not_change_with_the_account() {
    let app = TestApp::start().await;
    let first = invoiced(&app, "SELECT 1", by_transfer("gold")).await;
    app.database.execute(
        "UPDATE accounts SET company_name = 'Another ApS', country = 'NL', language = 'en'",
    );
    let token = app.sign_in(EMAIL).await;
    let again = invoice(&app, ACCOUNT, &token).await;
    assert_eq!(again.body, first.body);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn invoices_are_read_by_their_account_and_by_staff_who_may() {
    let app = TestApp::start().await;
    let account = "/v1/accounts/acc_00000000000070008000000000000002";
    let seeded = format!("{account}/invoices/inv_00000000000070008000000000000002");
    let jonas = app.sign_in("jonas@lysogskygge.example").await;
    let year = app.now().await.year();
    assert_eq!(
        app.get(&seeded, &jonas).await.expect(200).body["number"],
        format!("CPS-{year}-000001")
    );
    for (who, status) in [
        ("support", 200),
        ("finance", 200),
        ("admin", 200),
        ("reviewer", 403),
    ] {
        let staff = app.sign_in(&format!("{who}@cps.example")).await;
        assert_eq!(app.get(&seeded, &staff).await.status, status, "{who}");
        let list = app.get(&format!("{account}/invoices"), &staff).await;
        assert_eq!(list.status, status, "{who}");
    }
    let mette = app.sign_in(EMAIL).await;
    app.get(&seeded, &mette).await.problem(404, "not_found");
    let anothers = seeded.replace(account, ACCOUNT);
    app.get(&anothers, &mette).await.problem(404, "not_found");
}

/// A membership of the seeded accounts whose invoice is due; not one that the account could have at the same time, but its
/// invoice neither knows nor minds.
fn memberships_without_invoice(database: &Database, run_at: &[String]) {
    let statements: Vec<String> = run_at
        .iter()
        .map(|run_at| {
            let (membership, job) = (Uuid::now_v7(), Uuid::now_v7());
            let wire = format!("mem_{}", membership.simple());
            format!(
                "INSERT INTO memberships (id, account_id, version, member_number, level, status, starts_date, ends_date,
                    payment_method, fee_cents, currency, points_at_joining, terms_version, created_at, ended_at, ended_reason)
                 SELECT '{membership}', id, 1, '0', 'gold', 'ended', '2026-01-01', '2026-12-31',
                    'bank_transfer', 20000, 'EUR', 1000, '2026-01', created_at, created_at, 'expired'
                 FROM accounts WHERE company_name = 'Fjord Foto ApS';
                 INSERT INTO jobs (id, kind, key, payload, state, run_at, attempts, created_at)
                 VALUES ('{job}', 'issue_invoice', 'issue_invoice:{wire}',
                    '{{\"task\":\"issue_invoice\",\"membership_id\":\"{wire}\"}}', 'ready', '{run_at}', 0, '{run_at}')"
            )
        })
        .collect();
    database.execute(&statements.join(";\n"));
}

const PAST: &str = "2026-01-01T00:00:00.000000Z";

async fn until_issued(database: &Database, enough: i64) {
    for _ in 0..6000 {
        if count(database) >= enough {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("{enough} invoices are not issued");
}

fn count(database: &Database) -> i64 {
    database.numbers("SELECT COUNT(*) AS n FROM invoices")[0]
}

fn assert_without_gaps(database: &Database) {
    let counters = database.numbers("SELECT year AS n FROM invoice_counters");
    for year in counters {
        let of = format!("WHERE year = {year}");
        let numbers = database.numbers(&format!("SELECT seq AS n FROM invoices {of} ORDER BY seq"));
        let last = database.numbers(&format!("SELECT last AS n FROM invoice_counters {of}"))[0];
        assert_eq!(numbers, (1..=last).collect::<Vec<_>>());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn instances_that_share_the_work_number_without_gaps() {
    let database = Database::seeded().await;
    let app = TestApp::on(database.clone(), &[]).await;
    let mut others = Vec::new();
    if database.is_shared() {
        for _ in 0..2 {
            others.push(TestApp::on(database.clone(), &[]).await);
        }
    }
    let seeded = count(&database);
    memberships_without_invoice(&database, &vec![PAST.to_owned(); 60]);
    until_issued(&database, seeded + 60).await;
    assert_without_gaps(&database);
    drop((app, others));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_year_of_the_seller_begins_with_number_one() {
    let app = TestApp::start().await;
    let year = app.now().await.year() + 1;
    // In Amsterdam midnight comes an hour before that of UTC.
    let due = ["22:59:58", "22:59:59", "23:00:00"];
    let due = due.map(|time| format!("{year}-12-31T{time}.000000Z"));
    memberships_without_invoice(&app.database, &due);
    app.set_clock(&format!("{}-01-02T12:00:00Z", year + 1))
        .await;
    let token = app.sign_in(EMAIL).await;
    let page = app
        .get(&format!("{ACCOUNT}/invoices?limit=2"), &token)
        .await
        .expect(200);
    let numbers = |page: &Answer| -> Vec<String> {
        let items = page.body["items"].as_array().unwrap().iter();
        items
            .map(|one| one["number"].as_str().unwrap().to_owned())
            .collect()
    };
    let next = year + 1;
    let [first, last] = [0, 1].map(|n| numbers(&page)[n].clone());
    assert_eq!(first, format!("CPS-{next}-000001"));
    let seq = |number: &str| -> u32 { number.rsplit('-').next().unwrap().parse().unwrap() };
    assert_eq!(
        page.body["items"][0]["issued_date"],
        format!("{next}-01-01")
    );
    assert_eq!(page.body["items"][0]["due_date"], format!("{next}-01-31"));
    let cursor = page.str("/next_cursor");
    assert!(page.header("link").contains(&cursor));
    let rest = app
        .get(
            &format!("{ACCOUNT}/invoices?limit=2&cursor={cursor}"),
            &token,
        )
        .await
        .expect(200);
    let before = format!("CPS-{year}-{:06}", seq(&last) - 1);
    assert_eq!(numbers(&rest), [before]);
    assert_eq!(rest.body["next_cursor"], Value::Null);
}

/// As if the leases of whoever was killed had run out.
fn forget_leases(database: &Database) {
    database.execute(&format!(
        "UPDATE jobs SET leased_until = '{PAST}' WHERE state = 'running'"
    ));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_number_is_lost_or_doubled_when_the_service_is_killed_at_work() {
    let database = Database::create();
    let setup = Setup::on(&database);
    setup.serve().kill();
    let seeded = count(&database);
    memberships_without_invoice(&database, &vec![PAST.to_owned(); 160]);
    for enough in [1, 30, 60, 90, 120, 160].map(|issued| seeded + issued) {
        forget_leases(&database);
        let mut service = setup.serve();
        until_issued(&database, enough).await;
        service.kill();
    }
    assert_without_gaps(&database);
    assert_eq!(count(&database), seeded + 160);
}
