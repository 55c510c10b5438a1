"""Flat views as pandas and SQLAlchemy see them. Prints "ok …" or "FAILED: …" a check."""
import os
import warnings

import numpy
import pandas
import psycopg
import sqlalchemy

# pandas prefers SQLAlchemy, and says so; it takes any connection.
warnings.filterwarnings("ignore", message="pandas only supports SQLAlchemy")
WHERE = {"host": os.environ["PGHOST"], "port": os.environ["PGPORT"], "user": os.environ["BI_ROLE"], "dbname": os.environ["PGDATABASE"]}
OBSERVATIONS = "SELECT id, patient_id, code_display, effective, value_quantity, value_quantity_unit FROM bi.observation"


def check(name, expected, found):
    print(f"ok {name}" if expected == found else f"FAILED: {name}: expected {expected!r}, found {found!r}")


def kinds(frame):
    return {name: str(kind) for name, kind in frame.dtypes.items()}


def through_psycopg():
    with psycopg.connect(**WHERE) as connection:
        patients = pandas.read_sql("SELECT id, gender, birth_date, active, last_updated FROM bi.patient", connection, index_col="id", parse_dates=["birth_date"])
        check("types of a patient", {"gender": "object", "birth_date": "datetime64[ns]", "active": "bool", "last_updated": "datetime64[ns, UTC]"}, kinds(patients))
        observations = pandas.read_sql(OBSERVATIONS, connection)
        expected = {"id": "object", "patient_id": "object", "code_display": "object", "effective": "datetime64[ns, UTC]", "value_quantity": "float64", "value_quantity_unit": "object"}
        check("types of an observation", expected, kinds(observations))
        check("as many patients as the lake has", [(len(patients),)], connection.execute("SELECT count(*) FROM lake.patient").fetchall())

        joined = observations.join(patients, on="patient_id")
        check("every observation has its patient", 0, int(joined["gender"].isna().sum()))
        means = joined[joined["code_display"].eq("Body Weight")].groupby("gender")["value_quantity"].agg(["count", "mean"])
        expected = connection.execute("""
            SELECT p.resource ->> 'gender', count(*), avg((o.resource #>> '{valueQuantity,value}')::numeric)::float8
            FROM lake.observation o JOIN lake.patient p ON o.resource #>> '{subject,reference}' = 'Patient/' || p.id
            WHERE o.resource #>> '{code,coding,0,display}' = 'Body Weight' GROUP BY 1 ORDER BY 1""").fetchall()
        check("groups", [(gender, count) for gender, count, _ in expected], list(means["count"].items()))
        check("means", True, numpy.allclose([mean for *_, mean in expected], means["mean"]))
        years = observations.set_index("effective").resample("YS")["id"].count()
        expected = connection.execute("SELECT count(*), count(DISTINCT date_trunc('year', effective)) FROM bi.observation").fetchone()
        check("resampled by year", expected, (int(years.sum()), int((years > 0).sum())))
        since, patient = pandas.Timestamp("2012-01-01", tz="UTC"), observations["patient_id"][0]
        chosen = pandas.read_sql(OBSERVATIONS + " WHERE effective >= %s AND patient_id = %s", connection, params=[since, patient])
        check("parameters", int((observations["effective"].ge(since) & observations["patient_id"].eq(patient)).sum()), len(chosen))
        check("nothing found keeps its columns", list(observations.columns), list(pandas.read_sql(OBSERVATIONS + " WHERE false", connection).columns))


def through_sqlalchemy():
    engine = sqlalchemy.create_engine("postgresql+psycopg2://{user}@/{dbname}?host={host}&port={port}".format(**WHERE))
    inspector = sqlalchemy.inspect(engine)
    check("the views are listed", True, {"patient", "observation"} <= set(inspector.get_view_names("bi")))
    columns = {column["name"]: column for column in inspector.get_columns("patient", schema="bi")}
    check("a column has its comment", "The date of birth for the individual", columns["birth_date"]["comment"])
    check("every column has one", [], [name for name, column in columns.items() if not column["comment"]])
    check("types are known", ["TEXT", "DATE", "BOOLEAN", "TIMESTAMP"], [str(columns[name]["type"]) for name in ("gender", "birth_date", "active", "last_updated")])
    check("a view has its comment", True, bool(inspector.get_table_comment("patient", schema="bi")["text"]))
    portions = list(pandas.read_sql(OBSERVATIONS, engine.connect().execution_options(stream_results=True), chunksize=1000))
    check("in portions", (True, True), (len(portions) > 1, all(len(portion) <= 1000 for portion in portions)))
    engine.dispose()


through_psycopg()
through_sqlalchemy()
