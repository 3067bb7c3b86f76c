//! Statements as banks write them, and files that are none.

use serde_json::{Value, json};

use super::{Bank, counts, send, states};

/// The bytes of a sample with our references in it, told apart from the other samples by what its bank numbers.
fn sample(bank: &Bank, name: &str) -> Vec<u8> {
    let path = format!(
        "{}/tests/vectors/camt/{name}.xml",
        env!("CARGO_MANIFEST_DIR")
    );
    let number = match &name[..2] {
        "28" => "27",
        number => number,
    };
    let spaced = cps_api::domain::invoice::grouped(&bank.first.1).to_lowercase();
    let changes = [
        ("RF422026000001", bank.first.1.clone()),
        ("rf42 2026 0000 01", spaced),
        ("RF152026000002", bank.second.1.clone()),
        ("2026-356", format!("2026-356-{number}")),
        ("2026122200001", format!("20261222{number}")),
    ];
    let bytes = std::fs::read(path).unwrap();
    changes.iter().fold(bytes, |bytes, (from, to)| {
        replaced(&bytes, from.as_bytes(), to.as_bytes())
    })
}

fn replaced(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let (mut left, mut all) = (bytes, Vec::new());
    while let Some(at) = left.windows(from.len()).position(|piece| piece == from) {
        all.extend_from_slice(&left[..at]);
        all.extend_from_slice(to);
        left = &left[at + from.len()..];
    }
    all.extend_from_slice(left);
    all
}

/// Takes matches back and puts the lines aside, so that the next sample finds the invoices open.
async fn clear(bank: &Bank, lines: &[Value]) {
    for line in lines.iter().filter(|line| line["state"] != "reversed") {
        if line["state"] == "matched" {
            bank.unmatch(line).await.expect(200);
        }
        if line["state"] != "pending" {
            let reason = json!({ "reason": "a sample" });
            bank.post(line, "dismissal", reason).await.expect(200);
        }
    }
    assert_eq!(bank.open_cents(), [35100, 35200, 0]);
}

/// What each line must be: its cents, and whether it was booked by itself.
fn expected(of: &Value) -> Vec<(i64, bool)> {
    let lines = of["lines"].as_array().unwrap().iter();
    lines
        .map(|line| (line["amount"].as_i64().unwrap(), line["book"] == true))
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn statements_as_banks_write_them_are_read_to_the_cent_and_booked_where_they_fit() {
    let bank = Bank::open().await;
    let all: Value =
        serde_json::from_str(include_str!("../../vectors/camt/expected.json")).unwrap();
    let mut page_of_two = None;
    for (name, of) in all.as_object().unwrap() {
        if of["accept"] == false {
            continue;
        }
        let sent = send(
            &bank.app,
            &bank.finance,
            ("application/xml", ""),
            sample(&bank, name),
        )
        .await;
        let sent = sent.expect(201);
        let lines = bank.matched(&sent).await;
        let cents = |line: &Value| {
            let amount = line["amount"]["amount"].as_str().unwrap().replace('.', "");
            amount.parse::<i64>().unwrap()
        };
        let read: Vec<(i64, bool)> = lines
            .iter()
            .map(|line| {
                let was_booked = ["matched", "reversed"].contains(&line["state"].as_str().unwrap());
                (cents(line), was_booked)
            })
            .collect();
        let wanted = expected(of);
        match name.as_str() {
            // Booked once the other page is there.
            "27-page-1-of-2" => {
                assert_eq!(counts(&sent).0, "incomplete");
                assert_eq!(read, [(35100, false)]);
                page_of_two = Some(sent);
                continue;
            }
            // The line of an invoice in kroner, which a seller in euro has not.
            "47-danish-fik" => assert_eq!(read, [(35100, false)]),
            // The reversal takes the line before it back.
            "17-reversal-standard" => assert_eq!(states(&lines), ["reversed", "reversed"]),
            "42-not-balanced" => {
                assert_eq!(counts(&sent).0, "held");
                assert_eq!(sent.str("/statements/0/why"), "balances_differ");
                assert_eq!(read, wanted, "{name}");
            }
            _ => assert_eq!(read, wanted, "{name}: {lines:#?}"),
        }
        let mut lines = lines;
        if let Some(first) = page_of_two.take() {
            assert_eq!(counts(&sent).0, "booked");
            lines.extend(bank.booked(&first).await);
        }
        clear(&bank, &lines).await;
    }
    bank.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_bank_statement_is_refused_by_name_and_leaves_nothing() {
    let bank = Bank::open().await;
    let sample = |name: &str| sample(&bank, name);
    let plain = sample("01-plain-02-structured");
    let with = |from: &str, to: &str| replaced(&plain, from.as_bytes(), to.as_bytes());
    let deep = format!("<Purp>{}</Purp>", "<a>".repeat(50));
    let files = [
        ("doctype", sample("h1-xxe-file")),
        ("doctype", sample("h3-billion-laughs")),
        ("html", sample("h8-html-login-page")),
        ("empty", Vec::new()),
        ("archive", b"PK\x03\x04 a zip".to_vec()),
        ("broken", plain[..plain.len() - 40].to_vec()),
        ("character", with("MSG-1", "MSG\0")),
        (
            "encoding",
            with("MSG-1", "MSG\u{e9}")
                .iter()
                .map(|b| if *b == 0xc3 { 0xff } else { *b })
                .collect(),
        ),
        ("namespace", with("camt.053.001.02", "camt.052.001.02")),
        ("entity", with("MSG-1", "&own;")),
        (
            "amount",
            with(
                ">351.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>",
                ">351,00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>",
            ),
        ),
        (
            "amount",
            with(
                ">351.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>",
                ">-351.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>",
            ),
        ),
        (
            "amount",
            with(
                ">351.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>",
                ">3.5e2</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>",
            ),
        ),
        ("too_deep", with("<Stmt>", &deep)),
        (
            "xinclude",
            with(
                "<GrpHdr>",
                "<x:include xmlns:x=\"http://www.w3.org/2001/XInclude\" href=\"file:///etc/passwd\"/><GrpHdr>",
            ),
        ),
    ];
    let english = |why: &str| {
        cps_api::texts::word(
            "statement_faults",
            why,
            cps_api::domain::language::Language::En,
        )
        .unwrap()
    };
    for (why, bytes) in files {
        let refused = send(&bank.app, &bank.finance, ("application/xml", ""), bytes).await;
        let refused = refused.problem(422, "statement_not_accepted");
        let detail = refused.str("/detail");
        assert!(detail.contains(&english(why)), "{why}: {detail}");
        assert!(
            refused.faults()[0].0.starts_with("#/line/"),
            "{}",
            refused.text
        );
    }
    let csv = b"account;booking_date;amount;currency;balance\nNL13TEST0123456789;2026-12-22;351,00;EUR;1351.00\n";
    let refused = send(&bank.app, &bank.finance, ("text/csv", ""), csv.to_vec()).await;
    let refused = refused.problem(422, "statement_not_accepted");
    assert_eq!(
        refused.faults(),
        [("#/line/2/amount".to_owned(), "format".to_owned())]
    );
    let other = send(
        &bank.app,
        &bank.finance,
        ("application/json", ""),
        b"{}".to_vec(),
    )
    .await;
    other.problem(415, "unsupported_media_type");
    let large = vec![b' '; 16 * 1024 * 1024 + 1];
    let large = send(&bank.app, &bank.finance, ("application/xml", ""), large).await;
    large.problem(413, "body_too_large");
    let listed = bank.app.get("/v1/bank-statements", &bank.finance).await;
    assert_eq!(listed.expect(200).body["items"], json!([]));
    assert_eq!(
        bank.app
            .database
            .numbers("SELECT count(*) AS n FROM bank_transactions"),
        [0]
    );
    bank.close().await;
}
