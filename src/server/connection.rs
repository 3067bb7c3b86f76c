//! The connections: HTTP/1.1 over TCP, where a client is cut off that takes too little of what waits for it, or sends what no
//! request has to do with.
//!
//! This stands at the socket, below HTTP: the framework puts answers into a buffer and asks for more of a large one only when
//! that is empty, so nothing above sees who does not read. What counts is what the kernel takes; it is told to keep little
//! that is not sent yet, so that this is what the client makes room for. It also times the first head of a connection alone,
//! and reads a chunked body that was answered before its end for as long as it comes.

use std::cell::Cell;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_http::{HttpService, Protocol, Request, Response};
use actix_service::{
    IntoServiceFactory, Service, ServiceFactory, ServiceFactoryExt, apply_fn_factory, fn_service,
    map_config,
};
use actix_web::body::MessageBody;
use actix_web::dev::{AppConfig, Extensions, Server};
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep_until};

use crate::handlers::extract::{Limits, SlowReader, Unanswered};

/// Bytes that the kernel holds of a connection without having sent them.
const UNSENT: u32 = 16 * 1024;
/// An answer that follows the last one within this time is read at the same pace.
const PAUSE: Duration = Duration::from_secs(1);
/// How long a client may take to close a connection that the service closes.
const DISCONNECT: Duration = Duration::from_secs(1);
/// Bytes that are read of a connection before others have their turn: the framework's own piece. It would read, and keep, 128 KiB.
const READ_AT_ONCE: usize = 8 * 1024;
/// How long requests may run on after the service was told to stop, in seconds.
const SHUTDOWN: u64 = 20;

/// Serves the application that `application` makes for each of `workers` threads, until it is told to stop.
pub fn serve<A, I, S, B>(
    listener: TcpListener,
    workers: usize,
    limits: Limits,
    application: A,
) -> io::Result<Server>
where
    A: Fn() -> I + Clone + Send + 'static,
    I: IntoServiceFactory<S, Request>,
    S: ServiceFactory<Request, Config = AppConfig, Error = actix_web::Error> + 'static,
    S::InitError: std::fmt::Debug,
    S::Response: Into<Response<B>> + 'static,
    S::Service: 'static,
    <S::Service as Service<Request>>::Future: 'static,
    B: MessageBody + 'static,
{
    let builder = Server::build()
        .workers(workers)
        .shutdown_timeout(SHUTDOWN)
        .disable_signals();
    let stopping = builder.graceful_shutdown_signal();
    let address = listener.local_addr()?;
    let serve = move || {
        let stopping = stopping.clone();
        let application = apply_fn_factory(application(), answer)
            .map_err(|error: actix_web::Error| error.error_response());
        let http = HttpService::build()
            .graceful_shutdown_signal(move || {
                let stopping = stopping.clone();
                async move { stopping.notified().await }
            })
            .client_request_timeout(limits.head_time)
            .client_disconnect_timeout(DISCONNECT)
            .on_connect_ext(share_work)
            .local_addr(address)
            .finish(map_config(application, |_| AppConfig::default()));
        fn_service(move |stream| async move { Ok(accept(stream, &limits)) }).and_then(http)
    };
    Ok(builder.listen("cps-api", listener, serve)?.run())
}

/// A connection as it came, with who is at its other end.
fn accept(
    stream: TcpStream,
    limits: &Limits,
) -> (Connection<TcpStream>, Protocol, Option<SocketAddr>) {
    let peer = stream.peer_addr().ok();
    // Where the kernel does not know the option, its buffer counts as taken.
    let _ = SockRef::from(&stream).set_tcp_notsent_lowat(UNSENT);
    (Connection::new(stream, limits), Protocol::Http1, peer)
}

/// Lets every request of a connection be counted as its work.
fn share_work(connection: &Connection<TcpStream>, data: &mut Extensions) {
    data.insert(connection.in_work.clone());
}

/// Answers a request; until then it is work of its connection.
fn answer<S: Service<Request>>(
    request: Request,
    service: &S,
) -> impl Future<Output = Result<S::Response, S::Error>> + use<S> {
    let work = request.conn_data::<InWork>().map(InWork::begin);
    let answer = service.call(request);
    async move {
        let answer = answer.await;
        drop(work);
        answer
    }
}

/// How many requests of a connection are in work.
#[derive(Clone, Default)]
struct InWork(Rc<Cell<usize>>);

/// One of them.
struct Begun(InWork);

impl InWork {
    fn begin(&self) -> Begun {
        self.0.set(self.0.get() + 1);
        Begun(self.clone())
    }
}

impl Drop for Begun {
    fn drop(&mut self) {
        let count = &self.0.0;
        count.set(count.get().saturating_sub(1));
    }
}

/// A stream that fails where too little of what waits is taken, or too much comes that is not answered.
struct Connection<S> {
    stream: S,
    least: SlowReader,
    /// Since the stream last took no more.
    waiting: Option<Waiting>,
    /// Since when nothing waits.
    drained: Option<Instant>,
    most: Unanswered,
    in_work: InWork,
    /// Since the first byte that came after the last one was sent.
    coming: Option<Coming>,
    /// Bytes that were read in this turn.
    read: usize,
}

struct Waiting {
    taken: usize,
    until: Pin<Box<Sleep>>,
}

struct Coming {
    bytes: usize,
    until: Pin<Box<Sleep>>,
}

impl<S> Connection<S> {
    fn new(stream: S, limits: &Limits) -> Self {
        Self {
            stream,
            least: limits.slow_reader,
            waiting: None,
            drained: None,
            most: limits.unanswered,
            in_work: InWork::default(),
            coming: None,
            read: 0,
        }
    }

    /// Waits until more is taken; an error where it was too little for too long.
    fn wait<T>(&mut self, context: &mut Context<'_>) -> Poll<io::Result<T>> {
        let SlowReader { bytes, within } = self.least;
        // The parts of one answer are read at one pace, although nothing waits between them.
        if self.drained.take().is_some_and(|at| at.elapsed() > PAUSE) {
            self.waiting = None;
        }
        let waiting = self.waiting.get_or_insert_with(|| Waiting {
            taken: 0,
            until: Box::pin(sleep_until(Instant::now() + within)),
        });
        while waiting.until.as_mut().poll(context).is_ready() {
            if waiting.taken < bytes {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
            waiting.taken = 0;
            waiting.until.as_mut().reset(Instant::now() + within);
        }
        Poll::Pending
    }

    /// Counts what came; an error where it was too much, or for too long while no request was in work: what a request reads
    /// has limits of its own, and what it does takes its time.
    fn judge(&mut self, came: usize, context: &mut Context<'_>) -> io::Result<()> {
        let Unanswered { bytes, within } = self.most;
        if came > 0 {
            let coming = self.coming.get_or_insert_with(|| Coming {
                bytes: 0,
                until: Box::pin(sleep_until(Instant::now() + within)),
            });
            coming.bytes += came;
        }
        let Some(coming) = &mut self.coming else {
            return Ok(());
        };
        let is_late = coming.until.as_mut().poll(context).is_ready();
        if coming.bytes > bytes || (is_late && self.in_work.0.get() == 0) {
            return Err(io::ErrorKind::TimedOut.into());
        }
        Ok(())
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Connection<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.read >= READ_AT_ONCE {
            self.read = 0;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        let came = buffer.filled().len().saturating_sub(before);
        self.judge(came, context)?;
        self.read = if read.is_pending() {
            0
        } else {
            self.read + came
        };
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Connection<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match Pin::new(&mut self.stream).poll_write(context, bytes) {
            Poll::Ready(Ok(taken)) => {
                self.coming = None;
                if let Some(waiting) = &mut self.waiting {
                    waiting.taken += taken;
                }
                Poll::Ready(Ok(taken))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => self.wait(context),
        }
    }

    /// The framework flushes when nothing waits any more.
    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.drained.get_or_insert_with(Instant::now);
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    fn limits() -> Limits {
        Limits {
            slow_reader: SlowReader {
                bytes: 1000,
                within: Duration::from_secs(2),
            },
            unanswered: Unanswered {
                bytes: 1000,
                within: Duration::from_millis(500),
            },
            ..Limits::default()
        }
    }

    /// Has a reader take `chunk` bytes `every` time of 10,000 that are sent in `parts`; how many came in all, and how it ended.
    async fn taken_by(chunk: usize, every: Duration, parts: usize) -> (usize, io::Result<()>) {
        let (near, mut far) = duplex(64);
        let reader = tokio::spawn(async move {
            let (mut buffer, mut taken) = (vec![0; chunk], 0);
            loop {
                tokio::time::sleep(every).await;
                match far.read(&mut buffer).await {
                    Ok(0) | Err(_) => return taken,
                    Ok(read) => taken += read,
                }
            }
        });
        let mut connection = Connection::new(near, &limits());
        let send = async {
            for _ in 0..parts {
                connection.write_all(&vec![b'.'; 10_000 / parts]).await?;
                connection.flush().await?;
            }
            Ok(())
        };
        let sent = send.await;
        drop(connection);
        (reader.await.unwrap(), sent)
    }

    #[tokio::test]
    async fn who_takes_too_little_is_cut_off_and_who_is_merely_slow_is_not() {
        for parts in [1, 50] {
            let (taken, sent) = taken_by(10, Duration::from_millis(50), parts).await;
            assert_eq!(sent.unwrap_err().kind(), io::ErrorKind::TimedOut);
            assert!(taken < 1100, "{taken}");
        }
        let (taken, sent) = taken_by(64, Duration::from_millis(20), 50).await;
        assert!(sent.is_ok());
        assert_eq!(taken, 10_000);
    }

    /// Reads until nothing more comes, or it fails.
    async fn read(connection: &mut Connection<tokio::io::DuplexStream>) -> io::Result<usize> {
        let (mut buffer, mut all) = ([0; 64], 0);
        while let read @ 1.. = connection.read(&mut buffer).await? {
            all += read;
        }
        Ok(all)
    }

    #[tokio::test]
    async fn what_comes_in_drips_or_without_end_and_is_not_answered_is_cut_off() {
        for (chunk, every) in [(1, 50), (100, 0)] {
            let (near, mut far) = duplex(64);
            let sender = tokio::spawn(async move {
                while far.write_all(&vec![b'.'; chunk]).await.is_ok() {
                    tokio::time::sleep(Duration::from_millis(every)).await;
                }
            });
            let mut connection = Connection::new(near, &limits());
            let failed = read(&mut connection).await.unwrap_err();
            assert_eq!(failed.kind(), io::ErrorKind::TimedOut);
            drop(connection);
            sender.await.unwrap();
        }
    }

    #[tokio::test]
    async fn a_request_in_work_takes_its_time_and_an_answer_begins_it_anew() {
        let (near, mut far) = duplex(64);
        let mut connection = Connection::new(near, &limits());
        let begun = connection.in_work.begin();
        let sender = tokio::spawn(async move {
            far.write_all(b"a request").await.unwrap();
            let mut answer = [0; 9];
            far.read_exact(&mut answer).await.unwrap();
            far.write_all(b"the next").await.unwrap();
            far
        });
        let idle = tokio::time::timeout(Duration::from_secs(2), read(&mut connection)).await;
        assert!(idle.is_err());
        connection.write_all(b"an answer").await.unwrap();
        drop(begun);
        let failed = read(&mut connection).await.unwrap_err();
        assert_eq!(failed.kind(), io::ErrorKind::TimedOut);
        sender.await.unwrap();
    }
}
