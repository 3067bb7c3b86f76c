//! Fills a new sandbox, once, whichever instance or command comes first.

use bytes::Bytes;

use crate::auth::passwords::Hasher;
use crate::error::Result;
use crate::integrations::document_store::DocumentStore;
use crate::repository::{Db, settings};
use crate::secrets;
use crate::workflows::{Context, sandbox};

/// What says that the sandbox is filled.
pub const SETTING: &str = "sandbox_seeded";
/// What says since when the house is kept.
pub const HOUSE_SETTING: &str = "house_kept_since";

/// Seeds the sandbox, whose database this is, unless it is seeded already.
pub async fn fill(db: &Db, store: &DocumentStore, hasher: &Hasher, context: Context) -> Result<()> {
    if db
        .fetch(|conn| settings::get(conn, SETTING))
        .await?
        .is_some()
    {
        return Ok(());
    }
    let hash = hasher.hash(sandbox::PASSWORD.into()).await?;
    store
        .put(sandbox::SAMPLE_KEY, Bytes::from_static(sandbox::SAMPLE_PDF))
        .await?;
    let mark = secrets::hex(&secrets::random::<16>()?);
    db.write(move |conn| {
        // A second instance waits here for the first one, and then finds its mark.
        if settings::put_once(conn, SETTING, &mark)? == mark {
            sandbox::seed(conn, &context, &hash)?;
        }
        Ok(())
    })
    .await
}
