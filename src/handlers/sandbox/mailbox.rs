//! The sandbox's mailbox: every mail that it sent, as its reader sees it.

use actix_web::get;
use actix_web::web::Data;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::domain::values::email_key;
use crate::error::Result;
use crate::handlers::answer::Answer;
use crate::handlers::extract::{Cursor, PageParams, Pages, Params, list_params};
use crate::handlers::service::Service;
use crate::handlers::{Callers, RateLimit, Routes};
use crate::jobs::Worker;
use crate::repository::mails::{self, Mail, MailId};
use crate::types::Instant;

/// Registers the operation of this module.
pub fn routes(config: &mut impl Routes) {
    config.service(read_mailbox, Callers::Anybody, RateLimit::PerCaller);
}

list_params! {
    /// Which mails to list.
    struct MailboxParams {
        /// Only those to this address.
        #[param(max_length = 254, nullable = false, example = "niels@nordkyst.example")]
        to: Option<String>,
    }
}

/// A mail that arrived.
#[derive(Serialize, ToSchema)]
struct MailView {
    to: String,
    from: String,
    template: crate::domain::mail::Template,
    language: crate::domain::language::Language,
    subject: String,
    text: String,
    /// The link in it; a token is the fragment behind `#token=`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    action_url: Option<String>,
    /// The code in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    code: Option<String>,
    /// The files that came with it.
    attachments: Vec<AttachmentView>,
    sent_at: Instant,
}

/// A file that came with a mail.
#[derive(Serialize, Deserialize, ToSchema)]
struct AttachmentView {
    #[schema(example = "CPS-2026-000001.pdf")]
    name: String,
    /// In bytes.
    #[schema(minimum = 1)]
    size: u64,
    /// Of its bytes, in lower-case hex.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    sha256: String,
}

/// A page of mails.
#[derive(Serialize, ToSchema)]
struct MailPage {
    items: Vec<MailView>,
    #[schema(required = true)]
    next_cursor: Option<String>,
}

/// Read the mailbox
///
/// The mails that the sandbox sent, newest first. A link's token is the fragment of `action_url`; the code of a proof is in `code`.
#[utoipa::path(tag = "sandbox", operation_id = "readMailbox", params(MailboxParams), responses((status = 200, description = "The mails", body = MailPage)))]
#[get("/sandbox/mailbox")]
async fn read_mailbox(
    service: Data<Service>,
    worker: Data<Worker>,
    params: Params<MailboxParams>,
    pages: Pages,
) -> Result<Answer> {
    let (to, size) = (params.0.to.as_deref().map(email_key), params.0.size());
    let before = pages
        .after(&params.0)?
        .map(|cursor| MailId::from(cursor.id));
    let rows = service
        .db
        .fetch(move |conn| mails::arrived(conn, to.as_deref(), before, size + 1))
        .await?;
    let (rows, next_cursor) = pages.cut(rows, size, |mail| Cursor::of_id(mail.id.uuid()));
    let items = rows
        .into_iter()
        .filter_map(|mail| view(&worker, mail).transpose())
        .collect::<Result<Vec<_>>>()?;
    let link = pages.link_next(next_cursor.as_deref());
    Ok(Answer::ok(&MailPage { items, next_cursor })?
        .header_if("Link", link)
        .header("Cache-Control", "no-store"))
}

/// None where the key that sealed it is gone.
fn view(worker: &Worker, mail: Mail) -> Result<Option<MailView>> {
    let sealed = mail.sealed.as_deref().unwrap_or_default();
    let Some(opened) = worker.sealer.open(sealed)? else {
        return Ok(None);
    };
    let values: Value = serde_json::from_slice(&opened)?;
    let rendered = worker
        .mailer
        .render(mail.template, mail.language, &values)?;
    let text = |name: &str| values.get(name).and_then(Value::as_str).map(str::to_owned);
    let attachments = values.get("attachments").cloned();
    let attachments = attachments.map(serde_json::from_value).transpose()?;
    Ok(Some(MailView {
        to: mail.to_address,
        from: worker.mailer.from(),
        template: mail.template,
        language: mail.language,
        subject: rendered.subject,
        text: rendered.text,
        action_url: text("action_url"),
        code: text("code"),
        attachments: attachments.unwrap_or_default(),
        sent_at: mail.sent_at.unwrap_or(mail.created_at),
    }))
}
