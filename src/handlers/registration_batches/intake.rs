//! Taking a batch in: its row first, then its lines as they come, some hundred a transaction, and nothing left of what is refused.

use actix_web::dev::Payload;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest};
use futures_util::StreamExt;
use serde_json::Value;
use tracing::warn;

use super::reader::{Format, NumberedLine, Reader, Whole};
use super::whole::lines_of;
use crate::domain::access::PartnerAccess;
use crate::domain::registration_batch::BatchId;
use crate::error::{Code, Error, Refusal, Result};
use crate::handlers::answer::Answer;
use crate::handlers::extract::{
    Idempotency, Limits, announced_encoding, media_type, of_payload, read_limited, unsupported,
};
use crate::handlers::service::Service;
use crate::secrets::{Sha256, sha256_hex};
use crate::workflows::registration_batches::{self as batches, NewLine};

/// The media types of a batch, in the order in which they are named.
pub const MEDIA_TYPES: [&str; 3] = ["text/csv", "application/x-ndjson", "application/json"];
/// Bytes of a batch that comes line by line, and of one that is read whole.
const MOST_BYTES: (usize, usize) = (8 * 1024 * 1024, 4 * 1024 * 1024);
/// Lines that are stored in one transaction.
const CHUNK: usize = 500;
/// Seconds after which it makes sense to come back when too many batches are on their way.
const COME_BACK: u64 = 5;

/// A batch of which nothing is read yet.
pub struct UnreadBatch {
    payload: Payload,
    /// None of a whole JSON body.
    format: Option<Format>,
    limits: Limits,
}

impl FromRequest for UnreadBatch {
    type Error = Error;
    type Future = std::future::Ready<Result<Self>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        std::future::ready(unread(request, payload))
    }
}

fn unread(request: &HttpRequest, payload: &mut Payload) -> Result<UnreadBatch> {
    let limits = request.app_data::<Data<Limits>>();
    let limits = limits.map(|limits| *limits.get_ref()).unwrap_or_default();
    let format = match media_type(request).as_str() {
        "text/csv" => Some(Format::Csv(announced_encoding(request)?)),
        "application/x-ndjson" => Some(Format::Ndjson),
        "application/json" => None,
        _ => return Err(unsupported(&MEDIA_TYPES)),
    };
    Ok(UnreadBatch {
        payload: payload.take(),
        format,
        limits,
    })
}

/// A batch on its way.
pub struct Intake {
    service: Data<Service>,
    /// None where the request was answered before: its bytes only say whether it is the same.
    pub id: Option<BatchId>,
    _place: tokio::sync::OwnedSemaphorePermit,
}

impl Intake {
    /// The row of a batch whose lines may come: 503 where as many as an instance takes at once are on their way.
    pub async fn begin(
        service: &Data<Service>,
        partner: &PartnerAccess,
        idempotency: &Idempotency,
        dry_run: bool,
    ) -> Result<Self> {
        let place = service.intakes.clone().try_acquire_owned();
        let place = place.map_err(|_| Refusal::from(Code::Overloaded).retry_after(COME_BACK))?;
        let id = match idempotency.is_answered(service).await? {
            true => None,
            false => {
                let (context, partner) = (service.context(), partner.clone());
                let begun = service
                    .db
                    .write(move |conn| batches::begin(conn, &context, &partner, dry_run));
                Some(begun.await?)
            }
        };
        Ok(Self {
            service: service.clone(),
            id,
            _place: place,
        })
    }

    /// Takes the lines in; what is known of the whole, and its hash.
    pub async fn receive(&self, batch: UnreadBatch) -> Result<(Whole, String)> {
        let time = batch.limits.upload_time;
        let read = self.read(batch);
        let read = tokio::time::timeout(time, read).await;
        read.unwrap_or(Err(Code::BodyTooSlow.into()))
    }

    async fn read(&self, batch: UnreadBatch) -> Result<(Whole, String)> {
        let rules = &self.service.programme.dealers;
        let Some(format) = batch.format else {
            let time = batch.limits.upload_time;
            let bytes = read_limited(batch.payload, MOST_BYTES.1, time).await?;
            let (lines, whole) = lines_of(&bytes, rules)?;
            self.store(lines).await?;
            return Ok((whole, sha256_hex(&bytes)));
        };
        let (mut reader, mut payload) = (Reader::new(format, rules), batch.payload);
        let (mut digest, mut size, mut waiting) = (Sha256::default(), 0, Vec::new());
        while let Some(piece) = payload.next().await {
            let piece = piece.map_err(of_payload)?;
            size += piece.len();
            if size > MOST_BYTES.0 {
                return Err(Code::BodyTooLarge.with("limit", MOST_BYTES.0).into());
            }
            digest.update(&piece);
            waiting.extend(reader.take(&piece));
            if waiting.len() >= CHUNK {
                self.store(std::mem::take(&mut waiting)).await?;
            }
        }
        let (last, whole) = reader.finish()?;
        waiting.extend(last);
        self.store(waiting).await?;
        Ok((whole, digest.hex()))
    }

    async fn store(&self, lines: Vec<NumberedLine>) -> Result<()> {
        let Some(id) = self.id else {
            return Ok(());
        };
        let mut lines = lines.into_iter().map(new_line).peekable();
        while lines.peek().is_some() {
            let chunk: Vec<NewLine> = lines.by_ref().take(CHUNK).collect();
            let store = move |conn: &mut _| batches::take_in(conn, id, &chunk);
            self.service.db.write(store).await?;
        }
        Ok(())
    }

    /// Passes the answer on; unless the batch waits for its turn by then, nothing is left of it.
    pub async fn settle(self, answer: Result<Answer>) -> Result<Answer> {
        let is_queued = answer.as_ref().is_ok_and(|answer| !answer.is_replayed());
        if let (Some(id), false) = (self.id, is_queued) {
            let forget = move |conn: &mut _| batches::forget_received(conn, id);
            // What is left is found by its job.
            if let Err(cause) = self.service.db.write(forget).await {
                warn!(%cause, "a batch that was refused is left to be forgotten");
            }
        }
        answer
    }
}

fn new_line(line: NumberedLine) -> NewLine {
    let external_id = line.json.as_ref().ok();
    let external_id = external_id.and_then(|json| json.get("external_id")?.as_str());
    NewLine {
        number: line.number,
        external_id: external_id.map(str::to_owned),
        body: line
            .json
            .as_ref()
            .map(Value::to_string)
            .map_err(|code| *code),
    }
}
