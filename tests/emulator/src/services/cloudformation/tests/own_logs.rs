//! The project's own templates with logs, traces and buckets of a platform team.

use serde_json::Value;

use super::own_choices::properties;
use super::own_records::RECORDS;
use super::own_templates::{
    CERTIFICATE, account, deploy_functions, deploy_pipeline, deploy_service, given, root,
};
use super::*;

const LOGS: &str = "access-logs";

/// An account with the functions, deployed with these choices.
pub(super) fn deploy_functions_with(choices: &[(&str, &str)]) -> Aws {
    let mut aws = account(1);
    let template = root().join("template.yaml");
    deploy(&mut aws, "slipway", &template, &given(choices)).unwrap();
    aws
}

/// An account with a service and its pipeline, which has these choices beside its own.
fn with_pipeline(choices: &[(&str, &str)]) -> Aws {
    let mut aws = account(1);
    deploy_service(&mut aws, &[]).unwrap();
    deploy_functions(&mut aws);
    let now = aws.now;
    aws.s3.at(now).create_bucket("shared", true);
    deploy_pipeline(&mut aws, "in-place.yaml", choices).unwrap();
    aws
}

/// The level at which a function logs, its tracing, and whether its policy lets it write traces.
fn logs_and_traces(aws: &Aws) -> (String, Value, bool) {
    let function = aws.lambda.function("slipway-roll-back").unwrap();
    let policy = physical_id(aws, "slipway", "FunctionsPolicy");
    let policy = aws.cloudformation.iam.managed_policy(&policy).unwrap();
    let mut statements = items(&policy["Statement"]).iter();
    (
        function.environment["RUST_LOG"].clone(),
        properties(aws, "slipway", "RollBackFunction")["TracingConfig"].clone(),
        statements.any(|statement| statement["Sid"] == "WriteTraces"),
    )
}

#[test]
fn the_functions_log_and_are_traced_as_chosen() {
    let aws = deploy_functions_with(&[]);
    assert_eq!(
        logs_and_traces(&aws),
        ("info".to_owned(), json!({"Mode": "PassThrough"}), false)
    );

    let aws = deploy_functions_with(&[("LogLevel", "debug"), ("Tracing", "Active")]);
    assert_eq!(
        logs_and_traces(&aws),
        ("debug".to_owned(), json!({"Mode": "Active"}), true)
    );
}

#[test]
fn buckets_log_to_the_given_bucket() {
    let logging = |aws: &Aws, stack: &str, bucket: &str| {
        properties(aws, stack, bucket)["LoggingConfiguration"].clone()
    };
    let to = |prefix: &str| json!({"DestinationBucketName": LOGS, "LogFilePrefix": prefix});
    let (choice, none) = ([("LogBucket", LOGS)], Value::Null);

    let aws = deploy_functions_with(&choice);
    assert_eq!(logging(&aws, "slipway", "ReportsBucket"), to("slipway/"));
    let aws = deploy_functions_with(&[]);
    assert_eq!(logging(&aws, "slipway", "ReportsBucket"), none);

    let aws = with_pipeline(&choice);
    assert_eq!(logging(&aws, "web-pipeline", "ArtifactBucket"), to("web/"));
    let aws = with_pipeline(&[]);
    assert_eq!(logging(&aws, "web-pipeline", "ArtifactBucket"), none);
}

#[test]
fn buckets_are_denied_without_tls_to_everyone() {
    let assert_denied = |aws: &Aws, stack: &str, bucket: &str| {
        let name = physical_id(aws, stack, bucket);
        let arn = format!("arn:aws:s3:::{name}");
        let expected = json!({
            "Bucket": name,
            "PolicyDocument": {"Version": "2012-10-17", "Statement": [{
                "Sid": "TlsOnly", "Effect": "Deny", "Principal": "*", "Action": "s3:*",
                "Resource": [arn, format!("{arn}/*")],
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            }]},
        });
        let policy = properties(aws, stack, &format!("{bucket}Policy"));
        assert_eq!(*policy, expected, "{stack}");
    };
    assert_denied(&deploy_functions_with(&[]), "slipway", "ReportsBucket");

    let rule = "arn:aws:elasticloadbalancing:eu-west-1:111122223333:listener-rule/app/web/1/2/3";
    for (template, traffic) in [
        ("in-place.yaml", &[][..]),
        ("blue-green.yaml", &[("Rule", rule)][..]),
        ("canary.yaml", &[("Rule", rule)][..]),
        ("dns.yaml", &RECORDS[..]),
    ] {
        let mut aws = deploy_functions_with(&[]);
        deploy_pipeline(&mut aws, template, traffic).unwrap();
        assert_denied(&aws, "web-pipeline", "ArtifactBucket");
    }
}

#[test]
fn a_pipeline_takes_a_bucket_for_its_artifacts() {
    let aws = with_pipeline(&[("ArtifactBucketName", "shared")]);
    let stack = aws.cloudformation.stack("web-pipeline").unwrap();
    for absent in ["ArtifactBucket", "ArtifactBucketPolicy"] {
        assert!(stack.resource(absent).is_none(), "{absent}");
    }
    assert_eq!(stack.outputs["ArtifactBucketName"], "shared");
    assert_eq!(
        aws.codepipeline.pipelines["web"].declaration.bucket,
        "shared"
    );

    let role = physical_id(&aws, "web-pipeline", "PipelineRole");
    let role = aws.cloudformation.iam.role(&role).unwrap();
    let resource = |sid: &str| {
        let mut statements = role.statements();
        statements.find(|known| known["Sid"] == sid).unwrap()["Resource"].clone()
    };
    assert_eq!(resource("ArtifactBucket"), "arn:aws:s3:::shared");
    assert_eq!(resource("Artifacts"), "arn:aws:s3:::shared/*");
}

/// So does every role that CodePipeline's console makes.
#[test]
fn the_role_of_a_pipeline_trusts_code_pipeline_for_this_account_only() {
    let aws = with_pipeline(&[]);
    let role = physical_id(&aws, "web-pipeline", "PipelineRole");
    let role = aws.cloudformation.iam.role(&role).unwrap();
    assert_eq!(
        items(&role.trust["Statement"]),
        [json!({
            "Effect": "Allow",
            "Principal": {"Service": "codepipeline.amazonaws.com"},
            "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"aws:SourceAccount": "111122223333"}},
        })]
    );
}

/// The attributes of the load balancer of a service with these choices.
fn attributes(choices: &[(&str, &str)]) -> BTreeMap<String, String> {
    let mut aws = account(1);
    deploy_service(&mut aws, choices).unwrap();
    let set = &properties(&aws, "web", "LoadBalancer")["LoadBalancerAttributes"];
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    items(set)
        .iter()
        .map(|attribute| (text(&attribute["Key"]), text(&attribute["Value"])))
        .collect()
}

#[test]
fn a_load_balancer_is_protected_and_logs_as_chosen() {
    let mut expected = given(&[
        ("routing.http.drop_invalid_header_fields.enabled", "true"),
        ("deletion_protection.enabled", "false"),
        ("access_logs.s3.enabled", "false"),
    ]);
    assert_eq!(attributes(&[]), expected);

    expected.extend(given(&[
        ("deletion_protection.enabled", "true"),
        ("access_logs.s3.enabled", "true"),
        ("access_logs.s3.bucket", LOGS),
        ("access_logs.s3.prefix", "web"),
    ]));
    let choices = [("AccessLogBucket", LOGS), ("DeletionProtection", "yes")];
    assert_eq!(attributes(&choices), expected);
}

#[test]
fn a_load_balancer_with_a_certificate_redirects_to_https() {
    let mut aws = account(1);
    deploy_service(&mut aws, &[("CertificateArn", CERTIFICATE)]).unwrap();
    let redirect = properties(&aws, "web", "RedirectListener");
    assert_eq!(redirect["Port"], 80);
    assert_eq!(
        redirect["DefaultActions"],
        json!([{
            "Type": "redirect",
            "RedirectConfig": {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"},
        }])
    );
    let ports = |aws: &Aws| {
        let group = properties(aws, "web", "LoadBalancerSecurityGroup");
        let open = items(&group["SecurityGroupIngress"]).iter();
        open.map(|rule| rule["FromPort"].as_i64().unwrap())
            .collect::<Vec<_>>()
    };
    assert_eq!(ports(&aws), [443]);
    assert_eq!(properties(&aws, "web", "RedirectIngress")["FromPort"], 80);

    let mut aws = account(1);
    deploy_service(&mut aws, &[]).unwrap();
    let stack = aws.cloudformation.stack("web").unwrap();
    for absent in ["RedirectListener", "RedirectIngress"] {
        assert!(stack.resource(absent).is_none(), "{absent}");
    }
    assert_eq!(ports(&aws), [80]);
}
