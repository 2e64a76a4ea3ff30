//! Tasks that are protected from scale-in.

use std::time::Duration;

use super::*;

#[test]
fn a_protected_task_is_stopped_neither_by_a_lower_count_nor_by_a_deployment() {
    for change in [
        json!({"desiredCount": 0}),
        json!({"taskDefinition": "web:2"}),
    ] {
        let mut world = World::new(1);
        world.fargate("nginx:1");
        let request = world.balanced(2);
        world.ok("CreateService", request);
        world.run(300, |_| {});
        let first: Vec<String> = world.aws.ecs.tasks.keys().cloned().collect();
        let running = |aws: &Aws| {
            let runs = |task: &&String| aws.ecs.tasks.get(*task).is_some_and(Task::is_running);
            first.iter().filter(runs).count()
        };
        assert_eq!(running(&world.aws), 2);

        world.fargate("nginx:2");
        protect(&mut world.aws, ("main", "web"), Duration::from_secs(1_800));
        let mut update = change.clone();
        update["cluster"] = json!("main");
        update["service"] = json!("web");
        world.ok("UpdateService", update);
        world.run(1_700, |_| {});
        assert_eq!(running(&world.aws), 2, "{change}");
        world.run(300, |_| {});
        assert_eq!(running(&world.aws), 0, "{change}");
    }
}

#[test]
fn a_deployment_is_refused_while_five_have_not_ended() {
    // The first deployment is COMPLETED and keeps its task.
    for (counts_completed, begun) in [(false, 5), (true, 4)] {
        let mut world = World::new(1);
        let quirk = crate::Quirk::CountsCompletedDeployments;
        world.aws.settle_quirk(quirk, counts_completed);
        world.fargate("nginx:1");
        let mut request = world.balanced(1);
        request["deploymentConfiguration"]["maximumPercent"] = json!(1_000);
        world.ok("CreateService", request);
        world.run(300, |_| {});

        // No task is replaced, because each is protected before the next deployment begins.
        let again = json!({"cluster": "main", "service": "web", "forceNewDeployment": true});
        for _ in 0..begun {
            protect(&mut world.aws, ("main", "web"), Duration::from_secs(3_600));
            world.ok("UpdateService", again.clone());
            world.run(60, |_| {});
        }
        let refusal = "InvalidParameterException: 5 active deployments exist, unable to create new \
                       deployment.";
        assert_eq!(world.err("UpdateService", again.clone()), refusal);

        // A change of the count alone begins none.
        let count = json!({"cluster": "main", "service": "web", "desiredCount": 3});
        world.ok("UpdateService", count);
        world.run(4_000, |_| {});
        world.ok("UpdateService", again);
    }
}
