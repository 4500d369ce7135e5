use serde_json::json;

use super::*;

#[derive(Debug)]
struct Store;

impl Secrets for Store {
    fn resolve(&self, service: &str, key: &str) -> Option<String> {
        (key != "missing").then(|| format!("<{service} {key}>"))
    }
}

/// Resolves a value in a stack with a parameter, a resource that is there and one that is not yet.
fn resolve(value: &Value) -> Resolved<Option<Value>> {
    let identity = Identity::default();
    let there = Resource {
        logical_id: "There".to_owned(),
        type_name: "T".to_owned(),
        physical_id: Some("there-1".to_owned()),
        status: "CREATE_COMPLETE".to_owned(),
        status_reason: None,
        changed: 0,
        properties: Map::new(),
        attributes: BTreeMap::from([
            ("Arn".to_owned(), json!("arn:there")),
            ("A.B".to_owned(), json!("dotted")),
        ]),
        no_echo: false,
        depends_on: BTreeSet::new(),
        deletion_policy: super::super::stack::Policy::Delete,
        update_replace_policy: super::super::stack::Policy::Delete,
    };
    let resources = BTreeMap::from([("There".to_owned(), there)]);
    let unknown = BTreeSet::from(["Later".to_owned()]);
    let mappings = json!({"Map": {"us-east-1": {"Key": ["v"]}}});
    let scope = Scope {
        identity: &identity,
        stack_name: "blog-dev",
        stack_id: "arn:stack",
        url_suffix: "localhost:3000",
        parameters: &BTreeMap::from([
            ("Param".to_owned(), json!("p")),
            ("List".to_owned(), json!(["x", "y"])),
        ]),
        mappings: mappings.as_object().unwrap(),
        conditions: &BTreeMap::from([("Yes".to_owned(), true), ("No".to_owned(), false)]),
        resources: &resources,
        unknown: &unknown,
        unknown_attributes: &BTreeSet::new(),
        exports: &BTreeMap::from([(
            "export".to_owned(),
            ("exported".to_owned(), "stack".to_owned()),
        )]),
        secrets: Some(&Store),
    };
    scope.resolve(value)
}

#[track_caller]
fn check(value: Value, expected: Value) {
    assert_eq!(resolve(&value), Ok(Some(expected)), "{value}");
}

#[track_caller]
fn reason(value: Value) -> String {
    match resolve(&value) {
        Err(Unresolved::Wrong(reason)) => reason,
        other => panic!("{value} gave {other:?}"),
    }
}

#[test]
fn every_function_gives_what_it_gives_on_aws() {
    check(json!({"Ref": "Param"}), json!("p"));
    check(json!({"Ref": "There"}), json!("there-1"));
    check(json!({"Ref": "AWS::StackName"}), json!("blog-dev"));
    check(json!({"Fn::GetAtt": ["There", "Arn"]}), json!("arn:there"));
    check(json!({"Fn::GetAtt": "There.A.B"}), json!("dotted"));
    check(json!({"Fn::GetAtt": ["There", "A.B"]}), json!("dotted"));
    check(
        json!({"Fn::Sub": "${AWS::Region}/${There.Arn}/${!kept}/$x/${Param}"}),
        json!("us-east-1/arn:there/${kept}/$x/p"),
    );
    check(
        json!({"Fn::Sub": ["${a}-${Param}", {"a": {"Ref": "There"}}]}),
        json!("there-1-p"),
    );
    check(
        json!({"Fn::Join": [":", ["a", {"Ref": "Param"}, 1]]}),
        json!("a:p:1"),
    );
    check(json!({"Fn::Join": [",", {"Ref": "List"}]}), json!("x,y"));
    check(
        json!({"Fn::Select": ["1", {"Fn::Split": ["|", "a|b|c"]}]}),
        json!("b"),
    );
    check(
        json!({"Fn::Select": [0, {"Fn::GetAZs": ""}]}),
        json!("us-east-1a"),
    );
    check(
        json!({"Fn::Select": [2, {"Fn::GetAZs": {"Ref": "AWS::Region"}}]}),
        json!("us-east-1c"),
    );
    check(
        json!({"Fn::FindInMap": ["Map", {"Ref": "AWS::Region"}, "Key"]}),
        json!(["v"]),
    );
    check(
        json!({"Fn::ImportValue": {"Fn::Sub": "export"}}),
        json!("exported"),
    );
    check(json!({"Fn::Base64": {"Ref": "Param"}}), json!("cA=="));
    check(
        json!({"Fn::Cidr": ["10.1.0.0/16", 3, 8]}),
        json!(["10.1.0.0/24", "10.1.1.0/24", "10.1.2.0/24"]),
    );
    check(
        json!({"Fn::Cidr": ["10.0.0.0/24", "2", "5"]}),
        json!(["10.0.0.0/27", "10.0.0.32/27"]),
    );
    check(
        json!({"Fn::If": ["Yes", "a", {"Ref": "Missing"}]}),
        json!("a"),
    );
    check(json!("x{{resolve:ssm:/a/b}}y"), json!("x<ssm /a/b>y"));
    check(
        json!({"Fn::Sub": "{{resolve:secretsmanager:${There}:SecretString:k}}"}),
        json!("<secretsmanager there-1:SecretString:k>"),
    );
}

#[test]
fn no_value_takes_the_member_with_it() {
    check(
        json!({"a": {"Ref": "AWS::NoValue"}, "b": [1, {"Fn::If": ["No", 2, {"Ref": "AWS::NoValue"}]}]}),
        json!({"b": [1]}),
    );
}

#[test]
fn what_hangs_on_a_later_resource_is_unknown_and_not_wrong() {
    for value in [
        json!({"Ref": "Later"}),
        json!({"a": [{"Fn::Sub": "x${Later.Arn}"}]}),
        json!({"Fn::Join": ["", [{"Fn::GetAtt": ["Later", "Arn"]}]]}),
    ] {
        assert_eq!(resolve(&value), Err(Unresolved::Unknown), "{value}");
    }
}

#[test]
fn what_is_wrong_is_said() {
    insta::assert_snapshot!(reason(json!({"Fn::GetAtt": ["There", "Nope"]})), @"Attribute 'Nope' does not exist (resource There, type T)");
    insta::assert_snapshot!(reason(json!({"Fn::Select": [9, ["a"]]})), @"Template error: Fn::Select cannot select nonexistent value at index 9");
    insta::assert_snapshot!(reason(json!({"Fn::ImportValue": "none"})), @"No export named none found.");
    insta::assert_snapshot!(reason(json!({"Fn::FindInMap": ["Map", "x", "y"]})), @"Template error: Unable to get mapping for Map::x::y");
    insta::assert_snapshot!(reason(json!({"Fn::Transform": {}})), @"Template error: this cloud does not have the function Fn::Transform");
    insta::assert_snapshot!(reason(json!("{{resolve:ssm:missing}}")), @"Could not resolve the dynamic reference {{resolve:ssm:missing}}");
    insta::assert_snapshot!(reason(json!({"Fn::Cidr": ["10.0.0.0/24", 3, 8]})), @r#"Template error: Fn::Cidr cannot make the blocks of ["10.0.0.0/24",3,8]"#);
    insta::assert_snapshot!(reason(json!({"Fn::Cidr": ["10.0.0.0/24", 4294967295u32, 4294967295u32]})), @r#"Template error: Fn::Cidr cannot make the blocks of ["10.0.0.0/24",4294967295,4294967295]"#);
}

#[test]
fn conditions_may_name_each_other_but_not_in_a_circle() {
    let evaluate = |definitions: Value| {
        let identity = Identity::default();
        let (empty, none) = (BTreeMap::new(), BTreeSet::new());
        let scope = Scope {
            identity: &identity,
            stack_name: "",
            stack_id: "",
            url_suffix: "",
            parameters: &BTreeMap::from([("Stage".to_owned(), json!("prod"))]),
            mappings: &Map::new(),
            conditions: &BTreeMap::new(),
            resources: &empty,
            unknown: &none,
            unknown_attributes: &none,
            exports: &BTreeMap::new(),
            secrets: None,
        };
        evaluate_conditions(&scope, definitions.as_object().unwrap())
    };
    let values = evaluate(json!({
        "Both": {"Fn::And": [{"Condition": "Prod"}, {"Fn::Not": [{"Condition": "Dev"}]}]},
        "Dev": {"Fn::Equals": [{"Ref": "Stage"}, "dev"]},
        "Either": {"Fn::Or": [{"Condition": "Dev"}, {"Condition": "Prod"}]},
        "Prod": {"Fn::Equals": ["prod", {"Ref": "Stage"}]},
    }))
    .unwrap();
    assert_eq!(
        values.into_values().collect::<Vec<_>>(),
        [true, false, true, true]
    );
    insta::assert_snapshot!(
        evaluate(json!({"A": {"Fn::Not": [{"Condition": "B"}]}, "B": {"Fn::Not": [{"Condition": "A"}]}})).unwrap_err(),
        @"Template format error: Circular dependency between conditions: [A, B]"
    );
    insta::assert_snapshot!(
        evaluate(json!({"A": {"Fn::Equals": [{"Ref": "Vpc"}, "x"]}})).unwrap_err(),
        @"Template format error: Unresolved dependencies [Vpc]. Cannot reference resources in the Conditions block of the template"
    );
}
