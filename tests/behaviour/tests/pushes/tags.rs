//! Which tags are delivered, by the rule of the pipeline that EventBridge does not know.

use std::time::Duration;

use behaviour::pair::update;
use behaviour::{account, ends, pass};
use emulator::Aws;
use emulator::ecr::{self, Behaviour};
use harness::driver::{Driver, Fault, run};
use invariants::ledger_reader::{executions, item, text};
use serde_json::{Value, json};

use crate::sweep::{
    TOOLS, claim, deliver, deliver_last, last_event, nothing, pass_minutes, started, sweep, tag,
    tools, without_a_rule,
};

const COUNTER: &str = "slipway-page-counter";

/// Why a digest was not delivered, as recorded in the ledger.
fn refusal(aws: &Aws, digest: &str) -> Option<String> {
    let key = json!({"pk": {"S": format!("push#{COUNTER}")}, "sk": {"S": digest}});
    text(&item(aws, &key)?, "refusal").map(ToOwned::to_owned)
}

#[test]
fn only_versions_of_the_range_are_delivered_and_the_ledger_has_why_others_are_not() {
    let mut aws = account();
    update(
        &mut aws,
        "page-counter-pipeline",
        &[("TagRule", "semver:^1.4")],
    );

    run(aws, Fault::None, async |driver| {
        let before = executions(&driver.world.aws(), COUNTER).count();
        for (tag, why) in [
            ("1.3.0", "is not in the pipeline's range of versions ^1.4"),
            (
                "1.5.0-rc.1",
                "is not in the pipeline's range of versions ^1.4",
            ),
            ("latest", "is not a version such as 1.4.0 or v1.4.0"),
        ] {
            let digest = behaviour::push(&driver, "page-counter", tag);
            pass(&driver, Duration::from_secs(10)).await;
            let aws = driver.world.aws();
            assert_eq!(executions(&aws, COUNTER).count(), before, "{tag}");
            let refusal = refusal(&aws, &digest).expect("recorded");
            assert!(refusal.contains(why), "{tag}: {refusal}");
        }

        let digest = behaviour::push(&driver, "page-counter", "1.5.0");
        ends(&driver, COUNTER, &digest, "deployed").await;
    });
}

#[test]
fn the_tag_that_moves_starts_nothing_unless_it_is_named_and_the_ledger_has_why() {
    for (pattern, is_delivered) in [("*", false), ("latest", true)] {
        let mut aws = account();
        update(
            &mut aws,
            "page-counter-pipeline",
            &[("TagPattern", pattern)],
        );

        run(aws, Fault::None, async |driver| {
            let before = executions(&driver.world.aws(), COUNTER).count();
            let digest = behaviour::push(&driver, "page-counter", "latest");
            pass(&driver, Duration::from_secs(10)).await;
            let aws = driver.world.aws();
            let started = executions(&aws, COUNTER).count() - before;
            assert_eq!(started, usize::from(is_delivered), "{pattern}");
            let refusal = refusal(&aws, &digest);
            let is_refused = refusal.is_some_and(|it| it.contains("moves to each new image"));
            assert_eq!(is_refused, !is_delivered, "{pattern}");
        });
    }
}

/// As after `docker push --all-tags`, if the event of the tag that is delivered is lost.
#[test]
fn the_refusal_of_one_tag_hides_no_lost_push_of_another() {
    run(without_a_rule(), Fault::None, async |driver| {
        let of_tools = tools(&driver);
        let pushed = ecr::push(&mut driver.world.aws(), TOOLS, "latest", Behaviour::Healthy);
        let pushed = pushed.expect("pushed");
        let answer = deliver_last(&driver, &of_tools).await;
        assert_eq!(answer["status"], "ignored", "{answer}");
        tag(&driver, TOOLS, &pushed, "2.0.0");
        let late = last_event(&driver);

        pass_minutes(&driver, 11).await;
        let swept = sweep(&driver, of_tools.clone()).await;
        assert_eq!(swept["missed"][0]["status"], "started", "{swept}");
        assert_eq!(swept["missed"][0]["tag"], "2.0.0");
        let recorded = claim(&driver, &pushed).expect("recorded");
        assert_eq!(text(&recorded, "tag"), Some("2.0.0"));
        assert_eq!(text(&recorded, "refusal"), None);

        let answer = deliver(&driver, &of_tools, &late).await;
        assert_eq!(answer["status"], "known", "{answer}");
        pass_minutes(&driver, 11).await;
        assert_eq!(sweep(&driver, of_tools).await, nothing());
        assert_eq!(started(&driver, &pushed), 1);
    });
}

/// Pushes a chart under two tags, and delivers the event of the one that is not delivered.
async fn refused_chart(driver: &Driver, subscription: &Value) -> String {
    let manifest = json!({
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": {"mediaType": "application/vnd.cncf.helm.config.v1+json"},
    });
    let input = json!({
        "repositoryName": TOOLS, "imageTag": "latest", "imageManifest": manifest.to_string(),
    });
    let put = ecr::call(&mut driver.world.aws(), "PutImage", &input).expect("put");
    let answer = deliver_last(driver, subscription).await;
    assert_eq!(answer["status"], "ignored", "{answer}");
    let chart = put["image"]["imageId"]["imageDigest"].as_str();
    let chart = chart.expect("a digest").to_owned();
    tag(driver, TOOLS, &chart, "2.0.0");
    chart
}

#[test]
fn what_cannot_run_under_the_other_tag_is_refused_once_with_that_reason() {
    run(without_a_rule(), Fault::None, async |driver| {
        let of_tools = tools(&driver);
        let chart = refused_chart(&driver, &of_tools).await;

        pass_minutes(&driver, 11).await;
        let swept = sweep(&driver, of_tools.clone()).await;
        assert_eq!(swept["missed"][0]["status"], "refused", "{swept}");
        let recorded = claim(&driver, &chart).expect("recorded");
        assert_eq!(text(&recorded, "tag"), Some("2.0.0"));
        let refusal = text(&recorded, "refusal").expect("a reason");
        assert!(refusal.contains("helm.config"), "{refusal}");
        assert_eq!(sweep(&driver, of_tools).await, nothing());
        assert_eq!(started(&driver, &chart), 0);
    });
}
