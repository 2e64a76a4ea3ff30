use serde_json::{Value, json};

use crate::cloudformation::api::call;
use crate::{ApiError, Aws};

pub(super) const TEMPLATE: &str = "
Resources: {Repository: {Type: AWS::ECR::Repository, Properties: {RepositoryName: web}}}
";

const URL: (&str, &str) = (
    "TemplateURL",
    "https://s3.eu-west-1.amazonaws.com/kept/a/t.yaml",
);

pub(super) fn account() -> Aws {
    let mut aws = Aws::new(1);
    aws.s3.create_bucket("kept", true);
    aws
}

pub(super) fn request(
    aws: &mut Aws,
    action: &str,
    members: &[(&str, &str)],
) -> Result<Value, ApiError> {
    let members = members
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    call(aws, action, &members.collect())
}

pub(super) fn create(aws: &mut Aws, more: &[(&str, &str)]) -> Result<Value, ApiError> {
    let own = [
        ("ChangeSetName", "c"),
        ("StackName", "own"),
        ("ChangeSetType", "CREATE"),
    ];
    request(aws, "CreateChangeSet", &[&own[..], more].concat())
}

pub(super) fn execute(aws: &mut Aws, created: &Value) {
    let id = created["Id"].as_str().unwrap();
    request(aws, "ExecuteChangeSet", &[("ChangeSetName", id)]).unwrap();
}

fn statuses(aws: &mut Aws) -> Vec<String> {
    let answer = request(aws, "DescribeStackEvents", &[("StackName", "own")]).unwrap();
    let events = answer["StackEvents"].as_array().unwrap().iter();
    let status = |event: &Value| {
        format!(
            "{} {}",
            event["LogicalResourceId"].as_str().unwrap(),
            event["ResourceStatus"].as_str().unwrap()
        )
    };
    events.map(status).collect()
}

#[test]
fn a_template_is_read_from_the_object_that_its_url_names() {
    for url in [
        URL.1,
        "https://kept.s3.eu-west-1.amazonaws.com/a/t.yaml",
        "http://127.0.0.1:4566/kept/a/t.yaml",
    ] {
        let mut aws = account();
        let text = TEMPLATE.as_bytes().to_vec();
        let version = aws.s3.put("kept", "a/t.yaml", text).unwrap().unwrap();
        aws.s3.put("kept", "a/t.yaml", b"later".to_vec()).unwrap();
        let url = format!("{url}?versionId={version}");
        let created = create(&mut aws, &[("TemplateURL", &url)]).unwrap();
        execute(&mut aws, &created);

        let template = request(&mut aws, "GetTemplate", &[("StackName", "own")]).unwrap();
        assert_eq!(template["TemplateBody"], TEMPLATE);
        let summary = request(&mut aws, "GetTemplateSummary", &[("TemplateURL", &url)]);
        assert_eq!(
            summary.unwrap()["ResourceTypes"],
            json!(["AWS::ECR::Repository"])
        );
    }
}

#[test]
fn a_template_in_an_object_may_be_longer_than_one_in_a_request() {
    let mut aws = account();
    let long = format!("{TEMPLATE}{}", "#".repeat(51_200));
    let refused = create(&mut aws, &[("TemplateBody", &long)]).unwrap_err();
    assert!(refused.message.contains("'templateBody'"), "{refused}");

    aws.s3.put("kept", "a/t.yaml", long.into_bytes()).unwrap();
    create(&mut aws, &[URL]).unwrap();
}

#[test]
fn a_url_without_a_template_is_refused() {
    let refused = |more: &[(&str, &str)]| create(&mut account(), more).unwrap_err().to_string();
    assert_eq!(
        refused(&[URL]),
        "ValidationError: S3 error: The specified key does not exist.\nFor more information check \
         http://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html"
    );
    assert_eq!(
        refused(&[("TemplateURL", "s3://kept/a/t.yaml")]),
        "ValidationError: S3 error: Domain name specified in kept is not a valid S3 domain"
    );
    assert_eq!(
        refused(&[("TemplateURL", "https://example.com/t.yaml")]),
        "ValidationError: TemplateURL must be a supported URL."
    );
    assert!(refused(&[URL, ("TemplateBody", TEMPLATE)]).contains("Only one of"));
}

#[test]
fn the_same_client_token_makes_no_second_change_set() {
    let mut aws = account();
    let request = |token| [("TemplateBody", TEMPLATE), ("ClientToken", token)];
    let first = create(&mut aws, &request("t")).unwrap();
    assert_eq!(create(&mut aws, &request("t")).unwrap(), first);
    assert_eq!(
        create(&mut aws, &request("u")).unwrap_err().to_string(),
        "AlreadyExistsException: ChangeSet c cannot be created due to a mismatch with existing \
         attribute ClientToken"
    );

    execute(&mut aws, &first);
    let update = [("ChangeSetType", "UPDATE")];
    let again = create(&mut aws, &[&request("u")[..], &update].concat());
    assert_ne!(again.unwrap()["Id"], first["Id"]);
}

#[test]
fn a_deleted_change_set_is_gone_and_none_is_as_good_while_the_stack_is_there() {
    let mut aws = account();
    let body = [("TemplateBody", TEMPLATE), ("ClientToken", "t")];
    let first = create(&mut aws, &body).unwrap();
    let by_name = [("ChangeSetName", "c"), ("StackName", "own")];
    request(&mut aws, "DeleteChangeSet", &by_name).unwrap();
    let described = |aws: &mut Aws| request(aws, "DescribeChangeSet", &by_name).map(drop);
    assert_eq!(described(&mut aws).unwrap_err().code, "ChangeSetNotFound");

    let second = create(&mut aws, &body).unwrap();
    assert_ne!(second["Id"], first["Id"]);
    execute(&mut aws, &second);
    for _ in 0..2 {
        request(&mut aws, "DeleteChangeSet", &by_name).unwrap();
    }
    assert_eq!(
        described(&mut aws).unwrap_err().code,
        "ChangeSetNotFound",
        "executed or not"
    );
    let stack = request(&mut aws, "DescribeStacks", &[("StackName", "own")]).unwrap();
    assert_eq!(stack["Stacks"][0]["ChangeSetId"], second["Id"]);
}

#[test]
fn events_are_those_of_review_creation_and_update_newest_first() {
    let mut aws = account();
    let created = create(&mut aws, &[("TemplateBody", TEMPLATE)]).unwrap();
    assert_eq!(statuses(&mut aws), ["own REVIEW_IN_PROGRESS"]);

    aws.now += 1000;
    execute(&mut aws, &created);
    let stack = aws.cloudformation.stack("own").unwrap();
    assert_eq!(created["StackId"], stack.id.as_str());
    let made = [
        "own CREATE_COMPLETE",
        "Repository CREATE_COMPLETE",
        "Repository CREATE_IN_PROGRESS",
        "Repository CREATE_IN_PROGRESS",
        "own CREATE_IN_PROGRESS",
        "own REVIEW_IN_PROGRESS",
    ];
    assert_eq!(statuses(&mut aws), made);

    aws.now += 1000;
    let more = format!("{TEMPLATE}Outputs: {{Name: {{Value: x}}}}\n");
    let update = [("ChangeSetType", "UPDATE"), ("TemplateBody", &more)];
    let updated = create(&mut aws, &update).unwrap();
    execute(&mut aws, &updated);
    let own = [("StackName", "own")];
    let events = request(&mut aws, "DescribeStackEvents", &own).unwrap();
    let events = events["StackEvents"].as_array().unwrap();
    assert_eq!(events.len(), made.len() + 3);

    let newest = &events[0];
    assert_eq!(newest["ResourceStatus"], "UPDATE_COMPLETE");
    assert_eq!(newest["PhysicalResourceId"], newest["StackId"]);
    let times: Vec<&str> = events
        .iter()
        .map(|event| event["Timestamp"].as_str().unwrap().trim_end_matches('Z'))
        .collect();
    assert!(times.is_sorted_by(|a, b| a > b), "{times:?}");
}

/// A repository that the rollback of a failed creation keeps, one that it does not keep, and a
/// queue whose name is taken.
const REFUSED: &str = "
Resources:
  Kept: {Type: AWS::ECR::Repository, DeletionPolicy: Retain, Properties: {RepositoryName: kept}}
  Gone:
    Type: AWS::ECR::Repository
    DeletionPolicy: RetainExceptOnCreate
    DependsOn: Kept
    Properties: {RepositoryName: gone}
  Queue: {Type: AWS::SQS::Queue, DependsOn: Gone, Properties: {QueueName: taken}}
";

/// A table that is protected against deletion, and a queue whose name is taken.
const PROTECTED: &str = "
Resources:
  Table:
    Type: AWS::DynamoDB::Table
    DeletionPolicy: RetainExceptOnCreate
    Properties:
      TableName: ledger
      DeletionProtectionEnabled: true
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: pk, AttributeType: S}]
      KeySchema: [{AttributeName: pk, KeyType: HASH}]
  Queue: {Type: AWS::SQS::Queue, DependsOn: Table, Properties: {QueueName: taken}}
";

/// An account in which the creation of `own` failed.
fn failed() -> Aws {
    failed_with(REFUSED)
}

/// The same with a template that has a queue whose name is taken.
fn failed_with(template: &str) -> Aws {
    let mut aws = account();
    let taken = "Resources: {Queue: {Type: AWS::SQS::Queue, Properties: {QueueName: taken}}}";
    let other = [
        ("ChangeSetName", "c"),
        ("StackName", "other"),
        ("ChangeSetType", "CREATE"),
        ("TemplateBody", taken),
    ];
    let other = request(&mut aws, "CreateChangeSet", &other).unwrap();
    execute(&mut aws, &other);
    let created = create(&mut aws, &[("TemplateBody", template)]).unwrap();
    execute(&mut aws, &created);
    aws
}

fn has_repository(aws: &mut Aws, name: &str) -> bool {
    let named = json!({"repositoryNames": [name]});
    crate::ecr::call(aws, "DescribeRepositories", &named).is_ok()
}

#[test]
fn a_creation_that_fails_is_rolled_back_and_the_stack_stays_to_be_deleted() {
    let mut aws = failed();
    let own = [("StackName", "own")];
    let stack = request(&mut aws, "DescribeStacks", &own).unwrap()["Stacks"][0].clone();
    assert_eq!(stack["StackStatus"], "ROLLBACK_COMPLETE");
    let reason = "The following resource(s) failed to create: [Queue]. ";
    assert_eq!(stack["StackStatusReason"], reason);
    assert!(has_repository(&mut aws, "kept") && !has_repository(&mut aws, "gone"));
    let expected = [
        "own ROLLBACK_COMPLETE",
        "own ROLLBACK_IN_PROGRESS",
        "Queue CREATE_FAILED",
        "own CREATE_IN_PROGRESS",
        "own REVIEW_IN_PROGRESS",
    ];
    assert_eq!(statuses(&mut aws), expected);

    let again = [("ChangeSetType", "UPDATE"), ("TemplateBody", TEMPLATE)];
    let refused = create(&mut aws, &again).unwrap_err();
    let state = "is in ROLLBACK_COMPLETE state and can not be updated.";
    assert!(refused.message.ends_with(state), "{refused}");
}

#[test]
fn a_creation_that_fails_after_a_protected_table_is_rolled_back_only_if_it_retains_the_table() {
    let own = [("StackName", "own")];
    let retained = PROTECTED.replace("RetainExceptOnCreate", "Retain");
    for (template, status, failed_to, resource) in [
        (PROTECTED, "ROLLBACK_FAILED", "delete", "Table"),
        (retained.as_str(), "ROLLBACK_COMPLETE", "create", "Queue"),
    ] {
        let mut aws = failed_with(template);
        let stack = request(&mut aws, "DescribeStacks", &own).unwrap()["Stacks"][0].clone();
        assert_eq!(stack["StackStatus"], status);
        let reason = format!("The following resource(s) failed to {failed_to}: [{resource}]. ");
        assert_eq!(stack["StackStatusReason"], reason);
        assert_eq!(statuses(&mut aws)[0], format!("own {status}"));

        // Both policies retain the table when the stack is deleted.
        request(&mut aws, "DeleteStack", &own).unwrap();
        assert!(request(&mut aws, "DescribeStacks", &own).is_err());
        let off = json!({"TableName": "ledger", "DeletionProtectionEnabled": false});
        crate::dynamodb::call(&mut aws, "UpdateTable", &off).unwrap();
    }
}

#[test]
fn a_stack_whose_creation_failed_is_made_again_after_it_was_deleted() {
    let mut aws = failed();
    let own = [("StackName", "own")];
    for _ in 0..2 {
        request(&mut aws, "DeleteStack", &own).unwrap();
    }
    assert!(request(&mut aws, "DescribeStacks", &own).is_err());
    assert!(request(&mut aws, "DescribeStackEvents", &own).is_err());

    let created = create(&mut aws, &[("TemplateBody", TEMPLATE)]).unwrap();
    execute(&mut aws, &created);
    let stack = request(&mut aws, "DescribeStacks", &own).unwrap();
    assert_eq!(stack["Stacks"][0]["StackStatus"], "CREATE_COMPLETE");
    assert!(has_repository(&mut aws, "web"));
}

#[test]
fn a_deletion_that_fails_leaves_the_stack_with_the_reason() {
    let bucket = "Resources: {Bucket: {Type: AWS::S3::Bucket, Properties: {BucketName: own}}}";
    let mut aws = account();
    let created = create(&mut aws, &[("TemplateBody", bucket)]).unwrap();
    execute(&mut aws, &created);
    aws.s3.put("own", "key", vec![1]).unwrap();
    let own = [("StackName", "own")];
    request(&mut aws, "DeleteStack", &own).unwrap();
    let stack = request(&mut aws, "DescribeStacks", &own).unwrap()["Stacks"][0].clone();
    assert_eq!(stack["StackStatus"], "DELETE_FAILED");
    let reason = "The following resource(s) failed to delete: [Bucket]. ";
    assert_eq!(stack["StackStatusReason"], reason);
    let events = request(&mut aws, "DescribeStackEvents", &own).unwrap();
    let why = &events["StackEvents"][1]["ResourceStatusReason"];
    assert!(why.as_str().unwrap().contains("BucketNotEmpty"), "{why}");
    assert_eq!(
        statuses(&mut aws)[..3],
        [
            "own DELETE_FAILED",
            "Bucket DELETE_FAILED",
            "own DELETE_IN_PROGRESS"
        ]
    );

    let body = b"<Delete><Object><Key>key</Key></Object></Delete>";
    let emptied = crate::Request {
        caller: "operator".to_owned(),
        method: "POST".to_owned(),
        path_and_query: "/own?delete".to_owned(),
        headers: vec![(
            "authorization".to_owned(),
            "AWS4-HMAC-SHA256 Credential=AKIA/20260105/eu-west-1/s3/aws4_request, x".to_owned(),
        )],
        body: body.to_vec(),
        ..crate::Request::default()
    };
    assert_eq!(aws.call(&emptied).status, 200);
    request(&mut aws, "DeleteStack", &own).unwrap();
    assert!(request(&mut aws, "DescribeStacks", &own).is_err());
}

#[test]
fn a_stack_names_the_change_set_and_the_capabilities_of_its_last_change() {
    let mut aws = account();
    let of_iam = ("Capabilities.member.1", "CAPABILITY_IAM");
    let created = create(&mut aws, &[("TemplateBody", TEMPLATE), of_iam]).unwrap();
    execute(&mut aws, &created);
    let last = |aws: &mut Aws| {
        let stacks = request(aws, "DescribeStacks", &[("StackName", "own")]).unwrap();
        let stack = &stacks["Stacks"][0];
        [stack["ChangeSetId"].clone(), stack["Capabilities"].clone()]
    };
    let own = json!(["CAPABILITY_IAM"]);
    assert_eq!(last(&mut aws), [created["Id"].clone(), own]);

    aws.now += 1000;
    let changed = format!("{TEMPLATE}# changed");
    let update = [
        ("StackName", "own"),
        ("TemplateBody", changed.as_str()),
        ("Capabilities.member.1", "CAPABILITY_NAMED_IAM"),
    ];
    request(&mut aws, "UpdateStack", &update).unwrap();
    let named = json!(["CAPABILITY_NAMED_IAM"]);
    assert_eq!(last(&mut aws), [Value::Null, named]);

    aws.now += 1000;
    let next = [
        ("ChangeSetName", "next"),
        ("StackName", "own"),
        ("TemplateBody", TEMPLATE),
    ];
    let next = request(&mut aws, "CreateChangeSet", &next).unwrap();
    execute(&mut aws, &next);
    assert_eq!(last(&mut aws), [next["Id"].clone(), Value::Null]);
}
