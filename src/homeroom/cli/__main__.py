"""`python -m homeroom.cli`: the commands where the script is not on the path."""

from homeroom.cli import main

main()
