//! What a mail server, or whoever stands before it, hears where TLS is to be had and where it is not.

use std::time::Duration;

use crate::mail_out::{app, attempts, write_to_aase};
use crate::smtp::Sink;
use crate::support::Database;

/// `post:hemmelig`, as SMTP sends it in clear.
const IN_CLEAR: &str = "AHBvc3QAaGVtbWVsaWc=";

/// What a listener heard until the connection had ended.
async fn heard(sink: &Sink) -> String {
    for _ in 0..800 {
        let heard = std::fs::read_to_string(sink.folder.path().join("heard")).unwrap_or_default();
        if heard.contains("END") {
            return heard;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("nobody came");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mail_goes_by_starttls_to_whom_the_certificate_names() {
    let (sink, database) = (Sink::start_as(0, "starttls"), Database::seeded().await);
    let authority = sink.folder.path().join("cert.pem");
    let url = format!(
        "smtp://post:hemmelig@127.0.0.1:{}?tls=required&ca={}",
        sink.port,
        authority.display()
    );
    let app = app(&database, &url).await;
    write_to_aase(&app).await;
    let mail = attempts(&sink, 1).await.remove(0);
    assert_eq!(
        (&mail["tls"], &mail["user"]),
        (&true.into(), &"post".into())
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_starttls_is_taken_away_nothing_is_said() {
    let (sink, database) = (Sink::start_as(0, "bare"), Database::seeded().await);
    // The same machine, but by an address that is not the loopback's.
    let url = format!("smtp://post:hemmelig@0.0.0.0:{}", sink.port);
    let app = app(&database, &url).await;
    write_to_aase(&app).await;
    let heard = heard(&sink).await;
    assert!(heard.starts_with("EHLO"), "{heard}");
    for word in [
        IN_CLEAR,
        "AUTH",
        "MAIL FROM",
        "RCPT",
        "DATA",
        "#token=",
        "hemmelig",
    ] {
        assert!(!heard.contains(word), "{word}: {heard}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_clear_goes_only_what_the_address_says_in_full() {
    let (sink, database) = (Sink::start_as(0, "bare"), Database::seeded().await);
    let url = format!("smtp://post:hemmelig@0.0.0.0:{}?tls=none", sink.port);
    let app = app(&database, &url).await;
    write_to_aase(&app).await;
    for _ in 0..800 {
        let heard = std::fs::read_to_string(sink.folder.path().join("heard")).unwrap_or_default();
        if heard.contains(IN_CLEAR) && heard.contains("#token=") {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("nothing is sent");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_cannot_prove_the_name_gets_nothing() {
    let (sink, database) = (Sink::start_as(0, "starttls"), Database::seeded().await);
    let url = format!("smtp://post:hemmelig@127.0.0.1:{}?tls=required", sink.port);
    let app = app(&database, &url).await;
    write_to_aase(&app).await;
    let failed = "SELECT COUNT(*) AS n FROM jobs WHERE last_error LIKE '%ertificate%'";
    for _ in 0..800 {
        if database.numbers(failed) != [0] {
            assert!(!sink.folder.path().join("mails").exists());
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("no attempt is told");
}
