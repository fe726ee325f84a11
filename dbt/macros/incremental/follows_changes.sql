{#
    `follows_changes`: a table of rows under keys that hold a day (a user's day, a date, a period), of which a build
    makes only those anew that changes of the models it follows bear on, by `schoolbell_changes`.

    The model's SQL restricts what it reads by the macros below: to all rows when the table is made from nothing, and
    to what bears on the changed keys otherwise. It is made from nothing the first time, with --full-refresh, and when
    its code, an option in it, the reporting time zone, or a followed model from nothing has changed.

    Config:
    - `follows`: names of models;
    - `changed_by`: the columns of the key, one of them the day, another perhaps the user;
    - `bears_on`: by followed model, the keys that a changed day bears on, where they are not that day alone: an array
      made of `changed_date`, or `later_days`, or `periods`;
    - `changed_keys`: a macro that makes the query of the changed keys, where that is not enough;
    - `is_followed`: whether the days whose rows differ afterwards are written down for others;
    - `is_append_only`: whether rows are only ever added;
    - `is_exchanged`: whether readers see the former table until the new one is whole;
    - `sliced_by`, `slice_weight`: the day of what is read, and how much a day is, for building from nothing; events of
      all followed models unless said otherwise, and `nothing` for one go.
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
        {% do drop_table(changed_keys_table(name)) %}
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

{#
    `compared_table`: a small table made anew by every build and compared with the former one. The days whose rows
    differ are what others follow. Config: `changed_by`, the column of the day.
#}
{% materialization compared_table, adapter='clickhouse' %}
    {{ run_hooks(pre_hooks) }}
    {% do make_bookkeeping() %}
    {% set name = model['name'] %}
    {% set build = read_builds([name]).get(name) %}
    {% if should_full_refresh() or build is none or load_cached_relation(this) is none
            or build['definition'] != model_definition() or text_value(build['timezone']) != reporting_timezone() %}
        {% set version = rebuild(build, [sql]) %}
        {% do run_query(write_build(version, version, model_definition())) %}
    {% else %}
        {% set new = scratch('new') %}
        {% do drop_scratch(['new']) %}
        {% call statement('main') %}{{ get_create_table_as_sql(False, new, sql) }}{% endcall %}
        {% set version = build['version'] + 1 %}
        {% if write_down_differences(new, '1', version) %}
            {% do exchange_tables_atomic(new, this) %}
            {% do persist_docs(this, model) %}
            {% do run_query(write_build(version, build['rebuilt_in'], build['definition'])) %}
        {% endif %}
        {% do drop_scratch(['new']) %}
    {% endif %}
    {{ run_hooks(post_hooks) }}
    {{ return({'relations': [this.incorporate(type='table')]}) }}
{% endmaterialization %}

{#
    What stands in a model's SQL for the rows a build is for. Each is a condition that lets all rows through, with a
    comment that says what a build puts in its place.
#}

{# Where it reads events: those of changed users' days. #}
{% macro changed_events() -%} (1 /* changed events */) {%- endmacro %}

{# Where it reads or makes rows that have a key: those of changed keys. `columns` are expressions of it, in order. #}
{% macro changed_days(columns=none) -%}
    (1 /* changed keys: {{ columns or (config.get('changed_by') or []) | join(', ') }} */)
{%- endmacro %}

{# Where it reads rows that bear on days around theirs: those dated so many days before or after a changed day. #}
{% macro near_changed_days(column, before, after) -%}
    (1 /* near changed days: {{ column }} {{ before }} {{ after }} */)
{%- endmacro %}

{# Where rows are only added: those whose value the table does not have. `candidates` is a CTE with all in question. #}
{% macro not_built(column, candidates) -%} (1 /* not built: {{ column }} {{ candidates }} */) {%- endmacro %}

{# How many rows the table has so far. #}
{% macro rows_built() -%} (0 /* rows built */) {%- endmacro %}

{#
    The model's SQL with conditions in these places. `events` is the condition on events; `of` says of which keys:
    `{'is': 'nothing'}`, `{'is': 'slice', 'first': …, 'last': …}`, or `{'is': 'changed', 'table': …}`, a table of keys.
#}
{% macro narrowed_to(sql, events, of) %}
    {% set query = namespace(sql=sql | replace(changed_events(), "(" ~ events ~ ")")) %}
    {% for marker, columns in modules.re.findall('(\(1 /\* changed keys: ([^*]+) \*/\))', sql) %}
        {% set query.sql = query.sql | replace(marker, "(" ~ is_of_keys(columns, of) ~ ")") %}
    {% endfor %}
    {% for marker, column, before, after in modules.re.findall(
        '(\(1 /\* near changed days: ([^* ]+) ([0-9]+) ([0-9]+) \*/\))', sql
    ) %}
        {% set query.sql = query.sql | replace(marker, "(" ~ is_near(column, before, after, of) ~ ")") %}
    {% endfor %}
    {% if query.sql == sql %}
        {{ exceptions.raise_compiler_error(model['name'] ~ " reads nothing by changed_events() or changed_days().") }}
    {% endif %}
    {{ return(query.sql) }}
{% endmacro %}

{# The condition that expressions, in the order of `changed_by`, are one of the keys. #}
{% macro is_of_keys(columns, of) %}
    {% if of['is'] == 'nothing' %}
        {{ return("0") }}
    {% elif of['is'] == 'slice' %}
        {{ return(is_in_slice(columns.split(', ')[place_of_day()], of)) }}
    {% endif %}
    {% set key = config.require('changed_by') %}
    {% set columns = "(" ~ columns ~ ")" if key | length > 1 else columns %}
    {{ return(columns ~ " IN (SELECT " ~ key | join(', ') ~ " FROM " ~ of['table'] ~ ")") }}
{% endmacro %}

{# The condition that a date is so many days before or after the day of a key, or between. #}
{% macro is_near(column, before, after, of) %}
    {% if of['is'] == 'nothing' %}
        {{ return("0") }}
    {% elif of['is'] == 'slice' %}
        {{ return(is_in_slice(column, dict(of, first=of['first'] ~ " - " ~ before, last=of['last'] ~ " + " ~ after))) }}
    {% endif %}
    {% set day = config.require('changed_by')[place_of_day()] %}
    {{ return(
        column ~ " IN (SELECT DISTINCT " ~ day ~ " + arrayJoin(range(-" ~ before ~ ", " ~ after ~ " + 1)) FROM "
        ~ of['table'] ~ ")"
    ) }}
{% endmacro %}

{# The model's SQL where it adds to a table that is there. #}
{% macro added_to(relation, sql) %}
    {% set query = namespace(sql=sql) %}
    {% if rows_built() in sql %}
        {% set query.sql = sql | replace(rows_built(), count_of("SELECT count() FROM " ~ relation) | string) %}
    {% endif %}
    {% for marker, column, candidates in modules.re.findall('(\(1 /\* not built: ([^* ]+) ([^* ]+) \*/\))', sql) %}
        {# Only the candidates are kept in memory, however many rows the table has. #}
        {% set query.sql = query.sql | replace(marker,
            column ~ " NOT IN (SELECT " ~ column ~ " FROM " ~ relation ~ " WHERE " ~ column
            ~ " IN (SELECT " ~ column ~ " FROM " ~ candidates ~ "))"
        ) %}
    {% endfor %}
    {{ return(query.sql) }}
{% endmacro %}

{# Which of the columns of the key is the day. #}
{% macro place_of_day() %}
    {% set found = namespace(place=0) %}
    {% for column in config.require('changed_by') %}
        {% if modules.re.search('(_date|_start)$', column) %}{% set found.place = loop.index0 %}{% endif %}
    {% endfor %}
    {{ return(found.place) }}
{% endmacro %}

{# The model's SQL for each slice of what it follows. #}
{% macro slices_of_changes(sql, follows) %}
    {% set zone = reporting_timezone() %}
    {% set sliced_by = config.get('sliced_by', 'events') %}
    {% if sliced_by == 'nothing' %}
        {{ return([sql]) }}
    {% endif %}
    {% set of_events = sliced_by == 'events' %}
    {% set day = "toDate(event_time, " ~ zone ~ ")" if of_events else sliced_by %}
    {% set days = [] %}
    {% for other in (follows if of_events else follows[:1]) %}
        {% do days.append(
            "SELECT " ~ day ~ " AS day, " ~ config.get('slice_weight', 'count()') ~ " AS row_count FROM " ~ ref(other)
            ~ " GROUP BY day"
        ) %}
    {% endfor %}
    {# The first makes the table, and is there where no day is. #}
    {% set queries = [narrowed_to(sql, "0", {'is': 'nothing'})] %}
    {% for slice in slices_of(days | join(" UNION ALL ")) %}
        {% set of = dict(slice, is='slice') %}
        {% if not of_events %}
            {# Keys may lie before the first day that is read, or after the last. #}
            {% do of.update({'is_first': loop.first, 'is_last': loop.last}) %}
        {% endif %}
        {# Staging is sorted by the date in UTC. #}
        {% set events = "toDate(event_time) BETWEEN " ~ slice['first'] ~ " - 1 AND " ~ slice['last'] ~ " + 1 AND "
            ~ is_in_slice("toDate(event_time, " ~ zone ~ ")", slice) %}
        {% do queries.append(narrowed_to(sql, events, of)) %}
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
    {% set key = config.require('changed_by') | join(', ') %}
    {% set changed = changed_keys_table(this.identifier) %}
    {% set new = scratch('new') %}
    {% do end_deletions() %}
    {% do drop_scratch(['new', 'next']) %}
    {% do drop_table(changed) %}
    {% set keys_of = context[config.get('changed_keys', 'keys_of_changes')] %}
    {% do run_query(create_sorted(changed, key, keys_of(build, config.require('follows')))) %}

    {% set of = {'is': 'changed', 'table': changed} %}
    {% set query = added_to(this, narrowed_to(sql, events_of_days(changed), of)) %}
    {% call statement('main') %}{{ get_create_table_as_sql(False, new, query) }}{% endcall %}
    {% set is_changed = is_of_keys(key, of) %}
    {% set differs = true %}
    {% if config.get('is_append_only', false) %}
        {% do run_query(insert_rows(this, "SELECT * FROM " ~ new)) %}
    {% elif config.get('is_exchanged', false) %}
        {% set next = scratch('next') %}
        {% do run_query("CREATE TABLE " ~ next ~ " CLONE AS " ~ this) %}
        {% do replace_rows(next, is_changed, new) %}
        {% do exchange_tables_atomic(next, this) %}
        {% do drop_scratch(['next']) %}
    {% else %}
        {% if config.get('is_followed', false) %}
            {% set differs = write_down_differences(new, is_changed, version) %}
        {% endif %}
        {% if differs %}
            {% do replace_rows(this, is_changed, new) %}
        {% endif %}
    {% endif %}
    {# The version says what others have to look at. #}
    {% do run_query(write_build(
        version if differs else build['version'], build['rebuilt_in'], build['definition'], followed=followed
    )) %}
    {# What changed stays until the next build, for the data tests. #}
    {% if config.get('is_append_only', false) %}
        {% do drop_table(changed) %}
        {% do run_query("RENAME TABLE " ~ new ~ " TO " ~ changed) %}
    {% else %}
        {% do drop_scratch(['new']) %}
    {% endif %}
{% endmacro %}

{# Puts the new rows in the place of those that meet a condition. #}
{% macro replace_rows(relation, is_replaced, new) %}
    {% if count_of("SELECT count() FROM " ~ relation ~ " WHERE " ~ is_replaced) %}
        {% do run_query("DELETE FROM " ~ relation ~ " WHERE " ~ is_replaced) %}
    {% endif %}
    {% do run_query(insert_rows(relation, "SELECT * FROM " ~ new)) %}
{% endmacro %}

{#
    Writes down the days of which the new rows are not those that the table has where a condition holds. Answers whether
    there is any. It is done before the table is changed: after a failure, a follower may look at a day too many, never
    at one too few.
#}
{% macro write_down_differences(new, is_replaced, version) %}
    {% set day = config.require('changed_by')[place_of_day()] %}
    {% set row = "SELECT " ~ day ~ " AS day, " ~ row_hash() ~ " AS row_hash" %}
    {% set differences =
        "SELECT DISTINCT day FROM (
            SELECT day, row_hash FROM (
                " ~ row ~ ", 1 AS side FROM " ~ new ~ "
                UNION ALL
                " ~ row ~ ", -1 AS side FROM " ~ this ~ " WHERE " ~ is_replaced ~ "
            )
            GROUP BY day, row_hash
            HAVING sum(side) != 0
        )" %}
    {% do run_query(
        "INSERT INTO " ~ changes_table() ~ " (model, version, timezone, changed_date, user_id)
        SELECT " ~ text_value(model['name']) ~ ", " ~ version ~ ", " ~ reporting_timezone() ~ ", day, ''
        FROM (" ~ differences ~ ")"
    ) %}
    {{ return(count_of(
        "SELECT count() FROM " ~ changes_table() ~ " WHERE model = " ~ text_value(model['name'])
        ~ " AND version = " ~ version
    ) > 0) }}
{% endmacro %}

{# A hash of a row. Sets of users have none of their own: equal ones may be stored otherwise. #}
{% macro row_hash() -%}
    sipHash64(
    {%- for name, column in model['columns'].items() -%}
        {%- set value = adapter.quote(name) -%}
        {{ 'bitmapToArray(' ~ value ~ ')' if 'groupBitmap' in column['data_type'] else value }}{{ ', ' if not loop.last }}
    {%- endfor -%}
    )
{%- endmacro %}

{# The query of the keys that the changes of followed models bear on. #}
{% macro keys_of_changes(build, follows) %}
    {% set key = config.require('changed_by') %}
    {% set bears_on = config.get('bears_on', {}) %}
    {% set queries = [] %}
    {% for other in follows if bears_on.get(other) != '[]' %}
        {% set since = " FROM " ~ changes_table() ~ " WHERE " ~ changes_since(build, [other]) %}
        {% set keys = bears_on.get(other) %}
        {% if 'user_id' in key %}
            {% do queries.append("SELECT changed_date AS " ~ key[0] ~ ", user_id" ~ since) %}
        {% elif keys is none %}
            {% do queries.append("SELECT changed_date AS " ~ key[0] ~ since) %}
        {% elif keys == 'later_days' %}
            {% do queries.append(
                "SELECT first_day + arrayJoin(range(toUInt64(greatest(last_day - first_day, 0)) + 1)) AS " ~ key[0] ~ "
                FROM (
                    SELECT min(changed_date) AS first_day,
                        greatest(
                            max(changed_date),
                            (SELECT max(" ~ config.require('sliced_by') ~ ") FROM " ~ ref(other) ~ ")
                        ) AS last_day"
                    ~ since ~ " HAVING count() > 0
                )"
            ) %}
        {% elif keys == 'periods' %}
            {% do queries.append(
                "SELECT pair.1 AS " ~ key[0] ~ ", pair.2 AS " ~ key[1]
                ~ " FROM (SELECT " ~ periods_of('changed_date') ~ " AS pair" ~ since ~ ")"
            ) %}
        {% else %}
            {% do queries.append("SELECT arrayJoin(" ~ keys ~ ") AS " ~ key[0] ~ since) %}
        {% endif %}
    {% endfor %}
    {{ return("SELECT DISTINCT * FROM (" ~ queries | join(" UNION ALL ") ~ ")") }}
{% endmacro %}

{# The name and the first day of the day, week and month that a date is in, one a row. #}
{% macro periods_of(date) -%}
    arrayJoin([
        ('day', {{ date }}),
        ('week', toStartOfWeek({{ date }}, {{ week_start() }})),
        ('month', toStartOfMonth({{ date }}))
    ])
{%- endmacro %}

{#
    The condition for events of the changed keys. Staging is sorted by the event's date in UTC, so that is given, too:
    a day of another zone has events of its own date in UTC and of its neighbours.
#}
{% macro events_of_days(changed) -%}
    {%- set zone = reporting_timezone() -%}
    {%- set day = config.require('changed_by')[0] -%}
    {%- set around = "[0]" if zone == text_value('UTC') else "[-1, 0, 1]" -%}
    {%- set user = ", user_id" if 'user_id' in config.require('changed_by') else "" -%}
    (toDate(event_time){{ user }}) IN (
        SELECT DISTINCT {{ day }} + arrayJoin({{ around }}){{ user }} FROM {{ changed }}
    )
    AND (toDate(event_time, {{ zone }}){{ user }}) IN (SELECT {{ day }}{{ user }} FROM {{ changed }})
{%- endmacro %}
