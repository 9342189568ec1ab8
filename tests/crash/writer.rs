//! A writer: sends units ahead, takes their answers, and tells what was open when the link broke.

use std::time::UNIX_EPOCH;

use folio_tests::Pipeline;
use folio_tests::generate::Random;
use folio_tests::pipeline::Words;

use crate::op::{Source, Unit};
use crate::world::{Window, World};

/// Units that are sent at once, at most.
const AHEAD: usize = 24;

/// The clock, in milliseconds since 1970. The server's is the same.
pub fn now_ms() -> i64 {
    UNIX_EPOCH.elapsed().map_or(0, |since| since.as_millis() as i64)
}

/// What a writer knows when its link has broken.
pub struct Broken {
    /// After all that was answered.
    pub world: World,
    /// What was sent and never answered, in order.
    pub open: Vec<(Unit, Window)>,
    /// Writes that were answered, refused ones apart.
    pub acknowledged: u64,
}

/// Writes until the link breaks. An error says which answer was wrong.
pub fn write(url: &str, seed: u64, mut world: World, writer: usize) -> Result<Broken, String> {
    let mut random = Random::new(seed);
    let mut source = Source::new(random.bits(), writer, 0);
    world.db = 0;
    let mut acknowledged = 0;
    let Ok(mut pipeline) = Pipeline::connect(url) else {
        return Ok(Broken { world, open: Vec::new(), acknowledged });
    };
    loop {
        let sent = now_ms();
        let count = 1 + random.below(AHEAD);
        let units: Vec<Unit> = (0..count).flat_map(|_| source.draw(sent)).collect();
        let commands: Vec<Vec<Words>> = units.iter().map(Unit::commands).collect();
        // Where this fails, a part may have been sent: the replies tell.
        let is_sent = pipeline.send(&commands.concat()).is_ok();
        for (at, unit) in units.iter().enumerate() {
            // Once the link broke while sending, the server may be gone before it answers what came.
            let replies: Result<Vec<_>, _> =
                commands[at].iter().map(|_| pipeline.receive()).collect();
            let Ok(mut replies) = replies else {
                let window = (sent, now_ms());
                let open = units[at..].iter().map(|unit| (unit.clone(), window)).collect();
                return Ok(Broken { world, open, acknowledged });
            };
            let reply = replies.pop().expect("each unit has a command");
            world.answered(unit, &reply, (sent, now_ms()))?;
            acknowledged += unit.writes(&reply);
        }
        if !is_sent {
            return Ok(Broken { world, open: Vec::new(), acknowledged });
        }
    }
}
