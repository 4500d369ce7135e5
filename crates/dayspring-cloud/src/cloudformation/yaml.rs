//! Templates in YAML: read to the same values as those in JSON, with the short forms of the functions written out.
//!
//! What CloudFormation's YAML is follows
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-formats.html>: one document, no aliases, and
//! `!Name` for `Fn::Name`, but `!Ref` and `!Condition` for what has no prefix.

use saphyr_parser::{Event, Parser, ScalarStyle, Tag};
use serde_json::{Map, Number, Value};

use super::template::invalid;
use crate::error::AwsError;

/// How deep values may lie in each other, as in JSON.
const DEPTH_MAX: usize = 128;

/// A list or a map that is being read, with the function that its tag names.
struct Open {
    function: Option<String>,
    collection: Collection,
}

enum Collection {
    List(Vec<Value>),
    /// The members, and the key whose value comes next.
    Map(Map<String, Value>, Option<String>),
}

/// The value of a document.
pub(super) fn parse(text: &str) -> Result<Value, AwsError> {
    let mut open: Vec<Open> = Vec::new();
    let mut root = None;
    for event in Parser::new_from_str(text) {
        let (event, _) = event.map_err(|error| not_well_formed(&error.to_string()))?;
        let done = match event {
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => continue,
            Event::DocumentStart(_) if root.is_some() => {
                return Err(not_well_formed("there is more than one document"));
            }
            Event::DocumentStart(_) => continue,
            Event::Alias(_) => {
                return Err(invalid(
                    "Template format error: YAML aliases are not allowed in CloudFormation templates",
                ));
            }
            Event::Scalar(text, style, _, tag) => {
                let function = tag.as_deref().and_then(function);
                let is_text = style != ScalarStyle::Plain || function.is_some() || tag.is_some();
                let value = if is_text {
                    Value::String(text.into_owned())
                } else {
                    plain(&text)
                };
                called(function, value)
            }
            Event::SequenceStart(_, tag) => {
                open.push(opened(tag.as_deref(), Collection::List(Vec::new())));
                check_depth(&open)?;
                continue;
            }
            Event::MappingStart(_, tag) => {
                open.push(opened(tag.as_deref(), Collection::Map(Map::new(), None)));
                check_depth(&open)?;
                continue;
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let Some(closed) = open.pop() else { continue };
                let value = match closed.collection {
                    Collection::List(items) => Value::Array(items),
                    Collection::Map(members, _) => Value::Object(members),
                };
                called(closed.function, value)
            }
        };
        match open.last_mut().map(|open| &mut open.collection) {
            None => root = Some(done),
            Some(Collection::List(items)) => items.push(done),
            Some(Collection::Map(members, key)) => match key.take() {
                Some(key) => {
                    members.insert(key, done);
                }
                None => *key = Some(key_of(done)?),
            },
        }
    }
    root.ok_or_else(|| not_well_formed("it is empty"))
}

fn opened(tag: Option<&Tag>, collection: Collection) -> Open {
    Open {
        function: tag.and_then(function),
        collection,
    }
}

fn check_depth(open: &[Open]) -> Result<(), AwsError> {
    if open.len() > DEPTH_MAX {
        return Err(not_well_formed("it is nested too deeply"));
    }
    Ok(())
}

/// The function that a tag is the short form of. Tags of YAML's own (`!!str`) name none.
fn function(tag: &Tag) -> Option<String> {
    match (tag.handle.as_str(), tag.suffix.as_str()) {
        ("!", "") => None,
        ("!", name @ ("Ref" | "Condition")) => Some(name.to_owned()),
        ("!", name) => Some(format!("Fn::{name}")),
        _ => None,
    }
}

fn called(function: Option<String>, argument: Value) -> Value {
    let Some(function) = function else {
        return argument;
    };
    // `!GetAtt Name.Attribute` is the list of both.
    let argument = match argument {
        Value::String(path) if function == "Fn::GetAtt" => {
            let (name, attribute) = path.split_once('.').unwrap_or((&path, ""));
            Value::from(vec![name, attribute])
        }
        other => other,
    };
    Value::Object(Map::from_iter([(function, argument)]))
}

/// What a scalar without quotes means.
fn plain(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "true" | "True" | "TRUE" => return Value::Bool(true),
        "false" | "False" | "FALSE" => return Value::Bool(false),
        _ => {}
    }
    let digits = text.strip_prefix('-').unwrap_or(text);
    // With zeros in front it is a name made of digits, such as the number of an account.
    let is_number = digits.starts_with(|first: char| first.is_ascii_digit())
        && (digits == "0" || digits.starts_with("0.") || !digits.starts_with('0'));
    if !is_number {
        return Value::from(text);
    }
    let number = text
        .parse::<i64>()
        .map(Number::from)
        .ok()
        .or_else(|| Number::from_f64(text.parse().ok()?));
    number.map_or_else(|| Value::from(text), Value::Number)
}

fn key_of(value: Value) -> Result<String, AwsError> {
    match value {
        Value::Array(_) | Value::Object(_) => Err(not_well_formed("a key is not a scalar")),
        scalar => Ok(super::template::scalar_text(&scalar)),
    }
}

fn not_well_formed(why: &str) -> AwsError {
    invalid(format!(
        "Template format error: YAML not well-formed. ({why})"
    ))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn short_forms_are_written_out() {
        let text = r"
A: !Ref Name
B: !GetAtt Cluster.MasterUserSecret.SecretArn
C: !Sub
  - '${X}-${Y}'
  - X: !ImportValue other
D: !If [Big, !Ref AWS::NoValue, {Fn::GetAtt: [A, Arn]}]
E: !Condition Other
F: !Equals [!Ref Stage, 'prod']
";
        assert_eq!(
            parse(text).unwrap(),
            json!({
                "A": {"Ref": "Name"},
                "B": {"Fn::GetAtt": ["Cluster", "MasterUserSecret.SecretArn"]},
                "C": {"Fn::Sub": ["${X}-${Y}", {"X": {"Fn::ImportValue": "other"}}]},
                "D": {"Fn::If": ["Big", {"Ref": "AWS::NoValue"}, {"Fn::GetAtt": ["A", "Arn"]}]},
                "E": {"Condition": "Other"},
                "F": {"Fn::Equals": [{"Ref": "Stage"}, "prod"]},
            })
        );
    }

    #[test]
    fn plain_scalars_have_the_types_of_json_and_dates_stay_texts() {
        let text = "{a: 3, b: -1.5, c: true, d: 2010-09-09, e: 012345678901, f: '7', g: 0, h: 1e3x, i: !!str 9, 80: x}";
        assert_eq!(
            parse(text).unwrap(),
            json!({"a": 3, "b": -1.5, "c": true, "d": "2010-09-09", "e": "012345678901", "f": "7", "g": 0, "h": "1e3x", "i": "9", "80": "x"})
        );
        assert_eq!(parse("a: |\n  x\n  y\n").unwrap(), json!({"a": "x\ny\n"}));
        assert_eq!(parse("a:").unwrap(), json!({"a": null}));
    }

    #[test]
    fn what_is_not_read_is_refused_with_its_place() {
        let refused = |text: &str| parse(text).unwrap_err().message;
        insta::assert_snapshot!(refused("a: &x 1\nb: *x\n"), @"Template format error: YAML aliases are not allowed in CloudFormation templates");
        insta::assert_snapshot!(refused("a: [1\nb: 2\n"), @"Template format error: YAML not well-formed. (illegal placement of ':' indicator at byte 7 line 2 column 2)");
        insta::assert_snapshot!(refused("a: 1\n---\nb: 2\n"), @"Template format error: YAML not well-formed. (there is more than one document)");
        insta::assert_snapshot!(refused(&"[".repeat(200)), @"Template format error: YAML not well-formed. (it is nested too deeply)");
        insta::assert_snapshot!(refused(""), @"Template format error: YAML not well-formed. (it is empty)");
    }
}
