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
DECADE = "(least(age, 90) / 10 * 10)::text || CASE WHEN age < 90 THEN '–' || least(age, 90) / 10 * 10 + 9 ELSE '+' END"
CLASS = "CASE class WHEN 'AMB' THEN 'ambulatory' WHEN 'EMER' THEN 'emergency' WHEN 'IMP' THEN 'inpatient' WHEN 'HH' THEN 'home' ELSE lower(class) END"
LIPID = "CASE code WHEN '2093-3' THEN 'total cholesterol' WHEN '18262-6' THEN 'LDL' WHEN '2089-1' THEN 'LDL' WHEN '2085-9' THEN 'HDL' WHEN '2571-8' THEN 'triglycerides' END"
# Synthea records the situation of being reviewed or employed as conditions.
DISORDERS = {"expressionType": "SQL", "clause": "WHERE", "sqlExpression": "display !~ '\\((situation|finding)\\)'"}
session = requests.Session()


def check(name, expected, found):
    print(f"ok {name}" if expected == found else f"FAILED: {name}: expected {expected!r}, found {found!r}")


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
    check("the schema bi is offered", True, "bi" in schemas)
    tables = {table["value"] for table in call("GET", f"database/{number}/tables/?q=(force:!t,schema_name:bi)")["result"]}
    check("its views are offered", True, {"patient", "encounter", "condition", "observation", "lab_result"} <= tables)
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
    patients, columns = dataset(base, "patient")
    check("every column has its comment as description", [], [name for name, column in columns.items() if not column["description"]])
    check("a date is a date", ("DATE", True), (columns["birth_date"]["type"], columns["birth_date"]["is_dttm"]))
    encounters, columns = dataset(base, "encounter", main="period_start")
    check("a timestamp is a timestamp", (True, True), (columns["period_start"]["type"].startswith("TIMESTAMP"), columns["period_start"]["is_dttm"]))
    conditions, _ = dataset(base, "condition")
    observations, columns = dataset(base, "observation", main="effective")
    check("a number is a number", True, columns["value_quantity"]["type"].startswith(("NUMERIC", "DECIMAL")))
    people, _ = dataset(base, "patient_summary", [("decade", DECADE)])
    stays, _ = dataset(base, "encounter_stay", [("kind", CLASS)], main="started")
    prevalence, _ = dataset(base, "condition_prevalence")
    labs, _ = dataset(base, "lab_result", [("lipid", LIPID)], main="effective")

    title = "A FHIR lake, live from Postgres"
    board = call("POST", "dashboard/", dashboard_title=title, published=True)["id"]
    total = {"header_font_size": 0.6, "subtitle_font_size": 0.3, "y_axis_format": ",d"}
    legend = {"show_legend": True, "legendType": "scroll", "legendOrientation": "top", "rich_tooltip": True, "color_scheme": "supersetColors"}
    rows = [
        [
            (chart(board, "Patients", "big_number_total", patients, metric=metric("patients", "count(*)"), subtitle="bi.patient", **total), 3, 16),
            (chart(board, "Encounters", "big_number_total", encounters, metric=metric("encounters", "count(*)"), subtitle="bi.encounter", **total), 3, 16),
            (chart(board, "Conditions", "big_number_total", conditions, metric=metric("conditions", "count(*)"), subtitle="bi.condition", **total), 3, 16),
            (chart(board, "Observations", "big_number_total", observations, metric=metric("observations", "count(*)"), subtitle="bi.observation", **total), 3, 16),
        ],
        [
            (chart(board, "Patients by age and sex", "echarts_timeseries_bar", people, x_axis="decade", xAxisForceCategorical=True, x_axis_sort="decade", x_axis_sort_asc=True,
                   groupby=["gender"], metrics=[metric("patients", "count(*)")], stack="Stack", show_value=True,
                   adhoc_filters=[where("is_deceased", "IS FALSE", None)], **legend), 5, 50),
            (chart(board, "Encounters per month", "echarts_timeseries_bar", stays, x_axis="started", time_grain_sqla="P1M", groupby=["kind"],
                   metrics=[metric("encounters", "count(*)")], stack="Stack", x_axis_time_format="%Y",
                   adhoc_filters=[where("started", "TEMPORAL_RANGE", SINCE)], **legend), 7, 50),
        ],
        [
            (chart(board, "Most frequent conditions", "table", prevalence, query_mode="aggregate", groupby=[{"expressionType": "SQL", "label": "condition", "sqlExpression": "display"}],
                   metrics=[metric("patients", "sum(patients)"), metric("active", "sum(active_patients)")], all_columns=[], percent_metrics=[],
                   timeseries_limit_metric=metric("patients", "sum(patients)"), order_desc=True, row_limit=1000, page_length=0, adhoc_filters=[DISORDERS],
                   show_cell_bars=True, server_pagination=False), 5, 50),
            (chart(board, "Cholesterol: yearly mean, mg/dL", "echarts_timeseries_line", labs, x_axis="effective", time_grain_sqla="P1Y", groupby=["lipid"],
                   metrics=[metric("mean", "avg(value)")], markerEnabled=True, markerSize=6, x_axis_time_format="%Y", y_axis_format=",.0f", truncateYAxis=True,
                   adhoc_filters=[where("effective", "TEMPORAL_RANGE", SINCE), where("lipid", "IS NOT NULL", None)], **legend), 7, 50),
        ],
    ]
    call("PUT", f"dashboard/{board}", position_json=json.dumps(layout(title, rows)), json_metadata=json.dumps({"color_scheme": "supersetColors", "refresh_frequency": 0}))
    with open(sys.argv[2], "w", encoding="utf-8") as file:
        file.write(f"/superset/dashboard/{board}/")


main()
