//! One binary for all functions: [`functions!`](crate::functions) makes its `main`, which runs the one that Lambda asks
//! for in `_HANDLER`.

mod event;
mod init;

use std::io::Write as _;
use std::pin::Pin;
use std::process::ExitCode;
use std::time::Duration;

use lambda_http::request::LambdaRequest;
use lambda_http::{Context, Request};
use lambda_runtime::tower::util::MapRequestLayer;
use lambda_runtime::{LambdaEvent, LambdaInvocation, Runtime, service_fn};

use crate::database::{Client, shared};
use crate::migrator::{self, Migrator};
use crate::{Error, Response, Result, log};

/// Declares the project's functions and makes `main`.
///
/// Each name is a module beside this file, with `pub async fn handler(event: Request, context: Context) ->
/// Result<Response>`. Lambda's `_HANDLER` for it is `NAME.handler`; the migrator is always there, as `dayspring.migrate`.
///
/// ```text
/// dayspring::functions! { get_posts, create_posts }
/// ```
#[macro_export]
macro_rules! functions {
    ($($name:ident),+ $(,)?) => {
        $(mod $name;)+

        fn main() -> ::std::process::ExitCode {
            $crate::function::main(&[
                $($crate::function::Function::new(
                    concat!(stringify!($name), ".handler"),
                    |event, context| ::std::boxed::Box::pin($name::handler(event, context)),
                )),+
            ])
        }
    };
}

/// The handler of the migrator, which every binary has.
const MIGRATE: &str = "dayspring.migrate";

/// How long a start waits for the connection to the Data API. Lambda gives a start 10 s; without a connection the first
/// call opens one.
const CONNECT_AHEAD_MAX: Duration = Duration::from_millis(1500);

type Handling = Pin<Box<dyn Future<Output = Result<Response>>>>;

/// A function of the project: its `_HANDLER` and what runs.
#[derive(Debug, Clone, Copy)]
pub struct Function {
    handler: &'static str,
    run: fn(Request, Context) -> Handling,
}

impl Function {
    /// Used by [`functions!`](crate::functions).
    #[must_use]
    pub const fn new(handler: &'static str, run: fn(Request, Context) -> Handling) -> Self {
        Self { handler, run }
    }
}

/// What this process was started for.
#[derive(Debug, Clone, Copy)]
enum Role {
    Function(Function),
    Migrator,
}

/// The `main` of a project's binary. Used by [`functions!`](crate::functions).
#[must_use]
pub fn main(functions: &[Function]) -> ExitCode {
    let known = known_handlers(functions);
    let argument = std::env::args().nth(1);
    if argument.as_deref() == Some("--list-handlers") {
        return print(&(known.join("\n") + "\n"));
    }
    if std::env::var_os("AWS_LAMBDA_RUNTIME_API").is_none() {
        tell(
            "error: this binary is started by AWS Lambda, or by `dayspring dev` on this machine\n \
             help: `--list-handlers` prints what it can run\n",
        );
        return ExitCode::from(1);
    }
    log::start(std::env::var("AWS_LAMBDA_LOG_LEVEL").ok().as_deref());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            tell(&format!("error: the event loop cannot start: {error}\n"));
            return ExitCode::from(2);
        }
    };
    let handler = std::env::var("_HANDLER").unwrap_or_default();
    runtime.block_on(async {
        let done = match role(functions, &handler) {
            Ok(Role::Function(function)) => serve(function).await,
            Ok(Role::Migrator) => serve_migrator().await,
            Err(error) => {
                tracing::error!(%error, help = error.help(), "init failed");
                init::report(&error).await;
                return ExitCode::from(1);
            }
        };
        match done {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                tracing::error!(%error, "the runtime ended");
                ExitCode::from(2)
            }
        }
    })
}

fn known_handlers(functions: &[Function]) -> Vec<&'static str> {
    functions
        .iter()
        .map(|function| function.handler)
        .chain([MIGRATE])
        .collect()
}

fn role(functions: &[Function], handler: &str) -> Result<Role, Error> {
    if handler == MIGRATE {
        return Ok(Role::Migrator);
    }
    functions
        .iter()
        .find(|function| function.handler == handler)
        .map(|function| Role::Function(*function))
        .ok_or_else(|| Error::UnknownHandler {
            handler: handler.to_owned(),
            known: known_handlers(functions)
                .into_iter()
                .map(str::to_owned)
                .collect(),
        })
}

async fn serve(function: Function) -> Result<(), lambda_runtime::Error> {
    // A function that was deployed without a database has no client, and its first use of one tells.
    if let Ok(client) = shared() {
        connect_ahead(&client).await;
    }
    let cors = event::Cors::read(|name| std::env::var(name).ok());
    let name = function
        .handler
        .strip_suffix(".handler")
        .unwrap_or(function.handler);
    let service = service_fn(|invocation: LambdaEvent<LambdaRequest>| {
        let cors = cors.clone();
        async move {
            let LambdaEvent { payload, context } = invocation;
            let request = event::request(payload, &context);
            let response = (function.run)(request, context)
                .await
                .unwrap_or_else(crate::Failure::into_response);
            settle().await;
            Ok::<_, lambda_runtime::Error>(event::answer(response, &cors))
        }
    });
    Runtime::new(service).layer(announced(name)).run().await
}

/// Says which invocation the following lines of the log belong to before its event is read: one that cannot be read is
/// told of too.
fn announced(
    name: &'static str,
) -> MapRequestLayer<impl Fn(LambdaInvocation) -> LambdaInvocation + Clone> {
    MapRequestLayer::new(move |invocation: LambdaInvocation| {
        log::enter(&invocation.context.request_id, name);
        invocation
    })
}

async fn serve_migrator() -> Result<(), lambda_runtime::Error> {
    let migrator = Migrator::from_variables(|name| std::env::var(name).ok());
    if let Ok(migrator) = &migrator {
        connect_ahead(migrator.client()).await;
    }
    let service = service_fn(async |invocation: LambdaEvent<serde_json::Value>| {
        let LambdaEvent { payload, context } = invocation;
        migrator::handle(migrator.as_ref(), payload, &context)
            .await
            .map_err(|error| lambda_runtime::Diagnostic {
                error_type: "Dayspring.Migration".to_owned(),
                error_message: error.to_string(),
            })
    });
    Runtime::new(service).layer(announced(MIGRATE)).run().await
}

/// Connects while Lambda still gives a start its full CPU. With a Data API that cannot be reached a function starts all
/// the same: its first statement tells.
async fn connect_ahead(client: &Client) {
    if let Err(error) = client.connect_ahead(CONNECT_AHEAD_MAX).await {
        tracing::debug!(?error, "no connection to the Data API yet");
    }
}

async fn settle() {
    if let Ok(client) = shared() {
        client.settle().await;
    }
}

fn print(text: &str) -> ExitCode {
    match std::io::stdout().write_all(text.as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::from(2),
    }
}

fn tell(text: &str) {
    // Standard error is the last place to tell anything.
    drop(std::io::stderr().write_all(text.as_bytes()));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn functions() -> [Function; 2] {
        let run = |_: Request, _: Context| -> Handling {
            Box::pin(async { Ok(crate::answer::no_content()) })
        };
        [
            Function::new("get_posts.handler", run),
            Function::new("create_posts.handler", run),
        ]
    }

    #[test]
    fn the_handler_names_the_function_or_the_migrator() {
        assert!(matches!(
            role(&functions(), "create_posts.handler"),
            Ok(Role::Function(Function {
                handler: "create_posts.handler",
                ..
            }))
        ));
        assert!(matches!(
            role(&functions(), "dayspring.migrate"),
            Ok(Role::Migrator)
        ));
    }

    #[tokio::test]
    async fn a_line_about_an_event_that_cannot_be_read_has_its_own_id() {
        use lambda_runtime::Service as _;
        use lambda_runtime::tower::Layer as _;

        // It stands for the runtime, which reads the event.
        let unreadable =
            service_fn(async |_: LambdaInvocation| Err::<(), _>(log::request_id().unwrap()));
        let mut service = announced("get_posts").layer(unreadable);
        for id in ["r-1", "r-2"] {
            let mut context = Context::default();
            id.clone_into(&mut context.request_id);
            let invocation = LambdaInvocation {
                parts: http::Response::new(()).into_parts().0,
                body: bytes::Bytes::from_static(b"1"),
                context,
            };
            assert_eq!(service.call(invocation).await, Err(id.to_owned()));
        }
    }

    #[test]
    fn an_unknown_handler_is_told_what_there_is() {
        insta::assert_snapshot!(
            role(&functions(), "get_post.handler").unwrap_err(),
            @"this binary has no handler `get_post.handler`; it has get_posts.handler, create_posts.handler, dayspring.migrate"
        );
    }
}
