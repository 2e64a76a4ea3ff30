//! Schedule expressions: when a rule fires, whether it has an event pattern too or not.

mod cron;

use std::time::Duration;

use time::OffsetDateTime;

use self::cron::Cron;
use crate::{ApiError, Millis};

/// `rate(<value> <unit>)` or `cron(<six fields>)`, in UTC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    pub expression: String,
    timing: Timing,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Timing {
    Rate(Duration),
    Cron(Cron),
}

impl Schedule {
    pub fn parse(expression: &str) -> Result<Self, ApiError> {
        let argument = |kind: &str| expression.strip_prefix(kind)?.strip_suffix(')');
        let timing = match (argument("rate("), argument("cron(")) {
            (Some(rate), _) => period(rate).map(Timing::Rate),
            (_, Some(cron)) => Cron::parse(cron).map(Timing::Cron),
            (None, None) => None,
        };
        let timing = timing.ok_or_else(|| {
            ApiError::client(
                "ValidationException",
                "Parameter ScheduleExpression is not valid.",
            )
        })?;

        Ok(Self {
            expression: expression.to_owned(),
            timing,
        })
    }

    /// How long after an instant it fires next; nothing if it never does again.
    pub(super) fn wait(&self, now: Millis) -> Option<Duration> {
        match &self.timing {
            Timing::Rate(period) => Some(*period),
            Timing::Cron(cron) => {
                let second = OffsetDateTime::from_unix_timestamp(now.div_euclid(1000)).ok()?;
                let next = cron.next(second)?.unix_timestamp() * 1000;
                Some(Duration::from_millis(next.abs_diff(now)))
            }
        }
    }
}

/// The period of a rate, whose unit is singular for 1 and plural for everything else.
fn period(rate: &str) -> Option<Duration> {
    let (value, unit) = rate.split_once(' ')?;
    let value: u64 = value.parse().ok().filter(|value| *value > 0)?;
    let minutes = match (unit, value) {
        ("minute", 1) | ("minutes", 2..) => 1,
        ("hour", 1) | ("hours", 2..) => 60,
        ("day", 1) | ("days", 2..) => 24 * 60,
        _ => return None,
    };
    Some(Duration::from_secs(value.checked_mul(minutes * 60)?))
}
