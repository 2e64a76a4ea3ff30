//! Numbers as EventBridge compares them: as doubles, if the double is exactly the number written.

use std::cmp::Ordering;

use super::Refusal;

/// The number that a text writes. An account id can be compared, 30 digits can not.
pub(super) fn comparable(text: &str) -> Result<f64, Refusal> {
    let refused = || Refusal(format!("Cannot compare number : {text}"));
    let number: f64 = text.parse().map_err(|_| refused())?;
    if !number.is_finite() || decimal(&format!("{number:e}")) != decimal(text) {
        return Err(refused());
    }
    Ok(number)
}

/// A value of an event as a number; nothing for a string, also of digits.
pub(super) fn of_value(value: &str) -> Option<f64> {
    if value.starts_with(|letter: char| letter == '-' || letter.is_ascii_digit()) {
        comparable(value).ok()
    } else {
        None
    }
}

/// The digits without leading and trailing zeros, whether they are negative, and their exponent.
fn decimal(text: &str) -> (bool, String, i64) {
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (negative, mantissa) = match mantissa.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, mantissa),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    let significant = digits.trim_end_matches('0');
    let dropped = (digits.len() - significant.len()) as i64;
    let significant = significant.trim_start_matches('0');
    if significant.is_empty() {
        return (false, String::new(), 0);
    }

    let exponent = exponent.parse::<i64>().unwrap_or_default();
    let exponent = exponent - fraction.len() as i64 + dropped;
    (negative, significant.to_owned(), exponent)
}

/// An end of a range.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bound {
    pub(super) at: f64,
    pub(super) included: bool,
}

impl Bound {
    /// Whether a number is on the side of the end that `side` names, or on an included end.
    pub(super) fn allows(self, number: f64, side: Ordering) -> bool {
        number.partial_cmp(&self.at) == Some(side) || self.included && number == self.at
    }
}
