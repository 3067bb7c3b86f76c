//! Two write operations on one account at once, on PostgreSQL: the second waits where the first does, and neither undoes the other.
//!
//! A fixed sample of the pairs; `CPS_PAIRS=all` runs them all.

mod operations;
mod stages;
mod subject;
mod tokens;

use std::time::{Duration, Instant};

use tokio::task::JoinHandle;

use self::operations::{Call, Operation};
use self::stages::{Hold, Stage, sample};
use self::subject::{Staff, Subject};
use crate::holder::Holder;
use crate::support::{Answer, Sending, TestApp};

/// Two operations, in the order in which they are asked for.
#[derive(Clone, Copy)]
struct Pair {
    stage: Stage,
    hold: Hold,
    operations: [&'static Operation; 2],
}

fn chosen(stage: Stage) -> Vec<Pair> {
    let orders: Vec<[&'static Operation; 2]> =
        if std::env::var("CPS_PAIRS").is_ok_and(|word| word == "all") {
            let all = stage.operations();
            let with = |first| all.iter().map(move |second| [first, *second]);
            all.iter().flat_map(|first| with(*first)).collect()
        } else {
            let both = |(one, other)| [[one, other], [other, one]];
            sample(stage).into_iter().flat_map(both).collect()
        };
    let holds = stage.holds().iter();
    let of = |hold: &Hold| {
        let hold = *hold;
        orders.iter().map(move |operations| Pair {
            stage,
            hold,
            operations: *operations,
        })
    };
    holds.flat_map(of).collect()
}

/// Waits until so many transactions wait for a lock, or `answer` is there and no job is left that it asked for: not every operation
/// wants what is held.
async fn until_waiting(
    app: &TestApp,
    holder: &mut Holder,
    at_least: i64,
    answer: &JoinHandle<Answer>,
) {
    let begun = Instant::now();
    while holder.waiting() < at_least && begun.elapsed() < Duration::from_secs(2) {
        if answer.is_finished() && tokens::is_mailed(app) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Waits until every mail has gone that was asked for.
async fn until_mailed(app: &TestApp) {
    let begun = Instant::now();
    while !tokens::is_mailed(app) {
        assert!(begun.elapsed() < Duration::from_secs(60), "mails wait");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Has both wait at what is held, in order, and lets them go.
async fn meet(subject: &Subject, pair: Pair, calls: &[Call<'_>; 2]) -> [Answer; 2] {
    let app = calls[0].app;
    let mut holder = Holder::of(&app.database, &subject.hold(pair.hold));
    let send = |nth: usize| {
        let request = (pair.operations[nth].request)(&calls[nth]);
        tokio::spawn(async move { request.answer().await })
    };
    let one = send(0);
    until_waiting(app, &mut holder, 1, &one).await;
    let waiting = holder.waiting();
    let other = send(1);
    until_waiting(app, &mut holder, waiting + 1, &other).await;
    holder.execute("COMMIT");
    let answers = [one.await.unwrap(), other.await.unwrap()];
    until_mailed(app).await;
    answers
}

/// What is wrong with a pair, if anything is.
async fn run(app: &TestApp, staff: &Staff, n: usize, pair: Pair) -> Option<String> {
    let subject = Subject::at(app, staff, pair.stage, n).await;
    let mut calls = [1, 2].map(|nth| Call {
        app,
        staff,
        subject: &subject,
        nth,
        besides: 0,
    });
    let answers = meet(&subject, pair, &calls).await;
    let [first, second] = pair.operations;
    if first.mails_like(second) {
        for nth in 0..2 {
            calls[nth].besides = usize::from(answers[1 - nth].status < 300);
        }
    }
    let what = format!(
        "{:?}, {:?} held: {} {}, {} {}",
        pair.stage, pair.hold, first.name, answers[0].status, second.name, answers[1].status
    );
    let fault = match judge(&pair, &calls, &answers).await {
        Some(fault) => Some(fault),
        None => tokens::fault(app, &subject).await,
    };
    fault.map(|fault| format!("{what}: {fault}"))
}

async fn judge(pair: &Pair, calls: &[Call<'_>; 2], answers: &[Answer; 2]) -> Option<String> {
    if answers.iter().all(|answer| answer.status >= 300) {
        let [one, other] = answers;
        return Some(format!("neither happened: {} {}", one.text, other.text));
    }
    for nth in 0..2 {
        let (operation, answer) = (pair.operations[nth], &answers[nth]);
        let is_right = match answer.status {
            200..300 => stands(&calls[nth], operation).await,
            status => matches!(status, 400..500 | 503),
        };
        if !is_right {
            let code = &answer.body["code"];
            return Some(format!("{} is lost, code {code}", operation.name));
        }
    }
    None
}

/// Whether the effect of what was answered is there.
async fn stands(call: &Call<'_>, operation: &Operation) -> bool {
    if call.app.database.numbers(&(operation.effect)(call)) != [1] {
        return false;
    }
    if !operation.is_password {
        return true;
    }
    let body = serde_json::json!({ "email": call.subject.user_email, "password": call.password() });
    let path = format!("{}/v1/sessions", call.app.address);
    call.app.client.post(path).json(&body).answer().await.status == 201
}

async fn run_all(stages: &[Stage]) {
    let app = TestApp::start().await;
    if !app.database.is_shared() {
        return;
    }
    let staff = Staff::of(&app).await;
    let mut wrong = Vec::new();
    let pairs = stages.iter().flat_map(|stage| chosen(*stage));
    for (n, pair) in pairs.enumerate() {
        wrong.extend(run(&app, &staff, n, pair).await);
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_at_once_on_an_application_both_stand_or_one_is_refused() {
    run_all(&Stage::APPLYING).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_at_once_before_a_password_is_set_both_stand_or_one_is_refused() {
    run_all(&Stage::STARTING).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_at_once_on_an_account_in_use_both_stand_or_one_is_refused() {
    run_all(&Stage::USING).await;
}
