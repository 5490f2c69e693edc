"""Reading a configuration: `table` collects the mistakes, the others know what each table of the file may hold."""
