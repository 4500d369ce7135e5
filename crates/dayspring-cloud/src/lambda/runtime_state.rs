//! The Runtime API as a state machine: which call is allowed when, and AWS's answer to one that is not.
//!
//! Pure. The names of the states and the texts are those that AWS's own runtime interface emulator puts on the wire
//! (aws-lambda-runtime-interface-emulator, `core/runtime_state_names.go`, read 2026-11-22).

use ::http::StatusCode;

/// Where a runtime is between its start and its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RuntimeState {
    /// The process runs; it has not asked for an event.
    Started,
    /// It reported that it cannot start.
    InitError,
    /// It waits for an event.
    Ready,
    /// It has an event.
    Running,
    /// It answered the event and has not asked for the next.
    ResponseSent,
}

/// A call that changes the state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RuntimeCall<'a> {
    Next,
    Response { request_id: &'a str },
    Error { request_id: &'a str },
    InitError,
}

/// A call that is answered with an error. The state stays as it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    InvalidRequestId,
    NotAllowed {
        from: RuntimeState,
        to: &'static str,
    },
}

impl RuntimeState {
    /// The state after a call. `current` is the id of the event that was handed out last.
    pub(super) fn after(
        self,
        call: RuntimeCall<'_>,
        current: Option<&str>,
    ) -> Result<Self, Refusal> {
        let refused = |to| Err(Refusal::NotAllowed { from: self, to });
        match call {
            RuntimeCall::Next => match self {
                Self::Started | Self::Ready | Self::ResponseSent => Ok(Self::Ready),
                // The same event is handed out again.
                Self::Running => Ok(Self::Running),
                Self::InitError => refused("Ready"),
            },
            RuntimeCall::Response { request_id } | RuntimeCall::Error { request_id } => {
                // The id is looked at before the state, as in the emulator.
                if current != Some(request_id) {
                    return Err(Refusal::InvalidRequestId);
                }
                match self {
                    Self::Running => Ok(Self::ResponseSent),
                    Self::Started | Self::InitError | Self::Ready | Self::ResponseSent => {
                        refused(if matches!(call, RuntimeCall::Error { .. }) {
                            "InvocationErrorResponse"
                        } else {
                            "InvocationResponse"
                        })
                    }
                }
            }
            RuntimeCall::InitError => match self {
                Self::Started => Ok(Self::InitError),
                Self::InitError | Self::Ready | Self::Running | Self::ResponseSent => {
                    refused("InitError")
                }
            },
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Started => "Started",
            Self::InitError => "InitError",
            Self::Ready => "Ready",
            Self::Running => "Running",
            Self::ResponseSent => "RuntimeResponseSentState",
        }
    }
}

impl Refusal {
    /// The status and the body of the answer.
    pub(super) fn answer(self) -> (StatusCode, String) {
        match self {
            Self::InvalidRequestId => (
                StatusCode::BAD_REQUEST,
                error_body("Invalid request ID", "InvalidRequestID"),
            ),
            Self::NotAllowed { from, to } => (
                StatusCode::FORBIDDEN,
                error_body(
                    &format!(
                        "State transition from {} to {to} failed for runtime. Error: State transition is not allowed",
                        from.name()
                    ),
                    "InvalidStateTransition",
                ),
            ),
        }
    }
}

/// `{"errorMessage":...,"errorType":...}` and a line end, as the Runtime API writes its errors.
pub(super) fn error_body(message: &str, kind: &str) -> String {
    format!("{{\"errorMessage\":\"{message}\",\"errorType\":\"{kind}\"}}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `start call call ...` to the states that follow, or the answer that ends it.
    fn run(calls: &[RuntimeCall<'_>]) -> String {
        let mut state = RuntimeState::Started;
        let mut seen = String::new();
        for call in calls {
            let handed_out = (state == RuntimeState::Ready).then_some(RuntimeState::Running);
            state = match *call {
                // The event arrives: the shell makes this step itself.
                RuntimeCall::Next if handed_out.is_some() => RuntimeState::Running,
                _ => match state.after(*call, Some("id-1")) {
                    Ok(state) => state,
                    Err(refusal) => {
                        let (status, body) = refusal.answer();
                        return format!("{seen}{} {}", status.as_u16(), body.trim_end());
                    }
                },
            };
            seen.push_str(state.name());
            seen.push(' ');
        }
        seen
    }

    const NEXT: RuntimeCall<'_> = RuntimeCall::Next;
    const RESPONSE: RuntimeCall<'_> = RuntimeCall::Response { request_id: "id-1" };
    const ERROR: RuntimeCall<'_> = RuntimeCall::Error { request_id: "id-1" };

    #[test]
    fn a_runtime_asks_answers_and_asks_again() {
        assert_eq!(
            run(&[NEXT, NEXT, RESPONSE, NEXT]),
            "Ready Running RuntimeResponseSentState Ready "
        );
    }

    #[test]
    fn a_second_answer_is_refused() {
        assert_eq!(
            run(&[NEXT, NEXT, RESPONSE, RESPONSE]),
            "Ready Running RuntimeResponseSentState 403 {\"errorMessage\":\"State transition from RuntimeResponseSentState to InvocationResponse failed for runtime. Error: State transition is not allowed\",\"errorType\":\"InvalidStateTransition\"}"
        );
        assert!(run(&[NEXT, NEXT, ERROR, ERROR]).contains("to InvocationErrorResponse failed"));
    }

    #[test]
    fn an_unknown_request_id_is_refused_before_the_state_is_looked_at() {
        let stranger = RuntimeCall::Response { request_id: "id-2" };
        for calls in [&[stranger][..], &[NEXT, NEXT, RESPONSE, stranger][..]] {
            assert!(run(calls).ends_with(
                "400 {\"errorMessage\":\"Invalid request ID\",\"errorType\":\"InvalidRequestID\"}"
            ));
        }
    }

    #[test]
    fn a_failed_start_is_reported_once_and_only_before_the_first_event() {
        assert_eq!(run(&[RuntimeCall::InitError]), "InitError ");
        assert!(run(&[RuntimeCall::InitError, RuntimeCall::InitError]).contains("403"));
        assert!(run(&[NEXT, RuntimeCall::InitError]).contains("from Ready to InitError"));
        assert!(run(&[RuntimeCall::InitError, NEXT]).contains("from InitError to Ready"));
    }

    /// Each call in each state: the state after it, or the answer that refuses it.
    #[test]
    fn every_call_in_every_state_has_its_answer() {
        let mut table = Vec::new();
        for state in [
            RuntimeState::Started,
            RuntimeState::InitError,
            RuntimeState::Ready,
            RuntimeState::Running,
            RuntimeState::ResponseSent,
        ] {
            for (name, call) in [
                ("next", NEXT),
                ("response", RESPONSE),
                ("error", ERROR),
                ("init/error", RuntimeCall::InitError),
            ] {
                let after = match state.after(call, Some("id-1")) {
                    Ok(after) => after.name().to_owned(),
                    Err(refusal) => {
                        let (status, body) = refusal.answer();
                        let body = body.trim_end().replace(
                            "failed for runtime. Error: State transition is not allowed",
                            "...",
                        );
                        format!("{} {body}", status.as_u16())
                    }
                };
                table.push(format!("{} {name}: {after}", state.name()));
            }
        }
        insta::assert_snapshot!(table.join("\n"), @r#"
        Started next: Ready
        Started response: 403 {"errorMessage":"State transition from Started to InvocationResponse ...","errorType":"InvalidStateTransition"}
        Started error: 403 {"errorMessage":"State transition from Started to InvocationErrorResponse ...","errorType":"InvalidStateTransition"}
        Started init/error: InitError
        InitError next: 403 {"errorMessage":"State transition from InitError to Ready ...","errorType":"InvalidStateTransition"}
        InitError response: 403 {"errorMessage":"State transition from InitError to InvocationResponse ...","errorType":"InvalidStateTransition"}
        InitError error: 403 {"errorMessage":"State transition from InitError to InvocationErrorResponse ...","errorType":"InvalidStateTransition"}
        InitError init/error: 403 {"errorMessage":"State transition from InitError to InitError ...","errorType":"InvalidStateTransition"}
        Ready next: Ready
        Ready response: 403 {"errorMessage":"State transition from Ready to InvocationResponse ...","errorType":"InvalidStateTransition"}
        Ready error: 403 {"errorMessage":"State transition from Ready to InvocationErrorResponse ...","errorType":"InvalidStateTransition"}
        Ready init/error: 403 {"errorMessage":"State transition from Ready to InitError ...","errorType":"InvalidStateTransition"}
        Running next: Running
        Running response: RuntimeResponseSentState
        Running error: RuntimeResponseSentState
        Running init/error: 403 {"errorMessage":"State transition from Running to InitError ...","errorType":"InvalidStateTransition"}
        RuntimeResponseSentState next: Ready
        RuntimeResponseSentState response: 403 {"errorMessage":"State transition from RuntimeResponseSentState to InvocationResponse ...","errorType":"InvalidStateTransition"}
        RuntimeResponseSentState error: 403 {"errorMessage":"State transition from RuntimeResponseSentState to InvocationErrorResponse ...","errorType":"InvalidStateTransition"}
        RuntimeResponseSentState init/error: 403 {"errorMessage":"State transition from RuntimeResponseSentState to InitError ...","errorType":"InvalidStateTransition"}
        "#);
    }
}
