"""Flat views through Debian's ODBC driver, as Power BI's, Excel's and Tableau's generic connections see them: python odbc.py DRIVER.
Prints "ok …" or "FAILED: …" a check. SQLTables and SQLColumns are the functions of ODBC of that name."""
import datetime
import decimal
import os
import sys

import pyodbc


def check(name, expected, found):
    print(f"ok {name}" if expected == found else f"FAILED: {name}: expected {expected!r}, found {found!r}")


parts = {"Driver": sys.argv[1], "Servername": os.environ["PGHOST"], "Port": os.environ["PGPORT"], "Database": os.environ["PGDATABASE"], "Username": os.environ["BI_ROLE"],
         "SSLmode": "disable", "BoolsAsChar": "0", "TextAsLongVarchar": "0", "MaxVarcharSize": "4000", "UseDeclareFetch": "1", "Fetch": "500"}
connection = pyodbc.connect(";".join(f"{key}={value}" for key, value in parts.items()), readonly=True)
cursor = connection.cursor()
print(connection.getinfo(pyodbc.SQL_DRIVER_NAME), connection.getinfo(pyodbc.SQL_DRIVER_VER))

tables = {row.table_name: row for row in cursor.tables(schema="bi")}
check("SQLTables finds the views", True, {"patient", "encounter", "condition", "observation"} <= set(tables))
check("as views", {"VIEW"}, {row.table_type for row in tables.values()})
columns = {row.column_name: row for row in cursor.columns(table="observation", schema="bi")}
expected = {"id": pyodbc.SQL_WVARCHAR, "effective": pyodbc.SQL_TYPE_TIMESTAMP, "value_quantity": pyodbc.SQL_NUMERIC, "value_boolean": pyodbc.SQL_BIT, "value_integer": pyodbc.SQL_INTEGER}
check("SQLColumns: types", expected, {name: columns[name].data_type for name in expected})
check("SQLColumns: in order", list(range(1, len(columns) + 1)), [row.ordinal_position for row in columns.values()])
check("SQLPrimaryKeys finds none", [], cursor.primaryKeys("patient", schema="bi").fetchall())

row = cursor.execute("SELECT id, birth_date, active, last_updated, gender FROM bi.patient ORDER BY id").fetchone()
check("typed values", [str, datetime.date, bool, datetime.datetime, str], [type(value) for value in row])
code, count, mean = cursor.execute("""SELECT code, count(*), avg(value_quantity) FROM bi.observation WHERE effective >= ? AND value_quantity IS NOT NULL
    GROUP BY code ORDER BY 2 DESC, 1""", datetime.datetime(2012, 1, 1)).fetchone()
plain = cursor.execute("""SELECT count(*), avg((resource #>> '{valueQuantity,value}')::numeric) FROM lake.observation
    WHERE resource #>> '{code,coding,0,code}' = ? AND (resource ->> 'effectiveDateTime')::timestamptz >= '2012-01-01'""", code).fetchone()
check("a number", decimal.Decimal, type(mean))
check("a query with a parameter", tuple(plain), (count, mean))
total = cursor.execute("SELECT count(*) FROM lake.observation").fetchval()
check("all rows in portions of 500", total, sum(1 for _ in cursor.execute("SELECT id, code_display, effective FROM bi.observation")))
state = None
try:
    cursor.execute("DELETE FROM lake.patient")
except pyodbc.Error as error:
    state = error.args[0]
check("the reader cannot write", "25006", state)
