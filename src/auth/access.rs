//! Extractors that a handler closes itself with: they answer 401, 403 or 404 before it runs.

use std::future::{Ready, ready};
use std::marker::PhantomData;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpMessage, HttpRequest};

use super::authenticator::Identity;
use crate::domain::access::{
    AccountAccess, Anonymous, AnywhereAccess, Caller, PartnerAccess, StaffAccess, UserAccess,
};
use crate::domain::permissions::Permission;
use crate::error::{Code, Error, Result};
use crate::types::Instant;

fn identity(request: &HttpRequest) -> Result<Caller, Code> {
    let identity = request.extensions().get::<Identity>().cloned();
    identity.map_or_else(|| Ok(Caller::anyone()), |identity| identity.caller)
}

/// A caller who may do `P` on the account that the path names.
pub struct Access<P> {
    /// The proof that repository functions ask for.
    pub account: AccountAccess,
    /// Who calls.
    pub caller: Caller,
    permission: PhantomData<P>,
}

impl<P: Permission> FromRequest for Access<P> {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(admit::<P>(request))
    }
}

fn admit<P: Permission>(request: &HttpRequest) -> Result<Access<P>> {
    let caller = identity(request)?;
    if caller.is_anyone() {
        return Err(Code::Unauthenticated.into());
    }
    let account_id = request
        .match_info()
        .get("account_id")
        .and_then(|text| text.parse().ok())
        .ok_or(Code::NotFound)?;
    let account = AccountAccess::admit(P::ACTION, &caller, account_id)?;
    Ok(Access {
        account,
        caller,
        permission: PhantomData,
    })
}

/// A member of staff who may do `P`.
pub struct StaffOnly<P> {
    /// The proof that repository functions ask for.
    pub staff: StaffAccess,
    permission: PhantomData<P>,
}

impl<P: Permission> FromRequest for StaffOnly<P> {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let staff = identity(request).and_then(|caller| StaffAccess::admit(P::ACTION, &caller));
        ready(
            staff
                .map(|staff| Self {
                    staff,
                    permission: PhantomData,
                })
                .map_err(Error::from),
        )
    }
}

/// A partner's system with the scope of `P`.
pub struct PartnerOnly<P> {
    /// The proof that repository functions ask for.
    pub partner: PartnerAccess,
    permission: PhantomData<P>,
}

impl<P: Permission> FromRequest for PartnerOnly<P> {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(identity(request).map_err(Error::from).and_then(|caller| {
            Ok(Self {
                partner: PartnerAccess::admit(P::ACTION, &caller)?,
                permission: PhantomData,
            })
        }))
    }
}

/// Whoever may do `P` where no account is named: a user on what is the own account's, a partner's system on what is its partner's, staff.
pub struct Anywhere<P> {
    /// The proof that repository functions ask for.
    pub access: AnywhereAccess,
    permission: PhantomData<P>,
}

impl<P: Permission> FromRequest for Anywhere<P> {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(identity(request).map_err(Error::from).and_then(|caller| {
            Ok(Self {
                access: AnywhereAccess::admit(P::ACTION, &caller)?,
                permission: PhantomData,
            })
        }))
    }
}

impl FromRequest for UserAccess {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let own = identity(request).and_then(|caller| Self::admit(&caller));
        ready(own.map_err(Error::from))
    }
}

/// Anybody whose token holds.
pub struct Signed {
    /// Who calls.
    pub caller: Caller,
    /// When the token runs out.
    pub expires_at: Option<Instant>,
}

impl FromRequest for Signed {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let expires_at = request
            .extensions()
            .get::<Identity>()
            .and_then(|identity| identity.expires_at);
        ready(match identity(request) {
            Ok(caller) if caller.is_anyone() => Err(Code::Unauthenticated.into()),
            Ok(caller) => Ok(Self { caller, expires_at }),
            Err(code) => Err(code.into()),
        })
    }
}

/// Anybody: without a token nobody in particular, but a token that is sent must hold.
pub struct OptionalCaller(pub Caller);

impl FromRequest for OptionalCaller {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(identity(request).map(Self).map_err(Error::from))
    }
}

impl FromRequest for Anonymous {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let identity = request.extensions().get::<Identity>().cloned();
        let missing = || Error::internal("reading who calls")("nobody has looked");
        ready(identity.map(|one| one.anonymous).ok_or_else(missing))
    }
}
