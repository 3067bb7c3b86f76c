//! A TCP relay before a PostgreSQL server that writes down what each round trip asks for.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// The round trips of each connection, as the texts of their statements, oldest first.
#[derive(Clone, Default)]
pub struct Trips(Arc<Mutex<HashMap<usize, Vec<String>>>>);

pub struct Relay {
    address: SocketAddr,
    target: SocketAddr,
    pub trips: Trips,
}

impl Relay {
    /// A relay before `target`, until the process ends.
    pub fn before(target: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let trips = Trips::default();
        let kept = trips.clone();
        std::thread::spawn(move || {
            for (n, client) in listener.incoming().flatten().enumerate() {
                let Ok(server) = TcpStream::connect(target) else {
                    return;
                };
                let (mut from, mut to) = (server.try_clone().unwrap(), client.try_clone().unwrap());
                std::thread::spawn(move || {
                    let _ = std::io::copy(&mut from, &mut to);
                    let _ = to.shutdown(Shutdown::Both);
                });
                let trips = kept.clone();
                std::thread::spawn(move || {
                    let _ = carry(client, &server, |text| trips.add(n, text));
                    let _ = server.shutdown(Shutdown::Both);
                });
            }
        });
        Self {
            address,
            target,
            trips,
        }
    }

    /// `url` with the relay in the place of its server.
    pub fn url(&self, url: &str) -> String {
        url.replacen(&self.target.to_string(), &self.address.to_string(), 1)
    }
}

impl Trips {
    fn add(&self, connection: usize, text: String) {
        self.0
            .lock()
            .unwrap()
            .entry(connection)
            .or_default()
            .push(text);
    }

    pub fn clear(&self) {
        self.0.lock().unwrap().clear();
    }

    /// The transactions so far that mention `word`, and the statements outside of one that do.
    pub fn of(&self, word: &str) -> Vec<Vec<String>> {
        let mut found = Vec::new();
        for trips in self.0.lock().unwrap().values() {
            let mut open: Option<Vec<String>> = None;
            for text in trips {
                let is_end = text == "COMMIT" || text == "ROLLBACK";
                if text.starts_with("BEGIN") {
                    open = Some(vec![text.clone()]);
                } else if let Some(block) = &mut open {
                    block.push(text.clone());
                    if is_end {
                        found.extend(open.take());
                    }
                } else {
                    found.push(vec![text.clone()]);
                }
            }
        }
        found.retain(|block| block.iter().any(|text| text.contains(word)));
        found
    }
}

/// Carries what a client sends, message by message; each that asks for an answer is told with the text of its statement.
fn carry(
    mut client: TcpStream,
    mut server: &TcpStream,
    told: impl Fn(String),
) -> std::io::Result<()> {
    let mut is_starting = true;
    let mut prepared: HashMap<Vec<u8>, String> = HashMap::new();
    let mut text = String::new();
    loop {
        let mut kind = [0; 1];
        if !is_starting {
            client.read_exact(&mut kind)?;
        }
        let mut length = [0; 4];
        client.read_exact(&mut length)?;
        let mut body = vec![0; u32::from_be_bytes(length) as usize - 4];
        client.read_exact(&mut body)?;
        if is_starting {
            // Requests for TLS or GSS come before the start, in the same form.
            let code = u32::from_be_bytes(body[..4].try_into().unwrap());
            is_starting = code == 80_877_103 || code == 80_877_104;
            server.write_all(&[&length[..], &body].concat())?;
            continue;
        }
        let mut parts = body.split(|byte| *byte == 0).map(<[u8]>::to_vec);
        let mut next = || parts.next().unwrap_or_default();
        match kind[0] {
            b'Q' => told(String::from_utf8_lossy(&next()).into_owned()),
            b'P' => {
                let (name, sql) = (next(), next());
                text = format!("PREPARE {}", String::from_utf8_lossy(&sql));
                prepared.insert(name, String::from_utf8_lossy(&sql).into_owned());
            }
            b'B' => {
                let (_, name) = (next(), next());
                text = prepared.get(&name).cloned().unwrap_or_default();
            }
            b'S' => told(text.clone()),
            _ => {}
        }
        server.write_all(&[&kind[..], &length, &body].concat())?;
    }
}
