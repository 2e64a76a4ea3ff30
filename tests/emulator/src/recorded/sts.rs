//! STS.

use serde_json::Value;

use super::{Returned, judge};
use crate::protocol::Protocol;
use crate::services::sts::tests::{ROLE, account};
use crate::{ApiError, service};

const LEFT_OUT: [(&str, &str); 5] = [
    ("*/create-role", "CreateRole; roles are made by stacks"),
    ("*/role-session-name", "what the test chose"),
    ("test_get_federation_token", "GetFederationToken"),
    ("test_assume_role_tag_validation", "session tags"),
    (
        "test_iam_role_chaining_override_transitive_tags",
        "session tags",
    ),
];

fn assume(role: &str, session: &str) -> Result<Value, ApiError> {
    let service = service::find("sts").expect("a service of the emulator");
    let Protocol::Query(query) = &service.protocol else {
        panic!("STS speaks the query protocol");
    };
    let members = [("RoleArn", role), ("RoleSessionName", session)];
    let members = members.map(|(name, value)| (name.to_owned(), value.to_owned()));
    (query.call)(&mut account(3600), "AssumeRole", &members.into())
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
    judge("sts/test_sts.snapshot.json", &answers, &LEFT_OUT);
}
