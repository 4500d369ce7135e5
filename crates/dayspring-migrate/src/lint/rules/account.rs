//! MY041: users and their rights in a script.

use super::prelude::*;

pub(in crate::lint) static RULE: Rule = Rule {
    code: "MY041",
    name: "account",
    severity: Severity::Warning,
    servers: Servers::All,
    title: "a script handles users or their rights",
    why: "Users belong to the server and not to this database, so a second stage on the same cluster meets them already \
          there; and a password in a script is in the repository and in the journal.",
    safe_way: "let the stack make users, with passwords from Secrets Manager",
    example: Example {
        applied: "SELECT 1;",
        bad: "<|GRANT SELECT|> ON blog.* TO reader;",
        good: "CREATE SQL SECURITY INVOKER VIEW one AS SELECT 1;",
    },
    check: Some(check),
};

fn check(site: &Site<'_>, found: &mut Vec<Report>) {
    let Some((first, rest)) = site.tokens.split_first() else {
        return;
    };
    let second = rest.first();
    let is_account = first.is_any(&["GRANT", "REVOKE"])
        || first.is_any(&["CREATE", "ALTER", "DROP", "RENAME"])
            && second.is_some_and(|token| token.is_any(&["USER", "ROLE"]))
        || first.is("SET") && second.is_some_and(|token| token.is("PASSWORD"));
    if is_account {
        found.push(Report::new(
            site.first_words(2),
            "users and rights are the server's, not this database's",
        ));
    }
}
