//! What is read, what is left alone, and that writing and reading are each other's reverse.

use proptest::prelude::*;

use super::*;

#[track_caller]
fn same(mysql: &str, mariadb: &str) {
    let one = with_needed_parentheses(mysql);
    assert_eq!(one, with_needed_parentheses(mariadb), "{mysql}");
    assert!(one.is_some(), "{mysql}");
}

#[test]
fn what_mysql_and_mariadb_print_of_one_expression_is_the_same() {
    for (mysql, mariadb) in [
        ("((a > 0) and (b > 0))", "a > 0 and b > 0"),
        (
            "((a > 0) and (b > 0) and (c > 0))",
            "(a > 0 and b > 0) and c > 0",
        ),
        (
            "((a between 1 and 10) or (b is null))",
            "a between 1 and 10 or b is null",
        ),
        ("(a in (1,2,3))", "a in (1, 2, 3)"),
        ("(a > -(1))", "a > -1"),
        ("(not((a = 1)))", "!(a = 1)"),
        ("((a % 2) = 0)", "a MOD 2 = 0"),
        ("((a * (b + 1)) / 100)", "a * (b + 1) / 100"),
        (
            "(case when (a > 0) then 1 else (a + 1) end)",
            "case when a > 0 then 1 else a + 1 end",
        ),
        (
            "cast((a + 1) as char(10) charset utf8mb4)",
            "cast(a + 1 as char(10) charset utf8mb4)",
        ),
        (
            "json_unquote(json_extract(d,'$.a'))",
            "json_unquote(json_extract(d, '$.a'))",
        ),
        ("(d + interval (a + 1) day)", "d + interval (a + 1) day"),
        (
            "((a collate utf8mb4_bin) = 'x')",
            "a collate utf8mb4_bin = 'x'",
        ),
        ("concat(a,' ',(b * 1.5))", "concat(a, ' ', b * 1.5)"),
        // As MySQL 9.7.4 and MariaDB 10.11.19 print the same view.
        ("((0 <> a) and (0 <> b))", "a <> 0 and b <> 0"),
        ("((0 <> a) xor (0 <> b))", "a xor b"),
        ("(0 = a)", "a = 0"),
        ("((0 <> a) is not true)", "a is not true"),
        ("((a is null) is true)", "a is null is true"),
        ("((a is null) = (b is null))", "a is null = (b is null)"),
        ("((a = b) = a)", "a = b = a"),
        ("(not((t like 'x')))", "t  not like 'x'"),
        ("(t like 'x' escape '!')", "t like 'x' escape '!'"),
        ("regexp_like(t,'x')", "t regexp 'x'"),
        ("(not(regexp_like(t,'x')))", "!(t regexp 'x')"),
        (
            "a not in (select x2.a from x2)",
            "!(a in (select x2.a from x2))",
        ),
        (
            "exists(select 1 from x2)",
            "exists(select 1 from x2 limit 1)",
        ),
        (
            "concat(lower(t),length(t))",
            "concat(lcase(t),octet_length(t))",
        ),
        ("now(6)", "current_timestamp(6)"),
        ("trim('x' from t)", "trim(both 'x' from t)"),
        ("week(d,0)", "week(d)"),
        ("date_format(d,'%Y-%m')", "date_format(d, '%Y-%m', 'en_US')"),
        ("any_value((a + 1))", "a + 1"),
        ("cast(t as json)", "json_extract(t,'$')"),
        ("true", "1"),
        ("0x4142", "X'4142'"),
        (
            "json_value(doc, '$.a' returning char(512))",
            "json_value(doc,'$.a')",
        ),
        (
            "rank() OVER (PARTITION BY b ORDER BY a desc ) ",
            "rank() over ( partition by b order by a desc)",
        ),
        (
            "lag(a) OVER (ORDER BY b ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) ",
            "lag(a,1) over ( order by b rows between 1 preceding  and  current row )",
        ),
        ("count(distinct (a + 1))", "count(distinct a + 1)"),
    ] {
        same(mysql, mariadb);
    }
}

#[test]
fn what_mysql_and_mariadb_print_of_one_view_is_the_same() {
    for (mysql, mariadb) in [
        (
            "select p.id AS id from (posts p join users u on((u.id = p.author))) where ((p.price > 10) and (u.age is not null))",
            "select p.id AS id from (posts p join users u on(u.id = p.author)) where p.price > 10 and u.age is not null",
        ),
        (
            "select u.id AS id from (users u left join posts p on(((p.a = u.id) and (p.b > 3)))) where (p.id is null)",
            "select u.id AS id from (users u left join posts p on(p.a = u.id and p.b > 3)) where p.id is null",
        ),
        (
            "select p.a AS a,count(0) AS n from p group by p.a having ((count(0) > 1) and (sum(p.b) > 5))",
            "select p.a AS a,count(0) AS n from p group by p.a having count(0) > 1 and sum(p.b) > 5",
        ),
        (
            "(select a.id AS id from a union select b.id AS id from b where (b.c > 1)) union all select 1 AS `1`",
            "select a.id AS id from a union select b.id AS id from b where b.c > 1 union all select 1 AS `1`",
        ),
        (
            "select lower(a.b) AS d,count(0) AS n from a group by d order by n desc",
            "select lcase(a.b) AS d,count(0) AS n from a group by lcase(a.b) order by count(0) desc",
        ),
        (
            "with recursive n as (select 1 AS i union all select (n.i + 1) AS `i + 1` from n where (n.i < 10)) select n.i AS i from n",
            "with recursive n as (select 1 AS i union all select n.i + 1 AS `i + 1` from n where n.i < 10)select n.i AS i from n",
        ),
        (
            "select u.id AS id from u where ((u.age = (select max(u.age) from u)) or (u.id > any (select 1)))",
            "select u.id AS id from u where u.age = (select max(u.age) from u) or u.id > any(select 1)",
        ),
        (
            "select rollup_group_item(p.a,0) AS a,rollup_sum_switcher(distinct count(distinct p.b)) AS n from p group by p.a with rollup",
            "select p.a AS a,count(distinct p.b) AS n from p group by p.a with rollup",
        ),
    ] {
        let read = |text| query_with_needed_parentheses(text, Vec::new());
        assert_eq!(read(mysql), read(mariadb));
        assert!(read(mysql).is_some(), "{mysql}");
    }
}

#[test]
fn a_views_columns_have_the_names_that_the_view_says() {
    let columns = vec!["x".to_owned(), "y".to_owned()];
    let text = "with t as (select 1 AS a) select t.a AS a,(select 2 AS b) AS b from t order by b";
    assert_eq!(
        query_with_needed_parentheses(text, columns).unwrap(),
        "with t as (select 1 AS a) select t.a AS x, (select 2 AS b) AS y from t order by (select 2 AS b)"
    );
}

#[test]
fn parentheses_that_mean_something_stay() {
    for (text, expected) in [
        ("((a + b) * c)", "(a + b) * c"),
        ("a - (b - c)", "a - (b - c)"),
        ("(a or b) and c", "(a or b) and c"),
        ("(a = b) = c", "(a = b) = c"),
        ("(not a) = b", "(not a) = b"),
        ("not (a and b)", "not (a and b)"),
        ("!a and b", "not a and b"),
        ("-(a + b)", "-(a + b)"),
        ("- -a", "-(-a)"),
        ("(a, b) in ((1, 2), (3, 4))", "(a, b) in ((1, 2), (3, 4))"),
        ("a between (b = c) and 4", "a between (b = c) and 4"),
        ("(a xor b) xor c", "a xor b xor c"),
        ("a xor (b xor c)", "a xor (b xor c)"),
    ] {
        assert_eq!(with_needed_parentheses(text).as_deref(), Some(expected));
    }
}

#[test]
fn nothing_is_said_of_what_is_not_read_to_its_end() {
    for text in [
        "a = b like c",
        "a like b in (c)",
        "a || b",
        "a && b",
        "d -> '$.a'",
        "a in (select 1",
        "exists (select 1 for update)",
        "(select a from b use index for join (c))",
        "a = not b",
        "binary a",
        "'a' 'b'",
        "1e-5",
        "@a",
        "a b",
        "(a",
        "a)",
        "",
        "interval(1, 2, 3)",
        &"(".repeat(100_000),
        &"- ".repeat(100_000),
    ] {
        let shown: String = text.chars().take(20).collect();
        assert_eq!(with_needed_parentheses(text), None, "{shown}");
    }
}

/// An expression as a tree, and as a server might print it: with pairs of parentheses that it does not need, where the
/// numbers say so.
fn node() -> impl Strategy<Value = Node> {
    let atom = prop_oneof![
        Just("a"),
        Just("b.c"),
        Just("1"),
        Just("1.5"),
        Just("'x y'"),
        Just("`m n`")
    ]
    .prop_map(|name| Node::Atom(name.to_owned()));
    atom.prop_recursive(5, 40, 3, |inner| {
        let two = || (inner.clone(), inner.clone());
        let of = |level: Level, operators: &'static [&'static str]| {
            (proptest::sample::select(operators), two())
                .prop_map(move |(operator, (left, right))| binary(level, operator, left, right))
        };
        prop_oneof![
            two().prop_map(|(left, right)| joined(OR, "or", left, right)),
            two().prop_map(|(left, right)| joined(AND, "and", left, right)),
            of(XOR, &["xor"]),
            of(
                COMPARISON,
                &["=", "<", "<=>", "<>", ">=", "like", "not like", "regexp"]
            ),
            of(BIT_OR, &["|"]),
            of(BIT_AND, &["&"]),
            of(SHIFT, &["<<", ">>"]),
            of(SUM, &["+", "-"]),
            of(PRODUCT, &["*", "/", "div", "%"]),
            of(BIT_XOR, &["^"]),
            inner.clone().prop_map(meaning::negated),
            (proptest::sample::select(&["-", "~"][..]), inner.clone())
                .prop_map(|(sign, node)| signed(sign, node)),
            inner.clone().prop_map(|node| Node::Operation {
                level: COMPARISON,
                parts: vec![Part::Operand(BIT_OR, node), text(" is not null")],
            }),
            (inner.clone(), two()).prop_map(|(node, (from, to))| Node::Operation {
                level: COMPARISON,
                parts: vec![
                    Part::Operand(BIT_OR, node),
                    text(" between "),
                    Part::Operand(BIT_OR, from),
                    text(" and "),
                    Part::Operand(BIT_OR, to),
                ],
            }),
            two().prop_map(|(one, other)| Node::Enclosed(vec![
                text("f("),
                Part::Operand(OR, one),
                text(", "),
                Part::Operand(OR, other),
                text(")"),
            ])),
        ]
    })
}

fn read(text: &str) -> Option<Node> {
    let mut reader = Reader::of(text);
    let (node, _) = reader.expression(OR)?;
    (reader.at == reader.tokens.len()).then_some(node)
}

fn write_with_more(
    node: &Node,
    least: Level,
    more: &mut impl Iterator<Item = usize>,
    out: &mut String,
) {
    let (level, parts) = match node {
        Node::Atom(text) => {
            out.push_str(text);
            return;
        }
        Node::Enclosed(parts) => (WHOLE, parts),
        Node::Operation { level, parts } => (*level, parts),
    };
    let pairs = usize::from(level < least) + more.next().unwrap_or_default();
    out.push_str(&"(".repeat(pairs));
    for part in parts {
        match part {
            Part::Text(text) => out.push_str(text),
            Part::Operand(least, node) => write_with_more(node, *least, more, out),
        }
    }
    out.push_str(&")".repeat(pairs));
}

proptest! {
    /// So two expressions that are written alike are one tree.
    #[test]
    fn what_is_written_is_read_as_the_same_tree(node in node()) {
        let mut written = String::new();
        write(&node, OR, &mut written);
        prop_assert_eq!(read(&written), Some(node), "{}", written);
    }

    #[test]
    fn more_parentheses_change_nothing(node in node(), more in proptest::collection::vec(0_usize..3, 60)) {
        let mut written = String::new();
        write_with_more(&node, OR, &mut more.into_iter(), &mut written);
        prop_assert_eq!(read(&written), Some(node), "{}", written);
    }

    #[test]
    fn no_text_is_too_much(text in "[a-c1'`(),.<>=!|&+*/%^~ -]{0,40}|(a |and |or |not |is |null |in |\\(|\\)|, ){0,20}") {
        if let Some(once) = with_needed_parentheses(&text) {
            prop_assert_eq!(with_needed_parentheses(&once), Some(once.clone()));
        }
    }
}
