//! What a failed call means for a step, and what an operator has to allow or check.

use super::{AwsError, ErrorKind, MISSING, OUT_OF_TIME, USER_POOL};
use crate::job::{Failure, FailureType, StepError};

impl From<AwsError> for StepError {
    fn from(error: AwsError) -> Self {
        match error.kind {
            ErrorKind::Busy => Self::Busy(format!("{error}; retrying")),
            // The pipeline names the role, and both policies are the operator's.
            ErrorKind::Permission if error.refuses_role() => Self::Refused(Failure::configuration(
                format!("{error}; allow it, then retry the release"),
            )),
            ErrorKind::Permission => Self::Refused(Failure::new(
                FailureType::PermissionError,
                format!(
                    "{error}; allow {}, then retry the release",
                    missing_permission(&error)
                ),
            )),
            // A later call may be taken, whether or not the release has changed something.
            ErrorKind::Credentials => Self::Unexpected(Failure::configuration(format!(
                "{error}; {}, then retry the release",
                credentials_to_check(&error.code)
            ))),
            ErrorKind::Rejected => Self::Refused(Failure::configuration(error.to_string())),
            ErrorKind::Unexpected => Self::Unexpected(Failure::job(error.to_string())),
        }
    }
}

/// What to check if AWS keeps rejecting the credentials, or the time, of a call.
fn credentials_to_check(code: &str) -> &'static str {
    if OUT_OF_TIME.contains(&code) {
        "check that the time of the function is right, and that no proxy changes its requests"
    } else {
        "check that the role of this call exists, that its sessions are not revoked, and that its \
         account has enabled the region"
    }
}

/// Which action to allow on which resource in which role. AWS's message is more precise than the
/// operation's name: an operation can need several actions, and artifacts are read under the
/// pipeline's role.
fn missing_permission(error: &AwsError) -> String {
    if let Some(actions) = error.message.strip_prefix(MISSING) {
        return format!("{actions} in the role of this call");
    }
    if error.message.starts_with(USER_POOL) {
        return "cognito-idp:DescribeUserPoolClient on the user pool of the rule in the role of \
                this call (parameter UserPoolArn of the stack of the deploy role)"
            .to_owned();
    }

    let after = |mark: &str| error.message.split_once(mark).map(|(_, rest)| rest);
    let action =
        after("not authorized to perform: ").and_then(|rest| rest.split_whitespace().next());
    let role = after(":assumed-role/").and_then(|rest| rest.split('/').next());

    // A message with an action and without a resource means that the action has none.
    let on = if action.is_some() && !error.message.contains("on resource") {
        " on resource *"
    } else {
        ""
    };
    let role = role.map_or_else(
        || "the function's role".to_owned(),
        |role| format!("role {role}"),
    );

    // The shipped deploy roles pass only what the pipeline lists, so usually it is missing there.
    let listed = if action == Some("iam:PassRole") {
        " (parameter TaskRoleArns of the pipeline's stack)"
    } else {
        ""
    };

    format!(
        "{}{on} in {role}{listed}",
        action.unwrap_or(error.operation)
    )
}
