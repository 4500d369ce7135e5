use std::io::Read;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use clap::Args;
use dayspring_stack::{FunctionName, HttpMethod, Route, Stage};
use serde_json::{Value, json};

use super::DeployedArgs;
use crate::aws::Aws;
use crate::error::Error;
use crate::render;
use crate::ui::Ui;

/// Call one function and print what it answers
///
/// The answer goes to standard output, the end of the call's log to standard error. Where the function fails, its error is
/// the answer, and the exit code is 2.
#[derive(Debug, Args)]
pub(crate) struct InvokeArgs {
    /// The function, as dayspring.toml names it
    function: String,
    #[command(flatten)]
    deployed: DeployedArgs,
    /// The event, as JSON: a file, or - for standard input. Otherwise the one that API Gateway makes of a request without
    /// body and parameters to the function's first route, and {} for a function without a route
    #[arg(long, value_name = "FILE")]
    payload: Option<PathBuf>,
    /// The event itself, as JSON
    #[arg(long, value_name = "JSON", conflicts_with = "payload")]
    data: Option<String>,
}

pub(crate) async fn invoke(ui: Ui, args: &InvokeArgs) -> Result<(), Error> {
    let stage = args.deployed.stage()?;
    let function = function(&stage, &args.function)?;
    let payload = match (&args.payload, &args.data) {
        (Some(file), _) => read(file)?,
        (None, Some(data)) => Bytes::from(data.clone()),
        (None, None) => Bytes::from(usual_event(&stage, &function).to_string()),
    };
    if let Err(problem) = serde_json::from_slice::<serde::de::IgnoredAny>(&payload) {
        return Err(Error::Payload {
            problem: problem.to_string(),
        });
    }
    let aws = Aws::connect(&args.deployed.target()).await?;
    let invoked = aws
        .lambda
        .invoke(&stage.function_name(&function), payload)
        .await?;
    for line in invoked.log_tail.lines() {
        if let Some(line) = render::log_line(function.as_str(), line) {
            ui.detail(&line);
        }
    }
    ui.result(&String::from_utf8_lossy(&invoked.payload));
    match invoked.function_error {
        None => Ok(()),
        Some(kind) => Err(Error::Function {
            name: function.to_string(),
            kind,
        }),
    }
}

/// The function of this name, if the stage has it.
pub(super) fn function(stage: &Stage, name: &str) -> Result<FunctionName, Error> {
    let functions = stage.functions();
    let found = functions.iter().find(|function| function.as_str() == name);
    found
        .map(|function| (*function).clone())
        .ok_or_else(|| Error::NoFunction {
            name: name.to_owned(),
            known: functions.iter().map(ToString::to_string).collect(),
        })
}

fn read(file: &Path) -> Result<Bytes, Error> {
    if file != "-" {
        return Ok(std::fs::read(file).map_err(Error::read(file))?.into());
    }
    let mut payload = Vec::new();
    std::io::stdin()
        .read_to_end(&mut payload)
        .map_err(Error::read("standard input"))?;
    Ok(payload.into())
}

fn usual_event(stage: &Stage, function: &FunctionName) -> Value {
    let route = stage
        .routes()
        .iter()
        .find(|route| route.function == *function);
    route.map_or_else(|| json!({}), |route| request_to(route, stage.api_stage()))
}

/// What API Gateway makes of a request without body and parameters
/// (docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html, "Input format").
fn request_to(route: &Route, api_stage: &str) -> Value {
    let path = format!("/{}", route.path.to_string().trim_start_matches('/'));
    let method = match route.method {
        HttpMethod::Any => "GET".to_owned(),
        method => method.to_string(),
    };
    json!({
        "resource": path,
        "path": path,
        "httpMethod": method,
        "headers": { "Accept": "application/json" },
        "multiValueHeaders": { "Accept": ["application/json"] },
        "queryStringParameters": null,
        "multiValueQueryStringParameters": null,
        "pathParameters": null,
        "stageVariables": null,
        "requestContext": {
            "resourcePath": path,
            "httpMethod": method,
            "path": format!("/{api_stage}{path}"),
            "stage": api_stage,
            "protocol": "HTTP/1.1",
            "identity": { "sourceIp": "127.0.0.1" },
        },
        "body": null,
        "isBase64Encoded": false,
    })
}
