//! The user parameter `record`: the two weighted records that route the traffic of a pair, in place
//! of a listener rule.

use std::fmt;

use schemars::JsonSchema;
use serde::Deserialize;
use slipway::job::Failure;
use slipway::observed::colour::PerColour;
use slipway::observed::record::RecordKey;

/// Longest id of a hosted zone and longest name (Route 53 API: ListResourceRecordSets), and longest
/// set identifier (Route 53 API: ResourceRecordSet).
const ZONE_CHARS: usize = 32;
const RECORD_NAME_CHARS: usize = 255;
const IDENTIFIER_CHARS: usize = 128;

/// Two weighted records of one name and type.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordParameters {
    /// Id of the hosted zone.
    pub zone: String,
    /// Name of both records, such as `shop.example.com`.
    pub name: String,
    #[serde(rename = "type")]
    pub kind: RecordType,
    /// Set identifier of the blue service's record; `blue` when not given.
    pub blue: Option<String>,
    /// Set identifier of the green service's record; `green` when not given.
    pub green: Option<String>,
}

/// The types of records that lead to a load balancer.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
pub enum RecordType {
    #[serde(rename = "A")]
    A,
    #[serde(rename = "AAAA")]
    Aaaa,
    #[serde(rename = "CNAME")]
    Cname,
}

impl fmt::Display for RecordType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::A => "A",
            Self::Aaaa => "AAAA",
            Self::Cname => "CNAME",
        })
    }
}

impl RecordParameters {
    pub(crate) fn validate(&self) -> Result<(), Failure> {
        let is_zone = |letter: char| letter.is_ascii_uppercase() || letter.is_ascii_digit();
        check_field(
            ("record.zone", &self.zone),
            (1..=ZONE_CHARS).contains(&self.zone.len()) && self.zone.chars().all(is_zone),
            "the id of a hosted zone, such as Z0123456789ABCDEFGHIJ",
        )?;
        let is_name = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
        check_field(
            ("record.name", &self.name),
            (1..=RECORD_NAME_CHARS).contains(&self.name.len())
                && self.name.chars().all(is_name)
                && self.name.trim_end_matches('.').contains('.'),
            "the name of both records, such as shop.example.com, without a wildcard",
        )?;

        let identifiers = self.identifiers();
        for (field, identifier) in [
            ("record.blue", &identifiers.blue),
            ("record.green", &identifiers.green),
        ] {
            check_field(
                (field, identifier),
                (1..=IDENTIFIER_CHARS).contains(&identifier.chars().count()),
                "a set identifier of 1 to 128 characters",
            )?;
        }
        check_field(
            ("record.green", &identifiers.green),
            identifiers.blue != identifiers.green,
            "another set identifier than the blue service's",
        )
    }

    fn identifiers(&self) -> PerColour<String> {
        let or = |given: &Option<String>, default: &str| {
            given.clone().unwrap_or_else(|| default.to_owned())
        };
        PerColour {
            blue: or(&self.blue, "blue"),
            green: or(&self.green, "green"),
        }
    }

    /// Where the records are, with the name as Route 53 lists it.
    pub(crate) fn key(&self) -> RecordKey {
        let name = self.name.to_ascii_lowercase();
        RecordKey {
            zone: self.zone.clone(),
            name: format!("{}.", name.trim_end_matches('.')),
            kind: self.kind.to_string(),
            identifiers: self.identifiers(),
        }
    }
}

fn check_field(
    (field, found): (&str, &str),
    is_valid: bool,
    expected: &str,
) -> Result<(), Failure> {
    if is_valid {
        return Ok(());
    }
    Err(Failure::configuration(format!(
        "`{field}` is `{found}`; expected {expected}"
    )))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn parsed(more: Value) -> RecordParameters {
        let mut all = json!({"zone": "Z1", "name": "Shop.example.com", "type": "A"});
        let more = more.as_object().expect("an object").clone();
        all.as_object_mut().expect("an object").extend(more);
        serde_json::from_value(all).expect("parameters")
    }

    #[test]
    fn a_record_has_its_normalized_name_and_the_identifiers_of_its_colours() {
        let key = parsed(json!({})).key();
        assert_eq!(key.name, "shop.example.com.");
        assert_eq!(key.kind, "A");
        assert_eq!(key.identifiers.as_array(), ["blue", "green"]);

        let given =
            json!({"name": "shop.example.com.", "blue": "a", "green": "b", "type": "CNAME"});
        let key = parsed(given).key();
        assert_eq!(key.name, "shop.example.com.");
        assert_eq!(key.kind, "CNAME");
        assert_eq!(key.identifiers.as_array(), ["a", "b"]);
    }

    #[test]
    fn what_cannot_be_a_record_is_refused_by_its_field() {
        assert_eq!(parsed(json!({})).validate(), Ok(()));

        for (more, start) in [
            (
                json!({"zone": "/hostedzone/Z1"}),
                "`record.zone` is `/hostedzone/Z1`; expected ",
            ),
            (
                json!({"name": "*.example.com"}),
                "`record.name` is `*.example.com`; expected ",
            ),
            (
                json!({"name": "com."}),
                "`record.name` is `com.`; expected ",
            ),
            (
                json!({"blue": ""}),
                "`record.blue` is ``; expected a set identifier",
            ),
            (
                json!({"green": "blue"}),
                "`record.green` is `blue`; expected another",
            ),
        ] {
            let failure = parsed(more).validate().expect_err(start);
            assert!(failure.message.starts_with(start), "{}", failure.message);
        }
    }

    #[test]
    fn each_part_of_a_record_is_as_long_as_route_53_takes_it() {
        let name = |chars: usize| format!("{}.com", "a".repeat(chars - ".com".len()));
        for more in [
            json!({"zone": "Z".repeat(32)}),
            json!({"name": name(255)}),
            json!({"blue": "b".repeat(128), "green": "g".repeat(128)}),
        ] {
            assert_eq!(parsed(more.clone()).validate(), Ok(()), "{more}");
        }

        for (more, field) in [
            (json!({"zone": ""}), "`record.zone` is ``; "),
            (json!({"zone": "z1"}), "`record.zone` is `z1`; "),
            (json!({"zone": "Z".repeat(33)}), "`record.zone` is `ZZ"),
            (json!({"name": name(256)}), "`record.name` is `aa"),
            (json!({"name": "shop"}), "`record.name` is `shop`; "),
            (json!({"blue": "b".repeat(129)}), "`record.blue` is `bb"),
            (json!({"green": "g".repeat(129)}), "`record.green` is `gg"),
        ] {
            let failure = parsed(more).validate().expect_err(field);
            assert!(failure.message.starts_with(field), "{}", failure.message);
        }
    }

    #[test]
    fn each_type_of_record_has_its_own_name() {
        for kind in ["A", "AAAA", "CNAME"] {
            assert_eq!(parsed(json!({ "type": kind })).key().kind, kind);
        }
    }
}
