//! What each kind of task does: either one transaction, or something outside and then one transaction.

use super::{Worker, bank, batches, files, housekeeping, invoice_files, mails};
use crate::domain::access::ServiceAccess;
use crate::domain::account::AccountId;
use crate::domain::document::DocumentId;
use crate::domain::job::JobId;
use crate::domain::purchase::Bought;
use crate::error::Result;
use crate::repository::{self, DbConn, documents, jobs};
use crate::workflows::tasks::Task;
use crate::workflows::{
    self, Context, accounts, collection, invoices, membership, money_watch, offers, passwords,
    products, registration_batches, registrations, review_deadlines, users,
};

/// Does `task` and finishes its job in the same transaction.
pub async fn run(worker: &Worker, task: Task, job: JobId, lease: String) -> Result<()> {
    let (context, service) = (worker.context(), super::proof(job));
    match task {
        Task::SendMail { mail_id } => mails::send(worker, mail_id, job, lease).await,
        Task::DeleteFile {
            document_id,
            file_key,
            ..
        } => {
            worker.store.delete(&file_key).await?;
            let gone = [(document_id, file_key)];
            within(worker, job, lease, move |conn| {
                workflows::documents::forget_files(conn, &context, service, &gone)
            })
            .await
        }
        Task::DeleteApplicationFiles { account_id } => {
            let gone = delete_files(worker, account_id).await?;
            within(worker, job, lease, move |conn| {
                workflows::documents::forget_files(conn, &context, service, &gone)
            })
            .await
        }
        Task::RenderInvoice { invoice_id } => {
            let files = invoice_files::store(worker, invoice_id).await?;
            within(worker, job, lease, move |conn| {
                repository::invoice_files::insert(conn, &files)
            })
            .await
        }
        task if is_in_parts(&task) => {
            in_parts(worker, service, task).await?;
            within(worker, job, lease, |_| Ok(())).await
        }
        task => {
            let work = move |conn: &mut DbConn| inside(conn, &context, service, task);
            within(worker, job, lease, work).await
        }
    }
}

/// Whether a task is done in transactions of its own.
fn is_in_parts(task: &Task) -> bool {
    matches!(
        task,
        Task::SweepFiles { .. }
            | Task::KeepHouse { .. }
            | Task::RunBatch { .. }
            | Task::MatchStatement { .. }
    )
}

/// What is done in transactions of its own, part by part, and goes on where it stood if it is tried again.
async fn in_parts(worker: &Worker, service: ServiceAccess, task: Task) -> Result<()> {
    match task {
        Task::SweepFiles { .. } => files::walk(worker).await,
        Task::KeepHouse { .. } => {
            housekeeping::sweep_rows(worker).await?;
            files::sweep(worker).await
        }
        Task::RunBatch { batch_id, .. } => batches::run(worker, service, batch_id).await,
        Task::MatchStatement { statement, .. } => {
            bank::match_statement(worker, service, statement).await
        }
        _ => Ok(()),
    }
}

/// Deletes the files of an application from the store; which they were, and whose.
async fn delete_files(worker: &Worker, account: AccountId) -> Result<Vec<(DocumentId, String)>> {
    let kept = worker
        .db
        .fetch(move |conn| documents::with_files(conn, account))
        .await?;
    let files = kept
        .into_iter()
        .filter_map(|document| Some((document.id, document.file_key?)));
    let files: Vec<_> = files.collect();
    for (_, key) in &files {
        worker.store.delete(key).await?;
    }
    Ok(files)
}

/// A task that is nothing but a transaction.
fn inside(conn: &mut DbConn, context: &Context, service: ServiceAccess, task: Task) -> Result<()> {
    match task {
        Task::TellKnownAddress { account_id, .. } => {
            accounts::tell_known_address(conn, context, account_id)
        }
        Task::SendStarted { account_id, .. } => {
            accounts::send_started(conn, context, service, account_id)
        }
        Task::AnswerReset { email, .. } => passwords::answer_reset(conn, context, &email),
        Task::SendApplicantLinks { email, .. } => accounts::send_links(conn, context, &email),
        Task::WatchReview { account_id, .. } => {
            review_deadlines::tell_overdue(conn, context, service, account_id)
        }
        Task::ExpireDraft { account_id, .. } => {
            accounts::expire_draft(conn, context, service, account_id)
        }
        Task::EndInvitation {
            account_id,
            user_id,
        } => users::end_invitation(conn, context, service, account_id, user_id),
        Task::IssueInvoice(_)
        | Task::WatchInvoice { .. }
        | Task::EndMembership { .. }
        | Task::WatchMoney { .. } => of_memberships(conn, context, service, task),
        Task::GrantPoints { .. }
        | Task::TellCustomer { .. }
        | Task::ExpireOffers { .. }
        | Task::RemindOffers { .. }
        | Task::TidyBatch { .. } => of_products(conn, context, service, task),
        Task::ForgetStatement { statement, .. } => workflows::bank::forget_broken(conn, statement),
        Task::SendMail { .. }
        | Task::RenderInvoice { .. }
        | Task::RunBatch { .. }
        | Task::MatchStatement { .. }
        | Task::DeleteFile { .. }
        | Task::DeleteApplicationFiles { .. }
        | Task::SweepFiles { .. }
        | Task::KeepHouse { .. } => Ok(()),
    }
}

/// What becomes of memberships, their invoices and their money by itself.
fn of_memberships(
    conn: &mut DbConn,
    context: &Context,
    service: ServiceAccess,
    task: Task,
) -> Result<()> {
    match task {
        Task::IssueInvoice(Bought::Purchase { purchase_id }) => {
            invoices::issue(conn, context, service, purchase_id)
        }
        Task::IssueInvoice(Bought::Membership { membership_id }) => {
            invoices::earlier::issue_of(conn, context, service, membership_id)
        }
        Task::WatchInvoice { invoice_id, .. } => {
            collection::step(conn, context, service, invoice_id)
        }
        Task::EndMembership { membership_id, .. } => {
            membership::end_term(conn, context, service, membership_id)
        }
        Task::WatchMoney { .. } => money_watch::look(conn, context, service),
        _ => Ok(()),
    }
}

/// What becomes of products by itself, and what customers are told of those.
fn of_products(
    conn: &mut DbConn,
    context: &Context,
    service: ServiceAccess,
    task: Task,
) -> Result<()> {
    match task {
        Task::GrantPoints { due, after } => {
            products::grant_waiting(conn, context, service, (due, after))
        }
        Task::TidyBatch { batch_id, .. } => registration_batches::tidy(conn, batch_id),
        Task::TellCustomer {
            partner_id,
            account_id,
            since,
        } => registrations::tell_customer(conn, context, service, (partner_id, account_id, since)),
        Task::ExpireOffers { hour, round } => offers::expire(conn, context, service, (hour, round)),
        Task::RemindOffers { hour, after } => offers::remind(conn, context, (hour, after)),
        _ => Ok(()),
    }
}

/// Does `work` and finishes the job in one transaction.
pub(super) async fn within<F>(worker: &Worker, job: JobId, lease: String, work: F) -> Result<()>
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
