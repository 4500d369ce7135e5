//! The names of resources inside the template.
//!
//! A logical id may hold letters and digits only, and a resource that changes its id is replaced. So an id is a function
//! of what the resource stands for and of nothing else: adding a route or moving a table never renames another resource.
//! Names from the project file follow a fixed prefix (`FunctionGetPosts`, `RoleGetPosts`); no two different names may
//! meet in one id. Words of lower-case letters and digits that begin with a letter are joined with capitals, which can
//! be read back; any other name (`a__b`, `posts/{slug}`) has a digest of the whole name behind it.

use std::fmt;

use crate::digest::sha256_hex;

/// The name of a resource, parameter or output inside a template: letters and digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LogicalId(String);

impl LogicalId {
    /// An id that does not depend on the project file. `name` must consist of letters and digits.
    pub(crate) fn fixed(name: &'static str) -> Self {
        debug_assert!(
            name.bytes().all(|byte| byte.is_ascii_alphanumeric()),
            "{name}"
        );
        Self(name.to_owned())
    }

    /// `prefix` and `name`, whose words are separated by `separator`.
    pub(crate) fn named(prefix: &str, name: &str, separator: char) -> Self {
        let words: Vec<&str> = name.split(separator).collect();
        let readable: String = words.iter().map(|word| capitalized(word)).collect();
        if name.is_empty() || words.iter().all(|word| is_plain(word)) {
            Self(format!("{prefix}{readable}"))
        } else {
            Self(format!(
                "{prefix}{readable}{}",
                &sha256_hex(name.as_bytes())[..8].to_uppercase()
            ))
        }
    }

    /// `prefix` and the beginning of a digest: for a resource that is replaced whenever `content` changes.
    pub(crate) fn of_content(prefix: &'static str, content: &str) -> Self {
        Self(format!(
            "{prefix}{}",
            &sha256_hex(content.as_bytes())[..12].to_uppercase()
        ))
    }

    /// The id as the template spells it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for LogicalId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

fn is_plain(word: &str) -> bool {
    word.starts_with(|first: char| first.is_ascii_lowercase())
        && word
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
}

fn capitalized(word: &str) -> String {
    let characters = word.chars().filter(char::is_ascii_alphanumeric).enumerate();
    characters
        .map(|(index, character)| {
            if index == 0 {
                character.to_ascii_uppercase()
            } else {
                character
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_names_read_as_words() {
        assert_eq!(
            LogicalId::named("Function", "get_posts", '_').as_str(),
            "FunctionGetPosts"
        );
        assert_eq!(
            LogicalId::named("Path", "posts/comments", '/').as_str(),
            "PathPostsComments"
        );
        assert_eq!(LogicalId::named("MethodGet", "", '/').as_str(), "MethodGet");
    }

    #[test]
    fn names_that_look_alike_get_different_ids() {
        let names = [
            "posts/slug",
            "posts/{slug}",
            "posts/{slug+}",
            "postsSlug",
            "posts/Slug",
            "posts-slug",
            "posts//slug",
        ];
        let ids: std::collections::BTreeSet<LogicalId> = names
            .iter()
            .map(|name| LogicalId::named("Path", name, '/'))
            .collect();
        assert_eq!(ids.len(), names.len(), "{ids:?}");
    }
}
