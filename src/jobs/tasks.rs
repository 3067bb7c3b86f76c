//! What each kind of task does: either one transaction, or something outside and then one transaction.

use chrono::{TimeDelta, Utc};
use serde_json::Value;

use super::Worker;
use crate::domain::access::ServiceAccess;
use crate::domain::job::JobId;
use crate::error::Result;
use crate::repository::jobs;
use crate::repository::mails::MailId;
use crate::repository::{DbConn, applicant_tokens, documents, idempotency_keys, mails, sessions};
use crate::types::Instant;
use crate::workflows::tasks::{Task, enqueue};
use crate::workflows::{
    Context, accounts, documents as applied, invoices, membership, passwords, reviews,
};

/// Does `task` and finishes its job in the same transaction.
pub async fn run(worker: &Worker, task: Task, job: JobId, lease: String) -> Result<()> {
    let (context, service) = (worker.context(), super::proof(job));
    match task {
        Task::SendMail { mail_id } => send_mail(worker, mail_id, job, lease).await,
        Task::DeleteFile {
            document_id,
            file_key,
        } => {
            worker.store.delete(&file_key).await?;
            within(worker, job, lease, move |conn| {
                applied::forget_files(conn, &context, service, &[document_id])
            })
            .await
        }
        Task::DeleteApplicationFiles { account_id } => {
            let kept = worker
                .db
                .fetch(move |conn| documents::with_files(conn, account_id))
                .await?;
            for key in kept
                .iter()
                .filter_map(|document| document.file_key.as_deref())
            {
                worker.store.delete(key).await?;
            }
            let ids: Vec<_> = kept.into_iter().map(|document| document.id).collect();
            within(worker, job, lease, move |conn| {
                applied::forget_files(conn, &context, service, &ids)
            })
            .await
        }
        Task::KeepHouse { due } => {
            delete_orphans(worker).await?;
            within(worker, job, lease, move |conn| {
                keep_house(conn, &context, due)
            })
            .await
        }
        task => {
            let work = move |conn: &mut DbConn| inside(conn, &context, service, task);
            within(worker, job, lease, work).await
        }
    }
}

/// A task that is nothing but a transaction.
fn inside(conn: &mut DbConn, context: &Context, service: ServiceAccess, task: Task) -> Result<()> {
    match task {
        Task::TellKnownAddress { account_id, .. } => {
            accounts::tell_known_address(conn, context, account_id)
        }
        Task::AnswerReset { email, .. } => passwords::answer_reset(conn, context, &email),
        Task::SendApplicantLinks { email, .. } => accounts::send_links(conn, context, &email),
        Task::WatchReview { account_id, .. } => {
            reviews::tell_overdue(conn, context, service, account_id)
        }
        Task::ExpireDraft { account_id, .. } => {
            accounts::expire_draft(conn, context, service, account_id)
        }
        Task::IssueInvoice { membership_id } => {
            invoices::issue(conn, context, service, membership_id)
        }
        Task::EndMembership { membership_id, .. } => {
            membership::end_term(conn, context, service, membership_id)
        }
        Task::SendMail { .. }
        | Task::DeleteFile { .. }
        | Task::DeleteApplicationFiles { .. }
        | Task::KeepHouse { .. } => Ok(()),
    }
}

async fn within<F>(worker: &Worker, job: JobId, lease: String, work: F) -> Result<()>
where
    F: FnOnce(&mut DbConn) -> Result<()> + Clone + Send + 'static,
{
    let clock = worker.clock.clone();
    worker
        .db
        .write(move |conn| {
            work(conn)?;
            jobs::finish(conn, job, &lease, clock.now())
        })
        .await
}

async fn send_mail(worker: &Worker, id: MailId, job: JobId, lease: String) -> Result<()> {
    let found = worker.db.fetch(move |conn| mails::find(conn, id)).await?;
    let unsent = found.filter(|mail| mail.sent_at.is_none());
    if let Some((mail, sealed)) =
        unsent.and_then(|mail| mail.sealed.clone().map(|sealed| (mail, sealed)))
    {
        let values: Value = serde_json::from_slice(&worker.sealer.open(&sealed)?)?;
        let rendered = worker
            .mailer
            .render(mail.template, mail.language, &values)?;
        worker
            .mailer
            .send(&id.to_string(), &mail.to_address, &rendered)
            .await?;
    }
    let (keeps, now) = (worker.mailer.keeps(), worker.clock.now());
    within(worker, job, lease, move |conn| {
        mails::mark_sent(conn, id, keeps, now)
    })
    .await
}

/// Files that are this old and have no row are left over from an upload that was refused or broke off.
const ORPHAN_AGE: TimeDelta = TimeDelta::days(1);
/// How many files one sweep looks at.
const FILES: usize = 1000;

async fn delete_orphans(worker: &Worker) -> Result<()> {
    // The store dates its files by the machine's time, whatever the sandbox's clock shows.
    let before = Instant::from_utc(Utc::now()).plus(-ORPHAN_AGE);
    let keys = worker.store.keys_before(before, FILES).await?;
    let orphans = worker
        .db
        .fetch(move |conn| documents::orphans(conn, keys.clone()))
        .await?;
    for key in orphans {
        worker.store.delete(&key).await?;
    }
    Ok(())
}

/// How many rows one sweep takes at most.
const SWEEP: i64 = 1000;

fn keep_house(conn: &mut DbConn, context: &Context, due: Instant) -> Result<()> {
    let now = context.now;
    idempotency_keys::sweep(conn, now.plus(TimeDelta::hours(-24)), SWEEP)?;
    let tokens = i64::from(context.programme.application.token_days);
    applicant_tokens::sweep(conn, now.plus(TimeDelta::days(-tokens)), SWEEP)?;
    sessions::sweep_refresh_tokens(conn, now.plus(TimeDelta::days(-30)), SWEEP)?;
    jobs::sweep(conn, now.plus(TimeDelta::days(-30)), SWEEP)?;
    let next = due.plus(TimeDelta::days(1));
    enqueue(conn, &Task::KeepHouse { due: next }, next, now)
}
