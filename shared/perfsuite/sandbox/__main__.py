"""`python -m perfsuite.sandbox`: start a stand-in without the rest of the command line."""

from perfsuite.sandbox.commands import main

if __name__ == "__main__":
    main()
