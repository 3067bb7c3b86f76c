//! When a write that met contention is tried again; what contention is stands in `backend`.

use std::time::Duration;

use crate::error::Result;
use crate::secrets;

/// How long a write is tried in all.
pub const TRIED_FOR: Duration = Duration::from_secs(5);
/// How often at most.
const MOST_ATTEMPTS: u32 = 8;
/// The first pause; each doubles it.
const FIRST_PAUSE: Duration = Duration::from_millis(10);

/// How long to pause after `attempts` that met contention, `elapsed` after the first began; nothing where it is time to give up.
pub fn pause(attempts: u32, elapsed: Duration) -> Result<Option<Duration>> {
    let [jitter] = secrets::random::<1>()?;
    Ok(jittered(attempts, elapsed, jitter))
}

/// From half a pause to one and a half, so that two that met do not meet again.
fn jittered(attempts: u32, elapsed: Duration, jitter: u8) -> Option<Duration> {
    let pause = FIRST_PAUSE * 2_u32.saturating_pow(attempts.saturating_sub(1));
    let pause = pause.mul_f64(0.5 + f64::from(jitter) / 255.0);
    (attempts < MOST_ATTEMPTS && elapsed + pause < TRIED_FOR).then_some(pause)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_pause_is_longer_and_no_two_are_alike() {
        let pauses = |jitter| (1..8).map(move |n| jittered(n, Duration::ZERO, jitter).unwrap());
        assert!(pauses(0).zip(pauses(0).skip(1)).all(|(a, b)| b == 2 * a));
        assert!(pauses(0).zip(pauses(255)).all(|(a, b)| b == 3 * a));
        assert!(pauses(255).sum::<Duration>() < TRIED_FOR);
    }

    #[test]
    fn nobody_tries_for_ever() {
        assert_eq!(jittered(8, Duration::ZERO, 0), None);
        assert_eq!(jittered(1, TRIED_FOR, 0), None);
        assert_eq!(jittered(u32::MAX, Duration::ZERO, 255), None);
    }
}
