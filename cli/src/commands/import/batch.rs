//! Lines on their way to the server.

use redis::Pipeline;

use super::command::Command;
use super::source::Text;

/// Commands are sent together until they come to so many bytes.
const BATCH_BYTES: usize = 1 << 20;

/// Lines that are sent together.
#[derive(Default)]
pub struct Batch {
    /// A command for each item that is not refused.
    pub pipeline: Pipeline,
    pub items: Vec<Item>,
    /// Which of the inputs they are of.
    pub input: usize,
    /// How many lines of that input come before them.
    pub before: u64,
    /// Whether the input ends with them.
    pub is_last: bool,
    /// Whether sending them twice comes to the same as sending them once.
    pub can_repeat: bool,
    bytes: usize,
}

/// A line, or what stands for one.
pub struct Item {
    pub line: u64,
    pub text: Text,
    /// Empty if the server makes it.
    pub key: String,
    /// Why it is not even sent.
    pub refused: Option<String>,
}

impl Batch {
    pub fn of(input: usize, before: u64) -> Self {
        Self { input, before, can_repeat: true, ..Self::default() }
    }

    pub fn refuse(&mut self, line: u64, text: Text, why: String) {
        self.bytes += text.len();
        self.items.push(Item { line, text, key: String::new(), refused: Some(why) });
    }

    pub fn send(&mut self, line: u64, text: Text, key: String, command: Command) {
        self.can_repeat &= command.can_repeat;
        self.bytes += text.len();
        self.pipeline.add_command(command.command);
        self.items.push(Item { line, text, key, refused: None });
    }

    pub fn is_full(&self, commands: usize) -> bool {
        self.items.len() >= commands || self.bytes >= BATCH_BYTES
    }
}
