use super::*;

#[test]
fn a_batch_is_pending_until_every_server_has_it() {
    let (mut aws, zone) = world();
    let (status, body) = change(&mut aws, &zone, &[weighted("CREATE", "blue", 100, 60, "b")]);
    assert_eq!(
        (status, element(&body, "Status").as_str()),
        (200, "PENDING")
    );
    assert_eq!(element(&body, "Comment"), "a &amp; b");
    let in_sync_at = aws.route53.zone(&zone).and_then(HostedZone::in_sync_at);
    let takes = in_sync_at.unwrap() - aws.now;
    assert!((1..=60_000).contains(&takes), "{takes}");

    let path = element(&body, "Id");
    let path = path.trim_start_matches('/');
    let statuses: Vec<String> = (0..=60)
        .map(|_| {
            aws.now += 1000;
            element(&send(&mut aws, "GET", path, "").1, "Status")
        })
        .collect();
    assert_eq!(statuses.last().unwrap(), "INSYNC");
    assert!(
        statuses.is_sorted_by_key(|status| status == "INSYNC"),
        "{statuses:?}"
    );

    let (status, body) = send(&mut aws, "GET", "change/C0", "");
    assert_eq!(
        (status, element(&body, "Code").as_str()),
        (404, "NoSuchChange")
    );
}

#[test]
fn all_changes_of_a_batch_are_made_or_none() {
    let (mut aws, zone) = world();
    let cname = simple("CREATE", NAME, "CNAME", "old.example.org");
    assert_eq!(change(&mut aws, &zone, &[cname]).0, 200);

    // The deletion that makes room for the other type is in the same batch.
    let deletion = simple("DELETE", NAME, "CNAME", "old.example.org");
    let address = simple("CREATE", NAME, "A", "192.0.2.1");
    let (_, message) = refusal(&mut aws, &zone, &[&address]);
    assert_eq!(
        message,
        "[RRSet of type A with DNS name shop.example.com. is not permitted because a conflicting \
         RRSet of type CNAME with the same DNS name already exists in zone example.com.]"
    );
    let wrong = simple("DELETE", "other.example.com", "A", "192.0.2.1");
    refusal(&mut aws, &zone, &[&deletion, &address, &wrong]);
    assert_eq!(change(&mut aws, &zone, &[deletion, address]).0, 200);
}

#[test]
fn a_refused_batch_names_everything_that_is_wrong() {
    let (mut aws, zone) = world();
    let there = simple("CREATE", NAME, "A", "192.0.2.1");
    assert_eq!(change(&mut aws, &zone, &[&there]).0, 200);

    let absent = simple("DELETE", "none.example.com", "A", "192.0.2.1");
    let elsewhere = simple("CREATE", "www.example.org", "A", "192.0.2.1");
    let (code, message) = refusal(&mut aws, &zone, &[there, absent, elsewhere]);
    assert_eq!(code, "InvalidChangeBatch");
    assert_eq!(
        message,
        "[Tried to create resource record set [name='shop.example.com.', type='A'] but it already \
         exists, Tried to delete resource record set [name='none.example.com.', type='A'] but it \
         was not found, RRSet with DNS name www.example.org. is not permitted in zone \
         example.com.]"
    );
}

#[test]
fn a_deletion_must_name_the_values_that_are_there() {
    let (mut aws, zone) = world();
    let there = weighted("CREATE", "blue", 100, 60, "b.example.org");
    assert_eq!(change(&mut aws, &zone, &[there]).0, 200);

    for wrong in [
        weighted("DELETE", "blue", 99, 60, "b.example.org"),
        weighted("DELETE", "blue", 100, 61, "b.example.org"),
        weighted("DELETE", "blue", 100, 60, "g.example.org"),
    ] {
        let (code, message) = refusal(&mut aws, &zone, &[wrong]);
        assert_eq!(code, "InvalidChangeBatch");
        assert_eq!(
            message,
            "[Tried to delete resource record set [name='shop.example.com.', type='CNAME', \
             set-identifier='blue'] but the values provided do not match the current values]"
        );
    }
    let right = weighted("DELETE", "blue", 100, 60, "b.example.org");
    let twice = refusal(&mut aws, &zone, &[&right, &right]);
    assert!(twice.1.contains("invalid set of changes"), "{}", twice.1);
    assert_eq!(change(&mut aws, &zone, &[right]).0, 200);
}

#[test]
fn weighted_sets_have_identifier_weight_and_one_ttl() {
    let (mut aws, zone) = world();
    let blue = weighted("UPSERT", "blue", 100, 60, "b.example.org");
    let green = weighted("UPSERT", "green", 0, 60, "g.example.org");
    assert_eq!(change(&mut aws, &zone, &[blue, green]).0, 200);

    let other_ttl = weighted("UPSERT", "green", 0, 300, "g.example.org");
    assert_eq!(
        refusal(&mut aws, &zone, &[other_ttl]).1,
        "[RRSet with DNS name shop.example.com. and type CNAME, SetIdentifier green cannot be \
         created as weighted sets must contain the same TTL.]"
    );
    let plain = simple("UPSERT", NAME, "CNAME", "b.example.org");
    assert_eq!(
        refusal(&mut aws, &zone, &[plain]).1,
        "[RRSet with DNS name shop.example.com., type CNAME cannot be created as other RRSets \
         exist with the same name and type.]"
    );
    let other = simple("CREATE", "plain.example.com", "CNAME", "b.example.org");
    assert_eq!(change(&mut aws, &zone, &[other]).0, 200);
    let beside = weighted("CREATE", "blue", 1, 60, "b").replace(NAME, "plain.example.com");
    let message = refusal(&mut aws, &zone, &[beside]).1;
    assert!(
        message.contains("as a non-weighted set exists"),
        "{message}"
    );
}

#[test]
fn a_change_that_the_model_excludes_is_invalid_input() {
    let (mut aws, zone) = world();
    let of = |change: String| {
        let (mut aws, zone) = (aws.clone(), zone.clone());
        let (code, message) = refusal(&mut aws, &zone, &[change]);
        assert_eq!(code, "InvalidInput");
        message
    };
    let blue = weighted("UPSERT", "blue", 100, 60, "b");
    assert_eq!(
        of(blue.replace("<Weight>100", "<Weight>256")),
        "1 validation error detected: Value '256' at \
         'changeBatch.changes.1.member.resourceRecordSet.weight' failed to satisfy constraint: \
         Member must have value less than or equal to 255"
    );
    assert_eq!(
        of(blue.replace("<Weight>100</Weight>", "")),
        "Invalid request: Expected exactly one of [Weight, Region, Failover, GeoLocation, \
         MultiValueAnswer, GeoProximityLocation, or CidrRoutingConfig], but found none in Change \
         with [Action=UPSERT, Name=shop.example.com, Type=CNAME, SetIdentifier=blue]"
    );
    assert_eq!(
        of(blue.replace("<SetIdentifier>blue</SetIdentifier>", "")),
        "Invalid request: Missing field 'SetIdentifier' in Change with [Action=UPSERT, \
         Name=shop.example.com, Type=CNAME, SetIdentifier=null]"
    );
    assert_eq!(
        of(blue.replace("<TTL>60</TTL>", "")),
        "Invalid request: Expected exactly one of [AliasTarget, all of [TTL, and \
         ResourceRecords], or TrafficPolicyInstanceId], but found none in Change with \
         [Action=UPSERT, Name=shop.example.com, Type=CNAME, SetIdentifier=blue]"
    );
    assert!(of(blue.replace("UPSERT", "REPLACE")).contains("[CREATE, DELETE, UPSERT]"));
    let (status, body) = send(
        &mut aws,
        "POST",
        &format!("hostedzone/{zone}/rrset"),
        "<Cut",
    );
    assert_eq!(
        (status, element(&body, "Code").as_str()),
        (400, "InvalidInput")
    );
}

#[test]
fn an_alias_names_a_balancer_of_its_zone() {
    let (mut aws, zone) = world();
    let blue = balancer(&mut aws, "blue", false).dns_name;
    let right = weighted_alias("CREATE", "blue", 1, &format!("dualstack.{blue}"), true);
    assert_eq!(change(&mut aws, &zone, &[&right]).0, 200);

    let absent = weighted_alias(
        "CREATE",
        "green",
        1,
        "green-1.eu-west-1.elb.amazonaws.com",
        true,
    );
    assert_eq!(
        refusal(&mut aws, &zone, &[absent]).1,
        "[Tried to create an alias that targets green-1.eu-west-1.elb.amazonaws.com., type A in \
         zone Z32O12XQLNTSW2, but that target was not found]"
    );
    let elsewhere = right
        .replace(elb::hosted_zone("eu-west-1"), "Z1")
        .replace("CREATE", "UPSERT");
    let message = refusal(&mut aws, &zone, &[elsewhere]).1;
    assert!(
        message.contains("type A in zone Z1, but the alias target name does not lie within"),
        "{message}"
    );
    let with_ttl = right.replace("<AliasTarget>", "<TTL>60</TTL><AliasTarget>");
    let message = refusal(&mut aws, &zone, &[with_ttl]).1;
    assert!(
        message.contains("but found more than one in Change"),
        "{message}"
    );
}

#[test]
fn an_alias_names_the_zone_of_the_region_of_its_balancer() {
    let named = |name: &str, zone: &str| {
        let alias = weighted_alias("CREATE", "blue", 1, name, false);
        alias.replace(elb::hosted_zone("eu-west-1"), zone)
    };
    for (region, zone, other) in [
        ("us-east-1", "Z35SXDOTRQ7X7K", "Z32O12XQLNTSW2"),
        ("us-gov-west-1", "Z33AYJ8TM3BH4J", "Z166TLBEWOO7G0"),
        ("cn-northwest-1", "ZM7IZAIOVVDZF", "Z1GDH35T77C1KE"),
    ] {
        let (mut aws, of_name) = world();
        aws.region = region.to_owned();
        let balancer = elb::create_load_balancer(&mut aws, &json!({"Name": "blue"})).unwrap();
        assert_eq!(balancer["CanonicalHostedZoneID"], zone);

        let name = balancer["DNSName"].as_str().unwrap();
        let message = refusal(&mut aws, &of_name, &[named(name, other)]).1;
        assert!(
            message.contains("does not lie within the target zone"),
            "{message}"
        );
        assert_eq!(change(&mut aws, &of_name, &[named(name, zone)]).0, 200);
    }
}

#[test]
fn an_alias_names_a_balancer_of_another_region() {
    let (mut aws, zone) = world();
    let balancer = aws.in_region("eu-central-1", |aws| {
        elb::create_load_balancer(aws, &json!({"Name": "blue"})).unwrap()
    });
    let name = balancer["DNSName"].as_str().unwrap();
    let alias = weighted_alias("CREATE", "blue", 1, name, false);
    let alias = alias.replace(elb::hosted_zone("eu-west-1"), "Z215JYRZR1TBD5");
    assert_eq!(change(&mut aws, &zone, &[alias]).0, 200);
}

#[test]
fn an_upsert_counts_twice_towards_the_limits_of_a_batch() {
    let (mut aws, zone) = world();
    let of = |action: &str, count: usize| {
        let values: String = (0..count)
            .map(|at| {
                let value = format!("192.0.{}.{}", at / 256, at % 256);
                format!("<ResourceRecord><Value>{value}</Value></ResourceRecord>")
            })
            .collect();
        change_of(
            action,
            &format!(
                "<Name>{NAME}</Name><Type>A</Type><TTL>60</TTL>\
                 <ResourceRecords>{values}</ResourceRecords>"
            ),
        )
    };
    let (code, message) = refusal(&mut aws, &zone, &[of("UPSERT", 501)]);
    assert_eq!(
        (code.as_str(), message.as_str()),
        (
            "InvalidChangeBatch",
            "[Number of records limit of 1000 exceeded.]"
        )
    );
    assert_eq!(change(&mut aws, &zone, &[of("UPSERT", 500)]).0, 200);
}

#[test]
fn a_change_while_another_is_in_process_is_refused() {
    let (mut aws, zone) = world();
    let path = format!("hostedzone/{zone}/rrset/");
    let blue = batch(&weighted("UPSERT", "blue", 1, 60, "b"));
    let codes: Vec<(u16, String)> = (0..30)
        .map(|_| {
            aws.now += 1000;
            let (status, body) = send(&mut aws, "POST", &path, &blue);
            let code = if status == 200 {
                String::new()
            } else {
                element(&body, "Code")
            };
            (status, code)
        })
        .collect();
    let refused = codes.iter().filter(|(status, _)| *status == 400).count();
    assert!((1..30).contains(&refused), "{codes:?}");
    assert!(
        codes
            .iter()
            .all(|(status, code)| *status == 200 || code == "PriorRequestNotComplete"),
        "{codes:?}"
    );

    aws.now += 2000;
    assert_eq!(send(&mut aws, "POST", &path, &blue).0, 200);
}

#[test]
fn an_account_makes_fifty_requests_at_once_and_ten_a_second() {
    let (mut aws, zone) = world();
    let mut served = |seconds: i64| {
        aws.now += seconds * 1000;
        let path = format!("hostedzone/{zone}");
        let answers = (0..60).map(|_| send(&mut aws, "GET", &path, ""));
        let answers: Vec<(u16, String)> = answers.collect();
        let refused = answers.iter().filter(|(status, _)| *status != 200);
        for (status, body) in refused {
            assert_eq!(
                (*status, element(body, "Code").as_str()),
                (400, "Throttling")
            );
            assert_eq!(element(body, "Message"), "Rate exceeded");
        }
        answers.iter().filter(|(status, _)| *status == 200).count()
    };
    assert_eq!([served(0), served(1), served(3600)], [50, 10, 50]);
}
