//! Sending one mail: it is opened, filled in, and handed to the mail server with what is attached to it.

use serde_json::{Value, json};

use super::tasks::within;
use super::{Worker, invoice_files};
use crate::domain::invoice::{InvoiceFileKind, InvoiceId};
use crate::domain::job::JobId;
use crate::error::{Error, Result};
use crate::integrations::mail::Attachment;
use crate::repository::mails::{self, MailId};
use crate::repository::{invoice_files as stored, invoices};
use crate::secrets::sha256_hex;

/// Sends a mail that is stored and was not sent, unless its time is over.
pub async fn send(worker: &Worker, id: MailId, job: JobId, lease: String) -> Result<()> {
    let found = worker.db.fetch(move |conn| mails::find(conn, id)).await?;
    let unsent = found.filter(|mail| mail.sent_at.is_none());
    let Some((mail, sealed)) =
        unsent.and_then(|mail| mail.sealed.clone().map(|sealed| (mail, sealed)))
    else {
        return within(worker, job, lease, |_| Ok(())).await;
    };
    let now = worker.clock.now();
    if mail.expires_at.is_some_and(|end| end <= now) {
        metrics::counter!("mails_run_out_total").increment(1);
        return within(worker, job, lease, move |conn| mails::drop_unsent(conn, id)).await;
    }
    let opened = worker.sealer.open(&sealed)?;
    let opened = opened.ok_or_else(|| Error::internal("opening a mail")("its key is gone"))?;
    let mut values: Value = serde_json::from_slice(&opened)?;
    let rendered = worker
        .mailer
        .render(mail.template, mail.language, &values)?;
    let attached = attached(worker, &values).await?;
    worker
        .mailer
        .send(&id.to_string(), &mail.to_address, &rendered, &attached)
        .await?;
    let kept = match worker.mailer.keeps() {
        true => Some(keep(worker, &mut values, &attached)?),
        false => None,
    };
    let now = worker.clock.now();
    within(worker, job, lease, move |conn| {
        mails::mark_sent(conn, id, kept.as_deref(), now)
    })
    .await
}

/// The invoice that goes with a mail.
async fn attached(worker: &Worker, values: &Value) -> Result<Vec<Attachment>> {
    let named = values.get("attached_invoice").and_then(Value::as_str);
    let Some(id) = named.and_then(|id| id.parse::<InvoiceId>().ok()) else {
        return Ok(Vec::new());
    };
    let kind = InvoiceFileKind::Pdf;
    let (invoice, file) = worker
        .db
        .read(move |conn| {
            Ok((
                invoices::find_by_id(conn, id)?,
                stored::find(conn, id, kind)?,
            ))
        })
        .await?;
    let invoice = invoice.ok_or_else(|| Error::internal("attaching an invoice")("it is none"))?;
    let name = format!("{}.{kind}", invoice.number);
    let made = invoice_files::read(&worker.store, invoice, kind, file).await?;
    Ok(vec![Attachment {
        name,
        media_type: kind.media_type(),
        bytes: made.bytes,
    }])
}

/// What the sandbox mailbox keeps of a mail: what filled it in, and what was attached by name, size and hash.
fn keep(worker: &Worker, values: &mut Value, attached: &[Attachment]) -> Result<String> {
    let shown = attached.iter().map(|file| {
        json!({ "name": file.name, "size": file.bytes.len(), "sha256": sha256_hex(&file.bytes) })
    });
    if let Some(values) = values.as_object_mut() {
        values.insert("attachments".to_owned(), shown.collect());
    }
    worker.sealer.seal(values.to_string().as_bytes())
}
