//! Updates that keep the template of a stack, or values of its parameters.

use serde_json::{Value, json};

use super::change_sets::{account, create, execute, request};
use crate::{ApiError, Aws};

const TEMPLATE: &str = "
Parameters: {Name: {Type: String}, Days: {Type: Number, Default: 7}}
Resources:
  Logs:
    Type: AWS::Logs::LogGroup
    Properties: {LogGroupName: !Ref Name, RetentionInDays: !Ref Days}
";

type Members = &'static [(&'static str, &'static str)];

const OWN: (&str, &str) = ("StackName", "own");
const BODY: (&str, &str) = ("TemplateBody", TEMPLATE);
const KEEP_TEMPLATE: (&str, &str) = ("UsePreviousTemplate", "true");
const NAME: (&str, &str) = ("Parameters.member.1.ParameterKey", "Name");
const NAMED: (&str, &str) = ("Parameters.member.1.ParameterValue", "web");
const KEEP_NAME: (&str, &str) = ("Parameters.member.1.UsePreviousValue", "true");
const DAYS: (&str, &str) = ("Parameters.member.2.ParameterKey", "Days");
const KEEP_DAYS: (&str, &str) = ("Parameters.member.2.UsePreviousValue", "true");

/// An account with the stack `own`.
fn made() -> Aws {
    let mut aws = account();
    let created = create(&mut aws, &[BODY, NAME, NAMED]).unwrap();
    execute(&mut aws, &created);
    aws.now += 1000;
    aws
}

/// Requests a change set of the stack `own`.
fn change_set(aws: &mut Aws, more: &[(&str, &str)]) -> Result<Value, ApiError> {
    let own = [("ChangeSetName", "next"), OWN];
    request(aws, "CreateChangeSet", &[&own[..], more].concat())
}

fn update(aws: &mut Aws, more: &[(&str, &str)]) -> Result<Value, ApiError> {
    request(aws, "UpdateStack", &[&[OWN][..], more].concat())
}

fn days(aws: &Aws) -> Value {
    let stack = aws.cloudformation.stack("own").unwrap();
    stack.resource("Logs").unwrap().properties["RetentionInDays"].clone()
}

#[test]
fn an_update_keeps_the_template_and_the_values_that_it_names() {
    let mut aws = made();
    let kept = [KEEP_TEMPLATE, NAME, KEEP_NAME];
    let of_days = |days| {
        [
            &kept[..],
            &[DAYS, ("Parameters.member.2.ParameterValue", days)],
        ]
        .concat()
    };
    let created = change_set(&mut aws, &of_days("14")).unwrap();
    assert_eq!(days(&aws), 7, "not executed yet");
    execute(&mut aws, &created);
    assert_eq!(days(&aws), 14);
    let template = request(&mut aws, "GetTemplate", &[OWN]).unwrap();
    assert_eq!(template["TemplateBody"], TEMPLATE);

    let answer = update(&mut aws, &of_days("30")).unwrap();
    assert_eq!(answer["StackId"], created["StackId"]);
    assert_eq!(days(&aws), 30);
    let stack = request(&mut aws, "DescribeStacks", &[OWN]).unwrap()["Stacks"][0].clone();
    assert_eq!(stack["StackStatus"], "UPDATE_COMPLETE");

    update(&mut aws, &kept).unwrap();
    assert_eq!(
        days(&aws),
        7,
        "a parameter that is not named has its default"
    );
}

#[test]
fn an_update_that_keeps_all_is_none() {
    let mut aws = made();
    let all = [KEEP_TEMPLATE, NAME, KEEP_NAME, DAYS, KEEP_DAYS];
    assert_eq!(
        update(&mut aws, &all).unwrap_err().to_string(),
        "ValidationError: No updates are to be performed."
    );

    change_set(&mut aws, &all).unwrap();
    let named = [("ChangeSetName", "next"), OWN];
    let set = request(&mut aws, "DescribeChangeSet", &named).unwrap();
    assert_eq!(set["Status"], "FAILED");
    assert_eq!(
        set["StatusReason"],
        "The submitted information didn't contain changes. Submit different information to create \
         a change set."
    );
    assert_eq!(set["Changes"], json!([]));
}

#[test]
fn what_a_stack_does_not_have_is_not_kept() {
    let refusals: [(Members, &str); 5] = [
        (
            &[KEEP_TEMPLATE, BODY],
            "You cannot specify both usePreviousTemplate and Template Body/Template URL",
        ),
        (
            &[
                KEEP_TEMPLATE,
                ("TemplateURL", "https://kept.s3.amazonaws.com/t.yaml"),
            ],
            "You cannot specify both usePreviousTemplate and Template Body/Template URL",
        ),
        (
            &[("UsePreviousTemplate", "false")],
            "Either Template URL or Template Body must be specified.",
        ),
        (
            &[KEEP_TEMPLATE, NAME, KEEP_NAME, NAMED],
            "Invalid input for parameter key Name. Cannot specify usePreviousValue as true and non \
             empty value for a parameter",
        ),
        (
            &[
                KEEP_TEMPLATE,
                NAME,
                KEEP_NAME,
                ("Parameters.member.2.ParameterKey", "Other"),
                KEEP_DAYS,
            ],
            "Invalid input for parameter key Other. Cannot specify usePreviousValue as true for a \
             parameter key not in the previous template",
        ),
    ];
    for (members, message) in refusals {
        for ask in [change_set, update] {
            assert_eq!(
                ask(&mut made(), members).unwrap_err().to_string(),
                format!("ValidationError: {message}")
            );
        }
    }
}

#[test]
fn a_stack_that_is_not_there_has_nothing_to_keep() {
    for ask in [change_set, update] {
        let refused = ask(&mut account(), &[KEEP_TEMPLATE]).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "ValidationError: Stack [own] does not exist"
        );
    }

    let refused = |members: &[(&str, &str)]| create(&mut account(), members).unwrap_err().message;
    assert_eq!(
        refused(&[KEEP_TEMPLATE]),
        "Cannot specify usePreviousTemplate as true for a changeSetType CREATE"
    );
    assert_eq!(
        refused(&[BODY, NAME, KEEP_NAME]),
        "Cannot specify UsePreviousValue on Parameters when ChangeSetType is CREATE"
    );
}
