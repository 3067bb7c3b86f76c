//! What is looked at before anything is opened: the environment and every file that it names.

use std::path::Path;

use secrecy::ExposeSecret;

use super::StartError;
use crate::auth::tokens::SigningKeys;
use crate::config::{Config, Environment, Mode, is_example};
use crate::integrations::document_store;
use crate::integrations::mail::Mailer;
use crate::private;
use crate::programme::{Programme, SHIPPED};
use crate::repository::sqlite_file;
use crate::secrets::Sealer;

/// More than two keys ever need.
const MOST_BYTES: u64 = 64 * 1024;

/// The configuration of the process, once all that it names can be used; all faults in one message, one a line.
pub fn configuration() -> Result<Config, StartError> {
    let (mut config, mut faults) = Config::gather(&Environment::of_process());
    let programme = programme(&config);
    if let Ok(programme) = &programme {
        doubt(&mut config, programme);
    }
    let signing = signing_keys(&config).map(drop);
    let sealing = sealing_keys(&config).map(drop);
    let mailer = Mailer::new(&config.mail, &config.mail_from).map(drop);
    let database = sqlite_file(config.database_url.expose_secret());
    let documents = document_store::check(&config.documents, database);
    let files = [
        programme.map(drop),
        documents.map_err(StartError::from),
        signing,
        sealing,
        mailer.map_err(StartError::from),
    ];
    faults.extend(
        files
            .into_iter()
            .filter_map(|one| Some(one.err()?.to_string())),
    );
    if faults.is_empty() {
        Ok(config)
    } else {
        Err(faults.join("\n").into())
    }
}

fn doubt(config: &mut Config, programme: &Programme) {
    let domain = programme.help.email.rsplit('@').next().unwrap_or_default();
    if config.mode == Mode::Live && is_example(domain) {
        let doubt = "CPS_PROGRAMME has people ask for help at an address that is kept for examples";
        config.warnings.push(doubt.to_owned());
    }
}

/// The programme that the configuration names.
pub fn programme(config: &Config) -> Result<Programme, StartError> {
    let text = match &config.programme {
        Some(path) => std::fs::read_to_string(path)
            .map_err(|e| format!("CPS_PROGRAMME: {}: {e}", path.display()))?,
        None => SHIPPED.to_owned(),
    };
    let programme =
        Programme::parse(&text).map_err(|fault| format!("the programme file: {fault}"))?;
    if config.mode == Mode::Live && programme.seller.example {
        return Err("CPS_PROGRAMME names no file with a seller of its own: the one in [seller] is made up, as `example = true` says".into());
    }
    if let Some(entry) = lacking(config, &programme) {
        return Err(format!(
            "CPS_PROGRAMME: [seller] has no {entry}, and electronic invoices ask for it"
        )
        .into());
    }
    Ok(programme)
}

/// What electronic invoices ask of a live seller and it does not have; a sandbox makes as many as it can.
fn lacking(config: &Config, programme: &Programme) -> Option<&'static str> {
    let is_live = config.mode == Mode::Live;
    programme.seller.numbers().lacking().filter(|_| is_live)
}

/// The PEM text of the file of signing keys that the configuration names, if it names one.
pub fn signing_keys(config: &Config) -> Result<Option<String>, StartError> {
    let path = config.signing_keys.as_deref();
    let check = |pem: &str| {
        SigningKeys::read(pem, "")
            .map(drop)
            .map_err(|e| e.to_string())
    };
    path.map(|path| keys(config, "CPS_SIGNING_KEYS", path, check))
        .transpose()
}

/// The text of the file of sealing keys that the configuration names, if it names one.
pub fn sealing_keys(config: &Config) -> Result<Option<String>, StartError> {
    let path = config.sealing_keys.as_deref();
    path.map(|path| keys(config, "CPS_SEALING_KEYS", path, Sealer::check))
        .transpose()
}

/// The text of a file of keys that can be used.
fn keys(
    config: &Config,
    name: &str,
    path: &Path,
    check: impl Fn(&str) -> Result<(), String>,
) -> Result<String, StartError> {
    judge(config, name, path)?;
    let text =
        std::fs::read_to_string(path).map_err(|e| format!("{name}: {}: {e}", path.display()))?;
    check(&text).map_err(|e| format!("{name}: {e}"))?;
    Ok(text)
}

/// Whether a file of keys is one, and in live mode nobody else's to read, behind every link.
fn judge(config: &Config, name: &str, path: &Path) -> Result<(), String> {
    let told = |cause: &dyn std::fmt::Display| format!("{name}: {}: {cause}", path.display());
    let found = std::fs::metadata(path).map_err(|e| told(&e))?;
    if !found.is_file() || found.len() > MOST_BYTES {
        return Err(told(&"no file of keys"));
    }
    if config.mode == Mode::Live && private::is_open_to_others(path).map_err(|e| told(&e))? {
        return Err(told(&"others may read or change it: chmod 600"));
    }
    Ok(())
}
