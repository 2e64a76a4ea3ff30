mod reports;

use std::sync::OnceLock;

use serde_json::json;
use slipway::job::{ActionKind, FailureType, Origin, ReleaseRef};
use slipway::release::{ActiveRelease, Lease};
use slipway::timestamp::Timestamp;

use super::*;

const REVISION: &str = "arn:aws:ecs:eu-west-1:111122223333:task-definition/web:3";
const LIVE: &str = "arn:aws:ecs:eu-west-1:111122223333:task-definition/shop:1";
const BEGAN: &str = "2026-01-05T09:00:00Z";
const TASK: &str = "arn:aws:ecs:eu-west-1:111122223333:task/apps/0f";

/// A release of the pair `shop`, of which blue is live.
fn of_pair(registered: Option<&str>) -> FoundTask {
    let percentages = json!({"minimum_healthy": 100, "maximum": 200});
    let colour = |weight: u32| {
        json!({
            "target_group": "group", "weight": weight, "task_definition": LIVE,
            "desired_count": 2, "percentages": percentages,
        })
    };
    let mut release = json!({
        "execution": "e-1", "pipeline": "slipway-shop", "state": "open", "began_at": BEGAN,
        "prior": {
            "task_definition": LIVE, "desired_count": 2, "percentages": percentages,
            "recorded_at": BEGAN,
            "pair": {"rule": "rule", "live": "blue", "blue": colour(100), "green": colour(0)},
        },
    });
    if let Some(arn) = registered {
        release["registered"] = json!(arn);
    }

    let lease = json!({
        "v": slipway::limits::FORMAT_VERSION, "cluster": "apps", "service": "shop", "fence": 9,
        "release": release,
    });
    let lease: Lease = serde_json::from_value(lease).expect("a lease");
    let release = lease.release.clone().expect("it is held");
    let target = release.target().expect("of a pair").clone();
    FoundTask::OfRelease(Box::new(ActiveRelease {
        lease,
        release,
        target,
    }))
}

fn parameters() -> Parameters {
    Parameters {
        task: Some("migrate".to_owned()),
        task_definition: None,
        container: None,
        command: Some(vec!["migrate".to_owned(), "up".to_owned()]),
        timeout_minutes: None,
        network: None,
        deploy_role: None,
        http_checks: Vec::new(),
    }
}

fn definition(containers: &[&str]) -> TaskDefinition {
    let containers = containers.iter();
    let containers = containers.map(|name| json!({"name": name, "image": "web:1"}));
    let value = json!({
        "family": "web", "containerDefinitions": containers.collect::<Vec<_>>(),
    });
    TaskDefinition::from_value(value).expect("a task definition")
}

fn refused(parameters: &Parameters) -> String {
    let Failure { kind, message, .. } = parameters.validate().expect_err("refused");
    assert_eq!(kind, FailureType::ConfigurationError);
    message
}

/// So many seconds after the action began.
fn at(secs: i64) -> Timestamp {
    Timestamp::from_secs(1_767_603_600 + secs).expect("in range")
}

/// A job of the action at that time.
fn job(secs: i64) -> Job<Parameters> {
    Job {
        id: Some("job-1".to_owned()),
        release: ReleaseRef::new("slipway-web", "e-1", "apps", "web"),
        parameters: parameters(),
        since: at(0),
        now: at(secs),
        kind: ActionKind::Invoke,
        frozen: None,
        refused_for_long: false,
        payload: Some(json!({"attempts": 1})),
        kept: OnceLock::new(),
        artifacts: Vec::new(),
        credentials: None,
        origin: Origin::Job,
    }
}

fn context<'a>(job: &'a Job<Parameters>, definition: &'a TaskDefinition) -> CheckContext<'a> {
    let task = job.parameters.one_off_task("e-1", REVISION, definition);
    CheckContext {
        job,
        release: None,
        service: Some("web".to_owned()),
        task: task.expect("it has one container").expect("a task"),
        definition,
        time: TaskTime {
            elapsed: job.now.since(job.since),
            limit: job.parameters.limit(),
        },
    }
}

#[test]
fn the_longest_name_and_the_shortest_and_longest_time_are_taken() {
    for task in ["x".repeat(32), "step-2".to_owned()] {
        let named = Parameters {
            task: Some(task),
            ..parameters()
        };
        assert_eq!(named.validate(), Ok(()));
    }
    for minutes in [1, 1380] {
        let timed = Parameters {
            timeout_minutes: Some(minutes),
            ..parameters()
        };
        assert_eq!(timed.validate(), Ok(()));
    }
}

#[test]
fn parameters_that_cannot_work_are_refused_by_name() {
    assert_eq!(parameters().validate(), Ok(()));

    for task in ["", "Migrate", "a b", "x".repeat(33).as_str()] {
        let task = task.to_owned();
        let message = refused(&Parameters {
            task: Some(task.clone()),
            ..parameters()
        });
        let expected = "expected 1 to 32 small letters, digits and hyphens";
        assert_eq!(message, format!("`task` is `{task}`; {expected}"));
    }
    let revision = refused(&Parameters {
        task_definition: Some("web:3".to_owned()),
        ..parameters()
    });
    assert!(revision.starts_with("`task_definition` is `web:3`; expected the ARN"));
    let empty = refused(&Parameters {
        command: Some(Vec::new()),
        ..parameters()
    });
    assert_eq!(
        empty,
        "`command` is empty; expected its words, or no `command`"
    );
    let alone = refused(&Parameters {
        container: Some("web".to_owned()),
        command: None,
        ..parameters()
    });
    assert_eq!(alone, "`container` is given; expected with `command` only");
    for minutes in [0, 1381] {
        let message = refused(&Parameters {
            timeout_minutes: Some(minutes),
            ..parameters()
        });
        assert_eq!(
            message,
            format!("`timeout_minutes` is {minutes}; expected 1 to 1380")
        );
    }
}

fn health(name: &str) -> HttpCheck {
    let check = json!({"name": name, "url": "https://shop.example.com/"});
    serde_json::from_value(check).expect("a check")
}

#[test]
fn an_action_has_http_checks_or_a_task_or_both() {
    let checks = |checks: Vec<HttpCheck>| Parameters {
        task: None,
        command: None,
        http_checks: checks,
        ..parameters()
    };
    assert_eq!(checks(vec![health("a"), health("b")]).validate(), Ok(()));
    let beside = Parameters {
        http_checks: vec![health("a")],
        ..parameters()
    };
    assert_eq!(beside.validate(), Ok(()));

    let neither = refused(&checks(Vec::new()));
    let missing = "`task` and `http_checks` are missing; expected one of them, or both";
    assert_eq!(neither, missing);
    let many = (0..11).map(|number| health(&format!("c{number}")));
    let many = refused(&checks(many.collect()));
    assert_eq!(many, "`http_checks` has 11 items; expected at most 10");

    let wrong = HttpCheck {
        url: "http://localhost/".to_owned(),
        ..health("b")
    };
    let wrong = refused(&checks(vec![health("a"), wrong]));
    assert!(wrong.starts_with("`http_checks[1].url` is `http://localhost/`; expected a host"));
    let command = refused(&Parameters {
        command: Some(vec!["migrate".to_owned()]),
        ..checks(vec![health("a")])
    });
    assert_eq!(command, "`command` is given; expected with `task` only");
    let network = refused(&Parameters {
        network: Some(Network {
            subnets: vec!["subnet-1".to_owned()],
            security_groups: Vec::new(),
            public_ip: false,
        }),
        ..checks(vec![health("a")])
    });
    assert_eq!(network, "`network` is given; expected with `task` only");
}

#[test]
fn a_url_of_each_colour_is_for_a_release_of_a_pair() {
    let of_colours = HttpCheck {
        green_url: Some("https://green.example.com/".to_owned()),
        ..health("b")
    };
    let found = FoundTask::Alone(None).of_idle(&[health("a"), of_colours]);
    assert_eq!(
        found.expect_err("not a pair").message,
        "`http_checks[1].green_url` is given; expected in a release of a pair only"
    );
}

#[test]
fn each_result_has_a_name_of_its_own() {
    let expected = |at: u8, name: &str| {
        format!(
            "`http_checks[{at}].name` is `{name}`; expected another name than those before it and \
             `task`"
        )
    };
    let twice = Parameters {
        http_checks: vec![health("a"), health("a")],
        ..parameters()
    };
    assert_eq!(refused(&twice), expected(1, "a"));
    let of_task = Parameters {
        http_checks: vec![health("migrate")],
        ..parameters()
    };
    assert_eq!(refused(&of_task), expected(0, "migrate"));
}

#[test]
fn a_task_without_a_service_names_its_revision_and_its_network() {
    let alone = |subnets: usize| Parameters {
        task_definition: Some(REVISION.to_owned()),
        network: Some(Network {
            subnets: vec!["subnet-1".to_owned(); subnets],
            security_groups: Vec::new(),
            public_ip: false,
        }),
        deploy_role: Some("arn:aws:iam::111122223333:role/jobs".to_owned()),
        ..parameters()
    };
    assert_eq!(alone(1).validate(), Ok(()));
    assert_eq!(alone(16).validate(), Ok(()));

    for count in [0, 17] {
        let message = format!("`network.subnets` has {count} items; expected 1 to 16");
        assert_eq!(refused(&alone(count)), message);
    }
    let unnamed = refused(&Parameters {
        task_definition: None,
        ..alone(1)
    });
    assert!(unnamed.starts_with("`task_definition` is missing; expected with `network`"));
    let no_role = refused(&Parameters {
        deploy_role: Some("jobs".to_owned()),
        ..alone(1)
    });
    assert!(no_role.starts_with("`deploy_role` is `jobs`; expected the ARN of an IAM role"));
    let of_release = refused(&Parameters {
        network: None,
        ..alone(1)
    });
    assert!(of_release.starts_with("`deploy_role` is given; expected with `network` only"));
}

#[test]
fn the_command_is_for_the_given_container_or_the_only_one() {
    let container = |given: Option<&str>, names: &[&str]| {
        let parameters = Parameters {
            container: given.map(ToOwned::to_owned),
            ..parameters()
        };
        let definition = definition(names);
        let task = parameters.one_off_task("e-1", REVISION, &definition);
        task.map(|task| Some(task?.command?.0.to_owned()))
            .map_err(|failure| failure.message)
    };

    let web = Ok(Some("web".to_owned()));
    assert_eq!(container(None, &["web"]), web);
    assert_eq!(container(Some("web"), &["proxy", "web"]), web);
    let missing = "`container` is missing; expected one of proxy, web, for the command";
    assert_eq!(container(None, &["proxy", "web"]), Err(missing.to_owned()));
    let unknown = "`container` is `db`; expected one of web";
    assert_eq!(container(Some("db"), &["web"]), Err(unknown.to_owned()));

    let own = Parameters {
        command: None,
        ..parameters()
    };
    let definition = definition(&["proxy", "web"]);
    let task = own.one_off_task("e-1", REVISION, &definition);
    let task = task.expect("the definition has a command");
    assert!(task.expect("a task").command.is_none());
}

#[test]
fn the_command_is_not_for_a_container_with_which_the_task_does_not_end() {
    let sidecar = TaskDefinition::from_value(json!({
        "family": "web", "containerDefinitions": [
            {"name": "web", "image": "web:1", "essential": true},
            {"name": "logs", "image": "logs:1", "essential": false},
        ],
    }));
    let sidecar = sidecar.expect("a task definition");
    let of_sidecar = Parameters {
        container: Some("logs".to_owned()),
        ..parameters()
    };
    let refused = of_sidecar.one_off_task("e-1", REVISION, &sidecar);
    let expected = "`container` is `logs`, which is not essential; expected an essential \
                    container, because the task does not end with another one";
    assert_eq!(refused.expect_err("not essential").message, expected);
}

#[test]
fn the_task_of_a_pair_runs_the_new_revision_where_the_idle_colour_runs() {
    let new = of_pair(Some(REVISION));
    assert_eq!(new.service().as_deref(), Some("shop-green"));
    assert_eq!(new.task_definition(), Some(REVISION));
    assert_eq!(of_pair(None).task_definition(), Some(LIVE));

    let alone = FoundTask::Alone(None);
    assert_eq!((alone.service(), alone.task_definition()), (None, None));
}

#[test]
fn a_task_has_half_an_hour_unless_the_action_sets_a_time() {
    let limit = |timeout_minutes| {
        let parameters = Parameters {
            timeout_minutes,
            ..parameters()
        };
        parameters.limit().as_secs()
    };
    assert_eq!(limit(None), 1_800);
    assert_eq!(limit(Some(2)), 120);
}
