//! The memory of this process, where the system shows it.

/// The resident memory, in mebibytes.
pub(super) fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kibibytes = resident?.split_whitespace().next()?.parse::<u64>().ok()?;
    Some(kibibytes / 1_024)
}
