//! Sentinels: who is the primary now, and who follows it.
//!
//! Each opening of a connection asks them, beginning with the one that answered last, and then the server itself, on the
//! very connection that is to be used: sentinels may be behind. A server that is no primary is left, and they are
//! asked again. The crate `redis` has such a client, too; it asks the server on another connection than the one that
//! it gives, and does not tell a name that no sentinel knows from a primary that is away.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{
    AsyncConnectionConfig, Client, ConnectionAddr, ConnectionInfo, ErrorKind, IntoConnectionInfo,
    RedisError, Value,
};

use crate::{Error, Result};

/// What addresses begin with, and what those of servers begin with that are found so.
const SCHEMES: [(&str, &str); 2] =
    [("redis+sentinel://", "redis"), ("rediss+sentinel://", "rediss")];
/// Where sentinels listen if nothing is said.
const PORT: u16 = 26_379;

/// The sentinels of a primary.
#[derive(Debug)]
pub(crate) struct Sentinels {
    name: String,
    /// Each is asked over a connection of its own, which is rare enough.
    addresses: Vec<ConnectionInfo>,
    /// Which one has answered last.
    first: AtomicUsize,
    timeout: Duration,
}

/// An address of sentinels, read.
#[derive(Debug)]
pub(crate) struct Address {
    /// What is said to servers; its host is none.
    pub(crate) info: ConnectionInfo,
    pub(crate) sentinels: Vec<ConnectionInfo>,
    pub(crate) name: String,
}

/// Reads `redis+sentinel://[user:password@]host[:port],host../name[?db=2&protocol=..]`; `None` if the address is of
/// another kind.
pub(crate) fn address(url: &str) -> Option<Result<Address>> {
    let (rest, scheme) =
        SCHEMES.iter().find_map(|(prefix, scheme)| Some((url.strip_prefix(prefix)?, *scheme)))?;
    Some(read(rest, scheme))
}

fn read(rest: &str, scheme: &str) -> Result<Address> {
    // The address may hold a password, so that no part of it is told.
    let wrong = |what: &str| Error::Usage(format!("an address of sentinels {what}").into());
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let name = path.trim_end_matches('/');
    if name.is_empty() || name.contains('/') {
        return Err(wrong("ends with the name of the primary: `/mymaster`"));
    }
    let (user, hosts) = match authority.rsplit_once('@') {
        Some((user, hosts)) => (format!("{user}@"), hosts),
        None => (String::new(), authority),
    };
    let (mut db, mut own, mut others) = ("0", ["", ""], Vec::new());
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        match pair.split_once('=') {
            Some(("db", number)) => db = number,
            Some(("sentinel_user", user)) => own[0] = user,
            Some(("sentinel_password", password)) => own[1] = password,
            _ => others.push(pair),
        }
    }
    let own = if own == ["", ""] { String::new() } else { format!("{}:{}@", own[0], own[1]) };
    let info =
        |url: String| url.into_connection_info().map_err(|error| Error::from_redis(&error, false));
    let query = others.join("&");
    let sentinels: Result<Vec<ConnectionInfo>> = hosts
        .split(',')
        .map(|host| {
            // An address of version 6 stands in brackets.
            let has_port = host.rsplit(']').next().is_some_and(|end| end.contains(':'));
            let port = if has_port { String::new() } else { format!(":{PORT}") };
            info(format!("{scheme}://{own}{host}{port}"))
        })
        .collect();
    Ok(Address {
        info: info(format!("{scheme}://{user}primary/{db}?{query}"))?,
        sentinels: sentinels?,
        name: name.to_owned(),
    })
}

/// The same server elsewhere.
fn moved(info: &ConnectionInfo, host: String, port: u16) -> ConnectionInfo {
    let addr = match info.addr().clone() {
        ConnectionAddr::TcpTls { insecure, tls_params, .. } => {
            ConnectionAddr::TcpTls { host, port, insecure, tls_params }
        }
        _ => ConnectionAddr::Tcp(host, port),
    };
    info.clone().set_addr(addr)
}

fn passing(what: &'static str) -> RedisError {
    io::Error::new(io::ErrorKind::NotConnected, what).into()
}

impl Sentinels {
    pub(crate) fn new(name: String, addresses: Vec<ConnectionInfo>, timeout: Duration) -> Self {
        Self { name, addresses, first: AtomicUsize::new(0), timeout }
    }

    /// Opens a connection to the primary. What passes by itself is an error of input and output.
    pub(super) async fn open_primary(
        &self,
        info: &ConnectionInfo,
        config: &AsyncConnectionConfig,
    ) -> Result<MultiplexedConnection, RedisError> {
        let answer = self.ask("GET-MASTER-ADDR-BY-NAME").await?;
        let Some((host, port)) = redis::from_redis_value::<Option<(String, u16)>>(answer)? else {
            let what = "no sentinel knows a primary of this name";
            return Err((ErrorKind::MasterNameNotFoundBySentinel, what).into());
        };
        let client = Client::open(moved(info, host, port))?;
        let mut connection = client.get_multiplexed_async_connection_with_config(config).await?;
        let role = redis::cmd("ROLE");
        let role = role.query_async::<Vec<Value>>(&mut connection);
        match tokio::time::timeout(self.timeout, role).await {
            Ok(Ok(role)) if !is_text(role.first(), "master") => {
                Err(passing("the server that the sentinels name is no primary"))
            }
            // Who may not ask finds out by his first write.
            Ok(Err(error)) if error.code() != Some("NOPERM") => Err(error),
            Ok(_) => Ok(connection),
            Err(_) => Err(passing("the server that the sentinels name does not answer")),
        }
    }

    /// Where the servers are that follow the primary and are not known to be away.
    pub(super) async fn replicas(
        &self,
        info: &ConnectionInfo,
    ) -> Result<Vec<ConnectionInfo>, RedisError> {
        let answer = self.ask("SLAVES").await?;
        let known: Vec<std::collections::HashMap<String, String>> =
            redis::from_redis_value(answer)?;
        let there = known.into_iter().filter_map(|mut replica| {
            let flags = replica.remove("flags")?;
            let is_away = ["s_down", "o_down", "disconnected"].iter().any(|it| flags.contains(it));
            let address = (replica.remove("ip")?, replica.remove("port")?.parse().ok()?);
            (!is_away).then(|| moved(info, address.0, address.1))
        });
        Ok(there.collect())
    }

    /// The answer of the first sentinel that answers and knows the name.
    async fn ask(&self, what: &str) -> Result<Value, RedisError> {
        let (first, count) = (self.first.load(Ordering::Relaxed), self.addresses.len());
        let mut outcome = Err(passing("no sentinel answers"));
        for at in (0..count).map(|n| (first + n) % count) {
            let asked = tokio::time::timeout(self.timeout, self.ask_one(at, what)).await;
            match asked.unwrap_or_else(|_| Err(passing("a sentinel does not answer"))) {
                Ok(Value::Nil) => outcome = Ok(Value::Nil),
                Ok(answer) => {
                    self.first.store(at, Ordering::Relaxed);
                    return Ok(answer);
                }
                Err(error) if outcome.is_err() => outcome = Err(error),
                Err(_) => {}
            }
        }
        outcome
    }

    async fn ask_one(&self, at: usize, what: &str) -> Result<Value, RedisError> {
        let client = Client::open(self.addresses[at].clone())?;
        let mut connection = client.get_multiplexed_async_connection().await?;
        redis::cmd("SENTINEL").arg((what, &self.name)).query_async(&mut connection).await
    }
}

fn is_text(value: Option<&Value>, expected: &str) -> bool {
    match value {
        Some(Value::BulkString(text)) => text == expected.as_bytes(),
        Some(Value::SimpleString(text)) => text == expected,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(url: &str) -> Result<Address> {
        address(url).expect("it is an address of sentinels")
    }

    #[test]
    fn an_address_names_sentinels_the_primary_and_what_is_said_to_it() {
        let url =
            "redis+sentinel://u:p%40w@a:1,[::1],c/main?db=3&protocol=resp2&sentinel_password=x";
        let Address { info, sentinels, name } = read(url).unwrap();
        let settings = info.redis_settings();
        assert_eq!((name.as_str(), settings.db()), ("main", 3));
        assert_eq!((settings.username(), settings.password()), (Some("u"), Some("p@w")));
        assert_eq!(settings.protocol(), redis::ProtocolVersion::RESP2);
        let told: Vec<String> = sentinels.iter().map(|it| it.addr().to_string()).collect();
        assert_eq!(told, ["a:1", "::1:26379", "c:26379"]);
        for sentinel in &sentinels {
            let settings = sentinel.redis_settings();
            assert_eq!((settings.username(), settings.password()), (None, Some("x")));
        }
    }

    #[test]
    fn an_address_without_a_name_is_refused_and_none_of_it_is_told() {
        assert!(address("redis://localhost").is_none());
        for url in ["redis+sentinel://u:secret@a", "redis+sentinel://u:secret@a/b/c"] {
            let error = read(url).unwrap_err();
            assert!(matches!(error, Error::Usage(_)), "{error:?}");
            assert!(!error.to_string().contains("secret"), "{error}");
        }
        assert!(
            !format!("{:?}", read("redis+sentinel://u:secret@a/b").unwrap()).contains("secret")
        );
    }
}
