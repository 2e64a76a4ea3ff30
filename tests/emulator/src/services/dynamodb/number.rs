//! Numbers as DynamoDB keeps them: decimals of at most 38 significant digits, equal by value and
//! not by spelling.

use std::fmt;

use super::invalid;
use crate::ApiError;

const MAX_DIGITS: usize = 38;
/// The largest and the smallest power of ten of a number's first digit.
const MAX_MAGNITUDE: i32 = 125;
const MIN_MAGNITUDE: i32 = -130;

/// `digits × 10^exponent`; there are no zeros at either end of the digits, and zero has none, so
/// that equality is by field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Number {
    negative: bool,
    digits: String,
    exponent: i32,
}

impl Number {
    pub(super) fn parse(text: &str) -> Result<Self, ApiError> {
        let not_a_number = || {
            invalid(format!(
                "The parameter cannot be converted to a numeric value: {text}"
            ))
        };
        let (decimal, power) = match text.split_once(['e', 'E']) {
            Some((decimal, power)) => (decimal, power.parse().map_err(|_| not_a_number())?),
            None => (text, 0_i32),
        };
        let unsigned = decimal.strip_prefix(['-', '+']).unwrap_or(decimal);
        let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
        let all = format!("{whole}{fraction}");
        if all.is_empty() || !all.bytes().all(|byte| byte.is_ascii_digit()) || power.abs() > 1000 {
            return Err(not_a_number());
        }

        let without_end = all.trim_end_matches('0');
        let digits = without_end.trim_start_matches('0').to_owned();
        if digits.is_empty() {
            return Ok(Self {
                negative: false,
                digits,
                exponent: 0,
            });
        }
        Self {
            negative: decimal.starts_with('-'),
            digits,
            exponent: power - fraction.len() as i32 + (all.len() - without_end.len()) as i32,
        }
        .in_range()
    }

    /// The bytes that count towards the size of an item: about one for two digits, and one.
    pub(super) fn size(&self) -> usize {
        self.digits.len().div_ceil(2) + 1 + usize::from(self.negative)
    }

    fn in_range(self) -> Result<Self, ApiError> {
        let magnitude = self.digits.len() as i32 + self.exponent - 1;
        if self.digits.len() > MAX_DIGITS {
            return Err(invalid(
                "Attempting to store more than 38 significant digits in a Number",
            ));
        }
        if magnitude > MAX_MAGNITUDE {
            return Err(invalid(
                "Number overflow. Attempting to store a number with magnitude larger than \
                 supported range",
            ));
        }
        if magnitude < MIN_MAGNITUDE {
            return Err(invalid(
                "Number underflow. Attempting to store a number with magnitude smaller than \
                 supported range",
            ));
        }
        Ok(self)
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.negative { "-" } else { "" };
        let digits = if self.digits.is_empty() {
            "0"
        } else {
            &self.digits
        };
        if self.exponent >= 0 {
            return write!(f, "{sign}{digits}{}", "0".repeat(self.exponent as usize));
        }

        let places = self.exponent.unsigned_abs() as usize;
        let digits = format!("{digits:0>width$}", width = places + 1);
        let (whole, fraction) = digits.split_at(digits.len() - places);
        write!(f, "{sign}{whole}.{fraction}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Number {
        Number::parse(text).unwrap()
    }

    #[test]
    fn numbers_are_written_in_one_way() {
        for (given, kept) in [
            ("007", "7"),
            ("1.50", "1.5"),
            ("-0.0", "0"),
            ("12e3", "12000"),
            ("1e-3", "0.001"),
            ("-.5", "-0.5"),
        ] {
            assert_eq!(number(given).to_string(), kept);
        }
        for refused in ["", "1x", &"9".repeat(39), "1e126", "1e-131"] {
            assert!(Number::parse(refused).is_err(), "{refused}");
        }
    }

    #[test]
    fn numbers_compare_by_value() {
        assert_eq!(number("1.0"), number("1"));
        assert_eq!(number("10e-1"), number("0.1e1"));
        assert_ne!(number("1"), number("-1"));
        assert_ne!(number("1"), number("10"));
    }
}
