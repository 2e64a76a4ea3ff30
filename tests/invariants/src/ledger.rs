//! The ledger as the calls so far have left it.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use crate::ledger_reader::{item, ledger, text};
use emulator::{Aws, Request};

use super::body;

/// The ledger as it was last written. What one write leaves alone is not copied.
#[derive(Clone, Debug, Default)]
pub(super) struct Ledger {
    pub(super) read: bool,
    /// By `cluster/service`.
    pub(super) leases: BTreeMap<String, Arc<Value>>,
    /// By execution.
    pub(super) records: BTreeMap<String, Arc<Value>>,
}

impl Ledger {
    pub(crate) fn of(aws: &Aws) -> Self {
        let mut whole = Self {
            read: true,
            ..Self::default()
        };
        for item in ledger(aws) {
            whole.take(item);
        }
        whole
    }

    /// The ledger after a request that wrote it.
    pub(crate) fn after(&self, aws: &Aws, request: &Request) -> Self {
        let (input, mut after) = (body(request), self.clone());
        let parts = input["TransactItems"]
            .as_array()
            .map_or(&[] as &[Value], Vec::as_slice)
            .iter();
        let writes = parts
            .flat_map(|part| part.as_object().into_iter().flat_map(|part| part.values()))
            .chain([&input]);

        for keyed in writes.filter_map(|write| write.get("Item").or(write.get("Key"))) {
            let key = serde_json::json!({"pk": keyed["pk"], "sk": keyed["sk"]});
            match item(aws, &key) {
                Some(item) => after.take(item),
                None => after.drop(&key),
            }
        }
        after
    }

    /// A lease whose release is open.
    pub(crate) fn open(&self) -> Option<&Value> {
        self.leases
            .values()
            .map(Arc::as_ref)
            .find(|lease| text(lease, "release.state") == Some("open"))
    }

    /// The lease that a release holds, also one that is taken over.
    pub(crate) fn held(&self) -> Option<&Value> {
        self.leases
            .values()
            .map(Arc::as_ref)
            .find(|lease| text(lease, "release.execution").is_some())
    }

    fn take(&mut self, item: Value) {
        let (pk, sk) = (
            text(&item, "pk").unwrap_or_default(),
            text(&item, "sk").unwrap_or_default().to_owned(),
        );
        if pk == "lease" && sk.contains('/') {
            self.leases.insert(sk, Arc::new(item));
        } else if let Some(execution) = pk.strip_prefix("execution#") {
            self.records.insert(execution.to_owned(), Arc::new(item));
        }
    }

    fn drop(&mut self, key: &Value) {
        let (pk, sk) = (
            text(key, "pk").unwrap_or_default(),
            text(key, "sk").unwrap_or_default(),
        );
        if pk == "lease" {
            self.leases.remove(sk);
        } else if let Some(execution) = pk.strip_prefix("execution#") {
            self.records.remove(execution);
        }
    }
}
