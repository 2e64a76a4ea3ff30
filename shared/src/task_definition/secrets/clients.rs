//! Passwords in the commands of known clients, whose options do not show what they are: `-p` is a
//! port of other programs.
//!
//! Never takes a variable of a shell for a password, nor what follows an option that another
//! program has.

/// How a client takes a password.
#[derive(Clone, Copy, Debug)]
pub(super) struct PasswordOption {
    name: &'static str,
    /// Whether the password may be the next word.
    may_follow: bool,
}

/// Clients by how their names begin, with their options (mariadb.com/kb and dev.mysql.com: `-p`,
/// of which the password is a part; mongodb.com: mongosh; redis.io: redis-cli; sshpass(1)).
const CLIENTS: [(&str, PasswordOption); 5] = [
    ("mariadb", attached("-p")),
    ("mongo", separate("-p")),
    ("mysql", attached("-p")),
    ("redis-cli", separate("-a")),
    ("sshpass", separate("-p")),
];

const fn attached(name: &'static str) -> PasswordOption {
    PasswordOption {
        name,
        may_follow: false,
    }
}

const fn separate(name: &'static str) -> PasswordOption {
    PasswordOption {
        name,
        may_follow: true,
    }
}

/// The option of the client that a word of a command runs, if it runs a known one.
pub(super) fn option_of(word: &str) -> Option<PasswordOption> {
    let program = word.rsplit('/').next().unwrap_or(word);
    let mut known = CLIENTS.iter();
    let client = known.find(|(client, _)| program.starts_with(client));
    client.map(|(_, option)| *option)
}

impl PasswordOption {
    /// The password that a word is, or has.
    pub(super) fn password<'a>(self, before: &str, word: &'a str) -> Option<&'a str> {
        let attached = word.strip_prefix(self.name).filter(|rest| !rest.is_empty());
        let is_next = self.may_follow && before == self.name;
        let password = attached.or(is_next.then_some(word))?;
        (!password.starts_with(['$', '-'])).then_some(password)
    }
}
