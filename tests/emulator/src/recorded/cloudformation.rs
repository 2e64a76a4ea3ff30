//! CloudFormation.

mod templates;

use serde_json::Value;

use super::{Answers, judge};
use crate::protocol::Protocol;
use crate::{ApiError, Aws, service};

const TEMPLATE: &str = "
Resources: {Repository: {Type: AWS::ECR::Repository, Properties: {RepositoryName: web}}}
";

/// A topic with a false condition, and another resource or an output that needs it.
const CONDITIONAL: &str = "
Conditions: {Never: !Equals [a, b]}
Resources:
  MyTopic: {Type: AWS::ECR::Repository, Condition: Never, Properties: {RepositoryName: one}}
  Other: {Type: AWS::ECR::Repository, Properties: {RepositoryName: OTHER}}
Outputs: {Name: {Value: OUTPUT}}
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

fn sets(answers: &mut Answers) {
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

fn set_refusals(answers: &mut Answers) {
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

const CHANGE_SETS_LEFT_OUT: [(&str, &str); 13] = [
    (
        "test_create_change_set_update_without_parameters/*",
        "topics; ListChangeSets",
    ),
    (
        "test_empty_changeset/describe_first_cs",
        "CDK metadata are not a resource here",
    ),
    ("test_name_conflicts/*", "stacks in review"),
    ("test_create_while_in_review", "stacks in review"),
    (
        "test_template_rendering_with_list",
        "a template of custom resources",
    ),
    ("test_create_changeset_with_stack_id", "stacks in review"),
    (
        "test_multiple_create_changeset/initial_changeset",
        "SSM parameters",
    ),
    ("test_deleting_resource", "SSM parameters"),
    (
        "test_create_and_then_update_refreshes_template_metadata",
        "a waiter of boto3",
    ),
    (
        "test_describe_changeset_after_delete/describe-2",
        "details of property changes",
    ),
    (
        "test_create_changeset_for_deleted_stack",
        "deleted stacks are forgotten",
    ),
    (
        "test_changeset_for_deleted_stack",
        "deleted stacks are forgotten",
    ),
    (
        "test_using_pseudoparameters_in_places[condition]",
        "nothing was recorded",
    ),
];

#[test]
fn change_sets_are_as_recorded() {
    let mut answers = Answers::default();
    sets(&mut answers);
    set_refusals(&mut answers);
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
        &CHANGE_SETS_LEFT_OUT,
    );
}

#[test]
fn conditions_are_as_recorded() {
    let mut answers = Answers::default();
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

    let left_out = [
        ("test_nested_conditions*", "bucket policies"),
        ("test_references_to_disabled_resources*", "topics"),
        (
            "test_conditional_resource_referencing_conditional",
            "topics",
        ),
    ];
    judge(
        "cloudformation/test_conditions.snapshot.json",
        &answers,
        &left_out,
    );
}

const STACKS_LEFT_OUT: [(&str, &str); 21] = [
    (
        "test_stack_description_special_chars",
        "its template is of a topic",
    ),
    ("test_stack_update_resources", "topics"),
    ("test_list_events_after_deployment", "topics"),
    (
        "test_stack_lifecycle/*",
        "API Gateway; deleted stacks are forgotten",
    ),
    ("test_updating_an_updated_stack_sets_status", "UpdateStack"),
    (
        "test_update_termination_protection",
        "UpdateTerminationProtection",
    ),
    ("test_events_resource_types", "topics and queues"),
    ("test_blocked_stack_deletion", "DeleteStack"),
    ("test_name_conflicts/*", "CreateStack, DeleteStack"),
    (
        "test_update_stack_with_same_template_withoutchange",
        "UpdateStack",
    ),
    ("test_stack_deploy_order*", "SSM parameters"),
    ("test_no_echo_parameter", "values that are not shown"),
    ("test_get_template_*", "topics"),
    ("test_stack_resource_not_found", "DescribeStackResource"),
    ("test_stack_deletion_order*", "SSM parameters"),
    ("test_stack_description_lifecycle*", "stacks in review"),
    ("test_subnet_id_parameter_type", "subnets"),
    ("test_create_stack_with_custom_id", "LocalStack's own"),
    ("test_stack_resources_*", "DescribeStackResource"),
    ("test_create_stack_url_as_template", "CreateStack"),
    ("test_stack_name_creation", "CreateStack"),
];

fn descriptions(answers: &mut Answers) {
    let described = |body: &str, more: &[(&str, &str)]| {
        let mut aws = Aws::new(1);
        let created = id(&change_set(&mut aws, "own", "CREATE", body, more));
        call(&mut aws, "ExecuteChangeSet", &[("ChangeSetName", &created)])?;
        let answer = call(&mut aws, "DescribeStacks", &[("StackName", "own")])?;
        Ok(answer["Stacks"][0].clone())
    };
    let body = format!("Description: 'test <env>.test.net'{TEMPLATE}");
    let answer = described(&body, &CAPABILITIES);
    answers.add(
        "test_stack_description_special_chars",
        "describe_stack",
        answer,
    );
    let needs = format!("Parameters: {{ApiName: {{Type: String}}}}{TEMPLATE}");
    let given = [
        ("Parameters.member.1.ParameterKey", "ApiName"),
        ("Parameters.member.1.ParameterValue", "web"),
    ];
    let answer = described(&needs, &[&CAPABILITIES[..], &given].concat());
    answers.add("test_stack_lifecycle", "creation", answer);
}

#[test]
fn stacks_are_as_recorded() {
    let mut answers = Answers::default();
    let missing = || call(&mut Aws::new(1), "DescribeStacks", &[("StackName", "gone")]);
    let none = [("StackName", "does-not-exist")];
    answers.add(
        "test_describe_stack_events_errors",
        "describe_stack_events_stack_not_found",
        call(&mut Aws::new(1), "DescribeStackEvents", &none),
    );
    answers.add("test_non_existing_stack_message", "Error", missing());
    answers.add(
        "test_stack_lifecycle",
        "describe_deleted_by_name_exc",
        missing(),
    );
    answers.add(
        "test_name_conflicts",
        "deleted_stack_not_found_exc",
        missing(),
    );
    let refused =
        |stack: &str, body: &str| change_set(&mut Aws::new(1), stack, "CREATE", body, &[]);
    let not_object = refused("new", "Resources: {Description: text}");
    answers.add("test_linting_error_during_creation", "error", not_object);
    let needs = format!("Parameters: {{Input: {{Type: String}}}}{TEMPLATE}");
    answers.add(
        "test_no_parameters_given",
        "deploy-error",
        refused("new", &needs),
    );
    answers.add(
        "test_stack_name_creation",
        "stack_response",
        refused("*@da591fa3_$", TEMPLATE),
    );
    let unstructured = refused("new", "https://example.com/template");
    answers.add(
        "test_create_stack_url_as_template",
        "stack_create_ec2",
        unstructured,
    );

    descriptions(&mut answers);
    judge(
        "cloudformation/test_stacks.snapshot.json",
        &answers,
        &STACKS_LEFT_OUT,
    );
}
