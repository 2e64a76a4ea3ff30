//! The container instances of a cluster, which of them have a port free, and whether capacity
//! providers add more.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::script::{Answer, Script, answer, run};
use crate::aws::Clusters;
use crate::observed::instances::{PortInstances, TaskInstances};

fn listed(arns: &[&str]) -> Answer {
    answer(&json!({"containerInstanceArns": arns}))
}

/// The ports that the tasks hold.
const PORTS: [(u64, &str); 2] = [(53, "udp"), (80, "tcp")];

/// Descriptions of as many instances, of which nothing is known.
fn described(count: usize) -> Answer {
    answer(&json!({"containerInstances": vec![json!({"containerInstanceArn": "i"}); count]}))
}

/// Instances as they are returned for a service with these capacity providers.
fn found(providers: &[&str], answers: Vec<Answer>) -> (PortInstances, Vec<(String, Value)>) {
    let script = Script::new(answers);
    let providers: Vec<String> = providers.iter().map(|name| (*name).to_owned()).collect();
    let ports = BTreeSet::from(PORTS);
    let found = run(Clusters::new(&script.sdk()).port_instances("apps", &providers, &ports));
    let sent = script.sent();
    let sent = sent.iter().map(|one| (one.operation(), one.json()));
    (found.expect("answered"), sent.collect())
}

#[test]
fn active_instances_and_draining_ones_with_tasks_are_counted() {
    let first = answer(&json!({"containerInstanceArns": ["i-1", "i-2"], "nextToken": "more"}));
    let drained = answer(&json!({"containerInstances": [
        {"containerInstanceArn": "i-4", "runningTasksCount": 2},
        {"containerInstanceArn": "i-5", "runningTasksCount": 0},
    ]}));
    let second = listed(&["i-3"]);
    let draining = listed(&["i-4", "i-5"]);
    let answers = vec![first, second, described(3), draining, drained];
    let (instances, sent) = found(&[], answers);

    assert_eq!(
        instances,
        PortInstances {
            active: 3,
            reserved: 0,
            taken: 0,
            draining: 1,
            can_grow: false
        }
    );
    let list = |status: &str, token: Option<&str>| {
        let mut input = json!({"cluster": "apps", "status": status, "maxResults": 100});
        if let Some(token) = token {
            input["nextToken"] = json!(token);
        }
        ("ListContainerInstances".to_owned(), input)
    };
    let describe = |arns: &[&str]| {
        let input = json!({"cluster": "apps", "containerInstances": arns});
        ("DescribeContainerInstances".to_owned(), input)
    };
    assert_eq!(
        sent,
        [
            list("ACTIVE", None),
            list("ACTIVE", Some("more")),
            describe(&["i-1", "i-2", "i-3"]),
            list("DRAINING", None),
            describe(&["i-4", "i-5"]),
        ]
    );
}

/// An instance with these ports, as they were registered and as they are now.
fn with_ports(registered: [&[&str]; 2], remaining: [&[&str]; 2]) -> Value {
    let resources = |[tcp, udp]: [&[&str]; 2]| {
        json!([
            {"name": "CPU", "type": "INTEGER", "integerValue": 80},
            {"name": "PORTS", "type": "STRINGSET", "stringSetValue": tcp},
            {"name": "PORTS_UDP", "type": "STRINGSET", "stringSetValue": udp},
        ])
    };
    json!({
        "containerInstanceArn": "i", "registeredResources": resources(registered),
        "remainingResources": resources(remaining),
    })
}

#[test]
fn instances_whose_agent_or_tasks_have_a_port_are_counted_by_its_protocol() {
    let agent: &[&str] = &["22", "51678"];
    let counted = |instance: Value| {
        let described = answer(&json!({ "containerInstances": [instance] }));
        let (found, _) = found(&[], vec![listed(&["i-1"]), described, listed(&[])]);
        (found.active, found.reserved, found.taken)
    };

    let cases: [([&[&str]; 2], u32); 6] = [
        ([agent, &[]], 0),
        ([&["22", "51678", "80"], &[]], 1),
        ([agent, &["53"]], 1),
        // Both ports are one instance.
        ([&["80"], &["53"]], 1),
        // The same numbers of the other protocol.
        ([&["53"], &["80"]], 0),
        ([&["8080"], &["x"]], 0),
    ];
    for (remaining, taken) in cases {
        let found = counted(with_ports([agent, &[]], remaining));
        assert_eq!(found, (1, 0, taken), "{remaining:?}");
    }

    let reserved = counted(with_ports([&["80"], &[]], [&["80"], &["53"]]));
    assert_eq!(reserved, (1, 1, 0));
}

#[test]
fn a_capacity_provider_can_grow_unless_its_managed_scaling_is_off() {
    let group = |status: &str| {
        json!({"name": "spare", "autoScalingGroupProvider": {
            "autoScalingGroupArn": "arn:…", "managedScaling": {"status": status},
        }})
    };
    let managed =
        json!({"name": "own", "managedInstancesProvider": {"infrastructureRoleArn": "r"}});

    for (providers, providers_found, grows) in [
        (vec!["spare"], vec![group("ENABLED")], true),
        (vec!["spare"], vec![group("DISABLED")], false),
        (vec!["spare", "own"], vec![group("DISABLED"), managed], true),
        // One that is not described may grow.
        (vec!["spare", "gone"], vec![group("DISABLED")], true),
    ] {
        let answers = vec![
            listed(&["i-1"]),
            described(1),
            listed(&[]),
            answer(&json!({ "capacityProviders": providers_found })),
        ];
        let (instances, sent) = found(&providers, answers);
        assert_eq!(instances.can_grow, grows, "{providers_found:?}");
        assert_eq!(
            sent.last(),
            Some(&(
                "DescribeCapacityProviders".to_owned(),
                json!({"capacityProviders": providers})
            ))
        );
    }
}

#[test]
fn instances_of_tasks_without_ports_are_counted_and_not_described() {
    let spare = json!({"name": "spare", "autoScalingGroupProvider": {
        "autoScalingGroupArn": "arn:…", "managedScaling": {"status": "ENABLED"},
    }});
    let script = Script::new(vec![
        listed(&["i-1", "i-2"]),
        answer(&json!({"capacityProviders": [spare]})),
    ]);
    let providers = ["spare".to_owned()];
    let found = run(Clusters::new(&script.sdk()).task_instances("apps", &providers));

    let expected = TaskInstances {
        active: 2,
        can_grow: true,
    };
    assert_eq!(found.expect("answered"), expected);
    assert_eq!(script.sent()[0].json()["status"], "ACTIVE");
    assert!(script.is_played());
}

#[test]
fn instances_are_described_100_at_a_time() {
    let arns: Vec<String> = (1..=101).map(|number| format!("i-{number}")).collect();
    let names: Vec<&str> = arns.iter().map(String::as_str).collect();
    let busy = || {
        let instance = json!({"containerInstanceArn": "i", "runningTasksCount": 1});
        answer(&json!({"containerInstances": [instance]}))
    };
    let (instances, sent) = found(&[], vec![listed(&[]), listed(&names), busy(), busy()]);

    assert_eq!((instances.active, instances.draining), (0, 2));
    let described = |at: usize| sent[at].1["containerInstances"].clone();
    assert_eq!(described(2), json!(names[..100]));
    assert_eq!(described(3), json!(["i-101"]));
}
