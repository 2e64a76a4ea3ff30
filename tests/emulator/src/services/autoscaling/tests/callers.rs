//! What the caller of a registration may need beside the registration itself.

use super::*;
use crate::Quirk;
use crate::iam::tests::put_role;
use crate::iam::{Principal, Session};

const ROLE: &str = "arn:aws:iam::111122223333:role/deploy";

/// Registers the service under a role that may take these actions on the service, and these on
/// everything.
fn registered(aws: &mut Aws, on_service: &[&str], on_all: &[&str]) -> Result<Value, ApiError> {
    registered_with(aws, on_service, (on_all, "*"))
}

/// The same with another resource than everything.
fn registered_with(
    aws: &mut Aws,
    on_service: &[&str],
    (actions, resource): (&[&str], &str),
) -> Result<Value, ApiError> {
    let service = "arn:aws:ecs:eu-west-1:111122223333:service/main/web";
    let statements = json!([
        {"Effect": "Allow", "Action": on_service, "Resource": service},
        {"Effect": "Allow", "Action": actions, "Resource": resource},
    ]);
    put_role(aws, ROLE, json!([]), statements);
    aws.iam.principal = Principal::Session(Session::of(ROLE, "web"));
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
    assert_eq!(aws.iam.denials.len(), 3);
    assert_eq!(aws.iam.demanded["deploy"].len(), 7);
}

#[test]
fn alarms_are_tried_without_a_name_so_that_a_resource_with_a_name_is_not_enough() {
    let mut aws = account(1, 2);
    aws.settle_quirk(Quirk::ValidatesScalingCaller, true);
    for alarms in ["alarm:*", "alarm:TargetTracking-service/main/web-*"] {
        let alarms = aws.arn("cloudwatch", alarms);
        assert_eq!(
            error(registered_with(
                &mut aws,
                &ON_SERVICE,
                (&ON_ALARMS[..], alarms.as_str())
            )),
            "ValidationException: User is missing the following permissions: \
             cloudwatch:PutMetricAlarm, cloudwatch:DescribeAlarms, cloudwatch:DeleteAlarms"
        );
    }
}

#[test]
fn a_role_that_may_change_no_alarm_by_its_name_passes_the_check() {
    let mut aws = account(1, 2);
    aws.settle_quirk(Quirk::ValidatesScalingCaller, true);
    let service = "arn:aws:ecs:eu-west-1:111122223333:service/main/web";
    let statements = json!([
        {"Effect": "Allow", "Action": ON_SERVICE, "Resource": service},
        {"Effect": "Allow", "Action": ON_ALARMS, "Resource": "*"},
        {
            "Effect": "Deny", "Action": ["cloudwatch:PutMetricAlarm", "cloudwatch:DeleteAlarms"],
            "Resource": "arn:aws:cloudwatch:*:*:alarm:?*",
        },
    ]);
    put_role(&mut aws, ROLE, json!([]), statements);
    aws.iam.principal = Principal::Session(Session::of(ROLE, "web"));

    assert!(register(&mut aws, json!({"MinCapacity": 1, "MaxCapacity": 4})).is_ok());
    assert_eq!(aws.iam.denials, []);
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
