//! The bake with all of the traffic: failures of most requests end it, although all targets pass
//! their checks.

use emulator::traffic::Incident;
use harness::driver::{Driver, Fault, run};
use serde_json::{Value, json};

use super::super::{definitions, filled, look, report, to_all};
use super::STEP;
use behaviour::pair::{secs, weights};
use behaviour::{deny, pass};

/// The report of a look after so many seconds with all of the traffic on blue, of which this part
/// fails.
async fn baked(driver: &Driver, errors: f64, time: u64) -> Value {
    let [new, _] = definitions(&driver.world.aws());
    let mut parameters = to_all(&new);
    parameters["bake_minutes"] = json!(30);
    look(driver, STEP, &parameters).await;
    assert_eq!(weights(&driver.world.aws()), [100, 0]);

    let from = driver.world.aws().now;
    let incident = Incident {
        from,
        to: from + 3_600_000,
        errors,
        slower: 1.0,
    };
    driver.world.aws().traffic.incidents.push(incident);
    pass(driver, secs(time)).await;
    report(&look(driver, STEP, &parameters).await)
}

#[test]
fn most_requests_that_fail_take_the_traffic_back_before_the_bake_is_over() {
    run(filled(), Fault::None, async |driver| {
        let answer = baked(&driver, 0.9, 540).await;
        let text = answer[2].as_str().unwrap_or_default();
        assert_eq!(answer[0], "failed", "{answer}");
        let end = " requests to blue failed, by 5XX or a refused connection; expected fewer than \
                   50% in one of the last minutes; traffic restored to blue 0 / green 100";
        assert!(text.ends_with(end), "{text}");
        assert_eq!(weights(&driver.world.aws()), [0, 100]);
    });
}

#[test]
fn some_failures_and_metrics_that_may_not_be_read_end_no_bake() {
    run(filled(), Fault::None, async |driver| {
        let answer = baked(&driver, 0.3, 540).await;
        assert_eq!(answer[0], "in-progress", "{answer}");
    });
    run(filled(), Fault::None, async |driver| {
        deny(&driver, "cloudwatch:GetMetricData");
        let answer = baked(&driver, 0.9, 540).await;
        assert_eq!(answer[0], "in-progress", "{answer}");
        assert_eq!(weights(&driver.world.aws()), [100, 0]);
    });
}
