//! What people read of many releases: the delivery figures, and the page.

use std::path::{Path, PathBuf};

use emulator::ecr::Behaviour;
use harness::driver::Driver;
use harness::markup::assert_well_formed;
use serde_json::{Value, json};
use slipway::release::start_of;
use slipway::timestamp::Timestamp;
use slipway_cli::{Exit, Failed, Figures, Look, Page, Report, Session};

use behaviour::{account, push_as};

use crate::acting::quiet_shop;
use crate::{closed, operate, rows};

fn figures(target: Option<&str>) -> Figures {
    Figures {
        target: target.map(ToOwned::to_owned),
        days: 30,
        until: None,
    }
}

fn page(output: Option<PathBuf>) -> Page {
    Page { output, days: 30 }
}

/// The page as it is saved in a file of this name.
async fn saved(session: &Session, name: &str) -> String {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let answer = page(Some(file.clone())).run(session).await;
    let answer = answer.expect("an answer");
    assert_eq!(answer.warnings, Vec::<String>::new());
    assert_eq!(answer.json["saved"], json!(file.display().to_string()));
    std::fs::read_to_string(&file).expect("a file")
}

#[test]
fn the_figures_of_a_service_are_those_of_its_releases() {
    operate(account(), async |driver: Driver, session: Session| {
        let good = push_as(&driver, "web", "1.0.0", Behaviour::Healthy);
        let deployed = closed(&session, &good).await;
        let bad = push_as(&driver, "web", "1.1.0", Behaviour::NeverHealthy);
        let failed = closed(&session, &bad).await;

        let push = session.ledger().push("slipway-web", &good).await;
        let push = push.expect("read").expect("a claim");
        let pushed = push.pushed_at.expect("a time of the push");
        let lead = deployed.ended_at.expect("an end").since(pushed);
        let restore = failed.ended_at.expect("an end").since(failed.started_at);
        let expected = json!({
            "service": "apps/web", "deployments": 1, "deployments_a_week": 7.0 / 30.0,
            "lead_time_from_push": lead.as_secs(), "lead_time_from_commit": null,
            "failed_changes": 1, "change_failure_rate": 0.5,
            "time_to_restore": restore.as_secs(),
        });

        for target in [None, Some("web"), Some("apps/web"), Some("slipway-web")] {
            let answer = figures(target).run(&session).await.expect("an answer");
            assert_eq!(answer.json["services"], json!([expected]), "{target:?}");
            assert_eq!(answer.exit, Exit::Done);
            let row = &rows(&answer)[0];
            let texts = [&row[0], &row[1], &row[4], &row[5]];
            assert_eq!(texts, ["apps/web", "1", "1", "50%"]);
        }

        let before = Figures {
            until: Some(deployed.ended_at.expect("an end")),
            ..figures(None)
        };
        let before = before.run(&session).await.expect("an answer");
        assert_eq!(before.json["services"][0]["failed_changes"], 0);
        assert_eq!(before.json["services"][0]["deployments"], 1);

        // A day that begins while the release is open.
        let end = deployed.started_at.secs() + 86_401;
        let within = Figures {
            target: None,
            days: 1,
            until: Some(Timestamp::from_secs(end).expect("in range")),
        };
        assert!(Some(start_of(1, within.until.expect("an end"))) < deployed.ended_at);
        let within = within.run(&session).await.expect("an answer");
        assert_eq!(within.json["services"][0]["deployments"], 1);
    });
}

#[test]
fn figures_of_what_was_never_released_are_refused() {
    operate(account(), async |_: Driver, session: Session| {
        for target in ["api", "slipway-api", "ci/web"] {
            let failed = figures(Some(target)).run(&session).await;
            let failed = failed.expect_err("refused");
            assert!(matches!(failed, Failed::Refused(_)), "{failed}");
        }
        let none = figures(None).run(&session).await.expect("an answer");
        assert_eq!(none.json["services"], json!([]));
        let [warning] = none.warnings.as_slice() else {
            panic!("{:?}", none.warnings);
        };
        assert!(
            warning.starts_with("no release ended from 2025-12-06T09:"),
            "{warning}"
        );
    });
}

#[test]
fn a_page_has_what_became_of_the_releases() {
    operate(account(), async |driver: Driver, session: Session| {
        let good = push_as(&driver, "web", "1.0.0", Behaviour::Healthy);
        closed(&session, &good).await;
        let bad = push_as(&driver, "web", "1.1.0", Behaviour::NeverHealthy);
        let failed = closed(&session, &bad).await;

        let page_of = saved(&session, "cli-page.html").await;
        assert_well_formed(&page_of);
        for text in [
            "<bdi>apps/web</bdi>",
            ">rolled-back</b>",
            ">deployed</b>",
            "<dt>Deployments</dt><dd><b>1</b>",
            "<dt>Change failure rate</dt><dd><b>50%</b>",
            failed.execution.as_str(),
        ] {
            assert!(page_of.contains(text), "{text}");
        }

        let shown = page(None).run(&session).await.expect("an answer");
        let html = shown.text(Look::Pipe);
        assert!(html.starts_with("<!DOCTYPE html>") && html.ends_with("</html>\n"));
        assert_eq!(
            shown.json["page"].as_str().map(str::trim_end),
            Some(html.trim_end())
        );
    });
}

#[test]
fn a_page_links_the_reports_of_canaries() {
    operate(
        quiet_shop("promote"),
        async |driver: Driver, session: Session| {
            let digest = push_as(&driver, "shop", "2.0.0", Behaviour::Healthy);
            let record = closed(&session, &digest).await;
            let report = Report {
                execution: record.execution,
                output: None,
            };
            let report = report.run(&session).await.expect("an answer");
            let link: &Value = &report.json["reports"][0]["link"];
            let link = link.as_str().expect("an address");

            let html = saved(&session, "cli-page-of-canary.html").await;
            let href = format!("href=\"{}\"", link.replace('&', "&#38;"));
            assert!(html.contains(&href), "{href}");
            assert!(html.contains("<bdi>apps/shop</bdi></h3>"));
        },
    );
}
