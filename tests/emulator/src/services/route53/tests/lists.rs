use super::*;

/// The names, types and identifiers of a page, and the query string of the next one.
fn page(aws: &mut Aws, zone: &str, query: &str) -> (Vec<String>, Option<String>) {
    let (status, body) = send(aws, "GET", &format!("hostedzone/{zone}/rrset{query}"), "");
    assert_eq!(status, 200, "{body}");
    let sets = body.split("<ResourceRecordSet>").skip(1);
    let named = sets.map(|set| {
        let identifier = set
            .contains("<SetIdentifier>")
            .then(|| element(set, "SetIdentifier"));
        let (name, kind) = (element(set, "Name"), element(set, "Type"));
        format!("{name} {kind} {}", identifier.unwrap_or_default())
    });
    let next = (element(&body, "IsTruncated") == "true").then(|| {
        let mut next = format!(
            "name={}&type={}",
            element(&body, "NextRecordName"),
            element(&body, "NextRecordType")
        );
        if body.contains("<NextRecordIdentifier>") {
            next += &format!("&identifier={}", element(&body, "NextRecordIdentifier"));
        }
        next
    });
    (named.collect(), next)
}

fn filled() -> (Aws, String) {
    let (mut aws, zone) = world();
    let changes = [
        simple("CREATE", "www.example.com", "A", "192.0.2.1"),
        simple("CREATE", "www.example.com", "TXT", "text"),
        simple("CREATE", "a.www.example.com", "A", "192.0.2.1"),
        simple("CREATE", "*.example.com", "A", "192.0.2.1"),
        simple("CREATE", "www-1.Example.com.", "A", "192.0.2.1"),
        weighted("CREATE", "green", 0, 60, "g.example.org"),
        weighted("CREATE", "blue", 1, 60, "b.example.org"),
    ];
    assert_eq!(change(&mut aws, &zone, &changes).0, 200);
    (aws, zone)
}

#[test]
fn record_sets_are_listed_by_the_reversed_labels_of_their_names() {
    let (mut aws, zone) = filled();
    let (listed, next) = page(&mut aws, &zone, "");
    assert_eq!(next, None);
    // A backslash comes before letters, and a hyphen before the dot.
    assert_eq!(
        listed,
        [
            "example.com. NS ",
            "example.com. SOA ",
            "\\052.example.com. A ",
            "shop.example.com. CNAME blue",
            "shop.example.com. CNAME green",
            "www-1.example.com. A ",
            "www.example.com. A ",
            "www.example.com. TXT ",
            "a.www.example.com. A ",
        ]
    );
}

#[test]
fn a_page_begins_where_the_one_before_ended() {
    let (mut aws, zone) = filled();
    let (all, _) = page(&mut aws, &zone, "");
    for size in 1..=4 {
        let mut read = Vec::new();
        let mut query = format!("?maxitems={size}");
        loop {
            let (items, next) = page(&mut aws, &zone, &query);
            assert!(items.len() <= size, "{items:?}");
            read.extend(items);
            let Some(next) = next else {
                break;
            };
            query = format!("?maxitems={size}&{}", next.replace('\\', "%5C"));
        }
        assert_eq!(read, all, "pages of {size}");
    }
}

#[test]
fn a_list_begins_at_a_name_a_type_and_an_identifier() {
    let (mut aws, zone) = filled();
    let mut first = |query: &str| {
        aws.now += 1000;
        page(&mut aws, &zone, query).0[0].clone()
    };
    assert_eq!(first("?name=WWW.example.com"), "www.example.com. A ");
    assert_eq!(
        first("?name=www.example.com&type=CNAME"),
        "www.example.com. TXT "
    );
    assert_eq!(
        first("?name=shop.example.com&type=CNAME&identifier=c"),
        "shop.example.com. CNAME green"
    );

    for query in [
        "?type=A",
        "?name=www.example.com&identifier=blue",
        "?maxitems=none",
    ] {
        let (status, body) = send(
            &mut aws,
            "GET",
            &format!("hostedzone/{zone}/rrset{query}"),
            "",
        );
        assert_eq!(
            (status, element(&body, "Code").as_str()),
            (400, "InvalidInput"),
            "{query}"
        );
    }
}

#[test]
fn a_page_has_a_hundred_sets_by_default_and_three_hundred_at_most() {
    let (mut aws, zone) = world();
    for part in 0..4 {
        let changes: Vec<String> = (0..100)
            .map(|at| {
                simple(
                    "CREATE",
                    &format!("n{part}-{at}.example.com"),
                    "A",
                    "192.0.2.1",
                )
            })
            .collect();
        assert_eq!(change(&mut aws, &zone, &changes).0, 200);
    }
    let mut count = |query: &str| {
        let (status, body) = send(
            &mut aws,
            "GET",
            &format!("hostedzone/{zone}/rrset{query}"),
            "",
        );
        assert_eq!(status, 200, "{body}");
        let count = body.matches("<ResourceRecordSet>").count();
        (count, element(&body, "MaxItems"))
    };
    assert_eq!(count(""), (100, "100".to_owned()));
    assert_eq!(count("?maxitems=1000"), (300, "300".to_owned()));

    let path = format!("hostedzone/{zone}");
    let (_, body) = send(&mut aws, "GET", &path, "");
    assert_eq!(element(&body, "ResourceRecordSetCount"), "402");
    assert_eq!(element(&body, "Id"), format!("/hostedzone/{zone}"));
}

#[test]
fn a_zone_that_is_not_there_is_not_found() {
    let (mut aws, _) = world();
    for path in ["hostedzone/Z1", "hostedzone/Z1/rrset"] {
        let (status, body) = send(&mut aws, "GET", path, "");
        assert_eq!(status, 404);
        assert_eq!(element(&body, "Code"), "NoSuchHostedZone");
        assert_eq!(
            element(&body, "Message"),
            "No hosted zone found with ID: Z1"
        );
    }
    let unknown = send(&mut aws, "GET", "hostedzone", "");
    assert_eq!(
        (unknown.0, element(&unknown.1, "Code").as_str()),
        (501, "NotImplemented")
    );
}
