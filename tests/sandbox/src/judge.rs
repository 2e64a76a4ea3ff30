//! `cargo sandbox judge`: judges recorded canaries as they would have been judged live.

use std::fmt::Display;
use std::io::{Read, Write, stdin, stdout};
use std::path::{Path, PathBuf};

use clap::Args;
use slipway::judge::{kayenta, offline};

/// What can be said after `cargo sandbox judge`.
#[derive(Debug, Args)]
#[command(after_help = FORMATS)]
pub(crate) struct Judge {
    /// Judge by this canary config of Kayenta, once; standard input is then a JSON array of metric pairs.
    #[arg(long, value_name = "CONFIG")]
    kayenta: Option<PathBuf>,
}

const FORMATS: &str = r#"Without --kayenta, standard input is one scenario a line (this one is broken to fit). At minute t only what is visible at t counts:

  {"v":1,"id":"web","config":{"end":30},"thresholds_ms":[],"minutes":[
    {"t":1,"c":{"n":600,"bad":8},"b":{"n":5400,"bad":3},"seen":{"c.bad":2}}]}

  config         alpha 0.005, alpha_exam 0.005, alpha_promote 0.05, tau 1.1, eps 0.0001, tau_promote 2, eps_promote 0.001,
                 w_errors 0.5, w_latency 0.125, dispersion_errors 1, dispersion_latency 1, min_bad 3, min_minutes 5, end 30;
                 what is left out has this default
  thresholds_ms  baseline p75, p90, p99 and 1.5 times p99 before the bake; [] judges errors only
  minutes        c is the canary, b the baseline; n requests, bad ones among them; null or absent is unknown, which is never 0
    slow_r       of c: 4 counts of requests slower than 1.1 times each threshold; slow_p: than 1.25 times
    slow         of b: 4 counts of requests slower than each threshold
    seen         the minute in which a field becomes visible, for data that comes late

Standard output is one line a minute, up to the first verdict that ends the scenario:

  {"id":"web","t":1,"verdict":"continue","why":null,"log_e":0.0,"log_e_promote":0.0}
  {"id":"web","t":2,"verdict":"rollback","why":"errors","log_e":9.683705764017585,"log_e_promote":-2.476339992105107}

  verdict        continue, promote, rollback, inconclusive
  why            errors, latency[2], exam:errors, non-inferior, end of bake
  log_e          ln of the evidence of harm; rollback at ln(1/alpha), which is 5.3
  log_e_promote  ln of the evidence of health; promote at ln(1/alpha_promote), which is 3.0

With --kayenta, standard input is a list of metric pairs, control being the baseline; null or "NaN" is a time without a value:

  [{"name":"cpu","values":{"control":[1.0,1.2,null],"experiment":[1.1,"NaN",1.3]}}]

and standard output is one line with score, classification (Pass, Marginal, Fail) and a result for each metric.

Examples:
  cargo sandbox judge < tests/sandbox/examples/judge/scenarios.jsonl
  cargo sandbox judge --kayenta tests/sandbox/examples/judge/canary-config.json < tests/sandbox/examples/judge/metric-pairs.json

Exit codes: 0 everything was judged, whatever the verdict; 1 something was refused, and the error names the line and the field, with
nothing printed for that line and those after it; 2 wrong arguments."#;

/// Judges what standard input holds.
///
/// # Errors
/// What was refused, with the line and the field, or why the input or output failed.
pub(crate) fn judge(arguments: &Judge) -> Result<(), String> {
    match &arguments.kayenta {
        None => judge_scenarios(),
        Some(config) => judge_pairs(config),
    }
}

fn judge_scenarios() -> Result<(), String> {
    for (index, line) in stdin().lines().enumerate() {
        let at = |error: &dyn Display| format!("line {}: {error}", index + 1);
        let line = line.map_err(|error| at(&error))?;
        if !line.trim().is_empty() {
            print(&offline::judge_line(&line).map_err(|error| at(&error))?)?;
        }
    }
    Ok(())
}

fn judge_pairs(path: &Path) -> Result<(), String> {
    let config = std::fs::read_to_string(path);
    let config = config.map_err(|error| format!("failed to read {}: {error}", path.display()))?;
    let mut pairs = String::new();
    stdin().read_to_string(&mut pairs).map_err(|error| format!("failed to read the metric pairs: {error}"))?;
    print(&kayenta::report(&config, &pairs).map_err(|error| error.to_string())?)
}

fn print(text: &str) -> Result<(), String> {
    stdout().write_all(text.as_bytes()).map_err(|error| format!("failed to write: {error}"))
}
