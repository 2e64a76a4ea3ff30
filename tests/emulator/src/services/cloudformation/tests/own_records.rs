//! The project's own templates for a pair whose traffic two weighted records route.

use super::own_pairs::{actions, own_parameters};
use super::own_roles::{
    OTHER_REPOSITORY, TARGETS, assert_same_but_for_the_pipeline, deploy_role, statements,
};
use super::own_templates::{account, deploy_functions, deploy_pipeline};
use super::*;
use crate::iam::{Access, Demand, evaluate};

pub(super) const RECORDS: [(&str, &str); 3] = [
    ("HostedZoneId", "Z0123456789ABCDEFGHI"),
    ("RecordName", "web.example.com"),
    ("RecordType", "CNAME"),
];

/// What adds statements to the deploy role.
const OTHERS: [(&str, &str); 2] = [
    ("OtherRepositoryArns", OTHER_REPOSITORY),
    ("ScalableTargetArns", TARGETS),
];

fn deployed() -> Aws {
    of_template("dns.yaml", &[&RECORDS[..], &OTHERS].concat())
}

/// An account with the pipeline `web` of a template.
fn of_template(template: &str, parameters: &[(&str, &str)]) -> Aws {
    let mut aws = account(1);
    deploy_functions(&mut aws);
    deploy_pipeline(&mut aws, template, parameters).unwrap();
    aws
}

#[test]
fn the_deploy_role_of_records_has_the_statements_of_that_of_a_rule_but_for_the_traffic() {
    let rule = "arn:aws:elasticloadbalancing:eu-west-1:111122223333:listener-rule/app/web/1/2/3";
    let without = |aws: &Aws, traffic: &[&str]| {
        let mut all = statements(aws, "web-pipeline");
        for sid in traffic {
            assert!(all.remove(*sid).is_some(), "there is no {sid}");
        }
        all
    };
    let of_records = [
        "ObserveTraffic",
        "ObserveRecords",
        "ShiftRecords",
        "FollowChange",
    ];

    for others in [&OTHERS[..], &[("Alarms", "a,b"), ("StopLine", "yes")]] {
        let by_rule = [&[("Rule", rule)][..], others].concat();
        let by_rule = of_template("blue-green.yaml", &by_rule);
        let by_records = of_template("dns.yaml", &[&RECORDS[..], others].concat());
        assert_eq!(
            without(&by_records, &of_records),
            without(&by_rule, &["ObserveTraffic", "ShiftTraffic"])
        );
    }
}

#[test]
fn the_template_of_a_deploy_role_allows_what_the_pipeline_of_records_does() {
    let mut aws = deployed();
    let services = [("BlueService", "web-blue"), ("GreenService", "web-green")];
    deploy_role(&mut aws, &[&RECORDS[..], &services].concat()).unwrap();
    assert_same_but_for_the_pipeline(&aws, None);

    // A pair has a rule or records.
    let neither = deploy_role(&mut aws, &services).unwrap_err().to_string();
    assert!(neither.contains("HostedZoneId and RecordName"), "{neither}");
}

#[test]
fn a_pipeline_of_records_changes_no_others() {
    let aws = deployed();
    let shift = &statements(&aws, "web-pipeline")["ShiftRecords"];
    let of = |zone: &str, name: &str, kind: &str, actions: &[&str]| {
        let key = |what: &str| format!("route53:ChangeResourceRecordSets{what}");
        let twice = |value: &str| [value.to_owned(), value.to_owned()];
        let actions = actions.iter().map(|action| (*action).to_owned());
        let demand = Demand::new(
            "route53:ChangeResourceRecordSets",
            format!("arn:aws:route53:::hostedzone/{zone}"),
        )
        .with_all(&key("NormalizedRecordNames"), twice(name))
        .with_all(&key("RecordTypes"), twice(kind))
        .with_all(&key("Actions"), actions);
        evaluate([shift], &demand).unwrap()
    };

    let [(_, zone), (_, name), (_, kind)] = RECORDS;
    let both = ["UPSERT", "UPSERT"];
    assert_eq!(of(zone, name, kind, &both), Access::Allowed);
    for denied in [
        of("Z9", name, kind, &both),
        of(zone, "www.example.com", kind, &both),
        of(zone, name, "A", &both),
        of(zone, name, kind, &["UPSERT", "DELETE"]),
    ] {
        assert_eq!(denied, Access::NotAllowed);
    }
}

#[test]
fn both_colours_of_records_have_a_url_to_check_or_neither() {
    let urls = [
        ("BlueCheckUrl", "https://blue.example.com/up"),
        ("GreenCheckUrl", "https://green.example.com/up"),
    ];
    let aws = of_template("dns.yaml", &[&RECORDS[..], &urls].concat());
    let check = json!({
        "name": "url", "url": urls[0].1, "green_url": urls[1].1, "attempts": 5, "required": 3,
    });
    assert_eq!(
        own_parameters(&actions(&aws), "check"),
        json!({ "http_checks": [check] })
    );

    for one in urls {
        let mut aws = account(1);
        deploy_functions(&mut aws);
        let refused = deploy_pipeline(&mut aws, "dns.yaml", &[&RECORDS[..], &[one]].concat());
        assert_eq!(
            refused.unwrap_err().problem,
            "BlueCheckUrl and GreenCheckUrl must be given together."
        );
    }
}
