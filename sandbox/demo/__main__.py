"""Run the demo backend: `python -m sandbox.demo --port 9543 --cert FILE --key FILE`."""

import argparse
import logging
import ssl
import sys
from collections.abc import Sequence

from aiohttp import web

from sandbox.demo.server import application

__all__ = ["main"]

_log = logging.getLogger("sandbox.demo")


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve on loopback until SIGTERM or SIGINT. Returns the exit code."""
    options = _parser().parse_args(arguments)
    _log_to_stderr()
    try:
        web.run_app(
            application(),
            host="127.0.0.1",
            port=options.port,
            ssl_context=_server_tls(options.cert, options.key),
            access_log=None,
            shutdown_timeout=2,
            print=_announce,
        )
    except OSError as error:
        _log.critical("cannot serve on 127.0.0.1:%d: %s", options.port, error)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m sandbox.demo", description=sys.modules["sandbox.demo"].__doc__)
    parser.add_argument("--port", type=int, required=True, help="TCP port on 127.0.0.1")
    parser.add_argument("--cert", required=True, help="PEM file: the server's certificate, then its chain")
    parser.add_argument("--key", required=True, help="PEM file: the certificate's private key")
    return parser


def _log_to_stderr() -> None:
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s %(message)s", level=logging.INFO)
    # aiohttp quotes malformed requests in its errors: what was sent may be a CPF.
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL + 1)


def _announce(banner: str) -> None:
    _log.info(banner.splitlines()[0].strip("= "))


def _server_tls(certificate: str, key: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context


if __name__ == "__main__":
    sys.exit(main())
