{#
    What is known of dbt's runs, in two tables of the database `staging`.

    `schoolbell_runs` has rows of each run that builds: when it started, signs of life, and its end with what failed. Two
    builds at once on the same databases would write the same rows, so a run stops where another is alive. A run that was
    killed is forgotten once it has given no sign of life for a while.

    `schoolbell_marts` has a row a mart: as of which date it was last built, when, and from which loads.
#}

{% macro runs_table() -%} {{ bookkeeping_table('schoolbell_runs') }} {%- endmacro %}

{% macro marts_table() -%} {{ bookkeeping_table('schoolbell_marts') }} {%- endmacro %}

{# For how many seconds a run that gives no sign of life, and has no query in the server, keeps others out. #}
{% macro seconds_until_dead() %}{{ return(300) }}{% endmacro %}

{# Whether the command writes tables. #}
{% macro is_building() %}{{ return(execute and flags.WHICH in ['build', 'run', 'seed', 'retry']) }}{% endmacro %}

{% macro make_runs_tables() %}
    {% do run_query(
        "CREATE TABLE IF NOT EXISTS " ~ runs_table() ~ " (
            run_id UUID COMMENT 'The run, as dbt calls it in its logs (invocation_id)',
            state LowCardinality(String) COMMENT 'started, alive, or ended',
            at DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'When, by the clock of the server',
            started_by String DEFAULT '' COMMENT 'The command and who started it, as far as known',
            failed Array(String) DEFAULT [] COMMENT 'What failed, of an ended run'
        )
        ENGINE = MergeTree ORDER BY (run_id, at)
        TTL toDateTime(at) + INTERVAL 3 MONTH
        COMMENT 'The runs of dbt that build, with their signs of life'"
    ) %}
    {% do run_query(
        "CREATE TABLE IF NOT EXISTS " ~ marts_table() ~ " (
            mart String COMMENT 'The mart',
            as_of_date Date COMMENT 'The last date that counts in it',
            built_at DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'When it was built, by the clock of the server',
            loaded_until DateTime64(3, 'UTC') COMMENT 'The commit of the latest load it was built from',
            timezone String COMMENT 'The reporting time zone',
            currency String COMMENT 'The reporting currency',
            run_id UUID COMMENT 'The run that built it'
        )
        ENGINE = ReplacingMergeTree(built_at) ORDER BY mart
        COMMENT 'What each mart was last built from'"
    ) %}
{% endmacro %}

{# Writes a row of this run. #}
{% macro write_run(state, started_by='', failed=[]) %}
    {% do run_query(
        "INSERT INTO " ~ runs_table() ~ " (run_id, state, started_by, failed) SELECT toUUID(" ~ text_value(invocation_id)
        ~ "), " ~ text_value(state) ~ ", " ~ text_value(started_by) ~ ", CAST([" ~ text_values(failed)
        ~ "] AS Array(String))"
    ) %}
{% endmacro %}

{# Claims the databases for this run, or stops (`on-run-start`). #}
{% macro begin_run() %}
    {% if is_building() %}
        {% do make_runs_tables() %}
        {% do refuse_two_at_once() %}
        {% set user = env_var('USER', '') ~ ('@' ~ env_var('HOSTNAME') if env_var('HOSTNAME', '') else '') %}
        {% do write_run('started', "dbt " ~ flags.WHICH ~ (" of " ~ user if user else "")) %}
        {# Of two that start at the same moment, each has written before it looks: one sees the other, or both do. #}
        {% do refuse_two_at_once(has_started=true) %}
    {% endif %}
{% endmacro %}

{% macro refuse_two_at_once(has_started=false) %}
    {% set others = run_query(
        "SELECT toString(run_id), max(started_by), toString(toDateTime(min(at))), toString(toDateTime(max(at))),
            toString(toDateTime(max(at)) + " ~ seconds_until_dead() ~ ")
        FROM " ~ runs_table() ~ "
        WHERE run_id != toUUID(" ~ text_value(invocation_id) ~ ")
        GROUP BY run_id
        HAVING countIf(state = 'ended') = 0 AND (
            max(at) > now64(3) - INTERVAL " ~ seconds_until_dead() ~ " SECOND
            OR arrayExists(
                query -> position(query, toString(run_id)) > 0, (SELECT groupArray(query) FROM system.processes)
            )
        )
        ORDER BY min(at) LIMIT 1"
    ).rows %}
    {% if others | length %}
        {% set other = others[0] %}
        {% if has_started %}{% do write_run('ended', failed=['another run']) %}{% endif %}
        {{ exceptions.raise_compiler_error(
            "Another dbt run is building these databases: " ~ other[1] ~ ", run " ~ other[0] ~ ", since " ~ other[2]
            ~ " UTC, last seen at " ~ other[3] ~ " UTC. Wait until it has ended. If it was killed, it is forgotten at "
            ~ other[4] ~ " UTC unless a query of it still runs, or at once by `dbt run-operation forget_runs`."
        ) }}
    {% endif %}
{% endmacro %}

{# Says that this run is alive (`pre-hook` of the models). #}
{% macro sign_of_life() %}{% if is_building() %}{% do write_run('alive') %}{% endif %}{% endmacro %}

{# Says that this run has ended, and what of it failed (`on-run-end`). #}
{% macro end_run(results) %}
    {% if is_building() %}
        {% set failed = [] %}
        {% for result in results if result.status | string in ['error', 'fail', 'runtime error'] %}
            {% do failed.append(result.node.name) %}
        {% endfor %}
        {% do write_run('ended', failed=failed) %}
    {% endif %}
{% endmacro %}

{# Ends every run that has not ended: for runs that were killed. `dbt run-operation forget_runs` #}
{% macro forget_runs() %}
    {% do run_query(
        "INSERT INTO " ~ runs_table() ~ " (run_id, state, failed)
        SELECT run_id, 'ended', ['killed'] FROM " ~ runs_table() ~ "
        GROUP BY run_id HAVING countIf(state = 'ended') = 0"
    ) %}
{% endmacro %}

{# Writes what a mart was built from (`post-hook` of the marts). #}
{% macro record_mart() %}
    {# Named here so that dbt knows of it when it parses. #}
    {% set loads = ref('stg_loads') %}
    {% if is_building() %}
        {% do run_query(
            "INSERT INTO " ~ marts_table() ~ " (mart, as_of_date, loaded_until, timezone, currency, run_id)
            SELECT " ~ text_value(this.identifier) ~ ", " ~ as_of_date() ~ ",
                (SELECT max(committed_at) FROM " ~ loads ~ "), " ~ reporting_timezone() ~ ", "
                ~ reporting_currency() ~ ", toUUID(" ~ text_value(invocation_id) ~ ")"
        ) %}
    {% endif %}
{% endmacro %}

{# What stands before each query in the server's own tables: which run and which model it is of. #}
{% macro comment_of_queries(node) %}
    {% set comment = {'app': 'dbt', 'run_id': invocation_id} %}
    {% if node is not none %}{% do comment.update({'node_id': node.unique_id}) %}{% endif %}
    {{ return(tojson(comment)) }}
{% endmacro %}
