//! Two write operations on one account at once, on PostgreSQL: the second waits where the first does, and neither undoes the other.
//!
//! A fixed sample of the pairs; `CPS_PAIRS=all` runs them all.

mod operations;
mod subject;

use std::time::{Duration, Instant};

use tokio::task::JoinHandle;

use self::operations::{Operation, Operation::*, Stage};
use self::subject::{Staff, Subject};
use crate::holder::Holder;
use crate::support::{Answer, Sending, TestApp};

/// The pairs that write the same row, and some that do not; each in both orders.
const SAMPLE: [(Stage, Operation, Operation); 15] = [
    (Stage::Draft, SendLink, Update),
    (Stage::Draft, SendLink, Submit),
    (Stage::Draft, Update, Upload),
    (Stage::Draft, Submit, RemoveDocument),
    (Stage::Draft, Submit, Withdraw),
    (Stage::Review, SendLink, Approve),
    (Stage::Review, SendLink, Reject),
    (Stage::Review, Approve, Withdraw),
    (Stage::Review, Approve, AskForRevision),
    (Stage::Active, Update, Suspend),
    (Stage::Active, RegisterProduct, Join),
    (Stage::Active, EndProduct, ChangeProduct),
    (Stage::Active, Adjust, Join),
    (Stage::Active, Invite, Suspend),
    (Stage::Active, ImportProducts, RegisterProduct),
];

fn chosen() -> Vec<(Stage, Operation, Operation)> {
    if std::env::var("CPS_PAIRS").is_ok_and(|word| word == "all") {
        let stages = Stage::ALL.into_iter();
        return stages
            .flat_map(|stage| {
                let all = stage.operations();
                let pair = move |first| all.iter().map(move |second| (stage, first, *second));
                all.iter().flat_map(move |first| pair(*first))
            })
            .collect();
    }
    let turned = SAMPLE.map(|(stage, first, second)| (stage, second, first));
    [SAMPLE, turned].concat()
}

/// Waits until so many transactions wait for a lock, or `answer` is there already: not every operation wants the account.
async fn until_waiting(holder: &mut Holder, at_least: i64, answer: &JoinHandle<Answer>) {
    let begun = Instant::now();
    while holder.waiting() < at_least && begun.elapsed() < Duration::from_secs(2) {
        let is_answered = answer.is_finished();
        tokio::time::sleep(Duration::from_millis(if is_answered { 300 } else { 10 })).await;
        if is_answered {
            return;
        }
    }
}

/// What is wrong with a pair, if anything is.
async fn run(
    app: &TestApp,
    staff: &Staff,
    n: usize,
    (stage, first, second): (Stage, Operation, Operation),
) -> Option<String> {
    let subject = Subject::at(app, staff, stage, n).await;
    let mut holder = Holder::of(&app.database, &subject.hold());
    let send = |operation: Operation, nth| {
        let request = operation.request(app, staff, &subject, nth);
        tokio::spawn(async move { request.answer().await })
    };
    let one = send(first, 1);
    until_waiting(&mut holder, 1, &one).await;
    let other = send(second, 2);
    until_waiting(&mut holder, 2, &other).await;
    holder.execute("COMMIT");
    let (one, other) = (one.await.unwrap(), other.await.unwrap());
    let what = format!("{first:?} {}, {second:?} {}", one.status, other.status);
    if one.status >= 300 && other.status >= 300 {
        return Some(format!(
            "{what}: neither happened: {} {}",
            one.text, other.text
        ));
    }
    for (operation, nth, answer) in [(first, 1, one), (second, 2, other)] {
        let is_right = match answer.status {
            200..300 => stands(app, &subject, operation, nth).await,
            status => matches!(status, 400..500 | 503),
        };
        if !is_right {
            return Some(format!("{what}: {operation:?} is lost: {}", answer.text));
        }
    }
    None
}

/// Whether the effect of what was answered is there, or comes: some of it is made by jobs.
async fn stands(app: &TestApp, subject: &Subject, operation: Operation, nth: usize) -> bool {
    let query = operation.effect(subject, nth);
    for _ in 0..100 {
        if app.database.numbers(&query) == [1] {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    false
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_at_once_both_stand_or_one_is_refused() {
    let app = TestApp::start().await;
    if !app.database.is_shared() {
        return;
    }
    let staff = Staff::of(&app).await;
    let mut wrong = Vec::new();
    for (n, pair) in chosen().into_iter().enumerate() {
        wrong.extend(run(&app, &staff, n, pair).await);
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
