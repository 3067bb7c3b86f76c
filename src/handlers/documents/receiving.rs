//! Receiving the file of an upload: its row first, then its bytes as they come, and nothing left of what is refused. The form around it
//! is in `upload`.

use actix_multipart::Field;
use actix_web::web::Data;
use bytes::BytesMut;
use futures_util::StreamExt;
use tracing::warn;

use super::file_name::sent_name;
use super::upload::of_multipart;
use crate::domain::access::AccountAccess;
use crate::domain::file::{self, FileState};
use crate::domain::media_type::{MediaType, OtherFile};
use crate::error::{Code, Result};
use crate::handlers::answer::Answer;
use crate::handlers::extract::Idempotency;
use crate::handlers::service::Service;
use crate::integrations::document_store::FileWriter;
use crate::repository::files;
use crate::secrets::{Sha256, hex, random};
use crate::workflows;

/// A file that an account hands in.
#[derive(Clone)]
pub struct ExpectedFile {
    service: Data<Service>,
    /// None where the request was answered before: its bytes only say whether it is the same.
    key: Option<String>,
}

impl ExpectedFile {
    /// The row of a file whose bytes may come. Refused where the account could not take it, whatever the bytes.
    pub async fn begin(
        service: &Data<Service>,
        access: &AccountAccess,
        idempotency: &Idempotency,
    ) -> Result<Self> {
        let mut expected = Self {
            service: service.clone(),
            key: None,
        };
        if idempotency.is_answered(service).await? {
            return Ok(expected);
        }
        let key = file::key(&hex(&random::<16>()?));
        let (context, access, new) = (service.context(), access.clone(), key.clone());
        service
            .db
            .write(move |conn| {
                workflows::documents::expect_file(conn, &context, &access, new.clone())
            })
            .await?;
        expected.key = Some(key);
        Ok(expected)
    }

    /// Where it is; 503 `overloaded` where the answer was forgotten since it was looked for.
    pub fn key(&self) -> Result<&str> {
        let key = self.key.as_deref();
        key.ok_or_else(|| Code::Overloaded.into())
    }

    /// What takes its bytes to the store, if they are wanted.
    pub fn writer(&self) -> Option<FileWriter> {
        let key = self.key.as_deref()?;
        Some(self.service.store.writer(key))
    }

    /// Passes the answer on; unless a document names the file by then, nothing is left of it.
    pub async fn settle(self, answer: Result<Answer>) -> Result<Answer> {
        let is_stored = answer.as_ref().is_ok_and(|answer| !answer.is_replayed());
        if let (Some(key), false) = (&self.key, is_stored) {
            // What is left is found by its row.
            if let Err(cause) = self.discard(key.clone()).await {
                warn!(%cause, "a file that was refused is left to the sweep");
            }
        }
        answer
    }

    async fn discard(&self, key: String) -> Result<()> {
        let (now, refused) = (self.service.now(), key.clone());
        let states = [FileState::Receiving, FileState::Refused];
        let db = &self.service.db;
        // A write whose answer was lost may have stored it all the same.
        if db
            .write(move |conn| files::change(conn, &refused, states, now))
            .await?
        {
            self.service.store.delete(&key).await?;
            db.write(move |conn| files::forget(conn, &[key])).await?;
        }
        Ok(())
    }
}

/// A file as it came: hashed, measured and recognised.
pub struct ReceivedFile {
    pub name: String,
    pub size: usize,
    pub sha256: String,
    pub media_type: std::result::Result<MediaType, OtherFile>,
    writer: Option<FileWriter>,
}

impl ReceivedFile {
    /// Takes a part of a form as it comes, at most `limit` bytes, and hands it to `writer` if it is of a kind that is taken.
    pub async fn read(
        mut field: Field,
        limit: usize,
        mut writer: Option<FileWriter>,
    ) -> Result<Self> {
        let name = sent_name(&field);
        let (mut digest, mut first, mut size) = (Sha256::default(), BytesMut::new(), 0);
        while let Some(chunk) = field.next().await {
            let chunk = chunk.map_err(of_multipart)?;
            size += chunk.len();
            if size > limit {
                return Err(Code::DocumentTooLarge.with("limit", limit).into());
            }
            digest.update(&chunk);
            if first.len() < MediaType::TELLING {
                let missing = MediaType::TELLING - first.len();
                first.extend_from_slice(chunk.get(..missing).unwrap_or(&chunk));
                // A writer holds so few bytes back, and has stored none of them.
                if first.len() >= MediaType::TELLING && MediaType::sniff(&first).is_err() {
                    writer = None;
                }
            }
            if let Some(writer) = &mut writer {
                writer.write(&chunk).await?;
            }
        }
        Ok(Self {
            name,
            size,
            sha256: digest.hex(),
            media_type: MediaType::sniff(&first),
            writer,
        })
    }

    /// Has it in the store, whole, if it is wanted there.
    pub async fn store(self) -> Result<()> {
        match self.writer {
            Some(writer) => writer.finish().await,
            None => Ok(()),
        }
    }
}
