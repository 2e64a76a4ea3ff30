//! The container instances of a cluster, and whether capacity providers add more.

use serde_json::{Value, json};

use super::script::{Answer, Script, answer, run};
use crate::aws::Clusters;
use crate::observed::instances::PortInstances;

fn listed(arns: &[&str]) -> Answer {
    answer(&json!({"containerInstanceArns": arns}))
}

/// Instances as they are returned for a service with these capacity providers.
fn found(providers: &[&str], answers: Vec<Answer>) -> (PortInstances, Vec<(String, Value)>) {
    let script = Script::new(answers);
    let providers: Vec<String> = providers.iter().map(|name| (*name).to_owned()).collect();
    let found = run(Clusters::new(&script.sdk()).port_instances("apps", &providers));
    let sent = script.sent();
    let sent = sent.iter().map(|one| (one.operation(), one.json()));
    (found.expect("answered"), sent.collect())
}

#[test]
fn active_instances_and_draining_ones_with_tasks_are_counted() {
    let first = answer(&json!({"containerInstanceArns": ["i-1", "i-2"], "nextToken": "more"}));
    let described = answer(&json!({"containerInstances": [
        {"containerInstanceArn": "i-4", "runningTasksCount": 2},
        {"containerInstanceArn": "i-5", "runningTasksCount": 0},
    ]}));
    let (instances, sent) = found(
        &[],
        vec![first, listed(&["i-3"]), listed(&["i-4", "i-5"]), described],
    );

    assert_eq!(
        instances,
        PortInstances {
            active: 3,
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
    assert_eq!(
        sent,
        [
            list("ACTIVE", None),
            list("ACTIVE", Some("more")),
            list("DRAINING", None),
            (
                "DescribeContainerInstances".to_owned(),
                json!({"cluster": "apps", "containerInstances": ["i-4", "i-5"]}),
            ),
        ]
    );
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

    for (providers, described, grows) in [
        (vec!["spare"], vec![group("ENABLED")], true),
        (vec!["spare"], vec![group("DISABLED")], false),
        (vec!["spare", "own"], vec![group("DISABLED"), managed], true),
        // One that is not described may grow.
        (vec!["spare", "gone"], vec![group("DISABLED")], true),
    ] {
        let answers = vec![
            listed(&["i-1"]),
            listed(&[]),
            answer(&json!({"capacityProviders": described})),
        ];
        let (instances, sent) = found(&providers, answers);
        assert_eq!(instances.can_grow, grows, "{described:?}");
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
