//! The roles of the stack, with every choice of its parameters: what each may do and on what, what
//! assumes it, its path and its boundary.

use std::collections::BTreeSet;

use emulator::cloudformation::{Role, items};
use harness::demo::promotion::own_parameters;
use invariants::ledger_reader::FUNCTIONS_STACK;

use super::template::{deployed, longest};
use super::*;

const KEY: &str = "arn:aws:kms:eu-west-1:111122223333:key/1";
const TOPIC: &str = "arn:aws:sns:eu-west-1:111122223333:releases";

/// The roles with their statements: Sid, actions, and resources.
const ROLES: [(&str, &[&str]); 4] = [
    (
        "BuildRole",
        &[
            "WriteLogs: logs:CreateLogStream logs:PutLogEvents on <logs>:*",
            "ArtifactBucket: s3:GetBucketAcl s3:GetBucketLocation on <bucket>",
            "Artifacts: s3:GetObject s3:GetObjectVersion s3:PutObject on <bucket>/*",
            "Login: ecr:GetAuthorizationToken on *",
            "PushImage: ecr:BatchCheckLayerAvailability ecr:BatchGetImage ecr:CompleteLayerUpload \
             ecr:InitiateLayerUpload ecr:PutImage ecr:UploadLayerPart on <repository>",
            "UseKey: kms:Decrypt kms:DescribeKey kms:Encrypt kms:GenerateDataKey* kms:ReEncrypt* \
             on <key>",
        ],
    ),
    (
        "TestRole",
        &[
            "WriteLogs: logs:CreateLogStream logs:PutLogEvents on <logs>:*",
            "ArtifactBucket: s3:GetBucketAcl s3:GetBucketLocation on <bucket>",
            "ReadArtifacts: s3:GetObject s3:GetObjectVersion on <bucket>/*",
            "ReadWithKey: kms:Decrypt kms:DescribeKey on <key>",
        ],
    ),
    (
        "PipelineRole",
        &[
            "UseKey: kms:Decrypt kms:DescribeKey kms:Encrypt kms:GenerateDataKey* kms:ReEncrypt* \
             on <key>",
            "Notify: sns:Publish on <topic>",
            "ArtifactBucket: s3:GetBucketAcl s3:GetBucketLocation s3:GetBucketVersioning on \
             <bucket>",
            "Artifacts: s3:GetObject s3:GetObjectVersion s3:PutObject on <bucket>/*",
            "Connection: codeconnections:UseConnection codestar-connections:UseConnection on \
             <connection>",
            "Builds: codebuild:BatchGetBuilds codebuild:StartBuild on <build> <test>",
            "FindSteps: lambda:ListFunctions on *",
            "Steps: lambda:InvokeFunction on <function>begin-release \
             <function>register-task-definition <function>update-service \
             <function>finish-release <function>run-checks",
        ],
    ),
    (
        "StatusRole",
        &[
            "Pipeline: codepipeline:GetPipelineExecution on <pipeline>",
            "StopLine: codepipeline:GetPipelineState codepipeline:DisableStageTransition on \
             <pipeline> <pipeline>/CI <pipeline>/UAT <pipeline>/Production",
        ],
    ),
];

/// A policy of the account that can bound roles.
fn boundary(aws: &Aws) -> String {
    let functions = aws.cloudformation.stack(FUNCTIONS_STACK).expect("deployed");
    let policy = functions.resource("FunctionsPolicy").expect("a policy");
    policy.physical_id.clone()
}

fn with_every_choice() -> Aws {
    let mut parameters = longest();
    let choices = [
        ("KmsKeyArn", KEY.to_owned()),
        ("NotificationTopicArn", TOPIC.to_owned()),
        ("PermissionsBoundary", boundary(&behaviour::account())),
    ];
    parameters.extend(choices.map(|(key, value)| (key.to_owned(), value)));
    deployed(&parameters).expect("it deploys")
}

/// The name that a resource of the stack got.
fn physical_id<'a>(aws: &'a Aws, logical_id: &str) -> &'a str {
    let stack = aws.cloudformation.stack("orders-pipeline");
    let resource = stack.expect("deployed").resource(logical_id);
    &resource.expect("a resource of the stack").physical_id
}

fn role<'a>(aws: &'a Aws, logical_id: &str) -> &'a Role {
    let role = aws.cloudformation.iam.role(physical_id(aws, logical_id));
    role.expect("a role")
}

/// The ARN of the pipeline.
fn pipeline(aws: &Aws) -> String {
    aws.arn("codepipeline", &longest()["PipelineName"])
}

/// What the statements name, and how [`ROLES`] names it.
fn names(aws: &Aws) -> [(String, &'static str); 10] {
    let project = |logical_id: &str| {
        let name = physical_id(aws, logical_id);
        aws.arn("codebuild", &format!("project/{name}"))
    };
    let bucket = physical_id(aws, "ArtifactBucket");
    let logs = physical_id(aws, "BuildLogs");
    let repository = &longest()["Repository"];
    [
        (format!("arn:aws:s3:::{bucket}"), "<bucket>"),
        (aws.arn("logs", &format!("log-group:{logs}")), "<logs>"),
        (project("BuildProject"), "<build>"),
        (project("TestProject"), "<test>"),
        (
            aws.arn("ecr", &format!("repository/{repository}")),
            "<repository>",
        ),
        (pipeline(aws), "<pipeline>"),
        (aws.arn("lambda", "function:slipway-"), "<function>"),
        (own_parameters()["ConnectionArn"].clone(), "<connection>"),
        (KEY.to_owned(), "<key>"),
        (TOPIC.to_owned(), "<topic>"),
    ]
}

/// The statements of a role as [`ROLES`] has them.
fn statements(aws: &Aws, role: &Role) -> BTreeSet<String> {
    let names = names(aws);
    let words = |member: &Value| {
        let words = items(member).iter().filter_map(Value::as_str);
        words.collect::<Vec<_>>().join(" ")
    };
    let statements = role.statements().map(|statement| {
        assert_eq!(statement["Effect"], "Allow", "{statement}");
        assert_eq!(statement["Condition"], Value::Null, "{statement}");
        let [sid, actions, resources] =
            ["Sid", "Action", "Resource"].map(|member| words(&statement[member]));
        let text = format!("{sid}: {actions} on {resources}");
        names
            .iter()
            .fold(text, |text, (name, short)| text.replace(name, short))
    });
    statements.collect()
}

#[test]
fn each_role_of_the_stack_has_the_listed_actions_on_the_listed_resources_only() {
    let aws = with_every_choice();
    for (logical_id, expected) in ROLES {
        let expected: BTreeSet<String> = expected.iter().map(|text| (*text).to_owned()).collect();
        let found = statements(&aws, role(&aws, logical_id));
        assert_eq!(found, expected, "{logical_id}");
    }
}

#[test]
fn each_role_of_the_stack_has_the_given_path_and_boundary_and_no_other_policy() {
    let aws = with_every_choice();
    let path = &longest()["RolePath"];
    for (logical_id, _) in ROLES {
        let role = role(&aws, logical_id);
        assert_eq!(&role.path, path, "{logical_id}");
        assert_eq!(role.boundary, Some(boundary(&aws)), "{logical_id}");
        assert!(role.managed_policies.is_empty(), "{logical_id}");
    }
}

#[test]
fn each_role_of_the_stack_is_assumed_by_what_uses_it_only() {
    let aws = with_every_choice();
    let trust = |logical_id: &str| items(&role(&aws, logical_id).trust["Statement"]).to_vec();
    for (logical_id, service) in [
        ("BuildRole", "codebuild"),
        ("TestRole", "codebuild"),
        ("PipelineRole", "codepipeline"),
    ] {
        let expected = json!({
            "Effect": "Allow",
            "Principal": {"Service": format!("{service}.amazonaws.com")},
            "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"aws:SourceAccount": "111122223333"}},
        });
        assert_eq!(trust(logical_id), [expected], "{logical_id}");
    }

    let functions = aws.cloudformation.export("slipway-FunctionRoles");
    let expected = json!({
        "Sid": "FunctionsOfSlipway",
        "Effect": "Allow",
        "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
        "Action": "sts:AssumeRole",
        "Condition": {
            "ArnLike": {"aws:PrincipalArn": functions.expect("exported")},
            "StringEquals": {"sts:ExternalId": pipeline(&aws)},
        },
    });
    assert_eq!(trust("StatusRole"), [expected]);
}
