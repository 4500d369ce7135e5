//! The migrator: the Lambda function behind the template's custom resource. It reads the scripts from its layer, has the
//! engine apply them over the Data API, and answers CloudFormation.
//!
//! Someone waits for the answer, up to an hour, and shows nothing meanwhile. So whatever happens, one goes out:
//!
//! 1. The work ends twenty seconds before Lambda would end the process, and what is left of the time is the answer's.
//! 2. A Delete is a success at once: a stack whose database is gone must still go.
//! 3. A failure is an answer too, so the invocation succeeds: an invocation that fails is repeated by Lambda, twice. That is
//!    kept for the one case where it helps, an answer that could not be delivered.
//! 4. A migration that needs longer than an invocation may run is handed over to the next (`hand_over`), and so is one that
//!    another migrator keeps waiting: the same event, delivered twice at once, is answered by both with the same success.
//! 5. The functions' account is made before the first script runs (`function_user`).
//! 6. A repeated invocation repeats nothing: the engine's journal says what is left.

mod answer;
mod aws;
mod event;
mod function_user;
mod hand_over;
mod rebuild;
mod session;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use dayspring_migrate::{
    Event, Mode, Options, Outcome as Applied, Quiet, Report, apply, read_folder, render_failure,
};
use lambda_http::Context;
use serde_json::Value;
use tokio::time::{Instant, timeout_at};

use crate::database::{Client, Settings, deadline};
use crate::{Error, log};
use answer::{Data, Outcome};
use aws::Service;
use event::{Call, RequestType};
use hand_over::{HandOver, Invoker, Left};
pub use session::DataApiSession;

/// What is kept of Lambda's time for the answer and its repetitions; of a short time, a quarter.
const TIME_TO_ANSWER: Duration = Duration::from_secs(20);

/// A reason of this many bytes fits the answer's 4096 together with the ids, newlines escaped.
const REASON_BYTES_MAX: usize = 3000;

/// Where a Lambda layer is mounted
/// (<https://docs.aws.amazon.com/lambda/latest/dg/packaging-layers.html>, read 2026-11-22).
const LAYER_ROOT: &str = "/opt";

/// A migrator, made once for a process.
#[derive(Debug, Clone)]
pub struct Migrator {
    client: Arc<Client>,
    /// Where the scripts are on the disk.
    folder: PathBuf,
    /// What messages call that folder: its path in the project.
    shown: String,
    mode: Mode,
    /// Secrets Manager, for the functions' account.
    secrets: Arc<Service>,
    /// How it hands over; nothing where no function runs it.
    invoker: Option<Arc<Invoker>>,
}

impl Migrator {
    /// A migrator from variables that are looked up by name: those of [`Database::connect`](crate::Database::connect),
    /// `DAYSPRING_SCRIPTS` (the scripts' folder, as the project calls it and as it is in the layer),
    /// `DAYSPRING_DEVELOPMENT` (`true` where an applied script may grow), and `DAYSPRING_LAYER_ROOT` where the layer is
    /// not mounted at `/opt`.
    ///
    /// # Errors
    ///
    /// [`Error::Environment`] for a variable that is missing or wrong.
    pub fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Result<Self, Error> {
        let shown = variable("DAYSPRING_SCRIPTS").ok_or_else(|| Error::Environment {
            variable: "DAYSPRING_SCRIPTS",
            problem: "is not set".to_owned(),
        })?;
        let root = variable("DAYSPRING_LAYER_ROOT").unwrap_or_else(|| LAYER_ROOT.to_owned());
        let mode = match variable("DAYSPRING_DEVELOPMENT").as_deref() {
            Some("true") => Mode::Development,
            _ => Mode::Strict,
        };
        let settings = Settings::read(&variable)?;
        Ok(Self {
            folder: PathBuf::from(root).join(&shown),
            secrets: Arc::new(Service::new(
                "secretsmanager",
                "AWS_ENDPOINT_URL_SECRETS_MANAGER",
                &variable,
                &settings,
            )?),
            invoker: Invoker::from_variables(variable, &settings)?.map(Arc::new),
            client: Arc::new(Client::new(settings)),
            shown,
            mode,
        })
    }

    pub(crate) fn client(&self) -> &Client {
        &self.client
    }
}

/// Handles an invocation: CloudFormation's request is answered at its URL; any other event is a call to migrate, whose
/// report is the payload. `migrator` may be the error that kept it from being made, which is then the answer.
///
/// # Errors
///
/// [`Error::Event`] for an event that is not understood, [`Error::AnswerNotDelivered`], and for a direct call
/// [`Error::Migration`] with the text for a reader.
pub async fn handle(
    migrator: Result<&Migrator, &Error>,
    event: Value,
    context: &Context,
) -> Result<Value, Error> {
    let now = Instant::now();
    let deadline = deadline(context, SystemTime::now(), now);
    let until = deadline.map(|deadline| work_until(now, deadline));
    let call = event::parse(event.clone())?;
    // CloudFormation's wait is counted from the beginning, not from when the time is up.
    let handed_over = match &call {
        Call::Resource(request) => Some(HandOver::of(
            &event,
            &request.resource_properties,
            SystemTime::now(),
        )),
        Call::Direct => None,
    };
    let misread = match &call {
        Call::Resource(request) => request.misread.as_deref(),
        Call::Direct => None,
    };
    let outcome = match (migrator, &call, misread) {
        (_, Call::Resource(request), _) if request.request_type == RequestType::Delete => {
            Outcome::Success(None)
        }
        (_, _, Some(problem)) => Outcome::Failed {
            reason: format!(
                "error: the migrator does not understand the properties of this resource: {problem}\n \
                 note: no script was run\n \
                 help: `Database`, `Phase`, `FunctionSecret` and `Rebuild` are texts in the template"
            ),
        },
        (Ok(migrator), call, None) => {
            let times = Times { until, deadline };
            let mut left = Left {
                applied: handed_over.map_or(0, |handed_over| handed_over.applied),
                quiet: handed_over.and_then(|handed_over| handed_over.quiet.map(Quiet::from)),
            };
            match migrate(migrator, call, context, times, &mut left).await {
                Ended::Answered(outcome) => outcome,
                Ended::Unfinished(state) => {
                    let handed_over =
                        hand_over(migrator, handed_over, left, &event, deadline).await;
                    migrator.client.settle().await;
                    match handed_over {
                        Ok(number) => {
                            tracing::info!(number, "handed over to a fresh invocation: {state}");
                            return Ok(Value::Null);
                        }
                        Err(problem) => Outcome::Failed {
                            reason: out_of_time(&state, problem.as_deref()),
                        },
                    }
                }
            }
        }
        (Err(error), _, None) => Outcome::Failed {
            reason: reason(error),
        },
    };
    log_outcome(&outcome);
    let payload = match &outcome {
        Outcome::Success(data) => serde_json::to_value(data).unwrap_or_default(),
        Outcome::Failed { .. } => Value::Null,
    };
    match (call, outcome) {
        (Call::Resource(request), outcome) => {
            let body = answer::render(&request, &outcome);
            answer::deliver(&request.response_url, body, deadline).await?;
        }
        (Call::Direct, Outcome::Failed { reason }) => {
            return Err(Error::Migration { report: reason });
        }
        (Call::Direct, Outcome::Success(_)) => {}
    }
    if let Ok(migrator) = migrator {
        migrator.client.settle().await;
    }
    Ok(payload)
}

/// When the work must end for the answer to go out in time.
fn work_until(now: Instant, deadline: Instant) -> Instant {
    let left = deadline.saturating_duration_since(now);
    now + (left - TIME_TO_ANSWER.min(left / 4))
}

/// When work and process end.
#[derive(Debug, Clone, Copy)]
struct Times {
    until: Option<Instant>,
    deadline: Option<Instant>,
}

/// How the work of an invocation ended.
enum Ended {
    /// With what can be answered.
    Answered(Outcome),
    /// Before its end: the next invocation carries on. The text says how far it came.
    Unfinished(String),
}

impl Ended {
    fn failed(error: &dayspring_migrate::Error) -> Self {
        Self::Answered(Outcome::Failed {
            reason: render_failure(error, REASON_BYTES_MAX),
        })
    }
}

/// Migrates. `left` is what the invocations before this one left to it, and becomes what it leaves to the next.
async fn migrate(
    migrator: &Migrator,
    call: &Call,
    context: &Context,
    times: Times,
    left: &mut Left,
) -> Ended {
    let scripts = match read_folder(&migrator.folder, &migrator.shown) {
        Ok(scripts) => scripts,
        Err(error) => return Ended::failed(&error.into()),
    };
    let Times { until, deadline } = times;
    if let Call::Resource(request) = call
        && request.resource_properties.rebuild.is_some()
        && migrator.mode == Mode::Development
        && let Err(problem) = rebuild::if_needed(&migrator.client, &scripts, times).await
    {
        return Ended::Answered(Outcome::Failed {
            reason: format!("error: {problem}"),
        });
    }
    if let Call::Resource(request) = call
        && let Some(secret) = &request.resource_properties.function_secret
        && let Err(problem) =
            function_user::ensure(&migrator.client, &migrator.secrets, secret, until).await
    {
        return Ended::Answered(Outcome::Failed {
            reason: format!(
                "error: {problem}\n note: no script was run\n help: deploy again when that is mended"
            ),
        });
    }
    let time = until.map(|until| until.saturating_duration_since(Instant::now()));
    let mut options = options(migrator.mode, owner(context, SystemTime::now()), time);
    options.was_quiet = left.quiet;
    if let Call::Resource(request) = call {
        options.phase = request.resource_properties.phase();
        // It hands over rather than to answer that another migrator is at work.
        options.lease_wait = time.unwrap_or(options.lease_wait);
    }
    let mut session = DataApiSession::new(migrator.client.clone(), until, deadline);
    // What was applied is known also where the time ends the work.
    let mut observer = |event: Event<'_>| {
        if let Event::Applied { first, last, .. } = event {
            left.applied += last + 1 - first;
        }
        log_event(event);
    };
    let work = apply(&mut session, &scripts, &options, &mut observer);
    let ended = match until {
        Some(until) => timeout_at(until, work).await,
        None => Ok(work.await),
    };
    match ended {
        Ok(Ok(Applied::Done(report))) => Ended::Answered(Outcome::Success(Some(data(&Report {
            applied: left.applied,
            ..report
        })))),
        Ok(Ok(Applied::HandOver { report, quiet })) => {
            left.quiet = quiet;
            Ended::Unfinished(report.to_string())
        }
        Ok(Ok(Applied::Rebuild(refusal))) => match call {
            // The rollback of a deployment that had the database made anew: a stack must not be stuck in it.
            Call::Resource(request) if request.old_resource_properties.rebuild.is_some() => {
                Ended::Answered(Outcome::Success(Some(Data {
                    report:
                        "the schema is that of other scripts: the database was made anew from them"
                            .to_owned(),
                    version: 0,
                    applied: 0,
                })))
            }
            _ => Ended::failed(&refusal.into()),
        },
        Ok(Err(error)) => Ended::failed(&error),
        Err(_) => Ended::Unfinished(
            "a statement is still running, or the database does not answer".to_owned(),
        ),
    }
}

/// Invokes the next migrator and says which it is. Where that cannot be done: why, if it was to be.
async fn hand_over(
    migrator: &Migrator,
    handed_over: Option<HandOver>,
    left: Left,
    event: &Value,
    deadline: Option<Instant>,
) -> Result<u32, Option<String>> {
    let (Some(handed_over), Some(invoker)) = (handed_over, &migrator.invoker) else {
        return Err(None);
    };
    let Some(next) = handed_over.next_event(event, left, SystemTime::now()) else {
        return Err(Some("CloudFormation does not wait any longer".to_owned()));
    };
    // What is left after this is the answer's, if the invocation fails.
    let until = deadline.map(|deadline| work_until(Instant::now(), deadline));
    match invoker.invoke(&next, until).await {
        Ok(()) => Ok(handed_over.number + 1),
        Err(problem) => Err(Some(format!("it could not be handed over: {problem}"))),
    }
}

/// The engine's usual ways, within what is left: a migrator with a short timeout must not hand over before it began.
fn options(mode: Mode, owner: String, left: Option<Duration>) -> Options {
    let mut options = Options::new(owner);
    options.mode = mode;
    if let Some(left) = left {
        options.reserve = options.reserve.min(left / 4);
        options.poll = options.poll.min(left / 20);
        options.lease_wait = options.lease_wait.min(left / 2);
    }
    options
}

/// Lambda repeats an invocation under the same request id, and each is a run of its own.
fn owner(context: &Context, now: SystemTime) -> String {
    format!("request {} of {}", context.request_id, log::timestamp(now))
}

fn data(report: &Report) -> Data {
    Data {
        report: report.to_string(),
        version: report.version.map_or(0, |version| version.number()),
        applied: report.applied,
    }
}

fn out_of_time(state: &str, problem: Option<&str>) -> String {
    let problem = problem.map_or_else(String::new, |problem| format!("\n note: {problem}"));
    format!(
        "error: the migration did not finish in the migrator's time: {state}{problem}\n \
         help: deploy again, it carries on where this one stopped"
    )
}

fn reason(error: &Error) -> String {
    match error.help() {
        Some(help) => format!("error: {error}\n help: {help}"),
        None => format!("error: {error}"),
    }
}

fn log_outcome(outcome: &Outcome) {
    match outcome {
        Outcome::Success(Some(data)) => tracing::info!(
            version = data.version,
            applied = data.applied,
            "{}",
            data.report
        ),
        Outcome::Success(None) => tracing::info!("nothing is migrated for a delete"),
        Outcome::Failed { reason } => tracing::error!("{reason}"),
    }
}

fn log_event(event: Event<'_>) {
    match event {
        Event::Planned { steps, applied } => tracing::info!(steps, applied, "planned"),
        Event::Waiting {
            owner,
            expires_in_seconds,
        } => tracing::info!(owner, expires_in_seconds, "waiting for another migrator"),
        Event::Started {
            path,
            line,
            number,
            total,
        } => tracing::info!(path, line, number, total, "statement started"),
        Event::Applied { path, first, last } => tracing::info!(path, first, last, "applied"),
        Event::Settled {
            path,
            number,
            applied,
        } => tracing::info!(path, number, applied, "settled what an earlier run began"),
        Event::Following {
            path,
            number,
            doing,
        } => tracing::info!(path, number, doing, "still running"),
        other => tracing::info!("{other:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_keeps_twenty_seconds_and_a_quarter_of_a_short_time() {
        let now = Instant::now();
        let check = |total: u64, work_ms: u64| {
            let until = work_until(now, now + Duration::from_secs(total));
            assert_eq!(until - now, Duration::from_millis(work_ms));
        };
        check(900, 880_000);
        check(80, 60_000);
        check(30, 22_500);
        check(0, 0);
    }

    #[test]
    fn a_short_time_is_not_handed_over_before_it_began() {
        let options = options(Mode::Strict, String::new(), Some(Duration::from_secs(22)));
        assert!(options.reserve < Duration::from_secs(22));
        assert!(options.lease_wait < Duration::from_secs(22));
    }

    #[test]
    fn two_runs_of_one_request_have_two_names() {
        let context = Context::default();
        let now = SystemTime::UNIX_EPOCH;
        assert_ne!(
            owner(&context, now),
            owner(&context, now + Duration::from_millis(1))
        );
    }
}
