//! What the project's own stacks keep, for how long, and how it is protected: buckets, the ledger,
//! logs and dead letters.

use serde_json::Value;

use super::own_choices::{KEY, properties};
use super::own_logs::deploy_functions_with;
use super::own_roles::{PIPELINES, with_pipeline};
use super::own_templates::{account, deploy_service};
use super::*;

const REPORTS: &str = "ReportsBucket";

fn resource(aws: &Aws, stack: &str, logical_id: &str) -> StackResource {
    let stack = aws.cloudformation.stack(stack).unwrap();
    stack.resource(logical_id).unwrap().clone()
}

/// The bucket of the reports, and that of the artifacts of each pipeline.
fn buckets(choices: &[(&str, &str)]) -> Vec<StackResource> {
    let of_pipeline = |template| {
        let aws = with_pipeline(template, choices);
        resource(&aws, "web-pipeline", "ArtifactBucket")
    };
    let mut all = PIPELINES.map(of_pipeline).to_vec();
    all.push(resource(
        &deploy_functions_with(choices),
        "slipway",
        REPORTS,
    ));
    all
}

#[test]
fn buckets_are_private_versioned_encrypted_and_kept() {
    let by_s3 = json!({"SSEAlgorithm": "AES256"});
    let by_key = json!({"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": KEY});
    for (choices, encryption) in [(&[][..], by_s3), (&[("KmsKeyArn", KEY)][..], by_key)] {
        let encryption = json!({
            "ServerSideEncryptionConfiguration": [{"ServerSideEncryptionByDefault": encryption}],
        });
        for bucket in buckets(choices) {
            let (name, found) = (&bucket.logical_id, &bucket.properties);
            assert_eq!(found["BucketEncryption"], encryption, "{name}");
            assert_eq!(
                found["OwnershipControls"],
                json!({"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}),
                "{name}"
            );
            assert_eq!(
                found["PublicAccessBlockConfiguration"],
                json!({
                    "BlockPublicAcls": true, "BlockPublicPolicy": true,
                    "IgnorePublicAcls": true, "RestrictPublicBuckets": true,
                }),
                "{name}"
            );
            let versions = &found["VersioningConfiguration"];
            assert_eq!(*versions, json!({"Status": "Enabled"}), "{name}");
            assert!(bucket.retained && bucket.retained_on_replace, "{name}");
            assert!(!bucket.retained_on_create, "{name}");
        }
    }
}

/// After how many days a bucket loses what is current, what was replaced, and what was uploaded in
/// part. A parameter is text there.
fn days(bucket: &StackResource) -> [String; 3] {
    let rules = items(&bucket.properties["LifecycleConfiguration"]["Rules"]);
    let [rule] = rules else {
        panic!("{rules:?}");
    };
    assert_eq!(rule["Status"], "Enabled");
    [
        &rule["ExpirationInDays"],
        &rule["NoncurrentVersionExpiration"]["NoncurrentDays"],
        &rule["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"],
    ]
    .map(|days| match days {
        Value::String(text) => text.clone(),
        number => number.to_string(),
    })
}

#[test]
fn reports_are_kept_as_chosen_and_artifacts_for_longer_than_an_approval_lasts() {
    for bucket in buckets(&[]) {
        let expected = if bucket.logical_id == REPORTS {
            ["365", "30", "1"]
        } else {
            ["90", "1", "1"]
        };
        assert_eq!(days(&bucket), expected, "{}", bucket.logical_id);
    }

    let aws = deploy_functions_with(&[("ReportRetentionDays", "7")]);
    assert_eq!(days(&resource(&aws, "slipway", REPORTS)), ["7", "30", "1"]);
}

#[test]
fn the_ledger_can_be_restored_and_is_kept_whatever_becomes_of_its_stack() {
    let by_key = json!({"SSEEnabled": true, "SSEType": "KMS", "KMSMasterKeyId": KEY});
    for (choices, encryption) in [(&[][..], Value::Null), (&[("KmsKeyArn", KEY)][..], by_key)] {
        let table = resource(&deploy_functions_with(choices), "slipway", "LedgerTable");
        let found = &table.properties;
        assert_eq!(
            found["PointInTimeRecoverySpecification"],
            json!({"PointInTimeRecoveryEnabled": true})
        );
        assert_eq!(found["DeletionProtectionEnabled"], true);
        assert_eq!(found["BillingMode"], "PAY_PER_REQUEST");
        assert_eq!(found["SSESpecification"], encryption);
        assert!(table.retained && table.retained_on_create && table.retained_on_replace);
    }
}

#[test]
fn dead_letters_wait_for_two_weeks_and_are_encrypted_without_a_key_too() {
    let aws = deploy_functions_with(&[]);
    let queue = properties(&aws, "slipway", "DeadLetterQueue");
    assert_eq!(queue["MessageRetentionPeriod"], 14 * 24 * 3600);
    assert_eq!(queue["SqsManagedSseEnabled"], true);
    assert_eq!(queue["KmsMasterKeyId"], Value::Null);
}

/// The properties of the log groups of a stack, by their names.
fn log_groups(aws: &Aws, stack: &str) -> BTreeMap<String, Value> {
    let stack = aws.cloudformation.stack(stack).unwrap();
    let groups = stack
        .resources
        .iter()
        .filter(|made| made.kind == "AWS::Logs::LogGroup");
    groups
        .map(|group| (group.physical_id.clone(), group.properties.clone()))
        .collect()
}

#[test]
fn each_function_logs_to_a_group_of_its_own_for_as_long_as_chosen() {
    let chosen = [("LogRetentionDays", "30"), ("KmsKeyArn", KEY)];
    for (choices, days, key) in [(&[][..], 90, Value::Null), (&chosen[..], 30, json!(KEY))] {
        let aws = deploy_functions_with(choices);
        let groups = log_groups(&aws, "slipway");
        assert_eq!(groups.len(), aws.lambda.functions.len());

        let stack = aws.cloudformation.stack("slipway").unwrap();
        for function in aws.lambda.functions.keys() {
            let name = format!("/aws/lambda/{function}");
            let mut made = stack.resources.iter();
            let made = made.find(|made| made.physical_id == *function).unwrap();
            assert_eq!(made.properties["LoggingConfig"]["LogGroup"], name);
            assert_eq!(groups[&name]["RetentionInDays"], days, "{name}");
            assert_eq!(groups[&name]["KmsKeyId"], key, "{name}");
        }
    }
}

#[test]
fn tasks_log_to_a_group_of_their_service_for_as_long_as_chosen() {
    let chosen = [("LogRetentionDays", "7"), ("KmsKeyArn", KEY)];
    for (choices, days, key) in [(&[][..], 30, Value::Null), (&chosen[..], 7, json!(KEY))] {
        let mut aws = account(1);
        deploy_service(&mut aws, choices).unwrap();
        let groups = log_groups(&aws, "web");
        assert_eq!(groups.len(), 1);
        let group = &groups["/slipway/web"];
        assert_eq!(
            (&group["RetentionInDays"], &group["KmsKeyId"]),
            (&json!(days), &key)
        );
    }
}
