//! STS.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Answers, judge};
use crate::cloudformation::Role;
use crate::protocol::Protocol;
use crate::{ApiError, Aws, service};

const ROLE: &str = "arn:aws:iam::111122223333:role/deploy";

const LEFT_OUT: [(&str, &str); 3] = [
    ("*/create-role", "CreateRole; roles are made by stacks"),
    ("*/role-session-name", "what the test chose"),
    ("*", "GetFederationToken; session tags"),
];

/// An account with a role that the account may assume.
fn account() -> Aws {
    let mut aws = Aws::new(1);
    let trust = json!({"Statement": {
        "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "111122223333"},
    }});
    aws.cloudformation.iam.put(Role {
        id: "AROADEPLOY".to_owned(),
        name: "deploy".to_owned(),
        arn: ROLE.to_owned(),
        path: "/".to_owned(),
        trust,
        managed_policies: Vec::new(),
        policies: BTreeMap::new(),
        max_session_seconds: 3600,
        boundary: None,
        tags: BTreeMap::new(),
    });
    aws
}

fn assume(role: &str, session: &str) -> Result<Value, ApiError> {
    let service = service::find("sts").expect("a service of the emulator");
    let Protocol::Query(query) = &service.protocol else {
        panic!("STS speaks the query protocol");
    };
    let members = [("RoleArn", role), ("RoleSessionName", session)];
    let members = members.map(|(name, value)| (name.to_owned(), value.to_owned()));
    (query.call)(&mut account(), "AssumeRole", &members.into())
}

#[test]
fn sessions_are_those_of_aws() {
    let mut answers = Answers::default();
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
