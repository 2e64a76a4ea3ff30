//! The containers of one file, as they refer to each other: by name, or by id.

use std::collections::BTreeSet;

/// Fewest characters of an id that Docker prints.
const ID_CHARS: usize = 12;

#[derive(Clone, Debug)]
pub(super) struct Peer {
    /// The name in Docker, without its slash.
    pub(super) docker_name: String,
    pub(super) id: String,
    /// The name in the task definition.
    pub(super) name: String,
    /// Where volumes are mounted.
    pub(super) mounted: BTreeSet<String>,
}

#[derive(Debug)]
pub(super) struct Peers(pub(super) Vec<Peer>);

impl Peers {
    pub(super) fn find(&self, reference: &str) -> Option<&Peer> {
        let reference = reference.trim_start_matches('/');
        let is_id = reference.len() >= ID_CHARS;
        self.0
            .iter()
            .find(|peer| peer.docker_name == reference || is_id && peer.id.starts_with(reference))
    }
}
