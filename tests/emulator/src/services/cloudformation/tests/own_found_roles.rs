//! The roles of tasks that the stacks of the project's own pipelines find.

use serde_json::Value;

use super::custom::{requested, respond};
use super::own_pairs::account_with_pair;
use super::own_records::RECORDS;
use super::own_roles::{listed, resource_of};
use super::own_templates::{ROLES, deploy_functions, deploy_pipeline};
use super::*;

/// An account in which a pipeline's stack is to find the roles, and what it requests.
fn finding(template: &str, more: &[(&str, &str)]) -> (Aws, Value) {
    let mut aws = account_with_pair(1);
    deploy_functions(&mut aws);
    let rule = aws.cloudformation.stack("web").unwrap().outputs["ProductionRuleArn"].clone();
    let mut all = vec![("TaskRoleArns", "")];
    if ["blue-green.yaml", "canary.yaml"].contains(&template) {
        all.push(("Rule", rule.as_str()));
    }
    all.extend(more);
    deploy_pipeline(&mut aws, template, &all).unwrap();
    assert!(
        aws.cloudformation
            .stack("web-pipeline")
            .unwrap()
            .is_in_progress()
    );
    let request = requested(&mut aws);
    (aws, request)
}

#[test]
fn a_deploy_role_passes_the_roles_that_are_found_unless_some_are_given() {
    let named = [("BlueService", "shop-a"), ("GreenService", "shop-b")];
    let of_colours = json!(["web-blue", "web-green"]);
    for (template, more, services) in [
        ("in-place.yaml", &[][..], json!(["web"])),
        ("blue-green.yaml", &[][..], of_colours.clone()),
        ("canary.yaml", &[][..], of_colours.clone()),
        ("dns.yaml", &RECORDS[..], of_colours),
        ("blue-green.yaml", &named[..], json!(["shop-a", "shop-b"])),
    ] {
        let (mut aws, request) = finding(template, more);
        let token = aws
            .cloudformation
            .export("slipway-FindTaskRolesFunctionArn");
        assert_eq!(
            request["ResourceProperties"],
            json!({
                "ServiceToken": token, "ServiceTimeout": "600", "Cluster": "main",
                "Services": services,
            }),
            "{template}"
        );

        let found = json!({"Status": "SUCCESS", "Data": {"Arns": ROLES}});
        respond(&mut aws, &request, found);
        let of = |sid: &str| resource_of(&aws, "web-pipeline", "DeployRole", sid);
        assert_eq!(of("PassRolesToTasks"), Some(listed(ROLES)), "{template}");
    }
}
