//! Names that end up in AWS's own names, and so have AWS's limits.

use std::fmt;
use std::str::FromStr;

use crate::error::Invalid;

/// A Lambda function's name has at most 64 characters
/// (<https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html>, read 2026-11-22).
pub(crate) const FUNCTION_NAME_CHARACTERS_MAX: usize = 64;

macro_rules! checked_name {
    ($(#[$documentation:meta])* $visibility:vis $name:ident, $check:expr, $expected:expr) => {
        $(#[$documentation])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        $visibility struct $name(String);

        impl $name {
            /// The name as written.
            #[must_use]
            $visibility fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = Invalid;

            fn from_str(text: &str) -> Result<Self, Invalid> {
                let check: fn(&str) -> bool = $check;
                if check(text) { Ok(Self(text.to_owned())) } else { Err(Invalid::expected($expected)) }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }
    };
}

checked_name!(
    /// The project: begins the names of the stack, its functions and its cluster.
    pub ProjectName,
    |text| is_dashed(text, 30),
    "lower-case letters, digits and single dashes between them, beginning with a letter, at most 30 characters"
);

checked_name!(
    /// A stage: one stack, one database.
    pub StageName,
    |text| is_dashed(text, 15),
    "lower-case letters, digits and single dashes between them, beginning with a letter, at most 15 characters"
);

checked_name!(
    /// A function: the name of a file in `functions/` without `.rs`, and so a Rust module's.
    pub FunctionName,
    |text| text.starts_with(|first: char| first.is_ascii_lowercase())
        && text.len() <= 60
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_'),
    "lower-case letters, digits and underscores, beginning with a letter, at most 60 characters"
);

checked_name!(
    /// A database (schema) inside the cluster.
    pub DatabaseName,
    |text| text.starts_with(|first: char| first.is_ascii_alphabetic()) && text.len() <= 64 && is_word(text),
    "letters, digits and underscores, beginning with a letter, at most 64 characters"
);

checked_name!(
    /// The master user of the cluster.
    pub(crate) UserName,
    |text| text.starts_with(|first: char| first.is_ascii_alphabetic()) && text.len() <= 32 && is_word(text),
    "letters, digits and underscores, beginning with a letter, at most 32 characters"
);

checked_name!(
    /// A stage of the REST API: the first segment of its URLs.
    pub(crate) ApiStageName,
    |text| (1..=128).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-'),
    "letters, digits, underscores and dashes, at most 128 characters"
);

checked_name!(
    /// A folder of the project, with slashes: `scripts/schema`.
    pub ScriptsFolder,
    |text| !text.is_empty()
        && text.len() <= 200
        && text.split('/').all(|segment| {
            !matches!(segment, "" | "." | "..") && segment.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\')
        }),
    "a folder inside the project, such as `scripts/schema`, without `..` and white space"
);

checked_name!(
    /// When the daily backup is taken, in UTC: `03:00-03:30`.
    pub(crate) BackupWindow,
    |text| text.split_once('-').is_some_and(|(from, to)| is_time(from) && is_time(to)),
    "two times of the day in UTC, such as `03:00-03:30`"
);

checked_name!(
    /// When AWS may maintain the database, in UTC: `sun:04:00-sun:04:30`.
    pub(crate) MaintenanceWindow,
    |text| text.split_once('-').is_some_and(|(from, to)| is_time_of_week(from) && is_time_of_week(to)),
    "two times of the week in UTC, such as `sun:04:00-sun:04:30`"
);

checked_name!(
    /// Who may call the API from a web page: `*` or one origin.
    pub(crate) Origin,
    |text| text == "*"
        || text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).is_some_and(|host| {
            !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-:".contains(&byte))
        }),
    "`*` or one origin without a path, such as `https://www.example.com`"
);

checked_name!(
    /// A request header's name.
    pub(crate) HeaderName,
    |text| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'),
    "a header's name, such as `Content-Type`"
);

checked_name!(
    /// A content type, or a range of them: `image/*`.
    pub(crate) MediaType,
    |text| text.split_once('/').is_some_and(|(kind, subtype)| {
        [kind, subtype].iter().all(|part| {
            !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"*.+-".contains(&byte))
        })
    }),
    "a content type, such as `image/png` or `image/*`"
);

checked_name!(
    /// A parameter of the database.
    pub(crate) ParameterName,
    |text| !text.is_empty() && text.len() <= 255 && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-".contains(&byte)),
    "a parameter of Aurora MySQL in lower case, such as `long_query_time`"
);

checked_name!(
    /// A package, binary or profile of Cargo.
    pub(crate) CargoName,
    |text| !text.is_empty() && !text.starts_with('-') && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte)),
    "letters, digits, underscores and dashes"
);

checked_name!(
    /// The key of a tag.
    pub(crate) TagKey,
    |text| (1..=128).contains(&text.chars().count()) && !text.starts_with("aws:"),
    "1 to 128 characters that do not begin with `aws:`"
);

checked_name!(
    /// The ARN of an IAM policy.
    pub(crate) PolicyArn,
    |text| text.starts_with("arn:") && text.contains(":iam::") && text.contains(":policy/") && text.len() <= 2048
        && text.bytes().all(|byte| byte.is_ascii_graphic()),
    "the ARN of an IAM policy, such as `arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess`"
);

checked_name!(
    /// An environment variable's name.
    pub(crate) VariableName,
    |text| text.starts_with(|first: char| first.is_ascii_alphabetic()) && text.len() <= 128 && is_word(text)
        && !RESERVED_VARIABLES.contains(&text),
    "letters, digits and underscores, beginning with a letter, and no variable that Lambda or Dayspring sets itself"
);

/// What Lambda sets and refuses to be given
/// (<https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html>, from memory), and what the template sets.
const RESERVED_VARIABLES: [&str; 22] = [
    "AWS_ACCESS_KEY",
    "AWS_ACCESS_KEY_ID",
    "AWS_DEFAULT_REGION",
    "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_INITIALIZATION_TYPE",
    "AWS_LAMBDA_LOG_GROUP_NAME",
    "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_LAMBDA_RUNTIME_API",
    "AWS_REGION",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "DAYSPRING_CLUSTER_ARN",
    "DAYSPRING_CORS_CREDENTIALS",
    "DAYSPRING_CORS_ORIGIN",
    "DAYSPRING_DATABASE",
    "DAYSPRING_DEVELOPMENT",
    "DAYSPRING_SECRET_ARN",
    "LAMBDA_RUNTIME_DIR",
    "LAMBDA_TASK_ROOT",
];

/// A cluster's identifier is made of project and stage, and may neither end in a dash nor hold two in a row
/// (<https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBCluster.html>, from memory).
fn is_dashed(text: &str, characters_max: usize) -> bool {
    text.starts_with(|first: char| first.is_ascii_lowercase())
        && text.len() <= characters_max
        && !text.ends_with('-')
        && !text.contains("--")
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

fn is_time(text: &str) -> bool {
    text.split_once(':')
        .is_some_and(|(hour, minute)| is_number_below(hour, 24) && is_number_below(minute, 60))
}

fn is_time_of_week(text: &str) -> bool {
    let days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    text.split_once(':')
        .is_some_and(|(day, time)| days.contains(&day) && is_time(time))
}

fn is_number_below(text: &str, limit: u8) -> bool {
    text.len() == 2
        && text.bytes().all(|byte| byte.is_ascii_digit())
        && text.parse().is_ok_and(|number: u8| number < limit)
}

fn is_word(text: &str) -> bool {
    text.bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

impl DatabaseName {
    /// The project's own name with underscores, which is what a database is called unless told otherwise.
    pub(crate) fn of_project(project: &ProjectName) -> Self {
        Self(project.as_str().replace('-', "_"))
    }
}

impl ApiStageName {
    pub(crate) fn default_name() -> Self {
        Self("prod".to_owned())
    }
}

impl UserName {
    pub(crate) fn default_name() -> Self {
        Self("dayspring".to_owned())
    }
}

impl ScriptsFolder {
    pub(crate) fn default_folder() -> Self {
        Self("scripts/schema".to_owned())
    }
}

/// The handler of the migrator.
pub const MIGRATOR_HANDLER: &str = "dayspring.migrate";

impl FunctionName {
    /// What Lambda calls: `get_posts.handler`.
    #[must_use]
    pub fn handler(&self) -> String {
        format!("{self}.handler")
    }
}

impl StageName {
    /// The stage `dev`, which every project has.
    #[must_use]
    pub fn dev() -> Self {
        Self("dev".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_aws_would_refuse_are_refused() {
        for wrong in [
            "",
            "Blog",
            "1blog",
            "blog-",
            "a--b",
            "a_b",
            "blög",
            &"a".repeat(31),
        ] {
            assert!(wrong.parse::<ProjectName>().is_err(), "{wrong}");
        }
        assert!("my-blog2".parse::<ProjectName>().is_ok());
    }

    #[test]
    fn windows_are_times_that_exist() {
        assert!("03:00-03:30".parse::<BackupWindow>().is_ok());
        assert!("sun:04:00-sun:04:30".parse::<MaintenanceWindow>().is_ok());
        for wrong in ["3:00-4:00", "24:00-25:00", "03:00", "sun:03:00-04:00"] {
            assert!(
                wrong.parse::<BackupWindow>().is_err()
                    && wrong.parse::<MaintenanceWindow>().is_err(),
                "{wrong}"
            );
        }
    }

    #[test]
    fn a_folder_stays_inside_the_project() {
        for wrong in ["", "/etc", "../x", "a/../b", "a//b", "a/", "a b", "a\\b"] {
            assert!(wrong.parse::<ScriptsFolder>().is_err(), "{wrong}");
        }
        assert!("scripts/schema".parse::<ScriptsFolder>().is_ok());
    }

    #[test]
    fn a_variable_of_lambda_cannot_be_set() {
        assert!("AWS_REGION".parse::<VariableName>().is_err());
        assert!("AWS_ENDPOINT_URL".parse::<VariableName>().is_ok());
    }
}
