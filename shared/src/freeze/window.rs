//! One window: every day, every week or once, in the time of a zone.
//!
//! A time that a change of the clock leaves out counts by the clock from before the change. Of one
//! that comes twice a window begins at the first and ends at the second: a freeze is never shorter
//! than it is written.

use std::fmt;
use std::str::FromStr;

use jiff::civil::{Date, DateTime, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

const EXPECTED: &str = "expected a begin and an end such as `Fri 16:00/Mon 06:00`, `22:00/06:00` \
                        or `2026-12-23T18:00/2027-01-02T06:00`";

const WEEKDAYS: [(&str, Weekday); 7] = [
    ("Mon", Weekday::Monday),
    ("Tue", Weekday::Tuesday),
    ("Wed", Weekday::Wednesday),
    ("Thu", Weekday::Thursday),
    ("Fri", Weekday::Friday),
    ("Sat", Weekday::Saturday),
    ("Sun", Weekday::Sunday),
];

/// The longest window that repeats, in days, with one more: its begin is no earlier than that.
const LONGEST_DAYS: i64 = 8;

/// A window as it is written, and what it means.
#[derive(Debug)]
pub(super) struct FreezeWindow<'a> {
    text: &'a str,
    times: WindowTimes,
}

#[derive(Debug)]
enum WindowTimes {
    /// Every day, or every week on one, until `days` later.
    Repeated {
        weekday: Option<Weekday>,
        begin: Time,
        end: Time,
        days: i64,
    },
    Once {
        begin: DateTime,
        end: DateTime,
    },
}

/// One side of a window.
enum Point {
    Daily(Time),
    Weekly(Weekday, Time),
    Once(DateTime),
}

impl fmt::Display for FreezeWindow<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text)
    }
}

impl<'a> FreezeWindow<'a> {
    /// Reads a window.
    ///
    /// # Errors
    /// What was found and what is expected.
    pub(super) fn parse(text: &'a str) -> Result<Self, String> {
        let refused = |why: &str| format!("`freeze.windows` has `{text}`{why}; {EXPECTED}");
        let sides = text.split_once('/');
        let (begin, end) = sides
            .and_then(|(begin, end)| Some((point(begin)?, point(end)?)))
            .ok_or_else(|| refused(""))?;

        let same = ", which begins and ends at the same time";
        let times = match (begin, end) {
            (Point::Daily(begin), Point::Daily(end)) if begin == end => return Err(refused(same)),
            (Point::Daily(begin), Point::Daily(end)) => WindowTimes::Repeated {
                weekday: None,
                begin,
                end,
                days: i64::from(end < begin),
            },
            (Point::Weekly(from, begin), Point::Weekly(to, end)) => {
                let days = match i64::from(from.until(to)) {
                    0 if begin == end => return Err(refused(same)),
                    0 if end < begin => 7,
                    days => days,
                };
                WindowTimes::Repeated {
                    weekday: Some(from),
                    begin,
                    end,
                    days,
                }
            }
            (Point::Once(begin), Point::Once(end)) if begin < end => {
                WindowTimes::Once { begin, end }
            }
            (Point::Once(_), Point::Once(_)) => {
                return Err(refused(", which does not end after it begins"));
            }
            _ => return Err(refused(", whose begin and end are of two kinds")),
        };
        Ok(Self { text, times })
    }

    /// The end of the window, if it covers an instant.
    pub(super) fn end_covering(&self, zone: &TimeZone, at: Timestamp) -> Option<Timestamp> {
        let today = zone.to_datetime(at).date();
        let ends = self.near(today).into_iter().filter_map(|(begin, end)| {
            let begin = zone.to_ambiguous_timestamp(begin).compatible().ok()?;
            let end = zone.to_ambiguous_timestamp(end).later().ok()?;
            (begin <= at && at < end).then_some(end)
        });
        ends.max()
    }

    /// Begin and end of the window, each time that it can cover a part of this day.
    fn near(&self, today: Date) -> Vec<(DateTime, DateTime)> {
        let (weekday, begin, end, length) = match self.times {
            WindowTimes::Once { begin, end } => return vec![(begin, end)],
            WindowTimes::Repeated {
                weekday,
                begin,
                end,
                days,
            } => (weekday, begin, end, days),
        };

        let first_days = (-LONGEST_DAYS..=0).map(|days| today.saturating_add(days.days()));
        first_days
            .filter(|first| weekday.is_none_or(|weekday| first.weekday() == weekday))
            .map(|first| {
                let last = first.saturating_add(length.days());
                (first.to_datetime(begin), last.to_datetime(end))
            })
            .collect()
    }
}

fn point(text: &str) -> Option<Point> {
    if let Some((day, at)) = text.split_once(' ') {
        let (_, weekday) = WEEKDAYS.iter().find(|(name, _)| *name == day)?;
        return Some(Point::Weekly(*weekday, time(at)?));
    }
    match text.split_once('T') {
        Some((day, at)) => Some(Point::Once(date(day)?.to_datetime(time(at)?))),
        None => Some(Point::Daily(time(text)?)),
    }
}

/// `16:00`.
fn time(text: &str) -> Option<Time> {
    let (hour, minute) = text.split_once(':')?;
    Time::new(number(hour, 2)?, number(minute, 2)?, 0, 0).ok()
}

/// `2026-12-23`.
fn date(text: &str) -> Option<Date> {
    let (year, rest) = text.split_once('-')?;
    let (month, day) = rest.split_once('-')?;
    Date::new(number(year, 4)?, number(month, 2)?, number(day, 2)?).ok()
}

fn number<N: FromStr>(text: &str, digits: usize) -> Option<N> {
    let is_number = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok()).flatten()
}
