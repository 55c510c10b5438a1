import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Types;
import java.time.LocalDate;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.TreeSet;

/**
 * What a BI tool on JDBC asks before it shows a list of fields, and how it then reads: the calls of java.sql.DatabaseMetaData, a
 * query that is described but not executed, a prepared one with a date, and many rows fetched in portions.
 */
public class Metadata {
    static final String[] KINDS = {"TABLE", "VIEW", "MATERIALIZED VIEW", "FOREIGN TABLE", "PARTITIONED TABLE"};

    public static void main(String[] arguments) throws Exception {
        Properties properties = new Properties();
        properties.put("user", System.getenv("BI_ROLE"));
        properties.put("socketFactory", Prepared.UnixSockets.class.getName());
        properties.put("sslmode", "disable");
        properties.put("gssEncMode", "disable");
        properties.put("ApplicationName", "a BI tool");
        new org.postgresql.Driver();
        try (Connection connection = DriverManager.getConnection("jdbc:postgresql://localhost/" + System.getenv("PGDATABASE"), properties)) {
            DatabaseMetaData data = connection.getMetaData();
            System.out.println(data.getDriverName() + " " + data.getDriverVersion());
            relations(data);
            columns(data);
            keys(connection, data);
            types(data);
            described(connection);
            prepared(connection);
            portions(connection);
            closed(connection);
        }
    }

    static void relations(DatabaseMetaData data) throws Exception {
        check("getSchemas has bi", true, values(data.getSchemas(), "TABLE_SCHEM").contains("bi"));
        Map<String, String> remarks = new LinkedHashMap<>();
        Set<String> types = new TreeSet<>();
        try (ResultSet found = data.getTables(null, "bi", "%", KINDS)) {
            while (found.next()) {
                types.add(found.getString("TABLE_TYPE"));
                remarks.put(found.getString("TABLE_NAME"), found.getString("REMARKS"));
            }
        }
        check("getTables tells views", Set.of("VIEW"), types);
        for (String view : List.of("patient", "encounter", "condition", "observation")) {
            check("getTables has " + view + " with remarks", true, remarks.get(view) != null && !remarks.get(view).isBlank());
        }
        check("every view has remarks", List.of(), remarks.entrySet().stream().filter(e -> e.getValue() == null).map(Map.Entry::getKey).toList());
    }

    static void columns(DatabaseMetaData data) throws Exception {
        Map<String, Integer> expected = Map.of("id", Types.VARCHAR, "active", Types.BIT, "birth_date", Types.DATE, "deceased_date_time", Types.TIMESTAMP,
                "last_updated", Types.TIMESTAMP, "gender", Types.VARCHAR, "multiple_birth_integer", Types.INTEGER);
        Map<String, Integer> found = new LinkedHashMap<>();
        List<String> odd = new ArrayList<>();
        int position = 0;
        try (ResultSet columns = data.getColumns(null, "bi", "patient", "%")) {
            while (columns.next()) {
                String name = columns.getString("COLUMN_NAME");
                String remarks = columns.getString("REMARKS");
                if (columns.getInt("ORDINAL_POSITION") != ++position || columns.getInt("NULLABLE") != DatabaseMetaData.columnNullable || remarks == null || remarks.isBlank()) {
                    odd.add(name);
                }
                if (expected.containsKey(name)) {
                    found.put(name, columns.getInt("DATA_TYPE"));
                }
            }
        }
        check("getColumns: all stand in order, may be null and have remarks", List.of(), odd);
        check("getColumns begins with the key", "id", found.keySet().iterator().next());
        check("getColumns: types", expected, found);
        try (ResultSet columns = data.getColumns(null, "bi", "observation", "value_quantity")) {
            columns.next();
            check("a quantity is a number", "numeric " + Types.NUMERIC, columns.getString("TYPE_NAME") + " " + columns.getInt("DATA_TYPE"));
        }
        // A tool that reads the whole schema at once.
        int all = 0;
        List<String> bare = new ArrayList<>();
        long begin = System.nanoTime();
        try (ResultSet columns = data.getColumns(null, "bi", "%", "%")) {
            while (columns.next()) {
                all++;
                if (columns.getString("REMARKS") == null) {
                    bare.add(columns.getString("TABLE_NAME") + "." + columns.getString("COLUMN_NAME"));
                }
            }
        }
        check("getColumns of the schema at once", true, all > 10000);
        check("every column of every view has remarks", List.of(), bare);
        System.out.println("getColumns of bi: " + all + " columns in " + (System.nanoTime() - begin) / 1000000 + " ms");
    }

    static void keys(Connection connection, DatabaseMetaData data) throws Exception {
        check("views have no primary keys", List.of(), values(data.getPrimaryKeys(null, "bi", "patient"), "COLUMN_NAME"));
        check("nor foreign keys", List.of(), values(data.getImportedKeys(null, "bi", "observation"), "FKCOLUMN_NAME"));
        check("nor are any exported", List.of(), values(data.getExportedKeys(null, "bi", "patient"), "FKCOLUMN_NAME"));
        check("nor is there an index", List.of(), values(data.getIndexInfo(null, "bi", "patient", false, true), "INDEX_NAME"));
        // What joins is told by a view instead.
        try (Statement statement = connection.createStatement()) {
            List<String> joins = values(statement.executeQuery("SELECT column_name || ' = ' || references_table || '.' || references_column AS told FROM bi.relationships"
                    + " WHERE table_name = 'observation' AND kind = 'foreign key'"), "told");
            check("bi.relationships tells what joins", true, joins.containsAll(List.of("patient_id = patient.id", "encounter_id = encounter.id")));
            check("and what identifies a row", List.of("id"), values(statement.executeQuery(
                    "SELECT column_name FROM bi.relationships WHERE table_name = 'observation' AND kind = 'primary key'"), "column_name"));
        }
    }

    static void types(DatabaseMetaData data) throws Exception {
        List<String> names = values(data.getTypeInfo(), "TYPE_NAME");
        check("getTypeInfo", true, names.containsAll(List.of("text", "bool", "date", "timestamptz", "numeric", "int4", "jsonb")));
    }

    /** A tool learns the types of its own SQL from the server, which runs nothing for it. */
    static void described(Connection connection) throws Exception {
        try (PreparedStatement statement = connection.prepareStatement(
                "SELECT o.code_display, p.birth_date, avg(o.value_quantity) AS mean FROM bi.observation o JOIN bi.patient p ON p.id = o.patient_id WHERE o.effective >= ? GROUP BY 1, 2")) {
            ResultSetMetaData types = statement.getMetaData();
            List<String> found = new ArrayList<>();
            for (int i = 1; i <= types.getColumnCount(); i++) {
                found.add(types.getColumnLabel(i) + " " + types.getColumnTypeName(i));
            }
            check("a query is described", List.of("code_display text", "birth_date date", "mean numeric"), found);
            check("so are its parameters", Types.TIMESTAMP, statement.getParameterMetaData().getParameterType(1));
        }
    }

    static void prepared(Connection connection) throws Exception {
        String[] dates = {"1900-01-01", "1980-01-01", "2000-06-15", "2100-01-01"};
        try (PreparedStatement statement = connection.prepareStatement("SELECT count(*), min(birth_date) FROM bi.patient WHERE birth_date >= ?");
                PreparedStatement plain = connection.prepareStatement("SELECT count(*) FROM lake.patient WHERE (resource ->> 'birthDate')::date >= ?::date")) {
            // From the fifth execution on the driver leaves the statement on the server.
            for (int i = 0; i < 12; i++) {
                LocalDate date = LocalDate.parse(dates[i % dates.length]);
                if (i % 2 == 0) {
                    statement.setDate(1, java.sql.Date.valueOf(date));
                } else {
                    statement.setObject(1, date);
                }
                plain.setString(1, date.toString());
                try (ResultSet found = statement.executeQuery(); ResultSet expected = plain.executeQuery()) {
                    found.next();
                    expected.next();
                    check("born since " + date, expected.getLong(1), found.getLong(1));
                    LocalDate first = found.getObject(2, LocalDate.class);
                    check("the first of them", true, first == null ? found.getLong(1) == 0 : !first.isBefore(date));
                }
            }
        }
        try (PreparedStatement statement = connection.prepareStatement(
                    "SELECT count(*) FROM bi.observation WHERE patient_id = (SELECT id FROM bi.patient ORDER BY id LIMIT 1) AND effective BETWEEN ? AND ?");
                PreparedStatement plain = connection.prepareStatement(
                    "SELECT count(*) FROM lake.observation WHERE resource #>> '{subject,reference}' = 'Patient/' || (SELECT min(id) FROM lake.patient)"
                    + " AND (resource ->> 'effectiveDateTime')::timestamptz BETWEEN ? AND ?")) {
            for (PreparedStatement each : List.of(statement, plain)) {
                each.setObject(1, OffsetDateTime.parse("1990-01-01T00:00:00Z"));
                each.setObject(2, OffsetDateTime.parse("2015-12-31T23:59:59Z"));
            }
            check("moments as parameters", count(plain), count(statement));
        }
    }

    static void portions(Connection connection) throws Exception {
        connection.setAutoCommit(false);
        try (Statement statement = connection.createStatement(); Statement plain = connection.createStatement()) {
            statement.setFetchSize(100);
            int rows = 0;
            double sum = 0;
            try (ResultSet found = statement.executeQuery("SELECT id, effective, value_quantity FROM bi.observation")) {
                while (found.next()) {
                    rows++;
                    found.getTimestamp(2);
                    sum += found.getDouble(3);
                }
            }
            try (ResultSet expected = plain.executeQuery("SELECT count(*), sum((resource #>> '{valueQuantity,value}')::numeric) FROM lake.observation")) {
                expected.next();
                check("all rows in portions of 100", expected.getInt(1), rows);
                check("with their numbers", Math.round(expected.getDouble(2)), Math.round(sum));
            }
        }
        connection.commit();
        connection.setAutoCommit(true);
    }

    /** The reader reads; it cannot write, neither through a view nor beside it. */
    static void closed(Connection connection) throws Exception {
        try (Statement statement = connection.createStatement()) {
            check("a write is against the role's setting", "25006", refusal(statement, "DELETE FROM lake.patient"));
            statement.execute("SET default_transaction_read_only = off");
            for (String sql : List.of("DELETE FROM lake.patient", "UPDATE bi.patient SET id = 'other'", "CREATE TABLE bi.mine (a integer)")) {
                check("and against its rights: " + sql, "42501", refusal(statement, sql));
            }
        }
    }

    static String refusal(Statement statement, String sql) {
        try {
            statement.execute(sql);
            return "none";
        } catch (SQLException e) {
            return e.getSQLState();
        }
    }

    static long count(PreparedStatement statement) throws Exception {
        try (ResultSet found = statement.executeQuery()) {
            found.next();
            return found.getLong(1);
        }
    }

    static List<String> values(ResultSet found, String column) throws Exception {
        List<String> values = new ArrayList<>();
        try (found) {
            while (found.next()) {
                values.add(found.getString(column));
            }
        }
        return values;
    }

    static void check(String what, Object expected, Object found) {
        System.out.println(expected.equals(found) ? "ok " + what : "FAILED: " + what + ": expected " + expected + ", found " + found);
    }
}
