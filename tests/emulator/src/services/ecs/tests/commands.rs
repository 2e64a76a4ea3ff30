//! Services in whose tasks operators execute commands.

use super::*;

#[test]
fn tasks_in_which_commands_are_executed_have_a_task_role() {
    let refusal = |done: &str| {
        format!(
            "InvalidParameterException: The service couldn't be {done} because a valid taskRoleArn \
             is not being used. Specify a valid task role in your task definition and try again."
        )
    };
    let mut world = World::new(1);
    let plain = world.fargate("nginx:1");
    let mut request = world.balanced(0);
    request["enableExecuteCommand"] = json!(true);
    assert_eq!(
        world.err("CreateService", request.clone()),
        refusal("created")
    );

    let mut definition = world.aws.ecs.request_of(&plain).unwrap().clone();
    definition["taskRoleArn"] = json!("arn:aws:iam::111122223333:role/tasks");
    world.ok("RegisterTaskDefinition", definition);
    world.ok("CreateService", request);

    let mut update = json!({"cluster": "main", "service": "web", "taskDefinition": "web:1"});
    assert_eq!(
        world.err("UpdateService", update.clone()),
        refusal("updated")
    );
    update["enableExecuteCommand"] = json!(false);
    world.ok("UpdateService", update);
}
