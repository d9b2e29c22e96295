"""How the demo checkpoint in `data/demo` is made: `python -m recipe --help`."""
