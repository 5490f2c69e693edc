"""The words of the command line, one file each: `HELP`, `configure(parser)`, `run(args, context) -> exit code`."""
