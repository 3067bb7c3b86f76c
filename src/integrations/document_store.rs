//! Where the bytes of verification documents are kept: a folder.

use std::path::Path as FolderPath;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream::{Stream, StreamExt, TryStreamExt};
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutPayload};

use crate::error::{Error, Result};
use crate::private;
use crate::types::Instant;

/// The bytes of a file, as they come.
pub type ByteStream = Pin<Box<dyn Stream<Item = Result<Bytes>> + Send>>;

/// The store.
#[derive(Clone)]
pub struct DocumentStore {
    inner: Arc<dyn ObjectStore>,
}

impl DocumentStore {
    /// The store in `folder`, which is made where it is not there, and closed to other users.
    pub fn open(folder: &FolderPath) -> Result<Self> {
        private::folder(folder)
            .and_then(|()| private::narrow(folder))
            .map_err(Error::internal("making the folder for documents"))?;
        let inner = LocalFileSystem::new_with_prefix(folder)
            .map_err(Error::internal("opening the document store"))?;
        Ok(Self {
            inner: Arc::new(inner),
        })
    }

    /// Keeps `bytes` under `key`.
    pub async fn put(&self, key: &str, bytes: Bytes) -> Result<()> {
        let put = self
            .inner
            .put(&Path::from(key), PutPayload::from_bytes(bytes))
            .await;
        put.map(drop).map_err(Error::internal("storing a document"))
    }

    /// The bytes under `key`; none where there are none.
    pub async fn get(&self, key: &str) -> Result<Option<ByteStream>> {
        match self.inner.get(&Path::from(key)).await {
            Ok(found) => Ok(Some(
                found
                    .into_stream()
                    .map_err(Error::internal("reading a document"))
                    .boxed(),
            )),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(Error::internal("reading a document")(error)),
        }
    }

    /// Deletes what is under `key`; nothing there is as good.
    pub async fn delete(&self, key: &str) -> Result<()> {
        match self.inner.delete(&Path::from(key)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(Error::internal("deleting a document")(error)),
        }
    }

    /// Keys of files that were stored before `before`; at most `limit`.
    pub async fn keys_before(&self, before: Instant, limit: usize) -> Result<Vec<String>> {
        let old = self
            .inner
            .list(None)
            .try_filter(move |meta| std::future::ready(meta.last_modified < before.utc()));
        let found: Vec<_> = old
            .take(limit)
            .try_collect()
            .await
            .map_err(Error::internal("listing documents"))?;
        Ok(found
            .into_iter()
            .map(|meta| meta.location.to_string())
            .collect())
    }
}
