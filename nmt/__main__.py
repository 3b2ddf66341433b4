"""`python -m nmt`."""

from nmt.cli.app import main

main()
