use serde_json::json;
use slipway::strategy::Percentages;
use slipway::timestamp::Timestamp;

use super::*;

const OLD: &str = "arn:aws:ecs:eu-west-1:111122223333:task-definition/web:1";
const NEW: &str = "arn:aws:ecs:eu-west-1:111122223333:task-definition/web:2";

/// The parameters of a rolling update with more members, or others.
fn spec(more: Value) -> Spec {
    let mut all = json!({
        "pipeline": "slipway-web", "execution": "e-1", "cluster": "apps", "service": "web", "strategy": "rolling",
        "task_definition": NEW,
    });
    all.as_object_mut()
        .expect("an object")
        .extend(more.as_object().expect("an object").clone());
    serde_json::from_value(all).expect("legal parameters")
}

fn prior(desired_count: u32) -> Prior {
    Prior {
        task_definition: OLD.to_owned(),
        desired_count,
        percentages: Percentages {
            minimum_healthy: 90,
            maximum: 110,
        },
        recorded_at: Timestamp::from_secs(1_767_603_600).expect("in range"),
        pair: None,
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
    }
}

/// What is asked of a service that was at `recorded` tasks and has `live` ones: the change and the size.
fn asked(more: Value, recorded: u32, live: u32, announced: Option<&Change>) -> (Change, u32) {
    let asked = spec(more)
        .asked(&prior(recorded), live, announced)
        .expect("it can work");
    (asked.change, asked.size)
}

#[test]
fn the_count_is_left_alone_unless_one_is_given_or_there_are_no_tasks() {
    assert_eq!(asked(json!({}), 2, 2, None), (change(100, 200, None), 1));
    assert_eq!(
        asked(json!({"initial_count": 3}), 2, 7, None),
        (change(100, 200, None), 1)
    );
    assert_eq!(
        asked(json!({"desired_count": 5, "initial_count": 3}), 2, 2, None),
        (change(100, 200, Some(5)), 5)
    );
    assert_eq!(asked(json!({}), 0, 0, None), (change(100, 200, Some(1)), 1));
    assert_eq!(
        asked(json!({"initial_count": 3}), 0, 0, None),
        (change(100, 200, Some(3)), 3)
    );
    assert_eq!(
        asked(json!({"desired_count": 5, "initial_count": 3}), 0, 0, None),
        (change(100, 200, Some(5)), 5)
    );
}

#[test]
fn task_numbers_are_kept_of_the_count_that_the_service_will_have() {
    let one = json!({"minimum_healthy_tasks": 1, "maximum_tasks": 5});
    assert_eq!(asked(one.clone(), 2, 4, None), (change(1, 149, None), 1));
    let five = json!({"minimum_healthy_tasks": 1, "maximum_tasks": 5, "desired_count": 3});
    assert_eq!(asked(five, 2, 4, None), (change(1, 199, Some(3)), 3));
    // What was announced once is made again, however many tasks there are by now.
    assert_eq!(
        asked(one.clone(), 2, 9, Some(&change(50, 150, None))),
        (change(50, 150, None), 1)
    );
    let refusal = spec(one)
        .asked(&prior(2), 9, None)
        .expect_err("more tasks than may run");
    assert!(
        refusal
            .message
            .contains("maximum_tasks is 5, but the service has 9"),
        "{}",
        refusal.message
    );
}

#[test]
fn the_deadline_is_the_given_one_or_half_an_hour() {
    let deadline = |more: Value| {
        let asked = spec(more).asked(&prior(2), 2, None).expect("it can work");
        asked.deadline.as_secs()
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
fn legal_parameters_are_taken() {
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
        assert_eq!(spec(more.clone()).check(), Ok(()), "{more}");
    }
}

#[test]
fn parameters_that_cannot_work_are_refused_with_the_field() {
    let cases = [
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
        (
            json!({"strategy": "make-room", "desired_count": 1}),
            "`desired_count` is 1: the rollout could never finish",
        ),
        (
            json!({"desired_count": 2, "minimum_healthy_tasks": 3}),
            "`desired_count` is 2: minimum_healthy_tasks is 3",
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
    ];
    for (more, why) in cases {
        let refusal = spec(more.clone()).check().expect_err("refused");
        assert_eq!(refusal, Failure::configuration(refusal.message.clone()));
        assert!(refusal.message.contains(why), "{more}: {}", refusal.message);
    }
}

#[test]
fn every_bound_of_the_parameters_reaches_the_strategy() {
    let given = spec(json!({"minimum_healthy_percent": 40, "maximum_percent": 130})).strategy();
    assert_eq!(
        given.percentages(7),
        Percentages {
            minimum_healthy: 40,
            maximum: 130
        }
    );
    let tasks = spec(json!({"minimum_healthy_tasks": 2, "maximum_tasks": 4})).strategy();
    assert_eq!(
        tasks.percentages(3),
        Percentages {
            minimum_healthy: 34,
            maximum: 166
        }
    );
    let named = spec(json!({}));
    let name = named.name();
    assert_eq!(
        (name.pipeline, name.execution, name.cluster, name.service),
        ("slipway-web", "e-1", "apps", "web")
    );
}

#[test]
fn a_refusal_of_the_task_definition_names_it_and_others_stay_as_they_are() {
    let error = |kind, message: &str| AwsError {
        operation: "ecs:UpdateService",
        kind,
        code: "ClientException".to_owned(),
        message: message.to_owned(),
    };
    let StepError::Failed(failure) = refused(
        error(ErrorKind::Rejected, "TaskDefinition is inactive"),
        NEW,
    ) else {
        panic!("it is a failure");
    };
    assert_eq!(failure, Failure::configuration(failure.message.clone()));
    assert!(
        failure.message.contains(NEW) && failure.message.contains("TaskDefinition is inactive"),
        "{failure}"
    );
    let StepError::Failed(failure) =
        refused(error(ErrorKind::Rejected, "The service is draining"), NEW)
    else {
        panic!("it is a failure");
    };
    assert!(!failure.message.contains(NEW), "{failure}");
    assert!(matches!(
        refused(error(ErrorKind::Busy, "TaskDefinition"), NEW),
        StepError::Busy(_)
    ));
}
