//! The arguments of the command line.

use clap::builder::RangedI64ValueParser;
use clap::{Args, Parser, Subcommand};

use crate::{
    Again, Approve, Completions, Decide, Deploy, Doctor, Figures, History, Init, Inspect, Judge,
    Page, Plan, Pushes, Reject, Report, Rollback, Status, Stop, Wait, Why,
};

/// Shows what Slipway releases, and why, and takes the decisions of operators.
///
/// Credentials and region are those of the AWS CLI: environment variables, profiles, single sign-on
/// and roles of instances and containers.
#[derive(Debug, Parser)]
#[command(name = "slipway", bin_name = "slipway", version, after_help = EXIT_CODES)]
pub struct Slipway {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

// What every command takes.
// Not a doc comment: that of what is flattened would take the place of the command's.
#[derive(Debug, Args)]
#[command(next_help_heading = "Options of every command")]
pub struct Global {
    /// The stack of the functions, whose outputs name the ledger and the functions.
    #[arg(long, global = true, value_name = "NAME", default_value = "slipway")]
    pub stack: String,
    /// The region, in place of the one of the environment or the profile.
    #[arg(long, global = true, value_name = "REGION")]
    pub region: Option<String>,
    /// The profile of the configuration files of AWS.
    #[arg(long, global = true, value_name = "NAME")]
    pub profile: Option<String>,
    /// Where all requests go, such as http://127.0.0.1:4566 of `cargo sandbox serve`.
    #[arg(long, global = true, value_name = "URL")]
    pub endpoint_url: Option<String>,
    /// Print one JSON value, with the items of the ledger as they are stored.
    #[arg(long, global = true)]
    pub json: bool,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    Status(Status),
    History(History),
    Why(Why),
    Pushes(Pushes),
    Report(Report),
    Figures(Figures),
    Page(Page),
    Deploy(Deploy),
    Wait(Wait),
    Stop(Stop),
    Approve(Approve),
    Reject(Reject),
    Decide(Decide),
    Again(Again),
    Rollback(Rollback),
    Plan(Plan),
    Doctor(Doctor),
    Init(Init),
    Inspect(Inspect),
    Judge(Judge),
    Completions(Completions),
}

/// How many rows a command shows at most.
pub(crate) fn most() -> RangedI64ValueParser<u32> {
    clap::value_parser!(u32).range(1..)
}

const EXIT_CODES: &str = "\
On a terminal the output has heads and colours; in a pipe it is one line a row, with tabs between
the fields. Warnings and errors go to standard error.

Exit codes:
  0   done; of a release: deployed, or unchanged because the service ran it already
  1   the release ended otherwise: rolled back, held, superseded or failed after a change; or a
      check is NG
  2   refused: nothing was changed
  3   AWS refused a call or was not reached, or something could not be read: the answer is not known
  4   not ended yet when the time of --timeout was over
  64  wrong arguments";

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_arguments_fit_together() {
        Slipway::command().debug_assert();
    }

    #[test]
    fn every_command_has_a_text_of_its_own() {
        let command = Slipway::command();
        let about = |command: &clap::Command| command.get_about().map(ToString::to_string);
        let mut texts: Vec<_> = command.get_subcommands().map(about).collect();
        texts.push(about(&command));
        assert!(texts.iter().all(Option::is_some), "{texts:?}");

        let count = texts.len();
        texts.sort();
        texts.dedup();
        assert_eq!(texts.len(), count, "{texts:?}");
    }

    #[test]
    fn global_options_may_come_after_the_command() {
        let given = ["slipway", "status", "web", "--stack", "delivery", "--json"];
        let arguments = Slipway::try_parse_from(given).expect("arguments");
        assert_eq!(arguments.global.stack, "delivery");
        assert!(arguments.global.json);

        let arguments = Slipway::try_parse_from(["slipway", "status"]).expect("arguments");
        assert_eq!(arguments.global.stack, "slipway");
        assert_eq!(arguments.global.region, None);
        assert!(!arguments.global.json);
    }

    #[test]
    fn wrong_arguments_are_refused() {
        for given in [
            &["slipway"][..],
            &["slipway", "state"],
            &["slipway", "why"],
            &["slipway", "history", "web", "--most", "0"],
            &["slipway", "deploy", "web"],
            &["slipway", "status", "--watch", "--every", "1"],
            &["slipway", "again", "sha256:0a"],
            &["slipway", "decide", "hold", "shop"],
            &["slipway", "figures", "--days", "0"],
            &["slipway", "page", "web"],
        ] {
            assert!(Slipway::try_parse_from(given).is_err(), "{given:?}");
        }
    }
}
