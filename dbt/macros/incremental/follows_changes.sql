{#
    `follows_changes`: a table with rows of users' days (or of days), of which a build makes only those anew that
    changed in the models it follows, by `schoolbell_changes`.

    The model's SQL reads each followed model `WHERE {{ changed_events() }}` or `{{ changed_days() }}`: all rows when
    the table is made from nothing, and what bears on the changed days otherwise. It is made from nothing the first
    time, with --full-refresh, and when its code, the reporting time zone, or a followed model from nothing has changed.

    Config: `follows`, names of models; `changed_by`, the column of the day and, where users' days are apart, that of
    the user; `is_followed`, whether its own changes are written down.
#}
{% materialization follows_changes, adapter='clickhouse' %}
    {{ run_hooks(pre_hooks) }}
    {% do make_bookkeeping() %}
    {% set name = model['name'] %}
    {% set follows = config.require('follows') %}
    {% set builds = read_builds([name] + follows) %}
    {% set build = builds.get(name) %}
    {% set followed = {} %}
    {% for other in follows if other in builds %}
        {% do followed.update({other: builds[other]['version']}) %}
    {% endfor %}
    {% if should_full_refresh() or build is none or load_cached_relation(this) is none
            or build['definition'] != model_definition() or followers_begin_anew(build, builds, follows) %}
        {% set version = rebuild(build, slices_of_changes(sql, follows)) %}
        {% do run_query(write_build(version, version, model_definition(), followed=followed)) %}
    {% elif build['followed'] == followed %}
        {% call statement('main') %}SELECT 'nothing changed'{% endcall %}
    {% else %}
        {% do build_from_changes(build, followed, sql) %}
    {% endif %}
    {{ run_hooks(post_hooks) }}
    {{ return({'relations': [this.incorporate(type='table')]}) }}
{% endmaterialization %}

{# Stands in the model's SQL where it reads a table of events; a build of changes puts a condition in its place. #}
{% macro changed_events() -%} (1 /* every event */) {%- endmacro %}

{# The same, where it reads a table that has the columns of `changed_by`. #}
{% macro changed_days() -%} (1 /* every day */) {%- endmacro %}

{# The model's SQL, reading only what a condition on events, or one on days, lets through. #}
{% macro narrowed_to(sql, of_events, of_days) %}
    {% set query = sql | replace(changed_events(), "(" ~ of_events ~ ")") | replace(changed_days(), "(" ~ of_days ~ ")") %}
    {% if query == sql %}
        {{ exceptions.raise_compiler_error(model['name'] ~ " reads nothing by changed_events() or changed_days().") }}
    {% endif %}
    {{ return(query) }}
{% endmacro %}

{# The model's SQL for each slice of what it follows. #}
{% macro slices_of_changes(sql, follows) %}
    {% set zone = reporting_timezone() %}
    {% set day = "toDate(event_time, " ~ zone ~ ")" if changed_events() in sql else config.require('changed_by')[0] %}
    {% set days = [] %}
    {% for other in follows %}
        {% do days.append("SELECT " ~ day ~ " AS day, count() AS row_count FROM " ~ ref(other) ~ " GROUP BY day") %}
    {% endfor %}
    {# The first makes the table, and is there where no day is. #}
    {% set queries = [narrowed_to(sql, "0", "0")] %}
    {% for slice in slices_of(days | join(" UNION ALL ")) %}
        {# Staging is sorted by the date in UTC. #}
        {% set of_events = "toDate(event_time) BETWEEN " ~ slice['first'] ~ " - 1 AND " ~ slice['last'] ~ " + 1 AND "
            ~ is_in_slice("toDate(event_time, " ~ zone ~ ")", slice) %}
        {% do queries.append(narrowed_to(sql, of_events, is_in_slice(day, slice))) %}
    {% endfor %}
    {{ return(queries) }}
{% endmacro %}

{# Whether what was written down of the followed models' changes is not enough. #}
{% macro followers_begin_anew(build, builds, follows) %}
    {% set anew = namespace(found=build['is_old'] or text_value(build['timezone']) != reporting_timezone()) %}
    {% for other in follows %}
        {% if other not in builds or builds[other]['rebuilt_in'] > build['followed'].get(other, 0) %}
            {% set anew.found = true %}
        {% endif %}
    {% endfor %}
    {% if not anew.found %}
        {% set anew.found = count_of(
            "SELECT count() FROM " ~ changes_table() ~ " WHERE " ~ changes_since(build, follows)
            ~ " AND timezone != " ~ reporting_timezone()
        ) > 0 %}
    {% endif %}
    {{ return(anew.found) }}
{% endmacro %}

{# The changes of the followed models that the table has not seen. #}
{% macro changes_since(build, follows) %}
    {% set conditions = [] %}
    {% for other in follows %}
        {% do conditions.append(
            "(model = " ~ text_value(other) ~ " AND version > " ~ build['followed'].get(other, 0) ~ ")"
        ) %}
    {% endfor %}
    {{ return("(" ~ conditions | join(" OR ") ~ ")") }}
{% endmacro %}

{% macro build_from_changes(build, followed, sql) %}
    {% set version = build['version'] + 1 %}
    {% set follows = config.require('follows') %}
    {% set changed_by = config.require('changed_by') %}
    {% set key = changed_by | join(', ') %}
    {% set key = '(' ~ key ~ ')' if changed_by | length > 1 else key %}
    {% set changed = scratch('changed') %}
    {% set new = scratch('new') %}
    {% do end_deletions() %}
    {% do drop_scratch(['changed', 'new']) %}

    {% do run_query(create_scratch('changed', changed_by | join(', '),
        "SELECT DISTINCT changed_date AS " ~ changed_by[0]
        ~ (", user_id AS " ~ changed_by[1] if changed_by | length > 1 else "")
        ~ " FROM " ~ changes_table() ~ " WHERE " ~ changes_since(build, follows)
    )) %}
    {% if config.get('is_followed', false) %}
        {% do run_query(
            "INSERT INTO " ~ changes_table() ~ " (model, version, timezone, changed_date, user_id)
            SELECT " ~ text_value(model['name']) ~ ", " ~ version ~ ", " ~ reporting_timezone() ~ ", "
            ~ changed_by[0] ~ ", " ~ (changed_by[1] if changed_by | length > 1 else "''") ~ " FROM " ~ changed
        ) %}
    {% endif %}

    {% set days = key ~ " IN (SELECT " ~ changed_by | join(', ') ~ " FROM " ~ changed ~ ")" %}
    {% set query = narrowed_to(sql, events_of_days(changed_by, changed), days) %}
    {% call statement('main') %}{{ get_create_table_as_sql(False, new, query) }}{% endcall %}
    {% if count_of("SELECT count() FROM " ~ this ~ " WHERE " ~ days) %}
        {% do run_query("DELETE FROM " ~ this ~ " WHERE " ~ days) %}
    {% endif %}
    {% do run_query(insert_rows(this, "SELECT * FROM " ~ new)) %}
    {% do run_query(write_build(version, build['rebuilt_in'], build['definition'], followed=followed)) %}
    {# What changed stays until the next build, for the data tests. #}
    {% do drop_scratch(['new']) %}
{% endmacro %}

{#
    The condition for events of the changed days. Staging is sorted by the event's date in UTC, so that is given, too:
    a day of another zone has events of its own date in UTC and of its neighbours.
#}
{% macro events_of_days(changed_by, changed) -%}
    {%- set zone = reporting_timezone() -%}
    {%- set around = "[0]" if zone == text_value('UTC') else "[-1, 0, 1]" -%}
    {%- set user = ", user_id" if changed_by | length > 1 else "" -%}
    {%- set user_of_changed = ", " ~ changed_by[1] if changed_by | length > 1 else "" -%}
    (toDate(event_time){{ user }}) IN (
        SELECT DISTINCT {{ changed_by[0] }} + arrayJoin({{ around }}){{ user_of_changed }} FROM {{ changed }}
    )
    AND (toDate(event_time, {{ zone }}){{ user }}) IN (
        SELECT {{ changed_by[0] }}{{ user_of_changed }} FROM {{ changed }}
    )
{%- endmacro %}
