//! Where the bytes of verification documents and invoices are kept: a folder, or a bucket of S3. Which of them are wanted is in their rows.

#[cfg(feature = "s3")]
mod bucket;
mod folder;
mod writer;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path as FilePath, PathBuf};
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream::{Stream, StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutPayload};

use crate::config::DocumentPlace;
use crate::domain::file;
use crate::error::{Error, Result};
use crate::types::Instant;

pub use folder::is_whole;
pub use writer::FileWriter;

/// The bytes of a file, as they come.
pub type ByteStream = Pin<Box<dyn Stream<Item = Result<Bytes>> + Send>>;

/// What is written to a folder at a time.
const FOLDER_PART: usize = 16 * 1024;
/// The least that S3 takes as a part that is not the last.
#[cfg(feature = "s3")]
const BUCKET_PART: usize = 5 * 1024 * 1024;

/// The store.
#[derive(Clone)]
pub struct DocumentStore {
    inner: Arc<dyn ObjectStore>,
    /// Bytes of an upload that are held before they are written.
    part: usize,
    /// None where it is no folder.
    folder: Option<PathBuf>,
}

/// Refuses a place that is not the service's alone, or that holds the database file; makes nothing. The message says what to do.
pub fn check(place: &DocumentPlace, database: Option<&FilePath>) -> Result<(), String> {
    match place {
        DocumentPlace::Folder(folder) => folder::check(folder, database),
        DocumentPlace::Bucket(_) => Ok(()),
    }
}

impl DocumentStore {
    /// Opens the store at `place`, once that is checked. A folder is made where it is not there, marked, and closed to other users.
    pub fn open(place: &DocumentPlace, database: Option<&FilePath>) -> Result<Self> {
        let opening = Error::internal("opening the document store");
        match place {
            DocumentPlace::Folder(folder) => {
                folder::check(folder, database).map_err(opening)?;
                Ok(Self {
                    inner: Arc::new(folder::open(folder)?),
                    part: FOLDER_PART,
                    folder: Some(folder.clone()),
                })
            }
            #[cfg(feature = "s3")]
            DocumentPlace::Bucket(url) => Ok(Self {
                inner: bucket::open(url)?,
                part: BUCKET_PART,
                folder: None,
            }),
            #[cfg(not(feature = "s3"))]
            DocumentPlace::Bucket(url) => Err(opening(format!("{url} needs the feature `s3`"))),
        }
    }

    /// Keeps `bytes` under `key`.
    pub async fn put(&self, key: &str, bytes: Bytes) -> Result<()> {
        let put = self
            .inner
            .put(&Path::from(key), PutPayload::from_bytes(bytes))
            .await;
        put.map(drop).map_err(failed("storing a document"))
    }

    /// Writes a file to `key` as its bytes come; there is none before its end.
    pub fn writer(&self, key: &str) -> FileWriter {
        FileWriter::new(self.inner.clone(), Path::from(key), self.part)
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

    /// Deletes what is under `key`, and what was written of it by who did not come to an end; nothing there is as good.
    pub async fn delete(&self, key: &str) -> Result<()> {
        match self.inner.delete(&Path::from(key)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => {}
            Err(error) => return Err(Error::internal("deleting a document")(error)),
        }
        match &self.folder {
            Some(folder) => folder::delete_staged(folder, key).await,
            None => Ok(()),
        }
    }

    /// The next keys of ours behind `after`, at most `limit`, in order, with the machine's time at which each was stored.
    pub async fn keys_after(&self, after: &str, limit: usize) -> Result<Vec<(String, Instant)>> {
        let mut listed = match after {
            "" => self.inner.list(None),
            after => self.inner.list_with_offset(None, &Path::from(after)),
        };
        let mut first = BTreeMap::new();
        while let Some(meta) = listed.next().await {
            let meta = meta.map_err(Error::internal("listing documents"))?;
            let key = meta.location.to_string();
            if !file::is_key(&key) {
                continue;
            }
            first.insert(key, Instant::from_utc(meta.last_modified));
            if first.len() <= limit {
                continue;
            }
            first.pop_last();
            // A folder is listed in no order, a bucket in that of its keys.
            if self.folder.is_none() {
                break;
            }
        }
        Ok(first.into_iter().collect())
    }
}

/// What the store told while doing `context`, or that it is full.
fn failed(context: &'static str) -> impl Fn(object_store::Error) -> Error {
    move |error| {
        if is_full(&error) {
            Error::StorageFull(error.to_string())
        } else {
            Error::internal(context)(error)
        }
    }
}

fn is_full(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        let kind = error.downcast_ref::<io::Error>().map(io::Error::kind);
        if let Some(io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) = kind {
            return true;
        }
        cause = error.source();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(n: usize) -> String {
        file::key(&format!("{:032x}", n * 0x9e37_79b9))
    }

    async fn store(files: usize) -> (tempfile::TempDir, DocumentStore) {
        let root = tempfile::tempdir().unwrap();
        let place = DocumentPlace::Folder(root.path().join("documents"));
        let store = DocumentStore::open(&place, None).unwrap();
        for n in 0..files {
            store.put(&key(n), Bytes::from_static(b"x")).await.unwrap();
        }
        (root, store)
    }

    #[tokio::test]
    async fn all_keys_of_ours_are_listed_part_by_part_and_no_others() {
        let (root, store) = store(25).await;
        let inner = root.path().join("documents");
        std::fs::write(inner.join("documents/report.pdf"), "theirs").unwrap();
        std::fs::write(inner.join("notes.txt"), "theirs").unwrap();
        let (mut after, mut found) = (String::new(), Vec::new());
        loop {
            let listed = store.keys_after(&after, 10).await.unwrap();
            let Some((last, _)) = listed.last() else {
                break;
            };
            after = last.clone();
            assert!(listed.len() <= 10);
            found.extend(listed.into_iter().map(|(key, _)| key));
        }
        let mut all: Vec<String> = (0..25).map(key).collect();
        all.sort();
        assert_eq!(found, all);
    }

    #[tokio::test]
    async fn a_file_is_written_part_by_part_and_is_there_when_it_ends() {
        let (root, store) = store(0).await;
        for size in [0, 1, FOLDER_PART - 1, FOLDER_PART, 3 * FOLDER_PART + 7] {
            let bytes: Vec<u8> = (0..size).map(|n| (n % 251) as u8).collect();
            let mut writer = store.writer(&key(size));
            for chunk in bytes.chunks(10_000) {
                writer.write(chunk).await.unwrap();
            }
            assert!(store.get(&key(size)).await.unwrap().is_none());
            writer.finish().await.unwrap();
            let read = store.get(&key(size)).await.unwrap().unwrap();
            let read: Vec<Bytes> = read.try_collect().await.unwrap();
            assert_eq!(read.concat(), bytes, "{size}");
            store.delete(&key(size)).await.unwrap();
        }
        let left = std::fs::read_dir(root.path().join("documents/documents")).unwrap();
        assert_eq!(left.count(), 0);
    }

    #[tokio::test]
    async fn what_was_begun_is_deleted_with_its_key() {
        let (root, store) = store(0).await;
        let staged = format!("documents/{}#1", key(1));
        std::fs::create_dir(root.path().join("documents/documents")).unwrap();
        std::fs::write(root.path().join(&staged), "half").unwrap();
        store.delete(&key(1)).await.unwrap();
        assert!(!root.path().join(&staged).exists());
    }

    #[test]
    fn a_full_disk_is_known_behind_whatever_tells_of_it() {
        let told = |kind: io::ErrorKind| object_store::Error::Generic {
            store: "a folder",
            source: Box::new(io::Error::from(kind)),
        };
        let full = failed("storing")(told(io::ErrorKind::StorageFull));
        assert!(matches!(full, Error::StorageFull(_)));
        let other = failed("storing")(told(io::ErrorKind::PermissionDenied));
        assert!(matches!(other, Error::Internal { .. }));
    }
}
