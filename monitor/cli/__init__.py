"""The command line: a module per command, with `configure(parser)` and `run(args, context) -> exit code`.

Public face: main, context, crash_log.
"""
