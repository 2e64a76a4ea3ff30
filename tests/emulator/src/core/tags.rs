//! Tags that no resource may have, for all services: how many there are, how long keys and values
//! are, their letters, keys that are AWS's own, and keys that are given twice.
//!
//! A service has its own codes, and its own words where a public source has them.
//!
//! Source:
//! <https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html>, and
//! what the API reference of each service has of tags.

use std::fmt::{self, Display};

use serde_json::Value;

use super::ApiError;
use super::text::camel_case;
use super::validation::{Quoted, TextConstraints, Violations};

/// The most tags of a resource.
pub(crate) const MOST: usize = 50;

const KEY: TextConstraints = TextConstraints::of_lengths(1..=128);
const MOST_VALUE_CHARS: usize = 256;

/// What keys and values have beside letters, digits and blanks.
const SIGNS: &str = "_.:/=+-@";

/// Keys of AWS's own begin so, in capitals too.
const RESERVED: &str = "aws:";

/// How a service names the members of a tag, and how it refuses tags.
pub(crate) struct TagRules {
    pub(crate) key: &'static str,
    pub(crate) value: &'static str,
    pub(crate) least_value_chars: usize,
    /// The error for a fault; nothing for one that the service does not look for.
    pub(crate) refuse: fn(TagFault) -> Option<ApiError>,
}

/// What is wrong with tags.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TagFault {
    TooMany,
    /// In the words of the framework in front of the services.
    Length(String),
    /// The key of a tag with other letters.
    Letters(String),
    /// A key that AWS has for itself.
    Reserved,
    /// The key of two tags.
    Repeated(String),
}

/// In words that are known of CloudFormation for a reserved key, and assumed otherwise.
impl Display for TagFault {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooMany => write!(to, "Tags can have at most {MOST} items."),
            Self::Length(message) => to.write_str(message),
            Self::Letters(key) => write!(
                to,
                "The tag {key} can have letters, digits, spaces and {SIGNS} only."
            ),
            Self::Reserved => {
                to.write_str("aws: prefixed tag key names are not allowed for external use.")
            }
            Self::Repeated(key) => write!(to, "Tag keys must be unique: {key}"),
        }
    }
}

impl TagRules {
    /// Refuses tags that no resource of the service may have.
    pub(crate) fn check(&self, tags: &[Value]) -> Result<(), ApiError> {
        let refused = self.faults(tags).into_iter().find_map(self.refuse);
        refused.map_or(Ok(()), Err)
    }

    fn faults(&self, tags: &[Value]) -> Vec<TagFault> {
        let mut faults = Vec::new();
        if tags.len() > MOST {
            faults.push(TagFault::TooMany);
        }
        faults.extend(self.lengths(tags).message().map(TagFault::Length));

        let key_of = |tag: &Value| tag[self.key].as_str().unwrap_or_default().to_owned();
        for (at, tag) in tags.iter().enumerate() {
            let key = key_of(tag);
            let value = tag[self.value].as_str().unwrap_or_default();
            if is_reserved(&key) {
                faults.push(TagFault::Reserved);
            }
            if !key.chars().chain(value.chars()).all(is_taken) {
                faults.push(TagFault::Letters(key.clone()));
            }
            if tags[..at].iter().any(|other| key_of(other) == key) {
                faults.push(TagFault::Repeated(key));
            }
        }
        faults
    }

    fn lengths(&self, tags: &[Value]) -> Violations {
        let mut violations = Violations::default();
        let values = TextConstraints::of_lengths(self.least_value_chars..=MOST_VALUE_CHARS);
        for (at, tag) in tags.iter().enumerate() {
            let field = |member| format!("tags.{}.member.{}", at + 1, camel_case(member));
            match tag[self.key].as_str() {
                Some(key) => violations.check_text(&field(self.key), key, &KEY),
                None => violations.add(Quoted::Null, &field(self.key), "Member must not be null"),
            }
            if let Some(value) = tag[self.value].as_str() {
                violations.check_text(&field(self.value), value, &values);
            }
        }
        violations
    }
}

/// Whether only AWS gives tags with this key.
pub(crate) fn is_reserved(key: &str) -> bool {
    let start = key.get(..RESERVED.len());
    start.is_some_and(|start| start.eq_ignore_ascii_case(RESERVED))
}

fn is_taken(letter: char) -> bool {
    let is_blank = letter.is_whitespace() && !letter.is_control();
    letter.is_alphanumeric() || is_blank || SIGNS.contains(letter)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{Aws, dynamodb, ecr, ecs, eventbridge};

    /// Creates something with tags; the members of a tag are named by the service.
    type Create = fn(&mut Aws, Value) -> Result<Value, ApiError>;

    fn cluster(aws: &mut Aws, tags: Value) -> Result<Value, ApiError> {
        let input = json!({"clusterName": "apps", "tags": tags});
        ecs::call(aws, "CreateCluster", &input)
    }

    fn definition(aws: &mut Aws, tags: Value) -> Result<Value, ApiError> {
        let container = json!({"name": "web", "image": "nginx", "memory": 128});
        let input = json!({"family": "web", "containerDefinitions": [container], "tags": tags});
        ecs::call(aws, "RegisterTaskDefinition", &input)
    }

    fn repository(aws: &mut Aws, tags: Value) -> Result<Value, ApiError> {
        let input = json!({"repositoryName": "web", "tags": tags});
        ecr::call(aws, "CreateRepository", &input)
    }

    fn rule(aws: &mut Aws, tags: Value) -> Result<Value, ApiError> {
        let pattern = r#"{"source": ["aws.ecr"]}"#;
        let input = json!({"Name": "pushes", "EventPattern": pattern, "Tags": tags});
        eventbridge::call(aws, "PutRule", &input)
    }

    fn table(aws: &mut Aws, tags: Value) -> Result<Value, ApiError> {
        let input = json!({
            "TableName": "ledger", "BillingMode": "PAY_PER_REQUEST",
            "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
            "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
            "Tags": tags,
        });
        dynamodb::call(aws, "CreateTable", &input)
    }

    /// What creates with tags, with the names of the members of a tag, and the codes for too many
    /// tags, a wrong length, and any other fault.
    const CREATES: [(Create, [&str; 2], [&str; 3]); 5] = [
        (cluster, ["key", "value"], ["InvalidParameterException"; 3]),
        (
            definition,
            ["key", "value"],
            ["InvalidParameterException"; 3],
        ),
        (
            repository,
            ["Key", "Value"],
            [
                "TooManyTagsException",
                "InvalidTagParameterException",
                "InvalidTagParameterException",
            ],
        ),
        (
            rule,
            ["Key", "Value"],
            [
                "LimitExceededException",
                "ValidationException",
                "ValidationException",
            ],
        ),
        (table, ["Key", "Value"], ["ValidationException"; 3]),
    ];

    #[test]
    fn tags_that_no_resource_may_have_are_refused_by_each_service() {
        for (create, [key, value], [too_many, length, other]) in CREATES {
            let tag = |of: &str, is: &str| json!({key: of, value: is});
            let refused = |tags: Vec<Value>| create(&mut Aws::new(1), json!(tags)).unwrap_err();

            let numbered = |count: usize| -> Vec<Value> {
                (0..count).map(|at| tag(&format!("key-{at}"), "")).collect()
            };
            create(&mut Aws::new(1), json!(numbered(50))).unwrap();
            assert_eq!(refused(numbered(51)).code, too_many);

            for wrong in [
                tag("", "x"),
                tag(&"k".repeat(129), "x"),
                tag("team", &"x".repeat(257)),
            ] {
                assert_eq!(refused(vec![wrong]).code, length);
            }
            for wrong in [
                vec![tag("aws:mine", "x")],
                vec![tag("AWS:mine", "x")],
                vec![tag("team#", "x")],
                vec![tag("team", "a\tb")],
                vec![tag("team", "a"), tag("team", "b")],
            ] {
                assert_eq!(refused(wrong.clone()).code, other, "{wrong:?}");
            }

            let most = tag(&"é".repeat(128), &"x".repeat(256));
            let right = [most, tag("awsome", "aws:x"), tag("a b_.:/=+-@", "")];
            create(&mut Aws::new(1), json!(right)).unwrap();
        }
    }

    #[test]
    fn lengths_are_refused_in_the_words_of_the_framework() {
        let tags = json!([{"Key": "team", "Value": "web"}, {"Key": "", "Value": ""}]);
        assert_eq!(
            rule(&mut Aws::new(1), tags).unwrap_err().message,
            "1 validation error detected: Value '' at 'tags.2.member.key' failed to satisfy \
             constraint: Member must have length greater than or equal to 1"
        );
    }
}
