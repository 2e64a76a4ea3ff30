//! The fields of `cron(…)`: whether they are right. When they fire is not modelled.
//!
//! Source: <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html>

/// The values of a field, which words may stand for from the least on.
struct Field {
    least: u32,
    most: u32,
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

/// Whether there are six fields with right values, of which one day is `?`.
pub(super) fn is_right(text: &str) -> bool {
    let fields: Vec<&str> = text.split_whitespace().collect();
    let [minute, hour, day, month, weekday, year] = fields[..] else {
        return false;
    };
    let days = match (day, weekday) {
        ("?", weekday) => is_weekday(weekday),
        (day, "?") => is_day(day),
        _ => false,
    };
    let others = [(minute, MINUTE), (hour, HOUR), (month, MONTH), (year, YEAR)];
    days && others.iter().all(|(text, field)| field.is_list(text))
}

/// A day of the month: also the last one, or the weekday that is nearest to one.
fn is_day(text: &str) -> bool {
    let nearest = text.strip_suffix('W');
    text == "L" || nearest.is_some_and(|day| DAY.is_value(day)) || DAY.is_list(text)
}

/// A day of the week: also the last one of the month, or the one of a week.
fn is_weekday(text: &str) -> bool {
    let last = text.strip_suffix('L');
    let of_week = text.split_once('#');
    text == "L"
        || last.is_some_and(|day| WEEKDAY.is_value(day))
        || of_week.is_some_and(|(day, week)| {
            WEEKDAY.is_value(day) && matches!(week, "1" | "2" | "3" | "4" | "5")
        })
        || WEEKDAY.is_list(text)
}

impl Field {
    const fn of(least: u32, most: u32) -> Self {
        Self {
            least,
            most,
            words: &[],
        }
    }

    fn is_list(&self, text: &str) -> bool {
        text.split(',').all(|part| self.is_part(part))
    }

    /// `*`, a value or a range, perhaps with the step that begins there.
    fn is_part(&self, text: &str) -> bool {
        let (range, step) = match text.split_once('/') {
            Some((range, step)) => (range, Some(step)),
            None => (text, None),
        };
        let is_step = |step: &str| step.parse::<u32>().is_ok_and(|step| step > 0);
        let is_range = match range.split_once('-') {
            Some((from, to)) => self.is_value(from) && self.is_value(to),
            None => range == "*" || self.is_value(range),
        };
        is_range && step.is_none_or(is_step)
    }

    fn is_value(&self, text: &str) -> bool {
        let number = text.parse::<u32>();
        let is_number = number.is_ok_and(|number| (self.least..=self.most).contains(&number));
        is_number
            || self
                .words
                .iter()
                .any(|word| word.eq_ignore_ascii_case(text))
    }
}

#[cfg(test)]
mod tests {
    use super::is_right;

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
            assert!(is_right(right), "{right}");
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
        ] {
            assert!(!is_right(wrong), "{wrong}");
        }
    }
}
