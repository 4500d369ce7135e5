//! Whether a statement may leave something in its session that its own text does not show: a function or a trigger that it
//! calls can set a variable or take a lock. Where there are such, every session is reset before somebody else has it.

use std::sync::{Mutex, MutexGuard};

use mysql_async::Conn;
use mysql_async::prelude::Queryable as _;

/// A cluster's functions, procedures and triggers, as far as it matters whether there are any.
#[derive(Debug, Default)]
pub(super) struct Routines {
    // Never held across an await.
    state: Mutex<State>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum State {
    #[default]
    Unknown,
    /// Somebody is asking the server.
    Asking,
    None,
    /// There are some, or there were.
    Some,
}

impl Routines {
    /// Of a server that others make some in without being seen.
    pub(super) fn unseen() -> Self {
        Self {
            state: Mutex::new(State::Some),
        }
    }

    /// Whether there are some, as long as the contrary is not known.
    pub(super) fn may_be(&self) -> bool {
        *self.state() != State::None
    }

    /// A statement is about to run that may make one.
    pub(super) fn made(&self) {
        *self.state() = State::Some;
    }

    /// Asks the server, once.
    pub(super) async fn look(&self, connection: impl AsyncFnOnce() -> Option<Conn>) {
        {
            let mut state = self.state();
            if *state != State::Unknown {
                return;
            }
            *state = State::Asking;
        }
        let found = match connection().await {
            Some(mut connection) => {
                let found = ask(&mut connection).await;
                // It has answered, or it is gone.
                drop(connection.disconnect().await);
                found
            }
            None => State::Unknown,
        };
        let mut state = self.state();
        // One may have been made meanwhile.
        if *state == State::Asking {
            *state = found;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nothing panics while it is held")
    }
}

async fn ask(connection: &mut Conn) -> State {
    const SQL: &str = "SELECT EXISTS (SELECT 1 FROM information_schema.routines WHERE routine_schema NOT IN ('mysql', 'sys')) \
         OR EXISTS (SELECT 1 FROM information_schema.triggers WHERE trigger_schema NOT IN ('mysql', 'sys'))";
    match connection.query_first::<bool, _>(SQL).await {
        Ok(Some(false)) => State::None,
        Ok(_) => State::Some,
        Err(_) => State::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_may_be() {
        let routines = Routines::default();
        assert!(routines.may_be());
        *routines.state() = State::None;
        assert!(!routines.may_be());
        routines.made();
        assert!(routines.may_be());
        assert!(Routines::unseen().may_be());
    }
}
