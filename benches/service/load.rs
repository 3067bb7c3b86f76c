//! Requests as fast as a server answers them, over connections that stay open. Written on bare TCP: a client library would eat the time of the
//! server beside it.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// How many ask at the same time.
pub const CONNECTIONS: usize = 16;

/// What is asked for.
#[derive(Clone, Copy)]
pub enum Work {
    Read,
    Write,
}

/// What came of it.
#[derive(Default)]
pub struct Measured {
    microseconds: Vec<u32>,
    spent: Duration,
}

impl Measured {
    pub fn add(&mut self, other: Self) {
        self.microseconds.extend(other.microseconds);
        self.spent += other.spent;
    }

    /// Requests a second.
    pub fn rate(&self) -> f64 {
        f64::from(u32::try_from(self.microseconds.len()).unwrap()) / self.spent.as_secs_f64()
    }

    /// The latency in milliseconds that this part of the requests keeps within.
    pub fn at(&mut self, part: f64) -> f64 {
        self.microseconds.sort_unstable();
        let last = self.microseconds.len().saturating_sub(1);
        let index = (last as f64 * part) as usize;
        f64::from(self.microseconds[index]) / 1000.0
    }
}

/// Whom to ask, as whom, about what.
pub struct Load {
    pub address: String,
    pub credentials: Vec<String>,
    pub accounts: Vec<String>,
    pub model: String,
    pub prefix: &'static str,
}

impl Load {
    fn request(&self, work: Work, connection: usize, n: u64) -> Vec<u8> {
        let account = &self.accounts[connection % self.accounts.len()];
        let credentials = &self.credentials[connection % self.credentials.len()];
        let head = |first: String| {
            format!(
                "{first} HTTP/1.1\r\nHost: {}\r\nAuthorization: {credentials}\r\n",
                self.address
            )
        };
        match work {
            Work::Read => head(format!("GET /v1/accounts/{account}/points")) + "\r\n",
            Work::Write => {
                let body = format!(
                    r#"{{"model_id":"{}","serial_number":"{}{n:09}{connection:02}","purchase_date":"2024-05-17","purchase_country":"DK","dealer":"Foto Nord"}}"#,
                    self.model, self.prefix
                );
                let head = head(format!("POST /v1/accounts/{account}/products"));
                let length = body.len();
                format!("{head}Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}")
            }
        }
        .into_bytes()
    }

    /// Asks for `time` on every connection; serial numbers begin at `first`.
    pub async fn run(&self, work: Work, time: Duration, first: u64) -> Measured {
        let begun = Instant::now();
        let asking =
            (0..CONNECTIONS).map(|connection| self.keep_asking(work, connection, first, time));
        let answered = futures_util::future::join_all(asking).await;
        Measured {
            microseconds: answered.concat(),
            spent: begun.elapsed(),
        }
    }

    async fn keep_asking(
        &self,
        work: Work,
        connection: usize,
        first: u64,
        time: Duration,
    ) -> Vec<u32> {
        let mut stream = connect(&self.address).await;
        let (mut buffer, mut taken) = (Vec::with_capacity(8192), Vec::new());
        let begun = Instant::now();
        let mut n = first;
        let read = self.request(work, connection, n);
        while begun.elapsed() < time {
            let asked = Instant::now();
            match work {
                Work::Read => stream.write_all(&read).await.unwrap(),
                Work::Write => {
                    let request = self.request(work, connection, n);
                    stream.write_all(&request).await.unwrap();
                }
            }
            n += 1;
            answer(&mut stream, &mut buffer, work).await;
            taken.push(u32::try_from(asked.elapsed().as_micros()).unwrap());
        }
        taken
    }

    /// The body of one answer.
    pub async fn once(&self, work: Work) -> String {
        let mut stream = connect(&self.address).await;
        stream.write_all(&self.request(work, 0, 1)).await.unwrap();
        let mut buffer = Vec::new();
        let body = answer(&mut stream, &mut buffer, work).await;
        String::from_utf8(buffer[body..].to_vec()).unwrap()
    }
}

async fn connect(address: &str) -> TcpStream {
    let stream = TcpStream::connect(address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

/// Reads one whole answer; where its body begins.
async fn answer(stream: &mut TcpStream, buffer: &mut Vec<u8>, work: Work) -> usize {
    let status: &[u8] = match work {
        Work::Read => b"HTTP/1.1 200",
        Work::Write => b"HTTP/1.1 201",
    };
    buffer.clear();
    loop {
        let n = stream.read_buf(buffer).await.unwrap();
        assert!(n > 0, "the server hung up");
        let Some(end) = buffer.windows(4).position(|four| four == b"\r\n\r\n") else {
            continue;
        };
        let body = end + 4;
        if buffer.len() >= body + content_length(&buffer[..end]) {
            let is_right = buffer.starts_with(status);
            assert!(is_right, "{}", String::from_utf8_lossy(buffer));
            return body;
        }
    }
}

fn content_length(head: &[u8]) -> usize {
    const NAME: &[u8] = b"content-length: ";
    let line = head
        .split(|byte| *byte == b'\n')
        .find(|line| line.len() > NAME.len() && line[..NAME.len()].eq_ignore_ascii_case(NAME));
    let digits = line
        .map(|line| line[NAME.len()..].trim_ascii())
        .unwrap_or(b"0");
    std::str::from_utf8(digits).unwrap().parse().unwrap()
}
