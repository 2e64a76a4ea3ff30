use emulator::Aws;
use emulator::client::CallFault;

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
    /// The calls, counted from 1, after which a crash leaves something new behind: each that changes
    /// something, and the first one. After any other read, everything is as it was after the call
    /// before.
    #[must_use]
    pub fn crash_points(&self, aws: &Aws) -> Vec<u32> {
        let calls = aws.calls.iter();
        let own = calls.filter(|call| call.attempt == Some(self.attempt));
        (1..)
            .zip(own)
            .filter(|(number, call)| *number == 1 || !call.is_read())
            .map(|(number, _)| number)
            .collect()
    }
}
