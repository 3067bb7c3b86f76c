//! Fills a new sandbox, once, whichever instance comes first.

use bytes::Bytes;

use crate::error::Result;
use crate::handlers::service::Service;
use crate::repository::settings;
use crate::workflows::sandbox;
use crate::workflows::tasks::{Task, enqueue};

/// What says that the sandbox is filled.
const SETTING: &str = "sandbox_seeded";

/// Seeds the sandbox unless it is seeded already.
pub async fn fill(service: &Service) -> Result<()> {
    if service
        .db
        .fetch(|conn| settings::get(conn, SETTING))
        .await?
        .is_some()
    {
        return Ok(());
    }
    let hash = service.hasher.hash(sandbox::PASSWORD.into()).await?;
    service
        .store
        .put(sandbox::SAMPLE_KEY, Bytes::from_static(sandbox::SAMPLE_PDF))
        .await?;
    let (context, mark) = (
        service.context(),
        crate::secrets::hex(&crate::secrets::random::<16>()?),
    );
    service
        .db
        .write(move |conn| {
            // A second instance waits here for the first one, and then finds its mark.
            if settings::put_once(conn, SETTING, &mark)? == mark {
                sandbox::seed(conn, &context, &hash)?;
            }
            Ok(())
        })
        .await
}

/// Has the house kept from now on, day by day.
pub async fn keep_house(service: &Service) -> Result<()> {
    let now = service.now();
    service
        .db
        .write(move |conn| {
            match settings::put_once(conn, "house_kept_since", &now.to_string())? == now.to_string()
            {
                true => enqueue(conn, &Task::KeepHouse { due: now }, now, now),
                false => Ok(()),
            }
        })
        .await
}
