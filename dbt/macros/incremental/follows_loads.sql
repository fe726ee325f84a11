{#
    `follows_loads`: a staging table of one table of `raw`, each event once, kept up to date by loads.

    A build compares the loads that the table was made from with those that `stg_loads` names now. Only events that a
    load which came or went has are looked at: their earliest row among what is in the table, what came, and, for
    events whose row went, all of `raw`. What is new is inserted first, and only then is deleted what no longer
    stands: a build that fails in between leaves rows twice, which the next one finds, and loses none.

    The model's own SQL makes the table from nothing: the first time, with --full-refresh, or when it has changed. It
    reads the table of `raw` `WHERE {{ changed_events() }}`, in whose place stands what is in the slice.
    Config: `source_table`, the table of `raw`.
#}
{% materialization follows_loads, adapter='clickhouse' %}
    {{ run_hooks(pre_hooks) }}
    {% do make_bookkeeping() %}
    {% set name = model['name'] %}
    {% set build = read_builds([name]).get(name) %}
    {% if should_full_refresh() or build is none or load_cached_relation(this) is none
            or build['definition'] != model_definition() %}
        {% do drop_scratch(['days']) %}
        {% set version = rebuild(build, slices_of_loads(sql)) %}
        {% do refuse_replaced_loads() %}
        {% do run_query(write_build(version, version, model_definition(), loads=current_loads_map())) %}
        {% do drop_scratch(['days']) %}
    {% else %}
        {% do build_from_loads(build) %}
    {% endif %}
    {{ run_hooks(post_hooks) }}
    {{ return({'relations': [this.incorporate(type='table')]}) }}
{% endmaterialization %}

{# The loads that make up the warehouse, as this build has found them. #}
{% macro current_loads() -%} SELECT arrayJoin(load_ids) FROM {{ ref('stg_loads') }} {%- endmacro %}

{% macro current_loads_map() -%}
    (
        SELECT mapFromArrays(groupArray(load_id), groupArray(batch_date))
        FROM (SELECT batch_date, arrayJoin(load_ids) AS load_id FROM {{ ref('stg_loads') }})
    )
{%- endmacro %}

{# The model's SQL for each slice: its days, and the loads that have events of them. #}
{% macro slices_of_loads(sql) %}
    {% set days = scratch('days') %}
    {% do run_query(create_sorted(days, 'day, load_id',
        "SELECT toDate(event_time) AS day, load_id, count() AS row_count
        FROM " ~ source('raw', config.require('source_table')) ~ " WHERE load_id IN (" ~ current_loads() ~ ")
        GROUP BY day, load_id"
    )) %}
    {# The first makes the table, and is there where no day is. #}
    {% set queries = [narrowed_to(sql, "0", {'is': 'nothing'})] %}
    {% for slice in slices_of("SELECT day, row_count FROM " ~ days) %}
        {% set of_events = "load_id IN (SELECT load_id FROM " ~ days ~ " WHERE " ~ is_in_slice('day', slice) ~ ") AND "
            ~ is_in_slice('toDate(event_time)', slice) %}
        {% do queries.append(narrowed_to(sql, of_events, {'is': 'nothing'})) %}
    {% endfor %}
    {{ return(queries) }}
{% endmacro %}

{% macro build_from_loads(build) %}
    {% set source_relation = source('raw', config.require('source_table')) %}
    {% set loads = scratch('loads') %}
    {% set stale = scratch('stale') %}
    {% set plan = scratch('plan') %}
    {% set version = build['version'] + 1 %}
    {% do end_deletions() %}
    {% do drop_scratch(['loads', 'stale', 'plan']) %}

    {% do run_query(create_sorted(loads, 'load_id', select_changed_loads())) %}
    {% if count_of("SELECT count() FROM " ~ loads) == 0 %}
        {% call statement('main') %}SELECT 'no load came or went'{% endcall %}
    {% else %}
        {% do run_query(create_sorted(stale, event_key(), select_stale(loads))) %}
        {% set stale = stale if count_of("SELECT count() FROM " ~ stale) else none %}
        {% do run_query(create_sorted(plan, event_key(), select_plan(source_relation, loads, stale))) %}

        {% do run_query(
            "INSERT INTO " ~ changes_table() ~ " (model, version, timezone, changed_date, user_id)
            SELECT DISTINCT " ~ text_value(model['name']) ~ ", " ~ version ~ ", " ~ reporting_timezone() ~ ",
                toDate(event_time, " ~ reporting_timezone() ~ "), user_id
            FROM " ~ plan
        ) %}
        {% call statement('main') %}{{ insert_new(source_relation, plan) }}{% endcall %}
        {% do refuse_replaced_loads() %}
        {% if count_of("SELECT count() FROM " ~ plan ~ " WHERE notEmpty(gone)") %}
            {% do run_query(delete_gone(plan)) %}
        {% endif %}
        {% do run_query(
            write_build(version, build['rebuilt_in'], build['definition'], loads=current_loads_map())
        ) %}
    {% endif %}
    {% do drop_scratch(['loads', 'stale', 'plan']) %}
{% endmacro %}

{# What makes two rows one event, in the order of the tables' sorting keys. #}
{% macro event_key() -%} toDate(event_time), user_id, event_time, event_id {%- endmacro %}

{# What decides between two rows of an event: the first stays. #}
{% macro arrival() -%} (batch_date, toString(source_file), source_line, load_id) {%- endmacro %}

{% macro create_sorted(relation, order_by, query) -%}
    CREATE TABLE {{ relation }} ENGINE = MergeTree ORDER BY ({{ order_by }}) AS
    {{ query }}
{%- endmacro %}

{# Loads that came (current) or went since the table was built. #}
{% macro select_changed_loads() -%}
    WITH
        built AS (
            SELECT arrayJoin(CAST(loads AS Array(Tuple(load_id UUID, batch_date Date)))) AS load
            FROM {{ builds_table() }} FINAL
            WHERE model = {{ text_value(model['name']) }}
        )
    SELECT batch_date, load_id, true AS is_current
    FROM (SELECT batch_date, arrayJoin(load_ids) AS load_id FROM {{ ref('stg_loads') }})
    WHERE load_id NOT IN (SELECT load.load_id FROM built)
    UNION ALL
    SELECT load.batch_date AS batch_date, load.load_id AS load_id, false AS is_current
    FROM built
    WHERE load_id NOT IN ({{ current_loads() }})
{%- endmacro %}

{# Events of the table whose row came with a load that is no more. #}
{% macro select_stale(loads) -%}
    SELECT DISTINCT user_id, event_time, event_id
    FROM {{ this }}
    WHERE batch_date IN (SELECT batch_date FROM {{ loads }}) AND load_id NOT IN ({{ current_loads() }})
{%- endmacro %}

{# What is to be done: for each event the row that stays, whether it is to be inserted, and the rows that go. #}
{% macro select_plan(source_relation, loads, stale) -%}
    {%- set key_and_arrival = 'user_id, event_time, event_id, ' ~ arrival() ~ ' AS arrival' -%}
    {%- set came = 'load_id IN (SELECT load_id FROM ' ~ loads ~ ' WHERE is_current)' -%}
    SELECT user_id, event_time, event_id, first_arrival, is_new, gone
    FROM (
        SELECT
            user_id,
            event_time,
            event_id,
            countIf(is_current) > 0 AS has_rows,
            minIf(arrival, is_current) AS first_arrival,
            groupArrayIf(arrival, is_staged) AS staged,
            has_rows AND NOT has(staged, first_arrival) AS is_new,
            arrayFilter(row -> NOT has_rows OR row != first_arrival, staged) AS gone
        FROM (
            SELECT {{ key_and_arrival }}, false AS is_staged, true AS is_current
            FROM {{ source_relation }}
            WHERE {{ came }}
            {%- if stale %}
            UNION ALL
            SELECT {{ key_and_arrival }}, false AS is_staged, load_id IN ({{ current_loads() }}) AS is_current
            FROM {{ source_relation }}
            WHERE ({{ event_key() }}) IN (SELECT {{ event_key() }} FROM {{ stale }})
                -- An event is dated before its batch date + 2 days.
                AND batch_date >= (SELECT min(toDate(event_time)) - 1 FROM {{ stale }})
            {%- endif %}
            UNION ALL
            SELECT {{ key_and_arrival }}, true AS is_staged, load_id IN ({{ current_loads() }}) AS is_current
            FROM {{ this }}
            WHERE ({{ event_key() }}) IN (
                SELECT {{ event_key() }} FROM {{ source_relation }} WHERE {{ came }}
                {%- if stale %}
                UNION ALL
                SELECT {{ event_key() }} FROM {{ stale }}
                {%- endif %}
            )
        )
        GROUP BY user_id, event_time, event_id
    )
    WHERE is_new OR notEmpty(gone)
{%- endmacro %}

{% macro insert_new(source_relation, plan) -%}
    INSERT INTO {{ this }} ({{ column_list() }})
    SELECT {{ column_list() }}
    FROM {{ source_relation }}
    WHERE load_id IN (SELECT DISTINCT first_arrival.4 FROM {{ plan }} WHERE is_new)
        AND ({{ event_key() }}, load_id, source_file, source_line) IN (
            SELECT {{ event_key() }}, first_arrival.4, first_arrival.2, first_arrival.3 FROM {{ plan }} WHERE is_new
        )
{%- endmacro %}

{% macro delete_gone(plan) -%}
    DELETE FROM {{ this }}
    WHERE ({{ event_key() }}, load_id, source_file, source_line) IN (
        SELECT {{ event_key() }}, arrival.4, arrival.2, arrival.3 FROM {{ plan }} ARRAY JOIN gone AS arrival
    )
{%- endmacro %}

{# Rows of a load vanish when its day is replaced: then what has just been inserted may lack some. #}
{% macro refuse_replaced_loads() %}
    {% set replaced = run_query(
        "SELECT DISTINCT toString(batch_date) FROM " ~ ref('stg_loads') ~ " ARRAY JOIN load_ids AS load_id
        WHERE load_id NOT IN (
            SELECT arrayJoin(latest) FROM (
                SELECT argMax(load_ids, (committed_at, commit_id)) AS latest
                FROM " ~ source('raw', 'loads') ~ " GROUP BY batch_date
            )
        ) ORDER BY 1"
    ) %}
    {% if replaced.rows | length %}
        {% set dates = [] %}
        {% for row in replaced.rows %}{% do dates.append(row[0]) %}{% endfor %}
        {{ exceptions.raise_compiler_error(
            "The batch date " ~ dates | join(', ') ~ " was loaded again while " ~ model['name'] ~ " was built from it. "
            ~ "Nothing is lost: run dbt build again."
        ) }}
    {% endif %}
{% endmacro %}
