//! Writes numbers for readers, in one way for the judge, its report and the messages of a release.
//!
//! Nothing here decides: what is compared is compared before it is rounded.

use super::tally::Tally;

/// Evidence above this is not distinguished: its digits carry nothing, and e^x would overflow.
const EVIDENCE_MAX: f64 = 1e6;
/// Evidence below this is as good as none.
const EVIDENCE_MIN: f64 = 0.01;

/// `54110` as `54,110`.
pub(crate) fn thousands(number: u64) -> String {
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

/// A share as a percentage: two decimals, or one significant digit where those would be zeros.
pub(crate) fn percent(share: f64) -> String {
    let percent = share * 100.0;
    match percent {
        p if p <= 0.0 => "0%".to_owned(),
        p if p < 1e-6 => "under 0.000001%".to_owned(),
        p if p < 0.01 => format!("{p:.*}%", (-p.log10()).ceil() as usize),
        p => format!("{p:.2}%"),
    }
}

/// The rate of a tally as a percentage.
pub(in crate::judge) fn rate(tally: Tally) -> String {
    tally.rate().map_or("no data".to_owned(), percent)
}

/// A number with two decimals below 1, one below 100, and none above.
pub(crate) fn significant(number: f64) -> String {
    match number {
        n if n >= 1e15 => format!("{n:.1e}"),
        n if n >= 100.0 => thousands(n.round() as u64),
        n if n >= 1.0 => format!("{n:.1}"),
        0.0 => "0".to_owned(),
        n => format!("{n:.2}"),
    }
}

/// A response time, from milliseconds: `84 ms`.
pub(crate) fn milliseconds(number: f64) -> String {
    format!("{number:.0} ms")
}

/// The p-value of a test, or its limit: `1.23e-3`.
pub(crate) fn p_value(p: f64) -> String {
    format!("{p:.2e}")
}

/// A setting as it was written: shortest form, grouped where it is a large whole number.
pub(in crate::judge) fn plain(number: f64) -> String {
    if number >= 1000.0 && number.fract() == 0.0 && number < 1e15 {
        thousands(number as u64)
    } else {
        format!("{number}")
    }
}

/// Evidence, from its logarithm.
pub(in crate::judge) fn evidence(log: f64) -> String {
    match log {
        l if l > EVIDENCE_MAX.ln() => "over 1,000,000".to_owned(),
        l if l < EVIDENCE_MIN.ln() => "under 0.01".to_owned(),
        l => significant(l.exp()),
    }
}

/// The limit of evidence, from its logarithm.
pub(in crate::judge) fn limit(log: f64) -> String {
    plain(log.exp().round())
}

/// Evidence beside its limit, such as `2.8 of 200`, from their logarithms.
pub(in crate::judge) fn evidence_of(log: f64, log_limit: f64) -> String {
    format!("{} of {}", evidence(log), limit(log_limit))
}

/// Evidence for a narrow column.
pub(in crate::judge) fn short_evidence(log: f64) -> String {
    match log {
        l if l > EVIDENCE_MAX.ln() => "> 1 M".to_owned(),
        l if l < EVIDENCE_MIN.ln() => "< 0.01".to_owned(),
        l => evidence(l),
    }
}

/// The limit that belongs to a chance: 0.005 is `200`.
pub(in crate::judge) fn odds(chance: f64) -> String {
    plain((1.0 / chance).round())
}

/// A setting that is a share, as a percentage in its shortest form: `12.5%`.
pub(in crate::judge) fn share(share: f64) -> String {
    // A binary fraction differs from the written one in its last digits.
    format!("{}%", plain((share * 1e8).round() / 1e6))
}

/// `1 minute`, `3 minutes`.
pub(in crate::judge) fn minutes(count: u32) -> String {
    format!(
        "{} minute{}",
        thousands(u64::from(count)),
        if count == 1 { "" } else { "s" }
    )
}

/// Ascending minutes as ranges: `1–3, 7`.
pub(in crate::judge) fn ranges(minutes: &[u32]) -> String {
    let runs = minutes.chunk_by(|a, b| a + 1 == *b);
    let written = runs.map(|run| match run {
        [only] => only.to_string(),
        [first, .., last] => format!("{first}–{last}"),
        [] => String::new(),
    });
    written.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests;
