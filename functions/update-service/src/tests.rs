mod refusals;

use serde_json::{Value, json};
use slipway::aws::ErrorKind;
use slipway::job::parse_parameters;
use slipway::observed::percentages::Percentages;
use slipway::release::PriorService;
use slipway::strategy::in_place::deploy::RolloutBounds;
use slipway::task_definition::TaskDefinition;
use slipway::timestamp::Timestamp;

use super::failed::with_stop_reasons;
use super::*;

const NEW: &str = "arn:aws:ecs:eu-west-1:111122223333:task-definition/web:2";

/// The parameters of a rolling update with more members, or others.
fn parameters(more: Value) -> Parameters {
    let mut all = json!({
        "pipeline": "slipway-web", "execution": "e-1", "cluster": "apps", "service": "web",
        "strategy": "rolling", "task_definition": NEW,
    });
    all.as_object_mut()
        .expect("an object")
        .extend(more.as_object().expect("an object").clone());
    parse_parameters(Some(&all.to_string())).expect("valid").1
}

/// What the service had before, with two tasks.
fn had() -> PriorService {
    PriorService {
        task_definition: NEW.replace("web:2", "web:1"),
        desired_count: 2,
        percentages: Percentages {
            minimum_healthy: 100,
            maximum: 200,
        },
        early_success: Some(60),
        found: None,
        recorded_at: Timestamp::from_secs(1_767_603_600).expect("in range"),
    }
}

fn change(minimum_healthy: u32, maximum: u32, desired_count: Option<u32>) -> Change {
    let percentages = Percentages {
        minimum_healthy,
        maximum,
    };

    Change {
        task_definition: NEW.to_owned(),
        percentages,
        desired_count,
        deployment: None,
        promise: None,
        set_before: None,
        given: None,
    }
}

/// The goal for a service that has `live` tasks: the change and the size.
fn goal(more: Value, live: u32, announced: Option<&Change>) -> (Change, u32) {
    let goal = parameters(more.clone())
        .goal(live, announced, &had())
        .expect("it can work");
    let promise = parameters(more).strategy().promise();
    assert_eq!(goal.change.promise, Some(promise));
    let change = Change {
        promise: None,
        ..goal.change
    };
    (change, goal.size)
}

#[test]
fn the_count_is_left_alone_unless_one_is_given_or_there_are_no_tasks() {
    assert_eq!(goal(json!({}), 2, None), (change(100, 200, None), 1));
    assert_eq!(
        goal(json!({"initial_count": 3}), 7, None),
        (change(100, 200, None), 1)
    );
    assert_eq!(
        goal(json!({"desired_count": 5, "initial_count": 3}), 2, None),
        (change(100, 200, Some(5)), 5)
    );
    assert_eq!(goal(json!({}), 0, None), (change(100, 200, Some(1)), 1));
    assert_eq!(
        goal(json!({"initial_count": 3}), 0, None),
        (change(100, 200, Some(3)), 3)
    );
    assert_eq!(
        goal(json!({"desired_count": 5, "initial_count": 3}), 0, None),
        (change(100, 200, Some(5)), 5)
    );
}

#[test]
fn task_numbers_are_kept_of_the_count_that_the_service_will_have() {
    let one = json!({"minimum_healthy_tasks": 1, "maximum_tasks": 5});
    assert_eq!(goal(one.clone(), 4, None), (change(25, 149, None), 1));

    let five = json!({"minimum_healthy_tasks": 1, "maximum_tasks": 5, "desired_count": 3});
    assert_eq!(goal(five, 4, None), (change(33, 199, Some(3)), 3));

    // Numbers of tasks that do not fit the count by now leave what was announced.
    for live in [0, 9] {
        assert_eq!(
            goal(one.clone(), live, Some(&change(50, 150, None))),
            (change(50, 150, None), 1)
        );
    }

    let refusal = parameters(one)
        .goal(9, None, &had())
        .expect_err("more tasks than may run");
    assert!(
        refusal
            .message
            .contains("`maximum_tasks` is 5, but the service has 9"),
        "{}",
        refusal.message
    );
}

#[test]
fn a_count_that_can_never_be_rolled_is_refused_unless_the_service_has_no_tasks() {
    let one = json!({"strategy": "make-room"});
    let given = json!({"strategy": "make-room", "desired_count": 1});
    let healthy = json!({"desired_count": 2, "minimum_healthy_tasks": 3});

    for (more, live, expected) in [
        (&one, 1, "the rollout could never finish: of 1 tasks"),
        (
            &given,
            2,
            "`desired_count` is 1: the rollout could never finish",
        ),
        (
            &healthy,
            4,
            "`desired_count` is 2: `minimum_healthy_tasks` is 3",
        ),
    ] {
        let refusal = parameters(more.clone()).goal(live, None, &had());
        let refusal = refusal.expect_err("it could never finish");
        assert_eq!(refusal, Failure::configuration(refusal.message.clone()));
        assert!(refusal.message.starts_with(expected), "{}", refusal.message);
    }

    for (more, expected) in [
        (one, change(99, 100, Some(1))),
        (given, change(99, 100, Some(1))),
        (healthy, change(100, 200, Some(2))),
    ] {
        assert_eq!(goal(more, 0, None).0, expected);
    }
}

#[test]
fn percentages_follow_the_count_that_others_give_the_service() {
    let room = json!({"strategy": "make-room"});
    let made = |desired_count| Change {
        deployment: Some("ecs-svc/2".to_owned()),
        ..change(50, 100, desired_count)
    };

    assert_eq!(
        goal(room.clone(), 20, Some(&made(None))).0,
        change(95, 100, None)
    );
    assert_eq!(
        goal(room.clone(), 20, Some(&made(Some(2)))).0,
        change(95, 100, Some(2))
    );
    // Until the change is made, the service is given the count that was announced.
    assert_eq!(
        goal(room.clone(), 20, Some(&change(50, 100, Some(4)))).0,
        change(75, 100, Some(4))
    );
    // A service without tasks has nothing to replace: what was announced stays for its next ones.
    assert_eq!(
        goal(room.clone(), 0, Some(&made(None))).0,
        change(50, 100, None)
    );
    // One task cannot make room.
    assert_eq!(goal(room, 1, Some(&made(None))).0, change(50, 100, None));
}

#[test]
fn what_the_change_was_made_with_is_planned_for_the_count_of_that_moment() {
    let of = |announced: Option<u32>| {
        let change = Change {
            deployment: Some("ecs-svc/2".to_owned()),
            ..change(95, 100, announced)
        };
        let room = parameters(json!({"strategy": "make-room"}));
        room.goal(20, Some(&change), &had()).expect("it can work")
    };
    let recorded = RolloutBounds {
        percentages: had().percentages,
        early_success: Some(60),
    };

    for (announced, minimum_healthy) in [(None, 50), (Some(4), 75)] {
        let goal = of(announced);
        assert_eq!(
            goal.made_with,
            change(minimum_healthy, 100, None).percentages
        );
        assert_eq!(goal.recorded, recorded);
    }
}

#[test]
fn the_deadline_is_the_given_one_or_half_an_hour() {
    let deadline = |more: Value| {
        let goal = parameters(more).goal(2, None, &had()).expect("it can work");
        goal.deadline.as_secs()
    };

    assert_eq!(
        [
            deadline(json!({})),
            deadline(json!({"deadline_minutes": 7}))
        ],
        [1_800, 420]
    );
}

#[test]
fn valid_parameters_are_accepted() {
    for more in [
        json!({}),
        json!({"desired_count": 1, "initial_count": 1}),
        json!({"deadline_minutes": 1}),
        json!({"deadline_minutes": 1_380}),
        json!({"strategy": "make-room", "desired_count": 2}),
        json!({"strategy": "blue-green", "mode": "fill", "initial_count": 2}),
        json!({"strategy": "blue-green", "mode": "size"}),
        json!({"strategy": "blue-green", "mode": "retire", "drain_minutes": 0}),
        json!({"strategy": "blue-green", "mode": "retire", "drain_minutes": 1_380}),
    ] {
        assert_eq!(parameters(more.clone()).validate(), Ok(()), "{more}");
    }
}

/// Parameters that cannot work, and the part of the message that names the field.
fn refused_parameters() -> [(Value, &'static str); 13] {
    [
        (
            json!({"task_definition": "web:2"}),
            "`task_definition` is `web:2`",
        ),
        (
            json!({"strategy": "make-room", "maximum_percent": 150}),
            "strategy `make-room`",
        ),
        (json!({"desired_count": 0}), "`desired_count` is 0"),
        (json!({"initial_count": 0}), "`initial_count` is 0"),
        (json!({"deadline_minutes": 0}), "`deadline_minutes` is 0"),
        (
            json!({"deadline_minutes": 1_381}),
            "`deadline_minutes` is 1381",
        ),
        (json!({"mode": "fill"}), "`mode` is given"),
        (json!({"drain_minutes": 5}), "`drain_minutes` is given"),
        (json!({"strategy": "blue-green"}), "`mode` is missing"),
        (
            json!({"strategy": "blue-green", "mode": "fill", "desired_count": 2}),
            "`desired_count` is given",
        ),
        (
            json!({"strategy": "blue-green", "mode": "fill", "drain_minutes": 5}),
            "`drain_minutes` is given",
        ),
        (
            json!({"strategy": "blue-green", "mode": "size", "drain_minutes": 5}),
            "`drain_minutes` is given",
        ),
        (
            json!({"strategy": "blue-green", "mode": "retire", "drain_minutes": 1_381}),
            "`drain_minutes` is 1381",
        ),
    ]
}

#[test]
fn parameters_that_cannot_work_are_refused_by_field() {
    for (more, why) in refused_parameters() {
        let refusal = parameters(more.clone()).validate().expect_err("refused");
        assert_eq!(refusal, Failure::configuration(refusal.message.clone()));
        assert!(refusal.message.contains(why), "{more}: {}", refusal.message);
    }
}

#[test]
fn every_bound_of_the_parameters_reaches_the_strategy() {
    let given =
        parameters(json!({"minimum_healthy_percent": 40, "maximum_percent": 130})).strategy();
    assert_eq!(
        given.percentages(7),
        Percentages {
            minimum_healthy: 40,
            maximum: 130
        }
    );

    let tasks = parameters(json!({"minimum_healthy_tasks": 2, "maximum_tasks": 4})).strategy();
    assert_eq!(
        tasks.percentages(3),
        Percentages {
            minimum_healthy: 66,
            maximum: 166
        }
    );
}

/// Of a definition with a variable.
fn with_secret(value: &str) -> TaskDefinition {
    TaskDefinition::from_value(json!({"family": "web", "containerDefinitions": [{
        "name": "web", "image": "web:1", "environment": [{"name": "URL", "value": value}],
    }]}))
    .expect("a task definition")
}

#[test]
fn what_ecs_wrote_loses_the_values_of_variables_wherever_a_failure_quotes_it() {
    let event = "(service web) failed to start: exec hunter-2: not found";
    let message = format!("not steady after 7m00s: 0 of 2 hunter-2; newest message: {event}");
    let kept = "not steady after 7m00s: 0 of 2 hunter-2; newest message: ";
    let shown = "(service web) failed to start: exec ***: not found";
    let reasons = || Ok(vec!["exec hunter-2".to_owned()]);
    let definition = || Ok(Some(with_secret("hunter-2")));
    let error = || AwsError {
        operation: "ecs:DescribeTaskDefinition",
        kind: ErrorKind::Rejected,
        code: "ClientException".to_owned(),
        message: "no".to_owned(),
    };
    let unread = "; failed to read why tasks stopped: ecs:DescribeTaskDefinition failed: \
                  ClientException: no";

    for (reasons, definition, expected) in [
        (Ok(Vec::new()), definition(), format!("{kept}{shown}")),
        (
            reasons(),
            definition(),
            format!("{kept}{shown}; tasks stopped because: exec ***"),
        ),
        (
            reasons(),
            Ok(None),
            format!("{kept}(not shown: the task definition does not exist)"),
        ),
        (
            reasons(),
            Err(error()),
            format!("{kept}(not shown: the task definition could not be read){unread}"),
        ),
        (Err(error()), definition(), format!("{kept}{shown}{unread}")),
    ] {
        assert_eq!(
            with_stop_reasons(&message, &[event], &reasons, &definition),
            expected
        );
    }
}
