//! Runs that do not depend on each other, on all cores of the machine.

use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{iter, thread};

/// Plays each run, and returns the results in the order of the runs. A core that has ended one
/// takes the next.
///
/// # Panics
/// When a run does.
pub fn on_all_cores<R: Sync, T: Send>(runs: &[R], play: impl Fn(&R) -> T + Sync) -> Vec<T> {
    let next = AtomicUsize::new(0);
    let one_after_another = || {
        let numbers = iter::repeat_with(|| next.fetch_add(1, Ordering::Relaxed));
        let own = numbers.map_while(|number| Some((number, play(runs.get(number)?))));
        own.collect::<Vec<(usize, T)>>()
    };

    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let mut played: Vec<(usize, T)> = thread::scope(|scope| {
        let threads: Vec<_> = (0..cores).map(|_| scope.spawn(one_after_another)).collect();
        let ended = threads.into_iter().map(|thread| thread.join());
        ended.flat_map(|ended| ended.expect("a run ends")).collect()
    });
    played.sort_unstable_by_key(|(number, _)| *number);
    played.into_iter().map(|(_, result)| result).collect()
}
