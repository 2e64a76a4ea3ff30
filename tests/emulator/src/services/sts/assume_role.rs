//! AssumeRole: temporary credentials of a session of a role.
//!
//! Source: <https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html>

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use serde_json::{Value, json};

use super::session_tags::SessionTags;
use super::{ERRORS, user_id};
use crate::accounts::account_of;
use crate::cloudformation::{Role, items};
use crate::iam::{self, Demand, Denial, Principal, Session};
use crate::protocol::query::Parameters;
use crate::protocol::xml::instant;
use crate::validation::{Quoted, TextConstraints, Violations};
use crate::{ApiError, Aws};

const MEMBERS: [&str; 7] = [
    "DurationSeconds",
    "ExternalId",
    "Policy",
    "RoleArn",
    "RoleSessionName",
    "Tags",
    "TransitiveTagKeys",
];

const DEFAULT_SECONDS: i64 = 3600;
const SECONDS: RangeInclusive<i64> = 900..=43_200;
/// The most for a caller that is itself a session of a role. Source:
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles.html#iam-term-role-chaining>
const CHAINED_SECONDS: i64 = 3600;

/// The pattern of ARNs takes what a request can have.
const ROLE_ARN: TextConstraints = TextConstraints::of_lengths(20..=2048);
const SESSION_NAME: TextConstraints = TextConstraints {
    lengths: 2..=64,
    pattern: "[\\w+=,.@-]*",
    others: "+=,.@-",
};
const EXTERNAL_ID: TextConstraints = TextConstraints {
    lengths: 2..=1224,
    pattern: "[\\w+=,.@:\\/-]*",
    others: "+=,.@:/-",
};
/// What a policy may have, a request has.
const POLICY: TextConstraints = TextConstraints::of_lengths(1..=2048);

struct AssumeRole<'a> {
    role: &'a str,
    session: &'a str,
    external_id: Option<&'a str>,
    policy: Option<Value>,
    seconds: i64,
    tags: SessionTags,
}

pub(super) fn assume_role(aws: &mut Aws, parameters: &Parameters) -> Result<Value, ApiError> {
    let given = AssumeRole::read(parameters)?;
    let inherited = match &aws.iam.principal {
        Principal::Session(session) => session.transitive_tags.clone(),
        Principal::Operator | Principal::Artifacts(_) => BTreeSet::new(),
    };
    let transitive_tags = given.tags.transitive_keys(&inherited)?;

    let role = assumed(aws, &given)?;
    let is_chained = aws.iam.principal != Principal::Operator;
    if is_chained && given.seconds > CHAINED_SECONDS {
        return Err(invalid(
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by \
             role chaining.",
        ));
    }
    if given.seconds > role.max_session_seconds {
        return Err(invalid(
            "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
        ));
    }

    let session = Session {
        role: role.arn,
        name: given.session.to_owned(),
        policy: given.policy,
        transitive_tags,
    };
    let home = account_of(&session.role).to_owned();
    Ok(aws.in_account(&home, |aws| issued(aws, session, given.seconds)))
}

/// The role of a request, if its caller may assume it, and with tags if it has some.
fn assumed(aws: &mut Aws, given: &AssumeRole<'_>) -> Result<Role, ApiError> {
    let mut demand =
        Demand::new("sts:AssumeRole", given.role).with("sts:RoleSessionName", given.session);
    if let Some(id) = given.external_id {
        demand = demand.with("sts:ExternalId", id);
    }
    let demand = given.tags.on(demand);
    let denied = |denial: Denial| ERRORS.denied(denial.message);

    let role = iam::assume(aws, &demand).map_err(denied)?;
    if !given.tags.is_empty() {
        let action = "sts:TagSession".to_owned();
        iam::assume(aws, &Demand { action, ..demand }).map_err(denied)?;
    }
    Ok(role)
}

/// The credentials of a session of a role of this account.
fn issued(aws: &mut Aws, session: Session, seconds: i64) -> Value {
    let user = json!({
        "AssumedRoleId": user_id(aws, &session),
        "Arn": session.arn(&aws.account),
    });
    let credentials = iam::issue(aws, session, seconds);
    json!({
        "Credentials": {
            "AccessKeyId": credentials.access_key_id,
            "SecretAccessKey": credentials.secret_access_key,
            "SessionToken": credentials.session_token,
            "Expiration": instant(credentials.expires),
        },
        "AssumedRoleUser": user,
    })
}

impl<'a> AssumeRole<'a> {
    fn read(parameters: &'a Parameters) -> Result<Self, ApiError> {
        // Of a list the name goes on with the place in it.
        let is_unknown = |name: &&String| {
            let member = name.split('.').next().unwrap_or_default();
            !MEMBERS.contains(&member)
        };
        if let Some(unknown) = parameters.keys().find(is_unknown) {
            return Err(invalid(format!(
                "the sandbox does not serve the member {unknown}"
            )));
        }

        let member = |name: &str| parameters.get(name).map(String::as_str);
        let (role, session) = (member("RoleArn"), member("RoleSessionName"));
        let (external_id, policy) = (member("ExternalId"), member("Policy"));
        let seconds = member("DurationSeconds").map_or(Ok(DEFAULT_SECONDS), seconds)?;

        let mut violations = Violations::default();
        check(&mut violations, "roleArn", role, &ROLE_ARN);
        check(&mut violations, "roleSessionName", session, &SESSION_NAME);
        if external_id.is_some() {
            check(&mut violations, "externalId", external_id, &EXTERNAL_ID);
        }
        if policy.is_some() {
            check(&mut violations, "policy", policy, &POLICY);
        }
        check_seconds(&mut violations, seconds);
        let tags = SessionTags::read(parameters, &mut violations);
        if let Some(message) = violations.message() {
            return Err(invalid(message));
        }

        let role = role.unwrap_or_default();
        check_role_arn(role)?;
        Ok(Self {
            role,
            session: session.unwrap_or_default(),
            external_id,
            policy: policy.map(session_policy).transpose()?,
            seconds,
            tags,
        })
    }
}

/// A policy that is passed to a session: statements with what they are about.
fn session_policy(text: &str) -> Result<Value, ApiError> {
    let malformed = |message: String| ApiError::client("MalformedPolicyDocument", message);
    let policy: Value =
        serde_json::from_str(text).map_err(|error| malformed(format!("invalid Json: {error}")))?;

    let statements = items(&policy["Statement"]);
    let has =
        |statement: &Value, names: [&str; 2]| names.iter().any(|name| !statement[*name].is_null());
    let is_whole = |statement: &Value| {
        ["Allow", "Deny"]
            .iter()
            .any(|effect| statement["Effect"] == *effect)
            && has(statement, ["Action", "NotAction"])
            && has(statement, ["Resource", "NotResource"])
    };
    if statements.is_empty() || !statements.iter().all(is_whole) {
        return Err(malformed("Syntax errors in policy.".to_owned()));
    }
    for statement in statements {
        iam::check_statement(statement).map_err(|unsupported| invalid(unsupported.to_string()))?;
    }
    Ok(policy)
}

fn seconds(text: &str) -> Result<i64, ApiError> {
    let malformed = |_| {
        let message = format!("{text} is not a number of seconds");
        ApiError::client("MalformedInput", message)
    };
    text.parse::<i32>().map(i64::from).map_err(malformed)
}

fn check(
    violations: &mut Violations,
    field: &str,
    value: Option<&str>,
    constraints: &TextConstraints,
) {
    match value {
        Some(text) => violations.check_text(field, text, constraints),
        None => violations.add(Quoted::Null, field, "Member must not be null"),
    }
}

fn check_seconds(violations: &mut Violations, seconds: i64) {
    let text = seconds.to_string();
    let value = Quoted::Text(&text);
    violations.check_bound("durationSeconds", value, "value", seconds, &SECONDS);
}

/// An ARN may be of another kind of thing, and a text may be no ARN.
fn check_role_arn(arn: &str) -> Result<(), ApiError> {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    match parts.as_slice() {
        ["arn", partition, "iam", "", _, resource]
            if !partition.is_empty() && resource.starts_with("role/") =>
        {
            Ok(())
        }
        ["arn", partition, service, _, _, resource]
            if !(partition.is_empty() || service.is_empty() || resource.is_empty()) =>
        {
            Err(invalid("Request ARN is invalid"))
        }
        _ => Err(invalid(format!("{arn} is invalid"))),
    }
}

fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::client("ValidationError", message)
}
