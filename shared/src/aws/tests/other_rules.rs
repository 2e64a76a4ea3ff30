//! The rules beside the production rule of a pair, and the stack that made a rule.

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

#[test]
fn a_rule_names_the_stack_that_made_it() {
    let stack = |tags: &str| {
        let described = format!(
            "<TagDescriptions><member><ResourceArn>{RULE}</ResourceArn><Tags>{tags}</Tags>\
             </member></TagDescriptions>"
        );
        let script = Script::new([xml("DescribeTags", &described)]);
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
