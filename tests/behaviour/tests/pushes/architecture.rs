//! Images that are built for another architecture than that of the tasks.

use std::time::Duration;

use behaviour::pair::update;
use behaviour::{account, invoke, pass, push};
use emulator::ecr::{self, Behaviour};
use harness::demo::WEB;
use harness::driver::{Driver, Fault, run};
use invariants::ledger_reader::text;
use serde_json::{Value, json};

use crate::sweep::{TOOLS, claim, last_event, nothing, started, sweep, tools, without_a_rule};

const REASON: &str = "the image is built for arm64; expected amd64, the architecture of the gate: \
    push an image that is built for it";

/// Puts an image that is built for these architectures, and returns its digest.
fn put(driver: &Driver, repository: &str, tag: &str, architectures: &[&str]) -> String {
    let listed = architectures.iter().map(|architecture| {
        json!({
            "mediaType": "application/vnd.oci.image.manifest.v1+json", "size": 7,
            "digest": format!("sha256:{}", "0a".repeat(32)),
            "platform": {"architecture": architecture, "os": "linux"},
        })
    });
    let index = json!({
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": listed.collect::<Vec<_>>(),
    });
    let image = json!({
        "repositoryName": repository, "imageManifest": index.to_string(), "imageTag": tag,
    });
    let put = ecr::call(&mut driver.world.aws(), "PutImage", &image).expect("legal");
    let digest = put["image"]["imageId"]["imageDigest"].as_str();
    digest.expect("a digest").to_owned()
}

/// What comes of the event of the last push.
async fn delivered(driver: &Driver, gate: &str, of_tools: &Value) -> Value {
    let mut subscription = of_tools.clone();
    subscription["image_gate"] = json!(gate);
    let input = json!({"subscription": subscription, "event": last_event(driver)});
    let answer = invoke(driver, "start-pipeline", input).await;
    answer.expect("an answer")
}

#[test]
fn an_image_that_is_built_for_another_architecture_is_refused_once() {
    run(without_a_rule(), Fault::None, async |driver| {
        let of_tools = tools(&driver);
        let arm = put(&driver, TOOLS, "2.0.0", &["arm64"]);
        let answer = delivered(&driver, "architecture:amd64", &of_tools).await;
        let refused = json!({"status": "refused", "digest": arm, "reason": REASON});
        assert_eq!(answer, refused);
        let claim = claim(&driver, &arm).expect("recorded");
        assert_eq!(text(&claim, "refusal"), Some(REASON));
        pass(&driver, Duration::from_secs(660)).await;
        assert_eq!(sweep(&driver, of_tools).await, nothing());
        assert_eq!(started(&driver, &arm), 0);
    });
}

#[test]
fn an_image_of_which_one_architecture_fits_or_none_is_named_is_started() {
    run(without_a_rule(), Fault::None, async |driver| {
        let of_tools = tools(&driver);
        let both = put(&driver, TOOLS, "2.0.0", &["arm64", "amd64"]);
        let answer = delivered(&driver, "architecture:amd64", &of_tools).await;
        assert_eq!(answer["status"], "started", "{answer}");
        assert_eq!(started(&driver, &both), 1);

        pass(&driver, Duration::from_secs(120)).await;
        let one = ecr::push(&mut driver.world.aws(), TOOLS, "2.0.1", Behaviour::Healthy);
        let answer = delivered(&driver, "architecture:amd64", &of_tools).await;
        assert_eq!(answer["status"], "started", "{answer}");
        assert_eq!(started(&driver, &one.expect("pushed")), 1);
    });
}

/// The manifest was read already, to see whether it is an image.
#[test]
fn a_gate_without_an_architecture_reads_no_manifest_again() {
    run(without_a_rule(), Fault::None, async |driver| {
        let of_tools = tools(&driver);
        let mut read = Vec::new();
        for (tag, gate) in [("2.0.0", "age:24"), ("2.0.1", "age:24 architecture:amd64")] {
            put(&driver, TOOLS, tag, &["amd64", tag]);
            let before = driver.world.aws().calls.len();
            let answer = delivered(&driver, gate, &of_tools).await;
            assert_eq!(answer["status"], "started", "{answer}");
            let aws = driver.world.snapshot();
            let calls = aws.calls[before..].iter();
            let calls = calls.filter(|call| {
                call.caller == "slipway-start-pipeline" && call.operation == "BatchGetImage"
            });
            read.push(calls.count());
            pass(&driver, Duration::from_secs(120)).await;
        }
        assert_eq!(read, [1, 2]);
    });
}

#[test]
fn the_deploy_role_may_read_the_architecture() {
    let mut aws = account();
    let gate = [("ImageGate", "architecture:amd64")];
    update(&mut aws, "web-pipeline", &gate);
    run(aws, Fault::None, async |driver| {
        let arm = put(&driver, WEB, "1.0.0", &["arm64"]);
        driver.world.touch();
        pass(&driver, Duration::from_secs(60)).await;
        let refused = claim(&driver, &arm).expect("recorded");
        assert_eq!(text(&refused, "refusal"), Some(REASON));

        let pushed = push(&driver, WEB, "1.0.1");
        pass(&driver, Duration::from_secs(60)).await;
        assert_eq!(started(&driver, &pushed), 1);
    });
}
