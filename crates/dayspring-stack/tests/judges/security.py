"""Has checkov, cdk-nag and cfn-guard judge templates, and prints what they find as JSON: {template: {rule: [resources]}}.

usage: security.py CFN_GUARD RULES TEMPLATE...

The Python that runs it has checkov, cdk-nag and aws-cdk-lib beside it. CFN_GUARD is the executable, RULES a folder of its
rules.
"""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path


def checkov(template):
    command = [str(Path(sys.executable).with_name("checkov")), "-f", template, "--framework", "cloudformation"]
    options = ["--compact", "--quiet", "--output", "json", "--skip-download"]
    output = subprocess.run(command + options, capture_output=True, text=True).stdout
    for finding in json.loads(output)["results"]["failed_checks"]:
        yield finding["check_id"], finding["resource"].rsplit(".", 1)[-1]


def cdk_nag(template):
    import aws_cdk
    from aws_cdk.cloudformation_include import CfnInclude
    from cdk_nag import AwsSolutionsChecks

    with tempfile.TemporaryDirectory() as folder:
        app = aws_cdk.App(outdir=folder)
        CfnInclude(aws_cdk.Stack(app, "Stack"), "Template", template_file=template)
        aws_cdk.Validations.of(app).add_plugins(AwsSolutionsChecks())
        try:
            app.synth()
        except RuntimeError:
            pass  # There are findings, and they are in the report.
        report = json.loads((Path(folder) / "validation-report.json").read_text())
    for plugin in report["pluginReports"]:
        if plugin["pluginName"] != "AwsSolutions":
            continue
        for violation in plugin["violations"]:
            # `AwsSolutions-IAM4[Policy::...]` names what it found.
            rule = violation["ruleName"].removeprefix("AwsSolutions::").split("[")[0]
            for construct in violation["violatingConstructs"]:
                yield rule, construct["constructPath"].rsplit("/", 1)[-1]


def cfn_guard(guard, rules, template):
    command = [guard, "validate", "-d", template, "-r", rules]
    options = ["--structured", "--output-format", "json", "--show-summary", "none"]
    output = subprocess.run(command + options, capture_output=True, text=True).stdout
    for report in json.loads(output):
        for rule in report["not_compliant"]:
            text = json.dumps(rule)
            for resource in re.findall(r"/Resources/(\w+)", text):
                yield re.search(r"CT\.\w+\.PR\.\d+", text).group(), resource


def main():
    guard, rules, *templates = sys.argv[1:]
    found = {}
    for template in templates:
        findings = [*checkov(template), *cdk_nag(template), *cfn_guard(guard, rules, template)]
        by_rule = {}
        for rule, resource in findings:
            by_rule.setdefault(rule, set()).add(resource)
        found[template] = {rule: sorted(resources) for rule, resources in sorted(by_rule.items())}
    # jsii's own output goes to standard error.
    print(json.dumps(found, indent=1))


main()
