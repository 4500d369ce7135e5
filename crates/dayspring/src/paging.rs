//! Lists in pages, by cursor: `?limit=20&after=CURSOR`. A cursor is the last key of a page, opaque to the caller, so a page
//! stays right when rows are added or go, and costs the same however far down it is.
//!
//! ```
//! # use dayspring::{Database, Request, Response, Result, answer};
//! use dayspring::paging::Paging;
//!
//! # #[derive(serde::Serialize, serde::Deserialize)] struct Post { id: i64 }
//! # async fn example(event: Request, database: Database) -> Result<Response> {
//! let paging = Paging::of(&event)?;
//! let posts: Vec<Post> = database
//!     .query("SELECT id, title FROM posts WHERE id < :after ORDER BY id DESC LIMIT :rows")
//!     .bind("after", paging.after.unwrap_or(i64::MAX))
//!     .bind("rows", paging.rows())
//!     .fetch_all()
//!     .await?;
//! Ok(answer::ok(&paging.page(posts, |post| post.id))?)
//! # }
//! ```

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use lambda_http::Request;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::{Problem, request};

/// Rows in a page unless the caller says otherwise.
pub const LIMIT_DEFAULT: u32 = 20;

/// The most rows that a caller can have in a page: the Data API gives at most 1 MiB at once.
pub const LIMIT_MAX: u32 = 100;

/// The page that a caller asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paging<K> {
    /// Rows in the page.
    pub limit: u32,
    /// The last key of the page before, if this is not the first.
    pub after: Option<K>,
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page<T> {
    /// The rows.
    pub items: Vec<T>,
    /// The cursor of the next page: `null` on the last.
    pub next: Option<String>,
}

impl<K: DeserializeOwned + Serialize> Paging<K> {
    /// Reads `limit` and `after` from the query string.
    ///
    /// # Errors
    ///
    /// 400 if the limit is not a number from 1 to [`LIMIT_MAX`], or the cursor is not one that a page gave.
    pub fn of(request: &Request) -> Result<Self, Problem> {
        let limit = request::query(request, "limit")?.unwrap_or(LIMIT_DEFAULT);
        if !(1..=LIMIT_MAX).contains(&limit) {
            return Err(Problem::bad_request(format!(
                "`limit` must be from 1 to {LIMIT_MAX}"
            )));
        }
        let after = match request::query::<String>(request, "after")? {
            Some(cursor) => Some(parse_cursor(&cursor).ok_or_else(|| {
                Problem::bad_request("`after` must be the `next` of the page before")
            })?),
            None => None,
        };
        Ok(Self { limit, after })
    }

    /// The rows to fetch: one more than the page has, which tells whether there is a next page.
    #[must_use]
    pub fn rows(&self) -> u32 {
        self.limit.saturating_add(1)
    }

    /// The page of the rows that were fetched. `key` gives the key that the list is ordered by.
    pub fn page<T>(&self, mut rows: Vec<T>, key: impl FnOnce(&T) -> K) -> Page<T> {
        let limit = self.limit as usize;
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = match rows.last() {
            Some(last) if more => Some(cursor(&key(last))),
            _ => None,
        };
        Page { items: rows, next }
    }
}

fn cursor<K: Serialize>(key: &K) -> String {
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(key).unwrap_or_default())
}

fn parse_cursor<K: DeserializeOwned>(cursor: &str) -> Option<K> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use lambda_http::RequestExt;
    use std::collections::HashMap;

    fn ask(query: &[(&str, &str)]) -> Result<Paging<i64>, u16> {
        let parameters: HashMap<String, Vec<String>> = query
            .iter()
            .map(|(name, value)| ((*name).to_owned(), vec![(*value).to_owned()]))
            .collect();
        Paging::of(&Request::default().with_query_string_parameters(parameters))
            .map_err(|problem| problem.status().as_u16())
    }

    #[test]
    fn the_pages_of_a_list_join_to_the_list() {
        let list: Vec<i64> = (1..=7).rev().collect();
        let mut joined = Vec::new();
        let mut next: Option<String> = None;
        loop {
            let mut query = vec![("limit", "3")];
            if let Some(cursor) = &next {
                query.push(("after", cursor));
            }
            let paging = ask(&query).unwrap();
            let after = paging.after.unwrap_or(i64::MAX);
            let rows = list
                .iter()
                .copied()
                .filter(|id| *id < after)
                .take(paging.rows() as usize)
                .collect();
            let page = paging.page(rows, |id| *id);
            joined.extend(page.items);
            match page.next {
                Some(cursor) => next = Some(cursor),
                None => break,
            }
        }
        assert_eq!(joined, list);
    }

    #[test]
    fn a_full_last_page_has_no_next() {
        let paging = ask(&[("limit", "2")]).unwrap();
        assert_eq!(paging.page(vec![2, 1], |id| *id).next, None);
    }

    #[test]
    fn a_wrong_limit_or_cursor_is_a_bad_request() {
        for query in [
            ("limit", "0"),
            ("limit", "101"),
            ("limit", "x"),
            ("after", "7"),
            ("after", "!"),
        ] {
            assert_eq!(ask(&[query]), Err(400), "{query:?}");
        }
        let defaults = Paging {
            limit: LIMIT_DEFAULT,
            after: None,
        };
        assert_eq!(ask(&[]), Ok(defaults));
    }
}
