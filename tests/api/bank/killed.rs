//! A large file, taken in and matched by services that are killed again and again, and sent twice: each cent is once there.

use std::time::Duration;

use reqwest::{Method, RequestBuilder};
use serde_json::json;

use super::{Entry, counts, credit, statement};
use crate::dice::Dice;
use crate::open_invoices::{self, CENTS};
use crate::process::{Served, Setup};
use crate::raw::Raw;
use crate::support::{Database, Sending, Token};

/// 10,000 by a switch. Each fifth pays an invoice.
fn lines() -> usize {
    match std::env::var_os("BANK_LONG") {
        Some(_) => 10_000,
        None => 2_000,
    }
}

/// A line that pays an invoice, and others that nobody but finance can place.
fn line(n: usize) -> Entry {
    let invoice = n / 5 + 1;
    match n % 5 {
        0 => credit(CENTS, &open_invoices::reference(invoice)),
        // Twice, too little, for nobody, and out again.
        1 => credit(CENTS + 1, &open_invoices::reference(invoice)),
        2 => credit(100, &open_invoices::reference(invoice)),
        3 => credit(1 + n as i64, "Kasse"),
        _ => credit(-7, "Gebyr"),
    }
}

fn file() -> (String, i64) {
    let lines: Vec<Entry> = (0..lines()).map(line).collect();
    let sum = lines.iter().map(|line| line.cents).sum();
    (statement(("K1", 1), (0, sum), &lines), sum)
}

/// A request that sends the file as finance, with a key of its own.
async fn sending(service: &Served, xml: &str) -> RequestBuilder {
    let body = json!({ "email": "finance@cps.example", "password": "Sandbox-Adgang-2026" });
    let session = service.post("/v1/sessions", &Token::default(), body).await;
    let token = Token(Some(session.expect(201).str("/access_token")));
    service
        .request(Method::POST, "/v1/bank-statements")
        .sent_by(&token)
        .header("idempotency-key", uuid::Uuid::new_v4().to_string())
        .header("content-type", "application/xml")
        .body(xml.to_owned())
}

/// Waits until a count has come to `enough`, for some minutes at most.
async fn until(database: &Database, query: &str, enough: i64) {
    for _ in 0..30_000 {
        if database.numbers(query)[0] >= enough {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{query}: {enough} do not come");
}

const STORED: &str = "SELECT COUNT(*) AS n FROM bank_transactions";
const BOOKED: &str = "SELECT COUNT(*) AS n FROM payments";

/// 1 once nothing is left to be matched.
const MATCHED: &str = "SELECT CAST(CASE COUNT(*) WHEN 0 THEN 1 ELSE 0 END AS BIGINT) AS n FROM jobs
    WHERE kind = 'match_statement' AND state <> 'done'";

/// Services that are up, as many as the database allows; what a killed one held is free for them.
fn up(database: &Database, setup: &Setup) -> Vec<Served> {
    database.execute(
        "UPDATE jobs SET leased_until = '2026-01-01T00:00:00.000000Z' WHERE state = 'running'",
    );
    let instances = if database.is_shared() { 2 } else { 1 };
    (0..instances).map(|_| setup.serve()).collect()
}

/// Kills them after a moment that is another one each time.
async fn kill(services: &mut [Served], dice: &mut Dice) {
    let moment = u64::try_from(dice.below(60)).unwrap();
    tokio::time::sleep(Duration::from_millis(moment)).await;
    for service in services {
        service.kill();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_cent_of_a_large_file_is_once_there_whoever_is_killed_and_however_often_it_is_sent() {
    let (database, mut dice) = (Database::create(), Dice::of(10));
    let setup = Setup::on(&database);
    setup.serve().kill();
    let active = "SELECT CAST(id AS TEXT) AS line FROM accounts WHERE status = 'active'";
    let accounts = Raw::open(&database).lines(active);
    let whose = |n: usize| format!("'{}'", accounts[n % accounts.len()]);
    database.execute(&open_invoices::statements(1..=lines() / 5, whose));
    let before = [STORED, BOOKED].map(|query| database.numbers(query)[0]);
    let (xml, sum) = file();
    let count = lines() as i64;
    // While it is taken in.
    for part in [5, 2] {
        let mut services = up(&database, &setup);
        let sent = tokio::spawn(sending(&services[0], &xml).await.send());
        until(&database, STORED, before[0] + count / part).await;
        kill(&mut services, &mut dice).await;
        let _ = sent.await.unwrap();
    }
    // While it is matched.
    for (round, part) in [20, 10, 7].into_iter().enumerate() {
        let mut services = up(&database, &setup);
        if round == 0 {
            let sent = sending(&services[0], &xml).await.answer().await;
            assert_eq!(counts(&sent.expect(201)).0, "booked");
        }
        until(&database, BOOKED, before[1] + count / part).await;
        kill(&mut services, &mut dice).await;
    }
    let mut services = up(&database, &setup);
    until(&database, MATCHED, 1).await;
    // The same file, and the same statement in another one.
    let again = sending(&services[0], &xml).await.answer().await;
    assert_eq!(counts(&again.expect(200)).1[1], 0);
    let other = xml.replace("<GrpHdr>", "<GrpHdr> ");
    let again = sending(&services[0], &other).await.answer().await;
    assert_eq!(counts(&again.expect(201)).1, [0, count, 0]);
    until(&database, MATCHED, 1).await;
    kill(&mut services, &mut dice).await;
    all_is_once_there(&database, before, sum);
    let right = setup.run(&["verify-ledger"]);
    assert!(right.ok, "{right:?}");
}

/// Each line is there, each invoice is paid by one of them, and what nobody could place waits.
fn all_is_once_there(database: &Database, before: [i64; 2], sum: i64) {
    let number = |query: &str| database.numbers(query)[0];
    let (all, invoices) = (lines() as i64, lines() as i64 / 5);
    assert_eq!(number(STORED), before[0] + all);
    let lines = "FROM bank_transactions WHERE statement_id IN (SELECT id FROM bank_statements WHERE statement_ref = 'K1')";
    let cents = number(&format!(
        "SELECT CAST(SUM(amount_cents) AS BIGINT) AS n {lines}"
    ));
    assert_eq!(cents, sum);
    let matched = number(&format!(
        "SELECT COUNT(*) AS n {lines} AND state = 'matched'"
    ));
    let open = number(&format!("SELECT COUNT(*) AS n {lines} AND state = 'open'"));
    assert_eq!((matched, open), (invoices, all - invoices));
    assert_eq!(number(BOOKED), before[1] + invoices);
    let paid = "SELECT COUNT(*) AS n FROM invoices i WHERE seller_key = 'BEN' AND status = 'paid'
        AND 1 = (SELECT COUNT(*) FROM allocations a WHERE a.invoice_id = i.id AND a.amount_cents = i.gross_cents)";
    assert_eq!(number(paid), invoices);
}
