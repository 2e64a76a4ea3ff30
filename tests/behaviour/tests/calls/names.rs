//! Names in place of what depends on the seed: ids, digests and times. The same value has the same
//! name, so that identity shows.

use std::collections::BTreeMap;

use emulator::{Aws, Millis};
use regex_lite::{Captures, Regex};
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Region and account, as ARNs have them.
const HERE: &str = "eu-west-1:111122223333";

/// How far from the beginning of a scene a number may be that is taken for an instant.
const NEAR: Millis = 6 * 3_600_000;

/// The groups of the pattern: what depends on the seed.
const KINDS: [&str; 13] = [
    "digest",
    "uuid",
    "time",
    "stamp",
    "deployment",
    "hash",
    "task",
    "hex",
    "balancer",
    "suffix",
    "zone",
    "change",
    "bucket",
];

pub(crate) struct Names {
    /// When the scene began.
    began: Millis,
    pattern: Regex,
    /// The name of each value, and how many have a name of each kind.
    known: BTreeMap<String, String>,
    counts: BTreeMap<&'static str, u32>,
}

impl Names {
    /// Digests are called by the tag of their image; the executions of the scene and the functions'
    /// own stores have names too.
    pub(crate) fn new(aws: &Aws, began: Millis, stores: &[(&str, String)]) -> Self {
        let pattern = [
            r"(?<digest>sha256:[0-9a-f]{64})",
            r"(?<uuid>[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})",
            r"(?<time>20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z)",
            r"(?<stamp>20\d{6}T\d{6}Z)",
            r"(?<deployment>ecs-svc/\d{10,})",
            r"(?<hash>\b[0-9a-f]{64}\b)",
            r"(?<task>\b[0-9a-f]{32}\b)",
            r"(?<hex>\b[0-9a-f]{16}\b)",
            r"(?<balancer>-[0-9A-Za-z]{12}-\d+\.eu-west-1\.elb\.amazonaws\.com)",
            r"(?<suffix>-[0-9A-Z]{12}\b)",
            r"(?<zone>\bZ[0-9A-Z]{19}\b)",
            r"(?<change>\bC[0-9A-Z]{19}\b)",
            r"(?<bucket>bucket-[0-9a-z]{12}\b)",
        ];
        let mut names = Self {
            began,
            pattern: Regex::new(&pattern.join("|")).expect("a pattern"),
            known: BTreeMap::new(),
            counts: BTreeMap::new(),
        };
        for (name, value) in stores {
            names.known.insert(value.clone(), format!("<{name}>"));
        }
        for (repository, tag, digest) in tagged_images(aws) {
            names
                .known
                .entry(digest)
                .or_insert_with(|| format!("<digest of {repository}:{tag}>"));
        }
        for execution in aws
            .codepipeline
            .executions
            .iter()
            .filter(|execution| execution.started >= began)
        {
            names.name("execution", &execution.id);
        }
        names
    }

    /// Everything in a value by its name; `own` is the job that is worked on.
    pub(crate) fn value(&mut self, value: &Value, own: Option<&str>) -> Value {
        match value {
            Value::String(text) => match serde_json::from_str::<Value>(text) {
                // A token or parameters: JSON within JSON.
                Ok(inner @ Value::Object(_)) => json!({ "as JSON text": self.value(&inner, own) }),
                _ => json!(self.text(text, own)),
            },
            Value::Array(items) => items.iter().map(|item| self.value(item, own)).collect(),
            Value::Object(members) => members
                .iter()
                .map(|(name, value)| {
                    let shown = match (name.as_str(), value.as_i64()) {
                        ("expires_at", Some(secs)) => json!(self.expiry(secs)),
                        _ => self.value(value, own),
                    };
                    (self.text(name, own), shown)
                })
                .collect(),
            Value::Number(number) => self
                .instant(number.as_f64().unwrap_or_default())
                .map_or_else(|| value.clone(), Value::from),
            other => other.clone(),
        }
    }

    /// The name of a number that is an instant near the scene, in minutes, seconds or milliseconds
    /// since the epoch.
    fn instant(&self, number: f64) -> Option<String> {
        let near = |at: &f64| (at - self.began as f64).abs() < NEAR as f64;
        [60_000.0, 1000.0, 1.0]
            .map(|unit| number * unit)
            .iter()
            .find(|at| near(at))
            .map(|at| self.at(*at as Millis))
    }

    pub(crate) fn text(&mut self, text: &str, own: Option<&str>) -> String {
        let mut text = text.replace(HERE, "<here>");
        for (value, name) in self
            .known
            .iter()
            .filter(|(_, name)| name.ends_with("bucket>") || name.ends_with("table>"))
        {
            text = text.replace(value, name);
        }

        let pattern = self.pattern.clone();
        pattern
            .replace_all(&text, |found: &Captures<'_>| self.replaced(found, own))
            .into_owned()
    }

    fn replaced(&mut self, found: &Captures<'_>, own: Option<&str>) -> String {
        let whole = &found[0];
        if own == Some(whole) {
            return "<job>".to_owned();
        }

        match KINDS.into_iter().find(|kind| found.name(kind).is_some()) {
            Some("time") => {
                let at = OffsetDateTime::parse(whole, &Rfc3339).expect("the pattern of a time");
                match (at.unix_timestamp_nanos() / 1_000_000) as Millis {
                    // How long before depends on how the account was made.
                    at if at < self.began - 1000 => "<before>".to_owned(),
                    at => self.at(at),
                }
            }
            // What CloudFormation puts behind names; the name before them remains.
            Some("suffix") => "-<suffix>".to_owned(),
            Some("bucket") => "bucket-<suffix>".to_owned(),
            // Names of hosts have no case.
            Some("balancer") => format!("-{}", self.name("balancer", &whole.to_ascii_lowercase())),
            Some("stamp") => {
                let (date, time) = whole.split_at(8);
                let part = |text: &str, at: usize| text[at..at + 2].to_owned();
                let date = format!("{}-{}-{}", &date[..4], part(date, 4), part(date, 6));
                let at = format!(
                    "{date}T{}:{}:{}Z",
                    part(time, 1),
                    part(time, 3),
                    part(time, 5)
                );
                self.text(&at, own)
            }
            Some("deployment") => self.name("deployment", whole),
            Some("uuid") => self.name("id", whole),
            Some(kind) => self.name(kind, whole),
            None => whole.to_owned(),
        }
    }

    fn name(&mut self, kind: &'static str, value: &str) -> String {
        if let Some(name) = self.known.get(value) {
            return name.clone();
        }

        let count = self.counts.entry(kind).or_default();
        *count += 1;
        let name = format!("<{kind}-{count}>");
        self.known.insert(value.to_owned(), name.clone());
        name
    }

    /// An instant by the whole seconds since the scene began.
    pub(crate) fn at(&self, at: Millis) -> String {
        format!("<t{:+}s>", (at - self.began).div_euclid(1000))
    }

    /// When an item expires, in seconds since the epoch, by days and seconds since the scene began.
    fn expiry(&self, secs: i64) -> String {
        const DAY: i64 = 86_400;
        let after = (secs * 1000 - self.began).div_euclid(1000);
        format!(
            "<t{:+}d{:+}s>",
            after.div_euclid(DAY),
            after.rem_euclid(DAY)
        )
    }
}

/// Repository, tag and digest of every tagged image, in the order in which they were pushed.
fn tagged_images(aws: &Aws) -> Vec<(String, String, String)> {
    let pushes = aws
        .events
        .events
        .iter()
        .filter(|event| event["detail-type"] == "ECR Image Action");
    let text = |event: &Value, name: &str| {
        event["detail"][name]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };

    pushes
        .map(|event| {
            (
                text(event, "repository-name"),
                text(event, "image-tag"),
                text(event, "image-digest"),
            )
        })
        .filter(|(_, tag, _)| !tag.is_empty())
        .collect()
}

#[test]
fn what_expires_is_shown_by_days_since_the_scene_began() {
    let mut names = Names {
        began: 1_767_603_600_500,
        pattern: Regex::new("<none>").expect("a pattern"),
        known: BTreeMap::new(),
        counts: BTreeMap::new(),
    };
    let item = json!({"expires_at": 1_802_163_602, "v": 1});
    let shown = json!({"expires_at": "<t+400d+1s>", "v": 1});
    assert_eq!(names.value(&item, None), shown);
}
