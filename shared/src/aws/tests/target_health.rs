//! The health of the targets of a service.

use serde_json::json;

use super::script::{Answer, NOW, Script, answer, refusal, run, xml};
use super::services::{ARN, GROUP, NEW, OLD, described, service, view};
use crate::aws::Services;
use crate::observed::service::{ServiceView, TargetGroupView};

/// Targets in these states, as DescribeTargetHealth has them.
pub(super) fn targets(states: &[&str]) -> Answer {
    let numbered = states.iter().enumerate();
    health(numbered.map(|(number, state)| (format!("<Id>10.0.0.{number}</Id>"), *state)))
}

/// Targets, each by its members and its state, as DescribeTargetHealth has them.
fn health<'a>(targets: impl Iterator<Item = (String, &'a str)>) -> Answer {
    let members = targets.map(|(target, state)| {
        format!(
            "<member><Target>{target}</Target>\
             <TargetHealth><State>{state}</State></TargetHealth></member>"
        )
    });
    let members: String = members.collect();
    xml(
        "DescribeTargetHealth",
        &format!("<TargetHealthDescriptions>{members}</TargetHealthDescriptions>"),
    )
}

/// Tasks with the addresses of these targets, as ListTasks and DescribeTasks have them.
pub(super) fn tasks(numbers: &[usize]) -> [Answer; 2] {
    let tasks = numbers.iter().map(|number| {
        let address = format!("10.0.0.{number}");
        json!({"containers": [{"networkInterfaces": [{"privateIpv4Address": address}]}]})
    });
    [
        answer(&json!({"taskArns": ["task"]})),
        answer(&json!({"tasks": tasks.collect::<Vec<_>>()})),
    ]
}

#[test]
fn targets_of_another_service_in_the_same_group_do_not_count() {
    let [listed, described_tasks] = tasks(&[1]);
    let script = Script::new([
        described(&service()),
        targets(&["healthy", "healthy", "healthy"]),
        listed,
        described_tasks,
    ]);
    let found = run(Services::new(&script.sdk()).observe("apps", "web"))
        .expect("answered")
        .expect("there");

    assert_eq!(found.view.target_groups[0].healthy, 1);
    assert_eq!(found.view.target_groups[0].registered, 3);
}

#[test]
fn healthy_targets_are_counted_and_draining_ones_are_not_registered() {
    let states = [
        "healthy",
        "healthy",
        "initial",
        "unhealthy",
        "unused",
        "draining",
        "unhealthy.draining",
    ];
    let [listed, described_tasks] = tasks(&[0, 1, 2]);
    let script = Script::new([
        described(&service()),
        targets(&states),
        listed,
        described_tasks,
    ]);
    let found = run(Services::new(&script.sdk()).observe("apps", "web"))
        .expect("answered")
        .expect("there");
    let group = TargetGroupView {
        arn: GROUP.to_owned(),
        healthy: 2,
        registered: 5,
        unreachable: 0,
        healthy_newcomers: 0,
    };

    assert_eq!(
        found.view,
        ServiceView {
            target_groups: vec![group],
            ..view()
        }
    );
    assert_eq!(
        script.operations(),
        [
            "DescribeServices",
            "DescribeTargetHealth",
            "ListTasks",
            "DescribeTasks"
        ]
    );
    assert_eq!(script.sent()[1].form()["TargetGroupArn"], GROUP);
}

/// The proven tasks of a service without target groups that has these, and what was called.
fn proven_of(running: u32, found: &[serde_json::Value]) -> (u32, Vec<String>) {
    let mut unbalanced = service();
    unbalanced["loadBalancers"] = json!([]);
    unbalanced["runningCount"] = json!(running);
    let script = Script::new([
        described(&unbalanced),
        answer(&json!({"taskArns": ["task"]})),
        answer(&json!({"tasks": found})),
    ]);
    let found = run(Services::new(&script.sdk()).observe("apps", "web"))
        .expect("answered")
        .expect("there");
    (found.view.proven, script.operations())
}

#[test]
fn the_tasks_of_the_primary_revision_that_have_run_for_a_minute_are_counted() {
    let task = |revision: &str, status: &str, secs: i64| {
        json!({
            "taskDefinitionArn": revision, "lastStatus": status, "startedAt": NOW - secs,
            "containerInstanceArn": "instance",
        })
    };
    let tasks = [
        task(NEW, "RUNNING", 60),
        task(NEW, "RUNNING", 59),
        task(NEW, "RUNNING", 600),
        task(NEW, "DEACTIVATING", 600),
        task(OLD, "RUNNING", 600),
        json!({"taskDefinitionArn": NEW, "lastStatus": "PENDING"}),
    ];
    let (proven, called) = proven_of(5, &tasks);
    assert_eq!(proven, 2);
    assert_eq!(called, ["DescribeServices", "ListTasks", "DescribeTasks"]);

    let (proven, called) = proven_of(0, &tasks);
    assert_eq!((proven, called), (0, vec!["DescribeServices".to_owned()]));
}

/// Unreachable targets of two tasks in each group, beside a first target in this state. The second
/// task is one of this deployment.
fn unreachable(groups: &[&str], deployment: &str) -> Vec<u32> {
    let mut balanced = service();
    let arns = groups.iter().map(|group| json!({"targetGroupArn": group}));
    balanced["loadBalancers"] = arns.collect();
    let of_group = |first: &&str| {
        let state = "<State>unused</State><Reason>Target.NotInUse</Reason>";
        let members = format!(
            "<member><Target><Id>10.0.0.0</Id></Target><TargetHealth><State>{first}</State>\
             </TargetHealth></member><member><Target><Id>10.0.0.1</Id></Target>\
             <TargetHealth>{state}</TargetHealth></member>"
        );
        xml(
            "DescribeTargetHealth",
            &format!("<TargetHealthDescriptions>{members}</TargetHealthDescriptions>"),
        )
    };
    let task = |number: usize, started_by: &str| {
        let address = format!("10.0.0.{number}");
        json!({
            "startedBy": started_by,
            "containers": [{"networkInterfaces": [{"privateIpv4Address": address}]}],
        })
    };
    let mut answers = vec![described(&balanced)];
    answers.extend(groups.iter().map(of_group));
    answers.push(answer(&json!({"taskArns": ["task"]})));
    let tasks = [task(0, "ecs-svc/2"), task(1, deployment)];
    answers.push(answer(&json!({"tasks": tasks})));

    let script = Script::new(answers);
    let found = run(Services::new(&script.sdk()).observe("apps", "web"))
        .expect("answered")
        .expect("there");
    let groups = found.view.target_groups.iter();
    groups.map(|group| group.unreachable).collect()
}

#[test]
fn new_tasks_are_unreachable_if_their_targets_are_unused_beside_healthy_ones() {
    let primary = view().primary().expect("a PRIMARY deployment").id.clone();

    assert_eq!(unreachable(&["healthy"], &primary), [1]);
    assert_eq!(unreachable(&["healthy"], "ecs-svc/1"), [0], "an older task");
    let two = unreachable(&["initial", "healthy"], &primary);
    assert_eq!(two, [0, 1], "no listener uses the first group");
}

#[test]
fn the_tasks_of_a_service_that_is_given_by_its_arn_are_listed_by_its_name() {
    let [listed, described_tasks] = tasks(&[0]);
    let script = Script::new([
        described(&service()),
        targets(&["healthy"]),
        listed,
        described_tasks,
    ]);
    let found = run(Services::new(&script.sdk()).observe("apps", ARN))
        .expect("answered")
        .expect("there");

    assert_eq!(found.view.target_groups[0].healthy, 1);
    assert_eq!(script.sent()[2].json()["serviceName"], "web");
}

#[test]
fn the_targets_of_every_group_are_counted() {
    let mut two = service();
    two["loadBalancers"] = json!([{"targetGroupArn": "one"}, {"targetGroupArn": "two"}]);
    let [listed, described_tasks] = tasks(&[0, 1]);
    let script = Script::new([
        described(&two),
        targets(&["healthy"]),
        targets(&["healthy", "healthy"]),
        listed,
        described_tasks,
    ]);
    let found = run(Services::new(&script.sdk()).observe("apps", "web"))
        .expect("answered")
        .expect("there");
    let counts: Vec<_> = found
        .view
        .target_groups
        .iter()
        .map(|group| (group.arn.as_str(), group.healthy))
        .collect();

    assert_eq!(counts, [("one", 1), ("two", 2)]);
    assert_eq!(script.sent()[2].form()["TargetGroupArn"], "two");
}

#[test]
fn the_revisions_that_a_family_runs_are_those_of_other_services() {
    let task = |group: &str, revision: &str| json!({"group": group, "taskDefinitionArn": revision});
    let script = Script::new([
        answer(&json!({"taskArns": ["a", "b", "c"]})),
        answer(&json!({"tasks": [
            task("service:web", "web:3"),
            task("service:web-internal", "web:2"),
            task("family:web", "web:1"),
        ]})),
    ]);
    let own = [ARN.to_owned()];
    let running = run(Services::new(&script.sdk()).running_revisions("apps", "web", &own));

    let running = running.expect("answered");
    assert_eq!(running.iter().collect::<Vec<_>>(), ["web:1", "web:2"]);
    assert_eq!(
        script.sent()[0].json(),
        json!({
            "cluster": "apps", "family": "web", "desiredStatus": "RUNNING", "maxResults": 100
        })
    );

    let gone = Script::new([refusal("ClusterNotFoundException", "Cluster not found.")]);
    let running = run(Services::new(&gone.sdk()).running_revisions("apps", "web", &[]));
    assert!(running.expect("answered").is_empty());
}

/// Healthy targets of this service on an instance, by the ports of the targets and what its one
/// task shows.
fn healthy_on_instance(ports: &[u32], container: &serde_json::Value) -> u32 {
    let targets: Vec<_> = ports.iter().map(|port| ("i-1", *port)).collect();
    healthy_on_instances(&targets, "RUNNING", container)
}

/// Healthy targets of this service, by instance and port, when its one task is on `i-1`.
fn healthy_on_instances(
    targets: &[(&str, u32)],
    status: &str,
    container: &serde_json::Value,
) -> u32 {
    let target = |(instance, port): &(&str, u32)| {
        let target = format!("<Id>{instance}</Id><Port>{port}</Port>");
        (target, "healthy")
    };
    let task = json!({
        "containerInstanceArn": "instance", "lastStatus": status, "containers": [container],
    });
    let script = Script::new([
        described(&service()),
        health(targets.iter().map(target)),
        answer(&json!({"taskArns": ["task"]})),
        answer(&json!({"tasks": [task]})),
        answer(&json!({"containerInstances": [
            {"containerInstanceArn": "instance", "ec2InstanceId": "i-1"},
        ]})),
    ]);
    let found = run(Services::new(&script.sdk()).observe("apps", "web"))
        .expect("answered")
        .expect("there");
    assert_eq!(
        script.operations()[4],
        "DescribeContainerInstances",
        "the target is an instance"
    );
    found.view.target_groups[0].healthy
}

#[test]
fn targets_on_instances_are_known_by_the_host_ports_of_the_container_port() {
    let bound = json!({"networkBindings": [
        {"containerPort": 80, "hostPort": 32_768},
        {"containerPort": 81, "hostPort": 32_769},
    ]});
    assert_eq!(healthy_on_instance(&[32_768, 32_769, 80], &bound), 1);

    // In the network mode `host` no binding is shown, and the ports are the container's.
    assert_eq!(healthy_on_instance(&[80, 32_768], &json!({})), 1);
}

#[test]
fn a_host_port_is_the_task_s_on_its_own_instance_only() {
    let bound = json!({"networkBindings": [{"containerPort": 80, "hostPort": 32_768}]});
    let targets = [("i-1", 32_768), ("i-2", 32_768)];
    assert_eq!(healthy_on_instances(&targets, "RUNNING", &bound), 1);
}

#[test]
fn a_task_that_starts_shows_no_bindings_and_is_not_on_the_network_of_its_host() {
    assert_eq!(
        healthy_on_instances(&[("i-1", 80)], "PENDING", &json!({})),
        0
    );
}

#[test]
fn targets_are_known_by_the_ipv6_address_of_their_task() {
    let address = "2001:db8::1";
    let interface = json!({"privateIpv4Address": "10.0.0.1", "ipv6Address": address});
    let script = Script::new([
        described(&service()),
        health([(format!("<Id>{address}</Id>"), "healthy")].into_iter()),
        answer(&json!({"taskArns": ["task"]})),
        answer(&json!({"tasks": [{"containers": [{"networkInterfaces": [interface]}]}]})),
    ]);
    let found = run(Services::new(&script.sdk()).observe("apps", "web"))
        .expect("answered")
        .expect("there");

    assert_eq!(found.view.target_groups[0].healthy, 1);
}
