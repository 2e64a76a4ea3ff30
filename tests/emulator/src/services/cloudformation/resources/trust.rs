//! Trust policies of roles, refused as IAM refuses them.

use serde_json::Value;

use super::policy_document::{check_document, malformed};
use crate::Aws;
use crate::cloudformation::error::{At, Problem};
use crate::cloudformation::iam::items;
use crate::iam::check_statement as check_evaluable;

/// Checks the shape of a trust policy, that its actions are those of STS, that the principals which
/// it names can be there, and that all of it can be evaluated.
pub(super) fn check(aws: &Aws, document: &Value) -> Result<(), Problem> {
    check_document(document, true)?;
    items(&document["Statement"])
        .iter()
        .enumerate()
        .try_for_each(|(at, statement)| check_statement(aws, statement).at(at).at("Statement"))
}

fn check_statement(aws: &Aws, statement: &Value) -> Result<(), Problem> {
    for prohibited in ["Resource", "NotResource"] {
        if statement.get(prohibited).is_some() {
            return Err(malformed(format!("Has prohibited field {prohibited}")));
        }
    }

    let is_of_sts = |action: &Value| {
        let action = action.as_str().unwrap_or_default();
        action.to_ascii_lowercase().starts_with("sts:")
    };
    if !items(&statement["Action"]).iter().all(is_of_sts) {
        return Err(malformed(
            "AssumeRole policy may only specify STS AssumeRole actions.",
        ));
    }

    for principal in items(&statement["Principal"]["AWS"]) {
        if !can_be_there(aws, principal) {
            return Err(malformed(format!(
                "Invalid principal in policy: \"AWS\":{principal}"
            )));
        }
    }
    check_evaluable(statement).map_err(|unsupported| Problem::new(unsupported.to_string()))
}

/// Whether a principal is everyone, an account, or something that can have such an ARN. A role of
/// this account must be there; other accounts are not looked into.
fn can_be_there(aws: &Aws, principal: &Value) -> bool {
    let text = principal.as_str().unwrap_or_default();
    let is_account = text.len() == 12 && text.bytes().all(|digit| digit.is_ascii_digit());
    if text == "*" || is_account {
        return true;
    }

    let role = aws.global_arn("iam", "role/");
    if text.starts_with(&role) {
        return aws.cloudformation.iam.role_by_arn(text).is_some();
    }
    text.starts_with("arn:") && !text.contains(['*', '?'])
}
