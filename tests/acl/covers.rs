//! Whether a key pattern covers a collection: random small patterns against every short key, judged by the server's own
//! matcher of keys and by the recursive one.

use std::env;

use folio_tests::{Client, Server};
use redis::Value;

use crate::glob;

/// Prefixes and patterns that the run decides on.
const PREFIXES: usize = 60;
const PATTERNS: usize = 150;
/// Bytes of patterns, of prefixes, and of what follows a prefix: the last has one that stands nowhere else.
const PATTERN_BYTES: &[u8] = b"ab*?[]^-\\:";
const PREFIX_BYTES: &[u8] = b"ab:*[]\\?^-";
const KEY_BYTES: &[u8] = b"ab*[]\\-z";
/// Keys of each decision that the server is asked about.
const ASKED: usize = 12;

struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % end
    }

    fn bytes(&mut self, of: &[u8], from: usize, to: usize) -> Vec<u8> {
        let length = from + self.below(to - from + 1);
        (0..length).map(|_| of[self.below(of.len())]).collect()
    }

    /// A pattern that often fits what begins with `prefix`.
    fn pattern(&mut self, prefix: &[u8]) -> Vec<u8> {
        if self.below(4) == 0 {
            return self.bytes(PATTERN_BYTES, 0, 6);
        }
        let mut pattern = Vec::new();
        for byte in &prefix[..self.below(prefix.len() + 1).max(prefix.len() / 2)] {
            match self.below(8) {
                0 => pattern.push(b'?'),
                1 => pattern.extend([b'[', *byte, b']']),
                2 => pattern.extend([b'[', b'^', KEY_BYTES[self.below(KEY_BYTES.len())], b']']),
                3 => pattern.push(b'*'),
                4 => pattern.push(*byte),
                _ => pattern.extend([b'\\', *byte]),
            }
        }
        match self.below(8) {
            0 => pattern.extend(b"*?"),
            1 => pattern.extend(self.bytes(PATTERN_BYTES, 0, 3)),
            2 => pattern.extend(b"[*"),
            3 => pattern.extend(b"\\*"),
            _ => pattern.push(b'*'),
        }
        pattern
    }
}

/// What keys of the collection have after its prefix, and nothing.
fn endings() -> Vec<Vec<u8>> {
    let mut all = vec![Vec::new()];
    let mut from = 0;
    for _ in 0..3 {
        let to = all.len();
        for at in from..to {
            for byte in KEY_BYTES {
                all.push([&all[at][..], &[*byte]].concat());
            }
        }
        from = to;
    }
    all
}

#[test]
fn a_pattern_that_covers_fits_every_key_and_others_are_refused() {
    let seed = env::var("SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(20_250_101);
    println!("SEED={seed}");
    let mut random = Random(seed);
    let server = Server::start();
    let mut run = Run::new(&server);
    for _ in 0..PREFIXES {
        let prefix = random.bytes(PREFIX_BYTES, 1, 5);
        run.declare(&prefix);
        for _ in 0..PATTERNS {
            let pattern = random.pattern(&prefix);
            run.decide(&mut random, &prefix, &pattern);
        }
    }
    let Run { decided, covering, odd, asked, .. } = run;
    println!(
        "{decided} decisions, {covering} cover, {odd} cover and are refused, {asked} keys asked of the server"
    );
    assert!(covering > decided / 10 && odd > 0 && asked > 10_000, "too little was tried");
}

/// The bounds of a range are C's `char`, which is signed on some machines: the server says what they mean.
#[test]
fn ranges_of_bytes_beyond_ascii_mean_what_they_mean_to_the_server() {
    let server = Server::start();
    let mut run = Run::new(&server);
    let classes: [&[u8]; 6] =
        [b"[a-\xff]", b"[^a-\xff]", b"[\x80-\xff]", b"[\x80-b]", b"[^\xc3]", b"[\xc3\xce]"];
    for prefix in ["b:", "A:", "\u{e9}:", "\u{3bb}:", "\u{7f}:"] {
        run.declare(prefix.as_bytes());
        for class in classes {
            let rule = [b"~", class, b"*"].concat();
            let words: [&[u8]; 5] = [b"ACL", b"SETUSER", b"probe", b"resetkeys", &rule];
            run.admin.try_call(&words).expect("any pattern without blanks is one");
            let covers = run.user.try_call(&["DOC.COUNT", "c"]).is_ok();
            let may = run.server_allows(&[prefix.as_bytes(), b"1"].concat());
            assert_eq!(covers, may, "{} {prefix:?}", class.escape_ascii());
        }
    }
}

struct Run {
    admin: Client,
    user: Client,
    endings: Vec<Vec<u8>>,
    decided: usize,
    covering: usize,
    odd: usize,
    asked: usize,
}

impl Run {
    fn new(server: &Server) -> Self {
        let mut admin = server.resp2();
        admin.call(&["ACL", "SETUSER", "probe", "on", "nopass", "+@all"]);
        let mut user = server.resp2();
        user.call(&["AUTH", "probe", "any"]);
        let (decided, covering, odd, asked) = (0, 0, 0, 0);
        Self { admin, user, endings: endings(), decided, covering, odd, asked }
    }

    fn declare(&mut self, prefix: &[u8]) {
        // The first time there is none.
        let _ = self.admin.try_call(&["DOC.DROP", "c"]);
        let words: [&[u8]; 4] = [b"DOC.CREATE", b"c", b"PREFIX", prefix];
        self.admin.try_call(&words).expect("it can be declared");
    }

    fn decide(&mut self, random: &mut Random, prefix: &[u8], pattern: &[u8]) {
        let rule = [b"~", pattern].concat();
        let words: [&[u8]; 5] = [b"ACL", b"SETUSER", b"probe", b"resetkeys", &rule];
        self.admin.try_call(&words).expect("any pattern without blanks is one");
        let covers = self.user.try_call(&["DOC.COUNT", "c"]).is_ok();
        let context =
            format!("'{}' and prefix '{}'", pattern.escape_ascii(), prefix.escape_ascii());
        let fits = |ending: &Vec<u8>| glob::fits(pattern, &[prefix, ending].concat());
        let fits_all = self.endings.iter().all(fits);
        assert!(fits_all || !covers, "{context}: not every key fits");
        for _ in 0..ASKED {
            let ending = self.endings[random.below(self.endings.len())].clone();
            let key = [prefix, &ending].concat();
            let may = self.server_allows(&key);
            assert_eq!(may, glob::fits(pattern, &key), "{context}: key '{}'", key.escape_ascii());
            assert!(may || !covers, "{context}: the server refuses '{}'", key.escape_ascii());
        }
        self.decided += 1;
        self.covering += usize::from(fits_all);
        if fits_all && !covers {
            self.odd += 1;
            assert!(is_odd(pattern), "{context}: covers and is refused");
        }
    }

    fn server_allows(&mut self, key: &[u8]) -> bool {
        self.asked += 1;
        let words: [&[u8]; 5] = [b"ACL", b"DRYRUN", b"probe", b"DOC.GET", key];
        let answer = self.admin.try_call(&words).expect("a dry run answers");
        matches!(answer, Value::Okay)
    }
}

/// The documented exception: after the last `*` comes what takes any one byte.
fn is_odd(pattern: &[u8]) -> bool {
    let (mut at, mut after_star) = (0, None);
    while at < pattern.len() {
        if pattern[at] == b'*' {
            after_star = Some(0);
            at += 1;
            continue;
        }
        let (members, length) = glob::item(&pattern[at..]);
        at += length;
        after_star = match after_star {
            Some(count)
                if members.len() == 256 || KEY_BYTES.iter().all(|b| members.contains(b)) =>
            {
                Some(count + 1)
            }
            _ => None,
        };
    }
    after_star.is_some_and(|count| count > 0)
}
