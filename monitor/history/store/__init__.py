"""CSV persistence: a folder of files that anyone's pandas reads and anyone's script may append to.

`appending` is the store itself; `names` says what a file is called, `rows` what stands in it, `disk` and `lock` how
bytes reach it, `places` where the folder is.
"""
