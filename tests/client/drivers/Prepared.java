import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import javax.net.SocketFactory;

/** Prepared statements with parameters from pgJDBC. The argument is a file of searches and the ids they must find. */
public class Prepared {
    static final String ROWS = "SELECT id FROM lake.observation WHERE search OPERATOR(fhir.|=) ? ORDER BY id";
    static final String BUNDLE = "SELECT e -> 'resource' ->> 'id' FROM jsonb_array_elements(coalesce(fhir.search(?) -> 'entry', '[]')) e";

    public static void main(String[] arguments) throws Exception {
        Properties properties = new Properties();
        properties.put("user", System.getenv("PGUSER"));
        properties.put("socketFactory", UnixSockets.class.getName());
        properties.put("prepareThreshold", "1");
        properties.put("sslmode", "disable");
        properties.put("gssEncMode", "disable");
        String url = "jdbc:postgresql://localhost/" + System.getenv("PGDATABASE");
        new org.postgresql.Driver();
        try (Connection connection = DriverManager.getConnection(url, properties);
                PreparedStatement rows = connection.prepareStatement(ROWS);
                PreparedStatement bundle = connection.prepareStatement(BUNDLE);
                Statement plain = connection.createStatement()) {
            int number = 0;
            for (String line : Files.readAllLines(Path.of(arguments[0]))) {
                String[] parts = line.split("\t", 2);
                List<String> expected = parts[1].isEmpty() ? List.of() : List.of(parts[1].split(","));
                String what = "execution " + ++number + ", " + parts[0];
                check(what, expected, found(rows, parts[0]));
                check("fhir.search, " + what, expected, found(bundle, "Observation?" + parts[0] + "&_sort=_id&_count=10000"));
            }
            String name;
            try (ResultSet told = plain.executeQuery(
                    "SELECT name, generic_plans, custom_plans FROM pg_prepared_statements WHERE statement LIKE 'SELECT id FROM lake.%'")) {
                if (!told.next()) {
                    throw new IllegalStateException("nothing was prepared");
                }
                name = told.getString(1);
                System.out.print(connection.getMetaData().getDriverVersion() + ": " + told.getInt(3) + " custom and " + told.getInt(2) + " generic plans; then ");
            }
            List<String> times = new ArrayList<>();
            try (ResultSet plan = plain.executeQuery("EXPLAIN (ANALYZE) EXECUTE \"" + name + "\"('code=one')")) {
                while (plan.next()) {
                    if (plan.getString(1).contains("Time:")) {
                        times.add(plan.getString(1).toLowerCase());
                    }
                }
            }
            System.out.println(String.join(", ", times));
        }
    }

    static List<String> found(PreparedStatement statement, String search) throws Exception {
        statement.setString(1, search);
        List<String> ids = new ArrayList<>();
        try (ResultSet result = statement.executeQuery()) {
            while (result.next()) {
                ids.add(result.getString(1));
            }
        }
        return ids;
    }

    static void check(String what, List<String> expected, List<String> found) {
        System.out.println(expected.equals(found) ? "ok" : "FAILED: " + what + ": " + expected.size() + " expected, " + found.size() + " found");
    }

    /** The server listens on a Unix socket only, for which pgJDBC has no way of its own. */
    public static class UnixSockets extends SocketFactory {
        @Override
        public Socket createSocket() {
            return new UnixSocket();
        }

        @Override
        public Socket createSocket(String host, int port) {
            throw new UnsupportedOperationException();
        }

        @Override
        public Socket createSocket(String host, int port, InetAddress from, int fromPort) {
            throw new UnsupportedOperationException();
        }

        @Override
        public Socket createSocket(InetAddress host, int port) {
            throw new UnsupportedOperationException();
        }

        @Override
        public Socket createSocket(InetAddress host, int port, InetAddress from, int fromPort) {
            throw new UnsupportedOperationException();
        }
    }

    static class UnixSocket extends Socket {
        private SocketChannel channel;

        @Override
        public void connect(SocketAddress ignored, int timeout) throws IOException {
            channel = SocketChannel.open(UnixDomainSocketAddress.of(System.getenv("PGHOST") + "/.s.PGSQL." + System.getenv("PGPORT")));
        }

        @Override
        public boolean isConnected() {
            return channel != null;
        }

        @Override
        public InputStream getInputStream() {
            return Channels.newInputStream(channel);
        }

        @Override
        public OutputStream getOutputStream() {
            return Channels.newOutputStream(channel);
        }

        @Override
        public void setTcpNoDelay(boolean on) {}

        @Override
        public void setSoTimeout(int timeout) {}

        @Override
        public int getSoTimeout() {
            return 0;
        }

        @Override
        public void setKeepAlive(boolean on) {}

        @Override
        public int getReceiveBufferSize() {
            return 8192;
        }

        @Override
        public int getSendBufferSize() {
            return 8192;
        }

        @Override
        public void close() throws IOException {
            if (channel != null) {
                channel.close();
            }
        }
    }
}
