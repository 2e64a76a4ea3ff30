//! A release from its begin to its close: the ledger after each step, and the calls in their order.

use harness::demo::{CLUSTER, WEB};
use harness::driver::{Driver, Fault, run};
use serde_json::{Value, json};

use super::bench::*;
use behaviour::{push, released, without_mark};

fn prior(found: &Value) -> Value {
    json!({
        "found": {"task_definition": arn("web:2"), "deployment": found["id"]},
        "task_definition": arn("web:2"), "desired_count": 2,
        "percentages": {"minimum_healthy": 100, "maximum": 200},
        "recorded_at": "<time>",
    })
}

/// What the ledger holds, grown step by step.
struct Written {
    /// The fence before the release began.
    fence: u64,
    /// What the release before it left running.
    left: Value,
    digest: String,
    release: Value,
    record: Value,
}

impl Written {
    /// The lease after this many writes.
    fn lease(&self, writes: u64) -> Value {
        json!({
            "pk": "lease", "sk": "apps/web", "v": 1, "cluster": CLUSTER, "service": WEB,
            "fence": self.fence + writes, "changed_at": "<time>", "left": self.left,
            "release": self.release,
        })
    }
}

async fn begins(driver: &Driver) -> Written {
    let before = lease(driver);
    let fence = before["fence"].as_u64().expect("a number");
    let digest = push(driver, WEB, "2.0.0");

    let since = calls(driver);
    let answer = begun(
        driver,
        json!({"minimum_healthy_percent": 50, "digest": digest}),
    )
    .await;
    let summary = "web runs web:2 with 2 tasks; the rollout keeps at least 1 healthy and at \
        most 4 running";
    assert_eq!(
        answer,
        json!({
            "status": "done", "summary": summary,
            "outputVariables": {"PriorTaskDefinitionArn": arn("web:2")},
            "externalExecutionId": null,
        })
    );
    assert_eq!(
        operations(driver, since, "begin-release"),
        ["TransactWriteItems", "PutItem"]
    );
    let release = json!({
        "execution": JANE, "pipeline": "slipway-by-hand", "digest": digest, "state": "open",
        "began_at": "<time>", "origin": "operator",
        "prior": prior(&primary(driver)),
    });
    let record_so_far = json!({
        "pk": "execution#jane-1", "sk": "record", "v": 1, "execution": JANE,
        "pipeline": "slipway-by-hand",
        "digest": digest, "cluster": CLUSTER, "service": WEB, "state": "begun",
        "started_at": "<time>",
    });
    let written = Written {
        fence,
        left: before["left"].clone(),
        digest,
        release,
        record: record_so_far,
    };
    assert_eq!(lease(driver), written.lease(2));
    assert_eq!(record(driver), written.record);
    assert_eq!(mark(driver), Value::Null);

    written
}

async fn registers(driver: &Driver, written: &mut Written) {
    let since = calls(driver);
    let answer = look(
        driver,
        "register-task-definition",
        json!({"images": {"web": image("2.0.0")}}),
    )
    .await;

    assert_eq!(
        answer,
        json!({
            "status": "done",
            "summary": format!("web:3: registered; web={}", pinned(&written.digest)),
            "outputVariables": {
                "TaskDefinitionArn": arn("web:3"), "PriorTaskDefinitionArn": arn("web:2"),
                "ImageURIs": format!("web={}", pinned(&written.digest)),
            },
            "externalExecutionId": null,
        })
    );

    let order = ["PutItem", "RegisterTaskDefinition", "PutItem"];
    assert_eq!(operations(driver, since, "register-task-definition"), order);

    written.release["registering"] = json!({"family": "web", "newest": arn("web:2")});
    written.release["registered"] = json!(arn("web:3"));
    assert_eq!(lease(driver), written.lease(4));

    let aws = driver.world.snapshot();
    let request = |revision: &str| aws.ecs.request_of(&arn(revision)).expect("registered");
    let (mut expected, _) = without_mark(request("web:2"));
    expected["containerDefinitions"][0]["image"] = json!(pinned(&written.digest));
    assert_eq!(
        without_mark(request("web:3")),
        (expected, Some(JANE.to_owned()))
    );
}

async fn updates(driver: &Driver, written: &mut Written) -> Value {
    let since = calls(driver);
    let configured = web(driver)["deploymentConfiguration"].clone();
    let answer = look(
        driver,
        "update-service",
        update(json!({"minimum_healthy_percent": 50})),
    )
    .await;
    let id = primary(driver)["id"].clone();
    let summary = "deploying web:3 to 2 tasks; at least 1 healthy, at most 4 running";

    assert_eq!(
        (&answer["status"], &answer["summary"]),
        (&json!("in-progress"), &json!(summary))
    );
    assert_eq!(
        (&answer["percentComplete"], &answer["externalExecutionId"]),
        (&json!(0), &id)
    );
    assert_eq!(
        operations(driver, since, "update-service"),
        ["PutItem", "UpdateService", "PutItem"]
    );

    written.release["change"] = json!({
        "task_definition": arn("web:3"), "percentages": {"minimum_healthy": 50, "maximum": 200},
        "promise": {"minimum": {"percent": 50}, "maximum": {"percent": 200}}, "deployment": id,
    });
    assert_eq!(lease(driver), written.lease(6));

    let found = web(driver);
    let mut expected = configured;
    expected["minimumHealthyPercent"] = json!(50);
    assert_eq!(
        (&found["deploymentConfiguration"], &found["desiredCount"]),
        (&expected, &json!(2))
    );
    assert_eq!(found["taskDefinition"], arn("web:3"));

    id
}

async fn rolls_out(driver: &Driver, id: &Value) {
    let since = calls(driver);
    let deployments = web(driver)["deployments"].clone();
    let answer = ended(
        driver,
        "update-service",
        update(json!({"minimum_healthy_percent": 50})),
    )
    .await;
    let expected = json!({
        "status": "done", "summary": "web:3 runs 2 of 2 tasks, steady",
        "outputVariables": {"TaskDefinitionArn": arn("web:3")}, "externalExecutionId": id,
    });

    assert_eq!(answer, expected);
    assert_eq!(
        operations(driver, since, "update-service"),
        ["PutItem", "UpdateService"],
        "the percentages are given back once the tasks run"
    );
    let found = web(driver);
    assert_eq!(
        found["deploymentConfiguration"]["minimumHealthyPercent"],
        100
    );
    assert_eq!(
        found["deployments"][0]["id"], deployments[0]["id"],
        "no deployment"
    );

    pass(driver, 60).await;
}

async fn finishes(driver: &Driver, mut written: Written) {
    let since = calls(driver);
    let answer = look(
        driver,
        "finish-release",
        json!({"task_definition": arn("web:3")}),
    )
    .await;

    assert_eq!(
        (&answer["status"], &answer["outputVariables"]),
        (&json!("done"), &json!({"Outcome": "deployed"}))
    );
    assert_eq!(
        operations(driver, since, "finish-release"),
        ["TransactWriteItems"]
    );

    let mut found = record(driver);
    let reason = found["reason"].take();
    let reason = reason.as_str().expect("a reason");
    assert!(
        reason.starts_with("the service runs web:3 on 2 of 2 tasks, 2 targets healthy in "),
        "{reason}"
    );
    assert!(reason.contains("; it ran web:2 before; took "), "{reason}");
    assert_eq!(answer["summary"], format!("deployed: {reason}"));

    for (name, value) in [
        ("state", json!("closed")),
        ("outcome", json!("deployed")),
        ("reason", Value::Null),
        ("prior", written.release["prior"].clone()),
        ("change", written.release["change"].clone()),
        ("ended_at", json!("<time>")),
        ("expires_at", json!("<time>")),
    ] {
        written.record[name] = value;
    }
    assert_eq!(found, written.record);

    let mut free = written.lease(8);
    free.as_object_mut().expect("an object").remove("release");
    free["left"] = json!({
        "execution": JANE, "service": WEB, "task_definition": arn("web:3"),
        "deployment": written.release["change"]["deployment"],
        "began_at": "<time>", "ended_at": "<time>",
    });
    assert_eq!(lease(driver), free);
}

#[test]
fn each_step_announces_changes_and_writes_down_in_this_order() {
    run(released(), Fault::None, async |driver| {
        let mut written = begins(&driver).await;
        registers(&driver, &mut written).await;
        let deployment = updates(&driver, &mut written).await;
        rolls_out(&driver, &deployment).await;
        finishes(&driver, written).await;
    });
}

/// The first invocation takes the release over and restores the revision and the count, while the
/// percentages stay as they are in the release.
async fn restores(driver: &Driver) {
    let held = lease(driver);
    let fence = held["fence"].as_u64().expect("a number");

    let since = calls(driver);
    let status = roll_back(driver, "FAILED").await;
    let id = primary(driver)["id"].as_str().expect("an id").to_owned();
    assert_eq!(status, format!("restoring web:2 ({id})"));
    assert_eq!(
        operations(driver, since, "roll-back"),
        ["PutItem", "PutItem", "UpdateService"]
    );

    let mut expected = held;
    expected["fence"] = json!(fence + 2);
    expected["release"]["state"] = json!("rolling-back");
    expected["release"]["rolling_back_since"] = json!("<time>");
    assert_eq!(lease(driver), expected);

    let found = web(driver);
    assert_eq!(
        (&found["taskDefinition"], &found["desiredCount"]),
        (&json!(arn("web:2")), &json!(2))
    );

    // What was promised holds on the way back.
    assert_eq!(
        found["deploymentConfiguration"]["minimumHealthyPercent"],
        50
    );
}

#[test]
fn a_restoration_announces_restores_and_closes_in_this_order() {
    run(released(), Fault::None, async |driver| {
        let digest = registered(&driver).await;
        let configured = web(&driver)["deploymentConfiguration"].clone();
        look(
            &driver,
            "update-service",
            update(json!({"minimum_healthy_percent": 50, "desired_count": 3})),
        )
        .await;
        restores(&driver).await;

        let since = calls(&driver);
        let status = rolled_back(&driver, "FAILED").await;
        let reason = "the execution failed; web:2 serves again with 2 of 2 tasks";
        assert_eq!(status, format!("rolled-back: {reason}"));

        let mut order = operations(&driver, since, "roll-back");
        assert_eq!(
            order.split_off(order.len() - 2),
            ["DeregisterTaskDefinition", "TransactWriteItems"]
        );
        assert_eq!(
            order,
            ["PutItem", "UpdateService"],
            "the percentages are given back once the tasks are"
        );
        assert_eq!(web(&driver)["deploymentConfiguration"], configured);

        let found = record(&driver);
        let written = ["state", "outcome", "reason", "digest"]
            .map(|name| found[name].as_str().unwrap_or_default());
        assert_eq!(written, ["closed", "rolled-back", reason, &digest]);
        assert!(lease(&driver)["release"].is_null());
    });
}
