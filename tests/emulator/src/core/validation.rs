//! Violated constraints, as the framework in front of the services words them.

use std::fmt::Display;
use std::ops::RangeInclusive;

use super::text::camel_case;

/// The value that violates a constraint, as messages quote it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Quoted<'a> {
    Null,
    Text(&'a str),
    /// A list or a map, which is not quoted.
    Omitted,
}

/// Collects the violations of a request.
#[derive(Debug, Default)]
pub(crate) struct Violations(Vec<String>);

impl Violations {
    pub(crate) fn add(&mut self, value: Quoted<'_>, field: &str, constraint: &str) {
        let value = match value {
            Quoted::Null => " null".to_owned(),
            Quoted::Text(text) => format!(" '{text}'"),
            Quoted::Omitted => String::new(),
        };
        self.0.push(format!(
            "Value{value} at '{field}' failed to satisfy constraint: {constraint}"
        ));
    }

    /// Adds what a text breaks of its constraints: its pattern, and then its length.
    pub(crate) fn check_text(&mut self, field: &str, text: &str, constraints: &TextConstraints) {
        let pattern = constraints.pattern;
        let is_taken = |letter: char| {
            letter.is_ascii_alphanumeric() || letter == '_' || constraints.others.contains(letter)
        };
        let is_missed = text.is_empty() && pattern.ends_with('+');
        if !pattern.is_empty() && (is_missed || !text.chars().all(is_taken)) {
            let constraint = format!("Member must satisfy regular expression pattern: {pattern}");
            self.add(Quoted::Text(text), field, &constraint);
        }
        let length = text.chars().count();
        self.check_bound(
            field,
            Quoted::Text(text),
            "length",
            length,
            &constraints.lengths,
        );
    }

    /// Adds the bound that a measure of a member breaks: its `length` or its `value`.
    pub(crate) fn check_bound<T: Display + PartialOrd>(
        &mut self,
        field: &str,
        value: Quoted<'_>,
        what: &str,
        measure: T,
        bounds: &RangeInclusive<T>,
    ) {
        let (least, most) = (bounds.start(), bounds.end());
        let constraint = if measure < *least {
            format!("Member must have {what} greater than or equal to {least}")
        } else if measure > *most {
            format!("Member must have {what} less than or equal to {most}")
        } else {
            return;
        };
        self.add(value, field, &constraint);
    }

    /// The message that names them all, if there are any.
    pub(crate) fn message(self) -> Option<String> {
        let count = self.0.len();
        let plural = if count == 1 { "" } else { "s" };
        let all = self.0.join("; ");
        (count > 0).then(|| format!("{count} validation error{plural} detected: {all}"))
    }
}

/// The constraints of a text.
#[derive(Debug)]
pub(crate) struct TextConstraints {
    pub(crate) lengths: RangeInclusive<usize>,
    /// Empty if it takes every text.
    pub(crate) pattern: &'static str,
    /// What the pattern takes beside letters, digits and `_`.
    pub(crate) others: &'static str,
}

impl TextConstraints {
    /// A text of any letters.
    pub(crate) const fn of_lengths(lengths: RangeInclusive<usize>) -> Self {
        Self {
            lengths,
            pattern: "",
            others: "",
        }
    }
}

/// The message of the one violation of a request.
pub(crate) fn violation(value: Quoted<'_>, field: &str, constraint: &str) -> String {
    let mut violations = Violations::default();
    violations.add(value, field, constraint);
    violations.message().unwrap_or_default()
}

/// The message for a required member that is absent.
pub(crate) fn missing(member: &str) -> String {
    violation(Quoted::Null, &camel_case(member), "Member must not be null")
}

/// The message for a word that an enumeration does not have.
pub(crate) fn not_in_enum(word: &str, member: &str, words: &[&str]) -> String {
    let constraint = enum_constraint(words);
    violation(Quoted::Text(word), &camel_case(member), &constraint)
}

pub(crate) fn enum_constraint(words: &[&str]) -> String {
    format!("Member must satisfy enum value set: [{}]", words.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_message_names_every_violation() {
        let mut violations = Violations::default();
        violations.add(Quoted::Text("x"), "limit", "Member must be a number");
        violations.add(Quoted::Omitted, "tags", "Member must not be empty");

        assert_eq!(
            violations.message().unwrap(),
            "2 validation errors detected: Value 'x' at 'limit' failed to satisfy constraint: \
             Member must be a number; Value at 'tags' failed to satisfy constraint: Member must \
             not be empty"
        );
        assert_eq!(Violations::default().message(), None);
        assert_eq!(
            missing("RoleName"),
            "1 validation error detected: Value null at 'roleName' failed to satisfy constraint: \
             Member must not be null"
        );
    }
}
