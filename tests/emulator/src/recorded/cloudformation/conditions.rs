//! Conditions: what they leave out, and how they are refused.

use super::*;

/// A topic with a false condition, and another resource or an output that needs it.
const CONDITIONAL: &str = "
Conditions: {Never: !Equals [a, b]}
Resources:
  MyTopic: {Type: AWS::ECR::Repository, Condition: Never, Properties: {RepositoryName: one}}
  Other: {Type: AWS::ECR::Repository, Properties: {RepositoryName: OTHER}}
Outputs: {Name: {Value: OUTPUT}}
";

/// A bucket if it has a name, and its policy in production.
const NESTED: &str = "
Parameters: {EnvType: {Type: String}, BucketName: {Type: String, Default: ''}}
Conditions:
  IsProduction: !Equals [!Ref EnvType, prod]
  CreateBucket: !Not [!Equals [!Ref BucketName, '']]
  CreateBucketPolicy: !And [!Condition IsProduction, !Condition CreateBucket]
Resources:
  Bucket:
    Type: AWS::S3::Bucket
    Condition: CreateBucket
    Properties: {BucketName: !Ref BucketName}
  Policy:
    Type: AWS::S3::BucketPolicy
    Condition: CreateBucketPolicy
    Properties:
      Bucket: !Ref Bucket
      PolicyDocument:
        Version: '2012-10-17'
        Statement:
          - Effect: Allow
            Principal: {Service: lambda.amazonaws.com}
            Action: [s3:GetObject]
            Resource: [!Sub '${Bucket.Arn}/*']
";

/// Parameters in the order of their names: CloudFormation promises none.
fn in_order(mut described: Value) -> Value {
    if let Some(parameters) = described["Parameters"].as_array_mut() {
        parameters.sort_by_key(|parameter| parameter["ParameterKey"].to_string());
    }
    described
}

/// An event as LocalStack's snapshot has it: with `date` in its id, and properties as JSON.
fn event(mut event: Value) -> Value {
    let is_of_stack = event["ResourceType"] == "AWS::CloudFormation::Stack";
    if let Some(properties) = event["ResourceProperties"].as_str() {
        event["ResourceProperties"] = serde_json::from_str(properties).expect("JSON");
    }
    if !is_of_stack {
        let text = |member: &str| event[member].as_str().unwrap_or_default().to_owned();
        let id = [text("LogicalResourceId"), text("ResourceStatus")].join("-");
        event["EventId"] = json!(format!("{id}-date"));
    }
    event
}

fn nested(answers: &mut Returned) {
    for (test, environment, bucket) in [
        ("test_nested_conditions[test-nobucket-nopolicy]", "test", ""),
        (
            "test_nested_conditions[test-bucket-nopolicy]",
            "test",
            "bucket",
        ),
        ("test_nested_conditions[prod-nobucket-nopolicy]", "prod", ""),
        (
            "test_nested_conditions[prod-bucket-policy]",
            "prod",
            "bucket",
        ),
    ] {
        let aws = &mut Aws::new(1);
        let given = [
            ("Parameters.member.1.ParameterKey", "EnvType"),
            ("Parameters.member.1.ParameterValue", environment),
            ("Parameters.member.2.ParameterKey", "BucketName"),
            ("Parameters.member.2.ParameterValue", bucket),
        ];
        let created = change_set(aws, "own", "CREATE", NESTED, &given);
        let set = id(&created);
        answers.add(test, "create_cs_result", created);
        let set = [("ChangeSetName", set.as_str())];
        let described = call(aws, "DescribeChangeSet", &set).map(in_order);
        answers.add(test, "describe_changeset_result", described);
        call(aws, "ExecuteChangeSet", &set).unwrap();

        let own = [("StackName", "own")];
        let resources = call(aws, "DescribeStackResources", &own);
        answers.add(test, "stack_resources", resources);
        let mut events = call(aws, "DescribeStackEvents", &own).unwrap();
        for one in events["StackEvents"].as_array_mut().into_iter().flatten() {
            *one = event(one.take());
        }
        answers.add(test, "stack_events", Ok(events));
        let mut stacks = call(aws, "DescribeStacks", &own).unwrap();
        stacks["Stacks"][0] = in_order(stacks["Stacks"][0].take());
        answers.add(test, "describe_stack_result", Ok(stacks));
    }
}

/// A table, and a resource without it that would refer to the table.
const REFERRING: &str = "
Conditions: {Always: !Equals [a, a], Never: !Equals [a, b]}
Resources:
  MyTable:
    Type: AWS::DynamoDB::Table
    Condition: Always
    Properties:
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
      KeySchema: [{AttributeName: id, KeyType: HASH}]
  Other: {Type: AWS::ECR::Repository, Condition: Never, Properties: {RepositoryName: !Ref MyTable}}
";

fn referring(answers: &mut Returned) {
    let aws = &mut Aws::new(1);
    let set = id(&change_set(aws, "own", "CREATE", REFERRING, &[]));
    call(aws, "ExecuteChangeSet", &[("ChangeSetName", &set)]).unwrap();
    let resources = call(aws, "DescribeStackResources", &[("StackName", "own")]);
    let test = "test_conditional_resource_referencing_conditional";
    answers.add(test, "resources-description", resources);
}

#[test]
fn conditions_are_as_recorded() {
    let mut answers = Returned::default();
    let refused = |other: &str, output: &str| {
        let body = CONDITIONAL
            .replace("OTHER", other)
            .replace("OUTPUT", output);
        change_set(&mut Aws::new(1), "new", "CREATE", &body, &[])
    };
    let reference = refused("!Ref MyTopic", "x");
    answers.add("test_dependent_ref", "dependent_ref_exc", reference);
    let attribute = refused("!GetAtt MyTopic.RepositoryUri", "x");
    answers.add("test_dependent_get_att", "dependent_ref_exc", attribute);
    let output = refused("two", "!Ref MyTopic");
    let test = "test_output_reference_to_skipped_resource";
    answers.add(test, "unresolved_resource_reference_exception", output);
    let body = format!("Conditions: {{Never: !Equals [a]}}{TEMPLATE}");
    let short = change_set(&mut Aws::new(1), "new", "CREATE", &body, &[]);
    answers.add("test_validate_equals_args_len", "error", short);
    nested(&mut answers);

    referring(&mut answers);

    let left_out = [
        (Sign::Holds("AWS::SSM::Parameter"), SSM_PARAMETERS),
        (
            Sign::Test("test_references_to_disabled_resources*"),
            SSM_PARAMETERS,
        ),
    ];
    judge(
        "cloudformation/test_conditions.snapshot.json",
        &answers,
        &left_out,
    );
}
