//! What the caller of a registration may need beside the registration itself.

use std::collections::BTreeMap;

use super::*;
use crate::Quirk;
use crate::cloudformation::Role;
use crate::iam::{Principal, Session};

const ROLE: &str = "arn:aws:iam::111122223333:role/deploy";

/// Registers the service under a role that may take these actions on the service, and these on
/// everything.
fn registered(aws: &mut Aws, on_service: &[&str], on_all: &[&str]) -> Result<Value, ApiError> {
    let service = "arn:aws:ecs:eu-west-1:111122223333:service/main/web";
    let statements = json!([
        {"Effect": "Allow", "Action": on_service, "Resource": service},
        {"Effect": "Allow", "Action": on_all, "Resource": "*"},
    ]);
    aws.cloudformation.iam.put(Role {
        id: "AROADEPLOY".to_owned(),
        name: "deploy".to_owned(),
        arn: ROLE.to_owned(),
        path: "/".to_owned(),
        trust: json!({"Statement": []}),
        managed_policies: Vec::new(),
        policies: BTreeMap::from([("own".to_owned(), json!({ "Statement": statements }))]),
        max_session_seconds: 3600,
        boundary: None,
        tags: BTreeMap::new(),
    });
    aws.iam.principal = Principal::Session(Session {
        role: ROLE.to_owned(),
        name: "web".to_owned(),
    });
    register(aws, json!({"MinCapacity": 1, "MaxCapacity": 4}))
}

const ON_SERVICE: [&str; 2] = ["ecs:DescribeServices", "ecs:UpdateService"];
const ON_ALARMS: [&str; 3] = [
    "cloudwatch:PutMetricAlarm",
    "cloudwatch:DescribeAlarms",
    "cloudwatch:DeleteAlarms",
];

#[test]
fn the_caller_may_have_to_be_allowed_to_scale_the_service() {
    let mut aws = account(1, 2);
    aws.settle_quirk(Quirk::ValidatesScalingCaller, true);
    assert!(registered(&mut aws, &ON_SERVICE, &ON_ALARMS).is_ok());
    assert_eq!(aws.iam.denials, []);

    assert_eq!(
        error(registered(&mut aws, &ON_SERVICE[..1], &ON_ALARMS[1..])),
        "ValidationException: User is missing the following permissions: ecs:UpdateService, \
         cloudwatch:PutMetricAlarm"
    );
    assert_eq!(aws.iam.denials.len(), 2);
    assert_eq!(aws.iam.demanded.len(), 5);
}

#[test]
fn whether_the_caller_is_checked_differs_by_seed() {
    let mut aws = account(1, 2);
    let mut seen = [false; 2];
    for seed in 0..32 {
        aws.reseed(seed);
        seen[usize::from(registered(&mut aws, &[], &[]).is_ok())] = true;
    }
    assert_eq!(seen, [true; 2]);
}
