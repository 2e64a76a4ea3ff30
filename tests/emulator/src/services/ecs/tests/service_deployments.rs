use super::rollouts::{deployed, update};
use super::*;

fn listed(world: &mut World) -> Vec<Value> {
    let request = json!({"cluster": "main", "service": "web"});
    let listed = world.ok("ListServiceDeployments", request);
    listed["serviceDeployments"].as_array().unwrap().clone()
}

pub(super) fn described(world: &mut World, number: usize) -> Value {
    let arn = listed(world)[number]["serviceDeploymentArn"].clone();
    let request = json!({"serviceDeploymentArns": [arn]});
    world.ok("DescribeServiceDeployments", request)["serviceDeployments"][0].clone()
}

pub(super) fn statuses(world: &mut World) -> Vec<String> {
    let listed = listed(world);
    listed.iter().map(|one| text(&one["status"])).collect()
}

pub(super) fn deploy(world: &mut World, image: &str) {
    let definition = world.fargate(image);
    update(world, "taskDefinition", json!(definition));
}

#[test]
fn a_service_deployment_goes_from_pending_to_successful() {
    let mut world = World::new(1);
    world.fargate("nginx:1");
    let request = world.balanced(2);
    world.ok("CreateService", request);
    assert_eq!(statuses(&mut world), ["PENDING"]);
    assert!(listed(&mut world)[0].get("startedAt").is_none());

    world.run(2, |_| {});
    assert_eq!(statuses(&mut world), ["IN_PROGRESS"]);
    let running = described(&mut world, 0);
    assert_eq!(running["deploymentCircuitBreaker"]["status"], "MONITORING");
    assert_eq!(running["targetServiceRevision"]["requestedTaskCount"], 2);
    assert!(running.get("finishedAt").is_none());

    world.run(180, |_| {});
    let ended = described(&mut world, 0);
    assert_eq!(ended["status"], "SUCCESSFUL");
    assert_eq!(ended["sourceServiceRevisions"], json!([]));
    assert_eq!(
        ended["deploymentCircuitBreaker"],
        json!({"status": "MONITORING_COMPLETE", "failureCount": 0, "threshold": 3})
    );
    assert_eq!(ended["alarms"], json!({"status": "DISABLED"}));
    assert_eq!(ended["targetServiceRevision"]["runningTaskCount"], 2);
    assert_eq!(
        (&ended["finishedAt"], ended.get("stoppedAt")),
        (&ended["updatedAt"], None)
    );
}

#[test]
fn arns_have_cluster_service_and_an_id() {
    let mut world = deployed(1, 1);
    let listed = listed(&mut world);
    let arn = text(&listed[0]["serviceDeploymentArn"]);
    let id = arn
        .strip_prefix("arn:aws:ecs:eu-west-1:111122223333:service-deployment/main/web/")
        .unwrap();
    assert_eq!(id.len(), 21);

    let revision = text(&listed[0]["targetServiceRevisionArn"]);
    let prefix = "arn:aws:ecs:eu-west-1:111122223333:service-revision/main/web/";
    assert_eq!(revision.strip_prefix(prefix).unwrap().len(), 19);
}

#[test]
fn whether_service_revisions_have_the_numbers_of_deployments_is_drawn() {
    for same in [true, false] {
        let mut world = World::new(1);
        let quirk = crate::Quirk::NumbersRevisionsAsDeployments;
        world.aws.settle_quirk(quirk, same);
        world.fargate("nginx:1");
        let request = world.balanced(1);
        world.ok("CreateService", request);

        let deployment = text(&world.service()["deployments"][0]["id"]);
        let revision = text(&listed(&mut world)[0]["targetServiceRevisionArn"]);
        let number = deployment.rsplit('/').next().unwrap();
        assert_eq!(revision.ends_with(number), same, "{deployment} {revision}");
    }
}

#[test]
fn a_newer_deployment_stops_the_one_in_progress() {
    let mut world = deployed(1, 1);
    deploy(&mut world, "nginx:2");
    world.run(5, |_| {});
    deploy(&mut world, "nginx:3");
    world.run(5, |_| {});
    assert_eq!(
        statuses(&mut world),
        ["IN_PROGRESS", "STOPPED", "SUCCESSFUL"]
    );

    let newest = described(&mut world, 0);
    assert_eq!(
        newest["sourceServiceRevisions"].as_array().map(Vec::len),
        Some(2)
    );
    let stopped = described(&mut world, 1);
    assert_eq!(stopped["stoppedAt"], stopped["finishedAt"]);
    assert!(stopped.get("statusReason").is_none());

    update(&mut world, "desiredCount", json!(2));
    assert_eq!(listed(&mut world).len(), 3, "a count deploys nothing");
}

#[test]
fn a_rollback_belongs_to_the_service_deployment_that_failed() {
    let mut world = deployed(1, 1);
    let before = described(&mut world, 0)["targetServiceRevision"]["arn"].clone();
    deploy(&mut world, "fate.test/missing");
    let mut seen = Vec::new();
    for _ in 0..1800 {
        world.run(1, |_| {});
        let status = statuses(&mut world).remove(0);
        if seen.last() != Some(&status) {
            seen.push(status);
        }
    }
    assert_eq!(
        seen,
        ["IN_PROGRESS", "ROLLBACK_IN_PROGRESS", "ROLLBACK_SUCCESSFUL"]
    );
    assert_eq!(statuses(&mut world).len(), 2);

    let failed = described(&mut world, 0);
    let reason = "Service deployment rolled back because the circuit breaker threshold was \
                  exceeded.";
    assert_eq!(
        (&failed["statusReason"], &failed["rollback"]["reason"]),
        (&json!(reason), &json!(reason))
    );
    assert_eq!(failed["rollback"]["serviceRevisionArn"], before);
    assert_ne!(failed["targetServiceRevision"]["arn"], before);
    assert_eq!(failed["deploymentCircuitBreaker"]["status"], "TRIGGERED");
}

#[test]
fn whether_a_rollback_has_the_id_of_the_old_deployment_is_drawn() {
    for reuses in [false, true] {
        let mut world = deployed(1, 1);
        let quirk = crate::Quirk::ReusesDeployment;
        world.aws.settle_quirk(quirk, reuses);
        let first = world.service()["deployments"][0].clone();
        deploy(&mut world, "fate.test/missing");
        world.run(1800, |_| {});

        let deployments = world.service()["deployments"].clone();
        assert_eq!(deployments.as_array().map(Vec::len), Some(1), "{reuses}");
        let primary = &deployments[0];
        assert_eq!(primary["rolloutState"], "COMPLETED");
        assert_eq!(primary["taskDefinition"], first["taskDefinition"]);
        assert_eq!(primary["id"] == first["id"], reuses, "{primary}");

        let expected = format!("rolling back to deployment {}.", text(&first["id"]));
        let messages = world.messages();
        assert!(
            messages.iter().any(|message| message.contains(&expected)),
            "{messages:?}"
        );
    }
}

#[test]
fn without_a_rollback_a_failed_service_deployment_is_stopped() {
    for (rollback, status) in [(false, "STOPPED"), (true, "ROLLBACK_FAILED")] {
        let mut world = World::new(1);
        world.fargate("fate.test/missing");
        let mut request = world.balanced(1);
        request["deploymentConfiguration"]["deploymentCircuitBreaker"]["rollback"] =
            json!(rollback);
        world.ok("CreateService", request);
        world.run(1800, |_| {});

        assert_eq!(statuses(&mut world), [status]);
        let failed = described(&mut world, 0);
        assert!(failed.get("rollback").is_none());
        assert_eq!(failed["deploymentCircuitBreaker"]["failureCount"], 3);
    }
}

#[test]
fn service_deployments_are_filtered_and_come_in_pages() {
    let mut world = deployed(1, 1);
    let arn = text(&world.service()["serviceArn"]);
    deploy(&mut world, "nginx:2");
    world.run(5, |_| {});
    let mut list = |more: Value| {
        let mut request = json!({"service": arn});
        for (member, value) in more.as_object().unwrap() {
            request[member] = value.clone();
        }
        world.call("ListServiceDeployments", request)
    };

    let all = list(json!({})).unwrap()["serviceDeployments"].clone();
    assert_eq!(all.as_array().map(Vec::len), Some(2));
    let ended = list(json!({"status": ["SUCCESSFUL"]})).unwrap();
    assert_eq!(ended["serviceDeployments"], json!([all[1]]));
    let after = json!({"createdAt": {"after": all[0]["createdAt"]}});
    assert_eq!(list(after).unwrap()["serviceDeployments"], json!([all[0]]));

    let first = list(json!({"maxResults": 1})).unwrap();
    assert_eq!(first["serviceDeployments"], json!([all[0]]));
    let rest = list(json!({"maxResults": 1, "nextToken": first["nextToken"]})).unwrap();
    assert_eq!(rest["serviceDeployments"], json!([all[1]]));
    assert!(rest.get("nextToken").is_none());
    assert_eq!(
        list(json!({"status": ["LOST"]})).unwrap_err().code,
        "InvalidParameterException"
    );
}

#[test]
fn unknown_service_deployments_are_failures_and_a_deleted_service_has_none() {
    let mut world = deployed(1, 1);
    let arn = listed(&mut world)[0]["serviceDeploymentArn"].clone();
    let described = |world: &mut World| {
        let request = json!({"serviceDeploymentArns": [arn]});
        world.ok("DescribeServiceDeployments", request)
    };
    assert_eq!(described(&mut world)["failures"], json!([]));

    let force = json!({"cluster": "main", "service": "web", "force": true});
    world.ok("DeleteService", force);
    world.run(120, |_| {});
    assert_eq!(
        described(&mut world)["failures"],
        json!([{"arn": arn, "reason": "MISSING"}])
    );

    let arns: Vec<String> = (0..21).map(|number| format!("arn{number}")).collect();
    assert_eq!(
        world.err(
            "DescribeServiceDeployments",
            json!({"serviceDeploymentArns": arns})
        ),
        "InvalidParameterException: Service deployments can have at most 20 items."
    );
    assert_eq!(
        world.err(
            "ListServiceDeployments",
            json!({"cluster": "main", "service": "none"})
        ),
        "ServiceNotFoundException: Service not found."
    );
}
