"""`python -m servient` is the command `wasm-servient`."""

from servient.cli import main

main()
