use dayspring_stack::{Overrides, Project};
use insta::assert_snapshot;

const FUNCTIONS: [&str; 4] = ["main", "create_posts", "get_post", "get_posts"];

/// The rendered mistakes of a project file.
#[track_caller]
fn mistakes(text: &str) -> String {
    let result = Project::parse("dayspring.toml", text, &FUNCTIONS);
    result.expect_err("the file has a mistake").render()
}

/// The rendered mistakes of a file that is right but for `more`.
#[track_caller]
fn mistakes_in(more: &str) -> String {
    mistakes(&format!(
        "name = \"blog\"\nroutes.posts = [{{ method = \"GET\", function = \"get_posts\" }}]\n{more}"
    ))
}

#[test]
fn an_unknown_function_names_the_nearest() {
    let text =
        "name = \"blog\"\n\n[routes]\nposts = [{ method = \"GET\", function = \"get_pots\" }]\n";
    assert_snapshot!(mistakes(text), @r#"
    error: unknown function `get_pots`
     --> dayspring.toml:4:39
      |
    4 | posts = [{ method = "GET", function = "get_pots" }]
      |                                       ^^^^^^^^^^ there is no `functions/get_pots.rs`
     help: did you mean `get_post`?
    "#);
}

#[test]
fn a_function_without_anything_near_lists_what_there_is() {
    let text = "name = \"blog\"\n[routes]\nposts = [{ method = \"GET\", function = \"upload\" }]\n";
    assert_snapshot!(mistakes(text), @r#"
    error: unknown function `upload`
     --> dayspring.toml:3:39
      |
    3 | posts = [{ method = "GET", function = "upload" }]
      |                                       ^^^^^^^^ there is no `functions/upload.rs`
     help: write `functions/upload.rs`, or use one of `create_posts`, `get_post` or `get_posts`
    "#);
}

#[test]
fn settings_for_an_unknown_function_are_a_mistake() {
    assert_snapshot!(mistakes_in("[functions.get_postz]\nmemory = 512"), @"
    error: unknown function `get_postz`
     --> dayspring.toml:3:12
      |
    3 | [functions.get_postz]
      |            ^^^^^^^^^ there is no `functions/get_postz.rs`
     help: did you mean `get_post`?
    ");
}

#[test]
fn a_duplicate_route_names_both_places() {
    let text = r#"name = "blog"
[routes]
posts = [
  { method = "GET", function = "get_posts" },
  { method = "GET", function = "get_post" },
]
"#;
    assert_snapshot!(mistakes(text), @r#"
    error: duplicate route `GET posts`
     --> dayspring.toml:5:14
      |
    5 |   { method = "GET", function = "get_post" },
      |              ^^^^^ the second
     note: the first is here: dayspring.toml:4:14
     help: remove one of the two
    "#);
}

#[test]
fn a_path_with_and_without_slash_is_one_path() {
    let text = r#"name = "blog"
[routes]
posts = [{ method = "GET", function = "get_posts" }]
"/posts" = [{ method = "GET", function = "get_post" }]
"#;
    assert_snapshot!(mistakes(text), @r#"
    error: duplicate route `GET posts`
     --> dayspring.toml:4:24
      |
    4 | "/posts" = [{ method = "GET", function = "get_post" }]
      |                        ^^^^^ the second
     note: the first is here: dayspring.toml:3:21
     help: remove one of the two
    "#);
}

#[test]
fn two_names_for_one_parameter_are_a_mistake() {
    let text = r#"name = "blog"
[routes]
"posts/{slug}" = [{ method = "GET", function = "get_post" }]
"posts/{id}/comments" = [{ method = "GET", function = "get_posts" }]
"#;
    assert_snapshot!(mistakes(text), @r#"
    error: `{id}` stands where another path has `{slug}`
     --> dayspring.toml:4:1
      |
    4 | "posts/{id}/comments" = [{ method = "GET", function = "get_posts" }]
      | ^^^^^^^^^^^^^^^^^^^^^ API Gateway accepts one name
     note: `{slug}` is here: dayspring.toml:3:30
     help: use `{slug}` in both paths
    "#);
}

#[test]
fn a_wrong_method_says_which_there_are() {
    let text =
        "name = \"blog\"\n[routes]\nposts = [{ method = \"get\", function = \"get_posts\" }]\n";
    assert_snapshot!(mistakes(text), @r#"
    error: `get` is not a valid `routes.posts.method`
     --> dayspring.toml:3:21
      |
    3 | posts = [{ method = "get", function = "get_posts" }]
      |                     ^^^^^ expected `GET`, `POST`, `PUT`, `PATCH`, `DELETE`, `HEAD`, `OPTIONS` or `ANY`
     help: did you mean `GET`?
    "#);
}

#[test]
fn a_bad_duration_says_what_a_duration_is() {
    assert_snapshot!(mistakes_in("[database]\ncapacity = { min = 0, max = 4, pause_after = \"5 min\" }"), @r#"
    error: `5 min` is not a valid `database.capacity.pause_after`
     --> dayspring.toml:4:46
      |
    4 | capacity = { min = 0, max = 4, pause_after = "5 min" }
      |                                              ^^^^^^^ expected a whole number and `s`, `m`, `h` or `d`, such as `30s`, `5m`, `1h` or `7d`
    "#);
}

#[test]
fn a_duration_out_of_range_names_the_range() {
    assert_snapshot!(mistakes_in("[functions]\ntimeout = \"20m\""), @r#"
    error: `20m` is not a valid `functions.timeout`
     --> dayspring.toml:4:11
      |
    4 | timeout = "20m"
      |           ^^^^^ expected a duration from `1s` to `15m`
    "#);
}

#[test]
fn an_unknown_key_names_the_nearest() {
    assert_snapshot!(mistakes_in("[database]\ncapactiy = { min = 0, max = 4 }"), @"
    error: unknown key `capactiy` in `database`
     --> dayspring.toml:4:1
      |
    4 | capactiy = { min = 0, max = 4 }
      | ^^^^^^^^ not a setting of `database`
     help: did you mean `capacity`?
    ");
}

#[test]
fn a_key_without_anything_near_lists_what_there_is() {
    assert_snapshot!(mistakes_in("[network]\nnat = true"), @"
    error: unknown key `nat` in `network`
     --> dayspring.toml:4:1
      |
    4 | nat = true
      | ^^^ not a setting of `network`
     help: the settings are `cidr` and `zones`
    ");
}

#[test]
fn a_value_of_another_type_says_what_was_expected() {
    assert_snapshot!(mistakes_in("[functions]\nmemory = \"256\""), @r#"
    error: `functions.memory` is a string, expected a whole number from 128 to 10240
     --> dayspring.toml:4:10
      |
    4 | memory = "256"
      |          ^^^^^ a string
    "#);
}

#[test]
fn capacities_that_do_not_fit_together_are_a_mistake() {
    assert_snapshot!(mistakes_in("[stages.production.database]\ncapacity = { min = 8, max = 4 }"), @"
    error: the least capacity, 8, is more than the most, 4
     --> dayspring.toml:4:20
      |
    4 | capacity = { min = 8, max = 4 }
      |                    ^
     help: raise `max` or lower `min`; a stage's capacity is laid over the project's
    ");
}

#[test]
fn a_stage_inherits_what_it_contradicts() {
    let more = "[database]\ncapacity = { min = 0, max = 4 }\n[stages.production.database]\ncapacity = { min = 8 }";
    assert_snapshot!(mistakes_in(more), @"
    error: the least capacity, 8, is more than the most, 4
     --> dayspring.toml:6:20
      |
    6 | capacity = { min = 8 }
      |                    ^
     help: raise `max` or lower `min`; a stage's capacity is laid over the project's
    ");
}

#[test]
fn a_pause_without_effect_is_a_mistake() {
    assert_snapshot!(mistakes_in("[database.capacity]\nmin = 1\npause_after = \"5m\""), @r#"
    error: `pause_after` has no effect while `min` is 1
     --> dayspring.toml:5:15
      |
    5 | pause_after = "5m"
      |               ^^^^
     help: only a cluster with `min = 0` pauses; set that, or remove `pause_after`
    "#);
}

#[test]
fn an_engine_version_is_spelled_as_aws_does() {
    assert_snapshot!(mistakes_in("[database]\nengine_version = \"8.0\""), @r#"
    error: `8.0` is not a valid `database.engine_version`
     --> dayspring.toml:4:18
      |
    4 | engine_version = "8.0"
      |                  ^^^^^ expected a version of Aurora MySQL from `8.0.mysql_aurora.3.08.0` on, spelled as AWS does, such as `8.0.mysql_aurora.3.10.6`
    "#);
}

#[test]
fn credentials_need_an_origin() {
    assert_snapshot!(mistakes_in("[api.cors]\ncredentials = true"), @r#"
    error: `credentials` cannot be allowed to the origin `*`
     --> dayspring.toml:4:15
      |
    4 | credentials = true
      |               ^^^^
     help: name the origin, such as `origin = "https://www.example.com"`
    "#);
}

#[test]
fn a_name_too_long_for_lambda_is_a_mistake() {
    let function = "a_function_with_a_name_that_goes_on_and_on_and_on_and_on";
    let text = format!(
        "name = \"blog\"\n[routes]\nposts = [{{ method = \"GET\", function = \"{function}\" }}]\n"
    );
    let errors =
        Project::parse("dayspring.toml", &text, &[function]).expect_err("the name is too long");
    assert_snapshot!(errors.render(), @r#"
    error: `blog-dev-a_function_with_a_name_that_goes_on_and_on_and_on_and_on` has 65 characters, and Lambda's names have 64 at most
     --> dayspring.toml:3:39
      |
    3 | posts = [{ method = "GET", function = "a_function_with_a_name_that_goes_on_and_on_and_on_and_on" }]
      |                                       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
     help: shorten the name of the function, of the stage or of the project
    "#);
}

#[test]
fn a_project_needs_a_name_and_a_route() {
    assert_snapshot!(mistakes("[database]\n"), @r#"
    error: missing key `name` in the project
     --> dayspring.toml:1:1
      |
    1 | [database]
      | ^ `name` is missing here
     help: add `name`, the project's name, such as `"blog"`

    error: missing key `routes` in the project
     --> dayspring.toml:1:1
      |
    1 | [database]
      | ^ `routes` is missing here
     help: add `routes`, a table of paths: API Gateway deploys no API without a method
    "#);
    assert_snapshot!(mistakes("name = \"blog\"\n[routes]\n"), @r#"
    error: `routes` is empty, and API Gateway deploys no API without a method
     --> dayspring.toml:2:2
      |
    2 | [routes]
      |  ^^^^^^
     help: add one, such as `posts = [{ method = "GET", function = "get_posts" }]`
    "#);
}

#[test]
fn what_is_not_toml_is_said_in_the_words_of_its_parser() {
    assert_snapshot!(mistakes("name = \"blog\nx = \n"), @r#"
    error: invalid basic string, expected `"`
     --> dayspring.toml:1:13
      |
    1 | name = "blog
      |             ^

    error: string values must be quoted, expected literal string
     --> dayspring.toml:2:5
      |
    2 | x = 
      |     ^
    "#);
}

#[test]
fn all_mistakes_are_reported_at_once_in_their_order() {
    let text = r#"name = "Blog"
region = "eu-central-1"

[functions]
memroy = 256

[functions.get_posts]
timeout = 5

[routes]
posts = [{ method = "GETT", function = "get_post" }, { function = "nothing" }]
"posts/" = []
"#;
    let errors =
        Project::parse("dayspring.toml", text, &FUNCTIONS).expect_err("the file has mistakes");
    assert_snapshot!(errors, @r#"
    dayspring.toml:1:8: `Blog` is not a valid `name`
    dayspring.toml:2:1: unknown key `region` in the project
    dayspring.toml:5:1: unknown key `memroy` in `functions`
    dayspring.toml:8:11: `functions.get_posts.timeout` is a whole number, expected a duration such as `"30s"`, `"5m"` or `"1h"`
    dayspring.toml:11:21: `GETT` is not a valid `routes.posts.method`
    dayspring.toml:11:54: missing key `method` in `routes.posts`
    dayspring.toml:11:67: unknown function `nothing`
    dayspring.toml:12:1: `posts/` is not a valid `path`
    dayspring.toml:12:12: `[]` is not a valid `routes.posts/`
    "#);
}

#[test]
fn an_unknown_stage_names_the_nearest() {
    let text = "name = \"blog\"\nroutes.posts = [{ method = \"GET\", function = \"get_posts\" }]\n[stages.production]";
    let project = Project::parse("dayspring.toml", text, &FUNCTIONS).unwrap();
    assert_snapshot!(project.stage("prodution", &Overrides::default()).unwrap_err().render(), @"
    error: unknown stage `prodution`
     help: did you mean `production`?
    ");
    assert_snapshot!(project.stage("x", &Overrides::default()).unwrap_err().render(), @"
    error: unknown stage `x`
     help: add `[stages.x]`; the stages are `dev` and `production`
    ");
}

#[test]
fn more_resources_than_a_stack_can_hold_are_a_mistake() {
    let routes: Vec<String> = (0..150)
        .map(|number| format!("r{number} = [{{ method = \"GET\", function = \"get_posts\" }}]"))
        .collect();
    let text = format!("name = \"blog\"\n[routes]\n{}\n", routes.join("\n"));
    assert_snapshot!(mistakes(&text), @"
    error: `blog-dev` has 627 resources, and CloudFormation's stacks have 500 at most
     --> dayspring.toml:2:2
      |
    2 | [routes]
      |  ^^^^^^
     help: answer several routes with one function, or `{proxy+}` with one that looks at the path
    ");
}

#[test]
fn a_setting_is_checked_in_every_stage() {
    assert_snapshot!(mistakes_in("[stages.production.api]\nstage = \"v 1\"\nlog_retention = \"2d\""), @r#"
    error: `v 1` is not a valid `stages.production.api.stage`
     --> dayspring.toml:4:9
      |
    4 | stage = "v 1"
      |         ^^^^^ expected letters, digits, underscores and dashes, at most 128 characters

    error: `2d` is not a valid `stages.production.api.log_retention`
     --> dayspring.toml:5:17
      |
    5 | log_retention = "2d"
      |                 ^^^^ expected `forever` or one of `1d`, `3d`, `5d`, `7d`, `14d`, `30d`, `60d`, `90d`, `120d`, `150d`, `180d`, `365d`, `400d`, `545d`, `731d`, `1096d`, `1827d`, `2192d`, `2557d`, `2922d`, `3288d`, `3653d`
    "#);
}

#[test]
fn a_variable_that_the_template_sets_cannot_be_set() {
    assert_snapshot!(mistakes_in("[functions]\nenvironment = { DAYSPRING_DATABASE = \"x\" }"), @r#"
    error: `DAYSPRING_DATABASE` is not a valid `variable`
     --> dayspring.toml:4:17
      |
    4 | environment = { DAYSPRING_DATABASE = "x" }
      |                 ^^^^^^^^^^^^^^^^^^ expected letters, digits and underscores, beginning with a letter, and no variable that Lambda or Dayspring sets itself
    "#);
}

proptest::proptest! {
    #[test]
    fn no_text_makes_the_parser_panic(noise in "\\PC{0,40}", cut in 0_usize..600) {
        let text = include_str!("../templates/production/dayspring.toml");
        let cut = text.char_indices().map(|(index, _)| index).nth(cut).unwrap_or(0);
        let (before, after) = text.split_at(cut);
        let spoiled = format!("{before}{noise}{after}");
        if let Err(errors) = Project::parse("dayspring.toml", &spoiled, &FUNCTIONS) {
            proptest::prop_assert!(!errors.render().is_empty());
        }
    }
}
