use std::collections::BTreeMap;

use super::*;
use crate::cloudformation::Role;

pub(crate) const ROLE: &str = "arn:aws:iam::111122223333:role/teams/deploy";

/// An account with a role that its administrators may assume, for at most so long.
pub(crate) fn account(max_session_seconds: i64) -> Aws {
    let mut aws = Aws::new(1);
    let trust = json!({"Statement": {
        "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "111122223333"},
    }});
    aws.cloudformation.iam.put(Role {
        id: "AROADEPLOY".to_owned(),
        name: "deploy".to_owned(),
        arn: ROLE.to_owned(),
        path: "/teams/".to_owned(),
        trust,
        managed_policies: Vec::new(),
        policies: BTreeMap::new(),
        max_session_seconds,
        boundary: None,
        tags: BTreeMap::new(),
    });
    aws
}

fn assume(aws: &mut Aws, members: &[(&str, &str)]) -> Result<Value, ApiError> {
    let defaults = [("RoleArn", ROLE), ("RoleSessionName", "slipway-web")];
    let parameters: Parameters = defaults
        .iter()
        .chain(members)
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    call(aws, "AssumeRole", &parameters)
}

/// The ValidationError of a request with this member.
fn invalid(member: &str, value: &str) -> String {
    let error = assume(&mut account(43_200), &[(member, value)]).unwrap_err();
    assert_eq!(
        (error.code.as_str(), error.status),
        ("ValidationError", 400)
    );
    error.message
}

#[test]
fn an_operator_is_a_user_of_the_account() {
    let answer = call(&mut Aws::new(1), "GetCallerIdentity", &Parameters::new()).unwrap();
    assert_eq!(answer["Arn"], "arn:aws:iam::111122223333:user/operator");
}

#[test]
fn sessions_are_identified_by_role_and_name() {
    let mut aws = account(3600);
    aws.iam.principal = Principal::Session(Session::of(ROLE, "slipway-web"));

    assert_eq!(
        call(&mut aws, "GetCallerIdentity", &Parameters::new()).unwrap(),
        json!({
            "Arn": "arn:aws:sts::111122223333:assumed-role/deploy/slipway-web",
            "UserId": "AROADEPLOY:slipway-web",
            "Account": "111122223333",
        })
    );
}

#[test]
fn a_session_has_credentials_for_an_hour_unless_its_length_is_given() {
    let mut aws = account(43_200);
    aws.now += 250;
    let hour = assume(&mut aws, &[]).unwrap();
    let half_day = assume(&mut aws, &[("DurationSeconds", "43200")]).unwrap();

    assert_eq!(
        hour["AssumedRoleUser"],
        json!({
            "AssumedRoleId": "AROADEPLOY:slipway-web",
            "Arn": "arn:aws:sts::111122223333:assumed-role/deploy/slipway-web",
        })
    );
    let credentials = &hour["Credentials"];
    assert!(
        credentials["AccessKeyId"]
            .as_str()
            .unwrap()
            .starts_with("ASIA")
    );
    assert_eq!(credentials["Expiration"], "2026-01-05T10:00:00Z");
    assert_eq!(
        half_day["Credentials"]["Expiration"],
        "2026-01-05T21:00:00Z"
    );
    assert_ne!(
        credentials["AccessKeyId"],
        half_day["Credentials"]["AccessKeyId"]
    );
}

/// Asserts how a value of a member is refused: the constraints that it breaks.
#[track_caller]
fn breaks(member: &str, value: &str, constraints: &[&str]) {
    let field = member[..1].to_lowercase() + &member[1..];
    let all: Vec<String> = constraints
        .iter()
        .map(|it| {
            format!("Value '{value}' at '{field}' failed to satisfy constraint: Member must {it}")
        })
        .collect();
    let plural = if constraints.len() == 1 { "" } else { "s" };

    assert_eq!(
        invalid(member, value),
        format!(
            "{} validation error{plural} detected: {}",
            constraints.len(),
            all.join("; ")
        )
    );
}

#[test]
fn members_out_of_their_constraints_are_refused_together() {
    let length = "have length greater than or equal to";
    breaks("RoleArn", "short", &[&format!("{length} 20")]);
    breaks(
        "RoleSessionName",
        "bad/name",
        &["satisfy regular expression pattern: [\\w+=,.@-]*"],
    );
    breaks(
        "RoleSessionName",
        &"a".repeat(65),
        &["have length less than or equal to 64"],
    );
    breaks(
        "ExternalId",
        "!",
        &[
            "satisfy regular expression pattern: [\\w+=,.@:\\/-]*",
            &format!("{length} 2"),
        ],
    );
    breaks(
        "DurationSeconds",
        "899",
        &["have value greater than or equal to 900"],
    );
    breaks(
        "DurationSeconds",
        "43201",
        &["have value less than or equal to 43200"],
    );

    let no_number = assume(&mut account(3600), &[("DurationSeconds", "900.0")]).unwrap_err();
    assert_eq!(no_number.code, "MalformedInput");

    let nothing = call(&mut account(3600), "AssumeRole", &Parameters::new()).unwrap_err();
    assert_eq!(
        nothing.message,
        "2 validation errors detected: Value null at 'roleArn' failed to satisfy constraint: \
         Member must not be null; Value null at 'roleSessionName' failed to satisfy constraint: \
         Member must not be null"
    );
}

#[test]
fn what_is_not_the_arn_of_a_role_is_invalid() {
    let without_partition = "arn::iam::111122223333:role/deploy";
    for text in ["x".repeat(20).as_str(), without_partition] {
        assert_eq!(invalid("RoleArn", text), format!("{text} is invalid"));
    }
    assert_eq!(
        invalid("RoleArn", "arn:aws:iam::111122223333:user/operator"),
        "Request ARN is invalid"
    );
}

#[test]
fn members_that_are_not_served_are_refused() {
    assert_eq!(
        invalid(
            "PolicyArns.member.1.arn",
            "arn:aws:iam::aws:policy/ReadOnlyAccess"
        ),
        "the sandbox does not serve the member PolicyArns.member.1.arn"
    );
}

#[test]
fn a_session_has_at_most_50_tags() {
    let tags = |count: usize| -> Vec<(String, String)> {
        let tag = |at: usize| {
            let member = |name: &str| format!("Tags.member.{at}.{name}");
            [
                (member("Key"), format!("key-{at}")),
                (member("Value"), String::new()),
            ]
        };
        (1..=count).flat_map(tag).collect()
    };
    let assumed = |members: &[(String, String)]| {
        let mut aws = account(3600);
        let trust = &mut aws.cloudformation.iam.role_mut("deploy").unwrap().trust;
        trust["Statement"]["Action"] = json!("sts:*");
        let members: Vec<(&str, &str)> = members
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        assume(&mut aws, &members)
    };

    assert!(assumed(&tags(50)).is_ok());
    assert_eq!(
        assumed(&tags(51)).unwrap_err().message,
        "1 validation error detected: Value at 'tags' failed to satisfy constraint: Member must \
         have length less than or equal to 50"
    );
    let mut lacking = tags(1);
    lacking.pop();
    assert_eq!(
        assumed(&lacking).unwrap_err().message,
        "1 validation error detected: Value null at 'tags.1.member.value' failed to satisfy \
         constraint: Member must not be null"
    );
}

#[test]
fn a_session_policy_is_a_policy_of_at_most_2048_characters() {
    let passed = |policy: &str| assume(&mut account(3600), &[("Policy", policy)]);
    let statement = json!({"Effect": "Allow", "Action": "ecs:Describe*", "Resource": "*"});
    let policy = json!({"Version": "2012-10-17", "Statement": [statement]}).to_string();
    assert!(passed(&policy).is_ok());

    let longest = format!("{policy}{}", " ".repeat(2048 - policy.len()));
    assert!(passed(&longest).is_ok());
    let length = |bound: &str| format!("have length {bound}");
    let longer = format!("{longest} ");
    breaks("Policy", &longer, &[&length("less than or equal to 2048")]);
    breaks("Policy", "", &[&length("greater than or equal to 1")]);

    for text in [
        "ReadOnlyAccess",
        "{}",
        r#"{"Statement":[{"Effect":"Allow"}]}"#,
    ] {
        let error = passed(text).unwrap_err();
        assert_eq!(
            (error.code.as_str(), error.status),
            ("MalformedPolicyDocument", 400),
            "{text}"
        );
    }
    let variable = policy.replace('*', "${aws:username}");
    let error = passed(&variable).unwrap_err();
    assert!(error.message.contains("policy variable"), "{error}");
}

#[test]
fn a_session_is_no_longer_than_the_role_or_the_caller_allows() {
    let seconds = [("DurationSeconds", "3601")];
    let error = assume(&mut account(3600), &seconds).unwrap_err();
    assert_eq!(
        error.to_string(),
        "ValidationError: The requested DurationSeconds exceeds the MaxSessionDuration set for \
         this role."
    );
    assert!(assume(&mut account(7200), &seconds).is_ok());

    let mut aws = account(7200);
    aws.iam.principal = Principal::Session(Session::of(ROLE, "chained"));
    let trust = &mut aws.cloudformation.iam.role_mut("deploy").unwrap().trust;
    trust["Statement"]["Principal"]["AWS"] = ROLE.into();

    assert!(assume(&mut aws, &[]).is_ok());
    assert_eq!(
        assume(&mut aws, &seconds).unwrap_err().to_string(),
        "ValidationError: The requested DurationSeconds exceeds the 1 hour session limit for \
         roles assumed by role chaining."
    );
}

#[test]
fn a_role_that_is_not_there_is_denied_like_one_that_trusts_another_caller() {
    let mut aws = account(3600);
    let missing = format!("{ROLE}-missing");
    let error = assume(&mut aws, &[("RoleArn", &missing)]).unwrap_err();

    assert_eq!((error.code.as_str(), error.status), ("AccessDenied", 403));
    assert_eq!(
        error.message,
        format!(
            "User: arn:aws:iam::111122223333:user/operator is not authorized to perform: \
             sts:AssumeRole on resource: {missing}"
        )
    );
    assert_eq!(aws.iam.denials.len(), 1);
    assert_eq!(aws.iam.denials[0].role, "operator");
}
