"""`openpersonalize`, or `python -m console`: the recommenders' commands and the server's, from one name."""

from __future__ import annotations

import sys

from console.management.command_line import run
from recipes.__main__ import COMMANDS
from recipes.__main__ import main as recipes_main

USAGE = f"""openpersonalize COMMAND

  serve                       the console, REST and AWS interfaces on http://127.0.0.1:8000; Ctrl-C ends it
  {", ".join(COMMANDS)}
                              the recommenders on CSV files, as `python -m recipes`; COMMAND --help says more
  create_access_key, create_token, create_user, load_sample, …
                              everything that manage.py does; `openpersonalize help` lists it
"""


def main() -> int:
    """Run one command; the exit status."""
    arguments = sys.argv[1:]
    if not arguments or arguments[0] in {"-h", "--help"}:
        sys.stdout.write(USAGE)
        return 0
    arguments[0] = arguments[0].replace("-", "_")  # import-aws
    if arguments[0] in COMMANDS:
        return recipes_main(arguments)
    return run(["openpersonalize", *arguments])


if __name__ == "__main__":
    sys.exit(main())
