//! The client that tests call a service with.

use std::time::Duration;

/// Long before the service closes a connection that nobody uses: after five seconds, or after ten where no request ever came. A request that is sent
/// at that moment is lost, and a client that waits for one connection while it opens another leaves it unused.
const UNUSED: Duration = Duration::from_secs(2);

pub fn client() -> reqwest::Client {
    let builder = reqwest::Client::builder().pool_idle_timeout(UNUSED);
    builder.build().unwrap()
}
