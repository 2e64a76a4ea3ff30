use super::*;

#[test]
fn a_nested_stack_takes_parameters_and_gives_outputs() {
    let parent = "
Resources:
  Nested:
    Type: AWS::CloudFormation::Stack
    Properties:
      TemplateURL: infra/child.yaml
      Parameters: {Name: dead, Subnets: !Split [' ', 'subnet-1 subnet-2']}
Outputs: {Arn: {Value: !GetAtt Nested.Outputs.Arn}}
";
    let child = "
Parameters: {Name: {Type: String}, Subnets: {Type: List<AWS::EC2::Subnet::Id>}}
Resources:
  Queue:
    Type: AWS::SQS::Queue
    Properties: {QueueName: !Join ['-', [!Ref Name, !Select [1, !Ref Subnets]]]}
Outputs: {Arn: {Value: !GetAtt Queue.Arn}}
";
    let folder = Folder::new(
        "nested",
        &[("parent.yaml", parent), ("infra/child.yaml", child)],
    );
    let mut aws = Aws::new(1);
    folder.deploy(&mut aws, "parent.yaml").unwrap();

    assert_eq!(
        aws.cloudformation.stack("app").unwrap().outputs["Arn"],
        "arn:aws:sqs:eu-west-1:111122223333:dead-subnet-2"
    );

    let nested = aws.cloudformation.nested_stack("app", "Nested").unwrap();
    assert!(nested.name.starts_with("app-Nested-"), "{}", nested.name);
    assert_eq!(nested.parent.as_deref(), Some("app"));

    // The nested template is read again although nothing changed in the parent.
    folder.write("infra/child.yaml", &child.replace("QueueName", "QueueNam"));
    let error = folder.deploy(&mut aws, "parent.yaml").unwrap_err();
    assert!(
        error.place == "Resources.Nested"
            && error
                .problem
                .contains("infra/child.yaml: Resources.Queue.Properties.QueueNam"),
        "{error}"
    );

    delete(&mut aws, "app").unwrap();
    assert_eq!(aws.cloudformation.stacks().count(), 0);
}

#[test]
fn an_alarm_watches_a_metric_or_an_expression_of_at_most_ten() {
    let alarm = |watches: &str| {
        format!(
            "
Resources:
  Alarm:
    Type: AWS::CloudWatch::Alarm
    Properties: {{ComparisonOperator: GreaterThanThreshold, EvaluationPeriods: 1, {watches}}}
Outputs: {{Arn: {{Value: !GetAtt Alarm.Arn}}}}
"
        )
    };
    let queries = |count: usize| {
        let of = |at| format!("{{Id: m{at}, MetricStat: {{Metric: {{}}, Period: 60, Stat: Sum}}}}");
        (0..count).map(of).collect::<Vec<_>>().join(", ")
    };

    let named = outputs("alarm", &alarm("AlarmName: late, MetricName: Age"));
    assert_eq!(
        named["Arn"],
        "arn:aws:cloudwatch:eu-west-1:111122223333:alarm:late"
    );
    outputs("alarm-ten", &alarm(&format!("Metrics: [{}]", queries(10))));

    let eleven = alarm(&format!("Metrics: [{}]", queries(11)));
    assert!(refused("alarm-eleven", &eleven).contains("at most 10 metrics, found 11"));
    let neither = refused("alarm-none", &alarm("Threshold: 1"));
    assert!(
        neither.contains("either MetricName or Metrics"),
        "{neither}"
    );
}

/// A template of a role with a policy of one statement.
fn role_with(statement: &str) -> String {
    format!(
        "
Resources:
  R:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Statement:
          Effect: Allow
          Action: 'sts:AssumeRole'
          Principal: {{Service: lambda.amazonaws.com}}
      Policies: [{{PolicyName: p, PolicyDocument: {{Statement: [{statement}]}}}}]
"
    )
}

#[test]
fn policies_are_looked_at() {
    for (at, (statement, expected)) in [
        (
            "{Effect: Alow, Action: 'ecs:*', Resource: '*'}",
            "Effect is Allow or Deny",
        ),
        (
            "{Effect: Allow, Actions: 'ecs:*', Resource: '*'}",
            "unknown element Actions",
        ),
        (
            "{Effect: Allow, Action: DescribeServices, Resource: '*'}",
            "an action is service:Operation",
        ),
        (
            "{Effect: Allow, Action: 'ecs:*'}",
            "either Resource or NotResource",
        ),
        (
            "{Effect: Allow, Action: 'ecs:*', Resource: 'service/web'}",
            "a resource is an ARN",
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let message = refused(&format!("policy-{at}"), &role_with(statement));
        assert!(
            message.contains(
                "Properties.Policies.0.PolicyDocument.Statement.0: MalformedPolicyDocument"
            ) && message.contains(expected),
            "{message}"
        );
    }
}

#[test]
fn a_role_has_the_trust_and_the_statements_of_its_template() {
    let folder = Folder::new(
        "policy",
        &[(
            "t.yaml",
            &role_with("{Effect: Allow, Action: ['ecs:ListTasks'], Resource: '*'}"),
        )],
    );
    let mut aws = Aws::new(1);
    folder.deploy(&mut aws, "t.yaml").unwrap();

    let role = aws.cloudformation.iam.roles().next().unwrap();
    assert!(role.trusts("lambda.amazonaws.com") && !role.trusts("codepipeline.amazonaws.com"));
    assert_eq!(
        role.statements().collect::<Vec<_>>(),
        [&json!({"Effect": "Allow", "Action": ["ecs:ListTasks"], "Resource": "*"})]
    );
}
