//! Values with AWS's limits: capacity, versions, retention, address ranges.

use std::fmt;
use std::net::Ipv4Addr;
use std::str::FromStr;
use std::time::Duration;

use crate::error::{Invalid, listed};
use crate::nearest::nearest;

/// The processors that functions run on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Architecture {
    /// AWS's own processors, `arm64`.
    #[default]
    Arm64,
    /// `x86_64`
    X86_64,
}

impl Architecture {
    /// The name that Lambda has for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Arm64 => "arm64",
            Self::X86_64 => "x86_64",
        }
    }
}

impl fmt::Display for Architecture {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl FromStr for Architecture {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        one_of(text, &[("arm64", Self::Arm64), ("x86_64", Self::X86_64)])
    }
}

/// Where the API answers: in its region, or through AWS's edge network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Endpoint {
    Regional,
    Edge,
}

impl FromStr for Endpoint {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        one_of(text, &[("regional", Self::Regional), ("edge", Self::Edge)])
    }
}

/// A log that Aurora MySQL can export to CloudWatch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum DatabaseLog {
    Audit,
    Error,
    General,
    SlowQuery,
}

impl DatabaseLog {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Audit => "audit",
            Self::Error => "error",
            Self::General => "general",
            Self::SlowQuery => "slowquery",
        }
    }
}

impl FromStr for DatabaseLog {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let all = [Self::Audit, Self::Error, Self::General, Self::SlowQuery];
        one_of(text, &all.map(|log| (log.as_str(), log)))
    }
}

fn one_of<T: Copy>(text: &str, values: &[(&str, T)]) -> Result<T, Invalid> {
    let found = values.iter().find(|(name, _)| *name == text);
    found.map(|(_, value)| *value).ok_or_else(|| {
        let names: Vec<String> = values.iter().map(|(name, _)| (*name).to_owned()).collect();
        Invalid {
            nearest: nearest(text, names.iter().map(String::as_str)).map(str::to_owned),
            expected: listed(&names, "or"),
        }
    })
}

/// Aurora capacity units, in halves, from 0 to 256
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-rds-dbcluster-serverlessv2scalingconfiguration.html>,
/// as research of 2026-11 found it).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Acu {
    halves: u16,
}

impl Acu {
    /// What a cluster that may pause has as its minimum.
    pub const ZERO: Self = Self { halves: 0 };

    pub(crate) const fn whole(units: u8) -> Self {
        Self {
            halves: units as u16 * 2,
        }
    }

    /// The number of units as JSON has it: whole where it is whole.
    pub(crate) fn to_json(self) -> serde_json::Value {
        if self.halves.is_multiple_of(2) {
            (self.halves / 2).into()
        } else {
            (f64::from(self.halves) / 2.0).into()
        }
    }
}

impl fmt::Display for Acu {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", f64::from(self.halves) / 2.0)
    }
}

impl FromStr for Acu {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let invalid = || Invalid::expected("capacity units from 0 to 256 in steps of 0.5");
        let (whole, half) = match text.split_once('.') {
            None => (text, 0),
            Some((whole, "0")) => (whole, 0),
            Some((whole, "5")) => (whole, 1),
            Some(_) => return Err(invalid()),
        };
        let units: u16 = whole.parse().map_err(|_| invalid())?;
        let halves = units
            .checked_mul(2)
            .and_then(|halves| halves.checked_add(half))
            .ok_or_else(invalid)?;
        if halves > 512 {
            Err(invalid())
        } else {
            Ok(Self { halves })
        }
    }
}

/// The range in which the cluster scales.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capacity {
    /// The least; 0 lets the cluster pause.
    pub min: Acu,
    /// The most; at least 1.
    pub max: Acu,
    /// How long nobody asks before the cluster pauses; set where `min` is 0.
    pub pause_after: Option<Duration>,
}

/// A version of Aurora MySQL that has the Data API and can pause: `8.0.mysql_aurora.3.10.6`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineVersion {
    text: String,
    family: Family,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Family {
    Mysql80,
    Mysql84,
}

impl EngineVersion {
    /// The newest patch of the newest long-term release.
    pub(crate) fn default_version() -> Self {
        Self {
            text: "8.0.mysql_aurora.3.10.6".to_owned(),
            family: Family::Mysql80,
        }
    }

    /// The version as AWS spells it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The family that parameter groups for this version belong to.
    pub(crate) fn parameter_family(&self) -> &'static str {
        match self.family {
            Family::Mysql80 => "aurora-mysql8.0",
            Family::Mysql84 => "aurora-mysql8.4",
        }
    }
}

impl FromStr for EngineVersion {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        // 3.08 is the first release that pauses at 0 units.
        let invalid = || {
            Invalid::expected(
                "a version of Aurora MySQL from `8.0.mysql_aurora.3.08.0` on, spelled as AWS does, such as \
                 `8.0.mysql_aurora.3.10.6`",
            )
        };
        let (family, release) = if let Some(release) = text.strip_prefix("8.0.mysql_aurora.3.") {
            (Family::Mysql80, release)
        } else {
            (
                Family::Mysql84,
                text.strip_prefix("8.4.mysql_aurora.8.4.")
                    .ok_or_else(invalid)?,
            )
        };
        let numbers: Vec<u16> = release
            .split('.')
            .map(|number| number.parse().map_err(|_| invalid()))
            .collect::<Result<_, _>>()?;
        match (family, numbers.as_slice()) {
            (Family::Mysql80, [minor, _, ..]) if *minor < 8 => Err(invalid()),
            (Family::Mysql80, [_, _] | [_, _, _]) | (Family::Mysql84, [_] | [_, _]) => Ok(Self {
                text: text.to_owned(),
                family,
            }),
            (Family::Mysql80 | Family::Mysql84, _) => Err(invalid()),
        }
    }
}

/// How long CloudWatch keeps a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retention {
    /// A number of days that CloudWatch offers.
    Days(u16),
    /// Nothing is deleted.
    Forever,
}

/// The numbers of days that CloudWatch Logs accepts
/// (<https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html>; the list is that
/// of cfn-lint 1.58's schema).
const RETENTION_DAYS: [u16; 22] = [
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922,
    3288, 3653,
];

impl FromStr for Retention {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        if text == "forever" {
            return Ok(Self::Forever);
        }
        let days = text.strip_suffix('d').and_then(|days| days.parse().ok());
        days.filter(|days| RETENTION_DAYS.contains(days))
            .map(Self::Days)
            .ok_or_else(|| {
                let offered: Vec<String> = RETENTION_DAYS
                    .iter()
                    .map(|days| format!("`{days}d`"))
                    .collect();
                Invalid::expected(format!("`forever` or one of {}", offered.join(", ")))
            })
    }
}

/// The network's addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cidr {
    base: Ipv4Addr,
    prefix: u8,
}

impl Cidr {
    pub(crate) fn default_network() -> Self {
        Self {
            base: Ipv4Addr::new(10, 0, 0, 0),
            prefix: 16,
        }
    }

    /// The `index`th of the sixteen equal parts. One that exists stays where it is when zones are added.
    pub(crate) fn part(self, index: u8) -> Self {
        let prefix = self.prefix + 4;
        let base = u32::from(self.base) + (u32::from(index) << (32 - prefix));
        Self {
            base: base.into(),
            prefix,
        }
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.base, self.prefix)
    }
}

impl FromStr for Cidr {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        // A VPC has /16 to /28, and its sixteen parts must be subnets, which have /28 at most.
        let invalid =
            || Invalid::expected("a block of addresses from /16 to /24, such as `10.0.0.0/16`");
        let (base, prefix) = text.split_once('/').ok_or_else(invalid)?;
        let base: Ipv4Addr = base.parse().map_err(|_| invalid())?;
        let prefix: u8 = prefix.parse().map_err(|_| invalid())?;
        if !(16..=24).contains(&prefix) {
            return Err(invalid());
        }
        if u32::from(base) & (u32::MAX >> prefix) == 0 {
            Ok(Self { base, prefix })
        } else {
            Err(invalid())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capacity_comes_in_halves_up_to_256() {
        assert_eq!("0.5".parse::<Acu>().unwrap().to_string(), "0.5");
        assert_eq!("256".parse::<Acu>().unwrap().to_string(), "256");
        assert_eq!(
            "4.0".parse::<Acu>().unwrap().to_json(),
            serde_json::json!(4)
        );
        for wrong in ["-1", "0.25", "256.5", "257", "70000", "nan", "1e2", ""] {
            assert!(wrong.parse::<Acu>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_engine_that_cannot_pause_is_refused() {
        for wrong in [
            "3.10.6",
            "5.7.mysql_aurora.2.12.6",
            "8.0.mysql_aurora.3.07.1",
            "8.0.mysql_aurora.3.10",
            "8.0.35",
        ] {
            assert!(wrong.parse::<EngineVersion>().is_err(), "{wrong}");
        }
        let version: EngineVersion = "8.4.mysql_aurora.8.4.7".parse().unwrap();
        assert_eq!(version.parameter_family(), "aurora-mysql8.4");
        let default = EngineVersion::default_version();
        assert_eq!(default.as_str().parse::<EngineVersion>().unwrap(), default);
    }

    #[test]
    fn a_network_has_sixteen_parts() {
        let network: Cidr = "10.1.0.0/16".parse().unwrap();
        assert_eq!(network.part(0).to_string(), "10.1.0.0/20");
        assert_eq!(network.part(2).to_string(), "10.1.32.0/20");
        for wrong in [
            "10.0.0.1/16",
            "10.0.0.0",
            "10.0.0.0/8",
            "10.0.0.0/28",
            "x/16",
        ] {
            assert!(wrong.parse::<Cidr>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn retention_is_one_that_cloudwatch_offers() {
        assert_eq!("30d".parse::<Retention>().unwrap(), Retention::Days(30));
        assert_eq!("forever".parse::<Retention>().unwrap(), Retention::Forever);
        assert!("31d".parse::<Retention>().is_err());
    }
}
