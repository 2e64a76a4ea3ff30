//! Schedule expressions. Only `rate(…)` is modelled: nothing that the sandbox runs uses `cron(…)`.

mod cron;

use std::time::Duration;

use crate::ApiError;

/// `rate(<value> <unit>)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rate {
    pub expression: String,
    minutes: u64,
}

impl Rate {
    /// The unit is singular for 1 and plural for everything else.
    pub fn parse(expression: &str) -> Result<Self, ApiError> {
        let invalid = || {
            ApiError::client(
                "ValidationException",
                "Parameter ScheduleExpression is not valid.",
            )
        };
        let argument = |kind: &str| expression.strip_prefix(kind)?.strip_suffix(')');
        if argument("cron(").is_some_and(cron::is_right) {
            return Err(ApiError::client(
                "ValidationException",
                "the sandbox does not model cron schedules",
            ));
        }

        let inner = argument("rate(").ok_or_else(invalid)?;
        let (value, unit) = inner.split_once(' ').ok_or_else(invalid)?;
        let value: u64 = value
            .parse()
            .ok()
            .filter(|value| *value > 0)
            .ok_or_else(invalid)?;
        let unit_minutes = match (unit, value) {
            ("minute", 1) | ("minutes", 2..) => 1,
            ("hour", 1) | ("hours", 2..) => 60,
            ("day", 1) | ("days", 2..) => 24 * 60,
            _ => return Err(invalid()),
        };

        Ok(Self {
            expression: expression.to_owned(),
            minutes: value * unit_minutes,
        })
    }

    pub fn period(&self) -> Duration {
        Duration::from_secs(self.minutes * 60)
    }
}
