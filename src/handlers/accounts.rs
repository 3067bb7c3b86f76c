//! Accounts.

use utoipa_actix_web::service_config::ServiceConfig;

/// Registers the operations of this module.
pub fn routes(_config: &mut ServiceConfig<'_>) {}
