//! Entries that are not compared, by what they need and the emulator lacks.
//!
//! A snapshot has responses only, so what a request needed is seen by its response, or else by the
//! names of the entry and its test. Each rule lasts as long as the lack: one that names an
//! operation or a type of resources fails as soon as it is served, and any rule when it excludes
//! nothing.

use serde_json::{Value, json};

use super::is_named;
use crate::protocol::Protocol;
use crate::protocol::query::Parameters;
use crate::{Aws, cloudformation, service};

/// Which entries are not compared, and why.
pub(super) type LeftOut = (Sign, Lack);

/// By what an entry is known.
#[derive(Clone, Copy, Debug)]
pub(super) enum Sign {
    /// Its name begins with that of the operation that it lacks, however the name is written.
    Operation,
    /// Its name, with `*` for anything.
    Entry(&'static str),
    /// The name of its test, with `*` for anything.
    Test(&'static str),
    /// A part of the parameters of its test.
    Parameter(&'static str),
    /// A member of the response.
    Member(&'static str),
    /// A part of the response in JSON, with `*` for anything.
    Holds(&'static str),
    /// As `Holds`, without another part.
    HoldsWithout(&'static str, &'static str),
}

/// What an entry needs.
#[derive(Clone, Copy, Debug)]
pub(super) enum Lack {
    /// An operation, of the service that signatures name so.
    Operation(&'static str, &'static str),
    /// A type of resources in templates.
    Resource(&'static str),
    /// Anything else, in words.
    Other(&'static str),
}

impl Sign {
    fn is_of(self, lack: Lack, [test, entry]: [&str; 2], recorded: &Value) -> bool {
        match (self, lack) {
            (Self::Operation, Lack::Operation(_, operation)) => {
                let letters = entry.chars().filter(|letter| !"-_ ".contains(*letter));
                let name: String = letters.collect();
                name.to_lowercase().starts_with(&operation.to_lowercase())
            }
            (Self::Operation, _) => false,
            (Self::Entry(name), _) => is_named(name, entry),
            (Self::Test(name), _) => is_named(name, test),
            (Self::Parameter(part), _) => {
                let parameters = test.split_once('[').map(|(_, rest)| rest);
                parameters.is_some_and(|all| all.contains(part))
            }
            (Self::Member(name), _) => recorded.get(name).is_some(),
            (Self::Holds(part), _) => holds(recorded, part),
            (Self::HoldsWithout(part, other), _) => {
                holds(recorded, part) && !holds(recorded, other)
            }
        }
    }
}

/// Whether the response has the parts between `*`, one after the other.
fn holds(recorded: &Value, parts: &str) -> bool {
    let text = recorded.to_string();
    let mut rest = text.as_str();
    parts.split('*').all(|part| match rest.split_once(part) {
        Some((_, after)) => {
            rest = after;
            true
        }
        None => false,
    })
}

impl Lack {
    /// Whether the emulator serves it now.
    fn is_served(self) -> bool {
        match self {
            Self::Operation(service, operation) => is_served(service, operation),
            Self::Resource(kind) => cloudformation::makes(kind),
            // An empty text is not a lack.
            Self::Other(lack) => lack.is_empty(),
        }
    }
}

fn is_served(service: &str, operation: &str) -> bool {
    let Some(service) = service::find(service) else {
        return false;
    };
    let aws = &mut Aws::new(1);
    let input = json!({});
    let answer = match &service.protocol {
        Protocol::Json(json) => json.run(aws, operation, &input),
        Protocol::Cbor(cbor) => (cbor.call)(aws, operation, &input),
        Protocol::Query(query) => (query.call)(aws, operation, &Parameters::new()),
        Protocol::Rest(_) => panic!("{operation}: a path of HTTP is a lack in words"),
    };
    answer.map_or_else(|error| error.code != "UnknownOperationException", |_| true)
}

/// The rules that leave an entry of a test out, by their places.
pub(super) fn fitting(rules: &[LeftOut], names: [&str; 2], recorded: &Value) -> Vec<usize> {
    let all = rules.iter().enumerate();
    let fitting = all.filter(|(_, (sign, lack))| sign.is_of(*lack, names, recorded));
    fitting.map(|(place, _)| place).collect()
}

/// The rules whose reason is gone.
pub(super) fn outdated(rules: &[LeftOut]) -> Vec<String> {
    let served = rules.iter().filter(|(_, lack)| lack.is_served());
    served
        .map(|rule| format!("{rule:?}: it is served, so compare what needs it"))
        .collect()
}

#[test]
fn a_rule_is_outdated_when_its_operation_or_resource_is_served() {
    for (lack, is_outdated) in [
        (Lack::Operation("events", "PutRule"), true),
        (Lack::Operation("events", "CreateEventBus"), false),
        (Lack::Operation("monitoring", "GetMetricData"), true),
        (Lack::Operation("cloudformation", "DescribeStacks"), true),
        (Lack::Operation("sqs", "ReceiveMessage"), false),
        (Lack::Resource("AWS::CDK::Metadata"), true),
        (Lack::Resource("AWS::SNS::Topic"), false),
        (Lack::Other("a waiter"), false),
    ] {
        let rules = [(Sign::Test("*"), lack)];
        assert_eq!(!outdated(&rules).is_empty(), is_outdated, "{lack:?}");
    }
}

#[test]
fn an_entry_is_known_by_its_names_and_its_response() {
    let recorded = json!({"RuleArn": "arn:rule/<bus>/<rule>", "Tags": []});
    let names = ["test_rules[custom-1]", "describe-rule-after"];
    let lack = Lack::Operation("events", "DescribeRule");
    for (sign, is_of) in [
        (Sign::Operation, true),
        (Sign::Entry("describe*"), true),
        (Sign::Entry("describe"), false),
        (Sign::Test("test_rules*"), true),
        (Sign::Parameter("custom"), true),
        (Sign::Parameter("rules"), false),
        (Sign::Member("Tags"), true),
        (Sign::Member("arn"), false),
        (Sign::Holds(":rule/<*>/<"), true),
        (Sign::Holds("<rule*<bus"), false),
        (Sign::HoldsWithout("RuleArn", "Targets"), true),
        (Sign::HoldsWithout("RuleArn", "Tags"), false),
    ] {
        assert_eq!(sign.is_of(lack, names, &recorded), is_of, "{sign:?}");
    }
    let other = Lack::Operation("events", "DescribeEventBus");
    assert!(!Sign::Operation.is_of(other, names, &recorded));
}
