//! Memory gets scarce: the server takes keys, or refuses writes, as its policy says.

use redis::Value;

use crate::expect::{Expect, Versions, fits};
use crate::kinds::POLICIES;
use crate::op::Op;
use crate::run::{Run, Stop};
use crate::step::Plan;
use crate::wire::{Command, command, shown};
use crate::world::{DATABASES, World};

/// How often the server is called upon to take keys; once it works for a bounded time only.
const CALLS: usize = 20;
/// A key for the writes under pressure, of an open collection.
const KEY: &str = "notes:pressed";

/// A line of INFO.
fn line(info: &str, name: &str) -> Result<u64, String> {
    let line = info.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|number| number.trim().parse().ok()).ok_or_else(|| format!("no {name} in {info}"))
}

/// Writes in every way while there may be no memory for any, and a removal, which is never refused.
fn pressed(world: &World, is_certain: bool) -> Plan {
    let oom = || Expect::Error("OOM");
    let either = |refused: Expect| {
        if is_certain { refused } else { Expect::Either(vec![refused, Expect::Fine]) }
    };
    let words = ["DOC.SET", KEY, r#"{"n":1}"#];
    let write = || command(&words);
    let step = |op: &Op| world.clone().step(op).unwrap_or_default();
    let set = Op::Set {
        key: KEY.into(),
        json: words[2].into(),
        when: crate::op::When::Always,
        ttl: crate::op::SetTtl::Drop,
        filter: 0,
    };
    let script = [Op::Eval(vec![set.clone()]), Op::Fcall(vec![set])];
    let mut plan: Plan = (0..CALLS).map(|_| (command(&["PING"]), Expect::Fine)).collect();
    plan.push((write(), either(oom())));
    plan.push((command(&["MULTI"]), Expect::Ok));
    plan.push((write(), either(oom())));
    plan.push((command(&["EXEC"]), either(Expect::Error("EXECABORT"))));
    for op in &script {
        plan.extend(step(op).into_iter().map(|(command, _)| (command, either(oom()))));
    }
    plan.push((command(&["DOC.DEL", KEY]), Expect::Fine));
    plan
}

impl Run<'_> {
    /// Makes memory scarce under a policy, and teaches the model what is gone. Only keys that the policy names may be.
    pub fn evict(&mut self, policy: usize, bytes: u64) -> Result<(), Stop> {
        let (tried, took) = POLICIES[policy];
        let policy = tried.rsplit(' ').next().unwrap_or_default();
        let limited = self.limit(policy, bytes);
        self.fault(limited)?;
        let plan = pressed(&self.world, policy == "noeviction");
        let commands: Vec<Command> = plan.iter().map(|(command, _)| command.clone()).collect();
        let replies = self.rig.wire.ask(&commands);
        let replies = self.fault(replies)?;
        for ((command, expect), reply) in plan.iter().zip(&replies) {
            // The model knows no such key, so that its versions are nobody's business.
            if !fits(expect, reply, &mut Versions::default()) {
                let text = format!(
                    "{} under {policy}\n  gave     {reply:?}\n  expected {expect:?}",
                    shown(command)
                );
                return self.fault(Err(text));
            }
        }
        let lifted = ["CONFIG", "SET", "maxmemory", "0", "maxmemory-policy", "noeviction"];
        let lifted = self.rig.wire.call(&lifted);
        self.fault(lifted)?;
        let gone = self.forget_evicted(policy);
        let gone = self.fault(gone)?;
        self.forget_evicted_streams()?;
        if gone > 0 || policy == "noeviction" {
            self.happened.push(took);
        }
        Ok(())
    }

    fn limit(&mut self, policy: &str, bytes: u64) -> Result<(), String> {
        let wire = &mut self.rig.wire;
        wire.call(&["CONFIG", "SET", "maxmemory-policy", policy])?;
        let info = folio_tests::reply::text(&wire.call(&["INFO", "memory"])?);
        let used = line(&info, "used_memory:")? - line(&info, "mem_not_counted_for_evict:")?;
        // What is to be refused for certain has to be far beyond the limit.
        let bytes = if policy == "noeviction" { u64::MAX } else { bytes };
        let limit = used.saturating_sub(bytes).max(1).to_string();
        wire.call(&["CONFIG", "SET", "maxmemory", &limit]).map(|_| ())
    }

    /// Takes out of the model what is gone; tells how much.
    fn forget_evicted(&mut self, policy: &str) -> Result<usize, String> {
        let mut gone = 0;
        for db in 0..DATABASES {
            let entries = self.world.spaces[db].entries.clone();
            let mut commands = vec![command(&["SELECT", &db.to_string()])];
            commands.extend(entries.keys().map(|key| command(&["EXISTS", key])));
            let replies = self.rig.wire.ask(&commands)?;
            for ((key, entry), reply) in entries.iter().zip(&replies[1..]) {
                if *reply != Value::Int(0) {
                    continue;
                }
                let may_go = match policy.split_once('-') {
                    Some(("allkeys", _)) => true,
                    Some(("volatile", _)) => entry.ttl.is_some(),
                    _ => false,
                };
                if !may_go {
                    return Err(format!("{policy} took {key} of database {db}: {entry:?}"));
                }
                self.world.take_for(db, key, "evict", None);
                gone += 1;
            }
        }
        self.rig.wire.call(&["SELECT", &self.world.db.to_string()])?;
        Ok(gone)
    }
}
