"""What every MCP server of the suite stands on, one room per idea.

    launch        `serve("perfsuite_x.server")`, light: it guards the standard streams before anything heavy is imported
    server        `create_server(...)`, a `SuiteServer` that a server.py registers its tools on
    context       `AppContext`: what a tool gets besides its arguments
    registration  what a tool must say about itself, and the presets of its annotations
    confirmation  `asks(question)`: nothing outside changes before a person agreed
    jobs          `Jobs`: work that outlives the call which started it
    answers       `fit`: lists that stay within the size of an answer
    pages         the pages written for agents, and serving them as prompts
    skills        the same pages as Agent Skills
    rules         `check_calls`: every call written in a page for agents must fit the live tools

This file imports nothing, so that `launch` stays light.
"""
