//! The fields of `cron(…)`, and the minutes at which it fires.
//!
//! Source: <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html>

use std::collections::BTreeSet;

use time::{Date, Duration, OffsetDateTime, Time, Weekday};

/// The numbers that a field has.
type Numbers = BTreeSet<u16>;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cron {
    minutes: Numbers,
    hours: Numbers,
    days: Days,
    months: Numbers,
    years: Numbers,
}

/// The days of a month: by the one of the two fields that is not `?`.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Days {
    OfMonth(Numbers),
    /// `L`: the last one.
    LastOfMonth,
    /// `3W`: the weekday that is nearest to the third, in the same month.
    NearestTo(u16),
    /// From Sunday, which is 1.
    OfWeek(Numbers),
    /// `6L`: the last Friday of the month.
    LastOfWeek(u16),
    /// `2#1`: the first Monday of the month.
    Nth(u16, u16),
}

/// The values of a field, which words may stand for from the least on.
struct Field {
    least: u16,
    most: u16,
    words: &'static [&'static str],
}

const MINUTE: Field = Field::of(0, 59);
const HOUR: Field = Field::of(0, 23);
const DAY: Field = Field::of(1, 31);
const MONTH: Field = Field {
    words: &[
        "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC",
    ],
    ..Field::of(1, 12)
};
const WEEKDAY: Field = Field {
    words: &["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"],
    ..Field::of(1, 7)
};
const YEAR: Field = Field::of(1970, 2199);

impl Cron {
    /// Six fields with right values, of which one day is `?`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let fields: Vec<&str> = text.split_whitespace().collect();
        let [minute, hour, day, month, weekday, year] = fields[..] else {
            return None;
        };
        let days = match (day, weekday) {
            ("?", weekday) => Days::of_week(weekday)?,
            (day, "?") => Days::of_month(day)?,
            _ => return None,
        };
        Some(Self {
            minutes: MINUTE.list(minute)?,
            hours: HOUR.list(hour)?,
            days,
            months: MONTH.list(month)?,
            years: YEAR.list(year)?,
        })
    }

    /// The first instant after this one at which it fires.
    pub(super) fn next(&self, after: OffsetDateTime) -> Option<OffsetDateTime> {
        let last = i32::from(*self.years.last()?);
        let days = std::iter::successors(Some(after.date()), |date| date.next_day())
            .take_while(|date| date.year() <= last)
            .filter(|date| self.is_on(*date));
        let mut instants = days.flat_map(|date| {
            self.times()
                .map(move |time| date.with_time(time).assume_utc())
        });
        instants.find(|instant| *instant > after)
    }

    fn is_on(&self, date: Date) -> bool {
        let has = |numbers: &Numbers, number: i32| {
            u16::try_from(number).is_ok_and(|number| numbers.contains(&number))
        };
        has(&self.years, date.year())
            && has(&self.months, i32::from(u8::from(date.month())))
            && self.days.are_on(date)
    }

    fn times(&self) -> impl Iterator<Item = Time> {
        self.hours.iter().flat_map(move |hour| {
            let minutes = self.minutes.iter();
            minutes.filter_map(move |minute| Time::from_hms(*hour as u8, *minute as u8, 0).ok())
        })
    }
}

impl Days {
    fn of_month(text: &str) -> Option<Self> {
        if text == "L" {
            return Some(Self::LastOfMonth);
        }
        match text.strip_suffix('W') {
            Some(day) => DAY.value(day).map(Self::NearestTo),
            None => DAY.list(text).map(Self::OfMonth),
        }
    }

    /// `L` alone is the last day of the week.
    fn of_week(text: &str) -> Option<Self> {
        if text == "L" {
            return Some(Self::OfWeek(Numbers::from([WEEKDAY.most])));
        }
        if let Some(day) = text.strip_suffix('L') {
            return WEEKDAY.value(day).map(Self::LastOfWeek);
        }
        let Some((day, week)) = text.split_once('#') else {
            return WEEKDAY.list(text).map(Self::OfWeek);
        };
        let week = week.parse::<u16>().ok();
        let week = week.filter(|week| (1..=5).contains(week))?;
        Some(Self::Nth(WEEKDAY.value(day)?, week))
    }

    fn are_on(&self, date: Date) -> bool {
        let (day, weekday) = (u16::from(date.day()), number_of(date.weekday()));
        let is_last_in = |days: i64| {
            let later = date.saturating_add(Duration::days(days));
            later.month() != date.month()
        };
        match self {
            Self::OfMonth(days) => days.contains(&day),
            Self::LastOfMonth => is_last_in(1),
            Self::NearestTo(wanted) => nearest_weekday(date, *wanted) == Some(date),
            Self::OfWeek(days) => days.contains(&weekday),
            Self::LastOfWeek(wanted) => weekday == *wanted && is_last_in(7),
            Self::Nth(wanted, week) => weekday == *wanted && (day - 1) / 7 + 1 == *week,
        }
    }
}

fn number_of(weekday: Weekday) -> u16 {
    u16::from(weekday.number_from_sunday())
}

/// The weekday that is nearest to a day of the month of a date, if the month has that day.
fn nearest_weekday(date: Date, day: u16) -> Option<Date> {
    let wanted = date.replace_day(u8::try_from(day).ok()?).ok()?;
    let moved = |days: i64| wanted.saturating_add(Duration::days(days));
    let is_within = |other: Date| other.month() == wanted.month();
    let candidates = match wanted.weekday() {
        Weekday::Saturday => [moved(-1), moved(2)],
        Weekday::Sunday => [moved(1), moved(-2)],
        _ => [wanted, wanted],
    };
    candidates.into_iter().find(|other| is_within(*other))
}

impl Field {
    const fn of(least: u16, most: u16) -> Self {
        Self {
            least,
            most,
            words: &[],
        }
    }

    fn list(&self, text: &str) -> Option<Numbers> {
        let parts: Option<Vec<Vec<u16>>> = text.split(',').map(|part| self.part(part)).collect();
        Some(parts?.into_iter().flatten().collect())
    }

    /// `*`, a value or a range, perhaps with the step that begins there.
    fn part(&self, text: &str) -> Option<Vec<u16>> {
        let (range, step) = match text.split_once('/') {
            Some((range, step)) => (range, Some(step.parse::<usize>().ok()?)),
            None => (text, None),
        };
        let (from, to) = match range.split_once('-') {
            Some((from, to)) => (self.value(from)?, self.value(to)?),
            None if range == "*" => (self.least, self.most),
            None if step.is_some() => (self.value(range)?, self.most),
            None => (self.value(range)?, self.value(range)?),
        };
        let step = step.unwrap_or(1);
        if step == 0 {
            return None;
        }
        // A range that ends before it begins goes on with the least value.
        let numbers: Vec<u16> = if from <= to {
            (from..=to).collect()
        } else {
            (from..=self.most).chain(self.least..=to).collect()
        };
        Some(numbers.into_iter().step_by(step).collect())
    }

    fn value(&self, text: &str) -> Option<u16> {
        let mut words = self.words.iter().zip(self.least..);
        let named = words
            .find(|(word, _)| word.eq_ignore_ascii_case(text))
            .map(|(_, number)| number);
        let number = text.parse::<u16>().ok();
        number
            .filter(|number| (self.least..=self.most).contains(number))
            .or(named)
    }
}

#[cfg(test)]
mod tests {
    use time::format_description::well_known::Rfc3339;

    use super::*;

    #[test]
    fn fields_are_those_of_the_documentation() {
        for right in [
            "0 10 * * ? *",
            "0/5 8-17 ? * MON-FRI *",
            "5,35 14 * * ? *",
            "15 10 ? * 6L 2019-2022",
            "0 9 ? * 2#1 *",
            "0 8 L JAN ? *",
            "0 8 3W * ? *",
        ] {
            assert!(Cron::parse(right).is_some(), "{right}");
        }
        for wrong in [
            "INVALID",
            "0 10 * * ?",
            "0 dummy ? * MON-FRI *",
            "7 20 * * NOT *",
            "71 8 1 * ? *",
            "0 1 * * * *",
            "0 1 ? * ? *",
            "0/0 1 1 * ? *",
            "0 9 ? * 2#6 *",
            "0 1 1 * ? 2200",
        ] {
            assert_eq!(Cron::parse(wrong), None, "{wrong}");
        }
    }

    fn next(text: &str) -> [String; 2] {
        let cron = Cron::parse(text).unwrap();
        let begin = OffsetDateTime::parse("2026-01-05T09:00:00Z", &Rfc3339).unwrap();
        let first = cron.next(begin).unwrap();
        let second = cron.next(first).unwrap();
        [first, second].map(|instant| instant.format(&Rfc3339).unwrap())
    }

    /// Fields with the next two instants after a Monday, 2026-01-05T09:00:00Z.
    const FIRINGS: [(&str, [&str; 2]); 11] = [
        (
            "* * ? * * *",
            ["2026-01-05T09:01:00Z", "2026-01-05T09:02:00Z"],
        ),
        (
            "0 9 * * ? *",
            ["2026-01-06T09:00:00Z", "2026-01-07T09:00:00Z"],
        ),
        (
            "0/25 9 * * ? *",
            ["2026-01-05T09:25:00Z", "2026-01-05T09:50:00Z"],
        ),
        (
            "0 18 ? * SAT,SUN *",
            ["2026-01-10T18:00:00Z", "2026-01-11T18:00:00Z"],
        ),
        (
            "0 8 L * ? *",
            ["2026-01-31T08:00:00Z", "2026-02-28T08:00:00Z"],
        ),
        (
            "0 8 29 FEB ? *",
            ["2028-02-29T08:00:00Z", "2032-02-29T08:00:00Z"],
        ),
        (
            "0 8 1W * ? *",
            ["2026-02-02T08:00:00Z", "2026-03-02T08:00:00Z"],
        ),
        (
            "0 8 31W * ? *",
            ["2026-01-30T08:00:00Z", "2026-03-31T08:00:00Z"],
        ),
        (
            "15 10 ? * 6L *",
            ["2026-01-30T10:15:00Z", "2026-02-27T10:15:00Z"],
        ),
        (
            "0 9 ? * 2#2 *",
            ["2026-01-12T09:00:00Z", "2026-02-09T09:00:00Z"],
        ),
        (
            "0 0 1 11-2/2 ? *",
            ["2026-11-01T00:00:00Z", "2027-01-01T00:00:00Z"],
        ),
    ];

    #[test]
    fn it_fires_at_the_minutes_that_its_fields_have() {
        for (text, expected) in FIRINGS {
            assert_eq!(next(text), expected, "{text}");
        }
        let past = Cron::parse("0/5 5 ? JAN 1-5 2022").unwrap();
        let now = OffsetDateTime::parse("2026-01-05T09:00:00Z", &Rfc3339).unwrap();
        assert_eq!(past.next(now), None);
    }
}
