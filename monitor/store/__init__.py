"""CSV persistence: a folder of files that anyone's pandas reads and anyone's script may append to.

`names` says what a file is called, `rows` what stands in it, `disk` how bytes reach it, `places` where the folder is.
"""

from monitor.store.appending import Store
from monitor.store.disk import write_atomically
from monitor.store.places import default_folder, network_filesystem
from monitor.store.rows import Record

__all__ = ["Record", "Store", "default_folder", "network_filesystem", "write_atomically"]
