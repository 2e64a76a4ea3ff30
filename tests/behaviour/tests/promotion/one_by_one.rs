//! An execution releases one service after the other, each once. Steps are invoked by hand, so that
//! a late delivery comes when a test wants it.

use behaviour::{by_hand, invoke, recorded, released, service};
use harness::demo::{CLUSTER, COUNTER, WEB};

use super::*;

const EXECUTION: &str = "jane-1";

fn parameters(of: &str, more: Value) -> Value {
    let mut parameters = json!({
        "pipeline": "slipway-by-hand", "execution": EXECUTION, "cluster": CLUSTER, "service": of,
    });
    let members = parameters.as_object_mut().expect("an object");
    members.extend(more.as_object().expect("an object").clone());
    parameters
}

/// Begins a release; the counter has no free instances for more tasks.
async fn begin(driver: &Driver, of: &str) -> Value {
    let strategy = if of == COUNTER {
        "make-room"
    } else {
        "rolling"
    };
    let parameters = parameters(of, json!({ "strategy": strategy }));
    by_hand(driver, "begin-release", parameters).await
}

/// Finishes a release that changed nothing.
async fn finish(driver: &Driver, of: &str) -> Value {
    let runs = service(&driver.world.aws(), CLUSTER, of)["taskDefinition"].clone();
    by_hand(
        driver,
        "finish-release",
        parameters(of, json!({"task_definition": runs})),
    )
    .await
}

fn assert_refused(answer: &Value, why: &str) {
    assert_eq!(answer["type"], "ConfigurationError", "{answer}");
    let message = answer["message"].as_str().expect("a message");
    assert!(message.contains(why), "{message}");
}

#[test]
fn a_next_service_is_released_once_the_one_before_ended_well() {
    run(released(), Fault::None, async |driver| {
        assert_eq!(begin(&driver, WEB).await["status"], "done");
        let open = format!("execution {EXECUTION} has an open release of service {WEB} in cluster");
        assert_refused(&begin(&driver, COUNTER).await, &open);
        assert_eq!(
            recorded(&driver.world.aws(), EXECUTION, "state").as_deref(),
            Some("begun")
        );

        assert_eq!(finish(&driver, WEB).await["status"], "done");
        assert_eq!(begin(&driver, COUNTER).await["status"], "done");
        let expected = [(WEB.to_owned(), "unchanged".to_owned())];
        assert_eq!(earlier(&driver.world.aws(), EXECUTION), expected);
        let of = recorded(&driver.world.aws(), EXECUTION, "service");
        assert_eq!(of.as_deref(), Some(COUNTER));

        assert_eq!(finish(&driver, COUNTER).await["status"], "done");
        assert_eq!(earlier(&driver.world.aws(), EXECUTION), expected);
        // A late delivery of an earlier action.
        for service in [WEB, COUNTER] {
            assert_refused(&begin(&driver, service).await, "release already unchanged");
        }
    });
}

#[test]
fn no_service_is_released_after_one_that_was_not_deployed() {
    run(released(), Fault::None, async |driver| {
        assert_eq!(begin(&driver, WEB).await["status"], "done");
        let ended = json!({"parameters": {"execution": EXECUTION}});
        for _ in 0..10 {
            invoke(&driver, "roll-back", ended.clone())
                .await
                .expect("an answer");
            behaviour::pass(&driver, std::time::Duration::from_secs(60)).await;
        }
        let outcome = recorded(&driver.world.aws(), EXECUTION, "outcome");
        assert_eq!(outcome.as_deref(), Some("failed"));
        assert_refused(&begin(&driver, COUNTER).await, "release already failed");
    });
}
