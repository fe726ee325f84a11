{#
    What incremental builds remember, in two tables of the database `staging`.

    `schoolbell_builds` has a row a model: the version it is at, the version that last made it from nothing, what
    defined it then, and what it was made from: the loads (staging), or the versions of the models it follows
    (intermediate). The row is written last, in one insert: a build that fails half way is done again by the next.

    `schoolbell_changes` says which days each version of a model changed, and of staging which users'. It is written
    before the model is, so a follower may look at a day too many after a failure, never at one too few.
#}

{% macro bookkeeping_table(name) -%}
    {{ api.Relation.create(schema=generate_schema_name('staging', none) | trim, identifier=name, type='table') }}
{%- endmacro %}

{% macro builds_table() -%} {{ bookkeeping_table('schoolbell_builds') }} {%- endmacro %}

{% macro changes_table() -%} {{ bookkeeping_table('schoolbell_changes') }} {%- endmacro %}

{% macro make_bookkeeping() %}
    {% do run_query(
        "CREATE TABLE IF NOT EXISTS " ~ builds_table() ~ " (
            model String COMMENT 'The model',
            version UInt64 COMMENT 'How often it has changed',
            rebuilt_in UInt64 COMMENT 'The version that last made it from nothing',
            definition String COMMENT 'A hash of the code that made it; empty while it is made from nothing',
            timezone String COMMENT 'The reporting time zone it was made with',
            loads Map(UUID, Date) COMMENT 'The loads it was made from, with their batch dates',
            followed Map(String, UInt64) COMMENT 'The versions of the models it was made from',
            built_at DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'When, by the clock of the server'
        )
        ENGINE = ReplacingMergeTree(version) ORDER BY model
        COMMENT 'What the incremental dbt models were last built from'"
    ) %}
    {% do run_query(
        "CREATE TABLE IF NOT EXISTS " ~ changes_table() ~ " (
            model LowCardinality(String) COMMENT 'The model that changed',
            version UInt64 COMMENT 'In which of its versions',
            timezone LowCardinality(String) COMMENT 'The reporting time zone of changed_date',
            changed_date Date COMMENT 'The day of which rows came or went',
            user_id String COMMENT 'The user whose rows they are; empty where users are not told apart',
            written_on Date DEFAULT today() COMMENT 'When this was written'
        )
        ENGINE = MergeTree PARTITION BY toYYYYMM(written_on) ORDER BY (model, version, changed_date, user_id)
        TTL written_on + INTERVAL " ~ changes_are_kept_months() ~ " MONTH
        COMMENT 'Which users days the versions of the incremental dbt models changed'"
    ) %}
{% endmacro %}

{# A follower whose last build is half as old begins anew, long before it could miss a change. #}
{% macro changes_are_kept_months() %}{{ return(12) }}{% endmacro %}

{# The row of each of these models that has one, by name. #}
{% macro read_builds(models) %}
    {% set found = {} %}
    {% set rows = run_query(
        "SELECT model, version, rebuilt_in, definition, timezone, toJSONString(followed) AS followed,
            built_at < now() - INTERVAL " ~ changes_are_kept_months() // 2 ~ " MONTH AS is_old
        FROM " ~ builds_table() ~ " FINAL WHERE model IN (" ~ text_values(models) ~ ")"
    ) %}
    {% for row in rows %}
        {% set followed = {} %}
        {% for other, version in fromjson(row['followed']).items() %}
            {% do followed.update({other: version | int}) %}
        {% endfor %}
        {% do found.update({row['model']: {
            'version': row['version'] | int,
            'rebuilt_in': row['rebuilt_in'] | int,
            'definition': row['definition'],
            'timezone': row['timezone'],
            'followed': followed,
            'is_old': row['is_old'] | int == 1,
        }}) %}
    {% endfor %}
    {{ return(found) }}
{% endmacro %}

{% macro text_values(values) -%}
    {%- for value in values %}{{ text_value(value) }}{{ ', ' if not loop.last }}{% endfor -%}
{%- endmacro %}

{# A hash of what makes the model: its code, its configuration included, and the options that all of its rows depend on. #}
{% macro model_definition() %}
    {% set code = model['raw_code'] %}
    {{ return(local_md5(code ~ ('week_start ' ~ week_start() if 'week_start()' in code or "'periods'" in code else ''))) }}
{% endmacro %}

{# The statement that writes a model's row. `loads` is an expression; `followed` names versions. #}
{% macro write_build(version, rebuilt_in, definition, loads="map()", followed={}) -%}
    {%- set pairs = [] -%}
    {%- for name, followed_version in followed.items() -%}
        {%- do pairs.append(text_value(name) ~ ', ' ~ followed_version) -%}
    {%- endfor -%}
    INSERT INTO {{ builds_table() }} (model, version, rebuilt_in, definition, timezone, loads, followed)
    SELECT
        {{ text_value(model['name']) }},
        {{ version }},
        {{ rebuilt_in }},
        {{ text_value(definition) }},
        {{ reporting_timezone() }},
        CAST({{ loads }} AS Map(UUID, Date)),
        CAST(map({{ pairs | join(', ') }}) AS Map(String, UInt64))
{%- endmacro %}

{# A table of this build alone, beside the model's. #}
{% macro scratch(name) %}
    {{ return(this.incorporate(path={'identifier': this.identifier ~ '__' ~ name}, type='table')) }}
{% endmacro %}

{% macro drop_scratch(names) %}
    {% for name in names %}{% do drop_table(scratch(name)) %}{% endfor %}
{% endmacro %}

{% macro drop_table(relation) %}{% do run_query("DROP TABLE IF EXISTS " ~ relation ~ " SYNC") %}{% endmacro %}

{# The keys of a table that its last build made anew, for the data tests. It stays, so it is no table among the marts. #}
{% macro changed_keys_table(identifier) -%} {{ bookkeeping_table(identifier ~ '__changed') }} {%- endmacro %}

{# A number that a query answers. #}
{% macro count_of(query) %}{{ return(run_query(query).rows[0][0] | int) }}{% endmacro %}

{# A deletion that a failed build left running reads tables that are about to go. #}
{% macro end_deletions() %}
    {% set of_table = "database = " ~ text_value(this.schema) ~ " AND table = " ~ text_value(this.identifier) %}
    {% if count_of("SELECT count() FROM system.mutations WHERE NOT is_done AND " ~ of_table) %}
        {% do run_query("KILL MUTATION WHERE " ~ of_table ~ " SYNC") %}
    {% endif %}
{% endmacro %}

{#
    The rows of a table that its last build bears on, as a condition, for data tests: all of them where the table was
    made from nothing or is made anew each time; otherwise those of the users and dates that changed. `changed_by` is
    given for models that follow changes, as in their config.
#}
{% macro rows_of_last_build(relation, changed_by=none) %}
    {% set build = none %}
    {% if execute and adapter.get_relation(relation.database, relation.schema, 'schoolbell_builds') is not none %}
        {% set build = read_builds([relation.identifier]).get(relation.identifier) %}
    {% endif %}
    {% if build is none or build['version'] == build['rebuilt_in'] %}
        {{ return('1') }}
    {% endif %}
    {% if changed_by %}
        {# dbt's cache of relations knows nothing of tables that are made beside models. #}
        {% set changed = changed_keys_table(relation.identifier) %}
        {% set is_there = count_of("EXISTS TABLE " ~ changed) %}
        {% set key = changed_by | join(', ') %}
        {{ return("(" ~ key ~ ") IN (SELECT " ~ key ~ " FROM " ~ changed ~ ")" if is_there else '1') }}
    {% endif %}
    {# A day of the reporting zone has events of three dates in UTC at most. #}
    {{ return(
        "(toDate(event_time), user_id) IN (
            SELECT changed_date + arrayJoin([-1, 0, 1]), user_id FROM " ~ changes_table() ~ "
            WHERE model = " ~ text_value(relation.identifier) ~ " AND version = " ~ build['version'] ~ "
        )"
    ) }}
{% endmacro %}
