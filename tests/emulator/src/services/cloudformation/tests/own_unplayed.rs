//! The statements that no release of the tests plays, in each of the project's own templates. The
//! others are compared with the calls of releases.

use serde_json::Value;

use super::own_roles::{OTHER_REPOSITORY, PIPELINES};
use super::own_statements::{
    KEY, POOL, SECRET, TOPIC, accounts, functions_policy, given_statements,
};
use super::*;

/// The statements as the templates give them: Sid, actions, and resources.
const UNPLAYED: [(&str, &[&str], &[&str]); 17] = [
    (
        "WriteTraces",
        &["xray:PutTelemetryRecords", "xray:PutTraceSegments"],
        &["*"],
    ),
    (
        "WriteOwnLogs",
        &["logs:CreateLogStream", "logs:PutLogEvents"],
        &["arn:aws:logs:eu-west-1:111122223333:log-group:/aws/lambda/slipway-*:*"],
    ),
    (
        "SendDeadLetters",
        &["sqs:SendMessage"],
        &["arn:aws:sqs:eu-west-1:111122223333:slipway-dead-letters"],
    ),
    (
        "NetworkInterfaces",
        &[
            "ec2:AssignPrivateIpAddresses",
            "ec2:CreateNetworkInterface",
            "ec2:DeleteNetworkInterface",
            "ec2:DescribeNetworkInterfaces",
            "ec2:DescribeSubnets",
            "ec2:UnassignPrivateIpAddresses",
        ],
        &["*"],
    ),
    (
        "UseKey",
        &[
            "kms:Decrypt",
            "kms:DescribeKey",
            "kms:Encrypt",
            "kms:GenerateDataKey*",
            "kms:ReEncrypt*",
        ],
        &[KEY],
    ),
    ("Notify", &["sns:Publish"], &[TOPIC]),
    (
        "StopLine",
        &[
            "codepipeline:GetPipelineState",
            "codepipeline:DisableStageTransition",
        ],
        &[
            "arn:aws:codepipeline:eu-west-1:111122223333:web",
            "arn:aws:codepipeline:eu-west-1:111122223333:web/Release",
        ],
    ),
    (
        "FindOtherImages",
        &["ecr:BatchGetImage", "ecr:DescribeImages"],
        &[OTHER_REPOSITORY],
    ),
    ("Login", &["ecr:GetAuthorizationToken"], &["*"]),
    (
        "PullImages",
        &[
            "ecr:BatchCheckLayerAvailability",
            "ecr:BatchGetImage",
            "ecr:GetDownloadUrlForLayer",
        ],
        &["arn:aws:ecr:eu-west-1:111122223333:repository/web"],
    ),
    (
        "PullOtherImages",
        &[
            "ecr:BatchCheckLayerAvailability",
            "ecr:BatchGetImage",
            "ecr:GetDownloadUrlForLayer",
        ],
        &[OTHER_REPOSITORY],
    ),
    ("ReadAlarms", &["cloudwatch:DescribeAlarms"], &["*"]),
    (
        "ReadScans",
        &[
            "ecr:DescribeImageScanFindings",
            "inspector2:ListCoverage",
            "inspector2:ListFindings",
        ],
        &["*"],
    ),
    (
        "ReadUserPoolClient",
        &["cognito-idp:DescribeUserPoolClient"],
        &[POOL],
    ),
    (
        "WriteLogs",
        &["logs:CreateLogStream", "logs:PutLogEvents"],
        &["arn:aws:logs:eu-west-1:111122223333:log-group:/slipway/web:*"],
    ),
    (
        "ReadSecrets",
        &["secretsmanager:GetSecretValue", "ssm:GetParameters"],
        &[SECRET],
    ),
    ("DecryptSecrets", &["kms:Decrypt"], &[KEY]),
];

/// How often each of them stands in the roles and the policy of an account with the pipeline of a
/// template and, beside it, a deploy role for another account.
fn times(template: &str, sid: &str) -> usize {
    let is_twice = match sid {
        // Of the functions and of the pipeline; of both deploy roles.
        "UseKey" | "FindOtherImages" => true,
        "ReadUserPoolClient" => ["blue-green.yaml", "canary.yaml"].contains(&template),
        // Where a pair scales, AlarmsOfScaling has the action.
        "ReadAlarms" => template == "canary.yaml",
        _ => return 1,
    };
    if is_twice { 2 } else { 0 }
}

#[test]
fn statements_that_no_release_plays_are_as_listed() {
    for (template, aws) in PIPELINES.into_iter().zip(accounts()) {
        let policies = aws
            .cloudformation
            .iam
            .managed_policy(&functions_policy(&aws));
        let of_functions = items(&policies.unwrap()["Statement"]);
        let of_roles = aws.cloudformation.iam.roles().flat_map(given_statements);
        let all: Vec<&Value> = of_roles.chain(of_functions).collect();
        for (sid, actions, resources) in UNPLAYED {
            let found: Vec<&&Value> = all.iter().filter(|known| known["Sid"] == sid).collect();
            assert_eq!(found.len(), times(template, sid), "{template}: {sid}");

            let expected = ["Action", "Resource"].into_iter().zip([actions, resources]);
            for (member, expected) in expected {
                for statement in &found {
                    let given: Vec<&Value> = items(&statement[member]).iter().collect();
                    assert_eq!(given, expected, "{template}: {member} of {sid}");
                }
            }
            for statement in found {
                assert_eq!(statement["Condition"], Value::Null, "{template}: {sid}");
                assert_eq!(statement["Effect"], "Allow", "{template}: {sid}");
            }
        }
    }
}
