"""`python -m innerwalk.scenes …` is the command line."""

from .cli import main

raise SystemExit(main())
