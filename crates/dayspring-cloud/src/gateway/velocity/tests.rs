//! Templates, beside what Velocity 1.7 itself made of them.

use super::*;

/// What the templates below may ask for.
const GIVEN: &str = "#set($m={'a':1,'b':'two','m':{'x':'y'}})#set($l=[1,2,3])#set($s='text')#set($n=5)#set($t=true)#set($f=false)#set($empty='')#set($zero=0)#set($el=[])";

/// Templates and what the engine of Apache Velocity 1.7 rendered them to.
const RENDERED: &[(&str, &str)] = &[
    ("a\n  #set($x=1)  \nb$x", "a\n  b1"),
    ("a #set($x=1) b", "a  b"),
    ("#set($x=1)\n\nb", "\nb"),
    ("a\n  #if($t)\nyes\n  #else\nno\n  #end\nb", "a\n  yes\n  b"),
    ("a\n  #if($t) yes #else no #end\nb", "a\n   yes b"),
    ("x#if($f)a#{else}b#{end}c", "xbc"),
    ("x#if($f)a#elseif($t) b #end c", "x b  c"),
    (
        "#foreach($i in $l)\n  $i#if($foreach.hasNext),#end\n\n#end\nz",
        "  1,\n  2,\n  3\nz",
    ),
    (
        "#foreach($i in $l) $i $velocityCount $foreach.count $foreach.index#end|",
        " 1 1 1 0 2 2 2 1 3 3 3 2|",
    ),
    ("a ## comment\nb", "a b"),
    ("a\n## comment\nb", "a\nb"),
    ("a #* block *# b", "a  b"),
    ("a\n  #* block *#\nb", "a\n  \nb"),
    (
        "$m $l $el $m.b $m.get('b') $m.keySet() $m.values() $m.entrySet()",
        "{a=1, b=two, m={x=y}} [1, 2, 3] [] two two [a, b, m] [1, two, {x=y}] [a=1, b=two, m={x=y}]",
    ),
    (
        "#set($y=[1,2,'x'])$y #set($y={'k':'v','n':2})$y $y.k #set($z=[1..3])$z",
        "[1, 2, x]{k=v, n=2} v[1, 2, 3]",
    ),
    (
        "#set($m.c = 'new')$m.c $m #set($l[0]=9)$l $l[1] $l.get(2) $l.size()",
        "new {a=1, b=two, m={x=y}, c=new}[9, 2, 3] 2 3 3",
    ),
    ("#if($t)a#else b#end c", "a c"),
    (
        "#foreach($e in $m.entrySet())$e.key=$e.value;$e.getKey()#end",
        "a=1;ab=two;bm={x=y};m",
    ),
    ("#foreach($e in $m)$e #end", "1 two {x=y} "),
    ("#foreach($i in $l)#if($i==2)#break#end$i#end|", "1|"),
    (
        "#set($a=1)#set($b=2)#set($c=$a+$b)$c#set($c=$a+'x')$c#set($c='x'+$b)$c",
        "31xx2",
    ),
    ("#if($m.n)a#{else}b#end", "b"),
    ("$m['b'] $m[\"b\"]", "two two"),
    ("{\"a\": \"$s\", \"b\": $n}", "{\"a\": \"text\", \"b\": 5}"),
    ("$s,$s:$s;$s)$s]", "text,text:text;text)text]"),
    ("${s}$s${m.b}$m.m.x", "texttexttwoy"),
    ("#set ( $x = 3 )$x", "3"),
    ("#if ( $n==5 )ok#end", "ok"),
    ("#foreach ( $i in [1,2] )$i#end", "12"),
    ("#set($x = \"a'b\")$x.replaceAll(\"'\",'q')", "aqb"),
    (
        "#set($x = -1)$x #set($x = 1.5)$x #set($x = true)$x",
        "-11.5true",
    ),
    ("#set($x=$n - 1)$x #set($x=$n-1)$x", "44"),
    ("#set($x=(1+2)*3)$x", "9"),
    (
        "#if($s.equals('text'))eq#end#if($s.startsWith('t'))sw#end$s.isEmpty()",
        "eqswfalse",
    ),
    (
        "#set($i=0)#foreach($k in ['a','b'])#set($i=$i+1)#end$i",
        "2",
    ),
    ("#set($x='a''b')$x #set($x=\"a\"\"b\")$x", "a'ba\"b"),
    ("a #if($t)\n b\n #end c", "a  b\n  c"),
    ("\t#set($x=1)\ny", "y"),
    (
        "a\r\n  #set($x=1)\r\nb\r\n#if($t)\r\nq\r\n#end\r\nz",
        "a\r\n  b\r\nq\r\nz",
    ),
    ("#@x", "#@x"),
    (
        "#set($x = {})$x #set($x=[])$x #set($q=$x.add(4))$x $q",
        "{}[][4] true",
    ),
    ("#if([])x#end#if({})y#end", ""),
    ("#set($x = $l.size() + 1)$x", "4"),
    (
        "#foreach($i in $l)$i#end#foreach($j in [3..1])$j#end",
        "123321",
    ),
    ("#set($l2=$l.subList(0,2))$l2", "[1, 2]"),
    ("#set($a = \"#if($t)yes#end\")$a", "yes"),
    ("#set($x = $s.replace('t','')) $x", " ex"),
    ("#if($n < 'a')x#end", ""),
    ("$n.toString().length()", "1"),
    ("#set( $x = $m.b ) $x", " two"),
    ("#if($f)a\n#elseif($t)\nb\n#end\n", "b\n"),
    ("#stop x", ""),
    ("a#stop b", "a"),
    (
        "#set($x = !$t)$x #set($x=$n>3)$x #set($x = $n == 5 && $t)$x",
        "falsetruetrue",
    ),
    ("#if($n==5)#set($r=1)#end$r", "1"),
    ("a#set($r=1)\n\n\nb", "a\n\nb"),
    (
        "x\n\n  #foreach($i in [1,2])  \n  $i\n  #end  \n y",
        "x\n\n    1\n    2\n   y",
    ),
    ("#if($undef != $null)u#{else}n#end", "n"),
    ("$!undef|$!{undef}", "|"),
    ("#if($undef == $null && !$m.none)n#end", "n"),
    ("#set($x=5)#set($x=$undef)$x", "5"),
    ("$s.indexOf('z')", "-1"),
    ("#foreach($i in [1..3])#if($i == 2)#stop#end$i#end z", "1"),
    (
        "#foreach($i in $l)#foreach($j in $l)$foreach.count#end$foreach.index#end",
        "123012311232",
    ),
    (
        "#foreach($e in $m.entrySet())$e.key=$e.value;#end",
        "a=1;b=two;m={x=y};",
    ),
    (
        "#set($x = {'a':[1,{'b':2}]})$x.a[1].b $x",
        "2 {a=[1, {b=2}]}",
    ),
    (
        "#set($m['new key'] = 3)$m",
        "{a=1, b=two, m={x=y}, new key=3}",
    ),
    ("#set($q = $l.add(4))$l", "[1, 2, 3, 4]"),
    (
        "$m.containsKey('a') $m.size() $l.contains(2) $m.isEmpty()",
        "true 3 true false",
    ),
    ("#set($y=$n * 2 - 1)$y", "9"),
    ("#set($y=7 / 2)$y #set($y=7 % 4)$y", "33"),
    ("#set($y = 1 / 0)$!y|", "|"),
    ("#set($y = 3.0 * 2)$y", "6.0"),
    ("#if(1 < 2 && 2 <= 2 && 3 > 2 && !(2 >= 3))ok#end", "ok"),
    ("#if($s == \"te${empty}xt\")ok#end", "ok"),
    ("#set($x = [])#foreach($i in $x)a#end$x", "[]"),
    ("#if(true)a#end#if(false)b#end", "a"),
    ("#if($n == 5 or $n == 6)c#end", "c"),
    ("#set($big = 10000000.0 * 10)$big", "1.0E8"),
    ("#set($x = 0.0001 * 1)$x", "1.0E-4"),
    (
        "#if(\"a\")w#end#if(5)y#end#if(1+1)z#end#if(!5)a#end#if([1] && true)c#end#if(![])d#end",
        "ad",
    ),
    ("#set($x=[])#if($x)e#end#if(!$x)f#end", "e"),
    ("#set($a-b = 3)$a-b ${a-b}-1", "3 3-1"),
];

fn render(template: &str, body: &str) -> Result<String, String> {
    let parameters = || Parameters {
        path: vec![("slug".to_owned(), "a%2Fb".to_owned())],
        querystring: vec![
            ("q".to_owned(), "1".to_owned()),
            ("slug".to_owned(), "query".to_owned()),
        ],
        header: vec![("X-Id".to_owned(), "it's".to_owned())],
    };
    let scope = Scope {
        body,
        parameters: &parameters,
        context: &|name| (name == "identity.sourceIp").then(|| "127.0.0.1".to_owned()),
        stage_variables: &BTreeMap::from([("TABLE".to_owned(), "posts".to_owned())]),
    };
    let mut overrides = Overrides::default();
    let text = Template::parse(template)?
        .render(&scope, &mut overrides)
        .map_err(|failure| format!("{failure:?}"))?;
    let set: Vec<String> = overrides
        .values
        .iter()
        .map(|(name, value)| format!(" {name}={value}"))
        .collect();
    Ok(text + &set.concat())
}

#[test]
fn templates_are_rendered_as_velocity_renders_them() {
    let others: Vec<String> = RENDERED
        .iter()
        .map(|(template, expected)| {
            (
                template,
                expected,
                render(&format!("{GIVEN}{template}"), ""),
            )
        })
        .filter(|(_, expected, rendered)| rendered.as_deref() != Ok(expected))
        .map(|(template, expected, rendered)| format!("{template:?} {expected:?} {rendered:?}"))
        .collect();
    assert!(others.is_empty(), "{}", others.join("\n"));
}

#[track_caller]
fn check(template: &str, expected: &str) {
    let body = r#"{"name":"a \"b\"","list":[1,{"x":null}],"price":1.50,"none":null}"#;
    assert_eq!(
        render(template, body).as_deref(),
        Ok(expected),
        "{template}"
    );
}

#[test]
fn the_body_is_seen_by_json_path() {
    check("$input.json('$.name')", r#""a \"b\"""#);
    check("$input.json('$.list')", r#"[1,{"x":null}]"#);
    check(
        "$input.json('$')",
        r#"{"name":"a \"b\"","list":[1,{"x":null}],"price":1.5,"none":null}"#,
    );
    check("$input.path('$.name')", r#"a "b""#);
    check("$input.path('$.list')", r#"[1,{"x":null}]"#);
    check("$input.path('$.list[1]')", "{x=null}");
    check(
        "$input.json('$.missing')|$input.path('$.missing')|$input.path('$.none')|",
        r#"""|||"#,
    );
    check(
        "#set($root = $input.path('$'))$root.name $root.list.size() $!root.missing.deeper|$root.missing|",
        "a \"b\" 2 ||",
    );
    check(
        "#foreach($i in $input.path('$.list'))$foreach.count#if($foreach.hasNext),#end#end",
        "1,2",
    );
    check("#if($input.path('$.price') > 1)dear#end", "dear");
    check(
        "$util.escapeJavaScript($input.json('$.name'))",
        "\\\"a \\\\\\\"b\\\\\\\"\\\"",
    );
}

#[test]
fn parameters_and_variables_are_seen_by_their_names() {
    check(
        "$input.params('slug') $input.params('q') $input.params('X-Id') |$input.params('none')|",
        "a%2Fb 1 it's ||",
    );
    check(
        "$input.params().querystring.slug $input.params().header.get('X-Id')",
        "query it's",
    );
    check(
        "#foreach($k in $input.params().keySet())$k #end",
        "path querystring header ",
    );
    check(
        "$stageVariables.TABLE ${stageVariables.TABLE} $stageVariables.get('TABLE')|$stageVariables.none|",
        "posts posts posts||",
    );
    check(
        "$context.identity.sourceIp|$context.identity.user|$context.authorizer.claims.sub|",
        "127.0.0.1|||",
    );
    check("#if($context.authorizer)known#{else}nobody#end", "nobody");
    check(
        "$util.escapeJavaScript($input.params('X-Id')).replaceAll(\"\\\\'\",\"'\")",
        "it's",
    );
}

#[test]
fn what_is_set_of_the_answer_is_kept() {
    check(
        "#set($context.responseOverride.status = 404)#set($context.responseOverride.header.X-A = 'b')x",
        "x responseOverride.header.X-A=b responseOverride.status=404",
    );
}

#[test]
fn an_empty_body_is_an_empty_object_and_another_is_json_or_refused() {
    assert_eq!(
        render("$input.json('$') $input.body |$input.path('$.a')|", "").unwrap(),
        "{} {} ||"
    );
    assert_eq!(render("$input.body", "hello").unwrap(), "hello");
    assert_eq!(render("$input.json('$')", "hello").unwrap_err(), "Body");
}

#[test]
fn what_is_not_had_here_is_refused_with_its_place() {
    let refused: Vec<String> = [
        "#if($t)x",
        "x\n#end",
        "#set($x = )",
        "#set($x 1)",
        "#set($input.x = 1)",
        "#set($context.stage = 1)",
        "#foreach($x $y)#end",
        "a\n  #parse('x')",
        "$undefined",
        "$input.foo('x')",
        "$util.qr('x')",
        "$util.escapeJavaScript($input.path('$.a').getClass())",
        "$input.json('$.a[?(@.b)]')",
        "\\$input.body",
        "${input.body",
        "#set($x = 'abc)",
        "#set($x = 1-1)",
    ]
    .into_iter()
    .map(|template| render(template, "").unwrap_err())
    .collect();
    insta::assert_snapshot!(refused.join("\n"), @r"
    `#end` is missing (line 1, column 9)
    there is no #if or #foreach that this could belong to (line 2, column 5)
    a value is missing here (line 1, column 11)
    `=` is missing here (line 1, column 9)
    `$input` cannot be set (line 1, column 6)
    of `$context` only `requestOverride` and `responseOverride` can be set (line 1, column 6)
    `in` is missing (line 1, column 13)
    this cloud does not have the directive `#parse` of Velocity (line 2, column 3)
    `$undefined` is set nowhere in the template; write `$!undefined` for nothing, or `#[[$undefined]]#` for the text (line 1, column 1)
    this cloud does not have `foo` of `$input` in templates (line 1, column 7)
    this cloud does not have `qr` of `$util` in templates (line 1, column 6)
    this cloud does not have `getClass` of `$input` in templates (line 1, column 42)
    this cloud cannot read the JSONPath `$.a[?(@.b)]` (line 1, column 7)
    this cloud does not escape references and directives with `\` (line 1, column 1)
    `}` is missing after this reference (line 1, column 13)
    the quote does not end (line 1, column 11)
    to Velocity this is a negative number; write a space after the minus (line 1, column 12)
    ");
}

#[test]
fn no_template_takes_the_cloud_with_it() {
    for template in [
        "#foreach($i in [1..1000])#foreach($j in [1..1000])#foreach($k in [1..1000])x#end#end#end",
        "#set($x = 'xxxxxxxxxx')#foreach($i in [1..40])#set($x = \"$x$x\")#end$x",
        "#set($l = [])#set($q = $l.add($l))$l",
        "#set($x = [1..9000000000])$x.size()",
        "#set($x = 'a'.b)",
        "#set($x = 'a')$x.substring(3)",
        "#set($x = [1])$x.get(1)",
        "#set($x = 'aaaaaaaaaa')#foreach($i in [1..40])#set($x = $x + $x)#end$x",
        "#set($x = 'aaaaaaaaaa')#foreach($i in [1..40])#set($x = $x.replace('', $x))#end$x",
        // Twice the same list, a hundred times.
        "#set($l = ['x'])#foreach($i in [1..100])#set($l = [$l, $l])#end$l",
        "#set($l = ['x'])#foreach($i in [1..100])#set($l = [$l, $l])#end#if($l == 'x')#end",
        "#set($l = $util.parseJson('[1]'))#foreach($i in [1..100])#set($m = $util.parseJson('[]'))#set($q = $m.add($l))#set($q = $m.add($l))#set($l = $m)#end$l",
        // Megabytes that are looked at, joined or kept many times.
        "#set($x = 'aaaaaaaaaa')#foreach($i in [1..19])#set($x = $x + $x)#end#foreach($i in [1..1000])#if($x.contains('b'))#end#end",
        "#set($x = 'aaaaaaaaaa')#foreach($i in [1..19])#set($x = $x + $x)#end#if($x.matches('(a|b|aa)*c'))#end#foreach($i in [1..1000])#if($x.matches('(a|b|aa)*c'))#end#end",
        "#set($x = 'aaaaaaaaaa')#foreach($i in [1..19])#set($x = $x + $x)#end#set($l = [])#foreach($i in [1..1000])#set($q = $l.add($x.concat('b')))#end",
        "#set($x = [1..100000])#foreach($i in [1..1000])#set($y = $x.subList(0, 99999))#end",
        "#set($m = {'a': 1})#foreach($i in [1..1000])#foreach($j in [1..900])#set($m[$i + ' ' + $j] = 1)#end#end",
    ] {
        assert!(render(template, "").is_err(), "{template}");
    }
    let deep = "(".repeat(100_000);
    assert!(render(&format!("#set($x = {deep}"), "").is_err());
    let deep = "#if(true)".repeat(100_000);
    assert!(render(&deep, "").is_err());
    let chain = "#set($x = [])#foreach($i in [1..300])#foreach($j in [1..300])#set($x = [$x])#end#end$x.size()";
    assert_eq!(render(chain, "").unwrap(), "1");
    // What is joined is not nested, however much it is.
    for (sign, expected) in [("+", "100001"), ("*", "1")] {
        let joined = format!("1 {sign} ").repeat(100_000);
        let joined = format!("#set($x = {joined}1)");
        let shorter = joined.replace(' ', "");
        assert_eq!(render(&format!("{shorter}$x"), "").unwrap(), expected);
    }
    for sign in ["&&", "||", "=="] {
        let joined = format!("1{sign}").repeat(100_000);
        assert!(render(&format!("#if({joined}1)#end"), "").is_ok());
    }
    let sum = format!(
        "#set($x = '{}')#set($y = {}$x)",
        "a".repeat(100_000),
        "$x + ".repeat(30_000)
    );
    assert!(render(&sum, "").is_err());
    let slashes = "\\".repeat(300_000);
    assert_eq!(render(&slashes, "").unwrap(), slashes);
    let chain = format!("{}1{}", "{\"a\":[".repeat(60), "]}".repeat(60));
    assert!(render("$input.json('$..a..a..a..a..a..a..a')", &chain).is_err());
    let long = "#foreach($i in [1..2000])x#end";
    assert_eq!(render(long, "").unwrap().len(), 1000);
}
