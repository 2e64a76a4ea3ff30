//! Rules and listeners, changed and described through the query protocol.

use serde_json::Value;

use super::*;

/// The parameters of a form for a structure.
fn form(prefix: &str, value: &Value, into: &mut BTreeMap<String, String>) {
    let at = |name: &str| {
        if prefix.is_empty() {
            name.to_owned()
        } else {
            format!("{prefix}.{name}")
        }
    };
    match value {
        Value::Object(members) => members
            .iter()
            .for_each(|(name, value)| form(&at(name), value, into)),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(number, item)| {
                form(&at(&format!("member.{}", number + 1)), item, into)
            });
        }
        Value::String(text) => _ = into.insert(prefix.to_owned(), text.clone()),
        other => _ = into.insert(prefix.to_owned(), other.to_string()),
    }
}

fn ask(aws: &mut Aws, action: &str, input: Value) -> Result<Value, ApiError> {
    let mut parameters = BTreeMap::new();
    form("", &input, &mut parameters);
    run_operation(aws, action, &parameters)
}

fn modify(aws: &mut Aws, rule: &str, actions: &Value) -> Result<Value, ApiError> {
    ask(
        aws,
        "ModifyRule",
        json!({"RuleArn": rule, "Actions": actions}),
    )
}

/// A rule of an HTTPS listener that forwards to `blue`; returns account, both groups, listener and
/// rule.
fn secured() -> (Aws, String, String, String, String) {
    let (mut aws, blue, green, _) = balanced();
    let balancer = aws.elb.load_balancers.keys().next().unwrap().clone();
    let forward = json!([{"Type": "forward", "TargetGroupArn": blue}]);
    let listener = json!({
        "LoadBalancerArn": balancer, "Port": 443, "Protocol": "HTTPS", "DefaultActions": forward,
    });
    let listener = create_listener(&mut aws, &listener).unwrap()["Arn"]
        .as_str()
        .unwrap()
        .to_owned();
    let rule =
        json!({"ListenerArn": listener, "Priority": 1, "Conditions": [], "Actions": forward});
    let rule = create_rule(&mut aws, &rule).unwrap()["Arn"]
        .as_str()
        .unwrap()
        .to_owned();
    (aws, blue, green, listener, rule)
}

fn forward(groups: &[(&str, i64)]) -> Value {
    let groups: Value = groups
        .iter()
        .map(|(arn, weight)| json!({"TargetGroupArn": arn, "Weight": weight}))
        .collect();
    json!({"Type": "forward", "Order": 2, "ForwardConfig": {"TargetGroups": groups,
        "TargetGroupStickinessConfig": {"Enabled": true, "DurationSeconds": 3600}}})
}

fn oidc(secret: Value) -> Value {
    let mut config = json!({
        "Issuer": "https://id.example",
        "AuthorizationEndpoint": "https://id.example/a",
        "TokenEndpoint": "https://id.example/t",
        "UserInfoEndpoint": "https://id.example/u",
        "ClientId": "web", "Scope": "openid", "SessionTimeout": 60,
    });
    config
        .as_object_mut()
        .unwrap()
        .extend(secret.as_object().unwrap().clone());
    json!({"Type": "authenticate-oidc", "Order": 1, "AuthenticateOidcConfig": config})
}

#[test]
fn weights_stickiness_and_order_come_back_as_they_were_given() {
    let (mut aws, blue, green, listener, rule) = secured();
    for (action, member, arn, list) in [
        ("ModifyRule", "RuleArn", &rule, "Actions"),
        ("ModifyListener", "ListenerArn", &listener, "DefaultActions"),
    ] {
        let input = json!({member: arn, list: [forward(&[(&blue, 90), (&green, 0)])]});
        let answer = ask(&mut aws, action, input).unwrap();
        let found = &answer[if action == "ModifyRule" {
            "Rules"
        } else {
            "Listeners"
        }][0][list][0];
        let groups =
            json!([{"TargetGroupArn": blue, "Weight": 90}, {"TargetGroupArn": green, "Weight": 0}]);
        assert_eq!(found["ForwardConfig"]["TargetGroups"], groups);
        let stickiness = &found["ForwardConfig"]["TargetGroupStickinessConfig"];
        assert_eq!(
            stickiness,
            &json!({"DurationSeconds": "3600", "Enabled": "true"})
        );
        assert_eq!(
            (&found["Order"], found.get("TargetGroupArn")),
            (&json!("2"), None)
        );
    }
}

#[test]
fn several_groups_need_stickiness_while_one_of_them_binds_clients_to_its_targets() {
    let (mut aws, blue, green, _, rule) = secured();
    let attributes = json!([{"Key": "stickiness.enabled", "Value": "true"}]);
    let binding = aws.elb.target_groups.get_mut(&green).unwrap();
    let properties = &mut binding.properties;
    properties.insert("TargetGroupAttributes".to_owned(), attributes);

    let (both, only) = (&[(&*blue, 90), (&*green, 0)][..], &[(&*green, 1)][..]);
    for (groups, enabled, refused) in [
        (both, false, true),
        (both, true, false),
        (only, false, false),
    ] {
        let mut action = forward(groups);
        action["ForwardConfig"]["TargetGroupStickinessConfig"]["Enabled"] = enabled.into();
        let error = modify(&mut aws, &rule, &json!([action])).err();
        let expected = refused.then(|| "InvalidLoadBalancerAction".to_owned());
        assert_eq!(
            error.map(|error| error.code),
            expected,
            "{groups:?} {enabled}"
        );
    }
}

#[test]
fn a_client_secret_is_omitted_and_must_be_given_again_or_kept() {
    let (mut aws, blue, _, _, rule) = secured();
    let last = forward(&[(&blue, 1)]);
    let kept = json!([oidc(json!({"UseExistingClientSecret": true})), last]);
    let none = modify(&mut aws, &rule, &kept).unwrap_err();

    assert!(none.message.contains("no existing client secret"), "{none}");

    let parameters = json!({
        "entry": {"1": {"key": "prompt", "value": "login"}, "2": {"key": "hint", "value": "a"}},
    });
    let mut first = oidc(json!({"ClientSecret": "hush"}));
    first["AuthenticateOidcConfig"]["AuthenticationRequestExtraParams"] = parameters;
    let answer = modify(&mut aws, &rule, &json!([first, last])).unwrap();
    let found = &answer["Rules"][0]["Actions"][0];

    assert!(!found.to_string().contains("hush"), "{found}");

    let config = &found["AuthenticateOidcConfig"];
    assert_eq!(
        (&config["ClientId"], &config["SessionTimeout"]),
        (&json!("web"), &json!("60"))
    );

    let body = xml::response(NAMESPACE, "ModifyRule", config, "id");
    assert!(
        body.contains("<entry><key>prompt</key><value>login</value></entry><entry><key>hint</key>"),
        "{body}"
    );

    let missing = modify(&mut aws, &rule, &json!([oidc(json!({})), last])).unwrap_err();
    assert_eq!(missing.code, "InvalidLoadBalancerAction");

    modify(&mut aws, &rule, &kept).unwrap();
    assert_eq!(
        aws.elb.rules[&rule].properties["Actions"][0]["AuthenticateOidcConfig"]["ClientSecret"],
        "hush"
    );
}

#[test]
fn cognito_actions_come_back_and_need_https() {
    let (mut aws, blue, _, listener, rule) = secured();
    let cognito = json!({
        "Type": "authenticate-cognito", "Order": 1,
        "AuthenticateCognitoConfig": {
            "UserPoolArn": "arn:aws:cognito-idp:eu-west-1:111122223333:userpool/p",
            "UserPoolClientId": "c", "UserPoolDomain": "d",
        },
    });
    let actions = json!([cognito, forward(&[(&blue, 1)])]);
    let answer = modify(&mut aws, &rule, &actions).unwrap();

    assert_eq!(
        answer["Rules"][0]["Actions"][0]["AuthenticateCognitoConfig"],
        cognito["AuthenticateCognitoConfig"]
    );

    let plain = aws
        .elb
        .listeners
        .keys()
        .find(|arn| **arn != listener)
        .unwrap()
        .clone();
    let refused = ask(
        &mut aws,
        "ModifyListener",
        json!({"ListenerArn": plain, "DefaultActions": actions}),
    )
    .unwrap_err();
    assert_eq!(
        refused.message,
        "Actions of type 'authenticate-cognito' are supported only on HTTPS listeners"
    );
}

/// Forward actions that are refused, with the codes of their errors.
fn wrong_forwards(aws: &mut Aws, blue: &str) -> Vec<(Value, &'static str)> {
    let groups: Vec<String> = (0..6)
        .map(|number| {
            let group = create_target_group(aws, &json!({"Name": format!("g{number}")})).unwrap();
            group["Arn"].as_str().unwrap().to_owned()
        })
        .collect();
    let many: Vec<(&str, i64)> = groups.iter().map(|group| (group.as_str(), 1)).collect();
    let mut forever = forward(&[(blue, 1)]);
    forever["ForwardConfig"]["TargetGroupStickinessConfig"]["DurationSeconds"] = 604_801.into();

    vec![
        (json!([forward(&[(blue, 1000)])]), "ValidationError"),
        (json!([forward(&[(blue, -1)])]), "ValidationError"),
        (json!([forward(&[])]), "ValidationError"),
        (json!([forever]), "ValidationError"),
        (json!([forward(&[("arn:none", 1)])]), "TargetGroupNotFound"),
        (
            json!([forward(&many)]),
            "TooManyUniqueTargetGroupsPerLoadBalancer",
        ),
    ]
}

/// Actions that are refused together, with the codes of their errors.
fn wrong_combinations(blue: &str, green: &str) -> Vec<(Value, &'static str)> {
    let mut unordered = forward(&[(blue, 1)]);
    unordered["Order"] = 1.into();

    vec![
        (
            json!([oidc(json!({"ClientSecret": "hush"}))]),
            "InvalidLoadBalancerAction",
        ),
        (
            json!([
                forward(&[(blue, 1)]),
                {"Type": "forward", "Order": 3, "TargetGroupArn": green},
            ]),
            "InvalidLoadBalancerAction",
        ),
        (
            json!([oidc(json!({"ClientSecret": "hush"})), unordered]),
            "InvalidLoadBalancerAction",
        ),
        (
            json!([{"Type": "rewrite", "Order": 1}, forward(&[(blue, 1)])]),
            "ValidationError",
        ),
    ]
}

#[test]
fn actions_that_make_no_sense_are_refused() {
    let (mut aws, blue, green, _, rule) = secured();
    let mut cases = wrong_forwards(&mut aws, &blue);
    cases.extend(wrong_combinations(&blue, &green));

    for (actions, code) in cases {
        let refused = modify(&mut aws, &rule, &actions).unwrap_err();
        assert_eq!(refused.code, code, "{actions}: {refused}");
    }

    let fixed = json!([{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "503"}}]);
    modify(&mut aws, &rule, &fixed).unwrap();
}

#[test]
fn a_default_rule_is_changed_through_its_listener() {
    let (mut aws, blue, _, listener, _) = secured();
    let rules =
        ask(&mut aws, "DescribeRules", json!({"ListenerArn": listener})).unwrap()["Rules"].clone();
    let default = rules.as_array().unwrap().last().unwrap();

    assert_eq!(
        (&default["IsDefault"], &default["Priority"]),
        (&json!(true), &json!("default"))
    );

    let input = json!({"RuleArn": default["RuleArn"], "Actions": [forward(&[(&blue, 1)])]});
    assert_eq!(
        ask(&mut aws, "ModifyRule", input).unwrap_err().code,
        "OperationNotPermitted"
    );
}

#[test]
fn pages_of_rules_are_as_short_as_the_account_is_set_to() {
    let (mut aws, _, _, listener, rule) = secured();
    aws.pages = Some(1);
    let first = ask(&mut aws, "DescribeRules", json!({"ListenerArn": listener})).unwrap();

    assert_eq!(
        (
            first["Rules"].as_array().map(Vec::len),
            &first["Rules"][0]["RuleArn"]
        ),
        (Some(1), &json!(rule))
    );

    let marker = first["NextMarker"].clone();
    let rest = ask(
        &mut aws,
        "DescribeRules",
        json!({"ListenerArn": listener, "Marker": marker}),
    )
    .unwrap();
    assert_eq!(
        (&rest["Rules"][0]["IsDefault"], &rest["NextMarker"]),
        (&json!(true), &Value::Null)
    );
}

#[test]
fn tags_of_listeners_and_rules_are_described_and_an_unknown_one_is_refused() {
    let (mut aws, _, _, listener, rule) = secured();
    let tags = json!([{"Key": "team", "Value": "web"}]);
    let tagged = aws.elb.listeners.get_mut(&listener).unwrap();
    tagged.properties.insert("Tags".to_owned(), tags.clone());
    let describe = |aws: &mut Aws, arns: &[&str]| {
        let input = json!({ "ResourceArns": arns });
        ask(aws, "DescribeTags", input)
    };

    let found = describe(&mut aws, &[listener.as_str(), rule.as_str()]).unwrap();
    let expected = json!([
        {"ResourceArn": listener, "Tags": tags}, {"ResourceArn": rule, "Tags": []},
    ]);
    assert_eq!(found, json!({ "TagDescriptions": expected }));

    for (known, code) in [(&listener, "ListenerNotFound"), (&rule, "RuleNotFound")] {
        let gone = format!("{known}0");
        let refused = describe(&mut aws, &[known.as_str(), gone.as_str()]).unwrap_err();
        assert_eq!(refused.code, code);
    }
    let many = describe(&mut aws, &[rule.as_str(); 21]).unwrap_err();
    assert_eq!(many.code, "ValidationError");
}
