//! Roles that may be passed to tasks, and those that may not.

use serde_json::json;

use super::definition;

#[test]
fn roles_outside_the_path_are_named_with_their_fields() {
    let outside = |task: &str, execution: &str| {
        let definition = definition(json!({
            "family": "web", "taskRoleArn": task, "executionRoleArn": execution,
            "containerDefinitions": [{"name": "web", "image": "web:1"}],
        }));
        let fields = definition.roles_outside_path().map(|(field, _)| field);
        fields.collect::<Vec<_>>()
    };
    let role = |name: &str| format!("arn:aws:iam::111122223333:role/{name}");
    let (ours, other) = (role("slipway/web"), role("service-role/web"));

    assert!(outside(&ours, &ours).is_empty());
    assert_eq!(outside(&other, &ours), ["taskRoleArn"]);
    assert_eq!(outside(&ours, &role("web")), ["executionRoleArn"]);
    assert_eq!(
        outside(&role("slipway"), &role("other/slipway/web")),
        ["taskRoleArn", "executionRoleArn"]
    );

    // Without an ARN there is no path to be seen, and a definition needs no roles.
    assert!(outside("web-task", "").is_empty());
}
