use super::*;

pub(crate) fn key() -> RecordKey {
    RecordKey {
        zone: "Z1".to_owned(),
        name: "shop.example.com.".to_owned(),
        kind: "CNAME".to_owned(),
        identifiers: PerColour {
            blue: "shop-blue".to_owned(),
            green: "shop-green".to_owned(),
        },
    }
}

pub(crate) fn set(colour: Colour, weight: u32) -> RecordSetView {
    RecordSetView {
        kind: "CNAME".to_owned(),
        identifier: Some(key().identifiers.of(colour).clone()),
        weight: Some(weight),
        ttl: Some(30),
        target: format!("{colour}.eu-west-1.elb.amazonaws.com"),
        alias_zone: None,
        checks_health: false,
        by_policy: false,
    }
}

fn both() -> [RecordSetView; 2] {
    [set(Colour::Blue, 100), set(Colour::Green, 0)]
}

fn aliases() -> [RecordSetView; 2] {
    both().map(|set| RecordSetView {
        ttl: None,
        alias_zone: Some("Z2".to_owned()),
        ..set
    })
}

fn refusal(sets: &[RecordSetView]) -> String {
    key().view(sets).expect_err("protected").to_string()
}

/// Both records, after a change of green's.
fn after(edit: impl FnOnce(&mut RecordSetView)) -> [RecordSetView; 2] {
    let mut sets = both();
    edit(&mut sets[1]);
    sets
}

#[test]
fn both_weighted_records_are_found_with_their_weights_and_targets() {
    let text = RecordSetView {
        kind: "TXT".to_owned(),
        weight: None,
        ..set(Colour::Blue, 0)
    };
    let [blue, green] = both();
    let seen = key().view(&[green, text, blue]).expect("weighted");

    assert_eq!(
        seen.weights,
        Weights {
            blue: 100,
            green: 0
        }
    );
    assert_eq!(
        seen.pair.targets.as_array(),
        [
            "blue.eu-west-1.elb.amazonaws.com",
            "green.eu-west-1.elb.amazonaws.com"
        ]
    );
    assert_eq!(seen.pair.ttl(), Duration::from_secs(30));
}

#[test]
fn an_alias_of_a_load_balancer_is_kept_for_a_minute() {
    let seen = key().view(&aliases()).expect("weighted");
    assert_eq!(seen.pair.ttl, 60);
}

#[test]
fn a_record_with_another_policy_type_or_identifier_is_protected() {
    let start = "the CNAME record shop.example.com. ";
    assert_eq!(
        refusal(&[]),
        format!("{start}does not exist; expected two weighted records with this name and type")
    );

    for (sets, expected) in [
        (
            after(|set| set.weight = None),
            "has a routing policy other than weighted; expected two weighted records; create them \
             with a set identifier and a weight each",
        ),
        (
            after(|set| set.kind = "AAAA".to_owned()),
            "is beside one of type AAAA, which clients may use too and no release moves; expected \
             one type of address with this name; remove the other",
        ),
        (
            after(|set| set.identifier = Some("third".to_owned())),
            "has the set identifiers shop-blue, third; expected exactly shop-blue and shop-green",
        ),
        (
            after(|set| set.by_policy = true),
            "is managed by a traffic policy, which sets its weights; expected records without one",
        ),
    ] {
        assert_eq!(refusal(&sets), format!("{start}{expected}"));
    }

    let third = RecordSetView {
        identifier: Some("third".to_owned()),
        ..set(Colour::Blue, 0)
    };
    let [blue, green] = both();
    let found = refusal(&[blue, green, third]);
    assert!(
        found.contains("has the set identifiers shop-blue, shop-green, third;"),
        "{found}"
    );
}

#[test]
fn a_record_that_checks_health_is_protected() {
    for (checks, named) in [
        ([true, false], "blue"),
        ([false, true], "green"),
        ([true, true], "both colours"),
    ] {
        let mut sets = aliases();
        for (set, checks_health) in sets.iter_mut().zip(checks) {
            set.checks_health = checks_health;
        }
        assert_eq!(
            refusal(&sets),
            format!(
                "the CNAME record shop.example.com. checks the health of {named}: while a record \
                 is unhealthy, Route 53 answers with the other one, at weight 0 too; expected no \
                 health check, and EvaluateTargetHealth false"
            )
        );
    }
}

#[test]
fn records_that_both_check_health_keep_no_open_release_from_its_traffic() {
    let recorded = key().view(&both()).expect("weighted").pair;
    let checked = both().map(|set| RecordSetView {
        checks_health: true,
        ..set
    });
    let weights = Weights {
        blue: 100,
        green: 0,
    };
    assert_eq!(recorded.weights_in(&checked), Ok(weights));
    assert!(key().view(&checked).is_err(), "none begins");
}

#[test]
fn what_a_stack_update_changes_beside_the_weights_hides_none_of_them() {
    let recorded = key().view(&both()).expect("weighted").pair;
    let reset = Some(Weights {
        blue: 100,
        green: 0,
    });
    let other_type = RecordSetView {
        kind: "AAAA".to_owned(),
        ..set(Colour::Blue, 0)
    };
    let [blue, green] = both();
    for changed in [
        vec![blue, green, other_type],
        after(|set| set.ttl = Some(301)).to_vec(),
        after(|set| set.checks_health = true).to_vec(),
    ] {
        assert_eq!(key().weights(&changed), reset, "{changed:?}");
        assert!(recorded.weights_in(&changed).is_err(), "{changed:?}");
        assert_eq!(recorded.new_targets(&changed), None);
    }

    let elsewhere = after(|set| set.target = "other.example.com".to_owned());
    assert_eq!(key().weights(&elsewhere), reset);
    let targets = recorded.new_targets(&elsewhere).expect("others");
    assert_eq!(
        targets.as_array(),
        ["blue.eu-west-1.elb.amazonaws.com", "other.example.com"]
    );

    for not_two in [
        after(|set| set.identifier = Some("third".to_owned())),
        after(|set| set.weight = None),
        after(|set| set.by_policy = true),
    ] {
        assert_eq!(key().weights(&not_two), None, "{not_two:?}");
    }
}

#[test]
fn answers_are_kept_for_five_minutes_at_most() {
    let with = |ttl| {
        both().map(|set| RecordSetView {
            ttl: Some(ttl),
            ..set
        })
    };
    assert_eq!(key().view(&with(300)).expect("short").pair.ttl, 300);
    assert_eq!(
        refusal(&with(301)),
        "the CNAME record shop.example.com. has a TTL of 301 s; expected at most 300 s, for which \
         each step waits"
    );

    let own = aliases().map(|set| RecordSetView {
        alias_zone: Some("Z1".to_owned()),
        ..set
    });
    let found = refusal(&own);
    assert!(
        found.contains("is an alias of blue.eu-west-1.elb"),
        "{found}"
    );
}

#[test]
fn a_record_that_another_writer_changed_is_protected() {
    let recorded = key().view(&both()).expect("weighted").pair;
    let moved = after(|set| set.weight = Some(20));
    assert_eq!(
        recorded.weights_in(&moved),
        Ok(Weights {
            blue: 100,
            green: 20
        })
    );

    let elsewhere = after(|set| set.target = "other.example.com".to_owned());
    let found = recorded.weights_in(&elsewhere).expect_err("changed");
    assert_eq!(
        found.to_string(),
        "the CNAME record shop.example.com. leads to other.example.com for green; expected \
         green.eu-west-1.elb.amazonaws.com as when the release began: another writer changed it"
    );

    let with_ttl = |ttl| {
        both().map(|set| RecordSetView {
            ttl: Some(ttl),
            ..set
        })
    };
    assert!(
        recorded.weights_in(&with_ttl(5)).is_ok(),
        "waits are long enough"
    );
    let slower = with_ttl(60);
    assert_eq!(
        recorded.weights_in(&slower).expect_err("changed").reason,
        Protection::ChangedTtl {
            found: 60,
            expected: 30
        }
    );

    let same = after(|set| set.target = "blue.eu-west-1.elb.amazonaws.com".to_owned());
    let found = refusal(&same);
    assert!(found.contains("for both colours; expected"), "{found}");
}

#[test]
fn the_longer_of_both_ttls_is_waited_for() {
    for (blue, green) in [(60, 30), (30, 60)] {
        let [mut first, mut second] = both();
        first.ttl = Some(blue);
        second.ttl = Some(green);
        let seen = key().view(&[first, second]).expect("weighted");
        assert_eq!(seen.pair.ttl, 60, "{blue} and {green}");
    }
}

#[test]
fn any_type_of_address_beside_the_records_protects_them() {
    for kind in ["A", "AAAA", "HTTPS", "SVCB"] {
        let other = RecordSetView {
            kind: kind.to_owned(),
            ..set(Colour::Blue, 0)
        };
        let [blue, green] = both();
        let found = refusal(&[blue, green, other]);
        let start = format!("the CNAME record shop.example.com. is beside one of type {kind}, ");
        assert!(found.starts_with(&start), "{found}");
    }
}

#[test]
fn a_target_of_blue_that_another_writer_changed_is_found() {
    let recorded = key().view(&both()).expect("weighted").pair;
    let mut elsewhere = both();
    elsewhere[0].target = "other.example.com".to_owned();
    assert_eq!(
        recorded.weights_in(&elsewhere).expect_err("changed").reason,
        Protection::Changed {
            colour: Colour::Blue,
            found: "other.example.com".to_owned(),
            expected: "blue.eu-west-1.elb.amazonaws.com".to_owned(),
        }
    );
}

#[test]
fn a_host_of_a_colour_is_neither_the_name_of_the_records_nor_of_the_other_colour() {
    let pair = key().view(&both()).expect("weighted").pair;
    let of_green = |host: &str| pair.other_than(Colour::Green, host);
    let name = Some("the name of the records".to_owned());
    assert_eq!(of_green("Shop.example.com"), name);
    assert_eq!(of_green("shop.example.com."), name);

    let blue = Some("the load balancer of blue".to_owned());
    assert_eq!(of_green("blue.eu-west-1.elb.amazonaws.com"), blue);
    assert_eq!(of_green("dualstack.BLUE.eu-west-1.elb.amazonaws.com"), blue);
    for own in ["green.eu-west-1.elb.amazonaws.com", "green.example.com"] {
        assert_eq!(of_green(own), None);
    }
}
