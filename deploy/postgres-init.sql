-- The roles and the database of Docent, in a PostgreSQL of your own. Run it once, as a superuser; again is harmless:
--
--   DOCENT_OWNER_PASSWORD=... DOCENT_APP_PASSWORD=... psql -U postgres -d postgres -f deploy/postgres-init.sql
--
-- docent_owner owns the tables and migrates (DATABASE_OWNER_URL). docent_app serves and works (DATABASE_URL): row-level security
-- binds it, and Docent refuses to start as a role above that. docent_definer owns one function, which finds candidates for the
-- search by words: an index cannot be used behind a policy. It cannot log in.
\set ON_ERROR_STOP on
\getenv owner_password DOCENT_OWNER_PASSWORD
\getenv app_password DOCENT_APP_PASSWORD
\if :{?owner_password}
\else
do $$ begin raise exception 'DOCENT_OWNER_PASSWORD is not set.'; end $$;
\endif
\if :{?app_password}
\else
do $$ begin raise exception 'DOCENT_APP_PASSWORD is not set.'; end $$;
\endif

-- A statement that fails is not logged: it may hold a password.
set log_min_error_statement = panic;

select format('create role %I', name) from unnest(array['docent_owner', 'docent_app', 'docent_definer']) name
 where not exists (select from pg_roles where rolname = name) \gexec
alter role docent_owner login nosuperuser nocreatedb nocreaterole noreplication nobypassrls password :'owner_password';
alter role docent_app login nosuperuser nocreatedb nocreaterole noreplication nobypassrls password :'app_password';
alter role docent_definer nologin nosuperuser nocreatedb nocreaterole noreplication bypassrls;
-- Compiling short queries costs more than it gains. Docent says so itself, but not through a pooler.
alter role docent_app set jit = off;
grant docent_definer to docent_owner with inherit true, set true;

select 'create database docent owner docent_owner encoding ''UTF8'' template template0'
 where not exists (select from pg_database where datname = 'docent') \gexec
\connect docent

-- A function can be given to docent_definer only if it could have created the function itself.
grant usage, create on schema public to docent_definer;
grant usage on schema public to docent_app;
alter default privileges for role docent_owner in schema public grant select, insert, update, delete on tables to docent_app;
alter default privileges for role docent_owner in schema public grant usage on sequences to docent_app;
alter default privileges for role docent_owner in schema public grant execute on functions to docent_app;
