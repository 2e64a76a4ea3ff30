//! What is sent of what a release wants: its family, its tags and its mark.

use super::*;

fn wanted(tags: usize) -> TaskDefinition {
    let mut value = json!({"family": "web", "containerDefinitions": [{"name": "a", "image": "b"}]});
    value["tags"] = (0..tags)
        .map(|number| json!({"key": format!("tag{number}"), "value": "x"}))
        .collect();
    definition(value)
}

/// The family and the keys of the tags of what is sent.
fn sent(
    wanted: &TaskDefinition,
    into: Option<&str>,
    newest: Option<&TaskDefinition>,
) -> (String, Vec<String>) {
    let registration = Registration::new("e-1", wanted.clone(), into);
    let sent = registration.sent(newest).expect("room");

    assert_eq!(sent.mark(), Some(registration.mark));
    let keys = sent.tags().iter().filter_map(|tag| tag["key"].as_str());
    let keys = keys.map(ToOwned::to_owned).collect();
    (sent.family().to_owned(), keys)
}

#[test]
fn what_is_sent_has_the_tags_of_the_newest_revision_or_its_own_and_one_mark() {
    const MARK: [&str; 2] = ["slipway:execution", "slipway:sent"];
    let marked = |tags: usize| {
        let registration = Registration::new("e-0", wanted(tags), None);
        registration.sent(None).expect("room")
    };
    let with_mark = |tags: &[&'static str]| [tags, &MARK[..]].concat();

    for (own, newest, keys) in [
        (0, None, with_mark(&[])),
        (0, Some(marked(0)), with_mark(&[])),
        (0, Some(marked(2)), with_mark(&["tag0", "tag1"])),
        (1, Some(marked(2)), with_mark(&["tag0"])),
    ] {
        let (family, found) = sent(&wanted(own), None, newest.as_ref());
        assert_eq!(family, "web");
        assert_eq!(found, keys);
    }
}

#[test]
fn another_family_changes_neither_the_fingerprint_nor_the_tags() {
    let wanted = wanted(1);
    let (family, keys) = sent(&wanted, Some("web-green"), None);
    assert_eq!(family, "web-green");
    assert_eq!(keys, ["tag0", "slipway:execution", "slipway:sent"]);

    let registration = Registration::new("e-1", wanted.clone(), Some("web-green"));
    assert_eq!(registration.mark.sent, wanted.fingerprint());
    assert_eq!(registration.definition.family(), "web-green");
}

#[test]
fn room_for_a_mark_is_left_by_48_tags_and_by_49_or_50_in_no_revision() {
    let (_, keys) = sent(&wanted(48), None, None);
    assert_eq!(keys.len(), 50);
    let (_, keys) = sent(&wanted(0), None, Some(&wanted(48)));
    assert_eq!(keys.len(), 50);

    let untagged = Registration::new("e-1", wanted(0), None);
    let tagged = Registration::new("e-1", wanted(1), None);
    assert!(tagged.has_tags() && !untagged.has_tags());
    let full = wanted(50);
    assert_eq!(tagged.check_tags(Some(&full)), Ok(()), "it keeps its own");
    assert_eq!(untagged.check_tags(None), Ok(()));
    assert_eq!(untagged.check_tags(Some(&wanted(48))), Ok(()));

    for count in [49, 50] {
        let own = Registration::new("e-1", wanted(count), None).sent(None);
        let of_family = untagged.sent(Some(&wanted(count)));
        let why = format!(
            "`tags` has {count} items; expected at most 48, because each revision also gets \
             `slipway:execution` and `slipway:sent`"
        );
        let from = "the newest revision of family `web`, whose tags the next one gets: ";
        assert_eq!(own, Err(why.clone()));
        assert_eq!(of_family, Err(format!("{from}{why}")));
        let checked = untagged.check_tags(Some(&wanted(count)));
        assert_eq!(checked, Err(format!("{from}{why}")));
    }
}

#[test]
fn what_the_mark_makes_too_large_is_refused() {
    let mut value = json!({"family": "web", "containerDefinitions": [{"name": "a", "image": "b"}]});
    let bare = definition(value.clone()).text().len();
    value["containerDefinitions"][0]["image"] = json!("b".repeat(65_536 - bare + 1));
    let largest = definition(value);
    assert_eq!(largest.check_size(), Ok(()));

    let registration = Registration::new("e-1", largest, None);
    let refused = registration.sent(None).expect_err("no room for the mark");
    assert!(
        refused.ends_with(" bytes; expected at most 65536"),
        "{refused}"
    );
}
