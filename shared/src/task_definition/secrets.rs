//! What is removed from a text of AWS about a task definition: the values of environment variables,
//! and the secrets among the options of logs and the words of commands. ECS and Docker repeat them
//! in refusals and in stop reasons.
//!
//! Never removes the definition's own names, or what a command runs.

mod clients;

use serde_json::Value;

use clients::{PasswordOption, option_of};

use super::definition::TaskDefinition;
use crate::limits::{RANDOM_CHARS, RANDOM_DIGITS};
use crate::redaction::{SCHEMES, without_values};

/// Parts of a name, in lower case, that make the value of a variable, an option or a header a
/// secret.
const SECRET_NAMES: [&str; 7] = [
    "auth",
    "credential",
    "key",
    "pass",
    "pwd",
    "secret",
    "token",
];

/// How the name of the place of a secret ends.
const PLACES: [&str; 5] = ["dir", "file", "path", "region", "url"];

/// Where a container names what ECS reads or writes for it. A task that does not start names it.
const RESOURCES: [&str; 3] = [
    "/repositoryCredentials/credentialsParameter",
    "/logConfiguration/options/awslogs-group",
    "/logConfiguration/options/awslogs-stream-prefix",
];

/// Options whose value is a name and a password.
const USER_OPTIONS: [&str; 3] = ["-u", "--proxy-user", "--user"];

/// Options whose value is a header of HTTP.
const HEADER_OPTIONS: [&str; 2] = ["-H", "--header"];

/// What is between assignments: in the text of a connection, the query of an address, or a list.
const SEPARATORS: [char; 4] = [';', '&', ',', '?'];

impl TaskDefinition {
    /// A text of AWS without the secrets of the definition. Its names stay, unless a variable whose
    /// own name is that of a secret has one as its value.
    #[must_use]
    pub fn redacted(&self, text: &str) -> String {
        let commands: Vec<String> = self.containers().flat_map(command_secrets).collect();
        let options = self.containers().flat_map(log_secrets);
        let (named, other): (Vec<_>, Vec<_>) =
            self.variables().partition(|(name, _)| is_secret_name(name));

        let secrets = named
            .iter()
            .map(|(_, value)| *value)
            .chain(options)
            .chain(commands.iter().map(String::as_str));
        let values = other.iter().map(|(_, value)| *value);
        without_values(text, secrets, values, &self.names())
    }

    /// Names and values of the containers' environment variables.
    pub(super) fn variables(&self) -> impl Iterator<Item = (&str, &str)> {
        let variables = self
            .containers()
            .flat_map(|container| items(container, "environment"));
        variables.filter_map(|variable| {
            let name = variable.get("name").and_then(Value::as_str);
            let value = variable.get("value").and_then(Value::as_str)?;
            Some((name.unwrap_or_default(), value))
        })
    }

    /// The names of a definition: of itself, its roles, containers, images, volumes and variables,
    /// and of what it takes its secrets from and logs to.
    fn names(&self) -> Vec<&str> {
        let volumes = self.0.get("volumes").and_then(Value::as_array);
        let variables = self.containers().flat_map(|container| {
            ["environment", "secrets"]
                .into_iter()
                .flat_map(move |member| items(container, member))
        });

        let resources = self
            .containers()
            .flat_map(|container| RESOURCES.map(|pointer| container.pointer(pointer)));

        self.containers()
            .chain(volumes.into_iter().flatten())
            .chain(variables)
            .flat_map(|part| ["name", "image", "valueFrom"].map(|member| part.get(member)))
            .chain(["family", "taskRoleArn", "executionRoleArn"].map(|member| self.0.get(member)))
            .chain(resources)
            .filter_map(|name| name?.as_str())
            .collect()
    }
}

fn items<'a>(container: &'a Value, member: &str) -> impl Iterator<Item = &'a Value> {
    let list = container.get(member).and_then(Value::as_array);
    list.into_iter().flatten()
}

/// The secrets among the options of a container's log driver, such as `splunk-token`.
fn log_secrets(container: &Value) -> impl Iterator<Item = &str> {
    let options = container
        .pointer("/logConfiguration/options")
        .and_then(Value::as_object);
    options
        .into_iter()
        .flatten()
        .filter(|(name, _)| is_secret_name(name))
        .filter_map(|(_, value)| value.as_str())
}

/// The secrets among the words of a container's commands.
fn command_secrets(container: &Value) -> Vec<String> {
    let check = container.get("healthCheck");
    let lists = [
        container.get("entryPoint"),
        container.get("command"),
        check.and_then(|check| check.get("command")),
    ];

    let mut secrets = Vec::new();
    for list in lists.into_iter().flatten().filter_map(Value::as_array) {
        let arguments: Vec<&str> = list.iter().filter_map(Value::as_str).collect();
        // An argument can be a line for a shell.
        let words = arguments
            .iter()
            .flat_map(|argument| argument.split(|c: char| c.is_whitespace() || "\"'`".contains(c)))
            .map(|word| word.trim_matches('\\'))
            .filter(|word| !word.is_empty());

        secrets.extend(secrets_among(arguments.iter().copied()));
        secrets.extend(secrets_among(words));
    }
    secrets.into_iter().map(ToOwned::to_owned).collect()
}

/// The secrets among words, each by the word before it or by its own form.
fn secrets_among<'a>(words: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut secrets = Vec::new();
    let mut before = "";
    let mut is_member = false;
    let mut option: Option<PasswordOption> = None;
    for word in words {
        // What separates the name of a member of JSON from its value.
        if [":", "="].contains(&word) {
            is_member = true;
            continue;
        }

        secrets.extend(secret_after(before, word));
        secrets.extend(assigned_secrets(word));
        secrets.extend(option.and_then(|option| option.password(before, word)));
        option = option_of(word).or(option);
        let is_secret = is_member && is_secret_name(before) || is_random(word);
        secrets.extend(Some(word).filter(|_| is_secret));
        before = word;
        is_member = false;
    }
    secrets
}

/// The secrets in `NAME=secret` or `--name=secret`, and in the assignments of such a value:
/// `--connection=Server=db;Password=secret`. A line for a shell is more than that.
fn assigned_secrets(word: &str) -> Vec<&str> {
    let mut secrets = Vec::new();
    let is_one = word.starts_with('-') || !word.contains(char::is_whitespace);
    if !is_one {
        return secrets;
    }

    for (at, _) in word.match_indices('=') {
        let (before, value) = (&word[..at], &word[at + 1..]);
        let start = before.rfind(SEPARATORS).map_or(0, |at| at + 1);
        let name = before[start..].rsplit('=').next().unwrap_or_default();
        let ends = |c: char| match before[..start].chars().next_back() {
            Some('?') => c == '&',
            Some(separator) => c == separator,
            None => SEPARATORS.contains(&c),
        };
        let item = value.split(ends).next().unwrap_or_default();

        // The first value is all that follows: a password can have any letter.
        if is_secret_name(name) {
            secrets.push(item);
            secrets.extend(Some(value).filter(|_| name == before));
        }
        if USER_OPTIONS.contains(&name) {
            secrets.extend(value.split_once(':').map(|(_, password)| password));
        }
        secrets.extend([item, value].into_iter().filter(|value| is_random(value)));
    }
    secrets
}

/// The secret that a word is, or has, because of the word before it: an option, a header or its
/// scheme.
fn secret_after<'a>(before: &str, word: &'a str) -> Option<&'a str> {
    let is_scheme = |word: &str| SCHEMES.contains(&word.to_ascii_lowercase().as_str());
    if HEADER_OPTIONS.contains(&before)
        && let Some((name, value)) = word.split_once(':')
    {
        let value = value.trim_start();
        let after_scheme = value.split_once(' ').filter(|(first, _)| is_scheme(first));
        let secret = after_scheme.map_or(value, |(_, credentials)| credentials);
        return is_secret_name(name).then_some(secret);
    }

    let is_option = before.starts_with('-') && !before.contains(['=', ' ']);
    let is_header = before.ends_with(':') && !before.contains(' ');

    if USER_OPTIONS.contains(&before) {
        return word.split_once(':').map(|(_, password)| password);
    }
    let is_announced = (is_option || is_header) && is_secret_name(before) || is_scheme(before);
    (is_announced && !is_scheme(word) && !word.starts_with('-')).then_some(word)
}

pub(super) fn is_secret_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    SECRET_NAMES.iter().any(|part| name.contains(part))
        && !PLACES.iter().any(|part| name.ends_with(part))
}

/// Whether a text of several words has one that is the name of a secret, as the options of a volume
/// have in `addr=…,password=…`. Lists are not texts: of a command each word is known.
pub(super) fn names_secret(value: &Value) -> bool {
    let ends = |c: char| c.is_whitespace() || "=\"".contains(c) || SEPARATORS.contains(&c);
    let text = value.as_str().unwrap_or_default();
    text.contains(ends) && text.split(ends).any(is_secret_name)
}

/// Whether a word looks drawn by chance, as generated keys do: long, of small and capital letters
/// and several digits. A path or a host does not.
fn is_random(word: &str) -> bool {
    let digits = word.bytes().filter(u8::is_ascii_digit).count();
    word.len() >= RANDOM_CHARS
        && digits >= RANDOM_DIGITS
        && word.bytes().any(|b| b.is_ascii_lowercase())
        && word.bytes().any(|b| b.is_ascii_uppercase())
        && word
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"_-+".contains(&b))
}
