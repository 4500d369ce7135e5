//! Lists, a page at a time.

use serde_json::{Value, json};

use super::Query;
use crate::error::AwsError;

/// How many items a page has where nobody says, and how many it may have:
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_GetRestApis.html>.
const USUAL: usize = 25;
const MAX: usize = 500;

#[derive(Debug)]
pub(super) struct Page {
    items: Vec<Value>,
    /// After which name the next one begins.
    position: Option<String>,
}

impl Page {
    /// From all items in the order of their names.
    pub(super) fn of<'a>(
        all: impl Iterator<Item = (&'a str, Value)>,
        query: &Query,
    ) -> Result<Self, AwsError> {
        let limit = match query.get("limit").map(str::parse) {
            None => USUAL,
            Some(Ok(limit @ 1..=MAX)) => limit,
            Some(_) => {
                return Err(AwsError::bad_request(
                    "BadRequestException",
                    format!("Invalid value for limit: it is a number from 1 to {MAX}"),
                ));
            }
        };
        let position = query.get("position").unwrap_or_default();
        let mut rest = all.filter(|(name, _)| *name > position).peekable();
        let mut page = Self {
            items: Vec::new(),
            position: None,
        };
        let mut last = "";
        while page.items.len() < limit
            && let Some((name, item)) = rest.next()
        {
            page.items.push(item);
            last = name;
        }
        page.position = rest.peek().map(|_| last.to_owned());
        Ok(page)
    }

    pub(super) fn render(self) -> Value {
        match self.position {
            Some(position) => json!({"item": self.items, "position": position}),
            None => json!({"item": self.items}),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_page_names_no_position() {
        let page = |pairs: &[(&str, &str)]| {
            let pairs = pairs
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            let all = ["a", "b", "c"].map(|name| (name, json!(name)));
            Page::of(all.into_iter(), &Query(pairs.collect())).map(|page| page.render().to_string())
        };
        assert_eq!(page(&[]).unwrap(), r#"{"item":["a","b","c"]}"#);
        assert_eq!(
            page(&[("limit", "2")]).unwrap(),
            r#"{"item":["a","b"],"position":"b"}"#
        );
        assert_eq!(
            page(&[("limit", "2"), ("position", "b")]).unwrap(),
            r#"{"item":["c"]}"#
        );
        assert_eq!(
            page(&[("limit", "3")]).unwrap(),
            r#"{"item":["a","b","c"]}"#
        );
        assert!(page(&[("limit", "0")]).is_err());
    }
}
