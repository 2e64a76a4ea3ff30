//! The roles that a task definition passes to its tasks.

use serde_json::json;

use super::{TaskDefinition, definition};

fn with_roles(task: &str, execution: &str) -> TaskDefinition {
    definition(json!({
        "family": "web", "taskRoleArn": task, "executionRoleArn": execution,
        "containerDefinitions": [{"name": "web", "image": "web:1"}],
    }))
}

#[test]
fn roles_that_another_definition_does_not_pass_are_named_with_their_fields() {
    let both = with_roles("a", "b");
    let beside = |other: TaskDefinition| both.roles_beside(&other);

    assert!(beside(with_roles("a", "b")).is_empty());
    assert!(beside(with_roles("b", "a")).is_empty(), "of either field");
    assert_eq!(beside(with_roles("a", "c")), [("executionRoleArn", "b")]);
    assert_eq!(
        beside(with_roles("", "")),
        [("taskRoleArn", "a"), ("executionRoleArn", "b")]
    );

    // An empty name is none.
    assert!(with_roles("", "").roles_beside(&both).is_empty());
}
