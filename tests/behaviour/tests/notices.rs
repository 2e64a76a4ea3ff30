//! Notices: what happens to a release is announced, once under each key and without a loss,
//! whatever goes wrong between the ledger and the event bus.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;
use std::time::Duration;

use behaviour::notices::{announced, events, turn_on, wait_for_approval};
use behaviour::shop::{self, SHORT};
use behaviour::{account, ends, invoke_with, on_all_cores, pass, push, settled, until};
use emulator::Aws;
use emulator::client::{CallFault, Hang, Throttle, Trouble};
use emulator::ecr::Answers;
use harness::demo::canary::{ask, become_canary};
use harness::demo::{COUNTER, WEB, root};
use harness::driver::{Driver, Fault, Faults, Which, run};
use invariants::ledger_reader::{ledger, text};
use serde_json::{Value, json};

const FUNCTION: &str = "announce-releases";

/// The demo's account with notices, and nothing released yet.
fn opened() -> Aws {
    static ACCOUNT: OnceLock<Aws> = OnceLock::new();
    let open = || {
        let mut aws = account();
        turn_on(&mut aws);
        aws
    };
    ACCOUNT.get_or_init(open).clone()
}

/// The details of what was announced, by key.
fn by_key(aws: &Aws) -> BTreeMap<String, Vec<&Value>> {
    let mut all = BTreeMap::<String, Vec<&Value>>::new();
    for event in announced(aws) {
        let detail = &event["detail"];
        let key = detail["key"].as_str().expect("each has a key").to_owned();
        all.entry(key).or_default().push(detail);
    }
    all
}

/// The keys that the ledger demands, by the records of its executions.
fn due(aws: &Aws) -> BTreeSet<String> {
    let mut keys = BTreeSet::new();
    for record in ledger(aws) {
        if text(&record, "sk") != Some("record") {
            continue;
        }
        let part = |name: &str| text(&record, name).unwrap_or_default().to_owned();
        let execution = part("execution");
        let target = if record.get("service").is_some() {
            format!("{}/{}", part("cluster"), part("service"))
        } else {
            "-".to_owned()
        };
        if target != "-" {
            keys.insert(format!("{execution}/{target}/started"));
        }
        if part("state") == "closed" {
            keys.insert(format!("{execution}/{target}/outcome"));
        }
    }
    keys
}

/// Whether all that is due was announced, and nothing else.
fn is_complete(aws: &Aws) -> bool {
    let keys: BTreeSet<String> = by_key(aws).into_keys().collect();
    keys == due(aws)
}

/// What is announced under one key is always the same.
fn assert_same(aws: &Aws) {
    for (key, details) in by_key(aws) {
        assert!(details.iter().all(|it| *it == details[0]), "{key}");
    }
}

/// Releases an image of web and one of the counter at once, and lets all be announced.
async fn release_two(driver: &Driver) {
    let web = push(driver, WEB, "1.0.0");
    let counter = push(driver, COUNTER, "1.0.0");
    settled(driver, "slipway-web", &web).await;
    settled(driver, "slipway-page-counter", &counter).await;
    until(driver, is_complete).await;
}

/// The account after two releases without faults.
fn two_released() -> &'static Aws {
    static RELEASED: OnceLock<Aws> = OnceLock::new();
    RELEASED.get_or_init(|| {
        run(opened(), Fault::None, async |driver| {
            release_two(&driver).await;
            driver.world.snapshot()
        })
    })
}

/// The records of new states that the function received in them.
fn records() -> Vec<Value> {
    let invocations = two_released().lambda.invocations.iter();
    let own = invocations.filter(|one| one.function.ends_with(FUNCTION));
    let records = own.filter_map(|one| one.payload["Records"].as_array());
    let state = |record: &Value, image: &str| {
        let place = format!("/dynamodb/{image}/state/S");
        record.pointer(&place).cloned()
    };
    let is_new = |record: &&Value| state(record, "OldImage") != state(record, "NewImage");
    records.flatten().filter(is_new).cloned().collect()
}

#[test]
fn a_beginning_and_an_outcome_are_announced_once_each() {
    let aws = two_released();
    assert_eq!(due(aws).len(), 4);
    assert!(by_key(aws).values().all(|details| details.len() == 1));

    let ended = announced(aws).find(|event| {
        event["detail-type"] == "Slipway Release Outcome" && event["detail"]["service"] == WEB
    });
    let ended = &ended.expect("web was deployed")["detail"];
    assert_eq!(ended["outcome"], "deployed");
    let text = ended["text"].as_str().expect("a text");
    for part in [
        "web: deployed; ",
        "; Revision web:2, web:1 before; ",
        "; slipway why ",
    ] {
        assert!(text.contains(part), "no {part:?} in {text}");
    }
}

fn file(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).expect("a file of the project")
}

#[test]
fn what_passes_notices_on_and_what_describes_them_know_their_members() {
    let template = file("infra/notifications.yaml");
    let page = file("docs/operate/notices.md");
    let paths: Vec<String> = template
        .lines()
        .filter_map(|line| line.trim().strip_prefix("InputPath: $"))
        .map(|path| path.replace('.', "/"))
        .collect();
    assert_eq!(paths.len(), 2, "one for each topic");

    for event in announced(two_released()) {
        let of_type = event["detail-type"].as_str().expect("a text");
        assert!(template.contains(of_type), "{of_type}");
        assert!(page.contains(&format!("| `{of_type}` |")), "{of_type}");
        for path in &paths {
            assert!(event.pointer(path).is_some(), "no {path} in {event}");
        }
        let detail = event["detail"].as_object().expect("an object");
        for member in detail.keys() {
            assert!(page.contains(&format!("`{member}`")), "{member}");
        }
    }
}

#[test]
fn a_batch_is_delivered_again_from_the_first_notice_that_was_not_taken() {
    let records = records();
    run(account(), Fault::None, async |driver| {
        let event = json!({ "Records": records });
        let busy = CallFault::ThrottleFrom(2, 100);
        let answer = invoke_with(&driver, FUNCTION, event.clone(), busy).await;
        let second = &records[1]["dynamodb"]["SequenceNumber"];
        assert_eq!(
            answer,
            Ok(json!({"batchItemFailures": [{"itemIdentifier": second}]}))
        );
        assert_eq!(announced(&driver.world.aws()).count(), 1);

        // An entry that fails in a call that succeeds is a notice that was not taken, too.
        driver.world.aws().events.failing_entries = 1;
        let rest = json!({"Records": records[1..]});
        let refused = invoke_with(&driver, FUNCTION, rest.clone(), CallFault::None).await;
        let refused = refused.expect_err("nothing was announced");
        assert!(refused.contains("InternalFailure"), "{refused}");
        assert_eq!(announced(&driver.world.aws()).count(), 1);

        let answer = invoke_with(&driver, FUNCTION, rest, CallFault::None).await;
        assert_eq!(answer, Ok(json!({"batchItemFailures": []})));
        let aws = driver.world.aws();
        assert_eq!(announced(&aws).count(), records.len());
        assert!(by_key(&aws).values().all(|details| details.len() == 1));
    });
}

#[test]
fn a_record_of_an_unknown_version_does_not_hold_back_the_others() {
    let mut records = records();
    run(account(), Fault::None, async |driver| {
        records[0]["dynamodb"]["NewImage"]["v"] = json!({"N": "2"});
        let event = json!({ "Records": records });
        let answer = invoke_with(&driver, FUNCTION, event, CallFault::None).await;
        assert_eq!(answer, Ok(json!({"batchItemFailures": []})));
        assert_eq!(announced(&driver.world.aws()).count(), records.len() - 1);
    });
}

/// What can go wrong with one attempt.
fn faults() -> Vec<CallFault> {
    let from = |trouble| CallFault::From {
        first: 1,
        count: 4,
        trouble,
    };
    vec![
        CallFault::CrashBefore(1),
        CallFault::CrashAfter(1),
        CallFault::ThrottleFrom(1, 4),
        CallFault::TimeoutAfterEffect(1),
        CallFault::HangAfter(1, Hang::For(Duration::from_secs(90))),
        from(Trouble::Refused),
        from(Trouble::Reset),
        from(Trouble::CutOff),
        from(Trouble::InternalError { effect: true }),
        from(Trouble::InternalError { effect: false }),
        from(Trouble::Credentials),
    ]
}

/// Faults of the first attempts, with deliveries that come twice or late.
fn drawn(seed: u64) -> Faults {
    let mut rng = fastrand::Rng::with_seed(seed);
    let faults = faults();
    let which = |nth| Which::Of {
        function: FUNCTION,
        nth,
    };
    let mut all = Faults::default();
    for nth in 0..8 {
        if rng.bool() {
            all.calls
                .push((which(nth), faults[rng.usize(..faults.len())]));
        }
        if rng.u8(..3) == 0 {
            let after = Duration::from_secs(rng.u64(1..600));
            all.duplicates.push((which(nth), after));
        }
    }
    all
}

#[test]
fn nothing_is_lost_and_each_key_is_one_notice_whatever_happens_to_the_function() {
    let seeds: Vec<u64> = (0..24).collect();
    on_all_cores(&seeds, |seed| {
        let mut aws = opened();
        aws.reseed(*seed);
        run(aws, drawn(*seed), async |driver| {
            release_two(&driver).await;
            // Whatever comes late announces nothing new.
            pass(&driver, Duration::from_secs(1_200)).await;
            let aws = driver.world.aws();
            assert!(is_complete(&aws), "seed {seed}: {:?}", by_key(&aws).keys());
            assert_same(&aws);
            assert!(aws.lambda.dead_letters.is_empty(), "seed {seed}");
        });
    });
}

#[test]
fn what_happened_in_an_outage_is_announced_after_it() {
    let aws = opened();
    let faults = Faults {
        throttles: vec![Throttle {
            service: "events",
            from: aws.now,
            until: aws.now + 3 * 3_600_000,
        }],
        ..Faults::default()
    };
    run(aws, faults, async |driver| {
        let pushed = push(&driver, WEB, "1.0.0");
        ends(&driver, "slipway-web", &pushed, "deployed").await;
        pass(&driver, Duration::from_secs(3_600)).await;
        assert_eq!(announced(&driver.world.aws()).count(), 0);

        until(&driver, is_complete).await;
        let aws = driver.world.aws();
        assert!(by_key(&aws).values().all(|details| details.len() == 1));
    });
}

#[test]
fn an_approval_is_announced_as_soon_as_it_waits_and_names_the_commands() {
    let mut aws = account();
    aws.events.faults.duplicate_percent = 100;
    run(aws, Fault::None, async |driver| {
        let pushed = wait_for_approval(&driver, "1.0.0");
        until(&driver, |aws| events(aws, "Slipway Release Waiting") > 1).await;
        let aws = driver.world.aws();
        assert_same(&aws);
        let waits = announced(&aws).find(|event| event["detail"]["kind"] == "approval");
        let detail = &waits.expect("it waits")["detail"];
        assert_eq!(detail["digest"], pushed.as_str());
        assert_eq!(detail["service"], WEB);
        let execution = detail["execution"].as_str().expect("an id");
        let steps = &detail["chat"]["content"]["nextSteps"];
        let expected = [
            format!("`slipway approve {execution}`"),
            format!("`slipway reject {execution}`"),
        ];
        assert_eq!(*steps, json!(expected));
    });
}

#[test]
fn a_held_canary_is_announced_once_at_once() {
    let mut aws = shop::shop();
    turn_on(&mut aws);
    let changes = [&SHORT[..], &[("HoldMinutes", "30")]].concat();
    become_canary(&mut aws, &changes).expect("the template deploys");
    ask(&mut aws, 0.0).expect("there is a shop");

    run(aws, Fault::None, async |driver| {
        let execution = shop::release(&driver, "2.3.0", Answers::GOOD).await;
        let outcome = |aws: &Aws| events(aws, "Slipway Release Outcome") > 0;
        until(&driver, outcome).await;

        let aws = driver.world.aws();
        let details: Vec<&Value> = announced(&aws).map(|event| &event["detail"]).collect();
        let kinds: Vec<&str> = details
            .iter()
            .filter_map(|it| it["kind"].as_str())
            .collect();
        assert_eq!(kinds, ["started", "hold", "outcome"]);
        assert!(
            details
                .iter()
                .all(|it| it["execution"] == execution.as_str())
        );
        assert_eq!(details[2]["outcome"], "held");
        assert_eq!(
            details[1]["chat"]["content"]["nextSteps"],
            json!([
                "`slipway decide promote apps/shop`",
                "`slipway decide roll-back apps/shop`",
            ])
        );
    });
}
