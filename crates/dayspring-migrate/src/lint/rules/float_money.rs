//! MY045: money that is nearly right.

use super::prelude::*;

pub(in crate::lint) static RULE: Rule = Rule {
    code: "MY045",
    name: "float-money",
    severity: Severity::Warning,
    servers: Servers::All,
    title: "an amount of money is a FLOAT or DOUBLE",
    why: "Binary fractions cannot hold 0.10, and sums drift. Changing the type later copies the table.",
    safe_way: "use DECIMAL(19, 4), or a BIGINT of the smallest unit",
    example: Example {
        applied: "SELECT 1;",
        bad: "CREATE TABLE bill (id BIGINT PRIMARY KEY, total_price <|DOUBLE|> NOT NULL);",
        good: "CREATE TABLE bill (id BIGINT PRIMARY KEY, total_price DECIMAL(19, 4) NOT NULL);",
    },
    check: Some(check),
};

const MONEY: [&str; 9] = [
    "price", "amount", "balance", "cost", "money", "fee", "salary", "payment", "revenue",
];

fn check(site: &Site<'_>, found: &mut Vec<Report>) {
    for column in columns_defined(site) {
        let name = column.name.key();
        let is_money = name
            .split('_')
            .any(|word| MONEY.contains(&word.trim_end_matches('s')));
        if is_money && column.data_type.is_any(&["FLOAT", "DOUBLE"]) {
            let message = format!(
                "`{}` looks like money, and {} is only nearly right",
                column.name.text, column.data_type.name
            );
            found.push(Report::new(column.data_type.span.clone(), message));
        }
    }
}
