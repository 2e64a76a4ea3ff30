//! The names of the load balancers of target groups, and what their targets speak.

use std::collections::{BTreeMap, BTreeSet};

use super::script::{Answer, Script, run, xml};
use crate::aws::Balancers;
use crate::observed::balancers::BalancerNames;

/// Groups, each with its load balancer.
fn groups(all: &[(&str, Option<&str>)], next: &str) -> Answer {
    let members = all.iter().map(|(group, balancer)| {
        let balancer = balancer.map_or_else(String::new, |arn| format!("<member>{arn}</member>"));
        format!(
            "<member><TargetGroupArn>{group}</TargetGroupArn>\
             <LoadBalancerArns>{balancer}</LoadBalancerArns></member>"
        )
    });
    let members: String = members.collect();
    let list = format!("<TargetGroups>{members}</TargetGroups>{next}");
    xml("DescribeTargetGroups", &list)
}

/// Load balancers, each with its name.
fn balancers(all: &[(&str, &str)], next: &str) -> Answer {
    let members = all.iter().map(|(arn, name)| {
        format!(
            "<member><LoadBalancerArn>{arn}</LoadBalancerArn>\
             <DNSName>{name}.eu-west-1.elb.amazonaws.com</DNSName></member>"
        )
    });
    let members: String = members.collect();
    let list = format!("<LoadBalancers>{members}</LoadBalancers>{next}");
    xml("DescribeLoadBalancers", &list)
}

fn names_of(script: &Script, groups: &[&str]) -> BalancerNames {
    let groups: BTreeSet<&str> = groups.iter().copied().collect();
    let names = run(Balancers::new(&script.sdk()).names_of(&groups));
    names.expect("understood")
}

/// The names of each group.
fn named(all: &[(&str, &[&str])]) -> BalancerNames {
    let owned = all.iter().map(|(group, names)| {
        let names = names
            .iter()
            .map(|name| format!("{name}.eu-west-1.elb.amazonaws.com"));
        ((*group).to_owned(), names.collect())
    });
    owned.collect()
}

#[test]
fn two_calls_have_the_names_of_all_target_groups() {
    let all = [
        ("admin", Some("one")),
        ("blue", Some("one")),
        ("green", Some("two")),
        ("idle", None),
    ];
    let script = Script::new([
        groups(&all, ""),
        balancers(&[("two", "Shop-2"), ("one", "Shop-1")], ""),
    ]);
    let names = names_of(&script, &["blue", "admin", "green", "idle"]);
    assert_eq!(
        names,
        named(&[
            ("admin", &["shop-1"]),
            ("blue", &["shop-1"]),
            ("green", &["shop-2"]),
            ("idle", &[]),
        ])
    );

    let sent = script.sent();
    assert_eq!(sent.len(), 2);
    assert_eq!(sent[0].form()["TargetGroupArns.member.4"], "idle");
    assert_eq!(sent[1].form()["LoadBalancerArns.member.2"], "two");
    assert!(!sent[1].form().contains_key("LoadBalancerArns.member.3"));
}

#[test]
fn all_pages_of_both_lists_are_read() {
    let next = "<NextMarker>more</NextMarker>";
    let script = Script::new([
        groups(&[("blue", Some("one"))], next),
        groups(&[("green", Some("two"))], ""),
        balancers(&[("one", "shop-1")], next),
        balancers(&[("two", "shop-2")], ""),
    ]);
    let names = names_of(&script, &["blue", "green"]);
    assert_eq!(
        names,
        named(&[("blue", &["shop-1"]), ("green", &["shop-2"])])
    );
    for second in [1, 3] {
        let sent = script.sent()[second].form();
        assert_eq!(sent["Marker"], "more");
    }
}

#[test]
fn target_groups_that_no_load_balancer_uses_have_no_names() {
    let script = Script::new([groups(&[("blue", None)], "")]);
    assert_eq!(names_of(&script, &["blue"]), BTreeMap::new());
}

#[test]
fn a_target_group_speaks_grpc_if_that_is_its_protocol_version() {
    for (version, expected) in [("GRPC", true), ("HTTP2", false), ("HTTP1", false)] {
        let group = format!(
            "<TargetGroups><member><TargetGroupArn>blue</TargetGroupArn>\
             <ProtocolVersion>{version}</ProtocolVersion></member></TargetGroups>"
        );
        let script = Script::new([xml("DescribeTargetGroups", &group)]);
        let speaks = run(Balancers::new(&script.sdk()).speaks_grpc("blue"));
        assert_eq!(speaks.expect("understood"), expected, "{version}");
    }
}
