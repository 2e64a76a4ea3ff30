//! What every page must be: well formed, self-contained, small, and safe whatever a service or an
//! image is called.

use harness::markup::{assert_audible, assert_well_formed, attribute_names, tags};
use serde_json::{Value, json};

use crate::golden::small;
use crate::stored::{Stored, drawn, time};

/// A page of 200 releases of 30 services opens at once on a phone.
const PAGE_BYTES_MAX: usize = 300_000;

/// Elements that run, load or send something.
const ACTIVE: [&str; 14] = [
    "script",
    "img",
    "link",
    "iframe",
    "object",
    "embed",
    "form",
    "input",
    "button",
    "image",
    "use",
    "foreignObject",
    "base",
    "video",
];

fn assert_harmless(page: &str) {
    for (name, attributes) in tags(page) {
        assert!(!ACTIVE.contains(&name), "{name}");
        for key in attribute_names(attributes) {
            assert!(
                !key.starts_with("on") && !["src", "style", "xlink:href"].contains(&key),
                "{name} {key}"
            );
            assert!(key != "href" || name == "a", "{name} {key}");
        }
        if let Some((_, href)) = attributes.split_once("href=\"") {
            let is_within = href.starts_with('#') || href.starts_with("https://console.example/");
            assert!(is_within, "{href}");
        }
    }
    assert!(!page.contains("url(") && !page.contains("@import"));
    let invisible =
        |c: char| ('\u{202a}'..='\u{202e}').contains(&c) || ('\u{200b}'..='\u{200f}').contains(&c);
    assert!(!page.contains(invisible), "holds a mark that reverses text");
    assert!(!page.contains("NaN") && !page.contains(">inf"));
}

fn assert_sound(page: &str) {
    assert_well_formed(page);
    assert_audible(page);
    assert_harmless(page);
    for landmark in ["header", "nav", "main", "footer"] {
        let count = tags(page).iter().filter(|tag| tag.0 == landmark).count();
        assert_eq!(count, 1, "{landmark}");
    }
}

#[test]
fn two_hundred_releases_of_thirty_services_are_a_small_page() {
    let (stored, now) = drawn();
    assert_eq!((stored.records.len(), stored.leases.len()), (200, 30));
    let page = stored.page(now);
    assert!(page.len() < PAGE_BYTES_MAX, "{} bytes", page.len());
    assert_sound(&page);
}

#[test]
fn a_page_stays_small_however_much_was_released() {
    let (mut stored, now) = drawn();
    let long = "\"5XX\" & more ".repeat(80);
    let records = stored.records.clone();
    stored.records = (0..10).flat_map(|_| records.clone()).collect();
    for record in &mut stored.records {
        record.reason = Some(long.clone());
    }
    let page = stored.page(now);
    assert!(
        page.len() < PAGE_BYTES_MAX + 150_000,
        "{} bytes",
        page.len()
    );
    assert_sound(&page);
}

#[test]
fn every_page_can_be_read_and_heard() {
    assert_sound(&small());
    let nothing = Stored::default().page(time("2026-01-31T12:00:00Z"));
    assert_sound(&nothing);
    for text in [
        "No release is open.",
        "The ledger has no service: no release has begun yet.",
        "No release ended in the period.",
        "No push was refused in the period.",
        "No pair was released.",
    ] {
        assert!(nothing.contains(text), "{text}");
    }
}

/// A ledger in which everything that has a name has this one.
fn called(name: &str) -> Stored {
    let with = |value: Value| value.to_string();
    let times = json!({"started_at": "2026-01-30T09:00:00Z", "ended_at": "2026-01-30T09:05:00Z"});
    let mut record = json!({
        "sk": "record", "v": 1, "execution": name, "pipeline": name, "digest": name,
        "cluster": name, "service": name, "state": "closed", "outcome": "rolled-back",
        "reason": name, "needs_operator": true,
        "change": {
            "task_definition": name, "percentages": {"minimum_healthy": 100, "maximum": 200},
        },
        "judged": [{
            "since": "2026-01-30T09:01:00Z", "verdict": name, "summary": name, "outputs": {},
            "report": format!("s3://{name}/{name}.html"),
        }, {
            "since": "2026-01-30T09:02:00Z", "verdict": name, "summary": name, "outputs": {},
            "report": name,
        }],
    });
    let times = times.as_object().expect("an object").clone();
    record.as_object_mut().expect("an object").extend(times);
    let push = json!({
        "sk": "sha256:0a", "v": 1, "pipeline": name, "digest": name, "tag": name, "event": name,
        "claimed_at": "2026-01-30T08:59:00Z", "refusal": name,
    });
    let started = json!({"sk": "started#e-1", "v": 1, "execution": name, "pipeline": name});
    let lease = json!({
        "sk": "a/b", "v": 1, "cluster": name, "service": name, "fence": 1,
        "release": {
            "execution": name, "pipeline": name, "digest": name, "state": "open",
            "began_at": "2026-01-31T09:00:00Z", "warning": name,
            "failure": {"type": "JobFailed", "message": name},
        },
    });
    let lines = [record, push, started, lease].map(with);
    Stored::read(&lines.join("\n"))
}

#[test]
fn hostile_names_stay_text() {
    let long = "N".repeat(500);
    let names = [
        "<script>alert(1)</script>",
        "\" onmouseover=\"alert(1)",
        "' & </title></style></svg><b>",
        "x\u{202e}%20.1\u{200f}\u{2066}",
        "{{ name }}{% include \"style.css\" %}",
        "]]><!--",
        "\0\r\n\t",
        "",
        &long,
    ];
    let page_of = |name: &str| called(name).page(time("2026-01-31T12:00:00Z"));
    for name in names {
        assert_sound(&page_of(name));
    }

    let page = page_of(names[0]);
    let shown = "<bdi>&#60;script&#62;alert(1)&#60;/script&#62;</bdi>";
    // The note of the open release, the mark, the reason, the refused push and its tag.
    assert!(page.matches(shown).count() >= 4, "{page}");
    assert!(page.contains("manual intervention required"));
    assert!(page_of("x\u{202e}1").contains("<bdi>x⟨U+202E⟩1</bdi>"));
}
