//! The clock of the SDK and the account.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_smithy_async::rt::sleep::{AsyncSleep, Sleep};
use aws_smithy_async::time::TimeSource;
use tokio::time::Instant;

use crate::Millis;

/// Virtual time: the clock of the runtime, moved to an instant of the sandbox.
#[derive(Clone, Copy, Debug)]
pub struct VirtualClock {
    base: Millis,
    started: Instant,
    speed: u32,
}

impl VirtualClock {
    /// A clock that shows `base` now; call it inside the runtime.
    pub fn starting_at(base: Millis) -> Self {
        Self::at_speed(base, 1)
    }

    /// A clock that goes `speed` times as fast as the runtime's.
    pub fn at_speed(base: Millis, speed: u32) -> Self {
        Self {
            base,
            started: Instant::now(),
            speed: speed.max(1),
        }
    }

    pub fn now(&self) -> Millis {
        self.base + (self.started.elapsed() * self.speed).as_millis() as Millis
    }

    /// Sleeps for this long by this clock.
    pub async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration / self.speed).await;
    }
}

impl AsyncSleep for VirtualClock {
    fn sleep(&self, duration: Duration) -> Sleep {
        Sleep::new(tokio::time::sleep(duration / self.speed))
    }
}

impl TimeSource for VirtualClock {
    fn now(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_millis(self.now().unsigned_abs())
    }
}
