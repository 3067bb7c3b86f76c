//! Bank statements: taken in as banks write them, matched with invoices, and worked at by finance.

mod importing;
mod keys;
mod killed;
mod mails;
mod outside;
mod overlapping;
mod raced;
mod refunds;
mod samples;
mod work_list;

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::membership::{ACCOUNT, EMAIL, bring_points_to, by_transfer, join};
use crate::support::{Answer, Database, Sending, TestApp, Token};

/// The seeded member, and its invoice.
const JONAS: &str = "acc_00000000000070008000000000000002";
const JONAS_INVOICE: &str = "inv_00000000000070008000000000000002";

/// Sends bytes as a statement, with a key of their own.
async fn send(
    app: &TestApp,
    token: &Token,
    (media, query): (&str, &str),
    bytes: Vec<u8>,
) -> Answer {
    app.request(Method::POST, &format!("/v1/bank-statements{query}"))
        .sent_by(token)
        .header("idempotency-key", uuid::Uuid::new_v4().to_string())
        .header("content-type", media)
        .body(bytes)
        .answer()
        .await
}

/// Sends a camt.053 file.
pub async fn send_statement(app: &TestApp, token: &Token, xml: &str) -> Answer {
    send(app, token, ("application/xml", ""), xml.as_bytes().to_vec()).await
}

/// The lines of a statement, once each of them is decided on or left with what is known of it.
pub async fn waiting_lines(app: &TestApp, token: &Token, statement: &str) -> Vec<Value> {
    let path = format!("/v1/bank-transactions?limit=100&statement_id={statement}");
    let is_open = |line: &&Value| line["state"] == "open";
    let is_left = |line: &Value| !line["evidence"].as_array().unwrap().is_empty();
    for _ in 0..600 {
        let page = app.get(&path, token).await.expect(200);
        let lines = page.body["items"].as_array().unwrap().clone();
        if lines.iter().filter(is_open).all(is_left) {
            return lines;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the lines of {statement} are not matched");
}

/// One entry of a statement.
#[derive(Clone, Default)]
struct Entry {
    cents: i64,
    text: &'static str,
    reference: String,
    end_to_end: String,
    bank_reference: &'static str,
    is_reversal: bool,
    is_pending: bool,
    currency: Option<&'static str>,
    /// Instead of its cents.
    written: Option<&'static str>,
}

/// Money that comes in with a reference.
fn credit(cents: i64, reference: &str) -> Entry {
    Entry {
        cents,
        reference: reference.to_owned(),
        ..Entry::default()
    }
}

fn decimal(cents: i64) -> String {
    format!("{}.{:02}", cents.abs() / 100, cents.abs() % 100)
}

fn entry_xml(entry: &Entry) -> String {
    let direction = if entry.cents < 0 { "DBIT" } else { "CRDT" };
    let amount = entry
        .written
        .map_or_else(|| decimal(entry.cents), str::to_owned);
    let currency = entry.currency.unwrap_or("EUR");
    let status = if entry.is_pending { "PDNG" } else { "BOOK" };
    let reversal = if entry.is_reversal {
        "<RvslInd>true</RvslInd>"
    } else {
        ""
    };
    let element = |name: &str, text: &str| match text {
        "" => String::new(),
        text => format!("<{name}>{text}</{name}>"),
    };
    let strd = match entry.reference.as_str() {
        "" => String::new(),
        reference => format!("<Strd><CdtrRefInf><Ref>{reference}</Ref></CdtrRefInf></Strd>"),
    };
    format!(
        "<Ntry><Amt Ccy=\"{currency}\">{amount}</Amt><CdtDbtInd>{direction}</CdtDbtInd>{reversal}<Sts>{status}</Sts>\
        <BookgDt><Dt>2026-12-22</Dt></BookgDt>{}<NtryDtls><TxDtls><Refs>{}</Refs><RmtInf>{}{strd}</RmtInf></TxDtls></NtryDtls></Ntry>",
        element("AcctSvcrRef", entry.bank_reference),
        element("EndToEndId", &entry.end_to_end),
        element("Ustrd", entry.text),
    )
}

/// A statement with these balances, in cents.
fn statement(
    (id, sequence): (&str, u32),
    (opening, closing): (i64, i64),
    entries: &[Entry],
) -> String {
    let balance = |kind: &str, cents: i64| {
        let direction = if cents < 0 { "DBIT" } else { "CRDT" };
        format!(
            "<Bal><Tp><CdOrPrtry><Cd>{kind}</Cd></CdOrPrtry></Tp><Amt Ccy=\"EUR\">{}</Amt><CdtDbtInd>{direction}</CdtDbtInd></Bal>",
            decimal(cents)
        )
    };
    let entries: String = entries.iter().map(entry_xml).collect();
    format!(
        "<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:camt.053.001.02\"><BkToCstmrStmt><GrpHdr><MsgId>{id}</MsgId></GrpHdr><Stmt><Id>{id}</Id>\
        <ElctrncSeqNb>{sequence}</ElctrncSeqNb><Acct><Id><IBAN>NL13TEST0123456789</IBAN></Id><Ccy>EUR</Ccy></Acct>{}{}{entries}</Stmt></BkToCstmrStmt></Document>",
        balance("OPBD", opening),
        balance("CLBD", closing),
    )
}

/// A sandbox with two open invoices, of 351.00 and of 352.00, and finance signed in.
struct Bank {
    app: TestApp,
    finance: Token,
    /// The ids, each with its reference.
    first: (String, String),
    second: (String, String),
}

impl Bank {
    async fn open() -> Self {
        Self::open_with("tolerance = \"0.00\"").await
    }

    /// The same with another tolerance.
    async fn open_with(tolerance: &str) -> Self {
        let database = Database::create();
        let programme = include_str!("../../../programme.toml")
            .replace("fee = \"350.00\"", "fee = \"351.00\"")
            .replace("fee = \"200.00\"", "fee = \"352.00\"")
            .replace("tolerance = \"0.00\"", tolerance);
        let programme = database.file("bank.toml", &programme);
        let app = TestApp::on(database, &[("CPS_PROGRAMME", &programme)]).await;
        let token = app.sign_in(EMAIL).await;
        bring_points_to(&app, ACCOUNT, 1600).await;
        join(&app, ACCOUNT, &token, by_transfer("platinum"))
            .await
            .expect(201);
        let first = invoice_of(&app, ACCOUNT, &token).await;
        let jonas = app.sign_in("jonas@lysogskygge.example").await;
        let second = invoice_of(&app, &format!("/v1/accounts/{JONAS}"), &jonas).await;
        assert_eq!(second.0, JONAS_INVOICE);
        let finance = app.sign_in("finance@cps.example").await;
        Self {
            app,
            finance,
            first,
            second,
        }
    }

    async fn send(&self, xml: &str) -> Answer {
        send_statement(&self.app, &self.finance, xml).await
    }

    /// The lines of a file of one statement that is taken in, once they are matched.
    async fn lines_of(&self, xml: &str) -> Vec<Value> {
        let sent = self.send(xml).await.expect(201);
        self.matched(&sent).await
    }

    async fn matched(&self, sent: &Answer) -> Vec<Value> {
        let statement = sent.str("/statements/0/id");
        waiting_lines(&self.app, &self.finance, &statement).await
    }

    /// The lines of a statement that was left for its other pages, once they are matched.
    async fn booked(&self, sent: &Answer) -> Vec<Value> {
        let are_matched = |states: &[&str]| states.iter().all(|state| *state == "matched");
        self.lines_when(sent, are_matched).await
    }

    /// Waits until the lines of a statement are in these states.
    async fn come_to(&self, sent: &Answer, wanted: &[&str]) {
        self.lines_when(sent, |states| states == wanted).await;
    }

    async fn lines_when(&self, sent: &Answer, are_so: impl Fn(&[&str]) -> bool) -> Vec<Value> {
        let mut last = Vec::new();
        for _ in 0..400 {
            last = self.matched(sent).await;
            if are_so(&states(&last)) {
                return last;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("these stay as they are: {last:#?}");
    }

    /// What both invoices have open, in cents, and all that is open of payments.
    fn open_cents(&self) -> [i64; 3] {
        let sum = |query: &str| self.app.database.numbers(query)[0];
        let of = |reference: &str| {
            sum(&format!(
                "SELECT open_cents AS n FROM invoices WHERE payment_reference = '{reference}'"
            ))
        };
        let free = "SELECT CAST(COALESCE(SUM(open_cents), 0) AS BIGINT) AS n FROM payments WHERE taken_back_at IS NULL";
        [of(&self.first.1), of(&self.second.1), sum(free)]
    }

    async fn post(&self, line: &Value, what: &str, body: Value) -> Answer {
        let path = format!("{}/{what}", path_of(line));
        self.app.post_once(&path, &self.finance, body).await
    }

    async fn unmatch(&self, line: &Value) -> Answer {
        let path = format!("{}/match?reason=Et%20andet%20sted", path_of(line));
        self.app.delete(&path, &self.finance, 1).await
    }

    /// Every sum of money is right at the end.
    async fn close(self) {
        let verified = self.app.stop().await.command(&["verify-ledger"]);
        assert!(
            verified.contains("Every sum of money is right"),
            "{verified}"
        );
    }
}

fn path_of(line: &Value) -> String {
    format!("/v1/bank-transactions/{}", line["id"].as_str().unwrap())
}

/// The only invoice of an account with its reference; waits a little for the job that issues it.
async fn invoice_of(app: &TestApp, account: &str, token: &Token) -> (String, String) {
    let path = format!("{account}/invoices");
    for _ in 0..200 {
        let page = app.get(&path, token).await.expect(200);
        if let Some(invoice) = page.body["items"].as_array().unwrap().first() {
            let text = |name: &str| invoice[name].as_str().unwrap().to_owned();
            return (text("id"), text("payment_reference"));
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("no invoice of {account}");
}

fn euro(amount: &str) -> Value {
    json!({ "amount": amount, "currency": "EUR" })
}

fn states(lines: &[Value]) -> Vec<&str> {
    lines
        .iter()
        .map(|line| line["state"].as_str().unwrap())
        .collect()
}

fn evidence(line: &Value) -> Vec<&str> {
    let all = line["evidence"].as_array().unwrap().iter();
    all.map(|one| one["code"].as_str().unwrap()).collect()
}

/// State, and how many lines are new, were seen before and are pending, of the first statement of an answer.
fn counts(sent: &Answer) -> (String, [i64; 3]) {
    let count = |name: &str| sent.body["statements"][0][name].as_i64().unwrap();
    let lines = [
        count("lines_new"),
        count("lines_seen"),
        count("lines_pending"),
    ];
    (sent.str("/statements/0/state"), lines)
}
