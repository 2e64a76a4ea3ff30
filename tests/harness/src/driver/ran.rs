//! What is kept of each attempt of a function.

use emulator::client::CallFault;
use emulator::{Aws, Call};

/// One attempt that ran: what it was for, how many calls it made, and what went wrong with them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ran {
    pub invocation: u64,
    pub attempt: u64,
    pub function: String,
    pub calls: u32,
    pub met: Vec<CallFault>,
}

impl Ran {
    /// Its calls in the log of an account, in the order in which faults count them.
    ///
    /// # Panics
    /// When one is not in the log, so that the numbers of faults are not those of the calls.
    #[must_use]
    pub fn called<'a>(&self, aws: &'a Aws) -> Vec<&'a Call> {
        let calls = aws.calls.iter();
        let own = calls.filter(|call| call.attempt == Some(self.attempt));
        let own: Vec<&Call> = own.collect();
        assert_eq!(
            usize::try_from(self.calls),
            Ok(own.len()),
            "the log has all calls of {}",
            self.function
        );
        own
    }

    /// The calls, counted from 1, after which a crash leaves something new behind: each that
    /// changes something, and the first one. After any other read, everything is as it was after
    /// the call before.
    ///
    /// They are those of a container that is as warm as this one was: a new one assumes its deploy
    /// role in a call more.
    #[must_use]
    pub fn crash_points(&self, aws: &Aws) -> Vec<u32> {
        (1..)
            .zip(self.called(aws))
            .filter(|(number, call)| *number == 1 || !call.is_read())
            .map(|(number, _)| number)
            .collect()
    }
}
