//! The rule of a pipeline in place about updates of its service by the stack of the service.

use super::own_choices::properties;
use super::own_roles::with_pipeline;
use super::own_templates::{account, deploy_functions, deploy_pipeline, deploy_service};
use super::*;

const CHOICE: (&str, &str) = ("ReleaseAfterStackUpdate", "yes");

#[test]
fn a_pipeline_follows_the_updates_of_its_own_service_if_chosen() {
    let aws = with_pipeline("in-place.yaml", &[]);
    let stack = aws.cloudformation.stack("web-pipeline").unwrap();
    assert!(stack.resource("StackUpdateRule").is_none());

    let aws = with_pipeline("in-place.yaml", &[CHOICE]);
    let rule = properties(&aws, "web-pipeline", "StackUpdateRule");
    assert_eq!(
        rule["EventPattern"],
        json!({
            "source": ["aws.cloudformation"], "account": ["111122223333"],
            "region": ["eu-west-1"],
            "detail-type": ["CloudFormation Resource Status Change"],
            "detail": {
                "resource-type": ["AWS::ECS::Service"],
                "physical-resource-id": ["arn:aws:ecs:eu-west-1:111122223333:service/main/web"],
                "status-details": {"status": ["UPDATE_IN_PROGRESS", "UPDATE_COMPLETE"]},
            },
        })
    );
    let pushes = properties(&aws, "web-pipeline", "PushRule");
    assert_eq!(rule["Targets"], pushes["Targets"]);
    assert_eq!(rule["State"], "ENABLED");
}

/// A rule has at most 64 characters, and the name of a pipeline has 56.
#[test]
fn the_rule_has_the_prefix_that_may_start_pipelines_and_the_id_of_its_stack() {
    let aws = with_pipeline("in-place.yaml", &[CHOICE]);
    let name = physical_id(&aws, "web-pipeline", "StackUpdateRule");
    let stack = aws.cloudformation.stack("web-pipeline").unwrap();
    let (_, id) = stack.id.rsplit_once('/').unwrap();
    assert_eq!(name, format!("slipway-{id}"));
    assert_eq!(name.len(), 44);
}

#[test]
fn a_service_of_another_account_has_no_such_rule() {
    let mut aws = account(1);
    deploy_service(&mut aws, &[]).unwrap();
    deploy_functions(&mut aws);
    let role = (
        "DeployRoleArn",
        "arn:aws:iam::444455556666:role/orders-deploy",
    );
    let refused = deploy_pipeline(&mut aws, "in-place.yaml", &[CHOICE, role]).unwrap_err();
    assert_eq!(
        refused.problem,
        "ReleaseAfterStackUpdate is yes, so DeployRoleArn must be empty: the stack of a service in \
         another account or region reports its updates there."
    );
}
