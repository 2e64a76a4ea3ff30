//! Listener rules: weights read, and set with everything else sent back as it was.

use std::collections::BTreeMap;
use std::time::Duration;

use super::script::{Answer, Script, run, xml, xml_refusal};
use crate::aws::{AwsError, ErrorKind, ObservedRule, Rules};
use crate::observed::listener_rule::RuleView;

const RULE: &str =
    "arn:aws:elasticloadbalancing:eu-west-1:111122223333:listener-rule/app/shop/1/2/3";
const LISTENER: &str = "arn:aws:elasticloadbalancing:eu-west-1:111122223333:listener/app/shop/1/2";

pub(super) fn group(arn: &str, weight: Option<u32>) -> String {
    let weight = weight
        .map(|weight| format!("<Weight>{weight}</Weight>"))
        .unwrap_or_default();
    format!("<member><TargetGroupArn>{arn}</TargetGroupArn>{weight}</member>")
}

/// A forward action with these groups and this stickiness.
pub(super) fn forward(groups: &str, stickiness: &str) -> String {
    format!(
        "<member><Type>forward</Type><Order>2</Order><ForwardConfig>\
         <TargetGroups>{groups}</TargetGroups>{stickiness}</ForwardConfig></member>"
    )
}

pub(super) fn rule_with(actions: &str) -> Answer {
    xml(
        "DescribeRules",
        &format!(
            "<Rules><member><RuleArn>{RULE}</RuleArn><Actions>{actions}</Actions></member></Rules>"
        ),
    )
}

fn listener_with(actions: &str) -> Answer {
    let listener = format!(
        "<Listeners><member><ListenerArn>{LISTENER}</ListenerArn>\
         <DefaultActions>{actions}</DefaultActions></member></Listeners>"
    );
    xml("DescribeListeners", &listener)
}

const STICKY: &str = "<TargetGroupStickinessConfig><Enabled>true</Enabled>\
                      <DurationSeconds>3600</DurationSeconds></TargetGroupStickinessConfig>";
const LOOSE: &str = "<TargetGroupStickinessConfig><Enabled>false</Enabled>\
                     <DurationSeconds>3600</DurationSeconds></TargetGroupStickinessConfig>";

fn observe(
    arn: &str,
    answer: Answer,
) -> (
    Result<Option<ObservedRule>, AwsError>,
    BTreeMap<String, String>,
) {
    let script = Script::new([answer]);
    let rule = run(Rules::new(&script.sdk()).observe(arn));
    (rule, script.only().form())
}

fn seen(actions: &str) -> RuleView {
    observe(RULE, rule_with(actions))
        .0
        .expect("understood")
        .expect("there")
        .view
}

fn weights(weights: &[(&str, u32)]) -> Vec<(String, u32)> {
    weights
        .iter()
        .map(|(arn, weight)| ((*arn).to_owned(), *weight))
        .collect()
}

#[test]
fn the_weights_of_a_rule_are_read_with_its_stickiness() {
    let groups = [
        group("blue", Some(90)),
        group("green", Some(10)),
        group("third", Some(0)),
    ]
    .concat();
    let (rule, sent) = observe(RULE, rule_with(&forward(&groups, STICKY)));
    let view = rule.expect("understood").expect("there").view;
    let expected = weights(&[("blue", 90), ("green", 10), ("third", 0)]);

    assert_eq!(
        view,
        RuleView {
            weights: expected,
            sticky: Some(Duration::from_secs(3600))
        }
    );
    assert_eq!(
        (sent["Action"].as_str(), sent["RuleArns.member.1"].as_str()),
        ("DescribeRules", RULE)
    );
}

#[test]
fn stickiness_that_is_off_keeps_no_client() {
    assert_eq!(seen(&forward(&group("blue", Some(1)), LOOSE)).sticky, None);
    assert_eq!(seen(&forward(&group("blue", Some(1)), "")).sticky, None);
}

#[test]
fn a_group_without_a_weight_and_a_forward_to_one_group_weigh_1() {
    assert_eq!(
        seen(&forward(&group("blue", None), "")).weights,
        weights(&[("blue", 1)])
    );

    let single = "<member><Type>forward</Type><TargetGroupArn>blue</TargetGroupArn></member>";
    assert_eq!(
        seen(single),
        RuleView {
            weights: weights(&[("blue", 1)]),
            sticky: None
        }
    );
}

#[test]
fn a_rule_that_forwards_nothing_has_no_weights() {
    let fixed = "<member><Type>fixed-response</Type></member>";
    assert_eq!(
        seen(fixed),
        RuleView {
            weights: Vec::new(),
            sticky: None
        }
    );
}

#[test]
fn the_forward_after_an_authentication_is_the_one_that_is_read() {
    let first = "<member><Type>authenticate-cognito</Type><Order>1</Order></member>";
    let actions = format!("{first}{}", forward(&group("blue", Some(7)), ""));
    assert_eq!(seen(&actions).weights, weights(&[("blue", 7)]));
}

#[test]
fn the_user_pools_of_a_rule_are_those_of_its_authentication() {
    let cognito = "<member><Type>authenticate-cognito</Type><Order>1</Order>\
                   <AuthenticateCognitoConfig><UserPoolArn>pool</UserPoolArn>\
                   <UserPoolClientId>shop</UserPoolClientId><UserPoolDomain>shop</UserPoolDomain>\
                   </AuthenticateCognitoConfig></member>";
    let to_blue = forward(&group("blue", Some(7)), "");
    let pools = |actions: &str| {
        let rule = observe(RULE, rule_with(actions)).0.expect("understood");
        let rule = rule.expect("there");
        let pools = rule.user_pools().into_iter();
        pools.map(ToOwned::to_owned).collect::<Vec<_>>()
    };

    assert_eq!(pools(&format!("{cognito}{to_blue}")), ["pool"]);
    assert_eq!(pools(&to_blue), Vec::<String>::new());
}

#[test]
fn the_default_action_of_a_listener_is_a_rule_too() {
    let (rule, sent) = observe(
        LISTENER,
        listener_with(&forward(&group("blue", Some(3)), "")),
    );
    assert_eq!(
        rule.expect("understood").expect("there").view.weights,
        weights(&[("blue", 3)])
    );
    assert_eq!(
        (
            sent["Action"].as_str(),
            sent["ListenerArns.member.1"].as_str()
        ),
        ("DescribeListeners", LISTENER)
    );
}

#[test]
fn a_rule_that_is_missing_is_none_and_any_other_refusal_is_an_error() {
    assert!(
        observe(RULE, xml_refusal("RuleNotFound", "no"))
            .0
            .expect("answered")
            .is_none()
    );
    assert!(
        observe(LISTENER, xml_refusal("ListenerNotFound", "no"))
            .0
            .expect("answered")
            .is_none()
    );
    assert!(
        observe(RULE, xml("DescribeRules", "<Rules></Rules>"))
            .0
            .expect("answered")
            .is_none()
    );

    let error = observe(RULE, xml_refusal("AccessDenied", "no"))
        .0
        .expect_err("denied");
    assert_eq!(
        (error.operation, error.kind),
        ("elasticloadbalancing:DescribeRules", ErrorKind::Permission)
    );

    let broken = "<member><Type>forward</Type><ForwardConfig><TargetGroups><member></member>\
                  </TargetGroups></ForwardConfig></member>";
    let error = observe(RULE, rule_with(broken))
        .0
        .expect_err("a group without ARN");
    assert_eq!(error.message, format!("{RULE}: a target group without ARN"));
}

/// What is sent when the weights of a rule with these actions are set.
fn applied(
    arn: &str,
    seen: Answer,
    set: &[(&str, u32)],
    answer: Answer,
) -> (Result<(), AwsError>, BTreeMap<String, String>) {
    let script = Script::new([seen, answer]);
    let rules = Rules::new(&script.sdk());
    let rule = run(rules.observe(arn)).expect("understood").expect("there");
    let result = run(rules.apply(&rule, set));
    (result, script.sent()[1].form())
}

fn form(members: &[(&str, &str)]) -> BTreeMap<String, String> {
    members
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

/// What is sent for a rule that authenticates clients, forwards to three groups and is sticky.
const SENT_BACK: [(&str, &str); 21] = [
    ("Action", "ModifyRule"),
    ("Version", "2015-12-01"),
    ("RuleArn", RULE),
    ("Actions.member.1.Type", "authenticate-oidc"),
    ("Actions.member.1.Order", "1"),
    ("Actions.member.1.AuthenticateOidcConfig.Issuer", "i"),
    (
        "Actions.member.1.AuthenticateOidcConfig.AuthorizationEndpoint",
        "a",
    ),
    ("Actions.member.1.AuthenticateOidcConfig.TokenEndpoint", "t"),
    (
        "Actions.member.1.AuthenticateOidcConfig.UserInfoEndpoint",
        "u",
    ),
    ("Actions.member.1.AuthenticateOidcConfig.ClientId", "c"),
    (
        "Actions.member.1.AuthenticateOidcConfig.UseExistingClientSecret",
        "true",
    ),
    ("Actions.member.2.Type", "forward"),
    ("Actions.member.2.Order", "2"),
    (
        "Actions.member.2.ForwardConfig.TargetGroups.member.1.TargetGroupArn",
        "blue",
    ),
    (
        "Actions.member.2.ForwardConfig.TargetGroups.member.1.Weight",
        "90",
    ),
    (
        "Actions.member.2.ForwardConfig.TargetGroups.member.2.TargetGroupArn",
        "green",
    ),
    (
        "Actions.member.2.ForwardConfig.TargetGroups.member.2.Weight",
        "10",
    ),
    (
        "Actions.member.2.ForwardConfig.TargetGroups.member.3.TargetGroupArn",
        "third",
    ),
    (
        "Actions.member.2.ForwardConfig.TargetGroups.member.3.Weight",
        "5",
    ),
    (
        "Actions.member.2.ForwardConfig.TargetGroupStickinessConfig.Enabled",
        "true",
    ),
    (
        "Actions.member.2.ForwardConfig.TargetGroupStickinessConfig.DurationSeconds",
        "3600",
    ),
];

#[test]
fn weights_are_set_and_third_groups_stickiness_and_authentication_are_sent_back_as_they_were() {
    let oidc = "<member><Type>authenticate-oidc</Type><Order>1</Order>\
                <AuthenticateOidcConfig><Issuer>i</Issuer>\
                <AuthorizationEndpoint>a</AuthorizationEndpoint>\
                <TokenEndpoint>t</TokenEndpoint><UserInfoEndpoint>u</UserInfoEndpoint>\
                <ClientId>c</ClientId></AuthenticateOidcConfig></member>";
    let groups = [
        group("blue", Some(100)),
        group("green", Some(0)),
        group("third", Some(5)),
    ]
    .concat();
    let actions = format!("{oidc}{}", forward(&groups, STICKY));

    let set = [("blue", 90), ("green", 10)];
    let (result, sent) = applied(RULE, rule_with(&actions), &set, xml("ModifyRule", ""));
    result.expect("applied");
    assert_eq!(sent, form(&SENT_BACK));
}

#[test]
fn the_default_action_of_a_listener_is_set_by_modify_listener() {
    let groups = [group("blue", Some(100)), group("green", Some(0))].concat();
    // A description repeats a single group beside the list; with two groups it would contradict it.
    let action =
        forward(&groups, "").replace("<Order>2</Order>", "<TargetGroupArn>blue</TargetGroupArn>");
    let set = [("blue", 0), ("green", 100)];
    let (result, sent) = applied(
        LISTENER,
        listener_with(&action),
        &set,
        xml("ModifyListener", ""),
    );

    result.expect("applied");
    assert_eq!(
        sent,
        form(&[
            ("Action", "ModifyListener"),
            ("Version", "2015-12-01"),
            ("ListenerArn", LISTENER),
            ("DefaultActions.member.1.Type", "forward"),
            (
                "DefaultActions.member.1.ForwardConfig.TargetGroups.member.1.TargetGroupArn",
                "blue"
            ),
            (
                "DefaultActions.member.1.ForwardConfig.TargetGroups.member.1.Weight",
                "0"
            ),
            (
                "DefaultActions.member.1.ForwardConfig.TargetGroups.member.2.TargetGroupArn",
                "green"
            ),
            (
                "DefaultActions.member.1.ForwardConfig.TargetGroups.member.2.Weight",
                "100"
            ),
        ])
    );
}

#[test]
fn a_change_that_is_refused_is_an_error() {
    let groups = forward(&group("blue", Some(100)), "");
    let denied = || xml_refusal("AccessDenied", "no");
    let error = applied(RULE, rule_with(&groups), &[], denied())
        .0
        .expect_err("denied");

    assert_eq!(
        (error.operation, error.kind),
        ("elasticloadbalancing:ModifyRule", ErrorKind::Permission)
    );

    let error = applied(LISTENER, listener_with(&groups), &[], denied())
        .0
        .expect_err("denied");
    assert_eq!(error.operation, "elasticloadbalancing:ModifyListener");
}
