//! Statistics by the names that CloudWatch gives them.
//!
//! Source:
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Statistics-definitions.html>

use super::samples::Samples;

/// A statistic that the sandbox computes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Statistic {
    Sum,
    SampleCount,
    Average,
    Minimum,
    Maximum,
    /// In percent.
    Percentile(f64),
    /// Of the values above the first and up to the second bound.
    Within(Measure, f64, f64),
}

/// What is computed of the values between two bounds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Measure {
    /// `TC`: how many.
    Count,
    /// `PR`: how many in percent.
    Percent,
    /// `TS`: their sum.
    Sum,
    /// `TM`: their mean.
    Mean,
}

/// Why a statistic is not computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unknown {
    /// CloudWatch refuses it.
    Invalid,
    /// CloudWatch has it, the sandbox does not.
    NotServed,
}

const PARTS: [(&str, Measure); 4] = [
    ("TC", Measure::Count),
    ("PR", Measure::Percent),
    ("TS", Measure::Sum),
    ("TM", Measure::Mean),
];

impl Statistic {
    pub(super) fn parse(text: &str) -> Result<Self, Unknown> {
        Ok(match text {
            "Sum" => Self::Sum,
            "SampleCount" => Self::SampleCount,
            "Average" => Self::Average,
            "Minimum" => Self::Minimum,
            "Maximum" => Self::Maximum,
            "IQM" => return Err(Unknown::NotServed),
            _ => {
                return Self::percentile(text)
                    .or_else(|| Self::within(text))
                    .unwrap_or_else(|| Err(other(text)));
            }
        })
    }

    fn percentile(text: &str) -> Option<Result<Self, Unknown>> {
        let percent = percent(text.strip_prefix('p')?)?;
        Some(Ok(Self::Percentile(percent)))
    }

    /// `TC(0.1:)`, `TC(0.1:0.5)`, `PR(:0.3)`. Bounds in percent are another thing.
    fn within(text: &str) -> Option<Result<Self, Unknown>> {
        let (name, bounds) = text.strip_suffix(')')?.split_once('(')?;
        let is_wm = name == "WM";
        let part = PARTS
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, part)| *part);
        let (low, high) = bounds.split_once(':')?;
        if part.is_none() && !is_wm {
            return None;
        }

        if low.ends_with('%') || high.ends_with('%') {
            let is_valid = [low, high]
                .iter()
                .all(|bound| bound.is_empty() || bound.strip_suffix('%').is_some_and(is_percent));
            return Some(Err(if is_valid && part != Some(Measure::Percent) {
                Unknown::NotServed
            } else {
                Unknown::Invalid
            }));
        }

        let bound = |text: &str, open: f64| {
            if text.is_empty() {
                Some(open)
            } else {
                decimal(text)
            }
        };
        let (from, to) = (bound(low, f64::NEG_INFINITY)?, bound(high, f64::INFINITY)?);
        if (low.is_empty() && high.is_empty()) || from >= to {
            return None;
        }

        Some(
            part.map(|part| Self::Within(part, from, to))
                .ok_or(Unknown::NotServed),
        )
    }

    /// The value for samples that are not empty; nothing when too little is known of them.
    pub(super) fn of(self, samples: &Samples) -> Option<f64> {
        if samples.is_empty() {
            return None;
        }
        Some(match self {
            Self::Sum => samples.sum(),
            Self::SampleCount => samples.count(),
            Self::Average => samples.sum() / samples.count(),
            Self::Minimum => samples.minimum(),
            Self::Maximum => samples.maximum(),
            Self::Percentile(_) | Self::Within(..) if !samples.has_distribution() => return None,
            Self::Percentile(percent) => samples.percentile(percent),
            Self::Within(part, low, high) => {
                let (count, sum) = samples.within(low, high);
                match part {
                    Measure::Count => count,
                    Measure::Percent => count / samples.count() * 100.0,
                    Measure::Sum => sum,
                    Measure::Mean if count > 0.0 => sum / count,
                    Measure::Mean => return None,
                }
            }
        })
    }
}

/// A statistic that is none of ours: `tm90` and its like are CloudWatch's.
fn other(text: &str) -> Unknown {
    let trimmed = ["tm", "wm", "tc", "ts"]
        .iter()
        .find_map(|name| text.strip_prefix(name));
    if trimmed.is_some_and(is_percent) {
        Unknown::NotServed
    } else {
        Unknown::Invalid
    }
}

fn is_percent(text: &str) -> bool {
    percent(text).is_some()
}

/// 0 to 100 with up to ten decimal places.
fn percent(text: &str) -> Option<f64> {
    let places = text.split_once('.').map_or(0, |(_, places)| places.len());
    decimal(text).filter(|percent| (0.0..=100.0).contains(percent) && places <= 10)
}

fn decimal(text: &str) -> Option<f64> {
    let plain = text
        .bytes()
        .all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-'));
    text.parse().ok().filter(|_: &f64| plain)
}

#[cfg(test)]
mod tests {
    use super::super::samples::Cell;
    use super::*;

    #[test]
    fn statistics_are_known_by_their_names() {
        let of = |text: &str| Statistic::parse(text).unwrap();
        assert_eq!(of("p99"), Statistic::Percentile(99.0));
        assert_eq!(of("p99.9"), Statistic::Percentile(99.9));
        assert_eq!(
            of("TC(0.1:)"),
            Statistic::Within(Measure::Count, 0.1, f64::INFINITY)
        );
        assert_eq!(
            of("PR(:0.3)"),
            Statistic::Within(Measure::Percent, f64::NEG_INFINITY, 0.3)
        );

        for invalid in [
            "sum",
            "p101",
            "p",
            "P9x",
            "TC(:)",
            "TC(2:1)",
            "TC()",
            "XX(1:2)",
            "PR(10%:)",
            "p1.12345678901",
            "None",
        ] {
            assert_eq!(
                Statistic::parse(invalid),
                Err(Unknown::Invalid),
                "{invalid}"
            );
        }
        for foreign in ["tm90", "IQM", "TM(10%:90%)", "WM(1:2)", "tc99.5"] {
            assert_eq!(
                Statistic::parse(foreign),
                Err(Unknown::NotServed),
                "{foreign}"
            );
        }
    }

    #[test]
    fn statistics_of_samples() {
        let mut samples = Samples::default();
        (1..=10).for_each(|value| samples.add(Cell::same(f64::from(value), 1.0)));
        let of = |text: &str| Statistic::parse(text).unwrap().of(&samples);
        let expected = [
            ("Sum", 55.0),
            ("SampleCount", 10.0),
            ("Average", 5.5),
            ("Minimum", 1.0),
            ("Maximum", 10.0),
            ("p50", 5.0),
            ("p90", 9.0),
            ("TC(7:)", 3.0),
            ("TC(7:9)", 2.0),
            ("PR(:3)", 30.0),
            ("TS(8:)", 19.0),
            ("TM(8:)", 9.5),
        ];

        for (text, value) in expected {
            assert_eq!(of(text), Some(value), "{text}");
        }
        assert_eq!(Statistic::Sum.of(&Samples::default()), None);
    }
}
