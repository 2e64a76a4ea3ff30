//! The project's own templates with what a platform team requires: keys, topics, networks, secrets,
//! and what exists already.

use std::collections::BTreeSet;

use serde_json::Value;

use super::own_pairs::{account_with_pair, deploy_blue_green};
use super::own_roles::{PIPELINES, statement_of, with_pipeline};
use super::own_templates::{
    CERTIFICATE, account, deploy_functions, deploy_pipeline, deploy_service, given, root,
};
use super::*;

pub(super) const KEY: &str = "arn:aws:kms:eu-west-1:111122223333:key/1";
pub(super) const TOPIC: &str = "arn:aws:sns:eu-west-1:111122223333:releases";
const OLD_TABLE: &str = "slipway-LedgerTable-OLD";

/// The properties of a resource of a stack.
pub(super) fn properties<'a>(aws: &'a Aws, stack: &str, logical_id: &str) -> &'a Value {
    let stack = aws.cloudformation.stack(stack).unwrap();
    &stack.resource(logical_id).unwrap().properties
}

/// The properties of the alarms of the functions' stack.
fn alarms(aws: &Aws) -> Vec<&Value> {
    let stack = aws.cloudformation.stack("slipway").unwrap();
    let alarms = stack.resources.iter();
    alarms
        .filter(|made| made.kind == "AWS::CloudWatch::Alarm")
        .map(|alarm| &alarm.properties)
        .collect()
}

/// The metrics of an alarm on an expression: of each its name and its function.
fn watched(alarm: &Value) -> Vec<(&str, &str)> {
    let queries = alarm["Metrics"].as_array().into_iter().flatten();
    let metrics = queries.filter_map(|query| query["MetricStat"].get("Metric"));
    metrics
        .map(|metric| {
            let function = &metric["Dimensions"][0]["Value"];
            let name = metric["MetricName"].as_str().unwrap();
            (name, function.as_str().unwrap())
        })
        .collect()
}

#[test]
fn the_functions_deploy_with_every_choice() {
    let mut aws = account(1);
    let choices = given(&[
        ("KmsKeyArn", KEY),
        ("NotificationTopicArn", TOPIC),
        ("ReservedConcurrency", "10"),
        ("SubnetIds", "subnet-1,subnet-2"),
        ("SecurityGroupIds", "sg-1"),
        ("LedgerTableName", OLD_TABLE),
    ]);
    deploy(&mut aws, "slipway", &root().join("template.yaml"), &choices).unwrap();

    let stack = aws.cloudformation.stack("slipway").unwrap();
    assert!(stack.resource("LedgerTable").is_none());
    assert_eq!(stack.outputs["LedgerTableName"], OLD_TABLE);
    assert_eq!(alarms(&aws).len(), 8);

    for function in aws.lambda.functions.values() {
        assert_eq!(function.environment["LEDGER_TABLE"], OLD_TABLE);
    }
    let ledger = statement_of(&aws, "slipway", "FinishReleaseFunctionRole", "Ledger").unwrap();
    assert_eq!(
        ledger["Resource"],
        format!("arn:aws:dynamodb:eu-west-1:111122223333:table/{OLD_TABLE}")
    );

    let function = properties(&aws, "slipway", "FinishReleaseFunction");
    assert_eq!(function["ReservedConcurrentExecutions"], 10);
    assert_eq!(
        function["VpcConfig"],
        json!({"SubnetIds": ["subnet-1", "subnet-2"], "SecurityGroupIds": ["sg-1"]})
    );
    let queue = properties(&aws, "slipway", "DeadLetterQueue");
    assert_eq!(queue["KmsMasterKeyId"], KEY);
    assert_eq!(queue["SqsManagedSseEnabled"], Value::Null);
    let logs = properties(&aws, "slipway", "FinishReleaseLogGroup");
    assert_eq!(logs["KmsKeyId"], KEY);
}

/// The emulator refuses an alarm of more than ten metrics, so that two more functions of a kind
/// still deploy.
#[test]
fn each_function_is_in_one_alarm_on_errors_and_in_one_on_throttles() {
    let mut aws = account(1);
    let choices = given(&[("NotificationTopicArn", TOPIC)]);
    deploy(&mut aws, "slipway", &root().join("template.yaml"), &choices).unwrap();

    let alarms = alarms(&aws);
    let all: Vec<_> = alarms.iter().map(|alarm| watched(alarm)).collect();
    for metrics in &all {
        assert!(metrics.len() <= 8, "no room for two functions: {metrics:?}");
        let names: BTreeSet<&str> = metrics.iter().map(|(name, _)| *name).collect();
        assert!(names.len() <= 1, "{metrics:?}");
    }

    let functions: Vec<&str> = aws.lambda.functions.keys().map(String::as_str).collect();
    for name in ["Errors", "Throttles"] {
        let of_name = all.iter().flatten().filter(|(known, _)| *known == name);
        let mut watched: Vec<&str> = of_name.map(|(_, function)| *function).collect();
        watched.sort_unstable();
        assert_eq!(watched, functions, "{name}");
    }
}

#[test]
fn the_functions_deploy_without_any_choice_and_keep_the_ledger() {
    let mut aws = account(1);
    deploy_functions(&mut aws);
    assert!(alarms(&aws).is_empty());
    let function = properties(&aws, "slipway", "FinishReleaseFunction");
    assert_eq!(function["VpcConfig"], Value::Null);
    assert_eq!(function["ReservedConcurrentExecutions"], Value::Null);

    let time_to_live = &properties(&aws, "slipway", "LedgerTable")["TimeToLiveSpecification"];
    let expected = json!({"AttributeName": "expires_at", "Enabled": true});
    assert_eq!(*time_to_live, expected);

    let table = physical_id(&aws, "slipway", "LedgerTable");
    delete(&mut aws, "slipway").unwrap();
    let deletion = json!({ "TableName": table });
    let refused = crate::dynamodb::call(&mut aws, "DeleteTable", &deletion).unwrap_err();
    assert!(
        refused.message.contains("protected against deletion"),
        "{refused}"
    );

    let again = given(&[("LedgerTableName", &table)]);
    deploy(&mut aws, "slipway", &root().join("template.yaml"), &again).unwrap();
    let environment = &aws
        .lambda
        .function("slipway-roll-back")
        .unwrap()
        .environment;
    assert_eq!(environment["LEDGER_TABLE"], table);
}

#[test]
fn an_approval_notifies_a_topic_and_artifacts_have_a_key() {
    let choices = [
        ("Approval", "yes"),
        ("NotificationTopicArn", TOPIC),
        ("KmsKeyArn", KEY),
    ];
    for template in PIPELINES {
        let aws = with_pipeline(template, &choices);
        let pipeline = &aws.codepipeline.pipelines["web"].declaration;
        let approval = pipeline.action("Release", "approve").unwrap();
        assert_eq!(approval.configuration["NotificationArn"], TOPIC);
        assert_eq!(pipeline.encryption_key.as_deref(), Some(KEY));
        let of = |sid: &str| statement_of(&aws, "web-pipeline", "PipelineRole", sid).unwrap();
        assert_eq!(of("Notify")["Resource"], TOPIC);
        assert_eq!(of("UseKey")["Resource"], KEY);
    }
}

#[test]
fn a_command_before_the_update_needs_the_family_that_the_deploy_role_may_run() {
    let mut aws = account(1);
    deploy_service(&mut aws, &[]).unwrap();
    deploy_functions(&mut aws);
    let command = ("MigrationCommand", "bin/rails,db:migrate");
    let refused = deploy_pipeline(&mut aws, "in-place.yaml", &[command]).unwrap_err();
    assert_eq!(
        refused.problem,
        "MigrationCommand is given, so MigrationFamily must be given, or DeployRoleArn."
    );

    let family = ("MigrationFamily", "web");
    deploy_pipeline(&mut aws, "in-place.yaml", &[command, family]).unwrap();
    let pipeline = &aws.codepipeline.pipelines["web"].declaration;
    let migrate = pipeline.action("Release", "migrate").unwrap();
    let parameters = migrate.configuration["UserParameters"].as_str();
    let parameters: Value = serde_json::from_str(parameters).unwrap();
    assert_eq!(parameters["command"], json!(["bin/rails", "db:migrate"]));
    assert_eq!(parameters["timeout_minutes"], 30);
}

#[test]
fn an_approval_without_a_topic_notifies_none() {
    let mut aws = account_with_pair(1);
    deploy_functions(&mut aws);
    deploy_blue_green(&mut aws, &[("Approval", "yes")]).unwrap();
    let pipeline = &aws.codepipeline.pipelines["web"].declaration;
    let approval = pipeline.action("Release", "approve").unwrap();
    assert!(!approval.configuration.contains_key("NotificationArn"));
    for sid in ["Notify", "UseKey"] {
        assert_eq!(
            statement_of(&aws, "web-pipeline", "PipelineRole", sid),
            None
        );
    }
}

#[test]
fn a_service_takes_a_repository_secrets_and_a_key() {
    let secret = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:web-1";
    let mut aws = account(1);
    let choices = [
        ("RepositoryName", "team/web"),
        ("SecretArns", secret),
        ("KmsKeyArn", KEY),
    ];
    deploy_service(&mut aws, &choices).unwrap();

    let stack = aws.cloudformation.stack("web").unwrap();
    assert!(stack.resource("Repository").is_none());
    assert_eq!(stack.outputs["RepositoryName"], "team/web");
    assert_eq!(
        stack.outputs["RepositoryUri"],
        "111122223333.dkr.ecr.eu-west-1.amazonaws.com/team/web"
    );
    let of = |sid: &str| statement_of(&aws, "web", "ExecutionRole", sid).unwrap();
    assert_eq!(
        of("PullImages")["Resource"],
        "arn:aws:ecr:eu-west-1:111122223333:repository/team/web"
    );
    assert_eq!(of("ReadSecrets")["Resource"], json!([secret]));
    assert_eq!(of("DecryptSecrets")["Resource"], KEY);

    let mut aws = account(1);
    deploy_service(&mut aws, &[("KmsKeyArn", KEY)]).unwrap();
    let encryption = &properties(&aws, "web", "Repository")["EncryptionConfiguration"];
    assert_eq!(*encryption, json!({"EncryptionType": "KMS", "KmsKey": KEY}));
    assert_eq!(
        statement_of(&aws, "web", "ExecutionRole", "ReadSecrets"),
        None
    );
}

#[test]
fn a_load_balancer_is_internal_unless_it_has_a_certificate() {
    let scheme = |choices: &[(&str, &str)]| {
        let mut aws = account(1);
        deploy_service(&mut aws, choices)?;
        Ok::<_, StackError>(properties(&aws, "web", "LoadBalancer")["Scheme"].clone())
    };
    let public = ("Scheme", "internet-facing");
    assert_eq!(scheme(&[]).unwrap(), "internal");
    assert_eq!(
        scheme(&[public, ("CertificateArn", CERTIFICATE)]).unwrap(),
        "internet-facing"
    );
    let refused = scheme(&[public]).unwrap_err();
    assert!(
        refused.problem.contains("so CertificateArn must be given"),
        "{refused}"
    );
}

#[test]
fn test_rules_are_for_the_given_addresses() {
    for (choices, expected) in [
        (
            &[][..],
            json!(["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"]),
        ),
        (
            &[("TestCidrs", "203.0.113.0/24")][..],
            json!(["203.0.113.0/24"]),
        ),
    ] {
        let mut aws = account(1);
        let choices = [&[("BlueGreen", "yes")][..], choices].concat();
        deploy_service(&mut aws, &choices).unwrap();
        for rule in ["BlueTestRule", "GreenTestRule"] {
            let sources = &properties(&aws, "web", rule)["Conditions"][1]["SourceIpConfig"];
            assert_eq!(sources["Values"], expected);
        }
    }
}

#[test]
fn requests_with_the_test_header_are_refused_before_production_unless_turned_off_for_a_pair() {
    let made = |choices: &[(&str, &str)]| {
        let mut aws = account(1);
        deploy_service(&mut aws, choices).unwrap();
        let stack = aws.cloudformation.stack("web").unwrap();
        let rule = stack.resource("TestHeaderRefusal");
        rule.map(|rule| rule.properties.clone())
    };
    let pair = ("BlueGreen", "yes");
    assert!(made(&[pair, ("RefuseTestHeader", "no")]).is_none());
    assert!(made(&[("RefuseTestHeader", "yes")]).is_none());

    let rule = made(&[pair]).unwrap();
    let header = json!({"HttpHeaderName": "x-slipway-colour", "Values": ["*"]});
    assert_eq!(
        rule["Conditions"],
        json!([{"Field": "http-header", "HttpHeaderConfig": header}])
    );
    let refusal = json!({"StatusCode": "403"});
    assert_eq!(
        rule["Actions"],
        json!([{"Type": "fixed-response", "FixedResponseConfig": refusal}])
    );
    assert_eq!(rule["Priority"].to_string().trim_matches('"'), "999");
}
