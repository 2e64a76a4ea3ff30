use super::*;

/// The shares of the balancers by their names, rounded to thousandths, and the TTL in seconds.
fn shares(aws: &mut Aws) -> (BTreeMap<String, f64>, i64) {
    let answers = answers(aws, NAME);
    let named = answers.balancers.iter().map(|(arn, share)| {
        let balancer = &aws.elb.load_balancers[arn];
        (balancer.name.clone(), (share * 1000.0).round() / 1000.0)
    });
    (named.collect(), answers.ttl / 1000)
}

fn of(pairs: &[(&str, f64)]) -> BTreeMap<String, f64> {
    let owned = pairs
        .iter()
        .map(|(name, share)| ((*name).to_owned(), *share));
    owned.collect()
}

/// Changes that every server has.
fn change_and_wait(aws: &mut Aws, zone: &str, changes: &[String]) {
    let (status, body) = change(aws, zone, changes);
    assert_eq!(status, 200, "{body}");
    aws.now += 60_000;
}

#[test]
fn queries_are_answered_by_weight() {
    let (mut aws, zone) = world();
    let [blue, green] = ["blue", "green"].map(|name| balancer(&mut aws, name, true).dns_name);
    for (weights, expected) in [
        ((90, 10), of(&[("blue", 0.9), ("green", 0.1)])),
        ((255, 0), of(&[("blue", 1.0)])),
        ((0, 1), of(&[("green", 1.0)])),
        ((0, 0), of(&[("blue", 0.5), ("green", 0.5)])),
    ] {
        let changes = [
            weighted("UPSERT", "blue", weights.0, 300, &blue),
            weighted("UPSERT", "green", weights.1, 300, &green),
        ];
        change_and_wait(&mut aws, &zone, &changes);
        assert_eq!(shares(&mut aws), (expected, 300), "{weights:?}");
    }
}

#[test]
fn an_alias_is_answered_for_a_minute_and_by_the_health_of_its_target() {
    let (mut aws, zone) = world();
    let blue = balancer(&mut aws, "blue", true).dns_name;
    let green = balancer(&mut aws, "green", false).dns_name;
    let set = |aws: &mut Aws, weights: (i64, i64), evaluates: bool| {
        let changes = [
            weighted_alias("UPSERT", "blue", weights.0, &blue, evaluates),
            weighted_alias("UPSERT", "green", weights.1, &green, evaluates),
        ];
        change_and_wait(aws, &zone, &changes);
        shares(aws)
    };
    let both = of(&[("blue", 0.5), ("green", 0.5)]);
    assert_eq!(set(&mut aws, (1, 1), false), (both.clone(), 60));
    assert_eq!(set(&mut aws, (1, 1), true), (of(&[("blue", 1.0)]), 60));
    assert_eq!(
        set(&mut aws, (0, 1), true),
        (of(&[("blue", 1.0)]), 60),
        "weight 0 counts when nothing else is healthy"
    );
    assert_eq!(
        set(&mut aws, (0, 0), true),
        (of(&[("blue", 1.0)]), 60),
        "all weights 0 are equal among what is healthy"
    );

    let groups: Vec<String> = aws.elb.target_groups.keys().cloned().collect();
    for group in groups {
        elb::set_answering(&mut aws, &group, "blue", 80, false);
    }
    aws.now += 60_000;
    assert_eq!(
        set(&mut aws, (1, 1), true),
        (both, 60),
        "everything counts as healthy when nothing is"
    );
}

#[test]
fn a_balancer_with_an_empty_group_is_unhealthy_or_not() {
    for empty_fails in [false, true] {
        let (mut aws, zone) = world();
        aws.settle_quirk(Quirk::EmptyGroupIsUnhealthy, empty_fails);
        let [blue, green] = ["blue", "green"].map(|name| balancer(&mut aws, name, true));
        let spare = json!({"Name": "spare", "TargetType": "ip", "Port": 80});
        let spare = elb::create_target_group(&mut aws, &spare).unwrap()["Arn"].clone();
        let listener = json!({
            "LoadBalancerArn": green.arn, "Port": 81, "Protocol": "HTTP",
            "DefaultActions": [{"Type": "forward", "TargetGroupArn": spare}],
        });
        elb::create_listener(&mut aws, &listener).unwrap();
        let changes = [
            weighted_alias("CREATE", "blue", 1, &blue.dns_name, true),
            weighted_alias("CREATE", "green", 1, &green.dns_name, true),
        ];
        change_and_wait(&mut aws, &zone, &changes);

        let expected = if empty_fails {
            of(&[("blue", 1.0)])
        } else {
            of(&[("blue", 0.5), ("green", 0.5)])
        };
        assert_eq!(shares(&mut aws).0, expected);
    }
}

#[test]
fn a_server_has_a_pending_change_or_not_and_one_that_is_insync() {
    let (mut aws, zone) = world();
    let [blue, green] = ["blue", "green"].map(|name| balancer(&mut aws, name, true).dns_name);
    let all_to = |to: [i64; 2]| {
        [
            weighted("UPSERT", "blue", to[0], 60, &blue),
            weighted("UPSERT", "green", to[1], 60, &green),
        ]
    };
    change_and_wait(&mut aws, &zone, &all_to([1, 0]));
    let mut seen = [0, 0];
    for _ in 0..8 {
        let (_, body) = change(&mut aws, &zone, &all_to([0, 1]));
        let id = element(&body, "Id");
        let read = |aws: &mut Aws| element(&send(aws, "GET", &id[1..], "").1, "Status");
        while read(&mut aws) == "PENDING" {
            let sees = shares(&mut aws).0 == of(&[("green", 1.0)]);
            seen[usize::from(sees)] += 1;
            aws.now += 1000;
        }
        assert_eq!(shares(&mut aws).0, of(&[("green", 1.0)]));
        change_and_wait(&mut aws, &zone, &all_to([1, 0]));
    }
    assert!(seen[0] > 0 && seen[1] > 0, "{seen:?}");
}

#[test]
fn a_name_leads_over_another_one_of_the_zone() {
    let (mut aws, zone) = world();
    let blue = balancer(&mut aws, "blue", true).dns_name;
    let changes = [
        simple("CREATE", "blue.example.com", "CNAME", &blue),
        weighted("CREATE", "blue", 1, 30, "Blue.Example.com"),
        weighted("CREATE", "elsewhere", 1, 30, "www.example.org"),
    ];
    change_and_wait(&mut aws, &zone, &changes);
    assert_eq!(shares(&mut aws), (of(&[("blue", 0.5)]), 60));
}
