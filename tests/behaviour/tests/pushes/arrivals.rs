//! What arrives in a repository besides pushed images: signatures, charts, caches and replicas.

use std::time::Duration;

use behaviour::pair::update;
use behaviour::{account, ends, image_of, invoke, newest, pass, released, retag};
use emulator::codepipeline::Execution;
use emulator::ecr::{self, Behaviour};
use emulator::{Aws, Quirk};
use harness::demo::WEB;
use harness::driver::{Driver, Fault, run};
use invariants::ledger_reader::{executions, item, text};
use serde_json::{Value, json};

const PIPELINE: &str = "slipway-web";

fn count(aws: &Aws) -> usize {
    executions(aws, PIPELINE).count()
}

/// The last event of ECR.
fn last_event(aws: &Aws) -> Value {
    let mut events = aws.events.events.iter().rev();
    let last = events.find(|event| event["source"] == "aws.ecr");
    last.expect("there was a push").clone()
}

/// Puts a manifest with a configuration, and returns its digest.
fn put(driver: &Driver, tag: &str, config: &str) -> String {
    let manifest = json!({
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": { "mediaType": config, "digest": tag },
    });
    put_manifest(driver, tag, &manifest)
}

/// Puts a manifest as `aws ecr put-image` does, and returns its digest.
fn put_manifest(driver: &Driver, tag: &str, manifest: &Value) -> String {
    let input = json!({
        "repositoryName": WEB, "imageTag": tag, "imageManifest": manifest.to_string(),
    });
    let put = ecr::call(&mut driver.world.aws(), "PutImage", &input).expect("put");
    driver.world.touch();
    let digest = put["image"]["imageId"]["imageDigest"].as_str();
    digest.expect("a digest").to_owned()
}

/// Why a digest was not delivered, as recorded in the ledger.
fn refusal(aws: &Aws, pipeline: &str, digest: &str) -> Option<String> {
    let key = json!({"pk": {"S": format!("push#{pipeline}")}, "sk": {"S": digest}});
    let found = item(aws, &key)?;
    assert_eq!(text(&found, "execution"), None);
    text(&found, "refusal").map(ToOwned::to_owned)
}

#[test]
fn what_cannot_run_starts_nothing_and_the_ledger_has_the_reason() {
    const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
    const CACHE: &str = "application/vnd.buildkit.cacheconfig.v0";
    const CHART: &str = "application/vnd.cncf.helm.config.v1+json";
    let signature = format!("sha256-{}.sig", "0a".repeat(32));

    run(released(), Fault::None, async |driver| {
        let before = count(&driver.world.aws());
        for (tag, config, why) in [
            (signature.as_str(), CONFIG, "signature, attestation or SBOM"),
            ("buildcache", CACHE, CACHE),
            ("0.1.0", CHART, CHART),
        ] {
            let digest = put(&driver, tag, config);
            pass(&driver, Duration::from_secs(60)).await;

            let aws = driver.world.aws();
            assert_eq!(count(&aws), before, "{tag}");
            let refusal = refusal(&aws, PIPELINE, &digest).expect("recorded");
            assert!(refusal.contains(why), "{tag}: {refusal}");
        }
    });
}

/// As `cosign attest` makes it, copied to another tag.
#[test]
fn an_attestation_under_any_tag_starts_nothing_and_an_oci_image_is_delivered() {
    let manifest = |layer: &str| {
        json!({
            "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": layer},
            "layers": [{"mediaType": layer, "digest": layer}],
        })
    };

    run(released(), Fault::None, async |driver| {
        let before = count(&driver.world.aws());
        let envelope = "application/vnd.dsse.envelope.v1+json";
        let digest = put_manifest(&driver, "1.2.0", &manifest(envelope));
        pass(&driver, Duration::from_secs(60)).await;
        let aws = driver.world.snapshot();
        assert_eq!(count(&aws), before);
        let why = format!("its layers are `{envelope}`; expected those of a container image");
        assert_eq!(refusal(&aws, PIPELINE, &digest), Some(why));

        let layer = "application/vnd.oci.image.layer.v1.tar+gzip";
        let pushed = put_manifest(&driver, "1.2.1", &manifest(layer));
        ends(&driver, PIPELINE, &pushed, "deployed").await;
    });
}

/// The tag schema of referrers and a hash of the content give tags of one form.
#[test]
fn a_tag_of_a_content_hash_is_delivered_and_an_index_of_referrers_under_one_is_not() {
    const INDEX: &str = "application/vnd.oci.image.index.v1+json";
    const IMAGE: &str = "application/vnd.oci.image.manifest.v1+json";
    const SIGNATURE: &str = "application/vnd.cncf.notary.signature";
    let tag = |digits: &str| format!("sha256-{}", digits.repeat(32));
    let index =
        |listed: Value| json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": [listed]});

    run(released(), Fault::None, async |driver| {
        let before = count(&driver.world.aws());
        let referrers = index(json!({"mediaType": IMAGE, "artifactType": SIGNATURE}));
        let digest = put_manifest(&driver, &tag("0a"), &referrers);
        pass(&driver, Duration::from_secs(60)).await;
        assert_eq!(count(&driver.world.aws()), before);
        assert_eq!(
            refusal(&driver.world.aws(), PIPELINE, &digest).as_deref(),
            Some("it lists `application/vnd.cncf.notary.signature`; expected container images")
        );

        let platform = json!({"architecture": "unknown", "os": "unknown"});
        let attestation = index(json!({"mediaType": IMAGE, "platform": platform}));
        let digest = put_manifest(&driver, "2.0.0", &attestation);
        pass(&driver, Duration::from_secs(60)).await;
        assert_eq!(count(&driver.world.aws()), before);
        assert_eq!(
            refusal(&driver.world.aws(), PIPELINE, &digest).as_deref(),
            Some("it lists `unknown/unknown`; expected container images")
        );

        let pushed = behaviour::push(&driver, WEB, &tag("0b"));
        ends(&driver, PIPELINE, &pushed, "deployed").await;

        let platform = json!({"architecture": "amd64", "os": "linux"});
        let whole = index(json!({"mediaType": IMAGE, "platform": platform}));
        let pushed = put_manifest(&driver, &tag("0c"), &whole);
        ends(&driver, PIPELINE, &pushed, "deployed").await;
    });
}

#[test]
fn a_digest_that_was_not_delivered_under_one_tag_is_delivered_under_another() {
    const COUNTER: &str = "slipway-page-counter";
    let mut aws = account();
    update(&mut aws, "page-counter-pipeline", &[("TagPattern", "v*")]);

    run(aws, Fault::None, async |driver| {
        let before = executions(&driver.world.aws(), COUNTER).count();
        let digest = behaviour::push(&driver, "page-counter", "dev-1");
        pass(&driver, Duration::from_secs(60)).await;
        let after = executions(&driver.world.aws(), COUNTER).count();
        assert_eq!(after, before);
        let why = "tag `dev-1` does not match the pipeline's tag pattern `v*`";
        assert_eq!(
            refusal(&driver.world.aws(), COUNTER, &digest).as_deref(),
            Some(why)
        );

        retag(&driver, "page-counter", &digest, "v1.1");
        ends(&driver, COUNTER, &digest, "deployed").await;
    });
}

fn replicate(driver: &Driver, tag: &str) -> String {
    let replica = ecr::replicate(
        &mut driver.world.aws(),
        WEB,
        tag,
        Behaviour::Healthy,
        "us-west-2",
    );
    driver.world.touch();
    replica.expect("the repository is there")
}

#[test]
fn a_replica_is_delivered_unless_it_cannot_run() {
    run(released(), Fault::None, async |driver| {
        let digest = replicate(&driver, "1.1.0");
        ends(&driver, PIPELINE, &digest, "deployed").await;
        assert!(image_of(&driver.world.aws(), WEB).ends_with(&digest));

        let before = count(&driver.world.aws());
        let signature = replicate(&driver, &format!("sha256-{}.sig", "0b".repeat(32)));
        pass(&driver, Duration::from_secs(60)).await;
        let aws = driver.world.aws();
        assert_eq!(count(&aws), before);
        assert!(refusal(&aws, PIPELINE, &signature).is_some());
    });
}

/// The event of a replication states no media types, so they are read from ECR.
#[test]
fn a_replicated_chart_starts_nothing() {
    run(released(), Fault::None, async |driver| {
        let digest = put(&driver, "chart", "application/vnd.cncf.helm.config.v1+json");
        pass(&driver, Duration::from_secs(60)).await;

        let mut event = last_event(&driver.world.aws());
        event["id"] = json!("another");
        event["detail-type"] = json!("ECR Replication Action");
        event["detail"] = json!({
            "result": "SUCCESS", "repository-name": WEB, "image-digest": digest,
            "action-type": "REPLICATE", "image-tag": "chart",
        });
        let subscription = json!({"pipeline": PIPELINE, "action": "Image"});
        let input = json!({"subscription": subscription, "event": event});
        let answer = invoke(&driver, "start-pipeline", input)
            .await
            .expect("an answer");

        assert_eq!(answer["status"], "ignored", "{answer}");
        let reason = answer["reason"].as_str().expect("a reason");
        assert!(reason.contains("helm.config"), "{reason}");
    });
}

/// The pipeline started by hand with a digest, and how begin-release ended.
fn by_hand(prepare: impl Fn(&Driver) -> String) -> (Execution, Option<(String, String)>) {
    run(released(), Fault::None, async |driver| {
        let digest = prepare(&driver);
        pass(&driver, Duration::from_secs(60)).await;
        let revisions = json!([{
            "actionName": "Image", "revisionType": "IMAGE_DIGEST", "revisionValue": digest,
        }]);
        let input = json!({"name": PIPELINE, "sourceRevisions": revisions});
        {
            let aws = &mut driver.world.aws();
            emulator::codepipeline::call(aws, "StartPipelineExecution", &input).expect("started");
        }
        driver.world.touch();

        behaviour::until(&driver, |aws| newest(aws, PIPELINE).is_over()).await;
        let aws = driver.world.aws();
        let execution = newest(&aws, PIPELINE).clone();
        let jobs = behaviour::jobs(&aws, &execution.id, "begin-release");
        let failed = jobs.first().and_then(|job| behaviour::failure(job));
        let failed = failed.map(|(kind, message)| (kind.to_owned(), message.to_owned()));
        (execution, failed)
    })
}

#[test]
fn what_cannot_run_is_refused_when_it_is_released_by_hand() {
    let signature = format!("sha256-{}.att", "0a".repeat(32));
    let config = "application/vnd.oci.image.config.v1+json";
    let (_, failed) = by_hand(|driver| put(driver, &signature, config));
    let (kind, message) = failed.expect("refused");
    assert_eq!(kind, "ConfigurationError");
    assert!(
        message.contains("signature, attestation or SBOM"),
        "{message}"
    );

    let archived = |driver: &Driver| {
        let digest = behaviour::push(driver, WEB, "9.0.0");
        let id = json!({"imageDigest": digest});
        let input = json!({
            "repositoryName": WEB, "imageId": id, "targetStorageClass": "ARCHIVE",
        });
        let mut aws = driver.world.aws();
        aws.settle_quirk(Quirk::RefusesFilterOfNamed, false);
        ecr::call(&mut aws, "UpdateImageStorageClass", &input).expect("archived");
        digest
    };
    let (_, failed) = by_hand(archived);
    let (kind, message) = failed.expect("refused");
    assert_eq!(kind, "RevisionUnavailable");
    assert!(
        message.contains("aws ecr update-image-storage-class --region eu-west-1"),
        "{message}"
    );
}

/// Only its layers show what it is: the media types and the tag are those of an image.
#[test]
fn an_attestation_under_any_tag_is_refused_when_it_is_released_by_hand() {
    let layer = "application/vnd.in-toto+json";
    let attestation = json!({
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": layer},
        "layers": [{"mediaType": layer, "digest": layer}],
    });
    let (_, failed) = by_hand(|driver| put_manifest(driver, "9.1.0", &attestation));
    let (kind, message) = failed.expect("refused");
    assert_eq!(kind, "ConfigurationError");
    let why = "its layers are `application/vnd.in-toto+json`; expected those of a container image";
    assert!(message.contains(why), "{message}");
}

/// As Ollama stores it: only its layers are not those of an image.
#[test]
fn a_model_with_the_media_types_of_an_image_starts_nothing_and_is_refused_by_hand() {
    const MODEL: &str = "application/vnd.ollama.image.model";
    let layers = [MODEL, "application/vnd.ollama.image.params"];
    let layers = layers.map(|kind| json!({"mediaType": kind, "digest": kind}));
    let model = json!({
        "schemaVersion": 2, "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
        "config": {"mediaType": "application/vnd.docker.container.image.v1+json", "digest": MODEL},
        "layers": layers,
    });
    let why = format!("its layers are `{MODEL}`; expected those of a container image");

    run(released(), Fault::None, async |driver| {
        let before = count(&driver.world.aws());
        let digest = put_manifest(&driver, "phi3", &model);
        pass(&driver, Duration::from_secs(60)).await;
        let aws = driver.world.snapshot();
        assert_eq!(count(&aws), before);
        assert_eq!(refusal(&aws, PIPELINE, &digest), Some(why.clone()));
    });

    let (_, failed) = by_hand(|driver| put_manifest(driver, "phi3", &model));
    let (kind, message) = failed.expect("refused");
    assert_eq!(kind, "ConfigurationError");
    assert!(message.contains(&why), "{message}");
}

#[test]
fn a_push_of_another_repository_region_or_account_is_ignored_with_the_reason() {
    let mut aws = account();
    let pushed = ecr::push(&mut aws, WEB, "1.0.0", Behaviour::Healthy).expect("pushed");
    let event = last_event(&aws);
    let subscription = |field: &str, other: &str| {
        let mut subscription = json!({
            "pipeline": PIPELINE, "action": "Image", "account": "111122223333",
            "region": "eu-west-1", "repository": WEB, "tag_pattern": "*",
        });
        subscription[field] = json!(other);
        subscription
    };

    for (field, other) in [
        ("repository", "other"),
        ("region", "us-east-1"),
        ("account", "444455556666"),
    ] {
        let input = json!({"subscription": subscription(field, other), "event": event});
        let (answer, after) = run(account(), Fault::None, async |driver| {
            let answer = invoke(&driver, "start-pipeline", input).await;
            (answer.expect("an answer"), driver.world.snapshot())
        });
        assert_eq!(answer["status"], "ignored");
        let reason = answer["reason"].as_str().expect("a reason");
        assert!(
            reason.starts_with(&format!("the {field} of the push is")),
            "{reason}"
        );
        assert!(
            reason.ends_with(&format!("expected \"{other}\"")),
            "{reason}"
        );
        assert_eq!(refusal(&after, PIPELINE, &pushed), None);
    }
}
