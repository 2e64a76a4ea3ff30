//! CloudFormation.

mod conditions;
mod stacks;
mod templates;

use serde_json::{Value, json};

use super::left_out::{Lack, LeftOut, Sign};
use super::{Returned, judge};
use crate::protocol::Protocol;
use crate::{ApiError, Aws, service};

const TEMPLATE: &str = "
Resources: {Repository: {Type: AWS::ECR::Repository, Properties: {RepositoryName: web}}}
";

fn call(aws: &mut Aws, action: &str, members: &[(&str, &str)]) -> Result<Value, ApiError> {
    let service = service::find("cloudformation").expect("a service of the emulator");
    let Protocol::Query(query) = &service.protocol else {
        panic!("CloudFormation speaks the query protocol");
    };
    let members = members
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    (query.call)(aws, action, &members.collect())
}

const CAPABILITIES: [(&str, &str); 3] = [
    ("Capabilities.member.1", "CAPABILITY_AUTO_EXPAND"),
    ("Capabilities.member.2", "CAPABILITY_IAM"),
    ("Capabilities.member.3", "CAPABILITY_NAMED_IAM"),
];

fn change_set(
    aws: &mut Aws,
    stack: &str,
    kind: &str,
    body: &str,
    more: &[(&str, &str)],
) -> Result<Value, ApiError> {
    let own = [
        ("ChangeSetName", "changes"),
        ("StackName", stack),
        ("ChangeSetType", kind),
        ("TemplateBody", body),
    ];
    call(aws, "CreateChangeSet", &[&own[..], more].concat())
}

fn id(answer: &Result<Value, ApiError>) -> String {
    let answer = answer.as_ref().expect("a change set");
    answer["Id"].as_str().unwrap_or_default().to_owned()
}

/// An account with the stack `own`, made by a change set.
fn account(more: &[(&str, &str)]) -> Aws {
    let mut aws = Aws::new(1);
    let created = change_set(&mut aws, "own", "CREATE", TEMPLATE, more);
    let id = id(&created);
    call(&mut aws, "ExecuteChangeSet", &[("ChangeSetName", &id)]).unwrap();
    aws
}

fn sets(answers: &mut Returned) {
    let aws = &mut account(&CAPABILITIES);
    aws.now += 1000;
    let test = "test_empty_changeset";
    let first = change_set(&mut Aws::new(1), "own", "CREATE", TEMPLATE, &CAPABILITIES);
    answers.add("test_deleted_changeset", "create", first.clone());
    answers.add(test, "first_changeset", first);
    let empty = change_set(aws, "own", "UPDATE", TEMPLATE, &CAPABILITIES);
    let named = id(&empty);
    let named = [("ChangeSetName", named.as_str())];
    answers.add(test, "nochange_changeset", empty);
    answers.add(
        test,
        "describe_nochange",
        call(aws, "DescribeChangeSet", &named),
    );
    answers.add(
        test,
        "error_execute_failed",
        call(aws, "ExecuteChangeSet", &named),
    );

    let aws = &mut account(&[]);
    aws.now += 1000;
    let empty = id(&change_set(aws, "own", "UPDATE", TEMPLATE, &[]));
    let described = call(aws, "DescribeChangeSet", &[("ChangeSetName", &empty)]);
    answers.add(
        "test_create_change_set_no_changes",
        "change-set-description",
        described,
    );
    let more = "}, Other: {Type: AWS::ECR::Repository, Properties: {RepositoryName: other}}";
    let other = TEMPLATE.replacen("}}", &format!("}}{more}"), 1);
    let update = change_set(aws, "own", "UPDATE", &other, &[]);
    answers.add(
        "test_create_change_set_update_without_parameters",
        "create_change_set",
        update,
    );
    let again = change_set(&mut Aws::new(1), "new", "CREATE", TEMPLATE, &[]);
    answers.add(
        "test_multiple_create_changeset",
        "additional_changeset",
        again,
    );
}

/// Describes a change set by these names, of the plain template.
fn named_set(aws: &mut Aws, set: &str, stack: &str, kind: &str) -> Result<Value, ApiError> {
    let members = [
        ("ChangeSetName", set),
        ("StackName", stack),
        ("ChangeSetType", kind),
        ("TemplateBody", TEMPLATE),
    ];
    call(aws, "CreateChangeSet", &members)
}

/// Stacks before change sets make them and after they are deleted.
fn reviewed_and_deleted(answers: &mut Returned) {
    let aws = &mut Aws::new(1);
    let created = named_set(aws, "first", "own", "CREATE").unwrap();
    let (set, first) = (&created["Id"], &created["StackId"]);
    let (set, first) = (set.as_str().unwrap(), first.as_str().unwrap());
    call(aws, "ExecuteChangeSet", &[("ChangeSetName", set)]).unwrap();
    call(aws, "DeleteStack", &[("StackName", "own")]).unwrap();
    let second = named_set(aws, "first", "own", "CREATE").unwrap();
    let second = second["StackId"].as_str().unwrap();

    let described = |aws: &mut Aws, stack: &str| {
        let answer = call(aws, "DescribeStacks", &[("StackName", stack)]);
        answer.map(|answer| json!({ "Stacks": answer["Stacks"] }))
    };
    for (test, entry, stack) in [
        ("test_name_conflicts", "new_stack_desc", "own"),
        ("test_name_conflicts", "new_stack_id_desc", second),
        ("test_name_conflicts", "stack_id_desc", first),
        (
            "test_create_changeset_with_stack_id",
            "describe_stack",
            "own",
        ),
    ] {
        answers.add(test, entry, described(aws, stack));
    }
    of_deleted(answers, aws, first);
}

/// What a change set with the id of a deleted stack is refused with.
fn of_deleted(answers: &mut Returned, aws: &mut Aws, stack: &str) {
    for (test, entry, set, kind) in [
        (
            "test_create_changeset_with_stack_id",
            "recreate_deleted_with_id_exception",
            "revived-stack-changeset",
            "CREATE",
        ),
        (
            "test_create_changeset_for_deleted_stack",
            "ErrorForCreate",
            "test",
            "CREATE",
        ),
        (
            "test_create_changeset_for_deleted_stack",
            "ErrorForUpdate",
            "test",
            "UPDATE",
        ),
        (
            "test_changeset_for_deleted_stack",
            "ErrorForComplete",
            "test",
            "UPDATE",
        ),
    ] {
        answers.add(test, entry, named_set(aws, set, stack, kind));
    }
}

fn set_refusals(answers: &mut Returned) {
    let aws = &mut account(&[]);
    let described = |aws: &mut Aws, set: &str, stack: Option<&str>| {
        let stack = stack.map(|stack| ("StackName", stack));
        let members: Vec<_> = [("ChangeSetName", set)].into_iter().chain(stack).collect();
        call(aws, "DescribeChangeSet", &members)
    };
    let gone = "arn:aws:cloudformation:eu-west-1:111122223333:changeSet/changes/gone";
    let answer = described(aws, gone, None);
    answers.add(
        "test_deleted_changeset",
        "postdelete_changeset_notfound",
        answer,
    );
    let answer = described(aws, "none", Some("somestack"));
    answers.add("test_describe_change_set_nonexisting", "exception", answer);
    let answer = described(aws, "none", Some("own"));
    answers.add(
        "test_describe_changeset_after_delete",
        "describe-deleted-cs",
        answer,
    );
    let conflict = change_set(aws, "own", "CREATE", TEMPLATE, &[]);
    answers.add(
        "test_name_conflicts",
        "create_changeset_existingstack_exc",
        conflict,
    );
    let test = "test_delete_change_set_exception";
    let of_none = [("ChangeSetName", "none"), ("StackName", "nostack")];
    let no_stack = call(aws, "DeleteChangeSet", &of_none);
    answers.add(test, "e1", no_stack);
    let no_name = call(aws, "DeleteChangeSet", &of_none[..1]);
    answers.add(test, "e2", no_name);
}

/// A change set whose only resource is that of the CDK.
fn metadata(answers: &mut Returned) {
    let aws = &mut Aws::new(1);
    let body = "Resources: {CDKMetadata: {Type: AWS::CDK::Metadata}}";
    let created = id(&change_set(aws, "own", "CREATE", body, &CAPABILITIES));
    let described = call(aws, "DescribeChangeSet", &[("ChangeSetName", &created)]);
    answers.add("test_empty_changeset", "describe_first_cs", described);
}

/// An operation of CloudFormation.
const fn stacks(operation: &'static str) -> Lack {
    Lack::Operation("cloudformation", operation)
}

const TOPICS: Lack = Lack::Resource("AWS::SNS::Topic");
const SSM_PARAMETERS: Lack = Lack::Resource("AWS::SSM::Parameter");

/// A stack that CreateStack makes is not updated, as one of a change set is.
const CREATED: LeftOut = (
    Sign::HoldsWithout("StackStatus", "LastUpdatedTime"),
    stacks("CreateStack"),
);

const CHANGE_SETS_LEFT_OUT: &[LeftOut] = &[
    (Sign::Holds("AWS::SNS::Topic"), TOPICS),
    (Sign::Holds("AWS::SSM::Parameter"), SSM_PARAMETERS),
    (
        Sign::Holds("ParameterNotFound"),
        Lack::Operation("ssm", "GetParameter"),
    ),
    (Sign::Member("Summaries"), stacks("ListChangeSets")),
    (Sign::Operation, stacks("CreateStack")),
    CREATED,
    (
        Sign::Holds("DELETE_IN_PROGRESS"),
        Lack::Other("stacks are deleted at one instant"),
    ),
    (
        Sign::Entry("resolved-template"),
        Lack::Other("a custom resource of the test"),
    ),
    (Sign::Holds("Waiter "), Lack::Other("a waiter of boto3")),
];

#[test]
fn change_sets_are_as_recorded() {
    let mut answers = Returned::default();
    sets(&mut answers);
    metadata(&mut answers);
    set_refusals(&mut answers);
    reviewed_and_deleted(&mut answers);
    let refused = |body: &str| change_set(&mut Aws::new(1), "new", "CREATE", body, &[]);
    let resource = "Resources: {'AWS::NoValue': {Type: AWS::ECR::Repository}}";
    let test = "test_using_pseudoparameters_in_places[resource]";
    answers.add(test, "error", refused(resource));
    let parameter = format!("Parameters: {{'AWS::NoValue': {{Type: String}}}}{TEMPLATE}");
    let test = "test_using_pseudoparameters_in_places[parameter]";
    answers.add(test, "error", refused(&parameter));
    judge(
        "cloudformation/test_changesets.snapshot.json",
        &answers,
        CHANGE_SETS_LEFT_OUT,
    );
}
