//! A JSON text as MySQL writes one. MariaDB keeps a document as it was sent; MySQL keeps what it means: members by the
//! length of their names and then by their bytes, the last of two of the same name, and a space behind each comma and colon.
//!
//! <https://dev.mysql.com/doc/refman/8.0/en/json.html#json-normalization>; the forms of numbers are those of MySQL 9.7.4.

use serde_json::{Number, Value};

use super::field::write_json;

/// Powers of ten up to which a number is written without an exponent, though it has fewer digits.
const DIGITS_MAX: i32 = 15;

/// The text in MySQL's form. Nothing if it is no JSON, or too deep.
pub(super) fn in_mysql_s_form(text: &[u8]) -> Option<String> {
    let value: Value = serde_json::from_slice(text).ok()?;
    let mut out = Vec::with_capacity(text.len() + text.len() / 8);
    write(&value, &mut out);
    String::from_utf8(out).ok()
}

fn write(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Null | Value::Bool(_) | Value::String(_) => write_json(out, value),
        Value::Number(number) => write_number(number, out),
        Value::Array(items) => {
            out.push(b'[');
            for (index, item) in items.iter().enumerate() {
                separate(index, out);
                write(item, out);
            }
            out.push(b']');
        }
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by(|(one, _), (other, _)| {
                (one.len(), one.as_bytes()).cmp(&(other.len(), other.as_bytes()))
            });
            out.push(b'{');
            for (index, (name, value)) in members.into_iter().enumerate() {
                separate(index, out);
                write_json(out, name);
                out.extend(b": ");
                write(value, out);
            }
            out.push(b'}');
        }
    }
}

fn separate(index: usize, out: &mut Vec<u8>) {
    if index > 0 {
        out.extend(b", ");
    }
}

fn write_number(number: &Number, out: &mut Vec<u8>) {
    match number.as_f64() {
        Some(double) if number.is_f64() => write_double(double, out),
        _ => out.extend(number.to_string().bytes()),
    }
}

/// The shortest digits that are this number, with a point: a whole number ends in `.0`.
fn write_double(double: f64, out: &mut Vec<u8>) {
    let shortest = format!("{double:e}");
    let (digits, exponent) = shortest
        .split_once('e')
        .expect("this format has an exponent");
    let (point, digits_count) = (
        exponent.parse::<i32>().unwrap_or_default() + 1,
        digits.bytes().filter(u8::is_ascii_digit).count(),
    );
    let plain = point > -DIGITS_MAX
        && (point <= DIGITS_MAX || i32::try_from(digits_count).is_ok_and(|count| count > point));
    let text = match (plain, double.fract() == 0.0) {
        (true, true) => format!("{double:.1}"),
        (true, false) => format!("{double}"),
        (false, _) => shortest,
    };
    out.extend(text.bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(
            in_mysql_s_form(text.as_bytes()).as_deref(),
            Some(expected),
            "{text}"
        );
    }

    #[test]
    fn members_are_in_order_and_apart() {
        check(
            r#"{"b":1,"a":2,"aa":3,"B":4,"ä":5,"a":6,"":7}"#,
            r#"{"": 7, "B": 4, "a": 6, "b": 1, "aa": 3, "ä": 5}"#,
        );
        check(
            " [ 1,{ } ,[], null,true,\"x\"] ",
            "[1, {}, [], null, true, \"x\"]",
        );
        check(
            r#""\u0001\u001f\/\"\\\b\n\u00e9\ud83d\ude00""#,
            "\"\\u0001\\u001f/\\\"\\\\\\b\\né😀\"",
        );
        assert_eq!(in_mysql_s_form(b"{"), None);
    }

    #[test]
    fn numbers_are_written_as_mysql_writes_them() {
        for (written, expected) in [
            ("1e2", "100.0"),
            ("1e14", "100000000000000.0"),
            ("1e15", "1e15"),
            ("123456789012345", "123456789012345"),
            ("1234567890123456.5", "1234567890123456.5"),
            ("1e20", "1e20"),
            ("1e-5", "0.00001"),
            ("1e-15", "0.000000000000001"),
            ("1e-16", "1e-16"),
            ("2.50", "2.5"),
            ("-0.0", "-0.0"),
            ("100", "100"),
            ("18446744073709551615", "18446744073709551615"),
            ("18446744073709551616", "1.8446744073709552e19"),
            ("-9223372036854775808", "-9223372036854775808"),
            ("1.5e-300", "1.5e-300"),
            ("123456.789e3", "123456789.0"),
            ("999999999999999.9", "999999999999999.9"),
        ] {
            check(written, expected);
        }
    }
}
