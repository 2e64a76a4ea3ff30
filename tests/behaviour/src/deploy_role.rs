//! A deploy role for a function, made of the role of another one that no such test runs.

use emulator::Aws;
use invariants::ledger_reader::FUNCTIONS_STACK;
use serde_json::json;

/// Lets a function assume the role of `evaluate-canary`, which may then do everything, with the ARN
/// of a pipeline as the external id. Returns the role's name and ARN.
pub fn deploy_role(aws: &mut Aws, function: &str, pipeline: &str) -> (String, String) {
    let (caller, caller_arn) = role_of(aws, function);
    let (name, arn) = role_of(aws, "evaluate-canary");
    allow(aws, &caller, "codepipeline:GetJobDetails");
    allow(aws, &name, "*");

    let role = aws.cloudformation.iam.role_mut(&name).expect("a role");
    role.trust = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": caller_arn},
        "Condition": {"StringEquals": {"sts:ExternalId": pipeline}},
    }]});
    (name, arn)
}

/// Name and ARN of the role of a function.
fn role_of(aws: &Aws, function: &str) -> (String, String) {
    let function = &aws.lambda.functions[&format!("{FUNCTIONS_STACK}-{function}")];
    let name = function.role.rsplit('/').next().expect("a name");
    (name.to_owned(), function.role.clone())
}

/// Allows an action on everything to a role.
fn allow(aws: &mut Aws, role: &str, action: &str) {
    let role = aws.cloudformation.iam.role_mut(role).expect("a role");
    let statement = json!({"Effect": "Allow", "Action": action, "Resource": "*"});
    let document = json!({"Version": "2012-10-17", "Statement": [statement]});
    role.policies.insert("of the test".to_owned(), document);
}
