//! `slipway judge`: judges recorded canaries as they would have been judged live, and writes down
//! how. `cargo sandbox judge` is the same.
//!
//! It prints by itself, a line as soon as its scenario is read.

use std::fmt::Display;
use std::io::{BufRead, Read, Write, stdin, stdout};
use std::path::{Path, PathBuf};

use clap::Args;
use slipway::judge::JudgeConfig;
use slipway::judge::canary::config::Setting;
use slipway::judge::canary::offline;
use slipway::judge::canary::scenario::{Scenario, ScenarioError};
use slipway::judge::kayenta;
use slipway::judge::report::{self, Judgement};
use slipway::text;

/// Judges recorded canaries, or metric pairs by a canary config of Kayenta, from standard input;
/// writes reports and replays them. It calls nothing of AWS.
#[derive(Debug, Args)]
#[command(after_help = formats())]
pub struct Judge {
    /// Judge by this canary config of Kayenta, once; standard input is then a JSON array of metric
    /// pairs.
    #[arg(long, value_name = "CONFIG")]
    kayenta: Option<PathBuf>,
    /// Write a report of the one scenario that standard input then is, and the judgement beside it,
    /// with the ending .json.
    #[arg(long, value_name = "FILE.html", value_parser = page_path, conflicts_with = "kayenta")]
    report: Option<PathBuf>,
    /// Judge this recorded judgement again, the JSON beside a report, and compare; standard input
    /// is not read.
    #[arg(long, value_name = "JUDGEMENT.json", conflicts_with_all = ["kayenta", "report"])]
    replay: Option<PathBuf>,
}

/// The formats of input and output, with every setting of the judge.
fn formats() -> String {
    let setting = |setting: Setting| format!("{} {}", setting.name, setting.value);
    let settings: Vec<String> = JudgeConfig::default()
        .settings()
        .into_iter()
        .map(setting)
        .collect();
    let lines: Vec<String> = settings.chunks(4).map(|chunk| chunk.join(", ")).collect();
    FORMATS.replace("{settings}", &lines.join(",\n                 "))
}

const FORMATS: &str = r#"Without --kayenta and --replay, standard input is one scenario a line
(this one is broken to fit). At minute t only what is final at t counts:

  {"v":2,"id":"web","config":{"end":30},"thresholds_ms":[],"hour":[],"minutes":[
    {"t":1,"c":{"n":600,"ok":0,"r5":600},"b":{"n":5400,"ok":5397,"r5":3}},
    {"t":2,"c":{"n":600,"ok":0,"r5":600},"b":{"n":5400,"ok":5397,"r5":3},"seen":{"c.r5":3}}]}

  config         {settings};
                 steps, share, latency (judge, watch, off), sticky, clump_errors, clump_4xx,
                 clump_latency, values; these are the defaults of the numbers
  thresholds_ms  baseline p90, p99 and 1.5 times p99 before the bake; [] judges no latency
  hour           the hour before: for each minute a list of Availability Zones, each with n, ok,
                 r4, r5, refused, slow and slow_p; a minute without data is []
  minutes        c is the canary, b the baseline; null or absent is not a point
    n            RequestCount; ok is 2XX and 3XX, r4 4XX, r5 5XX
    refused      TargetConnectionErrorCount
    timed        response times
    slow_r       of c: how many are slower than 1.1 times each threshold
    slow_p       of c: how many are slower than 1.25 times each threshold
    slow         of b: how many are slower than each threshold
    values       one value for each series of config.values
    seen         the minute from which on a field is final, if that is later than its own

Standard output is one line a minute, up to the first verdict that ends the scenario (all are broken
to fit). The first has also what the hour before showed:

  {"id":"web","t":1,"verdict":"continue","why":null,"log_e":3.9,"log_e_promote":-30.1,
    "clear":false,"expect":null,"clumps":{"errors":[1.0,false],"4xx":[1.0,false]},"bad":"5xx"}
  {"id":"web","t":2,"verdict":"continue","why":null,"log_e":3.9,"log_e_promote":-30.1,
    "clear":false}
  {"id":"web","t":3,"verdict":"rollback","why":"errors","log_e":1308.6,"log_e_promote":-60.2,
    "clear":false}

  verdict        continue, promote, rollback, inconclusive
  why            errors, 4xx, latency[2], exam:errors, non-inferior, end of bake,
                 objection:memory, objection:latency
  log_e          ln of the evidence of harm; rollback at ln(1/alpha), which is 5.3
  log_e_promote  ln of the evidence of health; promote at ln(1/alpha_promote), which is 3.0
  clear          whether the share of the traffic may be raised
  expect         minutes after which a healthy canary is expected to be promoted
  clumps         overdispersion of each metric, and whether its events come one by one
  bad            difference: requests without a good answer; 5xx: 5XX and refused connections

With --kayenta, standard input is a list of metric pairs, control being the baseline; null or
"NaN" is a time without a value:

  [{"name":"cpu","values":{"control":[1.0,1.2,null],"experiment":[1.1,"NaN",1.3]}}]

and standard output is one line with score, classification (Pass, Marginal, Fail) and a result for
each metric.

With --report, standard output is the same, and two files are written: one HTML page without
scripts or outside resources, and the judgement with everything it rests on. --replay judges that
again and prints the line of its verdict, in the same form.

Examples:
  cd tests/sandbox/examples/judge
  slipway judge < scenarios.jsonl
  slipway judge --report report.html < cases/rolled-back-by-errors.json
  slipway judge --replay report.json
  slipway judge --kayenta canary-config.json < metric-pairs.json

Exit codes: 0 everything was judged, whatever the verdict; 1 something was refused, and the error
names the line and the field, with nothing printed for that line and those after it, or a file
could not be read or written, or a replay found a different verdict, and the error names what
differs."#;

/// Judges what standard input holds.
///
/// # Errors
/// What was refused, with the line and the field, or why the input or output failed.
pub fn judge(arguments: &Judge) -> Result<(), String> {
    match arguments {
        Judge {
            kayenta: Some(config),
            ..
        } => judge_pairs(config),
        Judge {
            report: Some(page), ..
        } => report_scenario(page),
        Judge {
            replay: Some(judgement),
            ..
        } => judge_again(judgement),
        _ => judge_scenarios(),
    }
}

/// The page's name must leave room for that of the judgement beside it.
fn page_path(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    let is_page = path
        .extension()
        .is_some_and(|extension| extension == "html");

    if is_page {
        Ok(path)
    } else {
        Err(
            "expected a file name that ends in .html; the judgement is written beside it"
                .to_owned(),
        )
    }
}

fn judge_scenarios() -> Result<(), String> {
    for (index, line) in input_lines()?.enumerate() {
        let at = |error: &dyn Display| format!("line {}: {error}", index + 1);
        let line = line.map_err(|error| at(&error))?;
        if !line.trim().is_empty() {
            print(&offline::judge_line(&line).map_err(|error| at(&error))?)?;
        }
    }
    Ok(())
}

/// Both files are written before anything is printed, so that a reader of the verdict finds them.
fn report_scenario(page: &Path) -> Result<(), String> {
    let (number, line) = only_line()?;
    let at = |error: ScenarioError| format!("line {number}: {error}");
    let verdicts = offline::judge_line(&line).map_err(at)?;
    let scenario = Scenario::from_json(&line).map_err(at)?;
    let judgement = Judgement::from_scenario(&scenario);
    let beside = page.with_extension("json");
    refuse_to_overwrite(&beside)?;
    write(&beside, &(judgement.to_json() + "\n"))?;
    write(page, &report::html(&judgement))?;
    print(&verdicts)
}

/// Refuses to overwrite a file that is not a judgement, such as the scenario itself.
fn refuse_to_overwrite(path: &Path) -> Result<(), String> {
    let Ok(found) = std::fs::read(path) else {
        return Ok(());
    };
    let judgement = String::from_utf8_lossy(&found);
    if found.is_empty() || Judgement::from_json(&judgement).is_ok() {
        return Ok(());
    }

    Err(format!(
        "failed to write {}: it exists and is not a judgement; choose another name for the page",
        path.display()
    ))
}

/// The one line of standard input that is not empty, with its number.
fn only_line() -> Result<(usize, String), String> {
    let mut only = None;
    for (index, line) in input_lines()?.enumerate() {
        let number = index + 1;
        let line = line.map_err(|error| format!("line {number}: {error}"))?;
        if line.trim().is_empty() {
            continue;
        }
        if let Some((first, _)) = only {
            return Err(format!(
                "line {number}: a second scenario after that of line {first}; a report covers one"
            ));
        }
        only = Some((number, line));
    }
    only.ok_or_else(|| "standard input holds no scenario; a report covers one".to_owned())
}

fn judge_again(path: &Path) -> Result<(), String> {
    let at = |error: &dyn Display| format!("{}: {error}", path.display());
    let judgement = Judgement::from_json(&read(path)?).map_err(|error| at(&error))?;
    let verdict = report::replay(&judgement);
    let differences = report::differences(&judgement, &verdict);
    if differences.is_empty() {
        return print(&offline::render(judgement.name(), &verdict, None));
    }

    let named: Vec<String> = differences
        .iter()
        .map(|difference| format!("\n  {difference}"))
        .collect();
    Err(at(&format!(
        "the replay found a different verdict; the file or the judge was changed{}",
        named.concat()
    )))
}

fn judge_pairs(path: &Path) -> Result<(), String> {
    let config = read(path)?;
    let mut pairs = Vec::new();
    stdin()
        .read_to_end(&mut pairs)
        .map_err(|error| format!("failed to read the metric pairs: {error}"))?;
    let pairs = decoded(&pairs).map_err(|error| format!("the metric pairs: {error}"))?;
    print(&kayenta::report(&config, &pairs).map_err(|error| error.to_string())?)
}

/// The lines of standard input, one by one as they come. UTF-16 is read whole first.
fn input_lines() -> Result<Box<dyn Iterator<Item = std::io::Result<String>>>, String> {
    let failed = |error: std::io::Error| format!("failed to read standard input: {error}");
    let mut input = stdin().lock();
    let start = input.fill_buf().map_err(failed)?;

    let marked = start.starts_with(b"\xff\xfe") || start.starts_with(b"\xfe\xff");
    if marked || start.iter().take(2).any(|byte| *byte == 0) {
        let mut bytes = Vec::new();
        input.read_to_end(&mut bytes).map_err(failed)?;
        let lines: Vec<String> = decoded(&bytes)?.lines().map(ToOwned::to_owned).collect();
        return Ok(Box::new(lines.into_iter().map(Ok)));
    }

    if start.starts_with(b"\xef\xbb\xbf") {
        input.consume(3);
    }
    Ok(Box::new(input.lines()))
}

fn read(path: &Path) -> Result<String, String> {
    let failed = |error: &dyn Display| format!("failed to read {}: {error}", path.display());
    let bytes = std::fs::read(path).map_err(|error| failed(&error))?;
    decoded(&bytes).map_err(|error| failed(&error))
}

/// A text that another tool wrote.
fn decoded(bytes: &[u8]) -> Result<String, String> {
    let text = text::utf8(bytes)?;
    String::from_utf8(text.into_owned()).map_err(|error| error.to_string())
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    std::fs::write(path, text)
        .map_err(|error| format!("failed to write {}: {error}", path.display()))
}

fn print(text: &str) -> Result<(), String> {
    stdout()
        .write_all(text.as_bytes())
        .map_err(|error| format!("failed to write: {error}"))
}
