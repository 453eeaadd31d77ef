"""``python -m autogrow``: the command."""

from ._cli import main

main()
