"""Builds a dashboard on bi through Superset's REST API: python build.py URL PATH_FILE. Prints "ok …" or "FAILED: …"
a check, and writes the path of the dashboard to the file.

What is checked here is what a person sees while building: the database answers, the views of bi are offered as datasets, and
their columns come with types and with the comments of the catalog as descriptions.
"""
import json
import os
import sys

import requests

URL = sys.argv[1]
SINCE = "2011-01-01 : 2021-01-01"
CLASS = "CASE class WHEN 'AMB' THEN 'ambulatory' WHEN 'EMER' THEN 'emergency' WHEN 'IMP' THEN 'inpatient' WHEN 'HH' THEN 'home' ELSE lower(class) END"
LIPID = "CASE code WHEN '2093-3' THEN 'total cholesterol' WHEN '18262-6' THEN 'LDL' WHEN '2089-1' THEN 'LDL' WHEN '2085-9' THEN 'HDL' WHEN '2571-8' THEN 'triglycerides' END"
# Synthea records the situation of being reviewed or employed as conditions.
DISORDERS = {"expressionType": "SQL", "clause": "WHERE", "sqlExpression": "code_display !~ '\\((situation|finding)\\)'"}
session = requests.Session()


def check(name, holds, found=""):
    print(f"ok {name}" if holds else f"FAILED: {name}: {found}")


def call(method, path, **body):
    answer = session.request(method, f"{URL}/api/v1/{path}", json=body or None, timeout=120)
    if not answer.ok:
        print(f"FAILED: {method} {path}: {answer.status_code} {answer.text[:1000]}")
        sys.exit(1)
    return answer.json()


def login():
    token = call("POST", "security/login", username="admin", password=os.environ["SUPERSET_SECRET_KEY"], provider="db")["access_token"]
    session.headers["Authorization"] = f"Bearer {token}"


def database():
    uri = "postgresql+psycopg2://{user}@/{database}?host={host}&port={port}".format(
        user=os.environ["BI_ROLE"], database=os.environ["PGDATABASE"], host=os.environ["PGHOST"], port=os.environ["PGPORT"])
    number = call("POST", "database/", database_name="fhirlake", sqlalchemy_uri=uri, expose_in_sqllab=True)["id"]
    schemas = call("GET", f"database/{number}/schemas/?q=(force:!t)")["result"]
    check("the schema bi is offered", "bi" in schemas, schemas)
    tables = {table["value"] for table in call("GET", f"database/{number}/tables/?q=(force:!t,schema_name:bi)")["result"]}
    check("its views are offered", {"patient", "encounter", "condition", "observation"} <= tables, tables)
    return number


def dataset(database, view, columns=(), main=None):
    """A dataset of a view, with calculated columns (name, expression). Returns its number."""
    number = call("POST", "dataset/", database=database, schema="bi", table_name=view)["id"]
    found = call("GET", f"dataset/{number}")["result"]["columns"]
    kept = [{key: column[key] for key in ("id", "column_name", "type", "is_dttm", "groupby", "filterable", "description")} for column in found]
    kept += [{"column_name": name, "expression": expression, "type": "TEXT", "groupby": True, "filterable": True} for name, expression in columns]
    call("PUT", f"dataset/{number}", columns=kept, main_dttm_col=main)
    return number, {column["column_name"]: column for column in found}


def metric(label, sql):
    return {"expressionType": "SQL", "sqlExpression": sql, "label": label, "optionName": "metric_" + "".join(filter(str.isalnum, label))}


def where(column, operator, value):
    return {"expressionType": "SIMPLE", "clause": "WHERE", "subject": column, "operator": operator, "comparator": value}


def chart(dashboard, name, kind, source, **params):
    params = {"datasource": f"{source}__table", "viz_type": kind, "adhoc_filters": [], "row_limit": 10000, **params}
    number = call("POST", "chart/", slice_name=name, viz_type=kind, datasource_id=source, datasource_type="table",
                  params=json.dumps(params), dashboards=[dashboard])["id"]
    return number, name


def layout(title, rows):
    """position_json of rows of (chart, width of 12, height in units of 8 pixels)."""
    nodes = {
        "DASHBOARD_VERSION_KEY": "v2",
        "ROOT_ID": {"type": "ROOT", "id": "ROOT_ID", "children": ["GRID_ID"]},
        "GRID_ID": {"type": "GRID", "id": "GRID_ID", "parents": ["ROOT_ID"], "children": []},
        "HEADER_ID": {"type": "HEADER", "id": "HEADER_ID", "meta": {"text": title}},
    }
    for n, cells in enumerate(rows):
        row = f"ROW-{n}"
        nodes["GRID_ID"]["children"].append(row)
        nodes[row] = {"type": "ROW", "id": row, "parents": ["ROOT_ID", "GRID_ID"], "children": [], "meta": {"background": "BACKGROUND_TRANSPARENT"}}
        for (number, name), width, height in cells:
            cell = f"CHART-{number}"
            nodes[row]["children"].append(cell)
            nodes[cell] = {"type": "CHART", "id": cell, "parents": ["ROOT_ID", "GRID_ID", row], "children": [],
                           "meta": {"chartId": number, "sliceName": name, "width": width, "height": height}}
    return nodes


def main():
    login()
    base = database()
    decade = "least(extract(year FROM age(birth_date))::integer / 10 * 10, 90)"
    patients, columns = dataset(base, "patient", [("age", f"CASE WHEN {decade} = 90 THEN '90+' ELSE to_char({decade}, 'FM00') || '–' || to_char({decade} + 9, 'FM00') END")])
    check("a column has its comment as description", columns["birth_date"]["description"] is not None, columns["birth_date"])
    check("a date is a date", (columns["birth_date"]["type"], columns["birth_date"]["is_dttm"]) == ("DATE", True), columns["birth_date"])
    encounters, columns = dataset(base, "encounter", [("kind", CLASS)], main="period_start")
    check("a timestamp is a timestamp", columns["period_start"]["type"].startswith("TIMESTAMP") and columns["period_start"]["is_dttm"], columns["period_start"])
    conditions, _ = dataset(base, "condition")
    labs, columns = dataset(base, "observation", [("lipid", LIPID)], main="effective")
    check("a number is a number", columns["value_quantity"]["type"].startswith("NUMERIC"), columns["value_quantity"])

    title = "A FHIR lake, live from Postgres"
    board = call("POST", "dashboard/", dashboard_title=title, published=True)["id"]
    total = {"header_font_size": 0.6, "subtitle_font_size": 0.3, "y_axis_format": ",d"}
    legend = {"show_legend": True, "legendType": "scroll", "legendOrientation": "top", "rich_tooltip": True, "color_scheme": "supersetColors"}
    rows = [
        [
            (chart(board, "Patients", "big_number_total", patients, metric=metric("patients", "count(*)"), subtitle="bi.patient", **total), 3, 16),
            (chart(board, "Encounters", "big_number_total", encounters, metric=metric("encounters", "count(*)"), subtitle="bi.encounter", **total), 3, 16),
            (chart(board, "Conditions", "big_number_total", conditions, metric=metric("conditions", "count(*)"), subtitle="bi.condition", **total), 3, 16),
            (chart(board, "Observations", "big_number_total", labs, metric=metric("observations", "count(*)"), subtitle="bi.observation", **total), 3, 16),
        ],
        [
            (chart(board, "Patients by age and sex", "echarts_timeseries_bar", patients, x_axis="age", xAxisForceCategorical=True, x_axis_sort="age", x_axis_sort_asc=True,
                   groupby=["gender"], metrics=[metric("patients", "count(*)")], stack="Stack", show_value=True,
                   adhoc_filters=[where("deceased_date_time", "IS NULL", None)], **legend), 5, 50),
            (chart(board, "Encounters per month", "echarts_timeseries_bar", encounters, x_axis="period_start", time_grain_sqla="P1M", groupby=["kind"],
                   metrics=[metric("encounters", "count(*)")], stack="Stack", x_axis_time_format="%Y",
                   adhoc_filters=[where("period_start", "TEMPORAL_RANGE", SINCE)], **legend), 7, 50),
        ],
        [
            (chart(board, "Most frequent conditions", "table", conditions, query_mode="aggregate", groupby=[{"expressionType": "SQL", "label": "condition", "sqlExpression": "code_display"}],
                   metrics=[metric("patients", "count(DISTINCT patient_id)"), metric("diagnoses", "count(*)")], all_columns=[], percent_metrics=[],
                   timeseries_limit_metric=metric("patients", "count(DISTINCT patient_id)"), order_desc=True, row_limit=1000, page_length=0, adhoc_filters=[DISORDERS], show_cell_bars=True,
                   server_pagination=False, table_timestamp_format="smart_date"), 5, 50),
            (chart(board, "Cholesterol: yearly mean, mg/dL", "echarts_timeseries_line", labs, x_axis="effective", time_grain_sqla="P1Y", groupby=["lipid"],
                   metrics=[metric("mean", "avg(value_quantity)")], markerEnabled=True, markerSize=6, x_axis_time_format="%Y", y_axis_format=",.0f", truncateYAxis=True,
                   adhoc_filters=[where("effective", "TEMPORAL_RANGE", SINCE), where("lipid", "IS NOT NULL", None)], **legend), 7, 50),
        ],
    ]
    call("PUT", f"dashboard/{board}", position_json=json.dumps(layout(title, rows)), json_metadata=json.dumps({"color_scheme": "supersetColors", "refresh_frequency": 0}))
    with open(sys.argv[2], "w", encoding="utf-8") as file:
        file.write(f"/superset/dashboard/{board}/")


main()
