//! The same money said twice, in other files and other orders: no line is lost, none is doubled.

use serde_json::json;

use super::{Bank, Entry, counts, credit, evidence, send, statement, states};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_seen_is_not_taken_again_and_what_is_new_is() {
    let bank = Bank::open().await;
    let (one, two) = (bank.first.1.clone(), bank.second.1.clone());
    let daily = statement(("D1", 1), (0, 35100), &[credit(35100, &one)]);
    let first = bank.send(&daily).await.expect(201);
    assert_eq!(counts(&first), ("booked".to_owned(), [1, 0, 0]));
    // The very same file.
    let again = bank.send(&daily).await.expect(200);
    assert_eq!(again.body, first.body);
    // The same statement in another file.
    let other_file = daily.replace("<GrpHdr>", "<GrpHdr> ");
    let again = bank.send(&other_file).await.expect(201);
    assert_eq!(counts(&again), ("booked".to_owned(), [0, 1, 0]));
    assert_eq!(again.str("/statements/0/id"), first.str("/statements/0/id"));
    // Goes on where the first ended: its equal payment is another one.
    let next = statement(("D2", 2), (35100, 70200), &[credit(35100, &one)]);
    let next = bank.send(&next).await.expect(201);
    assert_eq!(counts(&next), ("booked".to_owned(), [1, 0, 0]));
    // Both days again in one statement, with one more line.
    let both = [
        credit(35100, &one),
        credit(35100, &one),
        credit(35200, &two),
    ];
    let weekly = statement(("W1", 1), (0, 105400), &both);
    let dry = send(
        &bank.app,
        &bank.finance,
        ("application/xml", "?dry_run=true"),
        weekly.clone().into(),
    )
    .await;
    assert_eq!(counts(&dry.expect(200)), ("booked".to_owned(), [1, 2, 0]));
    let weekly = bank.send(&weekly).await.expect(201);
    assert_eq!(counts(&weekly), ("booked".to_owned(), [1, 2, 0]));
    assert_eq!(states(&bank.matched(&weekly).await), ["matched"]);
    assert_eq!(states(&bank.matched(&first).await), ["matched"]);
    let over = bank.matched(&next).await;
    assert_eq!(evidence(&over[0]), ["reference_exact", "invoice_paid"]);
    assert_eq!(bank.open_cents(), [0, 0, 0]);
    // Two equal payments in one day.
    let twice = statement(("D9", 9), (0, 200), &[credit(100, "X"), credit(100, "X")]);
    assert_eq!(counts(&bank.send(&twice).await.expect(201)).1, [2, 0, 0]);
    let own_account = twice.replace("NL13TEST0123456789", "NL02ABNA0123456789");
    let foreign = bank.send(&own_account).await.expect(201);
    assert_eq!(counts(&foreign).0, "foreign");
    let lines = bank.matched(&foreign).await;
    assert!(evidence(&lines[0]).contains(&"not_our_account"));
    bank.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_come_in_either_order_and_a_broken_statement_is_taken_up_again() {
    let bank = Bank::open().await;
    let page = |name: &str| {
        let path = format!(
            "{}/tests/vectors/camt/{name}.xml",
            env!("CARGO_MANIFEST_DIR")
        );
        let text = std::fs::read_to_string(path).unwrap();
        text.replace("RF422026000001", &bank.first.1)
            .replace("RF152026000002", &bank.second.1)
    };
    let second = bank.send(&page("28-page-2-of-2")).await.expect(201);
    assert_eq!(counts(&second).0, "incomplete");
    let first = bank.send(&page("27-page-1-of-2")).await.expect(201);
    assert_eq!(counts(&first).0, "booked");
    assert_eq!(states(&bank.matched(&first).await), ["matched"]);
    bank.booked(&second).await;
    assert_eq!(bank.open_cents(), [0, 0, 0]);
    // An instance that was killed on the way leaves a statement that is receiving, with some of its lines.
    let many: Vec<Entry> = (0..1200).map(|_| credit(100, "Kasse")).collect();
    let long = statement(("L1", 50), (0, 120_000), &many);
    let whole = bank.send(&long).await.expect(201);
    let id = whole.str("/statements/0/id");
    bank.app.database.execute(
        "UPDATE bank_statements SET state = 'receiving' WHERE statement_ref = 'L1';
         DELETE FROM bank_transactions WHERE position >= 700 AND statement_id IN (SELECT id FROM bank_statements WHERE statement_ref = 'L1')",
    );
    let again = bank.send(&long).await.expect(201);
    assert_eq!(again.str("/statements/0/id"), id);
    let stored = "SELECT count(*) AS n FROM bank_transactions WHERE reference = 'Kasse'";
    assert_eq!(bank.app.database.numbers(stored), [1200]);
    // One that never comes whole is forgotten.
    bank.app
        .database
        .execute("UPDATE bank_statements SET state = 'receiving' WHERE statement_ref = 'L1'");
    bank.app.advance(chrono::TimeDelta::hours(2)).await;
    assert_eq!(bank.app.database.numbers(stored), [0]);
    bank.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn balances_hold_turn_round_and_release() {
    let bank = Bank::open().await;
    let one = bank.first.1.clone();
    let back = Entry {
        is_reversal: true,
        ..credit(35100, &one)
    };
    // As some banks write it: the reversal as if money came again.
    let wrong_sign = statement(("R1", 1), (0, 0), &[credit(35100, &one), back]);
    let turned = bank.send(&wrong_sign).await.expect(201);
    assert_eq!(counts(&turned).0, "booked");
    assert_eq!(
        states(&bank.matched(&turned).await),
        ["reversed", "reversed"]
    );
    assert_eq!(bank.open_cents(), [35100, 35200, 0]);
    let path = format!("/v1/bank-statements/{}", turned.str("/statements/0/id"));
    let read = bank.app.get(&path, &bank.finance).await.expect(200);
    assert_eq!(read.body["reversals_inverted"], true);
    // Does not add up.
    let held = statement(("H1", 2), (0, 99), &[credit(35100, &one)]);
    let held = bank.send(&held).await.expect(201);
    assert_eq!(counts(&held).0, "held");
    let lines = bank.matched(&held).await;
    assert_eq!(
        evidence(&lines[0]),
        ["statement_held", "reference_exact", "amount_exact"]
    );
    let path = format!("/v1/bank-statements/{}", held.str("/statements/0/id"));
    let release = format!("{path}/release");
    let reason = json!({ "reason": "The bank says so." });
    let released = bank.app.post_once(&release, &bank.finance, reason.clone());
    let released = released.await;
    let released = released.expect(200);
    assert_eq!(
        (released.str("/state"), released.str("/why")),
        ("booked".to_owned(), "released".to_owned())
    );
    let again = bank.app.post_once(&release, &bank.finance, reason).await;
    again.problem(409, "statement_not_held");
    for _ in 0..200 {
        if bank.open_cents()[0] == 0 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert_eq!(bank.open_cents(), [0, 35200, 0]);
    // A later statement takes the payment back: the invoice is owed again.
    let back = Entry {
        is_reversal: true,
        bank_reference: "R2",
        ..credit(-35100, &one)
    };
    let later = statement(("R2", 3), (35100, 0), &[back]);
    assert_eq!(states(&bank.lines_of(&later).await), ["reversed"]);
    assert_eq!(bank.open_cents(), [35100, 35200, 0]);
    let refunds = "SELECT amount_cents AS n FROM refunds WHERE kind = 'bank_reversal' AND state = 'succeeded' ORDER BY id";
    assert_eq!(bank.app.database.numbers(refunds), [35100, 35100]);
    bank.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_of_a_spreadsheet_the_lever_and_the_command_go_the_same_way() {
    let bank = Bank::open().await;
    let csv = format!(
        "account;booking_date;amount;currency;balance;text;payer_name\nNL13 TEST 0123456789;2026-12-22;351.00;EUR;1351.00;{};Foto Ærø ApS\nNL13TEST0123456789;2026-12-22;-50.00;EUR;1301.00;Gebyr;\n",
        bank.first.1
    );
    let sent = send(
        &bank.app,
        &bank.finance,
        ("text/csv", ""),
        csv.clone().into_bytes(),
    )
    .await;
    let sent = sent.expect(201);
    assert_eq!(counts(&sent), ("booked".to_owned(), [2, 0, 0]));
    assert_eq!(states(&bank.matched(&sent).await), ["matched", "open"]);
    let torn = csv
        .replace("1301.00", "1300.00")
        .replace("2026-12-22", "2026-12-23");
    let torn = send(
        &bank.app,
        &bank.finance,
        ("text/csv", ""),
        torn.into_bytes(),
    )
    .await;
    assert_eq!(counts(&torn.expect(201)).0, "held");
    // Announced first, booked then.
    let transfer = |status: &str, times: u32| json!({ "reference": bank.second.1, "amount": "352.00", "status": status, "times": times });
    let lever = "/v1/sandbox/bank-transfers";
    let announced = bank
        .app
        .post(lever, &bank.finance, transfer("pending", 1))
        .await;
    let announced = announced.expect(201);
    assert_eq!(counts(&announced).1, [1, 0, 1]);
    assert_eq!(states(&bank.matched(&announced).await), ["pending"]);
    let came = bank
        .app
        .post(lever, &bank.finance, transfer("booked", 2))
        .await;
    let came = came.expect(201);
    assert_eq!(states(&bank.matched(&came).await), ["matched", "open"]);
    assert_eq!(bank.open_cents(), [0, 0, 0]);
    // By the command, and what is announced is superseded by its booked line.
    let pending = Entry {
        is_pending: true,
        bank_reference: "B77",
        text: "Kontingent",
        cents: 500,
        ..Entry::default()
    };
    let booked = Entry {
        is_pending: false,
        ..pending.clone()
    };
    let before = bank
        .lines_of(&statement(("P1", 70), (0, 0), &[pending]))
        .await;
    let file = bank
        .app
        .database
        .file("p2.xml", &statement(("P2", 71), (0, 500), &[booked]));
    let Bank {
        app,
        finance,
        first,
        second,
    } = bank;
    let (app, said) = app.after_command(&["import-bank-statement", &file]).await;
    assert!(said.contains("booked: 1 new lines, 0 seen"), "{said}");
    let bank = Bank {
        app,
        finance,
        first,
        second,
    };
    let path = super::path_of(&before[0]);
    for _ in 0..400 {
        let line = bank.app.get(&path, &bank.finance).await.expect(200);
        if line.body["state"] == "superseded" {
            return bank.close().await;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("what was announced is not superseded");
}

/// M8 of the design: one that is missing is told, and nothing of it is wrong.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_statement_that_is_missing_between_two_is_told_and_is_no_fault() {
    let bank = Bank::open().await;
    let entry = |text: &'static str| Entry {
        text,
        ..credit(500, "")
    };
    for (id, sequence, balances, text) in [
        ("G1", 1, (0, 500), "en"),
        ("G4", 4, (2000, 2500), "tre"),
        ("G2", 2, (500, 1000), "to"),
    ] {
        let xml = statement((id, sequence), balances, &[entry(text)]);
        let sent = bank.send(&xml).await.expect(201);
        assert_eq!(counts(&sent).0, "booked");
    }
    let verified = bank.app.stop().await.command(&["verify-ledger"]);
    let is_warning = |line: &&str| line.starts_with("Warning: M8: bst_");
    let warnings: Vec<&str> = verified.lines().filter(is_warning).collect();
    assert_eq!(warnings.len(), 1, "{verified}");
    assert!(warnings[0].contains("opens with 20,") && warnings[0].ends_with("closes with 10"));
    assert!(verified.contains("Every sum of money is right"));
}
