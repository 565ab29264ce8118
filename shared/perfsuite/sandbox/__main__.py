"""`python -m perfsuite.sandbox`: start a stand-in without the rest of the command line."""

from perfsuite.sandbox.commands import main

main()
