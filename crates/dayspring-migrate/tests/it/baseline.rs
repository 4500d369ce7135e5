//! A baseline that is cut off at any call: all of it is recorded, or nothing.

use dayspring_migrate::baseline::record_baseline;
use dayspring_migrate::{ScriptId, SessionError};
use tokio::sync::mpsc;

use crate::apply::{World, scripts};
use crate::direct::{Direct, Mortal, Side};

const FILES: [(&str, &str); 2] = [
    (
        "v1.sql",
        "CREATE TABLE t (n INT);\nINSERT INTO t VALUES (1);",
    ),
    ("v2.sql", "ALTER TABLE t ADD m INT;"),
];

const RECORDED: &str =
    "SELECT CONCAT(version, ' ', position, ' ', state) FROM dayspring_statement ORDER BY 1";

async fn record(session: &mut Mortal) -> Result<usize, dayspring_migrate::Error> {
    let at = ScriptId::parse("v2.sql").unwrap();
    record_baseline(session, &scripts(&FILES), at, "test").await
}

async fn mortal(world: &World, dies_at: u32, side: Side) -> (Mortal, mpsc::UnboundedReceiver<()>) {
    let (died, death) = mpsc::unbounded_channel();
    let session = Mortal {
        inner: Direct::connect(&world.opts).await,
        sends_together: false,
        sending: |_| {},
        calls: 0,
        dies_at,
        side,
        died,
    };
    (session, death)
}

/// Waits until the server has seen the end of the connection that the lease names: a baseline does not wait for it.
async fn wait_until_gone(world: &World) {
    if world.ask("SHOW TABLES LIKE 'dayspring_lease'").await == ["dayspring_lease"] {
        let lives = "SELECT COUNT(*) FROM information_schema.processlist WHERE id = \
                     (SELECT SUBSTRING_INDEX(connection, ' ', 1) FROM dayspring_lease)";
        while world.ask(lives).await != ["0"] {}
    }
}

/// Ends the world at every call; the next one records what is missing, at once.
async fn check(side: Side) {
    for dies_at in 1.. {
        let world = World::new().await;
        let (mut session, mut death) = mortal(&world, dies_at, side).await;
        let ended = tokio::select! {
            ended = record(&mut session) => Some(ended),
            _ = death.recv() => None,
        };
        let came_to_its_end = session.calls < dies_at;
        drop(session);
        wait_until_gone(&world).await;
        if world.ask("SHOW TABLES LIKE 'dayspring_statement'").await == ["dayspring_statement"] {
            let found = world.ask(RECORDED).await.len();
            assert!(found == 0 || found == 3, "call {dies_at} {side:?}: {found}");
            if let Some(Ok(count)) = ended {
                assert_eq!((count, found), (3, 3), "call {dies_at} {side:?}");
            }
        }
        let (mut next, _death) = mortal(&world, 0, Side::Before).await;
        let again = record(&mut next).await;
        assert!(
            matches!(again, Ok(0 | 3)),
            "call {dies_at} {side:?}: {again:?}"
        );
        assert_eq!(
            world.ask(RECORDED).await,
            ["1 1 applied", "1 2 applied", "2 1 applied"]
        );
        assert_eq!(world.apply(&FILES).await, "nothing to do, schema at v2");
        if came_to_its_end {
            assert!(dies_at > 10, "{dies_at}");
            return;
        }
    }
}

#[tokio::test]
async fn a_baseline_is_all_or_nothing_when_the_world_ends_before_any_call() {
    check(Side::Before).await;
}

#[tokio::test]
async fn a_baseline_is_all_or_nothing_when_the_world_ends_after_any_call() {
    check(Side::After).await;
}

#[tokio::test]
async fn a_baseline_is_all_or_nothing_when_any_answer_is_lost() {
    check(Side::AnswerLost).await;
}

#[tokio::test]
async fn a_baseline_whose_commit_gave_no_answer_finds_out_what_became_of_it() {
    for side in [Side::AnswerLost, Side::RequestLost] {
        // The call of the commit is the one at which the run goes on to a second try.
        let world = World::new().await;
        let (mut counting, _death) = mortal(&world, 0, Side::Before).await;
        assert_eq!(record(&mut counting).await, Ok(3));
        // After the commit only the lease is freed.
        let commit = counting.calls - 1;
        let world = World::new().await;
        let (mut session, _death) = mortal(&world, commit, side).await;
        let recorded = record(&mut session).await;
        assert!(
            !matches!(
                &recorded,
                Err(dayspring_migrate::Error::Session {
                    source: SessionError::Unknown { .. },
                    ..
                })
            ),
            "{side:?}: {recorded:?}"
        );
        assert_eq!(recorded, Ok(3), "{side:?}");
        assert_eq!(world.ask(RECORDED).await.len(), 3);
    }
}

#[tokio::test]
async fn a_baseline_need_not_wait_for_a_run_that_was_killed() {
    // At the first call after which it has the lease.
    for dies_at in 1.. {
        let world = World::new().await;
        let (mut first, mut death) = mortal(&world, dies_at, Side::After).await;
        tokio::select! {
            ended = record(&mut first) => panic!("{ended:?}"),
            _ = death.recv() => {}
        }
        let has_table = world.ask("SHOW TABLES LIKE 'dayspring_lease'").await;
        if has_table.is_empty() || world.ask("SELECT owner FROM dayspring_lease").await != ["test"]
        {
            continue;
        }
        drop(first);
        wait_until_gone(&world).await;
        let (mut next, _death) = mortal(&world, 0, Side::Before).await;
        assert_eq!(record(&mut next).await, Ok(3));
        return;
    }
}
