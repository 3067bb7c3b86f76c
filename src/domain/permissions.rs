//! Who may do what: the table of rules section 12, as data.

use super::partner::Scope;
use crate::types::text_enum;

text_enum! {
    /// What a caller is. A user of an account holds one of the member roles, a member of staff one or more of the others.
    pub enum Role {
        /// The bearer of an application's token.
        Applicant = "applicant",
        /// A user who may look.
        ReadOnly = "read_only",
        /// A user who may register products.
        Member = "member",
        /// A user who may do everything on the own account.
        Superuser = "superuser",
        /// Staff who decide applications.
        Reviewer = "reviewer",
        /// Staff who help.
        Support = "support",
        /// Staff who handle money.
        Finance = "finance",
        /// Staff who run the programme.
        Admin = "admin",
    }
}

impl Role {
    /// Whether it is a role of staff.
    pub fn is_staff(self) -> bool {
        matches!(
            self,
            Self::Reviewer | Self::Support | Self::Finance | Self::Admin
        )
    }

    /// Whether it is a role of a user of an account.
    pub fn is_account_user(self) -> bool {
        matches!(self, Self::ReadOnly | Self::Member | Self::Superuser)
    }
}

/// How far a permission goes; the furthest of several roles counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reach {
    /// Not at all.
    None,
    /// On the own account.
    Own,
    /// On every account.
    All,
}

/// Names the action that an extractor asks for.
pub trait Permission: 'static {
    /// What the caller wants to do.
    const ACTION: Action;
}

/// The scope of one of these, where there is one.
macro_rules! scope_of {
    () => {
        None
    };
    ($scope:ident) => {
        Some(Scope::$scope)
    };
}

/// Makes the actions, the roles and the scope that reach each of them, and the type by which an extractor asks for it.
macro_rules! permissions {
    ($($(#[$meta:meta])* $action:ident: own [$($own:ident),*], all [$($all:ident),*] $(, scope $scope:ident)?;)+) => {
        /// Something that a caller may want to do.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[allow(missing_docs)]
        pub enum Action { $($(#[$meta])* $action),+ }

        impl Action {
            /// Every action.
            pub const ALL: &'static [Self] = &[$(Self::$action),+];

            /// The roles that may do it on their own account, and those that may on every account.
            pub fn roles(self) -> (&'static [Role], &'static [Role]) {
                match self {
                    $(Self::$action => (&[$(Role::$own),*], &[$(Role::$all),*])),+
                }
            }

            /// The scope with which a partner's system may do it, on what is its partner's.
            pub fn scope(self) -> Option<Scope> {
                match self {
                    $(Self::$action => scope_of!($($scope)?)),+
                }
            }
        }

        $(
            #[doc = concat!("Asks for `Action::", stringify!($action), "`.")]
            #[derive(Debug, Clone, Copy)]
            pub struct $action;

            impl Permission for $action {
                const ACTION: Action = Action::$action;
            }
        )+
    };
}

permissions! {
    AccountRead: own [Applicant, ReadOnly, Member, Superuser], all [Reviewer, Support, Finance, Admin];
    /// Name, e-mail, phone and language of the contact; the company's data as `account_change` says.
    AccountChange: own [Applicant, Superuser], all [Support];
    UsersManage: own [Superuser], all [Admin];
    DocumentsRead: own [Applicant, Superuser], all [Reviewer];
    /// Hand in and take back: the applicant's with the application, the superuser's once the account is active.
    DocumentsChange: own [Applicant, Superuser], all [];
    /// Submit or withdraw.
    ApplicationChange: own [Applicant], all [];
    ReviewsRead: own [], all [Reviewer, Support, Admin];
    ReviewsDecide: own [], all [Reviewer];
    ProductsRead: own [ReadOnly, Member, Superuser], all [Reviewer, Support, Finance, Admin];
    ProductsChange: own [Member, Superuser], all [];
    /// What dealers offer, and which of them are trusted.
    OffersRead: own [ReadOnly, Member, Superuser], all [Reviewer, Support, Admin];
    OffersAnswer: own [Member, Superuser], all [];
    PartnersTrust: own [Superuser], all [];
    /// Attach a legacy account, with a reason.
    LegacyAttach: own [], all [Support];
    PointsRead: own [ReadOnly, Member, Superuser], all [Reviewer, Support, Finance, Admin];
    PointsAdjust: own [], all [Admin];
    MembershipRead: own [ReadOnly, Member, Superuser], all [Support, Finance, Admin];
    MembershipJoin: own [Superuser], all [];
    InvoicesRead: own [ReadOnly, Member, Superuser], all [Support, Finance, Admin];
    /// Read invoices and payments of all accounts together.
    BooksRead: own [], all [Support, Finance, Admin];
    RefundsRead: own [], all [Finance, Admin];
    /// Have money go back, and say that it went.
    RefundsMake: own [], all [Finance];
    /// Issue credit notes, and say when nothing is collected.
    InvoicesCorrect: own [], all [Finance];
    /// Say what is to be read on invoices, and where they go.
    BillingProfileChange: own [Superuser], all [Support];
    /// See bank statements and what waits of them.
    BankRead: own [], all [Finance, Admin];
    /// Take bank statements in, and decide on what waits of them.
    BankWrite: own [], all [Finance];
    /// Send a new first-password link.
    FirstPasswordLink: own [], all [Support];
    /// Decide on another address of the contact that staff ask for.
    ContactEmailDecide: own [], all [Admin];
    AccountsList: own [], all [Reviewer, Support, Finance, Admin];
    AccountSuspend: own [], all [Admin];
    /// Look a member number up; a partner's system is told whether it is valid, and nothing else.
    MemberLookup: own [], all [Reviewer, Support, Finance, Admin], scope RegistrationsWrite;
    /// See the jobs that failed for good, and have them tried again.
    JobsManage: own [], all [Admin];
    /// Confirm, correct or take away the serial number of a product.
    ProductsCheck: own [], all [Support, Admin];
    /// See what waits for staff, of the kinds that a role works at, and claim it.
    WorkItems: own [], all [Support, Finance, Admin];
    /// Close what nothing else closes.
    WorkItemsComplete: own [], all [Admin];
    /// Read what happened: to the own account, or all of it.
    EventsRead: own [ReadOnly, Member, Superuser], all [Admin], scope Webhooks;
    /// See which dealers there are; all but staff see the name and country of the active ones.
    PartnersRead: own [ReadOnly, Member, Superuser], all [Admin];
    /// Take dealers in, give their systems credentials, suspend them.
    PartnersManage: own [], all [Admin];
    /// Report what was sold.
    RegistrationsWrite: own [], all [], scope RegistrationsWrite;
    /// See what was reported, and what came of it.
    RegistrationsRead: own [], all [Support, Admin], scope RegistrationsRead;
}

/// How far `role` may go with `action`.
pub fn reach(action: Action, role: Role) -> Reach {
    let (own, all) = action.roles();
    if all.contains(&role) {
        Reach::All
    } else if own.contains(&role) {
        Reach::Own
    } else {
        Reach::None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One letter per role in the order of `Role::ALL`: o own, a all, - nothing.
    fn row(action: Action) -> String {
        let letter = |role: &Role| match reach(action, *role) {
            Reach::None => '-',
            Reach::Own => 'o',
            Reach::All => 'a',
        };
        Role::ALL.iter().map(letter).collect()
    }

    #[test]
    fn the_table_is_that_of_the_rules() {
        let words: Vec<_> = Role::ALL.iter().map(|role| role.as_str()).collect();
        assert_eq!(
            words.join(" "),
            "applicant read_only member superuser reviewer support finance admin"
        );
        for (action, expected) in [
            // account: read
            (Action::AccountRead, "ooooaaaa"),
            (Action::AccountsList, "----aaaa"),
            // account: change, users, trust a dealer, erase, export
            (Action::AccountChange, "o--o-a--"),
            (Action::UsersManage, "---o---a"),
            // documents: read; own application: all
            (Action::DocumentsRead, "o--oa---"),
            (Action::DocumentsChange, "o--o----"),
            (Action::ApplicationChange, "o-------"),
            // reviews
            (Action::ReviewsRead, "----aa-a"),
            (Action::ReviewsDecide, "----a---"),
            // products, legacy migration
            (Action::ProductsRead, "-oooaaaa"),
            (Action::ProductsChange, "--oo----"),
            (Action::LegacyAttach, "-----a--"),
            // offers; trust a dealer
            (Action::OffersRead, "-oooaa-a"),
            (Action::OffersAnswer, "--oo----"),
            (Action::PartnersTrust, "---o----"),
            // points
            (Action::PointsRead, "-oooaaaa"),
            (Action::PointsAdjust, "-------a"),
            // membership, invoices
            (Action::MembershipRead, "-ooo-aaa"),
            (Action::MembershipJoin, "---o----"),
            (Action::InvoicesRead, "-ooo-aaa"),
            (Action::BillingProfileChange, "---o-a--"),
            // all accounts' invoices and payments; refunds, credit notes, collection
            (Action::BooksRead, "-----aaa"),
            (Action::RefundsRead, "------aa"),
            (Action::RefundsMake, "------a-"),
            (Action::InvoicesCorrect, "------a-"),
            // dead jobs
            (Action::JobsManage, "-------a"),
            // serial checks, work items, event feed
            (Action::ProductsCheck, "-----a-a"),
            (Action::WorkItems, "-----aaa"),
            (Action::WorkItemsComplete, "-------a"),
            (Action::EventsRead, "-ooo---a"),
            // the contract: support sends links, admin suspends, staff look a number up
            (Action::FirstPasswordLink, "-----a--"),
            (Action::AccountSuspend, "-------a"),
            (Action::ContactEmailDecide, "-------a"),
            (Action::MemberLookup, "----aaaa"),
            // partners, registrations
            (Action::PartnersRead, "-ooo---a"),
            (Action::PartnersManage, "-------a"),
            (Action::RegistrationsWrite, "--------"),
            (Action::RegistrationsRead, "-----a-a"),
        ] {
            assert_eq!(row(action), expected, "{action:?}");
        }
    }

    #[test]
    fn a_scope_opens_what_is_for_it_and_nothing_else() {
        let opened = |scope| {
            let all = Action::ALL.iter().copied();
            all.filter(|action| action.scope() == Some(scope))
                .collect::<Vec<_>>()
        };
        assert_eq!(
            opened(Scope::RegistrationsWrite),
            [Action::MemberLookup, Action::RegistrationsWrite]
        );
        assert_eq!(
            opened(Scope::RegistrationsRead),
            [Action::RegistrationsRead]
        );
    }
}
