//! The Condition element of a statement. Operators and keys that the sandbox does not know are
//! refused: to ignore one could allow what AWS denies.

use serde_json::Value;

use super::pattern::{arn_like, wildcard};
use super::policy::{Demand, Unsupported};
use crate::cloudformation::items;

type Compare = fn(&str, &str) -> bool;

/// Operators that compare: how, and whether they negate the result.
const COMPARISONS: [(&str, Compare, bool); 11] = [
    ("StringEquals", equal, false),
    ("StringNotEquals", equal, true),
    ("StringEqualsIgnoreCase", equal_ignoring_case, false),
    ("StringNotEqualsIgnoreCase", equal_ignoring_case, true),
    ("StringLike", wildcard, false),
    ("StringNotLike", wildcard, true),
    ("Bool", equal_ignoring_case, false),
    ("ArnEquals", arn_like, false),
    ("ArnLike", arn_like, false),
    ("ArnNotEquals", arn_like, true),
    ("ArnNotLike", arn_like, true),
];

/// Condition keys that the sandbox fills in, in lower case; after the last slash of a key comes the
/// key of a tag. `aws:SourceAccount` and `aws:SourceArn` are there only when a service calls.
const KEYS: [&str; 22] = [
    "application-autoscaling:scalable-dimension",
    "application-autoscaling:service-namespace",
    "aws:principalaccount",
    "aws:principalarn",
    "aws:requesttag/",
    "aws:resourcetag/",
    "aws:securetransport",
    "aws:sourceaccount",
    "aws:sourcearn",
    "cloudwatch:namespace",
    "ecs:cluster",
    "ecs:createaction",
    "ecs:resourcetag/",
    "ecs:task-definition",
    "elasticloadbalancing:resourcetag/",
    "iam:passedtoservice",
    "iam:resourcetag/",
    "lambda:sourcefunctionarn",
    "secretsmanager:resourcetag/",
    "ssm:resourcetag/",
    "sts:externalid",
    "sts:rolesessionname",
];

/// Condition keys with several values, which only a set operator compares.
const SETS: [&str; 4] = [
    "dynamodb:leadingkeys",
    "route53:changeresourcerecordsetsactions",
    "route53:changeresourcerecordsetsnormalizedrecordnames",
    "route53:changeresourcerecordsetsrecordtypes",
];

/// How many values of a key must match.
#[derive(Clone, Copy)]
enum Quantifier {
    /// Every one: it holds without any.
    All,
    /// At least one.
    Any,
}

enum Operator {
    /// Whether the key is absent.
    Null,
    Compare {
        matches: Compare,
        negated: bool,
        if_exists: bool,
    },
}

/// Whether all conditions hold. A statement without any holds always.
pub(super) fn holds(conditions: &Value, demand: &Demand) -> Result<bool, Unsupported> {
    let mut all = true;
    for (word, keys) in conditions.as_object().into_iter().flatten() {
        let (quantifier, operator) = Quantifier::split(word);
        let operator = Operator::parse(operator)?;
        for (key, wanted) in keys.as_object().into_iter().flatten() {
            let wanted: Vec<String> = items(wanted).iter().map(text).collect::<Result<_, _>>()?;
            let lower = key.to_ascii_lowercase();
            let is_set = SETS.contains(&lower.as_str());
            all &= match quantifier {
                None if !is_set => {
                    let found = demand.context.get(&known(key)?).map(String::as_str);
                    operator.holds(found, &wanted)
                }
                None if matches!(operator, Operator::Null) => {
                    let found = demand.sets.get(&lower).and_then(|all| all.first());
                    operator.holds(found.map(String::as_str), &wanted)
                }
                Some(quantifier) if is_set => {
                    let found = demand.sets.get(&lower).map_or(&[][..], Vec::as_slice);
                    quantifier.holds(&operator, found, &wanted)
                }
                _ => {
                    return Err(Unsupported(format!("the operator {word} of the key {key}")));
                }
            };
        }
    }
    Ok(all)
}

impl Quantifier {
    /// The set operator of a condition operator, and the rest of it.
    fn split(word: &str) -> (Option<Self>, &str) {
        match word.split_once(':') {
            Some(("ForAllValues", rest)) => (Some(Self::All), rest),
            Some(("ForAnyValue", rest)) => (Some(Self::Any), rest),
            _ => (None, word),
        }
    }

    fn holds(self, operator: &Operator, found: &[String], wanted: &[String]) -> bool {
        let mut matches = found
            .iter()
            .map(|value| operator.holds(Some(value), wanted));
        match self {
            Self::All => matches.all(|it| it),
            Self::Any => matches.any(|it| it),
        }
    }
}

impl Operator {
    fn parse(word: &str) -> Result<Self, Unsupported> {
        if word == "Null" {
            return Ok(Self::Null);
        }

        let (name, if_exists) = word
            .strip_suffix("IfExists")
            .map_or((word, false), |name| (name, true));
        match COMPARISONS.iter().find(|(known, ..)| *known == name) {
            Some((_, matches, negated)) => Ok(Self::Compare {
                matches: *matches,
                negated: *negated,
                if_exists,
            }),
            None => Err(Unsupported(format!("the condition operator {word}"))),
        }
    }

    /// Several wanted values are alternatives; for a negated operator none of them may match. A key
    /// that is absent matches nothing, so that a negated operator holds.
    fn holds(&self, found: Option<&str>, wanted: &[String]) -> bool {
        match (self, found) {
            (Self::Null, _) => wanted
                .iter()
                .any(|absent| absent.eq_ignore_ascii_case("true") == found.is_none()),
            (
                Self::Compare {
                    negated, if_exists, ..
                },
                None,
            ) => *negated || *if_exists,
            (
                Self::Compare {
                    matches, negated, ..
                },
                Some(found),
            ) => wanted.iter().any(|pattern| matches(pattern, found)) != *negated,
        }
    }
}

fn known(key: &str) -> Result<String, Unsupported> {
    let key = key.to_ascii_lowercase();
    let is_known = |known: &&str| {
        if known.ends_with('/') {
            key.starts_with(*known)
        } else {
            key == **known
        }
    };

    if KEYS.iter().any(is_known) {
        Ok(key)
    } else {
        Err(Unsupported(format!("the condition key {key}")))
    }
}

fn text(value: &Value) -> Result<String, Unsupported> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        _ => return Err(Unsupported(format!("the condition value {value}"))),
    };
    super::policy::without_variables(&text)?;
    Ok(text)
}

fn equal(wanted: &str, found: &str) -> bool {
    wanted == found
}

fn equal_ignoring_case(wanted: &str, found: &str) -> bool {
    wanted.eq_ignore_ascii_case(found)
}
