//! A proxy between client and server that breaks the connection where a test wants it.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// What the proxy does to what passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Everything passes.
    None,
    /// Each piece of a reply comes so much later.
    Delay(Duration),
    /// So many more bytes of replies pass, then that connection ends, and all is well again.
    CutReplies(usize),
    /// So many more bytes of requests pass, then that connection ends, and all is well again.
    CutRequests(usize),
    /// Requests pass; no reply does, on the connections that would have carried one.
    Swallow,
    /// New connections end at once.
    Refuse,
}

#[derive(Debug)]
struct State {
    fault: Mutex<Fault>,
    opened: AtomicUsize,
    /// Counted up to end all connections that are open.
    ends: watch::Sender<usize>,
}

impl State {
    fn fault(&self) -> MutexGuard<'_, Fault> {
        self.fault.lock().expect("no holder panics")
    }
}

/// A way to a server that listens on a port of its own, as long as its runtime is driven.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    state: Arc<State>,
}

impl Proxy {
    /// A proxy before the server at `redis://127.0.0.1:port`.
    pub async fn before(url: &str) -> Self {
        let server = url.trim_start_matches("redis://").to_owned();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port is free");
        let address = listener.local_addr().expect("it is bound");
        let (ends, _) = watch::channel(0);
        let fault = Mutex::new(Fault::None);
        let state = Arc::new(State { fault, opened: AtomicUsize::new(0), ends });
        tokio::spawn(accept(listener, server, Arc::clone(&state)));
        Self { address, state }
    }

    /// Where clients connect to.
    pub fn url(&self) -> String {
        format!("redis://{}", self.address)
    }

    /// What happens from here on.
    pub fn set(&self, fault: Fault) {
        *self.state.fault() = fault;
    }

    /// What happens now: a cut that has happened is over.
    pub fn fault(&self) -> Fault {
        *self.state.fault()
    }

    /// How many connections were opened so far, those that were refused not counted.
    pub fn opened(&self) -> usize {
        self.state.opened.load(Ordering::SeqCst)
    }

    /// Ends every connection that is open.
    pub fn end_all(&self) {
        self.state.ends.send_modify(|ends| *ends += 1);
    }
}

async fn accept(listener: TcpListener, server: String, state: Arc<State>) {
    while let Ok((client, _)) = listener.accept().await {
        if *state.fault() == Fault::Refuse {
            continue;
        }
        let Ok(upstream) = TcpStream::connect(&server).await else { continue };
        state.opened.fetch_add(1, Ordering::SeqCst);
        tokio::spawn(carry(client, upstream, Arc::clone(&state)));
    }
}

/// Carries both directions until one of them ends; then both do.
async fn carry(client: TcpStream, server: TcpStream, state: Arc<State>) {
    // Small pieces have to pass as they come.
    client.set_nodelay(true).expect("the socket is open");
    server.set_nodelay(true).expect("the socket is open");
    let mut ends = state.ends.subscribe();
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    tokio::select! {
        () = pass(from_client, to_server, requests, &state) => {}
        () = pass(from_server, to_client, replies, &state) => {}
        _ = ends.changed() => {}
    }
}

/// What is done with a piece that came.
enum Pass {
    /// The first so many bytes pass after a while.
    Some(usize, Duration),
    /// The same, then the connection ends.
    Last(usize),
    /// This and everything behind it is lost.
    Nothing,
}

fn requests(state: &State, piece: usize) -> Pass {
    let mut fault = state.fault();
    match *fault {
        Fault::CutRequests(left) if piece >= left => {
            *fault = Fault::None;
            Pass::Last(left)
        }
        Fault::CutRequests(left) => {
            *fault = Fault::CutRequests(left - piece);
            Pass::Some(piece, Duration::ZERO)
        }
        _ => Pass::Some(piece, Duration::ZERO),
    }
}

fn replies(state: &State, piece: usize) -> Pass {
    let mut fault = state.fault();
    match *fault {
        Fault::CutReplies(left) if piece >= left => {
            *fault = Fault::None;
            Pass::Last(left)
        }
        Fault::CutReplies(left) => {
            *fault = Fault::CutReplies(left - piece);
            Pass::Some(piece, Duration::ZERO)
        }
        Fault::Delay(time) => Pass::Some(piece, time),
        Fault::Swallow => Pass::Nothing,
        _ => Pass::Some(piece, Duration::ZERO),
    }
}

async fn pass(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    decide: impl Fn(&State, usize) -> Pass,
    state: &State,
) {
    let mut buffer = vec![0; 64 * 1024];
    let mut is_lost = false;
    loop {
        let Ok(n @ 1..) = from.read(&mut buffer).await else { return };
        if is_lost {
            continue;
        }
        match decide(state, n) {
            Pass::Some(n, time) => {
                tokio::time::sleep(time).await;
                if to.write_all(&buffer[..n]).await.is_err() {
                    return;
                }
            }
            Pass::Last(n) => {
                let _ = to.write_all(&buffer[..n]).await;
                return;
            }
            Pass::Nothing => is_lost = true,
        }
    }
}
