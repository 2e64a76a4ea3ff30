//! Reports: written to their bucket as a page and as JSON, and read again.

use super::script::{Script, response, run, s3_refusal};
use crate::aws::Reports;
use crate::judge::report::Judgement;

#[test]
fn a_report_is_a_page_beside_its_json() {
    let text = include_str!("../../../../tests/golden/late-metrics.json");
    let judgement = Judgement::from_json(text).expect("a judgement");
    let script = Script::new([response(200, "", ""), response(200, "", "")]);
    let reports = Reports::new(&script.sdk());
    run(reports.write("web/e-1", &judgement)).expect("written");
    let sent = script.sent();
    let place = |name: &str| {
        format!("https://reports.s3.eu-west-1.amazonaws.com/web/e-1.{name}?x-id=PutObject")
    };

    assert_eq!(
        sent.iter()
            .map(|sent| (sent.method.as_str(), sent.uri.clone()))
            .collect::<Vec<_>>(),
        [("PUT", place("json")), ("PUT", place("html"))]
    );
    assert_eq!(sent[0].header("content-type"), Some("application/json"));
    assert_eq!(
        sent[1].header("content-type"),
        Some("text/html; charset=utf-8")
    );
    assert!(
        sent[0].text().contains(&judgement.to_json()),
        "the JSON is the judgement"
    );
    assert!(
        sent[1].text().contains("<!doctype html>") || sent[1].text().contains("<!DOCTYPE html>"),
        "a page"
    );
    assert_eq!(reports.location("web/e-1"), "s3://reports/web/e-1.html");
    assert_eq!(
        reports.link("web/e-1"),
        "https://eu-west-1.console.aws.amazon.com/s3/object/reports?region=eu-west-1\
         &prefix=web/e-1.html"
    );
}

#[test]
fn a_partly_written_report_is_an_error() {
    let text = include_str!("../../../../tests/golden/late-metrics.json");
    let judgement = Judgement::from_json(text).expect("a judgement");

    for answers in [
        vec![s3_refusal(403, "AccessDenied")],
        vec![response(200, "", ""), s3_refusal(403, "AccessDenied")],
    ] {
        let script = Script::new(answers);
        let error =
            run(Reports::new(&script.sdk()).write("web/e-1", &judgement)).expect_err("refused");
        assert_eq!(error.operation, "s3:PutObject");
        assert!(script.is_played());
    }
}

#[test]
fn a_report_is_read_as_it_was_written() {
    let script = Script::new([response(200, "text/html", "<!doctype html>")]);
    let page = run(Reports::new(&script.sdk()).read("web/e-1", "html"));
    assert_eq!(page.expect("a page"), b"<!doctype html>");
    assert_eq!(
        script.only().uri,
        "https://reports.s3.eu-west-1.amazonaws.com/web/e-1.html?x-id=GetObject"
    );

    let script = Script::new([s3_refusal(404, "NoSuchKey")]);
    let error = run(Reports::new(&script.sdk()).read("web/e-1", "json")).expect_err("expired");
    assert_eq!(
        (error.operation, error.code.as_str()),
        ("s3:GetObject", "NoSuchKey")
    );
}
