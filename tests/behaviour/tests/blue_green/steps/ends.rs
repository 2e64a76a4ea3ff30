//! How finish-release looks at a pair, and what it leaves behind.

use emulator::{Aws, autoscaling};
use harness::demo::{CLUSTER, SHOP};
use harness::driver::{Fault, run};
use invariants::ledger_reader::{holder, record};
use serde_json::{Value, json};

use super::{
    EXECUTION, ago, begun, calls, changed, definitions, edit, failed, going, lease, left_behind,
    look, look_after, plain, report, revision, settled, timeless, whole,
};
use behaviour::pair::{secs, set, set_weights, suspend};
use behaviour::pass;

const STEP: &str = "finish-release";

fn finish(definition: &str) -> Value {
    json!({ "task_definition": definition })
}

/// The old colour was retired, for more than a minute.
fn retired() -> Aws {
    let mut aws = whole();
    ["shop-blue", "shop-green"]
        .iter()
        .for_each(|name| suspend(&mut aws, name, false));
    edit(&mut aws, |lease| {
        lease["release"]["scale_in_suspended"] = json!(false)
    });
    set(&mut aws, "shop-green", json!({"desiredCount": 0}));
    aws
}

/// The release is closed as deployed: the lease is free, and the record keeps what it had.
fn check_closed(before: &Value, aws: &Aws) {
    let after = lease(aws);
    assert_eq!(after["release"], json!(null));
    assert_eq!(settled(aws), left_behind(aws, "blue", [100, 0]));
    assert_eq!(
        after["fence"].as_u64(),
        before["fence"].as_u64().map(|fence| fence + 1)
    );

    let record = plain(&json!({"M": record(aws, EXECUTION).expect("a record")}));
    assert_eq!(
        (&record["state"], &record["outcome"]),
        (&json!("closed"), &json!("deployed"))
    );

    for copied in ["prior", "change", "shift"] {
        assert_eq!(record[copied], before["release"][copied], "{copied}");
    }
    assert_eq!(timeless(aws, &record["ended_at"]), "now");
}

#[test]
fn a_release_is_deployed_when_its_colour_is_steady_and_has_all_of_the_traffic() {
    run(retired(), Fault::None, async |driver| {
        let [new, old] = definitions(&driver.world.aws());
        let since = calls(&driver);
        let before = lease(&driver.world.aws());
        let answer = look(&driver, STEP, &finish(&new)).await;
        let aws = driver.world.snapshot();

        assert_eq!(changed(&aws, since), ["TransactWriteItems"]);

        let reason = format!(
            "the service runs {} on 2 of 2 tasks, 2 targets healthy in",
            revision(&new)
        );
        assert_eq!(
            answer["outputVariables"],
            json!({"Outcome": "deployed"}),
            "{answer}"
        );

        let summary = answer["summary"].as_str().unwrap_or_default();
        assert!(
            summary.starts_with(&format!("deployed: {reason}")),
            "{summary}"
        );
        assert!(
            summary.contains(&format!("; it ran {} before; took ", revision(&old))),
            "{summary}"
        );

        check_closed(&before, &aws);
    });
}

#[test]
fn a_release_is_finished_although_its_colour_has_just_got_a_task() {
    run(retired(), Fault::None, async |driver| {
        pass(&driver, secs(90)).await;
        let [new, _] = definitions(&driver.world.aws());
        let grows = |aws: &mut Aws| autoscaling::adjust(aws, CLUSTER, "shop-blue", 1);
        assert!(grows(&mut driver.world.aws()));
        pass(&driver, secs(6)).await;

        let answer = look(&driver, STEP, &finish(&new)).await;
        assert_eq!(
            answer["outputVariables"],
            json!({"Outcome": "deployed"}),
            "{answer}"
        );
        let summary = answer["summary"].as_str().unwrap_or_default();
        let reason = " on 2 of 3 tasks, 2 targets healthy in ";
        assert!(summary.contains(reason), "{summary}");
    });
}

/// A change of the account, and what is reported of it.
type Unsteady = (fn(&mut Aws), &'static str);

/// Changes that keep a release open.
const UNSTEADY: [Unsteady; 5] = [
    (
        |aws| set(aws, "shop-blue", json!({"desiredCount": 0})),
        "desired count is 0, expected 1 or more",
    ),
    (
        |aws| set_weights(aws, [100, 1]),
        "the weights are blue 100 / green 1 and blue must have all of the traffic",
    ),
    (
        |aws| set_weights(aws, [0, 100]),
        "the weights are blue 0 / green 100 and blue must have all of the traffic",
    ),
    (
        |aws| set_weights(aws, [0, 0]),
        "the weights are blue 0 / green 0 and blue must have all of the traffic",
    ),
    (
        |aws| set(aws, "shop-blue", json!({"desiredCount": 5})),
        "2 of 5 targets healthy in",
    ),
];

#[test]
fn a_release_is_not_finished_while_its_colour_shares_the_traffic_or_is_not_steady() {
    for (spoil, what) in UNSTEADY {
        let mut aws = retired();
        spoil(&mut aws);
        run(aws, Fault::None, async |driver| {
            let [new, _] = definitions(&driver.world.aws());
            let since = calls(&driver);
            let waits = report(&look_after(&driver, STEP, &finish(&new), 899).await);
            let summary = waits[1].as_str().unwrap_or_default();

            assert!(
                summary.starts_with("not steady: ") && summary.contains(what),
                "{waits}"
            );
            assert!(
                summary.ends_with("; 14m59s of 15m00s")
                    && waits[0] == "in-progress"
                    && waits[2] == 50,
                "{waits}"
            );
            assert_eq!(changed(&driver.world.aws(), since), Vec::<String>::new());

            let fails = report(&look_after(&driver, STEP, &finish(&new), 900).await);
            let message = fails[2].as_str().unwrap_or_default();
            let start = format!("the service does not run {} steadily: ", revision(&new));
            assert!(
                fails[0] == "failed" && message.starts_with(&start) && message.contains(what),
                "{fails}"
            );
            assert_eq!(
                holder(&driver.world.aws(), CLUSTER, SHOP).as_deref(),
                Some(EXECUTION)
            );
        });
    }
}

#[test]
fn a_release_is_not_finished_while_scale_in_is_suspended() {
    let mut aws = retired();
    edit(&mut aws, |lease| {
        lease["release"]["scale_in_suspended"] = json!(true)
    });
    run(aws, Fault::None, async |driver| {
        let [new, _] = definitions(&driver.world.aws());
        let text = "scale-in is still suspended on both colours; run update-service with mode \
            `retire` before this action";
        assert_eq!(
            report(&look(&driver, STEP, &finish(&new)).await),
            json!(["failed", "ConfigurationError", text])
        );
        assert_eq!(
            holder(&driver.world.aws(), CLUSTER, SHOP).as_deref(),
            Some(EXECUTION)
        );
    });
}

#[test]
fn a_release_is_finished_once_nothing_announced_can_still_be_made() {
    let mut aws = retired();
    let now = ago(&aws, 0);
    edit(&mut aws, |lease| lease["changed_at"] = now);
    run(aws, Fault::None, async |driver| {
        let [new, _] = definitions(&driver.world.aws());
        let since = calls(&driver);
        let text = "steady; waiting 1m00s for earlier invocations to time out";

        assert_eq!(
            report(&look(&driver, STEP, &finish(&new)).await),
            going(text, 90)
        );
        assert_eq!(changed(&driver.world.aws(), since), Vec::<String>::new());
    });
}

#[test]
fn a_release_of_what_is_live_is_unchanged_and_looks_at_the_live_colour() {
    run(begun(), Fault::None, async |driver| {
        let [_, old] = definitions(&driver.world.aws());
        let answer = look(&driver, STEP, &finish(&old)).await;
        assert_eq!(
            answer["outputVariables"],
            json!({"Outcome": "unchanged"}),
            "{answer}"
        );

        let aws = driver.world.snapshot();
        assert_eq!(settled(&aws), left_behind(&aws, "green", [0, 100]));
    });
    let mut aws = begun();
    set_weights(&mut aws, [100, 0]);
    run(aws, Fault::None, async |driver| {
        let [_, old] = definitions(&driver.world.aws());
        let text = "the weights are blue 100 / green 0 and green must have all of the traffic";
        let answer = look_after(&driver, STEP, &finish(&old), 900).await;

        assert_eq!(
            report(&answer),
            failed(&format!(
                "the service does not run {} steadily: {text}",
                revision(&old)
            ))
        );
    });
}
