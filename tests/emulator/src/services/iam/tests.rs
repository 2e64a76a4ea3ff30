mod demands;
mod sessions;

use serde_json::{Value, json};

use super::pattern::{arn_like, wildcard};
use super::*;
use crate::cloudformation::Role;

const SERVICE: &str = "arn:aws:ecs:eu-west-1:111122223333:service/apps/web";

/// Makes a role with these statements in its trust policy, and those in a policy of its own.
pub(crate) fn put_role(aws: &mut Aws, arn: &str, trust: Value, statements: Value) {
    let name = arn.rsplit('/').next().unwrap().to_owned();
    aws.cloudformation.iam.put(Role {
        id: format!("AROA{}", name.to_uppercase()),
        name,
        arn: arn.to_owned(),
        path: "/".to_owned(),
        trust: json!({ "Statement": trust }),
        managed_policies: Vec::new(),
        policies: [("own".to_owned(), json!({ "Statement": statements }))].into(),
        max_session_seconds: 3600,
        boundary: None,
        tags: BTreeMap::new(),
    });
}

fn allow(action: &str, resource: &str) -> Value {
    json!({"Effect": "Allow", "Action": action, "Resource": resource})
}

fn deny(action: &str, resource: &str) -> Value {
    json!({"Effect": "Deny", "Action": action, "Resource": resource})
}

fn update() -> Demand {
    Demand::new("ecs:UpdateService", SERVICE)
}

fn access_of(statements: &[Value], demand: &Demand) -> Access {
    evaluate(statements, demand).unwrap()
}

/// Whether an allowing statement with this condition allows a demand with these keys.
fn holds(condition: Value, context: &[(&str, &str)]) -> bool {
    let mut statement = allow("*", "*");
    statement["Condition"] = condition;
    let demand = context
        .iter()
        .fold(update(), |demand, (key, value)| demand.with(key, *value));
    access_of(&[statement], &demand) == Access::Allowed
}

fn unsupported(statement: &Value) -> String {
    check_statement(statement).unwrap_err().to_string()
}

#[test]
fn what_no_statement_allows_is_denied() {
    assert_eq!(access_of(&[], &update()), Access::NotAllowed);
    assert_eq!(
        access_of(&[allow("ecs:DescribeServices", "*")], &update()),
        Access::NotAllowed
    );
    assert_eq!(
        access_of(&[allow("ecs:UpdateService", "*")], &update()),
        Access::Allowed
    );
}

#[test]
fn an_explicit_deny_wins_in_any_order() {
    let (yes, no) = (allow("*", "*"), deny("ecs:Update*", "*"));
    assert_eq!(
        access_of(&[yes.clone(), no.clone()], &update()),
        Access::Denied
    );
    assert_eq!(
        access_of(&[no.clone(), yes.clone()], &update()),
        Access::Denied
    );

    let other = Demand::new("ecs:DescribeServices", SERVICE);
    assert_eq!(access_of(&[no, yes], &other), Access::Allowed);
}

#[test]
fn actions_ignore_case_and_resources_do_not() {
    assert_eq!(
        access_of(&[allow("ECS:updateservice", "*")], &update()),
        Access::Allowed
    );
    assert_eq!(
        access_of(&[allow("ecs:*", &SERVICE.to_uppercase())], &update()),
        Access::NotAllowed
    );
}

#[test]
fn one_of_many_actions_and_resources_is_enough() {
    let statement = json!({"Effect": "Allow", "Action": ["ecs:StopTask", "ecs:UpdateService"],
    "Resource": [
        "arn:aws:ecs:eu-west-1:111122223333:service/other/*",
        "arn:aws:ecs:eu-west-1:111122223333:service/apps/*",
    ]});
    assert_eq!(access_of(&[statement], &update()), Access::Allowed);
}

#[test]
fn the_opposites_cover_all_but_what_they_name() {
    let statement = json!({
        "Effect": "Allow",
        "NotAction": "iam:*",
        "NotResource": "arn:aws:ecs:*:*:service/secret/*",
    });
    assert_eq!(
        access_of(std::slice::from_ref(&statement), &update()),
        Access::Allowed
    );

    let pass = Demand::new("iam:PassRole", "arn:aws:iam::111122223333:role/slipway/a");
    assert_eq!(
        access_of(std::slice::from_ref(&statement), &pass),
        Access::NotAllowed
    );

    let secret = Demand::new(
        "ecs:UpdateService",
        "arn:aws:ecs:eu-west-1:111122223333:service/secret/web",
    );
    assert_eq!(access_of(&[statement], &secret), Access::NotAllowed);
}

#[test]
fn an_action_without_resources_needs_a_statement_about_everything() {
    let describe = Demand::anywhere("ecs:DescribeTaskDefinition");
    let narrow = allow(
        "ecs:DescribeTaskDefinition",
        "arn:aws:ecs:*:*:task-definition/*",
    );

    assert_eq!(access_of(&[narrow], &describe), Access::NotAllowed);
    assert_eq!(
        access_of(&[allow("ecs:DescribeTaskDefinition", "*")], &describe),
        Access::Allowed
    );
}

#[test]
fn stars_and_question_marks_match_as_documented() {
    for (pattern, text, expected) in [
        ("", "", true),
        ("*", "", true),
        ("**", "ab", true),
        ("a*c", "abbbc", true),
        ("a*c", "abbbd", false),
        ("a?c", "abc", true),
        ("a?c", "ac", false),
        ("*ab*ab", "abxabab", true),
        ("arn:aws:s3:::b/*", "arn:aws:s3:::b/x:y/z", true),
        ("arn:aws:s3:::b/*", "arn:aws:s3:::bc/x", false),
    ] {
        assert_eq!(wildcard(pattern, text), expected, "{pattern} {text}");
    }
}

#[test]
fn arns_are_compared_part_by_part() {
    let rule = "arn:aws:events:eu-west-1:111122223333:rule/slipway-web-push";
    assert!(arn_like(
        "arn:aws:events:*:111122223333:rule/slipway-*",
        rule
    ));
    assert!(!arn_like("arn:aws:*:rule/slipway-*", rule));
    assert!(!arn_like("*", "no arn"));
}

#[test]
fn all_operators_and_keys_must_hold() {
    let both = json!({
        "StringEquals": {"ecs:CreateAction": "RegisterTaskDefinition"},
        "ArnLike": {"ecs:cluster": "arn:aws:ecs:*:*:cluster/apps"},
    });
    let cluster = (
        "ecs:cluster",
        "arn:aws:ecs:eu-west-1:111122223333:cluster/apps",
    );

    assert!(holds(
        both.clone(),
        &[("ecs:CreateAction", "RegisterTaskDefinition"), cluster]
    ));
    assert!(!holds(
        both.clone(),
        &[("ecs:CreateAction", "CreateService"), cluster]
    ));
    assert!(!holds(
        both,
        &[("ecs:CreateAction", "RegisterTaskDefinition")]
    ));
}

#[test]
fn several_values_are_alternatives_and_none_for_a_negation() {
    let among =
        json!({"StringEquals": {"iam:PassedToService": ["a.amazonaws.com", "b.amazonaws.com"]}});
    assert!(holds(among, &[("iam:passedtoservice", "b.amazonaws.com")]));

    let neither = json!({"StringNotLike": {"iam:PassedToService": ["a*", "b*"]}});
    assert!(!holds(
        neither.clone(),
        &[("iam:PassedToService", "b.amazonaws.com")]
    ));
    assert!(holds(
        neither.clone(),
        &[("iam:PassedToService", "c.amazonaws.com")]
    ));
    assert!(holds(neither, &[]), "an absent key matches nothing");
}

#[test]
fn null_tests_whether_a_key_is_there() {
    let tagged = json!({"Null": {"aws:ResourceTag/slipway:service": "false"}});
    assert!(holds(
        tagged.clone(),
        &[("aws:ResourceTag/slipway:service", "")]
    ));
    assert!(!holds(tagged.clone(), &[("aws:ResourceTag/other", "web")]));
    assert!(!holds(tagged, &[]));
    assert!(holds(
        json!({"Null": {"aws:ResourceTag/slipway:service": "true"}}),
        &[]
    ));
}

#[test]
fn if_exists_holds_without_the_key() {
    let secure = json!({"BoolIfExists": {"aws:SecureTransport": true}});
    assert!(holds(secure.clone(), &[]));
    assert!(!holds(secure.clone(), &[("aws:SecureTransport", "false")]));
    assert!(holds(secure, &[("aws:SecureTransport", "true")]));
    assert!(!holds(
        json!({"Bool": {"aws:SecureTransport": "true"}}),
        &[]
    ));
}

#[test]
fn what_is_not_evaluated_is_refused() {
    let with = |condition: Value| {
        let mut statement = deny("ecs:StopTask", "arn:aws:ecs:::none");
        statement["Condition"] = condition;
        unsupported(&statement)
    };
    assert!(with(json!({"NumericLessThan": {"ecs:cluster": "1"}})).contains("NumericLessThan"));
    assert!(
        with(json!({"ForAnyValue:StringEquals": {"ecs:cluster": "1"}})).contains("ForAnyValue")
    );
    assert!(
        with(json!({"StringEquals": {"aws:PrincipalOrgID": "o-1"}})).contains("aws:principalorgid")
    );
    assert!(
        with(json!({"StringEquals": {"ecs:cluster": "${aws:username}"}}))
            .contains("${aws:username}")
    );
    assert!(
        unsupported(&allow("s3:GetObject", "arn:aws:s3:::home/${aws:username}"))
            .contains("policy variable")
    );
    assert!(
        managed(&Aws::new(1), "arn:aws:iam::aws:policy/AdministratorAccess")
            .unwrap_err()
            .to_string()
            .contains("managed policy")
    );
}

#[test]
fn denials_are_worded_as_aws_words_them() {
    let session = Session::of("arn:aws:iam::111122223333:role/slipway/r", "slipway-f");
    let worded = |demand: &Demand| {
        error::message(
            &session.arn("111122223333"),
            demand,
            &error::not_allowed(&demand.action),
        )
    };

    assert_eq!(
        worded(&update()),
        format!(
            "User: arn:aws:sts::111122223333:assumed-role/r/slipway-f is not authorized to \
             perform: ecs:UpdateService on resource: {SERVICE} because no identity-based policy \
             allows the ecs:UpdateService action"
        )
    );
    assert_eq!(
        worded(&Demand::anywhere(
            "elasticloadbalancing:DescribeTargetHealth"
        )),
        "User: arn:aws:sts::111122223333:assumed-role/r/slipway-f is not authorized to perform: \
         elasticloadbalancing:DescribeTargetHealth because no identity-based policy allows the \
         elasticloadbalancing:DescribeTargetHealth action"
    );

    let object = Demand::new("s3:GetObject", "arn:aws:s3:::b/k");
    assert!(worded(&object).contains("s3:GetObject on resource: \"arn:aws:s3:::b/k\" because"));
}

#[test]
fn codes_and_statuses_are_those_of_the_service() {
    for (service, status, code) in [
        ("ecs", 400, "AccessDeniedException"),
        ("dynamodb", 400, "AccessDeniedException"),
        ("lambda", 403, "AccessDeniedException"),
        ("cloudformation", 403, "AccessDenied"),
        ("elasticloadbalancing", 403, "AccessDenied"),
        ("monitoring", 403, "AccessDenied"),
        ("s3", 403, "AccessDenied"),
    ] {
        let errors = crate::service::find(service).unwrap().errors;
        let error = errors.denied("no".to_owned());
        assert_eq!(
            (error.status, error.code.as_str(), error.message.as_str()),
            (status, code, "no"),
            "{service}"
        );
    }
}

#[test]
fn unknown_credentials_are_refused() {
    let scope = "AWS4-HMAC-SHA256 Credential=AKIA/20260105/eu-west-1/ecr/aws4_request, \
                 SignedHeaders=host, Signature=0";
    let request = Request {
        caller: "stranger".to_owned(),
        headers: vec![
            ("authorization".to_owned(), scope.to_owned()),
            (
                "x-amz-target".to_owned(),
                "AmazonEC2ContainerRegistry_V20150921.DescribeRepositories".to_owned(),
            ),
        ],
        ..Request::default()
    };
    let mut aws = Aws::new(1);

    assert_eq!(
        authorize(&mut aws, &request).unwrap_err().code,
        "UnrecognizedClientException"
    );

    let operator = Request {
        caller: "operator".to_owned(),
        ..request
    };
    assert_eq!(authorize(&mut aws, &operator), Ok(()));
}
