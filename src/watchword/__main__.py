"""`python -m watchword`: the command line."""

from watchword.cli import main

main()
