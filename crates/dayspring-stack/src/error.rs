//! What can be wrong with a project file, where, and how to put it right.

use std::fmt;

use crate::excerpt::{Place, Span, render_excerpt};

/// A text that is not what a checked type accepts.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected}")]
pub struct Invalid {
    /// What would have been accepted.
    pub expected: String,
    /// The accepted word that was probably meant.
    pub nearest: Option<String>,
}

impl Invalid {
    pub(crate) fn expected(expected: impl Into<String>) -> Self {
        Self {
            expected: expected.into(),
            nearest: None,
        }
    }
}

/// One mistake in a project file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file is not TOML.
    #[error("{message}")]
    Syntax {
        /// The TOML parser's own words.
        message: String,
        /// Where it stopped.
        span: Span,
    },
    /// A key that no setting has.
    #[error("unknown key `{key}` in {table}")]
    UnknownKey {
        /// The key as written.
        key: String,
        /// The table it stands in, as a reader would call it.
        table: String,
        /// The known key nearest to it.
        nearest: Option<String>,
        /// All keys that the table has.
        known: Vec<String>,
        /// The key's place.
        span: Span,
    },
    /// A setting without default is absent.
    #[error("missing key `{key}` in {table}")]
    MissingKey {
        /// The absent key.
        key: String,
        /// The table it should stand in.
        table: String,
        /// What its value would be.
        expected: String,
        /// The table's place.
        span: Span,
    },
    /// A value of another TOML type.
    #[error("`{key}` is {found}, expected {expected}")]
    WrongType {
        /// The key, with its tables.
        key: String,
        /// The TOML type that stands there.
        found: String,
        /// What was expected.
        expected: String,
        /// The value's place.
        span: Span,
    },
    /// A value of the right type that no setting accepts.
    #[error("`{value}` is not a valid `{key}`")]
    BadValue {
        /// The key, with its tables.
        key: String,
        /// The value as written.
        value: String,
        /// What was expected.
        expected: String,
        /// The accepted value nearest to it.
        nearest: Option<String>,
        /// The value's place.
        span: Span,
    },
    /// A function that has no file.
    #[error("unknown function `{name}`")]
    UnknownFunction {
        /// The function as written.
        name: String,
        /// The function nearest to it.
        nearest: Option<String>,
        /// The functions that have a file.
        found: Vec<String>,
        /// The name's place.
        span: Span,
    },
    /// Two routes for one method of one path.
    #[error("duplicate route `{method} {path}`")]
    DuplicateRoute {
        /// The method.
        method: String,
        /// The path.
        path: String,
        /// The second route's place.
        span: Span,
        /// The first route's place.
        first: Span,
    },
    /// Two parameters with different names at one place of two paths; API Gateway accepts one.
    #[error("`{parameter}` stands where another path has `{other}`")]
    ParameterClash {
        /// The later parameter.
        parameter: String,
        /// The earlier one.
        other: String,
        /// The later path's place.
        span: Span,
        /// The earlier path's place.
        first: Span,
    },
    /// Two settings that exclude each other.
    #[error("{message}")]
    Contradiction {
        /// What contradicts what.
        message: String,
        /// How to resolve it.
        help: String,
        /// The setting that gives way.
        span: Span,
    },
    /// A stage that the file does not name.
    #[error("unknown stage `{name}`")]
    UnknownStage {
        /// The stage asked for.
        name: String,
        /// The stage nearest to it.
        nearest: Option<String>,
        /// The stages there are.
        known: Vec<String>,
    },
}

/// A second place that explains the first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Related {
    /// The place.
    pub span: Span,
    /// What stands there.
    pub label: String,
}

impl Error {
    /// The place of the mistake; none if it does not stand in the file.
    #[must_use]
    pub fn span(&self) -> Option<&Span> {
        match self {
            Self::Syntax { span, .. }
            | Self::UnknownKey { span, .. }
            | Self::MissingKey { span, .. }
            | Self::WrongType { span, .. }
            | Self::BadValue { span, .. }
            | Self::UnknownFunction { span, .. }
            | Self::DuplicateRoute { span, .. }
            | Self::ParameterClash { span, .. }
            | Self::Contradiction { span, .. } => Some(span),
            Self::UnknownStage { .. } => None,
        }
    }

    /// What stands at the place, in a few words: what to print beside the carets.
    #[must_use]
    pub fn label(&self) -> String {
        match self {
            Self::Syntax { .. } | Self::Contradiction { .. } | Self::UnknownStage { .. } => {
                String::new()
            }
            Self::UnknownKey { table, .. } => format!("not a setting of {table}"),
            Self::MissingKey { key, .. } => format!("`{key}` is missing here"),
            Self::WrongType { found, .. } => found.clone(),
            Self::BadValue { expected, .. } => format!("expected {expected}"),
            Self::UnknownFunction { name, .. } => format!("there is no `functions/{name}.rs`"),
            Self::DuplicateRoute { .. } => "the second".to_owned(),
            Self::ParameterClash { .. } => "API Gateway accepts one name".to_owned(),
        }
    }

    /// A second place that explains the first.
    #[must_use]
    pub fn related(&self) -> Option<Related> {
        match self {
            Self::DuplicateRoute { first, .. } => Some(Related {
                span: first.clone(),
                label: "the first is here".to_owned(),
            }),
            Self::ParameterClash { first, other, .. } => Some(Related {
                span: first.clone(),
                label: format!("`{other}` is here"),
            }),
            Self::Syntax { .. }
            | Self::UnknownKey { .. }
            | Self::MissingKey { .. }
            | Self::WrongType { .. }
            | Self::BadValue { .. }
            | Self::UnknownFunction { .. }
            | Self::Contradiction { .. }
            | Self::UnknownStage { .. } => None,
        }
    }

    /// How to put it right.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        match self {
            Self::Syntax { .. } | Self::WrongType { .. } => None,
            Self::UnknownKey {
                nearest: Some(nearest),
                ..
            } => Some(format!("did you mean `{nearest}`?")),
            Self::UnknownKey { known, .. } => {
                Some(format!("the settings are {}", listed(known, "and")))
            }
            Self::MissingKey { key, expected, .. } => Some(format!("add `{key}`, {expected}")),
            Self::BadValue { nearest, .. } => nearest
                .as_ref()
                .map(|nearest| format!("did you mean `{nearest}`?")),
            Self::UnknownFunction {
                nearest: Some(nearest),
                ..
            } => Some(format!("did you mean `{nearest}`?")),
            Self::UnknownFunction { name, found, .. } if found.is_empty() => Some(format!(
                "write `functions/{name}.rs`; there is no function yet"
            )),
            Self::UnknownFunction { name, found, .. } => Some(format!(
                "write `functions/{name}.rs`, or use one of {}",
                listed(found, "or")
            )),
            Self::DuplicateRoute { .. } => Some("remove one of the two".to_owned()),
            Self::ParameterClash { other, .. } => Some(format!("use `{other}` in both paths")),
            Self::Contradiction { help, .. } => Some(help.clone()),
            Self::UnknownStage {
                nearest: Some(nearest),
                ..
            } => Some(format!("did you mean `{nearest}`?")),
            Self::UnknownStage { name, known, .. } => Some(format!(
                "add `[stages.{name}]`; the stages are {}",
                listed(known, "and")
            )),
        }
    }
}

/// All mistakes of one project file, in the order of their places. Never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectErrors {
    path: String,
    text: String,
    errors: Vec<Error>,
}

impl ProjectErrors {
    /// Mistakes that a caller found in a file that is a project file otherwise.
    #[must_use]
    pub fn new(path: &str, text: &str, errors: Vec<Error>) -> Self {
        let mut distinct: Vec<Error> = Vec::new();
        for error in errors {
            if !distinct.contains(&error) {
                distinct.push(error);
            }
        }
        distinct.sort_by_key(|error| error.span().map(|span| span.start));
        Self {
            path: path.to_owned(),
            text: text.to_owned(),
            errors: distinct,
        }
    }

    /// The file, as the caller named it.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The file's text, which the spans index.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The mistakes.
    #[must_use]
    pub fn errors(&self) -> &[Error] {
        &self.errors
    }

    /// All mistakes as plain text in rustc's look, with an empty line between them.
    #[must_use]
    pub fn render(&self) -> String {
        let rendered: Vec<String> = self
            .errors
            .iter()
            .map(|error| self.render_one(error))
            .collect();
        rendered.join("\n")
    }

    fn render_one(&self, error: &Error) -> String {
        let mut rendered = format!("error: {error}\n");
        if let Some(span) = error.span() {
            rendered += &render_excerpt(&self.path, &self.text, span, &error.label());
        }
        if let Some(related) = error.related() {
            let place = Place::of(&self.text, related.span.start);
            rendered += &format!(" note: {}: {}:{place}\n", related.label, self.path);
        }
        if let Some(help) = error.help() {
            rendered += &format!(" help: {help}\n");
        }
        rendered
    }
}

impl fmt::Display for ProjectErrors {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.errors.iter().enumerate() {
            if index > 0 {
                writeln!(formatter)?;
            }
            write!(formatter, "{}", self.path)?;
            if let Some(span) = error.span() {
                write!(formatter, ":{}", Place::of(&self.text, span.start))?;
            }
            write!(formatter, ": {error}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ProjectErrors {}

/// `a`, `b` and `c`, each in backticks; `conjunction` stands before the last.
pub(crate) fn listed(words: &[String], conjunction: &str) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    match quoted.split_last() {
        None => "none".to_owned(),
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} {conjunction} {last}", rest.join(", ")),
    }
}
