//! What INFO tells of the server and of the module: read once, then looked up.

mod histogram;

use std::collections::BTreeMap;

use folio::Folio;

use crate::outcome::Failure;

pub use histogram::Histogram;

/// The sections that are asked for.
const SECTIONS: [&str; 9] = [
    "server",
    "clients",
    "memory",
    "persistence",
    "stats",
    "replication",
    "errorstats",
    "keyspace",
    "folio",
];

/// The fields of one answer.
#[derive(Debug, Default)]
pub struct Figures {
    fields: BTreeMap<String, String>,
}

/// The value of a field that is a row of `name=value`.
#[derive(Clone, Copy, Debug)]
pub struct Pairs<'a>(&'a str);

impl Figures {
    /// Asks the server.
    pub async fn read(db: &Folio) -> Result<Self, Failure> {
        let text: String = db.cmd("INFO").arg(SECTIONS).read().await?;
        Ok(Self::parse(&text))
    }

    pub fn parse(text: &str) -> Self {
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        let fields = lines.filter_map(|line| line.split_once(':'));
        let fields = fields.map(|(name, value)| (name.to_owned(), value.to_owned()));
        Self { fields: fields.collect() }
    }

    pub fn text(&self, name: &str) -> Option<&str> {
        self.fields.get(name).map(String::as_str)
    }

    pub fn number(&self, name: &str) -> Option<f64> {
        self.text(name)?.parse().ok()
    }

    /// A count; 0 where there is none.
    pub fn count(&self, name: &str) -> u64 {
        self.text(name).and_then(|text| text.parse().ok()).unwrap_or(0)
    }

    pub fn pairs(&self, name: &str) -> Pairs<'_> {
        Pairs(self.text(name).unwrap_or_default())
    }

    /// The fields that begin with `prefix`, without it.
    pub fn each(&self, prefix: &'static str) -> impl Iterator<Item = (&str, Pairs<'_>)> {
        let from = self.fields.range(prefix.to_owned()..);
        from.map_while(move |(name, value)| {
            name.strip_prefix(prefix).map(|rest| (rest, Pairs(value.as_str())))
        })
    }

    /// The same where numbers follow, in their order: collections, builds, migrations, replicas.
    pub fn numbered(&self, prefix: &'static str) -> Vec<Pairs<'_>> {
        let number = |(rest, pairs)| str::parse(rest).ok().map(|number: u64| (number, pairs));
        let mut all: Vec<_> = self.each(prefix).filter_map(number).collect();
        all.sort_by_key(|(number, _)| *number);
        all.into_iter().map(|(_, pairs)| pairs).collect()
    }

    /// Whether the server has loaded the module.
    pub fn has_module(&self) -> bool {
        self.text("folio_version").is_some()
    }

    /// Whether the server reads its data, and answers nothing else.
    pub fn is_loading(&self) -> bool {
        self.count("loading") == 1 && self.count("async_loading") != 1
    }

    /// Whether the server follows a primary.
    pub fn is_replica(&self) -> bool {
        self.text("role") == Some("slave")
    }

    /// Whether another server, or the same in another life, gave these.
    pub fn is_other_life(&self, other: &Self) -> bool {
        self.text("run_id") != other.text("run_id")
    }

    /// How far each replica is behind, in bytes, by its address.
    pub fn replica_lags(&self) -> Vec<(String, u64)> {
        let end = self.count("master_repl_offset");
        let lag = |replica: Pairs<'_>| {
            let (ip, port) = (replica.text("ip")?, replica.text("port")?);
            Some((format!("{ip}:{port}"), end.saturating_sub(replica.count("offset"))))
        };
        self.numbered("slave").into_iter().filter_map(lag).collect()
    }
}

impl<'a> Pairs<'a> {
    pub fn each(self) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.0.split(',').filter_map(|pair| pair.split_once('='))
    }

    pub fn text(self, name: &str) -> Option<&'a str> {
        self.each().find(|(of, _)| *of == name).map(|(_, value)| value)
    }

    /// A count; 0 where there is none.
    pub fn count(self, name: &str) -> u64 {
        self.text(name).and_then(|text| text.parse().ok()).unwrap_or(0)
    }

    /// The name of a collection: the module writes what could end a pair as `%` and two digits.
    pub fn collection(self) -> String {
        unescaped(self.text("name").unwrap_or_default())
    }
}

fn unescaped(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let code = after.get(..2).filter(|_| first == b'%');
        let code = code.and_then(|digits| str::from_utf8(digits).ok());
        if let Some(byte) = code.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            bytes.push(byte);
            rest = &after[2..];
        } else {
            bytes.push(first);
            rest = after;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# Server\r\nrun_id:abc\r\n\r\n# folio\r\nfolio_documents:12\r\n\
        folio_collection_10:db=0,name=b%2C%C3%A9,documents=3\r\n\
        folio_collection_9:db=0,name=a,documents=2\r\nfolio_collections:2\r\n";

    #[test]
    fn fields_are_found_by_name_and_by_what_they_begin_with() {
        let figures = Figures::parse(TEXT);
        assert_eq!(figures.count("folio_documents"), 12);
        assert_eq!(figures.count("folio_nothing"), 0);
        let listed = figures.numbered("folio_collection_");
        let names: Vec<String> = listed.iter().map(|pairs| pairs.collection()).collect();
        assert_eq!(names, ["a", "b,é"]);
        assert_eq!(listed[1].count("documents"), 3);
        assert!(!figures.has_module());
        assert!(figures.is_other_life(&Figures::default()));
    }

    #[test]
    fn what_is_no_escape_stays() {
        assert_eq!(unescaped("100%"), "100%");
        assert_eq!(unescaped("%zz%4"), "%zz%4");
        assert_eq!(unescaped("a%25%2Cb"), "a%,b");
    }
}
