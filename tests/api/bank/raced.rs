//! Many payments for one invoice at the same moment, by two instances where the database allows it: exactly what is due is placed.

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::{Value, json};

use super::{Bank, Entry, credit, euro, path_of, statement, states, waiting_lines};
use crate::support::{Answer, Sending, TestApp};

const PAYMENTS: usize = 40;

/// Matches of each line with the first invoice, all sent at once, half of them to the other instance.
async fn raced(bank: &Bank, other: Option<&TestApp>, lines: &[Value], amount: &str) -> Vec<Answer> {
    let place = |(n, line): (usize, &Value)| {
        let app = other.filter(|_| n % 2 == 0).unwrap_or(&bank.app);
        let placed =
            json!({ "allocations": [{ "invoice_id": bank.first.0, "amount": euro(amount) }] });
        let request = app
            .request(Method::POST, &format!("{}/match", path_of(line)))
            .sent_by(&bank.finance)
            .header("idempotency-key", format!("race-{n}"))
            .json(&placed);
        async move {
            for _ in 0..200 {
                let answer = request.try_clone().unwrap().answer().await;
                // Somebody else was faster, and it is told to come back.
                if answer.status != 503 {
                    return answer;
                }
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
            panic!("no answer in time");
        }
    };
    futures_util::future::join_all(lines.iter().enumerate().map(place)).await
}

/// How often each status and code was answered.
fn told(answers: &[Answer]) -> BTreeMap<String, usize> {
    let mut told = BTreeMap::new();
    for answer in answers {
        let code = answer.body["code"].as_str().unwrap_or_default();
        *told.entry(format!("{} {code}", answer.status)).or_default() += 1;
    }
    told
}

/// A statement of payments that name no invoice.
fn nameless(cents: i64) -> String {
    let entries: Vec<Entry> = (0..PAYMENTS).map(|_| credit(cents, "Kasse")).collect();
    statement(("F1", 1), (0, cents * PAYMENTS as i64), &entries)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forty_payments_of_the_whole_have_one_winner_and_of_parts_as_many_as_are_due() {
    for (cents, amount, winners) in [(35_100, "351.00", 1), (900, "9.00", 39)] {
        let bank = Bank::open().await;
        let database = bank.app.database.clone();
        let other = match database.is_shared() {
            true => Some(TestApp::on(database, &[]).await),
            false => None,
        };
        let lines = bank.lines_of(&nameless(cents)).await;
        assert_eq!(states(&lines), ["open"; PAYMENTS]);
        let answers = raced(&bank, other.as_ref(), &lines, amount).await;
        let expected = BTreeMap::from([
            ("200 ".to_owned(), winners),
            ("409 amount_exceeds_invoice".to_owned(), PAYMENTS - winners),
        ]);
        assert_eq!(told(&answers), expected);
        assert_eq!(bank.open_cents(), [0, 35_200, 0]);
        if let Some(other) = other {
            other.stop().await;
        }
        bank.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forty_statements_that_pay_one_invoice_at_once_pay_it_once() {
    let bank = Bank::open().await;
    let database = bank.app.database.clone();
    let other = match database.is_shared() {
        true => Some(TestApp::on(database, &[]).await),
        false => None,
    };
    let mut sent = tokio::task::JoinSet::new();
    for n in 0..PAYMENTS {
        let app = other.as_ref().filter(|_| n % 2 == 0).unwrap_or(&bank.app);
        let entry = credit(35_100, &bank.first.1);
        let xml = statement((&format!("S{n}"), 1), (0, 35_100), &[entry]);
        let request = app
            .request(Method::POST, "/v1/bank-statements")
            .sent_by(&bank.finance)
            .header("idempotency-key", format!("statement-{n}"))
            .header("content-type", "application/xml")
            .body(xml);
        sent.spawn(async move {
            loop {
                let answer = request.try_clone().unwrap().answer().await;
                if answer.status != 503 {
                    return answer.expect(201).str("/statements/0/id");
                }
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
        });
    }
    let mut matched = 0;
    for statement in sent.join_all().await {
        let lines = waiting_lines(&bank.app, &bank.finance, &statement).await;
        matched += states(&lines)
            .iter()
            .filter(|state| **state == "matched")
            .count();
    }
    assert_eq!((matched, bank.open_cents()), (1, [0, 35_200, 0]));
    if let Some(other) = other {
        other.stop().await;
    }
    bank.close().await;
}
