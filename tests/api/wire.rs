//! HTTP as bytes, for what no client library would send.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;

/// One connection.
pub struct Wire(TcpStream);

/// An answer as it came.
#[derive(Debug)]
pub struct Raw {
    pub status: u16,
    head: String,
    pub body: String,
}

impl Wire {
    /// A connection to an address like `http://127.0.0.1:8080`.
    pub fn open(address: &str) -> Self {
        let stream = TcpStream::connect(address.trim_start_matches("http://")).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(15)))
            .unwrap();
        Self(stream)
    }

    /// Sends bytes; the other side may have hung up already.
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) {
        let _ = self.0.write_all(bytes.as_ref());
    }

    /// Sends bytes; whether the other side still takes them.
    pub fn try_send(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        self.0.write_all(bytes.as_ref()).is_ok()
    }

    /// Everything that still comes, until the other side closes; how many bytes.
    pub fn drain(&mut self) -> usize {
        let (mut chunk, mut all) = (vec![0; 64 * 1024], 0);
        while let Ok(n @ 1..) = self.0.read(&mut chunk) {
            all += n;
        }
        all
    }

    /// Whether something of an answer has come.
    pub fn is_answered(&self) -> bool {
        self.0.set_nonblocking(true).unwrap();
        let came = self.0.peek(&mut [0]).is_ok();
        self.0.set_nonblocking(false).unwrap();
        came
    }

    /// The answer, read to its end; none where the connection closes without one.
    pub fn answer(&mut self) -> Option<Raw> {
        let mut bytes = Vec::new();
        let mut chunk = [0; 4096];
        loop {
            if let Some(raw) = Raw::parse(&bytes, false) {
                return Some(raw);
            }
            match self.0.read(&mut chunk) {
                Ok(0) => return Raw::parse(&bytes, true),
                Ok(n) => bytes.extend_from_slice(&chunk[..n]),
                Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => {
                    return Raw::parse(&bytes, true);
                }
                Err(error) => panic!("{error}: {}", String::from_utf8_lossy(&bytes)),
            }
        }
    }
}

impl Raw {
    fn parse(bytes: &[u8], is_whole: bool) -> Option<Self> {
        let text = String::from_utf8_lossy(bytes);
        let (head, body) = text.split_once("\r\n\r\n")?;
        let status = head.split(' ').nth(1)?.parse().ok()?;
        let raw = Self {
            status,
            head: head.to_owned(),
            body: body.to_owned(),
        };
        let length = raw.header("content-length").and_then(|n| n.parse().ok());
        let has_all = length.is_some_and(|length: usize| body.len() >= length);
        (is_whole || has_all || status == 204).then_some(raw)
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    /// The code of the problem that this must be.
    #[track_caller]
    pub fn problem(&self) -> String {
        assert_eq!(
            self.header("content-type"),
            Some("application/problem+json"),
            "{self:?}"
        );
        let body: Value = serde_json::from_str(&self.body).unwrap();
        assert_eq!(body["status"], self.status, "{self:?}");
        for field in ["type", "title", "detail", "instance", "request_id"] {
            assert!(
                body[field].as_str().is_some_and(|text| !text.is_empty()),
                "{field}: {self:?}"
            );
        }
        body["code"].as_str().unwrap().to_owned()
    }
}

/// Sends `bytes` on a connection of its own; the answer, if one comes.
pub fn exchange(address: &str, bytes: impl AsRef<[u8]>) -> Option<Raw> {
    let mut wire = Wire::open(address);
    wire.send(bytes);
    wire.answer()
}
