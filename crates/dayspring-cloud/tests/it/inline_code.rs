//! Functions whose source is in the template, as custom resources that answer by the module that is put beside them.

use serde_json::json;

use crate::client::{Running, text_of};

const PYTHON: &str = "import cfnresponse\n\n\
    def handler(event, context):\n    \
    said = event['ResourceProperties'].get('Say', '')\n    \
    if said == 'no':\n        \
    cfnresponse.send(event, context, cfnresponse.FAILED, {}, 'thing', reason='it was told no')\n        \
    return\n    \
    cfnresponse.send(event, context, cfnresponse.SUCCESS, {'Said': 'python ' + said}, 'thing')\n";

const NODE: &str = "const response = require('cfn-response');\n\
    exports.handler = (event, context) => {\n  \
    const said = event.ResourceProperties.Say;\n  \
    if (said === 'no') return response.send(event, context, response.FAILED, {}, 'thing');\n  \
    return response.send(event, context, response.SUCCESS, { Said: 'node ' + said }, 'thing');\n};\n";

fn template(runtime: &str, source: &str, say: &str) -> String {
    json!({
        "Resources": {
            "Function": {"Type": "AWS::Lambda::Function", "Properties": {
                "Handler": "index.handler", "Runtime": runtime, "Timeout": 30,
                "Role": "arn:aws:iam::123456789012:role/any", "Code": {"ZipFile": source}}},
            "Thing": {"Type": "Custom::Thing", "Properties": {
                "ServiceToken": {"Fn::GetAtt": ["Function", "Arn"]}, "ServiceTimeout": 600, "Say": say}}
        },
        "Outputs": {"Said": {"Value": {"Fn::GetAtt": ["Thing", "Said"]}}}
    })
    .to_string()
}

fn answers_for_a_custom_resource(interpreter: &str, runtime: &str, source: &str, said: &str) {
    let path = std::env::var_os("PATH").unwrap_or_default();
    if !std::env::split_paths(&path).any(|folder| folder.join(interpreter).is_file()) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let cloud = Running::on(&folder);
    let send = |action: &str, say: &str| {
        let template = template(runtime, source, say);
        let fields = [("StackName", "inline"), ("TemplateBody", template.as_str())];
        let (status, body) = cloud.cloudformation(action, &fields);
        assert_eq!(status, 200, "{body}");
        cloud.settled("inline")
    };
    assert_eq!(send("CreateStack", "yes"), "CREATE_COMPLETE");
    let (_, body) = cloud.cloudformation("DescribeStacks", &[("StackName", "inline")]);
    assert_eq!(text_of(&body, "OutputValue"), said);
    assert_eq!(send("UpdateStack", "no"), "UPDATE_ROLLBACK_COMPLETE");
    cloud.stop();
}

#[test]
fn inline_python_answers_for_a_custom_resource() {
    answers_for_a_custom_resource("python3", "python3.13", PYTHON, "python yes");
}

#[test]
fn inline_javascript_answers_for_a_custom_resource() {
    answers_for_a_custom_resource("node", "nodejs22.x", NODE, "node yes");
}
