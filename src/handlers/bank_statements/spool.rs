//! A file on its way: its bytes go to a file of the machine as they come, which nobody else sees and which is gone with the request.

use std::fs::File;
use std::future::{Ready, ready};
use std::io::Write;
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::web::{BytesMut, Data};
use actix_web::{FromRequest, HttpRequest};
use futures_util::StreamExt;
use tokio::sync::OwnedSemaphorePermit;

use crate::domain::bank::StatementFormat;
use crate::error::{Code, Error, Refusal, Result};
use crate::handlers::extract::{Limits, media_type, of_payload, unsupported};
use crate::handlers::service::Service;
use crate::jobs::bank::SentFile;
use crate::secrets::Sha256;

/// The media types of a statement, in the order in which they are named.
const MEDIA_TYPES: [&str; 2] = ["application/xml", "text/csv"];
/// Bytes of a statement.
const MOST_BYTES: usize = 16 * 1024 * 1024;
/// Bytes that are written at once.
const PIECE: usize = 256 * 1024;
/// Seconds after which it makes sense to come back when too many files are on their way.
const COME_BACK: u64 = 5;

/// A statement of which nothing is read yet.
pub struct UnreadStatement {
    payload: Payload,
    format: StatementFormat,
    time: Duration,
}

impl FromRequest for UnreadStatement {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let limits = request.app_data::<Data<Limits>>();
        let limits = limits.map(|limits| *limits.get_ref()).unwrap_or_default();
        let format = match media_type(request).as_str() {
            "application/xml" => StatementFormat::Camt,
            "text/csv" => StatementFormat::Csv,
            _ => return ready(Err(unsupported(&MEDIA_TYPES))),
        };
        ready(Ok(Self {
            payload: payload.take(),
            format,
            time: limits.upload_time,
        }))
    }
}

impl UnreadStatement {
    /// Takes the bytes in: 503 where as many files as an instance takes at once are on their way.
    pub async fn receive(self, service: &Service) -> Result<(OwnedSemaphorePermit, SentFile)> {
        let place = service.intakes.clone().try_acquire_owned();
        let place = place.map_err(|_| Refusal::from(Code::Overloaded).retry_after(COME_BACK))?;
        let format = self.format;
        let spooled = tokio::time::timeout(self.time, spool(self.payload)).await;
        let (file, sha256) = spooled.unwrap_or(Err(Code::BodyTooSlow.into()))?;
        let sent = SentFile {
            file,
            sha256,
            format,
        };
        Ok((place, sent))
    }
}

async fn spool(mut payload: Payload) -> Result<(File, String)> {
    let failed = Error::internal("keeping a file while it is read");
    let mut file = off_thread(tempfile::tempfile).await?.map_err(&failed)?;
    let (mut digest, mut size, mut piece) = (Sha256::default(), 0, BytesMut::new());
    loop {
        let next = payload.next().await.transpose().map_err(of_payload)?;
        let is_end = next.is_none();
        if let Some(bytes) = next {
            size += bytes.len();
            if size > MOST_BYTES {
                return Err(Code::BodyTooLarge.with("limit", MOST_BYTES).into());
            }
            digest.update(&bytes);
            piece.extend_from_slice(&bytes);
        }
        if is_end || piece.len() >= PIECE {
            let part = piece.split();
            let write = move || file.write_all(&part).map(|()| file);
            file = off_thread(write).await?.map_err(&failed)?;
        }
        if is_end {
            return Ok((file, digest.hex()));
        }
    }
}

async fn off_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(Error::internal("keeping a file while it is read"))
}
