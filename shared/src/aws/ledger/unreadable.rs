//! Items of the ledger that this version cannot read, and what they may still name.
//!
//! Never assumes that an item names nothing: what is not text may name anything.

use aws_sdk_dynamodb::types::AttributeValue;

use super::item::{Item, sort_key};
use crate::aws::AwsError;
use crate::observed::service::revision;

/// An item that cannot be read, and why.
#[derive(Clone, Debug)]
pub struct Unreadable {
    pub error: AwsError,
    item: Item,
}

impl Unreadable {
    pub(super) fn new(error: AwsError, item: Item) -> Self {
        Self { error, item }
    }

    /// The cluster of a lease, by its key.
    #[must_use]
    pub fn cluster(&self) -> Option<String> {
        let key = sort_key(&self.item);
        let (cluster, _) = key.split_once('/')?;
        Some(cluster.to_owned())
    }

    /// Whether the item may use the revision of an ARN: one of its texts contains that ARN, or
    /// `family:revision`.
    #[must_use]
    pub fn may_name(&self, arn: &str) -> bool {
        may_hold(&AttributeValue::M(self.item.clone()), revision(arn))
    }
}

fn may_hold(value: &AttributeValue, revision: &str) -> bool {
    match value {
        AttributeValue::S(text) | AttributeValue::N(text) => names(text, revision),
        AttributeValue::Ss(all) | AttributeValue::Ns(all) => {
            all.iter().any(|text| names(text, revision))
        }
        AttributeValue::L(all) => all.iter().any(|value| may_hold(value, revision)),
        AttributeValue::M(all) => all
            .iter()
            .any(|(name, value)| names(name, revision) || may_hold(value, revision)),
        AttributeValue::Bool(_) | AttributeValue::Null(_) => false,
        _ => true,
    }
}

/// Whether a text has `family:revision` in it, and not as a part of a longer name or number.
fn names(text: &str, revision: &str) -> bool {
    let is_of_name = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    text.match_indices(revision).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + revision.len()..].chars().next();
        !before.is_some_and(is_of_name) && !after.is_some_and(|c| c.is_ascii_digit())
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use aws_sdk_dynamodb::primitives::Blob;

    use super::*;

    const ARN: &str = "arn:aws:ecs:eu-west-1:111122223333:task-definition/web:3";

    fn text(text: &str) -> AttributeValue {
        AttributeValue::S(text.to_owned())
    }

    fn may_name(value: AttributeValue) -> bool {
        let item = HashMap::from([
            ("sk".to_owned(), text("apps/web")),
            ("v".to_owned(), AttributeValue::N("2".to_owned())),
            ("later".to_owned(), value),
        ]);
        let unreadable = Unreadable::new(AwsError::unexpected("dynamodb:Query", "v"), item);
        assert_eq!(unreadable.cluster().as_deref(), Some("apps"));
        unreadable.may_name(ARN)
    }

    #[test]
    fn a_revision_is_named_by_its_arn_or_by_family_and_number_wherever_it_is() {
        let map = |name: &str, value: AttributeValue| {
            AttributeValue::M(HashMap::from([(name.to_owned(), value)]))
        };
        for value in [
            text(ARN),
            text("web:3"),
            text(r#"{"registered": "web:3"}"#),
            map("release", AttributeValue::L(vec![text("api:1"), text(ARN)])),
            map("web:3", AttributeValue::Bool(true)),
            AttributeValue::Ss(vec![ARN.to_owned()]),
            AttributeValue::B(Blob::new("x")),
        ] {
            assert!(may_name(value.clone()), "{value:?}");
        }
        for value in [
            text("web:30"),
            text("internal-web:3"),
            text("api:3"),
            AttributeValue::N("3".to_owned()),
            AttributeValue::Null(true),
        ] {
            assert!(!may_name(value.clone()), "{value:?}");
        }
    }
}
