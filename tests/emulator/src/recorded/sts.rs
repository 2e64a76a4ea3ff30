//! STS.

use serde_json::Value;

use super::left_out::{Lack, LeftOut, Sign};
use super::{Returned, judge};
use crate::iam::{Principal, Session};
use crate::protocol::Protocol;
use crate::services::sts::tests::{ROLE, account};
use crate::{ApiError, Aws, service};

const LEFT_OUT: &[LeftOut] = &[
    (Sign::Member("Role"), Lack::Operation("iam", "CreateRole")),
    (
        Sign::Member("RoleSessionName"),
        Lack::Other("what the test chose, not a response"),
    ),
    (
        Sign::Operation,
        Lack::Operation("sts", "GetFederationToken"),
    ),
];

fn assume(role: &str, session: &str) -> Result<Value, ApiError> {
    let members = [("RoleArn", role), ("RoleSessionName", session)];
    call(&mut account(3600), &members)
}

/// A session that requests these tags, of which it passes some on.
fn tagged(aws: &mut Aws, tags: &[(&str, &str)], transitive: &str) -> Result<Value, ApiError> {
    let mut members = vec![
        ("RoleArn".to_owned(), ROLE),
        ("RoleSessionName".to_owned(), "Session2"),
    ];
    for (index, (key, value)) in tags.iter().enumerate() {
        members.push((format!("Tags.member.{}.Key", index + 1), *key));
        members.push((format!("Tags.member.{}.Value", index + 1), *value));
    }
    if !transitive.is_empty() {
        members.push(("TransitiveTagKeys.member.1".to_owned(), transitive));
    }
    let members: Vec<(&str, &str)> = members
        .iter()
        .map(|(name, value)| (name.as_str(), *value))
        .collect();
    call(aws, &members)
}

fn tags(answers: &mut Returned) {
    let aws = &mut account(3600);
    let one = ("SessionTag1", "SessionValue1");
    let test = "test_assume_role_tag_validation";
    let other = tagged(aws, &[one], "InvalidKey");
    answers.add(test, "invalid-transitive-tag-keys", other);
    let both = tagged(aws, &[one, ("sessiontag1", "SessionValue2")], "sessiontag1");
    answers.add(test, "duplicate-tag-keys-different-casing", both);

    aws.iam.principal = Principal::Session(Session {
        transitive_tags: ["sessiontag1".to_owned()].into(),
        ..Session::of(ROLE, "Session1")
    });
    let test = "test_iam_role_chaining_override_transitive_tags";
    for (entry, key) in [
        ("override-transitive-tag-error", "SessionTag1"),
        ("override-transitive-tag-case-ignore-error", "sessiontag1"),
    ] {
        answers.add(test, entry, tagged(aws, &[(key, "SessionValue2")], ""));
    }
}

fn call(aws: &mut Aws, members: &[(&str, &str)]) -> Result<Value, ApiError> {
    let service = service::find("sts").expect("a service of the emulator");
    let Protocol::Query(query) = &service.protocol else {
        panic!("STS speaks the query protocol");
    };
    let members = members
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    (query.call)(aws, "AssumeRole", &members.collect())
}

#[test]
fn sessions_are_those_of_aws() {
    let mut answers = Returned::default();
    answers.add(
        "test_assume_role",
        "assume-role",
        assume(ROLE, "the-session"),
    );
    for (entry, role) in [
        ("malformed-arn", "nothing-valid-in-here"),
        ("no-partition", "arn::b:::something/test-role"),
        ("no-service", "arn:a::::something/test-role"),
        ("not-enough-colons", "arn:a:::something/test-role"),
        ("no-resource", "arn:a:a::aaaaaaaaaa:"),
    ] {
        let answer = assume(role, "the-session");
        answers.add("test_sts_invalid_parameters", entry, answer);
    }
    answers.add(
        "test_sts_invalid_parameters",
        "invalid-session-name",
        assume(ROLE, "Session1:2"),
    );
    tags(&mut answers);
    judge("sts/test_sts.snapshot.json", &answers, LEFT_OUT);
}
