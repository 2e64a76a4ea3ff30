//! AssumeRole: temporary credentials of a session of a role.
//!
//! Source: <https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html>

use std::fmt::Display;
use std::ops::RangeInclusive;

use serde_json::{Value, json};

use super::{ERRORS, user_id};
use crate::accounts::account_of;
use crate::iam::{self, Demand, Principal, Session};
use crate::protocol::query::Parameters;
use crate::protocol::xml::instant;
use crate::validation::{Quoted, Violations};
use crate::{ApiError, Aws};

const MEMBERS: [&str; 4] = [
    "DurationSeconds",
    "ExternalId",
    "RoleArn",
    "RoleSessionName",
];

const DEFAULT_SECONDS: i64 = 3600;
const SECONDS: RangeInclusive<i64> = 900..=43_200;
/// The most for a caller that is itself a session of a role. Source:
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles.html#iam-term-role-chaining>
const CHAINED_SECONDS: i64 = 3600;

/// The constraints of a text.
struct Constraints {
    lengths: RangeInclusive<usize>,
    pattern: &'static str,
    /// What it takes beside letters, digits and `_`.
    others: &'static str,
}

/// The pattern of ARNs takes what a request can have.
const ROLE_ARN: Constraints = Constraints {
    lengths: 20..=2048,
    pattern: "",
    others: "",
};
const SESSION_NAME: Constraints = Constraints {
    lengths: 2..=64,
    pattern: "[\\w+=,.@-]*",
    others: "+=,.@-",
};
const EXTERNAL_ID: Constraints = Constraints {
    lengths: 2..=1224,
    pattern: "[\\w+=,.@:\\/-]*",
    others: "+=,.@:/-",
};

struct AssumeRole<'a> {
    role: &'a str,
    session: &'a str,
    external_id: Option<&'a str>,
    seconds: i64,
}

pub(super) fn assume_role(aws: &mut Aws, parameters: &Parameters) -> Result<Value, ApiError> {
    let given = AssumeRole::read(parameters)?;
    let mut demand =
        Demand::new("sts:AssumeRole", given.role).with("sts:RoleSessionName", given.session);
    if let Some(id) = given.external_id {
        demand = demand.with("sts:ExternalId", id);
    }

    let role = iam::assume(aws, &demand).map_err(|denial| ERRORS.denied(denial.message))?;
    let is_chained = aws.iam.principal != Principal::Person;
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
    };
    let home = account_of(&session.role).to_owned();
    Ok(aws.in_account(&home, |aws| issued(aws, session, given.seconds)))
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
        let is_unknown = |name: &&String| !MEMBERS.contains(&name.as_str());
        if let Some(unknown) = parameters.keys().find(is_unknown) {
            return Err(invalid(format!(
                "the sandbox does not serve the member {unknown}"
            )));
        }

        let member = |name: &str| parameters.get(name).map(String::as_str);
        let (role, session) = (member("RoleArn"), member("RoleSessionName"));
        let external_id = member("ExternalId");
        let seconds = member("DurationSeconds").map_or(Ok(DEFAULT_SECONDS), seconds)?;

        let mut violations = Violations::default();
        check(&mut violations, "roleArn", role, &ROLE_ARN);
        check(&mut violations, "roleSessionName", session, &SESSION_NAME);
        if external_id.is_some() {
            check(&mut violations, "externalId", external_id, &EXTERNAL_ID);
        }
        check_seconds(&mut violations, seconds);
        if let Some(message) = violations.message() {
            return Err(invalid(message));
        }

        let role = role.unwrap_or_default();
        check_role_arn(role)?;
        Ok(Self {
            role,
            session: session.unwrap_or_default(),
            external_id,
            seconds,
        })
    }
}

fn seconds(text: &str) -> Result<i64, ApiError> {
    let malformed = |_| {
        let message = format!("{text} is not a number of seconds");
        ApiError::client("MalformedInput", message)
    };
    text.parse::<i32>().map(i64::from).map_err(malformed)
}

fn check(violations: &mut Violations, field: &str, value: Option<&str>, constraints: &Constraints) {
    let Some(text) = value else {
        return violations.add(Quoted::Null, field, "Member must not be null");
    };

    let is_taken = |letter: char| {
        letter.is_ascii_alphanumeric() || letter == '_' || constraints.others.contains(letter)
    };
    if !constraints.pattern.is_empty() && !text.chars().all(is_taken) {
        let constraint = format!(
            "Member must satisfy regular expression pattern: {}",
            constraints.pattern
        );
        violations.add(Quoted::Text(text), field, &constraint);
    }
    let length = text.chars().count();
    if let Some(constraint) = broken_bound("length", length, &constraints.lengths) {
        violations.add(Quoted::Text(text), field, &constraint);
    }
}

fn check_seconds(violations: &mut Violations, seconds: i64) {
    if let Some(constraint) = broken_bound("value", seconds, &SECONDS) {
        let text = seconds.to_string();
        violations.add(Quoted::Text(&text), "durationSeconds", &constraint);
    }
}

/// The constraint that a measure of a member breaks, if it is out of its bounds.
fn broken_bound<T: Display + PartialOrd>(
    what: &str,
    measure: T,
    bounds: &RangeInclusive<T>,
) -> Option<String> {
    let (least, most) = (bounds.start(), bounds.end());
    if measure < *least {
        Some(format!(
            "Member must have {what} greater than or equal to {least}"
        ))
    } else if measure > *most {
        Some(format!(
            "Member must have {what} less than or equal to {most}"
        ))
    } else {
        None
    }
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
