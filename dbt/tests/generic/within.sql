{#
    Every value of the column is at least `least` and at most `most`; NULL is left to other tests.
#}
{% test within(model, column_name, least, most) %}
SELECT {{ column_name }}
FROM {{ model }}
WHERE {{ column_name }} < {{ least }} OR {{ column_name }} > {{ most }} OR isNaN({{ column_name }})
{% endtest %}
