//! The keyboard, while a screen is drawn: keys come one by one and are not shown.

use std::io::{self, IsTerminal as _};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use tokio::io::AsyncReadExt as _;

/// The terminal as it was, which it is again when this goes.
struct Quiet {
    was: Termios,
}

impl Quiet {
    fn new() -> io::Result<Self> {
        let was = tcgetattr(io::stdin())?;
        let mut modes = was.clone();
        // Control-c is a signal still.
        modes.local_modes.remove(LocalModes::ICANON | LocalModes::ECHO);
        tcsetattr(io::stdin(), OptionalActions::Now, &modes)?;
        Ok(Self { was })
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        // Nothing is left to be done about a terminal that has gone.
        tcsetattr(io::stdin(), OptionalActions::Now, &self.was).ok();
    }
}

/// Comes back when `q` is pressed; never where nobody can.
pub async fn quit(is_drawn: bool) -> io::Result<()> {
    if !is_drawn || !io::stdin().is_terminal() {
        return std::future::pending().await;
    }
    let _quiet = Quiet::new()?;
    let mut stdin = tokio::io::stdin();
    loop {
        match stdin.read_u8().await {
            Ok(b'q' | b'Q') => return Ok(()),
            Ok(_) => {}
            Err(_) => return std::future::pending().await,
        }
    }
}
