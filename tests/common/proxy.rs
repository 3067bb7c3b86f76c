//! A TCP proxy before a database: it forwards, stalls and refuses, cuts and resets what it carries.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::watch;

/// What happens to what comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weather {
    Forward,
    /// Connections are taken and kept, and nothing is carried.
    Stall,
    /// Nobody listens.
    Refuse,
}

/// How a connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Both sides are told that nothing more comes.
    Cut,
    /// Both sides are told that the connection is void.
    Reset,
}

#[derive(Debug, Clone, Copy)]
struct State {
    weather: Weather,
    ends: u64,
    end: End,
}

pub struct Proxy {
    address: SocketAddr,
    state: watch::Sender<State>,
    runtime: Option<Runtime>,
}

impl Proxy {
    /// A proxy before `target`, which forwards.
    pub fn before(target: SocketAddr) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let (state, seen) = watch::channel(State {
            weather: Weather::Forward,
            ends: 0,
            end: End::Cut,
        });
        runtime.spawn(async move {
            let listener = TcpListener::from_std(listener).unwrap();
            accept(listener, address, target, seen).await;
        });
        Self {
            address,
            state,
            runtime: Some(runtime),
        }
    }

    /// `url` with the proxy in the place of its server.
    pub fn url(&self, url: &str) -> String {
        let target = server_of(url).to_string();
        url.replacen(&target, &self.address.to_string(), 1)
    }

    pub fn set(&self, weather: Weather) {
        self.state.send_modify(|state| state.weather = weather);
    }

    /// Ends every connection that there is.
    pub fn end_all(&self, end: End) {
        self.state.send_modify(|state| {
            state.ends += 1;
            state.end = end;
        });
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// The server that a URL like `postgres://postgres@127.0.0.1:5432/postgres` names.
pub fn server_of(url: &str) -> SocketAddr {
    let host = url.split("//").nth(1).unwrap().split('/').next().unwrap();
    host.rsplit('@').next().unwrap().parse().unwrap()
}

async fn accept(
    listener: TcpListener,
    address: SocketAddr,
    target: SocketAddr,
    mut state: watch::Receiver<State>,
) {
    let mut listener = Some(listener);
    loop {
        if state.borrow_and_update().weather == Weather::Refuse {
            listener = None;
            if state.changed().await.is_err() {
                return;
            }
            continue;
        }
        let Some(open) = &listener else {
            listener = TcpListener::bind(address).await.ok();
            if listener.is_none() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            continue;
        };
        tokio::select! {
            changed = state.changed() => {
                if changed.is_err() {
                    return;
                }
            }
            Ok((client, _)) = open.accept() => {
                tokio::spawn(carry(client, target, state.clone()));
            }
        }
    }
}

async fn carry(mut client: TcpStream, target: SocketAddr, mut state: watch::Receiver<State>) {
    let begun = state.borrow_and_update().ends;
    let Ok(mut server) = TcpStream::connect(target).await else {
        return;
    };
    let (mut up, mut down) = (vec![0; 16384], vec![0; 16384]);
    loop {
        let now = *state.borrow_and_update();
        if now.ends != begun {
            if now.end == End::Reset {
                // A socket that does not linger is reset where it is dropped.
                let _ = (client.set_zero_linger(), server.set_zero_linger());
            }
            return;
        }
        let carries = now.weather != Weather::Stall;
        let carried = tokio::select! {
            changed = state.changed() => {
                if changed.is_err() {
                    return;
                }
                Ok(())
            }
            read = client.read(&mut up), if carries => match read {
                Ok(0) | Err(_) => return,
                Ok(n) => server.write_all(&up[..n]).await,
            },
            read = server.read(&mut down), if carries => match read {
                Ok(0) | Err(_) => return,
                Ok(n) => client.write_all(&down[..n]).await,
            },
        };
        if carried.is_err() {
            return;
        }
    }
}
