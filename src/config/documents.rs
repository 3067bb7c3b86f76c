//! The place of the document store, as its variable names it. What is there is looked at when it is opened.

use std::path::PathBuf;

use super::environment::Reader;

const VARIABLE: &str = "CPS_DOCUMENT_STORE";

/// Where verification documents are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DocumentPlace {
    /// In a folder, which may be relative to where the service was started.
    Folder(PathBuf),
    /// In a bucket of S3: `s3://BUCKET/PREFIX`.
    Bucket(String),
}

/// The place that is configured: `file://PATH`, a path alone, or `s3://BUCKET/PREFIX` where S3 is built in.
pub fn place(reader: &mut Reader) -> DocumentPlace {
    let value = reader.text(VARIABLE).unwrap_or("file://data/documents");
    let folder = |path: &str| DocumentPlace::Folder(PathBuf::from(path));
    match value.split_once("://") {
        None => folder(value),
        Some(("file", path)) if !path.is_empty() => folder(path),
        Some(("s3", bucket)) if !bucket.is_empty() && !bucket.starts_with('/') => {
            if cfg!(not(feature = "s3")) {
                let what = "names a bucket of S3, which this build cannot open: build it with `--features s3`";
                reader.fault(VARIABLE, what);
            }
            DocumentPlace::Bucket(value.to_owned())
        }
        Some(_) => {
            reader.fault(
                VARIABLE,
                "is neither file://PATH, nor a path, nor s3://BUCKET/PREFIX",
            );
            folder("")
        }
    }
}
