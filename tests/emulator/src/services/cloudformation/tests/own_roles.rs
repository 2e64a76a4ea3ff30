//! The roles of the project's own templates: those of the functions, and the deploy roles of the
//! pipelines, which trust them.

use serde_json::Value;

use super::own_pairs::{account_with_pair, deploy_blue_green};
use super::own_templates::{
    PIPELINE, ROLES, account, deploy_functions, deploy_pipeline, deploy_service, given, root,
};
use super::*;

/// The resource of the statement of this Sid in a role of a stack.
fn resource_of(aws: &Aws, stack: &str, role: &str, sid: &str) -> Option<Value> {
    let name = physical_id(aws, stack, role);
    let role = aws.cloudformation.iam.role(&name).unwrap();
    let statement = role.statements().find(|known| known["Sid"] == sid);
    statement.map(|found| found["Resource"].clone())
}

/// An account with a service, the functions and its pipeline.
fn account_with_pipeline() -> Aws {
    let mut aws = account(1);
    deploy_service(&mut aws, &[]).unwrap();
    deploy_functions(&mut aws);
    deploy_pipeline(&mut aws, "in-place.yaml", &[]).unwrap();
    aws
}

fn listed(arns: &str) -> Value {
    json!(arns.split(',').collect::<Vec<_>>())
}

#[test]
fn the_roles_of_the_functions_are_those_that_deploy_roles_trust() {
    let aws = account_with_pipeline();
    let pattern = aws.cloudformation.export("slipway-FunctionRoles").unwrap();
    assert_eq!(pattern, "arn:aws:iam::111122223333:role/slipway/slipway/*");

    let path = pattern.trim_end_matches('*');
    let mut functions = aws.lambda.functions.values();
    assert!(functions.all(|function| function.role.starts_with(path)));

    let name = physical_id(&aws, "web-pipeline", "DeployRole");
    let trust = &aws.cloudformation.iam.role(&name).unwrap().trust["Statement"][0];
    assert_eq!(
        trust["Principal"],
        json!({"AWS": "arn:aws:iam::111122223333:root"})
    );
    assert_eq!(
        trust["Condition"],
        json!({
            "ArnLike": {"aws:PrincipalArn": pattern},
            "StringEquals": {
                "sts:ExternalId": "arn:aws:codepipeline:eu-west-1:111122223333:web",
            },
        })
    );
}

#[test]
fn the_functions_assume_every_role_or_those_of_the_given_list() {
    let mut aws = account(1);
    deploy_functions(&mut aws);
    let assume = |aws: &Aws| {
        resource_of(
            aws,
            "slipway",
            "FinishReleaseFunctionRole",
            "AssumeDeployRoles",
        )
    };
    assert_eq!(
        assume(&aws),
        Some(json!("arn:aws:iam::111122223333:role/*"))
    );

    let only = "arn:aws:iam::111122223333:role/a-*,arn:aws:iam::111122223333:role/b";
    let template = root().join("template.yaml");
    let parameters = given(&[("DeployRoleArns", only)]);
    deploy(&mut aws, "slipway", &template, &parameters).unwrap();
    assert_eq!(assume(&aws), Some(listed(only)));
}

#[test]
fn a_pipeline_imports_from_the_functions_stack() {
    let mut aws = account(1);
    deploy_service(&mut aws, &[]).unwrap();
    deploy_functions(&mut aws);
    let wrong = deploy_pipeline(&mut aws, "in-place.yaml", &[("FunctionsStack", "slipwy")]);
    let wrong = wrong.unwrap_err().problem;
    assert!(wrong.contains("slipwy-"), "{wrong}");

    deploy_pipeline(&mut aws, "in-place.yaml", &[]).unwrap();
    let refused = delete(&mut aws, "slipway").unwrap_err().to_string();
    assert!(refused.contains("in use by web-pipeline"), "{refused}");
}

#[test]
fn a_deploy_role_passes_the_given_roles_and_reads_the_given_repositories() {
    let of = |aws: &Aws, sid: &str| resource_of(aws, "web-pipeline", "DeployRole", sid);
    let mut aws = account_with_pipeline();
    assert_eq!(of(&aws, "PassRolesToTasks"), Some(listed(ROLES)));
    assert_eq!(of(&aws, "FindOtherImages"), None);

    let other = "arn:aws:ecr:eu-west-1:111122223333:repository/proxy";
    let changes = [("TaskRoleArns", ""), ("OtherRepositoryArns", other)];
    deploy_pipeline(&mut aws, "in-place.yaml", &changes).unwrap();
    assert_eq!(of(&aws, "PassRolesToTasks"), None);
    assert_eq!(of(&aws, "FindOtherImages"), Some(listed(other)));

    let template = root().join("infra/pipelines/in-place.yaml");
    let missing = deploy(&mut aws, "other", &template, &given(&PIPELINE[..5]));
    let missing = missing.unwrap_err().problem;
    assert!(missing.contains("TaskRoleArns"), "{missing}");
}

#[test]
fn a_deploy_role_of_a_pair_names_both_services_and_the_rule() {
    let mut aws = account_with_pair(1);
    deploy_functions(&mut aws);
    deploy_blue_green(&mut aws, &[]).unwrap();
    let of = |sid: &str| resource_of(&aws, "web-pipeline", "DeployRole", sid);
    let services = ["blue", "green"]
        .map(|colour| format!("arn:aws:ecs:eu-west-1:111122223333:service/main/web-{colour}"));
    let rule = &aws.cloudformation.stack("web").unwrap().outputs["ProductionRuleArn"];

    assert_eq!(of("UpdateService"), Some(json!(services)));
    assert_eq!(of("ShiftTraffic"), Some(json!(rule)));
}
