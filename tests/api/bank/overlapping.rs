//! Files that say the same in part, at once and after one that broke off: what one of them leaves out or loses, the other keeps.

use chrono::TimeDelta;

use super::{Bank, Entry, counts, credit, path_of, send, statement, states};
use crate::support::Answer;

/// One page of a statement that comes in two.
fn page(of: &str, (number, is_last): (u32, bool)) -> String {
    let paged = format!(
        "</MsgId><MsgPgntn><PgNb>{number}</PgNb><LastPgInd>{is_last}</LastPgInd></MsgPgntn>"
    );
    of.replace("</MsgId>", &paged)
}

async fn send_csv(bank: &Bank, rows: &[String]) -> Answer {
    let header = "account,booking_date,amount,currency,balance,text\n";
    let file = format!("{header}{}", rows.concat());
    let media = ("text/csv", "");
    let sent = send(&bank.app, &bank.finance, media, file.into_bytes()).await;
    sent.expect(201)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_broke_off_takes_nothing_with_it_that_another_said_too() {
    let bank = Bank::open().await;
    let many = |count: usize| vec![credit(100, "Kasse"); count];
    let weekly = statement(("W1", 50), (0, 120_000), &many(1200));
    bank.send(&weekly).await.expect(201);
    bank.app.database.execute(
        "UPDATE bank_statements SET state = 'receiving', lines_new = 0;
         DELETE FROM bank_transactions WHERE position >= 700",
    );
    let daily = statement(("D1", 1), (0, 30_000), &many(300));
    let daily = bank.send(&daily).await.expect(201);
    assert_eq!(counts(&daily), ("booked".to_owned(), [300, 0, 0]));
    bank.app.advance(TimeDelta::hours(2)).await;
    let stored = "SELECT count(*) AS n FROM bank_transactions";
    assert_eq!(bank.app.database.numbers(stored), [300]);
    let finance = bank.app.sign_in("finance@cps.example").await;
    let bank = Bank { finance, ..bank };
    let weekly = bank.send(&weekly).await.expect(201);
    assert_eq!(counts(&weekly), ("booked".to_owned(), [900, 300, 0]));
    bank.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_that_only_their_balance_tells_apart_are_two_payments() {
    let bank = Bank::open().await;
    let row = |account: &str, balance: &str| {
        format!("{account},2026-12-22,351.00,EUR,{balance},Kontingent\n")
    };
    let ours = "NL13TEST0123456789";
    let morning = send_csv(&bank, &[row(ours, "351.00")]).await;
    assert_eq!(counts(&morning), ("booked".to_owned(), [1, 0, 0]));
    let afternoon = send_csv(&bank, &[row(ours, "702.00")]).await;
    assert_eq!(counts(&afternoon), ("booked".to_owned(), [1, 0, 0]));
    let day = [row(ours, "351.00"), row(ours, "702.00")];
    let day = send_csv(&bank, &day).await;
    assert_eq!(counts(&day), ("booked".to_owned(), [0, 2, 0]));
    let other = "NL02ABNA0123456789";
    let mixed = [
        row(ours, "1053.00"),
        row(other, "351.00"),
        row(ours, "1404.00"),
    ];
    let mixed = send_csv(&bank, &mixed).await;
    assert_eq!(mixed.body["statements"].as_array().unwrap().len(), 2);
    assert_eq!(counts(&mixed), ("booked".to_owned(), [2, 0, 0]));
    bank.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_find_each_other_at_once_and_in_a_second_download() {
    let bank = Bank::open().await;
    let (one, two) = (bank.first.1.clone(), bank.second.1.clone());
    let of = |entry: &Entry| statement(("M1", 356), (0, 70_300), std::slice::from_ref(entry));
    let first = page(&of(&credit(35_100, &one)), (1, false));
    let second = page(&of(&credit(35_200, &two)), (2, true));
    bank.send(&first).await.expect(201);
    // Both again, in a message with a name of its own, and at the same moment.
    let again = |page: &str| page.replace("<MsgId>M1<", "<MsgId>M2<");
    let (again_first, again_second) = (again(&first), again(&second));
    let (first, second) = tokio::join!(bank.send(&again_first), bank.send(&again_second));
    bank.booked(&first.expect(201)).await;
    bank.booked(&second.expect(201)).await;
    assert_eq!(bank.open_cents(), [0, 0, 0]);
    // A message of two statements is numbered as well, and each of them is whole.
    let whole = statement(("S2", 1), (0, 100), &[credit(100, "Gave")]);
    let whole = bank.send(&page(&whole, (2, true))).await.expect(201);
    assert_eq!(counts(&whole).0, "booked");
    bank.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_that_do_not_add_up_are_released_together() {
    let bank = Bank::open().await;
    let (one, two) = (bank.first.1.clone(), bank.second.1.clone());
    let of = |entry: &Entry| statement(("H1", 9), (0, 99), std::slice::from_ref(entry));
    let first = page(&of(&credit(35_100, &one)), (1, false));
    let second = page(&of(&credit(35_200, &two)), (2, true));
    let first = bank.send(&first).await.expect(201);
    let second = bank.send(&second).await.expect(201);
    assert_eq!(counts(&second).0, "held");
    let path = format!(
        "/v1/bank-statements/{}/release",
        second.str("/statements/0/id")
    );
    let reason = serde_json::json!({ "reason": "The bank says so." });
    let released = bank.app.post_once(&path, &bank.finance, reason).await;
    released.expect(200);
    bank.booked(&first).await;
    bank.booked(&second).await;
    assert_eq!(bank.open_cents(), [0, 0, 0]);
    bank.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_booked_line_ends_one_that_was_announced_whichever_came_first() {
    let bank = Bank::open().await;
    let line = |is_pending: bool| Entry {
        is_pending,
        bank_reference: "B1",
        text: "Kontingent",
        cents: 500,
        ..Entry::default()
    };
    let booked = statement(("E1", 2), (0, 500), &[line(false)]);
    bank.lines_of(&booked).await;
    let announced = statement(("E0", 1), (0, 0), &[line(true), line(true)]);
    let announced = bank.send(&announced).await.expect(201);
    // One was booked, and the other is still to come.
    bank.come_to(&announced, &["superseded", "pending"]).await;
    bank.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_line_is_called_by_has_an_end() {
    let bank = Bank::open().await;
    let long: String = (0..3000)
        .map(|n| char::from(b'A' + (n * n % 26) as u8))
        .collect();
    let line = Entry {
        bank_reference: "BANKREF",
        ..credit(100, "KASSE")
    };
    let file = statement(("STATEMENT", 1), (0, 100), &[line]);
    for name in ["KASSE", "BANKREF", "STATEMENT", "NL13TEST0123456789"] {
        let refused = bank.send(&file.replace(name, &long)).await;
        refused.problem(422, "statement_not_accepted");
    }
    let stored = "SELECT count(*) AS n FROM bank_statements";
    assert_eq!(bank.app.database.numbers(stored), [0]);
    bank.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn which_line_a_reversal_takes_back_is_never_guessed() {
    let bank = Bank::open().await;
    let (one, two) = (bank.first.1.clone(), bank.second.clone());
    let paid = |bank_reference: &'static str| Entry {
        bank_reference,
        ..credit(35_100, &one)
    };
    let both = statement(("T1", 1), (0, 70_200), &[paid("T1"), paid("T2")]);
    let lines = bank.lines_of(&both).await;
    assert_eq!(states(&lines), ["matched", "open"]);
    let placing = serde_json::json!([{ "invoice_id": two.0, "amount": super::euro("351.00") }]);
    let elsewhere = serde_json::json!({ "allocations": placing });
    bank.post(&lines[1], "match", elsewhere).await.expect(200);
    let back = |bank_reference: &'static str| Entry {
        is_reversal: true,
        ..paid(bank_reference)
    };
    let out = Entry {
        cents: -35_100,
        ..back("T3")
    };
    let waits = bank
        .lines_of(&statement(
            ("T2", 2),
            (70_200, 35_100),
            std::slice::from_ref(&out),
        ))
        .await;
    assert_eq!(
        states(&waits),
        ["open"],
        "two lines are such as it takes back"
    );
    assert_eq!(bank.open_cents(), [0, 100, 0]);
    // Once one of them is no payment any more, the other is the one.
    bank.unmatch(&lines[1]).await.expect(200);
    let dismissal = serde_json::json!({ "reason": "Paid back by hand." });
    bank.post(&lines[1], "dismissal", dismissal)
        .await
        .expect(200);
    let again = Entry {
        bank_reference: "T4",
        ..out
    };
    let taken = bank
        .lines_of(&statement(("T3", 3), (35_100, 0), &[again]))
        .await;
    assert_eq!(states(&taken), ["reversed"]);
    assert_eq!(bank.open_cents(), [35_100, 35_200, 0]);
    let line = bank.app.get(&path_of(&lines[0]), &bank.finance).await;
    assert_eq!(line.expect(200).body["state"], "reversed");
    bank.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reversals_are_turned_round_over_all_pages_and_found_before_what_they_take_back() {
    let bank = Bank::open().await;
    let one = bank.first.1.clone();
    let back = Entry {
        is_reversal: true,
        bank_reference: "V2",
        ..credit(35_100, &one)
    };
    let of = |entry: &Entry| statement(("V1", 1), (0, 0), std::slice::from_ref(entry));
    let first = page(&of(&credit(35_100, &one)), (1, false));
    let second = page(&of(&back), (2, true));
    let first = bank.send(&first).await.expect(201);
    let second = bank.send(&second).await.expect(201);
    assert_eq!(counts(&second).0, "booked");
    for sent in [&first, &second] {
        bank.come_to(sent, &["reversed"]).await;
    }
    assert_eq!(bank.open_cents(), [35_100, 35_200, 0]);
    let out = Entry {
        cents: -35_100,
        bank_reference: "V3",
        ..back
    };
    let paid = Entry {
        bank_reference: "V4",
        ..credit(35_100, &one)
    };
    let fees = (0..40).map(|_| credit(1, "Rente"));
    let newest_first: Vec<Entry> = [out, paid].into_iter().chain(fees).collect();
    let lines = bank
        .lines_of(&statement(("V9", 2), (0, 40), &newest_first))
        .await;
    assert_eq!(states(&lines)[..2], ["reversed", "reversed"]);
    bank.close().await;
}
