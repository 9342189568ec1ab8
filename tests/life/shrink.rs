//! A failing script made short, and printed as it can be kept.

use std::time::{Duration, Instant};

use crate::op::Op;
use crate::run::{Rig, Stop, replay};
use crate::wire::shown;
use crate::world::World;

/// How long shrinking may take.
const PATIENCE: Duration = Duration::from_secs(90);

/// Windows of so few operations are tried at every place.
const OVERLAPPING: usize = 3;

/// The fault that a script meets, if it does. A run that was too slow is tried again.
fn fault(rig: &mut Rig, script: &[Op]) -> Option<(usize, String)> {
    for _ in 0..5 {
        match replay(rig, script) {
            Ok(()) => return None,
            Err(Stop::Fault(at, text)) => return Some((at, text)),
            Err(Stop::Slow) => {}
        }
    }
    None
}

/// Leaves operations out while the script still meets a fault. Each rig is started by `start`,
/// because a fault may end the server.
pub fn shrink(start: impl Fn() -> Rig, script: Vec<Op>) -> (Vec<Op>, String) {
    let deadline = Instant::now() + PATIENCE;
    let mut rig = start();
    let Some((at, mut text)) = fault(&mut rig, &script) else {
        return (script, "it does not show again when the script is run from the start".into());
    };
    let mut script = script;
    script.truncate(at + 1);
    let mut size = script.len().div_ceil(2);
    while Instant::now() < deadline {
        let before = script.len();
        let mut from = 0;
        while from < script.len() && Instant::now() < deadline {
            let to = (from + size).min(script.len());
            let shorter = [&script[..from], &script[to..]].concat();
            if !rig.is_alive() {
                rig = start();
            }
            match fault(&mut rig, &shorter) {
                Some((at, what)) => {
                    script = shorter;
                    script.truncate(at + 1);
                    text = what;
                }
                // Small windows overlap: two SWAPDBs undo each other, and only go together.
                None => from = if size <= OVERLAPPING { from + 1 } else { to },
            }
        }
        if size > 1 {
            size /= 2;
        } else if script.len() < before {
            size = OVERLAPPING;
        } else {
            break;
        }
    }
    (script, text)
}

/// The script as a line each, for `regressions.rs`, and as commands, for redis-cli.
pub fn printed(script: &[Op]) -> String {
    let line = |op: &Op| serde_json::to_string(op).expect("an operation has a JSON form");
    let lines: Vec<String> = script.iter().map(line).collect();
    let mut world = World::new(1_000_000_000_000);
    let mut commands = Vec::new();
    for op in script {
        for (command, _) in world.step(op).unwrap_or_default() {
            commands.push(shown(&command));
        }
        if op.is_heavy() {
            commands.push(format!("-- {}", op.kinds()[0]));
        }
    }
    format!("{}\n\nas commands:\n{}\n", lines.join("\n"), commands.join("\n"))
}

/// Reads what `printed` gave.
pub fn read(script: &str) -> Vec<Op> {
    let lines = script.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{line}: {e}"))).collect()
}
