//! Numbers as DynamoDB keeps them: decimals of at most 38 significant digits, equal by value and
//! not by spelling.

use std::cmp::Ordering;
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
            let found = if text.is_empty() {
                String::new()
            } else {
                format!(": {text}")
            };
            invalid(format!(
                "The parameter cannot be converted to a numeric value{found}"
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

        let exponent = power - fraction.len() as i32;
        Self::of(decimal.starts_with('-'), &all, exponent)
    }

    fn of(negative: bool, digits: &str, exponent: i32) -> Result<Self, ApiError> {
        let without_end = digits.trim_end_matches('0');
        let significant = without_end.trim_start_matches('0').to_owned();
        if significant.is_empty() {
            return Ok(Self {
                negative: false,
                digits: significant,
                exponent: 0,
            });
        }
        Self {
            negative,
            digits: significant,
            exponent: exponent + (digits.len() - without_end.len()) as i32,
        }
        .in_range()
    }

    pub(super) fn plus(&self, other: &Self) -> Result<Self, ApiError> {
        let exponent = self.exponent.min(other.exponent);
        let [mut one, mut two] = [self, other].map(|number| {
            let zeros = "0".repeat((number.exponent - exponent) as usize);
            format!("{}{zeros}", number.digits)
        });
        // One digit more than either has, for the carry.
        let width = one.len().max(two.len()) + 1;
        one = format!("{one:0>width$}");
        two = format!("{two:0>width$}");

        if self.negative == other.negative {
            return Self::of(self.negative, &combined(&one, &two, 1), exponent);
        }
        if one >= two {
            Self::of(self.negative, &combined(&one, &two, -1), exponent)
        } else {
            Self::of(other.negative, &combined(&two, &one, -1), exponent)
        }
    }

    pub(super) fn minus(&self, other: &Self) -> Result<Self, ApiError> {
        self.plus(&Self {
            negative: !other.negative && !other.digits.is_empty(),
            ..other.clone()
        })
    }

    fn sign(&self) -> i8 {
        match (self.digits.is_empty(), self.negative) {
            (true, _) => 0,
            (false, true) => -1,
            (false, false) => 1,
        }
    }

    /// The power of ten of the first digit.
    fn magnitude(&self) -> i32 {
        self.digits.len() as i32 + self.exponent - 1
    }

    /// The bytes that count towards the size of an item: about one for two digits, and one.
    pub(super) fn size(&self) -> usize {
        self.digits.len().div_ceil(2) + 1 + usize::from(self.negative)
    }

    fn in_range(self) -> Result<Self, ApiError> {
        let magnitude = self.magnitude();
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
        if self.digits.len() > MAX_DIGITS {
            return Err(invalid(
                "Attempting to store more than 38 significant digits in a Number",
            ));
        }
        Ok(self)
    }
}

/// The digits of `one + sign × two`, which have the same number of digits; `two` is not greater if
/// the sign is -1.
fn combined(one: &str, two: &str, sign: i32) -> String {
    let mut carry = 0;
    let mut digits: Vec<char> = Vec::new();
    for (one, two) in one.bytes().rev().zip(two.bytes().rev()) {
        let [one, two] = [one, two].map(|digit| i32::from(digit - b'0'));
        let total = one + sign * two + carry;
        carry = total.div_euclid(10);
        digits.push(char::from(b'0' + total.rem_euclid(10) as u8));
    }
    digits.into_iter().rev().collect()
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        self.sign().cmp(&other.sign()).then_with(|| {
            let by_magnitude = self.magnitude().cmp(&other.magnitude());
            let absolute = by_magnitude.then_with(|| self.digits.cmp(&other.digits));
            if self.negative {
                absolute.reverse()
            } else {
                absolute
            }
        })
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
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

    #[test]
    fn numbers_are_ordered_by_value() {
        let ascending = [
            "-10", "-9.5", "-1e-130", "0", "1e-130", "0.09", "0.1", "9", "9.01", "10", "1e125",
        ];
        for pair in ascending.windows(2) {
            assert!(number(pair[0]) < number(pair[1]), "{pair:?}");
        }
    }

    #[test]
    fn numbers_are_added_and_subtracted_exactly() {
        let digits = "9".repeat(37);
        for (one, two, sum, difference) in [
            ("1", "2", "3", "-1"),
            ("0.1", "0.2", "0.3", "-0.1"),
            ("-5", "5", "0", "-10"),
            ("99", "1", "100", "98"),
            ("0", "-7", "-7", "7"),
            (
                digits.as_str(),
                "1",
                "10000000000000000000000000000000000000",
                "9999999999999999999999999999999999998",
            ),
        ] {
            let (one, two) = (number(one), number(two));
            assert_eq!(one.plus(&two).unwrap().to_string(), sum);
            assert_eq!(one.minus(&two).unwrap().to_string(), difference);
        }
        let much = number("1e125");
        assert!(much.plus(&number("1")).is_err(), "39 digits and more");
    }

    #[test]
    fn what_is_wrong_is_named_the_magnitude_before_the_digits() {
        let many = "1".repeat(39);
        for (text, message) in [
            ("", "The parameter cannot be converted to a numeric value"),
            (
                "1x",
                "The parameter cannot be converted to a numeric value: 1x",
            ),
            (
                "1e126",
                "Number overflow. Attempting to store a number with magnitude larger than \
                 supported range",
            ),
            (
                "1e-131",
                "Number underflow. Attempting to store a number with magnitude smaller than \
                 supported range",
            ),
            (
                many.as_str(),
                "Attempting to store more than 38 significant digits in a Number",
            ),
        ] {
            assert_eq!(Number::parse(text).unwrap_err().message, message);
        }
    }
}
