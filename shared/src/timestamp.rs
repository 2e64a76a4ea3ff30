//! Instants in the ledger and in tokens (RFC 3339 in UTC, so that an operator can read an item),
//! and durations as messages write them.
//!
//! Never reads a clock: an instant comes from `aws::Sdk::now` or from a stored item.

use std::time::{Duration, SystemTime};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// An instant, to the second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp(OffsetDateTime);

impl Timestamp {
    /// From seconds since the Unix epoch.
    ///
    /// # Errors
    /// If the number is outside the years that RFC 3339 can express.
    pub fn from_secs(secs: i64) -> Result<Self, time::error::ComponentRange> {
        OffsetDateTime::from_unix_timestamp(secs).map(Self)
    }

    /// Seconds since the Unix epoch.
    #[must_use]
    pub fn secs(self) -> i64 {
        self.0.unix_timestamp()
    }

    /// How much later this instant is than `earlier`; zero if it is not later.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::try_from(self.0 - earlier.0).unwrap_or_default()
    }
}

impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Self {
        let exact = OffsetDateTime::from(time);
        Self(exact.replace_nanosecond(0).unwrap_or(exact))
    }
}

impl std::fmt::Display for Timestamp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.format(&Rfc3339).map_err(|_| std::fmt::Error)?)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        OffsetDateTime::parse(&text, &Rfc3339)
            .map(Self)
            .map_err(|e| de::Error::custom(format!("`{text}` is not an RFC 3339 time: {e}")))
    }
}

/// A number of minutes, as parameters state them.
#[must_use]
pub fn minutes(count: u32) -> Duration {
    Duration::from_secs(u64::from(count) * 60)
}

/// A duration for a message: `42s`, `4m12s`, `2h05m`.
#[must_use]
pub fn readable(duration: Duration) -> String {
    let secs = duration.as_secs();
    match secs {
        0..60 => format!("{secs}s"),
        60..3600 => format!("{}m{:02}s", secs / 60, secs % 60),
        _ => format!("{}h{:02}m", secs / 3600, secs % 3600 / 60),
    }
}

/// How much of `limit` has passed: `42s of 1m00s`.
#[must_use]
pub fn readable_of(passed: Duration, limit: Duration) -> String {
    format!("{} of {}", readable(passed), readable(limit))
}

/// This many seconds after `2026-01-05T09:00:00Z`.
#[cfg(test)]
pub(crate) fn at(secs: i64) -> Timestamp {
    Timestamp::from_secs(1_767_603_600 + secs).expect("in range")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_survive_json_and_sort() {
        let early = Timestamp::from_secs(1_767_603_600).expect("in range");
        let late = Timestamp::from_secs(1_767_603_725).expect("in range");
        let text = serde_json::to_string(&early).expect("serializes");

        assert_eq!(text, "\"2026-01-05T09:00:00Z\"");
        assert_eq!(
            serde_json::from_str::<Timestamp>(&text).expect("parses"),
            early
        );
        assert_eq!(late.since(early), Duration::from_secs(125));
        assert_eq!(early.since(late), Duration::ZERO);
    }

    #[test]
    fn an_instant_of_the_clock_loses_its_fraction() {
        let time = std::time::UNIX_EPOCH + Duration::from_millis(1_767_603_600_999);

        assert_eq!(
            Timestamp::from(time),
            Timestamp::from_secs(1_767_603_600).expect("in range")
        );
        assert_eq!(Timestamp::from(time).to_string(), "2026-01-05T09:00:00Z");
        assert_eq!(Timestamp::from(time).secs(), 1_767_603_600);
    }

    #[test]
    fn an_instant_is_read_with_any_offset_and_a_day_is_refused() {
        let read = |text: &str| serde_json::from_str::<Timestamp>(&format!("\"{text}\""));
        let nine = Timestamp::from_secs(1_767_603_600).expect("in range");

        assert_eq!(read("2026-01-05T10:00:00+01:00").expect("an instant"), nine);

        let refused = read("2026-01-05")
            .expect_err("a day is not an instant")
            .to_string();

        assert!(
            refused.starts_with("`2026-01-05` is not an RFC 3339 time: "),
            "{refused}"
        );
        assert!(Timestamp::from_secs(i64::MAX).is_err());
    }

    #[test]
    fn durations_change_their_units_at_a_minute_and_at_an_hour() {
        let read = |secs| readable(Duration::from_secs(secs));

        assert_eq!(
            [read(0), read(59), read(60), read(61)],
            ["0s", "59s", "1m00s", "1m01s"]
        );
        assert_eq!(
            [read(3_599), read(3_600), read(3_659), read(3_660)],
            ["59m59s", "1h00m", "1h00m", "1h01m"]
        );
        assert_eq!(
            [read(86_400), readable(Duration::from_millis(1_999))],
            ["24h00m", "1s"]
        );
    }

    #[test]
    fn what_has_passed_is_written_with_its_limit() {
        assert_eq!(
            readable_of(Duration::from_secs(42), minutes(125)),
            "42s of 2h05m"
        );
    }

    #[test]
    fn durations_have_two_units_at_most() {
        let read = |secs| readable(Duration::from_secs(secs));
        assert_eq!(
            [read(42), read(252), read(7_500)],
            ["42s", "4m12s", "2h05m"]
        );
    }
}
