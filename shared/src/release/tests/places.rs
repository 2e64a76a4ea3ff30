//! What the last release of a pair left is used by the pairs of the same place only.

use super::closing::{closed, known_before};
use super::*;
use crate::observed::colour::Colour::{Blue, Green};
use crate::observed::record::tests::{key, set};

/// A rule of this number in a region and an account.
fn rule_in(place: &str, number: u32) -> Route {
    let balancing = format!("arn:aws:elasticloadbalancing:{place}");
    Route::Rule(format!("{balancing}:listener-rule/app/web/1/2/{number}"))
}

/// Two records of this name in a zone.
fn records_in(zone: &str, name: &str, ttl: u32) -> Route {
    let sets = [set(Blue, 100), set(Green, 0)];
    let mut pair = key().view(&sets).expect("weighted records").pair;
    pair.key.zone = zone.to_owned();
    pair.key.name = name.to_owned();
    pair.ttl = ttl;
    Route::Record(Box::new(pair))
}

/// What a release of the pair behind `own` uses of what one behind `found` left: which colour is
/// live, what it owes, and its role.
fn used(own: &Route, found: &Route) -> (bool, Option<bool>, bool) {
    let role = DeployRole {
        arn: "arn:aws:iam::111122223333:role/deploy".to_owned(),
        external_id: "arn:aws:codepipeline:eu-west-1:111122223333:web".to_owned(),
        region: None,
    };
    let rule = KnownRule {
        route: found.clone(),
        deploy_role: Some(role),
        ..known_rule()
    };
    let known = LastKnownRouting {
        rule: Some(rule),
        ..known_before()
    };
    let is_of = known.is_of(&PerColour::services(None, "web"), "web", own);

    let mut lease = with_pair(open_pair(), |pair| {
        pair.prior.route.clone_from(own);
        pair.scale_in_suspended = None;
    });
    lease.last_known = Some(known);
    let (free, _) = closed(&lease, Outcome::Failed, "because", now());
    let left = free.last_known.expect("a pair leaves something");
    let rule = left.rule.expect("its route");
    assert_eq!(rule.route, *own);
    (
        is_of,
        left.scaling_to_restore
            .blue
            .map(|owed| owed.scale_in_suspended),
        rule.deploy_role.is_some(),
    )
}

#[test]
fn what_a_pair_left_in_another_region_or_account_is_not_of_one_of_the_same_name() {
    let own = rule_in("eu-west-1:111122223333", 1);
    for number in [1, 2] {
        let found = rule_in("eu-west-1:111122223333", number);
        assert_eq!(used(&own, &found), (true, Some(true), true));
    }
    for place in ["eu-central-1:111122223333", "eu-west-1:444455556666"] {
        assert_eq!(used(&own, &rule_in(place, 1)), (false, None, false));
    }
}

#[test]
fn what_a_pair_left_behind_records_is_of_the_same_name_in_the_same_zone() {
    let own = records_in("Z1", "shop.example.com.", 30);
    let slower = records_in("Z1", "shop.example.com.", 60);
    assert_eq!(used(&own, &slower), (true, Some(true), true));

    for other in [
        records_in("Z9", "shop.example.com.", 30),
        records_in("Z1", "web.example.com.", 30),
        rule_in("eu-west-1:111122223333", 1),
    ] {
        assert_eq!(used(&own, &other), (false, None, false));
        assert_eq!(used(&other, &own), (false, None, false));
    }
}
