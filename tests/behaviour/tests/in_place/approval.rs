//! An approval in place: until it is given, the family has no new revision.

use emulator::{Aws, codepipeline, ecr};
use harness::demo::COUNTER;
use harness::driver::{Driver, Fault, run};
use serde_json::json;

use behaviour::pair::update;
use behaviour::{account, answer, ends, failure, jobs, newest, push, until, until_approval};

const PIPELINE: &str = "slipway-page-counter";

fn revisions(driver: &Driver) -> Vec<String> {
    let aws = driver.world.aws();
    aws.ecs
        .definition_arns()
        .filter(|arn| arn.contains("/page-counter:"))
        .map(ToOwned::to_owned)
        .collect()
}

/// The account whose releases of the counter are approved.
fn with_approval() -> Aws {
    let mut aws = account();
    update(
        &mut aws,
        "page-counter-pipeline",
        &[("Approval", "yes"), ("TaskDefinitionFile", "")],
    );
    aws
}

#[test]
fn what_cannot_run_is_refused_by_hand_before_it_waits_for_an_approval() {
    let chart = "application/vnd.cncf.helm.config.v1+json";
    let manifest = json!({
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": {"mediaType": chart, "digest": "chart"},
    });
    let input = json!({
        "repositoryName": COUNTER, "imageTag": "0.1.0", "imageManifest": manifest.to_string(),
    });

    run(with_approval(), Fault::None, async |driver| {
        let put = ecr::call(&mut driver.world.aws(), "PutImage", &input).expect("put");
        let revision = json!({
            "actionName": "Image", "revisionType": "IMAGE_DIGEST",
            "revisionValue": put["image"]["imageId"]["imageDigest"],
        });
        let start = json!({"name": PIPELINE, "sourceRevisions": [revision]});
        let started = codepipeline::call(&mut driver.world.aws(), "StartPipelineExecution", &start);
        started.expect("legal");
        driver.world.touch();
        until(&driver, |aws| newest(aws, PIPELINE).is_over()).await;

        let aws = driver.world.aws();
        let execution = newest(&aws, PIPELINE);
        assert!(execution.latest_action("Release", "approve").is_none());
        let job = jobs(&aws, &execution.id, "begin-release")[0];
        let (kind, message) = failure(job).expect("refused");
        assert_eq!(kind, "ConfigurationError");
        assert!(
            message.contains(&format!("it holds `{chart}`")),
            "{message}"
        );
    });
}

#[test]
fn a_revision_is_registered_once_it_is_approved_and_not_before() {
    run(with_approval(), Fault::None, async |driver| {
        let before = revisions(&driver);

        let rejected = push(&driver, COUNTER, "1.0.0");
        let approval = until_approval(&driver, PIPELINE).await;
        assert_eq!(revisions(&driver), before);
        answer(&driver, &approval, false);
        ends(&driver, PIPELINE, &rejected, "failed").await;
        assert_eq!(revisions(&driver), before);

        let approved = push(&driver, COUNTER, "1.0.1");
        let approval = until_approval(&driver, PIPELINE).await;
        assert_eq!(revisions(&driver), before);
        answer(&driver, &approval, true);
        ends(&driver, PIPELINE, &approved, "deployed").await;
        assert_eq!(revisions(&driver).len(), before.len() + 1);
    });
}
