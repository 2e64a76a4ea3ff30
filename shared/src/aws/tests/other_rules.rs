//! The rules beside the production rule of a pair, and the tags of rules.

use std::collections::BTreeMap;

use super::load_balancing::{forward, group};
use super::script::{Answer, Script, run, xml, xml_refusal};
use crate::aws::Rules;
use crate::observed::listener_rule::OtherRule;

const LISTENER: &str = "arn:aws:elasticloadbalancing:eu-west-1:111122223333:listener/app/shop/1/2";
const RULE: &str =
    "arn:aws:elasticloadbalancing:eu-west-1:111122223333:listener-rule/app/shop/1/2/3";
const OTHER: &str =
    "arn:aws:elasticloadbalancing:eu-west-1:111122223333:listener-rule/app/shop/1/2/4";

fn listeners(next: Option<&str>) -> Answer {
    let listed =
        format!("<Listeners><member><ListenerArn>{LISTENER}</ListenerArn></member></Listeners>");
    xml("DescribeListeners", &format!("{listed}{}", marker(next)))
}

/// Where the next page begins.
fn marker(next: Option<&str>) -> String {
    next.map_or_else(String::new, |next| {
        format!("<NextMarker>{next}</NextMarker>")
    })
}

/// The rules of the listener, each with the weight of its only group, and its default action.
fn rules(rules: &[(&str, u32)]) -> Answer {
    page_of_rules(rules, None)
}

fn page_of_rules(rules: &[(&str, u32)], next: Option<&str>) -> Answer {
    let described = |(arn, weight): &(&str, u32)| {
        let actions = forward(&group("blue", Some(*weight)), "");
        let is_default = *arn == "default";
        format!(
            "<member><RuleArn>{arn}</RuleArn><IsDefault>{is_default}</IsDefault>\
             <Actions>{actions}</Actions></member>"
        )
    };
    let all: String = rules.iter().map(described).collect();
    let content = format!("<Rules>{all}</Rules>{}", marker(next));
    xml("DescribeRules", &content)
}

#[test]
fn all_rules_of_the_load_balancer_but_the_one_itself_are_beside_it() {
    let beside = |arn: &str| {
        let all = [(RULE, 1), (OTHER, 2), ("default", 3)];
        let script = Script::new([listeners(None), rules(&all)]);
        let found = run(Rules::new(&script.sdk()).beside(arn)).expect("understood");
        let found: Vec<_> = found
            .into_iter()
            .map(|rule| (rule.arn, rule.weights[0].1))
            .collect();
        (found, script)
    };

    let (found, script) = beside(RULE);
    assert_eq!(found, [(OTHER.to_owned(), 2), (LISTENER.to_owned(), 3)]);
    let sent = script.sent();
    assert_eq!(
        sent[0].form()["LoadBalancerArn"],
        "arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/app/shop/1"
    );
    assert_eq!(sent[1].form()["ListenerArn"], LISTENER);

    let (found, _) = beside(LISTENER);
    assert_eq!(found, [(RULE.to_owned(), 1), (OTHER.to_owned(), 2)]);
}

#[test]
fn a_rule_is_selective_by_a_header_a_query_or_a_source_address() {
    let selective = |fields: &[&str]| {
        let condition = |field: &&str| format!("<member><Field>{field}</Field></member>");
        let conditions: String = fields.iter().map(condition).collect();
        let actions = forward(&group("blue", Some(7)), "");
        let rule = format!(
            "<Rules><member><RuleArn>{OTHER}</RuleArn><IsDefault>false</IsDefault>\
             <Conditions>{conditions}</Conditions><Actions>{actions}</Actions></member></Rules>"
        );
        let script = Script::new([listeners(None), xml("DescribeRules", &rule)]);
        run(Rules::new(&script.sdk()).beside(RULE)).expect("understood")
    };
    let other = |is_selective| {
        vec![OtherRule {
            arn: OTHER.to_owned(),
            weights: vec![("blue".to_owned(), 7)],
            is_selective,
        }]
    };

    for fields in [
        &["http-header"][..],
        &["query-string"],
        &["source-ip"],
        &["path-pattern", "source-ip"],
    ] {
        assert_eq!(selective(fields), other(true), "{fields:?}");
    }
    for fields in [
        &["path-pattern", "host-header"][..],
        &["http-request-method"],
        &[],
    ] {
        assert_eq!(selective(fields), other(false), "{fields:?}");
    }
}

#[test]
fn every_page_of_listeners_is_read() {
    let script = Script::new([
        listeners(Some("more")),
        listeners(None),
        rules(&[]),
        rules(&[]),
    ]);
    let found = run(Rules::new(&script.sdk()).beside(RULE)).expect("understood");
    assert!(found.is_empty());
    assert_eq!(script.sent()[1].form()["Marker"], "more");
    assert!(script.is_played());
}

#[test]
fn every_page_of_rules_is_read() {
    let script = Script::new([
        listeners(None),
        page_of_rules(&[(RULE, 1)], Some("more")),
        rules(&[(OTHER, 2), ("default", 3)]),
    ]);
    let found = run(Rules::new(&script.sdk()).beside(RULE)).expect("understood");
    let found: Vec<&str> = found.iter().map(|rule| rule.arn.as_str()).collect();
    assert_eq!(found, [OTHER, LISTENER]);

    let next = script.sent()[2].form();
    assert_eq!(
        (next["ListenerArn"].as_str(), next["Marker"].as_str()),
        (LISTENER, "more")
    );
    assert!(script.is_played());
}

#[test]
fn a_listener_that_was_deleted_after_it_was_listed_has_no_rules() {
    for code in ["ListenerNotFound", "RuleNotFound"] {
        let script = Script::new([listeners(None), xml_refusal(code, "it is gone")]);
        let found = run(Rules::new(&script.sdk()).beside(RULE)).expect("understood");
        assert_eq!(found, []);
        assert!(script.is_played());
    }

    let script = Script::new([listeners(None), xml_refusal("UnsupportedProtocol", "no")]);
    let refused = run(Rules::new(&script.sdk()).beside(RULE)).expect_err("another refusal");
    assert_eq!(refused.code, "UnsupportedProtocol");
}

/// The tags of rules, each as a list in XML.
fn tags(members: &[(&str, &str)]) -> Answer {
    let member = |(arn, tags): &(&str, &str)| {
        format!("<member><ResourceArn>{arn}</ResourceArn><Tags>{tags}</Tags></member>")
    };
    let all: String = members.iter().map(member).collect();
    let content = format!("<TagDescriptions>{all}</TagDescriptions>");
    xml("DescribeTags", &content)
}

#[test]
fn a_tag_is_read_of_twenty_rules_in_one_call() {
    let all = (0..41).map(|number| format!("{LISTENER}/{number}"));
    let arns: Vec<String> = all.collect();
    let own = "<member><Key>team</Key><Value>web</Value></member>\
               <member><Key>route</Key><Value>yes</Value></member>";
    let other = "<member><Key>Route</Key><Value>true</Value></member>";
    let empty = "<member><Key>route</Key></member>";

    let script = Script::new([
        tags(&[(arns[0].as_str(), own), (arns[1].as_str(), other)]),
        tags(&[(arns[20].as_str(), empty)]),
        tags(&[(arns[40].as_str(), own)]),
    ]);
    let found = run(Rules::new(&script.sdk()).tags("route", &arns)).expect("understood");
    let expected = [(0_usize, "yes"), (20, ""), (40, "yes")];
    let expected = expected.map(|(number, value)| (arns[number].clone(), value.to_owned()));
    assert_eq!(found, BTreeMap::from(expected));

    assert!(script.is_played());
    for (sent, of) in script.sent().iter().zip(arns.chunks(20)) {
        let mut form = sent.form();
        form.retain(|name, _| name.starts_with("ResourceArns"));
        let named = (1..).zip(of);
        let named = named.map(|(at, arn)| (format!("ResourceArns.member.{at}"), arn.clone()));
        assert_eq!(form, named.collect::<BTreeMap<_, _>>());
    }
}

#[test]
fn no_call_reads_the_tags_of_no_rule() {
    let script = Script::new([]);
    let found = run(Rules::new(&script.sdk()).tags("route", &[])).expect("no call");
    assert_eq!(found, BTreeMap::new());
}

#[test]
fn a_rule_names_the_stack_that_made_it() {
    let stack = |of_rule: &str| {
        let script = Script::new([tags(&[(RULE, of_rule)])]);
        let found = run(Rules::new(&script.sdk()).stack(RULE)).expect("understood");
        assert_eq!(script.only().form()["ResourceArns.member.1"], RULE);
        found
    };

    assert_eq!(
        stack("<member><Key>team</Key><Value>web</Value></member>"),
        None
    );
    let own = "<member><Key>aws:cloudformation:stack-name</Key><Value>shop</Value></member>";
    assert_eq!(stack(own).as_deref(), Some("shop"));
}
