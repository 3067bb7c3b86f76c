//! Who may do what: the table of rules section 12, as data.

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
        /// A dealer's system.
        Dealer = "dealer",
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

/// Something that a caller may want to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Action {
    AccountRead,
    /// Company data, trust in dealers, erasure, export.
    AccountChange,
    /// Name, e-mail, phone and language of the contact.
    AccountContactChange,
    UsersManage,
    DocumentsRead,
    DocumentsChange,
    /// Submit or withdraw.
    ApplicationChange,
    ReviewsRead,
    ReviewsDecide,
    ProductsRead,
    ProductsChange,
    /// Attach a legacy account, with a reason.
    LegacyAttach,
    ClaimsDecide,
    PointsRead,
    PointsAdjust,
    MembershipRead,
    MembershipJoin,
    InvoicesRead,
    InvoicesManage,
    CatalogueManage,
    StaffManage,
    /// Send a new first-password link.
    FirstPasswordLink,
    AccountsList,
    AccountSuspend,
    /// Look a member number up.
    MemberLookup,
    RegistrationsRead,
    RegistrationsWrite,
}

/// How far a permission goes; the furthest of several roles counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reach {
    /// Not at all.
    None,
    /// On the own account (a dealer: on its own lines).
    Own,
    /// On every account.
    All,
}

/// How far `role` may go with `action`.
pub fn reach(action: Action, role: Role) -> Reach {
    use Role::{Admin, Applicant, Dealer, Finance, Member, ReadOnly, Reviewer, Superuser, Support};
    const STAFF: &[Role] = &[Reviewer, Support, Finance, Admin];
    const USERS: &[Role] = &[ReadOnly, Member, Superuser];
    let (own, all): (&[Role], &[Role]) = match action {
        Action::AccountRead => (&[Applicant, ReadOnly, Member, Superuser], STAFF),
        Action::AccountChange => (&[Applicant, Superuser], &[]),
        Action::AccountContactChange => (&[Applicant, Superuser], &[Support]),
        Action::UsersManage => (&[Superuser], &[Admin]),
        Action::DocumentsRead => (&[Applicant, Superuser], &[Reviewer]),
        Action::DocumentsChange | Action::ApplicationChange => (&[Applicant], &[]),
        Action::ReviewsRead => (&[], &[Reviewer, Support, Admin]),
        Action::ReviewsDecide => (&[], &[Reviewer]),
        Action::ProductsRead | Action::PointsRead => (USERS, STAFF),
        Action::ProductsChange => (&[Member, Superuser], &[]),
        Action::LegacyAttach | Action::FirstPasswordLink => (&[], &[Support]),
        Action::PointsAdjust
        | Action::CatalogueManage
        | Action::StaffManage
        | Action::AccountSuspend
        | Action::ClaimsDecide => (&[], &[Admin]),
        Action::MembershipRead | Action::InvoicesRead => (USERS, &[Support, Finance, Admin]),
        Action::MembershipJoin => (&[Superuser], &[]),
        Action::InvoicesManage => (&[], &[Finance]),
        Action::AccountsList => (&[], STAFF),
        Action::MemberLookup => (&[Dealer], STAFF),
        Action::RegistrationsRead => (&[Dealer], &[Admin]),
        Action::RegistrationsWrite => (&[Dealer], &[]),
    };
    if all.contains(&role) {
        Reach::All
    } else if own.contains(&role) {
        Reach::Own
    } else {
        Reach::None
    }
}

/// The furthest that any of `roles` may go with `action`.
pub fn reach_of(action: Action, roles: &[Role]) -> Reach {
    roles
        .iter()
        .map(|role| reach(action, *role))
        .max()
        .unwrap_or(Reach::None)
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
            "applicant read_only member superuser reviewer support finance admin dealer"
        );
        for (action, expected) in [
            // account: read
            (Action::AccountRead, "ooooaaaa-"),
            (Action::AccountsList, "----aaaa-"),
            // account: change, users, trust a dealer, erase, export
            (Action::AccountChange, "o--o-----"),
            (Action::AccountContactChange, "o--o-a---"),
            (Action::UsersManage, "---o---a-"),
            // documents: read; own application: all
            (Action::DocumentsRead, "o--oa----"),
            (Action::DocumentsChange, "o--------"),
            (Action::ApplicationChange, "o--------"),
            // reviews
            (Action::ReviewsRead, "----aa-a-"),
            (Action::ReviewsDecide, "----a----"),
            // products, legacy migration, claims
            (Action::ProductsRead, "-oooaaaa-"),
            (Action::ProductsChange, "--oo-----"),
            (Action::LegacyAttach, "-----a---"),
            (Action::ClaimsDecide, "-------a-"),
            // points
            (Action::PointsRead, "-oooaaaa-"),
            (Action::PointsAdjust, "-------a-"),
            // membership, invoices
            (Action::MembershipRead, "-ooo-aaa-"),
            (Action::MembershipJoin, "---o-----"),
            (Action::InvoicesRead, "-ooo-aaa-"),
            (Action::InvoicesManage, "------a--"),
            // staff, partners, programme, catalogue
            (Action::CatalogueManage, "-------a-"),
            (Action::StaffManage, "-------a-"),
            // registrations, webhooks
            (Action::RegistrationsRead, "-------ao"),
            (Action::RegistrationsWrite, "--------o"),
            // the contract: support sends links, admin suspends, staff and dealers look a number up
            (Action::FirstPasswordLink, "-----a---"),
            (Action::AccountSuspend, "-------a-"),
            (Action::MemberLookup, "----aaaao"),
        ] {
            assert_eq!(row(action), expected, "{action:?}");
        }
    }

    #[test]
    fn of_several_roles_the_furthest_counts() {
        let roles = [Role::Finance, Role::Admin];
        assert_eq!(reach_of(Action::PointsAdjust, &roles), Reach::All);
        assert_eq!(reach_of(Action::ReviewsDecide, &roles), Reach::None);
        assert_eq!(reach_of(Action::AccountRead, &[]), Reach::None);
    }
}
