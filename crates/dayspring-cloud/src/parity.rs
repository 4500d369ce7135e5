//! What differs from AWS: the table behind `docs/parity.md`, and the warnings that it gives.
//!
//! A row says what happens here, what happens on AWS, and whether somebody who touches it is told. A row that a template
//! touches names the properties; each resource that is made or changed is held against them. A row that a request touches
//! is named by the code that meets it. Each row warns once in the life of a cloud, so that a watch loop stays quiet.

mod table;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Map, Value};
use tokio::sync::mpsc;

pub(crate) use table::rows;

/// A difference from AWS.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row {
    /// Lower-case words with hyphens: what a warning is named by, and the anchor on the page.
    pub(crate) id: &'static str,
    pub(crate) service: &'static str,
    /// What happens in this cloud.
    pub(crate) here: &'static str,
    /// What happens on AWS.
    pub(crate) aws: &'static str,
    pub(crate) warned: Warned,
    /// Where AWS says so: a page of its documentation, or how it was seen.
    pub(crate) source: &'static str,
}

/// Whether somebody who touches a row is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Warned {
    /// It makes nothing wrong on the way to AWS, or every project touches it.
    Never,
    /// It is refused, in words that name it.
    Refused,
    /// When a resource has one of these properties.
    Template(&'static [Property]),
    /// When the code meets it.
    Request(Touched),
}

/// A property of a resource type that touches a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Property {
    pub(crate) resource_type: &'static str,
    /// Names, separated by `/`.
    pub(crate) path: &'static str,
    pub(crate) when: When,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    Present,
    /// It is there and says this.
    Is(&'static str),
    /// It is there and says something else.
    IsNot(&'static str),
}

/// Rows that are touched by what is asked of the cloud, not by a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Touched {
    /// A runtime asked for the Extensions API.
    Extensions,
    /// A runtime of AWS's is stood in for by what is installed on this machine.
    ManagedRuntime,
    /// A function names the size of its `/tmp`, and none of its own can be had.
    EphemeralStorage,
}

impl Touched {
    #[cfg(test)]
    const ALL: [Self; 3] = [
        Self::Extensions,
        Self::ManagedRuntime,
        Self::EphemeralStorage,
    ];
}

/// Room for what statements are warned of, beside the rows.
const STATEMENTS_ROOM: usize = 256;

/// Where warnings go. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Notices {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    /// The rows that have warned. Locked for a look only.
    warned: Mutex<BTreeSet<&'static str>>,
    sender: mpsc::Sender<String>,
}

impl Notices {
    /// With the end at which the warnings arrive. There is room for one of each row, so none of those is ever lost.
    pub(crate) fn new() -> (Self, mpsc::Receiver<String>) {
        let (sender, receiver) = mpsc::channel(rows().count() + STATEMENTS_ROOM);
        let inner = Inner {
            warned: Mutex::default(),
            sender,
        };
        (
            Self {
                inner: Arc::new(inner),
            },
            receiver,
        )
    }

    /// A resource is made or changed with these properties.
    pub(crate) fn resource(
        &self,
        resource_type: &str,
        logical_id: &str,
        properties: &Map<String, Value>,
    ) {
        for row in rows() {
            let Warned::Template(touching) = row.warned else {
                continue;
            };
            for property in touching {
                if property.resource_type == resource_type && property.touches(properties) {
                    let name = property.path.replace('/', ".");
                    self.warn(row, &format!("{logical_id}.{name}"));
                }
            }
        }
    }

    /// The code has met the row. `what` names the function, the statement or the request that touched it.
    pub(crate) fn touch(&self, touched: Touched, what: &str) {
        if let Some(row) = rows().find(|row| row.warned == Warned::Request(touched)) {
            self.warn(row, what);
        }
    }

    /// A warning of its own. It is lost where more come at once than somebody reads.
    pub(crate) fn say(&self, warning: String) {
        drop(self.inner.sender.try_send(warning));
    }

    fn warn(&self, row: &Row, what: &str) {
        let mut warned = self
            .inner
            .warned
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if warned.insert(row.id) {
            // Nobody listens any more: then nobody is to be told.
            drop(self.inner.sender.try_send(format!(
                "{what} ({}): {}; on AWS: {} [{}: {}]",
                row.service, row.here, row.aws, row.id, row.source
            )));
        }
    }
}

impl Property {
    fn touches(&self, properties: &Map<String, Value>) -> bool {
        let mut names = self.path.split('/');
        let found = names
            .next()
            .and_then(|name| properties.get(name))
            .and_then(|first| names.try_fold(first, |value, name| value.get(name)));
        let Some(found) = found else {
            return false;
        };
        let text = match found {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        match self.when {
            When::Present => !found.is_null(),
            When::Is(expected) => text == expected,
            When::IsNot(expected) => text != expected,
        }
    }
}

/// `docs/parity.md`.
#[cfg(test)]
fn render() -> String {
    use std::fmt::Write as _;
    let mut page = String::from(
        "# Known differences from AWS\n\n\
         <!-- Made from crates/dayspring-cloud/src/parity/table; DAYSPRING_UPDATE_DOCS=1 cargo test -p dayspring-cloud parity makes it anew. -->\n\n\
         What works on the local cloud is meant to work on AWS, and what AWS refuses is meant to be refused here in the same\n\
         words. Where the two differ and it is known, it is on this page. `dayspring dev` and `dayspring cloud` print a\n\
         warning, once, when something touches a row that says so; the word in brackets at its end is the row's name here.\n",
    );
    let mut services: Vec<&str> = Vec::new();
    for row in rows() {
        if !services.contains(&row.service) {
            services.push(row.service);
        }
    }
    for service in services {
        write!(
            page,
            "\n## {service}\n\n| difference | here | on AWS | warned | source |\n| --- | --- | --- | --- | --- |\n"
        )
        .expect("a String takes it");
        for row in rows().filter(|row| row.service == service) {
            writeln!(
                page,
                "| `{}` | {} | {} | {} | <{}> |",
                row.id,
                row.here,
                row.aws,
                warned_text(row.warned),
                row.source
            )
            .expect("a String takes it");
        }
    }
    page
}

#[cfg(test)]
fn warned_text(warned: Warned) -> String {
    match warned {
        Warned::Never => "no".to_owned(),
        Warned::Refused => "refused".to_owned(),
        Warned::Request(_) => "when it happens".to_owned(),
        Warned::Template(touching) => {
            let each: Vec<String> = touching
                .iter()
                .map(|property| {
                    let name = format!(
                        "`{}` `{}`",
                        property.resource_type,
                        property.path.replace('/', ".")
                    );
                    match property.when {
                        When::Present => name,
                        When::Is(value) => format!("{name} is `{value}`"),
                        When::IsNot(value) => format!("{name} is not `{value}`"),
                    }
                })
                .collect();
            format!("at {}", each.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde_json::json;

    use super::*;

    #[test]
    fn the_page_is_what_the_table_says() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/parity.md");
        let expected = render();
        if std::env::var_os("DAYSPRING_UPDATE_DOCS").is_some() {
            std::fs::write(&path, &expected).unwrap();
        }
        let found = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            found == expected,
            "docs/parity.md is not what the table says: DAYSPRING_UPDATE_DOCS=1 cargo test -p dayspring-cloud parity"
        );
    }

    #[test]
    fn every_row_has_a_name_of_its_own_and_is_filled_in() {
        let names: BTreeSet<&str> = rows().map(|row| row.id).collect();
        assert_eq!(names.len(), rows().count());
        for row in rows() {
            let is_name = row
                .id
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
            assert!(is_name, "{}", row.id);
            for text in [row.service, row.here, row.aws, row.source] {
                assert!(
                    !text.is_empty() && !text.contains(['\n', '|']) && !text.ends_with('.'),
                    "{}: {text}",
                    row.id
                );
            }
        }
    }

    #[test]
    fn every_row_that_a_request_touches_is_there_once() {
        for touched in Touched::ALL {
            let touched_rows = rows().filter(|row| row.warned == Warned::Request(touched));
            assert_eq!(touched_rows.count(), 1, "{touched:?}");
        }
    }

    #[test]
    fn every_property_that_warns_is_one_that_the_cloud_takes() {
        for row in rows() {
            let Warned::Template(touching) = row.warned else {
                continue;
            };
            for property in touching {
                let name = property.path.split('/').next().unwrap();
                assert!(
                    crate::cloudformation::knows_property(property.resource_type, name),
                    "{}: {} {}",
                    row.id,
                    property.resource_type,
                    property.path
                );
            }
        }
    }

    fn properties(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn a_template_that_touches_a_row_is_told_once() {
        let (notices, mut told) = Notices::new();
        let traced = properties(json!({"TracingConfig": {"Mode": "Active"}}));
        notices.resource("AWS::Lambda::Function", "Hello", &traced);
        notices.resource("AWS::Lambda::Function", "Other", &traced);
        let untraced = properties(json!({"TracingConfig": {"Mode": "PassThrough"}, "Timeout": 3}));
        notices.resource("AWS::Lambda::Function", "Third", &untraced);
        insta::assert_snapshot!(told.try_recv().unwrap(), @"Hello.TracingConfig.Mode (Lambda): no trace is recorded; on AWS: X-Ray records a segment of each sampled request [lambda-tracing: https://docs.aws.amazon.com/lambda/latest/dg/services-xray.html]");
        assert!(told.try_recv().is_err());
    }

    #[test]
    fn a_request_that_touches_a_row_is_told_once() {
        let (notices, mut told) = Notices::new();
        notices.touch(Touched::Extensions, "the function f");
        notices.touch(Touched::Extensions, "the function g");
        assert!(
            told.try_recv()
                .unwrap()
                .starts_with("the function f (Lambda): ")
        );
        assert!(told.try_recv().is_err());
    }
}
