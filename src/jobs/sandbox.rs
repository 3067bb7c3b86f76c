//! The sandbox's way back to its beginning, while it is served.

use bytes::Bytes;

use super::{Worker, sequencer};
use crate::clock::Clock;
use crate::domain::file::SAMPLES;
use crate::error::Result;
use crate::integrations::document_store::DocumentStore;
use crate::workflows::{Context, sandbox};

/// Puts the files of the seeded applications into the store.
pub async fn put_samples(store: &DocumentStore) -> Result<()> {
    for key in SAMPLES {
        let bytes = Bytes::from_static(sandbox::SAMPLE_PDF);
        store.put(key, bytes).await?;
    }
    Ok(())
}

impl Worker {
    /// Begins again with the seed, at the machine's own time. What runs meanwhile finds its rows gone, as if they had been ended by another.
    pub async fn start_again(&self, password_hash: String) -> Result<()> {
        let _nobody_moves_the_clock = self.stepping.lock().await;
        put_samples(&self.store).await?;
        let context = Context {
            now: Clock::default().now(),
            clock: Clock::default(),
            ..self.context()
        };
        let again = move |conn: &mut _| sandbox::start_again(conn, &context, &password_hash);
        let left_over = self.db.write(again).await?;
        self.clock.set_offset_micros(0);
        for key in left_over {
            self.store.delete(&key).await?;
        }
        sequencer::number_all(&self.db).await
    }
}
