"""Changes of a schema, each with what the comparison has to say of it. All are carried out on a real database."""

INCOMPATIBLE: dict[str, tuple[str, str]] = {
    "a table is dropped": ("drop table reset_links", "table reset_links is gone"),
    "a table is renamed": ("alter table reset_links rename to links", "table reset_links is gone"),
    "a column is dropped": ("alter table documents drop column notes", "table documents: column notes is gone"),
    "a column is renamed": ("alter table messages rename content to body", "table messages: column content is gone"),
    "a type is another": (
        "alter table documents alter size type numeric",
        "table documents: column size was bigint and is numeric",
    ),
    "a type is wider, and writes the table anew": (
        "alter table documents alter chunks type bigint",
        "table documents: column chunks was integer and is bigint",
    ),
    "a text is bounded": (
        "alter table messages alter model type varchar(40)",
        "table messages: column model was character varying and is character varying(40)",
    ),
    "a column is needed": (
        "alter table documents add column place text not null",
        "table documents: column place is new, and an older insert gives it no value",
    ),
    "a column must not be empty": (
        "alter table messages alter model set not null",
        "table messages: column model must not be NULL",
    ),
    "a column may be empty": ("alter table messages alter content drop not null", "table messages: column content may be NULL"),
    "a default is gone": (
        "alter table tasks alter state drop default",
        "table tasks: column state: default was 'queued'::character varying and is none",
    ),
    "a default is another": (
        "alter table tasks alter attempts set default 1",
        "table tasks: column attempts: default was 0 and is 1",
    ),
    "a column writes itself": (
        "alter table documents drop column pages, add column pages int generated always as (chunks) stored",
        "table documents: column pages: generated was none and is s",
    ),
    "a check": (
        "alter table documents add constraint c check (size > 0)",
        "table documents: constraint c is new, and an older insert could break it",
    ),
    "a check between old and new": (
        "alter table documents add column p int default 1, add constraint c check (p < size)",
        "table documents: constraint c is new, and an older insert could break it",
    ),
    "a check is narrower": (
        "alter table messages drop constraint ck_messages_feedback,"
        " add constraint ck_messages_feedback check (feedback in ('up', 'no'))",
        "table messages: constraint ck_messages_feedback is not what it was",
    ),
    "a unique constraint": (
        "alter table documents add unique (owner_id, filename)",
        "table documents: constraint documents_owner_id_filename_key is new, and an older insert could break it",
    ),
    "a unique constraint with a new column that has a default": (
        "alter table documents add column place int default 1, add unique (owner_id, place)",
        "table documents: constraint documents_owner_id_place_key is new, and an older insert could break it",
    ),
    "a unique index": (
        "create unique index one on chat_sessions (owner_id, title)",
        "table chat_sessions: unique index one is new, and an older insert could break it",
    ),
    "a unique constraint is gone": (
        "alter table tasks drop constraint uq_tasks_owner_id_message_id",
        "table tasks: constraint uq_tasks_owner_id_message_id is gone",
    ),
    "a unique index is gone": ("drop index uq_documents_sha256", "table documents: unique index uq_documents_sha256 is gone"),
    "a unique index is another": (
        "drop index uq_documents_sha256; create unique index uq_documents_sha256 on documents (sha256)",
        "table documents: unique index uq_documents_sha256 is not what it was",
    ),
    "a primary key is longer": (
        "alter table settings drop constraint pk_settings, add column n int default 0,"
        " add constraint pk_settings primary key (key, n)",
        "table settings: constraint pk_settings is not what it was",
    ),
    "a foreign key": (
        "alter table settings add foreign key (key) references tiers (name)",
        "table settings: constraint settings_key_fkey is new, and an older insert could break it",
    ),
    "a foreign key deletes no longer": (
        "alter table tasks drop constraint fk_tasks_owner_id_message_id",
        "table tasks: constraint fk_tasks_owner_id_message_id is gone",
    ),
    "a new table that holds on to an old one": (
        "create table badges (user_id uuid constraint held references users)",
        "table badges: held keeps rows of users from being deleted",
    ),
    "a policy is narrower": (
        "alter policy tasks_owner on tasks using (false)",
        "table tasks: policy tasks_owner is not what it was",
    ),
    "a policy": (
        "create policy more on tasks as restrictive using (attempts = 0)",
        "table tasks: policy more is new: its rows may be hidden or refused",
    ),
    "a policy is gone": ("drop policy tasks_owner on tasks", "table tasks: policy tasks_owner is gone"),
    "walls where there were none": (
        "alter table settings enable row level security",
        "table settings: row-level security is not what it was (walls)",
    ),
    "walls are forced no longer": (
        "alter table tasks no force row level security",
        "table tasks: row-level security is not what it was (forced)",
    ),
    "a trigger is gone": (
        "drop trigger procrastinate_trigger_delete_jobs_v1 on procrastinate_jobs",
        "table procrastinate_jobs: trigger procrastinate_trigger_delete_jobs_v1 is gone",
    ),
    "a right is gone": ("revoke update on tasks from docent_app", "table tasks: docent_app may no longer UPDATE"),
    "a right of the function's owner is gone": (
        "revoke select on chunks from docent_definer",
        "table chunks: docent_definer may no longer SELECT",
    ),
    "a sequence's right is gone": (
        "revoke all on sequence procrastinate_jobs_id_seq from docent_app",
        "sequence procrastinate_jobs_id_seq: docent_app may no longer USAGE",
    ),
    "a function is gone": (
        "drop function docent_lexical_candidates",
        "function docent_lexical_candidates(tsquery,uuid[],integer) is gone",
    ),
    "a function takes more": (
        "drop function docent_lexical_candidates; create function docent_lexical_candidates(q tsquery, w uuid[], n int, m int)"
        " returns int language sql as 'select 1'",
        "function docent_lexical_candidates(tsquery,uuid[],integer) is gone",
    ),
    "a function gives something else": (
        "drop function docent_lexical_candidates; create function docent_lexical_candidates(query tsquery, within uuid[], n int)"
        " returns int security definer language sql as 'select 1'",
        "function docent_lexical_candidates(tsquery,uuid[],integer): result was TABLE(chunk_id uuid, rank real) and is integer",
    ),
    "a function runs as its caller": (
        "alter function docent_lexical_candidates security invoker",
        "function docent_lexical_candidates(tsquery,uuid[],integer): definer was True and is False",
    ),
    "a function is nobody's to call": (
        "revoke execute on function docent_lexical_candidates from docent_app",
        "function docent_lexical_candidates(tsquery,uuid[],integer): docent_app may no longer EXECUTE",
    ),
    "a row type has another field": (
        "alter type procrastinate_job_to_defer_v1 add attribute more int",
        "type procrastinate_job_to_defer_v1 is not what it was",
    ),
    "a value of a type is called otherwise": (
        "alter type procrastinate_job_status rename value 'todo' to 'waiting'",
        "type procrastinate_job_status: value todo is gone",
    ),
}

COMPATIBLE: dict[str, str] = {
    "a table": "create table badges (user_id uuid references users on delete cascade)",
    "a column that may be empty": "alter table documents add column place text",
    "a column with a default": "alter table documents add column place text not null default 'here'",
    "a column that writes itself": "alter table documents add column twice bigint generated always as (size * 2) stored",
    "a check of new columns": "alter table documents add column place text, add constraint c check (place in ('here', 'there'))",
    "a check lets more through": "alter table messages drop constraint ck_messages_feedback,"
    " add constraint ck_messages_feedback check (feedback in ('up', 'down', 'aside'))",
    "a check is gone": "alter table messages drop constraint ck_messages_feedback",
    "a reference from a new column": "alter table settings add column tier text references tiers (name)",
    "a unique constraint with a new column": "alter table documents add column place text, add unique (owner_id, place)",
    "an index": "create index more on documents (title)",
    "an index is gone": "drop index ix_tasks_live",
    "a text without its bound": "alter table messages alter model type text",
    "a function with another body": "create or replace function procrastinate_notify_queue_job_inserted_v1() returns trigger"
    " language plpgsql as 'begin return new; end'",
    "a function": "create function more() returns int language sql as 'select 1'",
    "a right": "grant references on tasks to docent_app",
    "a value of a type": "alter type procrastinate_job_status add value 'paused'",
}
