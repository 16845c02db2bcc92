"""The schema as the database itself describes it."""

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent.parent / "manifests"

Manifest = dict[str, Any]
"""By kind and name: tables (with columns, constraints, indexes, policies, triggers and grants), functions, types, sequences."""

# What the owner of a thing may do goes without saying, and is called otherwise elsewhere.
GRANTS = """
(select coalesce(jsonb_object_agg(g.role, g.rights), '{{}}') from (
   select case when a.grantee = 0 then 'public' else a.grantee::regrole::text end as role,
          array_agg(a.privilege_type order by a.privilege_type) as rights
     from aclexplode(coalesce({acl}, acldefault('{kind}', {owner}))) a where a.grantee <> {owner} group by 1) g)
"""

TABLES = f"""
select c.relname::text as name, jsonb_build_object(
  'kind', c.relkind, 'walls', c.relrowsecurity, 'forced', c.relforcerowsecurity,
  'grants', {GRANTS.format(acl="c.relacl", kind="r", owner="c.relowner")},
  'columns', (select jsonb_object_agg(a.attname, jsonb_build_object(
       'type', format_type(a.atttypid, a.atttypmod), 'nullable', not a.attnotnull, 'default', pg_get_expr(d.adbin, d.adrelid),
       'generated', a.attgenerated, 'identity', a.attidentity))
     from pg_attribute a left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
    where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped),
  'constraints', (select coalesce(jsonb_object_agg(k.conname, jsonb_build_object(
       'kind', k.contype, 'definition', pg_get_constraintdef(k.oid), 'deletes', k.confdeltype,
       'parent', case when k.confrelid <> 0 then k.confrelid::regclass::text end,
       'columns', array(select a.attname::text from pg_attribute a where a.attrelid = c.oid and a.attnum = any (k.conkey)))),
       '{{}}')
     from pg_constraint k where k.conrelid = c.oid and k.contype <> 'n'),
  'indexes', (select coalesce(jsonb_object_agg(i.indexrelid::regclass::text, jsonb_build_object(
       'unique', i.indisunique, 'valid', i.indisvalid, 'definition', pg_get_indexdef(i.indexrelid),
       'nulls_alike', i.indnullsnotdistinct,
       'columns', array(select a.attname::text from pg_attribute a
                         where a.attrelid = c.oid and a.attnum = any (i.indkey::int2[])))),
       '{{}}')
     from pg_index i where i.indrelid = c.oid),
  'policies', (select coalesce(jsonb_object_agg(p.polname, concat_ws(' | ', p.polpermissive, p.polcmd, p.polroles::regrole[],
       pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid))), '{{}}')
     from pg_policy p where p.polrelid = c.oid),
  'triggers', (select coalesce(jsonb_object_agg(t.tgname, pg_get_triggerdef(t.oid)), '{{}}')
     from pg_trigger t where t.tgrelid = c.oid and not t.tgisinternal)) as value
  from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v', 'm')
"""  # noqa: S608 - our own words

FUNCTIONS = f"""
select p.oid::regprocedure::text as name, jsonb_build_object(
  'arguments', pg_get_function_arguments(p.oid), 'result', pg_get_function_result(p.oid), 'definer', p.prosecdef,
  'grants', {GRANTS.format(acl="p.proacl", kind="f", owner="p.proowner")}) as value
  from pg_proc p where p.pronamespace = 'public'::regnamespace
"""  # noqa: S608 - our own words

TYPES = """
select t.typname::text as name, jsonb_build_object('kind', t.typtype,
  'labels', (select jsonb_agg(e.enumlabel order by e.enumsortorder) from pg_enum e where e.enumtypid = t.oid),
  'fields', (select jsonb_agg(concat(a.attname, ' ', format_type(a.atttypid, a.atttypmod)) order by a.attnum)
               from pg_attribute a where a.attrelid = t.typrelid and a.attnum > 0 and not a.attisdropped)) as value
  from pg_type t left join pg_class c on c.oid = t.typrelid
 where t.typnamespace = 'public'::regnamespace and (t.typtype in ('e', 'd') or c.relkind = 'c')
"""

SEQUENCES = f"""
select c.relname::text as name, jsonb_build_object('grants', {GRANTS.format(acl="c.relacl", kind="s", owner="c.relowner")}) as value
  from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind = 'S'
"""  # noqa: S608 - our own words

KINDS = {"tables": TABLES, "functions": FUNCTIONS, "types": TYPES, "sequences": SEQUENCES}


async def manifest_of(connection: Any) -> Manifest:
    """Describe the schema that a connection of asyncpg sees, its own transaction included."""
    found: Manifest = {}
    for kind, query in KINDS.items():
        found[kind] = {row["name"]: json.loads(row["value"]) for row in await connection.fetch(f"{query} order by 1")}
    return found


def written(revision: str) -> Manifest:
    """Return the manifest of a revision that is in the repository."""
    manifest: Manifest = json.loads((FOLDER / f"{revision}.json").read_text(encoding="utf-8"))
    return manifest


def write(revision: str, manifest: Manifest) -> Path:
    """Put a manifest into the repository: an object of the database on each line, so that changes are seen in a review."""
    path = FOLDER / f"{revision}.json"
    kinds = []
    for kind, things in manifest.items():
        lines = ",\n".join(f"  {json.dumps(name)}: {json.dumps(value, sort_keys=True)}" for name, value in sorted(things.items()))
        kinds.append(f'"{kind}": {{\n{lines}\n}}')
    path.write_text("{\n" + ",\n".join(kinds) + "\n}\n", encoding="utf-8")
    return path
