//! A bucket of S3 as the document store. Its settings are the usual AWS variables.

use std::sync::Arc;

use object_store::prefix::PrefixStore;
use object_store::{ObjectStore, parse_url_opts};
use url::Url;

use crate::error::{Error, Result};

/// Opens the bucket and prefix that `s3://BUCKET/PREFIX` names.
pub fn open(url: &str) -> Result<Arc<dyn ObjectStore>> {
    let opening = "opening the document store";
    let url = Url::parse(url).map_err(Error::internal(opening))?;
    let settings = std::env::vars().filter(|(name, _)| name.starts_with("AWS_"));
    let (store, prefix) = parse_url_opts(&url, settings).map_err(Error::internal(opening))?;
    Ok(Arc::new(PrefixStore::new(store, prefix)))
}
