//! One mount of a container, in whichever way Docker prints it.

/// One mount, however it was printed.
#[derive(Debug, Default)]
pub(super) struct Mount {
    pub(super) field: String,
    /// `bind`, `volume`, `tmpfs`, or another word of Docker.
    pub(super) kind: String,
    pub(super) source: String,
    /// The name of a volume.
    pub(super) name: String,
    pub(super) destination: String,
    pub(super) driver: String,
    pub(super) read_only: bool,
    /// The words after the path, such as `z`.
    pub(super) options: Vec<String>,
}

/// A path in a container without slashes at its end.
pub(super) fn trimmed(path: &str) -> &str {
    let short = path.trim_end_matches('/');
    if short.is_empty() || short.ends_with(':') {
        path
    } else {
        short
    }
}

/// What two paths of the same place have in common. Windows compares without case.
pub(super) fn place_of(path: &str, is_windows: bool) -> String {
    if is_windows {
        let path = path.to_lowercase().replace('/', "\\");
        path.trim_end_matches('\\').to_owned()
    } else {
        trimmed(path).to_owned()
    }
}
