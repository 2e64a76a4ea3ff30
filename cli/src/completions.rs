//! `slipway completions`: the script by which a shell completes the arguments.

use clap::{Args, CommandFactory, ValueEnum};
use serde_json::json;

use crate::{Answer, Block, Slipway};

/// Prints the script by which a shell completes the arguments of `slipway`.
///
/// For bash: `source <(slipway completions bash)` in `~/.bashrc`. For zsh: a file `_slipway` in a
/// folder of `$fpath`. For fish: `~/.config/fish/completions/slipway.fish`.
#[derive(Debug, Args)]
pub struct Completions {
    /// The shell.
    #[arg(value_enum)]
    pub shell: Shell,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Shell {
    Bash,
    Zsh,
    Fish,
}

impl Completions {
    #[must_use]
    pub fn run(&self) -> Answer {
        let shell = match self.shell {
            Shell::Bash => clap_complete::Shell::Bash,
            Shell::Zsh => clap_complete::Shell::Zsh,
            Shell::Fish => clap_complete::Shell::Fish,
        };
        let mut script = Vec::new();
        clap_complete::generate(shell, &mut Slipway::command(), "slipway", &mut script);

        let script = String::from_utf8_lossy(&script).into_owned();
        let json = json!({ "script": script });
        Answer::new(vec![Block::Text(script)], json)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Look;

    #[test]
    fn each_script_completes_every_command() {
        for (shell, line) in [
            (Shell::Bash, "complete -F _slipway"),
            (Shell::Zsh, "#compdef slipway"),
            (Shell::Fish, "complete -c slipway"),
        ] {
            let script = Completions { shell }.run().text(Look::Pipe);
            assert!(script.contains(line), "{shell:?}: {script}");
            for command in Slipway::command().get_subcommands() {
                let name = command.get_name();
                assert!(script.contains(name), "{shell:?} lacks {name}");
            }
        }
    }
}
