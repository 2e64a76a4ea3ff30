use std::time::Duration;

use serde_json::Value;

use super::*;
use crate::iam::{Demand, Session, require};

const TEMPLATE: &str = "
Transform: AWS::Serverless-2016-10-31
Globals:
  Function:
    CodeUri: .
    Runtime: provided.al2023
    Handler: bootstrap
    Timeout: 60
    Environment: {Variables: {RUST_LOG: info, LEDGER_TABLE: shared}}
    EventInvokeConfig:
      MaximumEventAgeInSeconds: 300
      DestinationConfig: {OnFailure: {Type: SQS, Destination: !GetAtt Dead.Arn}}
Resources:
  Dead: {Type: AWS::SQS::Queue, Properties: {QueueName: dead}}
  WebFunction:
    Type: AWS::Serverless::Function
    Metadata: {BuildMethod: rust-cargolambda, BuildProperties: {Binary: roll-back}}
    Properties:
      FunctionName: !Sub '${AWS::StackName}-web'
      Environment: {Variables: {LEDGER_TABLE: own}}
      Policies:
        - AWSLambdaBasicExecutionRole
        - Statement: [{Effect: Allow, Action: 'ecs:ListTasks', Resource: '*'}]
      Events:
        Ended:
          Type: EventBridgeRule
          Properties: {RuleName: app-ended, Pattern: {source: [aws.codepipeline]}}
        Sweep:
          Type: Schedule
          Properties: {Name: app-sweep, Schedule: rate(1 minute), Input: '{\"sweep\":true}'}
";

/// The template without the events of its function.
fn without_events() -> &'static str {
    TEMPLATE.split("      Events:").next().unwrap()
}

fn template() -> super::super::template::Template {
    super::super::template::Template::parse(Path::new("t.yaml"), TEMPLATE).unwrap()
}

#[test]
fn a_function_is_written_out_as_sam_does_it() {
    let written: Vec<(String, String)> = template()
        .resources
        .into_iter()
        .map(|made| (made.logical_id, made.kind))
        .collect();
    let expected = [
        ("Dead", "AWS::SQS::Queue"),
        ("WebFunction", "AWS::Lambda::Function"),
        ("WebFunctionRole", "AWS::IAM::Role"),
        (
            "WebFunctionEventInvokeConfig",
            "AWS::Lambda::EventInvokeConfig",
        ),
        ("WebFunctionEnded", "AWS::Events::Rule"),
        ("WebFunctionEndedPermission", "AWS::Lambda::Permission"),
        ("WebFunctionSweep", "AWS::Events::Rule"),
        ("WebFunctionSweepPermission", "AWS::Lambda::Permission"),
    ];

    assert_eq!(
        written
            .iter()
            .map(|(id, kind)| (id.as_str(), kind.as_str()))
            .collect::<Vec<_>>(),
        expected
    );
}

#[test]
fn the_rules_and_the_role_are_as_sam_makes_them() {
    let properties = |id: &str| {
        template()
            .resources
            .into_iter()
            .find(|made| made.logical_id == id)
            .map(|made| Value::Object(made.properties))
            .unwrap()
    };
    let sweep = json!({
        "Targets": [{
            "Arn": {"Fn::GetAtt": ["WebFunction", "Arn"]},
            "Id": "WebFunctionSweepLambdaTarget",
            "Input": "{\"sweep\":true}",
        }],
        "Name": "app-sweep", "ScheduleExpression": "rate(1 minute)",
    });

    assert_eq!(properties("WebFunctionSweep"), sweep);

    let role = properties("WebFunctionRole");
    assert_eq!(
        role["ManagedPolicyArns"].as_array().unwrap().len(),
        1,
        "one that is named twice is attached once"
    );

    let names: Vec<&Value> = role["Policies"]
        .as_array()
        .unwrap()
        .iter()
        .map(|policy| &policy["PolicyName"])
        .collect();
    assert_eq!(
        names,
        [
            "WebFunctionEventInvokeConfigOnFailureSQSPolicy",
            "WebFunctionRolePolicy1"
        ]
    );
}

/// The template with a function in a VPC, and a policy that it refers to, which keeps its code from
/// EC2.
fn with_shared_policy() -> String {
    let policies = "      Policies:
        - !Ref Shared
        - Statement: [{Effect: Allow, Action: 'ecs:ListTasks', Resource: '*'}]
      VpcConfig: {SubnetIds: [subnet-1], SecurityGroupIds: [sg-1]}
";
    let shared = "  Shared:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument:
        Statement:
          Effect: Deny
          Action: 'ec2:*'
          Resource: '*'
          Condition: {ArnLike: {'lambda:SourceFunctionArn': 'arn:aws:lambda:*:*:function:app-*'}}
";
    let head = TEMPLATE.split("      Policies:").next().unwrap();
    [head, policies, shared].concat()
}

#[test]
fn a_policy_that_is_referred_to_is_attached_beside_those_of_sam() {
    let folder = Folder::new("sam-policy", &[("t.yaml", &with_shared_policy())]);
    let mut aws = Aws::new(1);
    folder.deploy(&mut aws, "t.yaml").unwrap();

    let arn = aws.lambda.function("app-web").unwrap().role.clone();
    let role = aws.cloudformation.iam.role_by_arn(&arn).unwrap();
    let of_aws = |name: &str| format!("arn:aws:iam::aws:policy/service-role/{name}");
    assert_eq!(
        role.managed_policies,
        [
            of_aws("AWSLambdaBasicExecutionRole"),
            of_aws("AWSLambdaVPCAccessExecutionRole"),
            physical_id(&aws, "app", "Shared"),
        ]
    );

    let mut may = |session: &str| {
        let session = Session::of(&arn, session);
        require(&mut aws, &session, &Demand::anywhere("ec2:DescribeSubnets")).is_ok()
    };
    assert!(may("of-lambda-itself"));
    assert!(!may("app-web"), "its code may not");
}

#[test]
fn a_function_is_deployed_with_globals_role_and_binary() {
    // Rules need EventBridge's own module, which this test is not about.
    let folder = Folder::new("sam", &[("t.yaml", without_events())]);
    let mut aws = Aws::new(1);
    folder.deploy(&mut aws, "t.yaml").unwrap();
    let function = aws.lambda.function("app-web").unwrap();

    assert_eq!(
        (function.code.as_str(), function.timeout),
        ("roll-back", Duration::from_secs(60))
    );
    assert_eq!(
        function.environment,
        BTreeMap::from([
            ("LEDGER_TABLE".to_owned(), "own".to_owned()),
            ("RUST_LOG".to_owned(), "info".to_owned())
        ])
    );

    let role = aws.cloudformation.iam.role_by_arn(&function.role).unwrap();
    assert!(
        role.name.starts_with("app-WebFunctionRole-"),
        "{}",
        role.name
    );
    assert_eq!(
        role.statements()
            .map(|statement| &statement["Action"])
            .collect::<Vec<_>>(),
        ["sqs:SendMessage", "ecs:ListTasks"]
    );
}

#[test]
fn what_sam_would_refuse_or_the_sandbox_does_not_know_is_refused() {
    for (at, (from, to, expected)) in [
        (
            "Timeout: 60",
            "Timeouts: 60",
            "Globals.Function.Timeouts: not a property that functions can share",
        ),
        (
            "Pattern:",
            "Patern:",
            "Resources.WebFunction.Properties.Events.Ended.Properties.Patern: unknown property",
        ),
        (
            "Type: EventBridgeRule",
            "Type: ScheduleV2",
            "Events.Ended.Type: the sandbox writes out EventBridgeRule and Schedule",
        ),
        (
            "Runtime: provided.al2023",
            "Tracing: Active",
            "Resources.WebFunction.Properties: required property Runtime is missing",
        ),
        (
            "        - AWSLambdaBasic",
            "        - {SQSPollerPolicy: {}}\n        - AWSLambdaBasic",
            "Properties.Policies.0: the sandbox takes policies with a Statement",
        ),
        (
            "Transform: AWS::Serverless-2016-10-31",
            "",
            "Globals: needs Transform",
        ),
    ]
    .into_iter()
    .enumerate()
    {
        assert!(TEMPLATE.contains(from), "{from}");
        let message = refused(&format!("sam-{at}"), &TEMPLATE.replacen(from, to, 1));
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn a_function_without_a_binary_is_refused() {
    let no_binary = without_events().replace("{Binary: roll-back}", "{}");
    assert!(
        refused("sam-binary", &no_binary)
            .contains("Resources.WebFunction.Metadata: the sandbox runs functions")
    );
}

#[test]
fn a_role_that_does_not_trust_lambda_is_refused() {
    let trust = "      AssumeRolePolicyDocument:
        Statement:
          Effect: Allow
          Action: 'sts:AssumeRole'
          Principal: {Service: ecs-tasks.amazonaws.com}
";
    let text = without_events().to_owned() + trust;

    assert!(
        refused("sam-trust", &text)
            .contains("Resources.WebFunction.Properties.Role: the role app-WebFunctionRole-")
    );
}
