use serde_json::{Value, json};

use crate::Aws;
use crate::cloudformation::permissions::demands;
use crate::iam::IamRequest;

/// What a request needs to be allowed: the action and the resource.
fn needed(operation: &str, input: Value) -> Option<(String, String)> {
    let request = IamRequest {
        service: "cloudformation".to_owned(),
        operation: operation.to_owned(),
        input,
    };
    let demand = demands(&mut Aws::new(1), &request)?.remove(0);
    Some((demand.action, demand.resource))
}

#[test]
fn a_stack_is_described_on_itself_and_all_of_them_on_everything() {
    let arn = "arn:aws:cloudformation:eu-west-1:111122223333:stack/slipway/*";
    for (input, resource) in [
        (json!({"StackName": "slipway"}), arn),
        (json!({ "StackName": arn }), arn),
        (json!({}), "*"),
    ] {
        let action = "cloudformation:DescribeStacks".to_owned();
        let needed = needed("DescribeStacks", input);
        assert_eq!(needed, Some((action, resource.to_owned())));
    }
    let of_resource = json!({"PhysicalResourceId": "slipway-web"});
    let action = "cloudformation:DescribeStackResources".to_owned();
    assert_eq!(
        needed("DescribeStackResources", of_resource),
        Some((action, "*".to_owned()))
    );
    assert_eq!(needed("DeleteStack", json!({"StackName": "slipway"})), None);
}
