use dayspring_stack::{
    AssetHome, Assets, Digest, File, Overrides, Project, Qualifier, archive_name, assembly,
    synthesize,
};
use serde_json::Value;

fn files() -> Vec<File> {
    files_in(AssetHome::Own)
}

fn files_in(asset_home: AssetHome) -> Vec<File> {
    let text = r#"
        name = "blog"
        [tags]
        team = "blog"
        [routes]
        posts = [{ method = "GET", function = "get_posts" }]
    "#;
    let project = Project::parse("dayspring.toml", text, &["get_posts"]).unwrap();
    let overrides = Overrides {
        asset_home,
        ..Overrides::default()
    };
    let stage = project.stage("dev", &overrides).unwrap();
    let template = synthesize(&stage, &assets());
    assembly(&stage, &template, &assets())
}

fn assets() -> Assets {
    Assets {
        code: Digest::of(b"code"),
        scripts: Digest::of(b"scripts"),
        contract: false,
    }
}

fn json(name: &str) -> Value {
    let files = files();
    let file = files.iter().find(|file| file.name == name).unwrap();
    serde_json::from_slice(&file.bytes).unwrap()
}

#[test]
fn an_assembly_is_the_same_twice() {
    assert_eq!(files(), files());
}

#[test]
fn the_manifest_names_the_template_and_needs_no_bootstrap() {
    let manifest = json("manifest.json");
    assert_eq!(manifest["version"], "36.0.0");
    let stack = &manifest["artifacts"]["blog-dev"];
    assert_eq!(stack["type"], "aws:cloudformation:stack");
    assert_eq!(stack["environment"], "aws://unknown-account/unknown-region");
    assert_eq!(
        stack["properties"]["templateFile"],
        "blog-dev.template.json"
    );
    assert_eq!(stack["properties"]["tags"]["team"], "blog");
    assert_eq!(stack["dependencies"][0], "blog-dev.assets");
    assert_eq!(
        manifest["artifacts"]["blog-dev.assets"]["properties"]["file"],
        "blog-dev.assets.json"
    );
    assert!(!manifest.to_string().contains("bootstrap"));
}

#[test]
fn with_a_bootstrapped_account_its_bucket_and_roles_are_used() {
    let files = files_in(AssetHome::Bootstrapped(Qualifier::default()));
    let json = |name: &str| -> Value {
        let file = files.iter().find(|file| file.name == name).unwrap();
        serde_json::from_slice(&file.bytes).unwrap()
    };
    let role = |name: &str| {
        format!(
            "arn:${{AWS::Partition}}:iam::${{AWS::AccountId}}:role/cdk-hnb659fds-{name}-role-${{AWS::AccountId}}-${{AWS::Region}}"
        )
    };
    let bucket = "cdk-hnb659fds-assets-${AWS::AccountId}-${AWS::Region}";
    let manifest = json("manifest.json");
    let stack = &manifest["artifacts"]["blog-dev"]["properties"];
    assert_eq!(stack["assumeRoleArn"], role("deploy"));
    assert_eq!(stack["cloudFormationExecutionRoleArn"], role("cfn-exec"));
    assert_eq!(stack["lookupRole"]["arn"], role("lookup"));
    assert_eq!(stack["requiresBootstrapStackVersion"], 6);
    assert_eq!(
        stack["bootstrapStackVersionSsmParameter"],
        "/cdk-bootstrap/hnb659fds/version"
    );
    for asset in json("blog-dev.assets.json")["files"]
        .as_object()
        .unwrap()
        .values()
    {
        let destination = &asset["destinations"]["current"];
        assert_eq!(destination["bucketName"], bucket);
        assert_eq!(destination["assumeRoleArn"], role("file-publishing"));
    }
    let code =
        &json("blog-dev.template.json")["Resources"]["FunctionGetPosts"]["Properties"]["Code"];
    assert_eq!(code["S3Bucket"]["Fn::Sub"], bucket);
}

#[test]
fn every_asset_is_an_archive_or_a_file_of_the_assembly_under_its_digest() {
    let files = files();
    let manifest = json("blog-dev.assets.json");
    let listed = manifest["files"].as_object().unwrap();
    assert_eq!(listed.len(), 3, "code, scripts and template");
    let Assets { code, scripts, .. } = assets();
    for (digest, asset) in listed {
        let path = asset["source"]["path"].as_str().unwrap();
        match files.iter().find(|file| file.name == path) {
            Some(file) => assert_eq!(&Digest::of(&file.bytes).to_string(), digest),
            None => assert!(
                [&code, &scripts]
                    .iter()
                    .any(|archive| { archive.as_str() == digest && archive_name(archive) == path })
            ),
        }
        let destination = &asset["destinations"]["current"];
        assert_eq!(
            destination["bucketName"],
            "dayspring-assets-${AWS::AccountId}-${AWS::Region}"
        );
        assert!(
            destination["objectKey"]
                .as_str()
                .unwrap()
                .starts_with(&format!("blog/{digest}."))
        );
    }
}

#[test]
fn the_template_takes_its_code_from_where_the_assets_go() {
    let template = json("blog-dev.template.json");
    let assets = json("blog-dev.assets.json");
    let keys: Vec<&str> = assets["files"]
        .as_object()
        .unwrap()
        .values()
        .map(|asset| {
            asset["destinations"]["current"]["objectKey"]
                .as_str()
                .unwrap()
        })
        .collect();
    let resources = &template["Resources"];
    let code = &resources["FunctionGetPosts"]["Properties"]["Code"];
    assert!(keys.contains(&code["S3Key"].as_str().unwrap()));
    let scripts = resources["ScriptsLayer"]["Properties"]["Content"]["S3Key"]
        .as_str()
        .unwrap();
    assert!(keys.contains(&scripts));
    let digest = resources["Migration"]["Properties"]["ScriptsDigest"]
        .as_str()
        .unwrap();
    assert_eq!(scripts, format!("blog/{digest}.zip"));
}

#[test]
fn the_manifest_comes_last() {
    assert_eq!(files().last().unwrap().name, "manifest.json");
}
