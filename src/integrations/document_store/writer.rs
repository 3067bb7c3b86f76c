//! Writing a file of the store as its bytes come, with no more of them in memory than one part.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use object_store::path::Path;
use object_store::{MultipartUpload, ObjectStore, ObjectStoreExt};

use super::failed;
use crate::error::Result;

/// What is reserved of a part at once: those of a bucket are large, and most files are not.
const RESERVED: usize = 64 * 1024;

/// A file on its way into the store. Where it is dropped before its end, nothing is there.
pub struct FileWriter {
    store: Arc<dyn ObjectStore>,
    key: Path,
    part: usize,
    buffer: BytesMut,
    /// Begun once there is more than one part.
    upload: Option<Box<dyn MultipartUpload>>,
}

impl FileWriter {
    pub(super) fn new(store: Arc<dyn ObjectStore>, key: Path, part: usize) -> Self {
        Self {
            store,
            key,
            part,
            buffer: BytesMut::new(),
            upload: None,
        }
    }

    /// Takes more of the file, and waits until it is written where that makes a part.
    pub async fn write(&mut self, mut bytes: &[u8]) -> Result<()> {
        while self.buffer.len() + bytes.len() > self.part {
            let (now, later) = bytes.split_at(self.part - self.buffer.len());
            self.buffer.extend_from_slice(now);
            bytes = later;
            self.write_part().await?;
            self.buffer.reserve(self.part.min(RESERVED));
        }
        self.buffer.extend_from_slice(bytes);
        Ok(())
    }

    async fn write_part(&mut self) -> Result<()> {
        let part: Bytes = self.buffer.split().freeze();
        let upload = match &mut self.upload {
            Some(upload) => upload,
            begun @ None => {
                let upload = self.store.put_multipart(&self.key).await;
                begun.insert(upload.map_err(failed("storing a document"))?)
            }
        };
        let written = upload.put_part(part.into()).await;
        written.map_err(failed("storing a document"))
    }

    /// Has the file there, on disk.
    pub async fn finish(mut self) -> Result<()> {
        if self.upload.is_some() {
            self.write_part().await?;
        }
        let done = match &mut self.upload {
            Some(upload) => upload.complete().await,
            None => {
                let whole = self.buffer.split().freeze();
                self.store.put(&self.key, whole.into()).await
            }
        };
        done.map(drop).map_err(failed("storing a document"))
    }
}
