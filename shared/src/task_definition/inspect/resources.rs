//! What a container may use: memory, CPU, and its limits.
//!
//! Never reserves what is not in the file: without a limit the running definition decides.

use serde_json::{Value, json};

use super::draft::Draft;
use super::fields::Fields;

const MIB: u64 = 1024 * 1024;

/// Least memory of a container, in MiB (ECS API: ContainerDefinition, `memory`).
const LEAST_MEMORY: u64 = 6;

/// CPU units of a CPU (ECS API: ContainerDefinition, `cpu`).
const CPU_UNITS: u64 = 1024;

const NANO_CPUS: u64 = 1_000_000_000;

/// Docker's own period of a quota, in microseconds (Docker Engine API: Resources, `CpuPeriod`).
const PERIOD: u64 = 100_000;

/// Docker's own size of `/dev/shm`, in bytes (docs.docker.com/reference/cli/docker/container/run).
const SHARED_MEMORY: u64 = 64 * MIB;

/// Podman's own, in bytes (github.com/containers/common, docs/containers.conf.5.md, `shm_size`).
const SHARED_MEMORY_OF_PODMAN: u64 = 65_536_000;

/// The limits that ECS takes (ECS API: Ulimit, `name`).
const ULIMITS: [&str; 15] = [
    "core",
    "cpu",
    "data",
    "fsize",
    "locks",
    "memlock",
    "msgqueue",
    "nice",
    "nofile",
    "nproc",
    "rss",
    "rtprio",
    "rttime",
    "sigpending",
    "stack",
];

pub(super) fn convert(host: &mut Fields, draft: &mut Draft) -> Result<(), String> {
    memory(host, draft)?;
    cpu(host, draft)?;
    ulimits(host, draft)?;
    shared_memory(host, draft)
}

fn memory(host: &mut Fields, draft: &mut Draft) -> Result<(), String> {
    let bytes = host.count("Memory")?;
    for (name, member, bytes) in [
        ("Memory", "memory", bytes),
        (
            "MemoryReservation",
            "memoryReservation",
            host.count("MemoryReservation")?,
        ),
    ] {
        if bytes > 0 {
            let field = host.at(name);
            let size = mebibytes(&field, bytes, draft);
            draft.put(member, size, "", "");
        }
    }
    swap(host, bytes, draft)
}

/// A size in MiB, which is at least what ECS takes.
fn mebibytes(field: &str, bytes: u64, draft: &mut Draft) -> u64 {
    let size = bytes.div_ceil(MIB);
    if size < LEAST_MEMORY {
        let reason = format!("ECS takes {LEAST_MEMORY} MiB at least, which is set");
        draft.leave(field, bytes.to_string(), reason);
    }
    size.max(LEAST_MEMORY)
}

/// `MemorySwap` is memory and swap together. Docker sets twice the memory if it is not given.
fn swap(host: &mut Fields, memory: u64, draft: &mut Draft) -> Result<(), String> {
    let field = host.at("MemorySwap");
    let total = host.number("MemorySwap")?;
    let swap = u64::try_from(total)
        .ok()
        .and_then(|total| total.checked_sub(memory));
    let is_default = total == 0 || u64::try_from(total) == Ok(memory.saturating_mul(2));

    let mut has_limit = false;
    if !is_default {
        match swap.filter(|_| memory > 0) {
            Some(swap) => {
                has_limit = true;
                draft.put("maxSwap", swap.div_ceil(MIB), &field, &total.to_string());
            }
            None => draft.leave(field, total.to_string(), "ECS takes an amount of swap"),
        }
    }

    let field = host.at("MemorySwappiness");
    let given = host.take("MemorySwappiness");
    // Podman prints 0 where nothing is set
    // (github.com/containers/podman, libpod/container_inspect_linux.go).
    let is_of_podman = host.has("CgroupManager");
    match given.as_i64() {
        None | Some(-1) => {}
        Some(0) if is_of_podman => {}
        Some(percent) if has_limit => {
            draft.put("swappiness", percent, &field, &percent.to_string());
        }
        Some(percent) => {
            let reason = "ECS takes it beside an amount of swap only";
            draft.leave(field, percent.to_string(), reason);
        }
    }
    Ok(())
}

/// A share as it is; without one, a limit as the share of as many CPUs.
fn cpu(host: &mut Fields, draft: &mut Draft) -> Result<(), String> {
    let shares = host.count("CpuShares")?;
    let nano = host.count("NanoCpus")?;
    let period = match host.count("CpuPeriod")? {
        0 => PERIOD,
        period => period,
    };
    let quota = host.number("CpuQuota")?;
    let quota = u64::try_from(quota).unwrap_or(0);

    let limits = [
        (
            "NanoCpus",
            nano,
            nano.saturating_mul(CPU_UNITS).div_ceil(NANO_CPUS),
        ),
        (
            "CpuQuota",
            quota,
            quota.saturating_mul(CPU_UNITS).div_ceil(period),
        ),
    ];
    let mut units = shares;
    for (name, given, limit) in limits {
        if given > 0 && units > 0 {
            let reason = "ECS takes one number of CPU units, and another one is set";
            draft.leave(host.at(name), given.to_string(), reason);
        } else if given > 0 {
            units = limit;
        }
    }
    if units > 0 {
        draft.put("cpu", units, "", "");
    }
    Ok(())
}

fn ulimits(host: &mut Fields, draft: &mut Draft) -> Result<(), String> {
    let place = host.at("Ulimits");
    let mut list = Vec::new();

    for mut limit in host.objects("Ulimits")? {
        let given = limit.text("Name")?;
        // Podman prints the names that the system has, such as RLIMIT_NOFILE.
        let of_system = given.strip_prefix("RLIMIT_");
        let name = of_system.map_or_else(|| given.clone(), str::to_ascii_lowercase);
        let field = format!("{place}.{name}");
        let (soft, hard) = (limit.number("Soft")?, limit.number("Hard")?);

        if !ULIMITS.contains(&name.as_str()) {
            draft.leave(field, format!("{soft}:{hard}"), "ECS has no such limit");
        } else if i32::try_from(soft).is_err() || i32::try_from(hard).is_err() {
            let reason = format!("ECS takes {} at most", i32::MAX);
            draft.leave(field, format!("{soft}:{hard}"), reason);
        } else {
            list.push(json!({"name": name, "softLimit": soft, "hardLimit": hard}));
        }
        draft.leave_rest(&mut limit);
    }

    let name = |limit: &Value| limit["name"].as_str().unwrap_or_default().to_owned();
    list.sort_by_key(name);
    draft.put("ulimits", list, &place, "a list");
    Ok(())
}

fn shared_memory(host: &mut Fields, draft: &mut Draft) -> Result<(), String> {
    let bytes = host.count("ShmSize")?;
    if ![0, SHARED_MEMORY, SHARED_MEMORY_OF_PODMAN].contains(&bytes) {
        let field = host.at("ShmSize");
        draft.put(
            "sharedMemorySize",
            bytes.div_ceil(MIB),
            &field,
            &bytes.to_string(),
        );
    }
    Ok(())
}
