//! Numbers as DynamoDB keeps them: decimals of at most 38 significant digits, compared by value and not by spelling.

use std::cmp::Ordering;
use std::fmt;

use super::invalid;
use crate::ApiError;

const MAX_DIGITS: u32 = 38;
/// The largest and the smallest power of ten that a number may start with.
const MAX_MAGNITUDE: i32 = 125;
const MIN_MAGNITUDE: i32 = -130;

/// `mantissa × 10^exponent`; the mantissa has no trailing zeros, and zero has the exponent 0, so equality is by field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Number {
    mantissa: i128,
    exponent: i32,
}

impl Number {
    pub(super) const ZERO: Self = Self {
        mantissa: 0,
        exponent: 0,
    };

    pub(super) fn parse(text: &str) -> Result<Self, ApiError> {
        let not_a_number = || {
            invalid(format!(
                "The parameter cannot be converted to a numeric value: {text}"
            ))
        };
        let (digits, power) = match text.split_once(['e', 'E']) {
            Some((digits, power)) => (digits, power.parse::<i32>().map_err(|_| not_a_number())?),
            None => (text, 0),
        };
        let unsigned = digits.strip_prefix(['-', '+']).unwrap_or(digits);
        let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
        let all = format!("{whole}{fraction}");
        if all.is_empty() || !all.bytes().all(|byte| byte.is_ascii_digit()) || power.abs() > 1000 {
            return Err(not_a_number());
        }
        let significant = all.trim_start_matches('0').trim_end_matches('0');
        if significant.is_empty() {
            return Ok(Self::ZERO);
        }
        if significant.len() > MAX_DIGITS as usize {
            return Err(invalid(
                "Attempting to store more than 38 significant digits in a Number",
            ));
        }
        let trailing = all.len() - all.trim_end_matches('0').len();
        let mantissa: i128 = significant.parse().map_err(|_| not_a_number())?;
        let mantissa = if digits.starts_with('-') {
            -mantissa
        } else {
            mantissa
        };
        Self {
            mantissa,
            exponent: power - fraction.len() as i32 + trailing as i32,
        }
        .in_range()
    }

    /// The sum of two numbers, exact or an error.
    pub(super) fn plus(self, other: Self) -> Result<Self, ApiError> {
        if self.mantissa == 0 {
            return Ok(other);
        }
        if other.mantissa == 0 {
            return Ok(self);
        }
        let exponent = self.exponent.min(other.exponent);
        let sum = self
            .scaled_to(exponent)
            .zip(other.scaled_to(exponent))
            .and_then(|(a, b)| a.checked_add(b));
        let mantissa = sum.ok_or_else(|| {
            invalid("Attempting to store more than 38 significant digits in a Number")
        })?;
        Self { mantissa, exponent }.normalised().in_range()
    }

    pub(super) fn minus(self, other: Self) -> Result<Self, ApiError> {
        self.plus(Self {
            mantissa: -other.mantissa,
            exponent: other.exponent,
        })
    }

    /// The bytes that count towards the size of an item: about one for two digits, and one.
    pub(super) fn size(self) -> usize {
        self.digits().div_ceil(2) as usize + 1 + usize::from(self.mantissa < 0)
    }

    fn digits(self) -> u32 {
        self.mantissa
            .unsigned_abs()
            .checked_ilog10()
            .map_or(0, |log| log + 1)
    }

    fn scaled_to(self, exponent: i32) -> Option<i128> {
        let power = 10_i128.checked_pow(u32::try_from(self.exponent - exponent).ok()?)?;
        self.mantissa.checked_mul(power)
    }

    fn normalised(mut self) -> Self {
        if self.mantissa == 0 {
            return Self::ZERO;
        }
        while self.mantissa % 10 == 0 {
            self.mantissa /= 10;
            self.exponent += 1;
        }
        self
    }

    /// The power of ten of the first digit.
    fn magnitude(self) -> i32 {
        self.digits() as i32 + self.exponent - 1
    }

    fn in_range(self) -> Result<Self, ApiError> {
        if self.digits() > MAX_DIGITS {
            return Err(invalid(
                "Attempting to store more than 38 significant digits in a Number",
            ));
        }
        if self.magnitude() > MAX_MAGNITUDE {
            return Err(invalid(
                "Number overflow. Attempting to store a number with magnitude larger than supported range",
            ));
        }
        if self.magnitude() < MIN_MAGNITUDE {
            return Err(invalid(
                "Number underflow. Attempting to store a number with magnitude smaller than supported range",
            ));
        }
        Ok(self)
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        let sign = self.mantissa.signum().cmp(&other.mantissa.signum());
        if sign.is_ne() || self.mantissa == 0 {
            return sign;
        }
        // Both are padded to 38 digits, so that the mantissas compare like the digits after the first.
        let padded = |number: &Self| {
            number.mantissa.unsigned_abs() * 10_u128.pow(MAX_DIGITS - number.digits())
        };
        let by_size = self
            .magnitude()
            .cmp(&other.magnitude())
            .then_with(|| padded(self).cmp(&padded(other)));
        if self.mantissa < 0 {
            by_size.reverse()
        } else {
            by_size
        }
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.mantissa < 0 { "-" } else { "" };
        let digits = self.mantissa.unsigned_abs().to_string();
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
        assert!(
            Number::parse("").is_err()
                && Number::parse("1x").is_err()
                && Number::parse(&"9".repeat(39)).is_err()
        );
        assert!(Number::parse("1e126").is_err() && Number::parse("1e-131").is_err());
    }

    #[test]
    fn numbers_compare_by_value() {
        let ordered = [
            "-1e30", "-10", "-9.5", "0", "0.001", "9", "10", "10.01", "1e30",
        ];
        for pair in ordered.windows(2) {
            assert!(number(pair[0]) < number(pair[1]), "{pair:?}");
        }
        assert_eq!(number("1.0"), number("1"));
    }

    #[test]
    fn sums_are_exact() {
        assert_eq!(number("0.1").plus(number("0.2")).unwrap(), number("0.3"));
        assert_eq!(number("5").minus(number("7")).unwrap().to_string(), "-2");
        assert_eq!(number("99").plus(number("1")).unwrap().to_string(), "100");
        assert!(number("1e100").plus(number("1")).is_err());
    }
}
