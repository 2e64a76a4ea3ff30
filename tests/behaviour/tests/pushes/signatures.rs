//! Images that a pipeline delivers only with a signature, which comes after them.

use behaviour::invoke;
use emulator::ecr::{self, Behaviour};
use harness::driver::{Driver, Fault, run};
use invariants::ledger_reader::text;
use serde_json::{Value, json};

use crate::sweep::{TOOLS, claim, last_event, pass_minutes, started, sweep, tools, without_a_rule};

/// Pushes what refers to an image, such as its signature.
fn attach(driver: &Driver, subject: &str, artifact: &str) {
    let manifest = json!({
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "artifactType": artifact, "subject": {"digest": subject},
    });
    let input = json!({"repositoryName": TOOLS, "imageManifest": manifest.to_string()});
    ecr::call(&mut driver.world.aws(), "PutImage", &input).expect("stored");
}

/// Pushes an image, and returns its digest and what comes of its event.
async fn delivered(driver: &Driver, subscription: &Value) -> (String, Value) {
    let pushed = ecr::push(&mut driver.world.aws(), TOOLS, "2.0.0", Behaviour::Healthy);
    let input = json!({"subscription": subscription, "event": last_event(driver)});
    let answer = invoke(driver, "start-pipeline", input).await;
    (pushed.expect("pushed"), answer.expect("an answer"))
}

fn signed_only(driver: &Driver) -> Value {
    let mut of_tools = tools(driver);
    of_tools["image_gate"] = json!("signature:required");
    of_tools
}

#[test]
fn an_image_waits_for_its_signature_and_an_attestation_is_none() {
    run(without_a_rule(), Fault::None, async |driver| {
        let of_tools = signed_only(&driver);
        let (pushed, answer) = delivered(&driver, &of_tools).await;
        assert_eq!(answer["status"], "waiting", "{answer}");
        let waiting = claim(&driver, &pushed).expect("claimed");
        assert_eq!(
            text(&waiting, "waiting"),
            Some("the image has no signature")
        );

        attach(&driver, &pushed, "application/spdx+json");
        pass_minutes(&driver, 11).await;
        let swept = sweep(&driver, of_tools.clone()).await;
        assert_eq!(swept["missed"][0]["status"], "waiting", "{swept}");
        assert_eq!(started(&driver, &pushed), 0);

        attach(&driver, &pushed, "application/vnd.cncf.notary.signature");
        pass_minutes(&driver, 11).await;
        let swept = sweep(&driver, of_tools).await;
        assert_eq!(swept["missed"][0]["status"], "started", "{swept}");
        assert_eq!(started(&driver, &pushed), 1);
    });
}

#[test]
fn an_image_that_is_not_signed_within_twelve_hours_is_refused() {
    run(without_a_rule(), Fault::None, async |driver| {
        let of_tools = signed_only(&driver);
        let (pushed, _) = delivered(&driver, &of_tools).await;
        pass_minutes(&driver, 12 * 60).await;
        let swept = sweep(&driver, of_tools).await;
        assert_eq!(swept["missed"][0]["status"], "refused", "{swept}");
        let refused = claim(&driver, &pushed).expect("recorded");
        let reason = "the image has no signature 12h00m after its first push";
        assert_eq!(text(&refused, "refusal"), Some(reason));
        assert_eq!(started(&driver, &pushed), 0);
    });
}
