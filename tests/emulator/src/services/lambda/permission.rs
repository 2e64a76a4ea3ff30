//! A function's resource policy: which service may invoke it, on behalf of which resource.

use serde_json::json;

use super::{Function, not_found};
use crate::{ApiError, Aws};

/// The most that a function's resource policy may measure, as JSON.
const POLICY_BYTES: usize = 20 * 1024;

/// A statement that lets a service invoke the function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permission {
    pub statement_id: String,
    /// E.g. `events.amazonaws.com`.
    pub principal: String,
    /// An ARN in which `*` and `?` stand for anything; without it any resource of the principal may
    /// invoke.
    pub source_arn: Option<String>,
    pub source_account: Option<String>,
}

pub fn add_permission(
    aws: &mut Aws,
    name_or_arn: &str,
    permission: Permission,
) -> Result<(), ApiError> {
    let missing = not_found(aws, name_or_arn);
    let function = aws.lambda.function_mut(name_or_arn).ok_or(missing)?;

    if function
        .permissions
        .iter()
        .any(|known| known.statement_id == permission.statement_id)
    {
        let message = format!(
            "The statement id ({}) provided already exists. Please provide a new statement id, or \
            remove the existing statement.",
            permission.statement_id
        );
        return Err(ApiError {
            status: 409,
            ..ApiError::client("ResourceConflictException", message)
        });
    }

    function.permissions.push(permission);
    if policy_bytes(function) > POLICY_BYTES {
        function.permissions.pop();
        let message = format!("The final policy size is bigger than the limit ({POLICY_BYTES}).");
        return Err(ApiError::client("PolicyLengthExceededException", message));
    }
    Ok(())
}

pub fn remove_permission(
    aws: &mut Aws,
    name_or_arn: &str,
    statement_id: &str,
) -> Result<(), ApiError> {
    let missing = not_found(aws, name_or_arn);
    let function = aws.lambda.function_mut(name_or_arn).ok_or(missing)?;
    let before = function.permissions.len();
    function
        .permissions
        .retain(|permission| permission.statement_id != statement_id);

    if function.permissions.len() == before {
        let message = format!("Statement {statement_id} is not found in resource policy.");
        return Err(ApiError {
            status: 404,
            ..ApiError::client("ResourceNotFoundException", message)
        });
    }
    Ok(())
}

/// Whether the function's policy lets `principal` invoke it on behalf of `source_arn`.
pub fn allows(aws: &Aws, name_or_arn: &str, principal: &str, source_arn: &str) -> bool {
    let Some(function) = aws.lambda.function(name_or_arn) else {
        return false;
    };
    function.permissions.iter().any(|permission| {
        permission.principal == principal
            && permission
                .source_account
                .as_ref()
                .is_none_or(|account| *account == aws.account)
            && permission
                .source_arn
                .as_ref()
                .is_none_or(|pattern| arn_like(pattern, source_arn))
    })
}

fn policy_bytes(function: &Function) -> usize {
    let statements: Vec<_> = function
        .permissions
        .iter()
        .map(|permission| statement(function, permission))
        .collect();
    json!({"Version": "2012-10-17", "Id": "default", "Statement": statements})
        .to_string()
        .len()
}

fn statement(function: &Function, permission: &Permission) -> serde_json::Value {
    let mut statement = json!({
        "Sid": permission.statement_id,
        "Effect": "Allow",
        "Principal": {"Service": permission.principal},
        "Action": "lambda:InvokeFunction",
        "Resource": function.arn,
    });
    if let Some(arn) = &permission.source_arn {
        statement["Condition"]["ArnLike"]["AWS:SourceArn"] = json!(arn);
    }
    if let Some(account) = &permission.source_account {
        statement["Condition"]["StringEquals"]["AWS:SourceAccount"] = json!(account);
    }
    statement
}

/// ArnLike: the six parts of an ARN are compared one by one, so that a `*` does not reach over a
/// colon.
fn arn_like(pattern: &str, arn: &str) -> bool {
    let (patterns, parts): (Vec<_>, Vec<_>) = (
        pattern.splitn(6, ':').collect(),
        arn.splitn(6, ':').collect(),
    );
    patterns.len() == parts.len()
        && patterns
            .iter()
            .zip(&parts)
            .all(|(pattern, part)| wildcard(pattern.as_bytes(), part.as_bytes()))
}

fn wildcard(pattern: &[u8], text: &[u8]) -> bool {
    match (pattern, text) {
        ([], []) => true,
        ([b'*', rest @ ..], _) => (0..=text.len()).any(|skipped| wildcard(rest, &text[skipped..])),
        ([b'?', rest @ ..], [_, tail @ ..]) => wildcard(rest, tail),
        ([letter, rest @ ..], [first, tail @ ..]) if letter == first => wildcard(rest, tail),
        _ => false,
    }
}
