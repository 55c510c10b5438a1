"""Serves a fresh Superset on loopback: python serve.py PORT_FILE. The file gets the port when all is ready."""
import os
import sys

from superset.app import create_app
from superset.cli.main import superset
from werkzeug.serving import WSGIRequestHandler, make_server


class Quiet(WSGIRequestHandler):
    def log_request(self, *_):
        pass


def main(port_file):
    app = create_app()
    # The commands that a person types after the installation; in one process, since each start of Superset takes seconds.
    admin = ["--username", "admin", "--firstname", "Data", "--lastname", "Analyst", "--email", "admin@localhost", "--password", os.environ["SUPERSET_SECRET_KEY"]]
    for command in (["db", "upgrade"], ["fab", "create-admin", *admin], ["init"]):
        result = app.test_cli_runner().invoke(superset, args=command)
        if result.exit_code:
            sys.exit(f"superset {' '.join(command[:2])}: {result.output[-2000:]} {result.exception!r}")
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Quiet)
    with open(port_file + ".part", "w", encoding="utf-8") as file:
        file.write(str(server.server_port))
    os.rename(port_file + ".part", port_file)
    server.serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
