//! The connections: HTTP/1.1 over TCP, where a client that takes too little of what waits for it is cut off.
//!
//! This stands at the socket, below HTTP: the framework puts answers into a buffer and asks for more of a large one only when
//! that is empty, so nothing above sees who does not read. What counts is what the kernel takes; it is told to keep little
//! that is not sent yet, so that this is what the client makes room for.

use std::io;
use std::net::TcpListener;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_http::{HttpService, Protocol, Request, Response};
use actix_service::{
    IntoServiceFactory, ServiceFactory, ServiceFactoryExt, fn_service, map_config,
};
use actix_web::body::MessageBody;
use actix_web::dev::{AppConfig, Server};
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep_until};

use crate::handlers::extract::{Limits, SlowReader};

/// Bytes that the kernel holds of a connection without having sent them.
const UNSENT: u32 = 16 * 1024;
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
    <S::Service as actix_service::Service<Request>>::Future: 'static,
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
        let application = application()
            .into_factory()
            .map_err(|error: actix_web::Error| error.error_response());
        let http = HttpService::build()
            .graceful_shutdown_signal(move || {
                let stopping = stopping.clone();
                async move { stopping.notified().await }
            })
            .client_request_timeout(limits.head_time)
            .client_disconnect_timeout(Duration::from_secs(1))
            .local_addr(address)
            .finish(map_config(application, |_| AppConfig::default()));
        fn_service(move |stream: TcpStream| async move {
            let peer = stream.peer_addr().ok();
            // Where the kernel does not know the option, its buffer counts as taken.
            let _ = SockRef::from(&stream).set_tcp_notsent_lowat(UNSENT);
            Ok((
                Connection::new(stream, limits.slow_reader),
                Protocol::Http1,
                peer,
            ))
        })
        .and_then(http)
    };
    Ok(builder.listen("cps-api", listener, serve)?.run())
}

/// A stream that fails where too little of what waits is taken.
struct Connection<S> {
    stream: S,
    least: SlowReader,
    /// Since the stream last took no more.
    waiting: Option<Waiting>,
}

struct Waiting {
    taken: usize,
    until: Pin<Box<Sleep>>,
}

impl<S> Connection<S> {
    fn new(stream: S, least: SlowReader) -> Self {
        Self {
            stream,
            least,
            waiting: None,
        }
    }

    /// Waits until more is taken; an error where it was too little for too long.
    fn wait<T>(&mut self, context: &mut Context<'_>) -> Poll<io::Result<T>> {
        let SlowReader { bytes, within } = self.least;
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
}

impl<S: AsyncRead + Unpin> AsyncRead for Connection<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
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
        self.waiting = None;
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

    const LEAST: SlowReader = SlowReader {
        bytes: 1000,
        within: Duration::from_secs(2),
    };

    /// Has a reader take `chunk` bytes `every` time of 10,000; how many came in all, and how it ended.
    async fn taken_by(chunk: usize, every: Duration) -> (usize, io::Result<()>) {
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
        let mut connection = Connection::new(near, LEAST);
        let sent = connection.write_all(&[b'.'; 10_000]).await;
        drop(connection);
        (reader.await.unwrap(), sent)
    }

    #[tokio::test]
    async fn who_takes_too_little_is_cut_off_and_who_is_merely_slow_is_not() {
        let (taken, sent) = taken_by(10, Duration::from_millis(50)).await;
        assert_eq!(sent.unwrap_err().kind(), io::ErrorKind::TimedOut);
        assert!(taken < 1100, "{taken}");
        let (taken, sent) = taken_by(64, Duration::from_millis(20)).await;
        assert!(sent.is_ok());
        assert_eq!(taken, 10_000);
    }
}
