//! Comparing and computing.

use super::Failure;
use super::budget::Budget;
use super::syntax::Operator;
use super::value::Value;

/// What an operator gives; nothing where a side is nothing, or where there is no result.
pub(super) fn compute(
    operator: Operator,
    one: &Value,
    other: &Value,
    budget: &Budget,
) -> Result<Value, Failure> {
    Ok(match operator {
        Operator::Equal => Value::Bool(one.equals(other, budget)?),
        Operator::Unequal => Value::Bool(!one.equals(other, budget)?),
        Operator::Less | Operator::LessOrEqual | Operator::Greater | Operator::GreaterOrEqual => {
            let order = one.as_float().zip(other.as_float());
            let order = order.and_then(|(one, other)| one.partial_cmp(&other));
            Value::Bool(order.is_some_and(|order| match operator {
                Operator::Less => order.is_lt(),
                Operator::LessOrEqual => order.is_le(),
                Operator::Greater => order.is_gt(),
                _ => order.is_ge(),
            }))
        }
        Operator::Plus if matches!(one, Value::Text(_)) || matches!(other, Value::Text(_)) => {
            let is_nothing = matches!(one, Value::Null) || matches!(other, Value::Null);
            if is_nothing {
                Value::Null
            } else {
                Value::text(&format!("{}{}", one.render(budget)?, other.render(budget)?))
            }
        }
        _ => match (one, other) {
            (Value::Integer(one), Value::Integer(other)) => whole(operator, *one, *other),
            _ => one
                .as_float()
                .zip(other.as_float())
                .map_or(Value::Null, |(one, other)| fraction(operator, one, other)),
        },
    })
}

fn whole(operator: Operator, one: i64, other: i64) -> Value {
    let result = match operator {
        Operator::Plus => one.checked_add(other),
        Operator::Minus => one.checked_sub(other),
        Operator::Times => one.checked_mul(other),
        Operator::Over => one.checked_div(other),
        Operator::Modulo => one.checked_rem(other),
        _ => None,
    };
    result.map_or(Value::Null, Value::Integer)
}

fn fraction(operator: Operator, one: f64, other: f64) -> Value {
    match operator {
        Operator::Plus => Value::Float(one + other),
        Operator::Minus => Value::Float(one - other),
        Operator::Times => Value::Float(one * other),
        Operator::Over if other != 0.0 => Value::Float(one / other),
        Operator::Modulo if other != 0.0 => Value::Float(one % other),
        _ => Value::Null,
    }
}
