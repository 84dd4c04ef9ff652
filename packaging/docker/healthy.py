"""Whether the servient of this container answers: exit code 0, or 1 (Dockerfile reference, HEALTHCHECK)."""

import os
import ssl
import sys
import urllib.request

PATIENCE_SECONDS = 4.0


def main() -> int:
    scheme = "https" if os.environ.get("WASM_SERVIENT_TLS_CERTIFICATE") else "http"
    port = int(os.environ.get("WASM_SERVIENT_PORT") or 5000)
    # Its name is not what is asked about, and it is this very machine.
    context = ssl._create_unverified_context() if scheme == "https" else None  # noqa: S323 - see above
    url = f"{scheme}://127.0.0.1:{port}/health/live"
    try:
        with urllib.request.urlopen(url, timeout=PATIENCE_SECONDS, context=context):  # noqa: S310 - see above
            return 0
    except OSError as error:
        sys.stderr.write(f"{url}: {error}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main())
