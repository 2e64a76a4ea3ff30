//! Weighted records: all pages of a name read, and both weights set in one batch with everything
//! else sent back as it was.

use super::script::{Answer, Script, response, run};
use crate::aws::{ErrorKind, Records};
use crate::observed::colour::{Colour, PerColour};
use crate::observed::record::{RecordKey, RecordSetView};
use crate::observed::weights::Weights;

const XMLNS: &str = "https://route53.amazonaws.com/doc/2013-04-01/";

fn key() -> RecordKey {
    RecordKey {
        zone: "Z1".to_owned(),
        name: "shop.example.com.".to_owned(),
        kind: "A".to_owned(),
        identifiers: PerColour::from_fn(|colour| format!("shop-{colour}")),
    }
}

fn document(operation: &str, content: &str) -> Answer {
    let text = format!("<{operation}Response xmlns=\"{XMLNS}\">{content}</{operation}Response>");
    response(200, "text/xml", text)
}

fn refused(status: u16, code: &str) -> Answer {
    let text = format!(
        "<ErrorResponse xmlns=\"{XMLNS}\"><Error><Type>Sender</Type><Code>{code}</Code>\
         <Message>no</Message></Error></ErrorResponse>"
    );
    response(status, "text/xml", text)
}

fn alias(colour: Colour, weight: u32) -> String {
    format!(
        "<ResourceRecordSet><Name>shop.example.com.</Name><Type>A</Type>\
         <SetIdentifier>shop-{colour}</SetIdentifier><Weight>{weight}</Weight>\
         <AliasTarget><HostedZoneId>Z2</HostedZoneId><DNSName>{colour}.elb.amazonaws.com.</DNSName>\
         <EvaluateTargetHealth>false</EvaluateTargetHealth></AliasTarget></ResourceRecordSet>"
    )
}

const OTHER: &str = "<ResourceRecordSet><Name>www.example.com.</Name><Type>A</Type><TTL>60</TTL>\
                     <ResourceRecords><ResourceRecord><Value>192.0.2.1</Value></ResourceRecord>\
                     </ResourceRecords></ResourceRecordSet>";

fn page(sets: &str, next: &str) -> Answer {
    let is_truncated = !next.is_empty();
    let content = format!(
        "<ResourceRecordSets>{sets}</ResourceRecordSets><IsTruncated>{is_truncated}</IsTruncated>\
         {next}<MaxItems>100</MaxItems>"
    );
    document("ListResourceRecordSets", &content)
}

/// Two pages, of which the second one begins with green.
fn pages() -> [Answer; 2] {
    let next = "<NextRecordName>shop.example.com.</NextRecordName>\
                <NextRecordType>A</NextRecordType>\
                <NextRecordIdentifier>shop-green</NextRecordIdentifier>";
    let rest = [alias(Colour::Green, 0), OTHER.to_owned()].concat();
    let after = "<NextRecordName>zoo.example.com.</NextRecordName>\
                 <NextRecordType>A</NextRecordType>";
    [page(&alias(Colour::Blue, 100), next), page(&rest, after)]
}

#[test]
fn all_record_sets_of_a_name_are_read_and_no_others() {
    let script = Script::new(pages());
    let seen = run(Records::new(&script.sdk()).observe(&key()));
    let seen = seen.expect("understood").expect("there");
    assert!(script.is_played());

    let view = key().view(&seen.views).expect("weighted");
    assert_eq!(
        (view.weights, view.pair.ttl),
        (
            Weights {
                blue: 100,
                green: 0
            },
            60
        )
    );
    assert_eq!(view.pair.targets.green, "green.elb.amazonaws.com");

    let sent = script.sent();
    for part in ["/hostedzone/Z1/rrset", "name=shop.example.com."] {
        assert!(sent[0].uri.contains(part), "{}", sent[0].uri);
    }
    for part in ["type=A", "identifier=shop-green"] {
        assert!(!sent[0].uri.contains(part), "{}", sent[0].uri);
        assert!(sent[1].uri.contains(part), "{}", sent[1].uri);
    }
}

#[test]
fn a_record_with_a_health_check_or_an_evaluated_target_checks_health() {
    let blue = alias(Colour::Blue, 100);
    let evaluated = blue.replace(">false<", ">true<");
    let checked = blue.replace(
        "<AliasTarget>",
        "<HealthCheckId>check</HealthCheckId><AliasTarget>",
    );
    for (set, expected) in [(blue, false), (evaluated, true), (checked, true)] {
        let script = Script::new([page(&set, "")]);
        let seen = run(Records::new(&script.sdk()).observe(&key()));
        let views = seen.expect("understood").expect("there").views;
        assert_eq!(views[0].checks_health, expected, "{set}");
    }
}

/// The response to a change.
fn changed() -> Answer {
    let change = "<ChangeInfo><Id>/change/C1</Id><Status>PENDING</Status>\
                  <SubmittedAt>2026-01-05T09:00:00Z</SubmittedAt></ChangeInfo>";
    document("ChangeResourceRecordSets", change)
}

#[test]
fn both_weights_are_set_in_one_batch() {
    let [first, second] = pages();
    let script = Script::new([first, second, changed()]);
    let records = Records::new(&script.sdk());
    let seen = run(records.observe(&key()))
        .expect("understood")
        .expect("there");

    let made = run(records.apply(&seen, Weights::with(Colour::Green, 20)));
    assert!(made.expect("made").ends_with("C1"));

    let sent = script.sent();
    let sent = sent.last().expect("a change").text().to_owned();
    assert_eq!(sent.matches("<Action>UPSERT</Action>").count(), 2, "{sent}");
    for part in [
        "<SetIdentifier>shop-blue</SetIdentifier><Weight>80</Weight>",
        "<SetIdentifier>shop-green</SetIdentifier><Weight>20</Weight>",
        "<DNSName>blue.elb.amazonaws.com.</DNSName><EvaluateTargetHealth>false",
    ] {
        assert!(sent.contains(part), "{part} in {sent}");
    }
}

#[test]
fn a_record_set_of_another_type_is_not_changed_whatever_its_identifier() {
    let text = "<ResourceRecordSet><Name>shop.example.com.</Name><Type>TXT</Type>\
                <SetIdentifier>shop-blue</SetIdentifier><Weight>5</Weight><TTL>60</TTL>\
                <ResourceRecords><ResourceRecord><Value>text</Value></ResourceRecord>\
                </ResourceRecords></ResourceRecordSet>";
    let both = [alias(Colour::Blue, 100), alias(Colour::Green, 0)].concat();
    let script = Script::new([page(&format!("{both}{text}"), ""), changed()]);
    let records = Records::new(&script.sdk());
    let seen = run(records.observe(&key()))
        .expect("understood")
        .expect("there");
    run(records.apply(&seen, Weights::with(Colour::Green, 20))).expect("made");

    let sent = script.sent()[1].text().to_owned();
    assert_eq!(sent.matches("<Action>UPSERT</Action>").count(), 2, "{sent}");
    assert!(!sent.contains("TXT"), "{sent}");
}

#[test]
fn a_change_is_pending_in_sync_or_unknown() {
    let status = |status: &str| {
        let change = format!(
            "<ChangeInfo><Id>/change/C1</Id><Status>{status}</Status>\
             <SubmittedAt>2026-01-05T09:00:00Z</SubmittedAt></ChangeInfo>"
        );
        document("GetChange", &change)
    };
    let script = Script::new([
        status("PENDING"),
        status("INSYNC"),
        refused(404, "NoSuchChange"),
    ]);
    let records = Records::new(&script.sdk());
    let is_in_sync = || run(records.is_in_sync("/change/C1")).expect("understood");

    assert_eq!(
        [is_in_sync(), is_in_sync(), is_in_sync()],
        [Some(false), Some(true), None]
    );
    assert!(script.sent()[0].uri.ends_with("/change/C1"));
}

#[test]
fn a_zone_that_is_gone_is_no_error_and_a_busy_one_may_be_tried_again() {
    let script = Script::new([refused(404, "NoSuchHostedZone")]);
    let seen = run(Records::new(&script.sdk()).observe(&key()));
    assert!(seen.expect("understood").is_none());

    let script = Script::always(refused(400, "PriorRequestNotComplete"));
    let refused = run(Records::new(&script.sdk()).observe(&key())).expect_err("busy");
    assert_eq!(refused.kind, ErrorKind::Busy);
}

#[test]
fn what_protects_a_record_set_is_read() {
    let with_values = "<ResourceRecordSet><Name>shop.example.com.</Name><Type>A</Type>\
                       <SetIdentifier>shop-blue</SetIdentifier><Weight>7</Weight><TTL>45</TTL>\
                       <ResourceRecords><ResourceRecord><Value>192.0.2.1</Value></ResourceRecord>\
                       <ResourceRecord><Value>192.0.2.2</Value></ResourceRecord></ResourceRecords>\
                       <HealthCheckId>check</HealthCheckId>\
                       <TrafficPolicyInstanceId>policy</TrafficPolicyInstanceId>\
                       </ResourceRecordSet>";
    let alias = "<ResourceRecordSet><Name>shop.example.com.</Name><Type>AAAA</Type>\
                 <AliasTarget><HostedZoneId>Z2</HostedZoneId>\
                 <DNSName>Green.ELB.amazonaws.com.</DNSName>\
                 <EvaluateTargetHealth>false</EvaluateTargetHealth></AliasTarget>\
                 </ResourceRecordSet>";
    let script = Script::new([page(&format!("{with_values}{alias}"), "")]);
    let seen = run(Records::new(&script.sdk()).observe(&key()));
    let seen = seen.expect("understood").expect("there");

    let with_values = RecordSetView {
        kind: "A".to_owned(),
        identifier: Some("shop-blue".to_owned()),
        weight: Some(7),
        ttl: Some(45),
        target: "192.0.2.1, 192.0.2.2".to_owned(),
        alias_zone: None,
        checks_health: true,
        by_policy: true,
    };
    let alias = RecordSetView {
        kind: "AAAA".to_owned(),
        identifier: None,
        weight: None,
        ttl: None,
        target: "green.elb.amazonaws.com".to_owned(),
        alias_zone: Some("Z2".to_owned()),
        checks_health: false,
        by_policy: false,
    };
    assert_eq!(seen.views, [with_values, alias]);
}
