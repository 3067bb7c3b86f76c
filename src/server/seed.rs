//! Fills a new sandbox, once, whichever instance or command comes first.

use crate::auth::passwords::Hasher;
use crate::error::Result;
use crate::integrations::document_store::DocumentStore;
use crate::jobs::sandbox::put_samples;
use crate::repository::{Db, settings};
use crate::secrets;
use crate::workflows::{Context, sandbox};

/// Seeds the sandbox, whose database this is, unless it is seeded already.
pub async fn fill(db: &Db, store: &DocumentStore, hasher: &Hasher, context: Context) -> Result<()> {
    if db
        .fetch(|conn| settings::get(conn, settings::SEEDED))
        .await?
        .is_some()
    {
        return Ok(());
    }
    let hash = hasher.hash(sandbox::PASSWORD.into()).await?;
    put_samples(store).await?;
    let mark = secrets::hex(&secrets::random::<16>()?);
    db.write(move |conn| {
        // A second instance waits here for the first one, and then finds its mark.
        if settings::put_once(conn, settings::SEEDED, &mark)? == mark {
            sandbox::seed(conn, &context, &hash)?;
        }
        Ok(())
    })
    .await
}
