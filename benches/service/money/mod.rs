//! Money: a statement of the bank from its POST until all of it is matched, issuing invoices, their documents, the check of the books, and reading points beside an
//! import. Each figure is a ratio to something else in the same run.

mod bare;
mod documents;
mod issuing;
mod ledger;

use std::time::{Duration, Instant};

use crate::child::{Child, Folder};
use crate::{fill, median, number, open_invoices, sign_in};
use bare::Bare;

/// How many accounts the invoices are spread over.
pub const ACCOUNTS: u64 = 1000;

/// All of it: what is on PostgreSQL first, then reads on SQLite.
pub async fn measure(folder: &Folder) {
    println!("\nmoney on PostgreSQL");
    statement(folder).await;
    memory(folder).await;
    issuing::measure(folder).await;
    documents::measure(&folder.postgres);
    ledger::measure(folder);
    println!("\nmoney on SQLite");
    beside(folder).await;
}

/// How many lines a statement has here.
fn most() -> usize {
    usize::try_from(number("BENCH_LINES", 10_000)).unwrap()
}

/// Whose the `n`-th invoice is.
fn account(n: usize) -> String {
    let n = u64::try_from(n).unwrap() % ACCOUNTS + 1;
    format!("'00000000-0000-7000-9000-{n:012x}'")
}

/// A camt.053 file whose lines pay the invoices from `first` on, each with a payer of its own.
pub fn file(first: usize, count: usize) -> String {
    let cents = open_invoices::CENTS;
    let decimal = |cents: i64| format!("{}.{:02}", cents / 100, cents % 100);
    let entry = |n: usize| {
        format!(
            "<Ntry><Amt Ccy=\"EUR\">{}</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>BOOK</Sts><BookgDt><Dt>2026-12-22</Dt></BookgDt><ValDt><Dt>2026-12-22</Dt></ValDt>\
            <AcctSvcrRef>B{n:012}</AcctSvcrRef><NtryDtls><TxDtls><Refs><EndToEndId>NOTPROVIDED</EndToEndId></Refs><RltdPties><Dbtr><Nm>Bench {n}</Nm></Dbtr>\
            <DbtrAcct><Id><IBAN>DK5000400440116243</IBAN></Id></DbtrAcct></RltdPties><RmtInf><Strd><CdtrRefInf><Ref>{}</Ref></CdtrRefInf></Strd></RmtInf>\
            </TxDtls></NtryDtls></Ntry>\n",
            decimal(cents),
            open_invoices::reference(n),
        )
    };
    let entries: String = (first..first + count).map(entry).collect();
    let balance = |kind: &str, cents: i64| {
        format!(
            "<Bal><Tp><CdOrPrtry><Cd>{kind}</Cd></CdOrPrtry></Tp><Amt Ccy=\"EUR\">{}</Amt><CdtDbtInd>CRDT</CdtDbtInd></Bal>",
            decimal(cents)
        )
    };
    let sum = cents * i64::try_from(count).unwrap();
    format!(
        "<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:camt.053.001.02\"><BkToCstmrStmt><GrpHdr><MsgId>M{first}</MsgId></GrpHdr><Stmt><Id>S{first}</Id>\
        <ElctrncSeqNb>{first}</ElctrncSeqNb><Acct><Id><IBAN>NL13TEST0123456789</IBAN></Id><Ccy>EUR</Ccy></Acct>{}{}{entries}</Stmt></BkToCstmrStmt></Document>",
        balance("OPBD", 0),
        balance("CLBD", sum),
    )
}

/// Has a file taken in and matched; how long that took in all.
async fn work_through(service: &Child, bare: &mut Bare, first: usize, count: usize) -> Duration {
    let (token, xml) = (
        sign_in(service, "finance@cps.example").await,
        file(first, count),
    );
    let headers = format!(
        "Authorization: {token}\r\nContent-Type: application/xml\r\nIdempotency-Key: bench-{first}\r\n"
    );
    let paid = bare.payments();
    let begun = Instant::now();
    let sent = service
        .send("POST", "/v1/bank-statements", &headers, &xml)
        .await;
    sent.expect("a statement that is taken in");
    while bare.is_matching() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let taken = begun.elapsed();
    assert_eq!(bare.payments(), paid + count);
    taken
}

/// Lines a second, sent and matched, to reading the same file with bare quick-xml and leaving the same rows by a COPY and one statement a table; they take turns.
async fn statement(folder: &Folder) {
    let mut bare = Bare::open(&folder.postgres);
    let mut service = folder.service(&folder.postgres);
    service.ready().await;
    let (mut ours, mut least, count) = (Vec::new(), Vec::new(), most());
    for round in 0..usize::try_from(number("BENCH_ROUNDS", 3)).unwrap() {
        let first = 2 * round * count + 1;
        bare.owe(first..=first + 2 * count - 1, account);
        let taken = work_through(&service, &mut bare, first, count).await;
        ours.push(taken.as_secs_f64());
        bare.settle();
        let xml = file(first + count, count);
        let begun = Instant::now();
        bare.write(first + count, &xml);
        least.push(begun.elapsed().as_secs_f64());
        bare.settle();
    }
    let per_second = |taken: Vec<f64>| f64::from(u32::try_from(count).unwrap()) / median(taken);
    let (ours, least) = (per_second(ours), per_second(least));
    println!(
        "  a statement of {count} lines: {ours:.0} lines/s, the bare statements {least:.0}: {:.2}",
        ours / least
    );
}

/// The most that a fresh service has resident after a statement.
async fn memory(folder: &Folder) {
    let mut bare = Bare::open(&folder.postgres);
    for part in [10, 2, 1] {
        let (first, count) = (bare.owed() + 1, most() / part);
        bare.owe(first..=first + count - 1, account);
        let mut service = folder.service(&folder.postgres);
        service.ready().await;
        let before = service.peak_mib();
        work_through(&service, &mut bare, first, count).await;
        println!(
            "  {count} lines: {:.1} MiB resident at most, {before:.1} before",
            service.peak_mib()
        );
        bare.settle();
    }
}

/// How long each read of the points of an account takes in milliseconds, until `until` says so.
async fn read_until(service: &Child, mut until: impl FnMut() -> bool) -> Vec<f64> {
    let token = sign_in(service, "admin@cps.example").await;
    let (mut taken, mut n) = (Vec::new(), 0);
    while !until() {
        n = n % ACCOUNTS + 1;
        let path = format!("/v1/accounts/acc_0000000000007000900000000000{n:04x}/points");
        let begun = Instant::now();
        service.ask("GET", &path, &token, "").await;
        taken.push(begun.elapsed().as_secs_f64() * 1000.0);
    }
    taken.sort_by(f64::total_cmp);
    taken
}

/// Reads of points on SQLite alone, and beside a statement that is imported and matched.
async fn beside(folder: &Folder) {
    let mut bare = Bare::open(&folder.sqlite);
    let mut service = folder.service(&folder.sqlite);
    service.ready().await;
    bare.owe(1..=most(), account);
    let seconds = Duration::from_secs(number("BENCH_SECONDS", 3) * 3);
    let begun = Instant::now();
    let alone = read_until(&service, || begun.elapsed() > seconds).await;
    let is_over = std::cell::Cell::new(false);
    let work = async {
        work_through(&service, &mut bare, 1, most()).await;
        is_over.set(true);
    };
    let (beside, ()) = tokio::join!(read_until(&service, || is_over.get()), work);
    let p99 = |taken: &[f64]| taken[taken.len() * 99 / 100];
    println!(
        "  reading points, p99: {:.2} ms alone, {:.2} ms beside {} lines: {:.2} ({} reads)",
        p99(&alone),
        p99(&beside),
        most(),
        p99(&beside) / p99(&alone),
        beside.len()
    );
}

/// A database with the accounts that are owed by.
pub async fn filled(folder: &Folder, url: &str) {
    let mut service = folder.service(url);
    service.ready().await;
    drop(service);
    fill::fill(url, ACCOUNTS, 10);
}
