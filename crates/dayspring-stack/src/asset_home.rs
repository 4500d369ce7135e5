//! Where archives and templates are uploaded to, and by whose roles the `cdk` CLI deploys.

use std::fmt;
use std::str::FromStr;

use crate::error::Invalid;

/// The bucket for archives and templates, and the roles of a deployment by the `cdk` CLI.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum AssetHome {
    /// A bucket of Dayspring's own and the caller's credentials: an account needs no CDK bootstrap stack.
    #[default]
    Own,
    /// The bucket and the roles of the account's CDK bootstrap stack.
    Bootstrapped(Qualifier),
}

/// What tells the CDK bootstrap stacks of an account apart: part of the names of everything in one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Qualifier(String);

impl Qualifier {
    /// The names of the bootstrap stack's roles: `deploy`, `file-publishing`, `lookup`, `cfn-exec`.
    pub(crate) fn role(&self, name: &str) -> String {
        format!(
            "arn:${{AWS::Partition}}:iam::${{AWS::AccountId}}:role/cdk-{self}-{name}-role-${{AWS::AccountId}}-${{AWS::Region}}"
        )
    }

    /// The parameter that holds the bootstrap stack's version.
    pub(crate) fn version_parameter(&self) -> String {
        format!("/cdk-bootstrap/{self}/version")
    }
}

impl Default for Qualifier {
    /// The one that `cdk bootstrap` uses unless told otherwise.
    fn default() -> Self {
        Self("hnb659fds".to_owned())
    }
}

impl fmt::Display for Qualifier {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl FromStr for Qualifier {
    type Err = Invalid;

    /// The rule is the bootstrap template's own.
    fn from_str(text: &str) -> Result<Self, Invalid> {
        let good = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        if (1..=10).contains(&text.len()) && text.bytes().all(good) {
            Ok(Self(text.to_owned()))
        } else {
            Err(Invalid::expected(
                "1 to 10 letters, digits, `_` and `-`, as `cdk bootstrap --qualifier` takes them",
            ))
        }
    }
}

impl AssetHome {
    /// The bucket's name, with `${AWS::AccountId}` and `${AWS::Region}` for the place of the deploy.
    #[must_use]
    pub fn bucket(&self) -> String {
        match self {
            Self::Own => "dayspring-assets-${AWS::AccountId}-${AWS::Region}".to_owned(),
            Self::Bootstrapped(qualifier) => {
                format!("cdk-{qualifier}-assets-${{AWS::AccountId}}-${{AWS::Region}}")
            }
        }
    }

    /// The same bucket in one account and region: `dayspring-assets-123456789012-eu-central-1`.
    #[must_use]
    pub fn bucket_in(&self, account: &str, region: &str) -> String {
        self.bucket()
            .replace("${AWS::AccountId}", account)
            .replace("${AWS::Region}", region)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_qualifier_is_what_the_bootstrap_template_takes() {
        assert_eq!(
            "my_team-1".parse::<Qualifier>().unwrap().to_string(),
            "my_team-1"
        );
        for bad in ["", "elevenchars", "a b", "ä"] {
            assert!(bad.parse::<Qualifier>().is_err(), "{bad}");
        }
    }

    #[test]
    fn each_home_has_a_bucket_for_each_account_and_region() {
        assert_eq!(
            AssetHome::Own.bucket_in("1", "eu-west-1"),
            "dayspring-assets-1-eu-west-1"
        );
        let bootstrapped = AssetHome::Bootstrapped(Qualifier::default());
        assert_eq!(
            bootstrapped.bucket_in("1", "eu-west-1"),
            "cdk-hnb659fds-assets-1-eu-west-1"
        );
    }
}
