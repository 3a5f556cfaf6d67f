//! What every store must do, asked of each backend: memory, an SQLite file, and a real PostgreSQL server.

mod audit;
mod backend;
mod calls;
mod captions;
mod directory;
mod flags;
mod links;
mod postgres;
mod privacy;
mod roundtrip;
mod sample;
mod schema;
mod tls;
mod upkeep;

use backend::World;

/// Asks everything of every backend. Memory and SQLite answer in a test each; PostgreSQL in one test for all, as
/// each process has to start a server.
macro_rules! contract {
    ($($module:ident { $($name:ident)+ })+) => {
        mod memory {
            $(mod $module { $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $name() {
                    crate::$module::$name(crate::World::memory().await).await;
                }
            )+ })+
        }
        mod sqlite {
            $(mod $module { $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $name() {
                    crate::$module::$name(crate::World::sqlite().await).await;
                }
            )+ })+
        }
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn postgres_does_all_of_it() {
            let server = postgres::Server::start().await;
            $($(
                eprintln!("postgres: {}::{}", stringify!($module), stringify!($name));
                $module::$name(server.world().await).await;
            )+)+
        }
    };
}

contract! {
    audit {
        lines_are_found_by_time_and_type
    }
    calls {
        of_racing_calls_one_wins
        a_call_that_is_over_makes_room
        a_call_can_be_over_from_the_start
        ids_are_taken_once_and_parents_must_exist
        two_guests_sit_in_one_call
        nobody_sits_twice
        who_comes_back_keeps_the_row
        what_cannot_be_written_whole_is_not_written
        the_first_measurement_may_be_the_last
        measurements_are_found_by_the_calls_beginning
        history_is_paged_newest_first
        forgotten_calls_are_found
        live_calls_are_all_there_oldest_first
        strangers_and_odd_values_do_no_harm
    }
    captions {
        words_come_back_in_the_order_of_speech
        only_users_in_the_call_are_kept
    }
    directory {
        a_name_is_given_once
        people_are_found_by_the_beginning_of_their_names
        accounts_change
        members_are_told_by_role
        two_people_have_one_direct_conversation
        conversations_come_by_what_happened_last
    }
    flags {
        what_one_stores_another_reads
        several_are_changed_together
    }
    links {
        tokens_open_links_and_sessions_guests
        a_link_is_redeemed_as_often_as_it_may
        racing_guests_do_not_overdraw_a_link
        guests_who_sit_in_calls_are_counted
    }
    privacy {
        an_export_holds_what_is_kept_of_a_person
        erasure_leaves_rows_without_a_name
        a_deleted_user_is_nowhere
        a_deleted_guest_leaves_no_row
        a_deleted_conversation_takes_all_with_it
    }
    roundtrip {
        any_record_comes_back_as_it_was_written
    }
    upkeep {
        old_things_go_and_young_ones_stay
        guests_and_links_go_when_nothing_needs_them
        what_a_crash_left_is_put_right
        the_store_answers
    }
}

/// What only a database can do; in PostgreSQL on a server of its own test.
mod databases {
    use crate::{World, postgres::Server, schema};

    macro_rules! databases {
        ($($name:ident)+) => {
            mod sqlite {
                $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $name() {
                    super::schema::$name(super::World::sqlite().await).await;
                })+
            }
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres_does_all_of_it() {
                let server = Server::start().await;
                $(
                    eprintln!("postgres: {}", stringify!($name));
                    schema::$name(server.world().await).await;
                )+
            }
        };
    }

    databases! {
        migrations_run_once
        racing_starts_migrate_once
        the_first_schema_is_still_read
        captions_are_unreadable_in_the_table
        one_unreadable_call_does_not_hide_the_others
        operations_are_timed
    }
}
