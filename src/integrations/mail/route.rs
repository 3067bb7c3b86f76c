//! The way to the mail server, and what is said to it. Where TLS is asked for and not to be had, nothing is: neither who we are nor what we send.

use std::time::Duration;

use lettre::Message;
use lettre::transport::smtp;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use secrecy::ExposeSecret;

use crate::config::{MailServer, MailTls};
use crate::error::{Error, Result};

/// How long the mail server may take to take the call; shorter than the lease of a job.
const TIME: Duration = Duration::from_secs(20);
/// How long it may take to say goodbye.
const GOODBYE: Duration = Duration::from_secs(1);

/// What keeps listeners away.
#[derive(Clone)]
enum Cover {
    None,
    StartTls(TlsParameters),
    Implicit(TlsParameters),
}

/// The way to a mail server; each mail has a connection of its own.
#[derive(Clone)]
pub struct Route {
    host: String,
    port: u16,
    cover: Cover,
    credentials: Option<Credentials>,
}

impl Route {
    /// The way to `server`; the file that it names is read now.
    pub fn to(server: &MailServer) -> Result<Self> {
        let cover = match server.tls {
            MailTls::None => Cover::None,
            MailTls::StartTls => Cover::StartTls(trusted(server)?),
            MailTls::Implicit => Cover::Implicit(trusted(server)?),
        };
        let credentials = server.user.as_ref().map(|(user, password)| {
            Credentials::new(user.clone(), password.expose_secret().to_owned())
        });
        Ok(Self {
            host: server.host.clone(),
            port: server.port,
            cover,
            credentials,
        })
    }

    /// Hands a mail over. The server's word after the mail counts, whatever becomes of the connection then.
    pub async fn hand_over(&self, message: &Message) -> Result<(), smtp::Error> {
        let mut connection = self.connect().await?;
        let text = message.formatted();
        let taken = connection.send(message.envelope(), &text).await.map(drop);
        // Nobody waits for it: a mail that was taken must not be cut off and sent again because the server says no goodbye.
        tokio::spawn(async move {
            let _ = tokio::time::timeout(GOODBYE, connection.abort()).await;
        });
        taken
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, smtp::Error> {
        let hello = ClientId::default();
        let implicit = match &self.cover {
            Cover::Implicit(tls) => Some(tls.clone()),
            Cover::None | Cover::StartTls(_) => None,
        };
        let server = (self.host.as_str(), self.port);
        let connection =
            AsyncSmtpConnection::connect_tokio1(server, Some(TIME), &hello, implicit, None);
        let mut connection = connection.await?;
        if let Cover::StartTls(tls) = &self.cover {
            connection.starttls(tls.clone(), &hello).await?;
        }
        if let Some(credentials) = &self.credentials {
            connection.auth(DEFAULT_MECHANISMS, credentials).await?;
        }
        Ok(connection)
    }
}

/// Whom the mail server is believed to be: who has a certificate for its name.
fn trusted(server: &MailServer) -> Result<TlsParameters> {
    let mut builder = TlsParameters::builder(server.host.clone());
    if let Some(file) = &server.authorities {
        let text =
            std::fs::read(file).map_err(Error::internal("reading the file `ca` of CPS_MAIL"))?;
        for block in
            pem::parse_many(text).map_err(Error::internal("reading the file `ca` of CPS_MAIL"))?
        {
            let certificate = Certificate::from_der(block.into_contents());
            let certificate =
                certificate.map_err(Error::internal("reading the file `ca` of CPS_MAIL"))?;
            builder = builder.add_root_certificate(certificate);
        }
    }
    builder
        .build()
        .map_err(Error::internal("preparing TLS for CPS_MAIL"))
}
