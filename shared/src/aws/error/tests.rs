use super::*;
use crate::job::{Failure, FailureType, StepError};

fn denial(operation: &'static str, message: &str) -> String {
    let error = AwsError {
        operation,
        kind: ErrorKind::Permission,
        code: "AccessDenied".to_owned(),
        message: message.to_owned(),
    };

    match StepError::from(error) {
        StepError::Refused(Failure {
            kind: FailureType::PermissionError,
            cause: None,
            message,
        }) => message,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_known_passing_refusal_passes_for_its_operation_and_message_only() {
    let register = "ecs:RegisterTaskDefinition";
    let too_many = "Too many concurrent attempts to create a new revision of the specified \
                    family";
    for (operation, code, message) in [
        (register, "ClientException", too_many),
        (
            "codepipeline:StartPipelineExecution",
            "ConflictException",
            "busy",
        ),
        (
            "codepipeline:StartPipelineExecution",
            "ConcurrentPipelineExecutionsLimitExceededException",
            "50",
        ),
        (
            "dynamodb:PutItem",
            "TransactionConflictException",
            "Transaction is ongoing",
        ),
        (
            "s3:GetObject",
            "ExpiredToken",
            "The provided token has expired.",
        ),
    ] {
        assert!(passes(operation, code, message), "{operation} {code}");
    }

    for (operation, code, message) in [
        (register, "ClientException", "Tags can not be empty."),
        (register, "InvalidParameterException", too_many),
        ("ecs:UpdateService", "ClientException", too_many),
        (
            "s3:PutObject",
            "ExpiredToken",
            "The provided token has expired.",
        ),
    ] {
        assert!(!passes(operation, code, message), "{operation} {code}");
    }
}

#[test]
fn a_read_that_met_a_transaction_passes() {
    let conflict = "TransactionConflictException";
    assert!(passes(
        "dynamodb:GetItem",
        conflict,
        "Transaction is ongoing"
    ));
    assert!(!passes(
        "dynamodb:Query",
        conflict,
        "Transaction is ongoing"
    ));
}

#[test]
fn a_pending_update_of_a_scalable_target_passes() {
    for operation in ["DescribeScalableTargets", "RegisterScalableTarget"] {
        let operation = format!("application-autoscaling:{operation}");
        let passes = passes(&operation, "ConcurrentUpdateException", "Any message");
        assert!(passes, "{operation}");
    }
}

#[test]
fn tags_of_a_rule_or_listener_that_was_just_deleted_pass() {
    let tags = "elasticloadbalancing:DescribeTags";
    for (code, is_passing) in [
        ("ListenerNotFound", true),
        ("RuleNotFound", true),
        ("LoadBalancerNotFound", false),
    ] {
        assert_eq!(passes(tags, code, "not found"), is_passing, "{code}");
    }
    let rules = "elasticloadbalancing:DescribeRules";
    assert!(!passes(rules, "RuleNotFound", "not found"));
}

#[test]
fn a_denial_names_the_action_and_the_role() {
    let message = "User: arn:aws:sts::111122223333:assumed-role/register/f is not authorized \
                   to perform: iam:PassRole on resource: arn:aws:iam::111122223333:role/a \
                   because no identity-based policy allows the iam:PassRole action";

    assert_eq!(
        denial("ecs:RegisterTaskDefinition", message),
        format!(
            "ecs:RegisterTaskDefinition failed: AccessDenied: {message}; allow iam:PassRole in \
             role register (parameter TaskRoleArns of the pipeline's stack), then retry the \
             release"
        )
    );
}

#[test]
fn a_denial_without_a_resource_is_for_all_resources() {
    let message = "User: arn:aws:sts::111122223333:assumed-role/update/f is not authorized to \
                   perform: elasticloadbalancing:DescribeTargetHealth because no \
                   identity-based policy allows the elasticloadbalancing:DescribeTargetHealth \
                   action";

    let failure = denial("elasticloadbalancing:DescribeTargetHealth", message);

    assert!(
        failure.ends_with(
            "; allow elasticloadbalancing:DescribeTargetHealth on resource * in role update, \
             then retry the release"
        ),
        "{failure}"
    );
}

#[test]
fn an_unknown_denial_names_the_operation() {
    let failure = denial("s3:GetObject", "Access Denied");

    assert!(
        failure.ends_with("; allow s3:GetObject in the function's role, then retry the release"),
        "{failure}"
    );
}
