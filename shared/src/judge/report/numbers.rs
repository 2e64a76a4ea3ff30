//! Numbers as people read them.

/// Evidence above this is not told apart any more: its digits carry nothing, and e^x would overflow.
const EVIDENCE_MAX: f64 = 1e6;
/// Evidence below this is as good as none.
const EVIDENCE_MIN: f64 = 0.01;

/// `54110` as `54,110`.
pub(super) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// A share as a percentage: two decimals, or one significant digit where they would show nothing.
pub(super) fn percent(share: f64) -> String {
    let percent = share * 100.0;
    match percent {
        p if p <= 0.0 => "0%".to_owned(),
        p if p < 1e-6 => "under 0.000001%".to_owned(),
        p if p < 0.01 => format!("{p:.*}%", (-p.log10()).ceil() as usize),
        p => format!("{p:.2}%"),
    }
}

/// A number with as many decimals as it deserves.
pub(super) fn significant(number: f64) -> String {
    match number {
        n if n >= 1e15 => format!("{n:.1e}"),
        n if n >= 100.0 => thousands(n.round() as u64),
        n if n >= 1.0 => format!("{n:.1}"),
        0.0 => "0".to_owned(),
        n => format!("{n:.2}"),
    }
}

/// A setting as it was written: shortest form, grouped where it is a large whole number.
pub(super) fn plain(number: f64) -> String {
    if number >= 1000.0 && number.fract() == 0.0 && number < 1e15 {
        thousands(number as u64)
    } else {
        format!("{number}")
    }
}

/// Evidence, from its logarithm.
pub(super) fn evidence(log: f64) -> String {
    match log {
        l if l > EVIDENCE_MAX.ln() => "over 1,000,000".to_owned(),
        l if l < EVIDENCE_MIN.ln() => "under 0.01".to_owned(),
        l => significant(l.exp()),
    }
}

/// Evidence for a narrow column.
pub(super) fn short_evidence(log: f64) -> String {
    match log {
        l if l > EVIDENCE_MAX.ln() => "> 1 M".to_owned(),
        l if l < EVIDENCE_MIN.ln() => "< 0.01".to_owned(),
        l => evidence(l),
    }
}

/// The limit that belongs to a chance: 0.005 is `200`.
pub(super) fn odds(chance: f64) -> String {
    plain((1.0 / chance).round())
}

/// A setting that is a share, as a percentage in its shortest form: `12.5%`.
pub(super) fn share(share: f64) -> String {
    // Binary fractions leave dust far behind the digits that anybody wrote.
    format!("{}%", plain((share * 1e8).round() / 1e6))
}

/// `1 minute`, `3 minutes`.
pub(super) fn minutes(count: u32) -> String {
    format!(
        "{} minute{}",
        thousands(u64::from(count)),
        if count == 1 { "" } else { "s" }
    )
}

/// Minutes in words, for spans beyond what a person counts in minutes.
pub(super) fn span(minutes: f64) -> String {
    match minutes {
        m if m < 120.0 => format!("{:.0} minutes", m.max(1.0).ceil()),
        m if m < 48.0 * 60.0 => format!("{:.0} hours", m / 60.0),
        m => format!(
            "{} days",
            thousands((m / (24.0 * 60.0)).min(1e15).round() as u64)
        ),
    }
}

/// Ascending minutes as ranges: `1–3, 7`.
pub(super) fn ranges(minutes: &[u32]) -> String {
    let runs = minutes.chunk_by(|a, b| a + 1 == *b);
    let written = runs.map(|run| match run {
        [only] => only.to_string(),
        [first, .., last] => format!("{first}–{last}"),
        [] => String::new(),
    });
    written.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_numbers_are_grouped() {
        let grouped: Vec<_> = [0, 12, 999, 1000, 6012, 54_110, 1_234_567]
            .into_iter()
            .map(thousands)
            .collect();
        assert_eq!(
            grouped,
            ["0", "12", "999", "1,000", "6,012", "54,110", "1,234,567"]
        );
    }

    #[test]
    fn shares_keep_the_digits_that_say_something() {
        let shares: Vec<_> = [0.0, 0.0102, 0.12345, 1.0, 7e-6, 4.2e-5, 1e-12]
            .into_iter()
            .map(percent)
            .collect();
        assert_eq!(
            shares,
            [
                "0%",
                "1.02%",
                "12.35%",
                "100.00%",
                "0.0007%",
                "0.004%",
                "under 0.000001%"
            ]
        );
    }

    #[test]
    fn numbers_have_as_many_decimals_as_they_deserve() {
        let numbers: Vec<_> = [0.05, 1.04, 10.14, 199.6, 23_456.7]
            .into_iter()
            .map(significant)
            .collect();
        assert_eq!(numbers, ["0.05", "1.0", "10.1", "200", "23,457"]);
        assert_eq!(
            [plain(0.005), plain(1.1), plain(20_000.0)],
            ["0.005", "1.1", "20,000"]
        );
    }

    #[test]
    fn settings_are_told_in_their_shortest_form() {
        assert_eq!(
            [share(0.125), share(0.1), share(1e-4), share(1.0 / 3.0)],
            ["12.5%", "10%", "0.01%", "33.333333%"]
        );
        assert_eq!(
            [odds(0.005), odds(0.05), odds(1e-4)],
            ["200", "20", "10,000"]
        );
    }

    #[test]
    fn evidence_beyond_measure_is_not_printed_digit_by_digit() {
        assert_eq!(evidence(123.5), "over 1,000,000");
        assert_eq!(evidence(-900.0), "under 0.01");
        assert_eq!(evidence(8.57), "5,271");
        assert_eq!(
            [
                short_evidence(123.5),
                short_evidence(-900.0),
                short_evidence(0.0)
            ],
            ["> 1 M", "< 0.01", "1.0"]
        );
    }

    #[test]
    fn minutes_are_told_as_ranges_and_spans() {
        assert_eq!(ranges(&[1, 2, 3, 7, 9, 10]), "1–3, 7, 9–10");
        assert_eq!(ranges(&[]), "");
        assert_eq!(
            [span(9.2), span(180.0), span(45_000.0)],
            ["10 minutes", "3 hours", "31 days"]
        );
    }
}
