//! Sessions of roles that a function or an operator assumed, as requests with their credentials.

use super::*;
use crate::lambda::Function;

mod accounts;
mod policies;
mod regions;
mod tags;

const FUNCTION: &str = "slipway-update-service";
const CALLER: &str = "arn:aws:iam::111122223333:role/slipway/slipway/step";
const DEPLOY: &str = "arn:aws:iam::111122223333:role/deploy";
const ROOT: &str = "arn:aws:iam::111122223333:root";
const PIPELINE: &str = "arn:aws:codepipeline:eu-west-1:111122223333:slipway-web";
const CLUSTER: &str = "arn:aws:ecs:eu-west-1:111122223333:cluster/apps";

/// An account with a function whose role has the statements `own`, and with the role `deploy`,
/// which may describe clusters.
fn account(trust: Value, own: Value) -> Aws {
    let mut aws = Aws::new(1);
    put_role(&mut aws, CALLER, json!([]), own);
    put_role(
        &mut aws,
        DEPLOY,
        trust,
        json!([allow("ecs:DescribeClusters", CLUSTER)]),
    );
    let function = Function {
        name: FUNCTION.to_owned(),
        role: CALLER.to_owned(),
        ..Function::default()
    };
    aws.lambda.functions.insert(FUNCTION.to_owned(), function);
    aws
}

/// A statement of a trust policy.
fn trusting(principal: &str) -> Value {
    json!({"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": principal}})
}

fn may_assume() -> Value {
    json!([allow("sts:AssumeRole", DEPLOY)])
}

fn signed(caller: &str, service: &str, [key, token]: [&str; 2]) -> Request {
    let scope = format!(
        "AWS4-HMAC-SHA256 Credential={key}/20260105/eu-west-1/{service}/aws4_request, \
         SignedHeaders=host, Signature=0"
    );
    Request {
        caller: caller.to_owned(),
        method: "POST".to_owned(),
        path_and_query: "/".to_owned(),
        headers: vec![
            ("authorization".to_owned(), scope),
            ("x-amz-security-token".to_owned(), token.to_owned()),
        ],
        ..Request::default()
    }
}

/// Status and body of the response.
fn answer(aws: &mut Aws, request: &Request) -> (u16, String) {
    let response = aws.call(request);
    (response.status, String::from_utf8(response.body).unwrap())
}

fn sts(aws: &mut Aws, caller: &str, keys: [&str; 2], form: &str) -> (u16, String) {
    let mut request = signed(caller, "sts", keys);
    request.body = format!("Version=2011-06-15&{form}").into_bytes();
    answer(aws, &request)
}

/// The key id and the token of a session, or the body of the error.
fn assume(aws: &mut Aws, caller: &str, more: &str) -> Result<[String; 2], String> {
    assume_role(aws, caller, DEPLOY, more)
}

fn assume_role(aws: &mut Aws, caller: &str, role: &str, more: &str) -> Result<[String; 2], String> {
    let form = format!("Action=AssumeRole&RoleArn={role}&RoleSessionName=web{more}");
    let (status, body) = sts(aws, caller, ["AKIA", ""], &form);
    let element = |name: &str| {
        let (_, rest) = body.split_once(&format!("<{name}>")).unwrap();
        rest.split('<').next().unwrap().to_owned()
    };
    if status == 200 {
        Ok([element("AccessKeyId"), element("SessionToken")])
    } else {
        Err(body)
    }
}

fn can_assume(trust: Value, own: Value) -> bool {
    assume(&mut account(trust, own), FUNCTION, "").is_ok()
}

fn describe_clusters(aws: &mut Aws, keys: &[String; 2], cluster: &str) -> (u16, String) {
    let mut request = signed(FUNCTION, "ecs", [&keys[0], &keys[1]]);
    request.headers.push((
        "x-amz-target".to_owned(),
        "AmazonEC2ContainerServiceV20141113.DescribeClusters".to_owned(),
    ));
    request.body = json!({"clusters": [cluster]}).to_string().into_bytes();
    answer(aws, &request)
}

#[test]
fn a_trust_policy_names_the_caller_or_leaves_it_to_the_callers_policies() {
    for (principal, without, with) in [
        (CALLER, true, true),
        (
            "arn:aws:sts::111122223333:assumed-role/step/slipway-update-service",
            true,
            true,
        ),
        ("*", true, true),
        (ROOT, false, true),
        ("111122223333", false, true),
        ("444455556666", false, false),
        (
            "arn:aws:iam::111122223333:role/slipway/slipway/another",
            false,
            false,
        ),
    ] {
        assert_eq!(
            (
                can_assume(trusting(principal), json!([])),
                can_assume(trusting(principal), may_assume())
            ),
            (without, with),
            "{principal}"
        );
    }
    assert!(!can_assume(json!([]), may_assume()));
}

#[test]
fn a_denial_by_the_trust_policy_or_by_the_callers_policies_wins() {
    let mut denied = trusting(ROOT);
    denied["Effect"] = json!("Deny");
    assert!(!can_assume(json!([trusting(CALLER), denied]), may_assume()));
    assert!(!can_assume(
        trusting(CALLER),
        json!([deny("sts:*", "*"), allow("sts:*", "*")])
    ));
}

#[test]
fn a_trust_policy_sees_external_id_and_principal() {
    let conditional = |pattern: &str| {
        let mut trust = trusting(ROOT);
        trust["Condition"] = json!({
            "StringEquals": {"sts:ExternalId": PIPELINE},
            "ArnLike": {"aws:PrincipalArn": pattern},
        });
        account(trust, may_assume())
    };
    let ours = "arn:aws:iam::111122223333:role/slipway/slipway/*";
    let id = format!("&ExternalId={PIPELINE}");

    assert!(assume(&mut conditional(ours), FUNCTION, &id).is_ok());
    assert!(assume(&mut conditional(ours), FUNCTION, "").is_err());
    assert!(assume(&mut conditional(ours), FUNCTION, &format!("{id}-other")).is_err());

    let others = "arn:aws:iam::111122223333:role/slipway/other/*";
    assert!(assume(&mut conditional(others), FUNCTION, &id).is_err());
    assert!(
        assume(&mut conditional(ours), "operator", &id).is_err(),
        "an administrator is not one of these principals"
    );
}

#[test]
fn an_administrator_needs_the_trust_policy_too() {
    assert!(assume(&mut account(trusting(ROOT), json!([])), "operator", "").is_ok());
    assert!(assume(&mut account(trusting(CALLER), json!([])), "operator", "").is_err());
}

#[test]
fn a_refused_caller_is_named_with_the_role_and_both_are_recorded() {
    let mut aws = account(trusting(ROOT), json!([]));
    let error = assume(&mut aws, FUNCTION, "").unwrap_err();
    assert!(
        error.contains(
            "<Code>AccessDenied</Code><Message>User: \
             arn:aws:sts::111122223333:assumed-role/step/slipway-update-service is not authorized \
             to perform: sts:AssumeRole on resource: arn:aws:iam::111122223333:role/deploy\
             </Message>"
        ),
        "{error}"
    );

    let denial = &aws.iam.denials[0];
    assert_eq!(
        (
            denial.role.as_str(),
            denial.action.as_str(),
            denial.resource.as_str()
        ),
        ("step", "sts:AssumeRole", DEPLOY)
    );
    assert!(aws.iam.has_demanded("step", "sts:AssumeRole"));
}

#[test]
fn requests_of_a_session_are_decided_by_the_policies_of_its_role() {
    let mut aws = account(trusting(CALLER), json!([allow("ecs:*", "*")]));
    let keys = assume(&mut aws, FUNCTION, "").unwrap();
    assert_eq!(describe_clusters(&mut aws, &keys, "apps").0, 200);

    let (status, body) = describe_clusters(&mut aws, &keys, "other");
    assert_eq!(status, 400);
    assert!(
        body.contains(
            "User: arn:aws:sts::111122223333:assumed-role/deploy/web is not authorized to \
             perform: ecs:DescribeClusters on resource: \
             arn:aws:ecs:eu-west-1:111122223333:cluster/other because no identity-based policy \
             allows the ecs:DescribeClusters action"
        ),
        "{body}"
    );
    assert_eq!(aws.iam.denials[0].role, "deploy");
    assert!(aws.iam.has_demanded("deploy", "ecs:DescribeClusters"));
}

#[test]
fn a_role_that_is_deleted_leaves_its_sessions_nothing_and_has_no_new_ones() {
    let mut aws = account(trusting(CALLER), json!([]));
    let keys = assume(&mut aws, FUNCTION, "").unwrap();
    aws.cloudformation.iam.remove("deploy").unwrap();

    let (status, body) = describe_clusters(&mut aws, &keys, "apps");
    assert_eq!(status, 400);
    assert!(body.contains("AccessDeniedException"), "{body}");
    let refused = assume(&mut aws, FUNCTION, "").unwrap_err();
    assert!(refused.contains("<Code>AccessDenied</Code>"), "{refused}");
}

#[test]
fn each_caller_learns_who_it_is() {
    let mut aws = account(trusting(CALLER), json!([]));
    let [key, token] = assume(&mut aws, FUNCTION, "").unwrap();
    for (caller, keys, arn) in [
        ("operator", ["any", ""], ":iam::111122223333:user/operator"),
        (
            FUNCTION,
            ["AKIA", ""],
            ":sts::111122223333:assumed-role/step/slipway-update-service",
        ),
        (
            FUNCTION,
            [key.as_str(), token.as_str()],
            ":sts::111122223333:assumed-role/deploy/web",
        ),
    ] {
        let (status, body) = sts(&mut aws, caller, keys, "Action=GetCallerIdentity");
        assert_eq!(status, 200, "{body}");
        assert!(body.contains(&format!("<Arn>arn:aws{arn}</Arn>")), "{body}");
    }
    assert_eq!(aws.iam.principal, Principal::Operator, "nothing is served");
}

/// What services with each protocol return for credentials: status and code.
fn refusals(aws: &mut Aws, keys: [&str; 2]) -> Vec<(u16, String)> {
    let code = |body: &str| {
        let known = [
            "ExpiredTokenException",
            "ExpiredToken",
            "UnrecognizedClientException",
            "InvalidClientTokenId",
            "InvalidAccessKeyId",
        ];
        let found = known.into_iter().find(|code| body.contains(code));
        found.unwrap_or(body).to_owned()
    };
    ["ecs", "elasticloadbalancing", "sts", "s3"]
        .map(|service| {
            let mut request = signed(FUNCTION, service, keys);
            match service {
                "ecs" => request.headers.push((
                    "x-amz-target".to_owned(),
                    "AmazonEC2ContainerServiceV20141113.ListServices".to_owned(),
                )),
                "s3" => {
                    "GET".clone_into(&mut request.method);
                    "/bucket/key".clone_into(&mut request.path_and_query);
                }
                "sts" => {
                    request.body = b"Action=GetCallerIdentity&Version=2011-06-15".to_vec();
                }
                _ => {
                    request.body = b"Action=DescribeRules&Version=2015-12-01".to_vec();
                }
            }
            let (status, body) = answer(aws, &request);
            (status, code(&body))
        })
        .into()
}

#[test]
fn credentials_expire_and_need_their_token_in_the_words_of_each_service() {
    let mut aws = account(trusting(CALLER), json!([]));
    let [key, token] = assume(&mut aws, FUNCTION, "").unwrap();
    let unknown = [
        (400, "UnrecognizedClientException".to_owned()),
        (403, "InvalidClientTokenId".to_owned()),
        (403, "InvalidClientTokenId".to_owned()),
        (403, "InvalidAccessKeyId".to_owned()),
    ];

    assert_eq!(refusals(&mut aws, [&key, "another"]), unknown);
    assert_eq!(
        refusals(&mut aws, ["ASIAUNKNOWN", &token]),
        unknown,
        "temporary credentials of no session are not the function's own"
    );

    aws.now += 3_599_999;
    let keys = [key.clone(), token.clone()];
    assert_eq!(describe_clusters(&mut aws, &keys, "apps").0, 200);

    aws.now += 1;
    assert_eq!(
        refusals(&mut aws, [&key, &token]),
        [
            (400, "ExpiredTokenException".to_owned()),
            (403, "ExpiredToken".to_owned()),
            (403, "ExpiredToken".to_owned()),
            (400, "ExpiredToken".to_owned()),
        ]
    );
}

#[test]
fn a_permissions_boundary_allows_no_more_than_both() {
    let session = Session::of(CALLER, FUNCTION);
    let refusal = |boundary: Value, own: Value| {
        let mut aws = account(json!([]), own);
        let arn = "arn:aws:iam::111122223333:policy/boundary";
        let document = json!({ "Statement": boundary });
        aws.cloudformation
            .iam
            .put_managed_policy(arn.to_owned(), document);
        aws.cloudformation.iam.role_mut("step").unwrap().boundary = Some(arn.to_owned());
        require(&mut aws, &session, &update())
            .err()
            .map(|denial| denial.message.split(SERVICE).nth(1).unwrap().to_owned())
    };
    let all = || json!([allow("*", "*")]);

    assert_eq!(refusal(all(), all()), None);
    assert_eq!(
        refusal(all(), json!([])).unwrap(),
        " because no identity-based policy allows the ecs:UpdateService action"
    );
    assert_eq!(
        refusal(json!([allow("ecs:Describe*", "*")]), all()).unwrap(),
        " because no permissions boundary allows the ecs:UpdateService action"
    );
    assert_eq!(
        refusal(json!([allow("*", "*"), deny("ecs:*", "*")]), all()).unwrap(),
        " with an explicit deny in a permissions boundary"
    );
}

#[test]
fn a_boundary_bounds_what_a_trust_policy_grants_to_a_role() {
    let mut aws = account(trusting(CALLER), json!([]));
    let arn = "arn:aws:iam::111122223333:policy/boundary";
    let document = json!({"Statement": [allow("ecs:*", "*")]});
    aws.cloudformation
        .iam
        .put_managed_policy(arn.to_owned(), document);
    aws.cloudformation.iam.role_mut("step").unwrap().boundary = Some(arn.to_owned());
    assert!(assume(&mut aws, FUNCTION, "").is_err());
}
