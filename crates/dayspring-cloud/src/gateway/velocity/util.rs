//! `$util`: <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-mapping-template-reference.html>.

use std::fmt::Write as _;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::Failure;
use super::budget::Budget;
use super::value::Value;
use crate::gateway::event::decode;
use crate::http::encode_percent;

/// What `$util` can do.
pub(super) const FUNCTIONS: [&str; 6] = [
    "base64Decode",
    "base64Encode",
    "escapeJavaScript",
    "parseJson",
    "urlDecode",
    "urlEncode",
];

pub(super) fn call(function: &str, arguments: &[Value], budget: &Budget) -> Result<Value, Failure> {
    let [argument] = arguments else {
        return Ok(Value::Null);
    };
    if matches!(argument, Value::Null) {
        return Ok(Value::Null);
    }
    let text = argument.render(budget)?;
    let failed = |what: &str| Failure::Template(format!("`$util.{function}` was given no {what}"));
    Ok(Value::text(&match function {
        "escapeJavaScript" => escape_java_script(&text),
        "parseJson" => {
            let json = serde_json::from_str(&text).map_err(|_| failed("JSON"))?;
            return Ok(Value::from_json(json));
        }
        // A form's encoding, as Java's: a space is a plus.
        "urlEncode" => encode_percent(&text).replace("%20", "+"),
        "urlDecode" => decode(&text).into_owned(),
        "base64Encode" => STANDARD.encode(text),
        "base64Decode" => {
            let bytes = STANDARD.decode(text).map_err(|_| failed("base64"))?;
            String::from_utf8_lossy(&bytes).into_owned()
        }
        _ => return Ok(Value::Null),
    }))
}

/// As commons-lang 2 escapes: quotes of both kinds, slashes of both kinds, and all but ASCII.
fn escape_java_script(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\'' | '"' | '\\' | '/' => {
                escaped.push('\\');
                escaped.push(letter);
            }
            '\u{8}' => escaped.push_str("\\b"),
            '\t' => escaped.push_str("\\t"),
            '\n' => escaped.push_str("\\n"),
            '\u{c}' => escaped.push_str("\\f"),
            '\r' => escaped.push_str("\\r"),
            ' '..='~' => escaped.push(letter),
            other => {
                for unit in other.encode_utf16(&mut [0; 2]) {
                    write!(escaped, "\\u{unit:04X}").expect("a String takes what is written to it");
                }
            }
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(function: &str, argument: &str, expected: &str) {
        let given = call(function, &[Value::text(argument)], &Budget::default()).unwrap();
        assert_eq!(
            given.render(&Budget::default()).unwrap(),
            expected,
            "{function}"
        );
    }

    #[test]
    fn texts_are_escaped_and_encoded() {
        check(
            "escapeJavaScript",
            "it's \"a/b\"\n\u{e9}",
            "it\\'s \\\"a\\/b\\\"\\n\\u00E9",
        );
        check("urlEncode", "a b&c", "a+b%26c");
        check("urlDecode", "a+b%26c", "a b&c");
        check("base64Encode", "hi", "aGk=");
        check("base64Decode", "aGk=", "hi");
        check("parseJson", "{\"a\":[1,\"x\"]}", "{a=[1,\"x\"]}");
    }

    #[test]
    fn what_is_not_encoded_is_a_failure() {
        for function in ["parseJson", "base64Decode"] {
            assert!(
                call(function, &[Value::text("?")], &Budget::default()).is_err(),
                "{function}"
            );
        }
    }
}
