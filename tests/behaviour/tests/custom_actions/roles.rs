//! The roles of the template of custom actions are those of the templates whose functions
//! CodePipeline invokes, which other tests compare with what releases call.

use std::collections::BTreeSet;

use behaviour::account;
use behaviour::pair::update;
use emulator::Aws;
use emulator::cloudformation::{Role, items};
use serde_json::Value;

use super::opened;

const STACKS: [&str; 2] = ["web-pipeline", "shop-pipeline"];
/// What adds statements to a deploy role.
const OF_DEPLOY_ROLE: [(&str, &str); 2] = [
    (
        "OtherRepositoryArns",
        "arn:aws:ecr:eu-west-1:111122223333:repository/proxy",
    ),
    ("ImageGate", "CRITICAL:0"),
];
/// What adds statements to the role of a pipeline.
const OF_PIPELINE: [(&str, &str); 2] = [
    ("KmsKeyArn", "arn:aws:kms:eu-west-1:111122223333:key/1"),
    (
        "NotificationTopicArn",
        "arn:aws:sns:eu-west-1:111122223333:releases",
    ),
];

/// What a resource of a pipeline's stack got as its name.
fn physical_id<'a>(aws: &'a Aws, stack: &str, name: &str) -> &'a str {
    let stack = aws.cloudformation.stack(stack).expect("deployed");
    &stack.resource(name).expect("of the stack").physical_id
}

fn role<'a>(aws: &'a Aws, stack: &str, name: &str) -> &'a Role {
    let role = aws.cloudformation.iam.role(physical_id(aws, stack, name));
    role.expect("it is there")
}

/// What a role of a pipeline's stack allows or denies: effect, action, resource and condition.
fn granted(aws: &Aws, stack: &str, name: &str) -> BTreeSet<[String; 4]> {
    // Each stack has a bucket of its own.
    let bucket = physical_id(aws, stack, "ArtifactBucket");
    let text = |value: &Value| value.to_string().replace(bucket, "<bucket>");
    role(aws, stack, name)
        .statements()
        .flat_map(|statement| {
            items(&statement["Action"])
                .iter()
                .map(move |action| (statement, action))
        })
        .flat_map(|(statement, action)| {
            items(&statement["Resource"]).iter().map(move |resource| {
                [
                    text(&statement["Effect"]),
                    text(action),
                    text(resource),
                    text(&statement["Condition"]),
                ]
            })
        })
        .collect()
}

#[test]
fn the_deploy_roles_are_those_of_the_other_pipelines() {
    let [other, own] = [account(), opened()].map(|mut aws| {
        for stack in STACKS {
            update(&mut aws, stack, &OF_DEPLOY_ROLE);
        }
        aws
    });
    for stack in STACKS {
        let [own, other] = [&own, &other].map(|aws| granted(aws, stack, "DeployRole"));
        for action in ["ecr:BatchGetImage", "inspector2:ListFindings"] {
            let is_of = |[_, known, ..]: &[String; 4]| known.contains(action);
            assert!(own.iter().any(is_of), "{stack}: {action}");
        }
        assert_eq!(own, other, "{stack}");
    }
}

/// The worker invokes the functions, and the pipeline none.
#[test]
fn the_role_of_the_pipeline_is_that_of_the_others_without_the_functions() {
    let [other, own] = [account(), opened()].map(|mut aws| {
        update(&mut aws, "web-pipeline", &OF_PIPELINE);
        granted(&aws, "web-pipeline", "PipelineRole")
    });
    let (functions, others): (BTreeSet<_>, BTreeSet<_>) = other
        .into_iter()
        .partition(|[_, action, ..]| action.contains("lambda:"));
    assert!(!functions.is_empty());
    assert_eq!(own, others);
}

#[test]
fn the_roles_trust_whom_those_of_the_other_pipelines_trust_and_have_no_other_policy() {
    let (other, own) = (account(), opened());
    for stack in STACKS {
        for name in ["PipelineRole", "DeployRole"] {
            let [own, other] = [&own, &other].map(|aws| role(aws, stack, name));
            assert_eq!(own.trust, other.trust, "{stack}: {name}");
            assert!(own.managed_policies.is_empty(), "{stack}: {name}");
        }
    }
}
