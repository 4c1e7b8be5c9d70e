"""`python -m homeroom.cli`: the command line if the script `homeroom` is not on the path."""

from homeroom.cli import main

main()
